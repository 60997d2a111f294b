"""The page that answers, in a real browser: every number as the program prints it, and ways to it."""
import json
import math
import random
import shlex
from functools import cache
from typing import Any, NamedTuple

import pytest
from command import BLOG, attntrace
from hostile import HOSTILE

from attntrace.pages import forms
from attntrace.pages.blocks import CellLine
from attntrace.pages.why import called, contributions
from attntrace.tensor.symbol import Spelling
from attntrace.tracing.addresses import cell_name
from attntrace.writers.arithmetic import cell_text

AXE = pytest.importorskip("axe_playwright_python.base").AXE_FILE_PATH

HEAD, TINY = "decoder.layer1.cross_attention.head1", ("--d-model", "4", "--heads", "2", "--d-ff", "6")
RUNS = {
    "trace": ("trace", *BLOG),
    "pencil": ("trace", *BLOG, "--pencil", "3"),
    "trained": ("trace", *BLOG, "--weights", "ko-en", "--only", f"{HEAD}.*", "--only", "decoder.*.cross_attention.m*"),
    "gradients": ("backprop", "a b", "c", "--d-model", "64", "--heads", "4", "--only", "loss.*", "--only",
                  "output.*", "--only", "gradient.decoder.layer1.feed_forward.[rn]*", "--only", f"gradient.{HEAD}.*"),
    "smoothed": ("backprop", "a b", "c d", *TINY, "--label-smoothing", "0.1", "--activation", "silu", "--pencil", "4",
                 "--shared-embeddings", "all", "--optimizer", "adam"),
    "other": ("backprop", "a b", "c d", *TINY, "--activation", "gelu", "--norm", "pre", "--final-norm", "--precision",
              "5", "--norm-epsilon", "outside", "--norm-variance", "sample", "--mean-weights"),
    "halves": ("backprop", "a b", "c d", *TINY, "--activation", "gelu_tanh", "--position", "halves", "--precision", "0",
               "--dtype", "float32"),
    "tensor2tensor": ("trace", "a b", *TINY, "--position", "tensor2tensor", "--causal", "--precision", "9")}
ALL = """() => {
    const said = {}, {leaves, told, wiring} = attntrace;
    for (const [address, x] of leaves) {
        let all = x.op ? [[]] : [];
        for (const axis of x.axes)
            all = all.flatMap(at => [...Array(wiring.axes[axis][1]).keys()].map(n => [...at, n]));
        for (const at of all) {
            said[address + (at.length ? ":" + at.map(n => n + 1) : "")] = told({of: x, at});
        }
    }
    return said;
}"""
LISTED = """names => names.map(name => {
    const input = document.querySelector('#explore input'), text = one => one.nodeName === 'EM' ? '' : one.textContent;
    input.value = name;
    input.form.requestSubmit();
    return [...document.querySelectorAll('#explore li')].map(li => [...li.querySelectorAll('.operand')].map(
        one => [...one.querySelector('span').childNodes].map(text).join('').trim()));
})"""


class Printed(NamedTuple):
    """A page, what the program prints of each of its numbers, and the arithmetic of one number of each kind of step."""
    page: str
    readings: dict[str, list[Any]]
    kinds: dict[str, CellLine]


@cache
def printed(*arguments: str) -> Printed:
    lines, kinds, cell_line = {}, {}, forms.cell_line

    def recorded(step, index, *others):
        name = cell_name(step.address, index)
        if name not in lines:
            lines[name] = cell_line(step, index, *others)
            kinds.setdefault((step.node.op.name, step.address.rpartition(".")[2]), []).append(name)
        return lines[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forms, "cell_line", recorded)
        done = attntrace(*arguments, "--arithmetic", "all", "--format", "html")
    assert done.code == 0, done.err
    readings = {}
    for name, line in lines.items():
        text = cell_text(line, Spelling.UNICODE)
        readings[name] = [0, text.numbers if len(text.parts) == 3 else "", *text.end.split(" ")]
    chosen = map(random.Random(0).choice, kinds.values())
    return Printed(done.out, readings, {name: lines[name] for name in chosen})


