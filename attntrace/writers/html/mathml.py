"""Formulas as MathML, of the elements that all browsers draw (MathML Core)."""
import re
from collections.abc import Callable, Container, Iterable
from functools import lru_cache
from html import escape
from itertools import groupby
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


class Linked(str):
    """A node that leads to a `link`."""
    link: str

    @classmethod
    def to(cls, link: str, node: str) -> str:
        """A node with a link, if there is one."""
        linked = cls(node)
        linked.link = link
        return linked if link else node


def around(node: str, parts: Iterable[Any]) -> str:
    """A node that can only be a link as a whole: to where the one link among its parts leads."""
    links = [part.link for part in parts if isinstance(part, Linked)]
    return Linked.to(links[0], node) if len(links) == 1 else node


class MathPrinter(Printer):
    """Writes MathML. What stands in brackets (where matrices are `drawn`, under a root too) is one element, unless
    there is one of these in it, a link, or a place where the equation may go on in the next line."""
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
        self.out.append(around(f"<msup>{base}{power}</msup>", [base]))

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
        return any(isinstance(part, Term | Operator | Linked) for part in inside)

    def signed(self, number: str, leads: bool) -> None:
        self.out.append(word(number))

    def name(self, node: Term, leads: bool) -> None:
        assert node.tensor.symbol is not None
        name = symbol_node(node.tensor.symbol, self.head, self.row)
        self.out.append(Linked.to(self.link(node.tensor), name) if self.link is not None else name)

    def part(self, node: Expression) -> list[Any]:
        """What a root is of, or an exponent."""
        before, self.out = self.out, []
        self.put(node.parts[-1])
        part, self.out = self.out, before
        return part

    def root(self, node: Expression, leads: bool) -> None:
        part = self.part(node)
        if self.drawn and self.is_split(part):
            brackets = ("", "") if node.parts[0].binds == ATOM else ("(", ")")
            opening, closing = map(operator, brackets)
            self.out += [operator("√"), opening, *part, closing]
        else:
            self.out.append(around(f"<msqrt>{''.join(part)}</msqrt>", part))

    def exp(self, node: Expression, leads: bool) -> None:
        base, part = self.out.pop() if node.kind == "power" else word("e"), self.part(node)
        if self.drawn and self.is_split(part):
            self.out += [base, *map(operator, "^("), *part, operator(")")]
        else:
            self.out.append(around(f"<msup>{base}{row_of(part)}</msup>", part))

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
    """`left = right`, which a line may break before its signs."""
    return breakable([symbol_node(formula.left, formula.head, formula.row), OPERATORS["="],
                      *MathPrinter(formula.head, formula.row, link).pieces(formula.right)])


def expression_math(expression: Expression, head: int | None, row: str | None = None, behind: str = "") -> str:
    """The right side of an equation alone, with a text `behind` it."""
    return breakable([*MathPrinter(head, row).pieces(expression), text(behind) if behind else ""])


def breakable(nodes: Iterable[str]) -> str:
    """Nodes which a line may break before a sign."""
    parts: list[list[str]] = [[]]
    for node in nodes:
        if isinstance(node, Operator) and node != OPERATORS[""]:
            parts.append([infix(node)])
        else:
            parts[-1].append(node)
    return "<wbr>".join(map(in_math, filter(None, parts)))


def symbol_math(symbol: Symbol, head: int | None = None, row: str | None = None) -> str:
    return in_math([symbol_node(symbol, head, row)])


def in_math(nodes: Iterable[str]) -> str:
    """Nodes as an element of MathML. No link may be inside of one: between them are several."""
    nodes = list(nodes)
    if not any(isinstance(node, Linked) for node in nodes):
        return f"<math>{''.join(nodes)}</math>"
    parts = ("".join(map(link_to, some)) if is_link else f"<math>{''.join(map(infix, some))}</math>"
             for is_link, some in groupby(nodes, lambda node: isinstance(node, Linked)))
    return f"<span class=term>{''.join(parts)}</span>"


def link_to(node: Any) -> str:
    return f'<a href="{node.link}" title="{node.link[1:]}"><math>{node}</math></a>'


def infix(node: str) -> str:
    """A sign that stands between its operands, though nothing may be beside it in its element."""
    return Operator(node.replace("<mo>", '<mo form="infix">')) if isinstance(node, Operator) else node


@lru_cache(4096)
def symbol_node(symbol: Symbol, head: int | None = None, row: str | None = None) -> str:
    """A symbol as one node."""
    letter, above, below, brackets = scripts(symbol, head, row)
    parts = LETTER.fullmatch(letter)
    assert parts is not None
    name = word(parts["letter"])
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


def word(name: str) -> str:
    """A letter, a name or a number."""
    written = escape(shown(name))
    return f"<mn>{written}</mn>" if name[:1].isdigit() else f"<mi>{written}</mi>"


OPERATORS = {sign: Operator(f" {operator(sign)} ") for sign in "+-·⊙;="} | {
    "/": Operator(' <mo lspace="0.25em" rspace="0.25em">/</mo> '), "": Operator(BESIDE)}
