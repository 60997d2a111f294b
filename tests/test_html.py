"""Pages as HTML: valid and self-contained, with every number under its address; hostile words are only words."""
import io
import math
import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import chain, pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from command import BLOG, attntrace, process
from examples import EXAMPLES
from hostile import HOSTILE
from markup import MATHML, outline, parsed, read
from pages import blocks_named, contrast, run_of
from parsing import evaluated

from attntrace.pages.view import row_formula, whole_formula
from attntrace.runs.training_step import prepare_training_step
from attntrace.tensor.axes import NotRowwise
from attntrace.tensor.printer import Printer
from attntrace.writers.html import HtmlWriter
from attntrace.writers.html.mathml import expression_math, formula_math
from attntrace.writers.page import Look

TWELVE = "one two three four five six seven eight nine ten eleven twelve"
SMALL = ("--d-model", "2", "--heads", "1", "--d-ff", "2")
PAGES = [("trace", "어제 카페", "--target", "I", *SMALL), ("trace", "a b", "--limit", "4"),
         ("trace", TWELVE, "--d-model", "18", "--form", "matrix"),
         ("backprop", "a b", "c", *SMALL, "--optimizer", "adam", "--label-smoothing", "0.1", "--only", "*output.W*",
          "--only", "loss.*", "--only", "gradient.decoder.layer1.cross_attention.*"), ("steps",),
         ("map", *BLOG), ("why", "encoder.output:1,1", "a b", "--depth", "all"), ("translate", BLOG[0]),
         ("translate", BLOG[0], "--step", "2", "--only", "layer2.cross_attention.head1.*"), ("verify", "a b"),
         ("explain",),
         ("explain", "softmax"), ("weights", "info", "samples/pencil.json"),
         ("compare", "a b", "--what-if", "--ablate encoder.layer1.self_attention.head1"),
         ("trace", "a b", "--lang", "both", "--big"), ("trace", "x" * 500, "--precision", "12"),
         ("trace", "어제 카페", "--pencil", "2", "--token", "카페")]


def page(*arguments: str) -> str:
    done = attntrace(*arguments, "--format", "html")
    assert done.code == 0, done.err
    return done.out


@cache
def document_of(*arguments: str):
    return read(page(*arguments))


def text_of(element) -> str:
    return "".join(element.itertext())


class Number(NamedTuple):
    """A number on the page: the address of its step or parameter (and which block of columns of that), its row and
    column from 0, and the headings of these."""
    address: str
    part: str | None
    row: int
    column: int
    element: Any
    beside: Any
    above: Any
    power: str  # `e-3`


def numbers_of(document) -> Iterator[Number]:
    """Every number, by what the element of its table or of its row says in its data- attributes."""
    for table in document.iter("table"):
        word, above = None, table.findall("thead/tr/th")
        for y, line in enumerate(table.findall("tbody/tr")):
            above = line.findall("th[@scope='col']") or above
            group = line.find("th[@scope='rowgroup']")
            word = word if group is None else group
            named = line if "data-address" in line.attrib else table
            for x, cell in enumerate(line.findall("td") if "data-address" in named.attrib else ()):
                if cell.get("class") == "more":
                    continue
                row, column = int(line.get("data-row", y + 1)) - 1, int(named.get("data-column", "1")) - 1 + x
                beside, top = word if named is line else line.find("th"), above[x] if x < len(above) else None
                if named.get("data-transposed") is not None:
                    row, column, beside, top = column, row, top, beside
                power = f"e{named.get('data-power')}" if "data-power" in named.attrib else ""
                yield Number(named.attrib["data-address"], named.get("data-part"), row, column, cell, beside, top,
                             power * (text_of(cell).strip() != "0"))