def page_and_readings(*arguments: str) -> tuple[str, dict[str, list[Any]]]:
    return printed(*arguments)[:2]


def opened(browser, tmp_path, text: str, place: str = "", **options):
    file = tmp_path / "page.html"
    file.write_text(text, "utf-8")
    page = browser.new_page(**{"viewport": {"width": 1400, "height": 900}, **options})
    page.wrong = []
    page.on("console", lambda message: page.wrong.append(message.text))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("request", lambda request: page.wrong.append(request.url) if "page.html" not in request.url else None)
    page.goto(file.as_uri() + place)
    return page


@pytest.mark.parametrize("run", RUNS)
def test_the_page_says_of_every_number_what_the_program_prints(browser, tmp_path, run):
    text, readings = page_and_readings(*RUNS[run])
    with opened(browser, tmp_path, text, bypass_csp=True) as page:
        said = page.evaluate(ALL)
        assert said.keys() == readings.keys()
        unlike = {name: (reading, said[name]) for name, reading in readings.items() if reading != said[name]}
        missing = {name for name, (_, other) in unlike.items() if other[0]}
        assert {name: both for name, both in unlike.items() if name not in missing} == {} and page.wrong == []
        assert missing == set() or "--only" in RUNS[run]


@pytest.mark.parametrize("run", [
    ("trace", "a b", "--d-model", "4", "--heads", "2", "--d-ff", "12", "--precision", "9"),
    ("backprop", "a b", "c", "--d-model", "2", "--heads", "1", "--d-ff", "2", "--optimizer", "adam", "--form", "vector",
     "--precision", "9", "--only", "encoder.*", "--only", "gradient.encoder.*", "--only", "update.encoder.*.gain.*"),
    ("backprop", "a b", "c", "--d-model", "2", "--heads", "1", "--d-ff", "2", "--optimizer", "adam", "--pencil", "4",
     "--only", "update.encoder.*")], ids=["trace", "backprop", "pencil"])
def test_the_panel_lists_the_operands_in_the_order_of_why(browser, tmp_path, run):
    text, _, kinds = printed(*run)
    with opened(browser, tmp_path, text.replace("<main", "<main hidden")) as page:  # need not be laid out
        listed = dict(zip(kinds, page.evaluate(LISTED, list(kinds)), strict=True))
        assert page.wrong == []
    unlike = {}
    for name, line in kinds.items():
        place, sizes = name.partition(":")[0].rpartition(".")[0] + ".", {}
        for ref, size in contributions(line.arithmetic, line.rounding):  # of the largest term that it stands in
            operand = cell_name(called(ref), ref.index).replace(place, "", 1)
            sizes[operand] = max(size, sizes.get(operand, 0.0))
        shown = [operand for term in listed[name] for operand in term]
        order = [sizes.pop(operand, None) for operand in dict.fromkeys(shown)]
        left_out = max(sizes.values(), default=0.0)
        # Equal sizes may stand in any order: the panel computes them from the printed numbers.
        slack = max(filter(math.isfinite, (one or 0.0 for one in order)), default=0.0) / 1e6
        if None in order or sizes and len(listed[name]) < 9 or any(
                after > one + slack for one, after in zip(order, [*order[1:], left_out])):
            unlike[name] = shown, order, sizes
    assert unlike == {} and len(kinds) > 6


def test_a_page_answers_under_its_policy_and_asks_for_nothing(browser, tmp_path):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text) as page:
        page.locator("section.result .ask").click()
        assert page.locator("#explore .at").inner_text() == "output.probabilities:7,7"
        assert page.locator("#explore .end").inner_text() == "= 0.455" and page.wrong == []
        assert "attntrace why output.probabilities:7,7" in page.locator("#explore code").inner_text()


