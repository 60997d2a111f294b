"""Sums of single numbers in several lines: terms in columns, nothing lost."""
import re
from functools import cache

import pytest
from command import attntrace
from pages import without_commands

from attntrace.writers.text.sums import in_columns, widest_sum

WIDTHS = ("60", "80", "100", "160")
TREES = [("output.probabilities:2,cafe", "--depth", "all", "--top", "2"),
         ("gradient.encoder.layer1.self_attention.W_Q:1,1", "--depth", "3"),
         ("output.probabilities:1,cafe", "--depth", "3", "--ascii", "--pencil", "2")]


@cache
def tree(arguments: tuple[str, ...], width: str) -> str:
    done = attntrace("why", *arguments, "--width", width)
    assert done.code == 0
    return without_commands(done.out[done.out.index(" 0  "):])


def sums(page: str) -> list[list[str]]:
    """The lines of each sum that takes several: behind the last `=` before its first `+`, up to its result."""
    found, lines = [], page.split("\n")
    for n, line in enumerate(lines):
        if re.match(r" +\+ +\(?-?\d", line) and not re.match(r" +\+ +\(?-?\d", lines[n - 1]):
            end = next(i for i in range(n, len(lines)) if re.match(r" +(=|≈|~=) ", lines[i]))
            found.append(lines[n - 1:end + 1])
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("arguments", TREES, ids=" ".join)
def test_a_sum_in_several_lines_says_what_it_says_in_one(arguments, width):
    assert "".join(tree(arguments, width).split()) == "".join(tree(arguments, "2000").split())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("arguments", TREES, ids=" ".join)
def test_its_decimal_points_stand_under_each_other_and_its_result_below_it(arguments, width):
    every = sums(tree(arguments, width))
    assert len(every) > 2 or width == "160"
    for *rows, result in every:
        assert re.fullmatch(r" +(=|≈|~=) -?[\d.]+(e-\d+)?", result), rows
        terms = [re.sub(r"\)(?: / .*)?$", "", row) for row in rows]
        points = {place for row in terms for place, sign in enumerate(row) if sign == "."}
        assert len(points) <= max(len(re.findall(r"\d+(?:\.\d+)?(?:e-\d+)?", row)) for row in terms), rows
        signs = {row.index("+") for row in rows[1:]}
        assert len(signs) == 1 and signs.pop() >= len(result) - len(result.lstrip()) + 2, rows


@pytest.mark.parametrize("text, before, terms, behind", [
    ("1 + 2", "", ["1", "2"], ""), ("(1 + 2 + 3) / (4 + 5)", "(", ["1", "2", "3"], ") / (4 + 5)"),
    ("2·((1 + 2)·3 + 4 + 5)", "2·(", ["(1 + 2)·3", "4", "5"], ")"), ("3", "", ["3"], "")])
def test_the_sum_with_most_terms_is_the_one_in_columns(text, before, terms, behind):
    assert widest_sum(text) == (before, terms, behind)


@pytest.mark.parametrize("terms, columns", [
    (["1.5·(-10.25)", "(-3.125)·2", "0·1e-05"], ["  1.5   ·(-10.25)", "(-3.125)·   2    ", "  0     ·   1e-05"]),
    (["e^(1.5 - 2)", "e^(-10.25 - 2)"], ["e^(  1.5  - 2)", "e^(-10.25 - 2)"]),
    (["10.5·2", "3·1.5", "-1"], ["10.5·2  ", " 3  ·1.5", "-1      "])])
def test_terms_with_the_same_signs_are_lined_up_number_by_number(terms, columns):
    assert in_columns(terms) == columns
