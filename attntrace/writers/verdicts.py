"""Lines of what was checked: a mark, two columns of figures, and what it is, each line told as soon as it is known."""
from __future__ import annotations

import re
from collections.abc import Iterator

from attntrace.blocks import Verified, VerifiedHead
from attntrace.prose import in_languages, sentence
from attntrace.writers.page import INDENT, Line, Page, Span

NUMBER, ERROR = 9, 10  # cells of the columns


def mark(page: Page, right: bool) -> str:
    right_sign, wrong_sign = page.sign("✓", sentence("messages.ok")), page.sign("✗", sentence("messages.wrong"))
    width = max(page.cells(right_sign), page.cells(wrong_sign))
    return page.padded(right_sign if right else wrong_sign, width)


def head_line(block: VerifiedHead, page: Page) -> Iterator[Line]:
    blank = " " * page.cells(mark(page, True))
    for number, error, what in in_languages(block.number, block.error, block.what):
        yield (Span(f"{INDENT}{blank} {page.right(number, NUMBER)}  {page.right(error, ERROR)}  {what}", "grey"),)


def verified_lines(block: Verified, page: Page) -> Iterator[Line]:
    """What is too long for its column goes on below itself, an address after a dot."""
    sign = INDENT + mark(page, not block.failed)
    figures = f" {page.right(block.number, NUMBER)}  {page.right(block.error, ERROR)}  "
    column = page.cells(sign + figures)
    parts = re.split(r"(?<=[. ])", page.prose(block.what))
    first, *more = page.wrapped(parts, column, between="")
    yield Span(sign, "red" if block.failed else "grey"), figures + first.rstrip()
    for line in more:
        yield (" " * column + line.rstrip(),)
    for line in page.wrapped(page.prose(block.failed).split(" "), column) if block.failed else ():
        yield (Span(" " * column + line, "red"),)
