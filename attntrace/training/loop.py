"""The training loop: for each batch forward pass, backward pass and an update by Adam (section 5)."""
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.model.config import Config
from attntrace.model.memory import check_fits
from attntrace.model.parameters import Parameters, Vocabularies, stream
from attntrace.model.pieces import pieces_of
from attntrace.model.tokens import END, START, Words, detokenize, packed, tokenize
from attntrace.model.transformer import transformer, translate
from attntrace.tensor.axes import Axis
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array, Tensor, constant
from attntrace.tracing.trace import Dropout, Step, Trace
from attntrace.training import PIECES_OF
from attntrace.training.backward import Plan, backward, loss
from attntrace.training.optimizers import Moments, Rates, adam
from attntrace.training.pairs import Pair
from attntrace.training.pieces import learned_pieces
from attntrace.training.schedule import Schedule

CHUNK = 128  # sentences translated at once
TENSORS = 150  # of token × d_model that a layer of encoder and decoder keeps for the backward pass, about


def check_batch(config: Config, vocabularies: Vocabularies, pairs: Sequence[Pair], batch: int) -> None:
    """Raise Problem for a batch whose tensors this machine cannot hold, before any of them is allocated."""
    sentences = min(batch, len(pairs))
    tokens = sentences * sum(len(pair.source) + len(pair.target) for pair in pairs[:1000]) / min(len(pairs), 1000) / 4
    layers = max(map(config.layers_of, ("encoder", "decoder")))
    numbers = tokens * (TENSORS * layers * config.d_model + 6 * max(map(len, filter(None, vocabularies))))
    needed = numbers * (8 if config.dtype == "float64" else 4)
    check_fits("too_large_batch", needed, batch=f"{sentences:,}")


class Done(NamedTuple):
    """One update: its epoch (from 1), the loss before it, and how many tokens its batch had."""
    epoch: int
    loss: float
    tokens: int


def vocabularies_of(pairs: Sequence[Pair], config: Config, pieces: int = 0, of: str = PIECES_OF[0]) -> Vocabularies:
    """Collect the words of the pairs, in order of appearance; or learn so many `pieces` for each side, or for the one
    that they are `of`."""
    source, target = ([word for sentence in sentences for word in tokenize(sentence)]
                      for sentences in zip(*pairs, strict=True))
    if pieces:
        source, target = (learned_pieces(words, pieces - len((START, END))) if of in ("both", side) else words
                          for side, words in (("source", source), ("target", target)))
    return Vocabularies.of_words(config, source, target)


def never() -> bool:
    return False


class Side:
    """Source or target: the ids of its vocabulary."""

    def __init__(self, known: tuple[str, ...]) -> None:
        self.ids = {word: n + 1 for n, word in enumerate(known)}
        self._pieces = pieces_of(known)
        self._split: dict[str, list[int]] = {}  # of each word so far
        self._skips: Callable[[], bool] = never

    def resplit(self, skips: Callable[[], bool]) -> None:
        """Split every word again; `skips`: see `Pieces.split`."""
        self._split, self._skips = {}, skips

    def read(self, sentence: str) -> list[int]:
        """Return the ids of a sentence. Raises KeyError for a word that is not in the vocabulary."""
        return [id for word in tokenize(sentence) for id in self._of_word(word)]

    def knows(self, sentence: str) -> bool:
        """Whether the vocabulary has all tokens of a sentence."""
        try:
            return bool(self.read(sentence))
        except KeyError:
            return False

    def _of_word(self, word: str) -> list[int]:
        ids = self._split.get(word)
        if ids is None:
            pieces = self._pieces and self._pieces.split(word, self._skips)
            ids = self._split[word] = [self.ids[piece] for piece in pieces or [word]]
        return ids


class Average(NamedTuple):
    """The sum of the parameters after each of so many epochs."""
    total: Array
    epochs: int = 0


