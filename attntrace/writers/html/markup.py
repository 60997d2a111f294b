"""An HTML page while it is written: its anchors, its headings, its open elements; numbers in the cells of tables: the
vectors of tokens, matrices; and the arithmetic of single numbers."""
import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import escape
from itertools import chain, count, groupby
from typing import NamedTuple

from attntrace.messages.catalog import BESIDE, Joined, Message, Text, in_languages, versions
from attntrace.messages.unicode import graphemes, shown
from attntrace.pages import blocks
from attntrace.pages.blocks import Hues
from attntrace.pages.numbers import Figures
from attntrace.tensor.printer import Printer
from attntrace.tensor.symbol import Spelling
from attntrace.tensor.tensor import Array, Tensor, Term
from attntrace.writers.arithmetic import cell_text, index_text
from attntrace.writers.html.mathml import OPERATORS, MathPrinter, expression_math, in_math, symbol_math
from attntrace.writers.page import COLUMNS, LEVELS, PROMPT, Page, chunked, column_blocks, levels_of
from attntrace.writers.svg.markup import width_of
from attntrace.writers.text.equations import parts_of, size_of
from attntrace.writers.text.vectors import columns_of, mixed

LONGEST = 16  # letters of a word that stand in a line
AFTER_SECTION = (blocks.PartHeading, blocks.StageHeading, blocks.Heading, blocks.Answer, blocks.Maps, None)
ANCHOR = re.compile(r"[\w.:,-]+", re.ASCII)
CELL = "<td>"
DIGIT, NARROWEST = 8, 330  # pixels: of a digit, and of room on the screen of a phone
PHONE, SCREEN = 42, 120  # characters of an equation with its numbers that have room there
WHOLE = 15  # columns up to which an equation is drawn whole; what was drawn in its stage shrinks in a wider one
SHADED = tuple(f"<td class=w{level}>" for level in range(LEVELS + 1))  # 0: exactly 0


class Entry(NamedTuple):
    """A line of the table of contents."""
    level: int
    anchor: str
    title: str
    beside: str = ""


class HtmlPage(Page):
    """A page while it is written: its `contents` (the headings that were written), whether a part has begun (`in_part`)
    and a section is open (`in_section`)."""

    def __init__(self, languages: tuple[str, ...], shades: bool) -> None:
        super().__init__(0, Spelling.UNICODE, len, shades=shades, languages=languages)  # a browser breaks the lines
        self.contents: list[Entry] = []
        self.heading_above = ""
        self.in_part = False
        self.in_section = False
        self.prefix = ""  # of its anchors, on a page with others
        self._anchors: set[str] = set()
        self._open: list[str] = []  # the ends of what is open for blocks of one kind
        self._open_for: type | None = None

    def text(self, text: Text) -> str:
        """A text as markup, commands after a prompt as code; several languages are each marked with `lang`."""
        rendered = versions(self.languages, text) if not isinstance(text, str) else [(text,)]
        if len(rendered) == 1:
            return _lines(*rendered[0])
        between = "<br>" if "\n" in in_languages(text, self.languages) else BESIDE
        return between.join(f"<span lang={language}>{_lines(version)}</span>"
                            for language, (version,) in zip(self.languages, rendered, strict=True))

    def anchor(self, name: str) -> str:
        """The id attribute for a name; empty where the name is taken."""
        if name in self._anchors or not ANCHOR.fullmatch(name):
            return ""
        self._anchors.add(name)
        return f' id="{self.prefix}{name}"'

    def link(self, name: str) -> str:
        """A link to an anchor that was written; empty where there is none."""
        return f"#{self.prefix}{name}" if name in self._anchors else ""

    def linked(self, name: str, markup: str) -> str:
        link = self.link(name)
        return f'<a href="{link}">{markup}</a>' if link else markup

    def link_of(self, tensor: Tensor) -> str:
        """A link to the numbers of a tensor, or of the tensor that it is a row or the transpose of."""
        return self.link(part_name(tensor)) or self.link(whole_name(tensor))

    @property
    def level(self) -> int:
        """That of a heading above stages."""
        return 3 if self.in_part else 2

    def heading(self, level: int, anchor: str, title: str, beside: str = "", listed: str = "", kind: str = "") -> str:
        """A heading that the table of contents leads to, where `listed` stands beside it."""
        name = anchor if ANCHOR.fullmatch(anchor) else "heading"
        anchor = next(filter(self.anchor, chain([name], (f"{name}-{n}" for n in count(2)))))
        self.contents.append(Entry(level, anchor, title, listed))
        self.heading_above = title
        return f'<h{level} id="{self.prefix}{anchor}"{kind}>{title}{beside}</h{level}>\n'

    def box(self, name: str = "", width: float = math.inf) -> str:
        """The start of what scrolls where it is wider than the screen; keys reach it if it can be, and hear its name:
        that of the last heading, if it has no other."""
        if width < NARROWEST:
            return "<div class=box>"
        name = words(name) if name else re.sub("<.*?>", "", self.heading_above)
        return f'<div class=box role=group tabindex=0 aria-label="{name}">'

    def deeper(self, opening: str, closing: str, depth: int, kind: type) -> Iterator[str]:
        """Elements in each other, as many as the `depth`, which stay open for further blocks of a kind."""
        yield opening * (depth - len(self._open)) + closing * (len(self._open) - depth)
        self._open, self._open_for = [closing] * depth, kind

    def closed_for(self, kind: type | None) -> str:
        """The end of what is open, unless it is for blocks of this kind; and of the section, before some kinds."""
        end = ""
        if kind is not self._open_for:
            end, self._open = "".join(self._open), []
        if self.in_section and kind in AFTER_SECTION:
            end, self.in_section = f"{end}</section>\n", False
        return end


