"""Runs as data: every number as CSV, bit for bit; JSON Lines from which every step can be computed again."""
import csv
import io
from collections.abc import Iterator

import numpy as np
import pytest
from command import BLOG, attntrace, process
from hostile import HOSTILE
from pages import run_of
from recompute import computed_again, loads

from attntrace import trace
from attntrace.cli.subject import write_data
from attntrace.messages.unicode import shown
from attntrace.model.tokens import tokenize
from attntrace.pages.view import View
from attntrace.runs.prepare import prepare
from attntrace.tensor.axes import Axis
from attntrace.tensor.tensor import Tensor
from attntrace.writers.data import CsvWriter

RUNS = {"trace": ("trace", *BLOG), "float32": ("trace", *BLOG, "--dtype", "float32"),
        "backprop": ("backprop", "어제 카페", "I went", "--optimizer", "adam"),
        "pencil": ("trace", "a b", "--target", "c", "--pencil", "3")}
HEAD = ["address", "row", "column", "row_label", "column_label", "value"]
SENTENCES = ("어제 카페 갔었어 e\u0301 \x1b", "I went to the cafe yesterday morning")  # 8 words, as many as d_model
OPTIONS = [(), ("--norm", "pre", "--final-norm", "--position", "halves"),
           ("--no-scale-embedding", "--score-scale", "3"), ("--position", "none", "--heads", "4", "--layers", "2")]


def rows(*arguments: str) -> list[list[str]]:
    """The lines of a CSV file, without the first."""
    code, out, errors = attntrace(*arguments, "--format", "csv")
    assert (code, errors) == (0, "") and "\r" not in out
    head, *lines = csv.reader(io.StringIO(out), strict=True)
    assert head == HEAD and {len(line) for line in lines} == {len(HEAD)}
    return lines


def records(*options: str) -> list[dict]:
    code, out, errors = attntrace("trace", SENTENCES[0], "--target", SENTENCES[1], "--format", "jsonl", *options)
    assert (code, errors) == (0, "")
    return loads(out)


def expected(*arguments: str) -> Iterator[tuple[str, str, str, float]]:
    """The place and the value of each number, by JSON Lines: along an axis of a model, one index is a column."""
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
    lines = [(address, row, column, repr(float(value))) for address, row, column, _, _, value in rows(*arguments)]
    assert lines == [(*place, repr(number)) for *place, number in expected(*arguments)]


@pytest.mark.parametrize("name", ["trace", "float32", "backprop"])
def test_numbers_have_the_decimals_that_are_asked_for_and_0_no_sign(name):
    texts = [line[-1] for line in rows(*RUNS[name], "--precision", "4")]
    wanted = [f"{number:.4f}" for *_, number in expected(*RUNS[name])]
    assert "-0.0000" in wanted or name != "backprop"
    assert texts == ["0.0000" if text == "-0.0000" else text for text in wanted]


def test_masked_scores_are_infinities_with_a_stated_spelling():
    masked = [line for line in rows("trace", *BLOG) if line[0] == "decoder.layer1.self_attention.head1.masked_scores"]
    assert [line[-1] == "-inf" for line in masked] == [int(row) < int(column) for _, row, column, *_ in masked]
    record = next(record for record in records() if record.get("address", "").endswith("masked_scores"))
    assert record["value"][0][1:] == ["-inf"] * 7


def test_rows_and_columns_carry_their_words():
    run, lines = run_of("trace", *BLOG), rows("trace", *BLOG)
    for address, row, column, *labels, _ in lines:
        if address in run.steps:
            words = [run.words(address, axis) for axis in (0, 1)]
            assert labels == [names[int(n) - 1] if names else "" for names, n in zip(words, (row, column))]
    of_parameters = {tuple(line[:3]): line[3:5] for line in lines if line[0] not in run.steps}
    assert of_parameters["encoder.layer1.self_attention.gain", "", "8"] == ["", ""]
    assert of_parameters["output.W", "8", "1"] == ["", "<s>"] and of_parameters["encoder.E", "3", "1"] == ["어제", ""]


@pytest.mark.parametrize("sentence", [HOSTILE, "50 % a %s"])
def test_hostile_words_are_words_and_control_characters_are_shown(sentence):
    words = list(map(shown, tokenize(sentence)))
    scores = [line for line in rows("trace", sentence) if line[0] == "encoder.layer1.self_attention.head1.scores"]
    assert [line[3:5] for line in scores] == [[row, column] for row in words for column in words]
    assert sentence != HOSTILE or {",", '"', "=", r"\u{1B}"} <= set(words)


