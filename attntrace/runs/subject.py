"""What can be shown, saved or checked: a run of a sentence, a training step, a translation; live or saved."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from attntrace.runs.drift import Drift
from attntrace.runs.run import Run
from attntrace.tracing.trace import Sink


class Subject(Protocol):
    """Calling it passes every step to a sink, in order of computation; calling it twice gives the same steps twice."""

    @property
    def run(self) -> Run:
        """The sentence and the model: the subject itself, where it is a run."""

    def __call__(self, sink: Sink | None = None) -> object: ...

    def addresses(self) -> Sequence[str]:
        """Return the address of every step."""

    def drift(self) -> Drift | None:
        """Return a sink that compares hand arithmetic with full precision; None in full precision."""
