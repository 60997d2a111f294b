"""The demo: a page on sheets that wait for keys, in a real terminal."""
import re
import shlex
import signal
import sys
import termios
import time
from collections import Counter
from contextlib import suppress

import pytest
from command import BLOG, attntrace, process
from pages import without_commands
from rich.cells import cell_len
from terminals import Terminal, terminal

from attntrace.cli.pause import redrawn_when_resized
from attntrace.model.config import Config
from attntrace.pages.blocks import StageHeading
from attntrace.pages.page import Page, last_numbers
from attntrace.pages.view import View
from attntrace.runs.prepare import prepare
from attntrace.runs.training_step import prepare_training_step

SMALL = ("--d-model", "2", "--heads", "1", "--d-ff", "2")
TRACE = ("trace", "a b", "--pause", "--color", "never")
HINT = "q quit"  # the end of the last line
CLEAR = "\x1b[H\x1b[2J"
OTHER_SCREEN, OWN_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
STAGE = re.compile(r"(\d\.\d+) of (\d\.\d+) · \S.*")
NUMBER = re.compile(r"-?\d+\.\d{3}")


def screen(person: Terminal, keys: str = "", until: str = HINT) -> list[str]:
    """The lines on the screen, once it was drawn after each key, and a text is on it: those since it was cleared."""
    before = person.seen.count(CLEAR)
    if keys:
        person.presses(keys)
    person.sees(lambda seen: seen.count(CLEAR) > before and all(
        text in seen.rpartition(CLEAR)[2] for text in (HINT, until)))
    return lines_of(person.seen.rpartition(CLEAR)[2])


def lines_of(drawn: str) -> list[str]:
    return STYLE.sub("", drawn).replace("\r", "").split("\n")


def stage(lines: list[str]) -> str:
    found = STAGE.match(lines[0])
    return found[1] if found else ""


def leafed_through(*arguments: str, columns: int, rows: int) -> tuple[list[list[str]], str]:
    """All screens of a page, and what is printed after them."""
    with terminal(*arguments, *([] if "--big" in arguments else ["--pause"]), columns=columns, rows=rows) as person:
        screen(person)
        with suppress(AssertionError):  # it has ended
            while True:
                drawn = person.seen.count(CLEAR)
                person.presses(" " * 30, seconds=2)
                person.sees(lambda seen: seen.count(CLEAR) == drawn + 30)
        assert person.ends()[0] == 0
        first, *screens = person.seen.split(CLEAR)
        assert first == OTHER_SCREEN
        screens[-1], after = screens[-1].split(OWN_SCREEN)
        return list(map(lines_of, screens)), after


@pytest.mark.parametrize("arguments, stages, columns, rows", [
    (("trace", *BLOG), 29, 60, 18), (("trace", *BLOG), 29, 100, 30), (("translate", BLOG[0]), 7, 80, 24),
    (("backprop", "a", "c", *SMALL, "--arithmetic", "none"), 124, 60, 18)])
def test_every_screen_names_its_stage_has_the_keys_below_and_fits_and_all_numbers_are_on_some_screen(
        arguments, stages, columns, rows):
    screens, after = leafed_through(*arguments, columns=columns, rows=rows)
    for lines in screens:
        assert len(lines) == rows and all(cell_len(line) <= columns for line in lines), lines
        assert re.match(r"\S", lines[0]) and lines[-1].endswith(HINT) and lines[-1].startswith("space next")
    found = (re.match(r"[\d.]+ of [\d.]+ ", lines[0]) for lines in screens)
    numbers = list(dict.fromkeys(one[0] for one in found if one))
    parts = ("",) if arguments[0] == "translate" else ("1.", "2.")
    assert numbers == [f"{part}{n} of {part}{stages} " for part in parts for n in range(1, stages + 1)]
    page = re.sub(r"^\d\.\d+  ", "", attntrace(*arguments, "--width", str(columns)).out, flags=re.M)
    on_screens = Counter(NUMBER.findall("\n".join("\n".join(lines[1:]) for lines in screens)))
    assert on_screens == Counter(NUMBER.findall(page)) and page.endswith(after)


