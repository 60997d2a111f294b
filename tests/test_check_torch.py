"""attntrace check beside PyTorch: programs with mistakes, and the code that `--how` prints."""
from typing import Any

import numpy as np
import pytest
from command import attntrace
from students import STUDENTS, uses_torch
from test_check import diagnosed, model  # noqa: F401

from attntrace.runs.prepare import prepare

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("student", [one for one in STUDENTS if uses_torch(one)],
                         ids=lambda student: student.__name__)
def test_what_students_did_wrong_in_pytorch_is_named(student, model):  # noqa: F811
    diagnosed(student, model)


def imported(module: Any, folder: Any, *options: str) -> str:
    """A weights file of a module."""
    np.savez(folder / "state.npz", **{name: tensor.numpy() for name, tensor in module.state_dict().items()})
    result = attntrace("weights", "import", str(folder / "state.npz"), "--heads", "2", *options, "-o",
                       str(folder / "model.npz"))
    assert result.code == 0, result.err
    return str(folder / "model.npz")


@pytest.fixture
def code(monkeypatch, tmp_path):
    """What --how prints, by its headings, run in an empty folder."""
    pieces = ("\n" + attntrace("check", "--how").out).split("\n# ")[1:]
    monkeypatch.chdir(tmp_path)

    def run(heading: str, **variables: Any) -> None:
        (piece,) = [piece for piece in pieces if piece.startswith(heading)]
        exec(compile(f"# {piece}", heading, "exec"), variables)  # noqa: S102

    return run


def test_the_code_for_numpy_saves_what_check_reads(code, tmp_path):
    run = prepare("a b")
    steps: dict[str, np.ndarray] = {}
    run(lambda step: steps.__setitem__(step.address, step.value))
    scores, weights = (np.stack([steps[f"encoder.layer1.self_attention.head{n}.{name}"] for n in (1, 2)])
                       for name in ("scores", "weights"))
    code("NumPy", scores=scores, weights=weights)
    assert attntrace("check", "mine.npz", "a b").code == 0
    code("NumPy", scores=scores, weights=scores)
    assert attntrace("check", "mine.npz", "a b").code == 1


@pytest.mark.parametrize("norm_first", [False, True])
def test_the_code_for_a_transformer_saves_what_its_modules_return(code, tmp_path, norm_first):
    torch.manual_seed(1)
    module = torch.nn.Transformer(8, 2, 2, 2, 12, norm_first=norm_first)
    source, target = torch.randn(4, 1, 8), torch.randn(3, 1, 8)
    np.savez("rows.npz", **{"encoder.input": source[:, 0].numpy(), "decoder.input": target[:, 0].numpy()})
    file = imported(module, tmp_path, "--norm", "pre" if norm_first else "post")
    code("torch.nn.Transformer", model=module, source=source, target=target,
         mask=torch.nn.Transformer.generate_square_subsequent_mask(3))
    result = attntrace("check", "mine.npz", "--weights", file, "--input", "rows.npz")
    assert (result.code, result.err) == (0, ""), result.out
    assert f"All arrays given ({2 * 5 + 2 * 7})" in result.out
    code("torch.nn.Transformer", model=module, source=source, target=target, mask=None)
    result = attntrace("check", "mine.npz", "--weights", file, "--input", "rows.npz")
    assert result.code == 1 and "Slip: The mask is missing." in result.out


def test_the_code_for_attention_saves_weights_and_output(code, tmp_path):
    torch.manual_seed(1)
    attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    X = torch.randn(1, 3, 8)
    np.save("rows.npy", X[0].numpy())
    file = imported(attention, tmp_path)
    code("torch.nn.MultiheadAttention", attention=attention, X=X)
    result = attntrace("check", "mine.npz", "--weights", file, "--input", "rows.npy")
    assert (result.code, result.err) == (0, "") and "to " in result.out


def test_the_code_for_any_model_saves_named_tensors(code, tmp_path):
    variables: dict[str, Any] = {}
    pieces = attntrace("check", "--how").out
    (piece,) = [piece for piece in pieces.split("\n\n# ") if piece.startswith("Any PyTorch model")]
    before, _, after = piece.partition("# run the model, then:\n")
    exec("#" + before, variables)  # noqa: S102
    run = prepare("a b")
    X = torch.tensor(run.parameters["encoder.E"].value[np.array(run.source.ids) - 1], requires_grad=True)
    assert variables["named"]("embedding", X) is X
    exec(after, variables)  # noqa: S102
    assert attntrace("check", "mine.npz", "a b").code == 0
