"""Sentences that nobody should type: none ends in a traceback, none moves the cursor, none breaks a page."""
from __future__ import annotations

import random
import unicodedata

import pytest
from command import attntrace
from pages import bracket_columns
from rich.cells import cell_len

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
    luck = random.Random(seed)
    letters = "".join(luck.sample(ALPHABETS, luck.randint(1, 3)))
    return "".join(luck.choice(letters) for _ in range(luck.randint(1, 24)))


def assert_harmless(code: int, page: str, errors: str, width: int) -> None:
    assert code == 0 or (code, page, errors.count("\n")) == (2, "", 1)
    assert not [char for char in set(page) - {"\n"} if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(page) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    assert [line for line in page.split("\n") if cell_len(line) > width] == []


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_no_sentence_moves_the_cursor_or_a_bracket(seed):
    words, width = sentence(seed), (60, 80, 100, 160)[seed % 4]
    code, page, errors = attntrace("trace", "--width", str(width), "--form", "matrix", "--", words)
    assert_harmless(code, page, errors, width)
    if code == 0 and not set(words) & set("⎡⎢⎣⎤⎥⎦"):
        drawn = bracket_columns(page[page.find("Part 2"):])
        assert drawn and all(columns == {column} for column, columns in drawn)


def test_a_very_long_word_and_very_many_words():
    word = "가" * 10_000
    code, page, errors = attntrace("trace", f"{word} is long", "--width", "80")
    assert_harmless(code, page, errors, 80)
    many = " ".join(f"w{n}" for n in range(700))
    code, page, errors = attntrace("trace", many, "--only", "encoder.layer1.self_attention.mean", "--form", "vector",
                                   "--arithmetic", "none")
    assert_harmless(code, page, errors, 100)
    assert "w699" in page