def test_a_number_of_the_result_answers_as_well_when_it_is_pointed_at(browser, tmp_path):
    text, readings = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text) as page:
        page.locator("section.result .map tbody tr").nth(9).locator("td").nth(2).hover()
        assert page.locator("#explore .at").inner_text() == f"{HEAD[:-1]}2.weights:3,3"
        assert page.locator("#explore .end").inner_text().split() == readings[f"{HEAD[:-1]}2.weights:3,3"][2:]
        likeliest = page.locator("section.result table.plain td.r")
        for row in range(1, likeliest.count() + 1):
            likeliest.nth(row - 1).hover()
            address = page.locator("#explore .at").inner_text()
            shown = page.locator("#explore .end").inner_text().split()[1]
            place, _, column = address.rpartition(",")
            assert place == f"output.probabilities:{row}" and shown == readings[address][3]
            assert float(shown) == max(float(readings[f"{place},{n + 1}"][3]) for n in range(7)) and column
        likeliest.first.focus()
        for key in ("Enter", "1"):
            page.keyboard.press(key)
        assert page.locator("#explore .at").inner_text().startswith("output.logits:1,")
        likeliest.first.focus()
        page.keyboard.press("ArrowDown")
        assert page.locator("#explore .at").inner_text().startswith("output.probabilities:2,") and page.wrong == []


def test_the_rows_that_were_asked_for_answer_at_their_own_addresses(browser, tmp_path):
    text, _ = page_and_readings("trace", *BLOG, "--token", "I", "--token", "cafe", "--only", f"{HEAD}.*")
    with opened(browser, tmp_path, text) as page:
        for n, number in enumerate((2, 6)):
            page.locator("section.result .map tbody tr").nth(n).locator("td").nth(2).hover()
            assert page.locator("#explore .at").inner_text() == f"{HEAD}.weights:{number},3"
            assert page.locator("section.result .map tbody tr").nth(n).locator("td").nth(2).inner_text() == (
                f"{float(page.locator('#explore .end').inner_text().split()[1]):.2f}")


def test_the_command_for_a_step_of_a_translation_tells_the_same_of_a_pass_over_the_words_so_far(browser, tmp_path):
    place = "decoder.layer2.cross_attention.head1.weights:2,3"
    text = attntrace("translate", BLOG[0], "--step", "4", "--only", "*2.cross_attention.head1.[sw]*",
                     "--only", "output.probabilities", "--form", "matrix", "--format", "html").out
    with opened(browser, tmp_path, text, f"#step4.{place}") as page:
        command, end = (page.locator(f"#explore {one}").inner_text() for one in ("code", ".end"))
        assert command.startswith(f"attntrace why {place} ") and command.endswith('--target "I went to"')
        assert end in " ".join(attntrace(*shlex.split(command)[1:]).out.split())
        page.keyboard.press("Escape")
        likeliest = page.locator("td[data-at^='step4.output.probabilities:4,']").first
        likeliest.hover()
        assert page.locator("#explore .at").inner_text() == likeliest.get_attribute("data-at")
        assert page.locator("#explore .end").inner_text().split()[1] == likeliest.inner_text()