def numbers(document) -> dict[str, dict[tuple[int, int], str]]:
    """The text of every number of a step or a parameter by row and column, with the factor that stands beside them.
    Where one stands several times, all of them say the same, unless with the factor of the terms of a sum."""
    texts: dict[str, dict[tuple[int, int], str]] = defaultdict(dict)
    for number in numbers_of(document):
        name = number.address if number.part is None else f"{number.address}.{number.part}"
        text = text_of(number.element).strip() + number.power
        other = texts[name].setdefault((number.row + 1, number.column + 1), text)
        assert other == text or other.partition("e")[2] != text.partition("e")[2]
    return texts


def assert_same(texts: dict[tuple[int, int], str], values: np.ndarray, precision: int) -> None:
    grid = values if values.ndim == 2 else values.reshape(-1, 1)
    if len(texts) == values.size and max(row for row, _ in texts) == 1:  # a vector that lies
        grid = values.reshape(1, -1)
    assert texts.keys() == {(y + 1, x + 1) for y, x in np.ndindex(grid.shape)}
    for (y, x), text in texts.items():
        number = float(grid[y - 1, x - 1])
        assert (text == "0") == (number == 0) and not re.fullmatch(r"-0\.?0*", text)
        if math.isfinite(number):
            assert abs(float(text) - number) <= 0.5 * 10.0**-precision * max(1, abs(number)) + 1e-12
        else:
            assert float(text) == number


@pytest.mark.parametrize("arguments", PAGES, ids=" ".join)
def test_a_page_is_valid_loads_nothing_and_each_of_its_links_leads_to_one_place(arguments):
    text = page(*arguments)
    document = parsed(text)
    assert outline(document) == outline(read(text))  # which the tests below read
    ids = [element.get("id") for element in document.iter() if element.get("id") is not None]
    links = [element.get("href") for element in document.iter("a")]
    assert len(ids) == len(set(ids))
    assert {link for link in links if link.removeprefix("#") not in ids} == set()
    elements = [element for element in document.iter() if isinstance(element.tag, str)]
    assert {"link", "img", "iframe", "object"}.isdisjoint({one.tag for one in elements})
    policy = document.find("head/meta[@http-equiv='Content-Security-Policy']").get("content")
    run = [*document.iter("style"), *(one for one in document.iter("script") if one.get("type") is None)]
    hashes = [b64encode(sha256(text_of(one).encode()).digest()).decode() for one in run]
    assert all(f"'sha256-{one}'" in policy for one in hashes) and policy.startswith("default-src 'none';")
    assert not [name for one in elements for name in one.attrib if name.startswith("on") or name in ("src", "style")]
    assert re.search(r"https?:|//|@import|url\(", text.replace(policy, "")) is None
    assert text_of(document.find("head/title")) == text_of(next(document.iter("h1")))
    headings = [int(one.tag[1]) for one in elements if re.fullmatch("h[1-6]", one.tag)]
    assert headings[0] == 1 and all(after <= before + 1 for before, after in zip(headings, headings[1:]))


@pytest.mark.parametrize("arguments, form", [
    (("trace", *BLOG, "--d-model", "18", "--heads", "1"), "vector"),
    (("trace", *BLOG, "--d-model", "18", "--heads", "1"), "matrix"), (("backprop", "a", "c", *SMALL), "both")])
def test_every_number_of_a_run_is_found_by_its_address(arguments, form):
    by_address = numbers(read(page(*arguments, "--form", form, "--precision", "6")))
    values = run_of(*arguments).values
    assert len(values) > 50
    for address, value in values.items():
        assert_same(by_address[address], value, 6)


@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_every_number_of_a_parameter_is_found_by_its_name_and_the_number_of_its_head(form):
    run = "trace", *BLOG, "--d-model", "18"
    by_name = numbers(document_of(*run, "--form", form, "--precision", "6"))
    for name, value in run_of(*run).parameters.items():
        if name.endswith(".E"):  # whose rows stand where they are looked up
            continue
        parts = np.hsplit(value, 2) if name.endswith(("W_Q", "W_K", "W_V")) else []
        for address, part in [(f"{name}.{n + 1}", part) for n, part in enumerate(parts)] or [(name, value)]:
            assert_same(by_name[address], part, 6)


