"""Naming a tensor makes it a step: told to a sink, then sealed."""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.ops.functions import identity
from attntrace.tensor.axes import Axes
from attntrace.tensor.errors import AxisError
from attntrace.tensor.evaluate import evaluate
from attntrace.tensor.rounding import FULL_PRECISION, Rounding
from attntrace.tensor.symbol import Spelling, Symbol
from attntrace.tensor.tensor import Array, Node, Tensor, spelled
from attntrace.tracing.addresses import address_in


class Step(NamedTuple):
    """A tensor that has been given a name: where it stands, what it is called, how it was made.

    `stage` is the wiring's own word for a group of steps that belong together, where it says one; `rule`, by which all
    its numbers were worked out.
    """
    place: str
    name: str
    tensor: Tensor
    node: Node
    stage: str | None = None
    rounding: Rounding = FULL_PRECISION

    @property
    def address(self) -> str:
        assert self.tensor.address is not None
        return self.tensor.address

    @property
    def symbol(self) -> Symbol:
        assert self.tensor.symbol is not None
        return self.tensor.symbol

    @property
    def axes(self) -> Axes:
        return self.tensor.axes

    @property
    def value(self) -> Array:
        return self.tensor.value

    @property
    def has_rows(self) -> bool:
        """Whether it is told row by row; a single number, and a row without words, is told as a whole."""
        return len(self.axes) == 2 or self.tensor.axis_names == ("token",)

    @property
    def labels(self) -> tuple[str, ...]:
        """What stands before its rows: the tokens, or else numbers; nothing before a whole."""
        if not self.has_rows:
            return ("",)
        return self.axes[0].labels or tuple(str(n + 1) for n in range(self.axes[0].size))

    @property
    def is_attention(self) -> bool:
        """Whether its rows divide 1 among the words that are looked at."""
        return self.node.op.rows_sum_to_one and self.tensor.axis_names[-1:] == ("key",)

    def formula(self, spelling: Spelling = Spelling.UNICODE) -> str:
        """The step's equation as text: `S = Q Kᵀ`."""
        head = self.symbol.head
        return f"{self.symbol.spelled(spelling, head)} = {spelled(self.node.notation().pieces, spelling, head)}"


Sink = Callable[[Step], object]
Dropout = Callable[[Tensor], Tensor]


def tee(*sinks: Sink | None) -> Sink:
    """A sink that tells several, passing over what is none."""
    hearing = [sink for sink in sinks if sink is not None]

    def told(step: Step) -> None:
        for sink in hearing:
            sink(step)
    return told


@lru_cache(4096)
def _sign(symbol: str | Symbol, head: int | None) -> Symbol:
    sign = Symbol.of(symbol) if isinstance(symbol, str) else symbol
    return sign._replace(head=head) if head else sign


class Trace:
    """A place in a run, at which tensors are named: `S = trace("scores", Q @ K.T, "S")`.

    The sink is told each step when it is named; afterwards the tensor forgets how it was made, unless the run is to
    `keep` its steps, in a list. Without a sink nothing is told, and everything else is the same. `instead` gives other
    values to tensors, by their addresses: what if this were that? By a `rule` other than full precision, each tensor is
    worked out when it is named.
    """
    __slots__ = ("sink", "keep", "place", "head", "dropout", "instead", "rounding", "_stage", "_addresses")

    def __init__(self, sink: Sink | None = None, keep: list[Step] | None = None, place: str = "",
                 dropout: Dropout = lambda tensor: tensor, instead: Mapping[str, Array] = {},
                 rounding: Rounding = FULL_PRECISION) -> None:
        self.sink, self.keep, self.place, self.dropout, self.instead = sink, keep, place, dropout, instead
        self.rounding = rounding
        self.head: int | None = None
        self._stage: str | None = None
        self._addresses: set[str] = set()

    def _like(self, place: str, head: int | None, stage: str | None) -> Trace:
        other = Trace(self.sink, self.keep, place, self.dropout, self.instead, self.rounding)
        other.head, other._stage, other._addresses = head, stage, self._addresses
        return other

    def at(self, place: str, head: int | None = None, stage: str | None = None) -> Trace:
        """A place inside this one; with `head`, symbols carry the number of that head."""
        return self._like(address_in(self.place, place), head, stage)

    def stage(self, name: str) -> Trace:
        """The same place, for steps that are shown as a stage of their own."""
        return self._like(self.place, self.head, name)

    @property
    def is_silent(self) -> bool:
        """Whether nobody hears a name, or will ask for it."""
        return self.sink is None and self.keep is None and not self.instead and self.rounding is FULL_PRECISION

    def __call__(self, name: str, tensor: Tensor, symbol: str | Symbol, address: str | None = None) -> Tensor:
        """Name a tensor. A tensor that has a name already gets a second one by an op that changes nothing. `address`,
        where it is not the name at this place: the step is shown here all the same.

        Raises Problem where a number that is told has grown too large to be one.
        """
        if self.is_silent:
            tensor.node = None
            return tensor
        address = address or address_in(self.place, name)
        if address in self._addresses:
            raise AxisError(f"two steps that would be called {address}", tensor)
        self._addresses.add(address)
        named = identity(tensor) if tensor.is_leaf else tensor
        named.symbol = _sign(symbol, self.head)
        named.address = address
        if address in self.instead:
            named = Tensor(self.instead[address], named.axes, named.symbol, address, named.node)
        else:
            named.value = evaluate(named, self.rounding).value  # in place: others may have been made of it already
        if self.sink is not None:
            if not _finite(named, named.history):
                raise Problem("not_finite", address=address, dtype=named.value.dtype)
            self.sink(self._step(name, named))
        if self.keep is None:
            named.node = None
        else:
            self.keep.append(self._step(name, named))
        return named

    def _step(self, name: str, named: Tensor) -> Step:
        return Step(self.place, name, named, named.history, self._stage, self.rounding)


def _finite(tensor: Tensor, node: Node) -> bool:
    """Whether all are numbers; -inf may come from an operand that has it, a mask."""
    if not tensor.value.size:
        return True
    if not tensor.value.max() < math.inf:  # nor is nan
        return False
    return bool(tensor.value.min() > -math.inf) or any(np.isneginf(operand.value).any() for operand in node.operands)
