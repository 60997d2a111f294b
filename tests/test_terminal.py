"""What a person at a terminal sees: widths, colour, pager, progress."""
import json
import re
import shlex
import shutil
import sys
from contextlib import suppress

import click
import numpy as np
import pytest
from command import attntrace, process
from pages import matrices, run_of
from rich.cells import cell_len
from terminals import terminal

from attntrace.pages.blocks import Check
from attntrace.pages.page import Page
from attntrace.pages.view import View
from attntrace.runs.prepare import prepare
from attntrace.writers.text.writer import DARK

SHADE = re.compile(r"\x1b\[38;5;\d+;48;5;(\d+)m([^\x1b]*)")
LETTERS = " ".join("abcdefghijkl")
# The command with a progress bar after a tenth of a second, so that a short run has one.
IMPATIENT = f"""{shlex.quote(sys.executable)} -c 'from attntrace import __main__
from attntrace.cli import progress; progress.PATIENCE = 0.1; __main__.main()'"""
PLAIN = re.compile(r"\x1b\[[0-9;]*m")


def width_of(page: str) -> int:
    """The width of the line that goes across a page."""
    return max(cell_len(line) for line in PLAIN.sub("", page).split("\n") if "═" in line)


@pytest.mark.parametrize("columns, options, env, width", [
    (120, (), {}, 120), (63, (), {}, 63), (80, (), {"COLUMNS": "90"}, 90),
    (80, ("--width", "70"), {"COLUMNS": "90"}, 70)])
def test_the_width_is_that_of_the_option_then_of_columns_then_of_the_terminal(columns, options, env, width):
    with terminal("trace", "a", *options, columns=columns, **env) as person:
        assert person.ends()[0] == 0 and width_of(person.seen) == width


@pytest.mark.parametrize("env, coloured", [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False),
                                           ({"TERM": "xterm"}, True)])
def test_a_terminal_has_colour_unless_it_cannot_or_nobody_wants_it(env, coloured):
    with terminal("trace", "a", "--head", "1", **env) as person:
        assert person.ends()[0] == 0 and ("\x1b[" in person.seen) == coloured


def test_json_is_the_same_on_a_terminal_of_any_width_and_in_a_pipe():
    arguments = ("trace", "어제 카페", "--format", "jsonl", "--only", "scores")
    with terminal(*arguments, columns=61) as person:
        assert person.ends()[0] == 0
    piped = attntrace(*arguments, COLUMNS="140").out
    assert person.seen == piped and len(list(map(json.loads, piped.splitlines()))) > 3


def test_a_terminal_shows_at_most_512_numbers_of_a_step():
    long = ("trace", " ".join("a" * 70), "--only", "head1.scores", "--form", "matrix")
    with terminal(*long) as person:
        assert person.ends()[0] == 0 and "506 of 4,900 numbers are shown" in PLAIN.sub("", person.seen)
    assert "numbers are shown" not in attntrace(*long).out


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_a_terminal_shows_the_first_and_the_last_columns_of_a_wide_tensor_and_says_so_once(width):
    words = "one two three four five six seven eight nine ten eleven twelve"
    wide = ("trace", words, "--d-model", "64", "--no-explain", "--only", "encoder.input", "--only",
            "encoder.layer1.self_attention.residual", "--only", "encoder.layer1.self_attention.head1.weights")
    with terminal(*wide, columns=width) as person:
        assert person.ends()[0] == 0
    page, values = PLAIN.sub("", person.seen).replace("\r", ""), run_of("trace", words, "--d-model", "64").values
    assert max(map(cell_len, page.split("\n"))) <= width
    note = re.search(r"… stands for .* of 64, the first (\d+) and the last (\d+) are shown", " ".join(page.split()))
    assert note and page.count("… stands for") == 1 and int(note[1]) >= 2
    for name, address in (("X", "encoder.input"), ("U", "encoder.layer1.self_attention.residual")):
        title = re.search(rf"{name} 12×64   columns 1-(\d+), (\d+)-64", page)
        drawn = next(one.rows for one in matrices(page.replace("…", " ")) if one.name == name)
        first, last = int(title[1]), int(title[2])
        shown = np.hstack([values[address][:, :first], values[address][:, last - 1:]])
        assert 65 + first - last >= width // 10 and np.abs(np.array(drawn) - shown).max() <= 0.0005 + 1e-12
        row = re.search(rf"^  twelve +{name.lower()}₁₂ += (?:.* = )?\[ (.*) … (.*) \]", page, re.M)
        ends = [[float(number) for number in part.split()] for part in row.groups()]
        assert ends[0] == pytest.approx(values[address][-1][:len(ends[0])], abs=5.1e-4)
        assert ends[1] == pytest.approx(values[address][-1][-len(ends[1]):], abs=5.1e-4)
    weights = page[page.index("A = softmax"):page.rindex("\n2.")]
    assert "…" not in weights  # each of their columns is a word
    with terminal(*wide, "--limit", "all", "--no-pager", columns=width) as person:
        assert person.ends()[0] == 0
    assert "…" not in person.seen and "…" not in attntrace(*wide, "--width", str(width)).out


