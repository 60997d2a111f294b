"""The seven laws (section 2 of the design), held against every op."""
from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from examples import (
    D_FF, D_K, D_MODEL, D_V, EXAMPLES, KEY, NEED_ALL, OTHER_KEY, OTHER_TOKEN, PRODUCING, TOKEN, VOCAB, Example, Leaves,
    at_full_precision, equal, formula, largest, may_need_all)
from parsing import as_written, evaluated, settled, tree_of

import attntrace
from attntrace.parts import columns, concat
from attntrace.shapes import Placed, Repeated, Slice, Total
from attntrace.symbol import Mark, Spelling, Symbol
from attntrace.tensor import OPS, WORDS, Axes, Axis, Misfit, NeedsAll, Tensor, apply
from attntrace.tracing import Trace

of_every_op = pytest.mark.parametrize("example", EXAMPLES, ids=str)
in_text = pytest.mark.parametrize("spelling", [Spelling.UNICODE, Spelling.ASCII], ids=["unicode", "ascii"])


def test_every_op_has_an_example():
    for module in pkgutil.iter_modules(attntrace.__path__):  # wherever a new op may live
        if not module.ispkg and module.name != "__main__":
            importlib.import_module(f"attntrace.{module.name}")
    assert set(OPS) == {example.op for example in EXAMPLES} == set(PRODUCING)


@of_every_op
def test_an_example_is_one_of_its_op(example):
    assert example.tensor().made.op.name == example.op


# 1. The row law


@of_every_op
def test_a_slice_rebuilt_from_slices_equals_the_slice(example):
    tensor = example.tensor()
    for k, i in slices(tensor):
        if may_need_all(example.op, k, len(tensor.axes)):
            continue
        row = tensor.made.row(k, i)
        assert row.axes == tensor.axes[:k] + tensor.axes[k + 1:]
        assert equal(row.value, tensor.value.take(i, k), largest(tensor.value)), f"slice {i} along axis {k}"


@of_every_op
def test_a_slice_of_a_slice_equals_the_number(example):
    tensor = example.tensor()
    for k, i in slices(tensor):
        if may_need_all(example.op, k, len(tensor.axes)):
            continue
        row = tensor.made.row(k, i)
        for left, j in slices(row):
            if may_need_all(example.op, left, len(row.axes)) and k < len(tensor.axes) - 1:
                with pytest.raises(NeedsAll):
                    row.at(left, j)
            else:
                assert equal(row.at(left, j).value, tensor.value.take(i, k).take(j, left), largest(tensor.value))


@pytest.mark.parametrize("op, from_the_end", sorted(NEED_ALL))
def test_what_depends_on_all_refuses_a_slice(op, from_the_end):
    for example in EXAMPLES:
        if example.op == op:
            tensor = example.tensor()
            with pytest.raises(NeedsAll):
                tensor.made.row(len(tensor.axes) + from_the_end, 0)


def slices(tensor: Tensor) -> list[tuple[int, int]]:
    """Each slice along each axis, from 0."""
    return [(k, i) for k, axis in enumerate(tensor.axes) for i in range(axis.size)]


# 2. The axes law


@of_every_op
def test_axes_are_those_that_the_op_should_have_and_fit_the_array(example):
    tensor = example.tensor()
    assert tensor.axes == example.axes
    check_axes(tensor)


def check_axes(tensor: Tensor) -> None:
    words = [axis.word for axis in tensor.axes]
    assert tensor.value.shape == tuple(axis.size for axis in tensor.axes)
    assert all(axis.labels is None or len(axis.labels) == axis.size for axis in tensor.axes)
    assert set(words) <= set(WORDS)
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("left, right", {
    "another word": ((TOKEN, D_K), (D_V, D_MODEL)), "another size": ((TOKEN, D_MODEL), (Axis("d_model", 5), D_FF)),
    "other labels": ((TOKEN, KEY), (TOKEN._replace(labels=("the", "dog", "sat")), D_V)),
    "no labels": ((TOKEN, KEY), (Axis("token", 3), D_V)), "the same axis twice": ((TOKEN, D_K), (D_K, TOKEN)),
    "the same word twice": ((TOKEN, D_K), (D_K, OTHER_TOKEN)), "no axes": ((), (D_K,)), "none on the right": ((D_K,), ()),
}.values())
def test_a_product_of_matrices_that_do_not_fit_is_refused(left, right):
    leaf = Leaves()
    with pytest.raises(Misfit):
        leaf(*left) @ leaf(*right)


