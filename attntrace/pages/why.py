"""A number traced back: its arithmetic, that of its operands, and so on down to parameters and positions."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import numpy as np

from attntrace.messages.catalog import Message
from attntrace.pages.blocks import Block, Cause, CellLine, Prose
from attntrace.pages.numbers import Figures
from attntrace.pages.view import cell_line, followed
from attntrace.tensor.expression import (Difference, Exp, Expression, HasValue, Negative, Quotient, Ref, Sum, number_of,
                                         value_of)
from attntrace.tensor.rounding import FULL_PRECISION, Rounding
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.addresses import cell_name
from attntrace.tracing.trace import Step

CellAt = tuple[str, tuple[int, ...]]  # an address, and an index from 0
CellOf = tuple[HasValue, tuple[int, ...]]  # a number of a tensor


class Why:
    """The tree under a number, as blocks, the largest contributions first; each number is explained once.

    find: the step of an address, None where it is none (a parameter); depth: how far operands are followed, None to
    their ends; top: of how many operands of each number, None of all."""

    def __init__(self, find: Callable[[str], Step | None], precision: int, depth: int | None = 0,
                 top: int | None = None) -> None:
        self.depth, self.top = depth, top
        self.known = cache(lambda address: None if (step := find(address)) is None else _Known(step, precision))
        self._left: dict[CellAt, float] = {}  # how far each number that was explained was followed from there
        self._said: set[str] = set()  # notes
        self.goes_on = False  # whether the depth leaves out operands

    def __call__(self, address: str, index: tuple[int, ...]) -> Iterator[Cause]:
        waiting = [(0, (address, index))]
        while waiting:
            level, cell = waiting.pop()
            left = math.inf if self.depth is None else self.depth - level
            if self._left.get(cell, -1) >= left:  # explained while an operand beside it was followed
                yield Cause(level, cell_name(*cell), None)
                continue
            self._left[cell] = left
            cause, followed_on = self.cause(level, cell, left)
            yield cause
            waiting += [(level + 1, one) for one in reversed(followed_on)]

    def cause(self, level: int, cell: CellAt, left: float) -> tuple[Cause, list[CellAt]]:
        """The cause of a number, and the operands that are followed."""
        address, index = cell
        known = self.known(address)
        assert known is not None
        line = known.line(index)
        operands = ranked(line.arithmetic, line.rounding)
        cells = [(called(ref), ref.index) for ref in operands]
        inner = [one for one in cells if self.known(one[0]) is not None]
        above = [one for one in inner if self._left.get(one, -math.inf) >= left - 1]
        new = [one for one in inner if one not in above]
        on = new[:self.top] if left > 0 else []
        groups = {"ends": [one for one in cells if one not in inner], "above": above if left > 0 else [],
                  "further" if left <= 0 else "smaller": [one for one in new if one not in on]}
        self.goes_on = self.goes_on or bool(groups.get("further"))
        notes = {"softmax": known.step.node.op.name == "softmax", "order": bool(on)}
        new_notes = [note for note, holds in notes.items() if holds and note not in self._said]
        self._said.update(new_notes)
        return Cause(level, cell_name(address, index), line, (
            *((name, tuple(spans(those))) for name, those in groups.items() if those),
            *((note, ()) for note in new_notes)), known.words(index)), on


class _Known:
    """A step whose numbers are explained: what all of them share."""

    def __init__(self, step: Step, precision: int) -> None:
        self.step = step
        self.whole = Tensor(step.value, step.axes, node=step.node)  # without its name, so that it can be followed
        exact = step.rounding is not FULL_PRECISION  # in hand arithmetic all numbers have that many decimals
        self.figures = Figures.of(step.value, precision, exact)
        self.figures_of: dict[HasValue, Figures] = {
            leaf: Figures.of(leaf.value, precision, exact) for leaf in step.node.leaves()}

    def words(self, index: tuple[int, ...]) -> tuple[str, ...]:
        """The words of its row and its column, where these have words."""
        return tuple(axis.labels[i] for axis, i in zip(self.step.axes, index) if axis.labels is not None)

    def line(self, index: tuple[int, ...]) -> CellLine:
        return cell_line(self.step, index, *followed(self.whole, index), self.figures, self.figures_of)


def ranked(arithmetic: Expression, rounding: Rounding) -> list[Ref]:
    """The operands of a number, each once, largest contribution first, with every operation under a rounding."""
    weights: dict[CellOf, float] = {}
    for ref, weight in contributions(arithmetic, rounding):
        place = ref.tensor, ref.index
        weights[place] = weights.get(place, 0.0) + weight
    return [Ref(*place) for place in sorted(weights, key=lambda place: -weights[place])]


def contributions(arithmetic: Expression, rounding: Rounding) -> Iterator[tuple[Ref, float]]:
    """Of a sum or a difference, how large the term is that an operand stands in; else, by how much the result would
    change if the operand were 0. Of a quotient these of what is divided, and nothing for the divisor, which scales them
    all alike. Of a softmax the shares in the divisor, first that of the word itself."""
    if isinstance(arithmetic, Negative):
        yield from contributions(arithmetic.parts[0], rounding)
        return
    if isinstance(arithmetic, Quotient):
        divided, divisor = arithmetic.parts
        if isinstance(divided, Exp):
            yield from ((ref, math.inf if power is divided else value_of(power, rounding=rounding))
                        for power in added(divisor) for part in power.parts for ref in added(part)[0].leaves())
            return
        yield from contributions(divided, rounding)
        yield from ((ref, 0.0) for ref in divisor.leaves())
        return
    if len(terms := added(arithmetic)) > 1:
        for term in terms:
            weight = _size(value_of(term, rounding=rounding))
            for ref in term.leaves():
                yield ref, weight
        return
    whole = value_of(arithmetic, rounding=rounding)
    for out in dict.fromkeys((ref.tensor, ref.index) for ref in arithmetic.leaves()):
        without = value_of(arithmetic, lambda ref: 0.0 if (ref.tensor, ref.index) == out else number_of(ref),
                           rounding)
        yield Ref(*out), _size(whole - without)


def added(arithmetic: Expression) -> list[Expression]:
    """The terms of a sum, and what is subtracted."""
    if isinstance(arithmetic, Difference):
        return [*added(arithmetic.parts[0]), arithmetic.parts[1]]
    return list(arithmetic.parts) if isinstance(arithmetic, Sum) else [arithmetic]


def _size(number: float) -> float:
    return math.inf if math.isnan(number) else abs(number)


def called(ref: Ref) -> str:
    """The address of an operand; a constant is called by its symbol: `pos`."""
    tensor = ref.tensor
    assert isinstance(tensor, Tensor)
    return tensor.address or (tensor.symbol.spelled() if tensor.symbol else "?")


def spans(cells: Iterable[CellAt]) -> Iterator[str]:
    """Places of numbers, as few as say it: `output.W:1-8,7`."""
    grouped: dict[str, list[tuple[int, ...]]] = {}
    for name, index in cells:
        grouped.setdefault(name, []).append(index)
    for name, indices in grouped.items():
        yield from (name + (":" + where if where else "") for where in blocks_of(sorted(indices)))


def blocks_of(indices: list[tuple[int, ...]]) -> Iterator[str]:
    """`1-8,7` where sorted indices are all of a block; else row by row, in runs: `1,1-6`, `1,8`."""
    array = np.array(indices)
    low, high = array.min(axis=0), array.max(axis=0)
    if int(np.prod(high - low + 1)) == len(indices):
        yield ",".join(map(_run, low, high))
        return
    start = indices[0]
    for index, after in zip(indices, (*indices[1:], ())):
        if after != (*index[:-1], index[-1] + 1):
            yield ",".join((*(str(i + 1) for i in index[:-1]), _run(start[-1], index[-1])))
            start = after


def _run(first: int, last: int) -> str:
    return str(first + 1) if first == last else f"{first + 1}-{last + 1}"


def parameter_blocks(parameter: Tensor, index: tuple[int, ...], precision: int, pencil: int | None) -> list[Block]:
    """A number that nothing was computed for."""
    number = Figures.of(parameter.value, precision, pencil is not None).legible(float(parameter.value[index]),
                                                                                pencil is not None)
    return [Prose(Message("messages.why_parameter", place=cell_name(parameter.address or "", index), number=number))]
