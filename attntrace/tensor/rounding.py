"""By which rule the arithmetic of a cell is worked out: in full precision, or by hand (hand_arithmetic.py).

The nodes of expression.py say which operation comes next; a rule says what it gives.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

FUNCTIONS: dict[str, Callable[..., float]] = {
    "max": max, "sin": math.sin, "cos": math.cos, "positive": lambda x: float(x > 0),
    "log": lambda x: math.log(x) if x else -math.inf}


class Rounding:
    """Full precision: floats, nothing rounded but as floats are. `decimals`, where there are so many and no more; a
    number is exact in them below `most`."""
    decimals: int | None = None
    most = math.inf

    def number(self, number: float) -> Any:
        """A constant, or a leaf's number, as this rule reckons with it."""
        return number

    def rounded(self, number: Any) -> Any:
        return number

    def sum(self, terms: Iterable[Any]) -> Any:
        return math.fsum(terms)

    def difference(self, left: Any, right: Any) -> Any:
        return left - right

    def product(self, left: Any, right: Any) -> Any:
        return left * right

    def quotient(self, top: Any, bottom: Any) -> Any:
        return top / bottom if bottom else math.nan if not top else math.copysign(math.inf, top)

    def negative(self, number: Any) -> Any:
        return -number

    def square(self, number: Any) -> Any:
        return number ** 2

    def root(self, number: Any) -> Any:
        return math.sqrt(number)

    def exp(self, number: Any) -> Any:
        return math.exp(number)

    def ten_thousand_to(self, number: Any) -> Any:
        return 10000.0 ** number

    def function(self, name: str, *arguments: Any) -> Any:
        return FUNCTIONS[name](*arguments)


FULL_PRECISION = Rounding()
