"""attntrace check: one's own numbers beside those of a run; and the slips that give them."""
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from slipped import SOURCE, TARGET, arrays_of, as_saved, random_run, random_training_step, with_random_parameters
from students import STUDENTS

from attntrace.model.config import Config
from attntrace.runs.check import check
from attntrace.runs.slips import SLIPS, first_step
from attntrace.runs.training_step import prepare_training_step

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


@pytest.mark.parametrize("student", [one for one in STUDENTS if "torch" not in one.__code__.co_varnames],
                         ids=lambda student: student.__name__)
def test_what_students_did_wrong_is_named(student, model):
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


@pytest.mark.parametrize("seed", range(1000))
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
