"""The arithmetic behind one number: a small tree whose leaves are constants and (tensor, index) pairs.

It can be evaluated (with the full numbers, or with the printed ones) and written with them.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from attntrace.symbol import Spelling


class Valued(Protocol):
    """All that is asked of a tensor here: numbers by index."""
    value: Any


SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4  # how tightly an expression holds together


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A node. `value(read)` evaluates it, `read` giving the number of a leaf; `text(write, spelling)` writes it, with
    `write` giving the text of a leaf; a negative number is bracketed unless it `leads`."""

    def value(self, read: Callable[[Ref], float]) -> float:
        raise AssertionError("every kind of arithmetic has a value")

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        raise AssertionError("every kind of arithmetic has a text")

    @property
    def binds(self) -> int:
        return ATOM

    def parts(self) -> tuple[Arithmetic, ...]:
        return ()

    def leaves(self) -> Iterator[Ref]:
        for part in self.parts():
            yield from part.leaves()

    def within(self, least: int, write: Callable[[Ref], str], spelling: Spelling, leads: bool = False) -> str:
        """The text, in brackets where it holds together less than `least`."""
        if self.binds < least:
            return f"({self.text(write, spelling)})"
        return self.text(write, spelling, leads)


def _signed(text: str, leads: bool) -> str:
    return text if leads or not text.startswith("-") else f"({text})"


@dataclass(frozen=True, slots=True)
class Ref(Arithmetic):
    """One number of a named tensor; the index counts from 0."""
    tensor: Valued
    index: tuple[int, ...]

    def value(self, read: Callable[[Ref], float]) -> float:
        return read(self)

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        return _signed(write(self), leads)

    def leaves(self) -> Iterator[Ref]:
        yield self


@dataclass(frozen=True, slots=True)
class Number(Arithmetic):
    """A constant, written in full."""
    number: float

    def value(self, read: Callable[[Ref], float]) -> float:
        return self.number

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        return _signed(str(self), leads)

    def __str__(self) -> str:
        whole = math.isfinite(self.number) and self.number == int(self.number) and abs(self.number) < 1e15
        return str(int(self.number)) if whole else repr(self.number)


@dataclass(frozen=True, slots=True)
class Sum(Arithmetic):
    """All terms, written out."""
    terms: tuple[Arithmetic, ...]

    def value(self, read: Callable[[Ref], float]) -> float:
        return math.fsum(term.value(read) for term in self.terms)

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        return " + ".join(term.within(SUM, write, spelling, leads and not n) for n, term in enumerate(self.terms))

    @property
    def binds(self) -> int:
        return SUM

    def parts(self) -> tuple[Arithmetic, ...]:
        return self.terms


@dataclass(frozen=True, slots=True)
class Difference(Arithmetic):
    left: Arithmetic
    right: Arithmetic

    def value(self, read: Callable[[Ref], float]) -> float:
        return self.left.value(read) - self.right.value(read)

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        return f"{self.left.within(SUM, write, spelling, leads)} - {self.right.within(PRODUCT, write, spelling)}"

    @property
    def binds(self) -> int:
        return SUM

    def parts(self) -> tuple[Arithmetic, ...]:
        return self.left, self.right


@dataclass(frozen=True, slots=True)
class Product(Arithmetic):
    left: Arithmetic
    right: Arithmetic

    def value(self, read: Callable[[Ref], float]) -> float:
        return self.left.value(read) * self.right.value(read)

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        dot = "·" if spelling is Spelling.UNICODE else "*" if spelling is Spelling.ASCII else r" \cdot "
        return f"{self.left.within(PRODUCT, write, spelling, leads)}{dot}{self.right.within(POWER, write, spelling)}"

    @property
    def binds(self) -> int:
        return PRODUCT

    def parts(self) -> tuple[Arithmetic, ...]:
        return self.left, self.right


