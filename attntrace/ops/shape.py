"""The ops on whole axes: transpose, slice, sum along an axis, and their reverses, unslice and broadcast."""
from functools import lru_cache
from typing import Any

import numpy as np

from attntrace.tensor.axes import Axes, Axis, NotRowwise
from attntrace.tensor.expression import Call, Expression, Indexed, Number, SumOver, Transposed, sum_of
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array, Op, Tensor, apply, op_without_settings, zeros


@lru_cache(256)
def ones(size: int, dtype: np.dtype[Any]) -> Array:
    return np.ones(size, dtype)


def sum_along(value: Array, k: int) -> Array:
    """Sum along the k-th axis; along the first or the last by a product with ones, which is several times as fast."""
    if k == value.ndim - 1:
        return np.asarray(value @ ones(value.shape[-1], value.dtype))
    if k == 0 and value.ndim == 2:
        return np.asarray(ones(len(value), value.dtype) @ value)
    return np.asarray(value.sum(axis=k))


class Transpose(Op, name="transpose", is_transpose=True):
    """m × n becomes n × m; a position along the rows is a token, along the columns a key. A batch of sentences keeps
    its first axis."""

    def axes(self, x: Tensor) -> Axes:
        if len(x.axes) == 3:
            return x.axes[0], x.axes[2].flipped(), x.axes[1].flipped()
        return tuple([axis.flipped() for axis in x.axes[::-1]])

    def compute(self, x: Tensor) -> Array:
        return x.value.swapaxes(1, 2) if len(x.axes) == 3 else x.value.T

    def transposed(self, x: Tensor) -> Tensor | None:
        return x

    def symbol(self, x: Tensor) -> Symbol | None:
        return x.symbol.transpose() if x.symbol else None

    def formula(self, x: Tensor) -> Expression:
        return Transposed(x.formula())

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        if len(x.axes) == 3:
            if k:  # a row of every sentence is not one matrix
                raise NotRowwise
            return apply(self, x.take(0, i))
        return apply(self, x.take(len(x.axes) - 1 - k, i))

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        return x.cell((index[0], index[2], index[1]) if len(index) == 3 else index[::-1])

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return gradient.T


class RemovesAxis(Op):
    """An op whose result lacks the k-th axis of its operand."""
    k: int

    def axes(self, x: Tensor) -> Axes:
        return x.axes[:self.k] + x.axes[self.k + 1:]

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        if k < self.k:
            return apply(type(self)(**{**self.constructed(), "k": self.k - 1}), x.take(k, i))
        return apply(self, x.take(k + 1, i))


class Slice(RemovesAxis, name="slice"):
    """Position i (from 0) of the k-th axis: a row, a column, a number."""
    i: int

    @property
    def takes_one_row(self) -> bool:
        return self.k == 0

    def compute(self, x: Tensor) -> Array:
        return x.value[(slice(None),) * self.k + (self.i,)]

    def symbol(self, x: Tensor) -> Symbol | None:
        return x.symbol.indexed(self.k, self.i, x.axis_names) if x.symbol else None

    def formula(self, x: Tensor) -> Expression:
        return Indexed(x.formula(), *(str(self.i + 1) if n == self.k else ":" for n in range(len(x.axes))))

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        return x.cell((*index[:self.k], self.i, *index[self.k:]))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(Unslice(self.k, self.i, x.axes[self.k]), gradient)


class Unslice(Op, name="placed"):
    """Zeros except at position i (from 0) of a new k-th axis: the gradient of a slice."""
    k: int
    i: int
    axis: Axis

    def axes(self, x: Tensor) -> Axes:
        return x.axes[:self.k] + (self.axis,) + x.axes[self.k:]

    def compute(self, x: Tensor) -> Array:
        whole = np.zeros([axis.size for axis in self.axes(x)], x.value.dtype)
        whole[(slice(None),) * self.k + (self.i,)] = x.value
        return whole

    def formula(self, x: Tensor) -> Expression:
        return Call("placed", x.formula(), setting=f"{self.axis.name} {self.i + 1}")

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        if k == self.k:
            return apply(op_without_settings("same"), x) if i == self.i else zeros(x.axes, x.value.dtype)
        if k < self.k:
            return apply(Unslice(self.k - 1, self.i, self.axis), x.take(k, i))
        return apply(self, x.take(k - 1, i))

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        rest = index[:self.k] + index[self.k + 1:]
        return x.cell(rest) if index[self.k] == self.i else Number(0.0)

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(Slice(self.k, self.i), gradient)


class ReduceSum(RemovesAxis, name="total"):
    """The sum along the k-th axis."""

    def compute(self, x: Tensor) -> Array:
        return sum_along(x.value, self.k)

    def formula(self, x: Tensor) -> Expression:
        return SumOver(x.axes[self.k].name, x.formula())

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        return sum_of(*(x.cell((*index[:self.k], n, *index[self.k:])) for n in range(x.axes[self.k].size)))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(Broadcast(self.k, x.axes[self.k]), gradient)


class Broadcast(Op, name="repeated"):
    """The same numbers at every position of a new k-th axis: the gradient of a sum along it."""
    k: int
    axis: Axis

    def axes(self, x: Tensor) -> Axes:
        return x.axes[:self.k] + (self.axis,) + x.axes[self.k:]

    def compute(self, x: Tensor) -> Array:
        shape = x.value.shape[:self.k] + (self.axis.size,) + x.value.shape[self.k:]
        return np.broadcast_to(np.expand_dims(x.value, self.k), shape)

    def formula(self, x: Tensor) -> Expression:
        return Call("repeated", x.formula(), setting=self.axis.name)

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        if k == self.k:
            return apply(op_without_settings("same"), x)
        if k < self.k:
            return apply(Broadcast(self.k - 1, self.axis), x.take(k, i))
        return apply(self, x.take(k - 1, i))

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        return x.cell(index[:self.k] + index[self.k + 1:])

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(ReduceSum(self.k), gradient)


def broadcast_to(x: Tensor, axes: Axes) -> Tensor:
    """Repeat x along those of the axes that it lacks."""
    if x.axes is not axes and len(x.axes) < len(axes):
        for k, axis in enumerate(axes):
            if axis not in x.axes:
                x = apply(Broadcast(k, axis), x)
    return x