@pytest.mark.parametrize("subject", [
    prepare("a b c"), prepare("a b", "c d"), prepare("a", "a", config=Config(norm="pre", final_norm=True, layers=2)),
    prepare("a b", "", config=Config(heads=1, position="none")), prepare_training_step("a b", "c", optimizer="adam")])
def test_there_are_as_many_stages_as_the_first_line_says(subject):
    numbers = []
    Page(subject, View(), lambda blocks: numbers.extend(
        block.number for block in blocks if isinstance(block, StageHeading)))()
    last = len(numbers) // 2
    assert numbers == [f"{part}.{n}" for part in (1, 2) for n in range(1, last + 1)]
    assert last_numbers(subject, View()) == [(1, last), (2, last)]


def test_space_goes_on_screen_after_screen_and_b_back():
    with terminal(*TRACE, columns=60, rows=18) as person:
        forth = [screen(person)] + [screen(person, key) for key in (" ", "\r", "\x1b[B", "\x1b[C", "\x1b[6~") * 3]
        assert len(set(map(stage, forth))) > 2
        back = [screen(person, key) for key in ("b", "ㅠ", "\x7f", "\x1b[A", "\x1b[D") * 3]
        assert back == forth[-2::-1] and screen(person, "b") == forth[0]


def test_a_number_and_enter_go_to_that_stage_on_or_back():
    with terminal(*TRACE) as person:
        person.reads(HINT)
        for typed, expected in (("1.3\r", "1.3"), ("7\r", "1.7"), ("2.4\r", "2.4"), ("2\r", "2.2"),
                                ("1.9\x7f1\r", "1.1"), ("010\r", "1.10")):
            assert stage(screen(person, typed, f"{expected} of {expected[0]}.10")) == expected
        for wrong, number in (("99\r", "99"), ("3.1\r", "3.1"), ("0\r", "0"), ("1..\r", "1..")):
            person.presses(wrong)
            person.reads(f"there is no stage {number} (1.1-1.10, 2.1-2.10)")
        assert stage(screen(person, "x")) == "1.10"


def test_a_stage_that_is_not_shown_leads_to_the_next_one_that_is():
    with terminal(*TRACE, "--only", "head1.*") as person:
        person.reads(HINT)
        assert stage(screen(person, "1.1\r", "1.2 of 1.10")) == "1.2"
        assert screen(person, "2.9\r", "Fingerprint")[0].startswith("At the end")


def test_stages_that_are_no_longer_kept_are_computed_again():
    script = f"""{shlex.quote(sys.executable)} -c 'from attntrace import __main__
from attntrace.cli import pause; pause.KEPT = 2; __main__.main()'"""
    with terminal(script=f"{script} {shlex.join(TRACE)}") as person:
        seen = []
        for key in ["", *" " * 20]:
            seen.append(screen(person, key))
        back = [screen(person, "b") for _ in range(20)]
        assert back == seen[-2::-1]
        for expected in ("2.5", "1.4", "1.5"):
            assert stage(screen(person, f"{expected}\r", f"{expected} of {expected[0]}.10")) == expected


@pytest.mark.parametrize("key", ["x", "\x1b[15~", "가", "\t", "\x1a"])
def test_keys_without_a_meaning_and_coming_back_from_ctrl_z_change_nothing(key):
    with terminal(*TRACE, rows=100) as person:
        person.reads(HINT)
        for pressed, expected in ((key, ""), (" ", ""), (" ", "1.1"), (key, "1.1"), (" ", "1.2")):
            assert stage(screen(person, pressed)) == expected


