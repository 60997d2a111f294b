"""Headings, prose, tables and checks."""

from collections.abc import Iterator

from attntrace.messages.catalog import Text, in_a_line, in_languages
from attntrace.pages import blocks
from attntrace.writers.checks import check_sentence, hidden_sentence, sign_of
from attntrace.writers.html.document import PAGE, HtmlPage, address, code, hue, label, words
from attntrace.writers.html.mathml import formula_math


def part_heading(block: blocks.PartHeading, page: HtmlPage) -> Iterator[str]:
    yield page.end_of_section()
    page.in_part = True
    subtitle = f" <small>{page.text(block.subtitle)}</small>"
    yield page.heading(2, "part", f"{page.text(block.name)} {page.text(block.title)}", subtitle, kind=" class=part")


def place_heading(block: blocks.PlaceHeading, page: HtmlPage) -> Iterator[str]:
    yield page.end_of_section()
    yield page.heading(page.level, "place", page.text(block.title))


def stage_heading(block: blocks.StageHeading, page: HtmlPage) -> Iterator[str]:
    place = f"place.{block.place}"
    link = page.linked(place, code(block.place))
    yield page.section(f" class=stage{page.anchor(place)}")
    yield page.heading(page.level + 1, f"stage{block.number}", f"<b>{words(block.number)}</b> {page.text(block.title)}",
                       listed=address(block.place.rpartition("layer")[2].partition(".")[2]))
    yield f"<p class=at>{link}\n"
    if block.formulas:
        formulas = "".join(f"<li>{formula_math(formula, page.link_of)}" for formula in block.formulas)
        yield f"<ul class=formulas>{formulas}</ul>\n"


def explained(block: blocks.Explained, page: HtmlPage) -> Iterator[str]:
    """What the steps of a stage are, in elements that can be folded."""
    topics = "".join(f"<details open><summary>{page.text(title)}</summary><p>{page.text(text)}</details>"
                     for title, text in block.topics)
    yield f"<div class=topics>{topics}</div>\n"


def heading(block: blocks.Heading, page: HtmlPage) -> Iterator[str]:
    yield page.end_of_section()
    yield f"<h{page.level}>{page.text(block.text)}</h{page.level}>\n"


def prose(block: blocks.Prose, page: HtmlPage) -> Iterator[str]:
    if text := page.text(block.text):
        yield f"<p>{text}\n"


def answer(block: blocks.Answer, page: HtmlPage) -> Iterator[str]:
    yield page.end_of_section()
    yield f"<p class=answer>{page.text(in_a_line(block.text, page.languages))}\n"


def table(block: blocks.Table, page: HtmlPage) -> Iterator[str]:
    """Columns of words and numbers; the first cell of a row is its heading."""
    yield "<div class=box><table class=plain>"
    if block.title:
        yield f"<caption>{page.text(block.title)}</caption>"
    if any(block.headings):
        yield "<thead><tr>"
        yield from (cell("th scope=col" if text else "td", right=n in block.right, written=page.text(text))
                    for n, text in enumerate(block.headings))
    yield "<tbody>"
    for y, row in enumerate(block.rows):
        anchor = page.anchor(str(row[0])) if block.addresses else ""
        yield f"\n<tr{anchor}>{''.join(table_row(block, y, page) if any(row[1:]) else group_heading(row, page))}"
    yield "</table></div>\n"


def table_row(block: blocks.Table, y: int, page: HtmlPage) -> Iterator[str]:
    for n, one in enumerate(block.rows[y]):
        if isinstance(one, blocks.Formula):
            written = formula_math(one)
        elif n in block.words + block.tokens:
            written = label(in_languages(one, page.languages))
        else:
            written = page.text(one) if n else address_or_words(one, page)
        yield cell("td" if n else "th scope=row", n in block.right, written, y if n in block.tokens else None)


def address_or_words(text: Text, page: HtmlPage) -> str:
    return address(text) if isinstance(text, str) else page.text(text)


def cell(tag: str, right: bool, written: str, token: int | None = None) -> str:
    kinds = " ".join([*["r"] * right, *([hue(token)] if token is not None else [])])
    return f'<{tag} class="{kinds}">{written}' if kinds else f"<{tag}>{written}"


def group_heading(row: tuple[blocks.Cell, ...], page: HtmlPage) -> Iterator[str]:
    """Above the rows below it."""
    heading = formula_math(row[0]) if isinstance(row[0], blocks.Formula) else page.text(row[0])
    yield f"<th scope=rowgroup colspan={len(row)}>{heading}"


def checks(block: blocks.Checks, page: HtmlPage) -> Iterator[str]:
    items = (f"<li{' class=wrong' if check.failed else ''}>{sign_of(PAGE, not check.failed)} "
             f"{page.text(check_sentence(check, PAGE))}" for check in block.checks)
    yield f"<ul class=checks>{''.join(items)}</ul>\n"


def hidden(block: blocks.Hidden, page: HtmlPage) -> Iterator[str]:
    yield f"<p class=note>{page.text(hidden_sentence(block))}\n"


def verified_head(block: blocks.VerifiedHead, page: HtmlPage) -> Iterator[str]:
    yield from page.deeper("<div class=box><table class=plain>", "</table></div>\n", 1, blocks.Verified)
    headings = "".join(cell("th scope=col", n < 2, page.text(text)) for n, text in enumerate(block.headings))
    yield f"<thead><tr><td>{headings}<tbody>"


def verified(block: blocks.Verified, page: HtmlPage) -> Iterator[str]:
    failed = f"<p class=wrong>{page.text(block.failed)}</p>" if block.failed else ""
    yield f"\n<tr><td{' class=wrong' if block.failed else ''}>{sign_of(PAGE, not block.failed)}"
    yield f"<td class=r>{words(block.number)}<td class=r>{words(block.error)}"
    yield f"<th scope=row>{address_or_words(block.what, page)}{failed}"
