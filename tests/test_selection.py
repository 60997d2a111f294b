"""Parts of a trace: layers, heads, tokens, and where long rows go on."""
from __future__ import annotations

import re

import pytest
from command import attntrace, process

LETTERS = " ".join("abcdefghijkl")


def addresses(*arguments: str) -> list[str]:
    """Of the steps that JSON Lines tell."""
    out = attntrace("trace", "a b", "--layers", "2", "--format", "jsonl", *arguments).out
    return re.findall(r'^\{"address": "([^"]+)"', out, re.M)


def test_layers_and_heads_are_asked_for_together():
    found = addresses("--layer", "2", "--head", "1")
    assert found and all(".layer2." in address and ".head1." in address for address in found)
    assert set(addresses("--head", "1")) | set(addresses("--head", "2")) == set(addresses("--head", "1", "--head", "2"))


@pytest.mark.parametrize("arguments, said", [
    (("--layer", "3"), "--layer 3: there is no such layer; this run has layer 1 to 2"),
    (("--head", "9"), "--head 9: there is no such head; this run has head 1 to 2"),
    (("--head", "1", "--only", "encoder.output"), "no step is in all that --only"),
    (("--token", "dog"), "--token dog is no word of this run"), (("--token", "0"), "the longest sentence has 2 words"),
    (("--token", "a", "--form", "matrix"), "leave out --form matrix"),
    (("--token", "a", "--format", "jsonl"), "leave out --format jsonl")])
def test_a_selection_of_nothing_is_one_line_that_says_why(arguments, said):
    code, page, errors = attntrace("trace", "a b", "--layers", "2", *arguments)
    assert (code, page) == (2, "") and errors.count("\n") == 1 and said in errors


def rows_of_input(*tokens: str, sentence: str = "7 eight 1 eight") -> list[str]:
    asked = [part for token in tokens for part in ("--token", token)]
    page = attntrace("trace", sentence, *asked, "--only", "encoder.input", "--arithmetic", "none").out
    return re.findall(r"^  \S+ +(x.) = ", page, re.M)


def test_digits_are_a_position_and_all_else_is_the_word():
    assert rows_of_input("1") == ["x₁"] and rows_of_input('"1"') == ["x₃"] and rows_of_input("03") == ["x₃"]
    assert rows_of_input("eight") == ["x₂", "x₄"]


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


def test_a_place_is_headed_where_it_begins():
    """What comes after the layers of a stack stands under the stack again."""
    for form in ("vector", "matrix"):
        page = attntrace("trace", "a", "--target", "b", "--layers", "2", "--form", form, "--final-norm").out
        assert re.findall(r"^(\S.*) ─+$", page, re.M) == [
            "Encoder", "Encoder, layer 1", "Encoder, layer 2", "Encoder",
            "Decoder", "Decoder, layer 1", "Decoder, layer 2", "Decoder", "Output"]


def test_a_limit_counts_the_rows_of_the_tokens_that_were_asked_for():
    asked = [part for n in range(1, 6) for part in ("--token", str(n))]
    page = attntrace("trace", LETTERS, "--limit", "6", *asked, "--only", "encoder.input", "--arithmetic", "none").out
    assert re.findall(r"^  \S +(x\S+) = ", page, re.M) == ["x₁", "x₂", "x₃"]


def test_the_rows_of_very_many_tokens_have_their_own_names():
    page = attntrace("trace", " ".join(f"w{n}" for n in range(1, 301)), "--only", "encoder.input", "--form", "vector",
                     "--arithmetic", "none", "--ascii").out
    assert all(number == of for number, of in re.findall(r"^  w(\d+) +x_(\d+) = ", page, re.M))
