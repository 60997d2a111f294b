"""Errors planted in the model, one at a time: the comparison with PyTorch names the first step that is wrong.

A wrong formula gives a run that is consistent in itself. What the checker of expressions finds of these is written here
as well: the ones that break what must be true of every run."""
import functools
import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

import command
import pytest
from random_model import SENTENCE, TRANSLATION, random_model
from recompute import log_of

from attntrace.model.config import Config
from attntrace.runs.training_step import prepare_training_step

pytest.importorskip("torch").set_num_threads(1)  # these matrices are tiny


class Planted(NamedTuple):
    """A text of transformer.py or masks.py and what stands there instead, the step that is the first to be wrong, and
    whether a run betrays the error by itself."""
    right: str
    wrong: str
    first: str
    betrayed: bool = False


ENCODER, DECODER = "encoder.layer1.self_attention", "decoder.layer1.self_attention"
KEPT = 'constant(np.where(np.isneginf(mask.value), 0.0, 1.0), "kept", mask.axes)'
HALVES = 'config.d_model // 2, "d_k"'
ERRORS = {
    "scores_not_divided": Planted('"scaled_scores", S / root', '"scaled_scores", S', f"{ENCODER}.head1.scaled_scores"),
    "scores_divided_by_the_root_of_d_model": Planted(
        "root_of_d_k(config.key_size", "root_of_d_k(config.d_model",
        f"{ENCODER}.head1.scaled_scores"),
    "softmax_over_queries": Planted(
        '"weights", softmax(S)', '"weights", softmax(S.T).T', f"{ENCODER}.head1.weights", betrayed=True),
    "unbiased_variance": Planted(
        "mean(squares)", "mean(squares) * constant(config.d_model / (config.d_model - 1), dtype=config.dtype)",
        f"{ENCODER}.variance", betrayed=True),
    "epsilon_outside_the_root": Planted(
        "sqrt(var + epsilon)", "sqrt(var) + epsilon", f"{ENCODER}.normalized", betrayed=True),
    "mask_after_the_softmax": Planted(
        """        S = trace("masked_scores", S + mask, Symbol("S", hat=True, primes=1))
    A = trace("weights", softmax(S), "A")""",
        f"""        A = trace("weights", softmax(S) * {KEPT}, "A")
    else:
        A = trace("weights", softmax(S), "A")""", f"{DECODER}.head1.masked_scores", betrayed=True),
    "triangle_flipped": Planted(
        "np.triu(np.ones((max(tokens), max(keys)), bool), k=1)",
        "np.tril(np.ones((max(tokens), max(keys)), bool), k=-1)", f"{DECODER}.head1.masked_scores", betrayed=True),
    "positions_appended_as_columns": Planted(
        "X = X + P",
        f'X = concat([slice_columns(X, 1, {HALVES}), slice_columns(P, 1, {HALVES})], "d_model")', "encoder.input"),
    "W_O_skipped": Planted(
        '"output", linear(C, parameters["W_O"], parameters.get("b_O"))',
        '"output", slice_columns(C, 1, config.d_model, "d_model")', f"{ENCODER}.output", betrayed=True),
    "cross_attention_to_the_decoder": Planted(
        "multi_head(trace, X, memory, memory, own", "multi_head(trace, X, X, X, own",
        "decoder.layer1.cross_attention.head1.key"),
    "embedding_unscaled": Planted("if config.scale_embedding:", "if False:", "encoder.scaled_embedding")}


@pytest.fixture(scope="module")
def arguments(tmp_path_factory) -> list[str]:
    path = random_model(layers=1).write(tmp_path_factory.mktemp("planted") / "model.npz")
    return ["verify", SENTENCE, "--target", TRANSLATION, "--weights", str(path), "--quiet", "--width", "999"]


@functools.cache
def compiled(path: str, right: str = "", wrong: str = "") -> CodeType:
    """A module's code, with something else in the place of a text: compiled once for all errors."""
    source = Path(path).read_text("utf-8")
    assert not right or source.count(right) == 1
    return compile(source.replace(right, wrong) if right else source, path, "exec")


class Planting(SourceFileLoader):
    """Loads a module of the package, with the error in it where it is the one."""
    error: Planted

    def get_code(self, fullname: str) -> CodeType:
        there = (fullname in ("attntrace.model.transformer", "attntrace.model.masks")
                 and self.error.right in Path(self.path).read_text("utf-8"))
        return compiled(self.path, self.error.right, self.error.wrong) if there else compiled(self.path)


