"""What a tensor is called in an equation: symbols as values, spelled in Unicode, ASCII or LaTeX."""
import unicodedata
from collections.abc import Iterator
from enum import Enum
from functools import cache, lru_cache
from typing import NamedTuple

HAT = "\N{COMBINING CIRCUMFLEX ACCENT}"
SUBSCRIPTS = str.maketrans("0123456789i", "₀₁₂₃₄₅₆₇₈₉ᵢ")
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
ASCII_LETTERS = {"μ": "mu", "σ²": "sigma2", "γ": "gamma", "β": "beta", "ε": "eps",
                 "β₁": "beta1", "β₂": "beta2", "β₁ᵗ": "beta1^t", "β₂ᵗ": "beta2^t",
                 "σ": "sigma", "Φ": "Phi", "φ": "phi", "Φ_tanh": "Phi_tanh", "φ_tanh": "phi_tanh"}
LATEX_LETTERS = {"μ": r"\mu", "σ²": r"\sigma^{2}", "γ": r"\gamma", "β": r"\beta", "ε": r"\varepsilon",
                 "β₁": r"\beta_{1}", "β₂": r"\beta_{2}", "β₁ᵗ": r"\beta_{1}^{t}", "β₂ᵗ": r"\beta_{2}^{t}",
                 "σ": r"\sigma", "Φ": r"\Phi", "φ": r"\varphi", "Φ_tanh": r"\Phi_{\mathrm{tanh}}",
                 "φ_tanh": r"\varphi_{\mathrm{tanh}}"}
POSITIONS = ("token", "key")  # the axes along which the words of a sentence stand


class Spelling(Enum):
    """The three ways to write the same equation."""
    UNICODE = "unicode"
    ASCII = "ascii"
    LATEX = "latex"

    __hash__ = object.__hash__  # looked up thousands of times a page; the hash of Enum is written in Python


def equal_within_type(*types: type) -> None:
    """Make named tuples of these types equal only to others of the same type: else all are equal whose fields are."""
    for kind in types:
        setattr(kind, "__eq__", lambda self, other: type(self) is type(other) and tuple.__eq__(self, other))
        setattr(kind, "__ne__", object.__ne__)  # the opposite


class AxisIndex(NamedTuple):
    """One axis of an indexed symbol: its name, and the position taken along it (from 0; None: all)."""
    name: str
    position: int | None = None


class Symbol(NamedTuple):
    """The name of a tensor in an equation, such as Ŝ, W_Q⁽¹⁾, X′, Kᵀ, q₁₂ or W_Q[3,:].

    superscript: always written (a layer, or a block of columns). head: written except in equations of that head.
    path: the step through which a part of a gradient came, ∂L/∂X|Q. indices: for a slice, one entry for each axis of
    the tensor that it is a slice of."""
    letter: str
    sub: str = ""
    hat: bool = False
    primes: int = 0
    superscript: int | None = None
    head: int | None = None
    transposed: bool = False
    gradient: bool = False
    indices: tuple[AxisIndex, ...] = ()
    path: "Symbol | None" = None

    @classmethod
    @cache
    def of(cls, text: str) -> "Symbol":
        """Read a plain symbol: `Ŝ`, `W_Q`, `σ²`, `logits`."""
        letter, _, sub = text.partition("_")
        plain = unicodedata.normalize("NFD", letter)
        return cls(plain.replace(HAT, ""), sub, HAT in plain)

    def spellings(self) -> Iterator[set[str]]:
        """Yield the ways to type it, the likeliest first: as pages write it; in lower case, as they write its rows;
        without the number of its layer."""
        for one in (self, self._replace(letter=self.letter.lower())):
            yield {one.spelled(spelling, head) for spelling in (Spelling.UNICODE, Spelling.ASCII)
                   for head in (None, self.head)}
        if self.superscript is not None:
            yield set().union(*self._replace(superscript=None).spellings())

    @lru_cache(4096)  # of the same few symbols
    def indexed(self, k: int, i: int, names: tuple[str, ...]) -> "Symbol":
        """The symbol of slice i (from 0) along the k-th of the axes that are left, whose names are `names`. A numeral,
        such as 0, stays as it is."""
        if self.letter.lstrip("-")[:1].isdigit():
            return self
        indices = list(self.indices or map(AxisIndex, reversed(names) if self.transposed else names))
        left = [n for n, index in enumerate(indices) if index.position is None]
        n = left[-1 - k if self.transposed else k]
        indices[n] = AxisIndex(indices[n].name, i)
        return self._replace(indices=tuple(indices))

    def at(self, index: tuple[int, ...], names: tuple[str, ...]) -> "Symbol":
        """The symbol of a row or a number (its index from 0) of a tensor whose axes have these names."""
        symbol = self
        for n, i in enumerate(index):
            symbol = symbol.indexed(0, i, names[n:])
        return symbol

    def transpose(self) -> "Symbol":
        return self._replace(transposed=not self.transposed)

    @property
    def token(self) -> int | None:
        """The position (from 0) of the token whose row this is: written as a small letter with a subscript."""
        return self.indices[0].position if self.indices and self.indices[0].name in POSITIONS else None

    @lru_cache(4096)  # the same few symbols stand in all equations of a stage
    def spelled(self, spelling: Spelling = Spelling.UNICODE, head: int | None = None, row: str | None = None) -> str:
        """Write the symbol.

        head: the head whose equation it stands in; its number is left out. row: stands in for the number of a row, so
        that q₁ becomes qᵢ and X[:,3] becomes X[:,i]."""
        letter, superscript, subscript, brackets = scripts(self, head, row)
        text = _spelled(self, letter, superscript, subscript, spelling)
        if self.path is not None:
            brackets += f"{BAR[spelling]}{self.path.spelled(spelling)}"
        if self.gradient:  # in brackets, since ∂L/∂Xᵀ would be the gradient of the transpose
            slope = {Spelling.UNICODE: "∂L/∂", Spelling.ASCII: "dL/d", Spelling.LATEX: r"\partial L / \partial "}
            text = f"({slope[spelling]}{text}{brackets})" if self.transposed else slope[spelling] + text + brackets
        else:
            text += brackets
        return text + TRANSPOSED[spelling] if self.transposed else text


