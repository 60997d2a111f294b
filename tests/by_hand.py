"""Printed arithmetic redone by hand: with whole numbers of units of the last decimal, each operation rounded half away
from zero. It knows nothing of the product."""
from __future__ import annotations

import math
from fractions import Fraction

from parsing import NUMBER, Reader, Unreadable

MINUS_INFINITY = -math.inf
Hand = Fraction | float  # -inf alone is a float


class ByHand(Reader):
    """A text, evaluated by the rule of so many decimals."""

    def __init__(self, text: str, decimals: int) -> None:
        super().__init__(text)
        self.one = 10**decimals

    def rounded(self, number: Hand) -> Hand:
        if not isinstance(number, Fraction):
            return number
        units = math.floor(abs(number) * self.one + Fraction(1, 2))
        return Fraction(units if number > 0 else -units, self.one)

    def found(self, number: float) -> Hand:
        """What a function gives, whose ties no float can spoil: it has none but at whole numbers."""
        return self.rounded(Fraction(repr(number)))

    def sum(self) -> Hand:
        """Terms between which there are plus signs are added all at once."""
        negative = self.accept("-")
        first = self.product()
        terms = [-first if negative else first]
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
        return self.found(float(base) ** float(self.bracket())) if self.accept("^") else base

    def atom(self) -> Hand:
        if number := self.match(NUMBER):
            return Fraction(number[0])
        if self.text.startswith("(", self.place):
            return self.bracket()
        if self.accept("inf"):
            return math.inf
        if self.accept("e^"):
            power = self.bracket()
            return self.found(math.exp(power))
        for name, function in (("sin", math.sin), ("cos", math.cos)):
            if self.text.startswith(f"{name}(", self.place):
                self.accept(name)
                return self.found(function(self.bracket()))
        if self.text.startswith("log(", self.place):
            self.accept("log")
            return self.found(math.log(self.bracket() or Fraction(1, self.one)))
        if self.accept("max("):
            first = self.sum()
            self.expect(", ")
            largest = max(first, self.sum())
            self.expect(")")
            return largest
        if self.text.startswith("positive(", self.place):
            self.accept("positive")
            return Fraction(self.bracket() > 0)
        raise Unreadable(f"{self.text!r}: no number at {self.text[self.place:]!r}")

    def bracket(self) -> Hand:
        self.expect("(")
        inner = self.sum()
        self.expect(")")
        return inner


def by_hand(text: str, decimals: int) -> Hand:
    return ByHand(text, decimals).whole()


def equations(page: str) -> list[tuple[str, str]]:
    """The arithmetic of cells on a wide page: what stands in numbers before the last `=`, and the result behind it."""
    parts = [line.rsplit(" = ", 2) for line in page.splitlines() if line.count(" = ") > 1]
    return [(worked, result) for _, worked, result in parts if result.strip("-0123456789.einf") == ""]
