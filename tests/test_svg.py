"""Attention maps as vector graphics: read back with an XML parser, every weight by its address."""
import io
import math
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from command import BLOG, attntrace
from hostile import HOSTILE
from pages import blocks_named, run_of

from attntrace.messages.unicode import shown
from attntrace.pages.blocks import Maps, Prose
from attntrace.writers.page import Look
from attntrace.writers.svg import SHADES, SvgWriter

SVG = "{http://www.w3.org/2000/svg}"
MAPS = {"blog": BLOG, "one word": ("a",), "40 words": (" ".join(f"word{n}" for n in range(40)), "--head", "1"),
        "8 heads": ("a b c", "--heads", "8"), "2 layers": ("a b", "--layers", "2", "--target", ""),
        "long": ("어제 " + "아주" * 40 + " x" * 20,), "hostile": (HOSTILE, "--head", "1")}


class Text(NamedTuple):
    """A text, where it stands on the page, and by how much it is turned; which cell it is the number of, if any."""
    words: str
    x: float
    y: float
    size: float
    anchor: str
    transposed: float
    cell: str
    fill: str


class Box(NamedTuple):
    """A rectangle of a colour, and where it is on the page."""
    x: float
    y: float
    width: float
    height: float
    fill: str

    def holds(self, text: Text) -> bool:
        return self.x < text.x < self.x + self.width and self.y < text.y < self.y + self.height


def test_every_number_of_a_step_stands_in_its_picture_as_vectors_and_as_a_matrix():
    code, out, errors = attntrace("trace", *BLOG, "--only", "decoder.*", "--precision", "6", "--format", "svg")
    assert (code, errors) == (0, "")
    drawn = {name: np.array([number for _, number in sorted(
        (tuple(map(int, cell.get("data-cell").split(","))), float(cell.text))
        for cell in group.iter(f"{SVG}text") if cell.get("data-cell"))])
        for name, group in places(ET.fromstring(out)).items() if name}
    for address, value in run_of("trace", *BLOG).values.items():
        if address.startswith("decoder."):
            rows = np.array([drawn[f"{address}:{n + 1}"] for n in range(len(value))])
            for numbers in (rows, drawn[address]):
                assert np.allclose(numbers.ravel(), value.ravel(), rtol=0, atol=5.01e-7), address


def test_what_is_too_wide_is_drawn_below_in_blocks_of_columns_whose_numbers_keep_their_places():
    options = "a b", "--d-model", "40", "--heads", "1"
    code, out, errors = attntrace("trace", *options, "--only", "encoder.input", "--precision", "6", "--format", "svg")
    page, value = ET.fromstring(out), run_of("trace", *options).values["encoder.input"]
    assert (code, errors) == (0, "") and float(page.get("width", "")) < 1400
    for name, rows in (("encoder.input", value), ("encoder.input:2", value[1:])):
        cells = {cell.get("data-cell"): float(cell.text) for cell in places(page)[name].iter(f"{SVG}text")
                 if cell.get("data-cell")}
        assert cells == {f"{i + 1},{j + 1}": round(one, 6) for (i, j), one in np.ndenumerate(rows)}
        heights = [float(one.get("transform").split()[1][:-1]) for one in places(page)[name].findall(f"{SVG}g")]
        assert len(heights) > 1 and min(np.diff(heights)) > 20  # no block is drawn on another


def test_arithmetic_that_is_too_wide_goes_on_below_and_reads_as_in_text():
    options = ("trace", "a b", "--d-model", "40", "--heads", "1", "--arithmetic", "all", "--form", "vector",
               "--only", "encoder.layer1.self_attention.head1.scores")
    code, out, errors = attntrace(*options, "--format", "svg")
    page, numbers = ET.fromstring(out), re.compile(r"s.\[\d\]=.*?≈-?\d\.\d{3}")
    width, height = (float(page.get(name, "")) for name in ("width", "height"))
    assert (code, errors) == (0, "") and width < 1400
    every = sorted(texts(page), key=lambda text: text.y)
    lines = [text for text in every if re.match(r"s.\[\d\] = |[+=≈] ", text.words)]
    printed = numbers.findall("".join(attntrace(*options).out.split()))
    assert numbers.findall("".join("".join(text.words for text in lines).split())) == printed
    assert len(printed) == 4 and len(lines) > 2 * len(printed)
    assert {text.x > lines[0].x for text in lines if text.words[0] in "+=≈"} == {True}
    for before, after in zip(every, every[1:]):
        if before in lines or after in lines:
            assert max(down for _, down in corners(before)) <= min(down for _, down in corners(after))
    for text in lines:
        assert all(0 <= across <= width and 0 <= down <= height for across, down in corners(text)), text


def picture(*arguments: str) -> ET.Element:
    code, out, errors = attntrace("map", *arguments, "--format", "svg")
    assert (code, errors) == (0, "")
    return ET.fromstring(out)


def places(page: ET.Element) -> dict[str, ET.Element]:
    return {group.get("data-address", ""): group for group in page.iter(f"{SVG}g")}


