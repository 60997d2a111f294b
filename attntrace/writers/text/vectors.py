"""The rows of a stage, token after token, lined up."""
import re
from collections.abc import Iterator
from itertools import chain, groupby
from typing import NamedTuple

from attntrace.messages.catalog import Message
from attntrace.pages.blocks import RowLine, VectorRows
from attntrace.pages.numbers import lined_up
from attntrace.writers.page import (ASCII_BARS, BARS, BREAK, GAP, INDENT, Columns, Head, Line, Page, Part, Rows, Shaded,
                                    Span, equal_parts, hue_at, labels_line, levels_of, styled, text_of, trimmed,
                                    words_of)

APART_FROM = 4  # so many vectors a token, and an empty line stands between tokens
AT_ONCE = 512  # tokens whose numbers are written at once

Numbers = list[str] | list[Shaded]


def columns_of(line: RowLine) -> int:
    """How many numbers of it stand in a row; a single number is one."""
    return line.values.shape[1] if line.values.ndim > 1 else 1


class Behind(NamedTuple):
    """What stands behind the numbers of a row, which end there, of all tokens or of none: bars, its mixture (or that
    `below` it), its name."""
    end: int
    bars: bool
    mixture: bool
    below: bool
    name: bool


NOTHING = Behind(0, False, False, False, False)


