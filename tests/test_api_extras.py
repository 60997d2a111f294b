"""The Python API with libraries that are extras: modules of PyTorch as weights, tables of pandas."""
import csv
import io

import numpy as np
import pytest
from command import attntrace
from documents import blocks, text_of

import attntrace as api

CAT, CHAT = "this is a cat", "un chat"


@pytest.fixture(scope="module")
def torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(torch.float32)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("norm_first, activation, eps, final", [
    (False, "relu", 1e-5, False), (True, "gelu", 1e-3, True), (True, "silu", 1e-5, False),
    (False, "tanh", 1e-6, "bare")])
def test_a_module_is_weights_with_the_arguments_that_it_was_made_with(torch, norm_first, activation, eps, final):
    nn = torch.nn
    function = (lambda x: nn.functional.gelu(x, approximate="tanh")) if activation == "tanh" else getattr(
        nn.functional, activation)
    layer = nn.TransformerEncoderLayer(12, 3, 20, 0.1, function, eps, True, norm_first)
    module = nn.TransformerEncoder(layer, 2, nn.LayerNorm(12, eps, final != "bare") if final else None).eval()
    x = torch.randn(1, 5, 12)
    holder = nn.ModuleDict({"body": module, "head": nn.Linear(12, 2)})
    for weights in (module, holder):
        run = api.trace(None, weights=weights, inputs=x)
        assert np.abs(run["encoder.output"] - module(x)[0].detach().numpy()).max() < 1e-12
    assert any("head" in note for note in run.notes)


def test_a_whole_transformer_starts_from_rows_of_both_sides(torch):
    module = torch.nn.Transformer(8, 2, 2, 1, 12, batch_first=True).eval()
    x, y = torch.randn(1, 4, 8), torch.randn(1, 3, 8)
    mask = module.generate_square_subsequent_mask(3)
    run = api.trace(None, weights=module, inputs={"encoder.input": x, "decoder.input": y})
    assert np.abs(run["decoder.output"] - module(x, y, tgt_mask=mask)[0].detach().numpy()).max() < 1e-12


def test_an_attention_takes_a_mask_of_tensors(torch):
    module, x = torch.nn.MultiheadAttention(8, 2, batch_first=True), torch.randn(1, 4, 8)
    mask = torch.triu(torch.ones(4, 4, dtype=torch.bool), 1)
    run = api.trace(None, weights=module, inputs=x, mask=mask, mean_weights=True)
    output, weights = module(x, x, x, attn_mask=mask)
    assert np.abs(run["self_attention.output"] - output[0].detach().numpy()).max() < 1e-12
    assert np.abs(run["weights_mean"] - weights[0].detach().numpy()).max() < 1e-12


@pytest.mark.parametrize("make, message", [
    (lambda nn: nn.Linear(3, 3), "Linear has 2 arrays"),
    (lambda nn: nn.MultiheadAttention(8, 2, add_zero_attn=True), "add_zero_attn=True"),
    (lambda nn: nn.TransformerEncoderLayer(8, 2, activation=nn.functional.tanh), "activation=tanh"),
    (lambda nn: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, layer_norm_eps=1e-3), 1, nn.LayerNorm(8)),
     "different values of eps")])
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_a_module_that_cannot_be_run_is_refused(torch, make, message):
    with pytest.raises(ValueError, match=message):
        api.trace(None, weights=make(torch.nn), inputs=np.ones((2, 8)))


def test_all_numbers_as_a_table_are_those_of_csv():
    pytest.importorskip("pandas")
    step = api.backprop(CAT, CHAT)
    rows = list(csv.reader(io.StringIO(attntrace("backprop", CAT, CHAT, "--format", "csv").out)))
    known = {*step}
    rows = [rows[0], *(row for row in rows[1:] if row[0] in known)]  # CSV has parameters as well
    frame = step.to_frame()
    assert [*frame.columns] == rows[0]
    texts = frame.drop(columns="value").astype(object).fillna("").astype(str).values.tolist()
    assert texts == [row[:-1] for row in rows[1:]]
    assert frame["value"].tolist() == [float(row[-1]) for row in rows[1:]]


def test_one_array_as_a_table_is_called_by_its_words():
    pytest.importorskip("pandas")
    run = api.trace(CAT, CHAT)
    weights = run.to_frame("cross_attention.head1.weights")
    assert [*weights.index] == ["<s>", "un", "chat"] and [*weights.columns] == CAT.split()
    assert weights.loc["un", "cat"] == run["cross_attention.head1.weights"][1, 3]
    assert [*run.to_frame("encoder.layer1.self_attention.mean").index] == CAT.split()
    assert [*run.to_frame("encoder.output").columns] == list(range(1, 9))


def test_a_table_without_pandas_is_an_import_error(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install \"attntrace\[pandas\]\""):
        api.trace("a").to_frame()


def test_the_documented_session_runs_in_a_notebook(tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = ["\n".join(line[4:] for line in block.splitlines() if line.startswith((">>> ", "... ")))
             for block in blocks(text_of("en"), "pycon")]
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])
    nbclient.NotebookClient(notebook, timeout=60, allow_errors=True,
                            resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [{one.output_type: one for one in cell.outputs} for cell in notebook.cells]
    (failed,) = (one for one in outputs if "error" in one)  # the one that shows an error
    assert failed["error"].ename == "ProblemWithType"
    (why,) = (one for cell, one in zip(cells, outputs) if "run.why(" in cell)
    assert "q₂ k₃ᵀ" in why["execute_result"].data["text/plain"]
    assert "<div class=attntrace>" in why["execute_result"].data["text/html"]
