"""How far hand arithmetic, rounded at every operation, has drifted from full precision."""
from collections.abc import Callable
from typing import Any

import numpy as np

from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import cell_name
from attntrace.tracing.trace import Sink, Step


class Drift:
    """A sink for a run in hand arithmetic that finds the number farthest from the same run in full precision.

    `largest`: the distance; `cell`: the address of that number (empty where none differs); `by_hand` and `in_full`:
    its two values. `exact` is the run in full precision, called with a sink.
    """

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
