"""One's own numbers checked in Python, and in a test: `assert_matches` fails with the first difference and the slip."""
from __future__ import annotations

import html
import io
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from attntrace.files.arrays import shape_text
from attntrace.messages.catalog import default_languages, in_a_line
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import ENTRIES, Config
from attntrace.model.parameters import Spec, allocate, specs
from attntrace.runs.check import Checked, Compared, Diagnosis
from attntrace.runs.check import check as checked_against
from attntrace.runs.prepare import prepare
from attntrace.runs.run import Run, Subject
from attntrace.runs.training_step import prepare_training_step
from attntrace.tensor.tensor import Array

Weights = str | os.PathLike[str] | Mapping[str, Any]
OF_TRAINING = ("optimizer", "lr", "smoothing", "over")


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

    def __repr__(self) -> str:
        from attntrace.pages.check import checked
        from attntrace.writers import PAGES
        from attntrace.writers.page import Look
        out = io.StringIO()
        writer = PAGES["text"].load()(out, Look(colour="never", languages=default_languages()))
        writer(checked(self._checked, "", ""))
        writer.close()
        return out.getvalue().rstrip("\n")

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def check(arrays: Mapping[str, Any], sentence: str | None, target: str | None = None, *,
          weights: Weights | None = None, tolerance: float | None = None, **settings: Any) -> Report:
    """Compare arrays (NumPy's, or what `numpy.asarray` takes, such as detached tensors), by the names of steps or ends
    of them (`head1.scores`), with a run of the model on a sentence.

    weights: a weights file, or a mapping of the model's parameters by name (without it, drawn from `seed`). tolerance:
    how far numbers may be apart; without it, as far as their precision explains. settings: as of `trace`; with an
    `optimizer` ("sgd" or "adam", `lr`, `smoothing`), the arrays are compared with a training step, which learns the
    target. Raises Problem for names that mean nothing and for bad settings."""
    given = {name: _array(name, array) for name, array in arrays.items()}
    if not given:
        raise Problem("check_empty", file="arrays")
    return Report(checked_against(given, _subject(sentence, target, weights, settings), tolerance))


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


def _subject(sentence: str | None, target: str | None, weights: Weights | None, settings: dict[str, Any]) -> Subject:
    training = {name: settings.pop(name) for name in OF_TRAINING if name in settings}
    model = {name: settings.pop(name) for name in list(settings) if name in ENTRIES}
    if isinstance(weights, Mapping) or weights is None:
        settings["config"] = Config(**model)
    else:
        of_run = {name: value for name, value in model.items() if ENTRIES[name].of_run}
        if others := ", ".join(model.keys() - of_run.keys()):
            raise Problem("options_with_weights", options=others)
        settings |= {"weights": weights, "wiring": of_run}
    if training:
        step = prepare_training_step(sentence, target or "", **training, **settings)
        return step._replace(run=_with_parameters(step.run, weights)) if isinstance(weights, Mapping) else step
    run = prepare(sentence, target, **settings)
    return _with_parameters(run, weights) if isinstance(weights, Mapping) else run


def _with_parameters(run: Run, weights: Mapping[str, Any]) -> Run:
    """The run with other parameters. Raises Problem for one that is missing, surplus or of another shape."""
    arrays = {name: _array(name, array) for name, array in weights.items()}
    known = {spec.name: spec for spec in specs(run.config, run.vocabularies)}
    for name in arrays.keys() - known.keys():
        raise Problem("parameter_surplus", file="weights", name=shown(name))
    for name, spec in known.items():
        if name not in arrays and not spec.optional:
            raise Problem("parameter_missing", file="weights", name=name)
        if name in arrays and arrays[name].shape != spec.shape:
            raise Problem("parameter_shape", file="weights", name=name, is_=shape_text(arrays[name].shape),
                          should=shape_text(spec.shape), axes=" × ".join(axis.name for axis in spec.axes))

    def fill(spec: Spec, view: Array) -> None:
        view[...] = arrays[spec.name]

    return run._replace(parameters=allocate([spec for spec in known.values() if spec.name in arrays],
                                            run.config.dtype, fill), weights="weights", seed=None)
