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


def split_heads(whole: Array, heads: int) -> Array:
    """sentence × token × h·d becomes sentence·head × token × d."""
    sentences, tokens, columns = whole.shape
    each = whole.reshape(sentences, tokens, heads, columns // heads).swapaxes(1, 2)
    return each.reshape(sentences * heads, tokens, columns // heads)


def join_heads(each: Array, heads: int) -> Array:
    """The reverse of `split_heads`."""
    sentences, tokens, columns = each.shape
    whole = each.reshape(sentences // heads, heads, tokens, columns).swapaxes(1, 2)
    return whole.reshape(sentences // heads, tokens, heads * columns)


class Unpack(Op, name="apart"):
    """token × … becomes sentence × token × …, shorter sentences padded with zeros. With more than one of the `heads`,
    whose columns stand side by side, each sentence becomes as many, one after another."""
    heads: int = 1

    def axes(self, x: Tensor) -> Axes:
        token, *rest = x.axes
        if token.lengths is None and self.heads == 1:
            raise AxisError("a single sentence, which cannot be unpacked", x)
        if self.heads > 1:
            rest = [Axis("d_k", rest[0].size // self.heads)]
        lengths = token.lengths or (token.size,)
        return Axis("sentence", len(lengths) * self.heads), Axis(token.name, max(lengths)), *rest

    def compute(self, x: Tensor) -> Array:
        lengths = x.axes[0].lengths or (x.axes[0].size,)
        value, longest = x.value, max(lengths)
        if len(lengths) * longest > len(value):  # not all of one length: padding
            value = np.zeros((len(lengths) * longest, *x.value.shape[1:]), x.value.dtype)
            value[padded_positions(lengths)] = x.value
        whole = value.reshape(len(lengths), longest, *value.shape[1:])
        return whole if self.heads == 1 else split_heads(whole, self.heads)

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        if k < 2 or self.heads > 1:
            raise NotRowwise
        return apply(self, x.take(k - 1, i))

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        sentence, token, *rest = index
        if self.heads > 1:
            sentence, head = divmod(sentence, self.heads)
            rest = [head * (x.axes[1].size // self.heads) + rest[0]]
        lengths = x.axes[0].lengths or (x.axes[0].size,)
        if token >= lengths[sentence]:
            return Number(0.0)
        return x.cell((sum(lengths[:sentence]) + token, *rest))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(Pack(x.axes[0], self.heads, x.axes[1].name if self.heads > 1 else ""), gradient)


class Pack(Op, name="together"):
    """sentence × token × … becomes token × …, without the padding: the reverse of Unpack. axis_name: of the columns of
    all heads."""
    axis: Axis
    heads: int = 1
    axis_name: str = ""

    def axes(self, x: Tensor) -> Axes:
        lengths = self.axis.lengths or (self.axis.size,)
        if (len(lengths) * self.heads, max(lengths, default=0)) != (x.axes[0].size, x.axes[1].size):
            raise AxisError("sentences of other lengths", x)
        return self.axis, *(x.axes[2:] if self.heads == 1 else (Axis(self.axis_name, x.axes[2].size * self.heads),))

    def compute(self, x: Tensor) -> Array:
        whole = x.value if self.heads == 1 else join_heads(x.value, self.heads)
        flat = whole.reshape(-1, *whole.shape[2:])
        if len(flat) == self.axis.size:
            return flat
        return flat.take(padded_positions(self.axis.lengths or ()), axis=0, mode="clip")

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        if self.heads > 1:
            raise NotRowwise
        if not k:
            sentence, token = divmod(int(padded_positions(self.axis.lengths or ())[i]), x.axes[1].size)
            return x.take(0, sentence).take(0, token)
        return apply(self, x.take(k + 1, i))

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        position = int(padded_positions(self.axis.lengths or (self.axis.size,))[index[0]])
        (sentence, token), rest = divmod(position, x.axes[1].size), index[1:]
        if self.heads > 1:
            head, column = divmod(rest[0], x.axes[2].size)
            sentence, rest = sentence * self.heads + head, (column,)
        return x.cell((sentence, token, *rest))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(Unpack(self.heads), gradient)

    def settings(self) -> list[Any]:
        return [list(self.axis.lengths or ()), *([self.heads] if self.heads > 1 else [])]


def unpack(x: Tensor) -> Tensor:
    """Unpack the sentences of a batch; a single sentence stays as it is."""
    return x if x.axes[0].lengths is None else apply(Unpack(), x)


def pack(x: Tensor, token: Axis) -> Tensor:
    """Pack a batch along `token` again; a single sentence stays as it is."""
    return x if token.lengths is None else apply(Pack(token), x)