MANY = "trace", TWELVE + " 13 14 15 16 17 18 19 20", "--target", "a b three"


@pytest.mark.parametrize("arguments", [(*MANY, "--form", "vector"), (*MANY, "--form", "matrix"),
                                       (*MANY, "--form", "vector", "--token", "three")], ids=lambda it: it[-1])
def test_each_row_and_each_column_is_headed_by_its_word_in_the_hue_of_that_word(arguments):
    run, seen = run_of(*MANY), set()
    for number in numbers_of(document_of(*arguments, "--arithmetic", "none")):
        if number.address not in run.steps:
            continue
        seen.add(number.address)
        rows, words = (run.words(number.address, axis) for axis in (0, 1))
        assert heading(number.beside) == (rows[number.row], hues(rows, number.address, 0)[number.row])
        if words is not None:
            is_key = run.steps[number.address]["axes"][1] == "key"
            hue = hues(words, number.address, 1)[number.column] if is_key else None
            assert heading(number.above) == (words[number.column], hue)
        elif "vector" in arguments and len(run.steps[number.address]["axes"]) == 2:
            assert heading(number.above) == (str(number.column + 1), None)
    assert seen == run.steps.keys()


def heading(element) -> tuple[str, str | None]:
    return text_of(element).strip(), element.get("class")


def test_the_table_of_contents_is_nested_as_the_headings_are():
    document = document_of("trace", *BLOG)
    headings = [element for element in document.iter() if element.tag in ("h2", "h3", "h4")]
    levels = {heading.get("id"): int(heading.tag[1]) for heading in headings}
    nav = document.find("body/nav")
    listed = [link.get("href").removeprefix("#") for link in nav.iter("a")]
    depths = Counter(name for depth in range(1, 5) for name in {
        link.get("href").removeprefix("#") for link in nav.iterfind(".//" + "ul//" * depth + "a")})
    assert listed[1:] == [name for name in levels if name is not None] and len(listed) > 58
    assert {levels.get(name, 2) - depths[name] for name in listed} == {1}
    assert document.find("body/a[@href='#contents']") is not None


@pytest.mark.parametrize("arguments, title", [
    (("explain", "softmax"), "Softmax / 소프트맥스(softmax)"), (("explain",), "Topics of explain"),
    (("steps", "a b"), 'Steps of "a b"')])
def test_a_page_without_headings_has_no_contents_and_is_called_after_what_it_is_about(arguments, title):
    document = document_of(*arguments)
    assert document.find("head/title").text == document.find("body/main/h1").text == title
    nav = document.find("body/nav")
    assert nav.get("hidden") is not None and not list(nav)


@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_every_step_parameter_and_place_has_an_anchor(form):
    run, parameter = run_of("trace", *BLOG), "encoder.layer1.self_attention.W_Q"
    places = {address.rpartition(".")[0] for address in run.steps}
    assert run.steps.keys() | {f"place.{place}" for place in places} | {parameter, f"{parameter}.2", "output.W"} <= {
        element.get("id") for element in document_of("trace", *BLOG, "--form", form).iter()}
    attentions = {place.rpartition(".head")[0] for place in places if ".head" in place}
    assert len(attentions) == 3
    assert {f"map.{place}" for place in attentions} <= {
        element.get("id") for element in document_of("map", *BLOG).iter()}


@pytest.mark.parametrize("arguments", [("trace", "--target", '</td><img/src=x> "q" &lt;'), ("map",),
                                       ("why", "encoder.output:1,1")], ids=lambda it: it[0])
