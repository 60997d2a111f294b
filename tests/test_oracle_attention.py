"""Attention alone against torch.nn.MultiheadAttention: rows of their own for keys and values, masks, biases."""
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from command import attntrace  # noqa: E402
from random_model import SENTENCE, random_model  # noqa: E402
from recompute import log_of  # noqa: E402

from attntrace import trace  # noqa: E402
from attntrace.runs.prepare import prepare  # noqa: E402
from attntrace.runs.training_step import prepare_training_step  # noqa: E402
from attntrace.verify import torch as against  # noqa: E402

D, HEADS, QUERIES, KEYS = 12, 3, 4, 5
torch.set_num_threads(1)  # these matrices are tiny
RANDOM = np.random.default_rng(1)
HIDDEN = np.array([[False, True, False, False, True], [False] * 5, [True, False, True, True, True],
                   [False, False, False, True, False]])
ADDED = RANDOM.normal(size=(QUERIES, KEYS))
MASKS = {"none": None, "boolean": HIDDEN, "added": ADDED, "added_and_hidden": np.where(HIDDEN, -np.inf, ADDED),
         "of_each_head": np.stack([HIDDEN, HIDDEN[::-1], HIDDEN[:, ::-1]]),
         "padding": np.array([False, False, False, True, True]), "causal": np.triu(np.ones((QUERIES, KEYS), bool), k=1)}


@pytest.fixture(params=[(kdim, vdim, biases) for kdim, vdim in ((None, None), (7, None), (None, 3), (7, 5))
                        for biases in (True, False)], ids=str)
def module(request, tmp_path, monkeypatch) -> "torch.nn.MultiheadAttention":
    """A module with random parameters, its weights file and its rows."""
    monkeypatch.chdir(tmp_path)
    kdim, vdim, bias = request.param
    module = torch.nn.MultiheadAttention(D, HEADS, kdim=kdim, vdim=vdim, bias=bias, batch_first=True,
                                         dtype=torch.float64)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    np.savez("state.npz", **{name: array.numpy() for name, array in module.state_dict().items()})
    result = attntrace("weights", "import", "state.npz", "--heads", str(HEADS), "-o", "w.npz")
    assert result.code == 0, result
    np.savez("rows.npz", **{"query.input": RANDOM.normal(size=(QUERIES, D)), "key.input": RANDOM.normal(
        size=(KEYS, kdim or D)), "value.input": RANDOM.normal(size=(KEYS, vdim or D))})
    return module


@pytest.mark.parametrize("mask", MASKS)
def test_every_output_and_weight_is_that_of_pytorch(module, mask):
    array, arguments = MASKS[mask], {}
    options = {"mean_weights": True}
    if mask == "padding":
        arguments["key_padding_mask"] = torch.from_numpy(array)[None]
        options["pad"] = int(array.sum())
    elif mask == "causal":
        arguments["attn_mask"] = torch.from_numpy(array)
        options["causal"] = True
    elif array is not None:
        arguments["attn_mask"] = torch.from_numpy(array)
        np.save("m.npy", array)
        options["mask"] = "m.npy"
    rows = [torch.from_numpy(value)[None] for value in np.load("rows.npz").values()]
    steps = trace(None, weights="w.npz", inputs="rows.npz", **options)
    output, weights = module(*rows, average_attn_weights=False, **arguments)
    _, mean = module(*rows, **arguments)
    place = "encoder.layer1.self_attention."
    expected = {"output": output[0], "weights_mean": mean[0],
                **{f"head{n + 1}.weights": weights[0, n] for n in range(HEADS)}}
    for name, value in expected.items():
        assert np.abs(steps[place + name].value - value.detach().numpy()).max() <= 1e-12, name
    assert ("masked_scores" in {step.name for step in steps.steps}) == (mask != "none")


def test_an_export_is_the_module_again(module):
    assert attntrace("weights", "export", "w.npz", "-o", "again.npz").code == 0
    state = {name: array.numpy() for name, array in module.state_dict().items()}
    again = dict(np.load("again.npz"))
    assert {name: array.tolist() for name, array in again.items()} == {
        name: array.tolist() for name, array in state.items()}


def test_a_row_that_may_look_nowhere_is_nan_in_pytorch_and_0_here(module):
    mask = np.zeros((QUERIES, KEYS), bool)
    mask[1] = True
    np.save("m.npy", mask)
    rows = [torch.from_numpy(value)[None] for value in np.load("rows.npz").values()]
    expected, weights = (one[0].detach().numpy() for one in module(*rows, attn_mask=torch.from_numpy(mask)))
    steps = trace(None, weights="w.npz", inputs="rows.npz", mask="m.npy")
    seen = [0, 2, 3]
    place = "encoder.layer1.self_attention"
    assert np.isnan(expected[1]).all() and np.isnan(weights[1]).all()
    assert np.abs(steps[f"{place}.output"].value[seen] - expected[seen]).max() <= 1e-12
    assert not steps["concat"].value[1].any() and not steps["head1.weights"].value[1].any()


@pytest.mark.parametrize("wiring", ({}, {"d_k": 5, "d_v": 3}, {"causal": True}), ids=str)
def test_every_step_and_gradient_of_masked_models_is_that_of_pytorch(tmp_path, monkeypatch, wiring):
    monkeypatch.setattr(against, "TOLERANCES", {"float64": 1e-12})
    file = random_model(**wiring).write(tmp_path / "model.npz")
    size = len(SENTENCE.split())
    added, hidden = RANDOM.normal(size=(size, size)), RANDOM.random((size, size)) < 0.5
    np.savez(tmp_path / "m.npz", **{
        "encoder.self_attention": np.where(hidden, -np.inf, added),
        "decoder.self_attention": RANDOM.normal(size=(3, 3, 3)),
        "decoder.cross_attention": RANDOM.random((3, size)) < 0.5})
    masks = {"mask": Path(tmp_path / "m.npz"), "pad": 2}
    for log in (log_of(prepare(SENTENCE, "I went", weights=file, **masks)),
                log_of(prepare_training_step(SENTENCE, "I went", weights=file, **masks))):
        verdicts = list(against.compared(log))
        assert [verdict.address for verdict in verdicts] == list(log.steps) and len(verdicts) > 100
        assert [verdict for verdict in verdicts if verdict.wrong] == []