def whole_name(tensor: Tensor) -> str:
    """The address of the one tensor that it is, or is part of; nothing where there are several."""
    addresses = {leaf.address for leaf in tensor.leaves()}
    return addresses.pop() or "" if len(addresses) == 1 else ""


def part_name(tensor: Tensor) -> str:
    """The name of one block of columns of a parameter."""
    above = tensor.symbol.superscript if tensor.symbol is not None and tensor.address is None else None
    return f"{whole_name(tensor)}.{above}" if above is not None else ""


# ---------------------------------------------------------------- text

def words(text: str) -> str:
    """Words from anywhere, as they may stand in an element or an attribute."""
    return escape(shown(text))


def _lines(text: str) -> str:
    return "<br>".join(code(line) if line.startswith(PROMPT) else words(line) for line in text.strip().split("\n"))


def address(text: str) -> str:
    """An address, which may be broken behind its dots."""
    return words(text).replace(".", ".<wbr>")


def code(text: str) -> str:
    return f"<code>{address(text)}</code>"


def label(word: str) -> str:
    """A word that stands before or above numbers, which may be broken where it is very long."""
    if len(word) <= LONGEST:
        return words(word)
    letters = graphemes(word)
    return "<wbr>".join(words("".join(letters[n:n + LONGEST])) for n in range(0, len(letters), LONGEST))


def hue_class(hues: Hues, n: int) -> str:
    """The class of the n-th word; empty, where it has no hue."""
    return "" if n >= len(hues) or hues[n] is None else f"t{hues[n]}"


def word_heading(scope: str, word: str, kind: str) -> str:
    """The heading of a row or a column: the word there, in its hue."""
    return f"<th scope={scope}{f' class={kind}' if kind else ''}>{label(word)}"


@lru_cache(4096)
def columns_heading(labels: tuple[str, ...], hues: Hues) -> str:
    return "".join([word_heading("col", label, hue_class(hues, n)) for n, label in enumerate(labels)])


def cell(tag: str, right: bool, written: str, kind: str = "") -> str:
    kinds = " ".join([*["r"] * right, *filter(None, [kind])])
    return f'<{tag} class="{kinds}">{written}' if kinds else f"<{tag}>{written}"


def nested(contents: list[Entry]) -> Iterator[str]:
    """Entries as lists in lists, as deep as their headings, the first of which is an h2."""
    depth = 0
    for entry in contents:
        deeper, depth = entry.level - 1 - depth, entry.level - 1
        yield "<ul>" * deeper + "</ul>" * -deeper
        beside = f" <small>{entry.beside}</small>" if entry.beside else ""
        yield f'<li><a href="#{entry.anchor}">{entry.title}{beside}</a>\n'
    yield "</ul>" * depth


# ---------------------------------------------------------------- numbers

