"""Numbers in tables: the vectors of tokens; matrices and attention maps, each under its name and its address."""
from collections.abc import Callable, Iterator, Sequence

from attntrace.pages.blocks import Grid, RowLine
from attntrace.pages.numbers import Figures
from attntrace.tensor.tensor import Array
from attntrace.writers.markdown.text import LATEX, MarkdownPage, head_of, inline, line_of
from attntrace.writers.page import COLUMNS, column_blocks, levels_of, part_of, title_of_head
from attntrace.writers.text.equations import parts_of, size_of
from attntrace.writers.text.maps import ASCII_FILLS, FILL, FILLS
from attntrace.writers.text.vectors import bars_of, columns_of, mixture_fits, mixture_of

Column = Sequence[str]  # of texts, one a row


def number_tables(captions: Callable[[slice], list[str]], before: Sequence[Column], heads: Column,
                  rows: Sequence[Sequence[str]], after: Sequence[Column] = ()) -> Iterator[str]:
    """Rows of numbers in tables of so many columns as stand side by side, each under its captions, if any;
    the words `before` them in all (and the equations, the second column of these, in the first), what stands `after`
    them in the last. A row without numbers in a table is not in it."""
    for part in column_blocks(len(heads)):
        left = before[:1] if part.start else before
        right = after if part.stop == len(heads) else ()
        if above := captions(part):
            yield from ("", ", ".join(above))
        yield from head_of([*[""] * len(left), *heads[part], *[""] * len(right)],
                           range(len(left), len(left) + part.stop - part.start))
        for n, row in enumerate(rows):
            if any(row[part]):
                yield line_of([*(column[n] for column in left), *row[part], *(column[n] for column in right)])


def heads_of(labels: Sequence[str] | None, count: int, page: MarkdownPage) -> list[str]:
    return [page.words(label) for label in labels] if labels else [str(n + 1) for n in range(count)]


def rows_of(values: Array, figures: Figures) -> list[list[str]]:
    """The cells of each row."""
    return [text.split() for text in figures.rows(values)]


def grid(block: Grid, page: MarkdownPage, *more: str) -> Iterator[str]:
    name = f"$`{LATEX.name(block)}`$ {page.prose(size_of(block))}".rstrip()
    return grid_tables(block, page, name, rows_of(block.values, block.figures), *more)


def filled_grid(head: Grid, largest: float, page: MarkdownPage) -> Iterator[str]:
    """A head of a map, whose numbers stand behind what is filled the more the larger they are."""
    fills = ASCII_FILLS if page.ascii else FILLS
    levels = levels_of(head.values / (largest or 1)).tolist()
    cells = [[f"{FILL * fills[level]} {number}".strip() for level, number in zip(row, numbers, strict=True)]
             for row, numbers in zip(levels, rows_of(head.values, head.figures), strict=True)]
    return grid_tables(head, page, page.words(title_of_head(head)), cells)


def grid_tables(block: Grid, page: MarkdownPage, title: str, cells: list[list[str]], *more: str) -> Iterator[str]:
    rows, columns = block.values.shape
    address = [page.code(block.address)] if block.address else []
    labels = [""] if block.one_row else heads_of(block.row_labels, rows, page)

    def captions(part: slice) -> list[str]:
        return [title, *(page.words(text) for text in parts_of(block, part.start, part.stop)), *address, *more]

    return number_tables(captions, [labels], heads_of(block.column_labels, columns, page), cells)


def stand_together(lines: list[RowLine]) -> bool:
    """Whether they have the same words, and are as long as each other but for single numbers."""
    lengths = {line.values.shape[1:] for line in lines} - {()}
    return len(lengths) <= 1 and len({line.labels for line in lines}) == 1


class LinesTogether:
    """Lines that stand together: their numbers, written at once, and what stands above and behind these."""

    def __init__(self, lines: list[RowLine], page: MarkdownPage) -> None:
        self.page = page
        longest = max(lines, key=columns_of)
        columns = columns_of(longest)
        self.heads = heads_of(longest.labels, columns, page) if longest.values.ndim > 1 else [""]
        self.whole = columns + longest.more
        self.numbers = {id(line): cells_of(line, columns) for line in lines}
        self.bars = columns <= COLUMNS and any(line.weights for line in lines)
        self.mixtures = {id(line) for line in lines
                         if line.shares is not None and mixture_fits(line, page, page.width)}

    def table(self, rows: list[tuple[RowLine, int]], names: Column, *above: str) -> Iterator[str]:
        """Rows of some tokens, each with its name."""
        page = self.page

        def captions(part: slice) -> list[str]:
            return [*above, *(page.words(text) for text in part_of("columns", part.start, part.stop, self.whole))]

        after: list[Column] = []
        if self.bars:
            after.append([bars_of(line, n, page) if line.weights else "" for line, n in rows])
        if self.mixtures:
            after.append([page.words(mixture_of(line, n, page)) if id(line) in self.mixtures else ""
                          for line, n in rows])
        equations = [inline(line.formulas[n]) for line, n in rows]
        return number_tables(captions, [names, equations], self.heads,
                             [self.numbers[id(line)][n] for line, n in rows], after)


def cells_of(line: RowLine, columns: int) -> list[list[str]]:
    """The cells of a line for each token; behind a single number, the rest is empty."""
    if line.values.ndim > 1:
        return rows_of(line.values, line.figures)
    return [[text, *[""] * (columns - 1)] for text, in rows_of(line.values[:, None], line.figures)]
