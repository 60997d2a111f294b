"""Blocks as GitHub-flavoured Markdown: numbers in tables, formulas in LaTeX, each step with its address."""
from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, groupby
from typing import TextIO

from attntrace import blocks
from attntrace.blocks import Block, Cell, Formula, Grid, RowLine
from attntrace.figures import Figures
from attntrace.prose import in_languages, joined, sentence
from attntrace.tensor import Array
from attntrace.writers import latex
from attntrace.writers.equations import parts_of, size_of
from attntrace.writers.maps import ASCII_FILLS, FILL, FILLS
from attntrace.writers.page import Look, Page, levels_of, part_of, spelling_for
from attntrace.writers.vectors import bars_of, mixture_fits, mixture_of
from attntrace.writers.verdicts import check_text, hidden_text, sign_of

COLUMNS = 16  # of numbers side by side
LINES = 24  # of arithmetic in one block
BETWEEN = " | "  # two cells
MIXTURE = 72  # signs of the longest mixture beside its row
# What Markdown reads as markup gets a backslash. What GitHub looks for once that is done (mentions, issues, emoji,
# links, mathematics), and what would open a list or a heading, stands in an element of its own, where it is nothing.
MARKUP = re.compile(r"(?m)(?P<later>[@#:](?=\S)|\$|(?<=(?i:www))\.|^(?:[-+#]+(?=\s|$)|=+(?=\s*$)|\d+(?=[.)](?:\s|$))))"
                    r"|[\\`*_{}\[\]<>~|&]")


@lru_cache(10_000)  # the words of a sentence stand in every table
def escaped(text: str) -> str:
    """A text that shows itself and does nothing else, wherever it stands."""
    return MARKUP.sub(lambda found: f"<span>{found[0]}</span>" if found["later"] else f"\\{found[0]}", text)


