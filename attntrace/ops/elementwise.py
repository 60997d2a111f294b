"""The elementwise ops of arithmetic (sum, difference, product, quotient) and broadcasting between their operands."""
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from attntrace.ops.shape import ReduceSum, broadcast_to
from attntrace.tensor import expression
from attntrace.tensor.axes import Axes, AxisError
from attntrace.tensor.expression import Expression
from attntrace.tensor.tensor import Array, Op, Tensor, apply, constant


def broadcast_axes(operands: Sequence[Tensor]) -> Axes:
    """The axes of an elementwise result: those of the operand with most; the others have some of them, in order."""
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
            raise AxisError("operands that cannot be broadcast", *operands)
    return axes


def aligned(operand: Tensor, axes: Axes) -> Array:
    """The value with an axis of size 1 for each of `axes` that the operand lacks."""
    if len(operand.axes) == len(axes) or not operand.axes:
        return operand.value
    return operand.value.reshape([axis.size if axis in operand.axes else 1 for axis in axes])


class Elementwise(Op):
    """Each number from the operands' numbers at the same position, by the same `expression`, which is its formula too.
    An operand that lacks an axis is repeated along it, and so is a gradient."""
    broadcasts_gradient: ClassVar[bool] = True
    expression: ClassVar[Callable[..., Expression]]
    function: ClassVar[Callable[..., Any]]

    def axes(self, *operands: Tensor) -> Axes:
        return broadcast_axes(operands)

    def row(self, k: int, i: int, *operands: Tensor) -> Tensor:
        axis = broadcast_axes(operands)[k]
        return apply(self, *(operand.take(operand.axes.index(axis), i) if axis in operand.axes else operand
                             for operand in operands))

    def formula(self, *operands: Tensor) -> Expression:
        return type(self).expression(*(operand.formula() for operand in operands))

    @property
    def template(self) -> Callable[..., Expression] | None:
        return getattr(type(self), "expression", None)

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> Expression:
        axes = broadcast_axes(operands)
        return type(self).expression(*(
            operand.cell(tuple(i for axis, i in zip(axes, index, strict=True) if axis in operand.axes))
            for operand in operands))


class Unary(Elementwise):
    """A function of one operand, applied to each number of its value."""

    def compute(self, x: Tensor) -> Array:
        return np.asarray(type(self).function(x.value))


class Binary(Elementwise):
    """A function of two operands."""

    def compute(self, left: Tensor, right: Tensor) -> Array:
        if left.axes is right.axes or not left.axes or not right.axes:
            return np.asarray(type(self).function(left.value, right.value))
        axes = broadcast_axes((left, right))
        return np.asarray(type(self).function(aligned(left, axes), aligned(right, axes)))


def unbroadcast(gradient: Tensor, result: Tensor, operand: Tensor) -> Tensor:
    """Sum a gradient over the axes of the result along which the operand was repeated; it keeps the operand's axes."""
    if operand.axes is result.axes:
        return gradient
    for axis in reversed(result.axes):
        if axis not in operand.axes:
            gradient = (apply(ReduceSum(gradient.axes.index(axis)), gradient) if axis in gradient.axes
                        else gradient * constant(axis.size, dtype=gradient.value.dtype))  # constant along it
    return gradient


def expanded(gradient: Tensor, result: Tensor, other: Tensor) -> Tensor:
    """Repeat a gradient along all axes of the result unless it can be broadcast with another operand as it is."""
    axes = gradient.axes
    fits = axes is result.axes or all(axis in axes for axis in other.axes) or all(axis in other.axes for axis in axes)
    return gradient if fits else broadcast_to(gradient, result.axes)


class Add(Binary, name="add", expression=expression.append_term, function=np.add):
    def vjp(self, n: int, gradient: Tensor, result: Tensor, *operands: Tensor) -> Tensor:
        return unbroadcast(gradient, result, operands[n])


class Sum(Elementwise, name="sum", expression=expression.Sum):
    """The sum of two or more operands: the gradients that meet where a tensor is read several times."""

    def compute(self, *operands: Tensor) -> Array:
        axes = broadcast_axes(operands)
        first, second, *rest = (aligned(operand, axes) for operand in operands)
        total = np.asarray(first + second)
        for value in rest:
            total += value
        return total

    vjp = Add.vjp


def add_all(parts: Sequence[Tensor]) -> Tensor:
    """The sum of one or more tensors with the same axes."""
    return parts[0] if len(parts) == 1 else parts[0] + parts[1] if len(parts) == 2 else Sum()(*parts)


class Subtract(Binary, name="subtract", expression=expression.Difference, function=np.subtract):
    def vjp(self, n: int, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> Tensor:
        return -unbroadcast(gradient, result, right) if n else unbroadcast(gradient, result, left)


class Multiply(Binary, name="multiply", expression=expression.Product, function=np.multiply):
    """Elementwise, or by one number."""

    def formula(self, *operands: Tensor) -> Expression:
        product = expression.ElementwiseProduct if all(x.axes for x in operands) else expression.Product
        return product(*(operand.formula() for operand in operands))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> Tensor:
        other = (right, left)[n]
        return unbroadcast(expanded(gradient, result, other) * other, result, (left, right)[n])


class Divide(Binary, name="divide", expression=expression.Quotient, function=np.divide):
    def vjp(self, n: int, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> Tensor:
        if n:
            return -(unbroadcast(gradient * result, result, right) / right)
        return unbroadcast(expanded(gradient, result, right) / right, result, left)


class Negate(Unary, name="negate", function=np.negative, expression=expression.Negative):
    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return -gradient
