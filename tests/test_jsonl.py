"""The JSON Lines file is enough: whoever has it alone can compute every step again from its expression."""
from __future__ import annotations

import numpy as np
import pytest
from command import attntrace
from recompute import computed_again, loads

from attntrace.runs.api import trace

SENTENCES = ("어제 카페 갔었어 e\u0301 \x1b", "I went to the cafe yesterday morning")  # 8 words, as many as d_model
OPTIONS = [(), ("--norm", "pre", "--final-norm", "--position", "halves"),
           ("--no-scale-embedding", "--score-scale", "3"), ("--position", "none", "--heads", "4", "--layers", "2")]


def lines(*options: str) -> list[dict]:
    code, out, errors = attntrace("trace", SENTENCES[0], "--target", SENTENCES[1], "--format", "jsonl", *options)
    assert (code, errors) == (0, "")
    return loads(out)


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_every_step_can_be_computed_again_from_the_file_alone(options):
    records = lines(*options)[1:-1]
    assert len(computed_again(records)) == len(records) > 60


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