@pytest.mark.parametrize("left, right", {
    "another word": ((TOKEN, D_K), (TOKEN, D_V)), "another size": ((TOKEN, D_MODEL), (Axis("d_model", 1),)),
    "other labels": ((TOKEN, D_K), (TOKEN._replace(labels=("the", "dog", "sat")), D_K)),
    "no labels": ((TOKEN, D_K), (Axis("token", 3), D_K)), "turned round": ((TOKEN, KEY), (KEY, TOKEN)),
    "a key for a token": ((TOKEN, D_K), (KEY,)),
}.values())
@pytest.mark.parametrize("op", ["add", "subtract", "multiply", "divide"])
def test_numbers_that_cannot_be_lined_up_are_refused(op, left, right):
    leaf = Leaves()
    with pytest.raises(Misfit):
        apply(OPS[op](), leaf(*left), leaf(*right))
    with pytest.raises(Misfit):
        apply(OPS[op](), leaf(*right), leaf(*left))


def test_matrices_with_other_rows_do_not_stand_side_by_side():
    leaf = Leaves()
    with pytest.raises(Misfit):
        concat([leaf(TOKEN, D_V), leaf(TOKEN._replace(labels=("a", "b", "c")), D_V)], "d_concat")


@pytest.mark.parametrize("first, last", [(0, 2), (3, 5), (3, 2)])
def test_columns_that_a_matrix_lacks_are_refused(first, last):
    with pytest.raises(Misfit):
        columns(Leaves()(TOKEN, D_MODEL), first, last, "d_k")


@pytest.mark.parametrize("shape", [(3,), (4, 3), (3, 4, 1), ()])
def test_an_array_of_another_shape_than_its_axes_is_refused(shape):
    with pytest.raises(Misfit):
        Tensor(np.zeros(shape), (TOKEN, D_MODEL))


# 3. The gradient law


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example.backwards], ids=str)
def test_gradients_agree_with_central_differences(example):
    tensor = example.tensor()
    upstream = Tensor(np.where(np.isfinite(tensor.value), np.random.default_rng(7).normal(size=tensor.value.shape), 0.0),
                      tensor.axes, Symbol("R", gradient=True), "gradient.of.the.result")
    gradients = tensor.made.gradients(upstream, tensor)
    assert len(gradients) == len(tensor.made.operands)
    for n, (operand, gradient) in enumerate(zip(tensor.made.operands, gradients)):
        if operand.value.dtype.kind == "i":
            assert gradient is None
            continue
        wanted = differences(tensor, n, upstream.value)
        found = np.zeros(operand.value.shape)
        if gradient is not None:
            assert gradient.axes == operand.axes
            check_axes(gradient)
            found = gradient.value
        assert (np.abs(found - wanted) <= 1e-6 * np.maximum(1, np.abs(wanted))).all(), f"operand {n}"


def differences(tensor: Tensor, n: int, upstream: np.ndarray) -> np.ndarray:
    """The slope of Σ upstream · result along each number of the n-th operand."""
    operands, h = list(tensor.made.operands), 1e-5
    start = operands[n]
    slopes = np.zeros(start.value.shape)
    for index in np.ndindex(slopes.shape):
        ends = []
        for step in (h, -h):
            value = start.value.copy()
            value[index] += step
            operands[n] = Tensor(value, start.axes, start.symbol, start.address)
            ends.append(apply(tensor.made.op, *operands).value)
        finite = np.isfinite(tensor.value)
        slopes[index] = (upstream[finite] * (ends[0][finite] - ends[1][finite])).sum() / (2 * h)
    return slopes


