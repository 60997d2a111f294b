"""The JSON Lines file is enough: whoever has it alone can compute every step again from its expression."""
from __future__ import annotations

import json

import numpy as np
import pytest
from command import attntrace

from attntrace.run import trace

SENTENCES = ("어제 카페 갔었어 e\u0301 \x1b", "I went to the cafe yesterday morning")  # 8 words, as many as d_model
OPTIONS = [(), ("--norm", "pre", "--final-norm", "--position", "halves"),
           ("--no-scale-embedding", "--score-scale", "3"), ("--position", "none", "--heads", "4", "--layers", "2")]


def lines(*options: str) -> list[dict]:
    code, out, errors = attntrace("trace", SENTENCES[0], "--target", SENTENCES[1], "--format", "jsonl", *options)
    assert (code, errors) == (0, "")
    return [json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")) for line in
            out.rstrip("\n").split("\n")]


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sinusoid(positions, width, layout):
    table = np.empty((len(positions), width))
    for row, pos in enumerate(positions):
        for k in range(width // 2):
            angle = pos / 10000 ** (2 * k / width)
            sine, cosine = (2 * k, 2 * k + 1) if layout == "interleaved" else (k, width // 2 + k)
            table[row, sine], table[row, cosine] = np.sin(angle), np.cos(angle)
    return table


def lined_up(op):
    """Cell by cell; the shorter operand is repeated along the axes that it lacks, which their words tell."""
    def apply(one, other):
        (a, axes), (b, others) = one, other
        whole = max(axes, others, key=len)
        shapes = [[size for size in _stretched(*operand, whole)] for operand in (one, other)]
        return op(np.reshape(a, shapes[0]), np.reshape(b, shapes[1])), whole
    return apply


def _stretched(value, axes, whole):
    sizes = iter(np.shape(value))
    return [next(sizes) if word in axes else 1 for word in whole]


def keeping_axes(op):
    return lambda operand: (op(operand[0]), operand[1])


OPS = {"add": lined_up(np.add), "subtract": lined_up(np.subtract), "multiply": lined_up(np.multiply),
       "divide": lined_up(np.divide), "sqrt": keeping_axes(np.sqrt), "square": keeping_axes(np.square),
       "relu": keeping_axes(lambda x: np.where(x > 0, x, 0.0)), "softmax": keeping_axes(softmax),
       "same": lambda x: x, "mean": lambda x: (x[0].mean(axis=-1), x[1][:-1]),
       "matmul": lambda a, b: (a[0] @ b[0], [*a[1][:-1], *b[1][1:]]),
       "transpose": lambda x: (x[0].T, [{"token": "key"}.get(word, word) for word in reversed(x[1])]),
       "rows": lambda table, ids: (table[0][np.array(ids, int) - 1], ["token", table[1][1]]),
       "columns": lambda x, a, b: (x[0][..., a - 1:b], [*x[1][:-1], "d_k"]),
       "concat": lambda *parts: (np.concatenate([part[0] for part in parts], axis=-1), [parts[0][1][0], "d_concat"]),
       "sinusoid": lambda *settings: (sinusoid(*settings), ["token", "d_model"])}
PLAIN = {"rows": 1, "columns": 1, "sinusoid": 0}  # from this operand on, settings and numbers are taken as they stand


def evaluated(expression, known):
    """The value of an expression and the words of its axes."""
    if isinstance(expression, str):
        return known[expression]
    if isinstance(expression, list) and isinstance(expression[0], str):
        name, *operands = expression
        tensors = operands[:PLAIN.get(name, len(operands))]
        return OPS[name](*(evaluated(operand, known) for operand in tensors), *operands[len(tensors):])
    value = np.array(expression, dtype=float)
    return value, ["token", "key"][:value.ndim]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_every_step_can_be_computed_again_from_the_file_alone(options):
    known, steps = {}, 0
    for record in lines(*options)[1:-1]:
        value = np.array(record["value"], dtype=float)
        assert list(value.shape) == record["shape"] and len(record["axes"]) == value.ndim
        if "parameter" in record:
            assert record["parameter"] not in known
            known[record["parameter"]] = value, record["axes"]
            continue
        again = evaluated(record["expression"], known)[0]
        finite = np.isfinite(value)
        assert (again[~finite] == value[~finite]).all(), record["address"]
        assert np.abs(again[finite] - value[finite]).max() <= 1e-12 * np.abs(value[finite]).max(), record["address"]
        assert set(record["parents"]) <= set(known)
        known[record["address"]] = value, record["axes"]
        steps += 1
    assert steps > 60


def test_the_file_holds_what_the_run_computed_bit_for_bit():
    steps = trace(*SENTENCES)
    records = [record for record in lines() if "address" in record]
    assert [record["address"] for record in records] == [step.address for step in steps]
    for record, step in zip(records, steps, strict=True):
        assert (np.array(record["value"], dtype=float) == step.value).all()
        name = step.symbol.spelled(head=step.symbol.head)
        assert (record["symbol"], record["formula"].split(" = ")[0]) == (name, name)


def test_the_header_says_the_model_and_the_words_and_the_footer_the_fingerprint():
    head, *_, foot = lines("--seed", "7")
    assert head["seed"] == 7 and head["config"]["d_model"] == 8 and head["changes"] == []
    assert [word["text"] for word in head["tokens"]["source"]] == ["어제", "카페", "갔었어", "é", "\x1b"]
    assert [word["id"] for word in head["tokens"]["target"]] == [1, 3, 4, 5, 6, 7, 8, 9]
    assert foot["fingerprint"] in attntrace("trace", SENTENCES[0], "--target", SENTENCES[1], "--seed", "7").out
    assert foot["steps"] == len(trace(*SENTENCES))


def test_only_limits_what_is_written_and_not_what_is_computed():
    whole, part = lines(), lines("--only", "head1.scores")
    assert part[-1] == whole[-1]
    names = [record.get("address") or record.get("parameter") for record in part[1:-1]]
    assert all(name.endswith("head1.scores") for name in names) and len(names) == 3  # encoder, decoder twice


def test_infinities_have_a_stated_spelling():
    masked = next(record for record in lines() if record.get("address", "").endswith("masked_scores"))
    assert masked["value"][0][1:] == ["-inf"] * 7


def test_the_file_is_the_same_at_every_width():
    assert lines("--width", "60") == lines("--width", "160") == lines()
