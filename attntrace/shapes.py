"""The ops that move numbers along axes: transpose, slice, sum along one, and their reverses."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from attntrace import arithmetic as cells
from attntrace.symbol import CLOSE, OPEN, Sign, Symbol, plain
from attntrace.tensor import ATOM, Array, Axes, Axis, Op, Pieces, Tensor, apply, bracketed, constant, zeros


@dataclass(frozen=True, slots=True)
class Transpose(Op):
    """Rows become columns; a position along the rows is a token, along the columns a key. Of one row: a column."""
    name: ClassVar[str] = "transpose"

    def axes(self, *operands: Tensor) -> Axes:
        return tuple(axis.flipped() for axis in reversed(operands[0].axes))

    def compute(self, *operands: Tensor) -> Array:
        return operands[0].value.T

    def symbol(self, *operands: Tensor) -> Symbol | None:
        return operands[0].symbol.transpose() if operands[0].symbol else None

    def notation(self, *operands: Tensor) -> Pieces:
        return OPEN, *operands[0].notation().pieces, Sign(")ᵀ", ")^T", r")^{\top}")

    def follow(self, k: int, i: int, *operands: Tensor) -> Tensor:
        return apply(self, operands[0].at(len(operands[0].axes) - 1 - k, i))

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return operands[0].cell(index[::-1])

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (gradient.T,)


@dataclass(frozen=True, slots=True)
class Slice(Op):
    """Position i (from 0) of the k-th axis: a row, a column, a number."""
    name: ClassVar[str] = "slice"
    k: int
    i: int

    @property
    def takes_one_row(self) -> bool:
        return self.k == 0

    def axes(self, *operands: Tensor) -> Axes:
        return operands[0].axes[:self.k] + operands[0].axes[self.k + 1:]

    def compute(self, *operands: Tensor) -> Array:
        return operands[0].value[(slice(None),) * self.k + (self.i,)]

    def symbol(self, *operands: Tensor) -> Symbol | None:
        return operands[0].symbol.marked(self.k, self.i, operands[0].words) if operands[0].symbol else None

    def notation(self, *operands: Tensor) -> Pieces:
        index = ",".join(str(self.i + 1) if n == self.k else ":" for n in range(len(operands[0].axes)))
        return *bracketed(operands[0], ATOM), plain(f"[{index}]")

    def follow(self, k: int, i: int, *operands: Tensor) -> Tensor:
        if k < self.k:
            return apply(Slice(self.k - 1, self.i), operands[0].at(k, i))
        return apply(self, operands[0].at(k + 1, i))

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return operands[0].cell((*index[:self.k], self.i, *index[self.k:]))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (apply(Placed(self.k, self.i, operands[0].axes[self.k]), gradient),)


@dataclass(frozen=True, slots=True)
class Placed(Op):
    """Zeros, but for position i (from 0) of a new k-th axis: what a slice gives back to what it was taken from."""
    name: ClassVar[str] = "placed"
    k: int
    i: int
    axis: Axis

    def axes(self, *operands: Tensor) -> Axes:
        return operands[0].axes[:self.k] + (self.axis,) + operands[0].axes[self.k:]

    def compute(self, *operands: Tensor) -> Array:
        whole = np.zeros([axis.size for axis in self.axes(*operands)], operands[0].value.dtype)
        whole[(slice(None),) * self.k + (self.i,)] = operands[0].value
        return whole

    def notation(self, *operands: Tensor) -> Pieces:
        return plain(f"placed({self.axis.word} {self.i + 1}, "), *operands[0].notation().pieces, CLOSE

    def follow(self, k: int, i: int, *operands: Tensor) -> Tensor:
        if k == self.k:
            return operands[0] * constant(1.0, dtype=operands[0].value.dtype) if i == self.i else zeros(
                operands[0].axes, operands[0].value.dtype)
        if k < self.k:
            return apply(Placed(self.k - 1, self.i, self.axis), operands[0].at(k, i))
        return apply(self, operands[0].at(k - 1, i))

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        rest = index[:self.k] + index[self.k + 1:]
        return operands[0].cell(rest) if index[self.k] == self.i else cells.Number(0.0)

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (apply(Slice(self.k, self.i), gradient),)

    def settings(self) -> list[Any]:
        return [self.k, self.i, self.axis.size]


@dataclass(frozen=True, slots=True)
class Total(Op):
    """The sum along the k-th axis."""
    name: ClassVar[str] = "total"
    k: int

    def axes(self, *operands: Tensor) -> Axes:
        return operands[0].axes[:self.k] + operands[0].axes[self.k + 1:]

    def compute(self, *operands: Tensor) -> Array:
        return np.asarray(operands[0].value.sum(axis=self.k))

    def notation(self, *operands: Tensor) -> Pieces:
        word = operands[0].axes[self.k].word
        opening = Sign(f"Σ_{word}(", f"sum_{word}(", rf"\sum_{{\mathrm{{{word}}}}}(")
        return opening, *operands[0].notation().pieces, CLOSE

    def follow(self, k: int, i: int, *operands: Tensor) -> Tensor:
        if k < self.k:
            return apply(Total(self.k - 1), operands[0].at(k, i))
        return apply(self, operands[0].at(k + 1, i))

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return cells.added(tuple(operands[0].cell((*index[:self.k], n, *index[self.k:]))
                                 for n in range(operands[0].axes[self.k].size)))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (apply(Repeated(self.k, operands[0].axes[self.k]), gradient),)


@dataclass(frozen=True, slots=True)
class Repeated(Op):
    """The same numbers at every position of a new k-th axis: what a sum gives back to its terms."""
    name: ClassVar[str] = "repeated"
    k: int
    axis: Axis

    def axes(self, *operands: Tensor) -> Axes:
        return operands[0].axes[:self.k] + (self.axis,) + operands[0].axes[self.k:]

    def compute(self, *operands: Tensor) -> Array:
        return np.repeat(np.expand_dims(operands[0].value, self.k), self.axis.size, axis=self.k)

    def notation(self, *operands: Tensor) -> Pieces:
        return plain(f"repeated({self.axis.word}, "), *operands[0].notation().pieces, CLOSE

    def follow(self, k: int, i: int, *operands: Tensor) -> Tensor:
        if k == self.k:
            return operands[0] * constant(1.0, dtype=operands[0].value.dtype)
        if k < self.k:
            return apply(Repeated(self.k - 1, self.axis), operands[0].at(k, i))
        return apply(self, operands[0].at(k - 1, i))

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return operands[0].cell(index[:self.k] + index[self.k + 1:])

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (apply(Total(self.k), gradient),)

    def settings(self) -> list[Any]:
        return [self.k, self.axis.size]
