"""How a model learns: batch after batch, forwards, backwards, and a step against the gradient (section 5)."""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.model.config import Config
from attntrace.model.generate import translated
from attntrace.model.memory import fits, in_bytes, memory
from attntrace.model.parameters import Parameters, Vocabularies, stream
from attntrace.model.tokens import END, START, packed, tokenize, vocabulary
from attntrace.model.transformer import transformer
from attntrace.tensor.axes import Axis
from attntrace.tensor.constants import constant
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.trace import Dropout, Step, Trace
from attntrace.training.backward import Plan, backward, used_up
from attntrace.training.loss import loss
from attntrace.training.optimizers import Moments, Rates, adam
from attntrace.training.pairs import Batch, Pair
from attntrace.training.schedule import Schedule

CHUNK = 128  # sentences that are translated at once
TENSORS = 150  # of token × d_model, about, that a layer of encoder and decoder keeps for going backwards


def check_batch(config: Config, vocabularies: Vocabularies, pairs: Sequence[Pair], batch: int) -> None:
    """Raise Problem for a batch whose tensors this machine cannot hold, before anything of it is made."""
    sentences = min(batch, len(pairs))
    tokens = sentences * sum(len(pair.source) + len(pair.target) for pair in pairs[:1000]) / min(len(pairs), 1000) / 4
    numbers = tokens * (TENSORS * config.layers * config.d_model + 6 * max(map(len, filter(None, vocabularies))))
    needed = numbers * (8 if config.dtype == "float64" else 4)
    if not fits(needed):
        raise Problem("too_large_batch", batch=f"{sentences:,}", needed=in_bytes(needed), there=in_bytes(memory()))


class Done(NamedTuple):
    """What an update has done."""
    epoch: int
    loss: float
    tokens: int


def vocabularies_of(pairs: Sequence[Pair]) -> Vocabularies:
    """The words of the pairs, in order of appearance."""
    return Vocabularies(vocabulary([word for pair in pairs for word in tokenize(pair.source)]),
                        vocabulary([word for pair in pairs for word in tokenize(pair.target)]))