class Training:
    """A model in training, with the number of updates so far and the moments of Adam. Iterating trains it.

    Random numbers depend only on the seed and the number of the epoch or update, so that an interrupted training run
    continues as if it had not been interrupted."""

    def __init__(self, config: Config, vocabularies: Vocabularies, parameters: Parameters, pairs: Sequence[Pair],
                 schedule: Schedule) -> None:
        self.config, self.vocabularies, self.parameters, self.schedule = config, vocabularies, parameters, schedule
        self.pairs = pairs
        self.moments = Moments.zero(self._along(parameters.vector, "W"))
        self.average = Average(np.zeros_like(parameters.vector))
        self._sides = [Side(words or ()) for words in vocabularies]
        self._examples = [self.example(pair) for pair in pairs]
        self._plans: dict[tuple[int, bool], Plan] = {}

    def _along(self, vector: Array, symbol: str) -> Tensor:
        """Return all parameters, or one number for each of them, as one vector."""
        return Tensor(vector, (Axis("parameter", vector.size),), Symbol.of(symbol))

    def example(self, pair: Pair) -> tuple[list[int], list[int], list[int]]:
        """Return the ids of a pair: the inputs of encoder and decoder, and the word after each of the latter."""
        _, target = self._sides
        words = target.read(pair.target)
        return self.read(pair), [target.ids[START], *words], [*words, target.ids[END]]

    def read(self, pair: Pair) -> list[int]:
        """Return the ids that the encoder reads. Raises KeyError for a word that is not in the vocabulary."""
        source, _ = self._sides
        return [*source.read(pair.source), *([source.ids[END]] if self.config.source_end else [])]

    def resume(self, m: Array, v: Array, updates: int, average: "Average | None" = None) -> None:
        """Continue after this many updates, with the moments that Adam had then, and the average so far."""
        self.moments = Moments(self._along(m, "m"), self._along(v, "v"), updates)
        if average and updates // self.batches - average.epochs >= self.schedule.epochs - self.schedule.average:
            self.average = average  # else it is of epochs that are not the last any more

    @property
    def updates(self) -> int:
        return self.moments.updates

    @property
    def batches(self) -> int:
        """The number of batches in an epoch."""
        return -(-len(self._examples) // self.schedule.batch)

    def __iter__(self) -> Iterator[Done]:
        """Train on one batch after another, until the epochs of the schedule are over; the parameters are then the
        average of those after each of the last epochs, as many as the schedule says (section 6.1)."""
        size = self.schedule.batch
        first, after = divmod(self.updates, self.batches)
        for epoch in range(first, self.schedule.epochs):
            self._resplit(epoch)
            order = np.argsort(self._random("order", epoch, len(self._examples)), kind="stable").tolist()
            for start in range(after * size if epoch == first else 0, len(order), size):
                examples = [self._examples[n] for n in order[start:start + size]]
                source, target, wanted = map(packed, zip(*examples, strict=True))
                done = Done(epoch + 1, self.learn(source, target, wanted), len(source.ids) + len(target.ids))
                if start + size >= len(order) and epoch >= self.schedule.epochs - self.schedule.average:
                    self.average = Average(self.average.total + self.parameters.vector, self.average.epochs + 1)
                yield done
        if self.average.epochs:
            self.parameters.vector[...] = self.average.total / self.average.total.dtype.type(self.average.epochs)

    def _resplit(self, epoch: int) -> None:
        """Split the words of the source for an epoch, by pieces of which some are passed over (Provilkov et al. 2020).
        Those of the target are split in one way, the one that the model learns to write."""
        share = self.schedule.piece_dropout
        if share:
            draw = random.Random(f"pieces {self.schedule.seed} {epoch}").random
            source, _ = self._sides
            source.resplit(lambda: draw() < share)
            self._examples = [self.example(pair) for pair in self.pairs]
            source.resplit(never)

    def _random(self, purpose: str, number: int, size: int) -> Array:
        """Return random integers of 64 bits, from a stream of their own for each purpose and number."""
        return stream(("training", self.schedule.seed, purpose, number), size)

    @np.errstate(all="ignore")  # an overflow makes the loss infinite or nan, which is checked
    def learn(self, source: Words, target: Words, wanted: Words) -> float:
        """Update all parameters once; return the loss before the update. Raises Problem where it is not finite.

        Sentences are packed for one run with teacher forcing: what the encoder reads, what the decoder reads (`<s>` and
        the words), and the next word for each of these (the words and `</s>`)."""
        kept: list[Step] = []
        trace = Trace(keep=kept, dropout=self._dropout(), heads_at_once=True)
        prediction = transformer(trace, source, target, self.parameters, self.config)
        assert prediction is not None
        mean = float(loss(trace.at("loss"), prediction, wanted, self.schedule.label_smoothing,
                          self.schedule.label_smoothing_over).value)
        if not math.isfinite(mean):
            raise Problem("training_diverged", update=self.updates + 1, lr=self.schedule.lr)
        key = len(kept), source.lengths is None  # the wiring differs without masks, and for a single sentence
        plan = self._plans[key] = self._plans.get(key) or Plan.of(kept)
        last_first = (kept.pop() for _ in range(len(kept)))  # drops each, so that its memory can be reused
        known = self.parameters.by_name
        gradients = {name: gradient for name, gradient in backward(Trace(), last_first, plan) if name in known}
        gradient = np.concatenate([gradients[name].value.ravel() if name in gradients
                                   else np.zeros(tensor.value.size, self.parameters.vector.dtype)
                                   for name, tensor in self.parameters.by_name.items()])
        rates = Rates(self.schedule.rate(self.updates + 1))
        new, self.moments = adam(Trace(), self._along(self.parameters.vector, "W"), self._along(gradient, "G"),
                                 self.moments, rates)
        self.parameters.vector[...] = new.value
        return mean

    def _dropout(self) -> Dropout:
        """Return dropout for this update: zero a share of the numbers and scale up the others (section 5.4)."""
        share, dtype, drawn = self.schedule.dropout, self.parameters.vector.dtype, 0
        if not share:
            return lambda x: x

        def dropped(x: Tensor) -> Tensor:
            nonlocal drawn
            drawn += 1
            raw = self._random(f"dropout {drawn}", self.updates, -(-x.value.size // 4)).view(np.uint16)
            kept = raw[:x.value.size].reshape(x.value.shape) >= share * 2**16
            return x * constant(kept.astype(dtype) / dtype.type(1 - share), "dropout", x.axes)

        return dropped

    def exact(self, pairs: Sequence[Pair]) -> int:
        """Count the pairs that the model translates exactly; a pair with an unknown word counts as wrong."""
        source, target = self._sides
        known = [pair for pair in pairs if source.knows(pair.source) and target.knows(pair.target)]
        longest = 1 + max((len(target.read(pair.target)) for pair in known), default=0)
        exact = 0
        for start in range(0, len(known), CHUNK):
            chunk = known[start:start + CHUNK]
            results = translate(self.parameters, self.config, self.vocabularies, list(map(self.read, chunk)), longest)
            exact += sum(words[-1] == END and tokenize(detokenize(words)) == tokenize(pair.target)
                         for words, pair in zip(results, chunk, strict=True))
        return exact
