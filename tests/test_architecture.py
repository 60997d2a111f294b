"""The picture of a model: the boxes of its wiring, where the steps of a run belong, and how each format draws it."""
import io
import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from command import BLOG, attntrace
from hostile import HOSTILE
from markup import SVG, read
from rich.cells import cell_len

from attntrace.model.config import Config
from attntrace.pages.architecture import architecture, box_at
from attntrace.runs.prepare import prepare
from attntrace.runs.training_step import prepare_training_step
from attntrace.writers import PAGES, TEXT
from attntrace.writers.page import Look
from attntrace.writers.svg import SvgWriter

WIRINGS = [dict(zip(("norm", "final_norm", "layers", "position"), values)) for values in itertools.product(
    ("post", "pre"), (False, True), (1, 2), ("interleaved", "none"))]


def sized(wiring) -> Config:
    return Config(d_model=4, d_ff=4, **wiring)


def lines_of(block, **look) -> list[str]:
    out = io.StringIO()
    PAGES[TEXT].load()(out, Look(**look))([block])
    return out.getvalue().splitlines()


def place_of(address: str, layers: int) -> str:
    """The start of the addresses in the box of a step or a parameter, from its words alone."""
    stack, *more = re.sub(r"^(gradient|update)\.", "", address).partition(".from.")[0].split(".")
    if more and more[0].startswith("layer"):
        return f"{stack}.layer{'*' if layers > 1 else 1}.{more[1]}"
    own = {"output": "output", "final_norm": "final_norm"}.get(more[0] if more else "", "input")
    return stack if stack in ("output", "loss") else f"{stack}.{own}"


@pytest.mark.parametrize("wiring", WIRINGS, ids=str)
def test_every_step_and_every_parameter_belongs_to_the_box_of_its_place(wiring):
    subject = prepare_training_step("a b", "c d", config=sized(wiring))
    stacks = architecture(subject).stacks
    addresses = [*subject.addresses(), *subject.run.parameters.by_name]
    assert len(addresses) > 300
    assert [one for one in addresses if place_of(one, wiring["layers"]) not in box_at(stacks, one).addresses] == []
    assert box_at(stacks, "encoder.layer1").inside and box_at(stacks, "step2.decoder.layer1").inside
    assert box_at(stacks, "somewhere.else") is None


@pytest.mark.parametrize("languages", [("en",), ("ko",), ("ko", "en")], ids="-".join)
@pytest.mark.parametrize("wiring", WIRINGS, ids=str)
def test_the_drawing_in_lines_fits_the_page_and_names_each_box_once_with_its_address(wiring, languages):
    block = architecture(prepare(BLOG[0], BLOG[2], config=sized(wiring)))
    for width, ascii in itertools.product((60, 80, 100, 160), (False, True)):
        lines = lines_of(block, width=width, ascii=ascii, languages=languages)
        assert max(map(cell_len, lines)) <= width and all(line == line.rstrip() for line in lines)
        assert len(lines) <= 12 or width < 80 or len(languages) > 1
        text = "\n".join(lines)
        assert not ascii or {char for char in text if ord(char) > 127 and not "가" <= char <= "힣"} == set()
        boxes = [one for stack in block.stacks for box in stack[1:] for one in (box, *box.inside)]
        assert all(address.split(".")[-1] in text for box in boxes for address in box.addresses)
        in_full = [box.addresses[0] for box in boxes[-5:-2]]  # the sub-layers of the decoder
        assert all(address in text for address in in_full) == (width > 60)
        assert all(word in text for word in BLOG[0].split())


def test_norm_and_residual_are_where_the_wiring_has_them():
    for wiring in WIRINGS:
        text = "\n".join(lines_of(architecture(prepare("a", "b", config=sized(wiring))), width=160))
        pre, final = wiring["norm"] == "pre", wiring["final_norm"]
        assert len(re.findall("↑ Norm → [A-Z][a-z -]+ → Add ", text)) == 5 * pre
        assert text.count(" → Add & Norm ") == 5 * (not pre) and len(re.findall("↑ Norm → [MD] ", text)) == 2 * final
        assert text.count("+ position") == 2 * (wiring["position"] != "none") and text.count(
            f"N = {wiring['layers']}, h = 2") == 2


