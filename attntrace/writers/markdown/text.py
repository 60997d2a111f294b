"""Words and cells in Markdown, where they do nothing but show themselves."""
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from attntrace.messages.catalog import Text
from attntrace.writers.page import Page

BETWEEN = " | "  # two cells
# What Markdown reads as markup gets a backslash. What GitHub looks for once that is done (mentions, issues, emoji,
# links, mathematics), and what would open a list or a heading, stands in an element of its own, where it is nothing.
MARKUP = re.compile(r"(?m)(?P<later>[@#:](?=\S)|\$|(?<=(?i:www))\.|^(?:[-+#]+(?=\s|$)|=+(?=\s*$)|\d+(?=[.)](?:\s|$))))"
                    r"|[\\`*_{}\[\]<>~|&]")


@lru_cache(10_000)  # the words of a sentence stand in every table
def escaped(text: str) -> str:
    """A text that shows itself and does nothing else, wherever it stands."""
    return MARKUP.sub(lambda match: f"<span>{match[0]}</span>" if match["later"] else f"\\{match[0]}", text)


class MarkdownPage(Page):
    """Texts in the languages of a page, which do nothing but show themselves."""

    def code(self, text: str) -> str:
        """A text as code, also where there are backticks in it."""
        text = self.word(text)
        fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
        return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"

    def words(self, text: Text) -> str:
        """Text in a line; several lines of it (in two languages) stay apart."""
        return "<br>".join(escaped(self.word(line).strip()) for line in self.prose(text).split("\n"))

    def code_cell(self, text: str) -> str:
        """A text as code in a table, where no pipe can stand in code."""
        return self.words(text) if "|" in text else self.code(text)


def line_of(cells: Iterable[str]) -> str:
    return f"| {BETWEEN.join(cells)} |"


def head_of(headings: Sequence[str], right: Collection[int]) -> Iterator[str]:
    yield from ("", line_of(headings), line_of("--:" if n in right else ":--" for n in range(len(headings))))