def test_an_operand_has_its_words_and_a_term_that_is_not_alone_has_a_bar(browser, tmp_path):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text, f"#{HEAD[:-6]}.normalized:2,3") as page:
        buttons = [text.split() for text in page.locator("#explore ol button").all_inner_texts()]
        found = [name.partition(":")[0] for _, name, *_ in buttons]
        assert sorted(found[:2]) == ["mean", "residual"] and found[2:] == ["variance"]  # the divisor
        assert [words for _, _, *words, _ in buttons] == [["I"]] * 3
        bars = "all => all.map(one => one.querySelectorAll('i').length)"
        assert page.locator("#explore li").evaluate_all(bars) == [1, 1, 0]
        page.evaluate(f"location.hash = '{HEAD}.scaled_scores:2,1'")
        page.locator("#explore .at", has_text="scaled").wait_for()
        (_, _, *words, _), = [text.split() for text in page.locator("#explore ol button").all_inner_texts()]
        assert words == ["I", "·", "어제"] and page.locator("#explore li i").count() == 0
        page.evaluate("location.hash = 'decoder.layer1.self_attention.head1.masked_scores:1,2'")
        page.locator("#explore .at", has_text="masked").wait_for()
        assert page.locator("#explore").inner_text().count("Computed from") == 1
        assert page.locator("#explore li i").evaluate_all("all => all.map(one => one.dataset.shade)") == ["less"] * 2
        assert page.locator("#explore li div").first.inner_text().split() == ["mask:1,2", "-inf"]  # leads nowhere


@pytest.mark.parametrize("width", [380, 1400])
def test_what_a_number_is_computed_from_stands_in_columns(browser, tmp_path, width):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text, f"#{HEAD}.output:3,2", viewport={"width": width, "height": 800}) as page:
        for part, side in (("i", "left"), (".size", "right"), ("button", "left"), ("button span", "left"),
                           ("button b", "right")):
            places = page.locator(f"#explore li {part}").evaluate_all(
                f"all => all.map(one => Math.round(one.getBoundingClientRect().{side}))")
            assert len(places) >= 3 and len({*places}) == 1, part
        assert page.locator("#explore li button").evaluate_all("""all => all.every(({children: [, words, number]}) =>
            number.getBoundingClientRect().left >= words.getBoundingClientRect().right + 5)""")


def test_an_operand_of_a_step_that_is_not_on_the_page_is_no_parameter(browser, tmp_path):
    text, _ = page_and_readings("trace", "a b", *TINY, "--only", "encoder.layer1.feed_forward.hidden")
    with opened(browser, tmp_path, text, "#encoder.layer1.feed_forward.hidden:1,1") as page:
        said = set()
        buttons = page.locator("#explore ol button")
        for n in range(buttons.count()):
            buttons.nth(n).click()
            place, text = page.locator("#explore .at").inner_text(), page.locator("#explore").inner_text()
            said.add((place.split(":")[0].split(".")[-1], "parameter of the model" in text, "does not show" in text,
                      f"attntrace why {place}" in text))
            page.keyboard.press("Backspace")
        assert said == {("norm", False, True, True), ("W_1", True, False, True), ("b_1", True, False, True)}


def test_of_a_parameter_that_is_not_on_the_page_the_number_is_told_by_its_copy(browser, tmp_path):
    text, _ = page_and_readings("trace", BLOG[0], "--weights", "ko-en", "--only", "encoder.embedding")
    with opened(browser, tmp_path, text, "#encoder.embedding:1,1") as page:
        number = page.locator("#explore .end").inner_text()
        page.keyboard.press("1")
        assert page.locator("#explore .at").inner_text().startswith("encoder.E:")
        assert "A parameter of the model" in page.locator("#explore").inner_text()
        assert page.locator("#explore .end").inner_text() == number
        assert page.locator("#explore .axis b").inner_text() == BLOG[0].split()[0]
        command = shlex.split(page.locator("#explore code").inner_text())
        assert f"is {number.split()[1]}: a parameter" in attntrace(*command[1:]).out


def test_without_its_script_a_page_is_the_page_alone(browser, tmp_path):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text, java_script_enabled=False) as page:
        assert page.locator("aside, .ask, .fold").count() == 0 and page.locator("#output\\.probabilities").count() == 1


def test_words_stay_words(browser, tmp_path):
    done = attntrace("trace", HOSTILE, *TINY, "--format", "html")
    with opened(browser, tmp_path, done.out) as page:
        page.on("dialog", lambda dialog: page.wrong.append(dialog.message))
        page.locator("section.result .ask").click()
        assert page.wrong == [] and "<script>alert(1)</script>" in page.locator("#explore code").inner_text()


