"""How a step is laid out for a screen: as an equation of whole matrices where that fits, with the result beside them or
below; else with its operands cut down to the numbers that count; else as the result alone, in as many sheets of rows
and columns as it needs."""
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from attntrace.pages.why import CellOf
from attntrace.player.course import Board, Course, Matrix, Place
from attntrace.tensor.expression import Ref, Sum, value_of
from attntrace.tensor.printer import PRINTERS
from attntrace.tensor.tensor import Tensor
from attntrace.writers.arithmetic import CellText, cell_text
from attntrace.writers.page import Page, equal_parts
from attntrace.writers.text.equations import beside_matrix, size_of
from attntrace.writers.text.sums import sum_lines

HEAD, FOOT = 3, 3  # lines above and below a sheet: heading, strip, rule; two of messages, keys
FEWEST_LINES = 3  # of the arithmetic of a number
LONGEST = 4_000  # signs of an arithmetic of which more than its beginning is laid out
ABOVE = 2  # lines above the rows of a matrix: its name, the words
INDENT, GAP = 2, "   "


class Cut(NamedTuple):
    """A matrix, and the rows and columns of it that are drawn."""
    matrix: Matrix
    rows: Sequence[int]
    columns: Sequence[int]


Band = list[str | Cut]


class Sheet(NamedTuple):
    """What of a step is on the screen: the pieces of the equation, in rows; the parts of rows and of columns of the
    result, and which of each; how many lines the arithmetic has."""
    bands: list[Band]
    rows: list[slice]
    columns: list[slice]
    row: int
    column: int
    room: int

    @property
    def total(self) -> int:
        return len(self.rows) * len(self.columns)

    @property
    def number(self) -> int:
        """Of this one, from 0."""
        return self.row * len(self.columns) + self.column


@lru_cache(256)
def column_words(matrix: Matrix, page: Page) -> list[str]:
    labels = matrix.grid.column_labels or [str(n + 1) for n in range(matrix.columns)]
    return [page.label(label) for label in labels] if matrix.columns > 1 or matrix.grid.column_labels else [""]


def row_words(matrix: Matrix, page: Page) -> list[str]:
    labels = matrix.grid.row_labels or [str(n + 1) for n in range(matrix.rows)]
    return [page.label(label) for label in labels] if matrix.rows > 1 or matrix.grid.row_labels else [""]


@lru_cache(256)
def widths(matrix: Matrix, page: Page) -> list[int]:
    """Of its columns: a number, or the word above it."""
    return [max(page.cells(word), matrix.grid.figures.width, 1) for word in column_words(matrix, page)]


def words_width(matrix: Matrix, page: Page) -> int:
    """Of the words before its rows, with a blank behind them."""
    widest = max(map(page.cells, row_words(matrix, page)))
    return widest + 1 if widest else 0


def title_of(matrix: Matrix, page: Page) -> str:
    return page.prose(f"{page.name(matrix.grid)} {size_of(matrix.grid)}".rstrip())


def width_of(cut: Cut, page: Page) -> int:
    """Of a drawn matrix with its words, brackets, a gap beside every number, and its factor."""
    own = widths(cut.matrix, page)
    numbers = sum(own[x] for x in cut.columns) + len(cut.columns) + 3 + page.cells(page.factor(cut.matrix.grid.figures))
    return words_width(cut.matrix, page) + max(numbers, page.cells(title_of(cut.matrix, page)))


def whole(matrix: Matrix) -> Cut:
    return Cut(matrix, range(matrix.rows), range(matrix.columns))


@lru_cache(64)
def read_by(course: Course, place: Place) -> set[CellOf]:
    return {(leaf.tensor, leaf.index) for leaf in course.leaves(place)}


