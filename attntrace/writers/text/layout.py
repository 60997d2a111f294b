"""Blocks become lines of styled spans, for a page of a given width in cells and a given spelling."""

import re
from collections.abc import Callable, Iterator

from attntrace.messages.catalog import Message, versions
from attntrace.pages import blocks
from attntrace.writers.arithmetic import cell_text
from attntrace.writers.checks import check_text, head_line, hidden_sentence, verified_lines
from attntrace.writers.page import INDENT, PROMPT, Line, Page, Part, Span, styled, text_of, titled, trimmed
from attntrace.writers.text.equations import equation_lines, parameter_lines
from attntrace.writers.text.maps import map_lines
from attntrace.writers.text.vectors import token_rows

BELOW_HEADING = 5  # cells before what stands below a heading such as 1.3
NARROWEST_TREE = 48  # cells that a number deep in a tree has for its arithmetic


def lines_of(block: blocks.Block, page: Page) -> Iterator[Line]:
    """The lines of a block; a stage is set off by an empty line before its heading."""
    if getattr(block, "apart", False):
        yield ()
    yield from LAYOUTS[type(block)](block, page)


def part_heading(block: blocks.PartHeading, page: Page) -> Iterator[Line]:
    yield ()
    for name, title, subtitle in versions(page.languages, *block):
        rest = f"  {title}  {page.prose(subtitle)} "
        rounding = page.sign("═", "=") * (page.width - page.cells(name + rest))
        yield Span(name, "bold"), rest, Span(rounding, "grey")


def place_heading(block: blocks.PlaceHeading, page: Page) -> Iterator[Line]:
    *above, title = page.wrapped_anywhere(page.word(block.title) + " ", 0)
    yield ()
    yield from styled(above, "", "bold")
    yield Span(title, "bold"), Span(page.sign("─", "-") * (page.width - page.cells(title)), "grey")


def stage_heading(block: blocks.StageHeading, page: Page) -> Iterator[Line]:
    yield from titled(f"{block.number}  {page.prose(block.title)}", block.place, page, len(block.number) + 2)
    indent = " " * (len(block.number) + 2)
    for line in page.wrapped([page.formula(formula) for formula in block.formulas], len(indent), between="    "):
        for n, part in enumerate(page.wrapped_sum(line, len(indent) + len(INDENT)) if line else ()):
            yield (indent + INDENT * bool(n) + part,)


def explained(block: blocks.Explained, page: Page) -> Iterator[Line]:
    """Each topic in a hanging paragraph, which begins with its title."""
    indent = " " * BELOW_HEADING
    yield ()
    for title, text in (shown for topic in block.topics for shown in versions(page.languages, *topic)):
        bold = len(page.prose(title)) + 1
        words = page.prose(f"{title}: {text}").split(" ")
        for n, line in enumerate(page.wrapped(words, BELOW_HEADING + len(INDENT))):
            yield indent + INDENT * bool(n), Span(line[:bold], "bold"), line[bold:]
            bold = max(bold - len(line) - 1, 0)


def heading(block: blocks.Heading, page: Page) -> Iterator[Line]:
    yield (Span(INDENT + page.word(page.prose(block.text)), "bold"),)


def prose(block: blocks.Prose, page: Page) -> Iterator[Line]:
    for paragraph in page.prose(block.text).split("\n"):
        if paragraph.startswith(PROMPT):
            yield from command_lines(page.word(paragraph), page)
            continue
        words = [part for word in page.word(paragraph).split(" ") for part in page.wrapped_anywhere(word, len(INDENT))]
        for line in page.wrapped(words, len(INDENT)):
            yield (INDENT + line,) if line else ()


def command_lines(text: str, page: Page) -> Iterator[Line]:
    """A command, broken where a shell reads on: outside of quotes, behind a backslash."""
    *lines, last = page.wrapped(re.findall(r'(?:"[^"]*"|[^" ])+', text), 2 * len(INDENT))
    for n, line in enumerate([*(f"{line} \\" for line in lines), last]):
        yield (INDENT + (INDENT if n else "") + line,)


def answer(block: blocks.Answer, page: Page) -> Iterator[Line]:
    yield (page.word(block.text) if block.is_words else page.prose(page.line(block.text)),)


