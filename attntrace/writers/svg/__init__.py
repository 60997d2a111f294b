"""Attention maps, equations with their matrices, and the picture of a model, as vector graphics for a slide, with only
presentation attributes, which every program reads."""
import math
import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TextIO

from attntrace.messages.catalog import Message, in_a_line, in_languages
from attntrace.messages.unicode import shown
from attntrace.pages.blocks import Architecture, Block, Grid, Hues, Maps, Prose
from attntrace.writers.page import MASKED, Look, largest_of, levels_of, markup_for, title_of_head
from attntrace.writers.svg.architecture import Drawing, described
from attntrace.writers.svg.equations import Equations, Sheet
from attntrace.writers.svg.markup import (FONTS, GREY, HUES, INK, INKS, LINE, NOTE, PAPER, SHADES, TEXT, TITLE, escaped,
                                          text, width_of)

CELL = 30  # of a weight, at the least
MARGIN, GAP, BESIDE = 24, 28, 10
HEADING = TITLE + 2 * (NOTE + BESIDE)  # height of what stands above a band
WIDEST = 1600  # heads side by side, where more than one fits
SLIDE = 16 / 9  # width by height, of a picture of several places
SLANT = math.sqrt(0.5)  # of words that are turned by 45 degrees


def colour(hues: Hues, n: int) -> str:
    """Of the n-th word."""
    hue = hues[n] if hues else None
    return INK if hue is None else HUES[hue]


