"""The page: every number there, every bracket in its column, nothing wider than the page."""
import re

import numpy as np
import pytest
from command import BLOG, attntrace, process
from pages import continued_brackets, matrices, without_commands
from rich.cells import cell_len

from attntrace import trace

ODD = ("👩‍👩‍👧 e\u0301 🇰🇷 क्षि 한글 extraordinarilylongwords !", "--target", "무엇을 👍🏽", "--norm", "pre", "--final-norm")
TWELVE = "one two three four five six seven eight nine ten eleven twelve"
LARGE = ("--d-model", "64", "--heads", "4", "--layers", "2")


@pytest.mark.parametrize("arguments, width", [
    (("trace", *BLOG), 60), (("trace", *ODD), 60), (("trace", *ODD), 160), (("trace", "a b", "--precision", "12"), 60),
    (("trace", *BLOG, "--big"), 160), (("trace", "1000 1001", "--precision", "17"), 160),
    (("trace", "a b", "--heads", "16", "--d-model", "32"), 60),
    (("backprop", "a", "c", "--optimizer", "adam", "--form", "matrix", "--d-ff", "4"), 160)], ids=str)
def test_every_bracket_of_a_matrix_stands_in_the_same_column_and_nothing_is_too_wide(arguments, width):
    page = attntrace(*arguments, "--width", str(width)).out
    brackets = continued_brackets(page)
    assert len(brackets) > 100 and all(brackets)
    assert [line for line in page.split("\n") if cell_len(line) > width] == []
    assert "…" not in page and "\x1b" not in page


@pytest.mark.parametrize("width", [60, 160])
def test_part_2_has_every_number(width):
    drawn = iter(matrices(attntrace("trace", TWELVE, *LARGE, "--form", "matrix", "--width", str(width)).out))
    for step in trace(TWELVE, d_model=64, heads=4, layers=2).steps:
        blocks: dict[int, list[list[float]]] = {}
        columns = step.value.shape[-1] if step.value.ndim == 2 else 1
        while sum(len(rows[0]) for rows in blocks.values()) < columns:
            matrix = next(drawn)  # operands come first: they are passed over
            if matrix.name == step.symbol.spelled(head=step.symbol.head) and matrix.size == step.value.shape:
                blocks[matrix.first] = matrix.rows
        printed = np.concatenate([np.array(blocks[first]) for first in sorted(blocks)], axis=1)
        assert np.abs(printed - step.value.reshape(printed.shape)).max() <= 0.0005 + 1e-12, step.address


def test_part_1_has_every_number():
    page = " ".join(attntrace("trace", TWELVE, *LARGE, "--form", "vector", "--width", "160").out.split())
    for step in trace(TWELVE, d_model=64, heads=4, layers=2).steps:
        for row in step.value:
            texts = ["0" if number == 0 else f"{number:.3f}" for number in np.atleast_1d(row).tolist()]
            assert " ".join(texts).replace("-0.000", "0.000") in page, step.address


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_words_stand_above_their_columns_and_before_their_rows(width):
    lines = attntrace("trace", "어제 카페 갔었어", "--form", "matrix", "--width", str(width),
                      "--only", "head1.weights").out.split("\n")
    names = next(n for n, line in enumerate(lines) if line.split()[:3] == ["어제", "카페", "갔었어"])
    last = [cell_len(lines[names])] + [cell_len(line.rstrip(" ⎤⎥⎦)")) for line in lines[names + 1:names + 4]]
    assert len(set(last)) == 1  # the last word ends above the last digit of each row
    assert [line.split()[0] for line in lines[names + 1:names + 4]] == ["어제", "카페", "갔었어"]


def test_ascii_spells_the_page_and_not_the_words():
    page = attntrace("trace", "x² → 3×3", "--target", BLOG[0], "--ascii").out
    assert {char for char in page if ord(char) > 127 and not "가" <= char <= "힣"} == set("²→×")
    assert "s_hat_1" in page and "K^T" in page and re.search(r"^1\.1  .* ok ", page, re.M)
    words = [line.split()[:2] for line in page.split("\n")]
    assert all(line in words for line in (["1", "x²"], ["2", "→"], ["4", "×"]))


