"""Words that do nothing but show themselves, and what fits the width of a page in LaTeX: displays, matrices in blocks
of rows and columns, the vectors of tokens, tables."""
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, groupby
from typing import Any, NamedTuple

from attntrace.messages.catalog import Message, Text
from attntrace.pages import blocks
from attntrace.pages.blocks import Formula, Grid, Hues, RowLine
from attntrace.pages.numbers import Figures
from attntrace.tensor.printer import LatexPrinter, Operator
from attntrace.tensor.symbol import LATEX_LETTERS, Spelling
from attntrace.tensor.tensor import Array, Tensor
from attntrace.writers.formulas import LATEX, signs_of
from attntrace.writers.page import Look, Page, equal_parts, levels_of, packed, part_of, title_of_head
from attntrace.writers.svg.markup import HUES, PAPER, SHADES
from attntrace.writers.text.equations import parts_of, size_of
from attntrace.writers.text.vectors import columns_of, mixed
from attntrace.writers.text.writer import cells_of

ROOM = 490  # points that a line of a page has
DIGIT = 5  # points of a digit
ROWS, PAGE = 28, 50  # of numbers one above the other: of one matrix, of an equation
FITTING = r"max width=\linewidth,max totalheight=.9\textheight"  # of what must be no larger than a page
LINES = 24  # of formulas in one display
SHORT = 50  # signs of a line that fits every page
GAP = 6  # points between two columns, and around a matrix
SMALLER = 590  # points up to which vectors are written a little smaller, and not broken
SMALL = 4  # points of a letter of an address
WHOLE = 15  # columns up to which an equation is drawn whole, as in HTML
MARKUP = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", '"': r"\textquotedbl{}",
          "`": r"\textasciigrave{}", "✓": r"\checkmark{}", "✗": r"$\boldsymbol{\times}$",
          **{char: f"\\{char}" for char in "{}$&#_%"}, **{char: f"{{{char}}}" for char in "[]*"}}
SIGNS = {"≈": r"\approx", "≠": r"\neq", "∂": r"\partial", "Σ": r"\Sigma", "√": r"\surd", "⊙": r"\odot", "→": r"\to",
         "α": r"\alpha", "π": r"\pi", "↑": r"\uparrow", "∞": r"\infty", "≤": r"\leq", "≥": r"\geq",
         **{letter: latex for letter, latex in LATEX_LETTERS.items() if len(letter) == 1}}
BREAK = r".\allowbreak{}"
RAISED, LOWERED = "⁽⁾⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ′ᵗ", "₀₁₂₃₄₅₆₇₈₉ᵢ"
PLAIN = str.maketrans(RAISED + LOWERED, "()0123456789-T't0123456789i")
SIGN = re.compile(rf"(?P<up>[{RAISED}]+)|(?P<down>[{LOWERED}]+)|(?P<twice>-(?=-)|'(?='))"
                  rf"|[{re.escape(''.join([*MARKUP, *SIGNS]))}]")


def _sign(match: re.Match[str]) -> str:
    char = match[0]
    if match["up"] or match["down"]:
        return f"${'^' if match['up'] else '_'}{{{char.translate(PLAIN)}}}$"
    if match["twice"]:  # which would be a dash, or a quotation mark
        return f"{char}{{}}"
    return MARKUP[char] if char in MARKUP else f"${SIGNS[char]}$"


def bookmark(text: str) -> str:
    """A text as a PDF bookmark, which holds plain characters alone."""
    return "".join(MARKUP[char] if char in MARKUP and char not in "✓✗[]*" else char for char in text)


@lru_cache(10_000)  # the words of a sentence stand in every table
def escaped(text: str) -> str:
    """A text that shows itself and does nothing else, wherever it stands."""
    return SIGN.sub(_sign, text)


