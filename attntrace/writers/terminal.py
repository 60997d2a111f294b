"""Blocks on a terminal, in a pipe, in a text file: the one place that imports rich."""
from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from rich.cells import cell_len

from attntrace.blocks import Block
from attntrace.symbol import Spelling
from attntrace.writers.layout import lines_of
from attntrace.writers.page import UNICODE_SIGNS, Line, Page

HUES = ("33", "166", "37", "162", "106", "135", "172", "67")  # of the 256-colour table; told apart by colour-blind eyes
STYLES = {"": "", "bold": "bold", "grey": "color(245)", "red": "bold color(160)"}
DEFAULT_WIDTH = 100
NARROWEST, WIDEST = 60, 10_000


def page_width(asked: int | None) -> int:
    """--width, else COLUMNS, else the terminal, else 100."""
    return min(max(asked or shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns, NARROWEST), WIDEST)


def spelling_for(encoding: str | None, ascii: bool) -> Spelling:
    """Unicode, or ASCII where the encoding lacks one sign that a page may need."""
    try:
        UNICODE_SIGNS.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        ascii = True
    return Spelling.ASCII if ascii else Spelling.UNICODE


def wants_colour(out: TextIO, asked: str) -> bool:
    """As asked (always, never); else on a terminal, unless NO_COLOR or TERM=dumb. FORCE_COLOR wants it in a pipe as
    well, never in a file."""
    if asked != "auto":
        return asked == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") and out is sys.stdout:
        return True
    return out.isatty() and os.environ.get("TERM") != "dumb"


class TerminalWriter:
    """Writes blocks as they come, each line whole."""

    def __init__(self, out: TextIO, width: int | None = None, ascii: bool = False, colour: str = "auto") -> None:
        self.out = out
        self.page = Page(page_width(width), spelling_for(out.encoding, ascii), cell_len,
                         out.encoding or "utf-8")
        self.colour = wants_colour(out, colour)

    def __call__(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            if self.colour:
                self._print_coloured(lines_of(block, self.page))
            else:
                for line in lines_of(block, self.page):
                    self.out.write("".join(span.text for span in line) + "\n")
        self.out.flush()

    def _print_coloured(self, lines: Iterator[Line]) -> None:
        from rich.console import Console

        class Paper(Console):
            def on_broken_pipe(self) -> None:
                raise BrokenPipeError  # the command line decides what a reader that went away means

        console = Paper(file=self.out, width=self.page.width, force_terminal=True, highlight=False, markup=False)
        console.print(_Coloured(lines), end="", crop=False, soft_wrap=True)


class _Coloured:
    """Lines as a rich renderable: one segment for each span."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from rich.segment import Segment
        from rich.style import Style
        for line in self.lines:
            for text, style in line:
                name = (f"color({HUES[int(style[5:]) % len(HUES)]})" if style.startswith("token") else STYLES[style])
                yield Segment(text, Style.parse(name) if name else None)
            yield Segment.line()
