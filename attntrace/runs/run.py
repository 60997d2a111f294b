"""A sentence, a model, and the run of one on the other."""
from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from attntrace.model.config import Config
from attntrace.model.inputs import InputRows
from attntrace.model.parameters import Parameters, Vocabularies, laid_out, specs
from attntrace.model.tokens import START, Words, vocabulary
from attntrace.model.transformer import transformer
from attntrace.runs.drift import Drift
from attntrace.runs.what_if import Edit
from attntrace.tensor.evaluate import rounding_of
from attntrace.tracing.trace import Sink, Step, Trace


class Run(NamedTuple):
    """All that a run needs. Calling it runs the model and tells each step to a sink; twice gives the same twice.

    `source`: what the encoder reads (or the rows that it would have put out); `target`: what the decoder reads, `<s>`
    and the words so far; None runs the encoder alone. `inputs`: the file that rows were given in. `changes`: what was
    changed in the parameters and the source, to see what if. `pencil`: to how many decimals each operation is
    rounded; None is full precision. `init`: how the parameters were drawn from the seed.
    """
    config: Config
    seed: int | None
    weights: str | None
    vocabularies: Vocabularies
    parameters: Parameters
    source: Words | InputRows
    target: Words | InputRows | None
    inputs: str | None = None
    changes: tuple[Edit, ...] = ()
    pencil: int | None = None
    init: str = "uniform"

    @property
    def run(self) -> Run:
        """Return the run itself: what training steps and translations have as well."""
        return self

    def trace(self, sink: Sink | None = None, keep: list[Step] | None = None) -> Trace:
        """A trace that goes by this run's rule: as many decimals as `pencil` says, or full precision."""
        return Trace(sink, keep, rounding=rounding_of(self.pencil))

    def in_full(self) -> Run:
        """The same in full precision, with the same parameters."""
        return self._replace(pencil=None)

    def drift(self) -> Drift | None:
        """A sink that compares a run by hand with the same in full precision; None where it is that already."""
        full = self.in_full()
        return None if self.pencil is None else Drift(lambda sink: full(sink))

    def __call__(self, sink: Sink | None = None, keep: list[Step] | None = None) -> None:
        with np.errstate(all="ignore"):  # where numbers grow too large, naming the step says so
            transformer(self.trace(sink, keep), self.source, self.target, self.parameters, self.config)

    def small(self) -> Run:
        """A run of the same wiring, on the smallest sizes there are."""
        heads = self.config.heads
        config = replace(self.config, d_model=heads * (1 + heads % 2), d_ff=1)  # even, for sine and cosine
        words = vocabulary([])
        vocabularies = Vocabularies(words, None if self.target is None else words)
        there = [spec for spec in specs(config, vocabularies) if spec.name in self.parameters.names]
        parameters = laid_out(there, config.dtype, lambda spec, view: view.fill(0))
        return self._replace(config=config, vocabularies=vocabularies, parameters=parameters,
                             source=_smallest(self.source, config),
                             target=self.target and _smallest(self.target, config), pencil=None)

    def addresses(self) -> list[str]:
        """The address of every step, found out by a small run."""
        found: list[str] = []
        self.small()(lambda step: found.append(step.address))
        return found


def _smallest(beginning: Words | InputRows, config: Config) -> Words | InputRows:
    return beginning.small(config.d_model) if isinstance(beginning, InputRows) else Words((START,), (1,))
