"""A stage as pages that fit a screen, each below the heading and the formulas of the stage."""
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from attntrace.messages.catalog import Message, Text
from attntrace.pages import blocks
from attntrace.pages.blocks import Block
from attntrace.pages.stages import place_title
from attntrace.writers.page import BREAK, Head, Line, Page, Span, trimmed
from attntrace.writers.text.writer import TerminalWriter

BETWEEN = " · ", " - "  # the parts of the first line
LEAST = 3  # lines below them, however small the screen is
COUNT = 8  # cells at the right for the number of the page
Number = tuple[int, ...]  # of a stage: of its part and its own, or its own
Lines = list[tuple[Line, list[Line]]]  # each with the heads above it


class Piece(NamedTuple):
    """Lines that stay together where they fit; `apart`: with an empty line above."""
    apart: bool
    lines: Lines


class Sheet:
    """The blocks of a stage: its number, title and place, its formulas, and all others."""

    def __init__(self, given: Iterable[Block]) -> None:
        self.blocks = list(given)
        self.number: Number = ()
        titles: list[Text] = [title for title in map(title_of, self.blocks) if title]
        self.title: Text = titles[0] if titles else Message("messages.sheet_end")
        self.place = ""
        self.formulas: tuple[blocks.Formula, ...] = ()
        stage = next((block for block in self.blocks if isinstance(block, blocks.StageHeading)), None)
        if stage is not None:
            self.number, self.title = tuple(map(int, stage.number.split("."))), stage.title
            self.place, self.formulas = stage.place, stage.formulas
            self.blocks = [block for block in self.blocks
                           if not isinstance(block, blocks.StageHeading | blocks.Heading)]
        elif self.blocks and isinstance(first := self.blocks[0], blocks.Heading):
            self.number = first.number
            del self.blocks[0]
        elif self.blocks and isinstance(first, blocks.Title | blocks.PartHeading):
            del self.blocks[0]
        elif self.blocks and isinstance(first, blocks.Table):
            self.blocks[0] = first._replace(title="")

    def is_at_or_after(self, number: Number) -> bool:
        return len(self.number) == len(number) and self.number >= number

    def screens(self, writer: TerminalWriter, last: int, height: int, one_thing: bool) -> list[list[Line]]:
        """The sheet as screens of so many lines. `last`: the number of the last stage; `one_thing`: what empty lines
        set apart stands on a screen each."""
        page = writer.page
        title = [line for part in page.wrapped(self.name(page, last), COUNT, between=page.sign(*BETWEEN))
                 for line in page.wrapped(part.split(" "), COUNT)]
        formulas = list(writer.formula_lines(self.formulas))
        body = [writer.block_lines(block) for block in self.blocks]
        if len(formulas) > height // 3:
            formulas, body = [], [iter(formulas), *body]
        above = [*formulas, ()]
        pages = list(filled(pieces(body), max(height - len(title) - len(above), LEAST), one_thing))
        screens: list[list[Line]] = []
        for n, lines in enumerate(pages, start=1):
            count = f"{n}/{len(pages)}" if len(pages) > 1 else ""
            gap = " " * (page.width - page.cells(title[0]) - len(count))
            first = trimmed([Span(title[0], "bold"), gap, Span(count, "grey")])
            screens.append([first, *((Span(line, "bold"),) for line in title[1:]), *above, *lines])
        return screens

    def name(self, page: Page, last: int) -> list[str]:
        """`1.3 of 20 · Attention`, and its place in words."""
        number, title, place = (page.word(page.prose(page.line(text))) for text in (
            Message("messages.sheet", number=spelled(self.number), last=last), self.title, place_title(self.place)))
        return [f"{number}{page.sign(*BETWEEN)}{title}" if self.number else title, *([place] if self.place else [])]


def title_of(block: Block) -> Text:
    """What a sheet may be called after."""
    if isinstance(block, blocks.Heading | blocks.Title):
        return block.text
    if isinstance(block, blocks.PartHeading):
        return block.name
    return block.title if isinstance(block, blocks.Table | blocks.Maps) else ""


def spelled(number: Number) -> str:
    return ".".join(map(str, number))


def pieces(body: Iterable[Iterable[Line]]) -> Iterator[Piece]:
    """The lines of blocks in pieces that a page may end between: at an empty line, or at a BREAK."""
    piece = Piece(False, [])
    for lines in body:
        heads: list[Line] = []
        follows_head = False
        for line in lines:
            is_head = isinstance(line, Head)
            if line:
                heads = [line] if is_head and not follows_head else [*heads, line] if is_head else heads
                piece.lines.append((line, [] if is_head else heads))
            else:
                if piece.lines:
                    yield piece
                piece = Piece(line is not BREAK or piece.apart and not piece.lines, [])
            follows_head = is_head
    if piece.lines:
        yield piece


def filled(pieces: Iterable[Piece], height: int, one_thing: bool) -> Iterator[list[Line]]:
    """Pieces in pages of at most so many lines, one at the least. A piece is broken only where it is higher than a
    page, above heads if it can; where a page begins below heads, they are written again."""
    page: list[Line] = []
    for apart, lines in pieces:
        for n, part in enumerate(bands(lines) if len(lines) > height else [lines]):
            above = apart and not n
            if page and (len(page) + above + len(part) > height or one_thing and not n):
                yield page
                page = []
            if page and above:
                page.append(())
            for line, heads in part:
                if len(page) >= height:
                    yield page
                    page = []
                if not page and len(heads) <= height // 2:
                    page += heads
                page.append(line)
    yield page


def bands(lines: Lines) -> list[Lines]:
    """Lines in parts that begin with their heads."""
    parts: list[Lines] = []
    for n, (line, heads) in enumerate(lines):
        if not n or isinstance(line, Head) and not isinstance(lines[n - 1][0], Head):
            parts.append([])
        parts[-1].append((line, heads))
    return parts
