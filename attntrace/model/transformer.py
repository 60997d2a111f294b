"""The transformer, an equation a line: layers, attention, encoder and decoder (section 3), and greedy decoding."""
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.model.config import MAX_LENGTH, Config
from attntrace.model.masks import Masks
from attntrace.model.parameters import Parameters, Vocabularies, row_axes
from attntrace.model.tokens import END, MEMORY, START, InputRows, Words, packed
from attntrace.ops.batch import Pack, Unpack, pack, unpack
from attntrace.ops.elementwise import add_all
from attntrace.ops.functions import Sinusoid, mean, normal_cdf, normal_cdf_tanh, relu, sigmoid, softmax, sqrt, square
from attntrace.ops.indexing import concat, gather, slice_columns
from attntrace.ops.shape import ReduceSum
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Tensor, apply, constant
from attntrace.tracing.addresses import MEAN_WEIGHTS, Address
from attntrace.tracing.trace import Trace

SubLayer = Callable[[Trace, Tensor, Parameters], Tensor]
STREAMS = {"encoder": ("X", "M"), "decoder": ("Y", "D")}  # symbols of what a stack starts from, and of its result


def gelu(x: Tensor) -> Tensor:
    """x Φ(x) (Hendrycks and Gimpel 2016)."""
    return x * normal_cdf(x)


def gelu_tanh(x: Tensor) -> Tensor:
    """x Φ_tanh(x), their approximation."""
    return x * normal_cdf_tanh(x)


def silu(x: Tensor) -> Tensor:
    """x σ(x), also called swish (Ramachandran et al. 2017)."""
    return x * sigmoid(x)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {  # by the word in a config
    "relu": relu, "gelu": gelu, "gelu_tanh": gelu_tanh, "silu": silu}


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
    """γ ⊙ (U - μ) / √(σ² + ε) + β over each row, with the biased variance (Ba et al. 2016, as section 3.1 uses it); or
    with that of a sample, or / (√σ² + ε).

    U: token × d_model. Returns the same shape, called `symbol`."""
    mu = trace("mean", mean(U), "μ")
    centered = U - mu
    squares, epsilon = square(centered), constant(config.epsilon, "ε", dtype=config.dtype)
    if config.norm_variance == "sample":
        d_model, one = constant(config.d_model, "d_model", dtype=config.dtype), constant(1, dtype=config.dtype)
        var = trace("variance", apply(ReduceSum(1), squares) / (d_model - one), "σ²")
    else:
        var = trace("variance", mean(squares), "σ²")
    deviation = sqrt(var + epsilon) if config.norm_epsilon == "inside" else sqrt(var) + epsilon
    normalized = trace("normalized", centered / deviation, "Û")
    return trace("norm", parameters["gain"] * normalized + parameters["bias"], symbol)


def feed_forward(trace: Trace, X: Tensor, parameters: Parameters, config: Config) -> Tensor:
    """max(0, X W_1 + b_1) W_2 + b_2 (section 3.3), or with another activation. X: token × d_model; returns as much."""
    H = trace("hidden", linear(X, parameters["W_1"], parameters["b_1"]), "H")
    F = trace("activation", ACTIVATIONS[config.activation](H), "F")
    return trace("output", linear(F, parameters["W_2"], parameters["b_2"]), "G")


class Attended(NamedTuple):
    """What an attention, or one head of it, gives: its weights (token × key) and its output (token × d_v)."""
    weights: Tensor
    output: Tensor


def attention(trace: Trace, Q: Tensor, K: Tensor, V: Tensor, root: Tensor, mask: Tensor | None = None) -> Attended:
    """Scaled dot-product attention, softmax(Q Kᵀ / √d_k) V (section 3.2.1).

    Q: token × d_k; K: token × d_k and V: token × d_v, of the words attended to; root: the divisor of the scores;
    mask: token × key, added to the scores: 0 where a word may attend and -inf where it may not.

    A batch is unpacked here: between Q and the result, its sentences have an axis of their own."""
    S = trace("scores", unpack(Q) @ unpack(K).T, "S")
    S = trace("scaled_scores", S / root, "Ŝ")
    if mask is not None:
        S = trace("masked_scores", S + mask, Symbol("S", hat=True, primes=1))
    A = trace("weights", softmax(S), "A")
    return Attended(A, trace("output", pack(A @ unpack(V), Q.axes[0]), "Z"))


