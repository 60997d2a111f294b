"""The ops of arithmetic: sums, differences, products and quotients cell by cell, and the product of matrices."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from attntrace import arithmetic as cells
from attntrace.shapes import Total
from attntrace.symbol import ELEMENTWISE, MATMUL, MINUS, NEGATIVE, OVER, PLUS, TIMES
from attntrace.tensor import JUXTAPOSED, PRODUCT, SUM, Array, Axes, Misfit, Op, Pieces, Tensor, apply, bracketed


def widest(operands: Sequence[Tensor]) -> Axes:
    """The axes of a cell-by-cell result: those of the operand that has most; each other has some of them, in order."""
    axes = max((operand.axes for operand in operands), key=len)
    for operand in operands:
        if tuple(axis for axis in axes if axis in operand.axes) != operand.axes:
            raise Misfit("operands that cannot be lined up", *operands)
    return axes


def lined_up(operand: Tensor, axes: Axes) -> Array:
    """The value with an axis of size 1 for each of `axes` that the operand lacks."""
    if len(operand.axes) == len(axes) or not operand.axes:
        return operand.value
    return operand.value.reshape([axis.size if axis in operand.axes else 1 for axis in axes])


class CellByCell(Op):
    """An op that makes each number from those at the same place; an operand that lacks an axis is repeated along it."""

    def axes(self, *operands: Tensor) -> Axes:
        return widest(operands)

    def follow(self, k: int, i: int, *operands: Tensor) -> Tensor:
        axis = widest(operands)[k]
        return apply(self, *(operand.at(operand.axes.index(axis), i) if axis in operand.axes else operand
                             for operand in operands))

    def parts(self, index: tuple[int, ...], *operands: Tensor) -> tuple[cells.Arithmetic, ...]:
        axes = widest(operands)
        return tuple(operand.cell(tuple(i for axis, i in zip(axes, index, strict=True) if axis in operand.axes))
                     for operand in operands)


def gathered(gradient: Tensor, operand: Tensor) -> Tensor:
    """A gradient summed over the axes along which the operand was repeated."""
    for k in reversed(range(len(gradient.axes))):
        if gradient.axes[k] not in operand.axes:
            gradient = apply(Total(k), gradient)
    return gradient


@dataclass(frozen=True, slots=True)
class Add(CellByCell):
    name: ClassVar[str] = "add"
    binds: ClassVar[int] = SUM

    def compute(self, *operands: Tensor) -> Array:
        axes = widest(operands)
        return lined_up(operands[0], axes) + lined_up(operands[1], axes)

    def notation(self, *operands: Tensor) -> Pieces:
        return *bracketed(operands[0], SUM), PLUS, *bracketed(operands[1], SUM + 1)

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        left, right = self.parts(index, *operands)
        return cells.Sum((*(left.terms if isinstance(left, cells.Sum) else (left,)), right))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return tuple(gathered(gradient, operand) for operand in operands)


@dataclass(frozen=True, slots=True)
class Subtract(CellByCell):
    name: ClassVar[str] = "subtract"
    binds: ClassVar[int] = SUM

    def compute(self, *operands: Tensor) -> Array:
        axes = widest(operands)
        return lined_up(operands[0], axes) - lined_up(operands[1], axes)

    def notation(self, *operands: Tensor) -> Pieces:
        return *bracketed(operands[0], SUM), MINUS, *bracketed(operands[1], SUM + 1)

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return cells.Difference(*self.parts(index, *operands))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return gathered(gradient, operands[0]), gathered(-gradient, operands[1])


@dataclass(frozen=True, slots=True)
class Multiply(CellByCell):
    """Cell by cell, or by one number."""
    name: ClassVar[str] = "multiply"
    binds: ClassVar[int] = PRODUCT

    def compute(self, *operands: Tensor) -> Array:
        axes = widest(operands)
        return lined_up(operands[0], axes) * lined_up(operands[1], axes)

    def notation(self, *operands: Tensor) -> Pieces:
        sign = ELEMENTWISE if all(operand.axes for operand in operands) else TIMES
        return *bracketed(operands[0], PRODUCT), sign, *bracketed(operands[1], PRODUCT + 1)

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return cells.Product(*self.parts(index, *operands))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        left, right = operands
        return gathered(gradient * right, left), gathered(gradient * left, right)


@dataclass(frozen=True, slots=True)
class Divide(CellByCell):
    name: ClassVar[str] = "divide"
    binds: ClassVar[int] = PRODUCT

    def compute(self, *operands: Tensor) -> Array:
        axes = widest(operands)
        return lined_up(operands[0], axes) / lined_up(operands[1], axes)

    def notation(self, *operands: Tensor) -> Pieces:
        return *bracketed(operands[0], PRODUCT), OVER, *bracketed(operands[1], PRODUCT + 1)

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return cells.Quotient(*self.parts(index, *operands))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        left, right = operands
        return gathered(gradient / right, left), gathered(-(gradient * result / right), right)


@dataclass(frozen=True, slots=True)
class Negate(CellByCell):
    name: ClassVar[str] = "negate"
    binds: ClassVar[int] = SUM

    def compute(self, *operands: Tensor) -> Array:
        return -operands[0].value

    def notation(self, *operands: Tensor) -> Pieces:
        return NEGATIVE, *bracketed(operands[0], PRODUCT)

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return cells.Negative(*self.parts(index, *operands))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (-gradient,)


@dataclass(frozen=True, slots=True)
class MatMul(Op):
    """The last axis of the left operand against the first of the right one: row vectors times matrices, y = x W."""
    name: ClassVar[str] = "matmul"
    binds: ClassVar[int] = JUXTAPOSED

    def axes(self, *operands: Tensor) -> Axes:
        left, right = operands
        if not left.axes or not right.axes or not left.axes[-1].fits(right.axes[0]):
            raise Misfit("a product whose inner axes differ", left, right)
        axes = left.axes[:-1] + right.axes[1:]
        if len({axis.word for axis in axes}) < len(axes):
            raise Misfit("a product with the same axis twice", left, right)
        return axes

    def compute(self, *operands: Tensor) -> Array:
        return operands[0].value @ operands[1].value

    def notation(self, *operands: Tensor) -> Pieces:
        return *bracketed(operands[0], JUXTAPOSED), MATMUL, *bracketed(operands[1], JUXTAPOSED + 1)

    def follow(self, k: int, i: int, *operands: Tensor) -> Tensor:
        left, right = operands
        rows = len(left.axes) - 1
        return apply(self, left.at(k, i), right) if k < rows else apply(self, left, right.at(k - rows + 1, i))

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        left, right = operands
        rows = len(left.axes) - 1
        return cells.added(tuple(cells.Product(left.cell((*index[:rows], n)), right.cell((n, *index[rows:])))
                                 for n in range(left.axes[-1].size)))

    def mixes(self, *operands: Tensor) -> tuple[Tensor, Tensor] | None:
        """a₁ V mixes the rows of V, by the numbers of a₁."""
        shares, rows = operands
        return (shares, rows) if len(shares.axes) == 1 and rows.words[0] == "token" and rows.symbol else None

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        left, right = operands
        return gradient @ right.T, left.T @ gradient