def layouts(course: Course, place: Place, page: Page) -> Iterator[list[Band]]:
    """Ways to draw the whole result with its operands, the best first."""
    board, read = course.board(place.address), read_by(course, place)
    if not board.operands:  # looked up: in tables of which the formula has only the name
        tables = [table for table in course.tables(place) if lit(table, read)]
        for cuts in ([whole(table) for table in tables],
                     [Cut(table, rows_of(table, read), range(table.columns)) for table in tables]):
            if cuts:
                yield [beside_each_other(cuts), [whole(board)]]
        return
    every = {tensor: whole(matrix) for tensor, matrix in board.operands.items()}
    some = cut_down(board, read)
    for drawn in filter(None, (every, some)):
        items = equation(board, drawn, page)
        yield [items]
        yield [items[:-2], ["= ", items[-1]]]
    for drawn in filter(None, (every, some)):  # of a long equation, which stands above them
        yield [beside_each_other([*drawn.values()]), [whole(board)]]
        yield [*map(beside_each_other, zip(drawn.values())), [whole(board)]]


def cut_down(board: Board, read: set[CellOf]) -> dict[Tensor, Cut]:
    """The rows and columns of the operands in which numbers are read."""
    return {tensor: Cut(matrix, rows_of(matrix, read), sorted({x for _, x in lit(matrix, read)}))
            for tensor, matrix in board.operands.items() if lit(matrix, read)}


def beside_each_other(cuts: Iterable[Cut]) -> Band:
    return [item for cut in cuts for item in (GAP, cut)][1:]


def lit(matrix: Matrix, read: set[CellOf]) -> list[tuple[int, int]]:
    """The numbers of a matrix that are read, by row and column."""
    return [at for at, source in matrix.sources.items() if source in read]


def rows_of(matrix: Matrix, read: set[CellOf]) -> list[int]:
    return sorted({y for y, _ in lit(matrix, read)})


def band_width(band: Band, page: Page) -> int:
    return sum(page.cells(item) if isinstance(item, str) else width_of(item, page) for item in band)


def height_of(band: Band) -> int:
    return ABOVE + max((len(item.rows) for item in band if isinstance(item, Cut)), default=0)


def equation(board: Board, cuts: dict[Tensor, Cut], page: Page) -> Band:
    """The formula and the result, with matrices in place of symbols where they are drawn."""
    head = board.formula.head
    printer = PRINTERS[page.spelling](head, drawn=cuts)
    pieces = [*printer.pieces(board.formula.right), printer.operators["="], whole(board)]
    items: Band = [piece if isinstance(piece, str | Cut) else cuts[piece.tensor] for piece in pieces]
    beside = [False, *(isinstance(a, Cut) or isinstance(b, Cut) for a, b in pairwise([*items, ""]))]
    return [beside_matrix(item, page) if isinstance(item, str) and (beside[n] or beside[n + 1]) else item
            for n, item in enumerate(items)]


