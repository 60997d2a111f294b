"""The independent checker: it agrees with every run, finds every change, and shares nothing with what it checks."""
import ast
import math
import random
import re
import sys
import tomllib
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from command import ROOT, Screen, attntrace, refusal
from examples import EXAMPLES, Leaves
from recompute import log_of

from attntrace.cli import progress
from attntrace.cli.commands.verify import recorded
from attntrace.model.config import Config
from attntrace.ops.functions import Relu
from attntrace.runs.prepare import prepare
from attntrace.runs.run import header
from attntrace.runs.training_step import prepare_training_step
from attntrace.tensor.axes import Axis
from attntrace.tensor.evaluate import evaluate as evaluated_by_hand
from attntrace.tensor.evaluate import rounding_of
from attntrace.tensor.tensor import Tensor
from attntrace.verify.arithmetic import Bounded, Doubles, HandArithmetic
from attntrace.verify.invariants import KINDS, findings, fingerprint
from attntrace.verify.ops import Array, evaluate, map_lists
from attntrace.verify.recompute import Log, Recomputation, leaves

HOME = ROOT / "attntrace" / "verify"
CHECKER = ("recompute", "invariants", "ops", "arithmetic")
EXAMPLE = ("어제 카페 갔었어", "--target", "I went to the cafe yesterday")


def test_the_checker_imports_the_standard_library_and_itself_alone():
    for name in CHECKER:
        for node in ast.walk(ast.parse((HOME / f"{name}.py").read_text("utf-8"))):
            modules = ([node.module] if isinstance(node, ast.ImportFrom) else
                       [alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
            for module in modules:
                first, _, rest = module.partition(".")
                assert first in sys.stdlib_module_names or (
                    first == "attntrace" and rest.removeprefix("verify.") in CHECKER), name


# ---------------------------------------------------------------- the second table of ops

@pytest.mark.parametrize("by, digits", [(Doubles(), 1e-14), (Bounded(), 1e-14), (HandArithmetic(16), 1e-13)],
                         ids=["doubles", "bounded", "pencil"])
def test_both_definitions_of_an_op_give_the_same_numbers_in_each_arithmetic(by, digits):
    for example in EXAMPLES:
        tensor = example.tensor()
        if tensor.node.op.name == "apart":  # whose expression does not say the lengths
            continue
        named = {leaf.address: leaf for leaf in tensor.node.leaves() if leaf.address}

        def leaf(name: str) -> Array:
            value = named[name].value
            return Array(map_lists(by.number, value.tolist()), named[name].axes)

        found = evaluate(tensor.node.expression(), by, leaf)
        again = np.array([by.plain(number) for number in leaves(found, tensor.value.shape)], float)
        value = tensor.value.ravel()
        finite = np.isfinite(value)
        scale = max(1.0, float(np.abs(value[finite]).max(initial=0.0)))
        assert (again[~finite] == value[~finite]).all(), example
        assert np.abs(again[finite] - value[finite]).max(initial=0.0) <= digits * scale, example


class RoundedLeaves(Leaves):
    """Operands as a run by hand has them."""

    def __call__(self, *axes: Axis, **kinds: Any) -> Tensor:
        leaf = super().__call__(*axes, **kinds)
        return Tensor(leaf.value.round(3), axes, leaf.symbol, leaf.address)


def test_both_definitions_of_an_op_round_at_the_same_operations_by_hand():
    by = HandArithmetic(3)
    for example in [example for example in EXAMPLES if example.op != "apart"]:  # its expression lacks the lengths
        tensor = example.build(RoundedLeaves())
        named = {leaf.address: leaf for leaf in tensor.history.leaves() if leaf.address}
        found = evaluate(tensor.history.expression(), by, lambda name: Array(
            map_lists(by.number, named[name].value.tolist()), named[name].axes))
        again = np.array([by.plain(number) for number in leaves(found, tensor.value.shape)], float)
        assert (again == evaluated_by_hand(tensor, rounding_of(3)).value.ravel()).all(), example


def test_a_batch_is_set_apart_and_put_together_by_its_lengths():
    packed = Array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], ("token", "d_k"))
    apart = evaluate(["apart", "x", [1, 2]], Doubles(), lambda name: packed)
    assert apart.numbers == [[[1, 2], [0, 0]], [[3, 4], [5, 6]]] and apart.axes[0] == "sentence"
    assert evaluate(["together", "x", [1, 2]], Doubles(), lambda name: apart) == packed


