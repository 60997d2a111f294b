"""Formulas and the arithmetic of numbers in LaTeX, in lines that have an `&` each where they are lined up."""
import re

from attntrace.pages.blocks import CellLine, Formula
from attntrace.tensor.symbol import Spelling
from attntrace.writers.arithmetic import cell_text
from attntrace.writers.page import Page

LINE = 80  # signs that stand side by side
COMMAND = re.compile(r"\\(?:[a-zA-Z]+ ?|.)|[{}^_]")


def signs_of(latex: str) -> int:
    """About how many signs are seen."""
    return len(COMMAND.sub("", latex)) + latex.count("\\")


LATEX = Page(LINE, Spelling.LATEX, signs_of)


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