@dataclass(frozen=True, slots=True)
class Quotient(Arithmetic):
    left: Arithmetic
    right: Arithmetic

    def value(self, read: Callable[[Ref], float]) -> float:
        top, bottom = self.left.value(read), self.right.value(read)
        return top / bottom if bottom else math.nan if not top else math.copysign(math.inf, top)

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        return f"{self.left.within(PRODUCT, write, spelling, leads)} / {self.right.within(POWER, write, spelling)}"

    @property
    def binds(self) -> int:
        return PRODUCT

    def parts(self) -> tuple[Arithmetic, ...]:
        return self.left, self.right


@dataclass(frozen=True, slots=True)
class Negative(Arithmetic):
    inner: Arithmetic

    def value(self, read: Callable[[Ref], float]) -> float:
        return -self.inner.value(read)

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        return _signed(f"-{self.inner.within(POWER, write, spelling)}", leads)

    @property
    def binds(self) -> int:
        return PRODUCT

    def parts(self) -> tuple[Arithmetic, ...]:
        return (self.inner,)


@dataclass(frozen=True, slots=True)
class Square(Arithmetic):
    inner: Arithmetic

    def value(self, read: Callable[[Ref], float]) -> float:
        return self.inner.value(read) ** 2

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        two = "²" if spelling is Spelling.UNICODE else "^2" if spelling is Spelling.ASCII else "^{2}"
        return self.inner.within(ATOM, write, spelling) + two

    @property
    def binds(self) -> int:
        return POWER

    def parts(self) -> tuple[Arithmetic, ...]:
        return (self.inner,)


@dataclass(frozen=True, slots=True)
class Root(Arithmetic):
    inner: Arithmetic

    def value(self, read: Callable[[Ref], float]) -> float:
        return math.sqrt(self.inner.value(read))

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        if spelling is Spelling.UNICODE:
            return "√" + self.inner.within(ATOM, write, spelling)
        inner = self.inner.text(write, spelling)
        return f"sqrt({inner})" if spelling is Spelling.ASCII else rf"\sqrt{{{inner}}}"

    @property
    def binds(self) -> int:
        return POWER

    def parts(self) -> tuple[Arithmetic, ...]:
        return (self.inner,)


@dataclass(frozen=True, slots=True)
class Exp(Arithmetic):
    """e to the power of something."""
    inner: Arithmetic

    def value(self, read: Callable[[Ref], float]) -> float:
        return math.exp(self.inner.value(read))

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        inner = self.inner.text(write, spelling)
        return (f"e^({inner})" if spelling is Spelling.UNICODE
                else f"exp({inner})" if spelling is Spelling.ASCII else f"e^{{{inner}}}")

    def parts(self) -> tuple[Arithmetic, ...]:
        return (self.inner,)


FUNCTIONS: dict[str, Callable[..., float]] = {
    "max": max, "sin": math.sin, "cos": math.cos, "pow": math.pow, "positive": lambda x: float(x > 0)}


@dataclass(frozen=True, slots=True)
class Call(Arithmetic):
    """A function by name (see FUNCTIONS) of some arguments."""
    name: str
    arguments: tuple[Arithmetic, ...]

    def value(self, read: Callable[[Ref], float]) -> float:
        return FUNCTIONS[self.name](*(argument.value(read) for argument in self.arguments))

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        name = self.name if spelling is not Spelling.LATEX else rf"\{self.name}"
        return f"{name}({', '.join(argument.text(write, spelling) for argument in self.arguments)})"

    def parts(self) -> tuple[Arithmetic, ...]:
        return self.arguments


@dataclass(frozen=True, slots=True)
class TenThousandTo(Arithmetic):
    """10000^(k / d): the wavelength of a dimension of the positional encoding (section 3.5)."""
    power: Arithmetic

    def value(self, read: Callable[[Ref], float]) -> float:
        return 10000.0 ** self.power.value(read)

    def text(self, write: Callable[[Ref], str], spelling: Spelling, leads: bool = True) -> str:
        left, right = ("{", "}") if spelling is Spelling.LATEX else ("(", ")")
        return f"10000^{left}{self.power.text(write, spelling)}{right}"

    @property
    def binds(self) -> int:
        return POWER

    def parts(self) -> tuple[Arithmetic, ...]:
        return (self.power,)


def full(ref: Ref) -> float:
    """The number of a leaf at full precision."""
    return float(ref.tensor.value[ref.index])
