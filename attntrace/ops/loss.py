"""How far a prediction is from the words that should have come: labels, cross-entropy (section 5.4)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from attntrace.ops.shape import bracketed
from attntrace.tensor import expression as cells
from attntrace.tensor.axes import Axes, Axis
from attntrace.tensor.errors import AxisError, NotRowwise
from attntrace.tensor.expression import PRODUCT
from attntrace.tensor.symbol import CLOSE, Sign, call
from attntrace.tensor.tensor import Array, Name, Op, Pieces, Tensor, apply


@dataclass(eq=False, repr=False)
class Labels(Op):
    """A row for each id (from 1): 1 at that word of the vocabulary, 0 at all others. With label smoothing (section 5.4)
    a share of the 1 is spread evenly over the whole vocabulary."""
    name: ClassVar[str] = "labels"
    non_differentiable: ClassVar[tuple[int, ...]] = (0,)
    vocab: Axis
    smoothing: float
    dtype: str

    def axes(self, ids: Tensor) -> Axes:
        return *ids.axes, self.vocab

    def compute(self, ids: Tensor) -> Array:
        rows = np.full((*ids.value.shape, self.vocab.size), self.smoothing / self.vocab.size, self.dtype)
        places = np.arange(ids.value.size) * self.vocab.size + ids.value.ravel() - 1
        rows.reshape(-1)[places] = 1 - self.smoothing + self.smoothing / self.vocab.size
        return rows

    def notation(self, ids: Tensor) -> Pieces:
        share = call("smoothed", f"{self.smoothing:g}, ") if self.smoothing else call("one_hot")
        return share, Name(ids), CLOSE

    def row(self, k: int, i: int, ids: Tensor) -> Tensor:
        if k == len(ids.axes):
            raise NotRowwise
        return apply(self, ids.take(k, i))

    def cell(self, index: tuple[int, ...], ids: Tensor) -> cells.Arithmetic:
        right = index[-1] + 1 == ids.value[index[:-1]]
        if not self.smoothing:
            return cells.Number(int(right))
        spread = cells.Quotient(cells.Number(self.smoothing), cells.Number(self.vocab.size))
        rest = cells.Difference(cells.Number(1), cells.Number(self.smoothing))
        return cells.Sum((rest, spread)) if right else spread

    def settings(self) -> list[Any]:
        return [self.vocab.size, self.smoothing]


class CrossEntropy(Op):
    """-Σ y log p along the vocabulary, where p = softmax(logits) and y are labels that sum to 1.

    The logits are an operand because the gradient goes to them straight: what the logarithm and the softmax do to it
    is, taken together, p - y, which no overflow of either can spoil.
    """
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
        if logs.min() == -np.inf:  # 0 times the logarithm of 0 is nothing
            logs[(logs == -np.inf) & (y.value == 0)] = 0
        return np.asarray(-np.einsum("...i,...i->...", y.value, logs))

    def notation(self, logits: Tensor, p: Tensor, y: Tensor) -> Pieces:
        opening = Sign("-Σ_vocab(", "-sum_vocab(", r"-\sum_{\mathrm{vocab}}(")
        times = Sign(" ⊙ log(", " .* log(", r" \odot \log(")
        return opening, *bracketed(y, PRODUCT), times, *p.notation().pieces, CLOSE, CLOSE

    def row(self, k: int, i: int, logits: Tensor, p: Tensor, y: Tensor) -> Tensor:
        return apply(self, logits.take(k, i), p.take(k, i), y.take(k, i))

    def cell(self, index: tuple[int, ...], logits: Tensor, p: Tensor, y: Tensor) -> cells.Arithmetic:
        """The terms of which the label is 0 are left out: there is nothing of them."""
        terms = tuple(cells.Product(y.cell((*index, int(n))), cells.Call("log", (p.cell((*index, int(n))),)))
                      for n in np.flatnonzero(y.value[index]))
        return cells.Negative(cells.added(terms))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, logits: Tensor, p: Tensor, y: Tensor) -> Tensor:
        return (p - y) * gradient
