"""The ops of arithmetic, cell by cell: sums, differences, products and quotients."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from attntrace.ops.shape import ReduceSum, along, bracketed
from attntrace.tensor import expression as cells
from attntrace.tensor.axes import Axes
from attntrace.tensor.constants import constant
from attntrace.tensor.errors import AxisError
from attntrace.tensor.expression import PRODUCT, SUM
from attntrace.tensor.symbol import ELEMENTWISE, MINUS, NEGATIVE, OVER, PLUS, TIMES, Sign
from attntrace.tensor.tensor import Array, Op, Pieces, Tensor, apply


def widest(operands: Sequence[Tensor]) -> Axes:
    """The axes of a cell-by-cell result: those of the operand that has most; each other has some of them, in order."""
    if len(operands) == 2:  # nearly always, and nearly always one of these
        first, last = operands[0].axes, operands[1].axes
        if first is last or not last or not first or first == last:
            return first or last
        count = len(last)
        if count < len(first) and (first[:count] == last or first[-count:] == last):
            return first
    axes = max((operand.axes for operand in operands), key=len)
    for operand in operands:
        if tuple(axis for axis in axes if axis in operand.axes) != operand.axes:
            raise AxisError("operands that cannot be lined up", *operands)
    return axes


def lined_up(operand: Tensor, axes: Axes) -> Array:
    """The value with an axis of size 1 for each of `axes` that the operand lacks."""
    if len(operand.axes) == len(axes) or not operand.axes:
        return operand.value
    return operand.value.reshape([axis.size if axis in operand.axes else 1 for axis in axes])


class CellByCell(Op):
    """An op that makes each number from those at the same place; an operand that lacks an axis is repeated along it,
    and so is a gradient."""
    broadcasts_gradient: ClassVar[bool] = True

    def axes(self, *operands: Tensor) -> Axes:
        return widest(operands)

    def row(self, k: int, i: int, *operands: Tensor) -> Tensor:
        axis = widest(operands)[k]
        return apply(self, *(operand.take(operand.axes.index(axis), i) if axis in operand.axes else operand
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
        if left.axes is right.axes or not left.axes or not right.axes:
            return np.asarray(type(self).function(left.value, right.value))
        axes = widest((left, right))
        return np.asarray(type(self).function(lined_up(left, axes), lined_up(right, axes)))

    def notation(self, left: Tensor, right: Tensor) -> Pieces:
        return *bracketed(left, self.least[0]), self.sign, *bracketed(right, self.least[1])


def gathered(gradient: Tensor, result: Tensor, operand: Tensor) -> Tensor:
    """A gradient summed over the axes of the result along which the operand was repeated."""
    if operand.axes is result.axes:
        return gradient
    for axis in reversed(result.axes):
        if axis not in operand.axes:
            gradient = (apply(ReduceSum(gradient.axes.index(axis)), gradient) if axis in gradient.axes
                        else gradient * constant(axis.size, dtype=gradient.value.dtype))  # the same all along it
    return gradient


def spread(gradient: Tensor, result: Tensor, other: Tensor) -> Tensor:
    """A gradient that can be lined up with another operand: as it is, or along all of the result's axes."""
    axes = gradient.axes
    fits = axes is result.axes or all(axis in axes for axis in other.axes) or all(axis in other.axes for axis in axes)
    return gradient if fits else along(gradient, result.axes)


class Add(Binary):
    name: ClassVar[str] = "add"
    binds: ClassVar[int] = SUM
    function: ClassVar[Callable[[Any, Any], Any]] = np.add
    sign: ClassVar[Sign] = PLUS
    least: ClassVar[tuple[int, int]] = (SUM, SUM + 1)

    def cell(self, index: tuple[int, ...], left: Tensor, right: Tensor) -> cells.Arithmetic:
        one, other = self.parts(index, left, right)
        return cells.Sum((*(one.terms if isinstance(one, cells.Sum) else (one,)), other))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> Tensor:
        return gathered(gradient, result, right if n else left)


class Sum(CellByCell):
    """Many operands, added into one another: what meets where a tensor was read several times."""
    name: ClassVar[str] = "sum"
    binds: ClassVar[int] = SUM

    def compute(self, *operands: Tensor) -> Array:
        axes = widest(operands)
        first, second, *rest = (lined_up(operand, axes) for operand in operands)
        total = np.asarray(first + second)
        for value in rest:
            total += value
        return total

    def notation(self, *operands: Tensor) -> Pieces:
        pieces = bracketed(operands[0], SUM)
        for operand in operands[1:]:
            pieces += (PLUS, *bracketed(operand, SUM + 1))
        return pieces

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return cells.Sum(self.parts(index, *operands))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, *operands: Tensor) -> Tensor:
        return gathered(gradient, result, operands[n])


def summed_up(parts: Sequence[Tensor]) -> Tensor:
    """The sum of one or more tensors of the same axes."""
    return parts[0] if len(parts) == 1 else parts[0] + parts[1] if len(parts) == 2 else apply(Sum(), *parts)


class Subtract(Binary):
    name: ClassVar[str] = "subtract"
    binds: ClassVar[int] = SUM
    function: ClassVar[Callable[[Any, Any], Any]] = np.subtract
    sign: ClassVar[Sign] = MINUS
    least: ClassVar[tuple[int, int]] = (SUM, SUM + 1)

    def cell(self, index: tuple[int, ...], left: Tensor, right: Tensor) -> cells.Arithmetic:
        return cells.Difference(*self.parts(index, left, right))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> Tensor:
        return -gathered(gradient, result, right) if n else gathered(gradient, result, left)


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

    def vjp(self, n: int, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> Tensor:
        other = (right, left)[n]
        return gathered(spread(gradient, result, other) * other, result, (left, right)[n])


class Divide(Binary):
    name: ClassVar[str] = "divide"
    binds: ClassVar[int] = PRODUCT
    function: ClassVar[Callable[[Any, Any], Any]] = np.divide
    sign: ClassVar[Sign] = OVER
    least: ClassVar[tuple[int, int]] = (PRODUCT, PRODUCT + 1)

    def cell(self, index: tuple[int, ...], left: Tensor, right: Tensor) -> cells.Arithmetic:
        return cells.Quotient(*self.parts(index, left, right))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> Tensor:
        if n:
            return -(gathered(gradient * result, result, right) / right)
        return gathered(spread(gradient, result, right) / right, result, left)


class Negate(CellByCell):
    name: ClassVar[str] = "negate"
    binds: ClassVar[int] = SUM

    def compute(self, x: Tensor) -> Array:
        return -x.value

    def notation(self, x: Tensor) -> Pieces:
        return NEGATIVE, *bracketed(x, PRODUCT)

    def cell(self, index: tuple[int, ...], x: Tensor) -> cells.Arithmetic:
        return cells.Negative(*self.parts(index, x))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return -gradient
