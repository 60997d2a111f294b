"""The functions of the transformer, each with its gradient: softmax, mean, square, root, those of which activations are
made, positional encoding."""
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

import numpy as np

from attntrace.ops.elementwise import Unary
from attntrace.ops.shape import ReduceSum, sum_along
from attntrace.tensor import expression
from attntrace.tensor.axes import Axes, Axis
from attntrace.tensor.expression import (Call, Difference, Exp, Expression, Negative, Number, Power, Product, Quotient,
                                         Root, Sum, sum_of)
from attntrace.tensor.tensor import Array, Name, Op, Postcondition, Tensor, constant


class Identity(Unary, name="same", function=lambda value: value, expression=lambda x: x):
    """The operand under another name (the encoder's output is that of its last layer)."""

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return gradient


def row_maxima(value: Array) -> Array:
    """The maximum of each row; of short rows column by column, which is twice as fast."""
    width = value.shape[-1]
    if value.ndim < 2 or width > 64:
        return np.asarray(value.max(axis=-1))
    columns = np.ascontiguousarray(value.reshape(-1, width).T)
    return np.asarray(columns.max(axis=0).reshape(value.shape[:-1]))


class Softmax(Op, name="softmax", rows_sum_to_one=True, needs_whole_rows=True):
    """e^x / Σ e^x along the last axis, with the maximum subtracted first so that nothing overflows. Of a row that is
    -inf throughout, where a word may look nowhere, this would be 0 / 0: here it is 0."""

    def compute(self, x: Tensor) -> Array:
        value = x.value
        largest = row_maxima(value)
        nowhere = largest == -np.inf
        powers: Array = value - (np.where(nowhere, 0, largest) if nowhere.any() else largest)[..., None]
        np.exp(powers, out=powers)
        sums = sum_along(powers, value.ndim - 1) + nowhere.astype(value.dtype)
        powers /= sums[..., None]
        return powers

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        if np.isneginf(x.value[index[:-1]]).all():
            return Number(0)
        row = [x.cell((*index[:-1], n)) for n in range(x.axes[-1].size)]
        largest = row[int(x.value[index[:-1]].argmax())]
        powers = [Exp(Difference(one, largest)) for one in row]
        return Quotient(powers[index[-1]], sum_of(*powers))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        """∂L/∂x = p ⊙ (∂L/∂p - Σ ∂L/∂p ⊙ p), where p = softmax(x)."""
        return result * (gradient - ReduceSum(len(result.axes) - 1)(gradient * result))

    def postconditions(self, result: Array, x: Tensor) -> Iterator[Postcondition]:
        masked = np.isneginf(x.value)
        nowhere = masked.all(axis=-1)
        yield Postcondition("rows_sum_to_one", float(np.abs(result.sum(axis=-1) - ~nowhere).max()))
        if masked.any():
            yield Postcondition("masked_weights_are_zero", float(np.abs(result[masked]).max()), exact=True)
        if nowhere.any():
            yield Postcondition("rows_that_look_nowhere", float(np.abs(result[nowhere]).max()), exact=True)


class Mean(Op, name="mean"):
    """The mean along the last axis."""

    def axes(self, x: Tensor) -> Axes:
        return x.axes[:-1]

    def compute(self, x: Tensor) -> Array:
        return np.asarray(sum_along(x.value, x.value.ndim - 1) / np.asarray(x.axes[-1].size, x.value.dtype))

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        size = x.axes[-1].size
        return Quotient(sum_of(*(x.cell((*index, n)) for n in range(size))), Number(size))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return gradient / constant(x.axes[-1].size, dtype=result.value.dtype)


class Square(Unary, name="square", function=np.square, expression=expression.Square):
    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return constant(2, dtype=result.value.dtype) * gradient * x


class Sqrt(Unary, name="sqrt", function=np.sqrt, expression=expression.Root):
    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return gradient / (constant(2, dtype=result.value.dtype) * result)


class Relu(Unary, name="relu", function=lambda value: np.maximum(value, 0),
           expression=lambda x: Call("max", Number(0), x)):
    """max(0, x) (section 3.3)."""

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return gradient * StepFunction()(x)


class StepFunction(Unary, name="positive", function=lambda value: (value > 0).astype(value.dtype),
                   expression=lambda x: Call("positive", x), non_differentiable=(0,)):
    """1 where x > 0, else 0: the derivative of ReLU (0 at 0, by convention)."""


class Lettered(Unary):
    """A function whose formula is its `letter`: Φ(H). The arithmetic of a number has its definition."""
    letter: ClassVar[str]

    def formula(self, *operands: Tensor) -> Expression:
        return Call(self.letter, operands[0].formula())


def erf(value: Array) -> Array:
    """The error function: Python's, since NumPy has none."""
    return np.fromiter(map(math.erf, value.ravel().tolist()), value.dtype, value.size).reshape(value.shape)


class NormalCdf(Lettered, name="normal_cdf", letter="Φ", function=lambda value: (1 + erf(value / math.sqrt(2))) / 2,
                expression=lambda x: Quotient(Sum(Number(1), Call("erf", Quotient(x, Root(Number(2))))), Number(2))):
    """Φ(x) = (1 + erf(x / √2)) / 2: the probability that a standard normal number is below x."""

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return gradient * normal_pdf(x)


class NormalPdf(Lettered, name="normal_pdf", letter="φ",
                function=lambda value: np.exp(-(value * value / 2)) / math.sqrt(2 * math.pi),
                expression=lambda x: Quotient(Exp(Negative(Quotient(Product(x, x), Number(2)))),
                                              Root(Product(Number(2), Number(math.pi))))):
    """φ(x) = e^(-x² / 2) / √(2π), the derivative of Φ."""


