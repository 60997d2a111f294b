"""One training step, traced: forwards, the loss, backwards, the update of every parameter, and the loss after it."""
from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.model.parameters import Parameters
from attntrace.model.tokens import END, START, Words, look_up, tokenize
from attntrace.model.transformer import transformer
from attntrace.runs.drift import Drift
from attntrace.runs.prepare import prepare
from attntrace.runs.records import words
from attntrace.runs.run import Run
from attntrace.tensor.json_value import Record, json_value
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.trace import Sink, Step, Trace
from attntrace.training.backward import Plan, backward
from attntrace.training.loss import loss
from attntrace.training.optimizers import Moments, Rates, adam, descend
from attntrace.training.schedule import OPTIMIZERS


class TrainingStep(NamedTuple):
    """A sentence, its translation, and how a model learns from them. Calling it tells each step to a sink; twice gives
    the same twice, since no parameter is changed for good.

    run: the decoder's input is `<s>` and the words of the translation; wanted: what should come after each of these,
    the words and `</s>`.
    """
    run: Run
    wanted: Words
    optimizer: str
    rates: Rates
    smoothing: float

    def __call__(self, sink: Sink | None = None) -> tuple[float, dict[str, Array]]:
        """Returns the loss, and every parameter after its update, by its name."""
        run, kept = self.run, list[Step]()
        with np.errstate(all="ignore"):  # where numbers grow too large, naming the step says so
            mean = self.forward(run.trace(sink, kept))
            gradients = dict(backward(run.trace(sink), reversed(kept), Plan.of(kept)))
            return mean, self.updated(run.trace(sink).at("update"), gradients)

    def in_full(self) -> TrainingStep:
        """The same in full precision, with the same parameters."""
        return self._replace(run=self.run.in_full())

    def drift(self) -> Drift | None:
        """As that of a run."""
        full = self.in_full()
        return None if self.run.pencil is None else Drift(lambda sink: full(sink))

    def forward(self, trace: Trace, parameters: Parameters | None = None) -> float:
        """The loss, L."""
        run = self.run
        prediction = transformer(trace, run.source, run.target, parameters or run.parameters, run.config)
        assert prediction is not None
        return float(loss(trace.at("loss"), prediction, self.wanted, self.smoothing).value)

    def updated(self, trace: Trace, gradients: Mapping[str, Tensor]) -> dict[str, Array]:
        """Every parameter after its update, by its name."""
        found = {}
        for parameter in self.run.parameters:
            name = parameter.address or ""
            if name in gradients:
                here = trace.at(name)
                new = (descend(here, parameter, gradients[name], self.rates) if self.optimizer == "sgd" else
                       adam(here, parameter, gradients[name], Moments.zero(parameter), self.rates)[0])
                found[name] = new.value
        return found

    def losses(self) -> tuple[float, float]:
        """The loss before the update, and after it: infinite where a step by hand was so long that numbers are not
        exact any more, as they overflow in full precision."""
        before, new = self()
        try:
            with np.errstate(all="ignore"):
                return before, self.forward(self.run.trace(), self.run.parameters.replaced(new))
        except Problem:
            return before, math.inf

    def record(self) -> Record:
        """What it goes by, for programs."""
        return {"optimizer": self.optimizer, **self.rates._asdict(), "label_smoothing": self.smoothing,
                "labels": words(self.wanted)}

    def loss_record(self) -> Record:
        """The loss before and after, for programs."""
        return {when: json_value(np.asarray(loss))
                for when, loss in zip(("before", "after"), self.losses(), strict=True)}

    def at(self, address: str, value: Array) -> float:
        """The loss if a parameter, or a tensor on the way, were this instead."""
        with np.errstate(all="ignore"):
            if address in self.run.parameters.names:
                return self.forward(Trace(), self.run.parameters.replaced({address: value}))
            return self.forward(Trace(instead={address: value}))

    def addresses(self) -> list[str]:
        """The address of every step, found out as those of a run are."""
        small = self.run.small()
        found: list[str] = []
        self._replace(run=small, wanted=Words((START,), (1,)))(lambda step: found.append(step.address))
        return found


def prepare_training_step(source: str | None, target: str, *, optimizer: str = "sgd", lr: float | None = None,
                          smoothing: float = 0.0, **settings: object) -> TrainingStep:
    """A lesson on a model as `prepare` has it. Raises Problem where there is nothing to learn or no model for it."""
    run = prepare(source, target, **settings)  # type: ignore[arg-type]
    assert run.target is not None
    words = tokenize(target)
    if not words:
        raise Problem("empty_target")
    if not run.vocabularies.target:
        raise Problem("no_output_layer", file=run.weights)
    if len(run.target.texts) != len(words) + 1:
        raise Problem("input_labels", file=run.inputs, rows=len(run.target.texts), words=len(words))
    if END not in run.vocabularies.target:
        raise Problem("vocabulary_no_end_of_target", file=run.weights, word=END)
    wanted = look_up([*words, END], run.vocabularies.target, "target")
    return TrainingStep(run, wanted, optimizer, Rates(OPTIMIZERS[optimizer] if lr is None else lr), smoothing)
