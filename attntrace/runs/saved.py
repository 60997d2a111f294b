"""Saved runs: a run, a training step or a translation written to an archive, and replayed from it without the model."""
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from attntrace.files.archive import (FORMAT, Archive, ArchiveWriter, ExpressionReader, ExpressionWriter, Parsed,
                                     name_of, symbol_from, symbol_record, tensor_from)
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.model.masks import Masks
from attntrace.model.parameters import Parameters, Vocabularies
from attntrace.model.tokens import START, InputRows, Words
from attntrace.runs.decoding import Decoding, DecodingStep, kept_in
from attntrace.runs.run import BACKPROP, TRACE, TRANSLATE, Drift, Recorder, Run, Subject, footer, header
from attntrace.runs.training_step import TrainingStep
from attntrace.runs.what_if import edit_sentences, order_before
from attntrace.tensor.axes import Axes, AxisError
from attntrace.tensor.evaluate import rounding_of
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array, Node, Record, Tensor
from attntrace.tracing.trace import COMPARABLE, Fingerprint, Sink, Step, tee
from attntrace.training.optimizers import Rates

FORCED = "teacher_forced.logits"  # a member of a saved translation beside its steps


def save(subject: Subject, file: BinaryIO, count: Sink | None = None) -> None:
    """Write a run, a training step or a translation while it is computed; `count`: a sink for the steps on the way."""
    recording, drift, head = Recording(file, subject.run), subject.drift(), subject.header()
    if isinstance(subject, Decoding):
        steps = list(subject.steps(tee(recording, count)))
        recording.extra(FORCED, subject.forced(steps[-1].read))
        head = {"written": [step.word for step in steps], "max_length": subject.max_length}
    else:
        subject(tee(recording, drift, count))
    recording.close(subject.kind, head, subject.footer() | ({"drift": drift.record()} if drift else {}))


class Recording:
    """A sink that writes each step of a run to an archive as soon as it is computed."""

    def __init__(self, file: BinaryIO, run: Run) -> None:
        self._archive, self._expressions, self._records = ArchiveWriter(file), ExpressionWriter(), list[Record]()
        self._run, self._recorder = run, Recorder(run.parameters.by_name, self._write)
        self._of_step = Record()
        self._steps = list[Step]()  # for the fingerprint, while there are not too many numbers for one
        self._count = self._numbers = 0

    def __call__(self, step: Step) -> None:
        self._of_step = {"place": step.place, "name": step.name, "stage": step.stage,
                         "notes": list(self._expressions.annotations(step.node))}
        self._recorder(step)
        self._count += 1
        self._numbers += step.value.size
        if self._numbers > COMPARABLE:  # a fingerprint would take longer than everything else, for no use
            self._steps.clear()
        else:
            self._steps.append(step)

    def _write(self, record: Record, tensor: Tensor) -> None:
        name = name_of(record)
        assert tensor.symbol is not None
        more = {"sha256": self._archive.member(name, tensor.value), "dtype": str(tensor.value.dtype),
                "sign": symbol_record(tensor.symbol), "along": list(map(self._expressions.axis, tensor.axes))}
        self._records.append(record | more | (self._of_step if "address" in record else {}))

    def extra(self, name: str, value: Array) -> None:
        """Write numbers that belong to no step."""
        self._records.append({"member": name, "shape": value.shape, "sha256": self._archive.member(name, value)})

    def close(self, kind: str, head: Record = {}, foot: Record = {}) -> None:
        """Write the parameters that no step read, and the records, with `head` in the header, `foot` in the footer."""
        self._recorder.write_parameters(list(self._recorder.unread))
        begins = [side.address if isinstance(side, InputRows) else None
                  for side in (self._run.source, self._run.target)]
        more = {"saved": FORMAT, "kind": kind, "vocabularies": self._run.vocabularies._asdict(), "begins": begins,
                "axes": self._expressions.axes()}
        fingerprint = Fingerprint()
        for step in self._steps:
            fingerprint(step)
        counted = ({"steps": self._count, "fingerprint": None, "comparable": False} if self._numbers > COMPARABLE
                   else footer(fingerprint))
        self._archive.close([header(self._run) | head | more, *self._records, counted | foot])


