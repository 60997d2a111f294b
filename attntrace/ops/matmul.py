"""The product of matrices, and the outer product of a column and a row."""
import numpy as np

from attntrace.ops.elementwise import add_all
from attntrace.tensor.axes import Axes, AxisError, NotRowwise
from attntrace.tensor.expression import Expression, MatrixProduct, OuterProduct, Product, sum_of
from attntrace.tensor.symbol import POSITIONS
from attntrace.tensor.tensor import Array, Op, Tensor, apply


def batched(left: Tensor, right: Tensor) -> bool:
    """Whether both are batches: sentence × … × …, a matrix for each sentence."""
    return len(left.axes) == len(right.axes) == 3


AT_ONCE = 1 << 29  # products of numbers, a few hundredths of a second: until they are done, Ctrl-C has to wait
FEWEST = 64  # rows of a block, below which it takes much longer


def product(left: Array, right: Array) -> Array:
    """The product of two arrays; a long one of matrices by about equal blocks of rows, which depend on nothing
    but its size."""
    if left.size * right.shape[-1] <= AT_ONCE or not left.ndim == right.ndim == 2:
        return np.asarray(left @ right)
    result = np.empty((len(left), right.shape[1]), np.result_type(left, right))
    blocks = min(-(-left.size * right.shape[1] // AT_ONCE), -(-len(left) // FEWEST))
    step = -(-len(left) // blocks)
    for start in range(0, len(left), step):
        np.matmul(left[start:start + step], right, out=result[start:start + step])
    return result


class MatMul(Op, name="matmul"):
    """The sum over the last axis of the left operand and the first of the right one: y = x W, m × n times n × p. In a
    batch, sentence by sentence."""

    def axes(self, left: Tensor, right: Tensor) -> Axes:
        if batched(left, right):
            if left.axes[0] != right.axes[0] or not left.axes[2].fits(right.axes[1]):
                raise AxisError("a product whose sentences or inner axes differ", left, right)
            return left.axes[0], left.axes[1], right.axes[2]
        if not left.axes or not right.axes or not left.axes[-1].fits(right.axes[0]):
            raise AxisError("a product whose inner axes differ", left, right)
        rows, columns = left.axes[:-1], right.axes[1:]
        if len(rows) == len(columns) == 1 and rows[0].name != columns[0].name:  # the usual case, first
            return rows[0], columns[0]
        if any([row.name == column.name for row in rows for column in columns]):
            raise AxisError("a product with the same axis twice", left, right)
        return rows + columns

    def compute(self, left: Tensor, right: Tensor) -> Array:
        return product(left.value, right.value)

    def formula(self, left: Tensor, right: Tensor) -> Expression:
        return MatrixProduct(left.formula(), right.formula())

    def transposed(self, left: Tensor, right: Tensor) -> Tensor | None:
        """(A B)ᵀ = Bᵀ Aᵀ"""
        return right.T @ left.T if len(left.axes) == len(right.axes) == 2 or batched(left, right) else None

    def row(self, k: int, i: int, left: Tensor, right: Tensor) -> Tensor:
        if batched(left, right):
            if k:  # a row of every sentence is not one matrix
                raise NotRowwise
            return apply(self, left.take(0, i), right.take(0, i))
        rows = len(left.axes) - 1
        return apply(self, left.take(k, i), right) if k < rows else apply(self, left, right.take(k - rows + 1, i))

    def cell(self, index: tuple[int, ...], left: Tensor, right: Tensor) -> Expression:
        rows = len(left.axes) - 1
        lead = index[:1] if batched(left, right) else ()
        return sum_of(*(Product(left.cell((*index[:rows], n)), right.cell((*lead, n, *index[rows:])))
                        for n in range(left.axes[-1].size)))

    def over_tokens(self, left: Tensor, right: Tensor) -> tuple[list[Tensor], Tensor] | None:
        """Xᵀ ∂L/∂Q = x₁ᵀ ∂L/∂q₁ + x₂ᵀ ∂L/∂q₂ + ..."""
        inner = left.axes[-1]
        if len(left.axes) != 2 or len(right.axes) != 2 or inner.name not in POSITIONS or (
                left.axes[0].name in POSITIONS or right.axes[1].name in POSITIONS):
            return None
        parts = [apply(Outer(), left.T.take(0, n), right.take(0, n)) for n in range(inner.size)]
        return parts, add_all(parts)

    def mixes(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor] | None:
        """a₁ V mixes the rows of V with the numbers of a₁."""
        return (left, right) if len(left.axes) == 1 and right.axis_names[0] == "token" and right.symbol else None

    def vjp(self, n: int, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> Tensor:
        return left.T @ gradient if n else gradient @ right.T

    def transposed_vjp(self, n: int, gradient: Tensor, left: Tensor, right: Tensor) -> Tensor | None:
        return gradient.T @ left if n else None


class Outer(Op, name="outer"):
    """A column times a row, m and n to m × n: what one token adds to the gradient of a weight matrix."""

    def axes(self, left: Tensor, right: Tensor) -> Axes:
        if len(left.axes) != 1 or len(right.axes) != 1 or left.axes[0].name == right.axes[0].name:
            raise AxisError("an outer product of what are not two rows of different axes", left, right)
        return left.axes + right.axes

    def compute(self, left: Tensor, right: Tensor) -> Array:
        result: Array = np.multiply.outer(left.value, right.value)
        return result

    def formula(self, left: Tensor, right: Tensor) -> Expression:
        return OuterProduct(left.formula(), right.formula())

    def row(self, k: int, i: int, left: Tensor, right: Tensor) -> Tensor:
        return left * right.take(0, i) if k else left.take(0, i) * right

    def cell(self, index: tuple[int, ...], left: Tensor, right: Tensor) -> Expression:
        return Product(left.cell(index[:1]), right.cell(index[1:]))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, left: Tensor, right: Tensor) -> Tensor:
        return left @ gradient if n else gradient @ right