def head(trace: Trace, i: int, X: Tensor, K: Tensor, V: Tensor, parameters: Parameters, config: Config,
         mask: Tensor | None) -> Attended:
    """Head i (from 1): queries from the rows X, keys from K and values from V, by its own block of columns of W_Q,
    W_K and W_V. X, K, V: token × d_model."""
    queries = trace("query", project(X, "Q", i, parameters, config), "Q")
    keys = trace("key", project(K, "K", i, parameters, config), "K")
    values = trace("value", project(V, "V", i, parameters, config), "V")
    return attention(trace, queries, keys, values, score_root(config), mask)


def project(X: Tensor, letter: str, i: int, parameters: Parameters, config: Config) -> Tensor:
    """X W_Q⁽ⁱ⁾ of head i (from 1), or with the letter K or V the same for keys or values. Returns token × d_k, d_v."""
    size, axis_name = (config.value_size, "d_v") if letter == "V" else (config.key_size, "d_k")
    W, b, first, last = parameters[f"W_{letter}"], parameters.get(f"b_{letter}"), (i - 1) * size + 1, i * size
    return linear(X, slice_columns(W, first, last, axis_name), b and slice_columns(b, first, last, axis_name))


def multi_head(trace: Trace, X: Tensor, K: Tensor, V: Tensor, parameters: Parameters, config: Config,
               masks: Sequence[Tensor | None]) -> Tensor:
    """Concat(head₁, ..., head_h) W_O (section 3.2.2), or without W_O only the concat. X, K, V: the rows of queries,
    keys and values, token × d_model; masks: of each head. Returns token × d_model, without W_O token × h·d_v."""
    if trace.heads_at_once and not config.mean_weights and all(mask is masks[0] for mask in masks):
        C = all_heads(trace, X, K, V, parameters, config, masks[0])
        return linear(C, parameters["W_O"], parameters.get("b_O")) if config.output_projection else C
    each = [head(trace.at(f"head{i}", head=i), i, X, K, V, parameters, config, mask)
            for i, mask in enumerate(masks, start=1)]
    if config.mean_weights:
        whole = add_all([one.weights for one in each])
        trace(MEAN_WEIGHTS, whole / constant(config.heads, "h", dtype=config.dtype), Symbol("A", "mean"))
    C = trace("concat", concat([one.output for one in each], concat_name(config)), "C")
    return trace("output", linear(C, parameters["W_O"], parameters.get("b_O")), "O") if config.output_projection else C


def all_heads(trace: Trace, X: Tensor, K: Tensor, V: Tensor, parameters: Parameters, config: Config,
              mask: Tensor | None) -> Tensor:
    """The heads side by side, as `multi_head` has them, computed at once without steps for each."""
    def projected(source: Tensor, letter: str) -> Tensor:
        every = linear(source, parameters[f"W_{letter}"], parameters.get(f"b_{letter}"))
        return apply(Unpack(config.heads), every / score_root(config) if letter == "Q" else every)  # fewer than scores

    S = projected(X, "Q") @ projected(K, "K").T
    if mask is not None:
        every = mask.value if len(mask.axes) == 2 else np.repeat(mask.value, config.heads, axis=0)
        hidden = constant(every, "mask", S.axes[-every.ndim:])
        S = trace("masked_scores", S + hidden, Symbol("S", hat=True, primes=1))
    return apply(Pack(X.axes[0], config.heads, concat_name(config)), softmax(S) @ projected(V, "V"))