def test_words_from_outside_are_nothing_but_words(arguments):
    only = ["--only", "*.embedding", "--only", "head1.weights"] * ("trace" in arguments)
    text = page(*arguments, HOSTILE, *SMALL, *only)
    document, harmless = parsed(text), read(page(*arguments, "a b", *SMALL, *only))
    tags, harmless_tags = ({element.tag for element in tree.iter() if isinstance(element.tag, str)}
                           for tree in (document, harmless))
    assert tags <= harmless_tags | {"wbr"} and "alert" in text and "<!--" not in text
    scripts = [[*map(text_of, tree.iter("script"))] for tree in (document, harmless)]
    assert scripts[0][1:] == scripts[1][1:]  # behind the data
    assert "\\u{202E}" in text and "\u202e" not in text and "\x07" not in text
    assert "trace" not in arguments or "script" in map(text_of, document.iter("th"))


def test_names_from_a_file_are_nothing_but_names():
    out, bad = io.StringIO(), f'"><b>{HOSTILE}\n'
    writer = HtmlWriter(out, Look(title=HOSTILE))
    writer(blocks_named(bad))
    writer.close()
    document = parsed(out.getvalue())
    assert not list(document.find("body").iter("script")) and len(list(document.iter("b"))) == 3  # of a stage, maps
    assert all("\u202e" not in text for text in document.itertext())


@pytest.mark.parametrize("language, first", [("en", "en"), ("ko", "ko"), ("both", "ko")])
def test_a_page_and_a_picture_say_their_language(language, first):
    document = read(page("trace", "a b", "--lang", language))
    assert document.get("lang") == first
    picture = ElementTree.fromstring(attntrace("map", "a", "--format", "svg", "--lang", language).out)
    assert picture.get("{http://www.w3.org/XML/1998/namespace}lang") == first
    inside = {element.get("lang") for element in document.find("body").iter()} - {None}
    assert inside == ({"ko", "en"} if language == "both" else set())


@pytest.mark.parametrize("arguments", [
    ("trace", "a b", "--limit", "6"), ("backprop", "a", "b", *SMALL, "--only", "loss.*"), ("map", "a b"),
    ("verify", "a b"), ("explain", "layer_norm")], ids=" ".join)
def test_texts_in_two_languages_each_say_their_language(arguments):
    document = document_of(*arguments, "--lang", "both")
    korean, english = (
        [text for span in document.iterfind(f".//span[@lang='{language}']")
         if "$ attntrace " not in (text := text_of(span))]  # a command may have a sentence of the other language
        for language in ("ko", "en"))
    assert len(korean) == len(english) > 2
    assert all(re.search("[가-힣]", text) for text in korean)
    assert not any(re.search("[가-힣]", text) for text in english)
    checks = document.findall(".//ul[@class='checks']/li")
    assert all(text_of(line).startswith("✓ ") and line.find("span[@lang]") is not None for line in checks)
    assert all(note.find("span[@lang]") is not None for note in document.iterfind(".//p[@class='note']"))


def test_a_formula_in_mathml_says_what_it_says_in_text():
    """What stands below and above a letter, under a root and under a hat stands there."""
    steps: list[Any] = []
    prepare_training_step("a b", "c d", optimizer="adam", smoothing=0.1)(steps.append)
    formulas = [whole_formula(step) for step in steps]
    for step in steps:
        try:
            formulas += [row_formula(step, step.node.row(0, 0), 0, letter) for letter in (None, "i")]
        except (NotRowwise, IndexError):  # it has no rows of its own
            pass
    assert len(formulas) > 600
    markup = "".join(f"<p>{formula_math(formula)}" for formula in formulas)
    document = parsed(f"<!doctype html><title>x</title>{markup}")
    for formula, written in zip(formulas, document.iter("p"), strict=True):
        head, row = formula.head, formula.row
        text = f"{formula.left.spelled(head=head, row=row)} = {Printer(head, row).text(formula.right)}"
        assert " ".join(as_text(written).split()) == scripted(text)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_formula_of_every_op_can_be_written_in_mathml(example):
    """MathPrinter in writers/html/mathml.py has a method for each kind of node that stands in a formula."""
    formula = example.tensor().node.formula()
    (written,) = parsed(f"<!doctype html><title>x</title><p>{expression_math(formula, None)}").iter("p")
    text = scripted(Printer().text(formula))
    assert re.sub(r"[()\s]", "", as_text(written)) == re.sub(r"[()\s]", "", text)


