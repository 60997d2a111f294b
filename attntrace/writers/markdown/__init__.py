"""Blocks as GitHub-flavoured Markdown: numbers in tables, formulas in LaTeX, each step with its address."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby
from typing import TextIO

from attntrace.messages.catalog import Joined, versions
from attntrace.pages import blocks
from attntrace.pages.blocks import Block, Cell, Formula
from attntrace.writers.checks import check_text, hidden_sentence, sign_of
from attntrace.writers.markdown import latex, numbers, rows
from attntrace.writers.markdown.text import code, code_cell, head_of, line_of, words
from attntrace.writers.page import PROMPT, Look, Page, Writer, spelling_for


class MarkdownWriter(Writer):
    """Writes blocks as they come, under the title of the page."""

    def __init__(self, out: TextIO, look: Look) -> None:
        self.out = out
        encoding = out.encoding or "utf-8"
        self.page = Page(rows.MIXTURE, spelling_for(encoding, look.ascii), len, encoding, languages=look.languages)
        self.title = [f"# {code(look.title, self.page)}"] if look.title else []

    def __call__(self, blocks: Iterable[Block]) -> None:
        self.out.writelines(f"{line}\n" for line in chain(self.title, lines_of(blocks, self.page)))
        self.title = []
        self.out.flush()


def lines_of(shown: Iterable[Block], page: Page) -> Iterator[str]:
    place = ""  # of the stage
    for kind, alike in groupby(shown, key=type):
        if kind is blocks.CellLines:
            yield from rows.all_cell_lines(alike)
            continue
        for block in alike:
            if isinstance(block, blocks.StageHeading):
                place = block.place
            if isinstance(block, blocks.VectorRows):
                yield from rows.vector_rows(block, place, page)
            else:
                yield from WRITTEN[kind](block, page)


# ---------------------------------------------------------------- headings and prose

def part_heading(block: blocks.PartHeading, page: Page) -> Iterator[str]:
    yield from ("", f"## {words(Joined(': ', (block.name, block.title)), page)}", "", words(block.subtitle, page))


def place_heading(block: blocks.PlaceHeading, page: Page) -> Iterator[str]:
    yield from ("", f"### {words(block.title, page)}")


def stage_heading(block: blocks.StageHeading, page: Page) -> Iterator[str]:
    yield from ("", f"#### {block.number} {words(block.title, page)}", "", code(block.place, page))
    if block.formulas:
        yield from ("", *latex.block([line for formula in block.formulas for line in latex.equation(formula)]))


def explained(block: blocks.Explained, page: Page) -> Iterator[str]:
    for title, text in (shown for topic in block.topics for shown in versions(page.languages, *topic)):
        yield from ("", f"**{words(title, page)}**: {words(text, page)}")


def heading(block: blocks.Heading, page: Page) -> Iterator[str]:
    yield from ("", f"### {words(block.text, page)}")


def prose(block: blocks.Prose, page: Page) -> Iterator[str]:
    """Paragraphs, whose lines stay apart; one that begins with a prompt is a command."""
    for paragraph in re.split(r"\n\s*\n", page.text(block.text).strip()):
        if paragraph:
            yield from ("", "\\\n".join(code(line, page) if line.startswith(PROMPT) else words(line, page)
                                        for line in paragraph.split("\n")))


def answer(block: blocks.Answer, page: Page) -> Iterator[str]:
    yield from ("", words(page.line(block.text), page))


def checks(block: blocks.Checks, page: Page) -> Iterator[str]:
    yield ""
    for check in block.checks:
        text = words(check_text(check, page), page)
        yield f"- **{text}**" if check.failed else f"- {text}"


def hidden(block: blocks.Hidden, page: Page) -> Iterator[str]:
    yield from ("", words(page.line(hidden_sentence(block)), page))


# ---------------------------------------------------------------- tables

def table(block: blocks.Table, page: Page) -> Iterator[str]:
    if block.title:
        yield from ("", f"**{words(block.title, page)}**")
    yield from head_of([words(head, page) for head in block.headings], block.right)
    for first, *rest in block.rows:
        alone = bool(rest) and not any(rest)
        text = code_cell(str(first), page) if block.addresses else table_cell(first, page)
        yield line_of([f"**{text}**" if alone else text, *(table_cell(cell, page) for cell in rest)])


def table_cell(cell: Cell, page: Page) -> str:
    return latex.inline(cell) if isinstance(cell, Formula) else words(cell, page)


def verified_head(block: blocks.VerifiedHead, page: Page) -> Iterator[str]:
    yield from head_of(["", *(words(text, page) for text in block.headings)], (1, 2))


def verified(block: blocks.Verified, page: Page) -> Iterator[str]:
    """A line of the table under the last head."""
    what = code_cell(block.what, page) if isinstance(block.what, str) else words(block.what, page)
    wrong = f"<br>**{words(block.failed, page)}**" if block.failed else ""
    yield line_of([words(sign_of(page, not block.failed), page), block.number, block.error, what + wrong])


WRITTEN: dict[type, Callable[..., Iterator[str]]] = {
    blocks.PartHeading: part_heading, blocks.PlaceHeading: place_heading, blocks.StageHeading: stage_heading,
    blocks.Explained: explained, blocks.Heading: heading, blocks.Prose: prose, blocks.Answer: answer,
    blocks.Table: table, blocks.ParameterGrids: numbers.parameter_grids, blocks.Shares: numbers.shares,
    blocks.Cause: rows.cause, blocks.MatrixEquation: numbers.matrix_equation, blocks.Maps: numbers.maps,
    blocks.Checks: checks, blocks.VerifiedHead: verified_head, blocks.Verified: verified, blocks.Hidden: hidden}
