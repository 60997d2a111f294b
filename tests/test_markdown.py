"""Pages as Markdown: an independent reader of pipe tables finds every number of a run by its address."""
import io
import re
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from command import BLOG, attntrace
from hostile import HOSTILE
from pages import FACTOR, SUPERSCRIPTS, blocks_named, run_of
from parsing import evaluated

from attntrace.writers.formulas import LINE, signs_of
from attntrace.writers.markdown import MarkdownWriter
from attntrace.writers.markdown.markup import escaped
from attntrace.writers.page import Look

BEHIND_BACKSLASH = r"\\([!-/:-@\[-`{-~])"
SMALL = "--d-model", "2", "--heads", "1", "--d-ff", "2"
PAGES = {
    "trace": ("trace", *BLOG),
    "wide": ("trace", "어제", "--target", "I", "--d-model", "18", "--heads", "1", "--d-ff", "18", "--arithmetic", "all"),
    "some": ("trace", *BLOG, "--limit", "6"), "pre": ("trace", "a b", "--norm", "pre", "--pencil", "3"),
    "backprop": ("backprop", BLOG[0], "I", *SMALL, "--optimizer", "adam"), "steps": ("steps", *BLOG),
    "translate": ("translate", "어제 카페"), "map": ("map", *BLOG), "verify": ("verify", "a b"),
    "why": ("why", "output.probabilities:1,cafe", *BLOG, "--depth", "3", "--top", "2"),
    "compare": ("compare", *BLOG, "--what-if", "--ablate encoder.layer1.self_attention.head2"),
    "explain": ("explain", "softmax"), "glossary": ("explain",),
    "hostile": ("trace", HOSTILE, "--target", HOSTILE, *SMALL)}


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
        name = re.fullmatch(r"`(\.?)([a-zA-Z][\w.]*)`(?: × 10\S+)?", row[0])
        return "" if name is None else f"{self.place}.{name[2]}" if name[1] else name[2]

    def numbers(self, row: list[str]) -> list[float]:
        """Those in the columns that are set to the right, behind what fills their cells, before an empty rest, times
        the factor in the caption or behind the row's name."""
        cells = [cell for cell, right in zip(row, self.right, strict=True) if right]
        while cells and not cells[-1]:
            cells.pop()
        factor = FACTOR.search(row[0]) or FACTOR.search(f" {self.caption}")
        power = int(factor[1].translate(SUPERSCRIPTS)) if factor else 0
        return [float(cell.split()[-1].replace("·", "0")) * 10.0**power for cell in cells]


@cache
def markdown(*arguments: str) -> str:
    code, out, errors = attntrace(*arguments, "--format", "markdown")
    assert (code, errors) == (0, "")
    return out


def without_formulas(text: str) -> tuple[list[str], list[str]]:
    """The lines outside of fences, and those inside; those of pictures are neither."""
    outside: list[str] = []
    inside: list[str] = []
    lines = outside
    for line in text.split("\n"):
        if line.startswith("```"):
            assert (line in ("```math", "```text")) == (lines is outside)
            lines = outside if line == "```" else inside if line == "```math" else []
        else:
            lines.append(line)
    assert lines is outside
    return outside, inside


def cells(line: str) -> list[str]:
    """The cells of a row: a pipe behind a backslash is one of a word."""
    assert line.startswith("| ") and line.endswith(" |"), line
    return [cell.strip() for cell in re.findall(r"((?:\\.|[^|\\])*)\|", line[1:])]


def tables(text: str) -> list[Table]:
    tables, caption, place, token, number = [], "", "", "", 0
    lines, _ = without_formulas(text)
    for before, line, under in zip(["", *lines], lines, [*lines[1:], ""]):
        if line.startswith("| ") and not before.startswith("| "):
            assert before == "" and re.fullmatch(r"\|(?: (?::--|--:) \|)+", under), line
            tables.append(Table(caption, cells(line), [mark == "--:" for mark in cells(under)], [],
                                place, token, number))
            caption = ""
        elif line.startswith("| ") and not line.startswith(("| :--", "| --:")):
            tables[-1].rows.append(cells(line))
        elif line:
            is_place = caption.startswith("#") and line.startswith("`")
            caption, word = line, re.fullmatch(r"\*\*(.+)\*\*", line)
            if line.startswith("#"):
                place, token, number = "", "", 0
            elif is_place:
                place, caption = line[1:-1], ""
            elif word:
                token, number, caption = word[1], number + 1, ""
    return tables


