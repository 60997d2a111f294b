"""Learn the pieces of a vocabulary: those that describe the words of a text in the fewest letters.

As in Morfessor (Creutz & Lagus 2002): a description of the words is a list of pieces, spelled out, and the numbers of
these for each word. Pieces that many different words share, such as stems and endings, make it short."""
import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from attntrace.messages.unicode import _in_word as in_word
from attntrace.model.pieces import LETTER_OF, join, piece_of, units_of

Part = tuple[tuple[str, ...], bool]  # units, and whether a part of the word is before them
ROUNDS = 6  # until hardly any word is split otherwise than before
SPELLING = 0.7  # how much the letters of the list weigh: with less of it, more words stay whole
STEM_FINALS = {final for final, letter in LETTER_OF.items() if letter not in "ㄴㄹㅁㅂㅆ"}  # which no ending begins with


def learned_pieces(words: Iterable[str], size: int) -> list[str]:
    """Return up to `size` pieces, the frequent ones first; and in any case all units of the words. The order of the
    words makes no difference. A word that cannot be put together from its units is a piece of its own."""
    counts = Counter(words)
    units = {word: tuple(units_of(word)) for word in sorted(counts)}
    whole = {word for word, own in units.items() if join([piece_of([one], n > 0) for n, one in enumerate(own)]) != word}
    split = [own for word, own in units.items() if word not in whole]
    letters = {one for own in split for one in own}
    later = {one for own in split for one in own[1:]} | {one for one in letters if in_word(one[0])}
    known = sorted(whole | {piece_of([one], False) for one in letters.difference(LETTER_OF)}
                   | {piece_of([one], True) for one in later})
    frequent: Counter[str] = Counter()
    weights = {own: counts[word] for word, own in units.items() if word not in whole}
    for own, parts in split_shortest(weights).items():
        for part in parts:
            frequent[piece_of(*part)] += weights[own]
    ranked = sorted(frequent.keys() - set(known), key=lambda piece: (-frequent[piece], piece))
    return [*known, *ranked[:max(size - len(known), 0)]]


def split_shortest(words: dict[tuple[str, ...], int]) -> dict[tuple[str, ...], list[Part]]:
    """Return the parts of each word by the shortest description. A frequent word weighs little more than a rare one."""
    weights = {word: 1 + math.log(count) for word, count in words.items()}
    letter = math.log(1 + len({one for word in words for one in word}))  # the length of one in the list
    shares: defaultdict[Part, float] = defaultdict(float)
    for word, weight in weights.items():
        for start in range(len(word)):
            is_stem = word[start] in STEM_FINALS
            for end in range(start + 1, start + 2 if is_stem else len(word) + 1):
                shares[word[start:end], start > 0] += weight * (end - start) / len(word)
    parts: dict[tuple[str, ...], list[Part]] = {}
    for _ in range(ROUNDS):
        total = math.log(sum(shares.values()))
        lengths = {part: total - math.log(share) + SPELLING * letter * len(part[0]) / share
                   for part, share in shares.items()}
        parts = {word: _shortest(word, lengths, total + SPELLING * letter) for word in words}
        shares = defaultdict(float)
        for word, own in parts.items():
            for part in own:
                shares[part] += weights[word]
    return parts


def _shortest(word: tuple[str, ...], lengths: dict[Part, float], of_new: float) -> list[Part]:
    """Return the parts of a word whose lengths have the smallest sum; `of_new`: the length of a unit that is no part
    yet."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(word) + 1):
        best.append(min((best[start][0] + lengths.get((word[start:end], start > 0),
                                                      of_new if end - start == 1 else math.inf), start)
                        for start in range(end)))
    parts, end = list[Part](), len(word)
    while end:
        start = best[end][1]
        parts.append((word[start:end], start > 0))
        end = start
    return parts[::-1]
