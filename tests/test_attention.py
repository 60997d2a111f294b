"""Attention alone, heads of any size, and what is true of every mask; without PyTorch."""
import json
import re
from pathlib import Path

import numpy as np
import pytest
from command import attntrace, refusal
from random_model import SENTENCE, TRANSLATION, random_model
from recompute import computed_again, loads

from attntrace import TracedRun, trace
from attntrace.messages.catalog import LANGUAGES
from attntrace.messages.errors import Problem

PLACE = "encoder.layer1.self_attention"
CAT = "this is a cat"
HIDDEN = [[False, True, False, True], [False] * 4, [True] * 4, [True, False, False, False]]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(part: str, matrices: dict[str, list], **config: object) -> str:
    """A JSON file of an attention alone."""
    place = PLACE if part == "attention" else "attention"
    model = {"config": {"part": part, "heads": 1, **config}, "vocabulary": {},
             "parameters": {f"{place}.{name}": np.array(value).tolist() for name, value in matrices.items()}}
    Path("w.json").write_text(json.dumps(model))
    return "w.json"


def given(**rows: object) -> str:
    np.savez("rows.npz", **{name.replace("_", ".") if name != "lengths" else name: np.array(value)
                            for name, value in rows.items()})
    return "rows.npz"


def run(part: str, matrices: dict[str, list], rows: str, words: tuple[str | None, str | None] = (None, None),
        mask: str | None = None, pad: int | None = None, **config: object) -> TracedRun:
    return trace(*words, weights=written(part, matrices, **config), inputs=rows, mask=mask, pad=pad)


# What is true of every mask

def test_padding_at_the_end_changes_no_word_before_it():
    padded, alone = trace(f"{CAT} x y", "a b", pad=2), trace(CAT, "a b")
    for step in alone.steps:
        value = padded[step.address].value
        if step.name not in ("logits", "probabilities"):  # whose vocabulary is the same
            value = value[:step.value.shape[0], :step.value.shape[1] if step.axes[-1].name == "key" else None] if (
                len(step.axes) == 2) else value[:len(step.value)]
        assert np.allclose(value, step.value, rtol=0, atol=1e-12), step.address
    assert not padded["cross_attention.head1.weights"].value[:, 4:].any()


def test_causal_rows_do_not_depend_on_later_words():
    one, other = (trace(f"{CAT} {last}", causal=True) for last in ("sat", "ran"))
    for before, after in zip(one.steps, other.steps, strict=True):
        if before.name not in ("scores", "scaled_scores"):  # before the mask
            assert np.allclose(before.value[:-1], after.value[:-1], rtol=0, atol=1e-12), before.address
    assert np.abs(one["encoder.output"].value[-1] - other["encoder.output"].value[-1]).max() > 0.01


@pytest.mark.parametrize("ending", ("npy", "npz", "json", "csv"))
@pytest.mark.parametrize("boolean", (True, False), ids=("boolean", "added"))
def test_a_mask_from_any_file_hides_what_it_says(ending, boolean):
    hidden = np.array(HIDDEN)
    mask = hidden if boolean else np.where(hidden, -np.inf, 0.5)
    name = f"m.{ending}"
    if ending == "npy":
        np.save(name, mask)
    elif ending == "npz":
        np.savez(name, **{"encoder.self_attention": mask})
    elif ending == "json":
        Path(name).write_text(json.dumps(mask.tolist()))  # -Infinity, as Python writes it
    else:
        Path(name).write_text("\n".join(",".join(map(str, row)) for row in mask.tolist()) + "\n")
    masked, scores = trace(CAT, mask=name), trace(CAT)
    for head in ("head1", "head2"):
        weights = masked[f"{head}.weights"].value
        assert ((weights == 0) == hidden).all()
        powers = np.where(hidden, 0, np.exp(scores[f"{head}.scaled_scores"].value))  # of which 0.5 changes nothing
        assert np.allclose(weights * powers.sum(axis=1, keepdims=True), powers, rtol=0, atol=1e-12)


def test_a_mask_may_be_of_each_head_of_all_queries_or_have_axes_of_one():
    hidden = np.array(HIDDEN)
    np.save("heads.npy", np.stack([hidden, ~hidden]))
    np.save("keys.npy", hidden[0])
    np.save("one.npy", hidden[None, None])
    each = trace(CAT, mask="heads.npy")
    assert [((each[f"head{n}.weights"].value == 0) == (hidden, ~hidden)[n - 1]).all() for n in (1, 2)] == [True, True]
    assert ((trace(CAT, mask="keys.npy")["head2.weights"].value == 0) == hidden[0]).all()
    assert ((trace(CAT, mask="one.npy")["head2.weights"].value == 0) == hidden).all()