@pytest.mark.parametrize("form, marker", [("vector", "qᵢ = xᵢ W_Q⁽¹⁾"), ("matrix", "Q = X W_Q⁽¹⁾")])
def test_each_parameter_is_shown_before_its_first_use_in_each_part(form, marker):
    stage = attntrace("trace", "this is a cat", "--form", form).out.partition(marker)[2]
    assert "W_Q⁽¹⁾ 8×4" in stage.partition("✓")[0]


def test_a_limit_shows_a_corner_and_says_how_much_is_missing():
    page = attntrace("trace", "a b c d", "--limit", "12", "--only", "encoder.input").out
    assert "12 of 32 numbers are shown; 20 are hidden" in page and "--limit all" in page
    whole = attntrace("trace", "a b c d", "--only", "encoder.input").out
    assert "are shown" not in whole


def test_corners_are_not_drawn_as_an_equation():
    """The product of two corners is not the corner of the product."""
    page = attntrace("trace", "this is a cat", "--limit", "5", "--only", "head1.scores", "--form", "matrix").out
    assert "S 4×4   rows 1-2   columns 1-2" in page
    assert "·" not in page[page.index("S = Q Kᵀ"):page.index("Fingerprint")]
    rows = attntrace("trace", "this is a cat", "--limit", "5", "--only", "head1.scores", "--form", "vector").out
    assert "+2 more ]" in rows


def test_a_word_that_the_encoding_lacks_is_measured_as_it_is_printed():
    done = process("trace", "어제 é", "--only", "encoder.input", "--form", "vector", PYTHONIOENCODING="ascii")
    rows = [line for line in done.out.split("\n") if re.search(r"x_[12] = ", line)]
    assert len({line.index("x_") for line in rows}) == 1 and "\\u{C5B4}\\u{C81C}" in rows[0]


def test_stages_have_the_same_numbers_in_both_parts_and_whatever_is_shown():
    page = attntrace("trace", "a b", "--only", "feed_forward.hidden").out
    assert "1.8  Feed-forward" in page and "2.8  Feed-forward" in page
    assert "1.7  " not in page and "Part 1" in page and "Part 2" in page


def test_a_map_is_measured_by_the_largest_weight_of_all_its_heads():
    page = attntrace("map", "this is a cat").out
    weights = re.findall(r"([█▓▒░]*) +(\d\.\d\d)(?!\d)", page)
    largest = re.search(r"largest weight is (\S+)\.$", page, re.M)
    assert largest and float(largest[1]) == pytest.approx(max(float(number) for _, number in weights), abs=0.005)
    fills = dict.fromkeys("".join(fill[:1] for fill, _ in sorted(weights, key=lambda one: float(one[1]))))
    assert "".join(fills) == "░▒▓█"


def test_a_map_of_some_heads_and_layers_has_only_those():
    page = attntrace("map", "a b", "--layers", "3", "--layer", "2", "--layer", "3", "--head", "2").out
    page = without_commands(page)
    assert re.findall(r"layer (\d):", page) == ["2", "3"] and "head 1" not in page and page.count("head 2") == 2


def test_words_that_stand_upright_are_read_downwards_and_end_above_their_column():
    page = attntrace("map", "a bcd " + " ".join("efghijklmnopqrstu"), "--width", "60", "--head", "1").out
    lines = page.split("\n")
    first = next(n for n, line in enumerate(lines) if line.strip() == "head 1")
    above = [line.ljust(60) for line in lines[first + 1:first + 4]]
    at = above[2].index("a")
    assert [line[at] for line in above] == [" ", " ", "a"] and [line[at + 2] for line in above] == ["b", "c", "d"]


@pytest.mark.parametrize("count, width", [(12, 100), (60, 100), (60, 160), (14, 85)])
def test_a_map_of_many_words_has_every_column_and_is_nowhere_too_wide(count, width):
    page = attntrace("map", " ".join(f"w{n}" for n in range(count)), "--width", str(width)).out
    parts = [(int(a), int(b)) for a, b in re.findall(r"head 1   columns (\d+)-(\d+)", page)] or [(1, count)]
    assert [n for first, last in parts for n in range(first, last + 1)] == list(range(1, count + 1))
    assert [line for line in page.split("\n") if cell_len(line) > width] == []


def test_bands_of_heads_have_one_empty_line_between_them():
    page = attntrace("map", " ".join(f"w{n}" for n in range(30)), "--heads", "8", "--d-model", "16").out
    assert page.count("head ") == 8 and "\n\n\n" not in page


