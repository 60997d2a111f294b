"""One training step, traced: forward pass, loss, backward pass, and the update of every parameter."""
import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.model.parameters import Parameters
from attntrace.model.tokens import END, START, Reader, Words, look_up, never_next
from attntrace.model.transformer import transformer
from attntrace.runs.prepare import prepare
from attntrace.runs.run import BACKPROP, Drift, Run, words
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array, Record, Tensor, json_value
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Sink, Step, Trace
from attntrace.training import OPTIMIZERS
from attntrace.training.backward import Plan, backward, loss
from attntrace.training.optimizers import Moments, Rates, adam, descend


class TrainingStep(NamedTuple):
    """A sentence pair, a model, and how the model learns from it. Calling it passes each step to a sink; repeatable, as
    no parameter is changed in place.

    run: its target is the decoder's input, `<s>` and the words of the translation; wanted: the word that should come
    after each of these, the words and `</s>`; of a model of one stack, after each word of the source; over: the
    words that the smoothing of labels is spread over."""
    run: Run
    wanted: Words
    optimizer: str
    rates: Rates
    smoothing: float
    over: str = "all"

    @property
    def kind(self) -> str:
        return BACKPROP

    @property
    def padding(self) -> str:
        """The word that is never a next word."""
        return never_next(self.run.vocabularies.target or ())

    def __call__(self, sink: Sink | None = None) -> tuple[float, dict[str, Array]]:
        """Return the loss, and every parameter after its update, by name."""
        run, kept = self.run, list[Step]()
        with np.errstate(all="ignore"):  # an overflow is reported when the step is named
            mean = self.forward(run.trace(sink, kept))
            try:
                gradients = dict(backward(run.trace(sink), reversed(kept), Plan.of(kept)))
            except Problem as problem:
                step = Address.of(str(problem.facts.get("address"))).forward
                if run.config.norm_epsilon == "outside" and any(
                        one.address == step and one.name == "variance" and not one.value.all() for one in kept):
                    raise Problem("no_gradient_of_root", address=step) from None
                raise
            return mean, self.updated(run.trace(sink).at("update"), gradients)

    def drift(self) -> Drift | None:
        """Return a sink that compares hand arithmetic with full precision; None in full precision."""
        return None if self.run.pencil is None else Drift(self._replace(run=self.run._replace(pencil=None)).__call__)

    def forward(self, trace: Trace, parameters: Parameters | None = None) -> float:
        """Return the loss L."""
        run = self.run
        used = run.use(parameters or run.parameters)
        prediction = transformer(trace, run.source, run.target, used, run.config, run.masks)
        assert prediction is not None
        return float(loss(trace.at("loss"), prediction, self.wanted, self.smoothing, self.over).value)

    def updated(self, trace: Trace, gradients: Mapping[str, Tensor]) -> dict[str, Array]:
        """Return every parameter after its update, by name."""
        updated = {}
        for name, parameter in self.run.parameters.by_name.items():
            if name in gradients:
                here = trace.at(name)
                new = (descend(here, parameter, gradients[name], self.rates) if self.optimizer == "sgd" else
                       adam(here, parameter, gradients[name], Moments.zero(parameter), self.rates)[0])
                updated[name] = new.value
        return updated

    def losses(self, sink: Sink | None = None) -> tuple[float, float]:
        """Return the loss before and after the update, of which each step is passed to a sink; the latter is infinite
        where hand arithmetic overflows, as it is in full precision."""
        before, new = self(sink)
        try:
            with np.errstate(all="ignore"):
                return before, self.forward(self.run.trace(), self.run.parameters.replaced(new))
        except Problem:
            return before, math.inf

    def header(self) -> Record:
        """Return the settings as JSON values."""
        over: Record = {} if self.over == "all" else {"label_smoothing_over": self.over}
        if self.over == "words":
            over["padding"], = words(look_up([self.padding], self.run.vocabularies.target or (), "target"))
        return {"training": {"optimizer": self.optimizer, **self.rates._asdict(), "label_smoothing": self.smoothing,
                             **over, "labels": words(self.wanted)}}

    def footer(self) -> Record:
        """Return the loss before and after as JSON values."""
        before, after = (json_value(np.asarray(loss)) for loss in self.losses())
        return {"loss": {"before": before, "after": after}}

    def at(self, address: str, value: Array) -> float:
        """Return the loss if a parameter, or a tensor of the forward pass, had another value."""
        with np.errstate(all="ignore"):
            if address in self.run.parameters.by_name:
                return self.forward(Trace(), self.run.parameters.replaced({address: value}))
            return self.forward(Trace(change=lambda here, own: Tensor(value, own.axes) if here == address else own))

    def small(self) -> "TrainingStep":
        """Return a training step of the same wiring on one word a side."""
        return self._replace(run=self.run.small(), wanted=Words((START,), (1,)))

    def addresses(self) -> dict[str, Symbol]:
        """Return the address of every step, with its symbol."""
        addresses: dict[str, Symbol] = {}
        self.small()(lambda step: addresses.setdefault(step.address, step.symbol))
        return addresses


def prepare_training_step(source: str | None, target: str, *, optimizer: str = "sgd", lr: float | None = None,
                          smoothing: float = 0.0, over: str = "all", **settings: object) -> TrainingStep:
    """Prepare a training step on a sentence pair; `settings` are those of `prepare`. Raises Problem where the pair or
    the model does not allow one."""
    try:
        run = prepare(source, target, **settings)  # type: ignore[arg-type]
    except Problem as problem:
        if problem.key != "one_stack":
            raise
        run = prepare(source, **settings)  # type: ignore[arg-type]
    if not target.strip():
        raise Problem("empty_target")
    if not run.vocabularies.target:
        raise Problem("no_output_layer", file=run.weights)
    known, rates = run.vocabularies.target, Rates(OPTIMIZERS[optimizer] if lr is None else lr)
    if run.target is None:
        reader = Reader(bool(settings.get("ids")), settings.get("unknown") == "unk")
        words, notes = reader.read(target, known, "target", run.weights or "")
        if len(run.source.texts) != len(words):
            raise Problem("labels_of_each", part=run.config.part, read=len(run.source.texts), words=len(words))
        run = run._replace(notes=(*run.notes, *notes))
        return TrainingStep(run, look_up(words, known, "target"), optimizer, rates, smoothing, over)
    words = list(run.target.texts if isinstance(run.target, Words) else Reader().read(target, known, "target", "")[0])
    words = words[words[:1] == [START]:len(words) - (words[-1:] == [END])]  # both may have been typed
    if isinstance(run.target, Words):  # which never reads </s>
        run = run._replace(target=Words((START, *words), run.target.ids[:len(words) + 1]))
    assert run.target is not None
    if len(run.target.texts) != len(words) + 1:
        raise Problem("input_labels", file=run.inputs, rows=len(run.target.texts), words=len(words))
    if END not in known:
        raise Problem("vocabulary_no_end_of_target", file=run.weights, word=END)
    return TrainingStep(run, look_up([*words, END], known, "target"), optimizer, rates, smoothing, over)
