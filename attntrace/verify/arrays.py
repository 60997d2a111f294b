"""Numbers as nested lists with named axes, for the independent checker; imports only the standard library."""
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

ANY = "?"  # an axis whose name an expression does not give


class Array(NamedTuple):
    """Numbers as nested lists (a single number has no axes), and the name of each axis."""
    numbers: Any
    axes: tuple[str, ...]


class Unfit(ValueError):
    """An expression without a value: an unknown op, operands that do not fit. key and facts of its message."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key, facts)
        self.key, self.facts = key, facts


def depth(numbers: Any) -> int:
    return 1 + depth(numbers[0]) if isinstance(numbers, list) and numbers else 0


def map_lists(f: Callable[[Any], Any], numbers: Any) -> Any:
    """Apply f to each number of nested lists."""
    if isinstance(numbers, (list, tuple)):
        return [map_lists(f, part) for part in numbers]
    return f(numbers)


def combine(f: Callable[[Sequence[Any]], Any], parts: Sequence[Any], axes: int) -> Any:
    """Apply f to the numbers at the same position in all parts, each of which has this many axes."""
    if not axes:
        return f(parts)
    if len({len(part) for part in parts}) != 1:
        raise Unfit("sizes")
    return [combine(f, same, axes - 1) for same in zip(*parts, strict=True)]


def at_axis(f: Callable[[Any], Any], numbers: Any, k: int) -> Any:
    """Apply f to every part of nested lists that starts at the k-th axis."""
    return f(numbers) if not k else [at_axis(f, part, k - 1) for part in numbers]


def along_last(f: Callable[[list[Any]], Any], x: Array) -> Any:
    """Apply f to each row along the last axis."""
    if not x.axes:
        raise Unfit("no_axis")
    return at_axis(f, x.numbers, len(x.axes) - 1)


def shared_axes(more: Sequence[str], fewer: Sequence[str]) -> tuple[bool, ...]:
    """For each axis of the operand that has more axes, whether the other operand has it too."""
    if len(more) == len(fewer):
        return (True,) * len(more)
    for unnamed in ((), (ANY,)):  # with an unnamed axis only where no names fit
        for chosen in itertools.combinations(range(len(more)), len(fewer)):
            if all(more[k] == name or more[k] in unnamed or name in unnamed
                   for k, name in zip(chosen, fewer, strict=True)):
                return tuple(k in chosen for k in range(len(more)))
    raise Unfit("axes", fewer=", ".join(fewer), more=", ".join(more))


def elementwise(f: Callable[[Any, Any], Any], a: Array, b: Array) -> Array:
    """Apply f to the numbers at the same position; the operand that lacks an axis is repeated along it."""
    if len(a.axes) < len(b.axes):
        return elementwise(lambda x, y: f(y, x), b, a)

    def inner(x: Any, y: Any, there: tuple[bool, ...]) -> Any:
        if not there:
            return f(x, y)
        if not there[0]:
            return [inner(part, y, there[1:]) for part in x]
        if len(x) != len(y):
            raise Unfit("sizes")
        return list(map(f, x, y)) if len(there) == 1 else [inner(*parts, there[1:]) for parts in zip(x, y)]

    return Array(inner(a.numbers, b.numbers, shared_axes(a.axes, b.axes)), a.axes)
