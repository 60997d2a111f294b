"""Three ways to do the same arithmetic, for the independent checker: in doubles, by hand, and with error bounds.

They have the same methods, so that the table of ops (ops.py) is written once. Imports only the standard library."""
import math
import operator
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

Operation = Callable[..., Any]
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")
FUNCTION = 8.0  # units by which a library's exponential, logarithm, sine or power may be off


class Arithmetic:
    """What the table of ops needs of numbers, here in double precision; sums are exact and rounded once (math.fsum), in
    any order. `dot` is the total of products; the base of `power` is a plain number from 1."""
    add: Operation = staticmethod(operator.add)
    subtract: Operation = staticmethod(operator.sub)
    times: Operation = staticmethod(operator.mul)
    over: Operation = staticmethod(operator.truediv)
    negative: Operation = staticmethod(operator.neg)
    total: Operation = staticmethod(math.fsum)
    root: Operation = staticmethod(math.sqrt)
    exp: Operation = staticmethod(math.exp)
    log: Operation = staticmethod(math.log)
    sine: Operation = staticmethod(math.sin)
    cosine: Operation = staticmethod(math.cos)
    tanh: Operation = staticmethod(math.tanh)
    erf: Operation = staticmethod(math.erf)
    number: Operation = staticmethod(float)
    plain: Operation = staticmethod(float)
    power: Operation = staticmethod(math.pow)

    def dot(self, xs: Sequence[Any], ys: Sequence[Any]) -> Any:
        return self.total(list(map(self.times, xs, ys)))


Doubles = Arithmetic
Bound = tuple[float, float]


class Bounded(Arithmetic):
    """Numbers with a bound of their rounding error, in units of half the last digit of 1 (running error analysis:
    Higham 2002, section 3.3). Recorded numbers are exact; each operation adds its own rounding to the error of its
    operands, a sum one for each term, in any order."""

    def number(self, value: float) -> Bound:
        return float(value), 0.0

    def plain(self, x: Bound) -> float:
        return x[0]

    def add(self, a: Bound, b: Bound) -> Bound:
        value = a[0] + b[0]
        return (value, a[1] + b[1] + abs(value)) if math.isfinite(value) else (value, 0.0)

    def subtract(self, a: Bound, b: Bound) -> Bound:
        return self.add(a, self.negative(b))

    def times(self, a: Bound, b: Bound) -> Bound:
        value = a[0] * b[0]
        return value, a[1] * abs(b[0]) + abs(a[0]) * b[1] + abs(value)

    def over(self, a: Bound, b: Bound) -> Bound:
        value = a[0] / b[0]
        return value, (a[1] + abs(value) * b[1]) / abs(b[0]) + abs(value)

    def negative(self, x: Bound) -> Bound:
        return -x[0], x[1]

    def total(self, xs: Sequence[Bound]) -> Bound:
        terms = math.fsum(abs(value) for value, _ in xs)
        return math.fsum(value for value, _ in xs), math.fsum(error for _, error in xs) + len(xs) * terms

    def root(self, x: Bound) -> Bound:
        value = math.sqrt(x[0])
        return value, (x[1] / (2 * value) if value else 0.0) + value

    def exp(self, x: Bound) -> Bound:
        value = math.exp(x[0])
        return value, value * (x[1] + FUNCTION) if value else 0.0

    def log(self, x: Bound) -> Bound:
        value = math.log(x[0])
        return value, x[1] / abs(x[0]) + FUNCTION * abs(value)

    def power(self, base: float, x: Bound) -> Bound:
        value = float(base ** x[0])
        return value, value * (math.log(base) * x[1] + FUNCTION)

    def sine(self, x: Bound) -> Bound:
        return math.sin(x[0]), x[1] + FUNCTION

    def cosine(self, x: Bound) -> Bound:
        return math.cos(x[0]), x[1] + FUNCTION

    def tanh(self, x: Bound) -> Bound:
        return math.tanh(x[0]), x[1] + FUNCTION

    def erf(self, x: Bound) -> Bound:
        return math.erf(x[0]), 2 / math.sqrt(math.pi) * x[1] + FUNCTION


def rounding(operation: str) -> Operation:
    """An operation of a decimal context, whose result is rounded."""
    def method(self: "HandArithmetic", *operands: Decimal) -> Decimal:
        return self.rounded(getattr(self.context, operation)(*operands))
    return method


class HandArithmetic(Arithmetic):
    """Numbers with a fixed count of decimals, as on paper: each result is computed exactly, or to far more digits than
    are kept, and rounded once, halves away from zero. 0 as a divisor or in a logarithm counts as the smallest number
    that can be written (docs/en/by-hand.md)."""

    add, subtract, times = rounding("add"), rounding("subtract"), rounding("multiply")
    root, exp = rounding("sqrt"), rounding("exp")

    def __init__(self, decimals: int) -> None:
        self.unit = Decimal(1).scaleb(-decimals)
        self.context = Context(prec=100 + decimals, rounding=ROUND_HALF_UP, Emax=10**6, Emin=-10**6)

    def number(self, value: float) -> Decimal:
        """The number as written: a constant such as ε keeps all its decimals."""
        return Decimal(repr(value))

    def rounded(self, x: Decimal) -> Decimal:
        return x.quantize(self.unit, context=self.context) if x.is_finite() else x

    def over(self, a: Decimal, b: Decimal) -> Decimal:
        return self.rounded(self.context.divide(a, b or self.unit))

    def total(self, xs: Sequence[Decimal]) -> Decimal:
        with localcontext(self.context):
            return self.rounded(sum(xs, Decimal(0)))

    def power(self, base: float, x: Decimal) -> Decimal:
        return self.rounded(self.context.power(self.number(base), x))

    def log(self, x: Decimal) -> Decimal:
        return self.rounded(self.context.ln(x or self.unit))

    def sine(self, x: Decimal) -> Decimal:
        return self.rounded(self._series(x, x, 1))

    def cosine(self, x: Decimal) -> Decimal:
        return self.rounded(self._series(Decimal(1), x, 0))

    def tanh(self, x: Decimal) -> Decimal:
        power = self.context.exp(-2 * abs(x))
        return self.rounded(self.context.divide(1 - power, 1 + power).copy_sign(x))

    def erf(self, x: Decimal) -> Decimal:
        """2 / √π · Σ (-1)ⁿ x^(2n+1) / (n! (2n+1)); beyond 30, 1 to more digits than are kept."""
        if abs(x) > 30:
            return self.rounded(Decimal(1).copy_sign(x))
        with localcontext(self.context) as context:
            context.prec += int(x * x)
            term, total, n = x, x, 0
            while abs(term) > self.unit.scaleb(-40):
                n += 1
                term *= -x * x / n
                total += term / (2 * n + 1)
            return self.rounded(2 * total / PI.sqrt())

    def _series(self, first: Decimal, x: Decimal, n: int) -> Decimal:
        """first - first · x² / ((n+1)(n+2)) + ..., until a term no longer counts: the cosine for n = 0, the sine for
        n = 1. Terms grow up to e^x before they shrink, which takes more digits."""
        with localcontext(self.context) as context:
            context.prec += int(abs(x)) // 2
            term = total = first
            while term and term.adjusted() > self.unit.adjusted() - 40:
                term *= -x * x / ((n + 1) * (n + 2))
                total += term
                n += 2
            return total