def test_each_operand_leads_to_its_number_and_backspace_returns(browser, tmp_path):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text, f"#{HEAD}.scores:2,1") as page:
        assert page.locator("#explore .at").inner_text() == f"{HEAD}.scores:2,1"
        links = page.locator("#explore ol button")
        numbers = [links.nth(n).locator("b").inner_text() for n in range(links.count())]
        assert len(numbers) == 8
        for n, number in enumerate(numbers):
            links.nth(n).click()
            assert page.locator("td.current").inner_text().strip() == number
            assert page.locator("#explore .end").inner_text().split()[1] == number
            page.keyboard.press("Backspace")
            assert page.locator("#explore .at").inner_text() == f"{HEAD}.scores:2,1"


@pytest.mark.parametrize("typed", ["cross_attention.head1.scores:2,1", "cross_attention.head1.scores:I,어제"])
def test_an_address_opens_the_panel_there_in_a_link_and_in_the_box(browser, tmp_path, typed):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text, f"#{typed}") as page:
        assert page.locator("#explore .at").inner_text() == f"{HEAD}.scores:2,1"
        for key in ("Escape", "/", *"output.logits:1,2", "Enter"):
            page.keyboard.press(key)
        assert page.locator("#explore .at").inner_text() == "output.logits:1,2"
        for key in ("/", *"x", "Enter"):
            page.keyboard.press(key)
        assert page.locator("input:invalid").count() == 1
        page.locator("input").fill("output.logits:2,1")
        page.keyboard.press("Enter")
        assert page.locator("#explore .at").inner_text() == "output.logits:2,1"
        assert page.locator("#explore .trail").count() == 0  # no operand of the number before


def test_an_operand_is_followed_within_its_part_and_said_to_be_of_the_stage_that_makes_it(browser, tmp_path):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text, "#decoder.layer1.feed_forward.residual:2,3") as page:
        def stage(selector):
            title = "one => one.closest('.stage').querySelector('h4').textContent.trim()"
            return page.locator(selector).evaluate(title)

        page.locator("#explore ol button", has_text="cross_attention.norm").click()
        made = stage("[id='decoder.layer1.cross_attention.norm.matrix']")
        assert page.locator("#explore .note").first.inner_text() == made != stage("td.current")
        page.locator("#explore ol button", has_text="gain").click()
        assert stage("td.current") == made and made.startswith("2.")


def test_a_link_may_hold_any_word_and_a_damaged_one_does_nothing(browser, tmp_path):
    text, _ = page_and_readings("trace", "% & + =", *TINY)
    with opened(browser, tmp_path, text) as page:
        for link, row in {"%25": 1, "%": 1, "&": 2, "%26": 2, "+": 3, "=": 4, "%E0%A4%A": 4}.items():
            page.evaluate(f"location.hash = 'encoder.input:{link},1'")
            page.wait_for_timeout(20)
            assert (link, page.locator("#explore .at").inner_text()) == (link, f"encoder.input:{row},1")
        assert page.wrong == []


def test_of_a_transpose_a_column_is_outlined_beside_the_number(browser, tmp_path):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text, f"#{HEAD}.scores:2,1", bypass_csp=True) as page:
        page.locator(f"table.matrix[data-address='{HEAD}.scores']").first.locator("tbody tr").nth(1).locator(
            "td").first.click()
        outlined = "table[data-transposed] td.operand"
        assert page.evaluate(f"[...document.querySelectorAll('{outlined}')].map(one => one.cellIndex)") == [0] * 4


