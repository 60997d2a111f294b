"""What is written into files for programs: plain values."""
from __future__ import annotations

from typing import Any

import numpy as np

Record = dict[str, Any]  # what a line of JSON says of a run, a parameter or a step


def json_value(value: np.ndarray[Any, Any]) -> Any:
    """An array as nested lists of plain numbers, infinities as "-inf" (they are no JSON)."""
    if value.dtype.kind != "f" or np.isfinite(value).all():
        return value.tolist()
    spelled = value.astype(object)  # whose numbers are Python's own
    for name in ("inf", "-inf", "nan"):
        alike = np.isnan(value) if name == "nan" else value == float(name)
        spelled[alike] = name
    return spelled.tolist()
