"""Blocks on a terminal, in a pipe, in a text file: the one place that imports rich."""
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, TextIO, final

from attntrace.messages.catalog import Message, versions
from attntrace.pages import blocks
from attntrace.writers.arithmetic import cell_text
from attntrace.writers.page import (BARS, BREAK, INDENT, LEVELS, PROMPT, UNICODE_SIGNS, BlockWriter, Head, Line, Look,
                                    Page, Paint, Part, Rows, Shaded, Span, hue_at, spelling_for, styled, text_of,
                                    titled, trimmed, words_of)
from attntrace.writers.terminal_width import DEFAULT_WIDTH, NARROWEST, WIDEST, columns
from attntrace.writers.text.equations import equation_lines, parameter_lines
from attntrace.writers.text.maps import FILLS, map_lines
from attntrace.writers.text.sums import sum_lines
from attntrace.writers.text.vectors import token_rows


class Theme(NamedTuple):
    """Colours of the 256-colour table for one ground: of words (source, then target) and of weights. Blue is only for
    weights; its shades differ in lightness, so that colour-blind eyes and a grey printer see them in order; each is
    painted with its own ink, the smallest as well, so that they are in order on any ground."""
    grey: int
    red: int
    hues: tuple[int, ...]
    shades: tuple[int, ...]
    inks: tuple[int, ...]


BLACK, WHITE = 16, 231
DARK = Theme(245, 196, (64, 116, 220, 37, 40, 143, 133, 215, 201, 137, 212, 203), (234, 236, 238, 24, 26, 32, 39, 117),
             (WHITE,) * 5 + (BLACK,) * 3)
LIGHT = Theme(241, 160, (22, 29, 58, 28, 23, 94, 88, 129, 54, 162, 130, 97), (255, 189, 153, 111, 69, 26, 19, 17),
              (BLACK,) * 5 + (WHITE,) * 3)
FEW_SHADES = ("bright_white on black", "bright_white on blue", "bright_white on blue", "black on cyan",
              "black on cyan", "black on cyan", "black on bright_cyan", "black on bright_cyan")  # of 16 colours
BELOW_HEADING = 5  # cells before what stands below a heading such as 1.3
NARROWEST_TREE = 48  # cells that a number deep in a tree has for its arithmetic
WORD = re.compile(r'(?:"[^"]*"|[^" ])+')  # of a command
OPTION_AND_VALUE = re.compile(rf"(?:--[\w-]+ (?!-))?{WORD.pattern}")
FIRST_LINES = 3  # of a page, which hold its conclusion, where that is a sentence
NUMBER, ERROR = 9, 10  # cells of the columns of what was verified


def wants_colour(out: TextIO, asked: str) -> bool:
    """As asked (always, never); else on a terminal, unless NO_COLOR or TERM=dumb. FORCE_COLOR wants it in a pipe as
    well, never in a file."""
    if asked != "auto":
        return asked == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0", "false") and out is sys.stdout:
        return True
    return out.isatty() and os.environ.get("TERM") != "dumb"


