"""Blocks as one page of HTML, whole in itself: no script, nothing from elsewhere."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from attntrace.messages.catalog import Message
from attntrace.pages import blocks
from attntrace.pages.blocks import Block
from attntrace.writers.html import grids, prose, rows
from attntrace.writers.html.document import Entry, HtmlPage, words
from attntrace.writers.page import Look, markup_for

MARKUP: dict[type, Callable[..., Iterator[str]]] = {
    blocks.PartHeading: prose.part_heading, blocks.PlaceHeading: prose.place_heading,
    blocks.StageHeading: prose.stage_heading, blocks.Explained: prose.explained, blocks.Heading: prose.heading,
    blocks.Prose: prose.prose, blocks.Answer: prose.answer, blocks.Table: prose.table,
    blocks.ParameterGrids: grids.parameter_grids, blocks.VectorRows: rows.vector_rows, blocks.Shares: grids.shares,
    blocks.CellLines: rows.cell_lines, blocks.Cause: rows.cause, blocks.VerifiedHead: prose.verified_head,
    blocks.Verified: prose.verified, blocks.MatrixEquation: grids.matrix_equation, blocks.Maps: grids.maps,
    blocks.Checks: prose.checks, blocks.Hidden: prose.hidden}
CONTENTS = "contents"


class HtmlWriter:
    """Writes blocks as they come; the table of contents, which is known at the end alone, is put in its place by the
    stylesheet."""

    def __init__(self, out: TextIO, look: Look) -> None:
        self.out, self.look = out, look
        self.encoded = markup_for(out)
        self.page = HtmlPage(look.languages, shades=look.colour != "never")
        self.begun = False

    def __call__(self, blocks: Iterable[Block]) -> None:
        self.write(self.markup(blocks))
        self.out.flush()

    def close(self) -> None:
        self.write(self.markup([]))
        self.write(self.end())

    def write(self, markup: Iterator[str]) -> None:
        self.out.writelines(map(self.encoded, markup))

    def markup(self, blocks: Iterable[Block]) -> Iterator[str]:
        if not self.begun:
            self.begun = True
            yield from self.beginning()
        for block in blocks:
            yield self.page.closed_for(type(block))
            yield from MARKUP[type(block)](block, self.page)

    def beginning(self) -> Iterator[str]:
        title = words(self.look.title) or "attntrace"
        with open(os.path.join(os.path.dirname(__file__), "page.css"), encoding="utf-8") as file:
            style = file.read()
        big = " class=big" if self.look.big else ""
        yield (f'<!doctype html>\n<html lang="{self.look.languages[0]}"{big}>\n<meta charset="utf-8">\n'
               f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
               f"<style>\n{style}</style>\n<body>\n"
               f'<a class=skip href="#{CONTENTS}">{self.page.text(Message("messages.contents"))}</a>\n'
               f"<main>\n<h1{self.page.anchor('top')}>{title}</h1>\n")

    def end(self) -> Iterator[str]:
        yield self.page.closed_for(None) + self.page.end_of_section() + "</main>\n"
        contents = self.page.text(Message("messages.contents"))
        yield f"<nav{self.page.anchor(CONTENTS)}><details><summary>{contents}</summary>\n"
        yield from nested([Entry(2, "top", words(self.look.title) or "attntrace"), *self.page.contents])
        yield "</details></nav>\n"


def nested(contents: list[Entry]) -> Iterator[str]:
    """Entries as lists in lists, as deep as their headings."""
    open_levels: list[int] = []
    for entry in contents:
        while open_levels and open_levels[-1] > entry.level:
            open_levels.pop()
            yield "</ul>"
        if not open_levels or open_levels[-1] < entry.level:
            open_levels.append(entry.level)
            yield "<ul>"
        beside = f" <small>{entry.beside}</small>" if entry.beside else ""
        yield f'<li><a href="#{entry.anchor}">{entry.title}{beside}</a>\n'
    yield "</ul>" * len(open_levels)
