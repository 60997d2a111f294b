"""attntrace check: one's own numbers beside those of a run; and the slips that give them."""
import json
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import attntrace as attntrace_command
from slipped import SOURCE, TARGET, arrays_of, as_saved, random_run, random_training_step, with_random_parameters
from students import STUDENTS, uses_torch

import attntrace
from attntrace.files.weights import save
from attntrace.model.config import Config
from attntrace.runs.check import check
from attntrace.runs.prepare import prepare
from attntrace.runs.slips import SLIPS, first_step
from attntrace.runs.training_step import prepare_training_step
from attntrace.tensor.tensor import Tensor
from attntrace.testing import assert_matches

OF_TRAINING = ("gradient", "adam", "update", "loss", "labels", "smoothing")
BY_ID = {slip.id: slip for slip in SLIPS}


def ids_of(result: Any) -> list[set[str]]:
    return [{slip.id for slip in one.slips} for one in result.diagnoses]


@pytest.fixture(scope="module")
def model() -> Any:
    """What the students were given: a training step whose model has all biases, and an ε that is seen."""
    config = Config(d_model=12, heads=3, d_ff=5, epsilon=1e-3)
    step = prepare_training_step(SOURCE, TARGET, optimizer="adam", config=config)
    return step._replace(run=with_random_parameters(step.run, np.random.default_rng(3)))


def diagnosed(student: Any, model: Any) -> None:
    """Check what a student computed: the slips are named, and explain all of it."""
    right = arrays_of(model)
    given = {name: tensor.value for name, tensor in model.run.parameters.by_name.items()} | {
        "given decoder": right["decoder.layer1.self_attention.norm"], "given logits": right["output.logits"],
        "given labels": np.array(model.wanted.ids) - 1, "given gradient": right["gradient.output.W"]}
    in_decoder = student.__name__ in ("fills_where_the_mask_is_one", "attends_to_itself")
    words = model.run.target if in_decoder else model.run.source
    mine = student(given, [id - 1 for id in words.ids], model.run.config.heads)
    of_training = any(name.startswith(OF_TRAINING) for name in mine)
    subject = model if of_training else model.run if in_decoder else model.run._replace(target=None)
    result = check({name: np.asarray(array) for name, array in mine.items()}, subject)
    assert STUDENTS[student] in ids_of(result) and len(result.diagnoses) <= 3
    assert all(one.rest is None for one in result.diagnoses)


@pytest.mark.parametrize("student", [one for one in STUDENTS if not uses_torch(one)],
                         ids=lambda student: student.__name__)
def test_what_students_did_wrong_is_named(student, model):
    diagnosed(student, model)


def subjects() -> Iterator[Any]:
    """Models in which every slip can be seen: random ones, and some with sizes or settings that a few need."""
    for seed in range(8):
        yield random_run(seed)
        yield random_training_step(seed)
    square: dict[str, Any] = {"d_model": 4, "heads": 2, "d_ff": 4}
    yield random_run(1, **square, norm="pre", norm_variance="sample", norm_epsilon="outside", epsilon=1e-2, layers=2)
    yield random_run(1, **square, epsilon=1e-2, layers=2, norm="post", final_norm=False, norm_variance="population")
    yield random_training_step(2, d_model=5, heads=1, layers=1, scale_embedding=True)
    yield random_training_step(2, **square, scale_embedding=True)._replace(over="others")
    yield random_training_step(2, **square, activation="relu", epsilon=1e-2, norm="post")


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.id)
def test_a_run_with_a_slip_is_found_at_its_first_step_and_the_slip_is_named(slip):
    for subject in subjects():
        if first_step(subject, slip, 1e-3) is None:
            continue
        right, wrong = arrays_of(subject), arrays_of(slip(subject))
        common = [name for name in right if name in wrong]
        begins = [next(n for n, name in enumerate(common) if (
            wrong[name].shape != right[name].shape or not np.allclose(wrong[name], right[name], limit, limit)))
            for limit in (1e-7, 1e-4)]
        mine = as_saved({name: array for name, array in wrong.items() if name in right}, subject.run.config.heads)
        result = check(mine, subject)
        assert begins[0] <= common.index(result.first.address) <= begins[1]
        assert {slip.id} in ids_of(result) and len(result.diagnoses) <= 3
        assert all(one.rest is None and one.scope == "everywhere" for one in result.diagnoses)
        return
    raise AssertionError("no model in which it can be seen")