class Recorded:
    """The parameters and the steps of an archive, read when they are needed."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._parse = ExpressionReader(archive.axes, self.tensor)
        with self.archive.sense():
            self.records = {name_of(record): record for record in archive.records()}
            self.parameters = [name for name, record in self.records.items() if "parameter" in record]
            self.addresses = [name for name, record in self.records.items() if "address" in record]
            edits = archive.header["changes"]
            list(edit_sentences(edits))  # fails where an edit makes no sense
            order_before(edits, len(archive.header["tokens"]["source"]))
        self._tensors: dict[str, Tensor] = {}
        self._rounding = rounding_of(archive.header.get("pencil"))

    def tensor(self, name: str) -> Tensor:
        """Return a parameter or the tensor of a step, without its history."""
        if name not in self._tensors:
            self._tensors[name] = self.read(name)
        return self._tensors[name]

    def read(self, name: str) -> Tensor:
        """The same, read once more each time, and not kept."""
        with self.archive.sense():
            record = self.records[name]
            return tensor_from(record, self.archive.value(record), self.archive.axes)

    def step(self, address: str) -> Step:
        """Return a step with its history. Raises Problem where its record makes no sense."""
        record, tensor = self.records[address], self.tensor(address)
        with self.archive.sense():
            parsed = self._parse(record["expression"], record["notes"])
        tensor.node = self._node(record, parsed, tensor.axes)
        return Step(record["place"], record["name"], tensor, tensor.node, record["stage"], self._rounding)

    def _node(self, record: Record, parsed: Parsed, axes: Axes) -> Node:
        """Compute the operands without a name. Raises Problem where the result has other axes, or where the independent
        checker cannot compute it either; any other exception is a bug."""
        try:
            with np.errstate(all="ignore"):
                again = parsed()
            if again.axes == axes:
                return again.history
        except MemoryError:
            raise Problem("saved_too_large", file=str(self.archive.path)) from None
        except Exception as error:
            if not isinstance(error, AxisError) and self._has_value(record["expression"]):
                raise
        raise self.archive.broken(ValueError(Message("problem.why.other_shape", name=name_of(record))))

    def _has_value(self, expression: Any) -> bool:
        """Return whether the independent checker can compute an expression."""
        from attntrace.verify import arithmetic, ops  # rarely needed
        try:
            ops.evaluate(expression, arithmetic.Doubles(), lambda name: ops.Array(
                self.tensor(name).value.tolist(), self.tensor(name).axis_names))
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return False
        return True

    def replay(self, sink: Sink, place: str = "") -> None:
        """Pass the steps at a place to a sink, in order of computation; drop each tensor after its last use."""
        last = {parent: address for address in self.addresses for parent in self.records[address]["parents"]}
        for address in self.addresses:
            if not address.startswith(place):
                continue
            step = self.step(address)
            sink(step)
            step.tensor.node = None
            for name in (*self.records[address]["parents"], address):
                if last.get(name, address) == address and "parameter" not in self.records[name]:
                    self._tensors.pop(name, None)


class Saved:
    """What saved runs, training steps and translations have in common: all comes from the archive. Calling one replays
    its steps; the updated parameters are among those of a training step."""
    recorded: Recorded

    def __call__(self, sink: Sink | None = None) -> Any:
        self.recorded.replay(tee(sink))

    def addresses(self) -> dict[str, Symbol]:
        """Return the address of every step, with its symbol."""
        with self.recorded.archive.sense():
            return {name: symbol_from(self.recorded.records[name]["sign"]) for name in self.recorded.addresses}

    def small(self) -> Any:
        """Return the subject itself, as it computes nothing."""
        return self

    def drift(self) -> Drift | None:
        """Return the drift that was saved; None in full precision."""
        archive = self.recorded.archive
        with archive.sense():
            return None if archive.header.get("pencil") is None else Drift.from_record(archive.footer["drift"])


class SavedRun(Saved, Run):
    """A saved run."""

    @classmethod
    def read(cls, recorded: Recorded) -> "SavedRun":
        """Read what a run consists of. Raises Problem where the header makes no sense."""
        head = recorded.archive.header
        with recorded.archive.sense():
            known = (head["vocabularies"][side] for side in Vocabularies._fields)
            vocabularies = Vocabularies(*(None if words is None else tuple(words) for words in known))
            tensors = {name: recorded.tensor(name) for name in recorded.parameters}
            numbers = [tensor.value.ravel() for tensor in tensors.values()] or [np.zeros(0)]
            parameters = Parameters(tensors, np.concatenate(numbers))
            source, target = (_side(head["tokens"][side], address)
                              for side, address in zip(("source", "target"), head["begins"], strict=True))
            assert source is not None
            run = cls(recorded.archive.config, head.get("seed"), head.get("weights"), vocabularies, parameters, source,
                      target, head.get("input"), tuple(head["changes"]), head.get("pencil"),
                      head.get("init", "uniform"), Masks.from_record(head["masks"]) if "masks" in head else Masks())
        run.recorded = recorded
        return run


def _side(words: list[Record] | None, address: str | None) -> Words | InputRows | None:
    """Return source or target: words, or rows given at an address, of which only the names are known."""
    if words is None or address is None:
        return None if words is None else _words(words)
    return InputRows(tuple(word["text"] for word in words), np.zeros((len(words), 0)), address)


def _words(records: list[Record]) -> Words:
    return Words(tuple(str(word["text"]) for word in records), tuple(int(word["id"]) for word in records))


class SavedTrainingStep(Saved, TrainingStep):
    """A saved training step."""

    def losses(self, sink: Sink | None = None) -> tuple[float, float]:
        """Return the loss before and after the update."""
        if sink is not None:
            self(sink)
        archive = self.recorded.archive
        with archive.sense():
            loss = archive.footer["loss"]
            return float(loss["before"]), float(loss["after"])

    @classmethod
    def read(cls, recorded: Recorded) -> "SavedTrainingStep":
        """Read what a training step consists of. Raises Problem where the header makes no sense."""
        with recorded.archive.sense():
            training: dict[str, Any] = recorded.archive.header["training"]
            rates = Rates(**{name: training[name] for name in Rates._fields})
            step = cls(SavedRun.read(recorded), _words(training["labels"]), training["optimizer"], rates,
                       training["label_smoothing"], training.get("label_smoothing_over", "all"))
        step.recorded = recorded
        return step


class SavedDecoding(Saved, Decoding):
    """A saved translation. Calling it replays its steps."""

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded
        with recorded.archive.sense():
            super().__init__(SavedRun.read(recorded), recorded.archive.header["max_length"])
            self._words = list(map(str, recorded.archive.header["written"]))
            for number in range(1, len(self._words) + 1):  # fails where a step that every word has is missing
                assert f"step{number}.output.logits" in recorded.records

    def words(self) -> list[str]:
        return self._words

    def steps(self, sink: Sink | None = None) -> Iterator[DecodingStep]:
        self.recorded.replay(tee(sink), "encoder.")
        for number, word in enumerate(self._words, start=1):
            steps = dict[str, Step]()
            self.recorded.replay(tee(sink, kept_in(steps)), f"step{number}.")
            yield DecodingStep(number, (START, *self._words[:number - 1]), steps, word)

    def forced(self, words: Sequence[str]) -> Array:
        return self.recorded.archive.value(self.recorded.records[FORCED])


SAVED: dict[str, Callable[[Recorded], Subject]] = {
    TRACE: SavedRun.read, BACKPROP: SavedTrainingStep.read, TRANSLATE: SavedDecoding}


def saved_subject(archive: Archive) -> Subject:
    """Return the run, the training step or the translation of an archive. Raises Problem for any other kind."""
    recorded, kind = Recorded(archive), str(archive.header.get("kind"))
    if kind not in SAVED:
        raise archive.broken(ValueError(Message("problem.why.no_kind")))
    return SAVED[kind](recorded)
