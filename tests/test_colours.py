"""Colours: blue is for weights, the larger the further from the ground; a word has one hue, the source another family
than the target; everything can be read."""
import colorsys
import math
import re
from functools import cache
from importlib.resources import files
from itertools import combinations, pairwise
from typing import NamedTuple

import pytest
from command import BLOG, attntrace, process
from pages import contrast, lightness

from attntrace.pages.blocks import FAMILY
from attntrace.writers.svg import HUES, INKS, SHADES
from attntrace.writers.text.writer import DARK, LIGHT, Theme

STYLE = files("attntrace.writers.html").joinpath("page.css").read_text("utf-8")
HUE = re.compile(r"\x1b\[38;5;(\d+)m *(?:\d\.\d+ )?([\w<>]+)(?: \d\.\d+)? *\x1b\[0m")


class Palette(NamedTuple):
    """What weights are painted with, from the smallest on, and the ink on each; the colours of words, and of links."""
    ground: str
    shades: list[str]
    inks: list[str]
    source: list[str]
    target: list[str]
    link: str = ""


def of_256(n: int) -> str:
    """A colour of the table that terminals have: a cube of 6 × 6 × 6 colours, and greys."""
    steps = (0, 95, 135, 175, 215, 255)
    n -= 16
    parts = (steps[n // 36], steps[n // 6 % 6], steps[n % 6]) if n < 216 else (8 + 10 * (n - 216),) * 3
    return "#%02x%02x%02x" % parts


def of_terminal(theme: Theme, ground: str) -> Palette:
    hues = list(map(of_256, theme.hues))
    shades, inks = (list(map(of_256, those)) for those in (theme.shades, theme.inks))
    return Palette(ground, shades, inks, hues[:FAMILY], hues[FAMILY:])


def of_html(style: str) -> Palette:
    named = dict(re.findall(r"--([\w-]+): (#\w{6})", style))
    ink_of = dict(re.findall(r"[.](w\d) { background-color: var\(--w\d\); color: var\(--([\w-]+)\)", STYLE))
    return Palette(named["page"], [named[f"w{n}"] for n in range(1, 9)],
                   [named[ink_of.get(f"w{n}", "ink")] for n in range(1, 9)], [named[f"t{n}"] for n in range(FAMILY)],
                   [named[f"t{n}"] for n in range(FAMILY, 2 * FAMILY)], named["link"])


PALETTES = {
    "terminal, dark": of_terminal(DARK, "#000000"), "terminal, light": of_terminal(LIGHT, "#ffffff"),
    "html, light": of_html(STYLE.partition("@media")[0]),
    "html, dark": of_html(STYLE.partition("@media")[2].partition("* {")[0]),
    "svg": Palette("#ffffff", list(SHADES[1:]), list(INKS[1:]), list(HUES[:FAMILY]), list(HUES[FAMILY:]))}


def degrees(colour: str) -> float:
    return 360 * colorsys.rgb_to_hsv(*(int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5)))[0]


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_lightness_moves_away_from_the_ground_with_every_step_of_the_weight(palette):
    from_ground = [abs(lightness(shade) - lightness(palette.ground)) for shade in palette.shades]
    assert all(less < more for less, more in pairwise([0, *from_ground]))
    way = {lightness(more) > lightness(less) for less, more in pairwise(palette.shades)}
    assert way == {palette.ground != "#ffffff"}  # up on a dark ground, down on a light one


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_a_number_can_be_read_on_its_shade_and_a_large_weight_is_seen(palette):
    for shade, ink in zip(palette.shades, palette.inks, strict=True):
        assert contrast(shade, ink) >= 4.5, shade
    strong = palette.shades[len(palette.shades) // 2:]
    assert all(contrast(shade, palette.ground) >= 3 for shade in strong)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_words_can_be_read_in_hues_of_two_families_and_blue_is_left_to_weights(palette):
    words = palette.source + palette.target
    assert FAMILY >= 6 and len(set(words)) == 2 * FAMILY == len(words) and palette.link not in words
    assert all(contrast(word, palette.ground) >= 4.5 for word in words)
    assert all(40 <= degrees(word) <= 190 for word in palette.source)  # from brown to teal
    assert all(degrees(word) < 40 or degrees(word) > 250 for word in palette.target)  # from violet to orange
    painted = [shade for shade in palette.shades if max(shade[1:3], shade[5:]) != min(shade[1:3], shade[5:])]
    assert len(painted) >= 5 and all(195 <= degrees(shade) <= 245 for shade in painted)


def oklab(colour: str) -> tuple[float, ...]:
    """A colour where distance is difference to the eye (Ottosson 2020)."""
    r, g, b = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055)**2.4
               for one in (int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5)))
    long, medium, short = (sum(x * y for x, y in zip(row, (r, g, b)))**(1 / 3) for row in (
        (0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005)))
    return (0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
            1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
            0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_words_of_a_sentence_differ_to_the_eye_most_those_that_follow_each_other(palette):
    """In the 256 colours of a terminal only five greens are dark enough for paper: so the least is small."""
    for hues in (palette.source, palette.target):
        assert min(math.dist(oklab(a), oklab(b)) for a, b in combinations(hues, 2)) > 0.065
        assert min(math.dist(oklab(a), oklab(b)) for a, b in zip(hues, hues[1:] + hues[:1])) > 0.1
    assert min(math.dist(oklab(a), oklab(b)) for a in palette.source for b in palette.target) > 0.07


def test_the_colours_of_a_picture_are_those_of_a_page():
    page, picture = PALETTES["html, light"], PALETTES["svg"]
    assert (picture.shades, picture.source, picture.target) == (page.shades, page.source, page.target)


def test_with_sixteen_colours_a_larger_weight_is_lighter_too():
    """As VGA has them: black, blue, cyan, bright cyan."""
    ground = {"40": "#000000", "44": "#0000aa", "46": "#00aaaa", "106": "#55ffff"}
    assert [lightness(colour) for colour in ground.values()] == sorted(map(lightness, ground.values()))
    page = process("map", "어제 카페 갔었어", "--color", "always", TERM="xterm").out
    levels = sorted((float(number), list(ground).index(code)) for code, text
                    in re.findall(r"\x1b\[\d+;(\d+)m([^\x1b]*)", page) for number in text.split())
    assert len(levels) > 5 and {level for _, level in levels} >= {0, 3}


@cache
def hues_on(*command: str, **variables: str) -> dict[str, set[int]]:
    page = process(*command, "--color", "always", TERM="xterm-256color", **variables).out
    hues: dict[str, set[int]] = {}
    for hue, word in HUE.findall(page):
        hues.setdefault(word, set()).add(int(hue))
    return hues


@pytest.mark.parametrize("variables, theme", [({}, DARK), ({"COLORFGBG": "0;15"}, LIGHT)], ids=["dark", "light"])
@pytest.mark.parametrize("command", [("trace", "--form", "vector"), ("trace", "--form", "matrix"), ("map",)])
def test_a_word_has_one_hue_on_every_page_and_target_words_have_hues_of_their_own(command, variables, theme):
    """Also the second time that it stands in a sentence, and above the second part of the columns of a long row."""
    source, target = "a b c d e a b f g h a b c d e f g h i j", "k l m k l n o p k"
    seen = hues_on(command[0], source, "--target", target, *command[1:], "--only", "head1.weights", "--width", "60",
                   **variables)
    for sentence, hues in ((source, theme.hues[:FAMILY]), ("<s> " + target, theme.hues[FAMILY:])):
        for n, word in enumerate(dict.fromkeys(sentence.split())):
            assert seen[word] == {hues[n % FAMILY]}, word


@pytest.mark.parametrize("command", [("trace", "-q"), ("map",)])
def test_every_word_of_a_map_has_a_hue_also_where_the_source_is_longer(command):
    seen = hues_on(command[0], "the dog saw a ball", "--target", "one ball", *command[1:])
    assert {"the", "dog", "saw", "a", "ball", "<s>", "one"} <= seen.keys()
    assert all(len(hues) == 1 for word, hues in seen.items() if word != "ball") and len(seen["ball"]) == 2


FEW = "--only", "encoder.layer1.self_attention.mean"
TRAINED = *BLOG, "--weights", "ko-en"
PREDICTING = {  # pages with the likeliest next words, and how often each word of the translation stands in colour there
    "trace": (("trace", *TRAINED, *FEW), 2), "translate": (("translate", BLOG[0]), 2),
    "compare": (("compare", *TRAINED, "--ablate", "decoder.layer1.cross_attention.head1"), 3),
    "long": (("trace", "어제 카페 갔었어 " * 5, *TRAINED[1:], *FEW), 1)}


@pytest.mark.parametrize("name", PREDICTING)
def test_a_word_that_is_predicted_or_looked_at_has_the_hue_that_it_has_as_a_word_of_the_sentence(name):
    command, least = PREDICTING[name]
    page = process(*command, "--color", "always", TERM="xterm-256color").out
    found = HUE.findall(page)
    for sentence, hues in ((BLOG[0], DARK.hues[:FAMILY]), (f"<s> {BLOG[2]}", DARK.hues[FAMILY:])):
        for n, word in enumerate(sentence.split()):
            seen = [int(hue) for hue, one in found if one == word]
            assert set(seen) == {hues[n % FAMILY]} and (word == "<s>" or len(seen) >= least), word
    markup = attntrace(*command, "--format", "html").out
    for first, sentence in ((0, BLOG[0]), (FAMILY + 1, BLOG[2])):  # behind <s>
        for n, word in enumerate(sentence.split()):
            classes = re.findall(rf'class="?(?:r )?t(\d+)"?[^<]*>(?:<bdi>)?(?:[\d.]+ )?{word}(?: [\d.]+)?<', markup)
            assert set(classes) == {str(FAMILY * (first > 0) + (first + n) % FAMILY)} and len(classes) >= least, word


def test_what_the_mask_hides_is_a_dot_without_a_shade_and_a_small_weight_a_number_with_one():
    page = process("map", *BLOG, "--color", "always", TERM="xterm-256color").out
    plain = re.sub("(yesterday|cafe) ·", r"\1", attntrace("map", *BLOG).out)  # without the gloss of the example
    assert plain.count("·") == attntrace("map", *BLOG, "--format", "svg").out.count(">·<") > 3
    assert not re.search(r"48;5;\d+m[^\x1b]*·", page)
    assert re.search(rf"48;5;{DARK.shades[0]}m +0\.\d\d", page)
    ascii_page = attntrace("map", *BLOG, "--ascii", "--only", "decoder.layer1.self_attention.*").out
    assert len(re.findall(r"(?<=\s)[.](?=\s)", ascii_page)) == plain.count("·")
