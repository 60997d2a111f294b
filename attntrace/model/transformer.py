"""The whole model: encoder, decoder, output (section 3). Wiring only."""
from collections.abc import Callable
from itertools import product
from typing import NamedTuple

from attntrace.model.attention import mask, multi_head
from attntrace.model.config import SELF_ATTENTION, SUB_LAYERS, Config
from attntrace.model.layers import feed_forward, layer_norm, linear, stack_input
from attntrace.model.parameters import Parameters
from attntrace.model.tokens import MEMORY, InputRows, Words
from attntrace.ops.functions import softmax
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.trace import Trace

SubLayer = Callable[[Trace, Tensor, Parameters], Tensor]
STREAMS = {"encoder": ("X", "M"), "decoder": ("Y", "D")}  # symbols of what a stack starts from, and of its result


class Prediction(NamedTuple):
    """The prediction of the next word after each word of the decoder's input; both token × vocab."""
    logits: Tensor
    probabilities: Tensor


def transformer(trace: Trace, source: Words | InputRows, target: Words | InputRows | None, parameters: Parameters,
                config: Config) -> Prediction | None:
    """Predict what follows each target word. Returns None without a target (only the encoder runs) and for a model
    without an output layer."""
    if config.architecture.is_attention:
        X = stack_input(trace.at("encoder"), source, parameters, config, "X")
        multi_head(trace.at(SELF_ATTENTION), X, X, parameters.at(SELF_ATTENTION), config)
        return None
    M = encoder(trace.at("encoder"), source, parameters.at("encoder"), config)
    if target is None:
        return None
    if parameters.get("output.W") is None:
        stack(trace.at("decoder"), "decoder", target, M, parameters.at("decoder"), config)
        return None
    return predict(trace, target, M, parameters, config)


def predict(trace: Trace, target: Words | InputRows, M: Tensor, parameters: Parameters, config: Config) -> Prediction:
    """Predict what follows each target word, given the memory M, by the final linear layer and softmax (section 3.4).
    M: token × d_model."""
    D = stack(trace.at("decoder"), "decoder", target, M, parameters.at("decoder"), config)
    output, own = trace.at("output"), parameters.at("output")
    logits = output("logits", linear(D, own["W"], own.get("b")), "logits")
    return Prediction(logits, output("probabilities", softmax(logits), "probabilities"))


def encoder(trace: Trace, source: Words | InputRows, parameters: Parameters, config: Config) -> Tensor:
    """N layers of self-attention and feed-forward (section 3.1). Returns the memory M, token × d_model, or the memory
    that was given as the source."""
    if isinstance(source, InputRows) and source.address == MEMORY:
        return trace("output", source.tensor("M_given"), "M")
    return stack(trace, "encoder", source, None, parameters, config)


def stack(trace: Trace, name: str, begins: Words | InputRows, M: Tensor | None, parameters: Parameters,
          config: Config) -> Tensor:
    """All layers, a final norm where the config has one, and the result as the step `output`, token × d_model.

    M: the memory of a decoder, which attends to it, and whose self-attention is masked."""
    stream, symbol = STREAMS[name]
    X = stack_input(trace, begins, parameters, config, stream)
    seen = mask(X.axes[0], X.axes[0], config.dtype, causal=M is not None)
    memory = X if M is None else M  # which only a decoder attends to
    padding = mask(X.axes[0], memory.axes[0], config.dtype)
    kinds: dict[str, SubLayer] = {
        "self_attention": lambda trace, X, own: multi_head(trace, X, X, own, config, seen),
        "cross_attention": lambda trace, X, own: multi_head(trace, X, memory, own, config, padding),
        "feed_forward": lambda trace, X, own: feed_forward(trace, X, own, config)}
    names = SUB_LAYERS[name]
    for layer, (n, kind) in product(range(1, config.layers + 1), enumerate(names, start=1)):
        is_last = n == len(names)
        after = Symbol(stream, superscript=layer if is_last else layer - 1 or None, primes=0 if is_last else n)
        place = f"layer{layer}.{kind}"
        X = residual(trace.at(place), X, kinds[kind], parameters.at(place), config, after)
    if config.final_norm:
        X = layer_norm(trace.at("final_norm"), X, parameters.at("final_norm"), config, Symbol("norm"))
    return trace("output", X, symbol)


def residual(trace: Trace, X: Tensor, sub_layer: SubLayer, parameters: Parameters, config: Config,
             after: Symbol) -> Tensor:
    """LayerNorm(X + Sublayer(X)) as in the paper, or X + Sublayer(LayerNorm(X)) with pre-norm; token × d_model."""
    if config.norm == "pre":
        N = layer_norm(trace.stage("pre_norm"), X, parameters, config, Symbol("norm"))
        return trace.stage("add")("residual", X + trace.dropout(sub_layer(trace, N, parameters)), after)
    add_norm = trace.stage("add_norm")
    U = add_norm("residual", X + trace.dropout(sub_layer(trace, X, parameters)), "U")
    return layer_norm(add_norm, U, parameters, config, after)
