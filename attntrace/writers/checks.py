"""Checks as sentences."""
from attntrace.messages.catalog import Message
from attntrace.pages.blocks import Check
from attntrace.writers.page import Page


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


def sign_of(page: Page, right: bool) -> str:
    if page.ascii:
        return page.text(Message("messages.ok" if right else "messages.wrong"))
    return "✓" if right else "✗"
