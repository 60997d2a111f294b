"""The seven laws (section 2 of the design), held against every step of real runs and of their gradients."""
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pytest
from backwards import OTHERS, PAIR
from backwards import SMALL as FEW
from backwards import Backwards
from checks import (READABLE, check_axes, check_cells, check_row, check_symbols, equal, first_and_last, largest, read,
                    slices)
from parsing import unmarked
from random_model import SENTENCE, TRANSLATION, random_model

from attntrace.model.config import Config
from attntrace.ops.shape import broadcast_to
from attntrace.runs.prepare import prepare
from attntrace.runs.run import Run
from attntrace.tensor.axes import NotRowwise
from attntrace.tensor.printer import Printer
from attntrace.tensor.symbol import Spelling
from attntrace.tensor.tensor import Node, Tensor, Term, apply
from attntrace.tracing.trace import Step

SMALL = 12  # numbers up to which every cell of a step is worked out; of a larger one a few, drawn by lot
LONG = "The animal did not cross the street because it was too tired ."  # 13 tokens: numbers of two digits


def from_a_file(**config: object) -> Callable[[Path], Run]:
    """A run of a file with every bias there is and every number random: 5 and 4 tokens, 3 heads, 2 layers."""
    return lambda folder: prepare(SENTENCE, TRANSLATION, weights=random_model(**config).write(folder / "model.npz"))


def from_rows(folder: Path) -> Run:
    random = np.random.default_rng(3).standard_normal
    np.savez(folder / "rows.npz", **{"encoder.output": random((3, 4)), "decoder.input": random((2, 4))})
    return prepare("this is a", "un chat", config=Config(d_model=4, d_ff=3), inputs=folder / "rows.npz")


RUNS: dict[str, Callable[[Path], Run]] = {
    "encoder_alone": lambda folder: prepare("this is a cat"),
    "whole_model": lambda folder: prepare(
        SENTENCE, TRANSLATION, config=Config(d_model=12, heads=3, layers=2, d_ff=20), seed=4),
    "all_biases": from_a_file(),
    "norm_first_and_last": from_a_file(norm="pre", final_norm=True),
    "positions_in_halves": from_a_file(layers=1, position="halves", source_end=True),
    **{word: from_a_file(layers=1, activation=word) for word in ("gelu", "gelu_tanh", "silu")},
    "copied_norm": from_a_file(layers=1, norm_epsilon="outside", norm_variance="sample"),
    "only_attention": from_a_file(norm="none", residual=False, feed_forward=False),
    "norm_alone": from_a_file(layers=1, residual=False),
    "no_positions": from_a_file(layers=1, position="none", scale_embedding=False, score_scale=2.5),
    "many_tokens": lambda folder: prepare(LONG, config=Config(heads=1), seed=2),
    "from_rows": from_rows,
    "one_token": lambda folder: prepare("cat", "", config=Config(d_model=4, d_ff=3)),
}


class Traced(NamedTuple):
    """The steps of a run, or of the gradients after it; `known`: what an equation may read before the first of them."""
    steps: list[Step]
    known: frozenset[str]
    run: Run | None = None
    backwards: Backwards | None = None

    def scale(self, step: Step) -> float:
        """The largest number that the equation of a gradient reads: rounding errors are relative to these where a
        gradient is 0, as that of μ through σ² is."""
        return max(largest(leaf.value) for leaf in step.node.leaves()) if self.backwards else 0.0

    def rows(self, step: Step) -> Iterator[tuple[int, Tensor]]:
        """The first and the last row computed from rows. Where a batch of sentences is unpacked none is, and a row of
        zeros (the gradient of a word that does not occur) is computed from nothing."""
        for i in first_and_last(step):
            is_batch = step.axes[0].name == "sentence" or "apart" in str(step.node.expression())
            with suppress(*[NotRowwise] if is_batch else []):
                row = step.node.row(0, i)
                if row.node is not None:
                    yield i, row


@cache
def traced_run(name: str) -> Traced:
    steps: list[Step] = []
    with TemporaryDirectory() as folder:
        run = RUNS[name](Path(folder))
    run(steps.append)
    return Traced(steps, frozenset(run.parameters.by_name), run)


