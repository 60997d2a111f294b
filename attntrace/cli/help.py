"""Help texts on a terminal: Click's own formatter counts characters, and Hangul takes two cells."""
from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

import click

UNBROKEN = "\b"  # on a line of its own above a paragraph whose lines stay as they are
WIDEST_FIRST = 30  # cells of the first column of a list; what is wider has its text below it
GAP = 2


def cells(text: str) -> int:
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def wrapped(text: str, width: int) -> Iterator[str]:
    """A paragraph in lines of at most so many cells (a longer word alone is left whole)."""
    line = ""
    for word in text.split():
        if line and cells(line) + 1 + cells(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


class HelpFormatter(click.HelpFormatter):
    """Writes paragraphs and lists by the cells that they take."""

    def write_text(self, text: str) -> None:
        for n, paragraph in enumerate(text.split("\n\n")):
            if n:
                self.write_paragraph()
            first, _, rest = paragraph.partition("\n")
            room = self.width - self.current_indent
            for line in rest.split("\n") if first.strip() == UNBROKEN else wrapped(paragraph, room):
                self.write(" " * self.current_indent + line + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = WIDEST_FIRST,
                 col_spacing: int = GAP) -> None:
        rows = list(rows)
        column = min(max(cells(first) for first, _ in rows), col_max) + col_spacing
        indent = " " * (self.current_indent + column)
        for first, second in rows:
            below = cells(first) > column - col_spacing
            self.write(" " * self.current_indent + first + ("\n" if below or not second else ""))
            for n, line in enumerate(line for part in second.split("\n")
                                     for line in wrapped(part, max(self.width - len(indent), 10))):
                before = indent if n or below else " " * (column - cells(first))
                self.write(f"{before}{line}\n")
