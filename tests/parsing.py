"""Readers of printed formulas and sums, by ordinary precedence; they know nothing of the code that prints."""
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Tree = Any  # a leaf, or a list: the name of an op, its operands, its settings

SUBSCRIPTS, SUPERSCRIPTS = "₀₁₂₃₄₅₆₇₈₉", "⁰¹²³⁴⁵⁶⁷⁸⁹"
DIGITS = str.maketrans(SUBSCRIPTS + SUPERSCRIPTS, "0123456789" * 2)
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
SETTINGS = {"slice": 2, "columns": 2, "among_columns": 2, "placed": 1}  # how many a reader sees behind the operands


class Unreadable(ValueError):
    """A text that ordinary precedence gives no meaning."""


class Reader:
    """A text, and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0

    def accept(self, *tokens: str) -> str | None:
        for token in tokens:
            if self.text.startswith(token, self.place):
                self.place += len(token)
                return token
        return None

    def match(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        found = re.compile(pattern).match(self.text, self.place)
        self.place = found.end() if found else self.place
        return found

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise Unreadable(f"{self.text!r}: no {token!r} at {self.text[self.place:]!r}")

    def whole(self) -> Any:
        """The meaning of the whole text, not a sign less."""
        found = self.sum()
        if self.place < len(self.text):
            raise Unreadable(f"{self.text!r}: left over {self.text[self.place:]!r}")
        return found

    def sum(self) -> Any:
        raise NotImplementedError


class Sums(Reader):
    """The arithmetic of a cell, evaluated: a minus sign stands between two numbers, or leads."""

    CALLS: Mapping[str, Callable[..., float]] = {
        "max": max, "sin": math.sin, "cos": math.cos, "exp": math.exp, "sqrt": math.sqrt,
        "positive": lambda x: 1.0 if x > 0 else 0.0, "log": math.log, "tanh": math.tanh, "erf": math.erf}

    def sum(self) -> float:
        total = -self.product() if self.accept("-") else self.product()
        while sign := self.accept(" + ", " - "):
            total = total + self.product() if sign == " + " else total - self.product()
        return total

    def product(self) -> float:
        total = self.power()
        while sign := self.accept("·", "*", " / "):
            total = total / self.power() if sign == " / " else total * self.power()
        return total

    def power(self) -> float:
        if self.accept("√"):
            return math.sqrt(self.atom())  # of one thing: √x² would be ambiguous, and is left over
        base = self.atom()
        if self.accept("²", "^2"):
            return base * base
        return base ** self.bracket() if self.accept("^") else base

    def atom(self) -> float:
        if number := self.match(NUMBER):
            return self.number(number[0])
        if self.text.startswith("(", self.place):
            return self.bracket()
        if self.accept("inf"):
            return math.inf
        if self.accept("e^"):
            return self.call("exp", self.bracket())
        if (call := self.match(r"(\w+)\(")) and call[1] in self.CALLS:
            arguments = [self.sum()]
            while self.accept(", "):
                arguments.append(self.sum())
            self.expect(")")
            return self.call(call[1], *arguments)
        raise Unreadable(f"{self.text!r}: no number at {self.text[self.place:]!r}")

    def number(self, text: str) -> float:
        return float(text)

    def call(self, name: str, *arguments: float) -> float:
        return self.CALLS[name](*arguments)

    def bracket(self) -> float:
        self.expect("(")
        inner = self.sum()
        self.expect(")")
        return inner


class Formulas(Reader):
    """An equation's right side, as the tree that it says.

    `names`: what each plain symbol stands for, as it is spelled. A superscript that belongs to no name is a block of
    `block` columns; a small letter with a subscript is the row of that token; positions count from 1 in the text and
    from 0 in the tree. Signs bind as usual: sums, products, what stands side by side, powers."""
    OPS = {r"softmax\(": "softmax", r"mean\(": "mean", r"positive\(": "positive", r"PE\(": "sinusoid",
           r"sqrt\(": "sqrt", r"apart\(": "apart", r"together\(": "together", r"one_hot\(": "labels",
           r"smoothed\([\d.]+(?: over \w+)?, ": "labels", r"max\(0, ": "relu", r"(?:Σ|sum)_\w+\(": "total",
           r"(?:σ|sigma)\(": "sigmoid", r"(?:Φ|Phi)\(": "normal_cdf", r"(?:φ|phi)\(": "normal_pdf",
           r"(?:Φ|Phi)_tanh\(": "normal_cdf_tanh", r"(?:φ|phi)_tanh\(": "normal_pdf_tanh",
           r"repeated\(\w+, ": "repeated", r"placed\(\w+ (\d+), ": "placed",
           r"columns (\d+)-(\d+)\(": "among_columns"}  # by what stands before the last argument

    def __init__(self, text: str, names: Mapping[str, Tree], block: int) -> None:
        super().__init__(text)
        self.block = block
        self.names = dict(names)
        self.small = {_small(name): tree for name, tree in names.items()}
        cut = [name.partition("|")[::2] for name in (*self.names, *self.small)]
        self.spelled = sorted({stem for stem, _ in cut}, key=len, reverse=True)
        self.vias = sorted({f"|{via}" for _, via in cut if via}, key=len, reverse=True)

    def sum(self) -> Tree:
        if self.match(r"-(?:Σ|sum)_vocab\((?=.*(?:⊙|\.\*) log\()"):
            return self.cross_entropy()
        tree = ["negate", self.product()] if self.accept("-") else self.product()
        while sign := self.accept(" + ", " - "):
            tree = ["add" if sign == " + " else "subtract", tree, self.product()]
        return tree

    def product(self) -> Tree:
        tree = self.side_by_side()
        while sign := self.accept(" ⊙ ", " · ", " .* ", " * ", " / "):
            tree = ["divide" if sign == " / " else "multiply", tree, self.side_by_side()]
        return tree

    def cross_entropy(self) -> Tree:
        labels = self.side_by_side()
        self.match(r" (?:⊙|\.\*) log\(")
        p = self.bracket()
        self.expect(")")
        return ["cross_entropy", p, labels]

    def side_by_side(self) -> Tree:
        tree = self.power()
        while re.compile(r" (?!(?:[-+⊙·*/;]|\.\*) )").match(self.text, self.place):
            self.place += 1
            tree = ["matmul", tree, self.power()]
        return tree

    def power(self) -> Tree:
        if self.accept("√"):
            return ["sqrt", self.atom()]
        tree = self.atom()
        return ["square", tree] if self.accept("²", "^2") else tree

    def atom(self) -> Tree:
        """Something with all that clings to it: ᵀ and positions in brackets."""
        tree = self.bracket() if self.accept("(") else self.row_of_matrices() if self.accept("[") else self.named()
        while True:
            if self.accept("ᵀ", "^T"):
                tree = ["transpose", tree]
            elif index := self.match(r"\[([\d:,-]+)\]"):
                tree = self.indexed(tree, index[1].split(","))
            elif self.accept("["):
                tree = ["rows", tree, self.atom()]
                self.expect("]")
            else:
                return tree

    def bracket(self) -> Tree:
        tree = self.sum()
        self.expect(")")
        return tree

    def row_of_matrices(self) -> Tree:
        parts = [self.sum()]
        while self.accept(" ; "):
            parts.append(self.sum())
        self.expect("]")
        return ["concat", *parts]

    def indexed(self, tree: Tree, index: list[str]) -> Tree:
        if "-" in index[-1]:
            if set(index[:-1]) - {":"}:
                raise Unreadable(f"{self.text!r}: columns of a part")
            return ["columns", tree, *map(int, index[-1].split("-"))]
        gone = 0
        for k, position in enumerate(index):
            if position != ":":
                tree = ["slice", tree, k - gone, int(position) - 1]
                gone += 1
        return tree

    def named(self) -> Tree:
        """A function with its arguments, a number, or a symbol."""
        for pattern, op in self.OPS.items():
            if call := self.match(pattern):
                return [op, self.bracket(), *map(int, call.groups())]
        if self.accept("into rows("):
            ids = self.symbol()
            self.expect(", ")
            return ["into_rows", self.bracket(), ids]
        if number := self.match(NUMBER):
            return float(number[0])
        return self.symbol()

    def symbol(self) -> Tree:
        """A name, with the marks of its block, of its row and of its positions before what it came through, if any:
        ∂L/∂x₁|Q, ∂L/∂W_Q[3,:]|Q."""
        name = self.accept(*self.spelled)
        if name is None:
            raise Unreadable(f"{self.text!r}: no symbol at {self.text[self.place:]!r}")
        block = self.match(r"⁽([⁰¹²³⁴⁵⁶⁷⁸⁹]+)⁾|\^\((\d+)\)")
        row = self.match(r"([₀₁₂₃₄₅₆₇₈₉]+)|_(\d+)")
        index = self.match(r"\[([\d:,]+)\](?=\|)")
        name += self.accept(*self.vias) or ""
        if name not in (self.small if row else self.names):
            raise Unreadable(f"{self.text!r}: {name!r} is a row without a number, or a matrix with one")
        tree = self.small[name] if row else self.names[name]
        if row:
            tree = ["slice", tree, 0, int(row[0].lstrip("_").translate(DIGITS)) - 1]
        if block:
            number = int((block[1] or block[2]).translate(DIGITS))
            tree = ["columns", tree, (number - 1) * self.block + 1, number * self.block]
        return self.indexed(tree, index[1].split(",")) if index else tree


def _small(name: str) -> str:
    """The name with its letter, and nothing else of it, in lower case."""
    parts = re.fullmatch(r"(∂L/∂|dL/d)?([^_⁽^′'|]+)(.*)", name)
    return name if parts is None else (parts[1] or "") + parts[2].lower() + parts[3]


def is_leaf(tree: Tree) -> bool:
    return not (isinstance(tree, list) and tree and isinstance(tree[0], str) and tree[0] != "-inf")


def operands(tree: Tree) -> list[Tree]:
    return tree[1:len(tree) - SETTINGS.get(tree[0], 0)]


def settings(tree: Tree) -> list[int]:
    return tree[len(tree) - SETTINGS.get(tree[0], 0):]


def as_written(expression: Tree) -> Tree:
    """A computed tree without what no formula says: sizes, the number of an axis, and an op that changes nothing."""
    if is_leaf(expression):
        return float(expression) if isinstance(expression, (int, float)) else expression
    name, *rest = expression
    if name == "same":
        return as_written(rest[0])
    if name == "placed":
        return [name, as_written(rest[0]), rest[2] + 1]
    if name in SETTINGS:
        return [name, as_written(rest[0]), *rest[1:3]]
    if name == "sum":
        total = as_written(rest[0])
        for operand in rest[1:]:
            total = ["add", total, as_written(operand)]
        return total
    if name == "cross_entropy":  # of logits that no formula says
        return [name, *map(as_written, rest[1:])]
    if name == "outer":
        return ["matmul", ["transpose", as_written(rest[0])], as_written(rest[1])]
    count = {"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "matmul": 2, "rows": 2, "into_rows": 2,
             "concat": len(rest)}.get(name, 1)
    return [name, *map(as_written, rest[:count])]


def rank(tree: Tree, ranks: Mapping[str, int]) -> int:
    """How many axes a tree's value has; `ranks`: those of its leaves, by their JSON."""
    if is_leaf(tree):
        return 0 if isinstance(tree, float) else ranks[json.dumps(tree)]
    inner = [rank(operand, ranks) for operand in operands(tree)]
    if tree[0] == "matmul":
        return sum(inner) - 2
    if tree[0] == "rows":
        return sum(inner) - 1
    gained = {"mean": -1, "total": -1, "slice": -1, "placed": 1, "repeated": 1, "sinusoid": 1}
    return max(inner) + gained.get(tree[0], 0)


