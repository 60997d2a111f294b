"""The arithmetic behind one number: a tree whose leaves are constants and (tensor, index) pairs.

It is evaluated with full or printed numbers, exactly or under a rounding, and written in three spellings."""
import math
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Protocol

from attntrace.tensor.rounding import FULL_PRECISION, Rounding
from attntrace.tensor.symbol import MINUS, OVER, ROOT_CLOSE, ROOT_OPEN, SQUARED, Sign, Spelling, numeral, upright


class HasValue(Protocol):
    """What arithmetic needs of a tensor: numbers by index."""
    value: Any


SUM, QUOTIENT, PRODUCT, JUXTAPOSED, POWER, ATOM = range(1, 7)  # how tightly what is written holds together
Read = Callable[["Ref"], Any]  # the number of a leaf, as the rounding has it
Write = Callable[["Ref"], str]  # the text of a leaf


class Arithmetic:
    """A node of the tree. `operation` is the method of Rounding that combines the values of its parts."""
    binds: ClassVar[int] = ATOM
    operation: ClassVar[str]

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        """Evaluate, every operation under a rounding, with the numbers that `read` gives for the leaves."""
        return getattr(rounding, self.operation)(*[part.value(read, rounding) for part in self.parts()])

    def result(self, rounding: Rounding) -> Any:
        """Evaluate under a rounding with the leaves' own numbers."""
        return self.value(lambda ref: rounding.number(ref.tensor.value.item(ref.index)), rounding)

    def magnitude(self, read: Read) -> float:
        """The value if no two terms cancelled, which is what rounding errors are relative to."""
        return abs(float(self.value(read)))

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        """Write the arithmetic; a negative number stands in brackets unless it `leads`."""
        raise NotImplementedError

    def parts(self) -> "tuple[Arithmetic, ...]":
        return ()

    def leaves(self) -> "Iterator[Ref]":
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

    def __init__(self, tensor: HasValue, index: tuple[int, ...]) -> None:
        self.tensor, self.index = tensor, index

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return read(self)

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        return _signed(numeral(write(self), spelling), leads)

    def leaves(self) -> "Iterator[Ref]":
        yield self


class Number(Arithmetic):
    """A constant, written in full."""

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
    """The sum of terms; of one term, that term."""
    return terms[0] if len(terms) == 1 else Sum(terms)


def append_term(left: Arithmetic, right: Arithmetic) -> Arithmetic:
    """left + right, as one sum where the left is a sum."""
    return Sum((*(left.terms if isinstance(left, Sum) else (left,)), right))


class Binary(Arithmetic):
    """Two operands with a sign between them, in brackets where they hold together less than `least`."""
    sign: ClassVar[Sign]
    least: ClassVar[tuple[int, int]]

    def __init__(self, left: Arithmetic, right: Arithmetic) -> None:
        self.left, self.right = left, right

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        left, right = self.least
        return (self.left.within(left, write, spelling, leads) + self.sign.text(spelling)
                + self.right.within(right, write, spelling))

    def parts(self) -> tuple[Arithmetic, ...]:
        return self.left, self.right


class Difference(Binary):
    operation: ClassVar[str] = "difference"
    sign: ClassVar[Sign] = MINUS
    binds: ClassVar[int] = SUM
    least: ClassVar[tuple[int, int]] = (SUM, QUOTIENT)

    def magnitude(self, read: Read) -> float:
        return self.left.magnitude(read) + self.right.magnitude(read)


class Product(Binary):
    operation: ClassVar[str] = "product"
    sign: ClassVar[Sign] = Sign("·", "*", r" \cdot ")
    binds: ClassVar[int] = PRODUCT
    least: ClassVar[tuple[int, int]] = (PRODUCT, POWER)

    def magnitude(self, read: Read) -> float:
        return self.left.magnitude(read) * self.right.magnitude(read)


class Quotient(Binary):
    operation: ClassVar[str] = "quotient"
    sign: ClassVar[Sign] = OVER
    binds: ClassVar[int] = QUOTIENT
    least: ClassVar[tuple[int, int]] = (PRODUCT, POWER)

    def magnitude(self, read: Read) -> float:
        return self.left.magnitude(read) / abs(float(self.right.value(read)) or math.inf)


class Unary(Arithmetic):
    """One operand."""

    def __init__(self, inner: Arithmetic) -> None:
        self.inner = inner

    def parts(self) -> tuple[Arithmetic, ...]:
        return (self.inner,)


class Negative(Unary):
    operation: ClassVar[str] = "negative"
    binds: ClassVar[int] = PRODUCT

    def magnitude(self, read: Read) -> float:
        return self.inner.magnitude(read)

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        return _signed(f"-{self.inner.within(POWER, write, spelling)}", leads)


class Square(Unary):
    operation: ClassVar[str] = "square"
    binds: ClassVar[int] = POWER

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        return self.inner.within(ATOM, write, spelling) + SQUARED.text(spelling)


class Root(Unary):
    operation: ClassVar[str] = "root"
    binds: ClassVar[int] = POWER

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        if spelling is Spelling.UNICODE:
            return "√" + self.inner.within(ATOM, write, spelling)
        return ROOT_OPEN.text(spelling) + self.inner.text(write, spelling) + ROOT_CLOSE.text(spelling)


class Exp(Unary):
    """e to the power of something."""
    operation: ClassVar[str] = "exp"

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        form = {Spelling.UNICODE: "e^({})", Spelling.ASCII: "exp({})", Spelling.LATEX: "e^{{{}}}"}[spelling]
        return form.format(self.inner.text(write, spelling))


class TenThousandTo(Unary):
    """10000^(k / d): the wavelength of a dimension of the positional encoding (section 3.5)."""
    operation: ClassVar[str] = "ten_thousand_to"
    binds: ClassVar[int] = POWER

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        left, right = ("{", "}") if spelling is Spelling.LATEX else ("(", ")")
        return f"10000^{left}{self.inner.text(write, spelling)}{right}"


class Call(Arithmetic):
    """A function by name (see rounding.FUNCTIONS) of some arguments."""

    def __init__(self, name: str, arguments: tuple[Arithmetic, ...]) -> None:
        self.name, self.arguments = name, arguments

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.function(self.name, *(argument.value(read, rounding) for argument in self.arguments))

    def text(self, write: Write, spelling: Spelling, leads: bool = True) -> str:
        name = upright(self.name) if spelling is Spelling.LATEX else self.name
        return f"{name}({', '.join(argument.text(write, spelling) for argument in self.arguments)})"

    def parts(self) -> tuple[Arithmetic, ...]:
        return self.arguments
