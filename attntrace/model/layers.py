"""Embedding, positional encoding, feed-forward, layer norm (sections 3.1, 3.3 to 3.5)."""
from collections.abc import Callable

from attntrace.model.config import Config
from attntrace.model.parameters import Parameters
from attntrace.model.tokens import InputRows, Words
from attntrace.ops.functions import Sinusoid, mean, relu, sqrt, square
from attntrace.ops.indexing import gather
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Tensor, apply, constant
from attntrace.tracing.trace import Trace

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": relu}  # by the word in a config


def linear(X: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
    """X W + b, or X W without a bias. X: token × m; W: m × n; b: n. Returns token × n."""
    return X @ W if b is None else X @ W + b


def stack_input(trace: Trace, source: Words | InputRows, parameters: Parameters, config: Config, symbol: str) -> Tensor:
    """The input of a stack: words, embedded with their positions, or given rows. Returns token × d_model."""
    if isinstance(source, InputRows):
        return trace("input", source.tensor(f"{symbol}_given"), symbol)
    return embedding(trace, source, parameters["E"], config, symbol)


def embedding(trace: Trace, words: Words, table: Tensor, config: Config, symbol: str) -> Tensor:
    """√d_model · E + P: rows of the table, scaled, plus positional encodings (sections 3.4 and 3.5).

    table: vocab × d_model. Returns token × d_model, called `symbol`."""
    token = words.axis
    X = trace("embedding", gather(table, constant(words.ids, "id", (token,))), "E")
    if config.scale_embedding:
        root = sqrt(constant(config.d_model, "d_model", dtype=config.dtype))
        X = trace("scaled_embedding", root * X, "Ê")
    if config.adds_positions:
        pos = constant(words.positions, "pos", (token,))
        P = trace("positional_encoding", apply(Sinusoid(config.d_model, config.position, config.dtype), pos), "P")
        X = X + P
    return trace("input", trace.dropout(X), symbol)


def layer_norm(trace: Trace, U: Tensor, parameters: Parameters, config: Config, symbol: Symbol) -> Tensor:
    """γ ⊙ (U - μ) / √(σ² + ε) + β over each row, with the biased variance (Ba et al. 2016, as section 3.1 uses it).

    U: token × d_model. Returns the same shape, called `symbol`."""
    mu = trace("mean", mean(U), "μ")
    var = trace("variance", mean(square(U - mu)), "σ²")
    normalized = trace("normalized", (U - mu) / sqrt(var + constant(config.epsilon, "ε", dtype=config.dtype)), "Û")
    return trace("norm", parameters["gain"] * normalized + parameters["bias"], symbol)


def feed_forward(trace: Trace, X: Tensor, parameters: Parameters, config: Config) -> Tensor:
    """max(0, X W_1 + b_1) W_2 + b_2 (section 3.3). X: token × d_model; returns the same shape."""
    H = trace("hidden", linear(X, parameters["W_1"], parameters["b_1"]), "H")
    F = trace("activation", ACTIVATIONS[config.activation](H), "F")
    return trace("output", linear(F, parameters["W_2"], parameters["b_2"]), "G")