def as_text(element) -> str:
    """MathML as text: `W_Q^1`, `x_1`, `√(d_k)`."""
    parts = [as_text(child) for child in element]
    match element.tag.removeprefix(MATHML), parts:
        case "msub", [base, below]:
            return f"{base}_{below}"
        case "msup", [base, above]:
            return f"{base}^{above}"
        case "msubsup", [base, below, above]:
            return f"{base}_{below}^{above}"
        case "mover", [base, "^"]:
            return f"{base}\N{COMBINING CIRCUMFLEX ACCENT}"
        case "mtext", []:
            return re.sub(r"^\(([\d,]+)\)$", r"\1", element.text)
    inside = "".join(part + (child.tail or "") for part, child in zip(parts, element))
    return f"√({inside})" if element.tag == f"{MATHML}msqrt" else (element.text or "") + inside


SCRIPTS = re.compile("(?=[₀-₉ᵢ′²ᵗᵀ⁽])(?P<below>[₀-₉ᵢ]*)(?P<above>(?:[′²ᵗᵀ]|⁽[^⁾]+⁾)*)(?P<after>[₀-₉ᵢ]*)")


def scripted(text: str) -> str:
    """A formula as it is in Unicode, spelled in the same way."""
    def below_and_above(match: re.Match[str]) -> str:
        below, above = (unicodedata.normalize("NFKC", part) for part in (
            match["below"] + match["after"], re.sub("[⁽⁾]", "", match["above"]).replace("′", "'")))
        return f"_{below}" * bool(below) + f"^{above}".replace("'", "′") * bool(above)

    text = re.sub(r"√([^\s()]+)", r"√(\1)", unicodedata.normalize("NFD", text)).replace("|", "|_")
    return SCRIPTS.sub(below_and_above, text)


def test_a_map_is_shaded_by_parts_of_the_largest_weight_of_its_heads():
    run = run_of("trace", *BLOG)
    largest: dict[str, float] = defaultdict(float)
    for address, weights in run.values.items():
        if address.endswith(".weights"):
            place = address.rpartition(".head")[0]
            largest[place] = max(largest[place], weights.max())
    drawn = list(numbers_of(document_of("map", *BLOG)))
    assert {number.address.rpartition(".head")[0] for number in drawn} == largest.keys() and len(largest) == 3
    assert "w8" in {number.element.get("class") for number in drawn}
    for number in drawn:
        weight = run.values[number.address][number.row, number.column]
        assert number.element.get("class") == shade(weight / largest[number.address.rpartition(".head")[0]])
        assert heading(number.beside)[0] == run.words(number.address, 0)[number.row]
        assert heading(number.above)[0] == run.words(number.address, 1)[number.column]


@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_attention_weights_are_shaded_and_no_other_number_is(form):
    run = run_of("trace", *BLOG)
    for number in numbers_of(document_of("trace", *BLOG, "--form", form)):
        if number.address.endswith(".weights"):
            assert number.element.get("class") == shade(run.values[number.address][number.row, number.column])
        elif number.address != "output.probabilities":
            assert number.element.get("class") is None


def shade(part: float) -> str | None:
    """An eighth of the whole is the second shade, all of it the eighth; a weight of exactly 0 has none."""
    return f"w{min(int(part * 8) + 1, 8)}" if part else "w0"


def hues(words: list[str], address: str, axis: int) -> list[str | None]:
    """The source has the first six, the target the others, of which `<s>` is first; a word the same wherever it is."""
    is_target = not address.startswith("encoder") and not ("cross_attention." in address and (
        axis or address.endswith((".key", ".value"))))
    plain = list(dict.fromkeys([*["<s>"] * is_target, *words]))
    return [f"t{plain.index(word) % 6 + 6 * is_target}" for word in words]


