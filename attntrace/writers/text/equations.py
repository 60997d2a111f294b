"""Matrices side by side, with signs between them, as an equation on a page."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from attntrace.messages.catalog import Message
from attntrace.pages import blocks
from attntrace.tensor.printer import PRINTERS, Printer
from attntrace.tensor.tensor import Tensor, Term
from attntrace.writers.page import (GAP, INDENT, Columns, Head, Line, Page, Rows, Span, chunked, equal_parts, hue_at,
                                    labels_line, packed, part_of, styled, trimmed, words_of)

BRACKETS = {"top": ("⎡ ", " ⎤"), "middle": ("⎢ ", " ⎥"), "bottom": ("⎣ ", " ⎦"), "row": ("[ ", " ]")}
CLOSER = "  "  # a gap between matrices that have no room for another
ASCII_BRACKETS = {"row": ("[ ", " ]")}


class Box:
    """A matrix, or a block of its columns, as it is drawn: a name, words above the columns, rows in brackets.

    `words` stand before its rows. What all blocks of a matrix share is measured once, for the `whole`."""
    words: list[str]
    words_width: int
    widths: list[int]  # of all columns

    def __init__(self, grid: blocks.Grid, page: Page, columns: Columns | None = None, whole: Box | None = None) -> None:
        self.grid, self.page = grid, page
        self.columns = columns or Columns.of(slice(0, grid.values.shape[1]))
        self.labels = grid.column_labels or ()
        if whole:
            self.words, self.words_width, self.widths = whole.words, whole.words_width, whole.widths
        else:
            self.words, self.words_width = _words(grid, page)
            number = grid.figures.width
            self.widths = ([max(page.cells(page.label(label)), number) for label in self.labels]
                           or [number] * grid.values.shape[1])
        own = self.columns.spaced(self.widths, page.cells(page.dots))
        self.inside = sum(own) + max(len(own) - 1, 0)
        self.factor = page.factor(grid.figures)
        self.body = self.inside + 4 + len(self.factor)
        self.height = grid.values.shape[0]
        title = f"{page.name(grid)} {size_of(grid)}".rstrip()
        self.title = page.prose(GAP.join([title, *map(page.text, parts_of(grid, *self.columns))]))
        self.width = max(self.body, 2 + page.cells(self.title))

    def rows(self) -> list[list[str]]:
        """The columns of its rows: brackets, numbers, brackets."""
        is_shaded = self.grid.weights and self.page.shades
        texts = self.columns.rows(self.grid.figures, self.grid.values, self.widths, self.page, is_shaded)
        blank = " " * (self.width - self.inside - 4)
        left, right = self._brackets("middle")
        opening, closing = [left] * self.height, [right + blank] * self.height
        for n, place in ((0, "top"), (-1, "bottom")):
            opening[n], right = self._brackets(place)
            closing[n] = right + blank
        middle = (self.height - 1) // 2
        closing[middle] = closing[middle][:len(right)] + self.factor + blank[len(self.factor):]
        return [opening, [text.painted for text in texts] if is_shaded else texts, closing]

    def _brackets(self, place: str) -> tuple[str, str]:
        place = "row" if self.height == 1 else place
        return ASCII_BRACKETS.get(place, ("| ", " |")) if self.page.ascii else BRACKETS[place]

    def above(self, top: int, highest: int) -> dict[int, Line]:
        """What stands above its rows, which begin at the line `top`, by height: its words, its name above all words."""
        lines: dict[int, Line] = {}
        lines[top - 1 - bool(self.labels) if top else highest] = "  ", Span(
            self.page.padded(self.title, self.width - 2), "bold")
        if self.labels:
            labels = labels_line(self.columns, self.labels, self.widths, self.grid.column_hues, self.page)
            lines[top - 1] = "  ", *labels, " " * (self.width - self.inside - 2)
        return lines

    def blocks(self, room: int) -> list[Box]:
        """This matrix as blocks of equally many columns, each at most `room` cells wide (one column at the least); in
        short form the first and the last columns alone."""
        widths = self.widths
        part = part_of("columns", len(widths) - 1, len(widths), len(widths) + 1)
        title = len(GAP) + self.page.cells(*map(self.page.text, part)) + len(INDENT) + self.page.cells(self.title)
        parts = list(map(Columns.of, equal_parts(widths, max(room, title) - 4 - len(self.factor))))
        if self.grid.short and len(parts) > 1 and len(widths) > 2:
            parts = [Columns.first_and_last(widths, room - 4 - len(self.factor), self.page)]
        return [Box(self.grid, self.page, part, self) for part in parts]


def size_of(grid: blocks.Grid) -> str:
    return "×".join(map(str, grid.shape))


def parts_of(grid: blocks.Grid, start: int, stop: int, out: int = 0, back: int = 0) -> list[Message]:
    """`rows 1-4`, `columns 9-16`, where only these are drawn; `columns 1-4, 13-16` without those between."""
    rows, columns = ((1, *grid.shape, 1) if grid.one_row else (*grid.shape, 1))[:2]
    return [*part_of("rows", 0, len(grid.values), rows), *part_of("columns", start, stop, columns, out, back)]


def _words(grid: blocks.Grid, page: Page) -> tuple[list[str], int]:
    """The words before the rows, painted, and how wide they are."""
    words = [page.label(label) for label in grid.row_labels or ()]
    width = max(map(page.cells, words)) + 1 if words else 0
    return [page.paint.text_of((Span(page.padded(word, width), hue_at(grid.row_hues, y)),))
            for y, word in enumerate(words)], width


Chunk = list[str | Box]  # a piece of an equation that is not broken: from one operator to the next


def equation_lines(block: blocks.MatrixEquation, page: Page) -> Iterator[Line | Rows]:
    """The equation, drawn whole where it fits; else what was drawn in this stage already shrinks to its symbol, and the
    rest goes on at an operator in the next row of the page, or in blocks of columns. A copy of what was drawn in this
    stage is a line."""
    source = block.formula.right
    if isinstance(source, Term) and source.tensor in block.drawn:
        said = Message("messages.copied", name=page.expression(source, block.formula.head))
        yield from styled(page.wrapped(words_of(page.prose(page.line(said))), len(INDENT)), INDENT)
        return
    for shrunk in (frozenset[Tensor](), block.drawn):
        chunks = chunks_of(block, page, shrunk)
        if band_width(list(chain.from_iterable(chunks)), page) <= page.width:
            break
    yield from bands(chunks, page)


def parameter_lines(grids: Sequence[blocks.Grid], page: Page) -> Iterator[Line | Rows]:
    """Parameters side by side, as many as fit, a little closer where all fit then; those of one number in a line."""
    same = [page.line(Message("messages.constant", name=page.name(grid), size=size_of(grid),
                              number=grid.figures.text(float(grid.values.flat[0])))) for grid in grids if grid.constant]
    boxes: list[Chunk] = [[Box(grid, page)] for grid in grids if not grid.constant]
    yield from styled(page.wrapped(same, len(INDENT), GAP) if same else [], INDENT)
    if same and boxes:
        yield ()
    widths = band_width([box for chunk in boxes for box in chunk], page)
    closer = widths + (len(boxes) - 1) * len(GAP) > page.width >= widths + (len(boxes) - 1) * len(CLOSER)
    yield from bands(boxes, page, CLOSER if closer else GAP)


def chunks_of(block: blocks.MatrixEquation, page: Page, shrunk: frozenset[Tensor]) -> list[Chunk]:
    drawn = block.operands.keys() - shrunk
    if not drawn:
        return [[Box(block.result, page)]]  # the formula above says the rest
    printer = PRINTERS[page.spelling](block.formula.head, drawn=drawn)

    def item(piece: Any, is_beside: bool) -> str | Box:
        if isinstance(piece, str):
            return beside_matrix(piece, page) if is_beside else piece
        return Box(block.operands[piece.tensor] if isinstance(piece, Term) else piece, page)

    pieces = [*bracketed(printer.pieces(block.formula.right), block, printer), printer.operators["="], block.result]
    return [[item(*piece) for piece in chunk] for chunk in chunked(pieces)]


def bracketed(pieces: list[Any], block: blocks.MatrixEquation, printer: Printer) -> Iterator[Any]:
    """The pieces of an equation, with brackets around a drawn matrix and its factor where a sign would be read as one
    of the factor: `√`, `²`."""
    for before, piece, behind in zip(["", *pieces], pieces, [*pieces[1:], ""]):
        tight = isinstance(piece, Term) and block.operands[piece.tensor].figures.power and (
            before in ("√", printer.operators["/"]) or behind in (printer.squared, printer.column_times))
        yield from ("(", piece, ")") if tight else (piece,)


def beside_matrix(sign: str, page: Page) -> str:
    """What stands beside a drawn matrix: a dot in a product of matrices, a blank between its bracket and another."""
    if sign == " ":
        return page.sign(" · ", " * ")
    return " " * sign.startswith((")", "]")) + sign + " " * sign.endswith(("(", "["))


def bands(chunks: Sequence[Chunk], page: Page, gap: str = "") -> Iterator[Line | Rows]:
    """Chunks side by side, as many as fit; a matrix too wide for the page in blocks of columns, one below the other.
    With a `gap` between them, as between matrices without signs, rows of the page are set off from each other."""
    def fits(chunks: list[Chunk]) -> bool:
        return band_width(joined(chunks), page) <= page.width

    def joined(chunks: list[Chunk]) -> Chunk:
        return [*chunks[0], *(item for chunk in chunks[1:] for item in (gap, *chunk))]

    for n, row in enumerate(packed(chunks, fits)):
        if n and gap:
            yield ()
        band = joined(row)
        yield from band_lines(band, page, 0 if gap else None) if fits(row) else _in_blocks(band, page)


def _in_blocks(band: list[str | Box], page: Page) -> Iterator[Line | Rows]:
    at = next(n for n, item in enumerate(band) if isinstance(item, Box))
    before, box, after = band[:at], band[at], band[at + 1:]
    assert isinstance(box, Box)
    parts = box.blocks(page.width - band_width(before + after, page) - box.words_width)
    for n, part in enumerate(parts):
        blank = [" " * page.cells(item) if isinstance(item, str) else item for item in before]
        yield from band_lines([*(blank if n else before), part, *(after if n == len(parts) - 1 else [])], page)


def labelled(items: list[str | Box]) -> list[Box]:
    """The matrices before which their rows' words stand: the first of each run that shares them."""
    boxes: list[Box] = []
    for item in items:
        if isinstance(item, Box) and item.grid.row_labels and (
                not boxes or boxes[-1].grid.row_labels != item.grid.row_labels):
            boxes.append(item)
    return boxes


