"""Attention weights as pictures: heads side by side, the words that look before the rows, those looked at above."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from attntrace.messages.catalog import Message, versions
from attntrace.messages.unicode import graphemes
from attntrace.pages.blocks import Grid, Hues, Maps
from attntrace.pages.numbers import MAP_DECIMALS
from attntrace.writers.page import (ASCII_MASKED, GAP, INDENT, MASKED, Head, Line, Page, Span, equal_parts, hue_at,
                                    largest_of, levels_of, packed, part_of, shaded, styled, title_of_head, titled,
                                    trimmed, words_of)

FILLS, ASCII_FILLS = "  ░░▒▒▓▓█", "  --==++#"  # for the levels from 0 to 8
FILL = 2  # cells that are filled before a number
UPRIGHT = 12  # cells of the longest word that stands upright
NARROW = 2  # cells of a column under such a word


def map_lines(block: Maps, page: Page) -> Iterator[Line]:
    words = [page.label(word) for word in block.heads[0].row_labels or ()]
    before = max(map(page.cells, words)) + 2
    bands = side_by_side(block, page, page.width - len(INDENT) - before)
    tenths = page.shades and isinstance(bands[0][0], UprightMap)
    if block.title:
        yield from titled(page.text(block.title), block.place, page)
    largest = largest_of(block, f"largest_weight{'_in_tenths' * tenths}")
    for text, in versions(page.languages, largest) if not block.brief else ():
        yield from styled(page.wrapped(words_of(text), len(INDENT)), INDENT)
    for n, pictures in enumerate(bands):
        yield from [()] if n or not block.brief else ()
        height = max(len(picture.above) for picture in pictures)
        columns = [picture.lines(height) for picture in pictures]
        for y, parts in enumerate(zip(*columns, strict=True), start=-1 - height):
            word = Span(page.padded(words[y], before), hue_at(block.heads[0].row_hues, y)) if y >= 0 else " " * before
            line = trimmed([INDENT, word, *chain.from_iterable((*part, GAP) for part in parts)])
            yield Head(line) if y < 0 else line
    if block.brief and not page.shades:
        legend = page.line(Message("messages.shades", signs=page.sign("░▒▓█", "-=+#")))
        yield from styled(page.wrapped(words_of(legend), len(INDENT)), INDENT, "grey")


def side_by_side(block: Maps, page: Page, room: int) -> list[list[HeadMap | NextWords]]:
    """Pictures in bands that fit, with numbers where one head has room for them, or where they are asked for; else
    under words that stand upright. A head too wide for the page is drawn in parts of its columns."""
    kind = BriefMap if block.brief else HeadMap
    whole = kind(block.heads[0], block.largest, page)
    if whole.width > room and not block.asked:
        kind, whole = UprightMap, UprightMap(block.heads[0], block.largest, page)
    parts = equal_parts(whole.widths, room, whole.gap) if whole.width > room else [slice(0, len(whole.widths))]
    columns: list[HeadMap | NextWords] = [kind(grid, block.largest, page, part.start, part.stop)
                                          for grid in block.heads for part in parts]
    if block.next_words:
        columns.append(NextWords(block.next_words, block.next_hues, page))
    return list(packed(columns, lambda band: band_width(band) <= room))


def band_width(pictures: Sequence[HeadMap | NextWords]) -> int:
    return sum(picture.width for picture in pictures) + len(GAP) * (len(pictures) - 1)


class HeadMap:
    """The weights of one head: each a cell that is filled the more the larger it is, with its number; the words that
    are looked at `above`, line by line."""
    gap = 1

    def __init__(self, grid: Grid, largest: float, page: Page, start: int = 0, stop: int | None = None) -> None:
        self.grid, self.largest, self.page = grid, largest, page
        self.start, self.stop = start, grid.values.shape[1] if stop is None else stop
        self.labels = (grid.column_labels or ())[self.start:self.stop]
        self.hues = grid.column_hues[self.start:]
        self.widths = self.column_widths()
        self.above = self.words()
        self.inside = sum(self.widths) + self.gap * (len(self.widths) - 1)
        parts = part_of("columns", self.start, self.stop, grid.values.shape[1])
        self.title = GAP.join(map(page.text, [title_of_head(grid), *parts]))
        self.width = max(self.inside, page.cells(self.title))

    def column_widths(self) -> list[int]:
        number = FILL + 1 + self.grid.figures.width
        return [max(self.page.cells(self.page.label(label)), number) for label in self.labels]

    def words(self) -> list[list[str]]:
        """The lines above the rows, each with a text for every column."""
        return [[self.page.right(self.page.label(label), width)
                 for label, width in zip(self.labels, self.widths, strict=True)]]

    def cell(self, fill: str, weight: float, width: int) -> str:
        if not weight:
            return self.masked(width)
        return f"{fill * (width - self.grid.figures.width - 1)} {self.grid.figures.padded(weight)}"

    def masked(self, width: int) -> str:
        """A weight of exactly 0, where the decimal point of the others is."""
        return (self.page.sign(MASKED, ASCII_MASKED) + " " * (self.grid.figures.after - 1)).rjust(width)

    def lines(self, height: int) -> list[Line]:
        """The title, `height` lines of words, and the rows, all of the same width."""
        page, behind = self.page, " " * (self.width - self.inside)
        values = self.grid.values[:, self.start:self.stop]
        levels = levels_of(values / (self.largest or 1))
        fills = " " * len(FILLS) if page.shades else ASCII_FILLS if page.ascii else FILLS
        between = " " * self.gap
        texts = [between.join(map(self.cell, (fills[level] for level in row), weights, self.widths))
                 for row, weights in zip(levels.tolist(), values.tolist(), strict=True)]
        cells = shaded(texts, levels, self.widths, page, self.gap) if page.shades else texts
        rows: list[Line] = [(row, behind) for row in cells]
        words: list[Line] = [(*chain.from_iterable((Span(between * bool(n)), Span(text, hue_at(self.hues, n)))
                                                   for n, text in enumerate(line)), behind) for line in self.above]
        blank = (" " * self.width,)
        return [(Span(page.padded(self.title, self.width), "bold"),), *[blank] * (height - len(words)), *words, *rows]


class BriefMap(HeadMap):
    """The same in as little room as there can be."""

    def column_widths(self) -> list[int]:
        number = len(self.page.sign("█", "# ")) + self.grid.figures.width
        return [max(self.page.cells(self.page.label(label)), number) for label in self.labels]

    def cell(self, fill: str, weight: float, width: int) -> str:
        if not weight:
            return self.masked(width)
        return f"{fill}{self.page.sign('', ' ')}{self.grid.figures.padded(weight)}".rjust(width)


class NextWords:
    """The likeliest next word beside each row, and its probability."""
    above: list[list[str]] = []

    def __init__(self, words: Sequence[tuple[str, float]], hues: Hues, page: Page) -> None:
        self.title, labels = page.text(Message("messages.decoding_word")), [page.label(word) for word, _ in words]
        self.width = max(map(page.cells, labels))
        self.rows: list[Line] = [(Span(page.padded(label, self.width), hue_at(hues, n)), f" {share:.{MAP_DECIMALS}f}")
                                 for n, (label, (_, share)) in enumerate(zip(labels, words, strict=True))]
        self.width = max(page.cells(self.title), self.width + 1 + page.cells(f"{1:.{MAP_DECIMALS}f}"))

    def lines(self, height: int) -> list[Line]:
        return [(Span(self.title, "bold"),), *[()] * height, *self.rows]


class UprightMap(HeadMap):
    """The same with words that stand upright, and cells without numbers; shaded ones tell the tenths of the largest."""
    gap = 0

    def column_widths(self) -> list[int]:
        return [NARROW] * len(self.labels)

    def words(self) -> list[list[str]]:
        stacks = [graphemes(self.page.label(label, UPRIGHT)) for label in self.labels]
        height = max(map(len, stacks))
        return [[self.page.right(stack[y - height] if height - y <= len(stack) else "", NARROW) for stack in stacks]
                for y in range(height)]

    def cell(self, fill: str, weight: float, width: int) -> str:
        if not weight:
            return self.masked(width)
        tenths = min(int(10 * weight / self.largest), 9) if self.largest and self.page.shades else 0
        return f" {tenths}" if tenths else fill * NARROW

    def masked(self, width: int) -> str:
        return self.page.sign(MASKED, ASCII_MASKED).rjust(width)