class LatexPage(Page):
    """Texts in the languages of a page, which do nothing but show themselves; a cell is as wide as a digit."""

    def __init__(self, look: Look) -> None:
        super().__init__(ROOM // DIGIT, Spelling.ASCII if look.ascii else Spelling.UNICODE, cells_of,
                         languages=look.languages, shades=look.colour != "never")
        self.fragment = look.fragment

    def paragraph(self, text: str) -> Iterator[str]:
        """A paragraph, with which the display below it stays together; in a fragment a comment."""
        yield from ("", f"% {text}" if self.fragment else text) if text else ()

    def words(self, text: Text) -> str:
        """Text; several lines of it (in two languages) stay apart."""
        lines = filter(None, (self.word(line).strip() for line in self.prose(text).split("\n")))
        return r"\newline ".join(map(escaped, lines))

    def code(self, text: str) -> str:
        """A text as code, which may be broken behind its dots."""
        return rf"\texttt{{{escaped(self.word(text)).replace('.', BREAK)}}}"

    def points(self, label: str) -> int:
        """About how wide a label is."""
        return DIGIT * self.cells(self.label(label))

    def in_math(self, label: str, hues: Hues = (), n: int = 0) -> str:
        """A word as the label of a row or a column of numbers, in the n-th of some hues."""
        return rf"\text{{{self.in_hue(escaped(self.label(label)), hues, n)}}}"

    def in_hue(self, latex: str, hues: Hues, n: int) -> str:
        """In the n-th of some hues, where the page has colours and there is one."""
        hue = hues[n] if n < len(hues) else None
        return latex if hue is None or not self.shades else rf"\textcolor[HTML]{{{HUES[hue][1:].upper()}}}{{{latex}}}"

    def labels(self, labels: tuple[str, ...] | None, hues: Hues, part: slice) -> list[str]:
        """Some of the words before or above numbers."""
        words = labels or ()
        return [self.in_math(words[n], hues, n) for n in range(len(words))[part]]


def points_of(latex: str) -> int:
    return DIGIT * signs_of(latex)


# ---------------------------------------------------------------- displays

def comment(text: str) -> Iterator[str]:
    """What the next lines are, for those who look for a piece to paste."""
    if text:
        yield f"% {text}"


def fitted(lines: Iterable[str]) -> Iterator[str]:
    """Mathematics as a display, smaller where it would be larger than the page."""
    yield rf"\[\adjustbox{{{FITTING}}}{{\arraycolsep=3pt $\displaystyle"
    yield from lines
    yield r"$}\]"


def math_block(lines: Sequence[str]) -> Iterator[str]:
    """Lines with an `&` each where they are lined up."""
    for some in (lines[start:start + LINES] for start in range(0, len(lines), LINES)):
        rows = " \\\\\n".join(some)
        if max(map(signs_of, some)) <= SHORT:
            yield from (r"\begin{align*}", rows, r"\end{align*}")
        else:
            yield from fitted((r"\begin{aligned}", rows, r"\end{aligned}"))


# ---------------------------------------------------------------- numbers

def number(text: str) -> str:
    return text.replace("inf", r"\infty")


def factor(figures: Figures) -> str:
    return f"10^{{{figures.power}}}" if figures.power else ""


def cell(text: str, level: int) -> str:
    """A number on the colour of its level, white on a dark one; level 0 has none."""
    if not level:
        return text
    ink = rf"\color[HTML]{{{PAPER[1:].upper()}}}" if level > 5 else ""
    return rf"\cellcolor[HTML]{{{SHADES[level][1:].upper()}}}{ink}{text}"


def cells(figures: Figures, values: Array, largest: float = 0) -> list[list[str]]:
    """The cells of each row; shaded as parts of the `largest` number, unless that is 0."""
    texts = [list(map(number, text.split())) for text in figures.rows(values)]
    if not largest:
        return texts
    return [list(map(cell, row, levels)) for row, levels in
            zip(texts, levels_of(values / largest).tolist(), strict=True)]


