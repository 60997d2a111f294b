"""What can be shown, saved or checked: a run of a sentence, a training step, a translation; live or saved."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from attntrace.runs.drift import Drift
from attntrace.runs.run import Run
from attntrace.tensor.json_value import Record
from attntrace.tracing.trace import Sink


class Subject(Protocol):
    """Calling it passes every step to a sink, in order of computation; a second call gives the same steps."""

    @property
    def kind(self) -> str:
        """One of TRACE, BACKPROP, TRANSLATE."""

    @property
    def run(self) -> Run:
        """The sentence and the model: the subject itself, where it is a run."""

    def __call__(self, sink: Sink | None = None) -> object: ...

    def addresses(self) -> Sequence[str]:
        """Return the address of every step."""

    def drift(self) -> Drift | None:
        """Return a sink that compares hand arithmetic with full precision; None in full precision."""

    def header(self) -> Record:
        """Return what the header of its records says in addition to that of a run."""

    def footer(self) -> Record:
        """Return what the footer of its records says in addition to that of a run."""
