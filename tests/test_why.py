"""Where a number comes from, as it is printed: the printed arithmetic gives the number."""
import io
import random
import re
from collections import Counter

import numpy as np
import pytest
from by_hand import ByHand
from command import attntrace, refusal
from pages import without_commands
from parsing import NUMBER, Sums, rounded_like

from attntrace import trace
from attntrace.messages.catalog import Message
from attntrace.pages.blocks import Cause
from attntrace.pages.why import Why, called, ranked
from attntrace.runs.prepare import prepare
from attntrace.runs.training_step import prepare_training_step
from attntrace.tensor.rounding import FULL_PRECISION
from attntrace.tracing.addresses import cell_name
from attntrace.writers.page import Look
from attntrace.writers.text.writer import TerminalWriter, cells_of

PAIR = "어제 카페 갔었어", "I went to the cafe yesterday"
WIDE = TerminalWriter(io.StringIO(), Look(10_000))


def evaluated(text: str) -> float:
    return Sums(text).whole()


def slack(text: str) -> float:
    """How far the value of what is printed may be from the truth: each number may be off by half of its last digit."""
    value, total = evaluated(text), 0.0
    for found in NUMBER.finditer(text):
        digits, _, power = found[0].partition("e")
        if "." not in digits:
            continue  # whole numbers are exact
        half = 0.5 * 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
        moved = [text[:found.start()] + f"({float(found[0]) + sign * half!r})" + text[found.end():] for sign in (1, -1)]
        total += max(abs(evaluated(plain(one)) - value) for one in moved)
    return total


def plain(text: str) -> str:
    """A power of ten in full, as the reader has numbers."""
    return re.sub(r"\((\d+\.?\d*(?:e-?\d+)?)\)", lambda found: f"({float(found[1]):.20f})", text)


def printed(cause: Cause) -> tuple[str, str, str]:
    """The arithmetic, the sign and the result of a number, as they are printed."""
    assert cause.cell is not None
    (line,) = [line.strip() for line in WIDE.lines([cause._replace(operands=())])][1:]
    before, sign, result = re.fullmatch(r"(.*) ([=≈]) (\S+)", line).groups()
    return before.split(" = ")[-1], sign, result


@pytest.fixture(scope="module")
def steps():
    found: dict = {}
    prepare_training_step(*PAIR, seed=3)(lambda step: found.__setitem__(step.address, step))
    return found


def cells(steps, count, seed):
    """So many numbers, of as many steps as there are."""
    chance = random.Random(seed)
    names = chance.sample(sorted(steps), min(count, len(steps)))
    names += chance.choices(sorted(steps), k=count - len(names))
    return [(name, tuple(chance.randrange(size) for size in steps[name].value.shape)) for name in names]


@pytest.mark.parametrize("precision", [3, 6])
def test_the_arithmetic_of_any_number_gives_it_as_it_is_printed(steps, precision):
    signs = []
    for address, index in cells(steps, 250, precision):
        (cause,) = Why(steps.get, precision)(address, index)
        arithmetic, sign, result = printed(cause)
        signs.append(sign)
        if not re.search(r"\d", arithmetic) or "[" in arithmetic or arithmetic[-1:] in "ᵢ₀₁₂₃₄₅₆₇₈₉":
            assert sign == "="  # one number that is another: x₁[2] = 0.123
            continue
        if sign == "=":
            assert rounded_like(result, evaluated(arithmetic)) == float(result), (address, index)
        else:
            missed = abs(evaluated(arithmetic) - float(steps[address].value[index]))
            assert missed <= 1.5 * slack(arithmetic), (address, index)
    assert {"=", "≈"} == set(signs)


def test_by_hand_every_number_is_what_its_arithmetic_gives_by_the_rule():
    found: dict = {}
    prepare_training_step("a cat", "un chat", seed=2, pencil=3)(lambda step: found.__setitem__(step.address, step))
    redone = 0
    for address, index in cells(found, 250, 4):
        (cause,) = Why(found.get, 3)(address, index)
        arithmetic, sign, result = printed(cause)
        assert sign == "=", (address, index)
        if re.match(r"[-(\d√e]|max|sin|cos|positive|log", arithmetic) and "[" not in arithmetic:
            assert ByHand(arithmetic, 3).whole() == ByHand(result, 3).whole(), (address, index)
            redone += 1
    assert redone > 150


