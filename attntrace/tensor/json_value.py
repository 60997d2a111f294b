"""Arrays as plain values for JSON."""
from typing import Any

import numpy as np

Record = dict[str, Any]  # a line of JSON: a run, a parameter or a step


def json_value(value: np.ndarray[Any, Any]) -> Any:
    """An array as nested lists of plain numbers; infinities as "-inf", since JSON has none."""
    if value.dtype.kind != "f" or np.isfinite(value).all():
        return value.tolist()
    values = value.astype(object)  # Python numbers
    for name in ("inf", "-inf", "nan"):
        values[np.isnan(value) if name == "nan" else value == float(name)] = name
    return values.tolist()
