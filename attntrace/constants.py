"""Tensors that nothing made."""
from __future__ import annotations

from typing import Any

import numpy as np

from attntrace.arithmetic import Number
from attntrace.axes import Axes
from attntrace.symbol import Symbol
from attntrace.tensor import Tensor


def constant(value: Any, symbol: str | None = None, axes: Axes = (), dtype: Any = None) -> Tensor:
    """A number such as d_k, or a mask."""
    array = np.array(value, dtype=dtype)
    if symbol is None and not axes:
        symbol = str(Number(array.item()))
    return Tensor(array, axes, Symbol.of(symbol) if symbol is not None else None)


def zeros(axes: Axes, dtype: Any) -> Tensor:
    """Nothing but zeros, written 0."""
    return constant(np.zeros([axis.size for axis in axes]), "0", axes, dtype)
