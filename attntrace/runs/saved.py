"""Runs written into archives, and archives told again as the runs that they were: step by step, without the model."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import singledispatch
from typing import Any, BinaryIO

import numpy as np

from attntrace.files.archive import BACKPROP, FORMAT, TRACE, TRANSLATE, Archive, ArchiveWriter, name_of
from attntrace.files.expressions import ExpressionReader, ExpressionWriter, Parsed, symbol_written, tensor_from
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.model.config import Config
from attntrace.model.inputs import InputRows
from attntrace.model.parameters import Parameters, Vocabularies
from attntrace.model.tokens import START, Words
from attntrace.runs.decoding import Decoding, DecodingStep
from attntrace.runs.drift import Drift
from attntrace.runs.records import Recorder, footer, header
from attntrace.runs.run import Run
from attntrace.runs.training_step import TrainingStep
from attntrace.tensor.axes import Axes
from attntrace.tensor.errors import AxisError
from attntrace.tensor.evaluate import rounding_of
from attntrace.tensor.json_value import Record
from attntrace.tensor.tensor import Array, Node, Tensor, apply
from attntrace.tracing.fingerprint import COMPARABLE, Fingerprint
from attntrace.tracing.trace import Sink, Step, tee
from attntrace.training.optimizers import Rates

FORCED = "teacher_forced.logits"  # a member beside the steps of a translation


class Recording:
    """A sink that writes each step into an archive when it is told."""

    def __init__(self, file: BinaryIO, run: Run) -> None:
        self._archive, self._notes, self._records = ArchiveWriter(file), ExpressionWriter(), list[Record]()
        self._run, self._step = run, dict[str, Any]()
        self._unread = dict(run.parameters.by_name)
        self._recorder = Recorder(self._unread, self._written)
        self._told: list[Step] | None = []  # for the fingerprint; None: too many numbers for one
        self._numbers = self._steps = 0

    def __call__(self, step: Step) -> None:
        self._step = {"place": step.place, "name": step.name, "stage": step.stage,
                      "notes": self._notes(step.node)}
        self._recorder(step)
        self._steps += 1
        self._numbers += step.value.size
        if self._numbers > COMPARABLE:  # a fingerprint would take longer than all the rest, and say nothing
            self._told = None
        elif self._told is not None:
            self._told.append(step)

    def _written(self, record: Record, tensor: Tensor) -> None:
        name = name_of(record)
        assert tensor.symbol is not None
        more = {"sha256": self._archive.member(name, tensor.value), "dtype": str(tensor.value.dtype),
                "sign": symbol_written(tensor.symbol), "along": list(map(self._notes.axis, tensor.axes))}
        self._unread.pop(name, None)
        self._records.append(record | more | (self._step if "address" in record else {}))

    def extra(self, name: str, value: Array) -> None:
        """Numbers that are none of a step."""
        self._records.append({"member": name, "shape": value.shape, "sha256": self._archive.member(name, value)})

    def close(self, kind: str, head: Record = {}, foot: Record = {}) -> None:
        """Write what is left: parameters that no step read, and what the members are."""
        for name, tensor in list(self._unread.items()):
            self._written({"parameter": name, "axes": tensor.axis_names, "shape": tensor.value.shape}, tensor)
        begins = [side.address if isinstance(side, InputRows) else None
                  for side in (self._run.source, self._run.target)]
        said = {"saved": FORMAT, "kind": kind, "vocabularies": self._run.vocabularies._asdict(), "begins": begins,
                "axes": self._notes.axes()}
        self._archive.close([header(self._run) | head | said, *self._records, self._footer() | foot])

    def _footer(self) -> Record:
        if self._told is None:
            return {"steps": self._steps, "fingerprint": None, "comparable": False}
        fingerprint = Fingerprint()
        for step in self._told:
            fingerprint(step)
        return footer(fingerprint)


@singledispatch
def save(told: Run | TrainingStep | Decoding, file: BinaryIO) -> None:
    """Write a run, a training step or a translation, as it goes."""
    raise AssertionError(f"{type(told).__name__} cannot be saved")


@save.register
def _(run: Run, file: BinaryIO) -> None:
    recording, drift = Recording(file, run), run.drift()
    run(tee(recording, drift))
    recording.close(TRACE, foot=drifted(drift))


@save.register
def _(training_step: TrainingStep, file: BinaryIO) -> None:
    recording, drift = Recording(file, training_step.run), training_step.drift()
    training_step(tee(recording, drift))
    recording.close(BACKPROP, {"training": training_step.record()},
                    {"loss": training_step.loss_record(), **drifted(drift)})


@save.register
def _(decoding: Decoding, file: BinaryIO) -> None:
    recording = Recording(file, decoding.run)
    written = list(decoding.steps(recording))
    recording.extra(FORCED, decoding.forced(written[-1].read))
    recording.close(TRANSLATE, {"written": [one.word for one in written], "max_length": decoding.max_length})


def drifted(drift: Drift | None) -> Record:
    return {"drift": drift.record()} if drift else {}


class Recorded:
    """The steps of an archive, as they were told: each with its making, its operands read when they are needed."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.axes = archive.axes
        with self.archive.sense():
            self.records = {name_of(record): record for record in archive.records()}
            self.parameters = [name for name, record in self.records.items() if "parameter" in record]
            self.addresses = [name for name, record in self.records.items() if "address" in record]
        self._tensors: dict[str, Tensor] = {}
        self._parse = ExpressionReader(self.axes, self.tensor)
        self._rule = rounding_of(archive.opening.get("pencil"))

    def tensor(self, name: str) -> Tensor:
        """A parameter or a step, without its making."""
        if name not in self._tensors:
            with self.archive.sense():
                record = self.records[name]
                self._tensors[name] = tensor_from(record, self.archive.value(record), self.axes)
        return self._tensors[name]

    def step(self, address: str) -> Step:
        """A step with its making. Raises Problem where the archive has no sense."""
        record, tensor = self.records[address], self.tensor(address)
        with self.archive.sense():
            parsed = self._parse(record["expression"], record["notes"])
        tensor.node = node = self._made(record, parsed, tensor.axes)
        return Step(record["place"], record["name"], tensor, node, record["stage"], self._rule)

    def _made(self, record: Record, parsed: Parsed, axes: Axes) -> Node:
        """Compute what has no name. Raises Problem where that cannot be computed, in the opinion of the independent
        checker as well, or has other axes; any other exception is a bug."""
        try:
            with np.errstate(all="ignore"):
                node = parsed.node()
                if apply(node.op, *node.operands).axes == axes:
                    return node
        except MemoryError:
            raise Problem("saved_too_large", file=str(self.archive.path)) from None
        except Exception as error:
            if not isinstance(error, AxisError) and self._has_value(record["expression"]):
                raise
        raise self.archive.broken(ValueError(Message("problem.why.other_shape", name=name_of(record))))

    def _has_value(self, expression: Any) -> bool:
        # only now: what was saved is right
        from attntrace.verify import arithmetic as numerics
        from attntrace.verify import arrays as nested
        from attntrace.verify import ops as expressions
        try:
            expressions.evaluated(expression, numerics.Doubles(), lambda name: nested.Array(
                self.tensor(name).value.tolist(), self.tensor(name).axis_names))
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return False
        return True

    def tell(self, sink: Sink | None, keep: list[Step] | None = None,
             only: Callable[[str], bool] = lambda address: True) -> None:
        """Each step in order of computation. A tensor is forgotten once no later step is made from it."""
        last = {parent: address for address in self.addresses for parent in self.records[address]["parents"]}
        until: dict[str, list[str]] = {}
        for parent, address in last.items():
            until.setdefault(address, []).append(parent)
        for address in filter(only, self.addresses):
            step = self.step(address)
            if sink is not None:
                sink(step)
            if keep is None:
                step.tensor.node = None
            else:
                keep.append(step)
            for parent in (*until.get(address, ()), *(() if address in last else (address,))):
                if "parameter" not in self.records[parent]:
                    self._tensors.pop(parent, None)


