"""An expression: the one tree behind a formula and behind the arithmetic of a number.

The leaves of a formula are tensors, those of the arithmetic of a number are numbers of tensors and constants. The tree
says how tightly each of its nodes holds together; printer.py writes it, rounding.py says what its operations give."""
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from attntrace.tensor.rounding import FULL_PRECISION, Rounding

if TYPE_CHECKING:
    from attntrace.tensor.tensor import Tensor


class HasValue(Protocol):
    """What arithmetic needs of a tensor: numbers by index."""
    value: Any


SUM, QUOTIENT, PRODUCT, JUXTAPOSED, POWER, ATOM = range(1, 7)  # how tightly what is written holds together
Read = Callable[["Ref"], Any]  # the number of a leaf, as the rounding has it


class Expression:
    """A node: its parts, the method of Printer that writes it, and that of Rounding that combines their values."""
    kind: ClassVar[str]
    operation: ClassVar[str]
    binds: int = ATOM

    def __init__(self, *parts: "Expression") -> None:
        self.parts = parts

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        """Evaluate, every operation under a rounding, with the numbers that `read` gives for the leaves."""
        return getattr(rounding, self.operation)(*[part.value(read, rounding) for part in self.parts])

    def result(self, rounding: Rounding) -> Any:
        """Evaluate under a rounding with the leaves' own numbers."""
        return self.value(lambda ref: rounding.number(ref.tensor.value.item(ref.index)), rounding)

    def magnitude(self, read: Read) -> float:
        """The value if no two terms cancelled, which is what rounding errors are relative to."""
        return abs(float(self.value(read)))

    def nodes(self) -> "Iterator[Expression]":
        """This node and all below it, in the order in which they are written."""
        yield self
        for part in self.parts:
            yield from part.nodes()

    def leaves(self) -> "Iterator[Ref]":
        return (node for node in self.nodes() if isinstance(node, Ref))

    def tensors(self) -> "list[Tensor]":
        """The tensors of a formula that are drawn as matrices where matrices are drawn."""
        return [node.tensor for node in self.nodes() if isinstance(node, Term)]


class Term(Expression):
    """A tensor in a formula."""
    kind: ClassVar[str] = "symbol"

    def __init__(self, tensor: "Tensor") -> None:
        super().__init__()
        self.tensor = tensor
        if tensor.symbol is not None and tensor.symbol.letter.startswith("-"):  # a constant such as -2
            self.binds = SUM


class Name(Expression):
    """A tensor of which a formula gives only the symbol, such as the whole table of a look-up."""
    kind: ClassVar[str] = "symbol"

    def __init__(self, tensor: "Tensor") -> None:
        super().__init__()
        self.tensor = tensor


class Ref(Expression):
    """One number of a named tensor; the index counts from 0."""
    kind: ClassVar[str] = "ref"
    parts = ()

    def __init__(self, tensor: HasValue, index: tuple[int, ...]) -> None:
        self.tensor, self.index = tensor, index

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return read(self)


class Number(Expression):
    """A constant, written in full."""
    kind: ClassVar[str] = "number"
    parts = ()

    def __init__(self, number: float) -> None:
        self.number = number

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.number(self.number)

    def __str__(self) -> str:
        whole = math.isfinite(self.number) and self.number == int(self.number) and abs(self.number) < 1e15
        return str(int(self.number)) if whole else repr(self.number)


class Sum(Expression):
    """All terms, written out."""
    kind: ClassVar[str] = "sum"
    binds = SUM

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.sum(term.value(read, rounding) for term in self.parts)

    def magnitude(self, read: Read) -> float:
        return math.fsum(term.magnitude(read) for term in self.parts)


def sum_of(*terms: Expression) -> Expression:
    """The sum of terms; of one term, that term."""
    return terms[0] if len(terms) == 1 else Sum(*terms)


def append_term(left: Expression, right: Expression) -> Expression:
    """left + right, as one sum where the left is a sum."""
    return Sum(*(left.parts if isinstance(left, Sum) else (left,)), right)