def rows_of_cells(figures: Figures, values: Array, largest: float = 0) -> list[str]:
    """The cells of each row; shaded as parts of the `largest` number, unless that is 0."""
    behind_zero = "0" + " " * figures.after  # so that an exact 0 stands before the decimal point
    texts = [[behind_zero if cell == "0" else cell for cell in text.split()] for text in figures.rows(values)]
    if not largest:
        return [CELL + CELL.join(cells) for cells in texts]
    return ["".join([SHADED[level] + cell for level, cell in zip(levels, cells, strict=True)])
            for levels, cells in zip(levels_of(values / largest).tolist(), texts, strict=True)]


class VectorTable:
    """Vectors under the same words, or as long as each other, stand together; longer ones in blocks of columns."""

    def __init__(self, block: blocks.VectorRows, page: HtmlPage) -> None:
        self.page, self.numbers = page, block.numbers
        self.lines = block.lines
        self.groups = [list(alike) for _, alike in groupby(
            block.lines, key=lambda line: (line.values.shape[1:], line.labels))]
        self.cells = {
            (id(line), part.start): rows_of_cells(line.figures, line.values.reshape(len(line.values), -1)[:, part],
                                                  line.weights and bool(line.hues) and page.shades)
            for line in block.lines for part in column_blocks(columns_of(line))}
        self.columns = max(min(columns_of(line), COLUMNS) + bool(line.more) for line in block.lines)
        self.longest = max(len(f"{line.formulas[-1].left.spelled()} = {Printer().text(line.formulas[-1].right)}")
                           for line in block.lines)

    @property
    def width(self) -> float:
        """About how many pixels it takes, if the equations are shown."""
        return DIGIT * self.longest + max(width_of_table(line.figures, part, line.labels, ())
                                          for line in self.lines for part in column_blocks(columns_of(line)))

    @property
    def room(self) -> str:
        """Where there is none for equations: their left sides alone are shown, the heading of the stage has them."""
        numbers = max(min(columns_of(line), COLUMNS) * (line.figures.width + 1) for line in self.lines)
        needed = self.longest + numbers
        return " broad" if needed > SCREEN else " tight" if needed > PHONE else ""

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
        return columns_heading(labels, () if line.labels is None else line.hues[part])

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
            end += f"<th class=at>{factor(line.figures, self.page)}{address(line.name)}"
            if line.shares is not None:
                end += f"\n<tr class=mixture><td colspan={1 + self.columns}><div>{self.mixture(line, n)}</div>"
        return (f'\n<tr{anchor} data-address="{words(line.address)}" data-row={self.numbers[n] + 1}{column}'
                f"{power_of(line.figures)}>"
                f"<th scope=row>{equation}<i>=</i>{self.cells[id(line), part.start][n]}{end}")

    def mixture(self, line: blocks.RowLine, n: int) -> str:
        """`z₁ = 0.068·v₁ + 0.210·v₂`, each term in the hue of its token."""
        terms = (f'<span class="{hue_class(line.hues, i)}">{escape(term)}</span>'
                 for i, term in enumerate(mixed(line, n, self.page)))
        return f"{symbol_math(line.formulas[n].left, line.formulas[n].head)} = {' + '.join(terms)}"


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
                yield f"<span>{in_math(signs)}</span>"
        yield f"{result}</div>" if chunk is chunks[-1] else "</div>"


def operand(tensor: Tensor, block: blocks.MatrixEquation, page: HtmlPage) -> str:
    """A matrix of an equation. Its names are those of the step or the parameter of which it holds all numbers, or those
    of some columns, as they are or transposed."""
    grid, (leaf, *others) = block.operands[tensor], tensor.leaves()
    turned, part = grid.symbol.transposed, part_name(tensor)
    names: tuple[str, ...] = ()
    if not others and leaf.value.size == tensor.value.size:
        names = (whole_name(tensor),)
    elif not others and part:
        names = (whole_name(tensor), part)
    return matrix(grid, page, names, page.link_of(tensor), is_transposed=turned)


def names_of_grid(grid: blocks.Grid) -> tuple[str, ...]:
    """The name of a parameter; of a block of its columns one for the block as well."""
    part = grid.symbol.superscript
    return (grid.address,) if part is None else (grid.address, f"{grid.address}.{part}")


def side_by_side(parts: Iterable[str], opening: str = "<div class=equation>") -> Iterator[str]:
    markup = list(parts)
    if markup:
        yield f"{opening}{''.join(markup)}</div>\n"


