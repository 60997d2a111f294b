"""Translating a sentence word by word: each step of decoding takes the likeliest next word (section 3.1)."""
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.model.config import MAX_LENGTH, Config
from attntrace.model.parameters import Vocabularies
from attntrace.model.tokens import END, START, Words, look_up
from attntrace.model.transformer import encoder, predict, transformer, translate
from attntrace.runs.run import TRANSLATE, Drift, Run
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array, Record
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Sink, Step, Trace, tee


def check_translates(config: Config, vocabularies: Vocabularies, file: str | None) -> None:
    """Raise Problem for the model of a file that has no decoder."""
    if config.architecture.predicts:
        raise Problem("one_stack_to_translate", file=file, part=config.part)
    if vocabularies.target is None:
        raise Problem("no_decoder_to_translate", file=file)


class DecodingStep(NamedTuple):
    """One step of decoding: the words that the decoder read, the steps of the trace, and the word that it chose."""
    number: int
    read: tuple[str, ...]
    steps: dict[str, Step]  # by address, without `stepN.`
    word: str

    def of_next_word(self, name: str) -> Array:
        """Return the `logits`, or the `probabilities`, of the next word."""
        return np.asarray(self.steps[f"output.{name}"].value[-1])


class Decoding:
    """The translation of a sentence, in full precision. Calling it passes every step to a sink; repeatable."""
    kind = TRANSLATE

    def __init__(self, run: Run, max_length: int = MAX_LENGTH) -> None:
        self.run, self.max_length = run, max_length
        self.known = run.vocabularies.target or ()

    def __call__(self, sink: Sink | None = None) -> None:
        for _ in self.steps(sink):
            pass

    def steps(self, sink: Sink | None = None) -> Iterator[DecodingStep]:
        """Yield the steps of decoding, until `</s>` or `max_length` words. The encoder runs once."""
        run, words = self.run, [START]
        with np.errstate(all="ignore"):  # an overflow is reported when the step is named
            M = encoder(Trace(sink).at("encoder"), run.source, run.parameters.at("encoder"), run.config, run.masks)
        for number in range(1, self.max_length + 1):
            steps = dict[str, Step]()
            with np.errstate(all="ignore"):
                predict(Trace(tee(sink, kept_in(steps))).at(f"step{number}"),
                        look_up(words, self.known, "target"), M, run.parameters, run.config, run.masks)
            word = self.known[int(steps["output.logits"].value[-1].argmax())]
            yield DecodingStep(number, tuple(words), steps, word)
            if word == END:
                return
            words.append(word)

    def words(self) -> list[str]:
        """Return the words of the translation, `</s>` among them, without a trace."""
        run = self.run
        assert isinstance(run.source, Words)
        return translate(run.parameters, run.config, run.vocabularies, [run.source.ids], self.max_length, run.masks)[0]

    def forced(self, words: Sequence[str]) -> Array:
        """Return the logits of a single pass over all words (teacher forcing), token × vocab."""
        run = self.run
        target = look_up(list(words), self.known, "target")
        prediction = transformer(Trace(), run.source, target, run.parameters, run.config, run.masks)
        assert prediction is not None
        return prediction.logits.value

    def addresses(self) -> dict[str, Symbol]:
        """Return the address of every step, with its symbol. Only decoding shows how many there are: this decodes."""
        addresses: dict[str, Symbol] = {}
        self(lambda step: addresses.setdefault(step.address, step.symbol))
        return addresses

    def small(self) -> "Decoding":
        """Return the decoding itself: only its own words lead to as many steps."""
        return self

    def drift(self) -> Drift | None:
        """Return None: translations are in full precision."""
        return None

    def header(self) -> Record:
        return {}

    def footer(self) -> Record:
        return {}


def kept_in(steps: dict[str, Step]) -> Sink:
    """Return a sink that keeps steps by address, without `stepN.`."""
    return lambda step: steps.__setitem__(Address.of(step.address).forward, step)