def test_an_address_from_elsewhere_is_one_field_in_one_line():
    tensor = Tensor(np.ones(1), (Axis("d_model", 1),))
    out = io.StringIO()
    CsvWriter.alone(out, tensor, 'a,"b"\r\n\x1b', (), None)
    assert list(csv.reader(out.getvalue().splitlines()[1:], strict=True)) == [
        [r'a,"b"\u{D}\u{A}\u{1B}', "", "1", "", "", "1.0"]]


def test_each_step_is_out_before_the_next_is_computed():
    written, last, run = io.BytesIO(), [], prepare("a b", "c")

    def sink(step):
        last.append(written.getvalue().decode().splitlines()[-1].partition(",")[0] == step.address)

    write_data(run, View(), None, "csv", io.TextIOWrapper(written, "utf-8"), sink)
    assert len(last) > 60 and all(last)


def test_a_tensor_a_row_and_a_number_of_a_saved_run_are_tables_of_their_own(tmp_path):
    file, address = str(tmp_path / "run.npz"), "decoder.layer1.cross_attention.head1.scores"
    attntrace("trace", *BLOG, "--save", file, "--quiet")
    lines = rows("trace", *BLOG)
    for place, kept in {address: {}, f"{address}:2": {1: "2"}, f"{address}:I,갔었어": {3: "I", 4: "갔었어"},
                        "encoder.layer1.self_attention.mean:3": {1: "3"},
                        "encoder.layer1.self_attention.gain:5": {2: "5"}}.items():
        assert rows("show", "--from", file, place) == [
            line for line in lines if line[0] == place.split(":")[0] and all(line[n] == kept[n] for n in kept)] != []
    (number,) = rows("show", "--from", file, f"{address}:2,3", "--precision", "2")
    assert [number[-1]] == [f"{float(line[-1]):.2f}" for line in lines if line[:3] == [address, "2", "3"]]


def test_another_encoding_holds_hangul_whole_and_shows_what_it_lacks():
    done = process("trace", "똠방각하 ꥠ 갔었어", "--format", "csv", "--only", "encoder.embedding",
                   PYTHONIOENCODING="cp949")
    text = done.out.encode("utf-8", "surrogateescape").decode("cp949")
    assert done.code == 0 and done.err == ""
    assert {line[3] for line in csv.reader(io.StringIO(text)) if line[0] == "encoder.embedding"} == {
        "똠방각하", r"\u{A960}", "갔었어"}


@pytest.mark.parametrize("ending, name", [("csv", "csv"), ("jsonl", "jsonl"), ("html", "html"), ("htm", "html"),
                                          ("md", "markdown"), ("svg", "svg"), ("txt", "text")])
def test_the_ending_of_a_file_decides_its_format(ending, name, tmp_path):
    command, file = ("map" if name == "svg" else "trace", "a"), tmp_path / f"run.{ending}"
    assert attntrace(*command, "-o", str(file)).code == 0
    assert file.read_text("utf-8") == attntrace(*command, "--format", name).out


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_every_step_can_be_computed_again_from_json_lines_alone(options):
    steps = records(*options)[1:-1]
    assert len(computed_again(steps)) == len(steps) > 60


def test_json_lines_hold_what_the_run_computed_bit_for_bit():
    steps = trace(*SENTENCES).steps
    of_steps = [record for record in records() if "address" in record]
    assert [record["address"] for record in of_steps] == [step.address for step in steps]
    for record, step in zip(of_steps, steps, strict=True):
        assert (np.array(record["value"], dtype=float) == step.value).all()
        name = step.symbol.spelled(head=step.symbol.head)
        assert (record["symbol"], record["formula"].split(" = ")[0]) == (name, name)


def test_the_header_says_the_model_and_the_words_and_the_footer_the_fingerprint():
    head, *_, foot = records("--seed", "7")
    assert head["seed"] == 7 and head["config"]["d_model"] == 8 and head["changes"] == []
    assert [word["text"] for word in head["tokens"]["source"]] == ["어제", "카페", "갔었어", "é", "\x1b"]
    assert [word["id"] for word in head["tokens"]["target"]] == [1, 3, 4, 5, 6, 7, 8, 9]
    assert foot["fingerprint"] in attntrace("trace", SENTENCES[0], "--target", SENTENCES[1], "--seed", "7").out
    assert foot["steps"] == len(trace(*SENTENCES))