def test_each_attention_has_the_mask_of_its_name_in_all_layers():
    np.savez("m.npz", **{"encoder.self_attention": np.full((4, 4), 1000.0) * np.eye(4),
                         "cross_attention": np.array([True, True, True, False])})
    steps = trace(CAT, "a b", mask="m.npz", layers=2)
    for step in steps.steps:
        if step.name == "weights" and "encoder." in step.address:
            assert (step.value == np.eye(4)).all()
        elif step.name == "weights" and "cross" in step.address:
            assert (step.value == [0, 0, 0, 1]).all()
    assert "decoder.layer2.self_attention.head1.masked_scores" in steps


@pytest.mark.parametrize("language, words", (("en", ("there is nowhere to look", "NaN in PyTorch", "are 0")),
                                             ("ko", ("볼 수 있는 단어가 하나도 없습니다", "NaN이지만"))))
def test_a_row_that_may_look_nowhere_is_explained_and_is_0(language, words):
    np.save("m.npy", HIDDEN)
    steps = trace(CAT, mask="m.npy")
    for head in ("head1", "head2"):
        assert not steps[f"{head}.weights"].value[2].any() and not steps[f"{head}.output"].value[2].any()
    result = attntrace("trace", CAT, "--mask", "m.npy", "--lang", language, "--width", "300")
    assert result.code == 0 and "3:a" in result.out and [word for word in words if word not in result.out] == []


@pytest.mark.parametrize("options", (("--pad", "4"), ("--mask", "m.npy"), ("--pad", "1", "--causal", "--mean-weights")),
                         ids=" ".join)
def test_gradients_checks_and_saved_runs_know_masks(options):
    np.savez("m.npz", **{"encoder.self_attention": np.array(HIDDEN), "decoder.self_attention": np.eye(3) / 3})
    options = (*(option.replace("npy", "npz") for option in options), "--d-model", "2", "--heads", "2", "--d-ff", "2")
    for command in (("verify", CAT, "--target", "a b"), ("verify", CAT, "--target", "a b", "--backprop"),
                    ("backprop", CAT, "a b", "--check", "--only", "gradient.*self_attention.W_Q", "--save", "s.npz"),
                    ("trace", CAT, "--pencil", "3"),
                    ("verify", CAT, "--pencil", "3")):
        if "--target" not in command and "backprop" not in command and "--mask" in options:
            continue
        result = attntrace(*command, *options)
        assert result.code == 0, result
    shown = attntrace("show", "--from", "s.npz", "--only", "loss.*")
    assert shown.code == 0 and "mask: " in shown.out and attntrace("verify", "--from", "s.npz").code == 0
    again = attntrace("backprop", CAT, "a b", *options, "--only", "loss.*")
    assert fingerprint(shown.out) == fingerprint(again.out)


def fingerprint(page: str) -> str:
    return page.partition("Fingerprint ")[2][:8]


def test_gradients_of_a_row_that_may_look_nowhere_are_0():
    out = attntrace("backprop", CAT, "a b", "--pad", "4", "--format", "csv", "--only", "gradient.*head1.scores").out
    rows = [line.split(",") for line in out.splitlines()[1:]]
    assert {float(row[-1]) for row in rows if ".encoder." in row[0] or "cross" in row[0]} == {0.0}
    assert any(float(row[-1]) for row in rows if "decoder.layer1.self_attention" in row[0])


def test_json_lines_record_the_masks_so_that_every_step_can_be_computed_again():
    np.save("m.npy", np.where(HIDDEN, -np.inf, 0.25))
    records = loads(attntrace("trace", CAT, "--mask", "m.npy", "--format", "jsonl").out)
    assert records[0]["masks"]["file"] == "m.npy"
    assert records[0]["masks"]["added"]["encoder.self_attention"][0] == [0.25, "-inf", 0.25, "-inf"]
    assert len(list(computed_again(records[1:-1]))) > 20
    assert "masks" not in loads(attntrace("trace", CAT, "--format", "jsonl").out)[0]


@pytest.mark.parametrize("mask, arguments, words", (
    (np.zeros((3, 4)), (), "must be 4 × 4"), (np.eye(4), (), "only 0 and 1"), (np.full((4, 4), np.inf), (), "inf"),
    (np.full((4, 4), np.nan), (), "nan"), (np.zeros((4, 4), complex), (), "complex128"),
    (np.zeros((4, 4)), ("--target", "a"), "encoder.self_attention, decoder.self_attention, decoder.cross_attention"),
    (np.zeros((4, 4), object), (), "pickle")))
