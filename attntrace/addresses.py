"""Addresses as people type them: exact, a unique end, or a pattern whose * crosses dots."""
from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence

from attntrace.errors import Problem
from attntrace.tokens import shown

NEAREST = 3


def selected(patterns: Iterable[str], addresses: Sequence[str]) -> frozenset[str]:
    """All addresses that the patterns mean. Raises Problem for a pattern that matches none, with the nearest."""
    found: set[str] = set()
    for pattern in patterns:
        matched = matching(pattern, addresses)
        if not matched:
            raise Problem("no_such_address", pattern=shown(pattern), near=", ".join(nearest(pattern, addresses)))
        found.update(matched)
    return frozenset(found)


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