def concat_name(config: Config) -> str:
    """The name of the axis of the columns of all heads."""
    return "d_concat" if config.output_projection or config.concat_size != config.d_model else "d_model"


def score_root(config: Config) -> Tensor:
    """The divisor of the scores: √d_k, or the number that the config gives instead."""
    if config.score_scale == "sqrt_d_k":
        return root_of_d_k(config.key_size, config.dtype)
    return constant(config.score_scale, dtype=config.dtype)


@lru_cache(16)  # every head divides by it
def root_of_d_k(d_k: int, dtype: str) -> Tensor:
    return sqrt(constant(d_k, "d_k", dtype=dtype))


class Prediction(NamedTuple):
    """The prediction of the next word after each word of the decoder's input; both token × vocab."""
    logits: Tensor
    probabilities: Tensor


def transformer(trace: Trace, source: Words | InputRows, target: Words | InputRows | None, parameters: Parameters,
                config: Config, masks: Masks = Masks()) -> Prediction | None:
    """Predict what follows each target word. Returns None without a target (only the encoder runs) and for a model
    without an output layer."""
    if config.architecture.is_attention:
        only_attention(trace, source, target, parameters, config, masks)
        return None
    last, reads, M = config.architecture.stacks[-1], source, None
    if not config.architecture.predicts:
        M = encoder(trace.at("encoder"), source, parameters.at("encoder"), config, masks)
        if target is None:
            return None
        reads = target
    if output_matrix(parameters) is None:
        stack(trace.at(last), last, reads, M, parameters.at(last), config, masks)
        return None
    return predict(trace, reads, M, parameters, config, masks)


def only_attention(trace: Trace, source: Words | InputRows, target: Words | InputRows | None, parameters: Parameters,
                   config: Config, masks: Masks) -> Tensor:
    """Multi-head attention of given rows to themselves; or of the rows of the target (queries) to those of the source
    (keys and, where they have no rows of their own, values)."""
    place = config.architecture.attention
    if isinstance(source, InputRows) and isinstance(target, InputRows):
        axes = row_axes(config)
        X = trace.at("query")("input", target.tensor_along(axes["Q"], "X_Q_given"), "X_Q")
        K = trace.at("key")("input", source.tensor_along(axes["K"], "X_K_given"), "X_K")
        V = K if source.values is None else trace.at("value")(
            "input", source._replace(value=source.values).tensor_along(axes["V"], "X_V_given"), "X_V")
    else:
        X = K = V = stack_input(trace.at("encoder"), source, parameters, config, "X")
    seen = masks.of(".".join(Address.of(place).words), X.axes[0], K.axes[0], config, config.causal)
    return multi_head(trace.at(place), X, K, V, parameters.at(place), config, seen)


def output_matrix(parameters: Parameters) -> Tensor | None:
    """W, d_model × vocab, of the final linear layer: a parameter, or the transpose of the embeddings that it shares
    (section 3.4). None where a model has no such layer."""
    E = parameters.get("shared.E")
    return E.T if E else parameters.get("output.W")


def predict(trace: Trace, target: Words | InputRows, M: Tensor | None, parameters: Parameters, config: Config,
            masks: Masks = Masks()) -> Prediction:
    """Predict what follows each target word, given the memory M, by the final linear layer and softmax (section 3.4).
    M: token × d_model; None where the model is one stack."""
    last = config.architecture.stacks[-1]
    D = stack(trace.at(last), last, target, M, parameters.at(last), config, masks)
    output, W = trace.at("output"), output_matrix(parameters)
    assert W is not None
    logits = output("logits", linear(D, W, parameters.get("output.b")), "logits")
    return Prediction(logits, output("probabilities", softmax(logits), "probabilities"))


def encoder(trace: Trace, source: Words | InputRows, parameters: Parameters, config: Config,
            masks: Masks = Masks()) -> Tensor:
    """N layers of self-attention and feed-forward (section 3.1). Returns the memory M, token × d_model, or the memory
    that was given as the source."""
    if isinstance(source, InputRows) and source.address == MEMORY:
        return trace("output", source.tensor("M_given"), "M")
    return stack(trace, "encoder", source, None, parameters, config, masks)


