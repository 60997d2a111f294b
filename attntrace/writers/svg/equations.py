"""Equations, matrices and vectors as vector graphics."""
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from attntrace.messages.catalog import Message, Text, in_a_line
from attntrace.messages.unicode import shown
from attntrace.pages import blocks
from attntrace.pages.blocks import Block, Hues
from attntrace.pages.numbers import Figures
from attntrace.tensor.printer import Operator, Printer
from attntrace.tensor.symbol import Spelling
from attntrace.tensor.tensor import Array, Tensor
from attntrace.writers.arithmetic import cell_text
from attntrace.writers.page import Page, equal_parts, levels_of, packed
from attntrace.writers.svg.markup import GREY, HUES, INK, INKS, NOTE, SHADES, TEXT, escaped, text, width_of
from attntrace.writers.text.equations import parts_of, size_of

ROW = 22  # height of a row of numbers
BETWEEN, APART = 9, 14  # two columns, two lines
ARM = 5  # of a bracket
WIDEST, INDENT = 1200, 24  # of an equation that is not broken; of the lines behind the first of one that is
LOW = re.compile(r"_([^\W_]+(?:,[^\W_]+)*)")


class Item(NamedTuple):
    """Something in a line: how wide it is, how far above and below the middle of the line it goes; its markup, whose
    origin is at its left, in the middle."""
    width: float
    up: float
    down: float
    markup: str


def math_text(words: str, x: float = 0, y: float = 0, anchor: str = "start", fill: str = INK) -> str:
    """A formula, with what stands behind a low line as a subscript; y: the middle of its line."""
    first, *rest = map(escaped, LOW.split(words))
    written = first + "".join(f'<tspan font-size="{NOTE - 3}" dy="4">{low}</tspan><tspan dy="-4">{behind}</tspan>'
                              for low, behind in zip(rest[::2], rest[1::2], strict=True))
    return (f'<text x="{x:.1f}" y="{y + 0.35 * TEXT:.1f}" font-size="{TEXT}" text-anchor="{anchor}" fill="{fill}">'
            f"{written}</text>\n")


def words_item(words: str) -> Item:
    return Item(width_of(words) + 4, ROW / 2, ROW / 2, math_text(words, 2))


def arithmetic(words: str) -> Iterator[list[Item]]:
    """The arithmetic of a number, broken before its signs where it is too wide."""
    for n, some in enumerate(packed(re.split(r" (?=[+=≈] )", words),
                                    lambda some: width_of(" ".join(some)) <= WIDEST - INDENT)):
        line = words_item(" ".join(some))
        yield [Item(INDENT, 0, 0, ""), line] if n else [line]


def colour(hues: Hues, n: int, otherwise: str = GREY) -> str:
    """Of the n-th word."""
    hue = hues[n] if n < len(hues) else None
    return otherwise if hue is None else HUES[hue]


