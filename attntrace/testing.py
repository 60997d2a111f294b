"""One's own numbers checked in Python, and in a test: `assert_matches` fails with the first difference and the slip."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from attntrace.api import Page, backprop, in_python, trace
from attntrace.messages.catalog import Message, default_languages, in_a_line
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import as_json
from attntrace.runs.check import Checked, Compared, Diagnosis
from attntrace.runs.check import check as checked_against
from attntrace.tensor.tensor import Array
from attntrace.tracing.trace import Step

OF_TRAINING = {"optimizer", "lr", "label_smoothing", "label_smoothing_over"}


class Report:
    """What came of a check; true if all arrays agree.

    first: the address of the first step that differs, None if none does. compared: each array with its largest
    difference, in the order of computation. diagnoses: the slips that give these numbers, the best ones only. `repr`
    and a notebook show the page of `attntrace check`."""

    def __init__(self, checked: Checked) -> None:
        self._checked = checked

    def __bool__(self) -> bool:
        return self._checked.first is None

    @property
    def first(self) -> str | None:
        first = self._checked.first
        return None if first is None else first.address

    @property
    def compared(self) -> list[Compared]:
        return list(self._checked.compared)

    @property
    def diagnoses(self) -> list[Diagnosis]:
        return list(self._checked.diagnoses)

    @property
    def message(self) -> str:
        """The answer: the first difference and what explains it, or that there is none."""
        from attntrace.pages.check import conclusion, diagnosis
        texts = [conclusion(self._checked), *(block.text for block in diagnosis(self._checked))]
        return "\n".join(in_a_line(text, default_languages()) for text in texts)

    @property
    def _page(self) -> Page:
        from attntrace.pages.check import checked
        return Page([*checked(self._checked, "", "")])

    def __repr__(self) -> str:
        return repr(self._page)

    def _repr_html_(self) -> str:
        return self._page._repr_html_()


def check(arrays: Mapping[str, Any], sentence: str | None, target: str | None = None, *,
          tolerance: float | None = None, **settings: Any) -> Report:
    """Compare arrays (NumPy's, or what `numpy.asarray` takes, and PyTorch's tensors), by the names of steps or ends of
    them (`head1.scores`), with a run of the model on a sentence.

    tolerance: how far numbers may be apart; without it, as far as their precision explains. settings: the arguments of
    `attntrace.trace`, such as `weights`; with one of `attntrace.backprop`, such as `optimizer="sgd"`, the arrays are
    compared with a training step. Raises Problem for names that mean nothing and for bad settings."""
    with in_python():
        if not isinstance(arrays, Mapping):
            raise Problem("argument_type", name="arrays", type=type(arrays).__name__, kind="Mapping")
        if tolerance is not None and not (isinstance(tolerance, (int, float, np.floating)) and 0 <= tolerance < np.inf):
            raise Problem("no_such_number_option", option="tolerance", value=as_json(tolerance),
                          wanted=Message("problem.why.not_negative"))
        given = {str(name): _array(str(name), array) for name, array in arrays.items()}
        if not given:
            raise Problem("check_empty", file="arrays")
        run = (backprop(sentence, target or "", sink=ignore, **settings) if OF_TRAINING & settings.keys() else
               trace(sentence, target, sink=ignore, **settings))
        return Report(checked_against(given, run._subject, tolerance))


def ignore(step: Step) -> None:
    """A sink that keeps nothing: the check runs the subject itself."""


def assert_matches(arrays: Mapping[str, Any], sentence: str | None, target: str | None = None, **settings: Any) -> None:
    """Raise AssertionError where arrays do not agree with a run, with the first difference and the slip that gives
    them. The arguments are those of `check`."""
    report = check(arrays, sentence, target, **settings)
    if not report:
        raise AssertionError(report.message)


def _array(name: str, given: Any) -> Array:
    given = given.detach() if hasattr(given, "detach") else given
    try:
        array = np.asarray(given.cpu() if hasattr(given, "cpu") else given)
        if array.dtype.kind not in "fiub":
            raise ValueError
    except (TypeError, ValueError):
        raise Problem("parameter_not_numbers", file="arrays", name=shown(name)) from None
    return array if array.dtype.kind == "f" else array.astype(float)
