"""The ops of arithmetic: sums, differences, products and quotients cell by cell, and the product of matrices."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from attntrace import arithmetic as cells
from attntrace.arithmetic import JUXTAPOSED, PRODUCT, SUM
from attntrace.axes import Axes
from attntrace.shapes import Total
from attntrace.symbol import ELEMENTWISE, MATMUL, MINUS, NEGATIVE, OVER, PLUS, TIMES, Sign
from attntrace.tensor import Array, Misfit, Op, Pieces, Tensor, apply, bracketed


def widest(operands: Sequence[Tensor]) -> Axes:
    """The axes of a cell-by-cell result: those of the operand that has most; each other has some of them, in order."""
    if operands[0].axes == operands[-1].axes and len(operands) < 3:  # nearly always
        return operands[0].axes
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
        """The arithmetic of each operand's number at the same place."""
        axes = widest(operands)
        return tuple(operand.cell(tuple(i for axis, i in zip(axes, index, strict=True) if axis in operand.axes))
                     for operand in operands)


class Binary(CellByCell):
    """Two operands with a sign between them; each is bracketed where it holds together less than `least`."""
    function: ClassVar[Callable[[Any, Any], Any]]
    sign: ClassVar[Sign]
    least: ClassVar[tuple[int, int]]

    def compute(self, left: Tensor, right: Tensor) -> Array:
        axes = widest((left, right))
        result: Array = type(self).function(lined_up(left, axes), lined_up(right, axes))
        return result

    def notation(self, left: Tensor, right: Tensor) -> Pieces:
        return *bracketed(left, self.least[0]), self.sign, *bracketed(right, self.least[1])


def gathered(gradient: Tensor, operand: Tensor) -> Tensor:
    """A gradient summed over the axes along which the operand was repeated."""
    for k in reversed(range(len(gradient.axes))):
        if gradient.axes[k] not in operand.axes:
            gradient = apply(Total(k), gradient)
    return gradient


class Add(Binary):
    name: ClassVar[str] = "add"
    binds: ClassVar[int] = SUM
    function: ClassVar[Callable[[Any, Any], Any]] = np.add
    sign: ClassVar[Sign] = PLUS
    least: ClassVar[tuple[int, int]] = (SUM, SUM + 1)

    def cell(self, index: tuple[int, ...], left: Tensor, right: Tensor) -> cells.Arithmetic:
        one, other = self.parts(index, left, right)
        return cells.Sum((*(one.terms if isinstance(one, cells.Sum) else (one,)), other))

    def gradients(self, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> tuple[Tensor | None, ...]:
        return gathered(gradient, left), gathered(gradient, right)


class Subtract(Binary):
    name: ClassVar[str] = "subtract"
    binds: ClassVar[int] = SUM
    function: ClassVar[Callable[[Any, Any], Any]] = np.subtract
    sign: ClassVar[Sign] = MINUS
    least: ClassVar[tuple[int, int]] = (SUM, SUM + 1)

    def cell(self, index: tuple[int, ...], left: Tensor, right: Tensor) -> cells.Arithmetic:
        return cells.Difference(*self.parts(index, left, right))

    def gradients(self, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> tuple[Tensor | None, ...]:
        return gathered(gradient, left), gathered(-gradient, right)


class Multiply(Binary):
    """Cell by cell, or by one number."""
    name: ClassVar[str] = "multiply"
    binds: ClassVar[int] = PRODUCT
    function: ClassVar[Callable[[Any, Any], Any]] = np.multiply
    least: ClassVar[tuple[int, int]] = (PRODUCT, PRODUCT + 1)

    def notation(self, left: Tensor, right: Tensor) -> Pieces:
        sign = ELEMENTWISE if left.axes and right.axes else TIMES
        return *bracketed(left, self.least[0]), sign, *bracketed(right, self.least[1])

    def cell(self, index: tuple[int, ...], left: Tensor, right: Tensor) -> cells.Arithmetic:
        return cells.Product(*self.parts(index, left, right))

    def gradients(self, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> tuple[Tensor | None, ...]:
        return gathered(gradient * right, left), gathered(gradient * left, right)


class Divide(Binary):
    name: ClassVar[str] = "divide"
    binds: ClassVar[int] = PRODUCT
    function: ClassVar[Callable[[Any, Any], Any]] = np.divide
    sign: ClassVar[Sign] = OVER
    least: ClassVar[tuple[int, int]] = (PRODUCT, PRODUCT + 1)

    def cell(self, index: tuple[int, ...], left: Tensor, right: Tensor) -> cells.Arithmetic:
        return cells.Quotient(*self.parts(index, left, right))

    def gradients(self, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> tuple[Tensor | None, ...]:
        return gathered(gradient / right, left), gathered(-(gradient * result / right), right)


class Negate(CellByCell):
    name: ClassVar[str] = "negate"
    binds: ClassVar[int] = SUM

    def compute(self, x: Tensor) -> Array:
        return -x.value

    def notation(self, x: Tensor) -> Pieces:
        return NEGATIVE, *bracketed(x, PRODUCT)

    def cell(self, index: tuple[int, ...], x: Tensor) -> cells.Arithmetic:
        return cells.Negative(*self.parts(index, x))

    def gradients(self, gradient: Tensor, result: Tensor, x: Tensor) -> tuple[Tensor | None, ...]:
        return (-gradient,)


class MatMul(Op):
    """The last axis of the left operand against the first of the right one: row vectors times matrices, y = x W."""
    name: ClassVar[str] = "matmul"
    binds: ClassVar[int] = JUXTAPOSED

    def axes(self, left: Tensor, right: Tensor) -> Axes:
        if not left.axes or not right.axes or not left.axes[-1].fits(right.axes[0]):
            raise Misfit("a product whose inner axes differ", left, right)
        axes = left.axes[:-1] + right.axes[1:]
        if len({axis.word for axis in axes}) < len(axes):
            raise Misfit("a product with the same axis twice", left, right)
        return axes

    def compute(self, left: Tensor, right: Tensor) -> Array:
        return left.value @ right.value

    def notation(self, left: Tensor, right: Tensor) -> Pieces:
        return *bracketed(left, JUXTAPOSED), MATMUL, *bracketed(right, JUXTAPOSED + 1)

    def follow(self, k: int, i: int, left: Tensor, right: Tensor) -> Tensor:
        rows = len(left.axes) - 1
        return apply(self, left.at(k, i), right) if k < rows else apply(self, left, right.at(k - rows + 1, i))

    def cell(self, index: tuple[int, ...], left: Tensor, right: Tensor) -> cells.Arithmetic:
        rows = len(left.axes) - 1
        return cells.added(tuple(cells.Product(left.cell((*index[:rows], n)), right.cell((n, *index[rows:])))
                                 for n in range(left.axes[-1].size)))

    def mixes(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor] | None:
        """a₁ V mixes the rows of V, by the numbers of a₁."""
        return (left, right) if len(left.axes) == 1 and right.words[0] == "token" and right.symbol else None

    def gradients(self, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> tuple[Tensor | None, ...]:
        return gradient @ right.T, left.T @ gradient
