"""Rows of numbers that enter a run instead of words and their embeddings."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from attntrace.tensor.axes import Axis
from attntrace.tensor.constants import constant
from attntrace.tensor.tensor import Array, Tensor

SOURCE, MEMORY, TARGET = "encoder.input", "encoder.output", "decoder.input"  # where rows may enter a run


class InputRows(NamedTuple):
    """Rows (value: token × d_model), the label of each, and the address at which they enter the run."""
    texts: tuple[str, ...]
    value: Array
    address: str

    @property
    def ids(self) -> tuple[None, ...]:
        """None for each row, since none comes from an embedding table."""
        return (None,) * len(self.texts)

    def tensor(self, symbol: str) -> Tensor:
        axes = Axis("token", len(self.texts), self.texts), Axis("d_model", self.value.shape[1])
        return constant(self.value, symbol, axes)

    def reordered(self, order: Sequence[int]) -> "InputRows":
        """The same rows in another order, given by their present positions (from 0)."""
        return InputRows(tuple(self.texts[n] for n in order), self.value[list(order)], self.address)

    def small(self, d_model: int) -> "InputRows":
        """One row of zeros, of another width."""
        return InputRows(self.texts[:1], np.zeros((1, d_model), self.value.dtype), self.address)
