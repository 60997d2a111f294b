"""A run, a step and a tensor in a notebook, and as Python prints them."""
import re
from functools import cache

import html5lib
import numpy as np
import pytest

import attntrace
from attntrace.tensor.tensor import Tensor

SCORES = "encoder.layer1.self_attention.head1.scores"


@cache
def steps():
    return attntrace.trace("어제 카페", "<b>I", d_model=4, heads=2, d_ff=4)


@cache
def pieces() -> dict[str, str]:
    return {"run": steps()._repr_html_(), "step": steps()[SCORES]._repr_html_(),
            "tensor": steps()[SCORES].step.tensor._repr_html_(), "again": steps()[SCORES]._repr_html_()}


def test_a_run_a_step_and_a_tensor_are_printed_in_a_line_that_says_what_they_are():
    step = steps()[SCORES].step
    assert repr(step) == f"<{SCORES}: token 2 × key 2, S = Q Kᵀ>"
    assert repr(step.tensor) == f"<{SCORES}: token 2 × key 2>"
    assert repr(steps()[SCORES]).startswith(f"{step!r}\narray([[")
    assert repr(steps()) == f"<TracedRun of '어제 카페', '< b > I': {len(steps())} steps>"


def test_a_step_and_a_tensor_show_their_numbers():
    for name in ("step", "tensor"):
        page = html5lib.parseFragment(pieces()[name], namespaceHTMLElements=False)
        *_, table = (table for table in page.iter("table") if table.get("class") == "matrix")
        numbers = [[float(cell.text) for cell in row.iter("td")] for row in table.find("tbody")]
        assert np.allclose(numbers, steps()[SCORES].value, atol=5e-4), name


def test_a_run_shows_each_attention_and_the_address_of_every_step():
    page = pieces()["run"]
    assert page.count("data-address") >= 6  # two heads of three attentions
    maps, listed = page.replace("<wbr>", "").split("<details><summary>Steps</summary>")
    assert all(address in listed for address in steps()) and maps.count("class=\"equation map\"") == 3
    assert "&lt;" in page and "<b>I" not in page


def test_a_translation_shows_the_attention_of_its_last_step_alone():
    page = attntrace.translate("어제", max_length=2)._repr_html_().partition("<details>")[0]
    assert set(re.findall(r'data-address="(?:encoder|(step\d))', page)) == {"", "step2"}


def test_the_weights_of_a_step_are_shaded_as_on_a_page():
    weights, scores = (steps()[SCORES.replace("scores", name)]._repr_html_() for name in ("weights", "scores"))
    assert len(re.findall(r"<td class=w[1-8]>", weights)) == 4 and "<td class=w" not in scores


def test_pieces_on_one_page_share_no_anchor_and_style_nothing_else():
    anchors = [anchor for piece in pieces().values() for anchor in re.findall(r' id="([^"]*)"', piece)]
    assert anchors and len(anchors) == len({*anchors})
    for piece in (*pieces().values(), steps().why(SCORES, 1, 1)._repr_html_()):
        assert {link for link in re.findall('href="#([^"]*)"', piece)} <= {*anchors}
        style, = re.findall("(?s)<style>(.*?)</style>", piece)
        assert re.fullmatch(r"(?s)\.attntrace \{\n.*\}", style) and style.count("{") == style.count("}")
        assert not re.search(r"(?m)^ *(:root|html|body|@import)", style) and "<script" not in piece


@pytest.mark.parametrize("value", [np.eye(2)])
def test_a_tensor_without_a_name_has_no_piece(value):
    axes = steps()[SCORES].axes
    assert Tensor(value, axes)._repr_html_() is None