def test_a_screen_that_changes_its_size_is_drawn_again():
    with terminal(*TRACE, columns=100, rows=30) as person:
        screen(person, "1.3\r", "1.3 of 1.10")
        for rows, columns in ((18, 60), (40, 120)):
            while person.settings()[3] & termios.ICANON:
                time.sleep(0.01)
            termios.tcsetwinsize(person.master, (rows, columns))
            lines = screen(person)
            assert stage(lines) == "1.3" and len(lines) == rows
            assert columns - 9 <= max(map(cell_len, lines)) <= columns


def test_a_size_that_changes_while_a_sheet_is_drawn_is_drawn_after_it():
    drawn: list[str] = []

    def draw() -> None:
        drawn.append("begun")
        if len(drawn) == 1:
            signal.raise_signal(signal.SIGWINCH)
        drawn.append("done")

    with redrawn_when_resized(draw):
        signal.raise_signal(signal.SIGWINCH)
    assert drawn == ["begun", "done"] * 2


def test_what_goes_on_on_another_screen_has_its_words_above_it_again():
    words = [f"w{n}" for n in range(20)]
    screens, _ = leafed_through("trace", " ".join(words), "--only", "head1.output", "--form", "matrix", "--no-explain",
                                columns=60, rows=18)
    rows = [[n for n, line in enumerate(lines) if re.search("[⎡⎢⎣]", line)] for lines in screens]
    assert sum(map(bool, rows)) > 2
    for lines, found in zip(screens, rows, strict=True):
        for n in found:
            above = next(line for line in reversed(lines[:n]) if not re.search("[⎡⎢⎣]", line))
            assert re.search(r" w\d+ +w\d+|\d+×\d+", above), lines


@pytest.mark.parametrize("columns, rows", [(60, 18), (100, 30)])
def test_big_sheets_hold_fewer_things_and_none_is_nearly_empty(columns, rows):
    plain, _ = leafed_through("trace", "a b c", columns=columns, rows=rows)
    big, _ = leafed_through("trace", "a b c", "--big", columns=columns, rows=rows)
    assert len(big) > len(plain) and set(map(stage, big)) == set(map(stage, plain))
    assert all(len(list(filter(str.strip, lines[:-1]))) >= 6 for lines in big)
    assert max(sum(bool(re.match(r"     [A-Z][\w ]+: ", line)) for line in lines) for lines in big) <= 3  # topics
    assert not any("--weights ko-en" in line for lines in big for line in lines)
    assert sum(len(list(filter(str.strip, lines[:-1]))) < 6 for lines in plain) <= 1


def test_big_is_like_pause_on_a_terminal_and_like_nothing_in_a_pipe():
    with terminal(*TRACE[:2], "--big") as person:
        assert HINT in person.reads(HINT)
    big, plain = (without_commands(attntrace("trace", "a b", *more).out) for more in (("--big",), ()))
    assert big == plain


def test_every_stage_has_its_mark_and_a_part_begins_on_a_sheet_of_its_own_with_the_picture_of_the_model():
    screens, _ = leafed_through("trace", "a b", "--target", "c", columns=80, rows=24)
    assert all("✓" in " ".join(lines[:2]) for lines in screens if stage(lines))
    parts = [lines for lines in screens if any("Part " in line for line in lines)]
    assert [lines[0] for lines in parts] == ["Part 1  Vector form  one token at a time",
                                             "Part 2  Matrix form  all tokens at once"]
    assert all("Cross-attention" in "".join(lines) for lines in parts)


@pytest.mark.parametrize("columns, rows", [(60, 18), (80, 24)])
@pytest.mark.parametrize("arguments", [
    ("trace", "a b", "--form", "vector"), ("backprop", "a", "b", *SMALL, "--form", "vector")])
def test_an_equation_is_on_one_sheet_or_has_its_left_side_again(arguments, columns, rows):
    screens, _ = leafed_through(*arguments, "--no-explain", columns=columns, rows=rows)
    for lines in screens:
        body = lines[lines.index("", 1) + 1] if "" in lines[1:] else ""
        assert not re.match(r" *[+=≈;] ", body), lines


