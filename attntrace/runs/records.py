"""A run told to programs: a header, each parameter before its first use, each step, a footer; as plain values."""
from __future__ import annotations

from collections.abc import Callable, Mapping

from attntrace.model.inputs import InputRows
from attntrace.model.tokens import Words
from attntrace.runs.run import Run
from attntrace.tensor.json_value import Record
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.fingerprint import Fingerprint
from attntrace.tracing.trace import Step
from attntrace.version import __version__


class Recorder:
    """A sink that tells each step to `told` as a record, without its value, and before it the parameters that it is the
    first to read; beside each record stands the tensor."""

    def __init__(self, parameters: Mapping[str, Tensor], told: Callable[[Record, Tensor], None]) -> None:
        self.told = told
        self._parameters = dict(parameters)

    def __call__(self, step: Step) -> None:
        leaves = dict.fromkeys(leaf.address for leaf in step.node.leaves() if leaf.address is not None)
        for address in leaves:
            if address in self._parameters:  # told once, before its first use
                parameter = self._parameters.pop(address)
                self.told({"parameter": address, "axes": parameter.axis_names, "shape": parameter.value.shape},
                          parameter)
        self.told({"address": step.address, "symbol": step.symbol.spelled(head=step.symbol.head),
                   "formula": step.formula(), "axes": step.tensor.axis_names, "shape": step.value.shape,
                   "expression": step.node.expression(), "parents": list(leaves)}, step.tensor)


def header(run: Run) -> Record:
    origin: Record = {"seed": run.seed} if run.weights is None else {"weights": run.weights}
    if run.init != "uniform":
        origin["init"] = run.init
    if run.inputs is not None:
        origin["input"] = run.inputs
    if run.pencil is not None:
        origin["pencil"] = run.pencil
    return {"attntrace": __version__, "config": run.config.described(), **origin,
            "changes": list(run.changes),
            "tokens": {"source": words(run.source), "target": words(run.target) if run.target else None}}


def words(said: Words | InputRows) -> list[Record]:
    return [{"id": id, "text": text} for id, text in zip(said.ids, said.texts, strict=True)]


def footer(fingerprint: Fingerprint) -> Record:
    return {"steps": fingerprint.steps, "fingerprint": str(fingerprint), "comparable": fingerprint.comparable}