class Binary(Expression):
    """Two operands with a sign between them, in brackets where they hold together less than `least`."""
    kind: ClassVar[str] = "binary"
    sign: ClassVar[str]
    least: ClassVar[tuple[int, int]]


class Difference(Binary):
    operation: ClassVar[str] = "difference"
    sign: ClassVar[str] = "-"
    binds = SUM
    least: ClassVar[tuple[int, int]] = SUM, QUOTIENT

    def magnitude(self, read: Read) -> float:
        left, right = self.parts
        return left.magnitude(read) + right.magnitude(read)


class Product(Binary):
    operation: ClassVar[str] = "product"
    sign: ClassVar[str] = "·"
    binds = PRODUCT
    least: ClassVar[tuple[int, int]] = PRODUCT, JUXTAPOSED

    def magnitude(self, read: Read) -> float:
        left, right = self.parts
        return left.magnitude(read) * right.magnitude(read)


class ElementwiseProduct(Product):
    """Of two matrices, entry by entry."""
    sign: ClassVar[str] = "⊙"


class Quotient(Binary):
    operation: ClassVar[str] = "quotient"
    sign: ClassVar[str] = "/"
    binds = QUOTIENT
    least: ClassVar[tuple[int, int]] = PRODUCT, JUXTAPOSED

    def magnitude(self, read: Read) -> float:
        top, bottom = self.parts
        return top.magnitude(read) / abs(float(bottom.value(read)) or math.inf)


class MatrixProduct(Binary):
    """Two matrices side by side."""
    sign: ClassVar[str] = ""
    binds = JUXTAPOSED
    least: ClassVar[tuple[int, int]] = JUXTAPOSED, POWER


class OuterProduct(Expression):
    """A column times a row, both of which are written as rows: x₁ᵀ q₁."""
    kind: ClassVar[str] = "outer_product"
    binds = JUXTAPOSED


class Negative(Expression):
    kind: ClassVar[str] = "negative"
    operation: ClassVar[str] = "negative"
    binds = SUM

    def magnitude(self, read: Read) -> float:
        return self.parts[0].magnitude(read)


class Square(Expression):
    kind: ClassVar[str] = "square"
    operation: ClassVar[str] = "square"
    binds = POWER


class Root(Expression):
    kind: ClassVar[str] = "root"
    operation: ClassVar[str] = "root"
    binds = POWER


class Exp(Expression):
    """e to the power of something."""
    kind: ClassVar[str] = "exp"
    operation: ClassVar[str] = "exp"


class TenThousandTo(Expression):
    """10000^(k / d): the wavelength of a dimension of the positional encoding (section 3.5)."""
    kind: ClassVar[str] = "ten_thousand_to"
    operation: ClassVar[str] = "ten_thousand_to"
    binds = POWER


class Call(Expression):
    """A function by name (of numbers: see rounding.FUNCTIONS) of some arguments, behind a `setting` in words."""
    kind: ClassVar[str] = "call"

    def __init__(self, name: str, *parts: Expression, setting: str = "") -> None:
        super().__init__(*parts)
        self.name, self.setting = name, setting

    def value(self, read: Read, rounding: Rounding = FULL_PRECISION) -> Any:
        return rounding.function(self.name, *(argument.value(read, rounding) for argument in self.parts))


class SumOver(Expression):
    """The sum along an axis: Σ_vocab(…)."""
    kind: ClassVar[str] = "sum_over"

    def __init__(self, axis: str, term: Expression) -> None:
        super().__init__(term)
        self.axis = axis


class Transposed(Expression):
    """The transpose of what is no symbol: (…)ᵀ."""
    kind: ClassVar[str] = "transposed"


class SideBySide(Expression):
    """Matrices side by side: [Z⁽¹⁾ ; Z⁽²⁾]."""
    kind: ClassVar[str] = "side_by_side"


class LookUp(Expression):
    """Rows of a table by their numbers: W_E[id]."""
    kind: ClassVar[str] = "look_up"


class Indexed(Expression):
    """A row, a column or some columns, counted from 1: X[1,:], W[:,1-4]."""
    kind: ClassVar[str] = "indexed"

    def __init__(self, whole: Expression, *index: str) -> None:
        super().__init__(whole)
        self.index = index
