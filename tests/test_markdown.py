"""Pages as Markdown: an independent reader of pipe tables finds every number of a run by its address."""
from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pytest
from command import attntrace
from recompute import loads

from attntrace.writers.latex import LINE, signs_of
from attntrace.writers.markdown.rows import LINES
from attntrace.writers.markdown.text import escaped

BEHIND_BACKSLASH = r"\\([!-/:-@\[-`{-~])"
BLOG = ("어제 카페 갔었어", "--target", "I went to the cafe yesterday")
HOSTILE = "<script>alert(1)</script> | ` **b** $x$ [a](b) @user :smile: ~~s~~ a_b_ \\| &amp; # 1. - x <!-- \x1b"
PAGES = {
    "trace": ("trace", *BLOG), "wide": ("trace", *BLOG, "--d-model", "48", "--d-ff", "40", "--arithmetic", "all"),
    "some": ("trace", *BLOG, "--limit", "6"), "pre": ("trace", "a b", "--norm", "pre", "--pencil", "3"),
    "backprop": ("backprop", BLOG[0], BLOG[2], "--optimizer", "adam"), "steps": ("steps", *BLOG),
    "translate": ("translate", "어제 카페"), "map": ("map", *BLOG), "verify": ("verify", "a b"),
    "why": ("why", "output.probabilities:1,cafe", *BLOG, "--depth", "3", "--top", "2"),
    "compare": ("compare", *BLOG, "--what-if", "--ablate encoder.layer1.self_attention.head2"),
    "explain": ("explain", "softmax"), "glossary": ("explain",), "hostile": ("trace", HOSTILE, "--target", HOSTILE)}


class Table(NamedTuple):
    """A table, the line above it, and what it stands under: the place of its stage, a token and its number there."""
    caption: str
    head: list[str]
    right: list[bool]
    rows: list[list[str]]
    place: str
    token: str
    number: int

    @property
    def address(self) -> str:
        """That of the whole table."""
        return next(iter(re.findall(r"(?<!`)`([a-z][\w.]*)`(?!\$)", self.caption)), "")

    @property
    def start(self) -> int:
        """How many columns stand in tables before it."""
        part = re.search(r"(?:^|, )columns (\d+)(?:-\d+)?(?=,|$)", self.caption)
        return int(part[1]) - 1 if part else 0

    def address_of(self, row: list[str]) -> str:
        """That of a row of its own."""
        name = re.fullmatch(r"`(\.?)([a-zA-Z][\w.]*)`", row[0])
        return "" if name is None else f"{self.place}.{name[2]}" if name[1] else name[2]

    def numbers(self, row: list[str]) -> list[float]:
        """Those in the columns that are set to the right, behind what fills their cells, before an empty rest."""
        cells = [cell for cell, right in zip(row, self.right, strict=True) if right]
        while cells and not cells[-1]:
            cells.pop()
        return [float(cell.split()[-1]) for cell in cells]


def markdown(*arguments: str) -> str:
    code, out, errors = attntrace(*arguments, "--format", "markdown")
    assert (code, errors) == (0, "")
    return out


def without_formulas(text: str) -> tuple[list[str], list[str]]:
    """The lines outside of fences, and those inside."""
    outside: list[str] = []
    inside: list[str] = []
    lines = outside
    for line in text.split("\n"):
        if line.startswith("```"):
            assert line == ("```math" if lines is outside else "```")
            lines = inside if lines is outside else outside
        else:
            lines.append(line)
    assert lines is outside
    return outside, inside


def cells(line: str) -> list[str]:
    """The cells of a row: a pipe behind a backslash is one of a word."""
    assert line.startswith("| ") and line.endswith(" |"), line
    return [cell.strip() for cell in re.findall(r"((?:\\.|[^|\\])*)\|", line[1:])]


def tables(text: str) -> list[Table]:
    found, caption, place, token, number = [], "", "", "", 0
    lines, _ = without_formulas(text)
    for before, line, under in zip(["", *lines], lines, [*lines[1:], ""]):
        if line.startswith("| ") and not before.startswith("| "):
            assert before == "" and re.fullmatch(r"\|(?: (?::--|--:) \|)+", under), line
            found.append(Table(caption, cells(line), [mark == "--:" for mark in cells(under)], [],
                               place, token, number))
            caption = ""
        elif line.startswith("| ") and not line.startswith(("| :--", "| --:")):
            found[-1].rows.append(cells(line))
        elif line:
            is_place = caption.startswith("#") and line.startswith("`")
            caption, word = line, re.fullmatch(r"\*\*(.+)\*\*", line)
            if line.startswith("#"):
                place, token, number = "", "", 0
            elif is_place:
                place, caption = line[1:-1], ""
            elif word:
                token, number, caption = word[1], number + 1, ""
    return found


