"""A stage as pages that fit a screen, each below the heading and the formulas of the stage."""
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from attntrace.messages.catalog import Joined, Message, Text
from attntrace.pages import blocks
from attntrace.pages.blocks import Block
from attntrace.pages.stages import place_title
from attntrace.writers.page import BREAK, Head, Line, Page, Span, trimmed
from attntrace.writers.text.writer import TerminalWriter

BETWEEN = " · ", " - "  # the parts of the first line
LEAST = 3  # lines below them, however small the screen is
FEW = 6  # lines, with fewer of which nothing has a screen of its own where there is room beside it
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
        self.stage = next((block for block in self.blocks if isinstance(block, blocks.StageHeading)), None)
        if self.stage is not None:
            self.number, self.title = tuple(map(int, self.stage.number.split("."))), self.stage.title
            self.place, self.formulas = self.stage.place, self.stage.formulas
            self.blocks = [block for block in self.blocks
                           if not isinstance(block, blocks.StageHeading | blocks.Heading)]
        elif self.blocks and isinstance(first := self.blocks[0], blocks.Heading):
            self.number = first.number
            del self.blocks[0]
        elif self.blocks and isinstance(first, blocks.PartHeading):
            del self.blocks[0]
        elif self.blocks and isinstance(first, blocks.Title):
            self.blocks[0] = first._replace(text="")  # its command
        elif self.blocks and isinstance(first, blocks.Table):
            self.blocks[0] = first._replace(title="")

    def is_at_or_after(self, number: Number) -> bool:
        return len(self.number) == len(number) and self.number >= number

    def screens(self, writer: TerminalWriter, last: Number, height: int, one_thing: bool) -> list[list[Line]]:
        """The sheet as screens of so many lines. `last`: the number of the last stage; `one_thing`: as few things on a
        screen as can be."""
        page = writer.page
        title = [line for part in page.wrapped(self.name(page, last), COUNT, between=page.sign(*BETWEEN))
                 for line in page.wrapped(part.split(" "), COUNT)]
        formulas = list(writer.formula_lines(self.formulas))
        body = [writer.block_lines(block) for block in self.blocks]
        if len(formulas) > height // 3:
            formulas, body = [], [iter(formulas), *body]
        above = [*formulas, ()]
        pages = filled(pieces(body), max(height - len(title) - len(above), LEAST), one_thing)
        screens: list[list[Line]] = []
        for n, lines in enumerate(pages, start=1):
            count = f"{n}/{len(pages)}" if len(pages) > 1 else ""
            gap = " " * (page.width - page.cells(title[0]) - len(count))
            first = trimmed([Span(title[0], "bold"), gap, Span(count, "grey")])
            screens.append([first, *((Span(line, "bold"),) for line in title[1:]), *above, *lines])
        return screens

    def name(self, page: Page, last: Number) -> list[str]:
        """`1.3 of 1.20 · Attention ✓`, and its place in words."""
        number, title, place = (page.word(page.prose(page.line(text))) for text in (
            Message("messages.sheet", number=spelled(self.number), last=spelled(last)), self.title,
            place_title(self.place)))
        title += page.verdict(self.stage) if self.stage is not None else ""
        return [f"{number}{page.sign(*BETWEEN)}{title}" if self.number else title, *([place] if self.place else [])]


def numbered(given: Iterable[Block], one_thing: bool) -> list[list[Block]]:
    """The blocks of a page without stages as sheets, of which all but the first have numbers: each attention (or, of
    `one_thing`, each of its heads), each table with a title, each part."""
    sheets: list[list[Block]] = [[]]
    in_details = False
    for block in given:
        for one in heads_of(block) if one_thing and isinstance(block, blocks.Maps) else [block]:
            begins = (title_of(one) if isinstance(one, blocks.Maps | blocks.Table) else
                      Joined(": ", filter(None, (title_of(sheets[0][0]), title_of(one))))
                      if isinstance(one, blocks.VerifiedHead) and sheets[0] else
                      one.text if isinstance(one, blocks.Heading) and one.of_place else "")
            if isinstance(one, blocks.PartHeading):
                begins, in_details = title_of(one), True
            elif in_details:
                begins = ""
            if begins and sheets[0]:
                sheets.append([blocks.Heading(begins, number=(len(sheets),))])
                if isinstance(one, blocks.Heading | blocks.PartHeading):
                    continue
                one = one._replace(title="") if isinstance(one, blocks.Maps | blocks.Table) else one
            sheets[-1].append(one)
    return sheets


def heads_of(maps: blocks.Maps) -> list[Block]:
    return [maps._replace(heads=(head,)) for head in maps.heads]


def title_of(block: Block) -> Text:
    """What a sheet may be called after."""
    if isinstance(block, blocks.Heading | blocks.Title):
        return block.text
    if isinstance(block, blocks.PartHeading):
        return Joined("  ", filter(None, (block.name, block.title, block.subtitle)))
    if isinstance(block, blocks.VerifiedHead):
        return block.headings[-1]
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
            is_head = isinstance(line, Head) and line is not BREAK
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


def filled(pieces: Iterable[Piece], height: int, one_thing: bool) -> list[list[Line]]:
    """Pieces in pages of at most so many lines, one at the least. A piece is broken only where it is higher than a
    page, above heads if it can; where a page begins below heads, they are written again. Few lines have a page of their
    own only where there is no room beside them."""
    pages: list[list[Piece]] = [[]]
    for piece in pieces:
        for n, part in enumerate(broken(piece, height)):
            page = pages[-1]
            if page and (not fits([*page, part], height) or one_thing and not n and len(laid(page, height)) >= FEW):
                pages.append([])
            pages[-1].append(part)
    for n in reversed(range(1, len(pages))):
        before, page = pages[n - 1:n + 1]
        if len(laid(page, height)) < FEW and fits([*before, *page], height):
            pages[n - 1:n + 1] = [[*before, *page]]
            continue
        while len(laid(page, height)) < FEW <= len(laid(before[:-1], height)) and fits([before[-1], *page], height):
            page.insert(0, before.pop())
    return [laid(page, height) for page in pages]


def laid(pieces: list[Piece], height: int) -> list[Line]:
    """Pieces on a page, below the heads of the first."""
    page: list[Line] = []
    for apart, lines in pieces:
        if page and apart:
            page.append(())
        elif not page and len(heads := lines[0][1]) <= height // 2:
            page += heads
        page += [line for line, _ in lines]
    return page


def fits(pieces: list[Piece], height: int) -> bool:
    return len(laid(pieces, height)) <= height


def broken(piece: Piece, height: int) -> Iterator[Piece]:
    """A piece as it is; in parts that begin with their heads, or else in lines, where it is higher than a page."""
    if fits([piece], height):
        yield piece
        return
    for n, part in enumerate(bands(piece.lines)):
        whole = Piece(piece.apart and not n, part)
        if fits([whole], height):
            yield whole
            continue
        count = 1 + next((n for n, (line, _) in enumerate(part) if not isinstance(line, Head)), 0)  # with its heads
        yield from (Piece(whole.apart and not m, lines) for m, lines in enumerate(
            [part[:count], *([line] for line in part[count:])]) if lines)


def bands(lines: Lines) -> list[Lines]:
    """Lines in parts that begin with their heads."""
    parts: list[Lines] = []
    for n, (line, heads) in enumerate(lines):
        if not n or isinstance(line, Head) and not isinstance(lines[n - 1][0], Head):
            parts.append([])
        parts[-1].append((line, heads))
    return parts