@pytest.mark.parametrize("arguments", [("trace", "a b", "--target", "c"), ("backprop", "a", "b", *SMALL)], ids=" ".join)
def test_the_arithmetic_of_every_number_is_its_formula_and_then_a_sum_that_comes_out_as_that_number(arguments):
    document = document_of(*arguments, "--form", "vector", "--arithmetic", "all", "--precision", "9")
    results, sums = [], 0
    for line in document.iterfind(".//div[@class='cells']/p"):
        formulas = line.findall(f"{MATHML}math")
        *sides, sign, result = re.split(" ([=≈]) ", (formulas[-1].tail or "").rstrip())
        results.append(float(result))
        assert len(formulas) > 1 or results[-1] in (0, 1)
        if len(sides) == 1:  # nothing was computed
            assert sign == "="
            continue
        sums += 1
        value = evaluated(sides[-1])
        assert value == pytest.approx(results[-1], rel=1e-5, abs=1e-7) and sides[-1] != result, text_of(line)
        if math.isfinite(value) and "e" not in result:
            missed = abs(value - results[-1])  # in a tie it is either
            assert missed < 5.001e-10 if sign == "=" else missed > 4.999e-10, text_of(line)
    values = np.hstack(list(map(np.ravel, run_of(*arguments).values.values())))
    assert len(results) == len(values) and sums > len(values) / 2
    assert sorted(results) == pytest.approx(sorted(values), rel=1e-6, abs=1e-8)


def test_under_each_row_that_mixes_others_stands_how_much_of_each_in_its_hue():
    run = run_of("trace", *BLOG)
    document, mixtures = document_of("trace", *BLOG, "--form", "vector"), 0
    for line, below in chain.from_iterable(pairwise(table.iter("tr")) for table in document.iter("table")):
        address = line.get("data-address", "")
        assert (below.get("class") == "mixture") == bool(re.search(r"head\d+\.output$", address))
        if below.get("class") == "mixture":
            mixtures += 1
            weights = run.values[address.replace("output", "weights")][int(line.get("data-row")) - 1]
            terms = list(below.iter("span"))
            assert as_text(below.find(f".//{MATHML}math")) == f"z_{line.get('data-row')}"
            looked_at = address.replace("output", "weights")
            assert [term.get("class") or None for term in terms] == hues(run.words(looked_at, 1), looked_at, 1)
            shares, values = zip(*(text_of(term).split("·") for term in terms))
            assert [scripted(value) for value in values] == [f"v_{n + 1}" for n in range(len(weights))]
            assert [float(share) for share in shares] == pytest.approx(weights, abs=5.1e-4)
    assert mixtures == sum(len(run.values[address]) for address in run.steps if re.search(r"head\d+\.output$", address))


def test_a_wide_matrix_is_drawn_once_a_stage():
    stages = list(document_of("trace", *BLOG, "--d-model", "18", "--form", "matrix").iter("section"))
    assert len(stages) > 20
    assert any("columns" in text_of(caption) for stage in stages for caption in stage.iter("caption"))
    for stage in stages:
        drawn = [text_of(caption) for caption in stage.iter("caption") if "columns" in text_of(caption)]
        assert sorted(drawn) == sorted(set(drawn)), text_of(stage.find("h4"))


@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_the_page_says_how_much_of_a_step_is_beyond_the_limit(form):
    run, document = run_of("trace", *BLOG), document_of("trace", *BLOG, "--form", form, "--limit", "10")
    notes = [text_of(note) for note in document.iterfind(".//p[@class='note']")]
    for address, record in run.steps.items():
        size = math.prod(record["shape"])
        about = [note for note in notes if re.search(rf"(?<![\w.]){re.escape(address)}(?![\w.])", note)]
        assert bool(about) == (size > 10) and all(f" {size} " in note for note in about), address
    if form == "vector":
        more = {line.get("data-address"): text_of(line.find("td[@class='more']")).strip()
                for line in document.iterfind(".//tr[@data-row='1']") if line.find("td[@class='more']") is not None}
        assert more["encoder.input"] == "+5 more" and all(re.fullmatch(r"\+\d+ more", text) for text in more.values())