def test_formulas_of_a_heading_are_broken_between_formulas_first():
    page = attntrace("trace", "a b", "--width", "60", "--form", "vector").out
    assert "     uᵢ = xᵢ + oᵢ    μᵢ = mean(uᵢ)    σ²ᵢ = mean((uᵢ - μᵢ)²)\n" in page


@pytest.mark.parametrize("how, columns, rows", [("--pause", 60, 18), ("--big", 80, 24), ("--pause", 100, 30)])
@pytest.mark.parametrize("arguments, last", [
    (("map", *BLOG), 3), (("verify", "a b"), 2), (("compare", "a b", "--what-if", "--ablate head1"), 3),
    (("why", "head1.weights:1,2", "a b", "--depth", "3"), 0), (("steps", "a b"), 0), (("explain", "softmax"), 0),
    (("explain",), 0)])
def test_a_page_without_stages_is_on_sheets_as_well(arguments, last, how, columns, rows):
    screens, _ = leafed_through(*arguments, *([how] if how == "--big" else []), columns=columns, rows=rows)
    for lines in screens:
        assert len(lines) == rows and all(cell_len(line) <= columns for line in lines), lines
        assert re.match(r"\S", lines[0]) and lines[-1].endswith(HINT) and ("Enter" in lines[-1]) == bool(last)
    numbers = list(dict.fromkeys(found[0] for lines in screens if (found := re.match(r"\d+ of \d+", lines[0]))))
    last *= 2 if arguments[0] == "map" and how == "--big" else 1  # a head each
    assert numbers == [f"{n} of {last}" for n in range(1, last + 1)]
    page = attntrace(*arguments, "--width", str(columns), how).out
    assert set(NUMBER.findall(page)) == set(NUMBER.findall("\n".join("\n".join(lines) for lines in screens)))


@pytest.mark.parametrize("key, code", [("ㅂ", 0), ("\x04", 0), ("\x03", 130)])
def test_the_terminal_is_left_as_it_was_found(key, code):
    with terminal(*TRACE) as person:
        before = person.settings()
        person.reads(HINT)
        person.presses(" ")
        person.reads(HINT)
        person.presses(key)
        assert person.ends() == (code, OWN_SCREEN) and person.settings() == before


@pytest.mark.parametrize("language, first, last", [
    ("ko", r"1\.3 \(1\.10까지\) · .*인코더", "스페이스: 다음   b: 이전   번호와 Enter: 그 묶음   q: 끝"),
    ("both", r"1\.3 \(1\.10까지\) / 1\.3 of 1\.10 ", "스페이스: 다음   b: 이전   번호와 Enter: 그 묶음   q: 끝")])
def test_each_language_has_its_first_and_last_line(language, first, last):
    with terminal(*TRACE, "--lang", language, columns=60, rows=18) as person:
        person.presses("1.3\r")
        person.sees(lambda seen: "1.3" in (now := seen.rpartition(CLEAR)[2]) and now.endswith(last))
        lines = lines_of(person.seen.rpartition(CLEAR)[2])
        assert re.match(first, "".join(lines[:3])) and lines[-1] == last and len(lines) == 18


def test_a_sentence_from_standard_input_leaves_the_keyboard_alone():
    with terminal("trace", "--pause", stdin="어제\n".encode()) as person:
        assert "어제" in person.reads(HINT)
        screen(person, "1.1\r", "1.1 of 1.10")
        person.presses("q")
        assert person.ends()[0] == 0


def test_nothing_waits_in_a_pipe():
    assert process("trace", "a", "--pause").out == attntrace("trace", "a").out


def test_a_terminal_that_cannot_clear_its_screen_gets_lines_only():
    with terminal(*TRACE, TERM="dumb") as person:
        person.reads(HINT)
        for key in "   b":
            person.presses(key)
            person.reads(HINT)
        person.presses("q")
        assert person.ends()[0] == 0 and "\x1b" not in person.seen and "1.1 of 1.10" in person.seen
