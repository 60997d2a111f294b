"""Numbers in tables: matrices, each under its name and its address, and attention maps."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from attntrace.pages import blocks
from attntrace.pages.numbers import Figures
from attntrace.tensor.tensor import Array
from attntrace.writers.markdown import latex
from attntrace.writers.markdown.text import BETWEEN, code, head_of, line_of, words
from attntrace.writers.page import Page, column_blocks, largest_of, levels_of, title_of_head
from attntrace.writers.text.equations import parts_of, size_of
from attntrace.writers.text.maps import ASCII_FILLS, FILL, FILLS

Column = Sequence[str]  # of texts, one a row


def number_tables(captions: Callable[[slice], list[str]], before: Sequence[Column], heads: Column,
                  numbers: Callable[[slice], Iterable[str]], after: Sequence[Column] = ()) -> Iterator[str]:
    """Rows of cells with `numbers` in tables of so many columns as stand side by side, each under its captions, if any;
    the words `before` them in all (and the equations, the second column of these, in the first), what stands `after`
    them in the last. A row without numbers in a table is not in it."""
    for part in column_blocks(len(heads)):
        left = before[:1] if part.start else before
        right = after if part.stop == len(heads) else ()
        if above := captions(part):
            yield from ("", ", ".join(above))
        yield from head_of([*[""] * len(left), *heads[part], *[""] * len(right)],
                           range(len(left), len(left) + part.stop - part.start))
        for cells in zip(*left, numbers(part), *right, strict=True):
            if cells[len(left)]:
                yield line_of(cells)


def heads_of(labels: Sequence[str] | None, count: int, page: Page) -> list[str]:
    return [words(label, page) for label in labels] if labels else [str(n + 1) for n in range(count)]


def rows_of(values: Array, figures: Figures) -> Iterator[str]:
    """The cells of each row."""
    return (BETWEEN.join(text.split()) for text in figures.rows(values))


def grid(block: blocks.Grid, page: Page, *more: str) -> Iterator[str]:
    name = f"$`{latex.PAGE.name(block)}`$ {page.prose(size_of(block))}".rstrip()
    yield from grid_tables(block, page, name, lambda part: rows_of(block.values[:, part], block.figures), *more)


def grid_tables(block: blocks.Grid, page: Page, title: str, cells: Callable[[slice], Iterable[str]],
                *more: str) -> Iterator[str]:
    rows, columns = block.values.shape
    address = [code(block.address, page)] if block.address else []
    labels = [""] if block.one_row else heads_of(block.row_labels, rows, page)

    def captions(part: slice) -> list[str]:
        return [title, *(words(text, page) for text in parts_of(block, part.start, part.stop)), *address, *more]

    yield from number_tables(captions, [labels], heads_of(block.column_labels, columns, page), cells)


def parameter_grids(block: blocks.ParameterGrids, page: Page) -> Iterator[str]:
    for one in block.grids:
        yield from grid(one, page)


def matrix_equation(block: blocks.MatrixEquation, page: Page) -> Iterator[str]:
    yield from ("", *latex.block(latex.equation(block.formula)))
    for one in (*block.parameters, *(one for key, one in block.operands.items() if key not in block.drawn)):
        yield from grid(one, page)
    yield from grid(block.result, page, *[words(" × ".join(block.axes), page)] * bool(block.axes))


def shares(block: blocks.Shares, page: Page) -> Iterator[str]:
    yield from ("", *latex.block(latex.equation(block.formula)))
    for one in (*block.grids, block.result):
        yield from grid(one, page)


def maps(block: blocks.Maps, page: Page) -> Iterator[str]:
    """Each head as a table whose numbers stand behind what is filled the more the larger they are."""
    yield from ("", f"### {words(block.title, page)}", "", code(block.place, page), "",
                words(largest_of(block), page))
    fills = ASCII_FILLS if page.ascii else FILLS
    for head in block.heads:
        levels = levels_of(head.values / (block.largest or 1)).tolist()
        cells = [[f"{FILL * fills[level]} {number}".strip() for level, number in zip(row, text.split(), strict=True)]
                 for row, text in zip(levels, head.figures.rows(head.values), strict=True)]
        yield from grid_tables(head, page, words(title_of_head(head), page),
                               lambda part: [BETWEEN.join(row[part]) for row in cells])
