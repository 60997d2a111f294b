"""Numbers as nested lists whose axes have words, for the independent checker: lining up, and going along an axis.

Imports the standard library alone.
"""
from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

ANY = "?"  # an axis of which an expression does not say the word


class Array(NamedTuple):
    """Numbers as nested lists (one number alone: without axes), and the word of each axis."""
    numbers: Any
    words: tuple[str, ...]


class Unfit(ValueError):
    """An expression that says nothing: an unknown op, operands that do not fit. By a key, and the facts of it."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key, facts)
        self.key, self.facts = key, facts


def depth(numbers: Any) -> int:
    return 1 + depth(numbers[0]) if isinstance(numbers, list) and numbers else 0


def mapped(f: Callable[[Any], Any], numbers: Any) -> Any:
    """f of each number of a plain list."""
    if isinstance(numbers, (list, tuple)):
        return [mapped(f, part) for part in numbers]
    return f(numbers)


def along_last(f: Callable[[list[Any]], Any], numbers: Any, axes: int) -> Any:
    """f of each row along the last axis."""
    if not axes:
        raise Unfit("no_axis")
    return f(numbers) if axes == 1 else [along_last(f, part, axes - 1) for part in numbers]


def together_with(f: Callable[[Sequence[Any]], Any], parts: Sequence[Any], axes: int) -> Any:
    """f of the numbers that stand at the same place in all parts, which have so many axes."""
    if not axes:
        return f(parts)
    if len({len(part) for part in parts}) != 1:
        raise Unfit("sizes")
    return [together_with(f, same, axes - 1) for same in zip(*parts, strict=True)]


def at_axis(f: Callable[[Any], Any], numbers: Any, k: int) -> Any:
    """f of what lies from the k-th axis on."""
    return f(numbers) if not k else [at_axis(f, part, k - 1) for part in numbers]


def places(more: Sequence[str], fewer: Sequence[str]) -> tuple[bool, ...]:
    """For each axis of the operand that has more of them, whether the other one has it too."""
    if len(more) == len(fewer):
        return (True,) * len(more)
    for alike in (lambda a, b: a == b, lambda a, b: a == b or ANY in (a, b)):
        for chosen in itertools.combinations(range(len(more)), len(fewer)):
            if all(alike(more[k], word) for k, word in zip(chosen, fewer, strict=True)):
                return tuple(k in chosen for k in range(len(more)))
    raise Unfit("axes", fewer=", ".join(fewer), more=", ".join(more))


def cell_by_cell(f: Callable[[Any, Any], Any], a: Array, b: Array) -> Array:
    """f of the numbers at the same place; the operand that lacks an axis is repeated along it."""
    if len(a.words) < len(b.words):
        return cell_by_cell(lambda x, y: f(y, x), b, a)

    def inner(x: Any, y: Any, there: tuple[bool, ...]) -> Any:
        if not there:
            return f(x, y)
        if not there[0]:
            return [inner(part, y, there[1:]) for part in x]
        if len(x) != len(y):
            raise Unfit("sizes")
        return list(map(f, x, y)) if len(there) == 1 else [inner(*parts, there[1:]) for parts in zip(x, y)]

    return Array(inner(a.numbers, b.numbers, places(a.words, b.words)), a.words)


def mapped_cells(f: Callable[[Any], Any], x: Array) -> Any:
    """f of each number, whatever a number is."""
    return at_axis(f, x.numbers, len(x.words))
