"""What a tensor is called in an equation: symbols as values, spelled in Unicode, ASCII or LaTeX."""
from __future__ import annotations

import unicodedata
from enum import Enum
from functools import cache, lru_cache
from typing import NamedTuple

HAT = "\N{COMBINING CIRCUMFLEX ACCENT}"
SUBSCRIPTS = str.maketrans("0123456789i", "₀₁₂₃₄₅₆₇₈₉ᵢ")
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
ASCII_LETTERS = {"μ": "mu", "σ²": "sigma2", "γ": "gamma", "β": "beta", "ε": "eps",
                 "β₁": "beta1", "β₂": "beta2", "β₁ᵗ": "beta1^t", "β₂ᵗ": "beta2^t"}
LATEX_LETTERS = {"μ": r"\mu", "σ²": r"\sigma^{2}", "γ": r"\gamma", "β": r"\beta", "ε": r"\varepsilon",
                 "β₁": r"\beta_{1}", "β₂": r"\beta_{2}", "β₁ᵗ": r"\beta_{1}^{t}", "β₂ᵗ": r"\beta_{2}^{t}"}
POSITIONS = ("token", "key")  # the words of axes that count words of a sentence


class Spelling(Enum):
    """The three ways to write the same equation."""
    UNICODE = "unicode"
    ASCII = "ascii"
    LATEX = "latex"

    __hash__ = object.__hash__  # tables of spellings are read thousands of times; Enum's own hash is Python


def equal_within_type(*types: type) -> None:
    """Make named tuples of these types equal only to others of the same type: else all are equal whose fields are."""
    for kind in types:
        setattr(kind, "__eq__", lambda self, other: type(self) is type(other) and tuple.__eq__(self, other))
        setattr(kind, "__ne__", object.__ne__)  # the opposite


class Mark(NamedTuple):
    """One axis of a marked symbol: its word, and which position of it is meant (from 0; None: all of them)."""
    word: str
    at: int | None = None


class Symbol(NamedTuple):
    """The name of a tensor in an equation, such as Ŝ, W_Q⁽¹⁾, X′, Kᵀ, q₁₂ or W_Q[3,:].

    `above` is a superscript that is always written (a layer, or which block of columns of a matrix), `head` one that
    the equations of that head itself leave out. `via` is what a part of a gradient has come through: ∂L/∂X|Q. `marks`,
    once something is marked, has one entry for each axis that the unmarked tensor has, in its own order.
    """
    letter: str
    sub: str = ""
    hat: bool = False
    primes: int = 0
    above: int | None = None
    head: int | None = None
    transposed: bool = False
    gradient: bool = False
    marks: tuple[Mark, ...] = ()
    via: Symbol | None = None

    @classmethod
    @cache
    def of(cls, text: str) -> Symbol:
        """Read a plain symbol: `Ŝ`, `W_Q`, `σ²`, `logits`."""
        letter, _, sub = text.partition("_")
        plain = unicodedata.normalize("NFD", letter)
        return cls(plain.replace(HAT, ""), sub, HAT in plain)

    def marked(self, k: int, i: int, words: tuple[str, ...]) -> Symbol:
        """The symbol of slice i (from 0) along the k-th of the axes that are still whole, whose words are `words`. A
        number, such as 0, has no marks."""
        if self.letter.lstrip("-")[:1].isdigit():
            return self
        marks = list(self.marks or map(Mark, reversed(words) if self.transposed else words))
        whole = [n for n, mark in enumerate(marks) if mark.at is None]
        place = whole[-1 - k if self.transposed else k]
        marks[place] = Mark(marks[place].word, i)
        return self._replace(marks=tuple(marks))

    def at(self, index: tuple[int, ...], words: tuple[str, ...]) -> Symbol:
        """The symbol of a row or of a number (its index from 0) of a tensor whose axes have these words."""
        symbol = self
        for n, i in enumerate(index):
            symbol = symbol.marked(0, i, words[n:])
        return symbol

    def transpose(self) -> Symbol:
        return self._replace(transposed=not self.transposed)

    @property
    def of_one_token(self) -> bool:
        """Whether this is the row of one token, written as a small letter with a subscript."""
        return bool(self.marks) and self.marks[0].word in POSITIONS and self.marks[0].at is not None

    def spelled(self, spelling: Spelling = Spelling.UNICODE, head: int | None = None, row: str | None = None) -> str:
        """Write the symbol.

        Inside an equation of one head its number is left out of the head's own tensors (`head`); in that of a row,
        `row` stands in for its number, so that q₁ becomes qᵢ and X[:,3] becomes X[:,i].
        """
        return _written(self, spelling, head, row)


class Around(NamedTuple):
    """A symbol's letter as it is written, and what stands around it: above, below, and in brackets behind it."""
    letter: str
    above: str
    below: str
    brackets: str

    @classmethod
    def of(cls, symbol: Symbol, head: int | None, row: str | None) -> Around:
        one_token = symbol.of_one_token
        letter = symbol.letter.lower() if one_token else symbol.letter
        above = ",".join(str(n) for n in (symbol.above, symbol.head if symbol.head != head else None) if n is not None)
        below = ""
        if one_token:
            below = row if row is not None else str(symbol.marks[0].at + 1)  # type: ignore[operator]
        rest = symbol.marks[1:] if one_token else symbol.marks
        if one_token and len(rest) == 1 and rest[0].at is None:
            rest = ()
        places = (":" if mark.at is None else row or str(mark.at + 1) for mark in rest)
        return cls(letter, above, below, f"[{','.join(places)}]" if rest else "")