ROOT, SHARE = math.sqrt(2 / math.pi), 0.044715  # of the approximation of Φ by a tanh (Hendrycks and Gimpel 2016)


def near_normal(x: Expression) -> Expression:
    """tanh(√(2/π) (x + 0.044715 x³)), which is nearly erf(x / √2)."""
    cubed = Product(Product(Product(x, x), x), Number(SHARE))
    return Call("tanh", Product(Root(Quotient(Number(2), Number(math.pi))), Sum(x, cubed)))


class NormalCdfTanh(Lettered, name="normal_cdf_tanh", letter="Φ_tanh",
                    function=lambda value: (1 + np.tanh(ROOT * (value + value * value * value * SHARE))) / 2,
                    expression=lambda x: Quotient(Sum(Number(1), near_normal(x)), Number(2))):
    """(1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, nearly Φ(x)."""

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return gradient * normal_pdf_tanh(x)


class NormalPdfTanh(Lettered, name="normal_pdf_tanh", letter="φ_tanh",
                    function=lambda value: (1 - np.tanh(ROOT * (value + value * value * value * SHARE)) ** 2) * ROOT * (
                        1 + 3 * SHARE * (value * value)) / 2,
                    expression=lambda x: Quotient(Product(
                        Product(Difference(Number(1), expression.Square(near_normal(x))),
                                Root(Quotient(Number(2), Number(math.pi)))),
                        Sum(Number(1), Product(Number(3 * SHARE), Product(x, x)))), Number(2))):
    """The derivative of that, nearly φ(x)."""


class Sigmoid(Lettered, name="sigmoid", letter="σ"):
    """σ(x) = 1 / (1 + e^-x); of a negative number e^x / (1 + e^x), which is the same, so that nothing overflows."""

    def compute(self, x: Tensor) -> Array:
        powers = np.exp(-np.abs(x.value))
        return np.asarray(np.where(x.value < 0, powers, np.ones_like(powers)) / (1 + powers))

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> Expression:
        (x,) = operands
        power = Exp(x.cell(index)) if x.value[index] < 0 else Exp(Negative(x.cell(index)))
        return Quotient(power if x.value[index] < 0 else Number(1), Sum(Number(1), power))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return gradient * (result - square(result))


LARGEST_TABLE = 1 << 12  # positions


class Sinusoid(Op, name="sinusoid", needs_whole_rows=True, non_differentiable=(0,)):
    """Positional encoding of positions that count from 0 (section 3.5): PE(pos, 2k) = sin(pos / base^(2k/d_model)),
    PE(pos, 2k+1) its cosine. layout: `interleaved` as in the paper; `halves`, first all sines, then all cosines; or
    `tensor2tensor`, halves of the wavelengths base^(k / (d_model/2 - 1)), from 1 to the base. The last column of an odd
    width has no partner: a sine, in tensor2tensor 0."""
    width: int
    layout: str
    dtype: str
    base: float = 10000

    def axes(self, pos: Tensor) -> Axes:
        return *pos.axes, Axis("d_model", self.width)

    def wave(self, column: int) -> tuple[str, int, int]:
        """The function of a column (from 0), none for a 0, and the exponent of its wavelength as a fraction."""
        if self.layout == "interleaved":
            return ("sin", "cos")[column % 2], column - column % 2, self.width
        short = self.layout == "tensor2tensor"
        half = (self.width + (not short)) // 2
        k = column if column < half else column - half
        function = "" if short and column == 2 * half else ("sin", "cos")[column >= half]
        return (function, k, max(half - 1, 1)) if short else (function, 2 * k, self.width)

    def compute(self, pos: Tensor) -> Array:
        positions = 1 << int(pos.value.max(initial=0)).bit_length()  # a power of two: few tables serve all lengths
        if positions > LARGEST_TABLE:
            return self.encoded(pos.value)
        return sinusoid_table(positions, self, self.dtype).take(pos.value, axis=0)

    def encoded(self, positions: Array) -> Array:
        """The rows of these positions."""
        functions, tops, bottoms = zip(*map(self.wave, range(self.width)))
        angle = positions[..., None] / np.power(float(self.base), np.array(tops) / bottoms)
        waves = np.where(np.array(functions) == "sin", np.sin(angle), np.cos(angle))
        return np.where(np.array(functions) == "", 0, waves).astype(self.dtype)

    def formula(self, pos: Tensor) -> Expression:
        return Call("PE", Name(pos))

    def cell(self, index: tuple[int, ...], pos: Tensor) -> Expression:
        function, top, bottom = self.wave(index[-1])
        wavelength = Power(Number(self.base), Quotient(Number(top), Number(bottom)))
        return Call(function, Quotient(pos.cell(index[:-1]), wavelength)) if function else Number(0.0)


@lru_cache(16)  # rows and batches ask for the same few
def sinusoid_table(positions: int, op: Sinusoid, dtype: str) -> Array:
    """The encodings of the first positions: positions × width. dtype: the op's, which does not tell two ops apart."""
    return op.encoded(np.arange(positions))


# Ops without settings, to be called with a tensor.
identity, softmax, mean = Identity(), Softmax(), Mean()
square, sqrt, relu, sigmoid = Square(), Sqrt(), Relu(), Sigmoid()
normal_cdf, normal_pdf = NormalCdf(), NormalPdf()
normal_cdf_tanh, normal_pdf_tanh = NormalCdfTanh(), NormalPdfTanh()
