"""Present mode of an HTML page, in a real browser: one equation a screen, large, its result hidden until asked for."""
import re
from collections import Counter
from functools import cache
from itertools import count

import pytest
from command import attntrace
from test_explore import AXE, opened

THREE, SCREEN = "어제 카페 갔었어", {"width": 1280, "height": 720}
SHEET = """() => {
    const sheet = document.querySelector('.sheet'), {scrollWidth, clientWidth, scrollHeight, clientHeight} = sheet;
    const sizes = [...sheet.querySelectorAll('td')].map(td => parseFloat(getComputedStyle(td).fontSize));
    return {place: document.querySelector('#present .at').textContent, smallest: Math.min(...sizes),
            fits: scrollWidth <= clientWidth && scrollHeight <= clientHeight,
            result: [...sheet.querySelectorAll('.result tbody td')].map(td => td.textContent.trim())};
}"""
RESULTS = """() => Object.fromEntries([...document.querySelectorAll('main .step')].map(step => {
    let next = step, last;
    while ((next = next.nextElementSibling) && !next.matches('.step')) if (next.matches('.equation')) last = next;
    const table = [...last.querySelectorAll('table')].at(-1);
    return [table.dataset.address, [...table.querySelectorAll('tbody td')].map(td => td.textContent.trim())];
}))"""


