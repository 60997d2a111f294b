"""Printers: an expression as text, by one method for each kind of node and one class for each spelling.

Printer walks the tree and puts brackets where they are needed; a subclass writes signs in another spelling. A printer
with `write` writes the arithmetic of a number, one without it a formula."""
from collections.abc import Callable, Container, Sequence
from typing import Any

from attntrace.tensor.expression import (ATOM, POWER, PRODUCT, QUOTIENT, SUM, Binary, Call, Expression, Indexed,
                                         Negative, Number, Ref, SumOver)
from attntrace.tensor.symbol import ASCII_LETTERS, LATEX_LETTERS, Spelling, upright
from attntrace.tensor.tensor import Term

Write = Callable[[Ref], str]  # the text of a leaf


class Operator(str):
    """What is written for a sign before which a formula may go on in the next line."""


def operators(others: dict[str, str]) -> dict[str, Operator]:
    """What is written for the signs between operands: the sign and spaces, or one of `others`."""
    return {sign: Operator(others.get(sign, f" {sign} ")) for sign in ("+", "-", "/", ";", "=", "·", "⊙", "")}


class Printer:
    """Writes one expression, here in Unicode.

    head: the head in whose equation it stands, whose number is left out. row: stands in for the number of a row (see
    Symbol.spelled). write: the number of a leaf. drawn: tensors whose terms are left as they are."""
    spelling = Spelling.UNICODE
    operators = operators({"": " "})
    times, transpose, column_times, squared = "·", "ᵀ", "ᵀ ", "²"  # between numbers; a column is a transposed row
    summation = "Σ_{}"  # with the name of an axis in place of {}
    around = {"exp": ("e^(", ")"), "power": ("^(", ")")}  # what stands around the exponent

    def __init__(self, head: int | None = None, row: str | None = None, write: Write | None = None,
                 drawn: Container[Any] = ()) -> None:
        self.head, self.row, self.write, self.drawn = head, row, write, drawn
        self.out: list[Any] = []

    def text(self, expression: Expression) -> str:
        return "".join(self.pieces(expression))

    def pieces(self, expression: Expression) -> list[Any]:
        """What is written, sign by sign, and the terms that are drawn."""
        self.put(expression)
        return self.out

    def put(self, node: Expression, leads: bool = True) -> None:
        """Write a node; a negative number stands in brackets unless it `leads`."""
        getattr(self, node.kind)(node, leads)

    def within(self, node: Expression, least: int, leads: bool = False) -> None:
        """Write a node, in brackets where it holds together less than `least`."""
        binds = PRODUCT if self.write and isinstance(node, Negative) else node.binds  # -0.5·2, but (-X) · Y
        if binds < least:
            self.enclosed("(", node, ")")
        else:
            self.put(node, leads)

    def enclosed(self, opening: str, node: Expression, closing: str) -> None:
        self.open(opening)
        self.put(node)
        self.close(closing)

    # How marks are written.
    def mark(self, text: str) -> None:
        self.out.append(text)

    open = close = raised = mark  # a bracket, a power

    def operator(self, sign: str) -> None:
        self.out.append(self.operators[sign])

    def words(self, words: str, behind: str = "") -> None:
        """The name of a function, or a setting with what separates it from the operands."""
        self.mark(words + behind)

    def numeral(self, number: str) -> str:
        return number

    # A method for each kind of node.
    def term(self, node: Term, leads: bool) -> None:
        if node.tensor in self.drawn:
            self.out.append(node)
        else:
            self.name(node, leads)

    def name(self, node: Term, leads: bool) -> None:
        symbol = node.tensor.symbol
        self.mark(symbol.spelled(self.spelling, self.head, self.row) if symbol else "?")

    def ref(self, node: Ref, leads: bool) -> None:
        assert self.write is not None
        self.signed(self.write(node), leads)

    def number(self, node: Number, leads: bool) -> None:
        self.signed(str(node), leads)

    def signed(self, number: str, leads: bool) -> None:
        written = self.numeral(number)
        self.out.append(written if leads or not written.startswith("-") else f"({written})")

    def sum(self, node: Expression, leads: bool) -> None:
        for n, term in enumerate(node.parts):
            if n:
                self.operator("+")
            self.within(term, SUM + bool(n), leads and not n)

    def binary(self, node: Binary, leads: bool) -> None:
        (left, right), (least_left, least_right) = node.parts, node.least
        self.within(left, least_left, leads)
        if self.write and node.sign == "·":
            self.mark(self.times)
        else:
            self.operator(node.sign)
        self.within(right, least_right)

    difference = product = elementwise_product = quotient = matrix_product = binary

    def negative(self, node: Expression, leads: bool) -> None:
        self.mark("-" if leads else "(-")
        self.within(node.parts[0], POWER if self.write else QUOTIENT)
        if not leads:
            self.mark(")")

    def square(self, node: Expression, leads: bool) -> None:
        self.within(node.parts[0], ATOM)
        self.raised(self.squared)

    def root(self, node: Expression, leads: bool) -> None:
        self.mark("√")
        self.within(node.parts[0], ATOM)

    def exp(self, node: Expression, leads: bool) -> None:
        opening, closing = self.around[node.kind]
        self.enclosed(opening, node.parts[-1], closing)

    def power(self, node: Expression, leads: bool) -> None:
        self.within(node.parts[0], ATOM)
        self.exp(node, leads)

    def call(self, node: Call, leads: bool) -> None:
        self.words(node.name)
        self.open("(")
        if node.setting:
            self.words(node.setting, ", ")
        self.separated(node.parts, lambda: self.mark(", "))
        self.close(")")

    def separated(self, parts: Sequence[Expression], separate: Callable[[], None]) -> None:
        for n, part in enumerate(parts):
            if n:
                separate()
            self.put(part)

    def sum_over(self, node: SumOver, leads: bool) -> None:
        self.sum_sign(node.axis)
        self.enclosed("(", node.parts[0], ")")

    def sum_sign(self, axis: str) -> None:
        self.mark(self.summation.format(axis))

    def transposed(self, node: Expression, leads: bool) -> None:
        self.enclosed("(", node.parts[0], ")")
        self.raised(self.transpose)

    def outer_product(self, node: Expression, leads: bool) -> None:
        left, right = node.parts
        self.within(left, ATOM)
        self.mark(self.column_times)
        self.within(right, POWER)

    def side_by_side(self, node: Expression, leads: bool) -> None:
        self.open("[")
        self.separated(node.parts, lambda: self.operator(";"))
        self.close("]")

    def look_up(self, node: Expression, leads: bool) -> None:
        table, ids = node.parts
        self.put(table)
        self.enclosed("[", ids, "]")

    def indexed(self, node: Indexed, leads: bool) -> None:
        self.within(node.parts[0], ATOM)
        self.mark(f"[{','.join(node.index)}]")