def by_address(text: str) -> dict[str, list[np.ndarray]]:
    """Return every array by its address, as often as it is drawn: the rows of all tokens, or a matrix with its blocks
    of columns side by side."""
    drawn: dict[str, list[np.ndarray]] = {}
    rows: dict[str, dict[int, list[float]]] = {}
    for table in tables(text):
        if not table.address:
            for row in filter(table.address_of, table.rows):
                of_token = rows.setdefault(table.address_of(row), {}).setdefault(table.number, [])
                assert len(of_token) == table.start, row
                of_token += table.numbers(row)
            continue
        arrays, numbers = drawn.setdefault(table.address, []), np.array(list(map(table.numbers, table.rows)))
        if table.start:
            assert table.start == arrays[-1].shape[1]
            arrays[-1] = np.hstack([arrays[-1], numbers])
        else:
            arrays.append(numbers)
    for address, of_tokens in rows.items():
        assert sorted(of_tokens) == list(of_tokens)
        drawn.setdefault(address, []).append(np.array(list(of_tokens.values())))
    return drawn


def agree(drawn: np.ndarray, value: np.ndarray) -> bool:
    drawn, value = drawn.ravel(), value.ravel()
    if drawn.shape != value.shape:
        return False
    same = drawn == value  # infinities
    return bool(np.all(np.abs(np.where(same, 0, drawn) - np.where(same, 0, value)) <= 5.01e-7))


@pytest.mark.parametrize("arguments, form", [
    (("trace", *BLOG), "vector"), (("trace", *BLOG), "matrix"),
    (("trace", "어제 카페", "--target", "I", "--d-model", "36", "--heads", "2"), "both"),
    (("backprop", "어제", "I", *SMALL, "--optimizer", "adam"), "both")])
def test_every_number_of_a_run_stands_under_its_address(arguments, form):
    drawn = by_address(markdown(*arguments, "--precision", "6", "--form", form))
    for address, value in run_of(*arguments).values.items():
        assert len(drawn[address]) >= (2 if form == "both" else 1), address
        assert all(agree(array, value) for array in drawn[address]), address


def test_every_parameter_stands_under_its_name_with_the_columns_of_each_head_apart():
    drawn = by_address(markdown("trace", *BLOG, "--precision", "6", "--form", "vector"))
    for name, value in run_of("trace", *BLOG).parameters.items():
        if name.endswith(".E"):  # whose rows stand where they are looked up
            continue
        of_heads = name.endswith(("W_Q", "W_K", "W_V"))
        assert len(drawn[name]) == (2 if of_heads else 1), name
        assert agree(np.hstack(drawn[name]), value), name


@pytest.mark.parametrize("arguments", PAGES.values(), ids=PAGES)
def test_tables_have_as_many_cells_in_each_row_as_in_their_head_and_fences_are_balanced(arguments):
    text = markdown(*arguments)
    outside, inside = without_formulas(text)
    assert text.startswith("# ") and outside.count("") >= 2 and "None" not in text
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


def test_the_command_in_an_explanation_is_code():
    for topic in ("scaled_scores", "masking"):
        assert re.search(r"^`\$ attntrace .*`\\?$", markdown("explain", topic), re.M)


def markup_in(lines: list[str]) -> bool:
    """Whether something stands outside of formulas, code and escapes that Markdown or GitHub would read."""
    code = r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)"
    element = r"<span>(?:[@#:$=+-]|\d+)</span>|<br>"
    harmless = re.sub(rf"\$`[^`]*`\$|{code}|{element}|{BEHIND_BACKSLASH}|\\\n", "x", "\n".join(lines))
    return bool(re.search(r"[\\<>`$\[\]~]|@(?=\w)", harmless))


