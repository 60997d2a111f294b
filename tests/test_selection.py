"""Parts of a trace: layers, heads, tokens, and where long rows go on."""
import re

import pytest
from command import attntrace, process, refusal

LETTERS = " ".join("abcdefghijkl")


def addresses(*arguments: str) -> list[str]:
    """The addresses of the steps in JSON Lines."""
    out = attntrace("trace", "a b", "--layers", "2", "--format", "jsonl", *arguments).out
    return re.findall(r'^\{"address": "([^"]+)"', out, re.M)


def test_layers_and_heads_are_asked_for_together():
    both = addresses("--layer", "2", "--head", "1")
    assert both and all(".layer2." in address and ".head1." in address for address in both)
    assert set(addresses("--head", "1")) | set(addresses("--head", "2")) == set(addresses("--head", "1", "--head", "2"))


@pytest.mark.parametrize("arguments, message", [
    (("--layer", "3"), "--layer 3 does not exist; in this run, layer numbers go from 1 to 2"),
    (("--head", "9"), "--head 9 does not exist; in this run, head numbers go from 1 to 2"),
    (("--head", "1", "--only", "encoder.output"), "no step matches --only"),
    (("--token", "dog"), "--token dog: this run has no such word; give one of its words, or a position from 1 to 2"),
    (("--token", "0"), "the last position is 2"),
    (("--token", "a", "--form", "matrix"), "leave out --form matrix"),
    (("--token", "a", "--format", "jsonl"), "so it needs a page in vector form; leave out --format jsonl"),
    (("--only", "head1.q1", "--format", "csv"), "shows one row, so it needs a page in vector form; leave out "
                                                "--format csv, or show the whole step with --only head1.q\n")])
def test_a_selection_of_nothing_is_one_line_that_says_why(arguments, message):
    assert message in refusal("trace", "a b", "--layers", "2", *arguments)


def rows_of_input(sentence: str, *options: str) -> list[str]:
    page = attntrace("trace", sentence, *options, "--only", "encoder.input", "--arithmetic", "none").out
    return re.findall(r"^  \S+ +(x\S+) += ", page, re.M)


@pytest.mark.parametrize("token, rows", [("1", ["x₁"]), ('"1"', ["x₃"]), ("03", ["x₃"]), ("eight", ["x₂", "x₄"])])
def test_digits_are_a_position_and_all_else_is_the_word(token, rows):
    assert rows_of_input("7 eight 1 eight", "--token", token) == rows


def test_a_limit_counts_the_rows_of_the_tokens_that_were_asked_for():
    asked = [part for n in range(1, 6) for part in ("--token", str(n))]
    assert rows_of_input(LETTERS, "--limit", "6", *asked) == ["x₁", "x₂", "x₃"]


def test_the_rows_of_very_many_tokens_have_their_own_names():
    sentence = " ".join(f"w{n}" for n in range(1, 301))
    rows = rows_of_input(sentence, "--form", "vector", "--ascii")
    assert rows == [f"x_{n}" for n in range(1, len(rows) + 1)] and len(rows) > 99


def test_the_rows_of_one_token_are_those_of_the_whole_page():
    """Its numbers, its arithmetic and its colour are what they are among the others."""
    arguments = ("trace", "a b c", "--form", "vector", "--color", "always", "--arithmetic", "all")
    whole = process(*arguments, TERM="xterm-256color").out.split("\n")
    part = process(*arguments, "--token", "c", TERM="xterm-256color").out.split("\n")
    of_c = [[line for line in page if "₃" in line.split(" = ")[0]] for page in (whole, part)]
    assert of_c[0] == of_c[1] and len(of_c[0]) > 50 and not any("x₁ " in line for line in part)


def test_what_no_stage_shows_of_a_token_has_no_heading():
    page = attntrace("trace", "a b", "--target", "x", "--token", "x").out
    assert "Decoder, layer 1" in page and "Encoder, layer 1" not in page


def test_the_words_above_a_part_are_those_of_its_columns():
    page = attntrace("trace", LETTERS, "--only", "head1.weights", "--form", "vector", "--width", "60",
                     "--arithmetic", "none").out
    above = [line.split() for line in page.split("\n") if re.fullmatch(r" {8,}[a-l ]+", line)]
    parts = sorted(set(map(tuple, above)))
    assert len(above) == 12 * len(parts) and sum(parts, ()) == tuple(LETTERS.split())


@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_a_place_is_headed_where_it_begins(form):
    """Steps after the layers of a stack stand under the stack again."""
    page = attntrace("trace", "a", "--target", "b", "--layers", "2", "--form", form, "--final-norm").out
    assert re.findall(r"^(\S.*) ─+$", page, re.M) == [
        "Encoder", "Encoder, layer 1", "Encoder, layer 2", "Encoder",
        "Decoder", "Decoder, layer 1", "Decoder, layer 2", "Decoder", "Output"]


@pytest.mark.parametrize("limit", ["1", "3", "5"])
def test_the_arithmetic_is_that_of_the_word_that_was_asked_for_whatever_the_limit(limit):
    done = attntrace("trace", "this is a cat", "--token", "cat", "--limit", limit, "--only", "encoder.input")
    assert done.code == 0 and "x₄[1] = ê₄[1] + p₄[1] = " in done.out and "x₁[1]" not in done.out
