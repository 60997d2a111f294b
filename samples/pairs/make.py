#!/usr/bin/env python3
"""Builds samples/ko-en.tsv, the pairs that the models of attntrace are trained on: python samples/pairs/make.py

First the lines that were written by hand (lines/*.tsv), fewer of those that say once more, politely or with another
punctuation, what another line says; then sentences that are drawn from the tables by a fixed seed: of the most common
words those with a person, a place and a time together, and of the others so many that every word stands in several
pairs and in its usual forms. The same bytes on every machine.

Written for attntrace; MIT licence, as the rest of it."""
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import hangul
import nouns
from acts import CORE, CORE_STEMS, CORE_WORDS, Said, core, is_polite, spoken
from draw import Draw
from frames import framed, needed
from times import TIMES, Time
from verbs import ACTS

HERE = Path(__file__).parent
SAMPLES = HERE.parent
SEED, MOST = 1, 12000
FEW, ENOUGH = 3, 6  # pairs for a word
VERBS, VARIANTS = 5, .6  # meanings for a unit of weight in verbs.py; how many of them are said in a second way
COMBINED = {3: 150, 4: 450, 5: 300}  # pairs of the most common words, by how many stand in one sentence
ALIKE = 1  # lines that may differ from one another in one word alone
KEPT = "lines phrases", "lines spoken"  # set phrases, which can only be learned, and what people say most
AGAIN = .03  # of the lines that say politely what another says
HELD_OUT = "어제카페갔었어", "I went to the cafe yesterday"  # the sentence of the README

MOST_COMMON = {*CORE, *CORE_STEMS}

Group = tuple[Said, ...]
Items = Callable[[Said], set[str]]


class Made(NamedTuple):
    pairs: list[Said]
    removed: Counter[str]  # by reason


def bare(ko: str) -> str:
    """Without spaces and punctuation."""
    return re.sub(r"[\s.!?~]", "", unicodedata.normalize("NFC", ko))


def plain(en: str) -> str:
    return en.strip().rstrip(".!?").lower()


def written() -> list[Said]:
    lines = []
    for path in sorted((HERE / "lines").glob("*.tsv")):
        for line in filter(str.strip, path.read_text("utf-8").splitlines()):
            ko, en = map(str.strip, unicodedata.normalize("NFC", line).split("\t"))
            lines.append(Said(ko, en, f"lines {path.stem}", is_polite(ko)))
    return lines


class Corpus:
    """Pairs that do not contradict one another, nor stand in the test."""

    def __init__(self) -> None:
        self.pairs: list[Said] = []
        self.english: dict[str, str] = {}
        self.removed: Counter[str] = Counter()
        test = SAMPLES / "everyday.tsv"
        rows = [line.split("\t") for line in test.read_text("utf-8").splitlines() if not line.startswith("#")
                ] if test.exists() else []
        self.test = {bare(row[0]) for row in rows}, {plain(text) for row in rows for text in row[1:]}

    def add(self, pair: Said) -> bool:
        reason = self._refused(pair)
        if reason:
            self.removed[reason] += 1
            return False
        self.english[pair.ko] = pair.en
        self.english.setdefault(self._key(pair.ko), plain(pair.en))
        self.pairs.append(pair)
        return True

    @staticmethod
    def _key(ko: str) -> str:
        """The same for sentences that differ in spaces and full stops."""
        return f"{bare(ko)}{'?' * ko.endswith('?')} "

    def _refused(self, pair: Said) -> str:
        if bare(pair.ko) in self.test[0] or plain(pair.en) in self.test[1]:
            return "in the test"
        if HELD_OUT[0] in bare(pair.ko) or HELD_OUT[1] in pair.en:
            return "the sentence of the README"
        if self.english.get(pair.ko) == pair.en:
            return "twice"
        same = self.english.get(self._key(pair.ko), plain(pair.en)) == plain(pair.en)
        return "" if same else f"contradiction in {pair.frame.split()[0]}"


def make() -> Made:
    corpus, draw = Corpus(), Draw(SEED)
    lines = written()
    kept = [pair for pair in lines if pair.frame in KEPT]
    for pair in [*kept, *_thinned([pair for pair in lines if pair.frame not in KEPT], draw)]:
        corpus.add(pair)
    common = list(spoken(draw, VERBS, VARIANTS, filter(None, map(core, ACTS)), CORE_WORDS))
    others = list(spoken(draw, VERBS, VARIANTS))
    for number, group in enumerate(needed(draw)):
        _take(corpus, [group[number % len(group)]], 1)
    _combine(corpus, Draw(SEED))
    _times(corpus, _short_first(draw, common + others))
    _fill(corpus, _short_first(draw, common + framed(draw) + others))
    return Made(sorted(corpus.pairs, key=_order), corpus.removed)


def _thinned(pairs: list[Said], draw: Draw) -> list[Said]:
    """Of the lines that differ in punctuation alone one, and of the polite ones a share of those that say the
    same as another does in 반말."""
    plainly = {plain(pair.en) for pair in pairs if not pair.polite}
    alike: dict[tuple[str, bool], list[Said]] = {}
    for pair in pairs:
        alike.setdefault((pair.ko.rstrip(".!?"), pair.ko.endswith("?")), []).append(pair)
    kept = []
    for group in alike.values():
        pair = draw.random.choice(group)
        again = pair.polite and plain(pair.en) in plainly and len(pair.ko.split()) > 1
        if not again or draw.chance(AGAIN):
            kept.append(pair)
    return _various(kept, draw)