class Piece(NamedTuple):
    """Mathematics, how many points wide and how many rows high it is, and what is said of it."""
    latex: str
    width: int
    height: int = 1
    said: str = ""


def pieces_of(grid: Grid, page: LatexPage, has_note: bool = False) -> Iterator[Piece]:
    """A matrix in blocks of columns and of rows that fit a page, each with its size and what part it is, which is
    below it as a note as well."""
    labels = grid.column_labels or [""] * grid.values.shape[1]
    widths = [max(DIGIT * grid.figures.width, page.points(label)) for label in labels]
    before = max(map(page.points, grid.row_labels or ()), default=0)
    for columns in equal_parts(widths, ROOM - before - 2 * GAP, GAP):
        for rows in equal_parts([1] * len(grid.values), ROWS, 0):
            parts = parts_of(grid, columns.start, columns.stop)
            if rows.stop - rows.start < len(grid.values):
                parts = [*part_of("rows", rows.start, rows.stop, len(grid.values)), *parts[-1:]]
            said = ", ".join(filter(None, [page.words(size_of(grid)), *map(page.words, parts)]))
            yield Piece(matrix(grid, page, rows, columns, said if has_note else ""),
                        before + sum(widths[columns]) + GAP * (len(labels[columns]) + 2),
                        rows.stop - rows.start + bool(grid.column_labels) + has_note, said)


def matrix(grid: Grid, page: LatexPage, rows: slice, columns: slice, note: str) -> str:
    """Some numbers of a matrix in brackets, with the words before and above them and a note below."""
    body = [" & ".join(row) for row in cells(grid.figures, grid.values[rows, columns])]
    count = columns.stop - columns.start
    right, before = "r" * count, ""
    power = rf"{factor(grid.figures)} \cdot " if grid.figures.power else ""
    if grid.row_labels and not grid.one_row:
        words = page.labels(grid.row_labels, grid.row_hues, rows)
        body, before = [f"{word} & {row}" for word, row in zip(words, body, strict=True)], "r"
    elif not (grid.column_labels or note):
        return "\n".join([rf"{power}\left[\begin{{array}}{{@{{}}{right}@{{}}}}", " \\\\\n".join(body),
                          r"\end{array}\right]"])
    beside = " & " if before else ""
    words_above = page.labels(grid.column_labels, grid.column_hues, columns)
    above = [beside + " & ".join(words_above)] if words_above else []
    below = [rf"{beside}\BAmulticolumn{{{count}}}{{c}}{{\text{{\scriptsize {note}}}}}"] if note else []
    return "\n".join([rf"{power}\begin{{blockarray}}{{{before}{right}}}", *(rf"{row} \\" for row in above),
                      rf"\begin{{block}}{{{before}[{right}]}}", *(rf"{row} \\" for row in body), r"\end{block}",
                      *(rf"{row} \\" for row in below), r"\end{blockarray}"])


def beside_each_other(grids: Iterable[Grid], page: LatexPage) -> Iterator[str]:
    """Matrices under their names, as many side by side as fit."""
    named: list[Piece] = []
    for grid in grids:
        name = LATEX.name(grid)
        for piece in pieces_of(grid, page):
            address = page.code(grid.address) if grid.address else ""
            named.append(Piece(f"{name} = {piece.latex}", points_of(name) + piece.width + 4 * GAP, piece.height,
                               " ".join(filter(None, (f"${name}$:", address, piece.said)))))
    for together in packed(named, lambda some: sum(piece.width for piece in some) <= ROOM):
        yield from page.paragraph(rf"{{\footnotesize {'; '.join(piece.said for piece in together)}}}")
        yield from fitted(["\n\\qquad\n".join(piece.latex for piece in together)])


