"""Tensors without operands: constants and zeros."""
from functools import lru_cache
from typing import Any

import numpy as np

from attntrace.tensor.axes import Axes
from attntrace.tensor.expression import Number
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Tensor


def constant(value: Any, symbol: str | None = None, axes: Axes = (), dtype: Any = None) -> Tensor:
    """A number such as d_k, or an array such as a mask; a number without a symbol is written as itself."""
    return _number(value, symbol, dtype) if isinstance(value, (int, float)) else _constant(value, symbol, axes, dtype)


@lru_cache(1024, typed=True)  # training needs the same few numbers at every step
def _number(value: float, symbol: str | None, dtype: Any) -> Tensor:
    return _constant(value, symbol, (), dtype)


def _constant(value: Any, symbol: str | None, axes: Axes, dtype: Any) -> Tensor:
    array = np.array(value, dtype=dtype)
    if symbol is None and not axes:
        symbol = str(Number(array.item()))
    return Tensor(array, axes, Symbol.of(symbol) if symbol is not None else None)


def zeros(axes: Axes, dtype: Any) -> Tensor:
    """Zeros, written 0."""
    return constant(np.zeros([axis.size for axis in axes]), "0", axes, dtype)
