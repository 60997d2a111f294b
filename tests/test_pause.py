"""The demo: a page that waits for keys, in a real terminal."""
import re

import pytest
from command import attntrace, process
from terminals import terminal

TRACE = ("trace", "a b", "--pause", "--color", "never")
HINT = "space next"


def stages(page: str) -> list[str]:
    """The numbers of the stages that are headed on a page."""
    return re.findall(r"^\d\.\d+(?=  [A-Z])", page, re.M)


def test_space_and_enter_go_on_stage_after_stage():
    with terminal(*TRACE) as person:
        assert stages(person.reads(HINT)) == []
        for number, key in enumerate([" ", "\r", "\x1b[B", "\x1b[C"], start=1):
            person.presses(key)
            assert stages(person.reads(HINT)) == [f"1.{number}"]


def test_b_goes_back_and_space_from_there_on_again():
    with terminal(*TRACE) as person:
        person.reads(HINT)
        for _ in range(3):
            person.presses(" ")
            person.reads(HINT)
        for key, expected in (("b", "1.2"), ("ㅠ", "1.1"), (" ", "1.2"), (" ", "1.3"), (" ", "1.4"), ("\x1b[A", "1.3")):
            person.presses(key)
            assert stages(person.reads(HINT)) == [expected]


@pytest.mark.parametrize("key", ["x", "\x1b[15~", "가", "\t", "\x1a"])
def test_keys_without_a_meaning_and_coming_back_from_ctrl_z_change_nothing(key):
    with terminal(*TRACE) as person:
        person.reads(HINT)
        for pressed, expected in ((key, []), (" ", ["1.1"]), (key, []), (" ", ["1.2"])):
            person.presses(pressed)
            assert stages(person.reads(HINT)) == expected


def test_a_digit_says_how_many_stages_come_at_once():
    with terminal(*TRACE) as person:
        person.reads(HINT)
        person.presses("3")
        assert stages(person.reads("now 3")) == []
        person.presses(" ")
        assert stages(person.reads(HINT)) == ["1.1", "1.2", "1.3"]
        for _ in range(2):  # once more back from the beginning stays there
            person.presses("b")
            assert "  Input" in person.reads(HINT)


@pytest.mark.parametrize("key, code", [("ㅂ", 0), ("\x04", 0), ("\x03", 130)])
def test_the_terminal_is_left_as_it_was_found(key, code):
    with terminal(*TRACE) as person:
        before = person.settings()
        person.reads(HINT)
        person.presses(" ")
        person.reads(HINT)
        person.presses(key)
        assert person.ends()[0] == code
        assert person.settings() == before
        last_line = person.seen.rpartition("\n")[2]
        assert HINT in last_line and last_line.endswith("\r") and last_line.rsplit("\r", 2)[1].strip() == ""


def test_the_terminal_is_left_as_it_was_found_at_the_end():
    """All stages, and the fingerprint at last: the same page as without waiting, but for the hints."""
    with terminal(*TRACE, "--form", "matrix") as person:
        before = person.settings()
        person.reads(HINT)
        for key in "9 ":
            person.presses(key)
            person.reads("now 9")
        person.presses(" ")
        assert person.ends()[0] == 0 and person.settings() == before
        without_hints = re.sub(rf"{HINT}[^\n\r]*\r *\r", "", person.seen)
        assert without_hints == attntrace("trace", "a b", "--form", "matrix").out


def test_a_sentence_from_standard_input_leaves_the_keyboard_alone():
    with terminal("trace", "--pause", stdin="어제\n".encode()) as person:
        assert "어제" in person.reads(HINT)
        person.presses(" ")
        assert "1.1  Embedding" in person.reads(HINT)
        person.presses("q")
        assert person.ends()[0] == 0


def test_nothing_waits_in_a_pipe():
    assert process("trace", "a", "--pause").out == process("trace", "a").out


@pytest.mark.parametrize("kind, clear", [("xterm-256color", "\x1b[H\x1b[2J"), ("dumb", "")])
def test_going_back_begins_on_a_clear_screen(kind, clear):
    with terminal(*TRACE, TERM=kind) as person:
        person.reads(HINT)
        person.presses("b")
        again = person.reads(HINT)
        assert clear in again and ("\x1b" in again) == bool(clear)


def test_more_air_puts_a_line_between_rows_and_a_blank_between_numbers():
    plain, big = (attntrace("trace", "a b", "--only", "head1.weights", *more).out for more in ((), ("--big",)))
    assert re.search(r"⎤\n +⎢ +⎥ +⎢ +⎥\n.*⎦$", big, re.M) and not re.search(r"⎢ +⎥", plain)
    rows = [re.search(r"a₁ .*= \[(.*?)\]", page)[1] for page in (plain, big)]
    assert [len(row) for row in rows] == [len(rows[0]), len(rows[0]) + 2]
    assert "\n\n\n" in big and "\n\n\n" not in plain


@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_more_air_changes_no_number(form):
    plain, big = (attntrace("trace", "a b", "--width", "160", "--form", form, *more).out for more in ((), ("--big",)))
    assert len(big.split("\n")) > 1.2 * len(plain.split("\n"))
    numbers, others = (sorted(re.findall(r"-?\d+\.\d+", re.sub(r"[⎢⎥\s]", " ", page))) for page in (plain, big))
    assert numbers == others