def equation_with_numbers(block: blocks.MatrixEquation, page: LatexPage) -> Iterator[str]:
    """The equation in symbols, then with its matrices, which are drawn by themselves where one does not fit a page."""
    formula = block.formula
    columns = block.result.values.shape[1] + sum(grid.values.shape[1] for grid in block.operands.values())
    drawn = block.operands.keys() - (block.drawn if columns > WHOLE else frozenset())
    pieces = {tensor: list(pieces_of(block.operands[tensor], page, has_note=True)) for tensor in drawn}
    result = list(pieces_of(block.result, page, has_note=True))
    symbols = LATEX.expression(formula.right, formula.head, formula.row)
    left = LATEX.symbol(formula.left, formula.head, formula.row)
    if any(len(parts) > 1 for parts in [*pieces.values(), result]):
        yield from math_block([f"{left} &= {symbols}"])
        yield from beside_each_other([*(block.operands[tensor] for tensor in block.operands if tensor in drawn
                                        and tensor not in block.drawn), block.result], page)
        return
    lines = [Piece(f"{left} &= {symbols}", points_of(f"{left} = {symbols}"))]
    if drawn:
        whole = {tensor: piece for tensor, (piece,) in pieces.items()}
        lines += lines_of(LatexPrinter(formula.head, drawn=drawn).pieces(formula.right), whole)
    lines.append(result[0]._replace(latex=f"&= {result[0].latex}"))
    for some in packed(lines, lambda some: sum(line.height for line in some) <= PAGE):
        yield from fitted((r"\begin{aligned}", " \\\\\n".join(line.latex for line in some), r"\end{aligned}"))


def lines_of(pieces: Sequence[Any], drawn: dict[Tensor, Piece]) -> Iterator[Piece]:
    """An expression with its matrices, broken where it is too wide, before signs that are in no group."""
    chunks: list[Piece] = [Piece("", 0)]
    depth = 0
    for piece in pieces:
        if isinstance(piece, Operator) and not depth:
            chunks.append(Piece("", 0))
        new = Piece(piece, points_of(piece)) if isinstance(piece, str) else drawn[piece.tensor]
        last = chunks[-1]
        chunks[-1] = Piece(last.latex + new.latex, last.width + new.width, max(last.height, new.height))
        if isinstance(piece, str):
            depth += piece.count("{") - piece.count("}")
    for n, line in enumerate(packed(chunks, lambda some: sum(chunk.width for chunk in some) <= ROOM)):
        yield Piece((r"&\quad " if n else "&= ") + "".join(chunk.latex for chunk in line),
                    sum(chunk.width for chunk in line), max(chunk.height for chunk in line))


# ---------------------------------------------------------------- vectors

