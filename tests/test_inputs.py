"""Rows of numbers instead of words, and files of weights that hold no words; without PyTorch."""
import json
import sys

import numpy as np
import pytest
from command import attntrace, refusal
from recompute import computed_again, loads

from attntrace import trace
from attntrace.files.weights import load
from attntrace.messages.errors import Problem
from attntrace.runs.prepare import prepare
from attntrace.runs.training_step import prepare_training_step

SENTENCE, TARGET = "this is a cat", "un chat"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Rows of the seeded run of the two sentences, and its weights without what has to do with words."""
    monkeypatch.chdir(tmp_path)
    steps = trace(SENTENCE, TARGET)
    for name, addresses in {"rows.npz": ("encoder.input", "decoder.input"), "memory.npz": ("encoder.output",
                            "decoder.input"), "source.npz": ("encoder.input",)}.items():
        np.savez(name, **{address: steps[address].value for address in addresses})
    assert attntrace("weights", "new", SENTENCE, "--target", TARGET, "-o", "w.npz").code == 0
    members = {name: value for name, value in np.load("w.npz").items()
               if name not in ("encoder.E", "decoder.E", "output.W", "vocabulary.source", "vocabulary.target")}
    np.savez("bare.npz", **members)
    layer = {name: value for name, value in members.items() if name.startswith("decoder")}
    np.savez("decoder.npz", **layer, config=json.dumps({"d_model": 8, "heads": 2, "layers": 1, "d_ff": 16,
                                                        "part": "decoder_layer"}))
    own = {name: value for name, value in members.items() if "encoder.layer1.self_attention.W" in name}
    np.savez("attention.npz", **own, config=json.dumps({"d_model": 8, "heads": 2, "part": "attention"}))
    return tmp_path


def values(steps) -> dict[str, np.ndarray]:
    return {step.address: step.value for step in steps.steps}


@pytest.mark.parametrize("weights, rows", (
    (None, "rows.npz"), (None, "memory.npz"), (None, "source.npz"), ("w.npz", "rows.npz"), ("bare.npz", "rows.npz"),
    ("bare.npz", "memory.npz"), ("decoder.npz", "memory.npz"), ("attention.npz", "source.npz")))
def test_run_from_rows_goes_on_as_the_run_from_words_did(folder, weights, rows):
    target = None if weights == "attention.npz" else TARGET
    whole, part = values(trace(SENTENCE, TARGET)), values(trace(SENTENCE, target, weights=weights, inputs=rows))
    assert len(part) > 10 and all(np.array_equal(whole[address], value) for address, value in part.items())
    last = {"attention.npz": "encoder.layer1.self_attention.output", "bare.npz": "decoder.output",
            "decoder.npz": "decoder.output"}.get(weights, "output.probabilities")
    begun = "encoder.output" if rows == "memory.npz" else "encoder.input"
    assert list(part)[0] == begun and list(part)[-1] == last
    assert prepare(SENTENCE, target, weights=weights, inputs=rows).addresses().keys() == part.keys()
    embedded = weights is None and rows == "source.npz"
    assert "encoder.embedding" not in part and ("decoder.embedding" in part) == embedded


def test_rows_are_named_by_words_or_by_their_positions(folder):
    def names(*sentences: str | None) -> tuple[tuple[str, ...] | None, ...]:
        steps = trace(*sentences, weights="bare.npz", inputs="rows.npz")
        return steps["encoder.input"].axes[0].labels, steps["decoder.input"].axes[0].labels
    assert names(None, None) == (("1", "2", "3", "4"), ("1", "2", "3"))
    assert names("a b c d", "e f g") == (("a", "b", "c", "d"), ("e", "f", "g"))
    assert names(None, TARGET)[1] == ("<s>", "un", "chat")
    for sentences in (("a b c", None), ("a b c d e", None), (None, "e"), (None, "e f g h")):
        with pytest.raises(Problem, match="give one word per row"):
            names(*sentences)


def test_a_word_that_names_a_row_need_not_be_known(folder):
    assert trace("x y z w", weights="w.npz", inputs="source.npz").steps[-1].address == "encoder.output"


def written(path, rows: np.ndarray) -> None:
    """Rows in a file of one array, in the format that its name ends in."""
    if path.suffix == ".npy":
        np.save(path, rows)
    elif path.suffix == ".npz":
        np.savez(path, rows)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows.tolist()))
    else:
        path.write_text("\ufeff\r\n" + "\r\n\r\n".join({"c": ",", "s": "; ", "t": "\t", "b": "  "}[path.stem].join(
            map(repr, row)) for row in rows.tolist()) + "\r\n")


@pytest.mark.parametrize("name", ("x.npy", "x.npz", "x.json", "c.csv", "s.csv", "t.csv", "b.csv"))
def test_one_array_without_a_name_enters_the_first_stack(folder, name):
    rows = np.load("source.npz")["encoder.input"]
    written(folder / name, rows)
    one, other = (values(trace(None, weights="attention.npz", inputs=inputs)) for inputs in ("source.npz", name))
    assert one.keys() == other.keys() and all(np.array_equal(one[address], other[address]) for address in one)
    assert "give a file with encoder.output" in refusal("trace", "--weights", "decoder.npz", "--input", name)


def test_json_has_arrays_by_address(folder):
    (folder / "x.json").write_text(json.dumps({name: value.tolist() for name, value in np.load("rows.npz").items()}))
    one, other = (values(trace(None, weights="bare.npz", inputs=inputs)) for inputs in ("rows.npz", "x.json"))
    assert all(np.array_equal(one[address], other[address]) for address in one)


@pytest.mark.parametrize("axis", (0, 1))
@pytest.mark.parametrize("name", ("x.npy", "x.npz", "x.json"))
def test_batch_axis_of_one_is_dropped_and_that_is_said(folder, name, axis):
    rows = np.load("source.npz")["encoder.input"]
    written(folder / name, np.expand_dims(rows, axis))
    shape = "1 × 4 × 8" if axis == 0 else "4 × 1 × 8"
    for command, *more in (("trace", "--format", "csv"), ("map", "--format", "svg"), ("steps", "-q"), ("verify", "-q")):
        plain, batch = (attntrace(command, *more, "--weights", "bare.npz", "--input", one)
                        for one in ("source.npz", name))
        assert batch.err == f"encoder.input of {name} has shape {shape}: its batch axis of size 1 is dropped.\n"
        assert (plain.code, plain.err, plain.out) == (batch.code, "", batch.out.replace(name, "source.npz"))
    np.save("y.npy", np.stack([rows, rows]))
    assert "has shape 2 × 4 × 8; it must" in refusal("trace", "--weights", "bare.npz", "--input", "y.npy")


@pytest.mark.parametrize("name, text, words", (
    ("x.csv", "a,b\n1,2", "line 1, column 1 of x.csv is not a number (a)"),
    ("x.csv", "1,2\n\n3,", "line 3, column 2 of x.csv is not a number (\"\")"),
    ("x.csv", "1,2\n3", "line 2 of x.csv has 1 number, but the first has 2"), ("x.csv", "", "has shape 0"),
    ("x.csv", "1,2", "has shape 1 × 2; it must"), ("x.csv", b"\xff\xfe1", "is not UTF-8"),
    ("x.csv", ",".join(["nan"] * 8), "encoder.input:1,1 of x.csv is nan"), ("x.csv", "\0", "is not a number (\\u{0})"),
    ("x.json", "[[1, 2], [3]]", "encoder.input of x.json is not valid; it must be a list"),
    ("x.json", "[[true]]", "is not valid"), ("x.json", "{\"a\": [[1]]}", "a of x.json is not a valid input"),
    ("x.json", "{\"encoder.input\": 1, \"encoder.input\": 1}", "twice"), ("x.json", "3", "has shape 0-d"),
    ("x.json", "[" * 99999, "is broken"), ("x.json", "{}", "give a file with encoder.input"),
    ("x.npy", "", "is broken"), ("x.npy", "PK", "is broken"),
    ("x.txt", "", "does not end in .npz, .npy, .json or .csv")))
def test_text_that_is_no_rows_is_refused_in_one_line(folder, name, text, words):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    assert words in refusal("trace", "--weights", "bare.npz", "--input", name)


def test_npy_that_lies_is_broken(folder):
    np.save("x.npy", np.load("source.npz")["encoder.input"])
    whole = (folder / "x.npy").read_bytes()
    for changed in (whole[:-1], whole + b"0", whole.replace(b"(4, 8)", b"(9,9)"), whole.replace(b"<f8", b"<f4")):
        (folder / "x.npy").write_bytes(changed)
        assert "is broken" in refusal("trace", "--weights", "bare.npz", "--input", "x.npy")
    np.save("x.npy", np.array([[None]]), allow_pickle=True)
    assert "contains a pickled object (x.npy)" in refusal("trace", "--weights", "bare.npz", "--input", "x.npy")


@pytest.mark.parametrize("sentence", ("[CLS] caf ##é [SEP]", "▁the <s> don't-stop ...", "a b c d", "어제 (카페) !? 1.5.2"))
def test_tokens_of_another_tokenizer_name_rows_one_a_word(folder, sentence):
    assert trace(sentence, weights="bare.npz", inputs="source.npz").steps[0].axes[0].labels == tuple(sentence.split())


@pytest.mark.parametrize("command", ("trace", "map", "steps"))
def test_commands_start_from_rows_without_a_sentence(folder, command):
    for options in (("--weights", "bare.npz"), ()):
        terse = ["--no-explain"] * (command == "trace")
        code, out, err = attntrace(command, *options, *terse, "--input", "rows.npz")
        assert (code, err) == (0, "") and "decoder" in out.lower()
        assert "embedding" not in out.replace("no embedding", "")


def test_page_of_attention_alone_speaks_of_nothing_else(folder):
    code, out, _ = attntrace("trace", "--weights", "attention.npz", "--input", "source.npz")
    assert code == 0 and "only multi-head attention: d_model 8, heads h = 2" in out
    assert not {"d_ff", "layers", "norm,", "id"} & set(out.replace(",", ", ").split())
    assert "Output: encoder.layer1.self_attention.output, 4 × 8" in out and "attention  256  = 4·d_model²" in out


def test_json_lines_of_given_rows_are_enough_to_compute_them_again(folder):
    code, out, _ = attntrace("trace", "a b c d", "--weights", "bare.npz", "--input", "rows.npz", "--format", "jsonl")
    head, *records, foot = loads(out)
    assert code == 0 and head["input"] == "rows.npz" and head["weights"] == "bare.npz"
    assert head["tokens"] == {"source": [{"id": None, "text": text} for text in "abcd"],
                              "target": [{"id": None, "text": text} for text in "123"]}
    assert len(computed_again(records)) == len(records) and foot["steps"] == sum("address" in one for one in records)
    assert records[0]["formula"] == "X = X_given"


def test_training_step_from_rows_goes_down_the_same_loss(folder):
    whole, part = (prepare_training_step(SENTENCE, TARGET, inputs=rows) for rows in (None, "rows.npz"))
    assert whole.losses()[0] == part.losses()[0]
    addresses: list[str] = []
    part(lambda step: addresses.append(step.address))
    assert addresses == list(part.addresses())
    assert "gradient.encoder.input" in addresses and "gradient.encoder.E" not in addresses
    with pytest.raises(Problem, match="no output layer"):
        prepare_training_step(SENTENCE, TARGET, weights="bare.npz", inputs="rows.npz")
    with pytest.raises(Problem, match="a row for <s> and one for each word"):
        prepare_training_step(SENTENCE, "un chat dort", inputs="rows.npz")


@pytest.mark.parametrize("ending", ("npz", "safetensors"))
def test_new_weights_give_the_fingerprint_of_their_seed(folder, ending):
    if ending == "safetensors":
        pytest.importorskip("safetensors")
    model = ("--layers", "2", "--norm", "pre", "--seed", "5")
    assert attntrace("weights", "new", "어제 카페", "--target", TARGET, *model, "-o", f"m.{ending}").code == 0
    pages = [attntrace("trace", "어제 카페", "--target", TARGET, "--only", "encoder.output", "--form", "matrix",
                       *more).out for more in (model, ("--weights", f"m.{ending}"))]
    assert len({page[page.index("Fingerprint"):page.index("Try next")] for page in pages}) == 1
    assert "4 source words, 4 target words" in attntrace("weights", "info", f"m.{ending}").out


# What is wrong

@pytest.mark.parametrize("arrays, words", (
    ({"encoder.input": np.zeros((3, 7))}, "has shape 3 × 7; it must be token × d_model, and d_model is 8"),
    ({"encoder.input": np.zeros(8)}, "shape 8; it must"), ({"encoder.input": np.zeros((0, 8))}, "shape 0 × 8; it"),
    ({"encoder.input": np.full((2, 8), np.nan)}, "encoder.input:1,1 of x.npz is nan"),
    ({"encoder.input": np.array([["a"] * 8])}, "contains <U1"), ({"encoder.input": np.array([[None] * 8])}, "pickled"),
    ({"encoder.input": np.zeros((2, 8)), "X": np.zeros(1)}, "X of x.npz is not a valid input"),
    ({"encoder.input": np.zeros((2, 8)), "encoder.output": np.zeros((2, 8))}, "remove the other"),
    ({"decoder.input": np.zeros((2, 8))}, "give a file with encoder.input"),
    ({"encoder.output": np.zeros((2, 8))}, "give a file with decoder.input"), ({}, "with encoder.input")))
def test_rows_that_are_wrong_are_refused_in_one_line(folder, arrays, words):
    np.savez("x.npz", **arrays)
    for options in (("--weights", "bare.npz"), ()):
        assert words in refusal("trace", *options, "--input", "x.npz")


@pytest.mark.parametrize("arguments, words", (
    (("trace", "a", "--weights", "bare.npz"), "--input"), (("trace", "", "--weights", "bare.npz"), "--input"),
    (("trace", "--weights", "attention.npz", "--input", "rows.npz"), "both encoder.input and decoder.input"),
    (("trace", "--weights", "decoder.npz", "--input", "rows.npz"), "does not take it as input"),
    (("trace", "--weights", "decoder.npz", "--input", "source.npz"), "does not take it as input"),
    (("trace", "--target", "a", "--weights", "bare.npz", "--input", "source.npz"), "with decoder.input"),
    (("trace", "--input", "missing.npz"), "does not exist"), (("trace", "--input", "."), "is a directory"),
    (("trace", "--input", "w.txt"), "does not end in .npz"), (("translate", "a", "--weights", "bare.npz"), "translate"),
    (("translate", "a", "-q", "--weights", "bare.npz"), "cannot translate"),
    (("weights", "export", "missing.npz", "-o", "s.npz"), "does not exist"),
    (("weights", "new", "a", "-o", "w.txt"), "use one of these endings"),
    (("weights", "new", "a"), "see attntrace weights new --help"),
    (("weights", "info", "w.txt"), "neither a weights file"), (("weights", "info", "rows.npz"), "not those of any")))
def test_what_cannot_be_run_is_refused_in_one_line(folder, arguments, words):
    (folder / "w.txt").touch()
    assert words in refusal(*arguments)


def test_file_without_words_is_so_altogether_or_not_at_all(folder):
    bare, whole = dict(np.load("bare.npz")), dict(np.load("w.npz"))
    for more, key in {"encoder.E": "vocabulary_kind", "output.W": "vocabulary_kind",
                      "vocabulary.target": "vocabulary_kind", "vocabulary.source": "parameter_missing"}.items():
        np.savez("x.npz", **bare, **{more: whole[more]})
        with pytest.raises(Problem) as caught:
            load(folder / "x.npz")
        assert caught.value.key == key
    config = json.loads(whole["config"].item()) | {"part": "encoder"}
    np.savez("x.npz", **whole | {"config": np.array(json.dumps(config))})
    with pytest.raises(Problem, match="has part encoder"):
        load(folder / "x.npz")


def test_file_without_words_may_be_written_by_hand(folder):
    bare = {name: value.tolist() for name, value in np.load("bare.npz").items()}
    config = json.loads(bare.pop("config"))
    (folder / "x.json").write_text(json.dumps({"config": config, "vocabulary": {}, "parameters": bare}))
    one, other = (trace(None, weights=name, inputs="rows.npz") for name in ("bare.npz", "x.json"))
    assert all(np.array_equal(step.value, other[step.address].value) for step in one.steps)


@pytest.mark.parametrize("arguments", (("weights", "new", "a", "-o", "x.safetensors"),
                                       ("weights", "info", "y.safetensors"),
                                       ("trace", "a", "--weights", "y.safetensors")), ids=lambda words: words[1])
def test_missing_library_is_said_with_the_command_that_installs_it(folder, monkeypatch, arguments):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    (folder / "y.safetensors").write_bytes(bytes(16))
    code, _, err = attntrace(*arguments)
    assert code == 2 and "pip install safetensors" in err and not (folder / "x.safetensors").exists()
