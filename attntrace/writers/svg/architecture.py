"""The picture of a model as vector graphics: boxes, the arrows between them, and what is written on them."""
import math
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
WORDS = 280  # of a sentence that boxes are as wide as


class Inks(NamedTuple):
    """The colours of letters and arrows, of addresses, of lines, of frames, of boxes, and of the box that is here."""
    ink: str = INK
    grey: str = GREY
    line: str = LINE
    frame: str = PAPER
    box: str = "#f3f4f6"
    here: str = "#ffd999"


THEMED = Inks("var(--ink)", "var(--soft)", "var(--line)", "var(--page)", "var(--panel)", "var(--w4)")


class Shape(NamedTuple):
    """Of a box, in pixels; as text, its attributes."""
    x: float
    y: float
    width: float
    height: float

    def __str__(self) -> str:
        return f'x="{self.x:.0f}" y="{self.y:.0f}" width="{self.width:.0f}" height="{self.height:.0f}" rx="4"'


class Label(NamedTuple):
    """Words around a place, or from there (`starts`); those of the size NOTE are an address."""
    words: str
    x: float
    y: float
    size: int
    starts: bool


class Drawing:
    """Stacks side by side from (0, 0) to the right and upwards, each from its input to its result. `rects`: the shape
    of each box that is drawn, and its colour; `lines`, `heads`, `rules`: what else is drawn, as paths."""
    address = ""

    def __init__(self, block: Architecture, languages: tuple[str, ...], inks: Inks = Inks()) -> None:
        self.stacks, self.languages, self.inks = block.stacks, languages, inks
        self.here = box_at(self.stacks, block.here)
        self.rects: list[tuple[Box, Shape, str]] = []
        self.labels: list[Label] = []
        self.lines, self.heads, self.rules = "", "", ""
        self.width = self.height = self.x = self.box_width = 0.0
        result = None
        for stack in block.stacks:
            result = self.stack(stack, result)

    @property
    def view(self) -> str:
        """What is to be seen, lines at its edges included."""
        return f"-1 {-self.height:.0f} {self.width + 2:.0f} {self.height:.0f}"

    def shapes(self) -> Iterator[str]:
        for box, shape, fill in self.rects:
            places = f' data-places="{escaped(" ".join(box.addresses))}"' if self.inks is THEMED else ""  # of a page
            ink = self.inks.here if box is self.here else fill
            yield f'<rect {shape} fill="{ink}" stroke="{self.inks.line}"{places}/>\n'
        yield f'<path d="{self.rules}" stroke="{self.inks.line}"/>\n'
        yield f'<path d="{self.lines}" fill="none" stroke="{self.inks.ink}"/>\n'
        yield f'<path d="{self.heads}" fill="{self.inks.ink}"/>\n'

    def texts(self) -> Iterator[str]:
        for words, x, y, size, starts in self.labels:
            yield text(words, x, y, size, fill=self.inks.grey if size == NOTE else self.inks.ink,
                       **{} if starts else {"text_anchor": "middle"})

    def parts(self, shades: bool = True) -> Iterator[str]:
        yield f'<g transform="translate(0 {self.height:.0f})">\n'
        yield from self.shapes()
        yield from self.texts()
        yield "</g>\n"

    def shape_at(self, address: str) -> str:
        """The shape of the box to which an address belongs; nothing where there is none."""
        found = box_at(self.stacks, address)
        return next((str(shape) for box, shape, _ in self.rects if box is found), "")

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
        self.box_width = math.ceil(max(max(widths) + 2 * PAD, min(width_of(" ".join(labels)), WORDS)))
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
        at, bottom = len(self.rects), below - UP / 2
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
        self.write(layers.addresses[0], y - PAD, NOTE, starts=True)
        self.write(self.title(layers), y - PAD - ROW + 4, starts=True)
        y -= PAD + 2 * ROW - 4
        shape = Shape(self.x, y, self.box_width + 2 * PAD + LOOP, bottom - y)
        self.rects.insert(at, (layers, shape, self.inks.frame))  # behind what is in it
        return y

    def box(self, box: Box, below: float, is_framed: bool = False) -> float:
        """A box, with an arrow to it from below: what it does, from below as well. Returns the upper edge."""
        x, bottom = self.x + PAD, below - UP
        top = bottom - NOTE - PAD / 2 - ROW * len(box.does)
        self.rects.append((box, Shape(x, top, self.box_width, bottom - top), self.inks.box))
        self.lines += f"M{self.middle:.0f} {below:.0f}V{bottom:.0f}"
        self.heads += f"M{self.middle:.0f} {bottom:.0f}l-4 7h8z"
        self.write(self.named(box, is_framed), bottom - PAD / 2, NOTE)
        for n, does in enumerate(box.does):
            y = bottom - NOTE - PAD / 2 - n * ROW
            self.rules += f"M{x:.0f} {y:.0f}h{self.box_width:.0f}" * bool(n)
            self.write(self.text(does), y - ROW / 2 + TEXT / 3)
        return top

    def write(self, words: str, y: float, size: int = TEXT, starts: bool = False) -> None:
        """Words in the middle of a stack, or at its left; addresses are smaller and grey."""
        self.labels.append(Label(words, self.x + PAD if starts else self.middle, y, size, starts))


def described(block: Architecture, languages: tuple[str, ...]) -> str:
    """The picture in words, each stack from its input to its result."""
    def said(box: Box) -> str:
        does = (", " if box.addresses else " ").join(in_a_line(one, languages) for one in box.does)
        return f"{does} ({' → '.join(map(said, box.inside))})" if box.inside else does

    return " ".join(f"{' → '.join(map(said, stack))}." for stack in block.stacks)
