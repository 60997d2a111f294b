"""Two runs on one page, in a real browser: two values a cell, and a key that switches."""
import csv
from functools import cache

import pytest
from command import BLOG, attntrace
from hostile import HOSTILE
from test_explore import AXE, opened

ABLATED = ("--ablate", "encoder.layer1.self_attention.head1")
TINY = ("--d-model", "4", "--heads", "2", "--d-ff", "6")
CELLS = """() => Object.fromEntries([...document.querySelectorAll('.pairs table')].flatMap(table =>
    [...table.tBodies[0].rows].flatMap(row => [...row.cells].slice(1).map((cell, n) => [
        [table.caption, row.cells[0], table.tHead.rows[0].cells[n + 1]].map(one => one.textContent).join(' '),
        [...cell.children].map(one => one.textContent)]))))"""
SHADES = """() => [...document.querySelectorAll('.pairs tbody td')].map(td => [
    td.style.getPropertyValue('--sign') === 'var(--w5)', parseFloat(td.style.getPropertyValue('--part')),
    td.children[1].textContent - td.children[0].textContent])"""


@cache
def page_of(*arguments: str) -> str:
    done = attntrace(*arguments, "--format", "html")
    assert done.code == (arguments[0] == "diff"), done.err  # which finds a difference
    return done.out


def weights_of(*options: str) -> dict[str, str]:
    """The weights of cross-attention of one run, as its CSV has them."""
    done = attntrace("trace", *BLOG, *options, "--only", "decoder.*.cross_attention.*weights", "--format", "csv")
    return {f"{row['address']} {row['row_label']} {row['column_label']}": f"{float(row['value']):.3f}"
            for row in csv.DictReader(done.out.splitlines())}


def test_each_cell_has_the_weights_of_both_runs_and_a_key_and_a_button_switch_them(browser, tmp_path):
    first, second = weights_of(), weights_of(*ABLATED)
    with opened(browser, tmp_path, page_of("compare", *BLOG, "--what-if", " ".join(ABLATED))) as page:
        assert page.evaluate(CELLS) == {place: [first[place], second[place]] for place in first}
        page.keyboard.press("c")
        assert page.evaluate(CELLS) == {place: [second[place], first[place]] for place in first}
        page.locator(".pairs button").click()
        assert page.evaluate(CELLS) == {place: [first[place], second[place]] for place in first} and page.wrong == []


def test_cells_are_shaded_by_their_difference(browser, tmp_path):
    with opened(browser, tmp_path, page_of("compare", *BLOG, "--what-if", " ".join(ABLATED))) as page:
        shades = page.evaluate(SHADES)
    most = max(abs(change) for *_, change in shades)
    assert [part for _, part, _ in shades] == pytest.approx([60 * abs(change) / most for *_, change in shades])
    assert all(is_larger == (change >= 0) for is_larger, _, change in shades)


def test_two_saved_runs_are_on_one_page_too_and_words_stay_words(browser, tmp_path):
    for name, options in (("a", ()), ("b", ("--seed", "1"))):
        assert attntrace("trace", HOSTILE, *TINY, *options, "--save", str(tmp_path / f"{name}.npz")).code == 0
    text = page_of("diff", str(tmp_path / "a.npz"), str(tmp_path / "b.npz"))
    with opened(browser, tmp_path, text) as page:
        assert page.locator(".pairs table").count() == 2 and page.wrong == []
        words = "".join(page.locator(".pairs thead").first.locator("th").all_inner_texts())
        assert "<script>alert(1)</script>" in words and "\x1b" not in words


@pytest.mark.parametrize("width, scheme, language", [(380, "light", "ko"), (1400, "dark", "both")])
def test_on_every_screen_two_runs_are_without_a_barrier(browser, tmp_path, width, scheme, language):
    text = page_of("compare", *BLOG, "--what-if", " ".join(ABLATED), "--lang", language)
    with opened(browser, tmp_path, text, bypass_csp=True, viewport={"width": width, "height": 720},
                color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run('main', {resultTypes: ['violations']})")["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found] == []


def test_it_is_a_small_part_of_the_page_which_without_script_is_the_page_alone(browser, tmp_path):
    text = page_of("compare", *BLOG, "--what-if", " ".join(ABLATED))
    assert len(text.rpartition("</nav>\n")[2].encode()) <= 0.08 * len(text.encode())
    with opened(browser, tmp_path, text, java_script_enabled=False) as page:
        assert page.locator(".pairs").count() == 0
