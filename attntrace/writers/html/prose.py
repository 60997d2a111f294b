"""Headings, sentences, plain tables, and what is said of checks."""
from __future__ import annotations

from collections.abc import Iterator

from attntrace.messages.catalog import Told
from attntrace.pages import blocks
from attntrace.pages.blocks import Formula
from attntrace.writers.checks import check_sentence, hidden_sentence, sign_of
from attntrace.writers.html.document import PAGE, Paper, address, code, hue, label, lines, words
from attntrace.writers.html.mathml import formula_math


def part_heading(block: blocks.PartHeading, paper: Paper) -> Iterator[str]:
    yield paper.end_of_section()
    paper.in_part = True
    subtitle = f" <small>{lines(block.subtitle)}</small>"
    yield paper.heading(2, "part", f"{lines(block.name)} {lines(block.title)}", subtitle, kind=" class=part")


def place_heading(block: blocks.PlaceHeading, paper: Paper) -> Iterator[str]:
    yield paper.end_of_section()
    yield paper.heading(paper.level, "place", lines(block.title))


def stage_heading(block: blocks.StageHeading, paper: Paper) -> Iterator[str]:
    place = f"place.{block.place}"
    link = paper.linked(place, code(block.place))
    yield paper.section(f" class=stage{paper.anchor(place)}")
    yield paper.heading(paper.level + 1, f"stage{block.number}", f"<b>{words(block.number)}</b> {lines(block.title)}",
                        listed=address(block.place.rpartition("layer")[2].partition(".")[2]))
    yield f"<p class=at>{link}\n"
    if block.formulas:
        formulas = "".join(f"<li>{formula_math(formula, paper.link_of)}" for formula in block.formulas)
        yield f"<ul class=formulas>{formulas}</ul>\n"


def explained(block: blocks.Explained, paper: Paper) -> Iterator[str]:
    """What the steps of a stage are; folded away by whoever knows it."""
    topics = "".join(f"<details open><summary>{lines(title)}</summary><p>{lines(text)}</details>"
                     for title, text in block.topics)
    yield f"<div class=topics>{topics}</div>\n"


def heading(block: blocks.Heading, paper: Paper) -> Iterator[str]:
    yield paper.end_of_section()
    yield f"<h{paper.level}>{lines(block.text)}</h{paper.level}>\n"


def prose(block: blocks.Prose, paper: Paper) -> Iterator[str]:
    if block.text.strip():
        yield f"<p>{lines(block.text)}\n"


def answer(block: blocks.Answer, paper: Paper) -> Iterator[str]:
    yield paper.end_of_section()
    yield f"<p class=answer>{lines(block.text)}\n"


def table(block: blocks.Table, paper: Paper) -> Iterator[str]:
    """Columns of words and numbers; the first cell of a row is its heading."""
    yield "<div class=box><table class=plain>"
    if block.title:
        yield f"<caption>{lines(block.title)}</caption>"
    if any(block.headings):
        yield "<thead><tr>"
        yield from (cell("th scope=col" if text else "td", right=n in block.right, written=lines(text))
                    for n, text in enumerate(block.headings))
    yield "<tbody>"
    for y, row in enumerate(block.rows):
        anchor = paper.anchor(str(row[0])) if block.addresses else ""
        yield f"\n<tr{anchor}>{''.join(table_row(block, y) if any(row[1:]) else group_heading(row))}"
    yield "</table></div>\n"


def table_row(block: blocks.Table, y: int) -> Iterator[str]:
    for n, one in enumerate(block.rows[y]):
        written = (formula_math(one) if isinstance(one, Formula) else label(one) if n in block.words + block.tokens
                   else lines(one) if n else address_or_words(one))
        yield cell("td" if n else "th scope=row", n in block.right, written, y if n in block.tokens else None)


def address_or_words(text: str) -> str:
    return lines(text) if isinstance(text, Told) else address(text)


def cell(tag: str, right: bool, written: str, token: int | None = None) -> str:
    kinds = " ".join([*["r"] * right, *([hue(token)] if token is not None else [])])
    return f'<{tag} class="{kinds}">{written}' if kinds else f"<{tag}>{written}"


def group_heading(row: tuple[blocks.Cell, ...]) -> Iterator[str]:
    """Above the rows below it."""
    yield f"<th scope=rowgroup colspan={len(row)}>{lines(row[0]) if isinstance(row[0], str) else formula_math(row[0])}"


def checks(block: blocks.Checks, paper: Paper) -> Iterator[str]:
    items = (f"<li{' class=wrong' * bool(check.failed)}>{sign_of(PAGE, not check.failed)} "
             f"{lines(check_sentence(check, PAGE))}" for check in block.checks)
    yield f"<ul class=checks>{''.join(items)}</ul>\n"


def hidden(block: blocks.Hidden, paper: Paper) -> Iterator[str]:
    yield f"<p class=note>{lines(hidden_sentence(block))}\n"


def verified_head(block: blocks.VerifiedHead, paper: Paper) -> Iterator[str]:
    yield from paper.deeper("<div class=box><table class=plain>", "</table></div>\n", 1, blocks.Verified)
    headings = "".join(cell("th scope=col", n < 2, lines(text)) for n, text in enumerate(block))
    yield f"<thead><tr><td>{headings}<tbody>"


def verified(block: blocks.Verified, paper: Paper) -> Iterator[str]:
    failed = f"<p class=wrong>{lines(block.failed)}</p>" if block.failed else ""
    yield f"\n<tr><td{' class=wrong' * bool(block.failed)}>{sign_of(PAGE, not block.failed)}"
    yield f"<td class=r>{words(block.number)}<td class=r>{words(block.error)}"
    yield f"<th scope=row>{address_or_words(block.what)}{failed}"
