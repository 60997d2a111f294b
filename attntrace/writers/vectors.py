"""The rows of a stage, token after token, lined up."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from attntrace.blocks import RowLine, TokenRows, VectorRows
from attntrace.figures import lined_up
from attntrace.prose import sentence
from attntrace.writers.page import ASCII_BARS, BARS, GAP, INDENT, Line, Page, Span, equal_parts

APART_FROM = 4  # so many vectors a token, and an empty line stands between tokens


class Columns:
    """Where things stand in the rows of a stage: word, symbol, formula, numbers."""

    def __init__(self, block: VectorRows, page: Page) -> None:
        self.page = page
        lines = [line for token in block.tokens for line in token.lines]
        self.before, self.after = lined_up(line.figures for line in lines)
        self.number = self.before + self.after
        self.word = max(page.cells(page.label(token.token)) for token in block.tokens)
        if self.word > page.width // 3:  # the numbers matter more than one long word
            self.word = page.width // 3
        self.symbol = max(page.cells(self.left(line)) for line in lines)
        self.formula = max(page.cells(self.right(line)) for line in lines) + 3
        self.labels = {line.labels: [max(self.number, page.cells(page.label(label))) for label in line.labels]
                       for line in lines if line.labels}
        self._blocks: dict[tuple[str, ...] | int, list[slice]] = {}
        self.start = len(INDENT) + self.word + 2
        if self.numbers_at + max(self.width(line) for line in lines) > page.width:
            self.formula = 0
        self.room = page.width - self.numbers_at - 4  # for the numbers inside the brackets
        after = [page.width - self.numbers_at - self.width(line) - len(GAP) for line in lines]
        self.bars = all(line.values.size <= room for line, room in zip(lines, after, strict=True) if line.bars)
        self.mixtures = all(_mixture_fits(line, page, room)
                            for line, room in zip(lines, after, strict=True) if line.shares is not None)

    @property
    def numbers_at(self) -> int:
        """The column of the opening bracket."""
        return self.start + self.symbol + self.formula + 3

    def left(self, line: RowLine) -> str:
        return self.page.symbol(line.formula.left, line.formula.head)

    def right(self, line: RowLine) -> str:
        return self.page.pieces(line.formula.right, line.formula.head)

    def widths(self, line: RowLine) -> list[int]:
        return self.labels[line.labels] if line.labels else [self.number] * line.values.size

    def width(self, line: RowLine) -> int:
        """Of the numbers with their brackets."""
        return sum(self.widths(line)) + line.values.size + 3 if line.values.ndim else self.number + 2

    def blocks(self, line: RowLine) -> list[slice]:
        """The numbers in parts of equal size that fit in a line."""
        kind = line.labels or line.values.size
        if kind not in self._blocks:
            self._blocks[kind] = equal_parts(self.widths(line), self.room)
        return self._blocks[kind]

    def equation(self, line: RowLine) -> tuple[Span, Span]:
        """`s₁ = q₁ Kᵀ       = `, or `s₁ = ` where there is no room for the formula (the stage's heading has it)."""
        left = self.left(line)
        rest = " " * (self.symbol - self.page.cells(left)) + " = "
        if self.formula:
            rest += f"{self.page.padded(self.right(line), self.formula - 3)} = "
        return Span(left, "bold"), Span(rest)

    def numbers(self, line: RowLine, part: slice) -> str:
        widths = self.widths(line)[part] if line.labels else None
        return line.figures.row(line.values[part], self.before, self.after, widths)

    def label_line(self, line: RowLine, part: slice) -> Line:
        spans = [Span(" " * (self.numbers_at + 2))]
        labels = (line.labels or ())[part]
        first = part.start or 0
        for n, (label, width) in enumerate(zip(labels, self.widths(line)[part], strict=True)):
            style = f"token{first + n}" if line.hued else "grey"
            spans += [Span(" " * bool(n)), Span(self.page.right(self.page.label(label), width), style)]
        return tuple(spans)


def token_rows(block: VectorRows, page: Page) -> Iterator[Line]:
    columns = Columns(block, page)
    first = block.tokens[0].lines
    labelled = next((line for line in first if line.labels), None)
    whole = labelled is not None and len(columns.blocks(labelled)) == 1
    yield ()
    if labelled is not None and whole:
        yield columns.label_line(labelled, slice(None))
    for n, token in enumerate(block.tokens):
        if n and (len(first) >= APART_FROM or labelled is not None and not whole):
            yield ()
        word = Span(page.label(token.token), f"token{token.number}")
        if page.cells(word.text) > columns.word:
            yield Span(INDENT), word
            word = Span("")
        for mark, line in one_token(token, columns, page, whole):
            if mark:  # the word stands before the token's first equation
                yield Span(INDENT), word, Span(" " * (columns.word - page.cells(word.text) + 2)), *line
                word = Span("")
            else:
                yield line


def one_token(token: TokenRows, columns: Columns, page: Page, whole: bool) -> Iterator[tuple[bool, Line]]:
    """The lines of one token: single numbers side by side, vectors below each other. Those that begin an equation are
    marked, and leave out the columns before it."""
    for kind, group in groupby(token.lines, key=lambda line: (line.values.ndim, bool(line.labels) and not whole)):
        lines = list(group)
        if kind[0] == 0:
            yield from _single_numbers(lines, columns, page)
        elif kind[1]:
            yield from _in_blocks_of_words(lines, columns)
        else:
            for line in lines:
                yield from _vector(line, columns, page)


def _single_numbers(lines: list[RowLine], columns: Columns, page: Page) -> Iterator[tuple[bool, Line]]:
    """`μ₁ = 0.109   σ²₁ = 1.423`, the first under the numbers of the vectors, as many in a line as fit."""
    spans: list[Span] = []
    used = 0
    for line in lines:
        more = [Span(GAP), Span(columns.left(line), "bold"), Span(f" = {line.figures.text(float(line.values))}")]
        width = sum(page.cells(span.text) for span in more)
        if spans and used + width <= page.width:
            spans += more
            used += width
            continue
        if spans:
            yield True, tuple(spans)
        number = line.figures.padded(float(line.values), columns.before, columns.after).rstrip()
        spans = [*columns.equation(line), Span(f"  {number}")]
        used = columns.numbers_at + 2 + len(number)
    yield True, tuple(spans)


def _vector(line: RowLine, columns: Columns, page: Page) -> Iterator[tuple[bool, Line]]:
    parts = columns.blocks(line)
    for n, part in enumerate(parts):
        text = columns.numbers(line, part)
        if n == len(parts) - 1:
            text += _end(line)
            if line.bars and columns.bars:  # in all rows of the stage or in none
                text += GAP + _bars(line, page)
            if line.shares is not None and columns.mixtures:
                text += GAP + _mixture(line, page)
        if n:
            yield False, (Span(" " * (columns.numbers_at + 2)), Span(text.rstrip()))
        else:
            yield True, (*columns.equation(line), Span("[ "), Span(text.rstrip()))


def _in_blocks_of_words(lines: list[RowLine], columns: Columns) -> Iterator[tuple[bool, Line]]:
    """Vectors along a sentence too long for the page: part by part, each under its words."""
    parts = columns.blocks(lines[0])
    for n, part in enumerate(parts):
        yield False, columns.label_line(lines[0], part)
        for line in lines:
            bracket = "[ " if n == 0 else "  "
            close = _end(line) if n == len(parts) - 1 else ""
            yield True, (*columns.equation(line), Span(f"{bracket}{columns.numbers(line, part)}{close}".rstrip()))


def _end(line: RowLine) -> str:
    """The closing bracket, after how many numbers are not shown."""
    return f" +{sentence('messages.more', count=line.more)} ]" if line.more else " ]"


def _bars(line: RowLine, page: Page) -> str:
    """A small bar for each weight, so that the largest is seen without colour; none for a weight that is exactly 0."""
    bars = ASCII_BARS if page.ascii else BARS
    heights = [min(int(weight * len(bars)), len(bars) - 1) for weight in line.values.tolist()]
    drawn = (bars[height] if weight else " " for weight, height in zip(line.values.tolist(), heights, strict=True))
    return "".join(drawn).rstrip()


def _mixture_fits(line: RowLine, page: Page, room: int) -> bool:
    assert line.shares is not None
    return line.shares.size <= room and page.cells(_mixture(line, page)) <= room  # a long sentence is not even spelled


def _mixture(line: RowLine, page: Page) -> str:
    """`0.068·v₁ + 0.210·v₂`: which rows a row mixes, and how much of each."""
    assert line.shares is not None and line.share_figures is not None
    dot = page.sign("·", "*")
    texts = [line.share_figures.text(share) for share in line.shares.tolist()]
    texts = texts[:1] + [f"({text})" if text.startswith("-") else text for text in texts[1:]]
    return " + ".join(f"{text}{dot}{page.symbol(symbol, line.formula.head)}"
                      for text, symbol in zip(texts, line.mixture, strict=True))
