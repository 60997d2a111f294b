"""The axes of a tensor: words from a closed list, with the labels of their positions."""
from __future__ import annotations

from typing import NamedTuple

from attntrace.symbol import POSITIONS

WORDS = {"token", "key", "d_model", "d_k", "d_v", "d_concat", "d_ff", "vocab", "sentence"}


class Axis(NamedTuple):
    """One axis: a word of WORDS, its size, and its labels (the words of a sentence, or of a vocabulary)."""
    word: str
    size: int
    labels: tuple[str, ...] | None = None

    def flipped(self) -> Axis:
        """The same positions, seen from across: along the rows they are a `token`, along the columns a `key`."""
        return self._replace(word={"token": "key", "key": "token"}.get(self.word, self.word))

    def fits(self, other: Axis) -> bool:
        """Whether sums may run along both at once: same word (a token is a key seen from across) and same labels."""
        same = self.word == other.word or (self.word in POSITIONS and other.word in POSITIONS)
        return same and self.size == other.size and self.labels == other.labels


Axes = tuple[Axis, ...]