def matrix(grid: blocks.Grid, page: HtmlPage, names: tuple[str, ...] = (), link: str = "", is_result: bool = False,
           is_transposed: bool = False, title: str = "", largest: float = 1.0, of: str = "",
           rows: tuple[int, ...] = ()) -> str:
    """A matrix in blocks of columns, which is the place of the first of its `names` that has none yet (unless it is
    transposed), or else leads to its `link`. Where the rows of a step's result stand in another part, the matrix is a
    place as well. `of`: the step whose numbers it has once more, with fewer digits: those of some `rows` (from 0)."""
    own = "" if is_transposed else next(filter(None, map(page.anchor, names)), "")
    anchor = own or (page.anchor(f"{names[0]}.matrix") if is_result and names[0] else "")
    data = f' data-address="{words(names[0])}"' if names and names[0] else ""
    data += f" data-part={grid.symbol.superscript}" if data and names[1:] else ""
    data += " data-transposed" if data and grid.symbol.transposed else ""
    data += f' data-of="{words(of)}"' if of else ""
    name = expression_math(grid.formula, grid.head) if grid.formula else symbol_math(grid.symbol, grid.head)
    link = link or (page.link(names[0]) if names and not own else "")
    spelled = title or page.name(grid)
    name = title or (f'<a href="{link}" title="{link[1:]}">{name}</a>' if link else name)
    tables = []
    for part in column_blocks(grid.values.shape[1]):
        place = anchor + data + (f" data-column={part.start + 1}" if part.start and data else "")
        place += power_of(grid.figures)
        size = page.text(Joined("   ", [size_of(grid), *parts_of(grid, part.start, part.stop)]))
        box = page.box(spelled, width_of_table(grid.figures, part, grid.column_labels, grid.row_labels or ()))
        tables.append(f"{box}<table class=matrix{place}><caption>{name} {size}{factor(grid.figures, page)}</caption>"
                      f"{''.join(table_rows(grid, part, page, largest, rows))}</table></div>")
        anchor = ""
    return tables[0] if len(tables) == 1 else f"<div>{''.join(tables)}</div>"


def factor(figures: Figures, page: HtmlPage) -> str:
    return f"<b>{page.factor(figures)} </b>" if figures.power else ""


def power_of(figures: Figures) -> str:
    """The attribute that says by which power of ten the numbers of an element are to be multiplied."""
    return f" data-power={figures.power}" if figures.power else ""


def width_of_table(figures: Figures, part: slice, above: tuple[str, ...] | None, before: tuple[str, ...]) -> float:
    """About how many pixels some columns of numbers take on a screen, with the words above and before them."""
    number, words = DIGIT * figures.width, above[part] if above else ()
    columns = [max(number, width_of(word[:LONGEST])) for word in words] or [number] * (part.stop - part.start)
    return sum(columns) + DIGIT * len(columns) + max((width_of(word[:LONGEST]) for word in before), default=0)


def table_rows(grid: blocks.Grid, part: slice, page: HtmlPage, largest: float,
               numbers: tuple[int, ...]) -> Iterator[str]:
    if grid.column_labels:
        yield "<thead><tr><td>" if grid.row_labels else "<thead><tr>"
        yield columns_heading(grid.column_labels[part], grid.column_hues[part])
    rows = rows_of_cells(grid.figures, grid.values[:, part], (largest or 1) if grid.weights and page.shades else 0)
    before = [word_heading("row", label, hue_class(grid.row_hues, n))
              for n, label in enumerate(grid.row_labels or ())] or [""] * len(rows)
    yield "<tbody>"
    tags = [f"<tr data-row={n + 1}>" if n != at else "<tr>" for at, n in enumerate(numbers)] or ["<tr>"] * len(rows)
    yield from chain.from_iterable(zip(tags, before, rows, strict=True))


def cell_line(cell: blocks.CellLine) -> str:
    """`q₁[1] = x₁ W_Q⁽¹⁾[:,1] = 0.487·(-0.520) + ... = 0.694`"""
    worked = cell_text(cell, Spelling.UNICODE)
    parts = [symbol_math(cell.formula.left, cell.formula.head),
             expression_math(cell.formula.right, cell.formula.head, behind=index_text(cell)),
             escape(worked.numbers)][:len(worked.parts)]
    return f"<p>{' = '.join(parts)} {worked.end}\n"