def test_a_mask_that_fits_nothing_is_refused_in_one_line(mask, arguments, words):
    np.save("m.npy", mask, allow_pickle=True)
    assert words in refusal("trace", CAT, *arguments, "--mask", "m.npy")


@pytest.mark.parametrize("name, text, words", (
    ("m.json", "[[1, 2], [3]]", "rows of equal length"), ("m.json", "[[true, 1]]", "rows of equal length"),
    ("m.json", '{"encoder.layer9": [[1]]}', "encoder.self_attention"), ("m.json", "[[null]]", "rows of equal length"),
    ("m.json", "[[", "is broken ("), ("m.csv", "1,x\n", "rows of equal length"), ("m.csv", "", "must be 4 × 4"),
    ("m.npy", "no array", "is broken ("), ("m.txt", "1", "does not end in"), ("m.npz", "no zip", "is broken ("),
    ("m.json", "[" * 5000, "is broken ("), ("m.json", "7", "rows of equal length")))
def test_a_mask_file_that_is_broken_is_refused_in_one_line(name, text, words):
    Path(name).write_text(text)
    assert words in refusal("trace", CAT, "--mask", name)


def test_padding_that_cannot_be_is_refused():
    assert "only 4 words" in refusal("trace", CAT, "--pad", "5")
    rows = np.zeros((3, 8))
    assert "leave out one" in refusal("trace", "--input", given(encoder_input=rows, lengths=2), "--pad", "1")
    for lengths in ([4], [1, 2], [1.0], [-1], [[1], [2]]):
        assert "lengths of rows.npz" in refusal("trace", "--input", given(encoder_input=rows, lengths=lengths))


# Heads, rows and W_O

def test_head_sizes_that_do_not_follow_from_d_model_need_not_divide_it():
    steps = trace(CAT, d_model=8, heads=3, d_k=2, d_v=5)
    assert steps["head3.query"].value.shape == (4, 2) and steps["concat"].value.shape == (4, 15)
    with pytest.raises(Problem, match="does not divide"):
        trace(CAT, d_model=8, heads=3, d_k=2)


def test_swapped_keys_take_their_values_along():
    rng = np.random.default_rng(1)
    rows = given(query_input=rng.normal(size=(3, 4)), key_input=rng.normal(size=(5, 3)),
                 value_input=rng.normal(size=(5, 2)))
    matrices = {"W_Q": rng.normal(size=(4, 6)), "W_K": rng.normal(size=(3, 6)), "W_V": rng.normal(size=(2, 2))}
    weights = written("cross_attention", matrices, d_model=4, heads=2, d_k=3, d_v=1, k_dim=3, v_dim=2)
    command = ("trace", "--weights", weights, "--input", rows, "--format", "csv", "--only", "attention.concat")
    numbers = [[float(line.split(",")[-1]) for line in attntrace(*command, *more).out.splitlines()[1:]]
               for more in ((), ("--swap", "1,4"), ("--ablate", "head1"))]
    assert np.allclose(numbers[0], numbers[1], rtol=0, atol=1e-12)
    assert numbers[2][0::2] == [0.0] * 3 and numbers[2][1::2] == numbers[0][1::2]  # without W_O


def test_an_attention_takes_what_cross_attention_reads_for_queries_and_keys():
    rng = np.random.default_rng(1)
    matrices = {f"W_{letter}": rng.normal(size=(4, 4)) for letter in "QKVO"}
    queries, keys = rng.normal(size=(2, 4)), rng.normal(size=(3, 4))
    one, other = (run("attention", matrices, given(**rows), ("a b c", "x y"), d_model=4, heads=2).steps[-1].value
                  for rows in ({"query_input": queries, "key_input": keys},
                               {"decoder_input": queries, "encoder_output": keys}))
    alone = run("cross_attention", matrices, given(query_input=queries, key_input=keys, value_input=keys), d_model=4,
                heads=2).steps[-1].value
    assert one.shape == (2, 4) and np.array_equal(one, other) and np.array_equal(one, alone)