@pytest.fixture(scope="module")
def tree():
    out = attntrace("why", "output.probabilities:1,cafe", "--depth", "all").out
    return out.splitlines()


def test_a_probability_ends_only_in_embeddings_positions_and_parameters(tree):
    ends = re.findall(r"[\w.]+:[\d\-,]+\d|[\w.]+:\d+", " ".join(part for line in endings(tree) for part in line))
    kinds = {end.split(":")[0] for end in ends}
    parameters = {name for name in kinds if "." in name}
    assert kinds - parameters == {"pos", "mask"}
    assert parameters and all(re.search(r"\.(E|W|W_[QKVO12]|b_[12]|gain|bias)$", name) for name in parameters)
    assert {"encoder.E", "decoder.E", "output.W"} <= parameters


def endings(tree):
    """What follows `ends at`, until the next line of another kind."""
    found, inside = [], False
    for line in tree:
        text = line.strip()
        if text.startswith("ends at "):
            found.append([text.removeprefix("ends at ")])
            inside = True
        elif inside and re.fullmatch(r"[\w.]+:[\d\-,]+.*", text) and "=" not in text:
            found[-1].append(text)
        else:
            inside = False
    return found


def test_each_number_is_explained_once_and_referred_to_afterwards(tree):
    page = "\n".join(tree)
    places = re.findall(r"^ ?\d+ +([\w.]+:[\d,]+)", page, re.M)
    referred = re.findall(r"^ ?\d+ +([\w.]+:[\d,]+)\s+explained above$", page, re.M)
    explained = list((Counter(places) - Counter(referred)).elements())
    assert max(map(cells_of, tree)) <= 100
    assert len(explained) == len(set(explained)) > 500
    assert set(referred) <= set(explained)


def test_a_number_is_shown_with_the_words_of_its_row_and_column():
    tree = attntrace("why", "output.probabilities:1,cafe", *PAIR[:1], "--target", PAIR[1], "--depth", "all").out
    words = dict(re.findall(r"^ *\d+ +([\w.]+:[\d,]+)   (.+)$", tree, re.M))
    assert words["output.probabilities:1,7"] == "<s>, cafe"
    assert words["decoder.layer1.cross_attention.head1.weights:1,3"] == "<s>, 갔었어"
    assert words["encoder.input:2,4"] == "카페"


def test_every_number_that_it_depends_on_is_explained(tree):
    steps = {step.address: step for step in trace(*PAIR).steps}
    explained = {line.split()[1] for line in tree if re.match(r" ?\d+ +[\w.]+:[\d,]+", line)}
    wanted, waiting = set(), [("output.probabilities", (0, 6))]
    while waiting:
        cell = waiting.pop()
        if cell in wanted or cell[0] not in steps:
            continue
        wanted.add(cell)
        waiting += [(ref.tensor.address, ref.index) for ref in steps[cell[0]].node.cell(cell[1]).leaves()]
    assert explained == {f"{name}:{','.join(str(i + 1) for i in index)}" for name, index in wanted}


def test_the_largest_contributions_come_first():
    steps = {step.address: step for step in trace(*PAIR).steps}
    out = attntrace("why", "encoder.layer1.feed_forward.output:2,3", "--depth", "1", "--top", "4").out
    followed = [int(cell) for cell in re.findall(r"^ 1 +encoder.layer1.feed_forward.activation:2,(\d+)\b", out, re.M)]
    W = prepare(*PAIR).parameters["encoder.layer1.feed_forward.W_2"].value
    terms = np.abs(steps["encoder.layer1.feed_forward.activation"].value[1] * W[:, 2])
    assert followed == [int(n) + 1 for n in np.argsort(-terms, kind="stable")[:4]]
    assert out.count("the largest contribution first.") == 1 and "left out by --top, because" in out


