"""An expression: the one tree behind a formula and behind the arithmetic of a number.

The leaves of a formula are tensors, those of the arithmetic of a number are numbers of tensors and constants. The tree
says how tightly each of its nodes holds together; printer.py writes it, rounding.py says what its operations give."""
import math
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Protocol

from attntrace.tensor.rounding import FULL_PRECISION, Rounding


class HasValue(Protocol):
    """What arithmetic needs of a tensor: numbers by index."""
    value: Any


SUM, QUOTIENT, PRODUCT, JUXTAPOSED, POWER, ATOM = range(1, 7)  # how tightly what is written holds together
Read = Callable[["Ref"], Any]  # the number of a leaf, as the rounding has it


def set_traits(cls: type, traits: dict[str, Any]) -> None:
    """Set class variables that stand in the line of a class; each is declared by one of its bases."""
    for trait, value in traits.items():
        assert any(trait in base.__annotations__ for base in cls.__mro__[1:-1]), f"{cls.__name__}: no trait {trait}"
        setattr(cls, trait, value)


def snake_case(name: str) -> str:
    """The name of a class as that of a method: sum_over."""
    return re.sub("(?<=.)(?=[A-Z])", "_", name).lower()


class Expression:
    """A node and its parts. `kind` names the method of Printer that writes it, and that of Rounding that combines the
    values of its parts: the class's name in small letters, such as sum_over."""
    kind: ClassVar[str]
    binds: int = ATOM
    largest: ClassVar[Callable[..., float] | None] = None  # the magnitude by those of the parts, where they can cancel

    def __init__(self, *parts: "Expression") -> None:
        self.parts = parts

    def __init_subclass__(cls, **traits: Any) -> None:
        set_traits(cls, traits)
        cls.kind = snake_case(cls.__name__)

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        """Evaluate, every operation under a rounding, with the numbers that `read` gives for the leaves."""
        return getattr(rounding, self.kind)(*[part.value(read, rounding) for part in self.parts])

    def combine(self, values: list[float]) -> float:
        """Evaluate for these values of the parts, in full precision."""
        return float(getattr(FULL_PRECISION, self.kind)(*values))

    def result(self, rounding: Rounding) -> Any:
        """Evaluate under a rounding with the leaves' own numbers."""
        return self.value(lambda ref: rounding.number(ref.tensor.value.item(ref.index)), rounding)

    def magnitude(self, read: Read) -> float:
        """The value if no two terms cancelled, which is what rounding errors are relative to."""
        if self.largest is None:
            return abs(float(self.value(read)))
        return self.largest(*[part.magnitude(read) for part in self.parts])

    def nodes(self) -> "Iterator[Expression]":
        """This node and all below it, in the order in which they are written."""
        yield self
        for part in self.parts:
            yield from part.nodes()

    def leaves(self) -> "Iterator[Ref]":
        return (node for node in self.nodes() if isinstance(node, Ref))


class Ref(Expression):
    """One number of a named tensor; the index counts from 0."""
    parts = ()

    def __init__(self, tensor: HasValue, index: tuple[int, ...]) -> None:
        self.tensor, self.index = tensor, index

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return read(self)


class Number(Expression):
    """A constant, written in full."""
    parts = ()

    def __init__(self, number: float) -> None:
        self.number = number

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.number(self.number)

    def __str__(self) -> str:
        whole = math.isfinite(self.number) and self.number == int(self.number) and abs(self.number) < 1e15
        return str(int(self.number)) if whole else repr(self.number)


class Sum(Expression, binds=SUM, largest=staticmethod(lambda *terms: math.fsum(terms))):
    """All terms, written out."""


def number_of(ref: Ref) -> float:
    """The number that a leaf stands for."""
    return float(ref.tensor.value[ref.index])


def value_of(arithmetic: Expression, read: Read = number_of, rounding: Rounding = FULL_PRECISION) -> float:
    """The value of an expression, every operation under a rounding; nan where there is none."""
    rounded = read if rounding is FULL_PRECISION else lambda ref: rounding.number(read(ref))
    try:
        return float(arithmetic.value(rounded, rounding))
    except (OverflowError, ValueError, ZeroDivisionError):
        return math.nan


def combined(node: Expression, values: list[float]) -> float:
    """The value of a node for these values of its parts; nan where there is none."""
    try:
        return node.combine(values)
    except (OverflowError, ValueError, ZeroDivisionError):
        return math.nan


def sum_of(*terms: Expression) -> Expression:
    """The sum of terms; of one term, that term."""
    return terms[0] if len(terms) == 1 else Sum(*terms)


def append_term(left: Expression, right: Expression) -> Expression:
    """left + right, as one sum where the left is a sum."""
    return Sum(*(left.parts if isinstance(left, Sum) else (left,)), right)


class Binary(Expression):
    """Two operands with a sign between them, each in brackets where it holds together less than `least`."""
    sign: ClassVar[str]
    least: ClassVar[tuple[int, int]]


class Difference(Binary, sign="-", binds=SUM, least=(SUM, QUOTIENT), largest=operator.add):
    """The left operand less the right one."""


class Product(Binary, sign="·", binds=PRODUCT, least=(PRODUCT, JUXTAPOSED), largest=operator.mul):
    """Of two numbers, or of a matrix and a number."""


class ElementwiseProduct(Product, sign="⊙"):
    """Of two matrices, entry by entry."""


class Quotient(Binary, sign="/", binds=QUOTIENT, least=(PRODUCT, JUXTAPOSED)):
    def magnitude(self, read: Read) -> float:
        top, bottom = self.parts
        return top.magnitude(read) / abs(float(bottom.value(read)) or math.inf)


class MatrixProduct(Binary, sign="", binds=JUXTAPOSED, least=(JUXTAPOSED, POWER)):
    """Two matrices side by side."""


class OuterProduct(Expression, binds=JUXTAPOSED):
    """A column times a row, both of which are written as rows: x₁ᵀ q₁."""


class Negative(Expression, binds=SUM, largest=abs):
    """The operand with the other sign."""


class Square(Expression, binds=POWER):
    """The operand times itself."""


class Root(Expression, binds=POWER):
    """The square root."""


class Exp(Expression):
    """e to the power of something."""


class Power(Expression, binds=POWER):
    """A constant to the power of something: 10000^(k / d), the wavelength of a dimension of the positional encoding
    (section 3.5)."""


class Call(Expression):
    """A function by name (of numbers: see rounding.FUNCTIONS) of some arguments, behind a `setting` in words."""

    def __init__(self, name: str, *parts: Expression, setting: str = "") -> None:
        super().__init__(*parts)
        self.name, self.setting = name, setting

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.function(self.name, *(argument.value(read, rounding) for argument in self.parts))

    def combine(self, values: list[float]) -> float:
        return float(FULL_PRECISION.function(self.name, *values))


class SumOver(Expression):
    """The sum along an axis: Σ_vocab(…)."""

    def __init__(self, axis: str, term: Expression) -> None:
        super().__init__(term)
        self.axis = axis


class Transposed(Expression):
    """The transpose of more than a symbol: (…)ᵀ."""


class SideBySide(Expression):
    """Matrices side by side: [Z⁽¹⁾ ; Z⁽²⁾]."""


class LookUp(Expression):
    """Rows of a table by their numbers: W_E[id]."""


class Indexed(Expression):
    """A row, a column or some columns, counted from 1: X[1,:], W[:,1-4]."""

    def __init__(self, whole: Expression, *index: str) -> None:
        super().__init__(whole)
        self.index = index
