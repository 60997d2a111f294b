"""Tensors computed by hand arithmetic: each number from the arithmetic of its cell, which is what is printed."""
import numpy as np

from attntrace.messages.errors import Problem
from attntrace.tensor.rounding import FULL_PRECISION, Rounding
from attntrace.tensor.tensor import Array, Tensor


def rounding_of(decimals: int | None) -> Rounding:
    """The rounding to this many decimals; None is full precision."""
    if decimals is None:
        return FULL_PRECISION
    from attntrace.tensor.hand_arithmetic import HandArithmetic  # decimal takes time to import, and is rarely needed
    return HandArithmetic(decimals)


def evaluate(tensor: Tensor, rounding: Rounding) -> Tensor:
    """Recompute a tensor under a rounding; in full precision, or without a node, it stays as it is. Raises Problem
    where a number is too large to be exact in its decimals."""
    if tensor.node is None or rounding.decimals is None:
        return tensor
    cell = tensor.node.cell
    try:
        value = np.array([float(cell(index).result(rounding)) for index in np.ndindex(tensor.value.shape)], float)
    except ArithmeticError:
        value = np.full(1, np.nan)
    if not (value < rounding.most).all() or (np.abs(value[np.isfinite(value)]) >= rounding.most).any():
        raise Problem("pencil_too_large", address=tensor.address or "", decimals=rounding.decimals)
    value = value.reshape(tensor.value.shape) + 0.0  # turns -0 into 0
    return Tensor(value, tensor.axes, tensor.symbol, tensor.address, tensor.node)


def round_values(value: Array, decimals: int, name: str) -> Array:
    """Round numbers to decimals, half away from zero. Raises Problem, with the `name`, for one that is too large to be
    exact in them."""
    rounding = rounding_of(decimals)
    if not (np.abs(value) < rounding.most).all():
        raise Problem("pencil_too_large", address=name, decimals=decimals)
    numbers = [float(rounding.rounded(rounding.number(number))) for number in value.ravel().tolist()]
    return np.array(numbers, value.dtype).reshape(value.shape) + 0.0
