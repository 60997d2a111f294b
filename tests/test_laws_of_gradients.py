"""The laws (section 2 of the design), held against every step of going backwards."""
from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
from backwards import OTHERS, PAIR, SMALL, Backwards
from checks import (
    READABLE, check_axes, check_cells, check_row, check_symbols, equal, first_and_last, largest, read, slices)
from random_model import random_model

from attntrace.tensor.axes import NotRowwise
from attntrace.tensor.symbol import Spelling
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.trace import Step


@pytest.fixture(scope="module", params=("sentence", "batch"))
def traced(request) -> Backwards:
    if request.param == "batch":
        return Backwards(random_model(layers=1, **SMALL), OTHERS[0], PAIR, smoothing=0.1, batch=True)
    return Backwards(random_model(**SMALL), PAIR, smoothing=0.1)


def scale(step: Step) -> float:
    """The largest number that its equation reads: μ has no gradient through σ², but for rounding errors of these."""
    return max(largest(leaf.value) for leaf in step.node.leaves())


def rows(step: Step) -> Iterator[tuple[int, Tensor]]:
    """The first and the last that can be made from rows, as all can but where the sentences of a batch are set apart,
    and that are made of anything: a word that does not come has a gradient of zeros."""
    for i in first_and_last(step):
        is_batch = step.axes[0].name == "sentence" or "apart" in str(step.node.expression())
        with suppress(*[NotRowwise] if is_batch else []):
            row = step.node.row(0, i)
            if row.node is not None:
                yield i, row


def test_a_row_of_a_gradient_rebuilt_from_slices_equals_the_row(traced):
    for step in traced.told:
        if traced.source.lengths is None:
            for k, i in slices(step.tensor):
                check_row(step.tensor, step.node, k, i, scale(step))
        for i, row in rows(step):
            assert equal(row.value, step.value[i], scale(step)), f"{step.address}: row {i}"


def test_a_gradient_has_the_axes_of_what_it_is_of(traced):
    axes = {step.address: step.axes for step in traced.kept} | {
        parameter.address: parameter.axes for parameter in traced.parameters}
    for step in traced.told:
        check_axes(step.tensor)
        assert step.axes == axes[step.address.removeprefix("gradient.").partition(".from.")[0]], step.address


def test_whatever_the_equation_of_a_gradient_reads_has_been_told_before(traced):
    known = traced.parameters.names | {step.address for step in traced.kept}
    for step in traced.told:
        assert {leaf.address for leaf in step.node.leaves() if leaf.address} <= known, step.address
        known |= {step.address}


@pytest.mark.parametrize("spelling", READABLE, ids=lambda spelling: spelling.value)
def test_the_formula_of_a_gradient_and_of_its_rows_says_what_was_computed(traced, spelling):
    for step in traced.told:
        read(step.node, spelling, step.symbol.head)
        for _, row in rows(step):
            read(row.node, spelling, step.symbol.head)


@pytest.mark.parametrize("spelling", READABLE, ids=lambda spelling: spelling.value)
def test_the_arithmetic_of_a_number_of_a_gradient_is_that_number(traced, spelling):
    random = np.random.default_rng(5)
    for step in traced.told:
        index = tuple(int(random.integers(axis.size)) for axis in step.axes)
        check_cells(step.tensor, step.node, [index], spelling, scale(step))


@pytest.mark.parametrize("spelling", Spelling, ids=lambda spelling: spelling.value)
def test_two_tensors_of_the_equation_of_a_gradient_are_never_spelled_alike(traced, spelling):
    for step in traced.told:
        check_symbols(step.tensor, step.node, spelling, step.symbol.head)
        for i, row in rows(step):
            row.symbol = step.symbol.indexed(0, i, step.tensor.axis_names)
            check_symbols(row, row.node, spelling, step.symbol.head)


@pytest.mark.parametrize("spelling", Spelling, ids=lambda spelling: spelling.value)
def test_the_gradients_of_one_place_and_their_rows_have_symbols_of_their_own(traced, spelling):
    for place, steps in itertools.groupby(traced.told, lambda step: step.place):
        symbols = [symbol for step in steps for symbol in (step.symbol, *(
            step.symbol.indexed(0, i, step.tensor.axis_names) for i in first_and_last(step)))]
        assert len({symbol.spelled(spelling) for symbol in symbols}) == len(symbols), place
