"""Sentences with their translations, from a text file: source, tab, target."""
from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem, refusal
from attntrace.messages.unicode import normalized, shown
from attntrace.model.tokens import Words, spoken, tokenize


class Pair(NamedTuple):
    """A sentence and its translation, as they stand in the file, in NFC."""
    source: str
    target: str


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a file in UTF-8, one a line; empty lines are passed over. Raises Problem with the number of a line
    that is none."""
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise Problem("pairs_unreadable", file=str(path), why=refusal(error)) from None
    pairs = []
    for number, line in enumerate(lines, start=1):
        try:
            text = normalized(line.decode("utf-8").rstrip("\r"))
        except UnicodeDecodeError as error:
            raise Problem("pairs_not_utf8", file=str(path), line=number, byte=error.start + 1) from None
        if text.strip():
            pairs.append(_pair(path, number, text))
    if not pairs:
        raise Problem("pairs_none", file=str(path))
    return pairs


def _pair(path: Path, number: int, text: str) -> Pair:
    parts = text.split("\t")
    if len(parts) != 2:
        raise Problem("pairs_tabs", file=str(path), line=number, tabs=len(parts) - 1, text=shown(text[:60]))
    for side, part in zip(("source", "target"), parts, strict=True):
        if not tokenize(part):
            raise Problem("pairs_empty", file=str(path), line=number, side=Message(f"messages.side_{side}"))
    if "\0" in text:  # which no array of words can end with
        raise Problem("pairs_zero", file=str(path), line=number)
    return Pair(parts[0].strip(), parts[1].strip())


class Split(NamedTuple):
    """What a model learns from, and what it never sees."""
    training: list[Pair]
    held_out: list[Pair]
    all_meant: bool = False  # whether everything was to be held out, and so nothing is


def split(pairs: Sequence[Pair], every: int, targets: Sequence[str] = ()) -> Split:
    """Hold out each pair the SHA-256 of whose source is divisible by `every` (0: none), and each whose target is one
    of `targets`: so nobody chooses. Where nothing would be left to learn from, nothing is held out."""
    wanted = {spoken(tokenize(target)) for target in targets}

    def is_held_out(pair: Pair) -> bool:
        digest = int.from_bytes(hashlib.sha256(pair.source.encode()).digest(), "big")
        return bool(every) and digest % every == 0 or spoken(tokenize(pair.target)) in wanted

    training = [pair for pair in pairs if not is_held_out(pair)]
    return Split(training, list(filter(is_held_out, pairs))) if training else Split(list(pairs), [], all_meant=True)


class Batch(NamedTuple):
    """Sentences packed for one run: what the encoder reads, what the decoder reads (`<s>` and the words), and what
    should come after each of these (the words and `</s>`): teacher forcing."""
    source: Words
    target: Words
    wanted: Words
