"""Choices that come out even: of several options the one that was taken least, ties by a seeded generator.

Written for attntrace; MIT licence, as the rest of it."""
import random
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeVar

Option = TypeVar("Option", bound=Hashable)


class Draw:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.taken: Counter[Hashable] = Counter()

    def one(self, kind: Hashable, options: Sequence[Option], weights: Sequence[float] = ()) -> Option:
        """One option, so that each comes up in proportion to its weight (1 where none is given)."""
        shares = [(self.taken[kind, option] + 1) / (weights[n] if weights else 1) for n, option in enumerate(options)]
        least = min(shares)
        chosen = self.random.choice([option for option, share in zip(options, shares) if share <= least * 1.15])
        self.taken[kind, chosen] += 1
        return chosen

    def chance(self, share: float) -> bool:
        return self.random.random() < share
