"""The loss of a prediction: labels with smoothing, cross-entropy (section 5.4)."""
from typing import Any

import numpy as np

from attntrace.tensor.axes import Axes, Axis, AxisError
from attntrace.tensor.expression import (Call, Difference, ElementwiseProduct, Expression, Negative, Number, Product,
                                         Quotient, Sum, SumOver, sum_of)
from attntrace.tensor.tensor import Array, Name, Op, Tensor


class Labels(Op, name="labels", needs_whole_rows=True, non_differentiable=(0,)):
    """A row for each id (from 1): 1 at that word of the vocabulary, 0 at all others. Label smoothing (section 5.4)
    spreads a share of the 1 evenly. over: `all` words (as PyTorch does), the `others` (as tensor2tensor), or the other
    `words`, without the one whose id is `padding` (as The Annotated Transformer)."""
    vocab: Axis
    smoothing: float
    dtype: str
    over: str = "all"
    padding: int = 0

    def axes(self, ids: Tensor) -> Axes:
        return *ids.axes, self.vocab

    def count(self, right: Any) -> Any:
        """How many words share the smoothing where this id, or each of these, is the right one."""
        others = self.vocab.size - (self.over != "all")
        return others - (right != self.padding) if self.over == "words" else others + 0 * right

    def compute(self, ids: Tensor) -> Array:
        right, count = ids.value.reshape(-1, 1), self.count(ids.value.reshape(-1, 1))
        spread = self.smoothing / np.maximum(count, 1)
        rows = np.broadcast_to(spread, (right.size, self.vocab.size)).astype(self.dtype)
        if self.over == "words":
            rows[:, self.padding - 1] = 0
        most = 1 - self.smoothing + (spread if self.over == "all" else self.smoothing * (count == 0))
        np.put_along_axis(rows, right - 1, most.astype(self.dtype), axis=1)
        return rows.reshape(*ids.value.shape, self.vocab.size)

    def formula(self, ids: Tensor) -> Expression:
        if self.smoothing:
            over = "" if self.over == "all" else f" over {self.over}"
            return Call("smoothed", Name(ids), setting=f"{self.smoothing:g}{over}")
        return Call("one_hot", Name(ids))

    def cell(self, index: tuple[int, ...], ids: Tensor) -> Expression:
        id = int(ids.value[index[:-1]])
        right, count = index[-1] + 1 == id, self.count(id)
        if not self.smoothing or not count or self.over == "words" and index[-1] + 1 == self.padding != id:
            return Number(int(right))
        spread = Quotient(Number(self.smoothing), Number(count))
        rest = Difference(Number(1), Number(self.smoothing))
        return spread if not right else Sum(rest, spread) if self.over == "all" else rest


class CrossEntropy(Op, name="cross_entropy", non_differentiable=(1, 2), show_every_cell=True):
    """-Σ y log p along the vocabulary, where p = softmax(logits) and y are labels that sum to 1.

    logits, p, y: … × vocab. The logits are an operand because the gradient goes straight to them: that of logarithm
    and softmax together is p - y, in which nothing can overflow."""

    def axes(self, logits: Tensor, p: Tensor, y: Tensor) -> Axes:
        if not logits.axes == p.axes == y.axes:
            raise AxisError("a prediction and labels that differ", logits, p, y)
        return p.axes[:-1]

    def compute(self, logits: Tensor, p: Tensor, y: Tensor) -> Array:
        with np.errstate(divide="ignore"):
            logs = np.log(p.value)
        if logs.min() == -np.inf:  # 0 · log 0 counts as 0
            logs[(logs == -np.inf) & (y.value == 0)] = 0
        return np.asarray(-np.einsum("...i,...i->...", y.value, logs))

    def formula(self, logits: Tensor, p: Tensor, y: Tensor) -> Expression:
        return Negative(SumOver("vocab", ElementwiseProduct(y.formula(), Call("log", p.formula()))))

    def cell(self, index: tuple[int, ...], logits: Tensor, p: Tensor, y: Tensor) -> Expression:
        """The arithmetic without the terms whose label is 0."""
        return Negative(sum_of(*(Product(y.cell((*index, n)), Call("log", p.cell((*index, n))))
                                 for n in np.flatnonzero(y.value[index]).tolist())))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, logits: Tensor, p: Tensor, y: Tensor) -> Tensor:
        return (p - y) * gradient
