"""The picture of a model as vector graphics: boxes, the arrows between them, and what is written on them."""
from collections.abc import Iterator
from typing import NamedTuple

from attntrace.messages.catalog import Text, in_a_line
from attntrace.messages.unicode import shown
from attntrace.pages.architecture import box_at
from attntrace.pages.blocks import Architecture, Box
from attntrace.tracing.addresses import Address
from attntrace.writers.page import addresses_of, first_words
from attntrace.writers.svg.markup import GREY, INK, LINE, NOTE, PAPER, TEXT, escaped, text, width_of

ROW = 24  # height of a line on a box
UP = 24  # from one box to the next
PAD = 12  # beside what is in a box or a frame
LOOP = 12  # beside a box, for the arrow around it
BETWEEN = 40  # from one stack to the next
WORDS = 264  # of a sentence that boxes are as wide as


class Inks(NamedTuple):
    """The colours of what is written and of arrows, of addresses, of lines, of frames and of boxes; and how box number
    {0} is filled, whose colour is {1}."""
    ink: str = INK
    grey: str = GREY
    line: str = LINE
    frame: str = PAPER
    box: str = "#f3f4f6"
    here: str = "#ffd999"
    fill: str = "{1}"


THEMED = Inks("var(--ink)", "var(--soft)", "var(--line)", "var(--page)", "var(--panel)", "var(--w4)", "var(--b{0},{1})")