@lru_cache(4096)  # the same few symbols stand in all equations of a stage
def _written(symbol: Symbol, spelling: Spelling, head: int | None, row: str | None) -> str:
    letter, above, below, brackets = Around.of(symbol, head, row)
    text = _spelled(symbol, letter, above, below, spelling)
    if symbol.via is not None:
        brackets += f"{VIA[spelling]}{symbol.via.spelled(spelling)}"
    if symbol.gradient:  # transposed behind a bracket, lest it seem the gradient of the transpose
        slope = {Spelling.UNICODE: "∂L/∂", Spelling.ASCII: "dL/d", Spelling.LATEX: r"\partial L / \partial "}
        text = f"({slope[spelling]}{text}{brackets})" if symbol.transposed else slope[spelling] + text + brackets
    else:
        text += brackets
    return text + TRANSPOSED[spelling] * symbol.transposed


TRANSPOSED = {Spelling.UNICODE: "ᵀ", Spelling.ASCII: "^T", Spelling.LATEX: r"^{\top}"}
VIA = {Spelling.UNICODE: "|", Spelling.ASCII: "|", Spelling.LATEX: r"\vert "}  # a bar would end the cell of a table


def upright(text: str) -> str:
    """Words in LaTeX, with their blanks; a single letter and a number stay as they are."""
    if len(text) < 2 or not any(map(str.isalpha, text)):
        return text
    return rf"\mathrm{{{text}}}" if text.isalpha() else rf"\text{{{text}}}".replace("_", r"\_")


def _spelled(symbol: Symbol, letter: str, above: str, below: str, spelling: Spelling) -> str:
    """The letter with all that surrounds it, but for brackets and the sign of a transpose."""
    if spelling is Spelling.UNICODE:
        return (unicodedata.normalize("NFC", letter[:1] + HAT * symbol.hat + letter[1:])
                + (f"_{symbol.sub}" if symbol.sub else "") + "′" * symbol.primes
                + (f"⁽{above.translate(SUPERSCRIPTS)}⁾" if above else "") + below.translate(SUBSCRIPTS))
    if spelling is Spelling.ASCII:
        return (ASCII_LETTERS.get(letter, letter) + "_hat" * symbol.hat
                + (f"_{symbol.sub}" if symbol.sub else "") + "'" * symbol.primes
                + (f"^({above})" if above else "") + (f"_{below}" if below else ""))
    name = LATEX_LETTERS.get(letter, upright(letter))
    name = rf"\hat{{{name}}}" if symbol.hat else name
    sub = ",".join(filter(None, (*map(upright, symbol.sub.split(",")), below)))
    over = r"\prime" * symbol.primes + (f"({above})" if above else "")
    name = f"{{{name}}}" if (over or symbol.transposed) and "^" in name else name
    name += (f"_{{{sub}}}" if sub else "") + (f"^{{{over}}}" if over else "")
    return f"{{{name}}}" if over and symbol.transposed and not symbol.gradient else name


class Sign(NamedTuple):
    """What stands between symbols in an equation: as text in three spellings, spaces included; `drawn` where it differs
    between drawn matrices (a product is a space in X W and a dot between two brackets)."""
    unicode: str
    ascii: str
    latex: str
    drawn: str | None = None
    drawn_ascii: str | None = None

    def text(self, spelling: Spelling) -> str:
        return {Spelling.UNICODE: self.unicode, Spelling.ASCII: self.ascii, Spelling.LATEX: self.latex}[spelling]

    def between_matrices(self, spelling: Spelling) -> str:
        drawn = self.drawn_ascii if spelling is Spelling.ASCII else self.drawn
        return self.text(spelling) if drawn is None else drawn


equal_within_type(Mark, Symbol, Around, Sign)


def plain(text: str) -> Sign:
    """A sign that is the same in every spelling."""
    return Sign(text, text, text)


MATMUL = Sign(" ", " ", r"\,", " · ", " * ")
COLUMN_TIMES = Sign("ᵀ ", "^T ", r"{}^{\top}\,")  # a column is a row, transposed, whatever stands above it
TIMES = Sign(" · ", " * ", r" \cdot ")
ELEMENTWISE = Sign(" ⊙ ", " .* ", r" \odot ")
OVER = plain(" / ")
PLUS = plain(" + ")
MINUS = plain(" - ")
NEGATIVE = plain("-")
OPEN, CLOSE = plain("("), plain(")")
OPEN_SQUARE, NEXT, CLOSE_SQUARE = plain("["), plain(" ; "), plain("]")
SQUARED = Sign("²", "^2", "^{2}")
ROOT, ROOT_OPEN = Sign("√", "sqrt(", r"\sqrt{"), Sign("√(", "sqrt(", r"\sqrt{")
ROOT_END, ROOT_CLOSE = Sign("", ")", "}"), Sign(")", ")", "}")
EQUALS = plain(" = ")


def call(name: str, first: str = "") -> Sign:
    """The opening of a function: `softmax(`, or `max(0, ` with a first argument."""
    return Sign(f"{name}({first}", f"{name}({first}", f"{upright(name)}({upright(first)}")


def numeral(number: str, spelling: Spelling) -> str:
    """A number as it is written: in LaTeX, its e is no variable, and infinity has a sign."""
    if spelling is not Spelling.LATEX:
        return number
    mantissa, e, power = number.replace("inf", r"\infty").partition("e")
    return rf"{mantissa}\mathrm{{e}}{{{power}}}" if e else mantissa