def scripts(symbol: Symbol, head: int | None, row: str | None) -> tuple[str, str, str, str]:
    """A symbol's letter as it is written, its superscript, its subscript, and the brackets behind it."""
    numbers = symbol.superscript, symbol.head if symbol.head != head else None
    superscript = ",".join(str(n) for n in numbers if n is not None)
    letter, subscript, left = symbol.letter, "", symbol.indices
    if symbol.token is not None:
        letter, subscript = letter.lower(), str(symbol.token + 1) if row is None else row
        left = left[1:]
        if len(left) == 1 and left[0].position is None:
            left = ()
    positions = (":" if index.position is None else row or str(index.position + 1) for index in left)
    return letter, superscript, subscript, f"[{','.join(positions)}]" if left else ""


TRANSPOSED = {Spelling.UNICODE: "ᵀ", Spelling.ASCII: "^T", Spelling.LATEX: r"^{\top}"}
BAR = {Spelling.UNICODE: "|", Spelling.ASCII: "|", Spelling.LATEX: r"\vert "}  # a plain bar ends the cell of a table


def upright(text: str) -> str:
    """Write words upright in LaTeX, with their spaces; a single letter and a number stay as they are."""
    if len(text) < 2 or not any(map(str.isalpha, text)):
        return text
    return rf"\mathrm{{{text}}}" if text.isalpha() else rf"\text{{{text}}}".replace("_", r"\_")


def _spelled(symbol: Symbol, letter: str, superscript: str, subscript: str, spelling: Spelling) -> str:
    """The letter with its hat, primes and scripts; without brackets and the sign of a transpose."""
    sub = f"_{symbol.sub}" if symbol.sub else ""
    if spelling is Spelling.UNICODE:
        letter = unicodedata.normalize("NFC", letter[:1] + (HAT if symbol.hat else "") + letter[1:])
        over = f"⁽{superscript.translate(SUPERSCRIPTS)}⁾" if superscript else ""
        return letter + sub + "′" * symbol.primes + over + subscript.translate(SUBSCRIPTS)
    if spelling is Spelling.ASCII:
        letter = ASCII_LETTERS.get(letter, letter) + ("_hat" if symbol.hat else "")
        over = f"^({superscript})" if superscript else ""
        return letter + sub + "'" * symbol.primes + over + (f"_{subscript}" if subscript else "")
    name = LATEX_LETTERS.get(letter, upright(letter))
    name = rf"\hat{{{name}}}" if symbol.hat else name
    sub = ",".join(filter(None, (*map(upright, symbol.sub.split(",")), subscript)))
    over = r"\prime" * symbol.primes + (f"({superscript})" if superscript else "")
    name = f"{{{name}}}" if (over or symbol.transposed) and "^" in name else name
    name += (f"_{{{sub}}}" if sub else "") + (f"^{{{over}}}" if over else "")
    return f"{{{name}}}" if over and symbol.transposed and not symbol.gradient else name


equal_within_type(AxisIndex, Symbol)