def test_where_a_label_is_0_a_logarithm_of_0_is_nothing():
    known = {"p": [[0.0, 1.0]], "y": [[0.0, 1.0]]}
    found = evaluate(["cross_entropy", "p", "p", "y"], Doubles(), lambda name: Array(known[name], ("token", "vocab")))
    assert found == Array([0.0], ("token",))


def test_the_bound_of_rounding_holds_and_is_no_more_than_it_has_to_be():
    by, third = Bounded(), Decimal(1) / 3
    value, bound = by.subtract(by.over(by.number(1), by.number(3)), by.number(0.3333))
    error = abs(Decimal(value) - (third - Decimal(0.3333))) / Decimal(2) ** -53
    assert 0 < error <= bound < 1


# ---------------------------------------------------------------- arithmetic by pencil

@pytest.mark.parametrize("decimals, compute, text", [
    (2, lambda by: by.times(by.number(0.5), by.number(0.25)), "0.13"),  # halves away from zero
    (2, lambda by: by.times(by.number(0.5), by.number(-0.25)), "-0.13"),
    (2, lambda by: by.times(by.number(0.5), by.number(0.27)), "0.14"),
    (2, lambda by: by.over(by.number(3.0), by.number(0.0)), "300.00"),  # 0 is taken as 0.01 here
    (2, lambda by: by.log(by.number(0.0)), "-4.61"),
    (1, lambda by: by.dot([by.number(0.5)] * 3, [by.number(0.5)] * 3), "0.9"),  # 0.3 + 0.3 + 0.3, not 0.75
    (30, lambda by: by.sine(Decimal(1)), "0.841470984807896506652502321630"),
    (30, lambda by: by.sine(Decimal(100)), "-0.506365641109758793656557610460"),
    (30, lambda by: by.sine(Decimal(1000)), "0.826879540532002560255887429109"),
    (30, lambda by: by.cosine(Decimal(1)), "0.540302305868139717400936607443"),
    (30, lambda by: by.exp(Decimal(1)), "2.718281828459045235360287471353"),
    (30, lambda by: by.log(Decimal(2)), "0.693147180559945309417232121458"),
    (30, lambda by: by.root(Decimal(2)), "1.414213562373095048801688724210"),
    (30, lambda by: by.power(10000, Decimal("0.25")), "10.000000000000000000000000000000")])
def test_arithmetic_by_pencil_is_right_to_its_last_decimal(decimals, compute, text):
    assert str(compute(HandArithmetic(decimals))) == text


@pytest.mark.parametrize("seed", ["0", "1"])
def test_what_the_model_does_by_hand_is_what_the_checker_does_by_hand(seed):
    """With one decimal, where variances and probabilities are rounded to 0."""
    result = attntrace("verify", "a", "--target", "b c", "--backprop", "--optimizer", "adam", "--pencil", "1",
                       "--quiet", "--d-model", "2", "--heads", "1", "--d-ff", "1", "--seed", seed)
    assert result.code == 0 and "by hand (--pencil 1)" in result.out


def log_with(x: list[float], *records: dict, **header: int) -> Log:
    log = Log({"config": {}, "tokens": {}} | header)
    log({"parameter": "x", "axes": ["token"], "shape": [2], "value": x})
    for record in records:
        log({"address": "y", "axes": ["token"], "shape": [2]} | record)
    return log


@pytest.mark.parametrize("expression, value", [
    (["square", "x"], [0.02, 1.56]),  # 0.0225 and 1.5625
    (["softmax", "x"], [0.25, 0.75]),  # e^-1.10 = 0.33 of 1.33
    (["divide", "x", ["sqrt", 2.0]], [0.11, 0.89]),  # by 1.41
    (["sqrt", ["add", "x", 1e-5]], [0.39, 1.12]),
    (["divide", "x", 0.004], [37.5, 312.5]),  # a constant stays what it is
    (["multiply", "x", 0.5], [0.08, 0.63])])
