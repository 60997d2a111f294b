"""From a sentence to its translation, one word at a time: always the likeliest next (section 3.1)."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from attntrace.model.config import MAX_LENGTH
from attntrace.model.tokens import END, START, look_up
from attntrace.model.transformer import encoder, predict, transformer
from attntrace.runs.run import Run
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Sink, Step, Trace, tee


class DecodingStep(NamedTuple):
    """One step of decoding: what the decoder read, all that it computed, and the word that was taken."""
    number: int
    read: tuple[str, ...]
    steps: dict[str, Step]  # by their addresses, without that of the decoding step
    word: str

    @property
    def logits(self) -> Array:
        """Of the word that comes next."""
        return self.steps["output.logits"].value[-1]

    @property
    def probabilities(self) -> Array:
        return self.steps["output.probabilities"].value[-1]


class Decoding:
    """A sentence on its way to a translation. Calling it tells each tensor of each step to a sink; twice gives the same
    twice."""

    def __init__(self, run: Run, max_length: int = MAX_LENGTH) -> None:
        self.run, self.max_length = run, max_length
        self.known = run.vocabularies.target or ()

    def drift(self) -> None:
        """None: translations are in full precision."""

    def __call__(self, sink: Sink | None = None) -> None:
        for _ in self.steps(sink):
            pass

    def steps(self, sink: Sink | None = None) -> Iterator[DecodingStep]:
        """The steps, until `</s>` is taken or there are as many words as there may be. The encoder runs once."""
        run, words = self.run, [START]
        with np.errstate(all="ignore"):  # where numbers grow too large, naming the step says so
            M = encoder(Trace(sink).at("encoder"), run.source, run.parameters.at("encoder"), run.config)
        for number in range(1, self.max_length + 1):
            place, told = f"step{number}", dict[str, Step]()

            def keep(step: Step) -> None:
                told[Address.of(step.address).forward] = step

            with np.errstate(all="ignore"):
                prediction = predict(Trace(tee(sink, keep) if sink else keep).at(place),
                                     look_up(words, self.known, "target"), M, run.parameters, run.config)
            word = self.known[int(prediction.logits.value[-1].argmax())]
            yield DecodingStep(number, tuple(words), told, word)
            if word == END:
                return
            words.append(word)

    def forced(self, words: Sequence[str]) -> Array:
        """The logits of one pass that is given all words at once."""
        run = self.run
        target = look_up(list(words), self.known, "target")
        prediction = transformer(Trace(), run.source, target, run.parameters, run.config)
        assert prediction is not None
        return prediction.logits.value

    def addresses(self) -> list[str]:
        """Those of all steps, found out by taking them."""
        found: list[str] = []
        self(lambda step: found.append(step.address))
        return found
