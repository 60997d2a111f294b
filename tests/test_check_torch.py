"""attntrace check beside PyTorch: programs with mistakes, and the code that `--how` prints."""
from typing import Any

import numpy as np
import pytest
from command import attntrace
from test_check import diagnosed, model  # noqa: F401
from students import STUDENTS

from attntrace.files.weights import save
from attntrace.model.config import Config
from attntrace.pages.check import HOW
from attntrace.runs.check import check
from attntrace.runs.prepare import prepare

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("student", [one for one in STUDENTS if "torch" in one.__code__.co_varnames],
                         ids=lambda student: student.__name__)
def test_what_students_did_wrong_in_pytorch_is_named(student, model):  # noqa: F811
    diagnosed(student, model)