def test_from_the_largest_operand_to_the_largest_one_comes_to_an_end(browser, tmp_path):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text) as page:
        page.locator("section.result .ask").click()
        for _ in range(60):
            before = page.locator("#explore .at").inner_text()
            page.keyboard.press("1")
            if page.locator("#explore .at").inner_text() == before:
                break
        page.locator("#explore .trail").evaluate("one => { one.style.maxHeight = '2rem'; }")
        assert page.locator("#explore .trail").evaluate("""one => one.scrollHeight > one.clientHeight + 9
            && one.firstChild.getBoundingClientRect().bottom <= one.getBoundingClientRect().bottom + 1""")
        name = before.rpartition(":")[0].rpartition(".")[2]
        assert name in "E W W_Q W_K W_V W_O W_1 W_2 b_1 b_2 gain bias positional_encoding".split()


def test_a_page_where_nothing_has_the_focus_scrolls_and_the_right_arrow_leads_to_the_number_to_begin_with(
        browser, tmp_path):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text) as page:
        def after(key):
            page.keyboard.press(key)
            page.wait_for_timeout(100)
            at = page.locator("#explore .at")
            return page.evaluate("[document.activeElement.tagName, scrollY]") + [at.count() and at.inner_text()]

        tag, scrolled, at = after("ArrowDown")
        assert tag == "BODY" and scrolled > 0 and at == 0
        assert after("ArrowRight")[::2] == ["TD", "output.probabilities:7,7"]
        assert after("ArrowLeft")[::2] == ["TD", "output.probabilities:7,6"]
        assert after("Escape")[::2] == ["BODY", "output.probabilities:7,6"]
        assert after("ArrowLeft")[::2] == ["TD", "output.probabilities:7,6"]
        assert after("Escape")[0] == "TD"  # it is no longer kept
        here = page.locator("nav [aria-current]")
        assert here.inner_text().startswith("2.") and here.evaluate("one => one.getBoundingClientRect().top") > 0
        page.evaluate("scrollTo(0, 0)")
        here.wait_for(state="detached")  # beside the result


def test_every_number_is_shaded_by_its_share_of_the_largest_of_its_tensor(browser, tmp_path):
    text = attntrace("trace", *BLOG, "--only", "encoder.layer1.self_attention.*", "--format", "html").out
    with opened(browser, tmp_path, text, bypass_csp=True, viewport={"width": 1400, "height": 15_000}) as page:
        page.locator("#explore footer button").first.click()
        page.wait_for_selector("tr[data-row] td[data-shade]")
        page.wait_for_selector("table.matrix[data-address] td[data-shade]")
        shaded = page.evaluate("""() => [...document.querySelectorAll("main td[data-shade]:not(:empty)")].map(td =>
            [td.closest("[data-address]").dataset.address, !td.closest("tr[data-row]"), td.textContent,
             td.dataset.shade, td.style.getPropertyValue("--part")])""")
    largest: dict[str, float] = {}
    for address, _, number, *_ in shaded:
        largest[address] = max(largest.get(address, 0.0), abs(float(number)))
    for address, _, number, sign, part in shaded:
        assert sign == ("less" if float(number) < 0 else "")
        assert abs(float(part.rstrip("%")) - 36 * abs(float(number)) / (largest[address] or 1)) <= 0.5 + 1e-9
    assert len({address for address, is_matrix, *_ in shaded if is_matrix}) > 15
    assert len({address for address, is_matrix, *_ in shaded if not is_matrix}) > 15


def test_keys_alone_reach_the_next_number_in_each_direction_and_the_next_matrix(browser, tmp_path):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text, f"#{HEAD}.scores:2,1") as page:
        for key, place in (("ArrowRight", "scores:2,2"), ("ArrowDown", "scores:3,2"), ("ArrowLeft", "scores:3,1"),
                           ("ArrowUp", "scores:2,1"), ("Shift+ArrowRight", "scores:2,1")):
            page.keyboard.press(key)
            assert page.locator("#explore .at").inner_text() == f"{HEAD}.{place}"
        for _ in range(9):
            page.keyboard.press("ArrowDown")
        assert page.locator("#explore .at").inner_text() == f"{HEAD}.scores:4,1"  # as an operand of the next step
        page.evaluate("location.hash = 'decoder.layer1.feed_forward.hidden:3,1'")
        for _ in range(20):  # into the next block of columns
            page.keyboard.press("ArrowRight")
        assert page.locator("#explore .at").inner_text().rpartition(":")[2].startswith("3,")


