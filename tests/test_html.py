"""The page as HTML: valid, whole in itself, every number found by its address, words from outside nothing but words."""
from __future__ import annotations

import io
import math
import re
import unicodedata
from collections import defaultdict
from html import escape
from importlib.resources import files

import html5lib
import numpy as np
import pytest
from command import attntrace, process

from attntrace.blocks import (
    Formula, Grid, Heading, Hidden, Maps, ParameterGrids, Prose, RowLine, StageHeading, VectorRows)
from attntrace.config import Config
from attntrace.figures import Figures
from attntrace.formulas import whole_formula
from attntrace.lessons import prepare_lesson
from attntrace.notation import spelled
from attntrace.run import trace
from attntrace.symbol import Symbol
from attntrace.writers.html import HtmlWriter
from attntrace.writers.html.mathml import formula_math
from attntrace.writers.page import Look

BLOG = ("어제 카페 갔었어", "--target", "I went to the cafe yesterday")
TWELVE = "one two three four five six seven eight nine ten eleven twelve"
HOSTILE = "<script>alert(1)</script> \"onmouseover=alert(1) </style> ]]> &amp; <!-- </main> 'x' \u202e\x07 ${x}"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
SMALL = ("--d-model", "2", "--heads", "1", "--d-ff", "2")
PAGES = [("trace", *BLOG), ("trace", "a b", "--limit", "4"), ("trace", TWELVE, "--d-model", "40", "--form", "matrix"),
         ("backprop", "a b", "c", "--optimizer", "adam", "--label-smoothing", "0.1"), ("steps",), ("map", *BLOG),
         ("why", "encoder.output:1,1", "a b", "--depth", "all"), ("translate", BLOG[0]),
         ("translate", BLOG[0], "--step", "2", "--only", "cross_attention.*"), ("verify", "a b"), ("explain",),
         ("explain", "softmax"), ("weights", "info", "samples/pencil.json"),
         ("compare", "a b", "--what-if", "--ablate encoder.layer1.self_attention.head1"),
         ("trace", "a b", "--lang", "both", "--big"), ("trace", "x" * 500, "--precision", "12"),
         ("trace", "어제 카페", "--pencil", "2", "--token", "카페")]


def page(*arguments: str) -> str:
    done = attntrace(*arguments, "--format", "html")
    assert done.code == 0, done.err
    return done.out


def parsed(text: str):
    """The document, read by the rules of HTML without a single error in it."""
    return html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), strict=True, namespaceHTMLElements=False).parse(text)


def text_of(element) -> str:
    return "".join(element.itertext())


def numbers(document) -> dict[str, dict[tuple[int, int], str]]:
    """The text of every number, by the address of its step and by row and column from 1: what an element says of them
    in its data- attributes. Where a step stands several times, all of them say the same."""
    found: dict[str, dict[tuple[int, int], str]] = defaultdict(dict)
    for element in document.iter():
        if "data-address" not in element.attrib or "data-part" in element.attrib:
            continue
        of_step = found[element.attrib["data-address"]]
        row, column = (int(element.get(f"data-{name}", "1")) for name in ("row", "column"))
        for y, line in enumerate([element] if element.tag == "tr" else element.findall("tbody/tr")):
            for x, cell in enumerate(cell for cell in line.findall("td") if cell.get("class") != "more"):
                text = text_of(cell).strip()
                assert of_step.setdefault((row + y, column + x), text) == text
    return found


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
def test_a_page_is_valid_and_loads_nothing_and_each_of_its_links_leads_to_one_place(arguments):
    text = page(*arguments)
    document = parsed(text)
    ids = [element.get("id") for element in document.iter() if element.get("id") is not None]
    links = [element.get("href") for element in document.iter("a")]
    assert len(ids) == len(set(ids))
    assert {link for link in links if link.removeprefix("#") not in ids} == set()
    elements = [element for element in document.iter() if isinstance(element.tag, str)]
    assert {"script", "link", "img", "iframe", "object", "form", "svg"}.isdisjoint({one.tag for one in elements})
    assert not [name for one in elements for name in one.attrib if name.startswith("on") or name in ("src", "style")]
    assert re.search(r"https?:|//|@import|url\(", text) is None
    assert text_of(document.find("head/title")) == text_of(next(document.iter("h1")))
    headings = [int(one.tag[1]) for one in elements if re.fullmatch("h[1-6]", one.tag)]
    assert headings[0] == 1 and all(after <= before + 1 for before, after in zip(headings, headings[1:]))


