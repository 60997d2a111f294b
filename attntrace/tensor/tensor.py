"""An array with named axes that remembers the operation and the operands that made it.

One op, one class: what it computes, its axes, how it is written, the arithmetic of one cell, what a slice of it is made
from, its gradient. Nobody else asks which op it is.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from attntrace.tensor import expression as cells
from attntrace.tensor.axes import AXIS_NAMES, Axes, shape_of
from attntrace.tensor.errors import AxisError
from attntrace.tensor.expression import ATOM, SUM
from attntrace.tensor.json_value import json_value
from attntrace.tensor.symbol import CLOSE, OPEN, Sign, Symbol, equal_within_type

Array = np.ndarray[Any, Any]
NEW = object.__new__


class Tensor:
    """Values (read-only) with named axes. `symbol`: what it is called in an equation, if it has a name there;
    `address`: where it stands in a run (or the name of a parameter); `made`: how it was computed, until it is sealed. A
    tensor with an address or without a making is a leaf: equations and arithmetic end there.

    A tensor that nobody named is called what its op makes of its operands' names (Kᵀ), a slice after the tensor that it
    is part of (q₁): found when it is asked for, since most slices are made for their numbers alone.
    """
    __slots__ = ("value", "axes", "address", "node", "_symbol", "_part_of")

    _symbol: Symbol | None
    _part_of: tuple[Tensor, int, int] | None

    def __init__(self, value: Array, axes: Axes, symbol: Symbol | None = None, address: str | None = None,
                 node: Node | None = None) -> None:
        self.value = np.asarray(value).view()  # a view: the caller's own array stays writeable
        self.value.setflags(write=False)
        self.axes, self.address, self.node = axes, address, node
        self._symbol, self._part_of = symbol, None
        if self.value.shape != shape_of(axes):
            raise AxisError(f"a value of shape {self.value.shape} has other axes", self)
        words = [axis.name for axis in axes]
        if len(set(words)) < len(words) or not AXIS_NAMES.issuperset(words):
            raise AxisError("the same axis twice, or one that is not on the list", self)

    def __repr__(self) -> str:
        sizes = " × ".join(f"{axis.name} {axis.size}" for axis in self.axes) or "scalar"
        return f"<{self.address or (self.symbol.spelled() if self.symbol else 'tensor')}: {sizes}>"

    @property
    def symbol(self) -> Symbol | None:
        if self._symbol is None:
            if self._part_of is not None:
                whole, k, i = self._part_of
                self._symbol = whole.symbol and whole.symbol.marked(k, i, whole.axis_names)
            elif self.node is not None and self.address is None:
                self._symbol = self.node.op.symbol(*self.node.operands)
        return self._symbol

    @symbol.setter
    def symbol(self, symbol: Symbol) -> None:
        self._symbol, self._part_of = symbol, None

    @property
    def is_leaf(self) -> bool:
        return self.address is not None or self.node is None

    @property
    def history(self) -> Node:
        assert self.node is not None, self
        return self.node

    @property
    def axis_names(self) -> tuple[str, ...]:
        return tuple(axis.name for axis in self.axes)

    @property
    def T(self) -> Tensor:
        """The transpose; of an unnamed product its factors' own, of an unnamed transpose what it is of."""
        transposed = None if self.is_leaf else self.history.op.transposed(*self.history.operands)
        return apply(op_without_settings("transpose"), self) if transposed is None else transposed

    def __matmul__(self, other: Tensor) -> Tensor:
        return apply(op_without_settings("matmul"), self, other)

    def __add__(self, other: Tensor) -> Tensor:
        return apply(op_without_settings("add"), self, other)

    def __sub__(self, other: Tensor) -> Tensor:
        return apply(op_without_settings("subtract"), self, other)

    def __mul__(self, other: Tensor) -> Tensor:
        return apply(op_without_settings("multiply"), self, other)

    def __truediv__(self, other: Tensor) -> Tensor:
        return apply(op_without_settings("divide"), self, other)

    def __neg__(self) -> Tensor:
        return apply(op_without_settings("negate"), self)

    def take(self, k: int, i: int) -> Tensor:
        """Slice i (from 0) of the k-th axis, from slices of the operands. Raises NotRowwise where there is none."""
        if self.is_leaf:
            return apply(OPS["slice"](k, i), self)
        part = self.history.row(k, i)
        if self.symbol is not None:
            part._symbol, part._part_of = None, (self, k, i)
        return part

    def cell(self, index: tuple[int, ...]) -> cells.Arithmetic:
        """The arithmetic behind the number at `index` (from 0)."""
        if not self.is_leaf:
            return self.history.cell(index)
        nameless = self.address is None and not self.axes
        return cells.Number(self.value.item()) if nameless else cells.Ref(self, index)

    def expression(self) -> Any:
        """How it was computed, as nested lists: an address, a constant, or an op's name and its operands."""
        if self.address is not None:
            return self.address
        return json_value(self.value) if self.is_leaf else self.history.expression()

    def notation(self) -> Notation:
        """The right side of an equation: its symbol, or else what its op writes."""
        if self.symbol is not None:
            negative = self.symbol.letter.startswith("-")  # a constant such as -2
            return Notation((Term(self),), SUM if negative else ATOM)
        return self.history.notation()

    def leaves(self) -> Iterator[Tensor]:
        """The leaves that it was computed from, in the order in which they are written."""
        if self.is_leaf:
            yield self
        else:
            yield from self.history.leaves()