def _various(pairs: list[Said], draw: Draw) -> list[Said]:
    """Of many lines that differ in one word alone a few, while all their words stand in enough others."""
    def frames(pair: Said) -> list[tuple[str, ...]]:
        words = _words(pair)
        return [(*words[:n], "", *words[n + 1:]) for n in range(len(words))] if len(words) > 1 else []

    alike = Counter(frame for pair in pairs for frame in frames(pair))
    seen = Counter(word for pair in pairs for word in _words(pair))
    gone = set()
    for pair in draw.random.sample(pairs, len(pairs)):
        if max((alike[frame] for frame in frames(pair)), default=0) > ALIKE and all(
                seen[word] > 4 for word in _words(pair)):
            gone.add(pair)
            alike.subtract(frames(pair))
            seen.subtract(_words(pair))
    return [pair for pair in pairs if pair not in gone]


def _combine(corpus: Corpus, draw: Draw) -> None:
    """Sentences of the most common words in which several say who, with whom, where and when."""
    pairs = [pair for group in spoken(draw, 12 * VERBS, VARIANTS, filter(None, map(core, ACTS)), CORE_WORDS)
             for pair in group]
    draw.random.shuffle(pairs)
    for words, count in COMBINED.items():
        _take(corpus, [pair for pair in pairs if len(pair.ko.split()) == words], count)


def _order(pair: Said) -> tuple[bool, int, bool]:
    """The first Korean of an English sentence is what the other direction learns: 반말, short, 어제 공원 갔었어."""
    went = "갔었어" in pair.ko and "에 갔" not in pair.ko and pair.en.startswith("I went ")
    return pair.polite, len(pair.ko.split()), not went


def _short_first(draw: Draw, groups: list[Group]) -> list[Said]:
    draw.random.shuffle(groups)
    return [pair for group in sorted(groups, key=lambda group: len(group[0].ko.split()) > 3) for pair in group]


def _take(corpus: Corpus, pairs: Iterable[Said], count: int) -> None:
    full = min(len(corpus.pairs) + count, MOST)
    for pair in pairs:
        if len(corpus.pairs) < full:
            corpus.add(pair)


def _times(corpus: Corpus, pairs: list[Said]) -> None:
    """Of every word of time as many pairs as it needs."""
    said = re.compile("|".join(sorted((rf"(?<!\S){time.ko}(?![가-힣])" for time in TIMES), key=len, reverse=True)))
    seen = Counter(time for pair in corpus.pairs for time in said.findall(pair.ko))
    with_time: dict[str, list[Said]] = {time.ko: [] for time in TIMES}
    for pair in pairs:
        if len(found := said.findall(pair.ko)) == 1:
            with_time[found[0]].append(pair)
    for time in TIMES:
        for pair in with_time[time.ko]:
            if seen[time.ko] < _often(time) and len(corpus.pairs) < MOST and corpus.add(pair):
                seen[time.ko] += 1


def _often(time: Time) -> int:
    """How many pairs a word of time should stand in."""
    if re.fullmatch("[월화수목금토일]요일에", time.ko):
        return 14
    return {"day": 10, "part": 7, "night": 7, "near": 10, "now": 10, "clock": 6, "week": 4}.get(time.size, 3)


def _fill(corpus: Corpus, pairs: list[Said]) -> None:
    """Of the other pairs those with a form of the most common words that is rare, then those with a noun or verb that
    stands in few pairs, with a form that is missing, with a noun or verb that does not stand in enough, with any rare
    word: whatever there is room for."""
    forms = _forms()
    common = {word for word, lexeme in forms.items() if lexeme in MOST_COMMON}
    lexemes: Items = lambda pair: {forms[word] for word in _words(pair) if word in forms}
    for items, often in ((lambda pair: common & set(_words(pair)), FEW), (lexemes, FEW),
                         (lambda pair: forms.keys() & set(_words(pair)), 1), (lexemes, ENOUGH),
                         (lambda pair: set(_words(pair)), 2)):
        seen = Counter(item for pair in corpus.pairs for item in items(pair))
        for least, together in ((least, together) for least in range(1, often + 1) for together in (2, 1)):
            for pair in pairs:
                if len(corpus.pairs) < MOST and sum(seen[item] < least for item in items(pair)) >= together and (
                        corpus.add(pair)):
                    seen.update(items(pair))


def _words(pair: Said) -> list[str]:
    return pair.ko.rstrip(".?!").split()


def _forms() -> dict[str, str]:
    """The forms that every noun and verb should be seen in, and whose they are."""
    forms: dict[str, str] = {}
    for word in sorted({noun.ko for group in vars(nouns).values() if isinstance(group, tuple) for noun in group
                        if isinstance(noun, nouns.Noun)}):
        forms |= dict.fromkeys((word, hangul.object_(word)), word)
    for word in nouns.PLACE:
        forms |= dict.fromkeys((word, word + "에", word + "에서"), word)
    for person in nouns.PERSON.values():
        stem = person.stem
        forms |= dict.fromkeys((person.ko, hangul.topic(stem), hangul.subject(stem), hangul.object_(stem),
                                hangul.with_(stem), stem + "한테", stem + "도"), person.ko)
    for act in ACTS:
        now, past, later = hangul.spoken(act.stem), hangul.past(act.stem), hangul.joined(act.stem, "ㄹ")
        forms |= dict.fromkeys((now, now + "요", now + "야", past + "어", past + "어요", later, act.stem + "고",
                                act.stem + "지"), act.stem)
    return forms


def text(pairs: list[Said]) -> str:
    return "".join(f"{pair.ko}\t{pair.en}\n" for pair in pairs)


def main() -> None:
    made = make()
    (SAMPLES / "ko-en.tsv").write_bytes(text(made.pairs).encode())
    print(f"{len(made.pairs)} pairs", dict(Counter(pair.frame.split()[0] for pair in made.pairs).most_common()),
          "removed:", dict(made.removed), sep="\n")


if __name__ == "__main__":
    main()
