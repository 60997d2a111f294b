"""Every sentence that a user reads, by key: one TOML file a language and kind, read when it is needed."""
from __future__ import annotations

import functools
import os
import tomllib
from collections.abc import Iterator
from typing import Any


@functools.cache
def _table(language: str, kind: str) -> dict[str, str]:
    """All sentences of a file by key; those of a section as `section.key`."""
    def flat(found: dict[str, Any], before: str) -> Iterator[tuple[str, str]]:
        for key, value in found.items():
            if isinstance(value, dict):
                yield from flat(value, f"{before}{key}.")
            else:
                yield before + key, value

    with open(os.path.join(os.path.dirname(__file__), f"{language}.{kind}.toml"), "rb") as file:
        return dict(flat(tomllib.load(file), ""))


def sentence(key: str, **facts: object) -> str:
    """The sentence of a key such as `problem.empty_sentence`, its slots filled with facts. Raises KeyError."""
    kind, _, rest = key.partition(".")
    return _table("en", kind)[rest].format(**facts)


def most_specific(kind: str, place: list[str], name: str) -> str | None:
    """The sentence of the most specific key: of `decoder.cross_attention.query`, `cross_attention.query`, `query`. None
    where there is none."""
    table = _table("en", kind)
    for start in range(len(place) + 1):
        key = ".".join([*place[start:], name])
        if key in table:
            return table[key]
    return None