class Node:
    """How a tensor was computed: an op and its operands."""
    __slots__ = ("op", "operands")

    def __init__(self, op: Op, operands: tuple[Tensor, ...]) -> None:
        self.op, self.operands = op, operands

    def row(self, k: int, i: int) -> Tensor:
        """Slice i (from 0) of the k-th axis, computed again from slices of the operands (the row law)."""
        return self.op.row(k, i, *self.operands)

    def cell(self, index: tuple[int, ...]) -> cells.Arithmetic:
        return self.op.cell(index, *self.operands)

    def notation(self) -> Notation:
        return Notation(self.op.notation(*self.operands), self.op.binds)

    def expression(self) -> Any:
        return [self.op.name, *(operand.expression() for operand in self.operands), *self.op.settings()]

    def leaves(self) -> Iterator[Tensor]:
        for operand in self.operands:
            yield from operand.leaves()

    def vjp(self, n: int, gradient: Tensor, result: Tensor) -> Tensor:
        return self.op.vjp(n, gradient, result, *self.operands)


class Term(NamedTuple):
    """A tensor in an equation; drawn as a matrix where matrices are drawn."""
    tensor: Tensor


class Name(NamedTuple):
    """A tensor of which an equation gives the symbol alone, such as the whole table of a look-up."""
    tensor: Tensor


Pieces = tuple[Term | Name | Sign, ...]


class Notation(NamedTuple):
    """What is written for a tensor: symbols and signs in order, and how tightly it holds together."""
    pieces: Pieces
    binds: int

    def within(self, least: int) -> Pieces:
        """The pieces, in brackets where they hold together less than `least`."""
        return self.pieces if self.binds >= least else (OPEN, *self.pieces, CLOSE)


class Postcondition(NamedTuple):
    """What must be true of a result: the key of its sentence, by how much it is not, and whether exactly."""
    key: str
    error: float
    exact: bool = False


equal_within_type(Term, Name, Notation, Postcondition)

OPS: dict[str, Callable[..., Op]] = {}  # every op by its name in an expression


@cache
def op_without_settings(name: str) -> Op:
    """An op without settings: one for all its uses."""
    return OPS[name]()


