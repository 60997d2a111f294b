"""The ops that set the sentences of a batch apart, and put them together again.

A batch is packed: its sentences stand along the token axis one after another. Inside attention alone they stand apart,
along an axis of their own, filled up with zeros.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from attntrace.tensor import expression as cells
from attntrace.tensor.axes import Axes, Axis
from attntrace.tensor.errors import AxisError, NotRowwise
from attntrace.tensor.symbol import CLOSE, call
from attntrace.tensor.tensor import Array, Op, Pieces, Tensor, apply

Lengths = tuple[int, ...]


@lru_cache(256)
def places(lengths: Lengths) -> Array:
    """Where each token of a pack stands (from 0) once its sentence is filled up to the longest."""
    return np.concatenate([np.arange(length) + n * max(lengths) for n, length in enumerate(lengths)])


@lru_cache(256)
def sources(lengths: Lengths) -> tuple[Array, Array]:
    """Which token of a pack stands at each place once all sentences are filled up, and the places that only fill up."""
    found = np.zeros(len(lengths) * max(lengths), int)
    found[places(lengths)] = np.arange(sum(lengths))
    return found, np.setdiff1d(np.arange(len(found)), places(lengths))


class Unpack(Op):
    """The sentences that are packed along the first axis, each by itself, the shorter ones filled up with zeros."""
    name: ClassVar[str] = "apart"

    def axes(self, x: Tensor) -> Axes:
        token = x.axes[0]
        if token.lengths is None:
            raise AxisError("one sentence alone, which cannot be set apart", x)
        return (Axis("sentence", len(token.lengths)), Axis(token.name, max(token.lengths))) + x.axes[1:]

    def compute(self, x: Tensor) -> Array:
        sentence, token = self.axes(x)[:2]
        shape = (sentence.size, token.size, *x.value.shape[1:])
        if sentence.size * token.size == len(x.value):  # all of one length: nothing is filled up
            return x.value.reshape(shape)
        at, fill = sources(x.axes[0].lengths or ())
        whole = x.value.take(at, axis=0, mode="clip")
        whole[fill] = 0
        return whole.reshape(shape)

    def notation(self, x: Tensor) -> Pieces:
        return call("apart"), *x.notation().pieces, CLOSE

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        if k < 2:
            raise NotRowwise
        return apply(self, x.take(k - 1, i))

    def cell(self, index: tuple[int, ...], x: Tensor) -> cells.Arithmetic:
        sentence, token, *rest = index
        lengths = x.axes[0].lengths or ()
        if token >= lengths[sentence]:
            return cells.Number(0.0)
        return x.cell((sum(lengths[:sentence]) + token, *rest))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(Pack(x.axes[0]), gradient)


@dataclass(eq=False, repr=False)
class Pack(Op):
    """The reverse of Apart: the sentences packed along one axis, without what had filled them up."""
    name: ClassVar[str] = "together"
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
        return flat.take(places(self.axis.lengths or ()), axis=0, mode="clip")

    def notation(self, x: Tensor) -> Pieces:
        return call("together"), *x.notation().pieces, CLOSE

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        if not k:
            sentence, token = divmod(int(places(self.axis.lengths or ())[i]), x.axes[1].size)
            return x.take(0, sentence).take(0, token)
        return apply(self, x.take(k + 1, i))

    def cell(self, index: tuple[int, ...], x: Tensor) -> cells.Arithmetic:
        place = int(places(self.axis.lengths or ())[index[0]])
        return x.cell((*divmod(place, x.axes[1].size), *index[1:]))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(Unpack(), gradient)

    def settings(self) -> list[Any]:
        return [list(self.axis.lengths or ())]


def apart(x: Tensor) -> Tensor:
    """The sentences of a batch, each by itself; one sentence stays as it is."""
    return x if x.axes[0].lengths is None else apply(Unpack(), x)


def together(x: Tensor, token: Axis) -> Tensor:
    """Packed along `token` again; one sentence stays as it is."""
    return x if token.lengths is None else apply(Pack(token), x)
