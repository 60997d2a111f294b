"""Blocks as GitHub-flavoured Markdown: numbers in tables, formulas in LaTeX, each step with its address."""
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TextIO, final

from attntrace.messages.catalog import Joined, Message, versions
from attntrace.pages import blocks
from attntrace.pages.blocks import Block
from attntrace.writers.formulas import LINE, arithmetic, equation
from attntrace.writers.markdown.markup import (LinesTogether, MarkdownPage, filled_grid, grid, head_of, inline, line_of,
                                               math_block, stand_together)
from attntrace.writers.page import (PROMPT, BlockWriter, Look, Page, largest_of, next_words_table, packed, plainly,
                                    spelling_for, with_cells_together)
from attntrace.writers.text.architecture import architecture_lines
from attntrace.writers.text.writer import cells_of

LINES = 24  # of arithmetic in one block
MIXTURE = 72  # signs of the longest mixture beside its row


@final
class MarkdownWriter(BlockWriter[str]):
    """Writes blocks as they come, under the title of the page."""

    def __init__(self, out: TextIO, look: Look) -> None:
        self.out = out
        encoding = out.encoding or "utf-8"
        self.page = MarkdownPage(MIXTURE, spelling_for(encoding, look.ascii), len, encoding, languages=look.languages)
        self.command = look.title  # until it is written
        self.place = ""  # of the stage

    def lines(self, blocks: Iterable[Block]) -> Iterator[str]:
        return (f"{line}\n" for line in self.joined(blocks))

    def joined(self, shown: Iterable[Block]) -> Iterator[str]:
        self.place = ""
        for block in with_cells_together(shown):
            if self.command and not isinstance(block, blocks.Title):
                yield f"# {self.page.code(self.command)}"
                self.command = ""
            yield from self.written(block)

    def title(self, block: blocks.Title) -> Iterator[str]:
        yield f"# {self.page.words(block.text)}"
        if self.command:
            yield from ("", self.page.code(f"{PROMPT}{self.command}"))
            self.command = ""

    def result(self, block: blocks.Result) -> Iterator[str]:
        return chain.from_iterable(map(self.written, block.blocks))

    def part_heading(self, block: blocks.PartHeading) -> Iterator[str]:
        yield from ("", f"## {self.page.words(Joined(': ', filter(None, (block.name, block.title))))}")
        if block.subtitle:
            yield from ("", self.page.words(block.subtitle))

    def stage_heading(self, block: blocks.StageHeading) -> Iterator[str]:
        self.place = block.place
        title = f"{block.number} {self.page.words(block.title)}{self.page.verdict(block)}"
        yield from ("", f"#### {title}", "", self.page.code(block.place))
        if block.formulas:
            yield from math_block([line for formula in block.formulas for line in equation(formula)])

    def explained(self, block: blocks.Explained) -> Iterator[str]:
        for title, said in (shown for topic in block.topics for shown in versions(self.page.languages, *topic)):
            yield from ("", f"**{self.page.words(title)}**: {self.page.words(said)}")

    def heading(self, block: blocks.Heading) -> Iterator[str]:
        yield from ("", f"### {self.page.words(block.text)}")

    def prose(self, block: blocks.Prose) -> Iterator[str]:
        """Paragraphs, whose lines stay apart; one that begins with a prompt is a command."""
        text = self.page.line(block.text) if block.note else self.page.text(block.text)
        for paragraph in filter(None, re.split(r"\n\s*\n", text.strip())):
            yield from ("", "\\\n".join(self.page.code(line) if line.startswith(PROMPT) else self.page.words(line)
                                        for line in paragraph.split("\n")))

    def answer(self, block: blocks.Answer) -> Iterator[str]:
        yield from ("", self.page.words(self.page.line(block.text)))

    def table(self, block: blocks.Table) -> Iterator[str]:
        if block.title:
            yield from ("", f"**{self.page.words(block.title)}**")
        if block.legend:
            yield from ("", self.page.words(block.legend))
        yield from head_of(list(map(self.page.words, block.headings)), block.right)
        for first, *rest in block.rows:
            cell = self.page.code_cell(str(first)) if block.addresses else self.cell(first)
            is_heading = bool(rest) and not any(rest)
            yield line_of([f"**{cell}**" if is_heading else cell, *map(self.cell, rest)])

    def cell(self, cell: blocks.Cell) -> str:
        return inline(cell) if isinstance(cell, blocks.Formula) else self.page.words(cell)

    def grids(self, block: blocks.Grids) -> Iterator[str]:
        if block.formula:
            yield from math_block(equation(block.formula))
        for one in block.grids:
            yield from grid(one, self.page)

    def vector_rows(self, block: blocks.VectorRows) -> Iterator[str]:
        """Each token with its vectors, named as in the place of their stage; all tokens in one table, where there is
        but one vector of each."""
        tokens = list(map(self.page.words, block.tokens))
        if len(block.lines) == 1:
            line, = block.lines
            every = [(line, n) for n in range(len(tokens))]
            above = filter(None, (self.page.factor(line.figures).strip(), self.page.code(line.address)))
            yield from LinesTogether([line], self.page).table(every, tokens, *above)
            return
        tables = [(LinesTogether(lines, self.page), lines,
                   [self.page.code_cell(self.name(line)) + self.page.factor(line.figures) for line in lines])
                  for lines in packed(block.lines, stand_together)]
        for n, token in enumerate(tokens):
            if token:
                yield from ("", f"**{token}**")
            for table, lines, names in tables:
                yield from table.table([(line, n) for line in lines], names)

    def name(self, line: blocks.RowLine) -> str:
        """`.scores`; the whole address of what is elsewhere."""
        inside = line.address.startswith(f"{self.place}.")
        return line.address.removeprefix(self.place) if inside else line.address

    def cell_lines(self, block: blocks.CellLines) -> Iterator[str]:
        """The arithmetic of a stage in one block, or in several of so many lines."""
        lines: list[str] = []
        for cell in block.cells:
            if len(lines) >= LINES:
                yield from math_block(lines)
                lines = []
            lines += arithmetic(cell)
        yield from math_block(lines)

    def cause(self, block: blocks.Cause) -> Iterator[str]:
        """A number in the tree of a number: how deep it lies, its place, its arithmetic, where that ends."""
        more = Message("messages.why_above_alone") if block.cell is None else ", ".join(block.words)
        yield from ("", f"**{block.level}** {self.page.code(block.place)} {self.page.words(more)}".rstrip())
        if block.cell is not None:
            yield from math_block(arithmetic(block.cell))
        for key, places in block.operands:
            yield from ("", self.page.words(Message(f"messages.why_{key}", places=", ".join(places))))

    def matrix_equation(self, block: blocks.MatrixEquation) -> Iterator[str]:
        new = (one for key, one in block.operands.items() if key not in block.drawn)
        yield from self.grids(blocks.Grids((*block.parameters, *new), block.formula))
        yield from grid(block.result, self.page, *[self.page.words(" × ".join(block.axes))] * bool(block.axes))

    def maps(self, block: blocks.Maps) -> Iterator[str]:
        if block.brief:
            yield from ("", f"**{self.page.words(block.title)}**")
        else:
            yield from self.heading(blocks.Heading(block.title))
            yield from ("", self.page.code(block.place), "", self.page.words(largest_of(block)))
        for head in block.heads:
            yield from filled_grid(head, block.largest, self.page)
        if block.next_words:
            yield from self.table(next_words_table(block))

    def checks(self, block: blocks.Checks) -> Iterator[str]:
        yield ""
        for check in block.checks:
            shown = self.page.words(self.page.check_text(check))
            yield f"- **{shown}**" if check.failed else f"- {shown}"

    def architecture(self, block: blocks.Architecture) -> Iterator[str]:
        """The lines of a terminal, as code."""
        if not block.beside:
            page = Page(LINE, self.page.spelling, cells_of, self.page.encoding, languages=self.page.languages)
            yield from ("", "```text", *map(plainly, architecture_lines(block, page)), "```")

    def verified_head(self, block: blocks.VerifiedHead) -> Iterator[str]:
        yield from head_of(["", *map(self.page.words, block.headings)], (1, 2))

    def verified(self, block: blocks.Verified) -> Iterator[str]:
        """A line of the table under the last head."""
        what = self.page.code_cell(block.what) if isinstance(block.what, str) else self.page.words(block.what)
        wrong = f"<br>**{self.page.words(block.failed)}**" if block.failed else ""
        yield line_of([self.page.words(self.page.sign_of(not block.failed)), block.number, block.error, what + wrong])