class Drawing:
    """Stacks side by side from (0, 0) to the right and upwards, each from its input to its result. `boxes`: those that
    are drawn, in order."""
    address = ""

    def __init__(self, block: Architecture, languages: tuple[str, ...], inks: Inks = Inks()) -> None:
        self.stacks, self.languages, self.inks = block.stacks, languages, inks
        self.here = self.box_at(block.here)
        self.boxes: list[Box] = []
        self.rects: list[str] = []
        self.texts: list[str] = []
        self.lines, self.heads, self.rules = "", "", ""
        self.width = self.height = self.x = self.box_width = 0.0
        result = None
        for stack in block.stacks:
            result = self.stack(stack, result)

    @property
    def view(self) -> str:
        return f"0 {-self.height:.0f} {self.width:.0f} {self.height:.0f}"

    def shapes(self) -> Iterator[str]:
        yield from self.rects
        yield f'<path d="{self.rules}" stroke="{self.inks.line}"/>\n'
        yield f'<path d="{self.lines}" fill="none" stroke="{self.inks.ink}"/>\n'
        yield f'<path d="{self.heads}" fill="{self.inks.ink}"/>\n'

    def parts(self, shades: bool = True) -> Iterator[str]:
        yield f'<g transform="translate(0 {self.height:.0f})">\n'
        yield from self.shapes()
        yield from self.texts
        yield "</g>\n"

    def box_at(self, address: str) -> Box | None:
        return box_at(self.stacks, address)

    def text(self, words: Text) -> str:
        return in_a_line(words, self.languages)

    def stack(self, boxes: tuple[Box, ...], before: tuple[float, float] | None) -> tuple[float, float]:
        """Draw a stack, and an arrow from the result of the one before into the box that reads it. Returns the place of
        its own result."""
        words, *others = boxes
        every = [box for outer in others for box in (outer.inside or (outer,))]
        frames = [box for box in others if box.inside]
        widths = [width_of(self.text(does)) for box in every for does in box.does]
        widths += [width_of(self.named(box, box not in others), NOTE) for box in every]
        labels = [shown(self.text(word)) for word in words.does]
        widths += [width_of(self.title(box)) - LOOP for box in frames]
        self.box_width = 2 * PAD + max(*widths, min(width_of(" ".join(labels)), WORDS) - 2 * PAD)
        self.x = self.width + (BETWEEN if before else 0)
        self.width = self.x + self.box_width + 2 * PAD + LOOP
        self.write(first_words(labels, lambda text: width_of(text) <= self.box_width), -PAD / 2)
        y = -TEXT - PAD / 2
        for box in others:
            if box.inside:
                y = self.frame(box, y, before)
            else:
                y = self.box(box, y)
        self.height = max(self.height, 1 - y)
        return self.x + PAD + self.box_width, y + ROW / 2

    @property
    def middle(self) -> float:
        """Of the boxes of a stack."""
        return self.x + PAD + self.box_width / 2

    def named(self, box: Box, is_framed: bool) -> str:
        """Its addresses; in a frame, which has the rest, the last part."""
        return f".{Address.of(box.addresses[0]).name}" if is_framed else addresses_of(box)

    def title(self, layers: Box) -> str:
        return ", ".join(map(self.text, layers.does))

    def frame(self, layers: Box, below: float, before: tuple[float, float] | None) -> float:
        """Layers in a frame, under their title; an arrow goes around each. Returns the upper edge."""
        at, fill, bottom = len(self.rects), self.fill(layers, self.inks.frame), below - UP / 2
        right, y = self.x + PAD + self.box_width, bottom
        self.lines += f"M{self.middle:.0f} {below:.0f}V{bottom:.0f}"
        for box in layers.inside:
            start, y = y - UP / 2, self.box(box, y, is_framed=True)
            if len(box.does) > 1:  # its input is added to its result
                self.lines += f"M{self.middle:.0f} {start:.0f}H{right + LOOP:.0f}V{y + ROW / 2:.0f}H{right:.0f}"
                self.heads += f"M{right:.0f} {y + ROW / 2:.0f}l7-4v8z"
            if before and box.reads:
                left, own = self.x + PAD, y + ROW * (len(box.does) - len(box.does) // 3 - 0.5)
                self.lines += f"M{before[0]:.0f} {before[1]:.0f}H{self.x - PAD:.0f}V{own:.0f}H{left:.0f}"
                self.heads += f"M{left:.0f} {own:.0f}l-7-4v8z"
        self.write(layers.addresses[0], y - PAD, NOTE, start=True)
        self.write(self.title(layers), y - PAD - ROW + 4, start=True)
        y -= PAD + 2 * ROW - 4
        self.rects.insert(at, self.rect(self.x, y, self.box_width + 2 * PAD + LOOP, bottom - y, fill))
        return y

    def box(self, box: Box, below: float, is_framed: bool = False) -> float:
        """A box, with an arrow to it from below: what it does, from below as well. Returns the upper edge."""
        x, bottom, fill = self.x + PAD, below - UP, self.fill(box, self.inks.box)
        top = bottom - NOTE - PAD / 2 - ROW * len(box.does)
        self.rects.append(self.rect(x, top, self.box_width, bottom - top, fill))
        self.lines += f"M{self.middle:.0f} {below:.0f}V{bottom:.0f}"
        self.heads += f"M{self.middle:.0f} {bottom:.0f}l-4 7h8z"
        self.write(self.named(box, is_framed), bottom - PAD / 2, NOTE)
        for n, does in enumerate(box.does):
            y = bottom - NOTE - PAD / 2 - n * ROW
            self.rules += f"M{x:.0f} {y:.0f}h{self.box_width:.0f}" * bool(n)
            self.write(self.text(does), y - ROW / 2 + TEXT / 3)
        return top

    def fill(self, box: Box, usual: str) -> str:
        self.boxes.append(box)
        return self.inks.here if box is self.here else self.inks.fill.format(len(self.boxes) - 1, usual)

    def rect(self, x: float, y: float, width: float, height: float, fill: str) -> str:
        return (f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="4" fill="{fill}" '
                f'stroke="{self.inks.line}"/>\n')

    def write(self, words: str, y: float, size: int = TEXT, start: bool = False) -> None:
        """Words in the middle of a stack, or at its left; addresses are smaller and grey."""
        x, anchor = (self.x + PAD, {}) if start else (self.middle, {"text_anchor": "middle"})
        self.texts.append(text(words, x, y, size, fill=self.inks.grey if size == NOTE else self.inks.ink, **anchor))


def described(block: Architecture, languages: tuple[str, ...]) -> str:
    """The picture in words, each stack from its input to its result."""
    def said(box: Box) -> str:
        does = (", " if box.addresses else " ").join(in_a_line(one, languages) for one in box.does)
        return f"{does} ({' → '.join(map(said, box.inside))})" if box.inside else does

    return " ".join(f"{' → '.join(map(said, stack))}." for stack in block.stacks)
