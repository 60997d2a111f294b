"""Numbers in the cells of tables: the vectors of tokens, matrices; and the arithmetic of single numbers."""
from collections.abc import Iterable, Iterator
from html import escape
from itertools import chain, groupby

from attntrace.messages.catalog import Joined, Message
from attntrace.pages import blocks
from attntrace.pages.numbers import Figures
from attntrace.tensor.printer import Printer
from attntrace.tensor.symbol import Spelling
from attntrace.tensor.tensor import Array, Tensor, Term
from attntrace.writers.arithmetic import cell_text, index_text
from attntrace.writers.html.document import HtmlPage, columns_heading, hue, part_name, whole_name, word_heading, words
from attntrace.writers.html.mathml import OPERATORS, MathPrinter, expression_math, math, symbol_math
from attntrace.writers.page import COLUMNS, LEVELS, chunked, column_blocks, levels_of
from attntrace.writers.text.equations import parts_of, size_of
from attntrace.writers.text.vectors import columns_of, mixed

CELL = "<td>"
PHONE, SCREEN = 42, 120  # characters of an equation with its numbers that have room there
WHOLE = 15  # columns up to which an equation is drawn whole; what was drawn in its stage shrinks in a wider one
SHADED = (CELL, *(f"<td class=w{level}>" for level in range(1, LEVELS)))


def rows_of_cells(figures: Figures, values: Array, weights: Array | None = None) -> list[str]:
    """The cells of each row; shaded by `weights` from 0 to 1, where there are any."""
    behind_zero = "0" + " " * figures.after  # so that an exact 0 stands before the decimal point
    texts = [[behind_zero if cell == "0" else cell for cell in text.split()] for text in figures.rows(values)]
    if weights is None:
        return [CELL + CELL.join(cells) for cells in texts]
    return ["".join([SHADED[level] + cell for level, cell in zip(levels, cells, strict=True)])
            for levels, cells in zip(levels_of(weights).tolist(), texts, strict=True)]


