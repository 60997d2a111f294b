"""A run of a random model, and its gradients, on one pair of sentences or on a batch of pairs."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from random_model import Model

from attntrace.model.parameters import Parameters, Vocabularies, allocate, specs
from attntrace.model.tokens import Words
from attntrace.model.transformer import transformer
from attntrace.tracing.trace import Step, Trace
from attntrace.training.backward import Plan, backward, loss


class Pair(NamedTuple):
    """A sentence, what the decoder reads of its translation, and what it should say: ids from 1."""
    source: tuple[int, ...]
    target: tuple[int, ...]
    wanted: tuple[int, ...]


PAIR = Pair((7, 8, 7, 9, 10), (5, 6, 7, 6), (6, 7, 6, 8))  # words that come twice
OTHERS = Pair((2, 3, 4), (5, 1), (1, 3)), Pair((6,), (5, 2, 4, 8, 7), (2, 4, 8, 7, 3)), Pair((5, 2, 11, 4), (5,), (3,))
SMALL = {"d_model": 6, "d_ff": 4}


def parameters_of(model: Model) -> Parameters:
    there = [spec for spec in specs(model.config, Vocabularies(model.source, model.target))
             if spec.name in model.parameters]
    return allocate(there, model.config.dtype, lambda spec, view: np.copyto(view, model.parameters[spec.name]))


def packed(sentences: Sequence[Sequence[int]]) -> Words:
    return Words((), tuple(n for sentence in sentences for n in sentence), tuple(map(len, sentences)))


def worded(ids: Sequence[int], known: tuple[str, ...]) -> Words:
    return Words(tuple(known[n - 1] for n in ids), tuple(ids))


class Backwards:
    """A model's run on a sentence, or on a batch of several, and its gradients: by address, and as steps."""

    def __init__(self, model: Model, *pairs: Pair, smoothing: float = 0.0, batch: bool = False) -> None:
        source, target, wanted = ([pair[n] for pair in pairs] for n in range(3))
        self.parameters = parameters_of(model)
        self.kept: list[Step] = []
        self.steps: list[Step] = []
        self.source = packed(source) if batch else worded(source[0], model.source)
        self.target = packed(target) if batch else worded(target[0], model.target)
        self.wanted = packed(wanted) if batch else worded(wanted[0], model.target)
        self.config, self.smoothing = model.config, smoothing
        self.loss = self.run(Trace(keep=self.kept))
        self.plan = Plan.of(self.kept)
        self.tensors = dict(backward(Trace(self.steps.append), reversed(self.kept), self.plan))
        self.gradients = {address: tensor.value for address, tensor in self.tensors.items()}

    def run(self, trace: Trace) -> float:
        prediction = transformer(trace, self.source, self.target, self.parameters, self.config)
        return loss(trace.at("loss"), prediction, self.wanted, self.smoothing).value.item()

    def of_parameters(self) -> dict[str, np.ndarray]:
        return {name: self.gradients[name] for name in self.parameters.by_name}
