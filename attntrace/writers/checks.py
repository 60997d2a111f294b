"""Checks as sentences, and verdicts as lines: a mark, two columns of figures, what was checked."""

import re
from collections.abc import Iterator

from attntrace.messages.catalog import Message, versions
from attntrace.pages.blocks import Check, Hidden, Verified, VerifiedHead
from attntrace.writers.page import INDENT, Line, Page, Span, styled

NUMBER, ERROR = 9, 10  # cells of the columns


def check_sentence(check: Check, page: Page) -> Message:
    """`row i of Q = qᵢ to 12 digits`."""
    names = dict(matrices=", ".join(page.symbol(symbol, check.head) for symbol in check.matrices),
                 rows=", ".join(page.symbol(symbol, check.head, "i") for symbol in check.rows),
                 row=check.row, digits=check.digits, address=check.failed, error=f"{check.error:.3g}", **check.more)
    if check.failed and check.rows:
        names["rows"] = page.symbol(check.rows[0], check.head)
    return Message(f"messages.{'failed' if check.failed else 'true'}.{check.key}", **names)


def check_text(check: Check, page: Page) -> str:
    """The sentence behind its sign: `✓ row i of Q = qᵢ to 12 digits`."""
    return f"{sign_of(page, not check.failed)} {page.prose(page.line(check_sentence(check, page)))}"


def hidden_sentence(block: Hidden) -> Message:
    return Message("messages.hidden", addresses=", ".join(block.addresses), shown=f"{block.shown:,}",
                   hidden=f"{block.numbers - block.shown:,}", numbers=f"{block.numbers:,}")


def sign_of(page: Page, right: bool) -> str:
    if page.ascii:
        return page.text(Message("messages.ok" if right else "messages.wrong"))
    return "✓" if right else "✗"


def mark(page: Page, right: bool) -> str:
    return page.padded(sign_of(page, right), max(page.cells(sign_of(page, either)) for either in (True, False)))


def head_line(block: VerifiedHead, page: Page) -> Iterator[Line]:
    blank = " " * page.cells(mark(page, True))
    for number, error, what in versions(page.languages, *block.headings):
        yield (Span(f"{INDENT}{blank} {page.right(number, NUMBER)}  {page.right(error, ERROR)}  {what}", "grey"),)


def verified_lines(block: Verified, page: Page) -> Iterator[Line]:
    """Text that is too long for its column is wrapped, an address after a dot."""
    sign = INDENT + mark(page, not block.failed)
    figures = f" {page.right(block.number, NUMBER)}  {page.right(block.error, ERROR)}  "
    column = page.cells(sign + figures)
    parts = re.split(r"(?<=[. ])", page.prose(block.what))
    first, *more = page.wrapped(parts, column, between="")
    yield Span(sign, "red" if block.failed else "grey"), figures + first.rstrip()
    yield from styled(map(str.rstrip, more), " " * column)
    if block.failed:
        yield from styled(page.wrapped(page.prose(block.failed).split(" "), column), " " * column, "red")