def by_address(text: str) -> dict[str, list[np.ndarray]]:
    """Every array that stands under an address, as often as it is drawn: rows, one for each token; or
    a matrix, its blocks of columns side by side."""
    found: dict[str, list[np.ndarray]] = {}
    rows: dict[str, dict[int, list[float]]] = {}
    for table in tables(text):
        if not table.address:
            for row in filter(table.address_of, table.rows):
                of_token = rows.setdefault(table.address_of(row), {}).setdefault(table.number, [])
                assert len(of_token) == table.start, row
                of_token += table.numbers(row)
            continue
        arrays, numbers = found.setdefault(table.address, []), np.array(list(map(table.numbers, table.rows)))
        if table.start:
            assert table.start == arrays[-1].shape[1]
            arrays[-1] = np.hstack([arrays[-1], numbers])
        else:
            arrays.append(numbers)
    for address, of_tokens in rows.items():
        assert sorted(of_tokens) == list(of_tokens)
        found.setdefault(address, []).append(np.array(list(of_tokens.values())))
    return found


def recorded(kind: str, *arguments: str) -> dict[str, np.ndarray]:
    """What the run computed (`address`), or read (`parameter`), by its data."""
    records = loads(attntrace(*arguments, "--format", "jsonl").out)[1:-1]
    return {record[kind]: np.array(record["value"], float) for record in records if kind in record}


def agree(drawn: np.ndarray, value: np.ndarray) -> bool:
    drawn, value = drawn.ravel(), value.ravel()
    if drawn.shape != value.shape:
        return False
    same = drawn == value  # infinities
    return bool(np.all(np.abs(np.where(same, 0, drawn) - np.where(same, 0, value)) <= 5.01e-7))


@pytest.mark.parametrize("form", ["vector", "matrix", "both"])
@pytest.mark.parametrize("arguments", [("trace", *BLOG), ("trace", *BLOG, "--d-model", "48", "--heads", "3"),
                                       ("backprop", "어제 카페", "I went", "--optimizer", "adam")],
                         ids=["small", "wide", "backprop"])
def test_every_number_of_a_run_stands_under_its_address(arguments, form):
    drawn = by_address(markdown(*arguments, "--precision", "6", "--form", form))
    for address, value in recorded("address", *arguments).items():
        assert len(drawn[address]) >= (2 if form == "both" else 1), address
        assert all(agree(array, value) for array in drawn[address]), address


def test_every_parameter_stands_under_its_name_the_columns_of_each_head_for_themselves():
    drawn = by_address(markdown("trace", *BLOG, "--precision", "6", "--form", "vector"))
    for name, value in recorded("parameter", "trace", *BLOG).items():
        if name.endswith(".E"):  # whose rows stand where they are looked up
            continue
        of_heads = name.endswith(("W_Q", "W_K", "W_V"))
        assert len(drawn[name]) == (2 if of_heads else 1), name
        assert agree(np.hstack(drawn[name]), value), name


def test_maps_have_every_weight_under_its_address():
    values = recorded("address", "trace", *BLOG, "--only", "*.weights")
    drawn = by_address(markdown("map", *BLOG, "--precision", "6"))
    assert len(drawn) == 6 and all(agree(array, values[name]) for name, (array,) in drawn.items())


@pytest.mark.parametrize("arguments", PAGES.values(), ids=PAGES)
def test_tables_have_as_many_cells_in_each_row_as_in_their_head_and_fences_are_balanced(arguments):
    text = markdown(*arguments)
    outside, inside = without_formulas(text)
    assert text.startswith("# `") and outside.count("") >= 2 and "None" not in text
    for table in tables(text):
        assert table.rows and {len(row) for row in table.rows} == {len(table.head)} == {len(table.right)}
    assert not [line for line in inside if not line.isascii() or re.search(r"_one|operatorname|\dE?e[-+]", line)]
    assert inside.count(r"\begin{aligned}") == inside.count(r"\end{aligned}")
    assert all(line.count("{") == line.count("}") for line in inside)
    assert not [line for line in outside if re.search(r"\$`[^`]*\|", line)]


