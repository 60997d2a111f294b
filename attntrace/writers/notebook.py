"""Values in a notebook: pieces of the HTML page, whose styles hold for them only."""
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from attntrace.messages.catalog import Message, default_languages
from attntrace.pages.blocks import Block, Heading, StageHeading, Table
from attntrace.pages.forms import MatrixForm
from attntrace.pages.numbers import MAP_DECIMALS
from attntrace.pages.stages import AttentionMaps
from attntrace.pages.view import View, alone, whole_formula
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Step
from attntrace.writers import html as page
from attntrace.writers.page import Look

LIMIT = 512  # numbers of a tensor, as on a terminal
NUMBERS = count(1)  # of pieces, whose anchors must differ
OUTERMOST = re.compile(r"(?m)^( *)(?::root|html|body)\b")


def html(value: Any) -> str | None:
    """A step or a tensor as markup; nothing for a tensor without a name."""
    view = View(form="matrix", limit=LIMIT)
    if isinstance(value, Step):
        return piece(of_step(value, view))
    assert isinstance(value, Tensor)
    return piece(iter(alone(value, value.address or "", (), view))) if value.symbol else None


def of_run(steps: Sequence[Step]) -> str:
    """The attention weights, of a translation those of its last step; and, folded, all steps with their equations."""
    maps: list[Block] = []
    sink = AttentionMaps(maps.extend, None, MAP_DECIMALS, asked=False)
    numbers = [Address.of(step.address).number("step") for step in steps]
    for step, number in zip(steps, numbers, strict=True):
        if number in (None, numbers[-1]):
            sink(step)
    sink.close()
    return piece(maps, list_of(steps))


def list_of(steps: Sequence[Step]) -> Iterator[Block]:
    headings = tuple(Message(f"messages.{name}") for name in ("address", "formula", "shape"))
    yield Table(headings, tuple((step.address, whole_formula(step), " × ".join(map(str, step.value.shape)))
                                for step in steps), right=(2,))


def of_step(step: Step, view: View) -> Iterator[Block]:
    """What it is, its equation and its matrices, under its address."""
    form = MatrixForm(view, lambda blocks: None, ())
    form(step)
    yield Heading(step.address)
    yield from (block for block in form.blocks_of([step]) if not isinstance(block, StageHeading))


def piece(blocks: Iterable[Block], steps: Iterable[Block] = ()) -> str:
    """Blocks as markup that can stand among others, and a list of steps that can be opened."""
    out = io.StringIO()
    writer = page.HtmlWriter(out, Look(languages=default_languages()))
    writer.begun, writer.page.prefix = True, f"attntrace{next(NUMBERS)}-"
    writer(blocks)
    if listed := "".join(writer.lines(steps)):
        out.write(f"<details><summary>{writer.page.text(Message('messages.sheet_steps'))}</summary>{listed}</details>")
    with open(os.path.join(os.path.dirname(page.__file__), "page.css"), encoding="utf-8") as file:
        style = OUTERMOST.sub(r"\1&", file.read())
    style = f"<style>.attntrace {{\n{style}}}</style>\n"
    no_contents = "<nav hidden></nav>"
    return f"<div class=attntrace>{style}{out.getvalue()}{writer.page.closed_for(None)}{no_contents}</div>"