class Numbers(NamedTuple):
    """Rows of numbers, the words before and above them, whether each row has brackets of its own, and what stands
    behind them and below."""
    figures: Figures
    values: Array
    before: Sequence[str] = ()
    above: Sequence[str] = ()
    before_hues: Hues = ()
    above_hues: Hues = ()
    one_each: bool = False
    shaded: bool = False
    behind: str = ""
    below: str = ""
    address: str = ""

    def item(self) -> Item:
        """Blocks of columns below each other, where they are too wide."""
        rows = [line.split() for line in self.figures.rows(self.values)]
        above = list(map(shown, self.above))
        widths = [max(map(width_of, [*column, *above[n:n + 1]])) + BETWEEN
                  for n, column in enumerate(zip(*rows, strict=True))]
        parts = equal_parts(list(map(round, widths)), WIDEST, 0)
        if len(parts) > 1 and not above:
            above = [str(n + 1) for n in range(len(widths))]
        blocks = [self.block([row[part] for row in rows], above[part], widths[part], part) for part in parts]
        height = sum(block.up + block.down for block in blocks) + APART * (len(blocks) - 1)
        up = blocks[0].up if len(blocks) == 1 else height / 2
        y, markup = -up, ""
        for block in blocks:
            markup += f'<g transform="translate(0 {y + block.up:.1f})">\n{block.markup}</g>\n'
            y += block.up + block.down + APART
        name = f' data-address="{escaped(self.address)}"' if self.address else ""
        return Item(max(block.width for block in blocks), up, height - up,
                    f"<g{name}>\n{markup if blocks[1:] else blocks[0].markup}</g>\n")

    def block(self, rows: list[list[str]], above: list[str], columns: list[float], part: slice) -> Item:
        before = list(map(shown, self.before))
        left = max(map(width_of, before), default=0) + (BETWEEN if before else 0) + ARM
        right, top = left + sum(columns) + BETWEEN, -ROW * len(rows) / 2
        ends = [left + sum(columns[:n + 1]) for n in range(len(columns))]
        markup = [text(word, end, top - 5, text_anchor="end", fill=colour(self.above_hues, n))
                  for n, (word, end) in enumerate(zip(above, ends, strict=bool(above)), start=part.start)]
        levels = levels_of(self.values[:, part]).tolist() if self.shaded else [[0] * len(columns)] * len(rows)
        for i, (row, level) in enumerate(zip(rows, levels, strict=True)):
            y = top + (i + 0.5) * ROW
            markup += [f'<rect x="{end - width + BETWEEN / 2:.1f}" y="{y - ROW / 2:.1f}" width="{width:.1f}" '
                       f'height="{ROW}" fill="{SHADES[one]}"/>\n'
                       for end, width, one in zip(ends, columns, level, strict=True) if one]
            markup += [f'<text data-cell="{i + 1},{j + 1}" x="{end:.1f}" y="{y + 0.35 * TEXT:.1f}" '
                       f'font-size="{TEXT}" text-anchor="end" fill="{INKS[one]}">{number}</text>\n'
                       for j, (end, number, one) in enumerate(zip(ends, row, level, strict=True), start=part.start)]
            if before and not (self.one_each and part.start):
                markup.append(math_text(before[i], left - BETWEEN - ARM, y, "end", colour(self.before_hues, i, INK)))
            if self.one_each:
                markup.append(bracket(left, right, y - ROW / 2 + 2, ROW - 4))
        if not self.one_each:
            markup.append(bracket(left, right, top, ROW * len(rows)))
        if self.below:
            middle, bottom = (left + right) / 2, NOTE + 2 - top
            markup.append(text(self.below, middle, bottom, NOTE - 2, text_anchor="middle", fill=GREY))
        if self.behind:
            markup.append(math_text(self.behind, right + BETWEEN))
        return Item(right + ARM + (width_of(self.behind) + BETWEEN if self.behind else 0),
                    ROW * bool(above) - top, -top + NOTE * 2 * bool(self.below), "".join(markup))


def bracket(left: float, right: float, top: float, height: float) -> str:
    """A pair of brackets."""
    path = (f"M{left + ARM:.1f} {top:.1f}h-{ARM}v{height:.1f}h{ARM}"
            f"M{right - ARM:.1f} {top:.1f}h{ARM}v{height:.1f}h-{ARM}")
    return f'<path d="{path}" fill="none" stroke="{INK}"/>\n'


class Sheet:
    """Lines one below the other, from (0, 0) to the right and downwards."""

    def __init__(self, lines: Iterable[Sequence[Item]], address: str = "") -> None:
        self.lines, self.address = [line for line in lines if line], address
        self.width = max((sum(item.width for item in line) for line in self.lines), default=0)
        self.height = sum(self.height_of(line) for line in self.lines)

    @staticmethod
    def height_of(line: Sequence[Item]) -> float:
        return max(item.up for item in line) + max(item.down for item in line) + APART

    def parts(self, shades: bool) -> Iterator[str]:
        y = 0.0
        for line in self.lines:
            x, middle = 0.0, y + max(item.up for item in line)
            for item in line:
                yield f'<g transform="translate({x:.1f} {middle:.1f})">\n{item.markup}</g>\n'
                x += item.width
            y += self.height_of(line)


