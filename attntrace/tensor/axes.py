"""The axes of a tensor: words from a closed list, with the labels of their positions."""
from __future__ import annotations

from typing import NamedTuple

from attntrace.tensor.symbol import POSITIONS

AXIS_NAMES = {"token", "key", "d_model", "d_k", "d_v", "d_concat", "d_ff", "vocab", "sentence", "parameter"}
ACROSS = dict(zip(POSITIONS, reversed(POSITIONS)))  # a token, seen from across, is a key


class Axis(NamedTuple):
    """One axis: a word of WORDS, its size, and its labels (the words of a sentence, or of a vocabulary).

    `lengths`: those of the sentences that stand along it one after another, where there are several (a batch).
    """
    name: str
    size: int
    labels: tuple[str, ...] | None = None
    lengths: tuple[int, ...] | None = None

    def flipped(self) -> Axis:
        """The same positions, seen from across: along the rows they are a `token`, along the columns a `key`."""
        name = ACROSS.get(self.name)
        return self if name is None else Axis(name, *self[1:])

    def fits(self, other: Axis) -> bool:
        """Whether sums may run along both at once: same word (a token is a key seen from across) and same labels."""
        if self is other:
            return True
        same = self.name == other.name or ACROSS.get(self.name) == other.name
        return same and self.size == other.size and self.labels == other.labels and self.lengths == other.lengths


Axes = tuple[Axis, ...]


def shape_of(axes: Axes) -> tuple[int, ...]:
    return tuple([axis[1] for axis in axes])  # by number, which is faster: asked of every tensor