class VectorArrays:
    """The vectors of tokens: those under the same words, or as long as each other, in one array, longer ones in blocks
    of columns."""

    def __init__(self, block: blocks.VectorRows, page: LatexPage) -> None:
        self.page, self.lines = page, block.lines
        self.groups = [list(alike) for _, alike in groupby(
            block.lines, key=lambda line: (line.values.shape[1:], line.labels))]
        self.cells = {id(line): cells(line.figures, line.values.reshape(len(line.values), -1),
                                      line.weights and page.shades) for line in block.lines}

    def of_tokens(self, tokens: Sequence[int]) -> Iterator[str]:
        for alike in self.groups:
            labels = alike[0].labels or [str(n + 1) for n in range(columns_of(alike[0]))]
            widest = max(DIGIT * line.figures.width for line in alike)
            widths = [max(widest, self.page.points(label)) for label in labels]
            formulas = [line.formulas[n] for line in alike for n in tokens]
            room = SMALLER - SMALL * max(len(line.name) for line in alike) - 3 * GAP
            above, beside = (equal_parts(widths, room - max(map(points_of, before)), GAP)
                             for before in ([LATEX.symbol(formula.left) for formula in formulas],
                                            list(map(LATEX.formula, formulas))))
            is_beside = len(beside) == len(above)
            for part in above:
                for some in (tokens[start:start + PAGE] for start in range(0, len(tokens), PAGE)):
                    rows = chain.from_iterable(self.row(line, n, part, is_beside) for n in some for line in alike)
                    right = "r" * (part.stop - part.start)
                    opening, closing = (r"[\hspace{4pt}", r"\hspace{4pt}]") if alike[0].values.ndim > 1 else ("", "")
                    columns = rf"@{{}}r@{{}}l@{{{{}}={{}}{opening}}}{right}@{{{closing}\enspace}}l@{{}}"
                    yield from fitted([rf"\begin{{array}}{{{columns}}}",
                                       *self.above(alike[0], labels, part), " \\\\\n".join(rows), r"\end{array}"])

    def above(self, line: RowLine, labels: Sequence[str], part: slice) -> Iterator[str]:
        """Words, or the numbers of columns."""
        if line.values.ndim == 1:
            return
        heads = self.page.labels(line.labels, line.hues, part) or [rf"\scriptstyle {label}" for label in labels[part]]
        without_bracket = r"r@{\hspace{4pt}\hphantom{]}\enspace}"
        heads[-1] = rf"\multicolumn{{1}}{{{without_bracket}}}{{{heads[-1]}}}"
        yield " & ".join(["", r"\multicolumn{1}{l}{}", *heads, ""]) + r" \\"

    def row(self, line: RowLine, n: int, part: slice, is_beside: bool) -> Iterator[str]:
        """A vector, or a part of one: its equation, beside it or in a row of its own, its numbers, its address; and
        what it mixes."""
        page, formula, columns = self.page, line.formulas[n], part.stop - part.start
        left = LATEX.symbol(formula.left, formula.head, formula.row)
        right = LATEX.expression(formula.right, formula.head, formula.row)
        beside = rf"{{}}={{}} {right}"
        if part.start:
            beside = ""
        elif not is_beside:
            yield rf"{left} & \multicolumn{{{columns + 2}}}{{l}}{{{beside}}}"
            left = beside = ""
        more = [Message("messages.more", count=line.more)] if line.more and part.stop == columns_of(line) else []
        of_part = part_of("columns", part.start, part.stop, columns_of(line) + line.more)
        said = [*map(page.words, more), page.code(line.name), *map(page.words, of_part)]
        times = rf"\cdot {factor(line.figures)}\enspace" if line.figures.power else ""
        numbers = self.cells[id(line)][n][part]
        yield " & ".join([left, beside, *numbers, rf"{times}\text{{\scriptsize {' '.join(said)}}}"])
        if line.shares is not None and part.stop == columns_of(line):
            terms = list(enumerate(term.replace("·", r" \cdot ") for term in mixed(line, n, LATEX)))
            for start, some in enumerate(packed(
                    terms, lambda some: points_of(" + ".join(term for _, term in some)) <= ROOM - 20 * DIGIT)):
                sign = "{}+{} " if start else "{}={} "
                mixture = " + ".join(page.in_hue(term, line.hues, i) for i, term in some)
                yield rf"& \multicolumn{{{columns + 2}}}{{l}}{{{sign}{mixture}}}"


# ---------------------------------------------------------------- tables

LETTER = 5.4  # points of a letter in a table


