"""Formulas as MathML, of the elements that all browsers draw (MathML Core)."""

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from html import escape

from attntrace.messages.unicode import shown
from attntrace.pages.blocks import Formula
from attntrace.tensor.symbol import (COLUMN_TIMES, EQUALS, MATMUL, OVER, ROOT, ROOT_CLOSE, ROOT_END, ROOT_OPEN, Scripts,
                                     Sign, Symbol)
from attntrace.tensor.tensor import Pieces, Tensor

Link = Callable[[Tensor], str]  # where a tensor stands on the page, or nothing
SMALL = str.maketrans("₀₁₂₃₄₅₆₇₈₉²ᵗ", "01234567892t")
LETTER = re.compile(r"(?P<minus>-?)(?P<letter>.*?)(?P<below>[₀-₉]*)(?P<above>[²ᵗ]*)", re.DOTALL)
TOKEN = re.compile(r"(?P<space> +)|(?P<power>[ᵀ²])|(?P<text>\w+ [\w-]+)|(?P<name>\d[\d.e-]*|\w+)|(?P<open>[([])|"
                   r"(?P<close>[])])|(?P<sign>.)")
TRANSPOSED = '<mi mathvariant="normal">T</mi>'
POWERS = {"ᵀ": TRANSPOSED, "²": "<mn>2</mn>"}
STEADY, BRACKETS = ' stretchy="false"', ("(", ")", "[", "]", "√(")
HAT, BAR = f"<mo{STEADY}>^</mo>", f"<mo{STEADY}>|</mo>"
SLOPE = ["<mi>∂</mi>", "<mi>L</mi>", '<mo lspace="0" rspace="0">/</mo>', "<mi>∂</mi>"]
OVER_NODE = '<mo lspace="0.25em" rspace="0.25em">/</mo>'
BESIDE = '<mspace width="0.25em"/>'  # between the factors of a product


def formula_math(formula: Formula, link: Link | None = None) -> str:
    """`left = right`, which a line may break before a `+` that stands in no bracket."""
    parts = [[symbol_node(formula.left, formula.head, formula.row), *(node for _, node in signs(EQUALS))]]
    for node in nodes_of(formula.right, formula.head, formula.row, link):
        if node == operator("+"):
            parts.append(['<mo form="infix">+</mo>'])
        else:
            parts[-1].append(node)
    return " ".join(map(math, parts))


def right_math(formula: Formula, behind: str = "") -> str:
    """The right side alone, with a text `behind` it."""
    return math([*nodes_of(formula.right, formula.head, formula.row), text(behind) if behind else ""])


def symbol_math(symbol: Symbol, head: int | None = None, row: str | None = None) -> str:
    return math([symbol_node(symbol, head, row)])


def math(nodes: Iterable[str]) -> str:
    return f"<math>{''.join(nodes).strip()}</math>"


def nodes_of(pieces: Pieces, head: int | None = None, row: str | None = None, link: Link | None = None) -> list[str]:
    """An equation's side; what stands in brackets or under a root is one node. Brackets may also stay open, or close
    what was opened elsewhere: where matrices are drawn between them."""
    levels: list[list[str]] = [[]]  # of brackets that are open, each beginning with its bracket

    def close(bracket: str, is_root: bool = False) -> None:
        if len(levels) == 1:
            levels[-1].append(bracket)
            return
        opening, *inside = levels.pop()
        levels[-1].append(f"<msqrt>{''.join(inside)}</msqrt>" if is_root else row_of([opening, *inside, bracket]))

    for piece in pieces:
        if not isinstance(piece, Sign):
            symbol = piece.tensor.symbol
            assert symbol is not None
            levels[-1].append(symbol_node(symbol, head, row, link(piece.tensor) if link is not None else ""))
        elif piece in (ROOT, ROOT_OPEN):
            levels.append([operator(piece.unicode)])
        elif piece in (ROOT_END, ROOT_CLOSE):
            close(operator(piece.unicode), is_root=True)
        else:
            for kind, node in signs(piece):
                if kind == "open":
                    levels.append([node])
                elif kind == "close":
                    close(node)
                elif kind == "power":
                    base = levels[-1].pop() if levels[-1] else "<mrow></mrow>"  # a matrix that is drawn before it
                    levels[-1].append(f"<msup>{base}{node}</msup>")
                else:
                    levels[-1].append(node)
    return [node for level in levels for node in level]


@cache
def signs(sign: Sign) -> tuple[tuple[str, str], ...]:
    """What is written for a sign, piece by piece, each with its kind; blanks are for those who read the text alone."""
    if sign == MATMUL:
        return ("space", f" {BESIDE} "),
    nodes = []
    for token in TOKEN.finditer(sign.unicode):
        kind, written = str(token.lastgroup), token[0]
        node = {"space": written, "text": text(written), "name": subscripted(written),
                "power": POWERS.get(written, "")}.get(kind, operator(written))
        nodes.append((kind, OVER_NODE if sign == OVER and kind == "sign" else node))
    return *nodes, *[("space", BESIDE)] * (sign == COLUMN_TIMES)


@lru_cache(4096)
def symbol_node(symbol: Symbol, head: int | None = None, row: str | None = None, link: str = "") -> str:
    """A symbol as one node, its letter a link to where it stands on the page."""
    letter, above, below, brackets = Scripts.of(symbol, head, row)
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
