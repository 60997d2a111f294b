"""Errors planted in a copy of the model, one at a time: the comparison with PyTorch names the first step that is wrong.

A wrong formula gives a run that is consistent in itself. What the checker of expressions finds of these is written here
as well: the ones that break what must be true of every run.
"""
from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import command
import pytest
from random_model import SENTENCE, TRANSLATION, random_model

pytest.importorskip("torch")


class Planted(NamedTuple):
    """A text of a module and what stands there instead, the step that is the first to be wrong, and whether a run
    betrays the error by itself."""
    module: str
    right: str
    wrong: str
    first: str
    betrayed: bool = False


ENCODER, DECODER = "encoder.layer1.self_attention", "decoder.layer1.self_attention"
KEPT = 'constant(np.where(np.isneginf(mask.value), 0.0, 1.0), "kept", mask.axes)'
HALVES = 'config.d_model // 2, "d_k"'
ERRORS = {
    "scores_not_divided": Planted(
        "attention", '"scaled_scores", S / root', '"scaled_scores", S', f"{ENCODER}.head1.scaled_scores"),
    "scores_divided_by_the_root_of_d_model": Planted(
        "attention", 'sqrt(constant(config.d_k, "d_k"', 'sqrt(constant(config.d_model, "d_k"',
        f"{ENCODER}.head1.scaled_scores"),
    "softmax_over_queries": Planted(
        "attention", "softmax(S)", "softmax(S.T).T", f"{ENCODER}.head1.weights", betrayed=True),
    "unbiased_variance": Planted(
        "layers", "mean(square(U - mu))",
        "mean(square(U - mu)) * constant(config.d_model / (config.d_model - 1), dtype=config.dtype)",
        f"{ENCODER}.variance", betrayed=True),
    "epsilon_outside_the_root": Planted(
        "layers", 'sqrt(var + constant(config.epsilon, "ε", dtype=config.dtype))',
        '(sqrt(var) + constant(config.epsilon, "ε", dtype=config.dtype))', f"{ENCODER}.normalized", betrayed=True),
    "mask_after_the_softmax": Planted(
        "attention", """        S = trace("masked_scores", S + mask, Symbol("S", hat=True, primes=1))
    A = trace("weights", softmax(S), "A")""",
        f"""        A = trace("weights", softmax(S) * {KEPT}, "A")
    else:
        A = trace("weights", softmax(S), "A")""", f"{DECODER}.head1.masked_scores", betrayed=True),
    "triangle_flipped": Planted(
        "attention", "np.triu(np.ones((max(tokens), max(keys)), bool), k=1)",
        "np.tril(np.ones((max(tokens), max(keys)), bool), k=-1)", f"{DECODER}.head1.masked_scores", betrayed=True),
    "positions_appended_as_columns": Planted(
        "layers", "X = X + P",
        f"""from attntrace.parts import columns, concat
        X = concat([columns(X, 1, {HALVES}), columns(P, 1, {HALVES})], "d_model")""", "encoder.input"),
    "W_O_skipped": Planted(
        "attention", 'linear(C, parameters["W_O"], parameters.get("b_O"))', 'columns(C, 1, config.d_model, "d_model")',
        f"{ENCODER}.output", betrayed=True),
    "cross_attention_to_the_decoder": Planted(
        "transformer", "multi_head(trace, Y, M, own", "multi_head(trace, Y, Y, own",
        "decoder.layer1.cross_attention.head1.key"),
    "embedding_unscaled": Planted(
        "layers", "if config.scale_embedding:", "if False:", "encoder.scaled_embedding")}


@pytest.fixture(scope="module")
def arguments(tmp_path_factory) -> list[str]:
    path = random_model(layers=1).write(tmp_path_factory.mktemp("planted") / "model.npz")
    return ["verify", SENTENCE, "--target", TRANSLATION, "--weights", str(path), "--quiet", "--width", "999"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("copy")
    shutil.copytree(command.ROOT / "attntrace", place / "attntrace", ignore=shutil.ignore_patterns("*.npz", "*.pyc"))
    return place


@pytest.fixture
def planted(copy, request, monkeypatch):
    """The error, in the copy, which is then the package that is imported, here and nowhere else."""
    error = ERRORS[request.param]
    path = copy / "attntrace" / f"{error.module}.py"
    before = path.read_text("utf-8")
    assert before.count(error.right) == 1
    path.write_text(before.replace(error.right, error.wrong), "utf-8")
    own = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "attntrace"}
    for name in own:
        del sys.modules[name]
    monkeypatch.syspath_prepend(str(copy))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions of a file may have the same size and second
    import attntrace.cli
    assert Path(attntrace.cli.__file__).is_relative_to(copy)
    monkeypatch.setattr(command, "run", attntrace.cli.run)
    yield error
    for name in [name for name in sys.modules if name.partition(".")[0] == "attntrace"]:
        del sys.modules[name]
    sys.modules.update(own)
    path.write_text(before, "utf-8")


@pytest.mark.parametrize("planted", ERRORS, indirect=True)
def test_pytorch_names_the_first_step_that_a_planted_error_makes_wrong(planted, arguments):
    code, out, errors = command.attntrace(*arguments, "--against", "torch")
    assert (code, errors) == (1, "")
    assert f"are wrong; the first is {planted.first}: " in out


@pytest.mark.parametrize("planted", ERRORS, indirect=True)
def test_a_run_with_a_planted_error_is_what_its_expressions_give_and_betrays_it_by_what_must_be_true(
        planted, arguments):
    code, out, errors = command.attntrace(*arguments)
    assert "each is what its expression gives" in out and errors == ""
    assert (code, "But this is not true" in out) == ((1, True) if planted.betrayed else (0, False))


def test_the_model_without_a_planted_error_is_that_of_pytorch(arguments):
    assert command.attntrace(*arguments, "--against", "torch").code == 0