def heard(page) -> set[str]:
    """The names in the accessibility tree, as Chromium has it."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return {str(node["name"]["value"]).strip() for node in nodes if not node["ignored"] and "name" in node}


@cache
def page_of(*arguments: str) -> str:
    return attntrace(*arguments, "--format", "html").out


def test_every_equation_of_three_words_fits_on_a_screen_in_large_digits_and_hides_its_result(browser, tmp_path):
    with opened(browser, tmp_path, page_of("trace", THREE), viewport=SCREEN) as page:
        results = page.evaluate(RESULTS)
        page.keyboard.press("f")
        seen, before = {}, None
        for _ in count():
            shown = page.evaluate(SHEET)
            if shown == before:
                break
            assert shown["fits"] and shown["smallest"] >= 24, shown["place"]
            before = shown
            if shown["result"]:
                assert {*shown["result"]} == {"?"}
                page.keyboard.press("Space")
                before = page.evaluate(SHEET)
                assert before["fits"] and before["smallest"] == shown["smallest"]
                seen[shown["place"].split()[0]] = Counter(before["result"])
            page.keyboard.press("ArrowRight")
    assert seen == {address: Counter(numbers) for address, numbers in results.items()}
    assert len(seen) == 34 and page.wrong == []


def test_of_a_matrix_that_is_too_large_the_part_around_the_number_is_shown_in_large_digits(browser, tmp_path):
    text = page_of("trace", THREE, "--d-model", "64", "--heads", "4", "--only", "encoder.layer1.self_attention.head1.*",
                   "--only", "encoder.layer1.feed_forward.output")
    with opened(browser, tmp_path, text, "#head1.query:2,9", viewport=SCREEN) as page:
        page.keyboard.press("f")
        captions, before = [], None
        while (shown := page.evaluate(SHEET)) != before:
            assert shown["fits"] and shown["smallest"] >= 24, shown["place"]
            captions += page.locator(".sheet caption").all_inner_texts()
            before = shown
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Escape")
        page.evaluate("location.hash = 'feed_forward.output:2,60'")
        page.locator("#explore .at", has_text="60").wait_for()
        for key in ("f", "ArrowRight", "ArrowRight"):
            page.keyboard.press(key)
        cut = page.locator(".sheet table.result")  # of a block of columns
        rows, columns = re.findall(r"(\d+)\u2013(\d+)", cut.locator("caption").inner_text())
        place = cut.locator("td.current").evaluate("td => [...td.parentNode.querySelectorAll('td')].indexOf(td)")
        assert rows == ("1", "3") and int(columns[0]) + place == 60
        assert int(columns[0]) + cut.locator("tbody tr").first.locator("td").count() - 1 == int(columns[1])
    (top, bottom, first, last), *_ = (map(int, re.findall(r"(\d+)\u2013(\d+), (\d+)\u2013(\d+)", text)[0])
                                      for text in captions if "64×16" in text)  # of W_Q: around the ninth column
    assert top == 1 and bottom < 64 and 1 < first < last < 16 and page.wrong == []
    assert abs((first + last) / 2 - 9) <= 0.5


def test_operands_and_result_have_the_columns_around_the_number_to_which_leaving_returns(browser, tmp_path):
    text = page_of("trace", "a", "--target", " ".join(f"w{n}" for n in range(40)), "--d-model", "4", "--heads", "2",
                   "--only", "output.*", "--form", "matrix")
    with opened(browser, tmp_path, text, viewport=SCREEN) as page:
        places = [td.get_attribute("data-at") for td in page.locator("td[data-at]").all()]
        place, column = next((place, n) for place in places if (n := int(place.rpartition(",")[2])) > 20)
        page.locator(f"td[data-at='{place}']").click()
        page.keyboard.press("f")
        captions = page.locator(".sheet caption").all_inner_texts()
        page.keyboard.press("ArrowRight")  # operands that have no room beside the result come first
        captions += page.locator(".sheet caption").all_inner_texts()
        shown, *others = [caption.rpartition(", ")[2] for caption in captions]
        first, last = map(int, re.findall(r"\d+", shown))
        assert others == [shown] and first <= column <= last
        assert page.locator("#present button").nth(2).is_disabled()  # on the last screen
        page.keyboard.press("Escape")
        page.locator("main .matrix td.current:focus").wait_for()
        top, bottom = page.locator("main td.current").evaluate(
            "td => [td.getBoundingClientRect().top, td.getBoundingClientRect().bottom]")
        assert place == page.locator("#explore .at").inner_text() and 0 <= top < bottom <= SCREEN["height"]


def test_hidden_numbers_are_nowhere_until_they_are_asked_for(browser, tmp_path):
    with opened(browser, tmp_path, page_of("trace", THREE), "#head1.scores:1,1", viewport=SCREEN) as page:
        page.keyboard.press("h")
        page.locator("td.current[style]").wait_for()  # its shade tells how large it is
        page.keyboard.press("f")  # where the number is
        assert "head1.scores" in page.locator("#present .at").inner_text()
        shades = page.locator(".sheet .result tbody td[style*=part]")
        assert "-11.082" not in heard(page) and "어제" in heard(page) and shades.count() == 0
        page.keyboard.press("Space")
        assert "-11.082" in heard(page) and shades.count() == 9
        page.keyboard.press("Space")
        assert "scaled_scores" in page.locator("#present .at").inner_text()
        page.keyboard.press("ArrowLeft")
        assert "-11.082" not in heard(page)
        page.keyboard.press("Escape")
        assert not page.locator("#present").is_visible() and "-11.082" in heard(page)


@pytest.mark.parametrize("width, scheme, language", [(380, "light", "ko"), (1280, "dark", "en")])
def test_on_every_screen_the_buttons_do_what_the_keys_do_without_a_barrier(browser, tmp_path, width, scheme, language):
    text = page_of("trace", THREE, "--form", "vector", "--lang", language)
    with opened(browser, tmp_path, text, bypass_csp=True, viewport={"width": width, "height": 720},
                color_scheme=scheme) as page:
        page.locator("#explore footer button").last.dispatch_event("click")
        _, tell, forward, leave = page.locator("#present button").all()
        forward.click()
        assert page.locator("#present .at").inner_text().endswith(" 2 / 102")
        shown = page.locator(".sheet .equation")
        assert "?" in shown.inner_text() and not re.search(r"\d\.\d", shown.inner_text())
        tell.click()
        assert "?" not in shown.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= width and page.evaluate(SHEET)["fits"]
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run('#present', {resultTypes: ['violations']})")["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found] == []
        leave.click()
        assert not page.locator("#present").is_visible()
