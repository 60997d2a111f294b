"""Formulas as MathML, of the elements that all browsers draw (MathML Core)."""
import re
from collections.abc import Callable, Container, Iterable
from functools import lru_cache
from html import escape
from typing import Any

from attntrace.messages.unicode import shown
from attntrace.pages.blocks import Formula
from attntrace.tensor.expression import ATOM, POWER, Expression, Indexed
from attntrace.tensor.printer import Operator, Printer
from attntrace.tensor.symbol import Spelling, Symbol, scripts
from attntrace.tensor.tensor import Tensor, Term

Link = Callable[[Tensor], str]  # where a tensor stands on the page, or nothing
SMALL = str.maketrans("₀₁₂₃₄₅₆₇₈₉²ᵗ", "01234567892t")
LETTER = re.compile(r"(?P<minus>-?)(?P<letter>.*?)(?P<below>[₀-₉]*)(?P<above>[²ᵗ]*)", re.DOTALL)
TRANSPOSED = '<mi mathvariant="normal">T</mi>'
STEADY, BRACKETS = ' stretchy="false"', ("(", ")", "[", "]")
HAT, BAR = f"<mo{STEADY}>^</mo>", f"<mo{STEADY}>|</mo>"
SLOPE = ["<mi>∂</mi>", "<mi>L</mi>", '<mo lspace="0" rspace="0">/</mo>', "<mi>∂</mi>"]
BESIDE = ' <mspace width="0.25em"/> '  # between the factors of a product; blanks are for those who read the text alone
EMPTY = "<mrow></mrow>"


class MathPrinter(Printer):
    """Writes MathML. What stands in brackets or under a root is one element, unless, where matrices are `drawn`, there
    is one in it or a place where the equation may go on in the next line."""
    spelling = Spelling.UNICODE
    transpose, squared = TRANSPOSED, "<mn>2</mn>"

    def __init__(self, head: int | None = None, row: str | None = None, link: Link | None = None,
                 drawn: Container[Tensor] = ()) -> None:
        super().__init__(head, row, drawn=drawn)
        self.link = link
        self.levels: list[list[Any]] = []  # what stands before each bracket that is open

    def mark(self, text: str) -> None:
        self.out.append(operator(text.strip()) + " " * text.endswith(" "))

    def operator(self, sign: str) -> None:
        self.out.append(OPERATORS[sign])

    def raised(self, power: str) -> None:
        base = self.out.pop() if self.out and isinstance(self.out[-1], str) else EMPTY
        self.out.append(f"<msup>{base}{power}</msup>")

    def words(self, words: str, behind: str = "") -> None:
        self.out.append(text(words) if " " in words else subscripted(words))
        if behind:
            self.mark(behind)

    def sum_sign(self, axis: str) -> None:
        self.words(f"Σ_{axis}")

    def open(self, bracket: str) -> None:
        self.levels.append(self.out)
        self.out = [operator(bracket)]

    def close(self, bracket: str) -> None:
        inside, self.out = [*self.out, operator(bracket)], self.levels.pop()
        self.out += inside if self.is_split(inside) else [row_of(inside)]

    def is_split(self, inside: list[Any]) -> bool:
        return bool(self.drawn) and any(isinstance(part, Term | Operator) for part in inside)

    def signed(self, number: str, leads: bool) -> None:
        self.out.append(word(number))

    def name(self, node: Term, leads: bool) -> None:
        assert node.tensor.symbol is not None
        link = self.link(node.tensor) if self.link is not None else ""
        self.out.append(symbol_node(node.tensor.symbol, self.head, self.row, link))

    def part(self, node: Expression) -> list[Any]:
        """What a root or a power is of."""
        before, self.out = self.out, []
        self.put(node.parts[0])
        part, self.out = self.out, before
        return part

    def root(self, node: Expression, leads: bool) -> None:
        part = self.part(node)
        if self.is_split(part):
            brackets = ("", "") if node.parts[0].binds == ATOM else ("(", ")")
            opening, closing = map(operator, brackets)
            self.out += [operator("√"), opening, *part, closing]
        else:
            self.out.append(f"<msqrt>{''.join(part)}</msqrt>")

    def exp(self, node: Expression, leads: bool) -> None:
        base, part = word({"exp": "e", "ten_thousand_to": "10000"}[node.kind]), self.part(node)
        if self.is_split(part):
            self.out += [base, *map(operator, "^("), *part, operator(")")]
        else:
            self.out.append(f"<msup>{base}{row_of(part)}</msup>")

    ten_thousand_to = exp

    def outer_product(self, node: Expression, leads: bool) -> None:
        left, right = node.parts
        self.within(left, ATOM)
        self.raised(self.transpose)
        self.out.append(BESIDE.rstrip())
        self.within(right, POWER)

    def indexed(self, node: Indexed, leads: bool) -> None:
        self.within(node.parts[0], ATOM)
        index = [operator(":") if where == ":" else word(where) for where in node.index]
        self.out.append(row_of([operator("["), operator(",").join(index), operator("]")]))