class Equations:
    """Blocks with numbers as sheets, by the method of each kind's name."""

    def __init__(self, languages: tuple[str, ...], shades: bool) -> None:
        self.page = Page(0, Spelling.UNICODE, len, languages=languages, shades=shades)

    def said(self, words: Text) -> str:
        return in_a_line(words, self.page.languages)

    def sheet(self, block: Block) -> Sheet | None:
        """A block that has numbers or is the heading of those; nothing for any other."""
        match block:
            case blocks.StageHeading():
                title = text(f"{block.number} {self.said(block.title)}", 0, 0, TEXT + 3, font_weight="bold")
                place = text(block.place, 0, NOTE + 5, NOTE, fill=GREY)
                return Sheet([[Item(width_of(self.said(block.title), TEXT + 3) + 40, ROW, ROW, title + place)],
                              *([words_item(self.page.formula(formula))] for formula in block.formulas)])
            case blocks.Heading():
                heading = text(self.said(block.text), 0, 0, TEXT + 3, font_weight="bold")
                return Sheet([[Item(width_of(self.said(block.text), TEXT + 3), ROW, 0, heading)]])
            case blocks.Answer():
                return Sheet([[words_item(self.said(block.text))]])
            case blocks.Grids():
                formula = [[words_item(self.page.formula(block.formula))]] if block.formula else []
                return Sheet([*formula, *self.broken([self.named(grid)] for grid in block.grids)])
            case blocks.MatrixEquation():
                return Sheet(self.equation(block), block.result.address)
            case blocks.VectorRows():
                return Sheet(self.vectors(block))
            case blocks.CellLines():
                texts = (cell_text(cell, Spelling.UNICODE).text for cell in block.cells)
                return Sheet(line for words in texts for line in arithmetic(words))
        return None

    def broken(self, chunks: Iterable[list[Item]]) -> Iterator[list[Item]]:
        """Chunks in lines that are no wider than a picture, if they can be."""
        for line in packed(chunks, lambda some: sum(item.width for chunk in some for item in chunk) <= WIDEST):
            yield [item for chunk in line for item in chunk]

    def matrix(self, grid: blocks.Grid) -> Item:
        parts = [size_of(grid), *map(self.said, parts_of(grid, 0, grid.values.shape[1]))]
        return Numbers(grid.figures, grid.values, () if grid.one_row else grid.row_labels or (),
                       grid.column_labels or (), grid.row_hues, grid.column_hues,
                       shaded=grid.weights and self.page.shades, behind=self.page.factor(grid.figures),
                       below=", ".join(parts), address=grid.address).item()

    def named(self, grid: blocks.Grid) -> Item:
        """A matrix behind its name."""
        name, matrix = words_item(f"{self.page.name(grid)} ="), self.matrix(grid)
        moved = f'<g transform="translate({name.width:.1f} 0)">\n{matrix.markup}</g>\n'
        return Item(name.width + matrix.width + APART, matrix.up, matrix.down, name.markup + moved)

    def equation(self, block: blocks.MatrixEquation) -> Iterator[list[Item]]:
        """In symbols; then with the matrices that are new in its stage; the result."""
        yield from self.broken([self.named(grid)] for grid in block.parameters)
        yield [words_item(self.page.formula(block.formula))]
        drawn = block.operands.keys() - block.drawn
        chunks: list[list[Any]] = [["= "]]
        for piece in Printer(block.formula.head, drawn=drawn).pieces(block.formula.right) if drawn else ():
            if isinstance(piece, Operator):
                chunks.append([])
            chunks[-1].append(piece)
        if drawn:
            yield from self.broken(list(self.items(chunk, block.operands)) for chunk in chunks)
        yield [words_item("="), self.matrix(block.result)]

    def items(self, chunk: Iterable[Any], operands: dict[Tensor, blocks.Grid]) -> Iterator[Item]:
        """A part of an equation: the words between the matrices together."""
        for is_words, some in groupby(chunk, lambda piece: isinstance(piece, str)):
            if is_words:
                yield words_item("".join(some))
            else:
                yield from (self.matrix(operands[piece.tensor]) for piece in some)

    def vectors(self, block: blocks.VectorRows) -> Iterator[list[Item]]:
        """Each token, then its vectors, each behind its equation."""
        for n, token in enumerate(block.tokens):
            if token:
                word = text(token, 0, 0.35 * TEXT, font_weight="bold", fill=colour(block.hues, n, INK))
                yield [Item(width_of(token), ROW / 2, ROW / 2, word)]
            for line in block.lines:
                more = [self.said(Message("messages.more", count=line.more))] if line.more else []
                formula = f"{self.page.formula(line.formulas[n])} ="
                yield [Numbers(line.figures, line.values[n].reshape(1, -1), [formula],
                               line.labels or (), above_hues=line.hues if line.labels else (), one_each=True,
                               shaded=line.weights and self.page.shades,
                               behind=" ".join([*more, self.page.factor(line.figures)]).strip(),
                               address=f"{line.address}:{block.numbers[n] + 1}").item()]
