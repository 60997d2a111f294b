"""By hand: with --pencil, a printed equation, redone by its rule, gives every printed digit."""
import json
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from by_hand import by_hand, equations
from command import attntrace, refusal
from parsing import Unreadable

from attntrace import trace
from attntrace.messages.errors import Problem
from attntrace.model.config import Config
from attntrace.pages.checks import rows_of
from attntrace.pages.forms import FORMS
from attntrace.pages.numbers import Figures
from attntrace.pages.overview import drift_note
from attntrace.pages.view import View
from attntrace.runs.prepare import prepare
from attntrace.runs.run import Drift
from attntrace.runs.training_step import prepare_training_step
from attntrace.tensor.expression import (Call, Difference, Exp, Negative, Number, Power, Product, Quotient, Root,
                                         Square, Sum)
from attntrace.tensor.hand_arithmetic import HandArithmetic
from attntrace.tensor.rounding import FULL_PRECISION

SMALL = "--d-ff", "2", "--width", "400", "--arithmetic", "all"
TINY = "--d-model", "2", "--heads", "1"
PAGES = {
    "whole_model": (2, "trace", "a cat", "--target", "un chat", "--d-model", "4"),
    "one_decimal": (1, "trace", "a cat", "--norm", "pre", "--final-norm", "--seed", "3"),
    "nine_decimals": (9, "trace", "a cat"),
    "integers": (2, "trace", "cat sleeps", "--init", "integers"),
    **{word: (3, "backprop", "a", "un", "--d-model", "4", "--heads", "1", "--activation", word)
       for word in ("gelu", "gelu_tanh", "silu")},
    "backprop": (3, "backprop", "a", "un", "--d-model", "4", "--heads", "1"),
    "adam": (2, "backprop", "a", "un", "--optimizer", "adam", "--label-smoothing", "0.1", *TINY)}
AXIS_NAMES = r"max|positive|sin|cos|log|tanh|erf|e\^|e[-+]\d+|inf"  # that no symbol has

n = Number
INFINITY = math.inf
WORKED = [  # arithmetic, decimals, what a hand gets: ties most of all, which each other way of rounding gets wrong
    (Product(n(0.5), n(0.005)), 3, 0.003), (Product(n(-0.5), n(0.005)), 3, -0.003), (Product(n(0.35), n(0.3)), 2, 0.11),
    (Product(n(0.5), n(0.009)), 3, 0.005), (Product(n(0.05), n(3)), 1, 0.2),
    (Sum(n(0.004), n(0.004), n(0.004)), 2, 0.01), (Sum(n(0.1), n(0.2), n(0.005)), 2, 0.31),
    (Sum(Product(n(0.06), n(0.1)), Product(n(0.06), n(0.1))), 2, 0.02),
    (Difference(n(1), n(0.995)), 2, 0.01), (Difference(n(0.004), n(0.004)), 2, 0), (Square(n(0.05)), 3, 0.003),
    (Quotient(n(1), n(8)), 2, 0.13), (Quotient(n(-1), n(8)), 2, -0.13), (Quotient(n(0.5), n(0)), 3, 500),
    (Quotient(n(2), Sum(n(0), n(1e-9))), 1, 20), (Root(n(0.000225)), 2, 0.02), (Root(n(2)), 4, 1.4142),
    (Exp(n(-0.5)), 3, 0.607), (Exp(n(-INFINITY)), 3, 0), (Sum(n(0.25), n(-INFINITY)), 1, -INFINITY),
    (Power(n(10000), Quotient(n(1), n(8))), 1, 2.5), (Power(n(10000), n(0.25)), 3, 10),
    (Power(n(2.5), n(0.5)), 3, 1.581), (Negative(n(0.0005)), 3, -0.0005),
    (Call("max", n(0), n(0.0005)), 3, 0.0005), (Call("max", n(-INFINITY), n(-2)), 3, -2),
    (Call("positive", n(0.1)), 3, 1), (Call("log", n(0.5)), 3, -0.693), (Call("log", n(0)), 2, -4.61),
    (Call("tanh", n(0.5)), 3, 0.462), (Call("erf", n(-1)), 4, -0.8427),
    (Call("sin", n(1)), 2, 0.84), (Call("cos", n(3)), 3, -0.990)]


