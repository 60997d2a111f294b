"""The vector form: the rows of a stage, token after token; and the arithmetic of single numbers."""
from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby

from attntrace.messages.catalog import Message
from attntrace.pages.blocks import CellLine, RowLine, VectorRows
from attntrace.tensor.printer import UnicodePrinter
from attntrace.tensor.symbol import Spelling
from attntrace.writers.arithmetic import cell_text, index_text
from attntrace.writers.html.document import PAGE, HtmlPage, columns_heading, hue, words
from attntrace.writers.html.grids import rows_of_cells
from attntrace.writers.html.mathml import expression_math, symbol_math
from attntrace.writers.page import COLUMNS, column_blocks
from attntrace.writers.text.vectors import columns_of, mixed

PHONE, SCREEN = 42, 120  # characters of an equation with its numbers that have room there


class VectorTable:
    """Vectors under the same words, or as long as each other, stand together; longer ones in blocks of columns."""

    def __init__(self, block: VectorRows, page: HtmlPage) -> None:
        self.page, self.numbers = page, block.numbers
        self.lines = block.lines
        self.groups = [list(alike) for _, alike in groupby(
            block.lines, key=lambda line: (line.values.shape[1:], line.labels))]
        self.cells = {(id(line), part.start): cells_of(line, part, page)
                      for line in block.lines for part in column_blocks(columns_of(line))}
        self.columns = max(min(columns_of(line), COLUMNS) + bool(line.more) for line in block.lines)

    @property
    def room(self) -> str:
        """Where there is none for equations: their left sides alone are shown, the heading of the stage has them."""
        longest = max(len(f"{line.formulas[-1].left.spelled()} = {UnicodePrinter().text(line.formulas[-1].right)}")
                      for line in self.lines)
        numbers = max(min(columns_of(line), COLUMNS) * (line.figures.width + 1) for line in self.lines)
        return " broad" if longest + numbers > SCREEN else " tight" if longest + numbers > PHONE else ""

    def of_token(self, n: int) -> Iterator[str]:
        above = None
        for alike in self.groups:
            for part in column_blocks(columns_of(alike[0])):
                heading = self.heading(alike[0], part)
                if above is None:  # beside the word of the token
                    yield heading
                elif heading and heading != above:
                    yield f"\n<tr><td>{heading}"
                above = heading or above or ""
                for line in alike:
                    yield self.row(line, n, part)

    def heading(self, line: RowLine, part: slice) -> str:
        """What stands above some columns: words, or else their numbers."""
        labels = (line.labels[part] if line.labels is not None else
                  tuple(str(n + 1) for n in range(part.start, part.stop)) if line.values.ndim > 1 else ())
        return columns_heading(labels, part.start, line.hued)

    def row(self, line: RowLine, n: int, part: slice) -> str:
        """A part of a row, with its equation before the first, and behind the last what it leaves out or mixes."""
        formula = line.formulas[n]
        anchor = self.page.anchor(line.address) if not n and not part.start else ""
        column = f" data-column={part.start + 1}" if part.start else ""
        equation = symbol_math(formula.left, formula.head)
        if not part.start:
            equation += f"<span> = {expression_math(formula.right, formula.head, formula.row)}</span>"
        end = ""
        if part.stop == columns_of(line):
            if line.more:
                end += f"<td class=more>+{self.page.text(Message('messages.more', count=line.more))}"
            if line.shares is not None:
                end += f"\n<tr class=mixture><td colspan={1 + self.columns}><div>{mixture(line, n)}</div>"
        return (f'\n<tr{anchor} data-address="{words(line.address)}" data-row={self.numbers[n] + 1}{column}>'
                f"<th scope=row>{equation}{self.cells[id(line), part.start][n]}{end}")


def cells_of(line: RowLine, part: slice, page: HtmlPage) -> list[str]:
    values = line.values.reshape(len(line.values), -1)[:, part]
    return rows_of_cells(line.figures, values, values if line.weights and line.hued and page.shades else None)


def mixture(line: RowLine, n: int) -> str:
    """`z₁ = 0.068·v₁ + 0.210·v₂`, each term in the hue of its token."""
    terms = (f"<span class={hue(i)}>{escape(term)}</span>" for i, term in enumerate(mixed(line, n, PAGE)))
    return f"{symbol_math(line.formulas[n].left, line.formulas[n].head)} = {' + '.join(terms)}"


def cell_line(cell: CellLine) -> str:
    """`q₁[1] = x₁ W_Q⁽¹⁾[:,1] = 0.487·(-0.520) + ... = 0.694`"""
    worked = cell_text(cell, Spelling.UNICODE)
    parts = [symbol_math(cell.formula.left, cell.formula.head),
             expression_math(cell.formula.right, cell.formula.head, behind=index_text(cell)),
             escape(worked.numbers)][:len(worked.parts)]
    return f"<p>{' = '.join(parts)} {worked.end}\n"