class SavedRun(Run):
    """A run that was saved; calling it tells its steps again."""
    recorded: Recorded

    def __call__(self, sink: Sink | None = None, keep: list[Step] | None = None) -> None:
        self.recorded.tell(sink, keep)

    def addresses(self) -> list[str]:
        return self.recorded.addresses

    def drift(self) -> Drift | None:
        with self.recorded.archive.sense():
            return None if self.pencil is None else Drift.recorded(self.recorded.archive.footer["drift"])

    @classmethod
    def read(cls, recorded: Recorded) -> SavedRun:
        head = recorded.archive.opening
        with recorded.archive.sense():
            config = Config.read(head["config"], str(recorded.archive.path))
            known = (head["vocabularies"][side] for side in Vocabularies._fields)
            vocabularies = Vocabularies(*(None if words is None else tuple(words) for words in known))
            tensors = {name: recorded.tensor(name) for name in recorded.parameters}
            numbers = [tensor.value.ravel() for tensor in tensors.values()] or [np.zeros(0)]
            parameters = Parameters(tensors, np.concatenate(numbers))
            source, target = (_beginning(head["tokens"][side], address)
                              for side, address in zip(("source", "target"), head["begins"], strict=True))
            assert source is not None
            run = cls(config, head.get("seed"), head.get("weights"), vocabularies, parameters, source, target,
                      head.get("input"), tuple(head["changes"]), head.get("pencil"), head.get("init", "uniform"))
        run.recorded = recorded
        return run