def test_a_hostile_sentence_makes_no_markup_on_any_page():
    for arguments in (PAGES["hostile"], ("map", HOSTILE), ("backprop", "a", HOSTILE, *SMALL, "--only", "loss.*")):
        text = markdown(*arguments)
        title, _, command, *outside = without_formulas(text)[0]
        assert not markup_in([title.removeprefix("# "), *outside])
        assert command.startswith("`` $ attntrace ") and command.endswith(" ``") and "\x1b" not in text
        assert any(r"\<" in table.head and r"\`" in table.head and r"\|" in table.head for table in tables(text))


def test_names_from_a_file_are_nothing_but_names():
    out, bad = io.StringIO(), f"{HOSTILE}\n\n# x | y"
    MarkdownWriter(out, Look(title=bad))(blocks_named(bad))
    outside, _ = without_formulas(out.getvalue())
    assert [line.partition(" ")[0] for line in outside if line.startswith("#")] == ["#", "####", "#", "###"]
    assert not markup_in(outside)
    assert [{len(row) for row in (table.head, *table.rows)} for table in tables(out.getvalue())] == [
        {2}, {2}, {3}, {2}, {2}, {3}, {4}, {2}]


def as_read(text: str) -> str:
    """What a reader of the page reads."""
    return re.sub(BEHIND_BACKSLASH, r"\1", re.sub(r"<span>(.+?)</span>", r"\1", text))


@pytest.mark.parametrize("arguments", [("trace", "--form", "vector"), ("trace", "--form", "matrix"), ("map",),
                                       ("trace", "--form", "vector", "--d-model", "6")], ids=" ".join)
def test_rows_and_columns_carry_their_words_and_each_row_the_name_and_the_equation_of_its_vector(arguments):
    command, *options = arguments
    run = run_of("trace", *BLOG, *options)
    every, seen = tables(markdown(command, *BLOG, *options)), set()
    for table in every:
        for n, row in enumerate(table.rows):
            address = table.address or table.address_of(row)
            if address not in run.steps:
                continue
            seen.add(address)
            word, number = (as_read(row[0]), n + 1) if table.address else (as_read(table.token), table.number)
            assert word == run.words(address, 0)[number - 1]
            heads = [as_read(name) for name, right in zip(table.head, table.right, strict=True) if right]
            if len(run.steps[address]["axes"]) > 1:
                assert heads == (run.words(address, 1) or [str(n + 1) for n in range(len(heads))])
            if "vector" in options:
                assert table.address or row[0] == f"`.{address.rpartition('.')[2]}`"
                assert re.search(rf"_\{{{number}\}}", row[1].partition(" = ")[0])
    assert "vector" not in options or "encoder.output" in {table.address for table in every}
    assert seen == {address for address in run.steps if command == "trace" or address.endswith(".weights")}


def test_weights_stand_before_their_bars_and_what_they_mix_before_the_mixture():
    values, seen = run_of("trace", *BLOG).values, []
    for table in tables(markdown("trace", *BLOG, "--form", "vector")):
        for row in table.rows:
            place, _, name = table.address_of(row).rpartition(".")
            if not re.search(r"head\d$", place) or name not in ("weights", "output"):
                continue
            weights = values[f"{place}.weights"][table.number - 1].tolist()
            if name == "weights":
                bars = ["▁▂▃▄▅▆▇█"[min(int(8 * weight), 7)] if weight else " " for weight in weights]
                assert row[-1] == "".join(bars).rstrip()
            elif len(weights) > 3:  # too long to stand beside a row
                continue
            else:
                terms = [f"{weight:.3f}·v{'₁₂₃'[n]}" for n, weight in enumerate(weights)]
                assert row[-1] == " + ".join(terms)
            seen.append(name)
    assert (seen.count("weights"), seen.count("output")) == (2 * (3 + 7 + 7), 2 * (3 + 7))


@pytest.mark.parametrize("place", ["encoder.layer1.self_attention", "decoder.layer1.cross_attention"])
def test_a_map_has_every_weight_and_a_larger_one_fills_its_cell_more(place):
    run = "a b c d", "--target", "c"
    text, values = markdown("map", *run, "--precision", "6"), run_of("trace", *run).values
    drawn = by_address(text)
    assert len(drawn) == 6 and all(agree(array, values[name]) for name, (array,) in drawn.items())
    rows = [row for table in tables(text) if table.address.startswith(place) for row in table.rows]
    filled = sorted((float(cell.split()[-1].replace("·", "0")), " ░▒▓█".index(cell[0]) if " " in cell else 0)
                    for _, *cells in rows for cell in cells)
    fills = [fill for _, fill in filled]
    assert fills == sorted(fills) and {0, 1, 4} <= set(fills)
    assert f"The largest weight is {filled[-1][0]:.3f}." in text.partition(f"`{place}`")[2].partition("|")[0]


