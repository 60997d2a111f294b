"""One training step, traced: forwards, the loss, backwards, the update of every parameter, and the loss after it."""
from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from attntrace.errors import Problem
from attntrace.gradients import Plan, backward
from attntrace.losses import loss
from attntrace.optimizers import Moments, Rates, adam, descend
from attntrace.run import Run, prepare
from attntrace.schedules import OPTIMIZERS
from attntrace.tensor import Array, Tensor
from attntrace.tokens import END, Words, look_up
from attntrace.tracing import Sink, Step, Trace
from attntrace.transformer import transformer
from attntrace.weights import Parameters


class Lesson(NamedTuple):
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

    def in_full(self) -> Lesson:
        """The same in full precision, with the same parameters."""
        return self._replace(run=self.run.in_full())

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
                       adam(here, parameter, gradients[name], Moments.none(parameter), self.rates)[0])
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
        self._replace(run=small, wanted=small.source)(lambda step: found.append(step.address))
        return found


def prepare_lesson(source: str, target: str, *, optimizer: str = "sgd", lr: float | None = None,
                   smoothing: float = 0.0, **settings: object) -> Lesson:
    """A lesson on a model as `prepare` has it. Raises Problem where there is nothing to learn or no model for it."""
    run = prepare(source, target, **settings)  # type: ignore[arg-type]
    assert run.target is not None and run.vocabularies.target is not None
    words = list(run.target.texts[1:])
    if not words:
        raise Problem("empty_target")
    if END not in run.vocabularies.target:
        raise Problem("vocabulary_no_end_of_target", file=run.weights, word=END)
    wanted = look_up([*words, END], run.vocabularies.target, "target")
    return Lesson(run, wanted, optimizer, Rates(OPTIMIZERS[optimizer] if lr is None else lr), smoothing)