def test_a_column_of_numbers_is_set_right_and_no_column_of_words_is():
    kinds = set()
    for arguments in (("steps", "a b"), ("trace", "a b", "--target", "c"), ("translate", BLOG[0]), ("verify", "a b")):
        for table in document_of(*arguments).iterfind(".//table[@class='plain']"):
            rows = [line for line in table.iter("tr") if len(line) == max(map(len, table.iter("tr")))]
            for column in zip(*rows, strict=True):
                right = {"r" in (cell.get("class") or "").split() for cell in column if text_of(cell).strip()}
                body = [text_of(cell).strip() for cell in column if cell.tag == "td" or cell.get("scope") == "row"]
                is_numbers = all(re.fullmatch(r"[-\d.,e ×%]*", text) for text in body)
                assert right == {is_numbers}, (arguments, body)
                kinds |= right
    assert kinds == {True, False}


def test_a_number_that_was_explained_above_is_a_link_to_where_that_is():
    document = document_of("why", "encoder.output:1,1", "a b", "--depth", "all", "--top", "8")
    explained, links, items = set(), 0, 0
    for element in document.find("body/main").iter():
        if element.tag == "li" and element.get("id"):
            explained.add(element.get("id"))
        elif element.tag == "li":
            assert element.find("a").get("href") == f"#{text_of(element.find('code'))}"
            items += 1
        for child in element:
            if child.tag == "code" and element.tag != "li" and text_of(child) in explained:
                assert element.get("href") == f"#{text_of(child)}"
                links += 1
    assert links > 10 and items > 0


def test_the_stylesheet_has_contrast_enough_in_light_and_in_dark():
    style = files("attntrace.writers.html").joinpath("page.css").read_text("utf-8")
    light, dark = (dict(re.findall(r"--(\w+): (#\w{6})", part)) for part in
                   (style.partition("@media")[0], style.partition("@media")[2].partition("* {")[0]))
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        for name in ("ink", "soft", "link", "wrong", *(f"t{n}" for n in range(8))):
            for ground in ("page", "panel"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "utf-16", "cp037"])
@pytest.mark.parametrize("kind, parse", [("html", read), ("svg", ElementTree.fromstring)])
def test_a_page_in_another_encoding_is_the_same_page(kind, parse, encoding):
    """UTF-8, as it says, also where the encoding has no signs of ASCII."""
    there = process("map", "어제 카페", "--format", kind, "--lang", "en", PYTHONIOENCODING=encoding)
    assert there.code == 0 and there.out.isascii() == (encoding in ("ascii", "cp949"))
    here = attntrace("map", "어제 카페", "--format", kind, "--lang", "en").out
    assert ElementTree.tostring(parse(there.out)) == ElementTree.tostring(parse(here))


@pytest.mark.parametrize("language, count", [("en", 1), ("ko", 1), ("both", 2)])
def test_the_command_in_an_explanation_is_code(language, count):
    main = document_of("explain", "masking", "--lang", language).find("body/main")
    commands = [text_of(code) for code in main.iter("code") if text_of(code).startswith("$ attntrace trace ")]
    assert len(commands) == text_of(main).count("$ attntrace trace ") == count


def test_where_both_forms_are_shown_each_matrix_has_an_anchor_of_its_own():
    both, matrix = (page("trace", "a b", "--form", form) for form in ("both", "matrix"))
    tables = {table.get("id"): table for table in read(both).iter("table")}
    for address in run_of("trace", "a b").steps:
        table = tables[f"{address}.matrix"]
        assert table.get("data-address") == address and f'id="{address}"' in both and f'id="{address}"' in matrix
    assert '.matrix"' not in matrix
