"""Attention maps, and the picture of a model, as vector graphics for a slide, with only presentation attributes, which
every program reads."""
import math
from collections.abc import Iterable, Iterator
from typing import TextIO

import numpy as np

from attntrace.messages.catalog import in_a_line, in_languages
from attntrace.messages.unicode import shown
from attntrace.pages.blocks import Architecture, Block, Grid, Maps, Prose
from attntrace.tensor.tensor import Array
from attntrace.writers.page import Look, largest_of, markup_for, title_of_head
from attntrace.writers.svg.architecture import Drawing, described
from attntrace.writers.svg.markup import FONTS, GREY, INK, LINE, NOTE, PAPER, TEXT, TITLE, escaped, text, width_of

STRONGEST = np.array((8, 69, 148))  # the blue of the largest weight; none is white
LIGHT = 0.179  # luminance from which on black letters have more contrast than white ones, 4.5 at the least
CELL = 30  # of a weight, at the least
MARGIN, GAP, BESIDE = 24, 28, 10
HEADING = TITLE + 2 * (NOTE + BESIDE)  # height of what stands above a band
WIDEST = 1600  # heads side by side, where more than one fits
SLANT = math.sqrt(0.5)  # of words that are turned by 45 degrees


def colours(parts: Array) -> list[list[tuple[str, str]]]:
    """For each part of the largest weight the colour of its cell, and that of the letters on it."""
    shades = np.rint(255 + parts[..., None] * (STRONGEST - 255)).astype(int)
    linear = np.where(shades <= 10, shades / 255 / 12.92, ((shades / 255 + 0.055) / 1.055) ** 2.4)
    light = linear @ (0.2126, 0.7152, 0.0722) > LIGHT
    return [[("#%02x%02x%02x" % tuple(shade), INK if on_light else PAPER)
             for shade, on_light in zip(row, lights, strict=True)] for row, lights in zip(shades, light, strict=True)]


class SvgWriter:
    """Keeps the maps of a run until all are known, since an SVG file begins with its size."""

    def __init__(self, out: TextIO, look: Look) -> None:
        self.out, self.look = out, look
        self.encoded = markup_for(out)  # as the picture says of itself
        self.notes: list[str] = []
        self.bands: list[Band | Drawing] = []

    def __call__(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            if isinstance(block, Maps):
                self.bands.append(Band(block, self.look.languages))
            elif isinstance(block, Architecture):
                self.bands.append(Drawing(block, self.look.languages))
                self.notes.append(described(block, self.look.languages))
            elif isinstance(block, Prose):
                self.notes.append(in_languages(block.text, self.look.languages).strip())

    def close(self) -> None:
        self.out.writelines(map(self.encoded, self.parts()))
        self.out.flush()

    def parts(self) -> Iterator[str]:
        width = 2 * MARGIN + max((band.width for band in self.bands), default=0)
        height = MARGIN + sum(band.height + MARGIN for band in self.bands)
        yield (f'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" '
               f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" xml:lang="{self.look.languages[0]}" '
               f'role="img" font-family="{FONTS}" fill="{INK}">\n')
        yield f"<title>{escaped(self.look.title)}</title>\n"
        yield f"<desc>{escaped(' '.join(line for note in self.notes for line in note.splitlines()))}</desc>\n"
        yield f'<rect width="{width:.0f}" height="{height:.0f}" fill="{PAPER}"/>\n'
        y: float = MARGIN
        for band in self.bands:
            yield f'<g data-address="{escaped(band.address)}" transform="translate({MARGIN} {y:.0f})">\n'
            yield from band.parts(self.look.colour != "never")
            yield "</g>\n"
            y += band.height + MARGIN
        yield "</svg>\n"


class Band:
    """The heads of a place, as many side by side as fit; the words that look stand before the first of each row."""

    def __init__(self, block: Maps, languages: tuple[str, ...]) -> None:
        self.block, self.address, self.title = block, block.place, in_languages(block.title, languages)
        self.note = in_a_line(largest_of(block), languages)
        pictures = [HeadGraphic(head, languages) for head in block.heads]
        self.before = max(width_of(shown(word)) for word in block.heads[0].row_labels or ("",)) + BESIDE
        fit = int((WIDEST - self.before + GAP) // (max(picture.width for picture in pictures) + GAP))
        across = min(max(1, fit), len(pictures))
        self.rows = [pictures[n:n + across] for n in range(0, len(pictures), across)]
        titles = width_of(self.title, TITLE), width_of(block.place, NOTE), width_of(self.note, NOTE)
        self.width = max(*titles, *(self.before + sum(picture.width + GAP for picture in row) - GAP
                                    for row in self.rows))
        self.height = HEADING + sum(GAP + row[0].height for row in self.rows)

    def parts(self, shades: bool) -> Iterator[str]:
        yield text(self.title, 0, TITLE, TITLE, font_weight="bold")
        yield text(self.address, 0, TITLE + NOTE + BESIDE, NOTE, fill=GREY)
        yield text(self.note, 0, HEADING, NOTE, fill=GREY)
        y: float = HEADING + GAP
        for row in self.rows:
            for n, word in enumerate(self.block.heads[0].row_labels or ()):
                yield text(word, self.before - BESIDE, y + row[0].middle(n), text_anchor="end")
            x = self.before
            for picture in row:
                yield (f'<g data-address="{escaped(picture.head.address)}" transform="translate({x:.1f} {y:.1f})">\n'
                       f"<title>{escaped(f'{self.title}, {picture.title}')}</title>\n")
                yield from picture.parts(colours(picture.head.values / (self.block.largest or 1) * shades))
                yield "</g>\n"
                x += picture.width + GAP
            y += row[0].height + GAP


class HeadGraphic:
    """The weights of one head, in cells of the colour of each: the words that are looked at stand above them, turned
    where cells as wide as the longest would take too much room; the cells begin at the `top`."""

    def __init__(self, head: Grid, languages: tuple[str, ...]) -> None:
        self.head, self.title = head, in_languages(title_of_head(head), languages)
        self.numbers = [row.split() for row in head.figures.rows(head.values)]
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

    def parts(self, shades: list[list[tuple[str, str]]]) -> Iterator[str]:
        yield text(self.title, 0, TEXT, font_weight="bold")
        for n, word in enumerate(self.head.column_labels or ()):
            x, y = (n + 0.5) * self.cell, self.top - BESIDE / 2
            if self.turned:
                yield text(word, x, y, transform=f"rotate(-45 {x:.1f} {y:.1f})")
            else:
                yield text(word, x, y, text_anchor="middle")
        yield f'<g stroke="{LINE}">\n'
        for i, row in enumerate(shades):
            yield "".join([f'<rect x="{j * self.cell:.1f}" y="{self.top + i * CELL:.1f}" width="{self.cell:.1f}" '
                           f'height="{CELL}" fill="{fill}"/>\n' for j, (fill, _) in enumerate(row)])
        yield f'</g>\n<g font-size="{TEXT}" text-anchor="middle">\n'
        for i, (row, numbers) in enumerate(zip(shades, self.numbers, strict=True)):
            yield "".join([f'<text data-cell="{i + 1},{j + 1}" x="{(j + 0.5) * self.cell:.1f}" y="{self.middle(i):.1f}"'
                           f' fill="{ink}">{number}</text>\n'
                           for j, ((_, ink), number) in enumerate(zip(row, numbers, strict=True))])
        yield "</g>\n"