@pytest.mark.parametrize("part", ("attention", "cross_attention"))
@pytest.mark.parametrize("queries, titles", ((2, ["Queries", "Keys and values"]), (3, ["Queries, keys, values"])))
def test_a_title_names_only_what_its_stage_has(part, queries, titles):
    weights = written(part, {name: np.eye(3) for name in ("W_Q", "W_K", "W_V")}, d_model=3)
    rows = given(query_input=np.eye(3)[:queries], key_input=np.eye(3), value_input=np.eye(3))
    page = attntrace("trace", "--weights", weights, "--input", rows, "--form", "vector").out
    assert re.findall(r"^1\.[4-7]  (.+) ✓", page, re.M) == [*titles, "Attention of each token", "Concatenated heads"]


@pytest.mark.parametrize("rows, words", (
    ({"query_input": (2, 4)}, "needs vectors as input; give a file with key.input"),
    ({"key_input": (2, 3)}, "with query.input"), ({"query_input": (2, 4), "key_input": (2, 3)}, "with value.input"),
    ({"encoder_input": (2, 4)}, "with query.input"), ({"query_input": (2, 3)}, "d_model is 4"),
    ({"query_input": (2, 4), "key_input": (2, 4)}, "k_dim is 3"), ({"decoder_input": (2, 4), "query_input": (2, 4)},
                                                                   "not a valid input"),
    ({"query_input": (2, 4), "key_input": (3, 3), "value_input": (2, 2)}, "3 rows of keys, but 2 rows of values")))
def test_rows_that_an_attention_cannot_take_are_refused(rows, words):
    weights = written("cross_attention", {"W_Q": np.eye(4), "W_K": np.eye(3, 4), "W_V": np.eye(2, 4)}, d_model=4,
                      k_dim=3, v_dim=2)
    assert words in refusal("trace", "--weights", weights, "--input",
                            given(**{name: np.zeros(shape) for name, shape in rows.items()}))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", ("trace", "map", "steps", "verify", "compare"))
def test_every_command_shows_an_attention_alone(language, command):
    rows = given(query_input=np.ones((2, 3)), key_input=np.eye(3), lengths=[0, 2])
    weights = written("cross_attention", {"W_Q": np.eye(3, 4), "W_K": np.eye(3, 4), "W_V": np.eye(3, 2)}, d_model=3,
                      heads=2, d_k=2, d_v=1)
    more = ["--what-if", "--pad 1"] if command == "compare" else []
    for width in ("60", "160"):
        result = attntrace(command, "ein Haus da", "--target", "a house", "--weights", weights, "--input", rows, *(
            more if command != "compare" else ["--what-if", "--ablate head1"]), "--lang", language, "--width", width)
        assert result.code == 0, result
        assert command in ("verify", "compare") or "attention.head1" in result.out or command == "map"
        assert max(map(len, result.out.splitlines())) <= int(width)


def test_a_missing_output_projection_is_refused_where_the_sizes_do_not_add_up():
    assert "must return d_model = 8" in refusal("trace", CAT, "--no-output-projection", "--d-v", "3")
    file = random_model(output_projection=False).write(Path("m.npz"))
    assert "no W_O" in refusal("weights", "export", str(file), "-o", "s.npz")
    file = random_model(d_k=3).write(Path("m.npz"))
    assert "heads whose size is not" in refusal("weights", "export", str(file), "-o", "s.npz")


# The mean over heads

def test_the_mean_of_the_weights_is_a_step_only_where_it_is_asked_for():
    steps = trace(CAT, heads=4, mean_weights=True)
    heads = np.stack([steps[f"head{n}.weights"].value for n in range(1, 5)])
    assert np.allclose(steps["weights_mean"].value, heads.mean(axis=0), rtol=0, atol=1e-15)
    asked = attntrace("trace", CAT, "--head", "mean", "--format", "csv").out.splitlines()[1:]
    assert {line.partition(",")[0] for line in asked} == {f"{PLACE}.weights_mean"} and len(asked) == 16
    assert "weights_mean" not in attntrace("trace", CAT, "--format", "csv").out
    assert "mean over heads" in attntrace("map", CAT, "--head", "mean").out


def test_a_weights_file_runs_with_a_mask_or_a_mean_that_it_does_not_mention():
    file = str(random_model().write(Path("m.npz")))
    own = str(random_model(causal=True, mean_weights=True).write(Path("own.npz")))
    words = ("trace", SENTENCE, "--target", TRANSLATION, "--format", "csv")
    assert attntrace(*words, "--weights", file, "--causal", "--mean-weights").out == attntrace(
        *words, "--weights", own).out != attntrace(*words, "--weights", file).out
    assert attntrace(*words, "--weights", own, "--no-causal", "--no-mean-weights").out == attntrace(
        *words, "--weights", file).out
    assert "cannot be used with a weights file" in refusal("trace", "a", "--weights", file, "--d-k", "3")
