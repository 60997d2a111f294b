"""Scaled dot-product attention, one head, many heads, masks (section 3.2)."""
import numpy as np

from attntrace.model.config import Config
from attntrace.model.layers import linear
from attntrace.model.parameters import Parameters
from attntrace.ops.batch import pack, unpack
from attntrace.ops.functions import softmax, sqrt
from attntrace.ops.indexing import concat, slice_columns
from attntrace.tensor.axes import Axis
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Tensor, constant
from attntrace.tracing.trace import Trace


def attention(trace: Trace, Q: Tensor, K: Tensor, V: Tensor, root: Tensor, mask: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention, softmax(Q Kᵀ / √d_k) V (section 3.2.1).

    Q: token × d_k; K: token × d_k and V: token × d_v, of the words attended to; root: the divisor of the scores;
    mask: token × key, 0 where a word may attend and -inf where it may not. Returns token × d_v.

    A batch is unpacked here: between Q and the result, its sentences have an axis of their own."""
    S = trace("scores", unpack(Q) @ unpack(K).T, "S")
    S = trace("scaled_scores", S / root, "Ŝ")
    if mask is not None:
        S = trace("masked_scores", S + mask, Symbol("S", hat=True, primes=1))
    A = trace("weights", softmax(S), "A")
    return trace("output", pack(A @ unpack(V), Q.axes[0]), "Z")


def head(trace: Trace, i: int, X: Tensor, M: Tensor, parameters: Parameters, config: Config, root: Tensor,
         mask: Tensor | None) -> Tensor:
    """Head i (from 1): queries from X, keys and values from M, by its own block of columns of W_Q, W_K and W_V.

    X, M: token × d_model; root: the divisor of the scores. Returns token × d_v."""
    first, last = (i - 1) * config.d_k + 1, i * config.d_k

    def project(source: Tensor, letter: str, axis_name: str) -> Tensor:
        W, b = parameters[f"W_{letter}"], parameters.get(f"b_{letter}")
        return linear(source, slice_columns(W, first, last, axis_name), b and slice_columns(b, first, last, axis_name))

    Q = trace("query", project(X, "Q", "d_k"), "Q")
    K = trace("key", project(M, "K", "d_k"), "K")
    V = trace("value", project(M, "V", "d_v"), "V")
    return attention(trace, Q, K, V, root, mask)


def multi_head(trace: Trace, X: Tensor, M: Tensor, parameters: Parameters, config: Config,
               mask: Tensor | None = None) -> Tensor:
    """Concat(head₁, ..., head_h) W_O (section 3.2.2). X, M: token × d_model; returns token × d_model."""
    root = score_root(config)
    Z = [head(trace.at(f"head{i}", head=i), i, X, M, parameters, config, root, mask)
         for i in range(1, config.heads + 1)]
    C = trace("concat", concat(Z, "d_concat"), "C")
    return trace("output", linear(C, parameters["W_O"], parameters.get("b_O")), "O")


def score_root(config: Config) -> Tensor:
    """The divisor of the scores: √d_k, or the number that the config gives instead."""
    if config.score_scale == "sqrt_d_k":
        return sqrt(constant(config.d_k, "d_k", dtype=config.dtype))
    return constant(config.score_scale, dtype=config.dtype)


def mask(token: Axis, key: Axis, dtype: str, causal: bool = False) -> Tensor | None:
    """Return token × key: 0 where a word may attend, -inf where it may not (if `causal`, later words, section 3.2.3; in
    a batch, the padding: sentence × token × key). None where every word may attend to all."""
    tokens, keys = token.lengths or (token.size,), key.lengths or (key.size,)
    if not causal and len(set(keys)) == 1:
        return None
    hidden = np.arange(max(keys)) >= np.array(keys)[:, None, None]
    if causal:
        hidden = hidden | np.triu(np.ones((max(tokens), max(keys)), bool), k=1)
    hidden = np.broadcast_to(hidden, (len(keys), max(tokens), max(keys)))
    if key.lengths is None:
        return constant(np.where(hidden[0], -np.inf, 0.0), "mask", (token, key.flipped()), dtype)
    axes = Axis("sentence", len(keys)), Axis("token", max(tokens)), Axis("key", max(keys))
    return constant(np.where(hidden, -np.inf, 0.0), "mask", axes, dtype)