class VectorTable:
    """Vectors under the same words, or as long as each other, stand together; longer ones in blocks of columns."""

    def __init__(self, block: blocks.VectorRows, page: HtmlPage) -> None:
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
        longest = max(len(f"{line.formulas[-1].left.spelled()} = {Printer().text(line.formulas[-1].right)}")
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

    def heading(self, line: blocks.RowLine, part: slice) -> str:
        """What stands above some columns: words, or else their numbers."""
        labels = (line.labels[part] if line.labels is not None else
                  tuple(str(n + 1) for n in range(part.start, part.stop)) if line.values.ndim > 1 else ())
        return columns_heading(labels, part.start, line.hued)

    def row(self, line: blocks.RowLine, n: int, part: slice) -> str:
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
                end += f"\n<tr class=mixture><td colspan={1 + self.columns}><div>{self.mixture(line, n)}</div>"
        return (f'\n<tr{anchor} data-address="{words(line.address)}" data-row={self.numbers[n] + 1}{column}>'
                f"<th scope=row>{equation}{self.cells[id(line), part.start][n]}{end}")

    def mixture(self, line: blocks.RowLine, n: int) -> str:
        """`z₁ = 0.068·v₁ + 0.210·v₂`, each term in the hue of its token."""
        terms = (f"<span class={hue(i)}>{escape(term)}</span>" for i, term in enumerate(mixed(line, n, self.page)))
        return f"{symbol_math(line.formulas[n].left, line.formulas[n].head)} = {' + '.join(terms)}"


def cells_of(line: blocks.RowLine, part: slice, page: HtmlPage) -> list[str]:
    values = line.values.reshape(len(line.values), -1)[:, part]
    return rows_of_cells(line.figures, values, values if line.weights and line.hued and page.shades else None)


def equation(block: blocks.MatrixEquation, page: HtmlPage) -> Iterator[str]:
    """The matrices of an equation, and what stands between them, from one operator to the next; the result alone, where
    no other is drawn."""
    columns = block.result.values.shape[1] + sum(grid.values.shape[1] for grid in block.operands.values())
    drawn = block.operands.keys() - (block.drawn if columns > WHOLE else set())
    result = matrix(block.result, page, (block.result.address,), is_result=True)
    if not drawn:  # the formula above says the rest
        yield result
        return
    pieces = [*MathPrinter(block.formula.head, link=page.link_of, drawn=drawn).pieces(block.formula.right),
              OPERATORS["="]]
    chunks = chunked(pieces)
    for chunk in chunks:
        yield "<div class=chunk>"
        for is_drawn, some in groupby(chunk, lambda piece: isinstance(piece[0], Term)):
            if is_drawn:
                yield from (operand(piece.tensor, block, page) for piece, _ in some)
            else:
                signs = (OPERATORS["·"] if piece == OPERATORS[""] and is_beside else piece for piece, is_beside in some)
                yield f"<span>{math(signs)}</span>"
        yield f"{result}</div>" if chunk is chunks[-1] else "</div>"


def operand(tensor: Tensor, block: blocks.MatrixEquation, page: HtmlPage) -> str:
    grid, whole = block.operands[tensor], whole_name(tensor)
    is_part = tensor.symbol is not None and tensor.symbol.superscript is not None and not tensor.symbol.transposed
    names = (grid.address,) if grid.address else (whole, part_name(tensor)) if is_part else ()
    return matrix(grid, page, names, page.link_of(tensor))


def names_of_grid(grid: blocks.Grid) -> tuple[str, ...]:
    """The name of a parameter; of a block of its columns one for the block as well."""
    part = grid.symbol.superscript
    return (grid.address,) if part is None else (grid.address, f"{grid.address}.{part}")


def side_by_side(parts: Iterable[str]) -> Iterator[str]:
    markup = list(parts)
    if markup:
        yield f"<div class=equation>{''.join(markup)}</div>\n"


def matrix(grid: blocks.Grid, page: HtmlPage, names: tuple[str, ...] = (), link: str = "", is_result: bool = False,
           title: str = "", largest: float = 1.0) -> str:
    """A matrix in blocks of columns, which is the place of the first of its `names` that has none yet, or else leads
    to its `link`. A step's result can be tables by its address in any case; where its rows stand in another part, the
    matrix is a place as well."""
    own = next(filter(None, map(page.anchor, names)), "")
    anchor = own or (page.anchor(f"{names[0]}.matrix") if is_result else "")
    data = f' data-address="{words(names[0])}"' if names and names[0] and (anchor or is_result) else ""
    data += f" data-part={grid.symbol.superscript}" if data and names[1:] else ""
    name = expression_math(grid.formula, grid.head) if grid.formula else symbol_math(grid.symbol, grid.head)
    link = link or (page.link(names[0]) if names and not own else "")
    name = title or (f'<a href="{link}">{name}</a>' if link else name)
    tables = []
    for part in column_blocks(grid.values.shape[1]):
        place = anchor + data + (f" data-column={part.start + 1}" if part.start and data else "")
        size = page.text(Joined("   ", [size_of(grid), *parts_of(grid, part.start, part.stop)]))
        tables.append(f"<div class=box><table class=matrix{place}><caption>{name} {size}</caption>"
                      f"{''.join(table_rows(grid, part, page, largest))}</table></div>")
        anchor = ""
    return tables[0] if len(tables) == 1 else f"<div>{''.join(tables)}</div>"


def table_rows(grid: blocks.Grid, part: slice, page: HtmlPage, largest: float) -> Iterator[str]:
    if grid.column_labels:
        yield "<thead><tr><td>" if grid.row_labels else "<thead><tr>"
        yield columns_heading(grid.column_labels[part], part.start, grid.hued)
    values = grid.values[:, part]
    rows = rows_of_cells(grid.figures, values, values / (largest or 1) if grid.weights and page.shades else None)
    before = [word_heading("row", label, n) for n, label in enumerate(grid.row_labels or ())] or [""] * len(rows)
    yield "<tbody>"
    yield from chain.from_iterable(("<tr>", word, cells) for word, cells in zip(before, rows, strict=True))


def cell_line(cell: blocks.CellLine) -> str:
    """`q₁[1] = x₁ W_Q⁽¹⁾[:,1] = 0.487·(-0.520) + ... = 0.694`"""
    worked = cell_text(cell, Spelling.UNICODE)
    parts = [symbol_math(cell.formula.left, cell.formula.head),
             expression_math(cell.formula.right, cell.formula.head, behind=index_text(cell)),
             escape(worked.numbers)][:len(worked.parts)]
    return f"<p>{' = '.join(parts)} {worked.end}\n"