@pytest.mark.parametrize("arithmetic, decimals, hand", WORKED)
def test_each_operation_is_rounded_as_a_hand_rounds(arithmetic, decimals, hand):
    assert float(arithmetic.result(HandArithmetic(decimals))) == hand


@pytest.mark.parametrize("decimals, words", [
    pytest.param(words[0], words[1:], marks=pytest.mark.thorough if name in ("gelu", "silu") else [])
    for name, words in PAGES.items()], ids=list(PAGES))
def test_every_printed_equation_holds_to_its_last_digit(decimals, words):
    """A reader of its own, with its own arithmetic, redoes a whole page; what it skips are copies (W_E[3,1])."""
    code, page, errors = attntrace(*words, "--pencil", str(decimals), "--form", "vector", *SMALL)
    assert (code, errors) == (0, "") and not re.search("≈|✗|to 12 digits", page)
    redone = 0
    for worked, result in equations(page):
        try:
            found = by_hand(worked, decimals)
        except Unreadable:
            assert re.search(r"[^\W\d]", re.sub(AXIS_NAMES, "", worked)), worked  # there is a symbol in it
            continue
        assert found == (-math.inf if result == "-inf" else Fraction(result)), f"{worked} = {result}"
        redone += 1
    assert redone > 150


def test_numbers_on_the_page_have_all_the_decimals_and_no_powers():
    page = attntrace("trace", "a cat", "--pencil", "6").out
    page = re.sub(r"^\d\.\d+  ", "", page[page.index("Part 1"):page.index("The largest deviation")], flags=re.M)
    assert {len(found) for found in re.findall(r"(?<=\d\.)\d+(?:e\S+)?", page)} == {6}
    assert attntrace("trace", "a cat", "--pencil", "6", "--precision", "6").out.count("\n") > 100


def test_a_number_that_is_exact_is_written_with_all_its_digits():
    for number, text in ((0.001, "0.001"), (12345678.5, "12345678.500"), (-1e9, "-1000000000"), (0.0, "0")):
        assert Figures.of(np.array([number]), 3, exact=True).text(number) == text


RUNS = [prepare("a cat", "un chat", pencil=2), prepare_training_step("a cat", "un", pencil=2, config=Config(d_model=4))]


@pytest.mark.parametrize("run", RUNS, ids=["trace", "backprop"])
@pytest.mark.parametrize("form", FORMS)
def test_all_that_is_drawn_has_no_more_decimals_than_are_written(run, form):
    def arrays(block):
        for part in block if isinstance(block, (tuple, dict)) else ():
            part = block[part] if isinstance(block, dict) else part
            yield from [part] if isinstance(part, np.ndarray) else arrays(part)

    def tell(blocks):
        for block in blocks:
            for drawn in arrays(block):
                assert np.array_equal(drawn, np.round(drawn, 2)), block

    shown = FORMS[form](View(precision=2, exact=True), tell, set())
    run(shown)
    shown.close()
    assert shown.region and not shown.failed


@pytest.mark.parametrize("run", RUNS, ids=["trace", "backprop"])
def test_rows_computed_from_rows_are_those_of_the_matrix_to_the_last_digit(run):
    def look(step):
        rows = np.stack([row.value for row in rows_of(step)])
        assert np.array_equal(rows.reshape(step.value.shape), step.value), step.address
        assert step.rounding.decimals == 2 and not np.signbit(step.value[step.value == 0]).any()

    run(look)


@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_what_must_be_true_is_said_with_its_drift(form):
    words = "a cat on a mat in the house", "--target", "un", *TINY
    code, page, _ = attntrace("trace", *words, "--pencil", "1", "--form", form)
    assert code == 0 and "digits" not in page and "✗" not in page
    assert re.search(r"^\d\.\d  .* ✓", page, re.M) and "row by row, and are the same." in " ".join(page.split())
    assert re.search(r"✓ rows of A sum to 1 to within 0\.\d\n", page)