def _beginning(found: list[Record] | None, address: str | None) -> Words | InputRows | None:
    """What a run began with: words, or rows that were given at an address, of which the names are enough."""
    if found is None or address is None:
        return None if found is None else _words(found)
    return InputRows(tuple(word["text"] for word in found), np.zeros((len(found), 0)), address)


def _words(found: list[Record]) -> Words:
    words = Words(tuple(word["text"] for word in found), tuple(word["id"] for word in found))
    if not all(isinstance(text, str) for text in words.texts) or not all(isinstance(id, int) for id in words.ids):
        raise ValueError(Message("problem.why.no_words"))
    return words


class SavedTrainingStep(TrainingStep):
    """A training step that was saved."""

    def __call__(self, sink: Sink | None = None) -> tuple[float, dict[str, Array]]:
        self.run(sink)
        return self.losses()[0], {}

    def drift(self) -> Drift | None:
        return self.saved.drift()

    @property
    def saved(self) -> SavedRun:
        assert isinstance(self.run, SavedRun)
        return self.run

    def losses(self) -> tuple[float, float]:
        archive = self.saved.recorded.archive
        with archive.sense():
            found = archive.footer["loss"]
            return float(found["before"]), float(found["after"])

    def addresses(self) -> list[str]:
        return self.run.addresses()

    @classmethod
    def read(cls, recorded: Recorded) -> SavedTrainingStep:
        with recorded.archive.sense():
            said = recorded.archive.opening["training"]
            rates = Rates(**{name: said[name] for name in Rates._fields})
            return cls(SavedRun.read(recorded), _words(said["labels"]), said["optimizer"], rates,
                       said["label_smoothing"])


class SavedDecoding(Decoding):
    """A translation that was saved."""

    def __init__(self, recorded: Recorded) -> None:
        with recorded.archive.sense():
            super().__init__(SavedRun.read(recorded), recorded.archive.opening["max_length"])
            self._written: list[str] = recorded.archive.opening["written"]
        self._recorded = recorded

    def steps(self, sink: Sink | None = None) -> Iterator[DecodingStep]:
        self._recorded.tell(sink, only=lambda address: not address.startswith("step"))
        read: tuple[str, ...] = (START,)
        for number, word in enumerate(self._written, start=1):
            place, told = f"step{number}.", dict[str, Step]()

            def keep(step: Step) -> None:
                told[step.address.removeprefix(place)] = step

            self._recorded.tell(tee(sink, keep), only=lambda address: address.startswith(place))
            yield DecodingStep(number, read, told, word)
            read += (word,)

    def forced(self, words: Sequence[str]) -> Array:
        return self._recorded.archive.value(self._recorded.records[FORCED])