def texts(element: ET.Element, x: float = 0, y: float = 0, size: str = "", anchor: str = "start") -> Iterator[Text]:
    """All texts under an element, which is moved by its own transform and by those around it."""
    size, anchor = element.get("font-size", size), element.get("text-anchor", anchor)
    x, y = moved(element, x, y)
    if element.tag == f"{SVG}text":
        turn = re.fullmatch(r"rotate\((\S+) (\S+) (\S+)\)", element.get("transform", ""))
        assert turn is None or turn.groups()[1:] == (element.get("x"), element.get("y"))
        yield Text(element.text or "", x + float(element.get("x", "")), y + float(element.get("y", "")), float(size),
                   anchor, float(turn[1]) if turn else 0, element.get("data-cell", ""), element.get("fill", ""))
    for child in element:
        yield from texts(child, x, y, size, anchor)


def boxes(element: ET.Element, x: float = 0, y: float = 0) -> Iterator[Box]:
    x, y = moved(element, x, y)
    if element.tag == f"{SVG}rect":
        across, down, width, height = (float(element.get(name, "0")) for name in ("x", "y", "width", "height"))
        yield Box(x + across, y + down, width, height, element.get("fill", ""))
    for child in element:
        yield from boxes(child, x, y)


def moved(element: ET.Element, x: float, y: float) -> tuple[float, float]:
    move = re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
    return (x + float(move[1]), y + float(move[2])) if move else (x, y)


def corners(text: Text) -> Iterator[tuple[float, float]]:
    """Of the box that a text takes: Hangul as wide as high, Latin 0.6 of it."""
    width = text.size * sum(0 if unicodedata.combining(char) else
                            1 if unicodedata.east_asian_width(char) in "WF" else 0.6 for char in text.words)
    left = {"start": 0.0, "middle": -width / 2, "end": -width}[text.anchor]
    turn = math.radians(text.transposed)
    for dx in (left, left + width):
        for dy in (-0.8 * text.size, 0.2 * text.size):
            yield (text.x + dx * math.cos(turn) - dy * math.sin(turn),
                   text.y + dx * math.sin(turn) + dy * math.cos(turn))


@pytest.mark.parametrize("options", MAPS.values(), ids=MAPS)
def test_every_weight_stands_in_its_cell_under_its_address(options):
    run, groups = run_of("trace", *options), places(picture(*options, "--precision", "6"))
    values = {address: value for address, value in run.values.items() if address.endswith(".weights")}
    assert {address for address in groups if address.endswith(".weights")} == values.keys()
    for address in values:
        every = groups[address].iter(f"{SVG}text")
        cells = {cell.get("data-cell"): cell.text for cell in every if cell.get("data-cell")}
        assert len(cells) == values[address].size
        for (i, j), value in np.ndenumerate(values[address]):
            assert cells[f"{i + 1},{j + 1}"] == ("·" if value == 0 else f"{value:.6f}")


@pytest.mark.parametrize("options", MAPS.values(), ids=MAPS)
def test_no_text_stands_outside_of_the_picture_or_over_another(options):
    page = picture(*options)
    x, y, width, height = map(float, page.get("viewBox", "").split())
    assert (x, y, page.get("width"), page.get("height")) == (0, 0, f"{width:.0f}", f"{height:.0f}")
    every = list(texts(page))
    assert len(every) > 4
    for text in every:
        for across, down in corners(text):
            assert 0 <= across <= width and 0 <= down <= height, text
    upright = [[*corners(text)] for text in every if not text.transposed]
    boxes = sorted((min(c[0] for c in box), max(c[0] for c in box), min(c[1] for c in box), max(c[1] for c in box))
                   for box in upright[:400])
    for n, (left, right, top, bottom) in enumerate(boxes):
        for other_left, _, other_top, other_bottom in boxes[n + 1:]:
            assert other_left >= right or other_top >= bottom or top >= other_bottom


@pytest.mark.parametrize("name", ["blog", "40 words", "8 heads", "2 layers"])
def test_each_weight_stands_on_its_colour_between_the_word_that_looks_and_the_word_that_is_looked_at(name):
    options = MAPS[name]
    page, run = picture(*options), run_of("trace", *options)
    for address in filter(lambda address: address.endswith(".weights"), run.steps):
        place, weights = address.rpartition(".head")[0], run.values[address]
        largest = max(value.max() for other, value in run.values.items()
                      if other.startswith(place) and other.endswith(".weights"))
        looking, looked_at = (run.words(address, axis) for axis in (0, 1))
        head, band = places(page)[address], places(page)[place]
        corner = moved(band, 0, 0)
        cells, inside = list(boxes(head, *corner)), list(texts(head, *corner))
        tops, lefts = sorted({box.y for box in cells}), sorted({box.x for box in cells})
        assert (len(tops), len(lefts)) == weights.shape and len(cells) == weights.size
        for number in filter(lambda text: text.cell, inside):
            box, = (box for box in cells if box.holds(number))
            i, j = tops.index(box.y), lefts.index(box.x)
            assert float(number.words.replace("·", "0")) == pytest.approx(weights[i, j], abs=0.0051)
            level = min(int(weights[i, j] / largest * 8), 7) + 1 if weights[i, j] else 0
            assert box.fill == SHADES[level]
        for j, left in enumerate(lefts):
            word, = (text.words for text in inside if abs(text.x - left - cells[0].width / 2) < 0.5
                     and not text.cell and text.y < tops[0] < text.y + 3 * text.size)
            assert word == looked_at[j]
        for i, top in enumerate(tops):
            word, = {text.words for text in texts(band) if text.anchor == "end" and text.x <= lefts[0]
                     and top < text.y < top + cells[0].height}
            assert word == looking[i]
        assert f"The largest weight is {largest:.3f}." in {text.words for text in texts(band)}


