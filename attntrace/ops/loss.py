"""The loss of a prediction: labels with smoothing, cross-entropy (section 5.4)."""
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from attntrace.ops.shape import bracketed
from attntrace.tensor import expression as cells
from attntrace.tensor.axes import Axes, Axis, AxisError
from attntrace.tensor.expression import PRODUCT
from attntrace.tensor.symbol import CLOSE, Sign, call
from attntrace.tensor.tensor import Array, Name, Op, Pieces, Tensor


@dataclass(eq=False, repr=False)
class Labels(Op):
    """A row for each id (from 1): 1 at that word of the vocabulary, 0 at all others. Label smoothing (section 5.4)
    spreads a share of the 1 evenly over the whole vocabulary."""
    name: ClassVar[str] = "labels"
    needs_whole_rows: ClassVar[bool] = True
    non_differentiable: ClassVar[tuple[int, ...]] = (0,)
    vocab: Axis
    smoothing: float
    dtype: str

    def axes(self, ids: Tensor) -> Axes:
        return *ids.axes, self.vocab

    def compute(self, ids: Tensor) -> Array:
        rows = np.full((*ids.value.shape, self.vocab.size), self.smoothing / self.vocab.size, self.dtype)
        labels = np.arange(ids.value.size) * self.vocab.size + ids.value.ravel() - 1
        rows.reshape(-1)[labels] = 1 - self.smoothing + self.smoothing / self.vocab.size
        return rows

    def notation(self, ids: Tensor) -> Pieces:
        return call("smoothed", f"{self.smoothing:g}, ") if self.smoothing else call("one_hot"), Name(ids), CLOSE

    def cell(self, index: tuple[int, ...], ids: Tensor) -> cells.Arithmetic:
        right = index[-1] + 1 == ids.value[index[:-1]]
        if not self.smoothing:
            return cells.Number(int(right))
        spread = cells.Quotient(cells.Number(self.smoothing), cells.Number(self.vocab.size))
        rest = cells.Difference(cells.Number(1), cells.Number(self.smoothing))
        return cells.Sum((rest, spread)) if right else spread


class CrossEntropy(Op):
    """-Σ y log p along the vocabulary, where p = softmax(logits) and y are labels that sum to 1.

    logits, p, y: … × vocab. The logits are an operand because the gradient goes straight to them: that of logarithm
    and softmax together is p - y, in which nothing can overflow."""
    name: ClassVar[str] = "cross_entropy"
    non_differentiable: ClassVar[tuple[int, ...]] = (1, 2)
    show_every_cell: ClassVar[bool] = True
    binds: ClassVar[int] = PRODUCT

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

    def notation(self, logits: Tensor, p: Tensor, y: Tensor) -> Pieces:
        opening = Sign("-Σ_vocab(", "-sum_vocab(", r"-\sum_{\mathrm{vocab}}(")
        times = Sign(" ⊙ log(", " .* log(", r" \odot \log(")
        return opening, *bracketed(y, PRODUCT), times, *p.notation().pieces, CLOSE, CLOSE

    def cell(self, index: tuple[int, ...], logits: Tensor, p: Tensor, y: Tensor) -> cells.Arithmetic:
        """The arithmetic without the terms whose label is 0."""
        terms = tuple(cells.Product(y.cell((*index, int(n))), cells.Call("log", (p.cell((*index, int(n))),)))
                      for n in np.flatnonzero(y.value[index]))
        return cells.Negative(cells.sum_of(terms))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, logits: Tensor, p: Tensor, y: Tensor) -> Tensor:
        return (p - y) * gradient
