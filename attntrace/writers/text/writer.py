"""Blocks on a terminal, in a pipe, in a text file: the one place that imports rich."""
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TextIO, final

from rich.cells import cell_len

from attntrace.pages.blocks import Block
from attntrace.writers.page import Line, Look, Page, Shaded, Span, plainly, spelling_for
from attntrace.writers.terminal_width import NARROWEST, WIDEST, columns
from attntrace.writers.text.layout import Layout

# Of the 256-colour table. Hues and grey have a contrast of three to one on black and on white; shades go from grey to
# orange at one lightness, so that a larger weight stands out more on both, and for colour-blind eyes.
HUES = (33, 166, 30, 162, 64, 135, 136, 67)
SHADES = (245, 101, 137, 136, 172, 208, 202)
STYLES = {"bold": "bold", "grey": "color(245)", "red": "bold color(160)",
          **{f"hue{n}": f"color({hue})" for n, hue in enumerate(HUES)},
          **{f"shade{n + 1}": f"color(16) on color({shade})" for n, shade in enumerate(SHADES)}}
FEW_SHADES = ("", "white on bright_black", "white on bright_black", "black on yellow", "black on yellow",
              "bright_white on red", "bright_white on red")  # where there are but 16 colours, whose lightness varies
DEFAULT_WIDTH = 100


def wants_colour(out: TextIO, asked: str) -> bool:
    """As asked (always, never); else on a terminal, unless NO_COLOR or TERM=dumb. FORCE_COLOR wants it in a pipe as
    well, never in a file."""
    if asked != "auto":
        return asked == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0", "false") and out is sys.stdout:
        return True
    return out.isatty() and os.environ.get("TERM") != "dumb"


@final
class TerminalWriter(Layout):
    """Writes blocks as they come, each line whole."""

    def __init__(self, out: TextIO, look: Look) -> None:
        self.out = out
        colour = wants_colour(out, look.colour)
        width = min(max(look.width or columns(DEFAULT_WIDTH), NARROWEST), WIDEST)
        super().__init__(Page(width, spelling_for(out.encoding, look.ascii), cells_of, out.encoding or "utf-8",
                              shades=colour, air=2 if look.big else 1, languages=look.languages))
        self.text_of: Callable[[Line], str] = Palette().text_of if colour else plainly

    def lines(self, blocks: Iterable[Block]) -> Iterator[str]:
        text_of, empty = self.text_of, "\n" * self.page.air
        for block in blocks:
            for line in self.lines_of(block):
                yield text_of(line) + "\n" if line else empty


def cells_of(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return len(text) if text.isascii() else cell_len(text)


class Palette:
    """Styles as the escape sequences of this terminal, each computed once by rich."""

    def __init__(self) -> None:
        from rich.console import COLOR_SYSTEMS, Console  # only now: most pages have no colour
        from rich.style import Style
        colours = Console(force_terminal=True).color_system or "standard"
        few = {f"shade{n + 1}": shade for n, shade in enumerate(FEW_SHADES)} if colours == "standard" else {}
        self._around = {name: tuple(Style.parse(style).render("\0", color_system=COLOR_SYSTEMS[colours]).split("\0"))
                        for name, style in {**STYLES, **few}.items()}
        self._painted = lru_cache(4096)(self._paint)  # the words of a sentence stand above every row
        self._shades = [("", "")] + [self._around[f"shade{n + 1}"] for n in range(len(SHADES))]

    def text_of(self, line: Line) -> str:
        return "".join([part if isinstance(part, str) else self._shaded(part) if isinstance(part, Shaded)
                        else self._painted(part) for part in line])

    def _paint(self, span: Span) -> str:
        if not span.text or not span.style:
            return span.text
        is_word = span.style.startswith("token")
        before, after = self._around[f"hue{int(span.style[5:]) % len(HUES)}" if is_word else span.style]
        return f"{before}{span.text}{after}"

    def _shaded(self, part: Shaded) -> str:
        """Cells of the same level side by side are painted at once."""
        text, levels, ends, shades = part.text, part.levels, part.ends, self._shades
        found, start = [], 0
        for n, level in enumerate(levels):
            if n + 1 == len(levels) or levels[n + 1] != level:
                before, after = shades[level]
                found.append(f"{before}{text[start:ends[n]]}{after}")
                start = ends[n]
        return "".join(found)
