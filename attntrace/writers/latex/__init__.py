"""Blocks as LaTeX: a document that XeLaTeX compiles, or its pieces without what stands around them."""
import codecs
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TextIO, final

from attntrace.messages.catalog import Joined, Message, Text, versions
from attntrace.pages import blocks
from attntrace.pages.blocks import Block
from attntrace.writers.formulas import arithmetic, equation
from attntrace.writers.latex.markup import (FITTING, ROOM, LatexPage, VectorArrays, beside_each_other, bookmark,
                                            comment, equation_with_numbers, escaped, map_of_head, math_block,
                                            table_lines)
from attntrace.writers.latex.picture import picture_lines
from attntrace.writers.page import (PROMPT, BlockWriter, Look, largest_of, markup_for, next_words_table, packed,
                                    with_cells_together)

CARETS = "attntrace.carets"  # how characters are written that an encoding lacks, which XeTeX reads
codecs.register_error(CARETS, lambda error: ("".join(
    f"^^^^{ord(char):04x}" if ord(char) < 0x10000 else f"^^^^^^{ord(char):06x}"
    for char in error.object[error.start:error.end]), error.end) if isinstance(error, UnicodeEncodeError) else ("", 0))


@final
class LatexWriter(BlockWriter[str]):
    """Writes blocks as they come, into a document unless a fragment is asked for."""

    def __init__(self, out: TextIO, look: Look) -> None:
        self.out, self.look = out, look
        self.encoded = markup_for(out, CARETS)
        self.page = LatexPage(look)
        self.begun = False
        self.end = ""  # of what is open for lines that are verified

    def close(self) -> None:
        self.out.writelines(map(self.encoded, self.ending()))

    def ending(self) -> Iterator[str]:
        yield ("" if self.begun else self.beginning()) + self.end
        yield "" if self.look.fragment else "\\end{document}\n"

    def beginning(self) -> str:
        self.begun = True
        with open(os.path.join(os.path.dirname(__file__), "preamble.tex"), encoding="utf-8") as file:
            preamble = file.read()
        if not self.look.fragment:
            return preamble
        needed = [line for line in preamble.partition("\n\n")[0].split("\n") if line.startswith("\\use")]
        said = self.page.line(Message("messages.fragment_needs"))
        return "".join(f"% {line}\n" for line in [self.page.word(self.look.title), said, *needed] if line)

    def lines(self, blocks: Iterable[Block]) -> Iterator[str]:
        return (self.encoded(f"{line}\n") for line in self.joined(blocks))

    def joined(self, shown: Iterable[Block]) -> Iterator[str]:
        for block in with_cells_together(shown):
            if not self.begun:
                yield self.beginning()
                if self.look.title and not isinstance(block, blocks.Title):
                    yield from self.heading_of("section", self.look.title)
            if self.end and not isinstance(block, blocks.Verified):
                yield self.end
                self.end = ""
            yield from self.written(block)

    def heading_of(self, kind: str, text: Text, before: str = "", behind: str = "") -> Iterator[str]:
        """A heading, with a text of its own for the bookmarks where it is more than letters."""
        latex = f"{before}{self.page.words(text)}{escaped(behind)}"
        plain = bookmark(f"{before}{self.page.word(self.page.line(text))}{behind}")
        title = latex if latex == plain else rf"\texorpdfstring{{{latex}}}{{{plain}}}"
        yield from ("", f"% {latex}" if self.look.fragment else rf"\{kind}{{{title}}}")

    def title(self, block: blocks.Title) -> Iterator[str]:
        if not self.look.fragment:
            yield rf"\hypersetup{{pdftitle={{{bookmark(self.page.word(self.page.line(block.text)))}}}}}"
        yield from self.page.paragraph(rf"{{\LARGE\bfseries {self.page.words(block.text)}\par}}")
        if self.look.title and not self.look.fragment:
            yield from self.page.paragraph(self.page.code(f"{PROMPT}{self.look.title}"))

    def result(self, block: blocks.Result) -> Iterator[str]:
        return chain.from_iterable(map(self.written, block.blocks))

    def part_heading(self, block: blocks.PartHeading) -> Iterator[str]:
        yield from self.heading_of("section", Joined(": ", list(filter(None, (block.name, block.title)))))
        if block.subtitle:
            yield from self.page.paragraph(self.page.words(block.subtitle))

    def stage_heading(self, block: blocks.StageHeading) -> Iterator[str]:
        yield from self.heading_of("subsubsection", block.title, f"{block.number} ", self.page.verdict(block))
        yield from self.page.paragraph(self.page.code(block.place))
        if block.formulas:
            yield from math_block([line for formula in block.formulas for line in equation(formula)])

    def explained(self, block: blocks.Explained) -> Iterator[str]:
        for title, said in (shown for topic in block.topics for shown in versions(self.page.languages, *topic)):
            yield from self.page.paragraph(rf"\textbf{{{self.page.words(title)}}}: {self.page.words(said)}")

    def heading(self, block: blocks.Heading) -> Iterator[str]:
        yield from self.heading_of("subsection", block.text)

    def prose(self, block: blocks.Prose) -> Iterator[str]:
        """Paragraphs, whose lines stay apart; one that begins with a prompt is a command."""
        text = self.page.line(block.text) if block.note else self.page.text(block.text)
        for line in filter(None, text.strip().split("\n")):
            yield from self.page.paragraph(self.page.code(line) if line.startswith(PROMPT) else self.page.words(line))

    def answer(self, block: blocks.Answer) -> Iterator[str]:
        yield from self.page.paragraph(self.page.words(self.page.line(block.text)))

    def table(self, block: blocks.Table) -> Iterator[str]:
        return table_lines(block, self.page)

    def grids(self, block: blocks.Grids) -> Iterator[str]:
        if block.formula:
            yield from math_block(equation(block.formula))
        yield from beside_each_other(block.grids, self.page)

    def vector_rows(self, block: blocks.VectorRows) -> Iterator[str]:
        """Each token with its vectors; all tokens in one array, where there is but one vector of each."""
        arrays = VectorArrays(block, self.page)
        if len(block.lines) == 1:
            yield from comment(block.lines[0].address)
            tokens = [self.page.in_hue(self.page.words(token), block.hues, n)
                      for n, token in enumerate(block.tokens) if token]
            yield from self.page.paragraph(", ".join(rf"\textbf{{{token}}}" for token in tokens))
            yield from arrays.of_tokens(range(len(block.tokens)))
            return
        for n, token in enumerate(block.tokens):
            for line in block.lines:
                yield from comment(f"{line.address}:{block.numbers[n] + 1}")
            if token:
                word = self.page.in_hue(self.page.words(token), block.hues, n)
                yield from self.page.paragraph(rf"\textbf{{{word}}}")
            yield from arrays.of_tokens([n])

    def cell_lines(self, block: blocks.CellLines) -> Iterator[str]:
        yield from math_block([line for cell in block.cells for line in arithmetic(cell)])

    def cause(self, block: blocks.Cause) -> Iterator[str]:
        """A number in the tree of a number: how deep it lies, its place, its arithmetic, where that ends."""
        more = Message("messages.why_above_alone") if block.cell is None else ", ".join(block.words)
        level, place = rf"\hspace*{{{block.level}em}}\textbf{{{block.level}}}", self.page.code(block.place)
        yield from self.page.paragraph(f"{level} {place} {self.page.words(more)}")
        if block.cell is not None:
            yield from math_block(arithmetic(block.cell))
        for key, places in block.operands:
            yield from self.page.paragraph(self.page.words(Message(f"messages.why_{key}", places=", ".join(places))))

    def matrix_equation(self, block: blocks.MatrixEquation) -> Iterator[str]:
        yield from beside_each_other(block.parameters, self.page)
        yield from comment(block.result.address)
        yield from self.page.paragraph(" ".join([self.page.code(block.step), self.page.words(" × ".join(block.axes))]))
        yield from equation_with_numbers(block, self.page)

    def maps(self, block: blocks.Maps) -> Iterator[str]:
        if block.brief:
            yield from self.page.paragraph(rf"\textbf{{{self.page.words(block.title)}}}")
        else:
            yield from self.heading(blocks.Heading(block.title))
            yield from self.page.paragraph(f"{self.page.code(block.place)} {self.page.words(largest_of(block))}")
        heads = [map_of_head(head, block.largest, self.page) for head in block.heads]
        for together in packed(heads, lambda some: sum(head.width for head in some) <= ROOM):
            yield rf"\begin{{center}}\begin{{adjustbox}}{{{FITTING}}}"
            yield "\n\\quad\n".join(head.latex for head in together)
            yield r"\end{adjustbox}\end{center}"
        if block.next_words:
            yield from self.table(next_words_table(block))

    def checks(self, block: blocks.Checks) -> Iterator[str]:
        yield r"\begin{itemize}"
        for check in block.checks:
            said = self.page.words(self.page.check_text(check))
            yield rf"\item[] \textbf{{{said}}}" if check.failed else rf"\item[] {said}"
        yield r"\end{itemize}"

    def architecture(self, block: blocks.Architecture) -> Iterator[str]:
        if not block.beside:
            yield from picture_lines(block, self.page)

    def verified_head(self, block: blocks.VerifiedHead) -> Iterator[str]:
        yield r"\begin{longtable}[l]{@{}lrr>{\raggedright\arraybackslash}p{.6\linewidth}@{}}"
        yield rf" & {' & '.join([*map(self.page.words, block.headings), ''][:3])} \\ \hline \endhead"
        self.end = "\\end{longtable}\n"

    def verified(self, block: blocks.Verified) -> Iterator[str]:
        what = self.page.code(block.what) if isinstance(block.what, str) else self.page.words(block.what)
        wrong = rf"\newline \textbf{{{self.page.words(block.failed)}}}" if block.failed else ""
        yield rf"{escaped(self.page.sign_of(not block.failed))} & {block.number} & {block.error} & {what}{wrong} \\"
