"""Words that do nothing but show themselves, formulas in LaTeX, and numbers in tables: the vectors of tokens; matrices
and attention maps, each under its name and its address."""
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from attntrace.messages.catalog import Text
from attntrace.pages.blocks import Formula, Grid, RowLine
from attntrace.pages.numbers import Figures
from attntrace.tensor.tensor import Array
from attntrace.writers.formulas import LATEX
from attntrace.writers.page import ASCII_MASKED, COLUMNS, MASKED, Page, column_blocks, levels_of, part_of, title_of_head
from attntrace.writers.text.equations import parts_of, size_of
from attntrace.writers.text.maps import ASCII_FILLS, FILL, FILLS
from attntrace.writers.text.vectors import bars_of, columns_of, mixture_of, mixture_width

Column = Sequence[str]  # of texts, one a row
BETWEEN = " | "  # two cells
# What Markdown reads as markup gets a backslash. What GitHub looks for once that is done (mentions, issues, emoji,
# links, mathematics), and what would open a list or a heading, stands in an element of its own, where it is nothing.
MARKUP = re.compile(r"(?m)(?P<later>[@#:](?=\S)|\$|(?<=(?i:www))\.|^(?:[-+#]+(?=\s|$)|=+(?=\s*$)|\d+(?=[.)](?:\s|$))))"
                    r"|[\\`*_{}\[\]<>~|&]")


@lru_cache(10_000)  # the words of a sentence stand in every table
def escaped(text: str) -> str:
    """A text that shows itself and does nothing else, wherever it stands."""
    return MARKUP.sub(lambda match: f"<span>{match[0]}</span>" if match["later"] else f"\\{match[0]}", text)


class MarkdownPage(Page):
    """Texts in the languages of a page, which do nothing but show themselves."""

    def code(self, text: str) -> str:
        """A text as code, also where there are backticks in it."""
        text = self.word(text)
        fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
        return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"

    def words(self, text: Text) -> str:
        """Text in a line; several lines of it (in two languages) stay apart."""
        return "<br>".join(escaped(self.word(line).strip()) for line in self.prose(text).split("\n"))

    def code_cell(self, text: str) -> str:
        """A text as code in a table, where no pipe can stand in code."""
        return self.words(text) if "|" in text else self.code(text)


def line_of(cells: Iterable[str]) -> str:
    return f"| {BETWEEN.join(cells)} |"


def head_of(headings: Sequence[str], right: Collection[int]) -> Iterator[str]:
    yield from ("", line_of(headings), line_of("--:" if n in right else ":--" for n in range(len(headings))))


def inline(formula: Formula) -> str:
    return f"$`{LATEX.formula(formula)}`$"


def math_block(lines: Sequence[str]) -> Iterator[str]:
    """Lines with an `&` each where they are lined up; one line needs no environment."""
    aligned = (r"\begin{aligned}", " \\\\\n".join(lines), r"\end{aligned}")
    yield from ("", "```math", *(aligned if len(lines) > 1 else [lines[0].replace("&", "")]), "```")


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
    masked = page.sign(MASKED, ASCII_MASKED)
    cells = [[f"{FILL * fills[level]} {number}".strip() if level else masked
              for level, number in zip(row, numbers, strict=True)]
             for row, numbers in zip(levels, rows_of(head.values, head.figures), strict=True)]
    return grid_tables(head, page, page.words(title_of_head(head)), cells)


def grid_tables(block: Grid, page: MarkdownPage, title: str, cells: list[list[str]], *more: str) -> Iterator[str]:
    rows, columns = block.values.shape
    address = [page.code(block.address)] if block.address else []
    labels = [""] if block.one_row else heads_of(block.row_labels, rows, page)

    def captions(part: slice) -> list[str]:
        return [*filter(None, (title, page.factor(block.figures).strip())),
                *(page.words(text) for text in parts_of(block, part.start, part.stop)), *address, *more]

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
        self.numbers = {id(line): [  # behind a single number, the rest of its row is empty
            [*row, *[""] * (columns - len(row))]
            for row in rows_of(line.values.reshape(len(line.values), -1), line.figures)] for line in lines}
        self.bars = columns <= COLUMNS and any(line.weights for line in lines)
        self.mixtures = {id(line) for line in lines
                         if mixture_width(line, page, page.width) <= page.width}

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