def settled(tree: Tree, ranks: Mapping[str, int]) -> Tree:
    """The tree with each slice as deep as it goes: row 3 of Aᵀ is column 3 of A, transposed, however it is said. What
    is transposed twice is not transposed."""
    if is_leaf(tree):
        return tree
    tree = [tree[0], *(settled(operand, ranks) for operand in operands(tree)), *settings(tree)]
    if tree[0] == "transpose" and not is_leaf(tree[1]) and tree[1][0] == "transpose":
        return tree[1][1]
    if tree[0] != "slice" or is_leaf(tree[1]):
        return tree
    (_, inner, k, i), last = tree, rank(tree[1], ranks) - 1
    if inner[0] == "transpose":
        return settled(["transpose", ["slice", inner[1], last - k, i]], ranks)
    if inner[0] == "columns":
        _, whole, first, to = inner
        return settled(["slice", whole, k, first - 1 + i] if k == last else
                       ["columns", ["slice", whole, k, i], first, to], ranks)
    if inner[0] == "slice" and k >= inner[2]:
        return settled(["slice", ["slice", inner[1], k + 1, i], inner[2], inner[3]], ranks)
    return tree


def unmarked(tree: Tree) -> Tree:
    """The tree without its slices: a formula of one row becomes that of the whole matrix."""
    if is_leaf(tree):
        return tree
    if tree[0] == "slice":
        return unmarked(tree[1])
    return [tree[0], *map(unmarked, operands(tree)), *settings(tree)]


def rounded_like(text: str, number: float) -> float:
    """The number, rounded to the last digit of the text of another: `1.50` and `0.15e-03` have two decimals."""
    digits, _, power = text.partition("e")
    decimals = len(digits.partition(".")[2])
    return number if math.isinf(number) else float(f"{number / 10.0 ** int(power or 0):.{decimals}f}e{power or 0}")


def evaluated(text: str) -> float:
    return Sums(text).whole()


def tree_of(text: str, names: Mapping[str, Tree], block: int) -> Tree:
    return Formulas(text, names, block).whole()
