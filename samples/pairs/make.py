#!/usr/bin/env python3
"""Builds samples/ko-en.tsv, the pairs that the models of attntrace are trained on: python samples/pairs/make.py

All of them stand in lines/*.tsv: those of KEPT are all taken, and of the others fewer that say once more, politely, with
another punctuation or with one other word, what another line says. The same bytes on every machine.

Written for attntrace; MIT licence, as the rest of it."""
import random
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SAMPLES = HERE.parent
KEPT = "phrases", "spoken"  # set phrases, which can only be learned, and what people say most
ENOUGH = 3  # lines for a word
AGAIN = .03  # of the lines that say politely what another says
HELD_OUT = "어제카페갔었어", "I went to the cafe yesterday"  # the sentence of the README


class Pair(NamedTuple):
    """A line of one of the files; polite: in 존댓말."""
    ko: str
    en: str
    file: str
    polite: bool

    @property
    def words(self) -> list[str]:
        return self.ko.rstrip(".?!").split()

    @property
    def frames(self) -> list[tuple[str, ...]]:
        """The sentence with each of its words left out."""
        words = self.words
        return [(*words[:n], "", *words[n + 1:]) for n in range(len(words))] if len(words) > 1 else []


class Made(NamedTuple):
    pairs: list[Pair]
    removed: Counter[str]  # by reason


def bare(ko: str) -> str:
    """Without spaces and punctuation."""
    return re.sub(r"[\s.!?~]", "", unicodedata.normalize("NFC", ko))


def plain(en: str) -> str:
    return en.strip().rstrip(".!?").lower()


def written() -> list[Pair]:
    pairs = []
    for path in sorted((HERE / "lines").glob("*.tsv")):
        for line in filter(str.strip, path.read_text("utf-8").splitlines()):
            ko, en = map(str.strip, unicodedata.normalize("NFC", line).split("\t"))
            pairs.append(Pair(ko, en, path.stem, ko.rstrip(".!?").endswith(("요", "니다", "니까"))))
    return pairs


class Corpus:
    """Pairs that do not contradict one another, nor stand in the test."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []
        self.english: dict[str, str] = {}
        self.removed: Counter[str] = Counter()
        rows = [line.split("\t") for line in (SAMPLES / "everyday.tsv").read_text("utf-8").splitlines()
                if not line.startswith("#")]
        self.test = {bare(row[0]) for row in rows}, {plain(text) for row in rows for text in row[1:]}

    def add(self, pair: Pair) -> None:
        reason = self._refused(pair)
        if reason:
            self.removed[reason] += 1
            return
        self.english[pair.ko] = pair.en
        self.english.setdefault(self._key(pair.ko), plain(pair.en))
        self.pairs.append(pair)

    @staticmethod
    def _key(ko: str) -> str:
        """The same for sentences that differ in spaces and full stops."""
        return f"{bare(ko)}{'?' * ko.endswith('?')} "

    def _refused(self, pair: Pair) -> str:
        if bare(pair.ko) in self.test[0] or plain(pair.en) in self.test[1]:
            return "in the test"
        if HELD_OUT[0] in bare(pair.ko) or HELD_OUT[1] in pair.en:
            return "the sentence of the README"
        if self.english.get(pair.ko) == pair.en:
            return "twice"
        return "" if self.english.get(self._key(pair.ko), plain(pair.en)) == plain(pair.en) else "a contradiction"


def make() -> Made:
    corpus, lines = Corpus(), written()
    kept = [pair for pair in lines if pair.file in KEPT]
    others = _said_once([pair for pair in lines if pair.file not in KEPT], random.Random(1))
    for pair in [*kept, *_various(others, random.Random(1))]:
        corpus.add(pair)
    return Made(sorted(corpus.pairs, key=_order), corpus.removed)


def _said_once(pairs: list[Pair], draw: random.Random) -> list[Pair]:
    """Of the lines that differ in punctuation alone one, and of the polite ones a share of those that say the same as
    another does in 반말."""
    plainly = {plain(pair.en) for pair in pairs if not pair.polite}
    alike: dict[tuple[str, bool], list[Pair]] = {}
    for pair in pairs:
        alike.setdefault((pair.ko.rstrip(".!?"), pair.ko.endswith("?")), []).append(pair)
    chosen = map(draw.choice, alike.values())
    return [pair for pair in chosen if not (pair.polite and plain(pair.en) in plainly and len(pair.words) > 1)
            or draw.random() < AGAIN]


def _various(pairs: list[Pair], draw: random.Random) -> list[Pair]:
    """Of the lines that differ in one word alone one, while all their words stand in enough others."""
    alike = Counter(frame for pair in pairs for frame in pair.frames)
    seen = Counter(word for pair in pairs for word in pair.words)
    gone = set()
    for pair in draw.sample(pairs, len(pairs)):
        if any(alike[frame] > 1 for frame in pair.frames) and all(seen[word] > ENOUGH for word in pair.words):
            gone.add(pair)
            alike.subtract(pair.frames)
            seen.subtract(pair.words)
    return [pair for pair in pairs if pair not in gone]


def _order(pair: Pair) -> tuple[bool, int, bool]:
    """The first Korean of an English sentence is what the other direction learns: 반말, short, 어제 공원 갔었어."""
    went = "갔었어" in pair.ko and "에 갔" not in pair.ko and pair.en.startswith("I went ")
    return pair.polite, len(pair.ko.split()), not went


def text(pairs: list[Pair]) -> str:
    return "".join(f"{pair.ko}\t{pair.en}\n" for pair in pairs)


def main() -> None:
    made = make()
    (SAMPLES / "ko-en.tsv").write_bytes(text(made.pairs).encode())
    print(f"{len(made.pairs)} pairs; left out besides those that are much like others:", dict(made.removed))


if __name__ == "__main__":
    main()