@pytest.mark.parametrize("form", ["vector", "matrix", "both"])
def test_every_number_of_a_run_is_found_by_its_address(form):
    sizes = "--d-model", "40", "--layers", "2"
    found = numbers(parsed(page("trace", *BLOG, *sizes, "--form", form, "--precision", "6")))
    steps = list(trace(BLOG[0], BLOG[2], d_model=40, heads=2, layers=2))
    assert len(steps) > 100
    for step in steps:
        assert_same(found[step.address], step.value, 6)


@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_every_gradient_is_found_by_its_address(form):
    found = numbers(parsed(page("backprop", "a b", "c", *SMALL, "--form", form, "--precision", "6")))
    steps = []
    prepare_lesson("a b", "c", config=Config(d_model=2, heads=1, d_ff=2))(steps.append)
    assert any(step.address.startswith("update.") for step in steps)
    for step in steps:
        assert_same(found[step.address], step.value, 6)


@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_every_address_of_the_list_of_steps_and_every_parameter_is_a_place_on_the_page(form):
    ids = {element.get("id") for element in parsed(page("trace", *BLOG, "--form", form)).iter()}
    parameters = {"encoder.layer1.self_attention.W_Q", "encoder.layer1.self_attention.W_Q.2", "output.W",
                  "decoder.layer1.feed_forward.gain"}
    listed = attntrace("steps", *BLOG, "--width", "300").out
    addresses = set(re.findall(r"^  ((?:encoder|decoder|output)\.\S+)", listed, re.M))
    assert len(addresses) > 80
    assert addresses | parameters <= ids


def test_the_table_of_contents_has_every_stage_of_every_part():
    document = parsed(page("trace", *BLOG))
    listed = [text_of(link) for link in document.find("body/nav").iter("a")]
    stages = [text_of(heading) for heading in document.iter("h4")]
    assert len(stages) == 58 and [one for one in listed if re.match(r"\d", one)] != []
    assert all(any(one.startswith(stage) for one in listed) for stage in stages)
    assert document.find("body/a[@href='#contents']") is not None


@pytest.mark.parametrize("command", ["trace", "map", "why"])
def test_words_from_outside_are_nothing_but_words(command):
    place = ("encoder.output:1,1",) if command == "why" else ()
    text = page(command, *place, HOSTILE)
    document = parsed(text)
    tags = {element.tag for element in document.iter() if isinstance(element.tag, str)}
    harmless = {element.tag for element in parsed(page(command, *place, "a b")).iter() if isinstance(element.tag, str)}
    assert tags <= harmless | {"wbr"} and "alert" in text and "<script" not in text and "<!--" not in text
    assert "\\u{202E}" in text and "\u202e" not in text and "\x07" not in text
    if command == "trace":
        assert any(text_of(heading) == "script" for heading in document.iter("th"))


def test_a_hostile_target_names_columns_of_the_vocabulary():
    document = parsed(page("trace", "a", "--target", '</td><img/src=x> "q" &lt;', "--form", "matrix"))
    assert not list(document.iter("img"))
    assert "&" in {text_of(heading) for heading in document.iter("th")}


def test_names_from_a_file_are_nothing_but_names():
    out, values = io.StringIO(), np.ones((1, 1))
    writer, bad = HtmlWriter(out, Look(title=HOSTILE)), f'"><b>{HOSTILE}\n'
    grid = Grid(Symbol(bad, sub=bad), None, values, Figures.of(values, 3), (1, 1), (bad,), (bad,), address=bad)
    formula = Formula(Symbol(bad), (), None)
    writer([StageHeading("1.1", bad, bad, (formula,)), ParameterGrids((grid, grid)), Hidden((bad,), 1, 2),
            VectorRows((bad,), (0,), (RowLine((formula,), values, grid.figures, (bad,), address=bad),)),
            Maps(bad, bad, (grid,), 1.0, False)])
    writer.close()
    document = parsed(out.getvalue())
    assert not list(document.find("body").iter("script")) and len(list(document.iter("b"))) == 2  # the stage's number
    assert all("\u202e" not in text for text in document.itertext())


@pytest.mark.parametrize("language, first", [("en", "en"), ("ko", "ko"), ("both", "ko")])
def test_a_page_says_its_language(language, first):
    document = parsed(page("trace", "a b", "--lang", language))
    assert document.get("lang") == first
    inside = {element.get("lang") for element in document.find("body").iter()} - {None}
    assert inside == ({"ko", "en"} if language == "both" else set())


