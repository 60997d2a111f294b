"""The vector form, token after token; and the arithmetic of single numbers."""

from collections.abc import Iterable, Iterator

from attntrace.messages.catalog import Message
from attntrace.pages import blocks
from attntrace.pages.blocks import Block, RowLine
from attntrace.writers.markdown import latex
from attntrace.writers.markdown.numbers import Column, heads_of, number_tables, rows_of
from attntrace.writers.markdown.text import BETWEEN, code, code_cell, words
from attntrace.writers.page import Page, column_blocks, part_of
from attntrace.writers.text.vectors import bars_of, columns_of, mixture_fits, mixture_of

LINES = 24  # of arithmetic in one block
MIXTURE = 72  # signs of the longest mixture beside its row


def vector_rows(block: blocks.VectorRows, place: str, page: Page) -> Iterator[str]:
    """Each token with its vectors, named as in the `place` of their stage; all tokens in one table, where there is but
    one vector of each."""
    tokens = [words(token, page) for token in block.tokens]
    if len(block.lines) == 1:
        line, = block.lines
        every = [(line, n) for n in range(len(tokens))]
        yield from LinesTogether([line], page).table(every, tokens, code(line.address, page))
        return
    groups: list[list[RowLine]] = []
    for line in block.lines:
        if not groups or not stand_together([*groups[-1], line]):
            groups.append([])
        groups[-1].append(line)
    tables = [(LinesTogether(lines, page), lines, [code_cell(name_in(place, line.address), page) for line in lines])
              for lines in groups]
    for n, token in enumerate(tokens):
        if token:
            yield from ("", f"**{token}**")
        for table, lines, names in tables:
            yield from table.table([(line, n) for line in lines], names)


def stand_together(lines: list[RowLine]) -> bool:
    """Whether they have the same words, and are as long as each other but for single numbers."""
    lengths = {line.values.shape[1:] for line in lines} - {()}
    return len(lengths) <= 1 and len({line.labels for line in lines}) == 1


def name_in(place: str, address: str) -> str:
    """`.scores`; the whole address of what is elsewhere."""
    return address.removeprefix(place) if address.startswith(f"{place}.") else address


class LinesTogether:
    """Lines that stand together: their numbers, written at once, and what stands above and behind these."""

    def __init__(self, lines: list[RowLine], page: Page) -> None:
        self.page = page
        longest = max(lines, key=columns_of)
        columns = columns_of(longest)
        parts = list(column_blocks(columns))
        self.heads = heads_of(longest.labels, columns, page) if longest.values.ndim > 1 else [""]
        self.whole = columns + longest.more
        self.numbers = {(id(line), part.start): cells_of(line, part) for line in lines for part in parts}
        self.bars = len(parts) == 1 and any(line.weights for line in lines)
        self.mixtures = {id(line) for line in lines if line.shares is not None and mixture_fits(line, page, MIXTURE)}

    def table(self, rows: list[tuple[RowLine, int]], names: Column, *above: str) -> Iterator[str]:
        """Rows of some tokens, each with its name."""
        page = self.page

        def captions(part: slice) -> list[str]:
            return [*above, *(words(text, page) for text in part_of("columns", part.start, part.stop, self.whole))]

        after: list[Column] = []
        if self.bars:
            after.append([bars_of(line, n, page) if line.weights else "" for line, n in rows])
        if self.mixtures:
            after.append([words(mixture_of(line, n, page), page) if id(line) in self.mixtures else ""
                          for line, n in rows])
        equations = [latex.inline(line.formulas[n]) for line, n in rows]
        yield from number_tables(captions, [names, equations], self.heads,
                                 lambda part: (self.numbers[id(line), part.start][n] for line, n in rows), after)


def cells_of(line: RowLine, part: slice) -> list[str]:
    """A row's numbers in a part of the columns, for each token: a single number stands in the first, before a rest that
    is empty."""
    if line.values.ndim > 1:
        return list(rows_of(line.values[:, part], line.figures))
    rest = BETWEEN * (part.stop - part.start - 1)
    return ["" if part.start else text + rest for text in rows_of(line.values[:, None], line.figures)]


def all_cell_lines(alike: Iterable[Block]) -> Iterator[str]:
    """The arithmetic of a stage in one block, or in several of so many lines."""
    lines: list[str] = []
    for cell in (cell for block in alike if isinstance(block, blocks.CellLines) for cell in block.cells):
        if lines and len(lines) >= LINES:
            yield from ("", *latex.block(lines))
            lines = []
        lines += latex.arithmetic(cell)
    yield from ("", *latex.block(lines))


def cause(block: blocks.Cause, page: Page) -> Iterator[str]:
    """A number in the tree of a number: how deep it lies, its place, its arithmetic, where that ends."""
    more = Message("messages.why_above_alone") if block.cell is None else ", ".join(block.words)
    yield from ("", f"**{block.level}** {code(block.place, page)} {words(more, page)}".rstrip())
    if block.cell is not None:
        yield from ("", *latex.block(latex.arithmetic(block.cell)))
    for key, places in block.operands:
        yield from ("", words(Message(f"messages.why_{key}", places=", ".join(places)), page))
