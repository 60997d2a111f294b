"""What can be shown, saved or checked: a run of a sentence, a training step, a translation; live or saved."""
from collections.abc import Sequence
from typing import Protocol

from attntrace.runs.run import Drift, Run
from attntrace.tensor.tensor import Record
from attntrace.tracing.trace import Sink


class Subject(Protocol):
    """Calling it passes every step to a sink, in order of computation; a second call gives the same steps.

    `kind`: TRACE, BACKPROP or TRANSLATE. `run`: the sentence and the model, where it is a run the subject itself.
    `addresses`: of every step. `drift`: a sink that compares hand arithmetic with full precision; None in full
    precision. `header` and `footer`: what these records say in addition to those of a run."""
    @property
    def kind(self) -> str: ...

    @property
    def run(self) -> Run: ...

    def __call__(self, sink: Sink | None = None) -> object: ...
    def addresses(self) -> Sequence[str]: ...
    def drift(self) -> Drift | None: ...
    def header(self) -> Record: ...
    def footer(self) -> Record: ...