def traced_gradients(name: str) -> Traced:
    if name == "gradients_of_a_batch":
        model, pairs = random_model(layers=1, **FEW), (OTHERS[0], PAIR)
    else:
        model, pairs = random_model(**FEW), (PAIR,)
    found = Backwards(model, *pairs, smoothing=0.1, batch=len(pairs) > 1)
    return Traced(found.steps, {*found.parameters.by_name} | {step.address for step in found.kept}, backwards=found)


GRADIENTS = "gradients", "gradients_of_a_batch"


@pytest.fixture(scope="module", params=RUNS)
def forward(request) -> Traced:
    return traced_run(request.param)


@pytest.fixture(scope="module", params=GRADIENTS)
def gradient(request) -> Traced:
    return traced_gradients(request.param)


@pytest.fixture(scope="module", params=[*RUNS, *GRADIENTS])
def traced(request) -> Traced:
    return traced_gradients(request.param) if request.param in GRADIENTS else traced_run(request.param)


def test_the_runs_are_as_large_as_they_should_be(tmp_path):
    run = RUNS["whole_model"](tmp_path)
    assert (len(run.source.texts), len(run.target.texts), run.config.heads, run.config.layers) == (5, 4, 3, 2)
    run = RUNS["all_biases"](tmp_path)
    assert (len(run.source.texts), len(run.target.texts), run.config.heads, run.config.layers) == (5, 4, 3, 2)
    assert {parameter.address.rpartition(".")[2] for parameter in run.parameters} >= {
        "b", "b_Q", "b_K", "b_V", "b_O", "b_1", "b_2", "gain", "bias"}
    assert all(len(np.unique(parameter.value)) == parameter.value.size for parameter in run.parameters)


# 1. The row law

def test_a_row_rebuilt_from_slices_equals_the_row(traced):
    is_batch = traced.backwards is not None and traced.backwards.source.lengths is not None
    for step in traced.steps:
        for k, i in slices(step.tensor) if not is_batch else []:
            check_row(step.tensor, step.node, k, i, traced.scale(step))
        for i, row in traced.rows(step):
            assert equal(row.value, step.value[i], max(traced.scale(step), largest(step.value))), (
                f"{step.address}: row {i}")


# 2. The axes law

def test_axes_fit_the_arrays(traced):
    for step in traced.steps:
        check_axes(step.tensor)


def test_a_gradient_has_the_axes_of_its_tensor(gradient):
    axes = {step.address: step.axes for step in gradient.backwards.kept} | {
        parameter.address: parameter.axes for parameter in gradient.backwards.parameters}
    for step in gradient.steps:
        assert step.axes == axes[step.address.removeprefix("gradient.").partition(".from.")[0]], step.address


def test_rows_and_columns_carry_the_words_that_they_stand_for(forward):
    run = forward.run
    for step in forward.steps:
        decodes = step.address.startswith(("decoder", "output"))
        own, other = (run.target, run.source) if decodes else (run.source, None)
        seen = other if "cross_attention" in step.address else own
        for axis in step.axes:
            if axis.name == "token":
                of_others = "cross_attention" in step.address and step.name in ("key", "value")
                assert axis.labels == (other if of_others else own).texts, step.address
            elif axis.name == "key":
                assert axis.labels == seen.texts, step.address
            elif axis.name == "vocab":
                assert axis.labels == run.vocabularies.target, step.address
            else:
                assert axis.labels is None, step.address


# 3. The gradient law

def test_gradients_of_each_equation_agree_with_central_differences(forward):
    random = np.random.default_rng(11)
    for step in forward.steps:
        finite = np.isfinite(step.value)
        upstream = np.where(finite, random.normal(size=step.value.shape), 0.0)
        found = gradients(step, Tensor(upstream, step.axes))
        for leaf in {id(leaf): leaf for leaf in step.node.leaves() if leaf.value.dtype.kind == "f"}.values():
            direction, h = random.normal(size=leaf.value.shape), 1e-5
            ends = [again(step.node, {id(leaf): Tensor(leaf.value + sign * h * direction, leaf.axes)}).value[finite]
                    for sign in (1, -1)]
            wanted = (upstream[finite] * (ends[0] - ends[1])).sum() / (2 * h)
            slope = (found[id(leaf)] * direction).sum() if id(leaf) in found else 0.0
            assert abs(slope - wanted) <= 1e-6 * max(1, abs(wanted)), f"{step.address}: {leaf}"