class RowLayout:
    """The rows of a stage in columns: word, symbol, formula, numbers; `texts`: those that are written."""

    def __init__(self, block: VectorRows, page: Page) -> None:
        self.page = page
        self.lines = lines = block.lines
        self.before, self.after = lined_up(line.figures for line in lines)
        self.number = self.before + self.after
        longest = max(page.cells(page.label(token)) for token in block.tokens)
        self.word = min(longest, page.width // 3)  # the numbers matter more than one long word
        self.symbol = max(page.cells(self.left(line, -1)) for line in lines)  # the last row has the longest number
        self.formula = max(page.cells(self.right(line, -1)) for line in lines) + 3
        self.words_widths = {line.labels: [max(self.number, page.cells(page.label(label))) for label in line.labels]
                             for line in lines if line.labels}
        # Words under which there are nothing but whole numbers: nothing to line up with at a decimal point.
        self.whole = {words for words in self.words_widths if all(
            not line.figures.after for line in lines if line.labels == words)}
        self.vectors = [line for line in lines if line.values.ndim > 1]
        self.lead = "  " if self.vectors else ""  # where brackets open
        self.start = len(INDENT) + self.word + 2
        self.factors = {id(line): page.factor(line.figures) for line in lines}
        if self.numbers_at + max(self.width(line) for line in lines) > page.width:
            self.formula = 0
        room = page.width - self.numbers_at - 4 - max(map(len, self.factors.values()))  # inside the brackets
        self.parts = {id(line): self.parts_of(line, room) for line in self.vectors}
        self.closing = {id(line): self.end(line) for line in self.vectors}
        self.behind = {id(line): self.room_behind(line) for line in self.vectors}
        self.behind |= {id(line): NOTHING for line in lines if line.values.ndim == 1}
        words = {line.labels for line in self.vectors} - {None}
        labels = {id(line): [self.label_line(line, part) for part in self.parts[id(line)]]
                  for line in self.vectors} if words else {}
        first = next(iter(labels.values()), [])
        alike = len(first) == 1 and all(line.labels in words for line in self.vectors)
        self.heading = first[0] if alike else None  # the words above all tokens
        # Those above each token, where columns change or have no room in a line.
        self.labels = {} if alike else {
            key: [Head((page.paint.text_of(line),)) for line in above] for key, above in labels.items()}
        self.groups = [list(group) for _, group in groupby(
            lines, key=lambda line: (line.values.ndim, line.labels if line.values.ndim == 1 or self.labels
                                     else id(line)))]
        self.heads: dict[int, list[Head | None]] = {
            id(lines[0]): [head for above in self.labels.get(id(lines[0]), [])[1:-1]
                           for head in (above, *[None] * (len(lines) - 1))] for lines in self.groups}
        self.texts: dict[int, list[Numbers]] = {}
        self.between: dict[int, list[tuple[str, ...]]] = {}  # of each token, of all parts but the first and the last

    def end(self, line: RowLine) -> str:
        """What stands behind the last number: how many more there are, and the factor."""
        more = f" +{self.page.text(Message('messages.more', count=line.more))}" if line.more else ""
        return f"{more} ]{self.factors[id(line)]}"

    def room_behind(self, line: RowLine) -> Behind:
        """As much as there is room for behind the last numbers; a mixture that has none stands below them."""
        page = self.page
        widths = self.parts[id(line)][-1].spaced(self.widths(line), page.cells(page.dots))
        end = self.numbers_at + sum(widths) + len(widths) + 1 + page.cells(self.closing[id(line)])
        name, room = 2 + page.cells(line.name), page.width - end - len(GAP)
        bars = line.weights and len(self.parts[id(line)]) == 1 and columns_of(line) <= room
        widest = mixture_width(line, page, page.width)
        beside, below = widest + name <= room, widest <= page.width - self.numbers_at
        used = columns_of(line) if bars else widest if beside else -len(GAP)
        return Behind(end, bars, beside, below and not beside, used + name <= room)

    @property
    def numbers_at(self) -> int:
        """The column of the opening bracket."""
        return self.start + self.symbol + self.formula + 3

    def left(self, line: RowLine, n: int) -> str:
        return self.page.symbol(line.formulas[n].left, line.formulas[n].head)

    def right(self, line: RowLine, n: int) -> str:
        return self.page.expression(line.formulas[n].right, line.formulas[n].head)

    def widths(self, line: RowLine) -> list[int]:
        return self.words_widths[line.labels] if line.labels else [self.number] * line.values.shape[1]

    def width(self, line: RowLine) -> int:
        """Of the numbers with their brackets and factor."""
        numbers = sum(self.widths(line)) + line.values.shape[1] + 3 if line.values.ndim > 1 else self.number + 2
        return numbers + len(self.factors[id(line)])

    def equation(self, line: RowLine, n: int) -> Line:
        """`s₁ = q₁ Kᵀ       = `, or `s₁ = ` where there is no room for the formula (the stage's heading has it)."""
        left = self.left(line, n)
        rest = " " * (self.symbol - self.page.cells(left)) + " = "
        if self.formula:
            rest += f"{self.page.padded(self.right(line, n), self.formula - 3)} = "
        return Span(left, "bold"), rest

    def write_numbers(self, rows: slice) -> None:
        """Write the numbers of some tokens at once, in each part of the columns."""
        for line in self.vectors:
            is_shaded = line.weights and line.hues and self.page.shades
            after = 0 if line.labels in self.whole else self.after
            figures = line.figures._replace(before=self.number - after, after=after)
            self.texts[id(line)] = texts = [
                part.rows(figures, line.values[rows], self.widths(line), self.page, bool(is_shaded))
                for part in self.parts[id(line)]]
            self.between[id(line)] = list(zip(*([text.painted for text in part] if is_shaded else map(str.rstrip, part)
                                                for part in texts[1:-1])))

    def parts_of(self, line: RowLine, room: int) -> list[Columns]:
        """Its columns, as many in a row as fit; in short form the first and the last, where these are not all."""
        widths = self.widths(line)
        parts = list(map(Columns.of, equal_parts(widths, room)))
        is_short = line.short and len(parts) > 1 and len(widths) > 2
        return [Columns.first_and_last(widths, room, self.page)] if is_short else parts

    def label_line(self, line: RowLine, part: Columns) -> Line:
        """The words above a part of the columns, or their numbers where they have no words."""
        widths = self.widths(line)
        labels, hues = (line.labels, line.hues) if line.labels else (tuple(str(n + 1) for n in range(len(widths))), ())
        return " " * (self.numbers_at + 2), *labels_line(part, labels, widths, hues, self.page)

    def token(self, n: int) -> Iterator[tuple[bool, Line | Rows]]:
        """Yield the lines of token n; True marks the start of an equation (the caller fills the columns before)."""
        if n % AT_ONCE == 0:
            self.write_numbers(slice(n, n + AT_ONCE))
        for lines in self.groups:
            yield from (self._single_numbers if lines[0].values.ndim == 1 else self._vectors)(lines, n)

    def _single_numbers(self, lines: list[RowLine], n: int) -> Iterator[tuple[bool, Line]]:
        """`μ₁ = 0.109   σ²₁ = 1.423`, the first under the numbers of the vectors, as many in a line as fit."""
        page = self.page
        spans: list[Part] = []
        used = 0
        for line in lines:
            number = float(line.values[n])
            factor = self.factors[id(line)] if number else ""
            more: list[Part] = [GAP, Span(self.left(line, n), "bold"), f" = {line.figures.digits(number)}{factor}"]
            width = sum(page.cells(text_of(part)) for part in more)
            if spans and used + width <= page.width:
                spans += more
                used += width
                continue
            if spans:
                yield True, tuple(spans)
            first = line.figures._replace(before=self.before, after=self.after).padded(number).rstrip() + factor
            spans = [*self.equation(line, n), f"{self.lead}{first}"]
            used = self.numbers_at + len(self.lead) + len(first)
        yield True, tuple(spans)

    def _vectors(self, lines: list[RowLine], n: int) -> Iterator[tuple[bool, Line | Rows]]:
        """Vectors part by part: one, or those with the same columns, each part under the words or numbers of these."""
        last = len(self.parts[id(lines[0])]) - 1
        equations = [self.equation(line, n) for line in lines]
        yield from self._part(lines, n, equations, 0, last)
        if last > 1:
            yield False, self._between(lines, n, equations, last)
        if last:
            yield from self._part(lines, n, equations, last, last)

    def _between(self, lines: list[RowLine], n: int, equations: list[Line], last: int) -> Rows:
        """All parts but the first and the last."""
        before = [" " * (self.numbers_at + 2)] * len(lines)
        if self.labels:
            before = [" " * self.start + self.page.paint.text_of((*equation, "  ")) for equation in equations]
        numbers = zip(*(self.between[id(line)][n % AT_ONCE] for line in lines))
        return Rows([before * (last - 1), list(chain.from_iterable(numbers))], self.heads[id(lines[0])])

    def _part(self, lines: list[RowLine], n: int, equations: list[Line], number: int,
              last: int) -> Iterator[tuple[bool, Line]]:
        page = self.page
        labels = self.labels.get(id(lines[0]), [])
        if labels:
            yield False, labels[number]
        for line, equation in zip(lines, equations, strict=True):
            begins = bool(labels) or not number
            before = (*equation, "  " if number else "[ ") if begins else (" " * (self.numbers_at + 2),)
            spans = [*before, self.texts[id(line)][number][n % AT_ONCE]]
            behind = self.behind[id(line)]
            if number == last:
                more = f"{GAP}{bars_of(line, n, page)}" if behind.bars else ""
                if behind.mixture:
                    more += f"{GAP}{mixture_of(line, n, page)}"
                spans.append(self.closing[id(line)] + more)
                if behind.name:
                    gap = page.width - behind.end - page.cells(more) - page.cells(line.name)
                    spans += " " * gap, Span(line.name, "grey")
            yield begins, tuple(spans) if number == last and behind.name else trimmed(spans)
            if number == last and behind.below:
                yield False, (" " * (self.numbers_at - 2) + f"= {mixture_of(line, n, page)}",)

    def names(self) -> Iterator[Line]:
        """The names that stand beside no row, each behind its symbol; a whole address may be broken behind a dot."""
        page = self.page
        missing = [f"{page.symbol(line.formulas[0].left, line.formulas[0].head, 'i')} {line.name}"
                   for line in self.lines if line.name and not self.behind[id(line)].name]
        lines = page.wrapped(re.split(r"(?<=\w\.)|(?<= )(?=[^ .])", GAP.join(missing)), self.start, between="")
        return styled(map(str.rstrip, lines if missing else []), " " * self.start, "grey")


def token_rows(block: VectorRows, page: Page) -> Iterator[Line | Rows]:
    layout = RowLayout(block, page)
    yield ()
    yield from layout.names()
    if block.first_weights and any(behind.bars for behind in layout.behind.values()):
        legend = page.line(Message("messages.bars", signs=ASCII_BARS if page.ascii else BARS))
        yield from styled(page.wrapped(words_of(legend), layout.start), " " * layout.start, "grey")
    if layout.heading is not None:
        yield Head(layout.heading)
    between: Line = () if len(block.lines) >= APART_FROM or layout.labels else BREAK
    for n, token in enumerate(block.tokens):
        if n:
            yield between
        word = Span(page.label(token), hue_at(block.hues, n))
        if page.cells(word.text) > layout.word:
            yield INDENT, word
            word = Span("")
        for begins, line in layout.token(n):
            if begins:  # the word stands before the token's first equation
                yield INDENT, word, " " * (layout.word - page.cells(word.text) + 2), *line
                word = Span("")
            else:
                yield line


def bars_of(line: RowLine, n: int, page: Page) -> str:
    """A small bar for each weight, so that the largest is seen without colour; none for a weight that is exactly 0."""
    bars = ASCII_BARS if page.ascii else BARS
    return "".join([bars[level - 1] if level else " " for level in levels_of(line.values[n])]).rstrip()


def mixture_width(line: RowLine, page: Page, most: int) -> int:
    """How wide the widest mixture is; wider than most, where there is none. A long sentence is not even spelled."""
    if line.shares is None or line.shares.shape[1] > most:
        return most + 1
    return max(page.cells(mixture_of(line, n, page)) for n in range(len(line.shares)))


def mixture_of(line: RowLine, n: int, page: Page) -> str:
    return " + ".join(mixed(line, n, page))


def mixed(line: RowLine, n: int, page: Page) -> list[str]:
    """`0.068·v₁`, `0.210·v₂`: which rows a row mixes, and how much of each."""
    assert line.shares is not None and line.share_figures is not None
    dot = page.sign("·", "*")
    texts = [line.share_figures.text(share) for share in line.shares[n].tolist()]
    texts = texts[:1] + [f"({text})" if text.startswith("-") else text for text in texts[1:]]
    return [f"{text}{dot}{page.symbol(symbol, line.formulas[n].head)}"
            for text, symbol in zip(texts, line.mixture, strict=True)]