class Op:
    """One operation. Those with settings are dataclasses of plain values, so that they can be written down; two ops are
    equal that are written alike. Operands are tensors."""
    name: ClassVar[str]
    binds: ClassVar[int] = ATOM
    rows_sum_to_one: ClassVar[bool] = False  # whether a row of the result divides 1 among its columns
    non_differentiable: ClassVar[tuple[int, ...]] = ()  # operands that no gradient goes to
    is_transpose: ClassVar[bool] = False  # whether the result is its operand, transposed
    same_formula_for_all_rows: ClassVar[bool] = True  # whether all rows of the result are made in the same way
    show_every_cell: ClassVar[bool] = False  # whether the arithmetic of each number is worth a line
    broadcasts_gradient: ClassVar[bool] = False  # whether a gradient may lack axes along which it is the same

    @property
    def takes_one_row(self) -> bool:
        """Whether it reads one row of its operand alone."""
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Op) and (self.name, self.settings()) == (other.name, other.settings())

    def __hash__(self) -> int:
        return hash((self.name, str(self.settings())))

    def __init_subclass__(cls) -> None:
        if "name" in vars(cls):
            OPS[cls.name] = cls

    def axes(self, *operands: Any, **_: Any) -> Axes:
        raise AssertionError(f"{type(self).__name__} says no axes")

    def compute(self, *operands: Any, **_: Any) -> Array:
        raise AssertionError(f"{type(self).__name__} computes nothing")

    def symbol(self, *operands: Any, **_: Any) -> Symbol | None:
        """A name of its own, where the op only decorates one (Kᵀ, W_Q⁽¹⁾)."""
        return None

    def notation(self, *operands: Any, **_: Any) -> Pieces:
        raise AssertionError(f"{type(self).__name__} cannot be written")

    def row(self, k: int, i: int, *operands: Any, **_: Any) -> Tensor:
        """The row rule: slice i of axis k of the result, from operand slices. Raises NotRowwise where there is none."""
        raise AssertionError(f"{type(self).__name__} cannot be followed")

    def cell(self, index: tuple[int, ...], *operands: Any, **_: Any) -> cells.Arithmetic:
        raise AssertionError(f"{type(self).__name__} has no arithmetic")

    def vjp(self, n: int, gradient: Tensor, result: Tensor, *operands: Any, **_: Any) -> Tensor:
        """That of the n-th operand, from that of the result; not asked for where the operand is `ignored`."""
        raise AssertionError(f"{type(self).__name__} has no gradient")

    def transposed_vjp(self, n: int, gradient: Tensor, *operands: Any, **_: Any) -> Tensor | None:
        """The transpose of the n-th operand's gradient, where that is as easily found as the gradient itself."""
        return None

    def transposed(self, *operands: Any, **_: Any) -> Tensor | None:
        """The transpose of the result, where the op has a simpler way to it."""
        return None

    def over_tokens(self, *operands: Any, **_: Any) -> tuple[list[Tensor], Tensor] | None:
        """What each token adds, and the result made from these, where it is a sum over tokens."""
        return None

    def mixes(self, *operands: Any, **_: Any) -> tuple[Tensor, Tensor] | None:
        """The shares (one number a token) and the tensor whose rows they mix, where a row is such a mixture."""
        return None

    def postconditions(self, result: Array, *operands: Any, **_: Any) -> Iterator[Postcondition]:
        """What must be true of every result, measured on this one."""
        return iter(())

    def settings(self) -> list[Any]:
        """The plain values that stand behind the operands in an expression."""
        return [getattr(self, field.name) for field in fields(self)] if is_dataclass(self) else []


def apply(op: Op, *operands: Tensor) -> Tensor:
    """The result of an op, which remembers how it was made. Raises AxisError where the axes do not fit."""
    result: Tensor = NEW(Tensor)  # ops see themselves to what the constructor checks of a caller's array
    result.axes = axes = op.axes(*operands)
    result.value = value = op.compute(*operands)
    result.node = Node(op, operands)
    result.address = result._symbol = result._part_of = None
    value.setflags(write=False)
    first = operands[0]
    if not (axes is first.axes and value.shape == first.value.shape) and value.shape != shape_of(axes):
        raise AxisError(f"{op.name} made a value of shape {value.shape} of other axes", result)
    return result
