"""Numbers as CSV: every number of a run, a line each, with its place and its words."""
from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np
import pytest
from command import BLOG, attntrace, process
from hostile import HOSTILE
from recompute import loads

from attntrace.messages.unicode import shown
from attntrace.model.tokens import tokenize
from attntrace.runs.prepare import prepare
from attntrace.tensor.axes import Axis
from attntrace.tensor.tensor import Tensor
from attntrace.writers.csv import CsvWriter
from attntrace.writers.csv import lines as lines_of

RUNS = {"trace": ("trace", *BLOG), "float32": ("trace", *BLOG, "--dtype", "float32"),
        "backprop": ("backprop", "어제 카페", "I went", "--optimizer", "adam"),
        "pencil": ("trace", "a b", "--target", "c", "--pencil", "3")}
HEAD = ["address", "row", "column", "row_label", "column_label", "value"]


def told(*arguments: str) -> list[list[str]]:
    """The lines, without their head."""
    code, out, errors = attntrace(*arguments, "--format", "csv")
    assert (code, errors) == (0, "") and "\r" not in out
    head, *lines = csv.reader(io.StringIO(out), strict=True)
    assert head == HEAD and {len(line) for line in lines} == {len(HEAD)}
    return lines


def expected(*arguments: str) -> Iterator[tuple[str, str, str, float]]:
    """Where each number stands, and what it is, by JSON Lines: along an axis of a model, one index is a column."""
    for record in loads(attntrace(*arguments, "--format", "jsonl").out)[1:-1]:
        address = record.get("address") or record["parameter"]
        for index, number in np.ndenumerate(np.array(record["value"], float)):
            place = [str(n + 1) for n in index]
            if len(index) == 1:
                place.insert(record["axes"][0] in ("token", "key"), "")
            row, column = place or ("", "")
            yield address, row, column, float(number)


@pytest.mark.parametrize("arguments", RUNS.values(), ids=RUNS)
def test_every_number_is_read_back_bit_for_bit_in_the_order_of_the_run(arguments):
    lines = [(address, row, column, repr(float(value))) for address, row, column, _, _, value in told(*arguments)]
    assert lines == [(*place, repr(number)) for *place, number in expected(*arguments)]


@pytest.mark.parametrize("name", ["trace", "float32", "backprop"])
def test_numbers_have_the_decimals_that_are_asked_for_and_0_no_sign(name):
    texts = [line[-1] for line in told(*RUNS[name], "--precision", "4")]
    wanted = [f"{number:.4f}" for *_, number in expected(*RUNS[name])]
    assert "-0.0000" in wanted or name != "backprop"
    assert texts == ["0.0000" if text == "-0.0000" else text for text in wanted]


def test_masked_scores_are_infinities_with_a_stated_spelling():
    lines = told("trace", *BLOG, "--only", "decoder.*.head1.masked_scores")
    masked = [line for line in lines if line[0].endswith("masked_scores")]
    assert [line[-1] == "-inf" for line in masked] == [int(row) < int(column) for _, row, column, *_ in masked]


def test_rows_and_columns_carry_their_words():
    lines = {tuple(line[:3]): line[3:5] for line in told("trace", *BLOG)}
    cross = "decoder.layer1.cross_attention.head1.weights"
    assert lines[cross, "2", "3"] == ["I", "갔었어"]
    assert lines["encoder.layer1.self_attention.mean", "2", ""] == ["카페", ""]
    assert lines["encoder.layer1.self_attention.gain", "", "8"] == ["", ""]
    assert lines["output.W", "8", "1"] == ["", "<s>"] and lines["encoder.E", "3", "1"] == ["어제", ""]


def test_hostile_words_stand_in_quotes_and_control_characters_are_shown():
    lines = told("trace", HOSTILE, "--only", "encoder.layer1.self_attention.head1.scores")
    words = list(map(shown, tokenize(HOSTILE)))
    assert {",", '"', "=", r"\u{1B}"} <= set(words)
    scores = [line for line in lines if line[0].endswith("scores")]
    assert [line[3] for line in scores[::len(words)]] == [line[4] for line in scores[:len(words)]] == words


def test_a_word_that_begins_a_format_is_a_word():
    scores = [line for line in told("trace", "50 % a %s") if line[0] == "encoder.layer1.self_attention.head1.scores"]
    words = ["50", "%", "a", "%", "s"]
    assert [line[3:5] for line in scores] == [[row, column] for row in words for column in words]


def test_an_address_from_elsewhere_is_one_field_in_one_line():
    tensor = Tensor(np.ones(1), (Axis("d_model", 1),))
    text = "".join(lines_of(tensor, 'a,"b"\r\n\x1b', (), None, "utf-8"))
    assert list(csv.reader(io.StringIO(text), strict=True)) == [
        [r'a,"b"\u{D}\u{A}\u{1B}', "", "1", "", "", "1.0"]]


def test_each_step_is_out_before_the_next_is_computed():
    written = io.BytesIO()
    run = prepare("a b", "c")
    writer = CsvWriter(io.TextIOWrapper(written, "utf-8"), run, None)
    last = []

    def sink(step):
        writer(step)
        last.append(written.getvalue().decode().splitlines()[-1].partition(",")[0] == step.address)

    run(sink)
    assert len(last) > 60 and all(last)


def test_a_tensor_a_row_and_a_number_of_a_saved_run_are_tables_of_their_own(tmp_path):
    file, address = str(tmp_path / "run.npz"), "decoder.layer1.cross_attention.head1.scores"
    attntrace("trace", *BLOG, "--save", file, "--quiet")
    whole = [line for line in told("trace", *BLOG) if line[0] == address]
    assert told("show", "--from", file, address) == whole
    assert told("show", "--from", file, f"{address}:2") == [line for line in whole if line[1] == "2"]
    assert told("show", "--from", file, f"{address}:I,갔었어") == [
        line for line in whole if line[1:5] == ["2", "3", "I", "갔었어"]]
    assert told("show", "--from", file, f"{address}:2,3", "--precision", "2")[0][-1] == f"{float(whole[5][-1]):.2f}"
    mean, gain = "encoder.layer1.self_attention.mean", "encoder.layer1.self_attention.gain"
    assert [line[1:5] for line in told("show", "--from", file, f"{mean}:3")] == [["3", "", "갔었어", ""]]
    assert [line[1:5] for line in told("show", "--from", file, f"{gain}:5")] == [["", "5", "", ""]]


def test_another_encoding_holds_hangul_whole_and_shows_what_it_lacks():
    done = process("trace", "똠방각하 ꥠ 갔었어", "--format", "csv", "--only", "encoder.embedding",
                   PYTHONIOENCODING="cp949")
    text = done.out.encode("utf-8", "surrogateescape").decode("cp949")
    assert done.code == 0 and done.err == ""
    assert {line[3] for line in csv.reader(io.StringIO(text)) if line[0] == "encoder.embedding"} == {
        "똠방각하", r"\u{A960}", "갔었어"}


def test_a_file_with_the_ending_of_csv_is_one(tmp_path):
    file = tmp_path / "run.csv"
    assert attntrace("trace", *BLOG, "-o", str(file)).code == 0
    assert file.read_text("utf-8") == attntrace("trace", *BLOG, "--format", "csv").out
