"""A run as JSON values: a header, a record for each parameter before its first use and for each step, a footer."""
from collections.abc import Callable, Mapping

from attntrace.model.tokens import InputRows, Words
from attntrace.runs.run import Subject
from attntrace.tensor.tensor import Record, Tensor
from attntrace.tracing.trace import Fingerprint, Step
from attntrace.version import __version__


class Recorder:
    """A sink that passes the record of each step on to `write`, without its value but with its tensor; before it the
    records of the parameters that this step is the first to read. `unread`: those that no step has read."""

    def __init__(self, parameters: Mapping[str, Tensor], write: Callable[[Record, Tensor], object]) -> None:
        self.write = write
        self.unread = dict(parameters)

    def __call__(self, step: Step) -> None:
        parents = dict.fromkeys(leaf.address for leaf in step.node.leaves() if leaf.address is not None)
        for address in parents:
            if address in self.unread:
                parameter = self.unread.pop(address)
                self.write(parameter_record(address, parameter), parameter)
        self.write({"address": step.address, "symbol": step.symbol.spelled(head=step.symbol.head),
                    "formula": step.formula(), "axes": step.tensor.axis_names, "shape": step.value.shape,
                    "expression": step.node.expression(), "parents": list(parents)}, step.tensor)


def parameter_record(name: str, parameter: Tensor) -> Record:
    """Return the record of a parameter."""
    return {"parameter": name, "axes": parameter.axis_names, "shape": parameter.value.shape}


def header(subject: Subject) -> Record:
    """Return the first record: the model, where its numbers come from, the words, and what the subject adds."""
    run = subject.run
    origin: Record = {"seed": run.seed} if run.weights is None else {"weights": run.weights}
    more = {"init": None if run.init == "uniform" else run.init, "input": run.inputs, "pencil": run.pencil}
    origin |= {name: value for name, value in more.items() if value is not None}
    return {"attntrace": __version__, "config": run.config.described(), **origin, "changes": list(run.edits),
            "tokens": {"source": words(run.source), "target": words(run.target) if run.target else None},
            **subject.header()}


def words(side: Words | InputRows) -> list[Record]:
    """Return the words of source or target, each with its id (None for a given row)."""
    return [{"id": id, "text": text} for id, text in zip(side.ids, side.texts, strict=True)]


def footer(fingerprint: Fingerprint) -> Record:
    """Return the last record of a run."""
    return {"steps": fingerprint.steps, "fingerprint": str(fingerprint), "comparable": fingerprint.comparable}
