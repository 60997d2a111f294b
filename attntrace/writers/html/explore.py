"""What explore.js needs to work out how a number of the page comes about: the op and the operands behind each step.

Numbers stand on the page already; here are only those of which it shows too few digits. Everything is ASCII, and no
`<` is in it, so that it may stand in a page of any encoding."""
import json
from collections import defaultdict
from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np

from attntrace.messages.catalog import Message, in_a_line
from attntrace.messages.unicode import shown
from attntrace.pages.blocks import Wired, Wiring
from attntrace.pages.numbers import Figures
from attntrace.tensor.axes import Axes
from attntrace.tensor.expression import Call, Expression, Number
from attntrace.tensor.tensor import Array, Op, Tensor, apply
from attntrace.tracing.addresses import Address
from attntrace.writers.arithmetic import MISSED
from attntrace.writers.html.scripts import ANSWERS, script, style

SKELETON = ("title", "hint", "back", "pin", "size", "shade", "go", "keys", "present", "forward", "reveal", "leave",
            "present_keys")
TEXTS = ("start_word", "start", "sources", "more", "parameter", "elsewhere", "absent", "unshown", "pin", "unpin",
         "copy", "copied", "command", "unknown", "fold", "unfold")
PANEL = """<template id=panel><aside id=explore aria-label="{title}">
<header><strong>{title}</strong><button disabled>{back}</button><button>{pin}</button>
<button class=grow aria-label="{size}">\u2195</button></header>
<div class=body tabindex=0 role=region aria-label="{title}" aria-live=polite><p>{hint}</div>
<footer><form><input list=addresses aria-label="{go}" placeholder="head1.scores:2,1">
<datalist id=addresses></datalist></form>
<button aria-pressed=false>{shade}</button><button>{present}</button><p class="note keys">{keys}</footer></aside>
<dialog id=present aria-label="{present}"><header><strong></strong><span class=at></span></header>
<div class=sheet aria-live=polite tabindex=0 role=region aria-label="{present}"></div>
<footer><button aria-label="{back}">\u2190</button><button>{reveal}</button>
<button aria-label="{forward}">\u2192</button>
<p class="note keys">{present_keys}</p><form method=dialog><button>{leave}</button></form></footer></dialog></template>
"""  # explore.js fills it
SLOTS = {name: f"{{{name}}}" for name in ("word", "number", "place", "count")}  # that the page fills
SAFELY = 1.1  # how much earlier digits are given than they are needed
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


