"""The transformer, an equation a line: layers, attention, encoder and decoder (section 3), and greedy decoding."""
from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.model.config import MAX_LENGTH, SELF_ATTENTION, SUB_LAYERS, Config
from attntrace.model.parameters import Parameters, Vocabularies
from attntrace.model.tokens import END, MEMORY, START, InputRows, Words, packed
from attntrace.ops.batch import pack, unpack
from attntrace.ops.functions import Sinusoid, mean, relu, softmax, sqrt, square
from attntrace.ops.indexing import concat, gather, slice_columns
from attntrace.tensor.axes import Axis
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Tensor, apply, constant
from attntrace.tracing.trace import Trace

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": relu}  # by the word in a config
SubLayer = Callable[[Trace, Tensor, Parameters], Tensor]
STREAMS = {"encoder": ("X", "M"), "decoder": ("Y", "D")}  # symbols of what a stack starts from, and of its result


def linear(X: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
    """X W + b, or X W without a bias. X: token × m; W: m × n; b: n. Returns token × n."""
    return X @ W if b is None else X @ W + b


def stack_input(trace: Trace, source: Words | InputRows, parameters: Parameters, config: Config, symbol: str) -> Tensor:
    """The input of a stack: given rows, or those of words, √d_model · E + P: rows of a table (vocab × d_model), scaled,
    plus positional encodings (sections 3.4 and 3.5). Returns token × d_model, called `symbol`."""
    if isinstance(source, InputRows):
        return trace("input", source.tensor(f"{symbol}_given"), symbol)
    token = source.axis
    X = trace("embedding", gather(parameters.embeddings, constant(source.ids, "id", (token,))), "E")
    if config.scale_embedding:
        root = sqrt(constant(config.d_model, "d_model", dtype=config.dtype))
        X = trace("scaled_embedding", root * X, "Ê")
    if config.adds_positions:
        P = positions(trace, source, parameters, config)
        X = X + P
    return trace("input", trace.dropout(X), symbol)


def check_positions(words: Words, config: Config) -> None:
    """Raise Problem for a sentence with more tokens than a model has learned positions."""
    tokens, there = max(words.lengths or (len(words.ids),)), config.max_positions - config.position_offset
    if config.learns_positions and tokens > there:
        raise Problem("too_few_positions", tokens=tokens, there=there)


def positions(trace: Trace, words: Words, parameters: Parameters, config: Config) -> Tensor:
    """P, token × d_model: the encodings of the positions, counted from 0 (section 3.5); or their learned vectors, rows
    of a table (max_positions × d_model), counted from 1. Raises Problem where it has too few."""
    first = config.position_offset + config.learns_positions
    pos = constant([first + position for position in words.positions], "pos", (words.axis,))
    if not config.learns_positions:
        encoding = Sinusoid(config.d_model, config.position, config.dtype, config.position_base)
        return trace("positional_encoding", apply(encoding, pos), "P")
    check_positions(words, config)
    return trace("position_embedding", gather(parameters["P"], pos), "P")


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


def head(trace: Trace, i: int, X: Tensor, M: Tensor, parameters: Parameters, config: Config,
         mask: Tensor | None) -> Tensor:
    """Head i (from 1): queries from X, keys and values from M, by its own block of columns of W_Q, W_K and W_V.

    X, M: token × d_model. Returns token × d_v."""
    first, last = (i - 1) * config.d_k + 1, i * config.d_k

    def project(source: Tensor, letter: str, axis_name: str) -> Tensor:
        W, b = parameters[f"W_{letter}"], parameters.get(f"b_{letter}")
        return linear(source, slice_columns(W, first, last, axis_name), b and slice_columns(b, first, last, axis_name))

    Q = trace("query", project(X, "Q", "d_k"), "Q")
    K = trace("key", project(M, "K", "d_k"), "K")
    V = trace("value", project(M, "V", "d_v"), "V")
    return attention(trace, Q, K, V, score_root(config), mask)


def multi_head(trace: Trace, X: Tensor, M: Tensor, parameters: Parameters, config: Config,
               mask: Tensor | None = None) -> Tensor:
    """Concat(head₁, ..., head_h) W_O (section 3.2.2). X, M: token × d_model; returns token × d_model."""
    Z = [head(trace.at(f"head{i}", head=i), i, X, M, parameters, config, mask) for i in range(1, config.heads + 1)]
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
    if output_matrix(parameters) is None:
        stack(trace.at("decoder"), "decoder", target, M, parameters.at("decoder"), config)
        return None
    return predict(trace, target, M, parameters, config)


def output_matrix(parameters: Parameters) -> Tensor | None:
    """W, d_model × vocab, of the final linear layer: a parameter, or the transpose of the embeddings that it shares
    (section 3.4). None where a model has no such layer."""
    E = parameters.get("shared.E")
    return E.T if E else parameters.get("output.W")


def predict(trace: Trace, target: Words | InputRows, M: Tensor, parameters: Parameters, config: Config) -> Prediction:
    """Predict what follows each target word, given the memory M, by the final linear layer and softmax (section 3.4).
    M: token × d_model."""
    D = stack(trace.at("decoder"), "decoder", target, M, parameters.at("decoder"), config)
    output, W = trace.at("output"), output_matrix(parameters)
    assert W is not None
    logits = output("logits", linear(D, W, parameters.get("output.b")), "logits")
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


@np.errstate(all="ignore")  # an overflow is reported as a Problem
def translate(parameters: Parameters, config: Config, vocabularies: Vocabularies, sources: Sequence[Sequence[int]],
              max_length: int = MAX_LENGTH) -> list[list[str]]:
    """Translate several sentences, given by their ids, as one batch and untraced; each ends with `</s>` unless it
    reaches `max_length` words. Raises Problem where numbers overflow."""
    known = vocabularies.target or ()
    numbers = {word: n + 1 for n, word in enumerate(known)}
    end = numbers.get(END)
    M = encoder(Trace(), packed(sources), parameters.at("encoder"), config)
    written: list[list[int]] = [[] for _ in sources]
    for length in range(1, max_length + 1):
        if all(end in ids for ids in written):
            break
        read = packed([[numbers[START], *ids] for ids in written])
        logits = predict(Trace(), read, M, parameters, config).logits.value
        if not np.isfinite(logits).all():
            raise Problem("not_finite", address="output.logits", dtype=config.dtype)
        for ids, row in zip(written, logits[length - 1::length], strict=True):
            ids.append(int(row.argmax()) + 1)
    return [[known[id - 1] for id in (ids[:ids.index(end) + 1] if end in ids else ids)] for ids in written]
