"""Hostile command lines, files and sentences: a sample of them, and that the generator notices every fault."""
import random
import sys
import time
import unicodedata
from pathlib import Path

import hostile
import pytest
from command import attntrace
from hostile import Case, case_of, commands, failures, outcome
from pages import continued_brackets
from rich.cells import cell_len

from attntrace.cli import app as cli


@pytest.mark.parametrize("count, seed", [(12, 2), pytest.param(60, 3, marks=pytest.mark.thorough)])
def test_no_command_line_and_no_file_does_harm(count, seed):
    assert list(failures(count, seed=seed)) == []


def test_every_command_and_every_option_comes_up():
    known, rng = commands(), random.Random(0)
    words = {word for _ in range(4000) for word in case_of(rng, known).arguments}
    options = {option for command in known.values() for param in command.params for option in param.opts
               if option.startswith("--")} - {"--epochs"}
    assert {word for name in known for word in name.split()} <= words and options <= words


def fails() -> int:
    raise ValueError


def prints(text: str) -> int:
    print(text)
    return 0


def complains() -> int:
    print("attntrace: one\nand another", file=sys.stderr)
    return 2


def writes(file: str, text: str = "") -> int:
    Path(file).write_text(text, "utf-8")
    return 0


def fills(megabytes: int) -> int:
    return len(bytearray(megabytes << 20)) * 0


@pytest.mark.parametrize("does, words", [
    (lambda: 0, ""), (lambda: prints("어제 👩‍🚀 \x1b[31mred\x1b[0m"), ""), (lambda: 3, "ends with 3"),
    (fails, "traceback"), (complains, "says"), (lambda: prints("\x1b[2J"), "standard output holds"),
    (lambda: prints("\u00ad"), "holds"),
    (lambda: writes("new.txt", "\u202e"), "new.txt holds"), (lambda: writes("run.npz"), "changes run.npz"),
    (lambda: writes(".new.part"), "leaves"), (lambda: fills(700), "MB")])
def test_what_goes_wrong_is_seen(does, words, tmp_path, monkeypatch):
    (tmp_path / "run.npz").write_bytes(b"what is read")
    monkeypatch.setattr(cli, "run", lambda arguments: does())
    wrong = outcome(Case([], {}, b"", {"run.npz"}, True), tmp_path)
    assert (wrong == []) == (not words) and words in "".join(wrong)


def test_a_command_that_never_ends_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(hostile, "MOST_SECONDS", 0.3)
    monkeypatch.setattr(cli, "run", lambda arguments: time.sleep(20))
    assert "seconds" in "".join(outcome(Case([], {}, b"", set(), True), tmp_path))


# Sentences

ALPHABETS = [
    "abcdefg XYZ 0123 .,:;!?'’_-",
    "가나다라 마바사 \u1100\u1161\u11a8 ㅋㅋㅠ",
    "\x00\x01\x07\x08\x1b[31m\x7f\x85\x9b \u2028\u2029\t\r\n",
    "\u200b\u200c\u200d\u202a\u202e\u2066\u2069\ufeff\u00ad a",
    "👩\u200d👧👍🏽🇰🇷❤\ufe0f1\ufe0f\u20e3 \U000e0041",
    "e\u0301a\u0300\u0334 क्षि ข้ สวั",
    "[bold]x[/bold] [red] \\[ :smile: <b> $x$ `y` %s {0} \\n",
    "\ud800\udfff\udc80 a", "<s> </s> x", "⎡⎢⎣⎤⎥⎦ = ✓ ≈ 3×3"]


def sentence(seed: int) -> str:
    rng = random.Random(seed)
    letters = "".join(rng.sample(ALPHABETS, rng.randint(1, 3)))
    return "".join(rng.choice(letters) for _ in range(rng.randint(1, 24)))


def assert_harmless(code: int, page: str, errors: str, width: int) -> None:
    assert code == 0 or (code, page, errors.count("\n")) == (2, "", 1)
    assert not [char for char in set(page) - {"\n"} if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(page) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    assert [line for line in page.split("\n") if cell_len(line) > width] == []


@pytest.mark.parametrize("seed", range(0, 60, 5))
def test_no_sentence_moves_the_cursor_or_a_bracket(seed):
    words, width = sentence(seed), (60, 80, 100, 160)[seed % 4]
    code, page, errors = attntrace("trace", "--width", str(width), "--form", "matrix", "--", words)
    assert_harmless(code, page, errors, width)
    if code == 0 and not set(words) & set("⎡⎢⎣⎤⎥⎦"):
        drawn = continued_brackets(page[page.find("Part 2"):])
        assert drawn and all(drawn)


def test_a_very_long_word_and_very_many_words_are_shown():
    word = "가" * 10_000
    code, page, errors = attntrace("trace", f"{word} is long", "--width", "80", "--form", "matrix")
    assert_harmless(code, page, errors, 80)
    many = " ".join(f"w{n}" for n in range(700))
    code, page, errors = attntrace("trace", many, "--only", "encoder.layer1.self_attention.mean", "--form", "vector",
                                   "--arithmetic", "none")
    assert_harmless(code, page, errors, 100)
    assert "w699" in page