def test_the_drift_is_measured_from_full_precision_on_the_same_parameters():
    run = prepare("a cat", "un chat", pencil=2)
    assert all(np.array_equal(tensor.value, np.round(tensor.value, 2)) for tensor in run.parameters)
    hand, full = {}, {}
    run(lambda step: hand.update({step.address: step.value}))
    run._replace(pencil=None)(lambda step: full.update({step.address: step.value}))
    with np.errstate(invalid="ignore"):
        apart = {address: np.nan_to_num(np.abs(value - full[address])) for address, value in hand.items()}
    address = max(apart, key=lambda address: apart[address].max())
    i, j = (n + 1 for n in np.unravel_index(apart[address].argmax(), apart[address].shape))
    page = attntrace("trace", "a cat", "--target", "un chat", "--pencil", "2", "--form", "matrix").out
    assert (f"The largest deviation from full precision is {apart[address].max():.5f}: {address}:{i},{j} is "
            f"{hand[address][i - 1, j - 1]:.2f} instead of {full[address][i - 1, j - 1]:.5f}."
            in " ".join(page.split()))


def test_where_nothing_drifts_that_is_said():
    (prose,) = drift_note(RUNS[0], Drift(RUNS[0]))
    assert prose.text.render("en").strip() == "No number deviates from full precision."


@pytest.mark.parametrize("words", [("trace", "a cat"), ("backprop", "a", "un", "--only", "loss.mean"), ("map", "a cat"),
                                   ("steps", "a cat")])
def test_every_page_says_the_rule_and_the_drift(words):
    page = " ".join(attntrace(*words, *TINY, "--pencil", "4").out.split())
    assert "is rounded to a multiple of 0.0001, half away from zero" in page and "replaced by 0.0001" in page
    assert "The largest deviation from full precision is 0." in page
    assert "deviation" not in attntrace(*words, *TINY).out


def test_json_lines_say_how_many_decimals_and_hold_no_more():
    header, *records, footer = map(json.loads, attntrace("trace", "a cat", "--pencil", "3", "--format",
                                                         "jsonl").out.splitlines())
    assert header["pencil"] == 3 and footer["drift"]["largest"] > 0
    assert all(float(number) == round(float(number), 3) for record in records
               for number in np.ravel(record["value"]))
    assert "pencil" not in json.loads(attntrace("trace", "a", "--format", "jsonl").out.split("\n")[0])


def test_a_notebook_can_take_the_pencil():
    steps = trace("a cat", pencil=2, d_model=4)
    assert steps["encoder.output"].step.rounding.decimals == 2
    assert np.array_equal(steps["encoder.output"].value, np.round(steps["encoder.output"].value, 2))
    assert trace("a cat")["encoder.output"].step.rounding is FULL_PRECISION


def test_parameters_are_rounded_first_half_away_from_zero(tmp_path):
    model = json.loads(open("samples/pencil.json", encoding="utf-8").read())
    name = "encoder.layer1.feed_forward.b_1"
    model["parameters"][name] = [0.125, -0.125, *model["parameters"][name][2:]]
    (tmp_path / "model.json").write_text(json.dumps(model))
    run = prepare("cat sleeps", weights=tmp_path / "model.json", pencil=2)
    assert run.parameters[name].value[:2].tolist() == [0.13, -0.13]


@pytest.mark.parametrize("words, part", [
    (("trace", "a", "--pencil", "3", "--precision", "4"), "--precision 4 contradicts --pencil 3"),
    (("trace", "a", "--pencil", "3", "--dtype", "float32"), "--pencil needs float64"),
    (("backprop", "a", "b", "--pencil", "3", "--check"), "cannot be used with --pencil"),
    (("trace", "a", "--pencil", "10"), "from 1 to 9"), (("trace", "a", "--pencil", "0"), "from 1 to 9")])
def test_options_that_cannot_go_with_pencil_are_refused(words, part):
    assert part in refusal(*words)


def test_a_number_too_large_to_be_exact_is_said():
    for scale in ("1e-9", "1e-300"):
        code, _, errors = attntrace("trace", "a", "--pencil", "9", "--score-scale", scale)
        assert code == 2 and "head1.scaled_scores are too large to be exact with 9 decimals" in errors


def test_a_step_by_hand_that_is_much_too_long_is_said_to_be():
    code, page, _ = attntrace("backprop", "a", "un", "--pencil", "9", "--lr", "1e5", "--only", "loss.mean")
    assert code == 0 and "it is no longer a number: the step was far too large" in " ".join(page.split())


def test_a_number_of_decimals_that_is_none_is_said_to_a_notebook():
    for wrong in (0, 10):
        with pytest.raises(Problem, match="whole number from 1 to 9"):
            prepare("a", pencil=wrong)
    with pytest.raises(Problem, match="float64"):
        prepare("a", config=Config(dtype="float32"), pencil=2)
