"""Arithmetic as a person does it on paper: every operation rounded to so many decimals, half away from zero."""
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, Overflow
from functools import lru_cache, reduce
from typing import Any

from attntrace.tensor.rounding import FUNCTIONS, Operation, Rounding

EXACT = frozenset({"max", "positive"})  # functions whose result is exact
DIGITS = 15  # a decimal number with this many survives conversion to a double and back
CONTEXT = Context(prec=60, traps=[InvalidOperation, Overflow])  # more digits than any sum, product or square takes


def rounding(operation: Callable[..., Decimal]) -> Operation:
    """The method that rounds the result of an operation."""
    return lambda self, *numbers: self.rounded(operation(*numbers))


class HandArithmetic(Rounding):
    """Round the result of each operation to decimals, half away from zero; a sum once, as a whole. Negation, maxima and
    constants are exact.

    A divisor of 0, or the logarithm of 0, uses the smallest number that can be written (0.001 with 3 decimals): an ε
    against dividing by 0 may have been rounded away, and so may a probability."""

    def __init__(self, decimals: int) -> None:
        self.decimals: int = decimals
        self.unit = Decimal(1).scaleb(-decimals)
        self.most = 10.0 ** (DIGITS - decimals)  # at and above it, a double may not hold all decimals

    def rounded(self, number: Decimal) -> Decimal:
        return number.quantize(self.unit, ROUND_HALF_UP, CONTEXT) if number.is_finite() else number

    @staticmethod
    @lru_cache(1 << 16)  # the same numbers are read again and again
    def number(number: float) -> Decimal:
        return Decimal(repr(number))

    sum = rounding(lambda *terms: reduce(CONTEXT.add, terms, Decimal(0)))
    difference = rounding(CONTEXT.subtract)
    product = rounding(CONTEXT.multiply)
    root = rounding(CONTEXT.sqrt)
    exp = rounding(lru_cache(1 << 12)(CONTEXT.exp))  # a row's powers stand in each of its weights
    power = rounding(CONTEXT.power)
    negative = staticmethod(Decimal.copy_negate)  # the operator would round

    def quotient(self, top: Decimal, bottom: Decimal) -> Decimal:
        return self.rounded(CONTEXT.divide(top, bottom or self.unit))

    def square(self, number: Decimal) -> Any:
        return self.product(number, number)

    def function(self, name: str, *arguments: Decimal) -> Decimal:
        if name == "log":
            return self.rounded((arguments[0] or self.unit).ln(CONTEXT))
        value = self.number(FUNCTIONS[name](*arguments)) if name != "max" else max(arguments)
        return value if name in EXACT else self.rounded(value)
