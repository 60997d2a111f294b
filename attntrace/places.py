"""One number as people name it: `STEP:ROW,COLUMN`, by positions from 1 or by tokens."""
from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from attntrace.addresses import NEAREST, matching, means_row, nearest, nearest_words
from attntrace.axes import Axes, Axis
from attntrace.errors import Problem
from attntrace.tensor import Array
from attntrace.tokens import shown

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
        shape = ",".join(f"{axis.word} 1-{axis.size}" for axis in axes)
        raise Problem("place_of_other_shape", address=address, place=place, given=len(place.parts),
                      count=len(axes), shape=shape or "-")
    return tuple(position(part, axis, address) for part, axis in zip(place.parts, axes))


def position(asked: str, axis: Axis, address: str) -> int:
    """The position (from 0) on an axis: digits are its number, anything else is its token."""
    if asked.isascii() and asked.isdecimal():
        digits = asked.lstrip("0")
        if not digits or len(digits) > len(str(axis.size)) or int(digits) > axis.size:  # int() of too many is an error
            raise Problem("out_of_range", address=address, word=axis.word, position=asked, size=axis.size)
        return int(digits) - 1
    if axis.labels is None:
        raise Problem("no_labels", address=address, word=axis.word, token=shown(asked), size=axis.size)
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