class Planter:
    """Finds the modules of the package, so that they are loaded with the error."""

    def __init__(self, error: Planted) -> None:
        self.error = error

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name.partition(".")[0] == "attntrace" else None
        if spec is not None:
            spec.loader = Planting(name, spec.origin)
            spec.loader.error = self.error
        return spec


def forget() -> dict[str, ModuleType]:
    """Forget the package, as if it had never been imported."""
    there = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "attntrace"}
    for name in there:
        del sys.modules[name]
    return there


@pytest.fixture
def planted(request, monkeypatch):
    """The error, in a package that is imported again, only for this test."""
    error = ERRORS[request.param]
    own = forget()
    monkeypatch.setattr(sys, "meta_path", [Planter(error), *sys.meta_path])
    monkeypatch.setattr(command, "run", importlib.import_module("attntrace.cli.app").run)
    yield error
    forget()
    sys.modules.update(own)


@pytest.mark.parametrize("planted", ERRORS, indirect=True)
def test_pytorch_names_the_first_step_that_is_wrong_and_the_run_betrays_only_what_breaks_an_invariant(
        planted, arguments):
    code, out, errors = command.attntrace(*arguments, "--against", "torch")
    assert (code, errors) == (1, "")
    assert f"failed; the first is {planted.first}: " in out
    code, out, errors = command.attntrace(*arguments)
    assert "all match when recomputed" in out and errors == ""
    assert (code, "But this property does not hold" in out) == ((1, True) if planted.betrayed else (0, False))


def test_the_model_without_a_planted_error_is_that_of_pytorch(arguments):
    assert command.attntrace(*arguments, "--against", "torch").code == 0


# ---------------------------------------------------------------- steps that are missing, too many, or of another shape

FIRST, SECOND = "encoder.layer1.self_attention.head1.query", "encoder.layer1.self_attention.head1.key"


@pytest.fixture
def dtype() -> str:
    return "float64"


@pytest.fixture
def training_log(dtype):
    return log_of(prepare_training_step("a cat sleeps", "un chat dort", config=Config(dtype=dtype), optimizer="adam",
                                        smoothing=0.1))


def wrong_steps(log) -> list[tuple[str, str]]:
    from attntrace.verify.torch import compared
    return [(verdict.address, verdict.wrong) for verdict in compared(log) if verdict.wrong]


def test_a_step_that_is_missing_and_one_too_many_are_named_in_their_place(training_log):
    steps = training_log.steps
    assert wrong_steps(training_log) == []
    names = "encoder.embedding", SECOND, "gradient.output.W"
    begin, missing, gradient = map(steps.pop, names)
    assert wrong_steps(training_log) == [(name, "missing") for name in names]
    surplus = steps[FIRST]._replace(address="encoder.more")
    training_log.steps = {"encoder.embedding": begin, FIRST: steps[FIRST], SECOND: missing,
                          "gradient.output.W": gradient, "encoder.more": surplus} | steps
    assert wrong_steps(training_log) == [("encoder.more", "surplus")]


def test_a_step_of_another_shape_is_named_as_such(training_log):
    from attntrace.verify.recompute import Log
    step = training_log.steps[FIRST]
    assert isinstance(training_log, Log)
    training_log.steps[FIRST] = step._replace(shape=step.shape[::-1])
    assert wrong_steps(training_log) == [(FIRST, "shape")]


def test_where_a_parameter_was_never_read_pytorch_says_how_far_it_came(training_log):
    place = "encoder.layer1.feed_forward"
    del training_log.parameters[f"{place}.W_1"]
    assert wrong_steps(training_log)[0] == (f"{place}.hidden", "stuck")
    assert all(wrong == "stuck" for _, wrong in wrong_steps(training_log))


@pytest.mark.parametrize(("dtype", "part"), [("float64", 1e-9), ("float32", 1e-3)])
@pytest.mark.parametrize("address", ["gradient.decoder.layer1.self_attention.head1.masked_scores",
                                     "gradient.encoder.output.from.decoder.layer1.cross_attention.head2.key",
                                     "update.encoder.E.v_hat", "update.output.W.new", "loss.labels"])
def test_gradients_and_updates_are_those_of_autograd_and_of_its_optimisers(training_log, address, dtype, part):
    flat = training_log.steps[address].flat
    n = max(range(len(flat)), key=lambda n: abs(flat[n]))
    flat[n] *= 1 + part
    assert (address, "differs") == wrong_steps(training_log)[0]