def test_another_activation_than_that_of_the_paper_stands_in_the_picture():
    for word, name in {"relu": "", "gelu": " (GELU)", "gelu_tanh": " (GELU with tanh)", "silu": " (SiLU)"}.items():
        text = "\n".join(lines_of(architecture(prepare("a", "b", config=Config(activation=word))), width=160))
        assert text.count(f"Feed-forward{name} → Add & Norm ") == 2


@pytest.mark.parametrize("norm, residual, around", [
    ("post", False, "{} → Norm "), ("pre", False, "Norm → {} "), ("none", True, "{} → Add "), ("none", False, "{} ")])
def test_what_a_layer_lacks_is_not_in_the_picture(norm, residual, around):
    for feed_forward in (True, False):
        config = Config(norm=norm, residual=residual, feed_forward=feed_forward)
        text = "\n".join(lines_of(architecture(prepare("a", "b", config=config)), width=160))
        for name in ("Self-attention", "Masked self-attention", "Cross-attention", "Feed-forward"):
            assert text.count(f"↑ {around.format(name)}") == (2 * feed_forward if name == "Feed-forward" else 1), text
        assert text.count("Add") == text.count(" → Add ") and "&" not in text


def test_an_arrow_leads_from_the_result_of_the_encoder_into_the_cross_attention():
    for width, wiring in itertools.product((60, 80, 100), WIRINGS):
        lines = lines_of(architecture(prepare("a", "b", config=sized(wiring))), width=width)
        y, = (n for n, line in enumerate(lines) if "▶" in line)
        assert lines[y][lines[y].index("▶") + 1:].startswith("│ ↑") and "Cross-attention" in "".join(lines[y:y + 2])
        x = lines[y].index("└─▶")
        while lines[y - 1][x] == "│":
            y -= 1
        assert lines[y - 1][x] == "┐" and re.search(r"M(  encoder\.[\w, ]+)? ─+┐$", lines[y - 1][:x + 1])


@pytest.mark.parametrize("here, marked", [
    ("encoder.layer2.self_attention.head1.scores", "Self-attention"), ("decoder.layer1.feed_forward", "Feed-forward"),
    ("gradient.output.W", "Linear"), ("decoder.embedding", "Embedding"), ("decoder.layer1", ""), ("", "")])
def test_the_box_of_an_address_is_marked(here, marked):
    block = architecture(prepare("a", "b", config=Config(layers=2)), here)
    line, = [line for line in lines_of(block, width=80) if "●" in line] or [""]
    assert (marked in line.partition("●")[2]) and bool(line) == bool(marked)
    out = io.StringIO()
    writer = SvgWriter(out, Look())
    writer([block])
    writer.close()
    fills = [rect.get("fill") for rect in ET.fromstring(out.getvalue()).iter(f"{SVG}rect")]
    assert fills.count("#ffd999") == bool(here)


def test_given_vectors_take_the_place_of_what_they_replace(tmp_path):
    rows = {name: np.ones((2, 4)) for name in ("encoder.output", "encoder.input", "decoder.input")}
    for part, names, words in [("attention", ["encoder.input"], []), ("encoder", ["encoder.input"], ["M"]),
                               ("decoder", ["encoder.output", "decoder.input"], ["D", "Cross-attention"])]:
        np.savez(tmp_path / "rows.npz", **{name: rows[name] for name in names})
        run = prepare(None, config=Config(d_model=4, part=part), inputs=tmp_path / "rows.npz")
        text = "\n".join(lines_of(architecture(run), width=80))
        assert text.count("Given vectors") == len(names) and "Embedding" not in text and "Linear" not in text
        assert all(f" {word} " in text for word in words) and all(name in text for name in names)
        assert ("Add & Norm" in text) == (part != "attention") and ("▶" in text) == (part == "decoder")


@pytest.mark.parametrize("arguments", [BLOG, ("a", "--norm", "pre", "--lang", "both"), (HOSTILE, "--target", HOSTILE),
                                       ("a " * 60, "--final-norm", "--layers", "3")], ids=lambda it: it[0][:7])
