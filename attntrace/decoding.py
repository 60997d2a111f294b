"""From a sentence to its translation, one word at a time: always the likeliest next (section 3.1)."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from attntrace.config import Config
from attntrace.errors import Problem
from attntrace.pairs import packed
from attntrace.run import Run
from attntrace.schedules import MAX_LENGTH
from attntrace.tensor import Array
from attntrace.tokens import END, START, look_up
from attntrace.tracing import Sink, Step, Trace, each
from attntrace.transformer import encoder, predicted, transformer
from attntrace.weights import Parameters, Vocabularies


class Written(NamedTuple):
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

    def steps(self, sink: Sink | None = None) -> Iterator[Written]:
        """The steps, until `</s>` is taken or there are as many words as there may be. The encoder runs once."""
        run, words = self.run, [START]
        with np.errstate(all="ignore"):  # where numbers grow too large, naming the step says so
            M = encoder(Trace(sink).at("encoder"), run.source, run.parameters.at("encoder"), run.config)
        for number in range(1, self.max_length + 1):
            place, told = f"step{number}", dict[str, Step]()

            def keep(step: Step) -> None:
                told[step.address.removeprefix(f"{place}.")] = step

            with np.errstate(all="ignore"):
                prediction = predicted(Trace(each(sink, keep) if sink else keep).at(place),
                                       look_up(words, self.known, "target"), M, run.parameters, run.config)
            word = self.known[int(prediction.logits.value[-1].argmax())]
            yield Written(number, tuple(words), told, word)
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


def translated(parameters: Parameters, config: Config, vocabularies: Vocabularies, sources: Sequence[Sequence[int]],
               max_length: int = MAX_LENGTH) -> list[list[str]]:
    """The translations of several sentences, given by their ids, with `</s>` where they came to it; untold, and all at
    once. Raises Problem where numbers grow too large."""
    with np.errstate(all="ignore"):
        return _translated(parameters, config, vocabularies, sources, max_length)


def _translated(parameters: Parameters, config: Config, vocabularies: Vocabularies, sources: Sequence[Sequence[int]],
                max_length: int) -> list[list[str]]:
    known = vocabularies.target or ()
    numbers = {word: n + 1 for n, word in enumerate(known)}
    end = numbers.get(END)
    M = encoder(Trace(), packed(sources), parameters.at("encoder"), config)
    written: list[list[int]] = [[] for _ in sources]
    for length in range(1, max_length + 1):
        if all(end in ids for ids in written):
            break
        read = packed([[numbers[START], *ids] for ids in written])
        logits = predicted(Trace(), read, M, parameters, config).logits.value
        if not np.isfinite(logits).all():
            raise Problem("not_finite", address="output.logits", dtype=config.dtype)
        for ids, row in zip(written, logits[length - 1::length], strict=True):
            ids.append(int(row.argmax()) + 1)
    return [[known[id - 1] for id in (ids[:ids.index(end) + 1] if end in ids else ids)] for ids in written]


def without_end(words: Sequence[str]) -> list[str]:
    return [word for word in words if word != END]
