"""Blocks as one page of HTML, whole in itself: nothing from elsewhere, and complete without its script."""
from collections.abc import Iterable, Iterator
from typing import TextIO, final

from attntrace.messages.catalog import Message, in_a_line, in_languages
from attntrace.pages import blocks
from attntrace.pages.blocks import Block
from attntrace.writers.html.enhanced import pairs, player
from attntrace.writers.html.explore import Wires
from attntrace.writers.html.markup import (Entry, HtmlPage, VectorTable, address, cell, cell_line, code, equation,
                                           hue_class, label, matrix, names_of_grid, nested, side_by_side, word_heading,
                                           words)
from attntrace.writers.html.mathml import formula_math
from attntrace.writers.html.scripts import policy, resource
from attntrace.writers.page import PROMPT, BlockWriter, Look, largest_of, markup_for, next_words_table, title_of_head
from attntrace.writers.svg.architecture import THEMED, Drawing, described

CONTENTS, ARCHITECTURE = "contents", "architecture"
TITLE = Message("titles.picture.title")
SLOT = "{places}"  # of markup in a sentence


@final
class HtmlWriter(BlockWriter[str]):
    """Writes blocks as they come; the table of contents, which is known at the end alone, is put in its place by the
    stylesheet."""

    def __init__(self, out: TextIO, look: Look) -> None:
        self.out, self.look = out, look
        self.encoded = markup_for(out)
        self.page = HtmlPage(look.languages, shades=look.colour != "never")
        self.wires = Wires()
        self.begun = self.is_translation = False
        self.steps = 0  # of decoding
        self.pairs: list[blocks.Pair] = []
        self.picture: Drawing | None = None

    def close(self) -> None:
        if not self.begun:
            self.out.writelines(map(self.encoded, self.beginning("attntrace", "attntrace")))
        self.out.writelines(map(self.encoded, self.end()))

    def lines(self, blocks: Iterable[Block]) -> Iterator[str]:
        return map(self.encoded, self.markup(blocks))

    def markup(self, shown: Iterable[Block]) -> Iterator[str]:
        for block in shown:
            if isinstance(block, blocks.Wiring):  # for the end of the page
                self.wires.take(block)
                continue
            if isinstance(block, blocks.Pair):
                if not self.pairs:
                    yield f"{self.page.closed_for(type(block))}<div id=both></div>\n"  # pairs.js fills it
                self.pairs.append(block)
                continue
            if not self.begun:
                title = block.text if isinstance(block, blocks.Title | blocks.Heading) else self.look.title
                title = title or "attntrace"
                yield from self.beginning(self.page.text(title), words(in_a_line(title, self.look.languages)))
                if isinstance(block, blocks.Heading):
                    continue
            yield self.page.closed_for(type(block))
            yield from self.written(block)

    def beginning(self, heading: str, title: str) -> Iterator[str]:
        """All that stands before the first block: what it is the title of, as markup and as text."""
        self.begun, self.top, self.page.heading_above = True, heading, heading
        big = " class=big" if self.look.big else ""
        yield (f'<!doctype html>\n<html lang="{self.look.languages[0]}"{big}>\n<meta charset="utf-8">\n'
               f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
               f"{policy()}<style>\n{resource('page.css')}</style>\n<body>\n"
               f'<a class=skip href="#{CONTENTS}">{self.page.text(Message("messages.contents"))}</a>\n'
               f"<main>\n<h1{self.page.anchor('top')}>{heading}</h1>\n")

    def end(self) -> Iterator[str]:
        yield self.page.closed_for(None) + "</main>\n"
        if len(self.page.contents) < 2:  # nothing to find
            yield f"<nav{self.page.anchor(CONTENTS)} hidden></nav>\n"
        else:
            contents = self.page.text(Message("messages.contents"))
            yield f"<nav{self.page.anchor(CONTENTS)}><details><summary>{contents}</summary>\n"
            yield from nested([Entry(2, "top", self.top), *self.page.contents])
            yield "</details></nav>\n"
        yield from self.wires.markup(self.look.languages)
        if self.is_translation:
            yield player(self.look.languages)
        if self.pairs:
            yield pairs(self.pairs, self.look.languages)

    def title(self, block: blocks.Title) -> Iterator[str]:
        """Its command: it is the heading of the page itself."""
        if self.look.title:
            yield f"<p class=at>{self.page.text(PROMPT + self.look.title)}\n"

    def result(self, block: blocks.Result) -> Iterator[str]:
        yield "<section class=result>\n"
        for one in block.blocks:
            yield from self.written(one)
        yield "</section>\n"

    def part_heading(self, block: blocks.PartHeading) -> Iterator[str]:
        page = self.page
        page.in_part = True
        title = f"{page.text(block.name)} {page.text(block.title)}".rstrip()
        subtitle = f" <small>{page.text(block.subtitle)}</small>" if block.subtitle else ""
        yield page.heading(2, "part", title, subtitle, kind=" class=part")

    def stage_heading(self, block: blocks.StageHeading) -> Iterator[str]:
        page, place = self.page, f"place.{block.place}"
        link = page.linked(place, code(block.place))
        page.in_section = True
        yield f"<section class=stage{page.anchor(place)}>\n"
        title = f"<b>{words(block.number)}</b> {page.text(block.title)}"
        verdict = f"<span{' class=wrong' if block.right is False else ''}>{page.verdict(block)}</span>"
        yield page.heading(page.level + 1, f"stage{block.number}", title, verdict + self.here(block.here),
                           listed=address(block.place.rpartition("layer")[2].partition(".")[2]))
        yield f"<p class=at>{link}\n"
        if block.formulas:
            formulas = "".join(f"<li>{formula_math(formula, page.link_of)}" for formula in block.formulas)
            yield f"<ul class=formulas>{formulas}</ul>\n"

    def explained(self, block: blocks.Explained) -> Iterator[str]:
        """What the steps of a stage are, in elements that can be folded."""
        topics = "".join(f"<details open><summary>{self.page.text(title)}</summary><p>{self.page.text(text)}</details>"
                         for title, text in block.topics)
        yield f"<div class=topics>{topics}</div>\n"

    def heading(self, block: blocks.Heading) -> Iterator[str]:
        level, text = self.page.level, self.page.text(block.text)
        self.page.heading_above = text
        self.steps += bool(block.number)
        step = f" data-step={block.number[0]}" if block.number else ""
        yield (self.page.heading(level, "place", text, self.here(block.here), kind=step) if block.of_place
               else f"<h{level}>{text}</h{level}>\n")

    def prose(self, block: blocks.Prose) -> Iterator[str]:
        if text := self.page.text(block.text):
            yield f"<p{' class=note' if block.note else ''}>{text}\n"

    def answer(self, block: blocks.Answer) -> Iterator[str]:
        yield f"<p class=answer>{self.page.text(in_a_line(block.text, self.page.languages))}\n"

    def table(self, block: blocks.Table) -> Iterator[str]:
        """Columns of words and numbers; the first cell of a row is its heading."""
        page, hues = self.page, dict(zip(block.tokens, block.hues))
        yield f"{page.box(in_a_line(block.title, page.languages))}<table class=plain>"
        if block.title:
            legend = f"<br><small>{page.text(block.legend)}</small>" if block.legend else ""
            yield f"<caption>{page.text(block.title)}{legend}</caption>"
        if any(block.headings):
            yield "<thead><tr>"
            yield from (cell("th scope=col" if text else "td", right=n in block.right, written=page.text(text))
                        for n, text in enumerate(block.headings))
        yield "<tbody>"
        for y, row in enumerate(block.rows):
            yield f"\n<tr{page.anchor(str(row[0])) if block.addresses else ''}>"
            if not any(row[1:]):  # it stands above the rows below it
                yield f"<th scope=rowgroup colspan={len(row)}>{self.in_table(row[0])}"
                continue
            for n, one in enumerate(row):
                written = self.in_table(one, not n, n in block.words + block.tokens)
                tag = "td" if n or not written else "th scope=row"
                if block.places and (place := n - len(row) + len(block.places[y])) >= 0:
                    tag += f' data-at="{words(block.places[y][place])}"'
                yield cell(tag, n in block.right, written, hue_class(hues.get(n, ()), y))
        yield "</table></div>\n"

    def in_table(self, one: blocks.Cell, is_first: bool = False, is_word: bool = False) -> str:
        """A cell; the first of a row may be an address."""
        if isinstance(one, blocks.Formula):
            return formula_math(one)
        if is_word:
            return label(in_languages(one, self.page.languages))
        return address(one) if is_first and isinstance(one, str) else self.page.text(one)

    def grids(self, block: blocks.Grids) -> Iterator[str]:
        if block.formula:
            yield f"<p class=step>{formula_math(block.formula, self.page.link_of)}\n"
        yield from side_by_side(matrix(grid, self.page, names_of_grid(grid)) for grid in block.grids)

    def vector_rows(self, block: blocks.VectorRows) -> Iterator[str]:
        """A table with a group of rows for each token: its word and the words above its numbers, then its vectors."""
        rows, contents = VectorTable(block, self.page), self.page.contents
        named = f' aria-labelledby="{contents[-1].anchor}"' if contents else ""  # by the heading of the stage
        yield f'{self.page.box(width=rows.width)}<table class="vectors{rows.room}"{named}>\n'
        for n, token in enumerate(block.tokens):
            yield f"<tbody><tr>{word_heading('rowgroup', token, hue_class(block.hues, n)) if token else '<td>'}"
            yield from rows.of_token(n)
        yield "</table></div>\n"

    def cell_lines(self, block: blocks.CellLines) -> Iterator[str]:
        yield f"<div class=cells>\n{''.join(map(cell_line, block.cells))}</div>\n"

    def cause(self, block: blocks.Cause) -> Iterator[str]:
        """A number in the tree of a number: a list in a list."""
        page, place = self.page, code(block.place)
        yield from page.deeper("<ul>", "</ul>", block.level + 1, blocks.Cause)
        if block.cell is None:
            yield f"<li>{place} {page.linked(block.place, page.text(Message('messages.why_above_alone')))}\n"
            return
        yield f"<li{page.anchor(block.place)}>{place} {words(', '.join(block.words))}\n{cell_line(block.cell)}"
        for key, places in block.operands:
            links = ", ".join(page.linked(place, code(place)) for place in places)
            yield f"<p class=note>{page.text(Message(f'messages.why_{key}', places=SLOT)).replace(SLOT, links)}\n"

    def matrix_equation(self, block: blocks.MatrixEquation) -> Iterator[str]:
        page, axes = self.page, f" {words(' × '.join(block.axes))}" if block.axes else ""
        step = page.linked(block.result.address, code(block.step))
        yield f"<div class=step><p>{formula_math(block.formula, page.link_of)}<p class=at>{step}{axes}</div>\n"
        yield from self.grids(blocks.Grids(block.parameters))
        yield from side_by_side(equation(block, page))

    def maps(self, block: blocks.Maps) -> Iterator[str]:
        """The heads of an attention side by side; on the page of a translation with a row for each step."""
        page = self.page
        self.is_translation = self.steps == len(block.heads[0].values) and not block.brief

        if block.brief:
            yield f"<p><b>{page.text(block.title)}</b>\n"
        else:
            yield page.heading(page.level, f"map.{block.place}", page.text(block.title))
            yield f"<p class=at>{code(block.place)}\n<p>{page.text(largest_of(block))}\n"
        yield from side_by_side((matrix(grid, page, (grid.address,), is_result=not block.brief, largest=block.largest,
                                        title=page.text(title_of_head(grid)), of=of, rows=block.rows)
                                 for grid, of in zip(block.heads, block.of or [""] * len(block.heads), strict=True)),
                                '<div class="equation map">')
        if block.next_words:
            yield from self.table(next_words_table(block))

    def checks(self, block: blocks.Checks) -> Iterator[str]:
        items = (f"<li{' class=wrong' if check.failed else ''}>{self.page.sign_of(not check.failed)} "
                 f"{self.page.text(self.page.check_sentence(check))}" for check in block.checks)
        yield f"<ul class=checks>{''.join(items)}</ul>\n"

    def architecture(self, block: blocks.Architecture) -> Iterator[str]:
        """The picture of the model, whose boxes are drawn once more, smaller, at the places of the page."""
        self.picture = picture = Drawing(block, self.page.languages, THEMED)
        beside, width = (" beside", picture.width * 0.8) if block.beside else ("", picture.width)
        yield (f'<figure class="model{beside}"><svg role=img viewBox="{picture.view}" width={width:.0f}>\n'
               f"<title>{picture.text(TITLE)}</title>\n<desc>{words(described(block, self.page.languages))}</desc>\n"
               f"<g{self.page.anchor(ARCHITECTURE)}>\n")
        yield from picture.shapes()
        yield "</g>\n"
        yield from picture.texts()
        yield "</svg></figure>\n"

    def here(self, address: str) -> str:
        """The picture above once more, where one box is marked: that of an address."""
        if self.picture is None or not (shape := self.picture.shape_at(address)):
            return ""
        return (f'<svg class=here viewBox="{self.picture.view}" aria-hidden=true><use href="#{ARCHITECTURE}"/>'
                f"<rect {shape}/></svg>")

    def verified_head(self, block: blocks.VerifiedHead) -> Iterator[str]:
        yield from self.page.deeper(f"{self.page.box()}<table class=plain>", "</table></div>\n", 1, blocks.Verified)
        headings = "".join(cell("th scope=col", n < 2, self.page.text(text)) for n, text in enumerate(block.headings))
        yield f"<thead><tr><td>{headings}<tbody>"

    def verified(self, block: blocks.Verified) -> Iterator[str]:
        failed = f"<p class=wrong>{self.page.text(block.failed)}</p>" if block.failed else ""
        yield (f"\n<tr><td{' class=wrong' if block.failed else ''}>{self.page.sign_of(not block.failed)}"
               f"<td class=r>{words(block.number)}<td class=r>{words(block.error)}"
               f"<th scope=row>{self.in_table(block.what, is_first=True)}{failed}")
