"""The ops that unpack the sentences of a batch and pack them again.

A batch is packed: its sentences stand one after another along the token axis. Inside attention it is unpacked: its
sentences stand along an axis of their own, padded with zeros to the longest."""
from functools import lru_cache
from typing import Any

import numpy as np

from attntrace.tensor.axes import Axes, Axis, AxisError, NotRowwise
from attntrace.tensor.expression import Expression, Number
from attntrace.tensor.tensor import Array, Op, Tensor, apply

Lengths = tuple[int, ...]


@lru_cache(256)
def padded_positions(lengths: Lengths) -> Array:
    """The position (from 0) of each packed token once all sentences are padded to the longest."""
    return np.concatenate([np.arange(length) + n * max(lengths) for n, length in enumerate(lengths)])


class Unpack(Op, name="apart"):
    """token × … becomes sentence × token × …, shorter sentences padded with zeros."""

    def axes(self, x: Tensor) -> Axes:
        token = x.axes[0]
        if token.lengths is None:
            raise AxisError("a single sentence, which cannot be unpacked", x)
        return (Axis("sentence", len(token.lengths)), Axis(token.name, max(token.lengths))) + x.axes[1:]

    def compute(self, x: Tensor) -> Array:
        sentence, token = self.axes(x)[:2]
        shape = (sentence.size, token.size, *x.value.shape[1:])
        if sentence.size * token.size == len(x.value):  # all of one length: no padding
            return x.value.reshape(shape)
        whole = np.zeros((sentence.size * token.size, *x.value.shape[1:]), x.value.dtype)
        whole[padded_positions(x.axes[0].lengths or ())] = x.value
        return whole.reshape(shape)

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        if k < 2:
            raise NotRowwise
        return apply(self, x.take(k - 1, i))

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        sentence, token, *rest = index
        lengths = x.axes[0].lengths or ()
        if token >= lengths[sentence]:
            return Number(0.0)
        return x.cell((sum(lengths[:sentence]) + token, *rest))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(Pack(x.axes[0]), gradient)


class Pack(Op, name="together"):
    """sentence × token × … becomes token × …, without the padding: the reverse of Unpack."""
    axis: Axis

    def axes(self, x: Tensor) -> Axes:
        lengths = self.axis.lengths or ()
        if (len(lengths), max(lengths, default=0)) != (x.axes[0].size, x.axes[1].size):
            raise AxisError("sentences of other lengths", x)
        return (self.axis,) + x.axes[2:]

    def compute(self, x: Tensor) -> Array:
        flat = x.value.reshape(-1, *x.value.shape[2:])
        if len(flat) == self.axis.size:
            return flat
        return flat.take(padded_positions(self.axis.lengths or ()), axis=0, mode="clip")

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        if not k:
            sentence, token = divmod(int(padded_positions(self.axis.lengths or ())[i]), x.axes[1].size)
            return x.take(0, sentence).take(0, token)
        return apply(self, x.take(k + 1, i))

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        position = int(padded_positions(self.axis.lengths or ())[index[0]])
        return x.cell((*divmod(position, x.axes[1].size), *index[1:]))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(Unpack(), gradient)

    def settings(self) -> list[Any]:
        return [list(self.axis.lengths or ())]


def unpack(x: Tensor) -> Tensor:
    """Unpack the sentences of a batch; a single sentence stays as it is."""
    return x if x.axes[0].lengths is None else apply(Unpack(), x)


def pack(x: Tensor, token: Axis) -> Tensor:
    """Pack a batch along `token` again; a single sentence stays as it is."""
    return x if token.lengths is None else apply(Pack(token), x)