def test_a_formula_in_mathml_says_what_it_says_in_text():
    steps = []
    prepare_lesson("a b", "c d", optimizer="adam", smoothing=0.1)(steps.append)
    for step in steps:
        formula = whole_formula(step)
        elements = parsed(f"<!doctype html><title>x</title>{formula_math(formula)}").iter(f"{MATHML}math")
        text = f"{formula.left.spelled(head=formula.head)} = {spelled(formula.right, head=formula.head)}"
        assert names(" ".join(map(read, elements))) == names(text)


def read(element) -> str:
    """MathML as text; what stands above in brackets without these, as the raised ones of Unicode are left out."""
    if element.tag == f"{MATHML}mtext" and re.fullmatch(r"\([\d,]+\)", element.text):
        return element.text[1:-1]
    return (element.text or "") + "".join(read(child) + (child.tail or "") for child in element)


def names(text: str) -> list[str]:
    """The names between blanks and brackets, each with its letters in alphabetical order, wherever they stand."""
    apart = unicodedata.normalize("NFD", re.sub("[⁽⁾√_]", "", text)).replace("\u0302", "^")
    plain = unicodedata.normalize("NFKC", apart)
    return ["".join(sorted(name)) for name in re.split(r"[\s()[\]]+", plain) if name]


def test_a_larger_weight_has_a_stronger_shade_and_without_colour_none_has():
    document = parsed(page("map", *BLOG))
    shades = defaultdict(list)
    for cell in document.iter("td"):
        if text_of(cell).strip():
            shades[cell.get("class", "w0")].append(float(text_of(cell)))
    assert len(shades) > 5
    ordered = [shades[name] for name in sorted(shades)]
    largest = {name: max(found) for name, found in shades.items()}
    assert all(max(ordered[n]) <= 1 for n in range(len(ordered))) and largest["w0"] < largest["w7"]
    text = page("trace", *BLOG, "--color", "never")
    assert "class=w" not in text and "class=w" in page("trace", *BLOG)


def test_the_stylesheet_has_contrast_enough_in_light_and_in_dark():
    style = files("attntrace.writers.html").joinpath("page.css").read_text("utf-8")
    light, dark = (dict(re.findall(r"--(\w+): (#\w{6})", part)) for part in
                   (style.partition("@media")[0], style.partition("@media")[2].partition("* {")[0]))
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        for name in ("ink", "soft", "link", "wrong", *(f"t{n}" for n in range(8))):
            for ground in ("page", "panel"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
        steps = [contrast(colours[f"w{n}"], colours["page"]) for n in range(1, 8)]
        assert steps == sorted(steps) and all(contrast(colours["ink"], colours[f"w{n}"]) >= 4.5 for n in range(1, 8))


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = (int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5))
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_blocks_are_written_as_they_come():
    out = io.StringIO()
    writer = HtmlWriter(out, Look(title="x"))
    seen = []

    def blocks():
        for n in range(3):
            yield Prose(f"number {n}")
            seen.append(f"number {n}" in out.getvalue())
        yield Heading("the end")

    writer(blocks())
    assert seen == [True] * 3 and "</main>" not in out.getvalue()
    writer.close()
    parsed(out.getvalue())


def test_a_page_in_another_encoding_is_the_same_page():
    there = process("trace", "어제 카페", "--format", "html", PYTHONIOENCODING="cp949")
    here = process("trace", "어제 카페", "--format", "html", PYTHONIOENCODING="utf-8")
    assert there.code == 0 and there.out.isascii()
    assert text_of(parsed(there.out).find("body")) == text_of(parsed(here.out).find("body"))


def test_a_saved_run_is_the_page_of_the_run_under_another_title(tmp_path):
    one, other = str(tmp_path / "one.npz"), str(tmp_path / "other.npz")
    told = page("trace", "a b", "--save", one)
    page("trace", "a c", "--save", other)
    again = page("show", "--from", one)
    titles = [text_of(parsed(markup).find("head/title")) for markup in (told, again)]
    assert titles == ['attntrace trace "a b"', f"attntrace show --from {one}"]
    assert again.replace(escape(titles[1]), escape(titles[0])) == told
    assert re.search(r"\[|1\.\d", text_of(parsed(page("show", "encoder.input:1", "--from", one)).find("body/main")))
    assert len(list(parsed(attntrace("diff", one, other, "--format", "html").out).iter("table"))) == 2


def test_a_file_that_ends_in_html_is_a_page(tmp_path):
    for ending in ("html", "htm"):
        file = tmp_path / f"page.{ending}"
        assert attntrace("steps", "-o", str(file)).code == 0
        assert file.read_text("utf-8").startswith("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">")