@pytest.mark.parametrize("width", [380, 1000, 1400])
@pytest.mark.parametrize("language, form", [("ko", "matrix"), ("en", "vector")])
def test_on_each_screen_a_number_is_seen_beside_the_panel_without_a_barrier(browser, tmp_path, width, language, form):
    text = attntrace("trace", *BLOG, "--only", f"{HEAD}.*", "--lang", language, "--form", form, "--format", "html").out
    with opened(browser, tmp_path, text, bypass_csp=True, viewport={"width": width, "height": 760},
                reduced_motion="reduce") as page:
        page.locator("section.result .ask").click()
        edge = page.locator("#explore footer").bounding_box()["y"]
        assert page.locator("#explore li").first.bounding_box()["y"] + 20 < edge  # an operand, below the result
        page.keyboard.press("1")
        page.keyboard.press("h")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("""() => {
            const {left, top, width, height} = document.querySelector('td.current').getBoundingClientRect();
            return document.elementFromPoint(left + width / 2, top + height / 2).className.includes('current');
        }""")
        page.evaluate(AXE.read_text("utf-8"))
        for scheme, rules in (("light", ""), ("dark", "runOnly: ['color-contrast'], ")):  # what the scheme changes
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate(f"axe.run({{{rules}resultTypes: ['violations']}})")["violations"]
            assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found] == []


def test_layers_fold_and_a_box_of_the_picture_leads_to_its_place(browser, tmp_path):
    text, _ = page_and_readings(*RUNS["trace"])
    with opened(browser, tmp_path, text) as page:
        place = page.locator("[id='place.decoder.layer1.cross_attention.head1']").first
        page.locator("h3 .fold").nth(4).click()
        assert not place.locator("h4").is_visible()
        page.locator("#architecture [data-places='decoder.layer1.cross_attention']").first.press("Enter")
        place.locator("h4").wait_for(timeout=5_000)  # until the next frame


def test_pointing_takes_less_than_a_frame_on_a_large_page(browser, tmp_path):
    text, readings = page_and_readings(*RUNS["gradients"])
    with opened(browser, tmp_path, text, bypass_csp=True) as page:
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})  # whatever else this machine does
        page.evaluate("""() => {
            const all = document.querySelectorAll('main [data-address] td');
            all[all.length >> 1].scrollIntoView({block: 'center'});
            window.cells = [...all[all.length >> 1].closest('table').querySelectorAll('td')].slice(0, 40);
        }""")
        page.wait_for_timeout(500)
        times: dict[int, float] = {}
        for n in [*range(page.evaluate("cells.length"))] * 3:  # the quickest of three: others are delayed
            before = metric(session, "TaskDuration")
            page.evaluate(f"""() => {{
                cells[{n}].dispatchEvent(new PointerEvent('pointerover', {{bubbles: true, pointerType: 'mouse'}}));
                document.getElementById('explore').offsetHeight, cells[{n}].getBoundingClientRect();
            }}""")
            times[n] = min(times.get(n, 1.0), metric(session, "TaskDuration") - before)
        page.locator("[data-address='output.logits'] tbody td").first.hover()
        page.wait_for_timeout(200)  # until the pointer rests
        _, numbers, *_ = readings["output.logits:1,1"]
        assert page.locator("#explore .numbers").inner_text() == f"= {numbers}" and len(numbers) > 400
    assert sorted(times.values())[int(0.95 * len(times))] < 0.016, json.dumps(times)


def metric(session, name: str) -> float:
    return next(one["value"] for one in session.send("Performance.getMetrics")["metrics"] if one["name"] == name)