# 4. The notation law


@in_text
@of_every_op
def test_a_formula_says_what_was_computed(example, spelling):
    check_formula(example.tensor(), spelling)


def check_formula(tensor: Tensor, spelling: Spelling) -> None:
    names = {str(leaf.symbol.letter): as_written(leaf.expression()) for leaf in tensor.leaves()}
    ranks = {json.dumps(leaf.expression()): len(leaf.axes) for leaf in tensor.leaves()}
    # an op that only decorates a symbol, Aᵀ or A⁽²⁾, stands in every equation under that name
    text = formula(tensor.notation().pieces, spelling)
    assert spelling is not Spelling.ASCII or text.isascii()
    block = next((op[3] - op[2] + 1 for op in nodes(tensor.expression()) if op[0] == "columns"), 0)
    read = tree_of(text, names, block)
    assert settled(read, ranks) == settled(as_written(tensor.expression()), ranks), text


def nodes(expression):
    """Each application of an op in a computed tree."""
    if isinstance(expression, list) and isinstance(expression[0], str):
        yield expression
        for part in expression[1:]:
            yield from nodes(part)


BY_SYMBOL = {("rows", 0), ("rows", 1), ("into_rows", 1), ("sinusoid", 0)}  # operands that must have a symbol
OUTER = [op for op in PRODUCING if {(op, 0), (op, 1)} - BY_SYMBOL]


def inside(outer: str, positive: bool) -> tuple[Leaves, Tensor]:
    """An application of an op to leaves, of at most two axes each."""
    leaf = Leaves(positive=positive)
    axes = {"slice": (D_MODEL,), "total": (D_MODEL,), "mean": (D_MODEL,), "transpose": (D_FF, D_MODEL)}
    return leaf, PRODUCING[outer](leaf, axes.get(outer, (TOKEN, D_MODEL)))


def nested(outer: str) -> Iterator[tuple[str, Tensor]]:
    """The op around every other, as each of its operands in turn."""
    for inner in PRODUCING:
        leaf, around = inside(outer, positive="sqrt" in (outer, inner))
        for n, operand in enumerate(around.made.operands):
            made = [*around.made.operands]
            if (outer, n) not in BY_SYMBOL and (inner != "sinusoid" or operand.axes[-1].word == "d_model"):
                made[n] = PRODUCING[inner](leaf, operand.axes)
                with np.errstate(invalid="ignore"):  # roots of what has become negative: written all the same
                    yield inner, apply(around.made.op, *made)


@pytest.mark.parametrize("outer", PRODUCING)
def test_nearly_every_op_is_nested_in_every_other(outer):
    wanted = set() if outer in ("rows", "sinusoid") else set(PRODUCING) - {"sinusoid"}
    assert {inner for inner, _ in nested(outer)} >= wanted


@in_text
@pytest.mark.parametrize("outer", PRODUCING)
def test_a_formula_of_two_ops_has_the_brackets_that_it_needs(outer, spelling):
    for _, tensor in nested(outer):
        check_formula(tensor, spelling)


@pytest.mark.parametrize("outer", PRODUCING)
def test_slices_of_two_ops_rebuilt_from_slices_equal_the_slices(outer):
    for inner, tensor in nested(outer):
        for k, i in slices(tensor):
            try:
                row = tensor.made.row(k, i)
            except NeedsAll:
                assert {outer, inner} & {op for op, _ in NEED_ALL}
            else:
                assert row.axes == tensor.axes[:k] + tensor.axes[k + 1:]
                assert equal(row.value, tensor.value.take(i, k), largest(tensor.value)), f"{inner}: {k}, {i}"


@in_text
@pytest.mark.parametrize("outer", PRODUCING)
def test_the_arithmetic_of_two_ops_has_the_brackets_that_it_needs(outer, spelling):
    for _, tensor in nested(outer):
        if np.isfinite(tensor.value).all():
            check_cells(tensor, spelling)
