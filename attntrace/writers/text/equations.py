"""Matrices side by side, with signs between them, as an equation on a page."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from attntrace.messages.catalog import Message
from attntrace.pages import blocks
from attntrace.tensor.printer import PRINTERS, Printer
from attntrace.tensor.tensor import Tensor, Term
from attntrace.writers.page import (GAP, INDENT, Columns, Head, Line, Page, Span, chunked, equal_parts, hue_at,
                                    labels_line, packed, part_of, styled, trimmed, words_of)

BRACKETS = {"top": ("⎡ ", " ⎤"), "middle": ("⎢ ", " ⎥"), "bottom": ("⎣ ", " ⎦"), "row": ("[ ", " ]")}
CLOSER = "  "  # a gap between matrices that have no room for another
ASCII_BRACKETS = {"row": ("[ ", " ]")}


class Box:
    """A matrix, or a block of its columns, as it is drawn: a name, words above the columns, rows in brackets.

    `words` stand before its rows; measured once for all blocks of a matrix."""

    def __init__(self, grid: blocks.Grid, page: Page, columns: Columns | None = None,
                 words: tuple[list[Line], int] | None = None) -> None:
        self.grid, self.page = grid, page
        self.words, self.words_width = words or _words(grid, page)
        self.columns = columns or Columns.of(slice(0, grid.values.shape[1]))
        self.labels = grid.column_labels or ()
        number = grid.figures.width
        self.widths = ([max(page.cells(page.label(label)), number) for label in self.labels]
                       or [number] * grid.values.shape[1])  # of all columns
        own = self.columns.spaced(self.widths, page.cells(page.dots))
        self.inside = sum(own) + max(len(own) - 1, 0)
        self.factor = page.factor(grid.figures)
        self.body = self.inside + 4 + len(self.factor)
        self.height = grid.values.shape[0]
        title = f"{page.name(grid)} {size_of(grid)}".rstrip()
        self.title = page.prose(GAP.join([title, *map(page.text, parts_of(grid, *self.columns))]))
        self.width = max(self.body, 2 + page.cells(self.title))

    def rows(self) -> list[Line]:
        """Each row of numbers in its brackets."""
        is_shaded = self.grid.weights and self.page.shades
        texts = self.columns.rows(self.grid.figures, self.grid.values, self.widths, self.page, is_shaded)
        sides = [self._brackets("middle")] * self.height
        sides[0], sides[-1] = self._brackets("top"), self._brackets("bottom")
        blank = " " * (self.width - self.inside - 4)
        behind = [blank] * self.height
        behind[(self.height - 1) // 2] = self.factor + blank[len(self.factor):]
        return [(left, text, f"{right}{blank}") if is_shaded else (f"{left}{text}{right}{blank}",)
                for (left, right), text, blank in zip(sides, texts, behind, strict=True)]

    def _brackets(self, place: str) -> tuple[str, str]:
        place = "row" if self.height == 1 else place
        return ASCII_BRACKETS.get(place, ("| ", " |")) if self.page.ascii else BRACKETS[place]

    def lines(self, top: int, highest: int) -> dict[int, Line]:
        """The matrix from the line `top` on, with its words above and its name above those of all, by their height."""
        lines: dict[int, Line] = dict(enumerate(self.rows(), top))
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
        return [Box(self.grid, self.page, part, (self.words, self.words_width)) for part in parts]


def size_of(grid: blocks.Grid) -> str:
    return "×".join(map(str, grid.shape))


def parts_of(grid: blocks.Grid, start: int, stop: int, out: int = 0, back: int = 0) -> list[Message]:
    """`rows 1-4`, `columns 9-16`, where only these are drawn; `columns 1-4, 13-16` without those between."""
    rows, columns = ((1, *grid.shape, 1) if grid.one_row else (*grid.shape, 1))[:2]
    return [*part_of("rows", 0, len(grid.values), rows), *part_of("columns", start, stop, columns, out, back)]


def _words(grid: blocks.Grid, page: Page) -> tuple[list[Line], int]:
    """The words before the rows, and how wide they are."""
    words = [page.label(label) for label in grid.row_labels or ()]
    width = max(map(page.cells, words)) + 1 if words else 0
    return [(Span(page.padded(word, width), hue_at(grid.row_hues, y)),) for y, word in enumerate(words)], width


Chunk = list[str | Box]  # a piece of an equation that is not broken: from one operator to the next


def equation_lines(block: blocks.MatrixEquation, page: Page) -> Iterator[Line]:
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


def parameter_lines(grids: Sequence[blocks.Grid], page: Page) -> Iterator[Line]:
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


def bands(chunks: Sequence[Chunk], page: Page, gap: str = "") -> Iterator[Line]:
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


def _in_blocks(band: list[str | Box], page: Page) -> Iterator[Line]:
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


def band_lines(items: list[str | Box], page: Page, sign_row: int | None = None) -> Iterator[Line]:
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

    def column(lines: dict[int, Line], width: int) -> list[Line]:
        """Lines by their height, as a column of the whole height."""
        blank = (" " * width,)
        return [lines.get(y, blank) for y in range(-above, height)]

    columns: list[list[Line]] = []
    for item in items:
        if isinstance(item, str):
            columns.append(column({sign_row: (item,)}, page.cells(item)))
            continue
        if item in with_words:
            before = 0 if item is boxes[0] else len(columns)
            columns.insert(before, column(dict(enumerate(item.words)), item.words_width))
        columns.append(column(item.lines(tops[item], -above), item.width))
    for y, parts in enumerate(zip(*columns, strict=True), start=-above):
        line = trimmed([INDENT, *chain.from_iterable(parts)])
        yield Head(line) if y < 0 else line
