"""Sentence pairs for training: read from a text file (source, tab, target), held out, packed into batches."""
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from attntrace.files.arrays import regular, whole
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem, refusal
from attntrace.messages.unicode import normalized, shown
from attntrace.model.tokens import detokenize, tokenize

OBJECTS = 32  # bytes of Python objects, about, for each byte of a short pair


class Pair(NamedTuple):
    """A sentence and its translation as in the file, in NFC."""
    source: str
    target: str


def read_pairs(path: Path) -> list[Pair]:
    """Read the pairs of a UTF-8 file, one per line; empty lines are skipped. Raises Problem with the number of a line
    that is not a pair."""
    try:
        with regular(path, pipes=True) as file:
            lines = whole(str(path), file, OBJECTS).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise Problem("pairs_unreadable", file=str(path), why=refusal(error)) from None
    pairs = []
    for number, line in enumerate(lines, start=1):
        try:
            text = normalized(line.decode("utf-8").rstrip("\r"))
        except UnicodeDecodeError as error:
            raise Problem("pairs_not_utf8", file=str(path), line=number, byte=error.start + 1) from None
        if text.strip():
            pairs.append(_pair(str(path), number, text))
    if not pairs:
        raise Problem("pairs_none", file=str(path))
    return pairs


def _pair(file: str, number: int, text: str) -> Pair:
    parts = text.split("\t")
    if len(parts) != 2:
        raise Problem("pairs_tabs", file=file, line=number, tabs=len(parts) - 1, text=shown(text[:60]))
    for side, part in zip(("source", "target"), parts, strict=True):
        if not tokenize(part):
            raise Problem("pairs_empty", file=file, line=number, side=Message(f"messages.side_{side}"))
    if "\0" in text:  # a NumPy array of texts drops it at the end of a word
        raise Problem("pairs_zero", file=file, line=number)
    return Pair(parts[0].strip(), parts[1].strip())


class Split(NamedTuple):
    """The pairs that a model is trained on, and those that it never sees."""
    training: list[Pair]
    held_out: list[Pair]
    nothing_left: bool = False  # every pair was to be held out, so none is


class Choice(NamedTuple):
    """What a model learns from the pairs of a file. reverse: to translate the targets; first: of several translations
    of a sentence only the first; hold_out, targets: see `split`."""
    hold_out: int = 10  # about every tenth pair
    targets: tuple[str, ...] = ()
    reverse: bool = False
    first: bool = False

    def facts(self) -> dict[str, object]:
        """Return it as a checkpoint has it: a later setting only where it is not the default."""
        later = {"reverse": self.reverse, "first_translation": self.first}
        return {"hold_out": self.hold_out, "hold_out_targets": list(self.targets),
                **{name: value for name, value in later.items() if value}}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Choice":
        return cls(facts["hold_out"], tuple(map(str, facts["hold_out_targets"])), bool(facts.get("reverse")),
                   bool(facts.get("first_translation")))

    def __call__(self, pairs: Sequence[Pair]) -> Split:
        if self.reverse:
            pairs = [Pair(pair.target, pair.source) for pair in pairs]
        if self.first:
            first: dict[str, Pair] = {}
            for pair in pairs:
                first.setdefault(_spaced(pair.source), pair)
            pairs = list(first.values())
        return split(pairs, self.hold_out, self.targets)


def _spaced(sentence: str) -> str:
    return detokenize(tokenize(sentence))


def split(pairs: Sequence[Pair], every: int, targets: Sequence[str] = ()) -> Split:
    """Hold out the pairs whose source has a SHA-256 divisible by `every` (0: none), a rule that leaves nothing to
    choose, and those whose target is one of `targets`. Where no pair would be left for training, hold out none."""
    wanted = set(map(_spaced, targets))

    def is_held_out(pair: Pair) -> bool:
        digest = int.from_bytes(hashlib.sha256(pair.source.encode()).digest(), "big")
        return bool(every) and digest % every == 0 or _spaced(pair.target) in wanted

    training = [pair for pair in pairs if not is_held_out(pair)]
    return Split(training, list(filter(is_held_out, pairs))) if training else Split(list(pairs), [], nothing_left=True)
