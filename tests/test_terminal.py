"""What a person at a terminal sees: widths, colour, pager, progress."""
from __future__ import annotations

import json
import os
import re
import shlex
import sys

import pytest
from command import ROOT, attntrace, process
from rich.cells import cell_len
from terminals import terminal

PLAIN = re.compile(r"\x1b\[[0-9;]*m")


def rule(page: str) -> int:
    """How wide the line is that goes across a page."""
    return max(cell_len(line) for line in PLAIN.sub("", page).split("\n") if "═" in line)


def test_a_page_is_as_wide_as_the_terminal_whenever_it_is_run():
    for columns in (80, 120, 63):
        with terminal("trace", "a", columns=columns) as person:
            assert person.ends()[0] == 0 and rule(person.seen) == columns


def test_columns_and_width_are_asked_before_the_terminal():
    with terminal("trace", "a", columns=80, COLUMNS="90") as person:
        assert person.ends()[0] == 0 and rule(person.seen) == 90
    with terminal("trace", "a", "--width", "70", columns=80, COLUMNS="90") as person:
        assert person.ends()[0] == 0 and rule(person.seen) == 70


@pytest.mark.parametrize("env, coloured", [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False),
                                           ({"TERM": "xterm"}, True)])
def test_a_terminal_has_colour_unless_it_cannot_or_nobody_wants_it(env, coloured):
    with terminal("trace", "a", "--head", "1", **env) as person:
        assert person.ends()[0] == 0 and ("\x1b[" in person.seen) == coloured


def test_json_is_the_same_on_a_terminal_of_any_width_and_in_a_pipe():
    arguments = ("trace", "어제 카페", "--format", "jsonl", "--only", "scores")
    with terminal(*arguments, columns=61) as person:
        assert person.ends()[0] == 0
    piped = process(*arguments, COLUMNS="140").out
    assert person.seen == piped and len(list(map(json.loads, piped.splitlines()))) > 3


def test_a_terminal_shows_at_most_4096_numbers_of_a_step():
    long = ("trace", "a", "--d-model", "5000", "--d-ff", "1", "--only", "encoder.input", "--form", "vector")
    with terminal(*long) as person:
        assert person.ends()[0] == 0 and "4,096 of 5,000 numbers are shown" in PLAIN.sub("", person.seen)
    assert "numbers are shown" not in attntrace(*long).out


def test_weights_are_shaded_the_more_the_larger_they_are():
    """In colour every weight stands on the shade of its level, the same for the same number everywhere."""
    page = process("trace", "a b c d e", "--only", "weights", "--form", "matrix", "--arithmetic", "none",
                   FORCE_COLOR="1", TERM="xterm-256color").out
    level: dict[str, int] = {}
    for shade, text in re.findall(r"\x1b\[38;5;16;48;5;(\d+)m([^\x1b]*)", page):
        for number in text.split():
            assert level.setdefault(number, int(shade)) == int(shade)
    order = [245, 101, 137, 136, 172, 208, 202]
    found = [order.index(level[number]) for number in sorted(level, key=float)]
    assert len(found) > 10 and found == sorted(found) and len(set(found)) > 2


def test_a_pager_gets_the_page_with_its_colours():
    with terminal("trace", "a", "--pager", PAGER="sed 's/^/> /'") as person:
        assert person.ends()[0] == 0
    lines = person.seen.rstrip("\n").split("\n")
    assert len(lines) > 50 and all(line.startswith("> ") for line in lines) and "\x1b[" in person.seen


def test_leaving_the_pager_early_ends_without_a_word():
    script = f"{shlex.quote(sys.executable)} -c 'print(input())'"
    with terminal("trace", "a b c", "--layers", "6", "--pager", "--color", "never", PAGER=script) as person:
        assert person.ends() == (0, "  What goes in\n")


def test_a_pager_that_is_not_there_is_one_line():
    with terminal("trace", "a", "--pager", PAGER="no-such-pager -x") as person:
        code, page = person.ends()
    assert code == 2 and page.count("\n") == 1 and "no-such-pager" in page


def test_no_pager_in_a_pipe():
    assert process("trace", "a", "--pager", PAGER="no-such-pager").out == attntrace("trace", "a").out


def test_a_long_run_into_a_file_says_how_far_it_is(tmp_path):
    """On standard error, after a second, and nothing of it stays."""
    file = tmp_path / "page.txt"
    with terminal("trace", " ".join("abcdefgh"), "--layers", "24", "-o", str(file)) as person:
        code, said = person.ends(60)
    assert code == 0 and re.search(r"attntrace.*\d+/\d+.*encoder\.layer\d+", said) and file.exists()
    assert said.endswith("\x1b[2K") or said.rstrip().endswith("\x1b[2K")


def test_a_short_run_says_nothing(tmp_path):
    with terminal("trace", "a", "--only", "scores", "-o", str(tmp_path / "page.txt")) as person:
        assert person.ends() == (0, "")


def test_ctrl_c_at_a_terminal_ends_with_130_and_no_traceback():
    with terminal("trace", " ".join(f"w{n}" for n in range(60)), "--d-model", "128", "--layers", "40") as person:
        person.reads("Part 1")
        person.types("\x03")
        code, rest = person.ends()
    assert code == 130 and "Traceback" not in rest and os.path.isdir(ROOT)