class SvgWriter:
    """Keeps the maps of a run until all are known, since an SVG file begins with its size."""

    def __init__(self, out: TextIO, look: Look) -> None:
        self.out, self.look = out, look
        self.encoded = markup_for(out)  # as the picture says of itself
        self.notes: list[str] = []
        self.bands: list[Band | Drawing | Sheet] = []
        self.equations = Equations(look.languages, shades=look.colour != "never")

    def __call__(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            if isinstance(block, Maps):
                self.bands.append(Band(block, self.look.languages))
            elif isinstance(block, Architecture) and not block.beside:
                self.bands.append(Drawing(block, self.look.languages))
                self.notes.append(described(block, self.look.languages))
            elif isinstance(block, Prose):
                self.notes.append(in_languages(block.text, self.look.languages).strip())
            elif sheet := self.equations.sheet(block):
                self.bands.append(sheet)

    def close(self) -> None:
        self.out.writelines(map(self.encoded, self.parts()))
        self.out.flush()

    def parts(self) -> Iterator[str]:
        shades, bands = self.look.colour != "never", [band for band in self.bands if isinstance(band, Band)]
        places: list[Place] = [(MARGIN, MARGIN, band) for band in self.bands]
        width = 2 * MARGIN + max((band.width for band in self.bands), default=0)
        height = 2 * MARGIN + max((band.height for band in self.bands), default=0)
        is_slide = len(bands) == len(self.bands) > 1
        if is_slide:
            places, width, height = on_a_slide(bands)
        elif len(self.bands) > 1:
            height = MARGIN
            for n, one in enumerate(self.bands):
                places[n] = MARGIN, height, one
                height += one.height + GAP
            height += MARGIN - GAP
        yield (f'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" '
               f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" xml:lang="{self.look.languages[0]}" '
               f'role="img" font-family="{FONTS}" fill="{INK}">\n')
        yield f"<title>{escaped(self.look.title)}</title>\n"
        yield f"<desc>{escaped(' '.join(line for note in self.notes for line in note.splitlines()))}</desc>\n"
        yield f'<rect width="{width:.0f}" height="{height:.0f}" fill="{PAPER}"/>\n'
        if is_slide:
            title = in_a_line(Message("titles.picture.maps"), self.look.languages)
            yield text(title, places[0][0], MARGIN + TITLE, TITLE, font_weight="bold")
        for x, y, band in places:
            yield f'<g data-address="{escaped(band.address)}" transform="translate({x:.0f} {y:.0f})">\n'
            yield from band.parts(shades)
            yield "</g>\n"
        yield "</svg>\n"


def tables(bands: list["Band"]) -> Iterator["Rows"]:
    """The ways to set places in rows: each layer in a row and each kind of attention in a column, or the other way
    round; those of one kind in one column, in two, and so on."""
    cells = {(re.sub(r"\D+", "", band.address), re.sub(r"\d+", "", band.address)): band for band in bands}
    layers, kinds = (list(dict.fromkeys(keys)) for keys in zip(*cells))
    if len(kinds) > 1 and len(cells) == len(bands):
        yield [[cells.get((layer, kind)) for kind in kinds] for layer in layers]
        yield [[cells.get((layer, kind)) for layer in layers] for kind in kinds]
    else:
        for columns in range(1, len(bands) + 1):
            yield [[*bands[n:n + columns]] for n in range(0, len(bands), columns)]


def on_a_slide(bands: list["Band"]) -> tuple[list["Place"], float, float]:
    """Where each of several places stands below a title, and the width and the height of all: those of the smallest
    slide that they fit on."""
    top = MARGIN + TITLE
    best: tuple[float, int, Rows] = math.inf, 0, []
    for heads in range(1, max(len(band.pictures) for band in bands) + 1):
        for band in bands:
            band.arrange(heads)
        for table in tables(bands):
            widths, heights = sizes(table)
            height = top + sum(heights) + GAP * (len(heights) + 1)
            width = max(sum(widths) + MARGIN * (len(widths) + 1), height * SLIDE)
            best = min(best, (width, heads, table), key=lambda one: one[0])
    width, heads, table = best
    for band in bands:
        band.arrange(heads)
    widths, heights = sizes(table)
    across = (width - sum(widths)) / (len(widths) + 1)
    down = (width / SLIDE - top - sum(heights)) / (len(heights) + 1)
    places: list[Place] = [
        (across * (x + 1) + sum(widths[:x]), top + down * (y + 1) + sum(heights[:y]), band)
        for y, row in enumerate(table) for x, band in enumerate(row) if band]
    return places, width, width / SLIDE


def sizes(table: "Rows") -> tuple[list[float], list[float]]:
    """The width of each column and the height of each row."""
    return ([max(band.width for band in column if band) for column in zip_longest(*table)],
            [max(band.height for band in row if band) for row in table])


class Band:
    """The heads of a place, as many side by side as fit; the words that look stand before the first of each row."""

    def __init__(self, block: Maps, languages: tuple[str, ...]) -> None:
        self.block, self.address, self.title = block, block.place, in_languages(block.title, languages)
        self.note = in_a_line(largest_of(block), languages)
        self.pictures = [HeadGraphic(head, languages) for head in block.heads]
        self.before = max(width_of(shown(word)) for word in block.heads[0].row_labels or ("",)) + BESIDE
        self.arrange(max(1, int((WIDEST - self.before + GAP)
                                // (max(picture.width for picture in self.pictures) + GAP))), TITLE)

    def arrange(self, heads: int, title_size: int = TEXT) -> None:
        """Set so many heads side by side, under a title of this size."""
        pictures, self.title_size = self.pictures, title_size
        self.rows = [pictures[n:n + heads] for n in range(0, len(pictures), heads)]
        titles = width_of(self.title, title_size), width_of(self.address, NOTE), width_of(self.note, NOTE)
        self.width = max(*titles, *(self.before + sum(picture.width + GAP for picture in row) - GAP
                                    for row in self.rows))
        self.height = HEADING + sum(GAP + row[0].height for row in self.rows)

    def parts(self, shades: bool) -> Iterator[str]:
        yield text(self.title, 0, TITLE, self.title_size, font_weight="bold")
        yield text(self.address, 0, TITLE + NOTE + BESIDE, NOTE, fill=GREY)
        yield text(self.note, 0, HEADING, NOTE, fill=GREY)
        y: float = HEADING + GAP
        for row in self.rows:
            for n, word in enumerate(self.block.heads[0].row_labels or ()):
                yield text(word, self.before - BESIDE, y + row[0].middle(n), text_anchor="end",
                           fill=colour(self.block.heads[0].row_hues, n))
            x = self.before
            for picture in row:
                yield (f'<g data-address="{escaped(picture.head.address)}" transform="translate({x:.1f} {y:.1f})">\n'
                       f"<title>{escaped(f'{self.title}, {picture.title}')}</title>\n")
                yield from picture.parts(levels_of(picture.head.values / (self.block.largest or 1) * shades).tolist())
                yield "</g>\n"
                x += picture.width + GAP
            y += row[0].height + GAP


class HeadGraphic:
    """The weights of one head, in cells of the colour of each: the words that are looked at stand above them, turned
    where cells as wide as the longest would take too much room; the cells begin at the `top`."""

    def __init__(self, head: Grid, languages: tuple[str, ...]) -> None:
        self.head, self.title = head, in_languages(title_of_head(head), languages)
        self.numbers = [[number if value else MASKED for number, value in zip(row.split(), values, strict=True)]
                        for row, values in zip(head.figures.rows(head.values), head.values, strict=True)]
        widths = [width_of(shown(word)) for word in head.column_labels or ()]
        cell = max(CELL, *(width_of(number) + BESIDE for row in self.numbers for number in row))
        upright = max(cell, max(widths) + BESIDE)
        self.turned = upright > cell and upright * len(widths) > WIDEST / 3
        self.cell = cell if self.turned else upright
        ends = [(n + 0.5) * cell + width * SLANT + TEXT for n, width in enumerate(widths)] if self.turned else []
        self.width = max(*ends, width_of(self.title), self.cell * len(widths))
        self.top = TEXT + BESIDE + (max(widths) * SLANT + TEXT if self.turned else TEXT + BESIDE)
        self.height = self.top + CELL * len(self.numbers)

    def middle(self, n: int) -> float:
        """The base line of letters in the n-th row."""
        return self.top + (n + 0.5) * CELL + 0.35 * TEXT

    def parts(self, levels: list[list[int]]) -> Iterator[str]:
        yield text(self.title, 0, TEXT, font_weight="bold")
        for n, word in enumerate(self.head.column_labels or ()):
            x, y = (n + 0.5) * self.cell, self.top - BESIDE / 2
            fill = colour(self.head.column_hues, n)
            if self.turned:
                yield text(word, x, y, transform=f"rotate(-45 {x:.1f} {y:.1f})", fill=fill)
            else:
                yield text(word, x, y, text_anchor="middle", fill=fill)
        yield f'<g stroke="{LINE}">\n'
        for i, row in enumerate(levels):
            yield "".join([f'<rect x="{j * self.cell:.1f}" y="{self.top + i * CELL:.1f}" width="{self.cell:.1f}" '
                           f'height="{CELL}" fill="{SHADES[level]}"/>\n' for j, level in enumerate(row)])
        yield f'</g>\n<g font-size="{TEXT}" text-anchor="middle">\n'
        for i, (row, numbers) in enumerate(zip(levels, self.numbers, strict=True)):
            yield "".join([f'<text data-cell="{i + 1},{j + 1}" x="{(j + 0.5) * self.cell:.1f}" y="{self.middle(i):.1f}"'
                           f' fill="{INKS[level]}">{number}</text>\n'
                           for j, (level, number) in enumerate(zip(row, numbers, strict=True))])
        yield "</g>\n"


Place = tuple[float, float, Band | Drawing | Sheet]
Rows = list[list[Band | None]]
