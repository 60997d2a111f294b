"""How the arithmetic of a cell is computed: here in full precision, in hand_arithmetic.py rounded at every operation.

The nodes of expression.py say which operation comes next; a rounding says what it gives.
"""
import math
from collections.abc import Callable, Iterable
from typing import Any

FUNCTIONS: dict[str, Callable[..., float]] = {
    "max": max, "sin": math.sin, "cos": math.cos, "positive": lambda x: float(x > 0),
    "log": lambda x: math.log(x) if x else -math.inf}


class Rounding:
    """Float arithmetic. A rounding to decimals sets `decimals`; below `most`, a float holds all of them."""
    decimals: int | None = None
    most = math.inf

    def number(self, number: float) -> Any:
        """Convert a constant or the number of a leaf."""
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
