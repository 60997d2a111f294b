"""Addresses as people type them: exact, a unique end, or a pattern whose * crosses dots."""
from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from attntrace.messages.catalog import Text
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import normalized, shown
from attntrace.tensor.axes import Axes, Axis
from attntrace.tensor.tensor import Array

NEAREST = 3
OF_A_TRAINING_STEP = ("gradient.", "loss.", "update.")  # how addresses begin that a training step alone has


def selected(patterns: Sequence[str], layers: Sequence[int], heads: Sequence[int],
             addresses: Sequence[str]) -> frozenset[str]:
    """The addresses that the patterns mean, in these layers, of these heads.

    Raises Problem for a pattern that matches none, with the nearest; for a layer or a head that there is not; and where
    nothing is left.
    """
    found = meant(patterns, addresses) if patterns else set(addresses)
    there = {part for address in addresses for part in address.split(".")}
    for word, numbers in (("layer", layers), ("head", heads)):
        last = sum(part.startswith(word) and part[len(word):].isdecimal() for part in there)
        for number in numbers:
            if not 1 <= number <= last:
                raise Problem("no_such_number", option=f"--{word}", number=number, word=word, last=last)
        if numbers:
            places = {f"{word}{number}" for number in numbers}
            found = {address for address in found if places & set(address.split("."))}
    if not found:
        raise Problem("nothing_selected")
    return frozenset(found)


def means_row(asked: str, i: int, label: str) -> bool:
    """Whether row i (from 0), a token's, is meant: all digits are a position, anything else is the token itself (one of
    digits in quotes)."""
    if asked.isascii() and asked.isdecimal():
        return asked.lstrip("0") == str(i + 1)
    quoted = len(asked) > 2 and asked[0] == asked[-1] == '"'
    return normalized(asked[1:-1] if quoted else asked) == label


def known_tokens(asked: Sequence[str], texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The rows that were asked for, of sentences with these words. Raises Problem for one that none has, with the
    nearest words."""
    for one in asked:
        if not any(means_row(one, i, text) for words in texts for i, text in enumerate(words)):
            if one.isascii() and one.isdecimal():
                raise Problem("no_such_position", token=one, last=max(map(len, texts)))
            words = list(dict.fromkeys(text for words in texts for text in words))
            raise Problem("no_such_token", token=shown(one), near=nearest_words(one, words))
    return tuple(asked)


def nearest_words(asked: str, words: Sequence[str]) -> str:
    """The words that are most like what was typed, as a message lists them."""
    return ", ".join(map(shown, closest(normalized(asked), words)))


def closest(asked: str, words: Sequence[str]) -> list[str]:
    """The words that are most like what was typed; the first ones where none is like it."""
    import difflib  # only now: no other start needs it
    known = list(dict.fromkeys(words))
    return difflib.get_close_matches(asked, known, n=NEAREST, cutoff=0.3) or known[:NEAREST]


def meant(patterns: Iterable[str], addresses: Sequence[str]) -> set[str]:
    """All addresses that the patterns mean. Raises Problem for a pattern that matches none, with the nearest."""
    found: set[str] = set()
    for pattern in patterns:
        matched = matching(pattern, addresses)
        if not matched:
            raise Problem("no_such_address", pattern=shown(pattern), near=", ".join(nearest(pattern, addresses)))
        found.update(matched)
    return found


def matching(pattern: str, addresses: Sequence[str]) -> list[str]:
    if pattern in addresses:
        return [pattern]
    ends = [address for address in addresses if address.endswith(f".{pattern}")]
    if ends:
        return ends
    return [address for address in addresses if fnmatch.fnmatchcase(address, pattern)
            or fnmatch.fnmatchcase(address, f"*.{pattern}")]


def nearest(pattern: str, addresses: Sequence[str]) -> list[str]:
    """The addresses that are most like what was typed, compared with as many of their last places as were typed."""
    if any(f".{pattern}." in f".{address}" for address in addresses):  # a place: all that is in it
        return [f"{pattern}.*"]
    places = pattern.count(".") + 1
    ends: dict[str, str] = {}
    for address in addresses:
        ends.setdefault(".".join(address.split(".")[-places:]), address)
    import difflib  # only now: no other start needs it
    close = difflib.get_close_matches(pattern.replace("*", "").lower(), ends, n=NEAREST, cutoff=0)
    return [ends[end] for end in close]


PART = re.compile(r'"[^"]*"|[^,]+')  # a token that holds a comma stands in quotes


class Place(NamedTuple):
    """What was typed: the tensor, and in it a row, or a row and a column; none: all of it."""
    address: str
    parts: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Place:
        address, colon, rest = text.partition(":")
        parts = tuple(PART.findall(rest))
        if not address or bool(colon) != bool(parts) or ",".join(parts) != rest or len(parts) > 2:
            raise Problem("no_place", place=text)
        return cls(address, parts)

    def __str__(self) -> str:
        return self.address + (":" + ",".join(self.parts) if self.parts else "")


def one_address(pattern: str, addresses: Sequence[str]) -> str:
    """The one address that is meant: exact, or the unique end of one. Raises Problem with the nearest, or with all that
    it could be."""
    found = matching(pattern, addresses)
    if not found:
        raise Problem("no_such_tensor", pattern=shown(pattern), near=", ".join(nearest(pattern, addresses)))
    if len(found) > 1:
        some = ", ".join(found[:NEAREST]) + (", ..." if len(found) > NEAREST else "")
        raise Problem("several_tensors", pattern=shown(pattern), count=len(found), some=some)
    return found[0]


def index_of(place: Place, axes: Axes, address: str, least: int | None = None) -> tuple[int, ...]:
    """Which row, or which number, of a tensor is meant; from 0. Raises Problem where there is no such, or where fewer
    than `least` positions are given (without it: any number of them)."""
    if len(place.parts) > len(axes) or len(place.parts) < (0 if least is None else min(least, len(axes))):
        shape = ",".join(f"{axis.name} 1-{axis.size}" for axis in axes)
        raise Problem("place_of_other_shape", address=address, place=place, given=len(place.parts),
                      count=len(axes), shape=shape or "-")
    return tuple(position(part, axis, address) for part, axis in zip(place.parts, axes))


def position(asked: str, axis: Axis, address: Text) -> int:
    """The position (from 0) on an axis: digits are its number, anything else is its token."""
    if asked.isascii() and asked.isdecimal():
        digits = asked.lstrip("0")
        if not digits or len(digits) > len(str(axis.size)) or int(digits) > axis.size:  # int() of too many is an error
            raise Problem("out_of_range", address=address, word=axis.name, position=asked, size=axis.size)
        return int(digits) - 1
    if axis.labels is None:
        raise Problem("no_labels", address=address, word=axis.name, token=shown(asked), size=axis.size)
    found = [i for i, label in enumerate(axis.labels) if means_row(asked, i, label)]
    if not found:
        raise Problem("no_such_label", address=address, token=shown(asked), near=nearest_words(asked, axis.labels))
    if len(found) > 1:
        raise Problem("token_twice", address=address, token=shown(asked),
                      positions=", ".join(str(i + 1) for i in found))
    return found[0]


def named(address: str, index: Sequence[int] | Array) -> str:
    """The place of a number (its index from 0), as it can be typed."""
    return address + (":" + ",".join(str(i + 1) for i in index) if len(index) else "")
