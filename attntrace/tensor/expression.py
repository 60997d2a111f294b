"""The arithmetic behind one number: a small tree whose leaves are constants and (tensor, index) pairs.

It can be evaluated (with the full numbers, or with the printed ones; in full precision, or by another rule) and written
with them.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Protocol

from attntrace.tensor.rounding import FULL_PRECISION, Rounding
from attntrace.tensor.symbol import Spelling, numeral, upright


class Valued(Protocol):
    """All that is asked of a tensor here: numbers by index."""
    value: Any


SUM, QUOTIENT, PRODUCT, JUXTAPOSED, POWER, ATOM = range(1, 7)  # how tightly what is written holds together


Read = Callable[["Ref"], Any]
Write = Callable[["Ref"], str]


class Arithmetic:
    """A node. `value(read, rule)` evaluates it by a rule, `read` giving the number of a leaf as the rule has it;
    `text(write, spelling)` writes it, with `write` giving the text of a leaf; a negative number is bracketed unless it
    `leads`."""
    __slots__ = ()
    binds: ClassVar[int] = ATOM

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        raise AssertionError("every kind of arithmetic has a value")

    def by(self, rounding: Rounding) -> Any:
        """The value by a rule, from the numbers that the leaves have."""
        return self.value(lambda ref: rounding.number(ref.tensor.value.item(ref.index)), rounding)

    def magnitude(self, read: Read) -> float:
        """The value if no two terms cancelled: what its rounding is measured by."""
        return abs(self.value(read))

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        raise AssertionError("every kind of arithmetic has a text")

    def parts(self) -> tuple[Arithmetic, ...]:
        return ()

    def leaves(self) -> Iterator[Ref]:
        for part in self.parts():
            yield from part.leaves()

    def within(self, least: int, write: Write, spelling: Spelling, leads: bool = False) -> str:
        """The text, in brackets where it holds together less than `least`."""
        if self.binds < least:
            return f"({self.text(write, spelling)})"
        return self.text(write, spelling, leads)


def _signed(text: str, leads: bool) -> str:
    return text if leads or not text.startswith("-") else f"({text})"


class Ref(Arithmetic):
    """One number of a named tensor; the index counts from 0."""
    __slots__ = ("tensor", "index")

    def __init__(self, tensor: Valued, index: tuple[int, ...]) -> None:
        self.tensor, self.index = tensor, index

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return read(self)

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        return _signed(numeral(write(self), spelling), leads)

    def leaves(self) -> Iterator[Ref]:
        yield self


class Number(Arithmetic):
    """A constant, written in full."""
    __slots__ = ("number",)

    def __init__(self, number: float) -> None:
        self.number = number

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.number(self.number)

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        return _signed(numeral(str(self), spelling), leads)

    def __str__(self) -> str:
        whole = math.isfinite(self.number) and self.number == int(self.number) and abs(self.number) < 1e15
        return str(int(self.number)) if whole else repr(self.number)


class Sum(Arithmetic):
    """All terms, written out."""
    __slots__ = ("terms",)
    binds: ClassVar[int] = SUM

    def __init__(self, terms: tuple[Arithmetic, ...]) -> None:
        self.terms = terms

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.sum(term.value(read, rounding) for term in self.terms)

    def magnitude(self, read: Read) -> float:
        return math.fsum(term.magnitude(read) for term in self.terms)

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        return " + ".join(term.within(SUM, write, spelling, leads and not n) for n, term in enumerate(self.terms))

    def parts(self) -> tuple[Arithmetic, ...]:
        return self.terms


def sum_of(terms: tuple[Arithmetic, ...]) -> Arithmetic:
    """The sum of terms, or the one term itself."""
    return terms[0] if len(terms) == 1 else Sum(terms)


class Binary(Arithmetic):
    """Two operands with a sign between them, bracketed where they hold together less than `least`."""
    __slots__ = ("left", "right")
    least: ClassVar[tuple[int, int]]

    def __init__(self, left: Arithmetic, right: Arithmetic) -> None:
        self.left, self.right = left, right

    def sign(self, spelling: Spelling) -> str:
        raise AssertionError("every kind of binary arithmetic has a sign")

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        left, right = self.least
        return (self.left.within(left, write, spelling, leads) + self.sign(spelling)
                + self.right.within(right, write, spelling))

    def parts(self) -> tuple[Arithmetic, ...]:
        return self.left, self.right


class Difference(Binary):
    __slots__ = ()
    binds: ClassVar[int] = SUM
    least: ClassVar[tuple[int, int]] = (SUM, QUOTIENT)

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.difference(self.left.value(read, rounding), self.right.value(read, rounding))

    def magnitude(self, read: Read) -> float:
        return self.left.magnitude(read) + self.right.magnitude(read)

    def sign(self, spelling: Spelling) -> str:
        return " - "


class Product(Binary):
    __slots__ = ()
    binds: ClassVar[int] = PRODUCT
    least: ClassVar[tuple[int, int]] = (PRODUCT, POWER)

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.product(self.left.value(read, rounding), self.right.value(read, rounding))

    def magnitude(self, read: Read) -> float:
        return self.left.magnitude(read) * self.right.magnitude(read)

    def sign(self, spelling: Spelling) -> str:
        return {Spelling.UNICODE: "·", Spelling.ASCII: "*", Spelling.LATEX: r" \cdot "}[spelling]


class Quotient(Binary):
    __slots__ = ()
    binds: ClassVar[int] = QUOTIENT
    least: ClassVar[tuple[int, int]] = (PRODUCT, POWER)

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.quotient(self.left.value(read, rounding), self.right.value(read, rounding))

    def magnitude(self, read: Read) -> float:
        return self.left.magnitude(read) / abs(self.right.value(read) or math.inf)

    def sign(self, spelling: Spelling) -> str:
        return " / "


class Unary(Arithmetic):
    __slots__ = ("inner",)

    def __init__(self, inner: Arithmetic) -> None:
        self.inner = inner

    def parts(self) -> tuple[Arithmetic, ...]:
        return (self.inner,)


class Negative(Unary):
    __slots__ = ()
    binds: ClassVar[int] = PRODUCT

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.negative(self.inner.value(read, rounding))

    def magnitude(self, read: Read) -> float:
        return self.inner.magnitude(read)

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        return _signed(f"-{self.inner.within(POWER, write, spelling)}", leads)


class Square(Unary):
    __slots__ = ()
    binds: ClassVar[int] = POWER

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.square(self.inner.value(read, rounding))

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        two = {Spelling.UNICODE: "²", Spelling.ASCII: "^2", Spelling.LATEX: "^{2}"}[spelling]
        return self.inner.within(ATOM, write, spelling) + two


class Root(Unary):
    __slots__ = ()
    binds: ClassVar[int] = POWER

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.root(self.inner.value(read, rounding))

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        if spelling is Spelling.UNICODE:
            return "√" + self.inner.within(ATOM, write, spelling)
        inner = self.inner.text(write, spelling)
        return f"sqrt({inner})" if spelling is Spelling.ASCII else rf"\sqrt{{{inner}}}"


class Exp(Unary):
    """e to the power of something."""
    __slots__ = ()

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.exp(self.inner.value(read, rounding))

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        form = {Spelling.UNICODE: "e^({})", Spelling.ASCII: "exp({})", Spelling.LATEX: "e^{{{}}}"}[spelling]
        return form.format(self.inner.text(write, spelling))


class TenThousandTo(Unary):
    """10000^(k / d): the wavelength of a dimension of the positional encoding (section 3.5)."""
    __slots__ = ()
    binds: ClassVar[int] = POWER

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.ten_thousand_to(self.inner.value(read, rounding))

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        left, right = ("{", "}") if spelling is Spelling.LATEX else ("(", ")")
        return f"10000^{left}{self.inner.text(write, spelling)}{right}"


class Call(Arithmetic):
    """A function by name (see rules.FUNCTIONS) of some arguments."""
    __slots__ = ("name", "arguments")

    def __init__(self, name: str, arguments: tuple[Arithmetic, ...]) -> None:
        self.name, self.arguments = name, arguments

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.function(self.name, *(argument.value(read, rounding) for argument in self.arguments))

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        name = upright(self.name) if spelling is Spelling.LATEX else self.name
        return f"{name}({', '.join(argument.text(write, spelling) for argument in self.arguments)})"

    def parts(self) -> tuple[Arithmetic, ...]:
        return self.arguments