class Wires:
    """The wiring of the steps of a page: an entry for each step and each parameter, below a text that is their place.

    An entry is a name, a node, how its numbers are written (decimals and power of ten, unless usual), and those of
    which the page shows too few digits. A node is an op (0: there is none), the axes of its result, settings (without
    an op: 1 for a step that the page does not show, none for a parameter), and operands: a number is an entry, a text a
    constant."""

    def __init__(self) -> None:
        self.command, self.parameters, self.targets = "", frozenset[str](), tuple[str, ...]()
        self.pencil: int | None = None
        self.entries: list[Any] = []
        self.numbers: dict[str, int] = {}  # of entries, by address
        self.figures: dict[str, Figures] = {}
        self.digits: dict[str, dict[int, float]] = defaultdict(dict)  # numbers with more digits
        self.axes: dict[tuple[str, int], int] = {}
        self.constants: dict[tuple[str, str], int] = {}
        self.templates: dict[str, Any] = {}
        self.done: set[str] = set()
        self.place = ""

    def take(self, block: Wiring) -> None:
        self.command = f"attntrace {block.command}" if block.command else self.command
        self.parameters |= block.parameters
        self.targets = block.targets or self.targets
        for wired in block.steps:
            if wired.tensor.address not in self.done:  # in the other form
                self.add(wired)

    def markup(self, languages: tuple[str, ...]) -> Iterator[str]:
        """What makes the page answer, at its end; nothing where it has no steps."""
        if self.entries:
            texts = {name: in_a_line(Message(f"panel.{name}", **SLOTS), languages) for name in (*SKELETON, *TEXTS)}
            panel = PANEL.format(**{name: escape(text) for name, text in texts.items()})
            data = self.json({name: texts[name] for name in TEXTS})
            yield (f'<style>\n{style(*ANSWERS)}</style>\n<script type="application/json" id=wiring>{data}</script>\n'
                   f"{panel}<script>\n{script(*ANSWERS)}</script>\n")

    def add(self, wired: Wired) -> None:
        self.done.add(wired.tensor.address or "")
        self.pencil, self.figures_of = wired.pencil, {**wired.figures_of, wired.tensor: wired.figures}
        self.enter(wired.tensor, self.node(wired.node.op, wired.tensor.axes, wired.node.operands))
        for index in np.argwhere(missed(wired)).tolist() if wired.pencil is None else ():
            for ref in wired.node.cell(tuple(index)).leaves():
                if isinstance(ref.tensor, Tensor) and ref.tensor.address is not None:
                    number = float(ref.tensor.value[ref.index])
                    if is_short(number, self.figures[ref.tensor.address]):
                        place = int(np.ravel_multi_index(ref.index, ref.tensor.value.shape))
                        self.digits[ref.tensor.address][place] = number

    def enter(self, tensor: Tensor, node: list[Any]) -> int:
        """Add the entry of a step or a parameter, and return its number."""
        address, figures = Address.of(tensor.address or ""), self.figures_of[tensor]
        if address.place != self.place:
            self.place = address.place
            self.entries.append(self.place)
        self.entries.append((address.name, node, tensor.address))
        self.figures[tensor.address or ""] = figures
        if figures.power:
            flat = tensor.value.ravel()
            places = np.flatnonzero((np.abs(flat) < 10 * figures.unit) & (flat != 0))
            self.digits[tensor.address or ""].update(zip(places.tolist(), flat[places].tolist(), strict=True))
        return self.numbers.setdefault(tensor.address or "", len(self.numbers))

    def node(self, op: Op, axes: Axes, operands: tuple[Tensor, ...]) -> list[Any]:
        if op.template is not None:
            self.templates[f"{op.name}{len(operands)}"] = tree(op.template(*map(Slot, range(len(operands)))))
        return [op.name, self.axes_of(axes), op.settings() or 0, *map(self.operand, operands)]

    def axes_of(self, axes: Axes) -> list[int]:
        return [self.axes.setdefault((axis.name, axis.size), len(self.axes)) for axis in axes]

    def operand(self, tensor: Tensor) -> Any:
        if tensor.address is not None:
            number = self.numbers.get(tensor.address)
            return self.enter(tensor, [0, self.axes_of(tensor.axes)]) if number is None else number
        if tensor.node is not None:
            return self.node(tensor.node.op, tensor.axes, tensor.node.operands)
        if not tensor.axes:
            return str(Number(tensor.value.item()))
        texts = " ".join(map(self.figures_of[tensor].text, tensor.value.ravel().tolist()))
        constant = tensor.symbol.spelled() if tensor.symbol else "", texts
        return ["=", self.axes_of(tensor.axes), self.constants.setdefault(constant, len(self.constants))]

    def json(self, texts: dict[str, str]) -> str:
        figures = [[one.decimals, one.power] for one in self.figures.values()]
        usual = max(figures, key=figures.count)
        entries = [entry if isinstance(entry, str) else self.completed(entry, usual) for entry in self.entries]
        wiring = dict(entries=entries, axes=list(self.axes), constants=list(self.constants), templates=self.templates,
                      usual=usual, pencil=self.pencil, missed=MISSED, command=shown(self.command),
                      targets=list(map(shown, self.targets)), words=texts)
        return json.dumps(wiring, separators=(",", ":")).replace("<", "\\u003c")

    def completed(self, entry: tuple[str, list[Any], str], usual: list[int]) -> list[Any]:
        """An entry with its figures and digits, where it needs them."""
        name, node, address = entry
        if not node[0] and address not in self.parameters:  # a step that the page does not show
            node = [*node, 1]
        figures, digits = self.figures[address], spelled(self.digits[address], self.figures[address])
        own = [figures.decimals, figures.power]
        return [name, node, own, digits] if digits else [name, node] if own == usual else [name, node, own]


class Slot(Expression):
    """An operand of an op, by its number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def tree(node: Expression) -> Any:
    """An expression as nested lists; operands by number, constants as text."""
    if isinstance(node, Slot):
        return node.number
    if isinstance(node, Number):
        return str(node)
    return [node.kind, *([node.name] if isinstance(node, Call) else []), *map(tree, node.parts)]


def missed(wired: Wired) -> Array:
    """Of which numbers the arithmetic in the digits that are shown may miss the result so far that operands need more
    digits (see arithmetic.cell_text)."""
    def rounded(tensor: Tensor) -> Tensor:
        if not tensor.is_leaf:
            return apply(tensor.history.op, *map(rounded, tensor.history.operands))
        if tensor.value.dtype.kind != "f" or tensor.address is None:
            return tensor
        figures = wired.figures_of[tensor]
        scale = 10.0 ** (figures.decimals - figures.power)
        return Tensor(np.rint(tensor.value * scale) / scale, tensor.axes, tensor.symbol, tensor.address)

    with np.errstate(all="ignore"):
        value = wired.tensor.value
        worked = apply(wired.node.op, *map(rounded, wired.node.operands)).value
        allowed = np.maximum(MISSED * wired.figures.unit, np.abs(value) / MISSED)
        return np.asarray(~((np.abs(worked - value) * SAFELY <= allowed) | (worked == value)))


def is_short(number: float, figures: Figures) -> bool:
    """Whether `figures.legible` has more digits of a number than the page."""
    if not figures.power:
        return figures.decimals > 0 and 0 < abs(number) < 10 * figures.unit
    return 0 < abs(number) < 10.0**figures.power


def spelled(numbers: dict[int, float], figures: Figures) -> str:
    """Numbers by place: how far each is from the one before (to the base of 36), its digits, and its power of ten."""
    texts, before = [], 0
    for place, number in sorted(numbers.items()):
        digits, _, power = figures.legible(number).partition("e")
        texts.append(f"{base36(place - before)}:{digits.replace('.', '')}{int(power):+d}")
        before = place
    return ",".join(texts)


def base36(number: int) -> str:
    return (base36(number // 36) if number > 35 else "") + BASE36[number % 36]
