"""How the arithmetic of a cell is computed: here in full precision, in hand_arithmetic.py rounded at every operation.

The nodes of expression.py say which operation comes next; a rounding says what it gives."""
import math
import operator
from collections.abc import Callable
from typing import Any

Operation = Callable[..., Any]
FUNCTIONS: dict[str, Callable[..., float]] = {
    "max": max, "sin": math.sin, "cos": math.cos, "tanh": math.tanh, "erf": math.erf,
    "positive": lambda x: float(x > 0), "log": lambda x: math.log(x) if x else -math.inf}


class Rounding:
    """Float arithmetic. A rounding to decimals sets `decimals`; below `most`, a float holds all of them."""
    decimals: int | None = None
    most = math.inf
    difference: Operation = staticmethod(operator.sub)
    product: Operation = staticmethod(operator.mul)
    negative: Operation = staticmethod(operator.neg)
    root: Operation = staticmethod(math.sqrt)
    exp: Operation = staticmethod(math.exp)
    sum: Operation = staticmethod(lambda *terms: math.fsum(terms))
    square: Operation = staticmethod(lambda number: number * number)
    power: Operation = staticmethod(math.pow)

    def number(self, number: float) -> Any:
        """Convert a constant or the number of a leaf."""
        return number

    def rounded(self, number: Any) -> Any:
        return number

    def quotient(self, top: Any, bottom: Any) -> Any:
        return top / bottom if bottom else math.nan if not top else math.copysign(math.inf, top)

    def function(self, name: str, *arguments: Any) -> Any:
        return FUNCTIONS[name](*arguments)


FULL_PRECISION = Rounding()
