"""Optimisers: plain gradient descent and Adam (section 5.3)."""
from typing import NamedTuple

from attntrace.ops.functions import identity, sqrt, square
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Tensor, constant, zeros
from attntrace.tracing.trace import Trace


class Rates(NamedTuple):
    """The settings of an update; β₁, β₂ and ε as in section 5.3."""
    lr: float
    beta1: float = 0.9
    beta2: float = 0.98
    epsilon: float = 1e-9


class Moments(NamedTuple):
    """The state of Adam for a parameter: the running means of its gradient and of the gradient's square, and the number
    of updates so far."""
    m: Tensor
    v: Tensor
    updates: int = 0

    @classmethod
    def zero(cls, parameter: Tensor) -> "Moments":
        """Return the moments before the first update."""
        zero = zeros(parameter.axes, parameter.value.dtype)
        return cls(zero, zero)


def descend(trace: Trace, W: Tensor, gradient: Tensor, rates: Rates) -> Tensor:
    """Return W - lr · ∂L/∂W."""
    old = trace("old", identity(W), _called(W, "old"))
    slope = trace("gradient", identity(gradient), _called(W, "grad"))
    return trace("new", old - _number(rates.lr, "lr", W) * slope, _called(W, "new"))


def adam(trace: Trace, W: Tensor, gradient: Tensor, before: Moments, rates: Rates) -> tuple[Tensor, Moments]:
    """Return W after an update by Adam (Kingma & Ba 2015), and the new moments: a step along m / √v, both corrected for
    their start at zero."""
    updates = before.updates + 1
    one, beta1, beta2 = (_number(value, name, W) for value, name in
                         ((1, "1"), (rates.beta1, "β₁"), (rates.beta2, "β₂")))
    power1, power2 = (_number(beta ** updates, name, W) for beta, name in ((rates.beta1, "β₁ᵗ"), (rates.beta2, "β₂ᵗ")))
    old = trace("old", identity(W), _called(W, "old"))
    slope = trace("gradient", identity(gradient), _called(W, "grad"))
    m = trace("m", beta1 * before.m + (one - beta1) * slope, _called(W, "m"))
    v = trace("v", beta2 * before.v + (one - beta2) * square(slope), _called(W, "v"))
    m_hat = trace("m_hat", m / (one - power1), _called(W, "m")._replace(hat=True))
    v_hat = trace("v_hat", v / (one - power2), _called(W, "v")._replace(hat=True))
    step = m_hat / (sqrt(v_hat) + _number(rates.epsilon, "ε", W))
    new = trace("new", old - _number(rates.lr, "lr", W) * step, _called(W, "new"))
    return new, Moments(m, v, updates)


def _number(value: float, symbol: str, W: Tensor) -> Tensor:
    return constant(value, symbol, dtype=W.value.dtype)


def _called(W: Tensor, what: str) -> Symbol:
    assert W.symbol is not None
    return W.symbol._replace(sub=",".join(filter(None, (W.symbol.sub, what))))