def table(block: blocks.Table, page: Page) -> Iterator[Line]:
    """Columns side by side; where they are too wide together, the last one goes on below itself, or else each row is
    stacked: its first cell above, the others under it."""
    words = block.tokens + block.words
    rows = [tuple(page.cell(cell, n in words) for n, cell in enumerate(row)) for row in block.rows]
    headings = list(map(page.text, block.headings))
    widths = [max(map(page.cells, column)) for column in zip(headings, *filter(any_but_first, rows), strict=True)]
    before_last = len(INDENT) + sum(widths[:-1]) + 2 * (len(widths) - 1)
    wide = before_last + widths[-1] > page.width
    if wide and block.addresses:
        yield from table(block._replace(rows=tuple(under_places(block.rows)), addresses=False), page)
        return
    stacked = wide and (len(widths) - 1 in block.right or page.width - before_last < page.width // 3)
    heads = [f"{head} " if stacked and n in block.right else "" for n, head in enumerate(headings)]
    if block.title:
        yield from styled(page.wrapped(page.prose(block.title).split(" "), len(INDENT)), INDENT, "bold")
    if any(headings) and not stacked:
        yield trimmed([INDENT, *(
            Span((page.right(cell, width) if n in block.right else page.padded(cell, width)) + "  ", "grey")
            for n, (cell, width) in enumerate(zip(headings, widths, strict=True)))])
    for i, row in enumerate(rows):
        styles = [f"token{i}" if n in block.tokens else "" for n in range(len(row))]
        if len(row) > 1 and not any_but_first(row):
            yield from styled(page.wrapped_anywhere(row[0], len(INDENT)), INDENT)
            continue
        if stacked:
            row = tuple(head + cell if cell else cell for head, cell in zip(heads, row, strict=True))
            yield from styled(page.wrapped_anywhere(row[0], len(INDENT)), INDENT, styles[0])
            cells = [part for cell in map(str.strip, row[1:]) for part in page.wrapped_anywhere(cell, 2 * len(INDENT))]
            yield from styled(page.wrapped(list(filter(None, cells)), 2 * len(INDENT), between="   "), 2 * INDENT)
            continue
        *first, last = row
        parts = page.wrapped(last.split(" "), before_last) if wide else [last]
        spans: list[Part] = [INDENT]
        for n, (cell, width) in enumerate(zip((*first, parts[0]), widths, strict=True)):
            spans += [Span(page.right(cell, width) if n in block.right else page.padded(cell, width), styles[n]),
                      "  "]
        yield trimmed(spans)
        yield from styled(parts[1:], " " * before_last)


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


def parameter_grids(block: blocks.ParameterGrids, page: Page) -> Iterator[Line]:
    yield ()
    yield from parameter_lines(block.grids, page)


def matrix_equation(block: blocks.MatrixEquation, page: Page) -> Iterator[Line]:
    first, *more = page.wrapped_sum(page.formula(block.formula), 2 * len(INDENT))
    step = block.step
    axes = page.prose(f"   {' × '.join(block.axes)}") if block.axes else ""
    gap = page.width - page.cells(INDENT + first + step + axes)
    yield ()
    if gap >= 2:
        yield Span(INDENT + first, "bold"), " " * gap, Span(step + axes, "grey")
    else:
        yield (Span(INDENT + first, "bold"),)
    yield from styled(more, 2 * INDENT, "bold")
    if gap < 2:
        for part in page.wrapped([*re.split(r"(?<=\.)(?=\w)", step), axes] if axes.strip() else [step], 0, between=""):
            yield (Span(page.right(part.rstrip(), page.width), "grey"),)
    yield from parameter_lines(block.parameters, page)
    yield from equation_lines(block, page)


def checks(block: blocks.Checks, page: Page) -> Iterator[Line]:
    line: list[Part] = []
    for check in block.checks:
        text, style = check_text(check, page), "red" if check.failed else "grey"
        if line and sum(page.cells(text_of(part)) for part in line) + 4 + page.cells(text) > page.width:
            yield tuple(line)
            line = []
        parts = page.wrapped(text.split(" "), 2 * len(INDENT))
        line += [INDENT if not line else "    ", Span(parts[0], style)]
        for part in parts[1:]:
            yield tuple(line)
            line = [2 * INDENT, Span(part, style)]
    yield tuple(line)


def hidden(block: blocks.Hidden, page: Page) -> Iterator[Line]:
    words = page.prose(page.line(hidden_sentence(block))).split(" ")
    yield from styled(page.wrapped(words, len(INDENT)), INDENT, "grey")


# ---------------------------------------------------------------- vector form

def shares(block: blocks.Shares, page: Page) -> Iterator[Line]:
    yield ()
    first, *more = page.wrapped_sum(page.formula(block.formula), 2 * len(INDENT))
    yield (INDENT + first,)
    yield from styled(more, 2 * INDENT)
    yield ()
    yield from parameter_lines(block.grids, page)
    yield ()
    yield from parameter_lines((block.result,), page)


def cell_lines(block: blocks.CellLines, page: Page) -> Iterator[Line]:
    indent = max(page.cells(page.label(token)) for token in block.tokens) + 4
    if indent > page.width // 3:
        indent = 4
    for cell in block.cells:
        yield from cell_line(cell, page, indent)


def cause(block: blocks.Cause, page: Page) -> Iterator[Line]:
    """A number in the tree of a number: how deep it lies, its place, its arithmetic, where that ends."""
    step = len(INDENT)
    indent = step + min(block.level, (page.width - NARROWEST_TREE) // step) * step
    level = str(block.level).rjust(step)
    more = (page.text(Message("messages.why_above_alone")) if block.cell is None
            else page.word(", ".join(block.words)))
    start = max(len(level) + 1, min(indent + step, page.width - page.cells(block.place)))  # an address stays whole
    beside = start + page.cells(f"{block.place}   {more}") <= page.width
    yield trimmed([Span(level, "grey"), " " * (start - len(level)), Span(block.place, "bold"),
                   Span(f"   {more}" if beside else "", "grey")])
    deeper = indent + 2 * step
    yield from styled([] if beside else page.wrapped_anywhere(more, deeper), " " * deeper, "grey")
    if block.cell is None:
        return
    yield from cell_line(block.cell, page, deeper)
    for key, places in block.operands:
        text = page.prose(page.line(Message(f"messages.why_{key}", places=", ".join(places))))
        words = [part for word in text.split(" ") for part in page.wrapped_anywhere(word, deeper + step)]
        yield from styled(page.wrapped(words, deeper + step), " " * deeper, "grey")


def cell_line(cell: blocks.CellLine, page: Page, indent: int) -> Iterator[Line]:
    """`q₁[1] = x₁ W_Q⁽¹⁾[:,1] = 0.487·(-0.520) + ... = 0.694`, in one line or broken before `=` and `+`."""
    left, symbols, numbers, result = worked = cell_text(cell, page.spelling)
    if page.cells(worked.text) + indent <= page.width:
        yield (" " * indent + worked.text,)
        return
    deeper = indent + page.cells(left) + 1
    if max(map(page.cells, page.wrapped_sum(numbers, deeper + 2))) + deeper + 2 > page.width:  # too many decimals
        indent, deeper = len(INDENT), 2 * len(INDENT)
    first, *rest = page.wrapped_sum(f"= {symbols}", deeper)
    yield (" " * indent + f"{left} {first}",)
    yield from styled(rest, " " * (deeper + 2))
    lines = page.wrapped_sum(numbers, deeper + 2)
    if page.cells(f"{lines[-1]} {result}") + deeper + 2 <= page.width:
        lines[-1] += f" {result}"
    else:
        lines.append(result)
    for n, line in enumerate(lines):
        mark = "= " if n == 0 else "" if line == result else "  "
        yield (" " * deeper + mark + line,)


LAYOUTS: dict[type, Callable[..., Iterator[Line]]] = {
    blocks.PartHeading: part_heading, blocks.PlaceHeading: place_heading, blocks.StageHeading: stage_heading,
    blocks.Explained: explained, blocks.Heading: heading, blocks.Prose: prose, blocks.Answer: answer,
    blocks.Table: table, blocks.ParameterGrids: parameter_grids, blocks.VectorRows: token_rows, blocks.Shares: shares,
    blocks.CellLines: cell_lines, blocks.Cause: cause, blocks.VerifiedHead: head_line, blocks.Verified: verified_lines,
    blocks.MatrixEquation: matrix_equation, blocks.Maps: map_lines, blocks.Checks: checks, blocks.Hidden: hidden}