@pytest.mark.parametrize("seed", range(200))
def test_nothing_is_said_of_correct_numbers(seed):
    subject = random_run(seed) if seed % 5 else random_training_step(seed)
    right = arrays_of(subject)
    assert check(as_saved(right, subject.run.config.heads), subject).first is None
    single = {name: array.astype("f4") for name, array in right.items()}
    rounded = {name: np.round(array, 3) for name, array in right.items()}
    assert all(check(arrays, subject).first is None for arrays in (single, rounded))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_float32_agrees_with_float64(dtype):
    """Computed throughout in the one, compared with a run in the other."""
    for seed in range(6):
        run = random_run(seed)
        parameters = {name: tensor.value for name, tensor in run.parameters.by_name.items()}
        single = random_run(seed, dtype="float32")
        single = single._replace(parameters=single.parameters.replaced(
            {name: array.astype("f4") for name, array in parameters.items()}))
        one, other = (run, single) if dtype == "float64" else (single, run)
        assert check(arrays_of(one), other).first is None


def test_own_weights_are_a_mapping_and_a_test_fails_with_the_first_difference_and_the_slip():
    run = with_random_parameters(prepare(SOURCE, config=Config(d_model=6, heads=3)), np.random.default_rng(1))
    weights = {name: tensor.value for name, tensor in run.parameters.by_name.items()}
    right = arrays_of(run)
    wrong = arrays_of(BY_ID["scale_missing"](run))
    given = {"self_attention.key": right["encoder.layer1.self_attention.head1.key"]}
    settings = {"weights": weights, "d_model": 6, "heads": 3}
    report = attntrace.check(right, SOURCE, **settings)
    assert report and report.first is None and len(report.compared) == len(right)
    assert_matches(right, SOURCE, **settings)
    with pytest.raises(AssertionError) as failure:
        assert_matches(wrong, SOURCE, **settings)
    address = "encoder.layer1.self_attention.head1.scaled_scores"
    assert str(failure.value).startswith(f"{address} is the first that differs: at ")
    assert "The scores are not divided by √d_k." in str(failure.value)
    report = attntrace.check(wrong, SOURCE, **settings)
    assert not report and report.first == address and address in repr(report) and address in report._repr_html_()
    with pytest.raises(attntrace.Problem, match="3 heads"):
        attntrace.check(given, SOURCE, **settings)
    with pytest.raises(attntrace.Problem, match="lacks parameter"):
        attntrace.check(right, SOURCE, weights={"encoder.E": weights["encoder.E"]}, d_model=6, heads=3)
    assert attntrace.check({"gradient.output.W": np.zeros((8, 4))}, "a", "b", lr=0.1).first == "gradient.output.W"


@pytest.fixture(scope="module")
def blog() -> Any:
    return prepare("어제 카페 갔었어", "I went to the cafe yesterday")


WORDS = "어제 카페 갔었어", "--target", "I went to the cafe yesterday"