def test_by_pencil_a_step_has_to_be_exactly_what_is_done_by_hand(expression, value):
    right = log_with([0.15, 1.25], {"expression": expression, "value": value}, pencil=2)
    assert Recomputation(right)(right["y"]).wrong == ""
    wrong = log_with([0.15, 1.25], {"expression": expression, "value": [value[0] + 1e-9, value[1]]}, pencil=2)
    assert Recomputation(wrong)(wrong["y"])[3:5] == ("y:1", "differs")


# ---------------------------------------------------------------- runs

@pytest.fixture(scope="module")
def training_step() -> tuple[Log, dict]:
    run = prepare_training_step("a cat sleeps", "un chat dort", optimizer="adam", smoothing=0.1)
    log = Log(header(run))
    footer = recorded(run, log, bool)
    return log, footer


@pytest.mark.parametrize("arguments", [
    (), ("--norm", "pre", "--final-norm", "--position", "halves", "--heads", "4", "--layers", "2"),
    ("--no-scale-embedding", "--score-scale", "3", "--position", "none", "--seed", "7"),
    ("--dtype", "float32", "--d-model", "12", "--backprop"),
    ("--backprop", "--optimizer", "adam", "--label-smoothing", "0.1", "--norm", "pre")], ids=" ".join)
def test_there_is_no_false_alarm(arguments):
    code, out, errors = attntrace("verify", *EXAMPLE, *arguments)
    assert (code, errors, "✗" in out) == (0, "", False)


def test_a_model_of_whole_numbers_and_an_encoder_alone_are_verified_too():
    assert attntrace("verify", "cat sleeps", "--target", "고양이가", "--weights", "samples/pencil.json").code == 0
    assert "encoder.output" in attntrace("verify", "cat").out


def test_a_change_of_two_parts_in_a_million_million_is_found_and_its_cell_named(training_step):
    log, _ = training_step
    judge, chosen, missed, tried = Recomputation(log), random.Random(3), [], 0
    for step in chosen.sample(list(log.steps.values()), 300):
        n = chosen.randrange(len(step.flat))
        kept = step.flat[n]
        if not kept or math.isinf(kept):
            continue
        assert not judge(step).wrong
        step.flat[n] *= 1 + 2e-12
        verdict = judge(step)
        step.flat[n] = kept
        tried += 1
        if not verdict.wrong:
            missed.append(step.address)
        else:
            assert verdict.cell == step.cell(n)
    assert tried > 200 and len(missed) < tried / 50, missed  # only numbers that are what nearly cancelled


def test_a_wrong_number_is_named_in_the_table_and_in_the_conclusion_and_the_exit_code_is_1(monkeypatch):
    right = Relu.compute
    monkeypatch.setattr(Relu, "compute", lambda self, x: right(self, x) * (1 + 1e-11))
    code, out, _ = attntrace("verify", "this is a cat", "--width", "999", "--layers", "2")
    assert code == 1 and out.count("✗") == 2
    first = "encoder.layer1.feed_forward.activation"
    assert f"  2 of 63 steps (1,472 numbers) failed; the first is {first}: cell " in out
    code, quiet, _ = attntrace("verify", "this is a cat", "--quiet", "--width", "999", "--layers", "2")
    assert code == 1 and quiet.strip() == out.splitlines()[2].strip()


STEP = {"address": "y", "axes": ["token"], "shape": [2], "parents": ["x"]}