@final
class TerminalWriter(BlockWriter[Line | Rows]):
    """Writes blocks as they come, each line whole, on a page of so many cells in Unicode or ASCII."""

    def __init__(self, out: TextIO, look: Look) -> None:
        self.out, self.look = out, look
        colour = wants_colour(out, look.colour)
        width = min(max(look.width or columns(DEFAULT_WIDTH), NARROWEST), WIDEST)
        self.page = Page(width, spelling_for(out.encoding, look.ascii), cells_of, out.encoding or "utf-8",
                         shades=colour, languages=look.languages, paint=Palette() if colour else None)
        self.text_of = self.page.paint.text_of
        self.first_short: blocks.Block | None = None  # the first of which columns are left out: it says so
        self.again = self.page.word(f"{PROMPT}{look.title}") if look.title else ""
        self.title_lines = 0

    def of_width(self, width: int) -> "TerminalWriter":
        """A writer on a screen of this width, where it is not this one."""
        width = min(width, self.look.width or width)
        return self if width == self.page.width else TerminalWriter(self.out, self.look._replace(width=width))

    def lines(self, blocks: Iterable[blocks.Block]) -> Iterator[str]:
        for block in blocks:
            for line in self.lines_and_rows(block):
                if isinstance(line, Rows):
                    yield line.text()
                elif line is not BREAK:
                    yield self.text_of(line) + "\n"

    def block_lines(self, block: blocks.Block) -> Iterator[Line]:
        """Each line of a block."""
        for line in self.lines_and_rows(block):
            yield from line.lines() if isinstance(line, Rows) else (line,)

    def lines_and_rows(self, block: blocks.Block) -> Iterator[Line | Rows]:
        if getattr(block, "apart", False):
            yield ()
        page = self.page
        page.left_out = None
        yield from self.written(block)
        if page.left_out and (self.first_short is None or self.first_short is block):
            self.first_short, (start, stop, out, back) = block, page.left_out
            yield from self.paragraph(page.prose(page.line(Message(
                "messages.left_out", dots=page.dots, columns=stop, first=out - start, last=stop - back))), "grey")

    def paragraph(self, text: str, style: str = "", indent: str = INDENT) -> Iterator[Line]:
        return styled(self.page.wrapped(words_of(text), len(indent)), indent, style)

    def broken(self, text: str, indent: int) -> list[str]:
        """The lines of a text of which a word that is too long for a line is broken."""
        words = [part for word in words_of(text) for part in self.page.wrapped_anywhere(word, indent)]
        return self.page.wrapped(words, indent)

    def title(self, block: blocks.Title) -> Iterator[Line]:
        """What the page is about, and its command, which stands with the result where there is one."""
        text = self.page.text(block.text)
        lines = self.broken(self.page.word(text.replace(" · ", self.page.sign(" · ", " * "))), 0) if text else []
        self.title_lines = len(lines)
        yield from styled(lines, "", "bold")
        yield from self.command(self.again) if self.again and not block.has_result else ()

    def result(self, block: blocks.Result) -> Iterator[Line | Rows]:
        """The command above it, if that needs one line and the conclusion is still in the first lines of the page."""
        again = list(self.command(self.again)) if self.again and block.is_short else []
        first = block.blocks[0]
        sentence = list(self.written(first)) if isinstance(first, blocks.Prose | blocks.Answer) else []
        is_above = len(again) == 1 and self.title_lines + 1 + len(sentence) <= FIRST_LINES
        yield from again if is_above else ()
        for one in block.blocks:
            if getattr(one, "apart", False):
                yield ()
            for line in self.written(one):
                yield (INDENT, *line) if isinstance(one, blocks.Answer) else line
        yield from ((), *again) if again and not is_above else ()

    def part_heading(self, block: blocks.PartHeading) -> Iterator[Line]:
        page = self.page
        yield ()
        for name, title, subtitle in versions(page.languages, *block):
            rest = "  ".join(["", *filter(None, (title, page.prose(subtitle)))]) + " "
            rule = page.sign("═", "=") * (page.width - page.cells(name + rest))
            yield Span(name, "bold"), rest, Span(rule, "grey")

    def heading(self, block: blocks.Heading) -> Iterator[Line]:
        page = self.page
        if not block.of_place:
            yield (Span(INDENT + page.word(page.prose(block.text)), "bold"),)
            return
        *above, title = page.wrapped_anywhere(page.word(block.text) + " ", 0)
        yield ()
        yield from styled(above, "", "bold")
        yield Span(title, "bold"), Span(page.sign("─", "-") * (page.width - page.cells(title)), "grey")

    def stage_heading(self, block: blocks.StageHeading) -> Iterator[Line]:
        page, width = self.page, len(block.number) + 2
        yield from titled(f"{block.number}  {page.prose(block.title)}{page.verdict(block)}", block.place, page, width)
        yield from self.formula_lines(block.formulas, width)

    def formula_lines(self, formulas: Iterable[blocks.Formula], indent: int = BELOW_HEADING) -> Iterator[Line]:
        page = self.page
        for line in filter(None, page.wrapped(list(map(page.formula, formulas)), indent, between="    ")):
            fits = page.cells(line) + indent <= page.width
            yield from styled([line] if fits else page.wrapped_sum(line, indent + len(INDENT)), " " * indent,
                              hanging=INDENT)

    def explained(self, block: blocks.Explained) -> Iterator[Line]:
        """Each topic in a hanging paragraph, which begins with its title."""
        page, indent = self.page, " " * BELOW_HEADING
        yield ()
        for title, text in (shown for topic in block.topics for shown in versions(page.languages, *topic)):
            bold = len(page.prose(title)) + 1
            words = words_of(page.prose(f"{title}: {text}"))
            for n, line in enumerate(page.wrapped(words, BELOW_HEADING + len(INDENT))):
                yield indent + INDENT * bool(n), Span(line[:bold], "bold"), line[bold:]
                bold = max(bold - len(line) - 1, 0)
            yield BREAK

    def prose(self, block: blocks.Prose) -> Iterator[Line]:
        if block.note:
            yield from self.paragraph(self.page.prose(self.page.line(block.text)), "grey")
            return
        for paragraph in self.page.prose(block.text).split("\n"):
            text = self.page.word(paragraph)
            if paragraph.startswith(PROMPT):
                yield from self.command(text)
            else:
                yield from styled(self.broken(text, len(INDENT)), INDENT) if text.strip(" ") else [()]

    def command(self, text: str) -> Iterator[Line]:
        """A command, broken where a shell reads on: outside of quotes, behind a backslash."""
        beside = len(f"{2 * INDENT} \\")
        for pattern in (OPTION_AND_VALUE, WORD):
            words = pattern.findall(text)
            if max(map(self.page.cells, words)) <= self.page.width - beside:
                *lines, last = self.page.wrapped(words, beside)
                yield from styled([*(f"{line} \\" for line in lines), last], INDENT, hanging=INDENT)
                return
        *lines, last = self.page.wrapped_anywhere(INDENT + text, 1)  # a shell joins the parts of a word
        yield from styled([*(f"{line}\\" for line in lines), last], "")

    def answer(self, block: blocks.Answer) -> Iterator[Line]:
        yield (self.page.word(block.text) if block.is_words else self.page.prose(self.page.line(block.text)),)

    def table(self, block: blocks.Table) -> Iterator[Line]:
        """Columns side by side; where they are too wide together, the last one continues below itself, or else (also
        where it is of formulas) each row is stacked: its first cell above, the others under it."""
        page, words = self.page, block.tokens + block.words
        hues = dict(zip(block.tokens, block.hues))
        rows = [tuple(page.cell(cell, n in words) for n, cell in enumerate(row)) for row in block.rows]
        headings = list(map(page.text, block.headings))
        widths = [max(map(page.cells, column)) for column in zip(headings, *filter(any_but_first, rows), strict=True)]
        before_last = len(INDENT) + sum(widths[:-1]) + 2 * (len(widths) - 1)
        wide = before_last + widths[-1] > page.width
        if wide and block.addresses:
            yield from self.table(block._replace(rows=tuple(under_places(block.rows)), addresses=False))
            return
        stacked = wide and (len(widths) - 1 in block.right or page.width - before_last < page.width // 3
                            or any(isinstance(row[-1], blocks.Formula) for row in block.rows))

        def aligned(row: Iterable[str]) -> Iterator[str]:
            return ((page.right if n in block.right else page.padded)(cell, width)
                    for n, (cell, width) in enumerate(zip(row, widths, strict=True)))

        if block.title:
            yield from self.paragraph(page.prose(block.title), "bold")
        if block.legend:
            yield from self.prose(blocks.Prose(block.legend))
        if any(headings) and not stacked:
            yield Head(trimmed([INDENT, *(Span(f"{cell}  ", "grey") for cell in aligned(headings))]))
        for i, row in enumerate(rows):
            styles = [hue_at(hues[n], i) if n in hues else "" for n in range(len(row))]
            *first, last = row
            if len(row) > 1 and not any_but_first(row):
                yield from styled(page.wrapped_anywhere(row[0], len(INDENT)), INDENT)
            elif stacked:
                row = tuple(f"{head} {cell}" if head and cell and (n in block.right or n == len(row) - 1) else cell
                            for n, (head, cell) in enumerate(zip(headings, row, strict=True)))
                yield from styled(page.wrapped_anywhere(row[0], len(INDENT)), INDENT, styles[0])
                broken = [page.wrapped_sum if isinstance(cell, blocks.Formula) else page.wrapped_anywhere
                          for cell in block.rows[i]]
                cells = [part for cell, parts in zip(map(str.strip, row[1:]), broken[1:], strict=True) if cell
                         for part in parts(cell, 2 * len(INDENT))]
                yield from styled(page.wrapped(cells, 2 * len(INDENT), between="   "), 2 * INDENT)
            else:
                parts = self.broken(last, before_last) if wide else [last]
                spans: list[Part] = [INDENT]
                for cell, style in zip(aligned([*first, parts[0]]), styles, strict=True):
                    spans += [Span(cell, style), "  "]
                yield trimmed(spans)
                yield from styled((part.rstrip() for part in parts[1:]), " " * before_last)

    def grids(self, block: blocks.Grids) -> Iterator[Line | Rows]:
        if block.formula:
            yield ()
            yield from styled(self.page.wrapped_sum(self.page.formula(block.formula), 2 * len(INDENT)), INDENT,
                              hanging=INDENT)
        yield ()
        yield from parameter_lines(block.grids, self.page)

    def vector_rows(self, block: blocks.VectorRows) -> Iterator[Line | Rows]:
        return token_rows(block, self.page)

    def cell_lines(self, block: blocks.CellLines) -> Iterator[Line]:
        indent = max(self.page.cells(self.page.label(token)) for token in block.tokens) + 4
        for cell in block.cells:
            yield from self.cell_line(cell, 4 if indent > self.page.width // 3 else indent)
            yield BREAK

    def cell_line(self, cell: blocks.CellLine, indent: int) -> Iterator[Line]:
        """`q₁[1] = x₁ W_Q⁽¹⁾[:,1] = 0.487·(-0.520) + ... = 0.694`, in one line or broken before `=` and `+`; the result
        of a sum in several lines stands below them."""
        page = self.page
        left, symbols, numbers, result = worked = cell_text(cell, page.spelling)
        if page.cells(worked.text) + indent <= page.width:
            yield Head((" " * indent + worked.text,))
            return
        deeper = indent + page.cells(left) + 1
        if max(map(page.cells, page.wrapped_sum(numbers, deeper + 2))) + deeper + 2 > page.width:  # too many decimals
            indent, deeper = len(INDENT), 2 * len(INDENT)
        first, *rest = page.wrapped_sum(f"= {symbols}", deeper)
        yield Head((" " * indent + f"{left} {first}",))  # again above what goes on on another sheet
        yield from styled(rest, " " * (deeper + 2))
        first, *rest = sum_lines(numbers, page, page.width - deeper - 2)
        fits = not rest and page.cells(f"= {first} {result}") + deeper <= page.width
        yield from styled([f"= {first} {result}"] if fits else [f"= {first}", *(f"  {line}" for line in rest), result],
                          " " * deeper)

    def cause(self, block: blocks.Cause) -> Iterator[Line]:
        """A number in the tree of a number: how deep it lies, its place, its arithmetic, where that ends."""
        page, step = self.page, len(INDENT)
        indent = step + min(block.level, (page.width - NARROWEST_TREE) // step) * step
        level = str(block.level).rjust(step)
        more = (page.text(Message("messages.why_above_alone")) if block.cell is None
                else page.word(", ".join(block.words)))
        start = max(len(level) + 1, min(indent + step, page.width - page.cells(block.place)))  # an address stays whole
        beside = start + page.cells(f"{block.place}   {more}") <= page.width
        yield trimmed([Span(level, "grey"), " " * (start - len(level)), Span(block.place, "bold"),
                       Span(f"   {more}" if beside else "", "grey")])
        deeper = " " * (indent + 2 * step)
        yield from styled([] if beside else page.wrapped_anywhere(more, len(deeper)), deeper, "grey")
        if block.cell is None:
            return
        yield from self.cell_line(block.cell, len(deeper))
        for key, places in block.operands:
            text = page.prose(page.line(Message(f"messages.why_{key}", places=", ".join(places))))
            yield from styled(self.broken(text, len(deeper) + step), deeper, "grey")
        yield BREAK

    def matrix_equation(self, block: blocks.MatrixEquation) -> Iterator[Line | Rows]:
        page = self.page
        first, *more = page.wrapped_sum(page.formula(block.formula), 2 * len(INDENT))
        axes = page.prose(f"   {' × '.join(block.axes)}") if block.axes else ""
        gap = page.width - page.cells(INDENT + first + block.step + axes)
        beside: list[Part] = [" " * gap, Span(block.step + axes, "grey")] if gap >= 2 else []
        yield ()
        yield Head((Span(INDENT + first, "bold"), *beside))
        yield from map(Head, styled(more, 2 * INDENT, "bold"))
        if not beside:
            parts = [*re.split(r"(?<=\.)(?=\w)", block.step), axes] if axes.strip() else [block.step]
            for part in page.wrapped(parts, 0, between=""):
                yield Head((Span(page.right(part.rstrip(), page.width), "grey"),))
        yield from parameter_lines(block.parameters, page)
        yield from equation_lines(block, page)

    def maps(self, block: blocks.Maps) -> Iterator[Line]:
        return map_lines(block, self.page)

    def checks(self, block: blocks.Checks) -> Iterator[Line]:
        page = self.page
        line: list[Part] = []
        for check in block.checks:
            text, style = page.check_text(check), "red" if check.failed else "grey"
            if line and sum(page.cells(text_of(part)) for part in line) + 4 + page.cells(text) > page.width:
                yield tuple(line)
                line = []
            first, *rest = page.wrapped(words_of(text), 2 * len(INDENT))
            line += ["    " if line else INDENT, Span(first, style)]
            for part in rest:
                yield tuple(line)
                line = [2 * INDENT, Span(part, style)]
        yield tuple(line)

    def architecture(self, block: blocks.Architecture) -> Iterator[Line]:
        if not block.beside:
            from attntrace.writers.text.architecture import architecture_lines  # only now: most pages have none
            yield from architecture_lines(block, self.page)

    def verified_head(self, block: blocks.VerifiedHead) -> Iterator[Line]:
        page, blank = self.page, " " * self.page.cells(self.mark(True))
        for number, error, what in versions(page.languages, *block.headings):
            yield Head((Span(f"{INDENT}{blank} {page.right(number, NUMBER)}  {page.right(error, ERROR)}  {what}",
                             "grey"),))

    def verified(self, block: blocks.Verified) -> Iterator[Line]:
        """Text that is too long for its column is wrapped, an address after a dot."""
        page, sign = self.page, INDENT + self.mark(not block.failed)
        figures = f" {page.right(block.number, NUMBER)}  {page.right(block.error, ERROR)}  "
        indent = " " * page.cells(sign + figures)
        first, *more = page.wrapped(re.split(r"(?<=[. ])", page.prose(block.what)), len(indent), between="")
        yield Span(sign, "red" if block.failed else "grey"), figures + first.rstrip()
        yield from styled(map(str.rstrip, more), indent)
        if block.failed:
            yield from self.paragraph(page.prose(block.failed), "red", indent)

    def mark(self, right: bool) -> str:
        signs = [self.page.sign_of(either) for either in (right, not right)]
        return self.page.padded(signs[0], max(map(self.page.cells, signs)))


def any_but_first(row: tuple[str, ...]) -> bool:
    return any(row[1:])


def under_places(rows: tuple[tuple[blocks.Cell, ...], ...]) -> Iterator[tuple[blocks.Cell, ...]]:
    """Each address as a name below its place, written once for consecutive addresses of that place."""
    last = None
    for address, *rest in rows:
        place, dot, name = str(address).rpartition(".")
        if place != last:
            yield (place, *("" for _ in rest))
        last = place
        yield (INDENT + name, *rest)


class Cells(dict[int, str]):
    """As many blanks as a character takes cells, of those in most pages: our signs, Latin letters, Hangul syllables."""

    def __missing__(self, code: int) -> str:
        if not 0xac00 <= code <= 0xd7a3:
            raise LookupError
        self[code] = "  "
        return self[code]


CELLS = Cells.fromkeys([*map(ord, f"{UNICODE_SIGNS}{BARS}{FILLS}…"), *range(0x20, 0x7f), *range(0xae, 0x300)], " ")


@lru_cache(1024)
def cells_of(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii() or (text := text.translate(CELLS)).isascii():
        return len(text)
    from rich.cells import cell_len  # only now: most pages do without
    return cell_len(text)


class Palette(Paint):
    """Styles as the escape sequences of this terminal, each computed once by rich."""

    def __init__(self) -> None:
        from rich.console import COLOR_SYSTEMS, Console  # only now: most pages have no colour
        from rich.style import Style
        colours = Console(force_terminal=True).color_system or "standard"
        theme = LIGHT if os.environ.get("COLORFGBG", "").endswith((";7", ";15")) else DARK  # what some terminals say
        shades = FEW_SHADES if colours == "standard" else [
            f"color({ink}) on color({shade})" for ink, shade in zip(theme.inks, theme.shades, strict=True)]
        styles = {"bold": "bold", "grey": f"color({theme.grey})", "red": f"bold color({theme.red})",
                  **{f"hue{n}": f"color({hue})" for n, hue in enumerate(theme.hues)},
                  **{f"shade{n + 1}": shade for n, shade in enumerate(shades)}}
        painted = {name: Style.parse(style).render("\0", color_system=COLOR_SYSTEMS[colours]).partition("\0")
                   for name, style in styles.items()}
        self._around = {name: (before, after) for name, (before, _, after) in painted.items()}
        self._painted = lru_cache(4096)(self._paint)  # the words of a sentence stand above every row
        self.shades = [("", ""), *(self._around[f"shade{n + 1}"] for n in range(LEVELS))]

    def text_of(self, line: Line) -> str:
        return "".join([part if isinstance(part, str) else part.painted if isinstance(part, Shaded)
                        else self._painted(part) for part in line])

    def _paint(self, span: Span) -> str:
        if not span.text or not span.style:
            return span.text
        before, after = self._around[span.style]
        return f"{before}{span.text}{after}"