class AsciiPrinter(Printer):
    spelling = Spelling.ASCII
    operators = operators({"·": " * ", "⊙": " .* ", "": " "})
    times, transpose, column_times, squared = "*", "^T", "^T ", "^2"
    summation = "sum_{}"
    around = {"root": ("sqrt(", ")"), "exp": ("exp(", ")"), "power": ("^(", ")")}
    root = Printer.exp

    def words(self, words: str, behind: str = "") -> None:
        self.mark(ASCII_LETTERS.get(words, words) + behind)


class LatexPrinter(Printer):
    spelling = Spelling.LATEX
    operators = operators({"·": r" \cdot ", "⊙": r" \odot ", "": r"\,"})
    times, transpose, column_times, squared = r" \cdot ", r"^{\top}", r"{}^{\top}\,", "^{2}"  # {}: no superscript's
    summation = r"\sum_{{\mathrm{{{}}}}}"
    around = {"root": (r"\sqrt{", "}"), "exp": ("e^{", "}"), "power": ("^{", "}")}
    root = Printer.exp

    def words(self, words: str, behind: str = "") -> None:
        known = rf"\{words}" if words in ("log", "tanh") else LATEX_LETTERS.get(words)
        self.mark(known or upright(words + behind))

    def numeral(self, number: str) -> str:
        """A number with an upright e before its exponent, and a sign for infinity."""
        mantissa, e, power = number.replace("inf", r"\infty").partition("e")
        return rf"{mantissa}\mathrm{{e}}{{{power}}}" if e else mantissa


PRINTERS = {kind.spelling: kind for kind in (Printer, AsciiPrinter, LatexPrinter)}