def gradients(step: Step, upstream: Tensor) -> dict[int, np.ndarray]:
    """The gradient of each leaf of an equation, by its id; each op on the way has a say."""
    found: dict[int, np.ndarray] = {}
    waiting = [(step.node, step.tensor, upstream)]
    while waiting:
        node, result, gradient = waiting.pop()
        for n, operand in enumerate(node.operands):
            if n not in node.op.non_differentiable:
                whole = gradient if node.op.broadcasts_gradient else broadcast_to(gradient, result.axes)
                own = broadcast_to(node.vjp(n, whole, result), operand.axes)
                assert own.axes == operand.axes, f"{step.address}: {operand}"
                if operand.node is None:
                    found[id(operand)] = found.get(id(operand), 0) + own.value
                else:
                    waiting.append((operand.node, operand, own))
    return found


def again(node: Node, instead: dict[int, Tensor]) -> Tensor:
    """The equation computed once more, with other leaves."""
    return apply(node.op, *(again(operand.node, instead) if operand.node else instead.get(id(operand), operand)
                            for operand in node.operands))


# 4. The expression law

def equations(traced: Traced) -> Iterator[Step]:
    """The steps without those of a second layer and of a third head, whose equations are those of the ones before."""
    return (step for step in traced.steps if "layer2." not in step.address and "head3." not in step.address)


@pytest.mark.parametrize("spelling", READABLE, ids=lambda spelling: spelling.value)
def test_an_expression_says_what_was_computed(traced, spelling):
    random = np.random.default_rng(5)
    for step in equations(traced):
        read(step.node, spelling, step.symbol.head)
        for _, row in traced.rows(step):
            read(row.node, spelling, step.symbol.head)
        indices = list(np.ndindex(step.value.shape))
        if len(indices) > SMALL:
            indices = [indices[n] for n in random.choice(len(indices), 6, replace=False)]
        check_cells(step.tensor, step.node, indices, spelling, traced.scale(step))


class Marks(Printer):
    """Writes what stands between the symbols."""

    def name(self, node: Term, leads: bool) -> None:
        self.mark("?")


@pytest.mark.parametrize("spelling", READABLE, ids=lambda spelling: spelling.value)
def test_the_formula_of_a_row_differs_from_that_of_the_matrix_in_row_marks_alone(forward, spelling):
    for step in equations(forward):
        whole = read(step.node, spelling, step.symbol.head)
        for i in first_and_last(step):
            row = step.node.row(0, i).node
            assert Marks().text(row.formula()) == Marks().text(step.node.formula()), step.address
            assert unmarked(read(row, spelling, step.symbol.head)) == whole, step.address


# 5. The naming law

def test_every_address_is_one_of_its_kind(traced):
    addresses = [step.address for step in traced.steps]
    assert len(set(addresses)) == len(addresses)
    assert all(step.tensor.address == step.address for step in traced.steps)


def test_no_parameter_has_the_name_of_a_step(forward):
    assert not {step.address for step in forward.steps} & {parameter.address for parameter in forward.run.parameters}


def test_an_equation_reads_only_parameters_and_earlier_steps(traced):
    known = set(traced.known)
    for step in traced.steps:
        assert {leaf.address for leaf in step.node.leaves() if leaf.address} <= known, step.address
        known.add(step.address)


# 6. The symbol law

@pytest.mark.parametrize("spelling", Spelling, ids=lambda spelling: spelling.value)
def test_two_tensors_of_an_equation_are_never_spelled_alike(traced, spelling):
    for step in traced.steps:
        check_symbols(step.tensor, step.node, spelling, step.symbol.head)
        for i, row in traced.rows(step):
            row.symbol = step.symbol.indexed(0, i, step.tensor.axis_names)
            check_symbols(row, row.node, spelling, step.symbol.head)


@pytest.mark.parametrize("spelling", Spelling, ids=lambda spelling: spelling.value)
def test_the_rows_and_matrices_of_one_place_have_symbols_of_their_own(traced, spelling):
    for place, steps in itertools.groupby(traced.steps, lambda step: step.place):
        symbols = [symbol for step in steps for symbol in (step.symbol, *(
            step.symbol.indexed(0, i, step.tensor.axis_names) for i in range(step.axes[0].size if step.axes else 0)))]
        assert len({symbol.spelled(spelling) for symbol in symbols}) == len(symbols), place
