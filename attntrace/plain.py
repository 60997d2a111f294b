"""Arrays as the plain values of a file."""
from __future__ import annotations

import math
from typing import Any

import numpy as np


def plain_value(value: np.ndarray[Any, Any]) -> Any:
    """An array as nested lists of plain numbers, infinities as "-inf" (they are no JSON)."""
    return value.tolist() if value.dtype.kind != "f" or np.isfinite(value).all() else _spelled_out(value.tolist())


def _spelled_out(value: Any) -> Any:
    if isinstance(value, list):
        return [_spelled_out(part) for part in value]
    return value if math.isfinite(value) else str(value)