class Training:
    """A model that learns, and how far it is: `updates` so far, and what Adam remembers.

    All chance comes from the seed and the number of an epoch or an update, so that a training that was interrupted goes
    on as if it had not been.
    """

    def __init__(self, config: Config, vocabularies: Vocabularies, parameters: Parameters, pairs: Sequence[Pair],
                 schedule: Schedule) -> None:
        self.config, self.vocabularies, self.parameters, self.schedule = config, vocabularies, parameters, schedule
        self.pairs = pairs
        self.moments = Moments.none(self._along(parameters.vector, "W"))
        self._ids = [{word: n + 1 for n, word in enumerate(words or ())} for words in vocabularies]
        self._examples = [self.example(pair) for pair in pairs]
        self._plans: dict[tuple[int, bool], Plan] = {}

    def _along(self, vector: Array, symbol: str) -> Tensor:
        """All parameters, or what belongs to each, as one vector."""
        return Tensor(vector, (Axis("parameter", vector.size),), Symbol.of(symbol))

    def example(self, pair: Pair) -> tuple[list[int], list[int], list[int]]:
        """The ids of a pair: what the encoder reads, what the decoder reads, what should come after each of these."""
        source, target = self._ids
        words = [target[word] for word in tokenize(pair.target)]
        return self.read(pair), [target[START], *words], [*words, target[END]]

    def read(self, pair: Pair) -> list[int]:
        """The ids that the encoder reads. Raises KeyError for a word that the vocabulary lacks."""
        return [self._ids[0][word] for word in tokenize(pair.source) + [END] * self.config.source_end]

    def go_on(self, m: Array, v: Array, updates: int) -> None:
        """As if so many updates had been made here."""
        self.moments = Moments(self._along(m, "m"), self._along(v, "v"), updates)

    @property
    def updates(self) -> int:
        return self.moments.updates

    @property
    def batches(self) -> int:
        """How many make an epoch."""
        return -(-len(self._examples) // self.schedule.batch)

    def __iter__(self) -> Iterator[Done]:
        """Learn from one batch after another, until the schedule's epochs are over."""
        size = self.schedule.batch
        first, after = divmod(self.updates, self.batches)
        for epoch in range(first, self.schedule.epochs):
            order = np.argsort(self._chance("order", epoch, len(self._examples)), kind="stable").tolist()
            for start in range(after * size if epoch == first else 0, len(order), size):
                examples = [self._examples[n] for n in order[start:start + size]]
                batch = Batch(*map(packed, zip(*examples, strict=True)))
                yield Done(epoch + 1, self.learn(batch), len(batch.source.ids) + len(batch.target.ids))

    def _chance(self, what: str, number: int, size: int) -> Array:
        """Raw random numbers of 64 bits, a stream for each purpose and its number."""
        return stream(("training", self.schedule.seed, what, number), size)

    def learn(self, batch: Batch) -> float:
        """One update of all parameters; returns the loss before it. Raises Problem where that is no number any more."""
        with np.errstate(all="ignore"):  # a loss that is no number any more says so
            return self._learn(batch)

    def _learn(self, batch: Batch) -> float:
        kept: list[Step] = []
        trace = Trace(keep=kept, dropout=self._dropout())
        prediction = transformer(trace, batch.source, batch.target, self.parameters, self.config)
        assert prediction is not None
        mean = loss(trace.at("loss"), prediction, batch.wanted, self.schedule.label_smoothing).value.item()
        if not math.isfinite(mean):
            raise Problem("training_diverged", update=self.updates + 1, lr=self.schedule.lr)
        key = len(kept), batch.source.lengths is None  # without masks, or without apart, it is wired in another way
        plan = self._plans[key] = self._plans.get(key) or Plan.of(kept)
        known = self.parameters.names
        gradients = {name: gradient for name, gradient in backward(Trace(), used_up(kept), plan) if name in known}
        gradient = np.concatenate([gradients[name].value.ravel() if (name := tensor.address or "") in gradients
                                   else np.zeros(tensor.value.size, self.parameters.vector.dtype)
                                   for tensor in self.parameters])
        rates = Rates(self.schedule.rate(self.updates + 1))
        new, self.moments = adam(Trace(), self._along(self.parameters.vector, "W"), self._along(gradient, "G"),
                                 self.moments, rates)
        self.parameters.vector[...] = new.value
        return mean

    def _dropout(self) -> Dropout:
        """Zeros in place of a share of the numbers, the others as much larger (section 5.4); drawn anew each update."""
        share, dtype, drawn = self.schedule.dropout, self.parameters.vector.dtype, 0
        if not share:
            return lambda x: x

        def dropped(x: Tensor) -> Tensor:
            nonlocal drawn
            drawn += 1
            raw = self._chance(f"dropout {drawn}", self.updates, -(-x.value.size // 4)).view(np.uint16)
            kept = raw[:x.value.size].reshape(x.value.shape) >= share * 2**16
            return x * constant(kept.astype(dtype) / dtype.type(1 - share), "dropout", x.axes)

        return dropped

    def exact(self, pairs: Sequence[Pair]) -> int:
        """How many of the pairs the model translates exactly. A word that it does not know makes a miss."""
        known = [pair for pair in pairs if all(word in self._ids[0] for word in tokenize(pair.source))]
        longest = 1 + max((len(tokenize(pair.target)) for pair in pairs), default=0)
        found = 0
        for start in range(0, len(known), CHUNK):
            some = known[start:start + CHUNK]
            said = translated(self.parameters, self.config, self.vocabularies, [self.read(pair) for pair in some],
                              longest)
            found += sum(words == [*tokenize(pair.target), END] for words, pair in zip(said, some, strict=True))
        return found
