"""The functions of the transformer: softmax, mean, square, root, ReLU, positional encoding."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from attntrace import arithmetic as cells
from attntrace.algebra import CellByCell
from attntrace.shapes import Repeated, Total
from attntrace.symbol import CLOSE, ROOT, ROOT_CLOSE, ROOT_END, ROOT_OPEN, SQUARED, call
from attntrace.tensor import (
    ATOM, POWER, Array, Axes, Axis, Name, NeedsAll, Op, Pieces, Promise, Tensor, apply, bracketed, constant)


@dataclass(frozen=True, slots=True)
class Same(CellByCell):
    """The operand itself, under another name (the encoder's output is its last layer's)."""
    name: ClassVar[str] = "same"

    def compute(self, *operands: Tensor) -> Array:
        return operands[0].value

    def notation(self, *operands: Tensor) -> Pieces:
        return operands[0].notation().pieces

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return operands[0].cell(index)

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (gradient,)


@dataclass(frozen=True, slots=True)
class Softmax(Op):
    """e^x / Σ e^x along the last axis, with its maximum subtracted first: the same, and nothing overflows."""
    name: ClassVar[str] = "softmax"
    shares: ClassVar[bool] = True

    def axes(self, *operands: Tensor) -> Axes:
        return operands[0].axes

    def compute(self, *operands: Tensor) -> Array:
        value = operands[0].value
        powers = value - value.max(axis=-1, keepdims=True)
        np.exp(powers, out=powers)
        powers /= powers.sum(axis=-1, keepdims=True)
        return powers

    def notation(self, *operands: Tensor) -> Pieces:
        return call("softmax"), *operands[0].notation().pieces, CLOSE

    def follow(self, k: int, i: int, *operands: Tensor) -> Tensor:
        if k == len(operands[0].axes) - 1:
            raise NeedsAll
        return apply(self, operands[0].at(k, i))

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        row = [operands[0].cell((*index[:-1], n)) for n in range(operands[0].axes[-1].size)]
        largest = row[int(operands[0].value[index[:-1]].argmax())]
        powers = tuple(cells.Exp(cells.Difference(one, largest)) for one in row)
        return cells.Quotient(powers[index[-1]], cells.added(powers))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        along = Total(len(result.axes) - 1)
        return (result * (gradient - apply(along, gradient * result)),)

    def promises(self, result: Array, *operands: Tensor) -> Iterator[Promise]:
        yield Promise("rows_sum_to_one", float(np.abs(result.sum(axis=-1) - 1).max()))
        masked = np.isneginf(operands[0].value)
        if masked.any():
            yield Promise("masked_weights_are_zero", float(np.abs(result[masked]).max()), exact=True)


@dataclass(frozen=True, slots=True)
class Mean(Op):
    """The mean along the last axis."""
    name: ClassVar[str] = "mean"

    def axes(self, *operands: Tensor) -> Axes:
        return operands[0].axes[:-1]

    def compute(self, *operands: Tensor) -> Array:
        return np.asarray(operands[0].value.mean(axis=-1))

    def notation(self, *operands: Tensor) -> Pieces:
        return call("mean"), *operands[0].notation().pieces, CLOSE

    def follow(self, k: int, i: int, *operands: Tensor) -> Tensor:
        return apply(self, operands[0].at(k, i))

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        size = operands[0].axes[-1].size
        terms = tuple(operands[0].cell((*index, n)) for n in range(size))
        return cells.Quotient(cells.added(terms), cells.Number(size))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        axis = operands[0].axes[-1]
        return (apply(Repeated(len(result.axes), axis), gradient / constant(axis.size, dtype=result.value.dtype)),)


@dataclass(frozen=True, slots=True)
class Square(CellByCell):
    name: ClassVar[str] = "square"
    binds: ClassVar[int] = POWER

    def compute(self, *operands: Tensor) -> Array:
        return operands[0].value * operands[0].value

    def notation(self, *operands: Tensor) -> Pieces:
        return *bracketed(operands[0], ATOM), SQUARED

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return cells.Square(*self.parts(index, *operands))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (constant(2, dtype=result.value.dtype) * operands[0] * gradient,)


@dataclass(frozen=True, slots=True)
class Sqrt(CellByCell):
    name: ClassVar[str] = "sqrt"
    binds: ClassVar[int] = POWER

    def compute(self, *operands: Tensor) -> Array:
        return np.sqrt(operands[0].value)

    def notation(self, *operands: Tensor) -> Pieces:
        inner = operands[0].notation()
        if inner.binds == ATOM:
            return ROOT, *inner.pieces, ROOT_END
        return ROOT_OPEN, *inner.pieces, ROOT_CLOSE

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return cells.Root(*self.parts(index, *operands))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (gradient / (constant(2, dtype=result.value.dtype) * result),)


@dataclass(frozen=True, slots=True)
class Relu(CellByCell):
    """max(0, x) (section 3.3)."""
    name: ClassVar[str] = "relu"

    def compute(self, *operands: Tensor) -> Array:
        return np.maximum(operands[0].value, 0)

    def notation(self, *operands: Tensor) -> Pieces:
        return call("max", "0, "), *operands[0].notation().pieces, CLOSE

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return cells.Call("max", (cells.Number(0), *self.parts(index, *operands)))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (gradient * apply(Positive(), operands[0]),)


@dataclass(frozen=True, slots=True)
class Positive(CellByCell):
    """1 where x > 0, else 0: the slope of ReLU (0 at 0, as everybody has it)."""
    name: ClassVar[str] = "positive"

    def compute(self, *operands: Tensor) -> Array:
        return (operands[0].value > 0).astype(operands[0].value.dtype)

    def notation(self, *operands: Tensor) -> Pieces:
        return call("positive"), *operands[0].notation().pieces, CLOSE

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        return cells.Call("positive", self.parts(index, *operands))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (None,)


@dataclass(frozen=True, slots=True)
class Sinusoid(Op):
    """Positional encoding of positions that count from 0 (section 3.5): PE(pos, 2k) = sin(pos / 10000^(2k/d_model)),
    PE(pos, 2k+1) its cosine. `layout` is `interleaved` as in the paper, or `halves`: first all sines, then all cosines.
    """
    name: ClassVar[str] = "sinusoid"
    width: int
    layout: str
    dtype: str

    def axes(self, *operands: Tensor) -> Axes:
        return *operands[0].axes, Axis("d_model", self.width)

    def wave(self, column: int) -> tuple[str, int]:
        """The function of a column (from 0), and the 2k of its wavelength."""
        if self.layout == "interleaved":
            return ("sin", "cos")[column % 2], column - column % 2
        half = self.width // 2
        return ("sin", "cos")[column >= half], 2 * (column % half)

    def compute(self, *operands: Tensor) -> Array:
        waves = [self.wave(column) for column in range(self.width)]
        powers = np.array([power for _, power in waves]) / self.width
        angle = operands[0].value[..., None] / np.power(10000.0, powers)
        sines = np.array([function == "sin" for function, _ in waves])
        return np.where(sines, np.sin(angle), np.cos(angle)).astype(self.dtype)

    def notation(self, *operands: Tensor) -> Pieces:
        return call("PE"), Name(operands[0]), CLOSE

    def follow(self, k: int, i: int, *operands: Tensor) -> Tensor:
        if k == len(operands[0].axes):
            raise NeedsAll
        return apply(self, operands[0].at(k, i))

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> cells.Arithmetic:
        function, power = self.wave(index[-1])
        wavelength = cells.TenThousandTo(cells.Quotient(cells.Number(power), cells.Number(self.width)))
        return cells.Call(function, (cells.Quotient(operands[0].cell(index[:-1]), wavelength),))

    def gradients(self, gradient: Tensor, result: Tensor, *operands: Tensor) -> tuple[Tensor | None, ...]:
        return (None,)

    def settings(self) -> list[Any]:
        return [self.width, self.layout]


def softmax(scores: Tensor) -> Tensor:
    return apply(Softmax(), scores)


def mean(x: Tensor) -> Tensor:
    return apply(Mean(), x)


def square(x: Tensor) -> Tensor:
    return apply(Square(), x)


def sqrt(x: Tensor) -> Tensor:
    return apply(Sqrt(), x)


def relu(x: Tensor) -> Tensor:
    return apply(Relu(), x)


def same(x: Tensor) -> Tensor:
    return apply(Same(), x)
