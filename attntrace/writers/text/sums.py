"""The arithmetic of a number in several lines: the terms of its sum in columns, decimal points under each other."""
import re
from collections.abc import Sequence

from attntrace.writers.page import Page

NUMBER = re.compile(r"(\(-[\w.+-]+\)|-?\b(?:\d[\d.]*(?:e[+-]\d+)?|inf))")
WHOLE = re.compile(r"^(\(?-?(?:\d+|inf))")  # of a number with its bracket, what stands before its decimal point
AND, SIGN = " + ", re.compile(r"[()]| \+ ")
FEWEST = 3  # terms that are set in columns


def sum_lines(text: str, page: Page, room: int) -> list[str]:
    """The lines of an expression on a page that has so much room: terms in columns, as many in a row as fit; those of a
    sum that has too few, or one too wide, as they come."""
    if page.cells(text) <= room:
        return [text]
    before, terms, behind = widest_sum(text)
    lead = len(before) if len(before) <= room // 3 else 0
    cells = in_columns(terms)
    beside = len(behind) if len(behind) <= room // 4 else 0
    most = (room - lead - beside + 1) // (len(cells[0]) + len(AND))
    if len(terms) < FEWEST or not most:
        return page.wrapped_sum(text, page.width - room)
    each = -(-len(cells) // -(-len(cells) // most))  # in rows that are about as long as each other
    rows = [AND.join(cells[n:n + each]) for n in range(0, len(cells), each)]
    lines = [f"{' ' * lead}{'+ ' if n else '  '}{row}" for n, row in enumerate(rows)]
    if lead:
        lines[0] = before + lines[0][lead:]
    elif before:
        lines = [*page.wrapped_sum(before, page.width - room), *lines]
    last = lines[-1].rstrip() + behind
    lines[-1:] = [last] if page.cells(last) <= room else [
        lines[-1], *(" " * lead + line for line in page.wrapped_sum(behind, page.width - room + lead))]
    return [line.rstrip() for line in lines]


def widest_sum(text: str) -> tuple[str, list[str], str]:
    """The terms of the sum that has most, in whatever brackets, and what stands before and behind it."""
    open_sums, widest = [[0]], [0]  # where each begins, and its signs are; last, where it ends
    for sign in SIGN.finditer(text + ")"):
        if sign[0] == "(":
            open_sums.append([sign.end()])
        elif sign[0] == ")":
            widest = max(widest, [*open_sums.pop(), sign.start()], key=len)
        else:
            open_sums[-1].append(sign.start())
    starts = [widest[0], *(place + len(AND) for place in widest[1:-1])]
    terms = [text[start:end] for start, end in zip(starts, widest[1:], strict=True)]
    return text[:widest[0]], terms, text[widest[-1]:]


def in_columns(terms: Sequence[str]) -> list[str]:
    """Terms, each as wide as the others, with their numbers lined up: all of those that have the signs of most, and of
    others (`0` among products) the first."""
    split = [NUMBER.split(term) for term in terms]
    signs = [parts[::2] for parts in split]
    most = max(signs, key=signs.count)
    for n in range(1, 2 * len(most) - 1, 2):
        alike = [parts for parts, own in zip(split, signs, strict=True)
                 if own == most or n == 1 < len(own) and own[0] == most[0]]
        for parts, number in zip(alike, lined_up([parts[n] for parts in alike]), strict=True):
            parts[n] = number
    lined = ["".join(parts) for parts in split]
    width = max(map(len, lined))
    return [term.ljust(width) for term in lined]


def lined_up(numbers: Sequence[str]) -> list[str]:
    """Numbers with their brackets, the decimal points under each other."""
    whole, rest = zip(*(WHOLE.split(number)[1:] for number in numbers), strict=True)
    before, behind = max(map(len, whole)), max(map(len, rest))
    return [left.rjust(before) + right.ljust(behind) for left, right in zip(whole, rest, strict=True)]