def stack(trace: Trace, name: str, begins: Words | InputRows, M: Tensor | None, parameters: Parameters,
          config: Config, masks: Masks) -> Tensor:
    """All layers, a final norm where the config has one, and the result as the step `output`, token × d_model.

    M: the memory that a decoder attends to, unless it is the only stack; its self-attention is causal."""
    stream, symbol = STREAMS[name]
    X = stack_input(trace, begins, parameters, config, stream)
    token, memory = X.axes[0], X if M is None else M  # which only a decoder attends to
    seen = masks.of(f"{name}.self_attention", token, token, config, config.causal or name == "decoder")
    padding = masks.of(f"{name}.cross_attention", token, memory.axes[0], config, False)
    kinds: dict[str, SubLayer] = {
        "self_attention": lambda trace, X, own: multi_head(trace, X, X, X, own, config, seen),
        "cross_attention": lambda trace, X, own: multi_head(trace, X, memory, memory, own, config, padding),
        "feed_forward": lambda trace, X, own: feed_forward(trace, X, own, config)}
    names = config.sub_layers(name)
    for layer, (n, kind) in product(range(1, config.layers_of(name) + 1), enumerate(names, start=1)):
        is_last = n == len(names)
        after = Symbol(stream, superscript=layer if is_last else layer - 1 or None, primes=0 if is_last else n)
        place = f"layer{layer}.{kind}"
        X = residual(trace.at(place), X, kinds[kind], parameters.at(place), config, after)
    if config.final_norm:
        X = layer_norm(trace.at("final_norm"), X, parameters.at("final_norm"), config, Symbol("norm"))
    return trace("output", X, symbol)


def residual(trace: Trace, X: Tensor, sub_layer: SubLayer, parameters: Parameters, config: Config,
             after: Symbol) -> Tensor:
    """LayerNorm(X + Sublayer(X)) as in the paper, or X + Sublayer(LayerNorm(X)) with pre-norm; either may be left out.
    Returns token × d_model."""
    before, behind = config.norm == "pre", config.norm == "post"
    N = layer_norm(trace.stage("pre_norm"), X, parameters, config, Symbol("norm")) if before else X
    U = trace.dropout(sub_layer(trace, N, parameters))
    closing = trace.stage("add_norm" if behind and config.residual else "post_norm" if behind else "add")
    if config.residual:
        U = closing("residual", X + U, "U" if behind else after)
    return layer_norm(closing, U, parameters, config, after) if behind else U


@np.errstate(all="ignore")  # an overflow is reported as a Problem
def translate(parameters: Parameters, config: Config, vocabularies: Vocabularies, sources: Sequence[Sequence[int]],
              max_length: int = MAX_LENGTH, masks: Masks = Masks()) -> list[list[str]]:
    """Translate several sentences, given by their ids, as one batch and untraced; each ends with `</s>` unless it
    reaches `max_length` words; `masks`: of a single sentence. Raises Problem where numbers overflow."""
    known = vocabularies.target or ()
    numbers = {word: n + 1 for n, word in enumerate(known)}
    end = numbers.get(END)
    M = encoder(Trace(), packed(sources), parameters.at("encoder"), config, masks)
    written: list[list[int]] = [[] for _ in sources]
    for length in range(1, max_length + 1):
        if all(end in ids for ids in written):
            break
        read = packed([[numbers[START], *ids] for ids in written])
        logits = predict(Trace(), read, M, parameters, config, masks).logits.value
        if not np.isfinite(logits).all():
            raise Problem("not_finite", address="output.logits", dtype=config.dtype)
        for ids, row in zip(written, logits[length - 1::length], strict=True):
            ids.append(int(row.argmax()) + 1)
    return [[known[id - 1] for id in (ids[:ids.index(end) + 1] if end in ids else ids)] for ids in written]