def test_arithmetic_goes_on_in_another_line_where_it_is_long_and_stands_under_its_sign():
    _, inside = without_formulas(markdown("trace", *BLOG, "--d-model", "32"))
    assert max(map(signs_of, inside)) <= LINE + 24  # the left side stands before it
    at = inside.index(r"q_{1}[1] &= x_{1}\,W_{Q}^{(1)}[:,1] \\")
    assert inside[at + 1].startswith("&= ") and inside[at + 2].startswith(r"&\quad + ")


def test_the_arithmetic_of_a_stage_stands_in_one_block_or_in_several_of_a_size_to_take_in():
    first = re.findall(r"```math\n(.*?)```", markdown("trace", *BLOG), re.S)[1]
    assert [line.split("[")[0].split("_")[0] for line in first.split("\n")[1:-2]] == ["e", r"\hat{e}", "p", "x"]
    every = re.findall(r"```math\n(.*?)```", markdown("trace", "a b c", "--arithmetic", "all"), re.S)
    assert max(block.count("\n") for block in every) < LINES + 8


@pytest.mark.parametrize("text", [
    "<script>alert(1)</script>", "**b**", "_a_", "`x`", "a|b", "\\", "\\|", "a\\", "$x$", "$$", "[a](b)", "@user",
    "a@b.com", "https://x.de", "www.x.de", ":smile:", "#12", "# a", "- a", "+ a", "1. a", "2) a", "---", "===", "~~a~~",
    "&amp;", "> a", "![i](u)", "<!-- a -->", "{{ a }}", "d_model", "W_Q * x"])
def test_words_are_themselves_and_nothing_else(text):
    """Each sign that begins something stands behind a backslash, or in an element of its own."""
    written = escaped(text)
    harmless = re.sub(rf"{BEHIND_BACKSLASH}|<span>[^<]+</span>", "x", written)
    assert not re.search(r"[\\`*_{}\[\]<>~|&$]|[@#:](?=\S)|^(?:[-+#]+|=+|\d+[.)])(?=\s|$)|(?i:www)\.", harmless)
    assert re.sub(BEHIND_BACKSLASH, r"\1", re.sub(r"<span>(.+?)</span>", r"\1", written)) == text


def test_commands_that_an_explanation_tells_to_try_are_code():
    for topic in ("scaled_scores", "masking"):
        assert re.search(r"^`\$ attntrace .*`\\?$", markdown("explain", topic), re.M)


def test_a_hostile_sentence_makes_no_markup_on_any_page():
    for arguments in (PAGES["hostile"], ("map", HOSTILE), ("backprop", "a", HOSTILE)):
        text = markdown(*arguments)
        title, *outside = without_formulas(text)[0]
        prose = re.sub(rf"\$`[^`]*`\$|`[^`]*`|<span>(?:[@#:$=+-]|\d+)</span>|<br>|{BEHIND_BACKSLASH}|\\\n", "x",
                       "\n".join(outside))
        assert not re.search(r"[\\<>`$\[\]~]|@(?=\w)", prose)
        assert title.startswith("# `` ") and title.endswith(" ``") and "\x1b" not in text
        assert any(r"\<" in table.head and r"\`" in table.head and r"\|" in table.head for table in tables(text))


@pytest.mark.parametrize("arguments", [("trace", "a b", "--target", "c"), ("map", "a b"), ("verify", "a b"),
                                       ("backprop", "a", "b"), ("steps", "a b"), ("trace", "a b", "--limit", "6")],
                         ids=" ".join)
def test_a_page_is_in_the_asked_language_alone(arguments):
    assert not re.search("[가-힣]", markdown(*arguments, "--lang", "en"))
    korean = markdown(*arguments, "--lang", "ko")
    assert re.search("[가-힣]", korean)
    assert not re.search(r"\b[a-z]{2,}(?: [a-z]{2,}){2}\b", "\n".join(without_formulas(korean)[0]))


def test_a_page_for_an_encoding_without_its_signs_is_spelled_in_ascii():
    text = markdown("trace", "a b", "--target", "c", "--ascii")
    assert text.isascii() and "- ok<span>" not in text and "- ok: row i of E, E\\_hat, P, X = e\\_i" in text