def table_lines(block: blocks.Table, page: LatexPage) -> Iterator[str]:
    """A table; one that is too wide or too long for a page has columns of a set width, the widest of which are broken,
    and goes on over pages."""
    columns = max(map(len, [block.headings, *block.rows]))
    sizes = [max([page.cells(page.line(block.headings[n])) if block.headings else 0,
                  *(width_of_cell(row[n], page) for row in block.rows if len(row) > n and any(row[1:]))])
             for n in range(columns)]
    room, hues = int((ROOM - 2 * GAP * columns) / LETTER), dict(zip(block.tokens, block.hues))
    is_small = sum(sizes) <= room and len(block.rows) <= PAGE
    kinds = ["r" if n in block.right else "l" for n in range(columns)]
    if not is_small:
        widest = next(most for most in range(max(sizes), 0, -1) if sum(min(size, most) for size in sizes) <= room)
        widths = [LETTER * min(size, widest) / ROOM for size in sizes]
        kinds = [rf">{{\ragged{'left' if kind == 'r' else 'right'}\arraybackslash}}p{{{width:.3f}\linewidth}}"
                 for kind, width in zip(kinds, widths, strict=True)]
    for text in (rf"\textbf{{{page.words(block.title)}}}" if block.title else "", page.words(block.legend)):
        yield from page.paragraph(text)
    head = [rf"{' & '.join(map(page.words, block.headings))} \\ \hline"] if any(block.headings) else []
    spec = f"{{@{{}}{''.join(kinds)}@{{}}}}"
    yield from (["", rf"\adjustbox{{{FITTING}}}{{\begin{{tabular}}{spec}", *head] if is_small else
                [r"\begin{longtable}[l]" + spec, *head, *[r"\endhead"] * bool(head)])
    for n, (first, *rest) in enumerate(block.rows):
        apart = r"\rule{0pt}{2.5ex}" if head and not n else ""
        if rest and not any(rest):
            one = rf"\textbf{{{table_cell(first, block.addresses, page)}}}"
            yield rf"\multicolumn{{{columns}}}{{@{{}}l}}{{{apart}{one}}} \\"
        else:
            yield apart + " & ".join(
                page.in_hue(table_cell(one, block.addresses and not k, page, not is_small), hues.get(k, ()), n)
                for k, one in enumerate([first, *rest])) + r" \\"
    yield "\\end{tabular}}\n" if is_small else r"\end{longtable}"


def width_of_cell(one: blocks.Cell, page: LatexPage) -> int:
    return signs_of(LATEX.formula(one)) if isinstance(one, Formula) else page.cells(page.line(one))


def table_cell(one: blocks.Cell, is_address: bool, page: LatexPage, is_set: bool = False) -> str:
    """A cell; in a column whose width is set a formula fits it, and an address may be broken."""
    if isinstance(one, Formula):
        math = f"${LATEX.formula(one)}$"
        return rf"\adjustbox{{max width=\linewidth}}{{{math}}}" if is_set else math
    if is_address:
        return page.code(str(one))
    text = page.words(one)
    return text.replace(".", BREAK) if is_set and " " not in text else text


def map_of_head(head: Grid, largest: float, page: LatexPage) -> Piece:
    """The weights of a head on their shades; the words above them are turned where they would take too much room."""
    labels, rows = list(map(page.label, head.column_labels or ())), list(map(page.label, head.row_labels or ()))
    number = DIGIT * head.figures.width
    widths = [max(number, page.points(label)) + 2 * GAP for label in labels]
    if is_turned := max(widths) > number + 2 * GAP and sum(widths) > ROOM // 2:
        widths = [number + 2 * GAP] * len(labels)
    words = [page.in_hue(escaped(label), head.column_hues, n) for n, label in enumerate(labels)]
    above = [rf"\rotatebox{{60}}{{{word}}}" if is_turned else word for word in words]
    numbers = cells(head.figures, head.values, (largest or 1) if page.shades else 0)
    body = [[r"$\cdot$" if not value else cell for cell, value in zip(row, values, strict=True)]
            for row, values in zip(numbers, head.values.tolist(), strict=True)]
    title = rf"\textbf{{{page.words(title_of_head(head))}}}"
    lines = [rf"\begin{{tabular}}{{r{'c' * len(labels)}}}", " & ".join([title, *above]) + r" \\"]
    lines += [" & ".join([page.in_hue(escaped(word), head.row_hues, n), *row]) + r" \\"
              for n, (word, row) in enumerate(zip(rows, body, strict=True))]
    width = DIGIT * max(map(page.cells, [page.line(title_of_head(head)), *rows])) + sum(widths) + 2 * GAP
    return Piece("\n".join([*comment(head.address), *lines, r"\end{tabular}"]), width, len(rows) + 1)
