"""Printed arithmetic redone by hand: with whole numbers of units of the last decimal, each operation rounded half away
from zero. It knows nothing of the product."""
import math
from fractions import Fraction

from parsing import Sums

MINUS_INFINITY = -math.inf
Hand = Fraction | float  # -inf alone is a float


class ByHand(Sums):
    """A text, evaluated with so many decimals."""

    def __init__(self, text: str, decimals: int) -> None:
        super().__init__(text)
        self.one = 10**decimals

    def rounded(self, number: Hand) -> Hand:
        if not isinstance(number, Fraction):
            return number
        units = math.floor(abs(number) * self.one + Fraction(1, 2))
        return Fraction(units if number > 0 else -units, self.one)

    def sum(self) -> Hand:
        """Terms with plus signs between them are added in one operation."""
        first = -self.product() if self.accept("-") else self.product()
        terms = [first]
        while sign := self.accept(" + ", " - "):
            if sign == " - ":
                terms = [self.rounded(self.whole_sum(terms) - self.product())]
            else:
                terms.append(self.product())
        return self.whole_sum(terms)

    def whole_sum(self, terms: list[Hand]) -> Hand:
        if MINUS_INFINITY in terms:
            return MINUS_INFINITY
        return terms[0] if len(terms) == 1 else self.rounded(sum(terms, Fraction()))

    def product(self) -> Hand:
        total = self.power()
        while sign := self.accept("·", "*", " / "):
            other = self.power()
            total = self.rounded(total / (other or Fraction(1, self.one)) if sign == " / " else total * other)
        return total

    def power(self) -> Hand:
        if self.accept("√"):
            inner = self.atom()
            return Fraction((math.isqrt(math.floor(4 * inner * self.one**2)) + 1) // 2, self.one)
        base = self.atom()
        if self.accept("²"):
            return self.rounded(base * base)
        return self.of_float(float(base) ** float(self.bracket())) if self.accept("^") else base

    def number(self, text: str) -> Hand:
        return Fraction(text)

    def call(self, name: str, *arguments: Hand) -> Hand:
        if name == "max":
            return max(arguments)
        if name == "log":
            arguments = (arguments[0] or Fraction(1, self.one),)
        return self.of_float(self.CALLS[name](*arguments))

    def of_float(self, number: float) -> Hand:
        """Round the result of a function: it is a tie only at whole numbers, so a float is precise enough."""
        return self.rounded(Fraction(repr(number)))


def by_hand(text: str, decimals: int) -> Hand:
    return ByHand(text, decimals).whole()


def equations(page: str) -> list[tuple[str, str]]:
    """The arithmetic of cells on a wide page: what stands in numbers before the last `=`, and the result behind it."""
    parts = [line.rsplit(" = ", 2) for line in page.splitlines() if line.count(" = ") > 1]
    return [(worked, result) for _, worked, result in parts if result.strip("-0123456789.einf") == ""]