def test_a_map_puts_heads_below_each_other_before_it_gives_up_numbers():
    page = attntrace("map", "one two three four five", "--heads", "4", "--width", "60").out
    titles = [line.split() for line in page.splitlines() if "head " in line]
    assert titles == [["head", str(n)] for n in range(1, 5)]
    assert len(re.findall(r"\d\.\d\d(?= |$)", page, re.M)) == 4 * 5 * 5


def test_translate_draws_the_maps_that_map_draws_of_its_translation():
    """A row is the word that is read, the first one <s>."""
    sentence = "집 갔어"
    translated = attntrace("translate", sentence)
    translation = attntrace("translate", sentence, "--quiet").out.strip()
    drawn = attntrace("map", sentence, "--weights", "ko-en", "--target", translation, "--only", "cross_attention.*").out
    maps = drawn[drawn.index("\nDecoder, layer 1"):].partition("\n\n  Try next")[0].rstrip()
    assert maps.count("  <s>  ") == 2 and maps in translated.out
    assert all("the word that is read" in page for page in (drawn, translated.out))


VECTORS = "trace", *BLOG, "--form", "vector", "--arithmetic", "none", "--no-explain"


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_every_step_stands_in_part_1_by_the_name_that_can_be_asked_for(width):
    """Beside each of its rows where there is room, else once above the rows of its stage."""
    page = attntrace(*VECTORS, "--width", str(width)).out
    steps = trace(BLOG[0], target=BLOG[2]).steps
    for name in {step.name for step in steps}:
        assert re.search(rf" \.{name}(?= |$)", page, re.M), name
    weights = [step for step in steps if step.name == "weights"]
    rows = re.findall(r"^.* a\S+ += .*\.weights$", page, re.M)
    assert len(rows) >= sum(len(step.value) for step in weights if width == 160 or step.value.shape[1] < 4)


@pytest.mark.parametrize("width", [60, 100])
def test_no_vector_stands_under_words_that_are_not_those_of_its_columns(width):
    """Words stand above as many numbers, those of other vectors under the numbers of their columns."""
    above: list[str] = []
    seen = set()
    for line in attntrace(*VECTORS, "--only", "head1.*", "--width", str(width)).out.splitlines():
        if re.fullmatch(r" {12,}\S.*", line) and "[" not in line and "=" not in line:
            above = line.split()
        elif row := re.search(r"([szŝa])[₁-₉]+ = .*\[ (.*) \]", line):
            numbered = above == [str(n + 1) for n in range(len(row[2].split()))]
            assert len(above) == len(row[2].split()) and numbered == (row[1] == "z"), line
            seen.add(row[1])
    assert seen == {*"sŝaz"}


def test_three_equal_matrices_stand_side_by_side_on_a_page_of_100_columns():
    page = attntrace("trace", "this is a cat", "--form", "vector").out
    assert re.search(r"W_Q⁽¹⁾ 8×4 +W_K⁽¹⁾ 8×4 +W_V⁽¹⁾ 8×4$", page, re.M)


def test_a_parameter_of_one_number_is_a_line_and_with_limit_all_a_matrix():
    short, whole = (attntrace("trace", "a b", "--form", "vector", *more).out for more in ((), ("--limit", "all")))
    assert "  γ 8 = 1 everywhere   β 8 = 0 everywhere\n" in short and "everywhere" not in whole
    assert [matrix.rows for matrix in matrices(whole) if matrix.name in "γβ"][:2] == [[[1.0] * 8], [[0.0] * 8]]


def test_each_count_of_the_table_of_parameters_stands_below_its_term():
    lines = attntrace("trace", "this is a cat").out.splitlines()
    at = next(n for n, line in enumerate(lines) if "·d_model" in line and "= |V|" in line)
    signs = [[n for n, char in enumerate(line) if char in "=+"] for line in lines[at:at + 2]]
    assert signs[0] == signs[1] and len(signs[0]) > 3


@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_name_behind_a_row_ends_at_the_edge_of_the_page(width):
    page = attntrace("trace", "this is a cat", "--form", "vector", "--width", str(width)).out
    named = re.findall(r"(?m)^.*\S {2,}\.[a-z_]+$", page)
    assert len(named) > 20 and {cell_len(line) for line in named} == {width}
