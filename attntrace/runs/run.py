"""A run: a sentence and a model, what comes out of one on the other, and that as records of JSON values: a header, one
for each parameter before its first use and for each step, a footer."""
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from attntrace.messages.catalog import Message
from attntrace.model.config import Config
from attntrace.model.masks import Masks
from attntrace.model.parameters import Parameters, Spec, Vocabularies, allocate, specs
from attntrace.model.tokens import END, MEMORY, START, InputRows, Words, look_up, vocabulary
from attntrace.model.transformer import transformer
from attntrace.runs.what_if import Edit
from attntrace.tensor.axes import Axis
from attntrace.tensor.evaluate import rounding_of
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array, Record, Tensor
from attntrace.tracing.addresses import Address, cell_name
from attntrace.tracing.trace import Change, Fingerprint, Sink, Step, Trace
from attntrace.version import __version__

TRACE, BACKPROP, TRANSLATE = "trace", "backprop", "translate"  # the kinds of subjects


class Drift:
    """A sink for a run in hand arithmetic that finds the number farthest from the same run in full precision.

    `largest`: the distance; `cell`: the address of that number (empty where none differs); `by_hand` and `in_full`:
    its two values. `exact` is the run in full precision, called with a sink."""

    def __init__(self, exact: Callable[[Sink], object]) -> None:
        self.largest, self.cell, self.by_hand, self.in_full = 0.0, "", 0.0, 0.0
        self._values: dict[str, Array] = {}
        exact(lambda step: self._values.__setitem__(step.address, step.value))

    def record(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {name: getattr(self, name) for name in ("largest", "cell", "by_hand", "in_full")}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Drift":
        """Return the drift of a saved run; steps passed to it change nothing."""
        drift = cls(lambda sink: None)
        drift.largest, drift.by_hand, drift.in_full = (
            float(record[name]) for name in ("largest", "by_hand", "in_full"))
        drift.cell = str(record["cell"])
        return drift

    def __call__(self, step: Step) -> None:
        exact = self._values.get(step.address)
        if exact is None:  # of a saved run, whose drift is known
            return
        distance = np.abs(np.subtract(step.value, exact, out=np.zeros(exact.shape), where=step.value != exact))
        largest = float(distance.max(initial=0.0))
        if largest > self.largest:
            index = tuple(map(int, np.unravel_index(int(distance.argmax()), exact.shape)))
            self.largest, self.cell = largest, cell_name(step.address, index)
            self.by_hand, self.in_full = step.value.item(index), exact.item(index)


class Run(NamedTuple):
    """All that a run needs. Calling it runs the model and passes each step to a sink; repeatable.

    `source`: what the encoder reads, or rows in place of its output; `target`: what the decoder reads, `<s>` and the
    words so far; None runs only the encoder. `inputs`: the file that given rows come from. `edits`: the what-if edits
    that the parameters and the source already contain. `pencil`: the decimals of hand arithmetic, rounded at every
    operation; None is full precision. `init`: how the parameters were drawn from the seed. `masks`: in addition to
    those of the config. `notes`: what was changed in the input. `change` and `use`: what a slip
    makes of tensors that are named, and of the parameters that the model reads."""
    config: Config
    seed: int | None
    weights: str | None
    vocabularies: Vocabularies
    parameters: Parameters
    source: Words | InputRows
    target: Words | InputRows | None
    inputs: str | None = None
    edits: tuple[Edit, ...] = ()
    pencil: int | None = None
    init: str = "uniform"
    masks: Masks = Masks()
    notes: tuple[Message, ...] = ()
    change: Change | None = None
    use: Callable[[Parameters], Parameters] = lambda parameters: parameters

    @property
    def kind(self) -> str:
        return TRACE

    @property
    def run(self) -> "Run":
        """The run itself, which training steps and translations have as well."""
        return self

    @property
    def last_stack(self) -> str:
        """The stack that the run ends with."""
        return "decoder" if self.target is not None else self.config.architecture.stacks[0]

    @property
    def last_words(self) -> Words | InputRows:
        """What that stack reads."""
        return self.source if self.target is None else self.target

    def trace(self, sink: Sink | None = None, keep: list[Step] | None = None) -> Trace:
        """Return a trace in the arithmetic of this run."""
        return Trace(sink, keep, change=self.change, rounding=rounding_of(self.pencil))

    def __call__(self, sink: Sink | None = None) -> None:
        with np.errstate(all="ignore"):  # an overflow is reported when the step is named
            transformer(self.trace(sink), self.source, self.target, self.use(self.parameters), self.config, self.masks)

    def attentions(self) -> dict[str, tuple[int, int]]:
        """How many queries and keys each attention has, by its address without layers."""
        source, target = len(self.source.texts), self.target and len(self.target.texts)
        place = self.config.architecture.attention
        if place:
            return {".".join(Address.of(place).words): (target or source, source)}
        of_encoder = not isinstance(self.source, InputRows) or self.source.address != MEMORY
        shapes = {f"{self.config.architecture.stacks[0]}.self_attention": (source, source)} if of_encoder else {}
        if target:
            shapes |= {"decoder.self_attention": (target, target), "decoder.cross_attention": (target, source)}
        return shapes

    def blind_rows(self) -> dict[str, list[str]]:
        """The rows (by number and word) of each attention that may look nowhere in some head."""
        found = {}
        for name, (queries, keys) in self.attentions().items() if any(self.masks[:2]) else ():
            causal = name.endswith("self_attention") and (self.config.causal or name.startswith("decoder"))
            masks = self.masks.of(name, Axis("token", queries), Axis("token", keys), self.config, causal)
            blind = sorted({n for one in masks if one for n, row in enumerate(one.value) if np.isneginf(row).all()})
            words = (self.target if self.target and name != "encoder.self_attention" else self.source).texts
            if blind:
                found[name] = [f"{n + 1}:{words[n]}" for n in blind]
        return found

    def drift(self) -> Drift | None:
        """Return a sink that compares hand arithmetic with full precision; None in full precision."""
        return None if self.pencil is None else Drift(self._replace(pencil=None).__call__)

    def header(self) -> Record:
        return {}

    def footer(self) -> Record:
        return {}

    def missing_parameters(self) -> list[str]:
        """Return the names of the parameters that the config needs and that are not there."""
        return [spec.name for spec in specs(self.config, self.vocabularies)
                if not spec.optional and spec.name not in self.parameters.by_name]

    def small(self) -> "Run":
        """Return a run of the same wiring, and so with the same addresses and stages, on one word a side of a small
        model, whose rows are not constant: a layer norm may have no gradient there."""
        config = self.config.small()
        words = vocabulary([])
        vocabularies = Vocabularies(words, words if self.target is not None or config.architecture.predicts else None)
        present = [spec for spec in specs(config, vocabularies) if spec.name in self.parameters.by_name]

        def first(side: Words | InputRows, word: str) -> Words | InputRows:
            return side.small(config.d_model) if isinstance(side, InputRows) else look_up([word], words, "source")

        def fill(spec: Spec, view: Array) -> None:
            view[...] = np.linspace(-1, 1, view.size).reshape(view.shape)

        return self._replace(config=config, vocabularies=vocabularies, source=first(self.source, END),
                             masks=self.masks.small(),
                             target=self.target and first(self.target, START), pencil=None,
                             parameters=allocate(present, config.dtype, fill))

    def addresses(self) -> dict[str, Symbol]:
        """Return the address of every step, with its symbol."""
        addresses: dict[str, Symbol] = {}
        self.small()(lambda step: addresses.setdefault(step.address, step.symbol))
        return addresses


class Subject(Protocol):
    """Calling it passes every step to a sink, in order of computation; a second call gives the same steps.

    `kind`: TRACE, BACKPROP or TRANSLATE. `run`: the sentence and the model, where it is a run the subject itself.
    `addresses`: of every step, with its symbol. `small`: a subject with the same addresses and stages that runs
    quickly. `drift`: a sink that compares hand arithmetic with full precision; None in full precision. `header` and
    `footer`: what these records say in addition to those of a run."""
    @property
    def kind(self) -> str: ...

    @property
    def run(self) -> Run: ...

    def __call__(self, sink: Sink | None = None) -> object: ...
    def addresses(self) -> dict[str, Symbol]: ...
    def small(self) -> "Subject": ...
    def drift(self) -> Drift | None: ...
    def header(self) -> Record: ...
    def footer(self) -> Record: ...


class Recorder:
    """A sink that passes the record of each step on to `write`, without its value but with its tensor; before it the
    records of the parameters that this step is the first to read. `unread`: those that no step has read."""

    def __init__(self, parameters: Mapping[str, Tensor], write: Callable[[Record, Tensor], object]) -> None:
        self.write = write
        self.unread = dict(parameters)

    def __call__(self, step: Step) -> None:
        parents = dict.fromkeys(leaf.address for leaf in step.node.leaves() if leaf.address is not None)
        self.write_parameters(parents)
        self.write({"address": step.address, "symbol": step.symbol.spelled(head=step.symbol.head),
                    "formula": step.formula(), "axes": step.tensor.axis_names, "shape": step.value.shape,
                    "expression": step.node.expression(), "parents": list(parents)}, step.tensor)

    def write_parameters(self, names: Iterable[str]) -> None:
        """Pass on the records of those of these parameters that are unread."""
        for name in names:
            if name in self.unread:
                tensor = self.unread.pop(name)
                self.write({"parameter": name, "axes": tensor.axis_names, "shape": tensor.value.shape}, tensor)


def header(subject: Subject) -> Record:
    """Return the first record: the model, where its numbers come from, the words, and what the subject adds."""
    run = subject.run
    origin: Record = {"seed": run.seed} if run.weights is None else {"weights": run.weights}
    more = {"init": None if run.init == "uniform" else run.init, "input": run.inputs, "pencil": run.pencil}
    origin |= {name: value for name, value in more.items() if value is not None}
    return {"attntrace": __version__, "config": run.config.described(), **origin, "changes": list(run.edits),
            **run.masks.record(),
            "tokens": {"source": words(run.source), "target": words(run.target) if run.target else None},
            **subject.header()}


def words(side: Words | InputRows) -> list[Record]:
    """Return the words of source or target, each with its id (None for a given row)."""
    return [{"id": id, "text": text} for id, text in zip(side.ids, side.texts, strict=True)]


def footer(fingerprint: Fingerprint) -> Record:
    """Return the last record of a run."""
    return {"steps": fingerprint.steps, "fingerprint": str(fingerprint), "comparable": fingerprint.comparable}