def test_every_text_of_the_picture_stands_in_its_box_and_no_two_boxes_overlap(arguments):
    done = attntrace("steps", *arguments, "--format", "svg")
    page = ET.fromstring(done.out)
    width, height = float(page.get("width")), float(page.get("height"))
    _, *rects = [tuple(float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
                 for rect in page.iter(f"{SVG}rect")]
    assert page.get("role") == "img" and page.find(f"{SVG}title").text and "→" in page.find(f"{SVG}desc").text
    assert not any(x < 0 or x + w > width - 48 or -y > height - 48 for x, y, w, h in rects)
    smallest = [one for one in rects if not any(contains(one, other) for other in rects if other != one)]
    assert not any(one[0] < x + w and x < one[0] + one[2] and one[1] < y + h and y < one[1] + one[3]
                   for n, one in enumerate(smallest) for x, y, w, h in smallest[n + 1:])
    *_, names = texts = [[text for text in page.iter(f"{SVG}text") if text.get("font-size") == size]
                         for size in ("14", "13")]
    assert len(names) == len(rects)  # an address on each
    for text in itertools.chain(*texts):
        at, y, room = float(text.get("x")), float(text.get("y")), 0.5 * float(text.get("font-size"))
        around = [one for one in rects if one[0] <= at < one[0] + one[2] and one[1] < y < one[1] + one[3]]
        wide = min((one[2] for one in around), default=width)
        assert cell_len(text.text) * room <= wide and bool(around) == (y < -10)  # but for the words below


def contains(outer, inner) -> bool:
    return (outer[0] <= inner[0] and inner[0] + inner[2] <= outer[0] + outer[2]
            and outer[1] <= inner[1] and inner[1] + inner[3] <= outer[1] + outer[3])


def page_and_marks(*command: str):
    """The page of a command, and what finds the addresses that stand in what is marked beside a heading of it."""
    document = read(attntrace(*command, "--format", "html").out)
    picture = document.find(f".//figure/{SVG}svg")
    assert picture.get("role") == "img" and picture.find(f"{SVG}title").text and picture.find(f"{SVG}desc").text
    texts = [(float(text.get("y")), float(text.get("x")), text.text) for text in picture.iter(f"{SVG}text")]

    def marked(heading) -> list[str]:
        assert heading.find(f"{SVG}svg/{SVG}use").get("href") == "#architecture"
        mark = heading.find(f"{SVG}svg/{SVG}rect")
        x, y, width, height = (float(mark.get(name)) for name in ("x", "y", "width", "height"))
        inside = [text for at, left, text in texts if y < at < y + height and x <= left < x + width]
        return [text for text in inside if re.match(r"(en|de)coder\.|output$|\.\w", text)]

    return document, marked


def test_each_step_of_a_translation_has_the_picture_where_the_layers_of_the_decoder_are_marked():
    document, marked = page_and_marks("translate", BLOG[0])
    layers = [".self_attention", ".cross_attention", ".feed_forward", "decoder.layer*"]
    *steps, whole = [marked(heading) for heading in document.iter("h2") if "place" in heading.get("id", "")]
    assert steps == [layers] * 7 and whole == [".cross_attention"]


def test_each_place_and_stage_of_a_page_has_the_picture_beside_it_where_its_own_box_is_marked():
    command = "trace", *BLOG, "--layers", "2"
    document, marked = page_and_marks(*command)
    page = attntrace(*command, "--format", "html").out
    found = [(heading.text, *marked(heading)) for heading in document.iter("h3") if "place" in heading.get("id", "")]
    encoder, decoder = [".self_attention", ".feed_forward"], [".self_attention", ".cross_attention", ".feed_forward"]
    own = [("Encoder", "encoder.input"), *((f"Encoder, layer {n}", *encoder, "encoder.layer*") for n in (1, 2)),
           ("Encoder", "encoder.output"), ("Decoder", "decoder.input"),
           *((f"Decoder, layer {n}", *decoder, "decoder.layer*") for n in (1, 2)), ("Decoder", "decoder.output"),
           ("Output", "output")]
    assert found == own * 2
    stages = {heading.get("id"): ("".join(section.find("p").itertext()).strip(), marked(heading))
              for section in document.iter("section") for heading in section.iter("h4")}
    assert len(stages) > 40
    assert all(box == [f".{place.split('.')[2]}"] for place, box in stages.values() if "layer" in place)
    outside = [box for place, box in stages.values() if "layer" not in place]
    assert outside == [list(box) for title, *box in found if "layer" not in title]
    assert sum(map(len, re.findall(r"(?s)<svg.*?</svg>", page))) < 0.1 * len(page)


def test_a_terminal_trace_has_no_picture_and_a_picture_has_no_result_alone():
    assert "┌" not in attntrace("trace", "a", "--target", "b").out
    assert attntrace("steps", "a", "--quiet", "--format", "svg").code == 2