def saved(path: Path, arrays: dict[str, np.ndarray]) -> str:
    """Save arrays as the ending of the name says."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".json":
        path.write_text(json.dumps({name: array.tolist() for name, array in arrays.items()}).replace(
            "-Infinity", '"-inf"'))
    else:
        lines = [f"{name},{','.join(str(n + 1) for n in index)},{array[index]:.4f}"
                 for name, array in arrays.items() for index in np.ndindex(array.shape)]
        path.write_text("address,row,column,value\n" + "\n".join(lines))
    return str(path)


@pytest.mark.parametrize("ending", [".npz", ".json", ".csv"])
def test_the_answer_names_the_first_wrong_step_by_its_whole_address_and_the_slip(blog, ending, tmp_path):
    wrong = arrays_of(BY_ID["mask_diagonal"](blog))
    place = "decoder.layer1.self_attention.head2"
    given = {f"{place}.{name}": wrong[f"{place}.{name}"] for name in ("query", "scores", "masked_scores", "weights")}
    file = saved(tmp_path / f"mine{ending}", given)
    result = attntrace_command("check", file, *WORDS, "--quiet")
    assert (result.code, result.err) == (1, "")
    text = " ".join(result.out.split())
    assert text.startswith(f"{place}.masked_scores is the first that differs: at 1,1 it is -inf")
    assert "Slip: The mask also hides the diagonal" in text and "That gives all of your numbers." in text
    right = saved(tmp_path / f"right{ending}", {name: arrays_of(blog)[name] for name in given})
    result = attntrace_command("check", right, *WORDS, "--quiet")
    assert (result.code, result.err) == (0, "") and result.out.startswith("All arrays given (4) ")


@pytest.mark.parametrize("language, said", [
    ("en", "Slip: Not used: b_1."), ("ko", "실수: 쓰지 않은 파라미터가 있습니다: b_1.")])
def test_the_page_says_it_in_each_language_and_shows_the_arithmetic(language, said, tmp_path):
    run = with_random_parameters(prepare(SOURCE), np.random.default_rng(2))
    weights = tmp_path / "w.npz"
    with weights.open("wb") as file:
        save(file, run.config, run.vocabularies, run.parameters)
    mine = saved(tmp_path / "mine.npz", {"hidden": arrays_of(BY_ID["forgotten:b_1"](run))[
        "encoder.layer1.feed_forward.hidden"]})
    result = attntrace_command("check", mine, SOURCE, "--weights", str(weights), "--lang", language)
    assert result.code == 1 and said in result.out and "encoder.layer1.feed_forward.hidden:" in result.out
    assert "b_1[" in result.out and "attntrace why encoder.layer1.feed_forward.hidden:" in result.out


@pytest.mark.thorough
def test_two_slips_are_found_together_and_one_that_is_made_in_one_place_only(blog):
    right, both = arrays_of(blog), arrays_of(BY_ID["scale_missing"](BY_ID["positions_twice"](blog)))
    mine = {name: both[name] for name in right if "head" not in name or name.endswith("weights")}
    result = check(mine, blog)
    assert ids_of(result) == [{"scale_missing", "positions_twice"}] and result.diagnoses[0].rest is None
    last = {"output.probabilities": both["output.probabilities"]}  # nothing between the two
    assert {"scale_missing", "positions_twice"} in ids_of(check(last, blog))
    wrong = arrays_of(BY_ID["scale_missing"](blog))
    here = "decoder.layer1.self_attention.head1.scaled_scores"
    once = blog._replace(change=lambda address, own: Tensor(wrong[here], own.axes) if address == here else own)
    result = check(arrays_of(once), blog)
    assert ids_of(result) == [{"scale_missing"}] and result.diagnoses[0].rest is None
    assert result.diagnoses[0].scope == "only_here"


@pytest.mark.parametrize("address, name", [("encoder.layer1.feed_forward.output", 3), ("decoder.output", 7)])
def test_t_is_the_length_of_the_sentence_that_a_step_is_of(blog, address, name, tmp_path):
    mine = saved(tmp_path / "mine.npz", {address: name * arrays_of(blog)[address]})
    assert f"times {name} = T." in attntrace_command("check", mine, *WORDS).out


def test_a_sum_without_its_residual_connection_is_named_where_the_sum_is(blog):
    """A program without residual connections has sums as well: what its sub-layers return."""
    wrong = arrays_of(BY_ID["residual_missing"](blog))
    outputs = {address: wrong[address.replace(".residual", ".output")] for address in wrong if address.endswith(
        ".residual")}
    result = check(outputs, blog)
    assert len(outputs) == 5 and result.first.address == "encoder.layer1.self_attention.residual"
    assert ids_of(result) == [{"residual_missing"}]
    assert result.diagnoses[0].rest is None and result.diagnoses[0].scope == "everywhere"


@pytest.mark.parametrize("change, key", [
    (lambda right: right.T, "transposed"), (lambda right: 7 * right, "factor"), (lambda right: right[::-1], None),
    (lambda right: right + np.nan, "nan"), (lambda right: 1e308 + right, None)])
def test_numbers_that_no_slip_gives_are_compared_with_others(blog, change, key):
    address = "encoder.layer1.feed_forward.output"
    if key == "transposed":
        address = "decoder.layer1.self_attention.head1.weights"
    result = check({address: change(arrays_of(blog)[address])}, blog)
    assert not result.diagnoses and (result.likeness and result.likeness.key) == key


def test_arrays_are_read_in_the_shapes_that_programs_have(blog):
    right = arrays_of(blog)
    place = "encoder.layer1.self_attention"
    heads = [right[f"{place}.head{n}.query"] for n in (1, 2)]
    for query in (np.stack(heads), np.stack(heads)[None], np.stack(heads, axis=1)[None], np.hstack(heads)):
        assert [one.address for one in check({f"{place}.query": query}, blog).compared if one.agrees] == [
            f"{place}.head1.query", f"{place}.head2.query"]
    for given in (right["encoder.input"][None], right["encoder.input"][:, None], right["encoder.input"].T):
        assert check({"encoder/input": given}, blog).first is None
    assert check({f"{place}.mean": right[f"{place}.mean"][:, None]}, blog).first is None
    hidden = np.where(np.isneginf(right["decoder.layer1.self_attention.head1.masked_scores"]), -1e9,
                      right["decoder.layer1.self_attention.head1.masked_scores"])
    assert check({"decoder.layer1.self_attention.head1.masked_scores": hidden}, blog).first is None
    shape = check({"encoder.input": right["encoder.input"][:2]}, blog).first
    assert shape.how == "shape"


@pytest.mark.parametrize("content, name, said", [
    (b"{", "a.json", "is broken"), (b"[[1, 2], [3]]", "a.json", "lists of equal length|numbers"),
    (b'{"scores": [[1]]}', "a.json", "any of 6 steps"), (b'{"nonsense": [1]}', "a.json", "no step or parameter"),
    (b'{"\\u001b[2J": [1]}', "a.json", r"\\u\{1B\}"), (b"{}", "a.json", "has no arrays"),
    (b"address,row,column,value\nx,1,1,=SUM(A1)\n", "a.csv", "line 2"), (b"\xff\xfe", "a.csv", "broken"),
    (b"address,row,column,value\nencoder.input,1,999999999,1\n", "a.csv", "every row and column"),
    (b"PK\x03\x04nonsense", "a.npz", "broken"), (b"1", "a.txt", "does not end in one of"),
    (pickle.dumps({"encoder.input": 1}), "a.npy", "broken"), (b"[1e999, 1e999]", "encoder.input.json", None)])
def test_a_broken_or_hostile_file_is_one_line(content, name, said, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    result = attntrace_command("check", str(path), *WORDS)
    if said is None:
        assert result.code == 1 and "is the first that differs" in result.out
        return
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1) and "\x1b" not in result.err
    assert re.search(said, result.err)


def test_python_objects_are_not_loaded(tmp_path):
    np.savez(tmp_path / "mine.npz", **{"encoder.input": np.array([{"a": 1}], object)})
    result = attntrace_command("check", str(tmp_path / "mine.npz"), *WORDS)
    assert result.code == 2 and "pickled object" in result.err


def test_names_lists_every_step_with_an_end_that_is_enough(blog):
    lines = attntrace_command("check", "--names", *WORDS).out.splitlines()
    for address, array in arrays_of(blog).items():
        (line,) = [line for line in lines if line.split()[:1] == [address]]
        assert line.endswith(" × ".join(map(str, array.shape)))
        short = line.split()[1]
        assert short[0].isdigit() or address.endswith(f".{short}") and check({short: array}, blog).first is None


@pytest.mark.parametrize("arguments, said", [
    ((), "name the file"), (("missing.npz",), "does not exist"),
    (("mine.npz", "--lr", "1"), "--backprop"), (("mine.npz", "--tolerance", "-1"), "--tolerance")])
def test_a_wrong_command_is_refused(arguments, said, tmp_path):
    file = saved(tmp_path / "mine.npz", {"encoder.input": np.zeros((3, 8))})
    result = attntrace_command("check", *(file if one == "mine.npz" else one for one in arguments))
    assert result.code == 2 and said in result.err