@lru_cache(64)
def sheet_of(course: Course, place: Place, page: Page, height: int) -> Sheet:
    """The sheet of a step on which a number stands, on a screen of so many lines and of the page's width."""
    board, body = course.board(place.address), height - HEAD - FOOT
    ends = Place(place.address, 0, 0), Place(place.address, board.rows - 1, board.columns - 1)
    fewest, most = FEWEST_LINES if board.operands else 1, max(FEWEST_LINES, body // 3 + 1)
    room = most if course.is_long(ends[0]) else max(fewest, min(
        max(len(cell_lines(course, end, page, None)) for end in ends), most))
    most = max(body - room - 2, 3)  # lines of matrices: below the equation, above an empty line
    for bands in layouts(course, place, page):
        if sum(map(height_of, bands)) <= most and all(band_width(band, page) + INDENT <= page.width for band in bands):
            return Sheet(bands, [slice(0, board.rows)], [slice(0, board.columns)], 0, 0, room)
    columns = columns_of(board, page)
    read = read_by(course, place)
    tables = [] if board.operands else [
        table for table in course.tables(place) if lit(table, read) and table.columns == board.columns]
    rows = equal_parts([1] * board.rows, most - ABOVE - (ABOVE + 1) * len(tables), gap=0)
    row = next(n for n, part in enumerate(rows) if place.row < part.stop)
    column = next(n for n, part in enumerate(columns) if place.column < part.stop)
    drawn = Cut(board, range(rows[row].start, rows[row].stop), range(columns[column].start, columns[column].stop))
    operands = beside_each_other(cut_down(board, read).values())
    above: list[Band] = [[Cut(table, rows_of(table, read)[:1], drawn.columns)] for table in tables]
    above += [operands] if operands else []
    fits = sum(map(height_of, above)) + height_of([drawn]) <= most and all(
        band_width(band, page) + INDENT <= page.width for band in above)
    return Sheet([*(above if fits else []), [drawn]], rows, columns, row, column, room)


@lru_cache(64)
def columns_of(board: Board, page: Page) -> list[slice]:
    """The columns of a result in parts that have room."""
    factor = page.cells(page.factor(board.grid.figures))
    return equal_parts(widths(board, page), page.width - INDENT - words_width(board, page) - 4 - factor)


@lru_cache(1024)  # of a vocabulary's softmax it takes as long as a key may
def text_of(course: Course, place: Place, page: Page) -> CellText:
    """The arithmetic of a number as text, as `why` prints it."""
    return cell_text(course.line(place), page.spelling)


@lru_cache(64)
def number_lines(numbers: str, page: Page) -> list[str]:
    return [f"{'  ' if n else '= '}{line}" for n, line in enumerate(
        sum_lines(numbers[:LONGEST], page, page.width - INDENT - 2))]


def cell_lines(course: Course, place: Place, page: Page, result: str | None) -> list[str]:
    """The arithmetic of a number in lines, and its result, or `?` (None): which stands nowhere in them."""
    text = text_of(course, place, page)
    end = "= ?" if result is None else result
    whole_text = f"{' = '.join(text.parts)} {end}"
    if page.cells(whole_text) <= page.width - INDENT:
        return [whole_text]
    left, *symbols = text.parts[:2]
    lines = broken([left, *(f"= {one}" for one in symbols)], page)
    for numbers in text.parts[2:]:
        lines += number_lines(numbers, page)
    if page.cells(lines[-1]) + 1 + page.cells(end) <= page.width - INDENT:
        return [*lines[:-1], f"{lines[-1]} {end}"]
    return [*lines, end]


def broken(parts: list[str], page: Page) -> list[str]:
    """Parts of an equation in lines: broken between them, where one is too long at its blanks as well."""
    room = page.width - INDENT
    return page.wrapped([word for part in parts for word in (part.split() if page.cells(part) > room else [part])],
                        INDENT)


class TermShare(NamedTuple):
    """A term of a number: as it is written, its value, its part of the sum of all magnitudes, and its operands."""
    text: str
    value: float
    share: float
    operands: tuple[Ref, ...]


@lru_cache(64)
def terms_of(course: Course, place: Place, page: Page) -> list[TermShare]:
    """The terms of the sum with most terms in the arithmetic of a number; the whole arithmetic if it has no sum."""
    line = course.line(place)
    nodes = [node for node in line.arithmetic.nodes() if isinstance(node, Sum)]
    terms = max(nodes, key=lambda node: len(node.parts)).parts if nodes else (line.arithmetic,)
    values = [value_of(term) for term in terms]
    total = sum(map(abs, values))
    shares = [float(math.isinf(value)) if math.isinf(total) else abs(value) / (total or 1) for value in values]

    def write(ref: Ref) -> str:
        return line.figures_of[ref.tensor].text(float(ref.tensor.value[ref.index]))

    printer = PRINTERS[page.spelling]
    return [TermShare(printer(write=write).text(term), value, share, tuple(term.leaves()))
            for term, value, share in zip(terms, values, shares, strict=True)]
