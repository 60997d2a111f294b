"""Two runs on one page, in a real browser: two values a cell, and a key that switches."""
import csv
from functools import cache

import pytest
from command import BLOG, attntrace
from hostile import HOSTILE
from test_explore import AXE, opened

ABLATED = ("--ablate", "encoder.layer1.self_attention.head1")
TINY = ("--d-model", "4", "--heads", "2", "--d-ff", "6")
CELLS = """() => Object.fromEntries([...document.querySelectorAll('.pairs details')].flatMap(step =>
    [...step.querySelectorAll('tbody tr')].flatMap((row, y) => [...row.cells].slice(1).map((cell, x) => [
        `${step.firstChild.textContent} ${y + 1} ${x + 1}`, [...cell.children].map(one =>
            one.textContent + (step.querySelector('caption')?.textContent ?? ""))]))))"""
OPEN_ALL = """() => document.querySelectorAll('.pairs details').forEach(step => {
    step.open = true; step.ontoggle(); })"""
SHADES = """() => [...document.querySelectorAll('.pairs tbody')].map(body => [...body.querySelectorAll('td')].map(
    td => [td.style.getPropertyValue('--sign') === 'var(--w5)', parseFloat(td.style.getPropertyValue('--part')),
           td.children[1].textContent - td.children[0].textContent]))"""


@cache
def page_of(*arguments: str) -> str:
    done = attntrace(*arguments, "--format", "html")
    assert done.code == (arguments[0] == "diff"), done.err  # which finds a difference
    return done.out


def values_of(*options: str) -> dict[str, float]:
    """The numbers of one run, as its CSV has them."""
    done = attntrace("trace", *BLOG, *options, "--format", "csv")
    return {f"{row['address']} {row['row'] or 1} {row['column'] or 1}": float(row["value"])
            for row in csv.DictReader(done.out.splitlines())}


def number(text: str) -> float:
    digits, _, power = text.partition(" × 10^")
    return float(digits) * 10.0 ** int(power or 0)


def test_each_cell_has_the_values_of_both_runs_and_a_key_and_a_button_switch_them(browser, tmp_path):
    runs = values_of(), values_of(*ABLATED)
    with opened(browser, tmp_path, page_of("compare", *BLOG, "--what-if", " ".join(ABLATED))) as page:
        folded = page.evaluate(CELLS)
        assert {name.partition(" ")[0].rpartition(".")[2] for name in folded} == {"weights"}
        page.evaluate(OPEN_ALL)
        cells = page.evaluate(CELLS)
        differ = {name.partition(" ")[0] for name in runs[0] if abs(runs[0][name] - runs[1][name]) > 1e-9}
        assert {name.partition(" ")[0] for name in cells} == differ - {"encoder.layer1.self_attention.W_O"}  # no step
        for place, texts in cells.items():
            for text, values in zip(texts, runs, strict=True):
                assert number(text) == pytest.approx(values[place], abs=0.00051)
        switched = {place: texts[::-1] for place, texts in cells.items()}
        page.keyboard.press("c")
        assert page.evaluate(CELLS) == switched
        page.locator(".pairs button").click()
        assert page.evaluate(CELLS) == cells and page.wrong == []


def test_a_step_that_is_unfolded_later_has_the_same_run_above(browser, tmp_path):
    with opened(browser, tmp_path, page_of("compare", *BLOG, "--what-if", " ".join(ABLATED))) as page:
        page.evaluate(OPEN_ALL)
        page.keyboard.press("c")
        switched = page.evaluate(CELLS)
        page.reload()
        page.keyboard.press("c")
        page.evaluate(OPEN_ALL)
        assert page.evaluate(CELLS) == switched


def test_cells_are_shaded_by_their_difference(browser, tmp_path):
    with opened(browser, tmp_path, page_of("compare", *BLOG, "--what-if", " ".join(ABLATED))) as page:
        page.evaluate(OPEN_ALL)
        tables = page.evaluate(SHADES)
    for shades in tables:
        most = max(abs(change) for *_, change in shades)
        shares = [abs(change) / (most or 1) for *_, change in shades]
        assert [part for _, part, _ in shades] == pytest.approx([60 * share for share in shares])
        assert all(is_larger == (change >= 0) for is_larger, _, change in shades)


def test_masked_scores_are_written_as_on_a_trace(browser, tmp_path):
    text = page_of("compare", "a b", *TINY, "--causal", "--what-if", "--position none")
    with opened(browser, tmp_path, text) as page:
        page.evaluate(OPEN_ALL)
        cells = page.evaluate(CELLS)
    assert cells["encoder.layer1.self_attention.head1.masked_scores 1 2"] == ["-inf", "-inf"]
    assert cells["encoder.layer1.self_attention.head1.weights 1 2"] == ["0", "0"]


def test_two_saved_runs_are_on_one_page_too_and_words_stay_words(browser, tmp_path):
    for name, options in (("a", ()), ("b", ("--seed", "1"))):
        assert attntrace("trace", HOSTILE, *TINY, *options, "--save", str(tmp_path / f"{name}.npz")).code == 0
    text = page_of("diff", str(tmp_path / "a.npz"), str(tmp_path / "b.npz"))
    with opened(browser, tmp_path, text) as page:
        assert page.locator(".pairs details[open] table").count() == 2 and page.wrong == []
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


def test_without_script_the_page_is_complete_without_it(browser, tmp_path):
    text = page_of("compare", *BLOG, "--what-if", " ".join(ABLATED))
    with opened(browser, tmp_path, text, java_script_enabled=False) as page:
        assert page.locator(".pairs").count() == 0