def test_rows_that_a_terminal_does_not_show_are_counted():
    with terminal("trace", "a", "--d-model", "64", "--only", "head1.query", "--form", "matrix", "--ascii") as person:
        assert person.ends()[0] == 0
    page = PLAIN.sub("", person.seen)
    shown = re.search(r"W_Q\^\(1\) 64x32   rows 1-(\d+)   columns 1-\d, 2\d-32", page)
    assert shown and f"{shown[1]} of 64 rows are shown; {64 - int(shown[1])} are hidden (--limit all shows" in page
    assert len(re.findall(r"^  \| .* \.\.\. .* \|", page, re.M)) == int(shown[1])


def test_weights_are_shaded_the_more_the_larger_they_are_in_either_form():
    order, shaded = DARK.shades, []
    for form in ("vector", "matrix"):
        page = process("trace", LETTERS, "--only", "head1.weights", "--form", form, "--arithmetic", "none",
                       "--width", "60", FORCE_COLOR="1", TERM="xterm-256color").out
        shaded.append(sorted((float(number), order.index(int(shade))) for shade, text in SHADE.findall(page)
                             for number in text.split()))
    assert shaded[0] == shaded[1] and len(shaded[0]) > 20
    levels = [level for _, level in shaded[0]]
    assert levels == sorted(levels) and len(set(levels)) > 2


@pytest.mark.parametrize("option", [(), ("--pager",)])
def test_a_pager_gets_the_page_with_its_colours(option):
    with terminal("trace", "a", *option, PAGER="sed 's/^/> /'") as person:
        assert person.ends()[0] == 0
    lines = person.seen.rstrip("\n").split("\n")
    assert len(lines) > 50 and all(line.startswith("> ") for line in lines) and "\x1b[" in person.seen


def test_leaving_the_pager_early_ends_without_a_word():
    script = f"{shlex.quote(sys.executable)} -c 'print(input())'"
    with terminal("trace", "a b c", "--layers", "6", "--pager", "--color", "never", PAGER=script) as person:
        assert person.ends() == (0, 'Trace of "a b c"\n')


@pytest.mark.parametrize("pager", ["cat -n | sed s/Trace/Seen/", "A=b sed s/Trace/Seen/", "'sed' s/Trace/Seen/"])
def test_a_pager_is_what_a_shell_makes_of_it(pager):
    with terminal("trace", "a", "--color", "never", PAGER=pager) as person:
        code, page = person.ends()
    assert code == 0 and 'Seen of "a"' in page


def test_no_pager_in_a_pipe():
    assert process("trace", "a", "--pager", PAGER="no-such-pager").out == attntrace("trace", "a").out


@pytest.mark.parametrize("options, env", [
    (("--no-pager",), {}), (("--pause",), {}), ((), {"TERM": "dumb"}), (("--pager",), {"TERM": "dumb"}),
    ((), {"PAGER": "no-such-pager"}), ((), {"PAGER": "less '"}), ((), {"PAGER": ""}), (("--quiet",), {}),
    ((), {"PAGER": "cat"}), (("--pager",), {"PAGER": "cat"})])
def test_a_page_goes_straight_to_a_terminal_where_no_pager_is_wanted_or_there(options, env):
    with terminal("trace", "a", *options, "--color", "never", **{"PAGER": "sed 's/^/> /'"} | env) as person:
        assert not person.reads("\n").startswith("> ")