def code(text: str) -> str:
    """A text as code, also where there are backticks in it."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


class MarkdownWriter:
    """Writes blocks as they come, under the title of the page."""

    def __init__(self, out: TextIO, look: Look) -> None:
        self.out = out
        encoding = out.encoding or "utf-8"
        self.page = Page(MIXTURE, spelling_for(encoding, look.ascii), len, encoding)
        self.title = [f"# {code(self.page.word(look.title))}"] if look.title else []

    def __call__(self, blocks: Iterable[Block]) -> None:
        self.out.writelines(f"{line}\n" for line in chain(self.title, lines_of(blocks, self.page)))
        self.title = []
        self.out.flush()

    def close(self) -> None:
        """Nothing stands at its end."""


def lines_of(told: Iterable[Block], page: Page) -> Iterator[str]:
    for kind, alike in groupby(told, key=type):
        if kind is blocks.CellLines:
            yield from all_cell_lines(alike)
        else:
            yield from chain.from_iterable(WRITTEN[kind](block, page) for block in alike)


def words(text: str, page: Page) -> str:
    """Text in a line; several lines of it (in two languages) stay apart."""
    return "<br>".join(escaped(page.word(page.prose(line)).strip()) for line in text.split("\n"))


# ---------------------------------------------------------------- headings and prose

def part_heading(block: blocks.PartHeading, page: Page) -> Iterator[str]:
    yield from ("", f"## {words(joined(': ', (block.name, block.title)), page)}", "", words(block.subtitle, page))


def place_heading(block: blocks.PlaceHeading, page: Page) -> Iterator[str]:
    yield from ("", f"### {words(block.title, page)}")


def stage_heading(block: blocks.StageHeading, page: Page) -> Iterator[str]:
    yield from ("", f"#### {block.number} {words(block.title, page)}", "", code(block.place))
    if block.formulas:
        yield from ("", *latex.block([line for formula in block.formulas for line in latex.equation(formula)]))


def explained(block: blocks.Explained, page: Page) -> Iterator[str]:
    for title, text in (told for topic in block.topics for told in in_languages(*topic)):
        yield from ("", f"**{words(title, page)}**: {words(text, page)}")


def heading(block: blocks.Heading, page: Page) -> Iterator[str]:
    yield from ("", f"### {words(block.text, page)}")


def prose(block: blocks.Prose, page: Page) -> Iterator[str]:
    """Paragraphs, whose lines stay apart; one that begins with a prompt is a command."""
    for paragraph in re.split(r"\n\s*\n", block.text.strip()):
        if paragraph:
            yield from ("", "\\\n".join(code(page.word(line)) if line.startswith("$ ") else words(line, page)
                                        for line in paragraph.split("\n")))


def answer(block: blocks.Answer, page: Page) -> Iterator[str]:
    yield from ("", words(block.text, page))


def checks(block: blocks.Checks, page: Page) -> Iterator[str]:
    yield ""
    for check in block.checks:
        text = words(check_text(check, page), page)
        yield f"- **{text}**" if check.failed else f"- {text}"


def hidden(block: blocks.Hidden, page: Page) -> Iterator[str]:
    yield from ("", words(hidden_text(block), page))


# ---------------------------------------------------------------- tables

def line_of(cells: Iterable[str]) -> str:
    return f"| {BETWEEN.join(cells)} |"


def head_of(headings: Sequence[str], right: Collection[int]) -> Iterator[str]:
    yield from ("", line_of(headings), line_of("--:" if n in right else ":--" for n in range(len(headings))))


def table(block: blocks.Table, page: Page) -> Iterator[str]:
    if block.title:
        yield from ("", f"**{words(block.title, page)}**")
    yield from head_of([words(head, page) for head in block.headings], block.right)
    for first, *rest in block.rows:
        alone = bool(rest) and not any(rest)
        text = code(str(first)) if block.addresses else table_cell(first, page)
        yield line_of([f"**{text}**" if alone else text, *(table_cell(cell, page) for cell in rest)])


def table_cell(cell: Cell, page: Page) -> str:
    return latex.inline(cell) if isinstance(cell, Formula) else words(cell, page)


def verified_head(block: blocks.VerifiedHead, page: Page) -> Iterator[str]:
    yield from head_of(["", *(words(text, page) for text in block)], (1, 2))


def verified(block: blocks.Verified, page: Page) -> Iterator[str]:
    """A line of the table under the last head."""
    what = words(block.what, page) if " " in block.what else code(block.what)
    wrong = f"<br>**{words(block.failed, page)}**" if block.failed else ""
    yield line_of([words(sign_of(page, not block.failed), page), block.number, block.error, what + wrong])


# ---------------------------------------------------------------- numbers

Column = Sequence[str]  # of texts, one a row


def number_tables(captions: Callable[[int, int], list[str]], before: Sequence[Column], heads: Column,
                  numbers: Callable[[slice], Iterable[str]], after: Sequence[Column] = ()) -> Iterator[str]:
    """Rows of cells with `numbers` in tables of so many columns as stand side by side, each under a caption; the words
    `before` them in all (and the equations, the second column of these, in the first), what stands `after` them in the
    last."""
    for start in range(0, len(heads), COLUMNS):
        stop = min(start + COLUMNS, len(heads))
        left = before[:1] if start else before
        right = after if stop == len(heads) else ()
        yield from ("", ", ".join(captions(start, stop)))
        yield from head_of([*[""] * len(left), *heads[start:stop], *[""] * len(right)],
                           range(len(left), len(left) + stop - start))
        yield from map(line_of, zip(*left, numbers(slice(start, stop)), *right, strict=True))


def heads_of(labels: Sequence[str] | None, count: int, page: Page) -> list[str]:
    return [words(label, page) for label in labels] if labels else [str(n + 1) for n in range(count)]


def rows_in(values: Array, figures: Figures) -> Callable[[slice], Iterable[str]]:
    return lambda part: (BETWEEN.join(text.split()) for text in figures.rows(values[:, part]))


def grid(block: Grid, page: Page, *more: str) -> Iterator[str]:
    rows, columns = block.values.shape
    address = [code(block.address)] if block.address else []

    def captions(start: int, stop: int) -> list[str]:
        name = f"$`{latex.PAGE.name(block)}`$ {page.prose(size_of(block))}".rstrip()
        return [name, *(words(part, page) for part in parts_of(block, start, stop)), *address, *more]

    labels = [""] if block.one_row else heads_of(block.row_labels, rows, page)
    yield from number_tables(captions, [labels], heads_of(block.column_labels, columns, page),
                             rows_in(block.values, block.figures))


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


def vector_rows(block: blocks.VectorRows, page: Page) -> Iterator[str]:
    tokens = [words(token, page) for token in block.tokens]
    for line in block.lines:
        yield from row_line(line, tokens, page)


def row_line(line: RowLine, tokens: list[str], page: Page) -> Iterator[str]:
    values = line.values if line.values.ndim > 1 else line.values[:, None]
    columns = values.shape[1]

    def captions(start: int, stop: int) -> list[str]:
        return [code(line.address), *(words(part, page) for part in part_of("columns", start, stop,
                                                                            columns + line.more))]

    after: list[Column] = []
    if line.weights and columns <= COLUMNS:
        after.append([bars_of(line, n, page) for n in range(len(tokens))])
    if line.shares is not None and mixture_fits(line, page, MIXTURE):
        after.append([words(mixture_of(line, n, page), page) for n in range(len(tokens))])
    heads = heads_of(line.labels, columns, page) if line.values.ndim > 1 else [""]
    yield from number_tables(captions, [tokens, list(map(latex.inline, line.formulas))], heads,
                             rows_in(values, line.figures), after)


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
    more = sentence("messages.why_above_alone") if block.cell is None else ", ".join(block.words)
    yield from ("", f"**{block.level}** {code(block.place)} {words(more, page)}".rstrip())
    if block.cell is not None:
        yield from ("", *latex.block(latex.arithmetic(block.cell)))
    for key, places in block.operands:
        yield from ("", words(sentence(f"messages.why_{key}", places=", ".join(places)), page))


def maps(block: blocks.Maps, page: Page) -> Iterator[str]:
    """Each head as a table whose numbers stand behind what is filled the more the larger they are."""
    yield from ("", f"### {words(block.title, page)}", "", code(block.place), "",
                words(sentence("messages.largest_weight", weight=f"{block.largest:.3f}"), page))
    fills = ASCII_FILLS if page.ascii else FILLS
    for head in block.heads:
        levels = levels_of(head.values / (block.largest or 1)).tolist()
        cells = [[f"{FILL * fills[level]} {number}".strip() for level, number in zip(row, text.split(), strict=True)]
                 for row, text in zip(levels, head.figures.rows(head.values), strict=True)]
        yield from map_tables(head, cells, page)


def map_tables(head: Grid, cells: list[list[str]], page: Page) -> Iterator[str]:
    def captions(start: int, stop: int) -> list[str]:
        title = sentence("messages.map_head", number=head.symbol.head)
        return [words(text, page) for text in (title, *parts_of(head, start, stop))] + [code(head.address)]

    yield from number_tables(captions, [heads_of(head.row_labels, len(cells), page)],
                             heads_of(head.column_labels, len(cells[0]), page),
                             lambda part: [BETWEEN.join(row[part]) for row in cells])


WRITTEN: dict[type, Callable[..., Iterator[str]]] = {
    blocks.PartHeading: part_heading, blocks.PlaceHeading: place_heading, blocks.StageHeading: stage_heading,
    blocks.Explained: explained, blocks.Heading: heading, blocks.Prose: prose, blocks.Answer: answer,
    blocks.Table: table, blocks.ParameterGrids: parameter_grids, blocks.VectorRows: vector_rows, blocks.Shares: shares,
    blocks.Cause: cause, blocks.MatrixEquation: matrix_equation, blocks.Maps: maps,
    blocks.Checks: checks, blocks.VerifiedHead: verified_head, blocks.Verified: verified, blocks.Hidden: hidden}
