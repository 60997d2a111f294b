"""The picture of a model in lines: its stacks side by side, each read from below, with the addresses of its boxes."""
from collections.abc import Iterator
from typing import NamedTuple

from attntrace.pages.architecture import box_at
from attntrace.pages.blocks import Architecture, Box
from attntrace.tracing.addresses import Address
from attntrace.writers.page import Line, Page, Span, addresses_of, first_words, trimmed

BETWEEN = 4  # cells from one stack to the next
EDGES = 6  # cells of a line in a frame that are not text: its sides, and the rail of arrows from box to box
NARROW = 28  # cells that a stack has at the least
APART = "  "  # between what a box does and its address


class Row(NamedTuple):
    """A line of a stack: its text between what stands at its edges, filled up to the width of the others."""
    left: str
    text: tuple[Span, ...] = ()
    right: str = ""
    fill: str = " "


def architecture_lines(block: Architecture, page: Page) -> Iterator[Line]:
    """An arrow leads from the result of a stack into the box of the next one that reads it."""
    stacks = side_by_side(block, page)
    pairs = list(zip(stacks, stacks[1:], strict=False))
    for before, stack in pairs:
        if stack.reading is not None:
            before.rows[-1] = before.rows[-1]._replace(fill=page.sign("─", "-"))
    for y in reversed(range(max(len(stack.rows) for stack in stacks))):
        line = stacks[0].line(y)
        for before, stack in pairs:
            line += [Span(arrow(y, len(before.rows) - 1, stack.reading, page), "grey"), *stack.line(y)]
        yield trimmed([*line])


def side_by_side(block: Architecture, page: Page) -> list["Stack"]:
    """Stacks as wide as their texts where these fit. Else the last, which has most boxes, is as wide as its texts and
    the first gets what is left, or both are equally wide: what takes fewer lines."""
    def drawn(*widths: int) -> list[Stack]:
        return [Stack(boxes, page, width, box_at(block.stacks, block.here))
                for boxes, width in zip(block.stacks, widths, strict=True)]

    stacks = drawn(*(page.width for _ in block.stacks))
    room = page.width - BETWEEN
    if len(stacks) == 1 or sum(stack.width for stack in stacks) <= room:
        return stacks
    last = min(stacks[-1].width, room - NARROW)
    return min(drawn(room - last, last), drawn(room // 2, room // 2),
               key=lambda stacks: max(len(stack.rows) for stack in stacks))


def arrow(y: int, start: int, end: int | None, page: Page) -> str:
    """What stands in a line between two stacks: a part of the arrow from one line to another."""
    if end is None or not min(start, end) <= y <= max(start, end):
        return " " * BETWEEN
    if y == start:
        return page.sign("─┐  " if start > end else "─┘  ", "-+  ")
    return page.sign("└─▶" if start > end else "┌─▶", "+->").rjust(BETWEEN) if y == end else page.sign(" │  ", " |  ")


class Stack:
    """The rows of a stack, the lowest first, in at most so many cells; `reading`: the row at which the box begins that
    reads another stack."""

    def __init__(self, boxes: tuple[Box, ...], page: Page, most: int, here: Box | None) -> None:
        self.page, self.most, self.here = page, most, here
        words, *others = boxes
        self.rows = [Row("    ")]  # for words, which are cut to the width of what is above them
        self.reading: int | None = None
        for box in others:
            if box.inside:
                self.frame(box)
            else:
                self.single(box)
        if self.cells(self.rows[-1]) < most:  # before an arrow
            self.rows[-1] = self.rows[-1]._replace(text=(*self.rows[-1].text, Span(" ")))
        self.width = max(map(self.cells, self.rows))
        labels = [page.label(page.text(word)) for word in words.does]
        shown = first_words(labels, lambda text: page.cells(text) <= self.width - 4)
        self.rows[0] = self.rows[0]._replace(text=(Span(shown),))

    def cells(self, row: Row) -> int:
        return sum(map(self.page.cells, (row.left, *(span.text for span in row.text), row.right)))

    def line(self, y: int) -> list[Span]:
        row = self.rows[y] if y < len(self.rows) else Row("")
        return [Span(row.left, "grey"), *row.text, Span(row.fill * (self.width - self.cells(row)) + row.right, "grey")]

    def frame(self, layers: Box) -> None:
        """Layers: what is in them in a frame, with their title in its upper edge, or below it where it is too long."""
        page, sign = self.page, self.page.sign
        across, down, rail, room = sign("─", "-"), sign("│", "|"), sign("─┼─", "-+-"), self.most - EDGES
        title, style = list(map(page.prose, layers.does)), self.style(layers)
        above, fits = f" {', '.join(title)} ", page.cells(", ".join(title)) + 2 <= room
        sides = f"{down} ", f" {down}"
        self.rows.append(Row(sign("└", "+") + rail, (), across + sign("┘", "+"), across))
        whole = all(len(box.addresses[0]) <= room for box in layers.inside)
        for box in layers.inside:
            address = box.addresses[0] if whole else f".{Address.of(box.addresses[0]).name}"
            self.put([*self.texts(box, room), (Span(address, "grey"),)], self.begins(box), *sides)
            if box.reads:
                self.reading = len(self.rows) - 1
        if not whole:
            self.put([(Span(layers.addresses[0], "grey"),)], down, *sides)
        if not fits:
            lines = page.wrapped([*(f"{one}," for one in title[:-1]), title[-1]], page.width - room)
            self.put([(Span(line, style),) for line in lines], down, *sides)
        self.rows.append(Row(sign("┌", "+") + rail, (Span(above, style),) * fits, across + sign("┐", "+"), across))

    def single(self, box: Box) -> None:
        """A box without a frame, with its address behind what it does, or below that where it is too long."""
        room = self.most - EDGES + 2
        *above, last = self.texts(box, room)
        address = addresses_of(box)
        fits = sum(self.page.cells(span.text) for span in last) + len(APART + address) <= room
        below = [(*last, Span(APART + address, "grey"))] if fits else [last, *(
            (Span(line, "grey"),) for line in self.page.wrapped(address.split(" "), self.page.width - room))]
        self.put([*above, *below], self.begins(box), "  ", "")

    def texts(self, box: Box, room: int) -> list[tuple[Span, ...]]:
        """What a box does, in lines of so many cells, which are broken before arrows if they can be."""
        page = self.page
        does = [page.sign("→ ", "> ") * bool(n) + page.prose(text) for n, text in enumerate(box.does)]
        parts = [part for text in does for part in ([text] if page.cells(text) <= room else text.split(" "))]
        return [(Span(line, self.style(box)),) for line in page.wrapped(parts, page.width - room)]

    def put(self, texts: list[tuple[Span, ...]], begins: str, left: str, right: str) -> None:
        down = self.page.sign("│", "|")
        self.rows += reversed([Row(f"{left}{down if n else begins} ", text, right) for n, text in enumerate(texts)])

    def style(self, box: Box) -> str:
        return "bold" if box is self.here else ""

    def begins(self, box: Box) -> str:
        """The sign before the first line of a box."""
        return self.page.sign("●", "*") if box is self.here else self.page.sign("↑", "^")
