"""Learn the pieces of a vocabulary from words, by merging pairs of pieces (Sennrich et al. 2016)."""
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from attntrace.model.pieces import LETTER_OF, join, piece_of, units_of

Units = tuple[str, ...]
Merge = tuple[str, str, bool]  # two neighbours, and whether a piece is before them in the word


class _Words:
    """Words in merging: the parts of each, how often it counts, and where each pair of neighbours stands."""

    def __init__(self, weights: dict[Units, int]) -> None:
        self.parts = list(map(list, weights))
        self.weights = list(weights.values())
        self.counts: Counter[Merge] = Counter()
        self.at: defaultdict[Merge, set[int]] = defaultdict(set)
        for n in range(len(self.parts)):
            self._count(n, 1)

    def _count(self, n: int, sign: int) -> None:
        parts = self.parts[n]
        for i, pair in enumerate(zip(parts, parts[1:])):
            merge = (*pair, i > 0)
            self.counts[merge] += sign * self.weights[n]
            self.at[merge].add(n)

    def merge(self, merge: Merge) -> None:
        for n in sorted(self.at.pop(merge)):
            self._count(n, -1)
            parts, i = self.parts[n], 0
            while i < len(parts) - 1:
                if (parts[i], parts[i + 1], i > 0) == merge:
                    parts[i:i + 2] = [parts[i] + parts[i + 1]]
                i += 1
            self._count(n, 1)
        del self.counts[merge]

    def best(self) -> tuple[Merge, int] | None:
        """The pair that counts most, of several the first in the alphabet."""
        return min(self.counts.items(), key=lambda item: (-item[1], item[0]), default=None)


def learned_pieces(words: Iterable[str], size: int) -> list[str]:
    """Return up to `size` pieces, and all units of the words in any case: first those that many *different* words have,
    such as endings, then those that are frequent. The order of the words makes no difference.

    A word that cannot be put together from units is a piece of its own."""
    counts = Counter(words)
    units = {word: tuple(units_of(word)) for word in counts}
    whole = {word for word in counts if join([piece_of([one], n > 0) for n, one in enumerate(units[word])]) != word}
    letters = {one for word in counts.keys() - whole for one in units[word]}
    known = dict.fromkeys(sorted(whole | {piece_of([one], later) for one in letters for later in (False, True)
                                          if later or one not in LETTER_OF}))
    for piece in _merges({units[word]: count for word, count in counts.items() if word not in whole}):
        if len(known) >= size:
            break
        known[piece] = None
    return list(known)


def _merges(counts: dict[Units, int]) -> Iterator[str]:
    for weights, least in (({one: 1 for one in counts}, TYPES), (counts, 2)):
        words = _Words(weights)
        while (best := words.best()) and best[1] >= least:
            words.merge(best[0])
            first, second, later = best[0]
            yield piece_of(first + second, later)


TYPES = 3
