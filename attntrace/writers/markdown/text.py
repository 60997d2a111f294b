"""Words and cells in Markdown, where they do nothing but show themselves, and formulas in LaTeX."""
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from attntrace.messages.catalog import Text
from attntrace.pages.blocks import CellLine, Formula
from attntrace.tensor.symbol import Spelling
from attntrace.writers.arithmetic import cell_text
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


LINE = 80  # signs that stand side by side
COMMAND = re.compile(r"\\(?:[a-zA-Z]+ ?|.)|[{}^_]")


def signs_of(latex: str) -> int:
    """About how many signs are seen."""
    return len(COMMAND.sub("", latex)) + latex.count("\\")


LATEX = Page(LINE, Spelling.LATEX, signs_of)


def inline(formula: Formula) -> str:
    return f"$`{LATEX.formula(formula)}`$"


def math_block(lines: Sequence[str]) -> Iterator[str]:
    """Lines with an `&` each where they are lined up; one line needs no environment."""
    aligned = (r"\begin{aligned}", " \\\\\n".join(lines), r"\end{aligned}")
    yield from ("", "```math", *(aligned if len(lines) > 1 else [lines[0].replace("&", "")]), "```")


def equation(formula: Formula) -> list[str]:
    left = LATEX.symbol(formula.left, formula.head, formula.row)
    first, *rest = side(LATEX.expression(formula.right, formula.head, formula.row))
    return [f"{left} {first}", *rest]


def arithmetic(cell: CellLine) -> list[str]:
    """`q₁[1] = x₁ W_Q[:,1] = 0.487·(-0.520) + ... = 0.694`, in one line or broken before `=` and `+`."""
    worked = cell_text(cell, Spelling.LATEX)
    if signs_of(worked.text) <= LINE:
        return [worked.text.replace("=", "&=", 1)]
    lines = [line for part in worked.parts[1:] for line in side(part)]
    if signs_of(f"{lines[-1]} {worked.end}") <= LINE:
        lines[-1] += f" {worked.end}"
    else:
        lines.append(f"&{worked.end}")
    return [f"{worked.left} {lines[0]}", *lines[1:]]


def side(text: str) -> list[str]:
    """A side of an equation, broken before signs of sums that are in no group of their own."""
    terms: list[str] = []
    for term in re.split(r" (?=[-+;] )", text):
        if terms and terms[-1].count("{") > terms[-1].count("}"):
            terms[-1] += f" {term}"
        else:
            terms.append(term)
    first, *rest = LATEX.wrapped(terms, 0)
    return [f"&= {first}", *(rf"&\quad {line}" for line in rest)]
