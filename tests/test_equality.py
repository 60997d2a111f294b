"""Blocks and symbols are values: equal where type and fields are, and nowhere else."""
import itertools
from typing import get_args

import pytest

from attntrace.pages import blocks
from attntrace.tensor import symbol, tensor

VALUES = [kind for module in (blocks, symbol, tensor) for kind in vars(module).values()
          if isinstance(kind, type) and hasattr(kind, "_fields") and kind.__module__ == module.__name__]
WITH_AS_MANY_FIELDS = [pair for pair in itertools.combinations(VALUES, 2)
                       if len(pair[0]._fields) == len(pair[1]._fields)]


def test_all_blocks_and_symbols_are_among_the_values():
    assert {*get_args(blocks.Block), symbol.Symbol, symbol.AxisIndex} < {*VALUES}


@pytest.mark.parametrize("one, other", WITH_AS_MANY_FIELDS, ids=lambda kind: kind.__name__)
def test_values_of_two_types_are_never_equal(one, other):
    first, second = (kind._make(range(len(kind._fields))) for kind in (one, other))
    assert first != second and second != first and not first == second and not second == first
    assert len({first, second}) == 2 and second not in (first,)


@pytest.mark.parametrize("kind", VALUES)
def test_values_of_one_type_are_equal_where_all_fields_are(kind):
    fields = range(len(kind._fields))
    assert kind._make(fields) == kind._make(fields) and not kind._make(fields) != kind._make(fields)
    assert hash(kind._make(fields)) == hash(kind._make(fields)) and kind._make(fields) != kind._make(map(str, fields))
