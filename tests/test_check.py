"""attntrace check: one's own numbers beside those of a run; and the slips that give them."""
from typing import Any

import numpy as np
import pytest
from slipped import SOURCE, TARGET, arrays_of, as_saved, random_run, random_training_step, with_random_parameters
from students import STUDENTS

from attntrace.model.config import Config
from attntrace.runs.check import Precision, check, fitted
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


@pytest.mark.parametrize("student", STUDENTS, ids=lambda student: student.__name__)
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
