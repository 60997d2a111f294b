"""An HTML page while it is written: its anchors, its headings, its open elements."""
import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from itertools import chain, count
from typing import NamedTuple

from attntrace.messages.catalog import BESIDE, Text, in_languages, versions
from attntrace.messages.unicode import graphemes, shown
from attntrace.pages.blocks import Answer, Heading, Maps, PartHeading, PlaceHeading, StageHeading
from attntrace.tensor.symbol import Spelling
from attntrace.tensor.tensor import Tensor
from attntrace.writers.page import PROMPT, Page

LONGEST = 16  # letters of a word that stand in a line
HUES = 8  # of words, one after another
AFTER_SECTION = (PartHeading, PlaceHeading, StageHeading, Heading, Answer, Maps, None)
ANCHOR = re.compile(r"[\w.:,-]+", re.ASCII)


class Entry(NamedTuple):
    """A line of the table of contents."""
    level: int
    anchor: str
    title: str
    beside: str = ""


class HtmlPage(Page):
    """A page while it is written: its `contents` (the headings that were written), whether a part has begun (`in_part`)
    and a section is open (`in_section`)."""

    def __init__(self, languages: tuple[str, ...], shades: bool) -> None:
        super().__init__(0, Spelling.UNICODE, len, shades=shades, languages=languages)  # a browser breaks the lines
        self.contents: list[Entry] = []
        self.in_part = False
        self.in_section = False
        self._anchors: set[str] = set()
        self._open: list[str] = []  # the ends of what is open for blocks of one kind
        self._open_for: type | None = None

    def text(self, text: Text) -> str:
        """A text as markup, commands after a prompt as code; several languages are each marked with `lang`."""
        rendered = versions(self.languages, text) if not isinstance(text, str) else [(text,)]
        if len(rendered) == 1:
            return _lines(*rendered[0])
        between = "<br>" if "\n" in in_languages(text, self.languages) else BESIDE
        return between.join(f"<span lang={language}>{_lines(version)}</span>"
                            for language, (version,) in zip(self.languages, rendered, strict=True))

    def anchor(self, name: str) -> str:
        """The id attribute for a name; empty where the name is taken."""
        if name in self._anchors or not ANCHOR.fullmatch(name):
            return ""
        self._anchors.add(name)
        return f' id="{name}"'

    def link(self, name: str) -> str:
        """A link to an anchor that was written; empty where there is none."""
        return f"#{name}" if name in self._anchors else ""

    def linked(self, name: str, markup: str) -> str:
        link = self.link(name)
        return f'<a href="{link}">{markup}</a>' if link else markup

    def link_of(self, tensor: Tensor) -> str:
        """A link to the numbers of a tensor, or of the tensor that it is a row or the transpose of."""
        return self.link(part_name(tensor)) or self.link(whole_name(tensor))

    @property
    def level(self) -> int:
        """That of a heading above stages."""
        return 3 if self.in_part else 2

    def heading(self, level: int, anchor: str, title: str, beside: str = "", listed: str = "", kind: str = "") -> str:
        """A heading that the table of contents leads to, where `listed` stands beside it."""
        name = anchor if ANCHOR.fullmatch(anchor) else "heading"
        anchor = next(filter(self.anchor, chain([name], (f"{name}-{n}" for n in count(2)))))
        self.contents.append(Entry(level, anchor, title, listed))
        return f'<h{level} id="{anchor}"{kind}>{title}{beside}</h{level}>\n'

    def deeper(self, opening: str, closing: str, depth: int, kind: type) -> Iterator[str]:
        """Elements in each other, as many as the `depth`, which stay open for further blocks of a kind."""
        yield opening * (depth - len(self._open)) + closing * (len(self._open) - depth)
        self._open, self._open_for = [closing] * depth, kind

    def closed_for(self, kind: type | None) -> str:
        """The end of what is open, unless it is for blocks of this kind; and of the section, before some kinds."""
        end = ""
        if kind is not self._open_for:
            end, self._open = "".join(self._open), []
        if self.in_section and kind in AFTER_SECTION:
            end, self.in_section = f"{end}</section>\n", False
        return end


def whole_name(tensor: Tensor) -> str:
    """The address of the one tensor that it is, or is part of; nothing where there are several."""
    addresses = {leaf.address for leaf in tensor.leaves()}
    return addresses.pop() or "" if len(addresses) == 1 else ""


def part_name(tensor: Tensor) -> str:
    """The name of one block of columns of a parameter."""
    above = tensor.symbol.superscript if tensor.symbol is not None and tensor.address is None else None
    return f"{whole_name(tensor)}.{above}" if above is not None else ""


# ---------------------------------------------------------------- text

def words(text: str) -> str:
    """Words from anywhere, as they may stand in an element or an attribute."""
    return escape(shown(text))


def _lines(text: str) -> str:
    return "<br>".join(code(line) if line.startswith(PROMPT) else words(line) for line in text.strip().split("\n"))


def address(text: str) -> str:
    """An address, which may be broken behind its dots."""
    return words(text).replace(".", ".<wbr>")


def code(text: str) -> str:
    return f"<code>{address(text)}</code>"


def label(word: str) -> str:
    """A word that stands before or above numbers, which may be broken where it is very long."""
    if len(word) <= LONGEST:
        return words(word)
    letters = graphemes(word)
    return "<wbr>".join(words("".join(letters[n:n + LONGEST])) for n in range(0, len(letters), LONGEST))


def hue(n: int) -> str:
    """The class of the n-th word."""
    return f"t{n % HUES}"


def word_heading(scope: str, word: str, n: int | None) -> str:
    """The heading of a row or a column: the word there, in the hue of the n-th."""
    return f"<th scope={scope}{f' class={hue(n)}' if n is not None else ''}>{label(word)}"


@lru_cache(4096)
def columns_heading(labels: tuple[str, ...], first: int, hued: bool) -> str:
    return "".join([word_heading("col", label, first + n if hued else None) for n, label in enumerate(labels)])


def cell(tag: str, right: bool, written: str, token: int | None = None) -> str:
    kinds = " ".join([*["r"] * right, *([hue(token)] if token is not None else [])])
    return f'<{tag} class="{kinds}">{written}' if kinds else f"<{tag}>{written}"


def nested(contents: list[Entry]) -> Iterator[str]:
    """Entries as lists in lists, as deep as their headings, the first of which is an h2."""
    depth = 0
    for entry in contents:
        deeper, depth = entry.level - 1 - depth, entry.level - 1
        yield "<ul>" * deeper + "</ul>" * -deeper
        beside = f" <small>{entry.beside}</small>" if entry.beside else ""
        yield f'<li><a href="#{entry.anchor}">{entry.title}{beside}</a>\n'
    yield "</ul>" * depth