@pytest.mark.parametrize("options, shape", [
    ((*BLOG, "--layers", "3", "--heads", "4"), [3, 3]), (("a b c", "--layers", "6", "--heads", "8"), None),
    ((*BLOG, "--layers", "2", "--only", "decoder.*"), [2, 2]), (BLOG, [3, 1])], ids=str)
def test_the_maps_of_a_model_are_a_slide_with_one_title_where_each_layer_and_each_kind_has_a_line(options, shape):
    page = picture(*options, "--d-model", "16")
    width, height = (float(page.get(name, "")) for name in ("width", "height"))
    assert width / height == pytest.approx(16 / 9, rel=0.002)
    assert [text.words for text in texts(page) if text.size == 20] == ["Where each word looks"]
    bands = {name: moved(group, 0, 0) for name, group in places(page).items() if name.endswith("attention")}
    parts = [(re.sub(r"\D", "", name), re.sub(r"\d", "", name)) for name in bands]
    lines = [{key: {corner[axis] for corner, part in zip(bands.values(), parts) if part[of] == key}
              for key in dict.fromkeys(part[of] for part in parts)} for of in (0, 1) for axis in (0, 1)]
    aligned = [all(len(at) == 1 for at in line.values()) for line in lines]
    if shape:  # layers down and kinds across, or the other way round
        assert aligned[1] and aligned[2] or aligned[0] and aligned[3]
        assert sorted(len({corner[axis] for corner in bands.values()}) for axis in (0, 1)) == sorted(shape)
    drawn = [box.x + box.width for box in boxes(page)][1:]
    assert max(drawn) > 0.6 * width and len(set(bands.values())) == len(bands)


def test_without_colour_numbers_stand_alone():
    page = picture(*BLOG, "--color", "never")
    assert {box.fill for box in boxes(page)} == {"#ffffff"}
    numbers = [text for text in texts(page) if text.cell]
    assert {text.fill for text in numbers} == {"#000000"}
    assert [text.words for text in numbers] == [text.words for text in texts(picture(*BLOG)) if text.cell]


def test_a_hostile_sentence_is_text_and_nothing_else():
    page = picture(HOSTILE)
    assert {element.tag.removeprefix(SVG) for element in page.iter()} == {"svg", "title", "desc", "g", "rect", "text"}
    words = {text.words for text in texts(page)}
    assert {"<", ">", "&", '"', "'", "]", r"\u{1B}", r"\u{202E}"} <= words
    assert "]]>" in (page.findtext(f"{SVG}title") or "") and page.findtext(f"{SVG}desc")


def test_names_from_a_file_are_nothing_but_names():
    out, bad = io.StringIO(), f"{HOSTILE}\n"
    writer = SvgWriter(out, Look(title=bad))
    writer([block for block in blocks_named(bad) if isinstance(block, Prose | Maps)])
    writer.close()
    page, name = ET.fromstring(out.getvalue()), shown(bad)
    assert {element.tag.removeprefix(SVG) for element in page.iter()} == {"svg", "title", "desc", "g", "rect", "text"}
    assert [group.get("data-address") for group in page.iter(f"{SVG}g")][:2] == [name, name]
    assert [title.text for title in page.iter(f"{SVG}title")] == [name, *[f"{name}, head 1"] * 2]
    assert page.findtext(f"{SVG}desc") == " ".join([shown(HOSTILE)] * 2)  # of prose and of a note


def test_a_picture_needs_no_stylesheet_and_says_what_it_is():
    code, out, _ = attntrace("map", *BLOG, "--format", "svg")
    assert code == 0 and not re.search(r"style|class=|<script|href|url\(|dominant-baseline", out)
    page = ET.fromstring(out)
    command = 'attntrace map "어제 카페 갔었어" --target "I went to the cafe yesterday"'
    assert page[0].tag == f"{SVG}title" and page[0].text == command
    assert page[1].tag == f"{SVG}desc" and "weights, which sum to 1" in (page[1].text or "")
    assert page[2].get("fill") == "#ffffff" and page[2].get("width") == page.get("width")