def test_the_operands_of_a_matrix_are_drawn_in_its_stage_before_it():
    text = markdown("trace", *BLOG, "--form", "matrix")
    name = r"^\$`(.+)`\$ \d"
    known, checked = set(re.findall(name, text, re.M)), 0
    for stage in text.split("\n#### "):
        drawn: set[str] = set()
        needed: set[str] = set()
        lines = stage.split("\n")
        for before, line in zip(lines, lines[1:]):
            if before == "```math":
                terms = re.split(r"\\,| \+ ", line.partition(" = ")[2])
                needed = known.intersection(terms if len(terms) > 1 else ())  # a copy says its numbers once
            elif matrix := re.match(name, line):
                drawn.add(matrix[1])
                if " × " in line:  # the axes of the result
                    assert needed <= drawn, line
                    checked += len(needed)
    assert checked > 40


def chains(text: str) -> list[list[str]]:
    """The arithmetic of single numbers, as equal sides with the signs between them, however it is broken into lines."""
    equations: list[str] = []
    for block in re.findall(r"```math\n(.*?)```", text, re.S):
        for line in block.split("\n"):
            line = line.removesuffix(r" \\").replace(r"\quad ", "")
            if line.startswith("&"):
                equations[-1] += f" {line[1:]}"
            elif not line.startswith(r"\begin") and not line.startswith(r"\end"):
                equations.append(line.replace("&", ""))
    return [re.split(r" (=|\\approx) ", chain) for chain in equations
            if re.search(r"\d\.\d", chain) and not re.search(r"\bi\b", chain.partition(" = ")[0])]


def plain_sum(latex: str) -> str:
    """A sum in LaTeX as it is in text."""
    text = re.sub(r"\\mathrm\{e\}\{(\S+?)\}", r"e\1", latex).replace("^{2}", "^2").replace(r"\infty", "inf")
    text = re.sub(r"\\(?:mathrm\{(\w+)\}|(sqrt|log))", r"\1\2", text).replace(r" \cdot ", "·")
    return text.replace("{", "(").replace("}", ")")


@pytest.mark.parametrize("arguments", [
    ("trace", *BLOG, "--arithmetic", "all"), ("trace", "a b", "--target", "c", "--norm", "pre", "--d-model", "32"),
    ("backprop", "a", "c", "--optimizer", "adam", *SMALL)], ids=["all", "wide", "backprop"])
def test_arithmetic_in_latex_gives_its_result_exactly_or_about_as_its_sign_says(arguments):
    signs = []
    for left, *rest in chains(markdown(*arguments, "--form", "vector")):
        sign, result = rest[-2], plain_sum(rest[-1])
        assert re.fullmatch(r"-?(?:\d+(?:\.\d+)?(?:e[+-]\d+)?|inf)", result), (left, rest)
        if len(rest) < 6:  # nothing was computed
            assert sign == "="
            continue
        decimals = len(result.partition("e")[0].partition(".")[2]) or 3 * (result == "0")
        unit = 10.0 ** (int(result.partition("e")[2] or 0) - decimals)
        number, printed = evaluated(plain_sum(rest[-3])), float(result)
        off = 0 if number == printed else abs(number - printed) / unit
        assert off <= 0.5 + 1e-6 if sign == "=" else off >= 0.5 - 1e-6, (left, rest)
        signs.append(sign)
    assert len(signs) > 80 and len(set(signs)) == 2


def test_masked_numbers_are_minus_infinity_in_latex():
    text = markdown("trace", *BLOG, "--only", "*.masked_scores", "--arithmetic", "all", "--form", "vector")
    masked = [(left, result) for left, *_, number, _, result in chains(text) if r"+ (-\infty)" in number]
    assert len(masked) == 2 * 21 and {result for _, result in masked} == {r"-\infty"}
    assert not re.search(r"(?<!\\)inf", "".join(without_formulas(text)[1]))