def band_width(items: list[str | Box], page: Page) -> int:
    return (len(INDENT) + sum(page.cells(item) if isinstance(item, str) else item.width for item in items)
            + sum(box.words_width for box in labelled(items)))


def band_lines(items: list[str | Box], page: Page, sign_row: int | None = None) -> Iterator[Line | Rows]:
    """One row of the page: names above, then the rows of the matrices, with the signs beside their middle."""
    boxes = [item for item in items if isinstance(item, Box)]
    if not boxes:
        yield trimmed([INDENT, *(item for item in items if isinstance(item, str))])
        return
    tall = [box.height for box in boxes if box.height > 1]
    if sign_row is None:
        sign_row = (min(tall) - 1) // 2 if tall else 0
    with_words = labelled(items)
    above = 1 + any(box.labels for box in boxes)
    tops = {box: sign_row if box.height == 1 and not box.grid.row_labels else 0 for box in boxes}
    height = max(tops[box] + box.height for box in boxes)
    heads: list[list[Line]] = []
    columns: list[list[Any]] = []  # of texts; of lines' parts, for a row between others' rows
    for item in items:
        if isinstance(item, str):
            blank = " " * page.cells(item)
            heads.append([(blank,)] * above)
            columns.append([blank] * height)
            columns[-1][sign_row] = item
            continue
        if item in with_words:
            blank, first = " " * item.words_width, item is boxes[0]
            heads.insert(0 if first else len(heads), [(blank,)] * above)
            columns.insert(0 if first else len(columns),
                           [*item.words, *[blank] * (height - item.height)])
        top, blank = tops[item], " " * item.width
        lines, rows = item.above(top, -above), item.rows()
        heads.append([lines.get(y, (blank,)) for y in range(-above, 0)])
        if top:
            lines[top] = tuple(chain.from_iterable(rows))
            columns.append([lines.get(y, (blank,)) for y in range(height)])
        else:
            columns += [[*column, *[below] * (height - item.height)]
                        for column, below in zip(rows, (blank, "", ""), strict=True)]
    yield from (Head(trimmed([INDENT, *chain.from_iterable(parts)])) for parts in zip(*heads, strict=True))
    if not any(tops.values()) and all(ends := [*map(str.rstrip, columns[-1])]):
        yield Rows([[INDENT] * height, *columns[:-1], ends])
        return
    for parts in zip(*columns, strict=True):
        yield trimmed([INDENT, *chain.from_iterable([part] if isinstance(part, str) else part for part in parts)])
