"""What a page holds to answer where its numbers come from: small, without a number twice, and with every op."""
import json
import re
from functools import cache
from typing import Any

import pytest
from command import BLOG, attntrace
from hostile import HOSTILE

from attntrace.tensor.tensor import OPS
from attntrace.writers.html import scripts
from attntrace.writers.html.explore import SLOTS
from attntrace.writers.html.scripts import PRIVATE, SCRIPTS, resource, script, style

RUNS = {"trace": ("trace", *BLOG), "pencil": ("trace", *BLOG, "--pencil", "3"),
        "backprop": ("backprop", "a b", "c", "--only", "gradient.*head1*")}
OF_BATCHES = {"apart", "together"}  # which no page shows


@cache
def page(*arguments: str) -> str:
    done = attntrace(*arguments, "--format", "html")
    assert done.code == 0, done.err
    return done.out


def wiring(text: str) -> Any:
    return json.loads(re.search(r"<script type=\"application/json\" id=wiring>(.*?)</script>", text)[1])


def test_every_op_has_its_arithmetic_in_the_script_or_is_the_same_for_every_number():
    defined = re.search(r"^const OPS = \{\n(.*?)^\};", resource("explore.js"), re.M | re.S)[1]
    alike = {name for name, op in OPS.items() if hasattr(op, "expression")}
    assert {*re.findall(r"^  (\w+)[(:]", defined, re.M)} - {"add", "return"} == {*OPS} - alike - OF_BATCHES


@pytest.mark.parametrize("names", SCRIPTS)
def test_the_scripts_and_the_styles_of_a_page_stay_small(names):
    assert len(script(*names)) <= 24 * 1024 and len(style(*names)) <= 4 * 1024
    assert script(*names).isascii() and style(*names).isascii()


def test_names_in_a_script_are_short_unless_they_are_properties_as_well(monkeypatch):
    monkeypatch.setattr(scripts, "resource", lambda name: """// A comment
const total = 0.5, other = {held: total, short}, {taken} = other;
const told = `${total} total ${"total" + `${told}`}`, pattern = /[/"]total/;
function added(first, [second]) {
  for (const [one] of first) other.held += one - first.total / second;  // another
  return first.taken ? {...total} : {[told]: added(taken),};
}
""")
    assert script.__wrapped__("any") == (
        '(()=>{let b=0.5,c={held:b,short},{taken}=c,d=`${b} total ${"total"+`${d}`}`,g=/[/"]total/;'
        "function e(a,[second]){for(let[f]of a)c.held+=f-a.total/second;return a.taken?{...b}:{[d]:e(taken)}}})();")


@pytest.mark.parametrize("run", RUNS)
def test_the_wiring_is_small_and_has_a_node_for_every_step_that_is_shown(run):
    text = page(*RUNS[run])
    data, place, steps, parameters = wiring(text), "", set(), set()
    for entry in data["entries"]:
        if isinstance(entry, str):
            place = f"{entry}."
        else:
            (steps if entry[1][0] else parameters).add(place + entry[0])
    shown = {*re.findall(r'<t[^>]* data-address="([^"]+)"', text)}
    assert steps <= shown <= steps | parameters
    assert len(json.dumps(data["entries"])) <= 250 * len(steps)
    assert {*PRIVATE}.isdisjoint({*data, *data["words"], *SLOTS})  # which keep their names


def test_what_makes_a_page_answer_is_a_small_part_of_it():
    text = page(*RUNS["trace"]).encode()
    assert len(text.rpartition(b"</nav>\n")[2]) <= 0.08 * len(text)


def test_words_end_no_data_and_pages_without_steps_have_none():
    text = page("trace", HOSTILE, "--d-model", "2", "--heads", "1", "--d-ff", "2", "--only", "head1.scores")
    assert "<script>alert" not in text and wiring(text)["command"].count("<script>alert(1)</script>") == 1
    assert "id=wiring" not in page("explain", "softmax") and "id=wiring" not in page("steps", "a b")
