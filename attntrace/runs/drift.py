"""How far a run by hand has drifted from full precision."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import cell_name
from attntrace.tracing.trace import Sink, Step


class Drift:
    """A sink: of all numbers of a run by hand, the one that is farthest from the same run in full precision, which
    `full` tells.

    `largest`: by how much; `cell`: its address (empty where no number has drifted), with what it is `by_hand` and
    `in_full`.
    """

    def __init__(self, full: Callable[[Sink], object]) -> None:
        self.largest, self.cell, self.by_hand, self.in_full = 0.0, "", 0.0, 0.0
        self._values: dict[str, Array] = {}
        full(self._keep)

    def record(self) -> dict[str, Any]:
        """For programs."""
        return {name: getattr(self, name) for name in ("largest", "cell", "by_hand", "in_full")}

    @classmethod
    def recorded(cls, record: dict[str, Any]) -> Drift:
        """One that was measured when the run was."""
        found = cls(lambda sink: None)
        found.largest, found.by_hand, found.in_full = (
            float(record[name]) for name in ("largest", "by_hand", "in_full"))
        found.cell = str(record["cell"])
        return found

    def _keep(self, step: Step) -> None:
        self._values[step.address] = step.value

    def __call__(self, step: Step) -> None:
        if step.address not in self._values:  # measured before
            return
        full = self._values[step.address]
        apart = np.abs(np.subtract(step.value, full, out=np.zeros(full.shape), where=step.value != full))
        largest = float(apart.max(initial=0.0))
        if largest > self.largest:
            index = tuple(map(int, np.unravel_index(int(apart.argmax()), full.shape)))
            self.largest, self.cell = largest, cell_name(step.address, index)
            self.by_hand, self.in_full = step.value.item(index), full.item(index)
