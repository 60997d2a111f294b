"""The player of a translation's page, in a real browser: each step with lines as thick as its weights."""
from functools import cache

import pytest
from command import attntrace
from test_explore import AXE, opened

from attntrace.writers.html.enhanced import player

SENTENCE, WORDS = "어제 카페 갔었어", ["I", "went", "to", "the", "cafe", "yesterday", "</s>"]
SHOWN = """() => ({
    lines: [...document.querySelectorAll('.player path')].map(line => parseFloat(line.style.strokeWidth)),
    ends: [...document.querySelectorAll('.player path')].map(line => line.getAttribute('d').split('L')[1]),
    words: [...document.querySelectorAll('.player .words + .words span')].filter(
        word => getComputedStyle(word).visibility === 'visible').map(word => word.textContent),
    said: document.querySelector('.player output').value})"""
LAST_LAYER = """n => [...document.querySelectorAll('.map')].at(-1).querySelectorAll('tbody').values().map(
    body => [...body.rows[n].querySelectorAll('td')].map(td => Number(td.textContent))).toArray()"""


@cache
def page_of(*arguments: str) -> str:
    done = attntrace("translate", SENTENCE, "--weights", "ko-en", *arguments, "--format", "html")
    assert done.code == 0, done.err
    return done.out


def test_in_each_step_lines_from_the_new_word_are_as_thick_as_its_weights_in_the_last_layer(browser, tmp_path):
    with opened(browser, tmp_path, page_of()) as page:
        page.locator(".player input").focus()
        for n in range(len(WORDS)):
            heads, shown = page.evaluate(LAST_LAYER, n), page.evaluate(SHOWN)
            assert len(heads) == 4 and len({*shown["ends"]}) == 1
            assert shown["words"] == WORDS[:n + 1] and f" {n + 1}: {WORDS[n]}: 어제" in shown["said"]
            means = [sum(column) / 4 for column in zip(*heads)]
            assert shown["lines"] == pytest.approx([16 * mean for mean in means], abs=0.01)
            page.keyboard.press("ArrowRight")
        page.locator(".player select").select_option(index=2)
        assert page.evaluate(SHOWN)["lines"] == pytest.approx([16 * weight for weight in heads[1]]) and page.wrong == []


def test_it_plays_to_the_last_step_and_again_and_stops_when_asked(browser, tmp_path):
    with opened(browser, tmp_path, page_of()) as page:
        page.clock.install()
        page.reload()
        play = page.locator(".player button")
        for times, words, name in ((2, 3, "Pause"), (9, 7, "Play")):
            if play.inner_text() == "Play":
                play.click()
            page.clock.run_for(1500 * times)
            assert len(page.evaluate(SHOWN)["words"]) == words and play.inner_text() == name
        play.click()
        play.click()
        page.clock.run_for(9000)
        assert page.evaluate(SHOWN)["words"] == ["I"] and play.inner_text() == "Play"


@pytest.mark.parametrize("motion, duration", [("reduce", "0s"), ("no-preference", "0.5s")])
def test_lines_move_only_for_who_wants_motion_and_nothing_is_a_barrier(browser, tmp_path, motion, duration):
    with opened(browser, tmp_path, page_of("--lang", "ko"), bypass_csp=True, reduced_motion=motion,
                viewport={"width": 380, "height": 720}, color_scheme="dark") as page:
        assert page.evaluate("getComputedStyle(document.querySelector('.player path')).transitionDuration") == duration
        assert page.evaluate("document.documentElement.scrollWidth") <= 380
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run('.player', {resultTypes: ['violations']})")["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found] == []


def test_the_player_is_a_small_part_of_the_page_which_without_script_is_the_page_alone(browser, tmp_path):
    assert len(player(("en",)).encode()) <= 0.08 * len(page_of().encode())
    with opened(browser, tmp_path, page_of(), java_script_enabled=False) as page:
        assert page.locator(".player").count() == 0 and page.locator("[data-step]").count() == 7
