"""Addresses as people type them: exact, a unique end, or a pattern whose * crosses dots."""
from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence

from attntrace.errors import Problem
from attntrace.tokens import normalized, shown

NEAREST = 3
OF_A_LESSON = ("gradient.", "loss.", "update.")  # how addresses begin that a training step alone has


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