def test_of_a_normalized_number_the_terms_of_the_difference_come_first_and_the_divisor_last():
    place = "encoder.layer1.self_attention"
    steps = {step.address.rpartition(".")[2]: step.value for step in trace(*PAIR).steps
             if step.address.startswith(f"{place}.")}
    for row in range(3):
        out = attntrace("why", f"{place}.normalized:{row + 1},1", PAIR[0]).out
        found = re.findall(rf"{re.escape(place)}\.(residual|mean|variance):", out.partition("comes from")[2])
        terms = {"residual": abs(steps["residual"][row, 0]), "mean": abs(steps["mean"][row])}
        assert found == [*sorted(terms, key=lambda name: -terms[name]), "variance"]


@pytest.mark.parametrize("weights, result, operand, row, column", [
    ("ko-en", "output.probabilities", "output.logits", 4, 145),
    ("ko-en", "output.probabilities", "output.logits", 4, 7),
    (None, *(f"decoder.layer1.self_attention.head1.{name}" for name in ("weights", "masked_scores")), 1, 0)])
def test_of_a_softmax_its_own_score_comes_first_and_the_others_by_share(weights, result, operand, row, column):
    steps = {step.address: step.value for step in trace("어제 카페 갔었어", "I went to the", weights=weights).steps}
    others = [n for n in np.argsort(-steps[operand][row], kind="stable").tolist() if n != column]
    out = attntrace("why", f"{result}:{row + 1},{column + 1}", "어제 카페 갔었어", "--target", "I went to the",
                    *("--weights", weights) * bool(weights), "--depth", "1", "--top", "5").out
    followed = re.findall(rf"^ 1 +{re.escape(operand)}:{row + 1},(\d+)", out, re.M)
    assert [int(n) - 1 for n in followed] == [column, *others][:5]


def test_what_adam_divides_comes_before_the_divisor():
    out = attntrace("why", "update.output.W.new:1,1", *PAIR[:1], "--target", PAIR[1], "--optimizer", "adam").out
    names = re.findall(r"update\.output\.W\.(old|m_hat|v_hat)", out.partition("comes from")[2])
    assert names == ["old", "m_hat", "v_hat"]


def test_a_saved_run_says_the_same(tmp_path):
    file = str(tmp_path / "run.npz")
    small = "--d-model", "2", "--heads", "1", "--d-ff", "2"
    attntrace("backprop", "a cat", "un", *small, "--only", "loss.mean", "--save", file)
    for place in ("gradient.encoder.E:a,2", "loss.mean", "encoder.layer1.self_attention.head1.weights:2,1"):
        live = attntrace("why", place, "a cat", "--target", "un", *small, "--depth", "2")
        saved = attntrace("why", "--from", file, place, "--depth", "2")
        tree, again = (without_commands(page[page.index(" 0  "):]) for page in (live.out, saved.out))
        assert (live.code, saved.code) == (0, 0) and tree == again


@pytest.mark.parametrize("place, words", [
    ("encoder.imput:1,1", "encoder.input"), ("head1.scores:1,1", "matches 3 tensors: encoder."),
    ("encoder.input:4,1", "no token 4; give a number from 1 to 3"), ("encoder.input:1,0", "from 1 to 8"),
    ("output.probabilities:1,caffe", "cafe"), ("encoder.input:1", "needs 2 (token 1-3,d_model 1-8)"),
    ("encoder.input", "needs 2 ("), ("encoder.input:1,x", "no words on its d_model axis"),
    ("encoder.input:,", "not a valid address"),
    ("gradient.encoder.W:1,1", "gradient.encoder"), (":1,1", "not a valid address"),
    ("encoder.input:", "not a valid address"),
    ("encoder.input:1,", "not a valid address"), ("encoder.input:1,2,3", "not a valid address")])
def test_an_unknown_address_is_refused_with_the_nearest_ones(place, words):
    assert words in refusal("why", place)


def test_a_word_that_occurs_twice_is_answered_with_its_numbers():
    assert "its position: 1 or 3" in refusal("why", "encoder.input:a,1", "a b a")
    assert attntrace("why", "encoder.input:3,1", "a b a").code == 0


def test_a_parameter_is_called_a_parameter():
    out = attntrace("why", "encoder.E:어제,1").out
    said = Message("messages.why_parameter", place="encoder.E:3,1", number="-0.285")
    assert said.render("en").strip() == out.splitlines()[2].strip()