def formula_math(formula: Formula, link: Link | None = None) -> str:
    """`left = right`, which a line may break before a `+` that stands in no bracket."""
    parts = [[symbol_node(formula.left, formula.head, formula.row), OPERATORS["="]]]
    for node in MathPrinter(formula.head, formula.row, link).pieces(formula.right):
        if node == OPERATORS["+"]:
            parts.append(['<mo form="infix">+</mo> '])
        else:
            parts[-1].append(node)
    return " ".join(map(math, parts))


def expression_math(expression: Expression, head: int | None, row: str | None = None, behind: str = "") -> str:
    """The right side of an equation alone, with a text `behind` it."""
    return math([*MathPrinter(head, row).pieces(expression), text(behind) if behind else ""])


def symbol_math(symbol: Symbol, head: int | None = None, row: str | None = None) -> str:
    return math([symbol_node(symbol, head, row)])


def math(nodes: Iterable[str]) -> str:
    return f"<math>{''.join(nodes).strip()}</math>"


@lru_cache(4096)
def symbol_node(symbol: Symbol, head: int | None = None, row: str | None = None, link: str = "") -> str:
    """A symbol as one node, its letter a link to where it stands on the page."""
    letter, above, below, brackets = scripts(symbol, head, row)
    parts = LETTER.fullmatch(letter)
    assert parts is not None
    name = word(parts["letter"], link)
    if symbol.hat:
        name = f'<mover accent="true">{name}{HAT}</mover>'
    subs = [*symbol.sub.split(","), parts["below"].translate(SMALL), below]
    turned_above = symbol.transposed and not brackets and not symbol.gradient
    over = [*map(word, parts["above"].translate(SMALL)), *([operator("′" * symbol.primes)] if symbol.primes else []),
            *([text(f"({above})")] if above else []), *([TRANSPOSED] if turned_above else [])]
    under = [node for sub in filter(None, subs) for node in (operator(","), word(sub))][1:]
    nodes = [*map(operator, parts["minus"]), scripted(name, under, over),
             *([text(brackets)] if brackets else [])]
    if symbol.path is not None:
        nodes.append(f"<msub>{BAR}{symbol_node(symbol.path)}</msub>")
    if symbol.gradient:
        nodes = [*SLOPE, *nodes]
        nodes = [operator("("), *nodes, operator(")")] if symbol.transposed else nodes
    name = row_of(nodes)
    return f"<msup>{name}{TRANSPOSED}</msup>" if symbol.transposed and not turned_above else name


def scripted(base: str, below: list[str], above: list[str]) -> str:
    if below and above:
        return f"<msubsup>{base}{row_of(below)}{row_of(above)}</msubsup>"
    if below:
        return f"<msub>{base}{row_of(below)}</msub>"
    return f"<msup>{base}{row_of(above)}</msup>" if above else base


def subscripted(name: str) -> str:
    """`Σ_vocab`, `d_model`; any other name as it is (`one_hot`)."""
    letter, _, below = name.partition("_")
    return f"<msub>{word(letter)}{subscripted(below)}</msub>" if len(letter) == 1 and below else word(name)


def row_of(nodes: list[str]) -> str:
    """One node of several."""
    return nodes[0] if len(nodes) == 1 else f"<mrow>{''.join(nodes)}</mrow>"


def operator(sign: str) -> str:
    """A sign; a bracket is as high as a letter whatever stands inside."""
    return f"<mo{STEADY * (sign in BRACKETS)}>{escape(sign)}</mo>" if sign else ""


def text(words: str) -> str:
    return f"<mtext>{escape(shown(words))}</mtext>"


def word(name: str, link: str = "") -> str:
    """A letter, a name or a number."""
    written = escape(shown(name))
    written = f'<a href="{link}">{written}</a>' if link else written
    return f"<mn>{written}</mn>" if name[:1].isdigit() else f"<mi>{written}</mi>"


OPERATORS = {sign: Operator(f" {operator(sign)} ") for sign in "+-·⊙;="} | {
    "/": Operator(' <mo lspace="0.25em" rspace="0.25em">/</mo> '), "": Operator(BESIDE)}
