#!/usr/bin/env python3
"""Builds samples/ko-en.tsv, the pairs that the models of attntrace are trained on: python samples/pairs/make.py

First the lines that were written by hand (lines/*.tsv), then sentences that are drawn from the tables by a fixed seed, so
that every word, form and particle gets its share. The same bytes on every machine.

Written for attntrace; MIT licence, as the rest of it."""
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import hangul
import nouns
from acts import CORE_WORDS, Said, core, spoken
from draw import Draw
from frames import framed
from verbs import ACTS

HERE = Path(__file__).parent
SAMPLES = HERE.parent
SEED, MOST = 1, 11400
CORE_SHARE = 2200  # pairs of the most common words, in every form
ENOUGH = 6  # pairs for a word
VERBS, VARIANTS = 4.0, .6  # meanings for each unit of weight in verbs.py; how many of them are said in a second way
SHARE = dict(thing=330, feeling=330, went=330, described=260, have=330, at=300, weather=260, where=300, count=220, trait=160, it=190,
             hour=230, good=150, place=150, by=110)  # pairs of a frame at most; 120 of the others
HELD_OUT = "어제카페갔었어", "I went to the cafe yesterday"  # the sentence of the README


class Made(NamedTuple):
    pairs: list[Said]
    removed: Counter[str]  # by reason


def bare(ko: str) -> str:
    return re.sub(r"[\s.!?~]", "", ko)


def plain(en: str) -> str:
    return en.rstrip(".!? ")


def is_polite(ko: str) -> bool:
    return ko.rstrip(".!?").endswith(("요", "니다", "니까"))


