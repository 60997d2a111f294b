"""Beam search (section 6.1): decoding that keeps the likeliest beginnings of a translation, not only one."""
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.model.config import MAX_LENGTH
from attntrace.model.tokens import END, START, packed
from attntrace.model.transformer import encoder, predict
from attntrace.runs.run import Run
from attntrace.tensor.axes import Axis
from attntrace.tensor.tensor import Array, Tensor, constant
from attntrace.tracing.trace import Trace

ALPHA = 0.6  # of the length penalty, as in the paper
CLOSE = 3  # candidates of a step that are not kept, but nearly


class Hypothesis(NamedTuple):
    """The beginning of a translation, or one that ends with `</s>`: its words; which of the kept hypotheses (from 0) of
    the step before it extends; and the natural logarithms of the probabilities of that one and of the last word."""
    words: tuple[str, ...] = ()
    before: int = 0
    log_before: float = 0.0
    log_of_word: float = 0.0

    @property
    def log_probability(self) -> float:
        return self.log_before + self.log_of_word

    @property
    def is_finished(self) -> bool:
        return self.words[-1:] == (END,)

    def penalty(self, alpha: float = ALPHA) -> float:
        """The length penalty lp = ((5 + |Y|) / 6)^α (Wu et al. 2016, equation 14); |Y| counts `</s>`."""
        return float(((5 + len(self.words)) / 6) ** alpha)

    def score(self, alpha: float = ALPHA) -> float:
        return self.log_probability / self.penalty(alpha)


class BeamStep(NamedTuple):
    """One step: how many hypotheses are finished before it, how many are extended, and how many candidates that makes;
    those that are kept, the likeliest first, and the likeliest of the others."""
    number: int
    finished: int
    extended: int
    candidates: int
    kept: tuple[Hypothesis, ...]
    close: tuple[Hypothesis, ...]


class BeamSearch:
    """The search for the `size` likeliest translations of a sentence. A finished one keeps its place in the beam, so
    that with each the beam gets smaller; where `size` is 1, this is greedy decoding."""

    def __init__(self, run: Run, size: int, max_length: int = MAX_LENGTH, alpha: float = ALPHA) -> None:
        self.run, self.size, self.max_length, self.alpha = run, size, max_length, alpha
        self.known = run.vocabularies.target or ()

    def steps(self) -> Iterator[BeamStep]:
        """Yield the steps, until every hypothesis is finished or has `max_length` words. The encoder runs once."""
        run, finished, kept = self.run, 0, [Hypothesis()]
        with np.errstate(all="ignore"):  # an overflow is reported below
            M = encoder(Trace(), run.source, run.parameters.at("encoder"), run.config, run.masks)
        for number in range(1, self.max_length + 1):
            extended = [n for n, one in enumerate(kept) if not one.is_finished]
            if not extended:
                return
            logs = self.log_probabilities(M, [kept[n].words for n in extended])
            sums = logs + np.array([[kept[n].log_probability] for n in extended])
            room, best = self.size - finished, list[Hypothesis]()
            for which in np.argsort(-sums, axis=None, kind="stable")[:room + CLOSE].tolist():
                row, id = divmod(which, len(self.known))
                before = kept[extended[row]]
                best.append(Hypothesis((*before.words, self.known[id]), extended[row], before.log_probability,
                                       float(logs[row, id])))
            kept = best[:room]
            yield BeamStep(number, finished, len(extended), sums.size, tuple(kept), tuple(best[room:]))
            finished += sum(one.is_finished for one in kept)

    def log_probabilities(self, M: Tensor, read: Sequence[tuple[str, ...]]) -> Array:
        """Return the logarithm of the probability of each next word, hypothesis × vocab; all are of one length."""
        run, numbers, count = self.run, {word: n + 1 for n, word in enumerate(self.known)}, len(read)
        if count > 1:
            size = M.axes[0].size
            token = Axis("token", count * size, None, (size,) * count)
            M = constant(np.tile(M.value, (count, 1)), "M", (token, M.axes[1]))
        with np.errstate(all="ignore"):
            words = packed([[numbers[word] for word in (START, *words)] for words in read])
            logits = predict(Trace(), words, M, run.parameters, run.config, run.masks).logits.value
        if not np.isfinite(logits).all():
            raise Problem("not_finite", address="output.logits", dtype=run.config.dtype)
        rows = logits.reshape(count, -1, len(self.known))[:, -1].astype("float64")
        rows -= rows.max(axis=1, keepdims=True)
        return np.asarray(rows - np.log(np.exp(rows).sum(axis=1, keepdims=True)))

    def ranked(self, steps: Sequence[BeamStep]) -> list[Hypothesis]:
        """Return the finished hypotheses of all steps, and the others of the last, by score, the best first."""
        found = [one for step in steps for one in step.kept if one.is_finished or step is steps[-1]]
        return sorted(found, key=lambda one: -one.score(self.alpha))

    def __call__(self) -> list[Hypothesis]:
        return self.ranked(list(self.steps()))
