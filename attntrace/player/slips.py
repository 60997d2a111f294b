"""What a wrong prediction may have been: the arithmetic of a number with one slip in it.

As the printer and the roundings, it has a method for each kind of node of an expression that people get wrong, and does
not ask which op an expression comes from."""
import math
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from attntrace.messages.catalog import Message
from attntrace.tensor.expression import Difference, Exp, Expression, Number, Ref, Sum, combined, value_of
from attntrace.tensor.printer import Printer, Write
from attntrace.tensor.tensor import Term

MOST_TERMS = 32  # of a sum: of more, a wrong one cannot be told from another
MOST_NODES = 400  # of an expression in which slips are looked for below its root
POWERS = (10.0, 0.1, 100.0, 0.01)  # where the decimal point is misplaced


class Slip(NamedTuple):
    """The result with a slip, the key of its message, and the part that was treated wrongly; `in_each`: the same slip
    in every term of a sum, of which this is the first."""
    value: float
    key: str
    part: Expression | None = None
    symbol: Expression | None = None  # the same part in the formula, where it is there
    in_each: bool = False

    def message(self, printer: type[Printer], write: Write, head: int | None) -> Message:
        """What was wrong, with its part in symbols and in the numbers that are printed."""
        if self.in_each:
            return Message("play.slip.in_each", slip=self._replace(in_each=False).message(printer, write, head))
        if self.part is None:
            return Message(f"play.slip.{self.key}")
        numbers = printer(write=write).text(self.part)
        symbols = numbers if self.symbol is None else printer(head).text(self.symbol)
        return Message(f"play.slip.{self.key}", part=numbers if symbols == numbers else f"{symbols} = {numbers}")


def slips_in(arithmetic: Expression, formula: Expression | None = None) -> Iterator[Slip]:
    """Results with one slip, likely ones first; `formula`: the same in symbols, as far as it has the same nodes."""
    value = value_of(arithmetic)
    yield Slip(-value, "sign")
    deep = sum(1 for _ in zip(range(MOST_NODES), arithmetic.nodes())) < MOST_NODES
    yield from sorted(_below(arithmetic, formula, deep), key=lambda slip: slip.key not in NESTED_FIRST)
    if value > 0:
        yield Slip(math.sqrt(value), "rooted")
    for power in POWERS:
        yield Slip(value * power, "point")
    yield from (Slip(value_of(leaf), "operand") for leaf in islice(arithmetic.leaves(), MOST_TERMS))


def _below(node: Expression, symbol: Expression | None, deep: bool) -> Iterator[Slip]:
    """Slips in a node, then those in its parts."""
    if not node.parts:
        return
    values = [value_of(part) for part in node.parts]
    symbols = _parts_of(symbol, node)
    inner = [list(_below(part, symbols[n], deep)) for n, part in enumerate(node.parts if deep else ())]
    own = OWN.get(node.kind)
    if own is not None:
        yield from own(node, values, symbols)
    if isinstance(node, Sum):
        yield from _in_each(inner)
    for n, slips in enumerate(inner):
        for slip in slips:
            yield slip._replace(value=combined(node, [*values[:n], slip.value, *values[n + 1:]]))


def _in_each(inner: list[list[Slip]]) -> Iterator[Slip]:
    """The same slip in every term of a sum, where all terms have the same ones."""
    for slips in zip(*inner) if len(inner) <= MOST_TERMS and len(set(map(len, inner))) == 1 else ():
        if len({slip.key for slip in slips}) == 1:
            yield slips[0]._replace(value=sum(slip.value for slip in slips), in_each=True)


def _parts_of(symbol: Expression | None, node: Expression) -> list[Expression | None]:
    """The parts of a node in its formula: of the same kind of node, those that are symbols."""
    if symbol is None or symbol.kind != node.kind or len(symbol.parts) != len(node.parts):
        return [None] * len(node.parts)
    return [part if isinstance(part, Term) or part.parts else None for part in symbol.parts]


Values = list[float]
Symbols = list[Expression | None]


def _sum(node: Expression, values: Values, symbols: Symbols) -> Iterator[Slip]:
    total = math.fsum(values) if all(map(math.isfinite, values)) else math.nan
    for n, part in enumerate(node.parts if len(values) <= MOST_TERMS else ()):
        yield Slip(math.fsum([*values[:n], *values[n + 1:]]), "term", part, symbols[n])
        yield Slip(total - 2 * values[n], "sign_of", part, symbols[n])


def _difference(node: Expression, values: Values, symbols: Symbols) -> Iterator[Slip]:
    yield Slip(values[0], "not_subtracted", node.parts[1], symbols[1])
    yield Slip(values[0] + values[1], "added", node.parts[1], symbols[1])
    yield Slip(values[1] - values[0], "reversed")


def _product(node: Expression, values: Values, symbols: Symbols) -> Iterator[Slip]:
    for n in (1, 0):
        yield Slip(values[1 - n], "factor", node.parts[n], symbols[n])
    yield Slip(values[0] + values[1], "added_factor", node.parts[1], symbols[1])


def _quotient(node: Expression, values: Values, symbols: Symbols) -> Iterator[Slip]:
    yield Slip(values[0], "not_divided", node.parts[1], symbols[1])
    left, right = node.parts
    if isinstance(left, Exp) and isinstance(left.parts[0], Difference):  # of a softmax, without its maximum
        yield Slip(combined(left, [value_of(left.parts[0].parts[0])]), "not_divided", right, symbols[1])
    if isinstance(right, Number) and right.number > 2 and float(right.number).is_integer():  # n - 1 for n
        yield Slip(values[0] / (right.number - 1), "one_less", right)
    yield Slip(values[0] * values[1], "multiplied", node.parts[1], symbols[1])
    yield Slip(combined(node, values[::-1]), "inverted")


def _square(node: Expression, values: Values, symbols: Symbols) -> Iterator[Slip]:
    yield Slip(values[0], "not_squared", node.parts[0], symbols[0])
    yield Slip(2 * values[0], "doubled", node.parts[0], symbols[0])


def _root(node: Expression, values: Values, symbols: Symbols) -> Iterator[Slip]:
    yield Slip(values[0], "no_root", node.parts[0], symbols[0])


def _exp(node: Expression, values: Values, symbols: Symbols) -> Iterator[Slip]:
    yield Slip(values[0], "no_power", node, None)


def _power(node: Expression, values: Values, symbols: Symbols) -> Iterator[Slip]:
    yield Slip(values[0] * values[1], "no_power", node, None)


def _negative(node: Expression, values: Values, symbols: Symbols) -> Iterator[Slip]:
    yield Slip(values[0], "sign_of", node.parts[0], symbols[0])


def _call(node: Expression, values: Values, symbols: Symbols) -> Iterator[Slip]:
    for value in values if any(True for part in node.parts for leaf in part.nodes() if isinstance(leaf, Ref)) else ():
        yield Slip(value, "function", node, None)


OWN = {"sum": _sum, "difference": _difference, "product": _product, "quotient": _quotient, "square": _square,
       "root": _root, "exp": _exp, "power": _power, "negative": _negative, "call": _call}
NESTED_FIRST = ("not_divided", "term", "sign_of", "not_subtracted")  # those that people make most