def written() -> list[Said]:
    lines = []
    for path in sorted((HERE / "lines").glob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                ko, en = unicodedata.normalize("NFC", line).split("\t")
                lines.append(Said(ko.strip(), en.strip(), f"lines {path.stem}", is_polite(ko)))
    return lines


class Corpus:
    """Pairs that do not contradict one another, nor stand in the test."""

    def __init__(self) -> None:
        self.pairs: list[Said] = []
        self.english: dict[str, str] = {}
        self.removed: Counter[str] = Counter()
        test = SAMPLES / "everyday.tsv"
        rows = [line.split("\t") for line in test.read_text("utf-8").splitlines() if "\t" in line] if test.exists() else []
        self.test_ko = {bare(unicodedata.normalize("NFC", row[0])) for row in rows}
        self.test_en = {plain(text).lower() for row in rows for text in row[1:]}

    def add(self, pair: Said) -> bool:
        reason = self._refused(pair)
        if reason:
            self.removed[reason] += 1
            return False
        self.english[self._key(pair.ko)] = pair.en.rstrip(".!")
        self.english[pair.ko] = pair.en
        self.pairs.append(pair)
        return True

    @staticmethod
    def _key(ko: str) -> str:
        return bare(ko) + ("?" if ko.endswith("?") else "")

    def _refused(self, pair: Said) -> str:
        if bare(pair.ko) in self.test_ko or plain(pair.en).lower() in self.test_en:
            return "in the test"
        if HELD_OUT[0] in bare(pair.ko) or HELD_OUT[1] in pair.en:
            return "the sentence of the README"
        if pair.ko in self.english:
            return "twice" if self.english[pair.ko] == pair.en else f"contradiction in {pair.frame.split()[0]}"
        known = self.english.get(self._key(pair.ko), pair.en.rstrip(".!"))
        return "" if known == pair.en.rstrip(".!") else f"contradiction in {pair.frame.split()[0]}"


def _order(pair: Said) -> tuple[bool, int, bool]:
    """The first Korean of an English sentence is what the other direction learns: 반말, short, 어제 공원 갔었어."""
    went = "갔었어" in pair.ko and "에 갔" not in pair.ko and pair.en.startswith("I went ")
    return pair.polite, len(pair.ko.split()), not went


def make() -> Made:
    corpus = Corpus()
    for pair in written():
        corpus.add(pair)
    draw = Draw(SEED)
    common = list(spoken(draw, 2 * VERBS, VARIANTS, filter(None, map(core, ACTS)), CORE_WORDS))
    draw.random.shuffle(common)
    common.sort(key=lambda group: len(group[0].ko.split()) > 3)  # short ones first
    full = len(corpus.pairs) + CORE_SHARE
    for group in common:
        if len(corpus.pairs) < full:
            for pair in group:
                corpus.add(pair._replace(frame="core " + pair.frame))
    others = list(framed(draw)) + list(spoken(draw, 3 * VERBS, VARIANTS))
    draw.random.shuffle(others)
    _fill(corpus, others)
    return Made(sorted(corpus.pairs, key=_order), corpus.removed)


def _fill(corpus: Corpus, groups: list[tuple[Said, ...]]) -> None:
    """Of the other pairs those that bring a noun or verb that stands in few pairs, then a form that is missing, then any
    that is rare; short ones first, each frame up to its share."""
    pairs = sorted((pair for group in groups for pair in group), key=lambda pair: len(_words(pair)) > 3)
    taken: Counter[str] = Counter()
    forms = _forms()
    for count, often in ((lambda pair: _lexemes(pair, forms), ENOUGH), (lambda pair: [w for w in _words(pair) if w in forms], 1), (_words, 2)):
        seen = Counter(item for pair in corpus.pairs for item in count(pair))
        for least in range(1, often + 1):
            for together in (2, 1):
                for pair in pairs:
                    room = pair.frame.startswith("verb") or taken[pair.frame] < SHARE.get(pair.frame, 120)
                    if len(corpus.pairs) < MOST and room and sum(seen[item] < least for item in set(count(pair))) >= together:
                        if corpus.add(pair):
                            taken[pair.frame] += 1
                            seen.update(count(pair))


def _words(pair: Said) -> list[str]:
    return pair.ko.rstrip(".?!").split()


def _forms() -> dict[str, str]:
    """The forms that every noun and verb should be seen in, and whose they are."""
    forms: dict[str, str] = {}
    things = {noun.ko for group in vars(nouns).values() if isinstance(group, tuple) for noun in group if isinstance(noun, nouns.Noun)}
    for word in things:
        forms.update(dict.fromkeys((word, hangul.object_(word), hangul.subject(word)), word))
    for word in nouns.PLACE:
        forms.update(dict.fromkeys((word, word + "에", word + "에서"), word))
    for person in nouns.PERSON.values():
        stem = person.stem
        forms.update(dict.fromkeys((person.ko, hangul.topic(stem), hangul.subject(stem), hangul.object_(stem), hangul.with_(stem), stem + "한테",
                                    stem + "도"), person.ko))
    for act in ACTS:
        stem, past = act.stem, hangul.past(act.stem)
        spoken_, later = hangul.spoken(stem), hangul.joined(stem, "ㄹ")
        forms.update(dict.fromkeys((past + "어", past + "어요", spoken_, spoken_ + "요", later, stem + "고", stem + "자", stem + "지", spoken_ + "야",
                                    later + "게", hangul.linked(stem, "세요")), stem))
        if act.light:
            forms[act.light] = stem
    return forms


def _lexemes(pair: Said, forms: dict[str, str]) -> list[str]:
    return [forms[word] for word in _words(pair) if word in forms]


def text(pairs: list[Said]) -> str:
    return "".join(f"{pair.ko}\t{pair.en}\n" for pair in pairs)


def main() -> None:
    made = make()
    (SAMPLES / "ko-en.tsv").write_bytes(text(made.pairs).encode())
    frames = Counter(re.sub(r"^(verb|lines|core) .*", r"\1", pair.frame) for pair in made.pairs)
    print(f"{len(made.pairs)} pairs", dict(frames.most_common()), "removed:", dict(made.removed), sep="\n")


if __name__ == "__main__":
    main()