@pytest.mark.skipif(not shutil.which("less"), reason="needs less")
def test_a_page_that_fits_is_printed_by_less_and_a_longer_one_waits_for_q():
    for words, rows, waits in (("a", 40, False), ("a", 5, True)):
        with terminal("map", words, rows=rows, PAGER="less") as person:
            if waits:
                person.reads("\x1b[m")
                person.types("q")
            code, rest = person.ends()
            assert code == 0 and ("head 2" in person.seen) == (not waits)


def test_a_long_run_into_a_file_says_how_far_it_is(tmp_path):
    """On standard error, and nothing of it stays."""
    file = tmp_path / "page.txt"
    with terminal(script=f"{IMPATIENT} trace 'a b c d e f' --layers 16 -o {file}") as person:
        code, progress = person.ends(60)
    assert code == 0 and re.search(r"attntrace.*\d+/\d+.*encoder\.layer\d+", progress) and file.exists()
    assert progress.rstrip().endswith("\x1b[2K")
    (total,) = set(re.findall(r"\d+/(\d+)", progress))  # both parts are counted
    done = max(map(int, re.findall(r"(\d+)/\d+", progress)))
    steps = re.search(r"of (\d+) steps", file.read_text("utf-8"))
    assert steps and int(total) == 2 * int(steps[1]) and done > int(total) / 2


def test_a_short_run_says_nothing(tmp_path):
    with terminal("trace", "a", "--only", "scores", "-o", str(tmp_path / "page.txt")) as person:
        assert person.ends() == (0, "")


def test_ctrl_c_at_a_terminal_ends_with_130_and_no_traceback():
    with terminal("trace", " ".join(f"w{n}" for n in range(60)), "--d-model", "128", "--layers", "40") as person:
        person.reads("Part 1")
        person.types("\x03")
        code, rest = person.ends()
    assert code == 130 and "Traceback" not in rest


def test_attntrace_ends_after_its_pager():
    """Else the shell's prompt would stand in the middle of the page; also when Ctrl-C is typed in the pager."""
    slow = ("import signal, sys, time; signal.signal(2, signal.SIG_IGN); print('ready', flush=True); "
            "sys.stdin.read(); time.sleep(0.5); print('read')")
    for keys in ("", "\x03"):
        with terminal("trace", "a", "--pager", PAGER=f"{sys.executable} -c {shlex.quote(slow)}") as person:
            person.reads("ready")
            person.types(keys)
            assert "read\n" in person.ends()[1]


def test_less_gets_colours_and_hangul_whatever_its_own_settings():
    show = "import os; print(os.environ['LESS'], os.environ['LESSCHARSET'])"
    with terminal("trace", "a", "--pager", PAGER=f"{sys.executable} -c {shlex.quote(show)}") as person:
        assert person.ends() == (0, "FRX utf-8\n")


def test_no_progress_on_the_screen_where_the_page_is():
    with terminal(script=f"{IMPATIENT} trace 'a b c d' --layers 8 --arithmetic none --color never") as person:
        code, page = person.ends(60)
    assert code == 0 and "\x1b" not in page


@pytest.mark.parametrize("pager, message", [
    ("less '", "less '"), ("false", "failed (exit code 1)"), ("no-such-pager -x", "no-such-pager")])
def test_a_pager_that_does_not_work_is_one_line(pager, message):
    with terminal("trace", "a", "--pager", PAGER=pager) as person:
        code, page = person.ends()
    assert code == 2 and message in page and "Traceback" not in page and page.count("attntrace: ") == 1


def test_no_progress_over_the_screen_of_a_pager_behind_a_pipe():
    script = f"{IMPATIENT} trace 'a b c d' --layers 8 | cat > /dev/null"
    with terminal(script=script) as person:
        assert person.ends(60) == (0, "")


def test_quitting_after_a_check_that_failed_says_so(monkeypatch):
    """`q` ends with the checks so far."""
    sheets = []

    def writer(written):
        sheets.append(list(written))
        if len(sheets) == 4:
            raise click.exceptions.Exit(0)

    monkeypatch.setattr("attntrace.pages.forms.check_postconditions", lambda steps: [
        Check("rows_sum_to_one", (steps[0].symbol,), (), None, 12, steps[0].address, 0, 1.0)])
    page = Page(prepare("a"), View(), writer)
    with suppress(click.exceptions.Exit):
        page()
    assert len(sheets) == 4 and page.failed