@pytest.mark.parametrize("record, wrong", [
    ({"expression": ["same", "z"], "value": [1.0, 2.0]}, "undefined unknown"),
    ({"expression": ["unheard_of", "x"], "value": [1.0, 2.0]}, "undefined op"),
    ({"expression": ["divide", "x", 0.0], "value": [1.0, 2.0]}, "undefined no_result"),
    ({"expression": ["slice", "x"], "value": [1.0, 2.0]}, "undefined malformed"),
    ({"expression": ["matmul", "x", [1.0, 2.0, 3.0]], "value": [1.0, 2.0]}, "undefined product"),
    ({"expression": ["outer", "x", "x"], "value": [1.0, 2.0]}, "shape number_of_axes"),
    ({"expression": ["columns", "x", 1, 1], "value": [1.0, 2.0]}, "shape length"),
    ({"expression": ["columns", "x", 2, 3], "value": [2.0, 2.0]}, "undefined columns"),
    ({"expression": ["same", "x"], "value": [1.0, math.nan]}, "differs"),
    ({"expression": ["same", "x"], "value": [1.0, "-inf"]}, "differs"),
    ({"expression": ["add", "x", [0.0, "-inf"]], "value": [1.0, 2.0]}, "differs"),
    ({"expression": ["add", "x", [0.0, "-inf"]], "value": [1.0, "-inf"]}, "")])
def test_what_a_record_says_falsely_is_found_without_a_traceback(record, wrong):
    log = log_with([1.0, 2.0])
    verdict = Recomputation(log)(log(STEP | record))
    assert f"{verdict.wrong} {verdict.facts.get('why', '')}".strip() == wrong


@pytest.mark.parametrize("change, key", [({"value": [1.0]}, "shape"), ({"axes": []}, "shape"),
                                         ({"address": "x"}, "twice"), ({"value": [1.0, "many"]}, "shape")])
def test_a_record_that_contradicts_itself_is_refused(change, key):
    record = STEP | {"expression": ["same", "x"], "value": [1.0, 2.0]} | change
    verdict = Recomputation(log_with([1.0, 2.0])).take(record)
    assert verdict is not None and verdict.wrong == f"record_{key}"


# ---------------------------------------------------------------- what must be true of every run

HEAD = "decoder.layer1.self_attention.head2"
BREAKING = {  # by kind: a step, a cell of it (from 0), and what is added to it
    "rows_sum_to_one": ("output.probabilities", 1, 1e-12), "none_below_zero": (f"{HEAD}.weights", 4, -2.0),
    "masked_weights_are_zero": (f"{HEAD}.weights", 1, 1e-300),
    "mean_zero": ("encoder.layer1.feed_forward.normalized", 3, 1e-12),
    "variance": ("encoder.layer1.feed_forward.variance", 2, 1e-5),
    "residuals": ("decoder.layer1.cross_attention.residual", 0, 1e-12), "labels": ("loss.labels", 2, 1e-12),
    "logits": ("gradient.output.logits", 2, 1e-12)}


def judged(log: Log) -> dict[str, bool]:
    return {finding.key: finding.wrong for finding in findings(log)}


@pytest.mark.parametrize("key", BREAKING)
def test_what_must_be_true_is_true_of_a_run_and_breaking_it_is_found(training_step, key):
    log, _ = training_step
    assert judged(log) == dict.fromkeys(KINDS, False)
    address, n, more = BREAKING[key]
    flat, kept = log.steps[address].flat, log.steps[address].flat[n]
    flat[n] += more
    try:
        found = {finding.key: finding for finding in findings(log)}[key]
        log.pencil = 3
        by_pencil = judged(log)[key]
    finally:
        flat[n], log.pencil = kept, None
    assert found.wrong and found.address in (address, address.replace("variance", "normalized"))
    assert by_pencil == KINDS[key][1]  # what rounding explains is no error by pencil


def test_whatever_is_masked_has_no_weight_also_where_it_only_fills_a_sentence_up():
    log = Log({"config": {"d_model": 0, "d_ff": 0, "layers": 0}})
    shape = {"axes": ["token", "key"], "shape": [2, 2], "expression": []}
    log({"address": "masked_scores", "value": [[1.0, "-inf"], ["-inf", 1.0]]} | shape)
    for weights, wrong in (([[1.0, 0.0], [0.0, 1.0]], False), ([[1.0, 0.0], [1e-9, 1.0]], True)):
        log.steps.pop("weights", None)
        log({"address": "weights", "value": weights} | shape)
        assert judged(log)["masked_weights_are_zero"] == wrong


