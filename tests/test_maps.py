"""Attention weights as pictures."""
from __future__ import annotations

import re

import pytest
from command import attntrace
from rich.cells import cell_len


def test_a_map_is_measured_by_the_largest_weight_of_all_its_heads():
    page = attntrace("map", "this is a cat").out
    weights = re.findall(r"([█▓▒░]*) +(\d\.\d\d)(?!\d)", page)
    largest = re.search(r"largest weight is (\S+)\.$", page, re.M)
    assert largest and float(largest[1]) == pytest.approx(max(float(number) for _, number in weights), abs=0.005)
    fills = dict.fromkeys("".join(fill[:1] for fill, _ in sorted(weights, key=lambda one: float(one[1]))))
    assert "".join(fills) == "░▒▓█"


def test_a_map_of_some_heads_and_layers_has_only_those():
    page = attntrace("map", "a b", "--layers", "3", "--layer", "2", "--layer", "3", "--head", "2").out
    assert re.findall(r"layer (\d)", page) == ["2", "3"] and "head 1" not in page and page.count("head 2") == 2


def test_words_that_stand_upright_are_read_downwards_and_end_above_their_column():
    page = attntrace("map", "a bcd " + " ".join("efghijklmnopqrstu"), "--width", "60", "--head", "1").out
    lines = page.split("\n")
    first = next(n for n, line in enumerate(lines) if line.strip() == "head 1")
    above = [line.ljust(60) for line in lines[first + 1:first + 4]]
    at = above[2].index("a")
    assert [line[at] for line in above] == [" ", " ", "a"] and [line[at + 2] for line in above] == ["b", "c", "d"]


def test_a_map_of_many_words_has_every_column_and_is_nowhere_too_wide():
    for count, width in ((12, 100), (60, 100), (60, 160), (14, 85)):
        page = attntrace("map", " ".join(f"w{n}" for n in range(count)), "--width", str(width)).out
        parts = [(int(a), int(b)) for a, b in re.findall(r"head 1   columns (\d+)-(\d+)", page)] or [(1, count)]
        assert [n for first, last in parts for n in range(first, last + 1)] == list(range(1, count + 1))
        assert [line for line in page.split("\n") if cell_len(line) > width] == []