def test_no_tree_is_too_deep():
    """Whatever the depth, its arithmetic has room; far deeper than Python's own stack would let it be."""
    out = attntrace("why", "encoder.output:1,1", "cat", "--layers", "104", "--d-model", "2", "--heads", "1",
                    "--d-ff", "1", "--depth", "all", "--top", "1", "--width", "60").out
    levels = [int(found) for found in re.findall(r"^ *(\d+) +encoder", out, re.M)]
    assert max(levels) > 900 and all(cells_of(line) <= 60 or " = " not in line for line in out.splitlines())


def test_where_it_stops_it_says_how_to_go_on():
    out = attntrace("why", "gradient.output.W:1,cafe").out
    assert "comes from decoder.output:1-7,1, gradient.output.logits:1-7,7 (to go further: --depth)" in out
    assert "above" not in out
    deeper = attntrace("why", "encoder.layer1.self_attention.head1.scaled_scores:1,2", "--depth", "2").out
    assert deeper.count("comes from encoder.input:") == 8 and "above" not in deeper


@pytest.mark.parametrize("given, suggested", [
    ((), "--depth 3 --top 1"), (("--depth", "2"), "--depth all --top 1"),
    (("--depth", "3", "--top", "1"), "--depth all"),
    (("--depth", "all", "--top", "1"), None), (("--depth", "99"), None)])
def test_what_is_tried_next_shows_more_than_was_just_shown(given, suggested):
    out = attntrace("why", "output.logits:1,1", "a", "--target", "", *given, "--width", "999").out
    tries = out.partition("Try next")[2]
    assert (suggested in tries) if suggested else " why " not in tries


@pytest.mark.parametrize("head", ["encoder.layer1.self_attention.head1", "decoder.layer1.cross_attention.head2"])
def test_an_operand_that_stands_twice_contributes_what_the_result_loses_without_it(steps, head):
    shares, gradient = (steps[f"{start}{head}.weights"].value for start in ("", "gradient."))
    for (i, j), whole in np.ndenumerate(steps[f"gradient.{head}.scaled_scores"].value):
        lost = {}
        for k in range(shares.shape[1]):
            for n, start in enumerate(("", "gradient.")):
                p, g = both = shares[i].copy(), gradient[i].copy()
                both[n][k] = 0
                lost[f"{start}{head}.weights:{i + 1},{k + 1}"] = abs(whole - p[j] * (g[j] - g @ p))
        order = [cell_name(called(ref), ref.index)
                 for ref in ranked(steps[f"gradient.{head}.scaled_scores"].node.cell((i, j)), FULL_PRECISION)]
        assert {*order} == {*lost} and all(lost[one] >= lost[after] - 1e-12 for one, after in zip(order, order[1:]))


def test_why_softmax_subtracts_the_largest_exponent_is_said_once():
    out = attntrace("why", "output.probabilities:1,1", *PAIR[:1], "--target", "I", "--depth", "all").out
    assert out.count("e^(") > 10 and " ".join(out.split()).count("e^x cannot overflow") == 1
    assert "overflow" not in attntrace("why", "output.logits:1,1", "a", "--target", "").out


@pytest.mark.parametrize("number, other", [("encoder.E:3,1", "0"), ("encoder.layer1.feed_forward.bias:1", "1")])
def test_what_is_tried_with_a_parameter_changes_it(number, other):
    assert f" --set {number}={other}\n" in attntrace("why", number, "a", "--width", "999").out
    edited = attntrace("why", number, "a", "--ablate", "head2", "--width", "999").out
    assert f' --what-if "--set {number}={other}"\n' in edited


def test_by_hand_a_difference_too_small_for_the_decimals_counts_as_the_rounded_one():
    """0.0110 / (√0 + 1e-09) by hand: divided by the last decimal, 0.0001, and not by 1e-09."""
    said = attntrace("why", "update.encoder.layer1.feed_forward.W_2.new:1,2", "a b", "--target", "c d", "--d-model",
                     "4", "--heads", "2", "--d-ff", "6", "--label-smoothing", "0.1", "--activation", "silu", "--pencil",
                     "4", "--shared-embeddings", "all", "--optimizer", "adam").out
    assert "= -0.3984 - 0.001·(-0.0110 / (√0 + 1e-09)) = -0.2884" in said  # 0.3984 and 0.11
    assert re.search(r"comes from update\.\S+\.(\w+):1,2", said)[1] == "old"