def test_a_parameter_too_few_and_a_fingerprint_of_other_numbers_are_found(training_step):
    log, footer = training_step
    assert not fingerprint(log, footer).wrong and fingerprint(log, footer | {"fingerprint": "00000000"}).wrong
    assert fingerprint(log, footer | {"steps": 7}).wrong and fingerprint(log, footer | {"fingerprint": None}) is None
    gone = log.parameters.pop("encoder.layer1.feed_forward.b_1")
    assert judged(log)["parameters"]
    log.parameters[gone.address] = gone


@pytest.mark.parametrize("part, sizes, rows, gone", [
    ("transformer", {"layers": 2, "final_norm": True}, ("encoder.input", "decoder.input"), "decoder.final_norm.gain"),
    ("encoder", {"layers": 2}, ("encoder.input",), "encoder.layer2.feed_forward.b_1"),
    ("decoder_layer", {}, ("encoder.output", "decoder.input"), "decoder.layer1.cross_attention.W_K"),
    ("attention", {}, ("encoder.input",), "encoder.layer1.self_attention.W_O")])
def test_a_model_without_words_has_all_its_parameters_and_a_lost_one_is_found(part, sizes, rows, gone, tmp_path):
    np.savez(tmp_path / "rows.npz", **{name: np.random.default_rng(0).normal(size=(3, 4)) for name in rows})
    run = prepare(None, config=Config(d_model=4, part=part, **sizes), inputs=tmp_path / "rows.npz")
    log = log_of(run)
    assert not judged(log)["parameters"]
    del log.parameters[gone]
    assert judged(log)["parameters"]


# ---------------------------------------------------------------- the command

def test_rows_need_no_sentence_and_are_never_those_of_the_example(tmp_path):
    place = str(tmp_path / "rows.npz")
    np.savez(place, **{"encoder.input": np.eye(2, 8)})
    assert attntrace("verify", "--input", place, "--quiet").code == 0
    assert "\n 0  encoder.input:1,1" in attntrace("why", "encoder.input:1,1", "--input", place).out
    pytest.importorskip("torch")
    assert "rows.npz" in refusal("verify", "--input", place, "--against", "torch")


def test_without_a_sentence_the_example_is_verified():
    assert attntrace("verify", "--quiet").out == attntrace("verify", *EXAMPLE, "--quiet").out


@pytest.mark.parametrize("arguments, says", [
    (("a cat", "--backprop"), "a training step needs the correct translation"),
    (("a cat", "--optimizer", "adam"), "--optimizer applies only to a training step"),
    (("a cat", "--against", "keras"), "keras")])
def test_what_cannot_be_verified_is_said_in_one_line(arguments, says):
    assert says in refusal("verify", *arguments)


def test_without_pytorch_it_is_said_how_to_come_by_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "pip install torch" in refusal("verify", "a cat", "--against", "torch")


def test_progress_is_shown_where_no_line_tells_how_far_it_is(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0)
    monkeypatch.setenv("TERM", "xterm")
    for quiet in (True, False):
        monkeypatch.setattr(sys, "stderr", Screen())
        with progress.progress(Screen(), lambda: 1, silent=quiet) as count:
            count(log_with([1.0, 2.0])["x"])
        assert ("attntrace" in sys.stderr.getvalue()) == quiet


def test_every_reason_has_its_sentence_and_every_sentence_its_reason():
    sentences = tomllib.loads((ROOT / "attntrace" / "messages" / "en" / "messages.toml").read_text("utf-8"))["verify"]
    sources = "".join((HOME / f"{name}.py").read_text("utf-8") for name in (*CHECKER, "torch"))
    raised = set(re.findall(r'(?:Unfit|Misshapen)\("(\w+)"', sources))
    of_records = {reason for reason in sentences["wrong"] if reason.startswith("record_")}
    assert sentences["why"].keys() | of_records == raised | {"no_result", "malformed", "parameter", "torch"}
    assert sentences["true"].keys() == KINDS.keys() | {"fingerprint"}
