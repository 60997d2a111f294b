"""The topics of `explain`: what they refer to. Their words are messages under the same names."""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from attntrace.messages.catalog import LANGUAGES, ends, template
from attntrace.tracing.addresses import Address

HEAD = "encoder.layer1.self_attention.head1"
SELF = "encoder.layer1.self_attention"
FEED = "encoder.layer1.feed_forward"


class Topic(NamedTuple):
    """`section` of the paper, where it has one; related topics to `see`.

    A topic named after a kind of steps (or `also` of that kind) is explained where such a step first appears, and shows
    its formula; the others show those of the `steps` at these addresses. All are of the example, on a model of this
    `wiring`, in a training step with this `optimizer`.
    """
    section: str = ""
    see: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    wiring: Mapping[str, object] = {}
    optimizer: str = "sgd"


TOPICS: dict[str, Topic] = {
    "token": Topic("5.1", ("vocabulary", "embedding")),
    "vocabulary": Topic("5.1", ("token", "embedding", "logits")),
    "one_hot": Topic("", ("embedding", "loss.labels"), ("loss.labels",)),
    "d_model": Topic("3.1", ("multi_head_attention", "feed_forward", "residual")),
    "embedding": Topic("3.4", ("vocabulary", "one_hot", "scaled_embedding", "gradient.E")),
    "scaled_embedding": Topic("3.4", ("embedding", "positional_encoding")),
    "positional_encoding": Topic("3.5", ("input", "attention")),
    "input": Topic("3.5", ("embedding", "positional_encoding", "dropout")),

    "attention": Topic("3.2", ("query", "key", "value", "softmax", "multi_head_attention"),
                       tuple(f"{HEAD}.{name}" for name in ("scores", "scaled_scores", "weights", "output"))),
    "query": Topic("3.2.1", ("key", "value", "scores")),
    "key": Topic("3.2.1", ("query", "value", "scores")),
    "value": Topic("3.2.1", ("query", "key", "head.output")),
    "dot_product": Topic("3.2.1", ("scores",), (f"{HEAD}.scores",)),
    "scores": Topic("3.2.1", ("dot_product", "query", "key", "scaled_scores")),
    "scaled_scores": Topic("3.2.1", ("scores", "softmax", "entropy", "gradient.scaled_scores")),
    "masking": Topic("3.2.3", ("masked_scores", "teacher_forcing", "cache"),
                     tuple(f"decoder.layer1.self_attention.head1.{name}" for name in ("masked_scores", "weights"))),
    "masked_scores": Topic("3.2.3", ("masking", "softmax")),
    "softmax": Topic("3.2.1", ("weights", "probabilities", "gradient.scaled_scores"),
                     (f"{HEAD}.weights", "output.probabilities")),
    "weights": Topic("3.2.1", ("softmax", "head.output", "entropy")),
    "head.output": Topic("3.2.1", ("weights", "value", "concat")),
    "multi_head_attention": Topic("3.2.2", ("attention", "concat", "self_attention.output"),
                                  (f"{SELF}.concat", f"{SELF}.output")),
    "concat": Topic("3.2.2", ("head.output", "self_attention.output")),
    "self_attention.output": Topic("3.2.2", ("concat", "residual"), also=("cross_attention.output",)),
    "self_attention": Topic("3.2.3", ("attention", "cross_attention", "masking"),
                            tuple(f"{HEAD}.{name}" for name in ("query", "key", "value"))),
    "cross_attention": Topic("3.2.3", ("self_attention", "encoder.output", "decoder"), tuple(
        f"decoder.layer1.cross_attention.head1.{name}" for name in ("query", "key", "value"))),
    "cross_attention.query": Topic("3.2.3", ("query", "cross_attention.key", "cross_attention")),
    "cross_attention.key": Topic("3.2.3", ("key", "value", "encoder.output", "cache"),
                                 also=("cross_attention.value",)),
    "entropy": Topic("", ("weights", "scaled_scores")),

    "residual": Topic("3.1", ("add_norm", "gradient.residual")),
    "layer_norm": Topic("3.1", ("mean", "variance", "normalized", "norm"),
                        tuple(f"{SELF}.{name}" for name in ("mean", "variance", "normalized", "norm"))),
    "mean": Topic("", ("layer_norm", "variance")),
    "variance": Topic("", ("layer_norm", "mean", "normalized")),
    "normalized": Topic("", ("layer_norm", "norm")),
    "norm": Topic("", ("layer_norm", "normalized")),
    "add_norm": Topic("3.1", ("residual", "layer_norm", "post_norm"),
                      tuple(f"{SELF}.{name}" for name in ("residual", "mean", "variance", "normalized", "norm"))),
    "post_norm": Topic("3.1", ("pre_norm", "layer_norm", "warmup"), (f"{SELF}.residual", f"{SELF}.norm")),
    "pre_norm": Topic("", ("post_norm", "final_norm"), (f"{SELF}.norm", f"{HEAD}.query", f"{SELF}.residual"),
                      wiring={"norm": "pre"}),
    "final_norm": Topic("", ("pre_norm", "layer_norm"), also=("final_norm.norm",), wiring={"final_norm": True}),

    "feed_forward": Topic("3.3", ("hidden", "activation", "feed_forward.output"),
                          tuple(f"{FEED}.{name}" for name in ("hidden", "activation", "output"))),
    "hidden": Topic("3.3", ("feed_forward", "activation")),
    "activation": Topic("3.3", ("feed_forward", "gradient.hidden")),
    "feed_forward.output": Topic("3.3", ("feed_forward", "hidden", "residual")),
    "encoder": Topic("3.1", ("self_attention", "feed_forward", "encoder.output", "decoder")),
    "encoder.output": Topic("3.1", ("encoder", "cross_attention.key")),
    "decoder": Topic("3.1", ("masking", "cross_attention", "decoder.output", "encoder")),
    "decoder.output": Topic("3.1", ("decoder", "logits")),
    "logits": Topic("3.4", ("probabilities", "vocabulary", "gradient.logits")),
    "probabilities": Topic("3.4", ("logits", "softmax", "greedy_decoding", "cross_entropy")),

    "inference": Topic("6.1", ("greedy_decoding", "cache", "training")),
    "greedy_decoding": Topic("6.1", ("probabilities", "inference")),
    "cache": Topic("", ("key", "value", "masking", "inference")),
    "teacher_forcing": Topic("3.1", ("masking", "loss.labels", "inference")),

    "training": Topic("5", ("loss.mean", "backpropagation", "update", "teacher_forcing")),
    "loss.labels": Topic("", ("one_hot", "label_smoothing", "teacher_forcing")),
    "label_smoothing": Topic("5.4", ("loss.labels", "cross_entropy")),
    "cross_entropy": Topic("", ("probabilities", "loss.labels", "loss.mean"), also=("loss.per_token",)),
    "loss.mean": Topic("", ("cross_entropy", "gradient.loss.mean")),
    "backpropagation": Topic("", ("chain_rule", "gradient", "update")),
    "chain_rule": Topic("", ("backpropagation", "gradient.from"), ("gradient.encoder.output",)),
    "gradient": Topic("", ("backpropagation", "chain_rule", "learning_rate")),
    "gradient.loss.mean": Topic("", ("loss.mean", "gradient.logits"), also=("gradient.loss.per_token",)),
    "gradient.logits": Topic("", ("logits", "cross_entropy", "softmax")),
    "gradient.W": Topic("", ("gradient", "gradient.b", "update")),
    "gradient.b": Topic("", ("gradient.W", "gradient.gain"), also=("gradient.bias",)),
    "gradient.gain": Topic("", ("norm", "gradient.b")),
    "gradient.E": Topic("", ("embedding", "gradient.W")),
    "gradient.from": Topic("", ("chain_rule", "gradient"),
                           ("gradient.encoder.output.from.decoder.layer1.cross_attention.head1.value",
                            "gradient.encoder.output")),
    "gradient.residual": Topic("", ("residual", "gradient.from"),
                               ("gradient.encoder.layer1.self_attention.output",
                                "gradient.encoder.input.from.encoder.layer1.self_attention.residual")),
    "gradient.normalized": Topic("", ("layer_norm", "gradient.gain"), also=("gradient.mean", "gradient.variance")),
    "gradient.hidden": Topic("", ("activation", "gradient.W")),
    "gradient.weights": Topic("", ("weights", "value", "gradient.scaled_scores")),
    "gradient.scaled_scores": Topic("", ("softmax", "scaled_scores", "gradient.scores"),
                                    also=("gradient.masked_scores",)),
    "gradient.scores": Topic("", ("scaled_scores", "gradient.query")),
    "gradient.query": Topic("", ("query", "key", "gradient.scores"), also=("gradient.key",)),
    "gradient.value": Topic("", ("value", "weights", "gradient.weights")),
    "update": Topic("5.3", ("gradient", "update.new", "sgd", "adam")),
    "update.new": Topic("5.3", ("learning_rate", "sgd", "adam")),
    "update.m": Topic("5.3", ("adam", "update.v", "update.m_hat"), optimizer="adam"),
    "update.v": Topic("5.3", ("adam", "update.m", "update.m_hat"), optimizer="adam"),
    "update.m_hat": Topic("5.3", ("adam", "update.m", "update.v"), also=("update.v_hat",), optimizer="adam"),
    "sgd": Topic("", ("update", "learning_rate", "adam"), ("update.encoder.E.new",)),
    "adam": Topic("5.3", ("update.m", "update.v", "update.m_hat", "sgd"),
                  tuple(f"update.encoder.E.{name}" for name in ("m", "v", "m_hat", "v_hat", "new")), optimizer="adam"),
    "learning_rate": Topic("5.3", ("update.new", "warmup"), ("update.encoder.E.new",)),
    "warmup": Topic("5.3", ("learning_rate", "adam", "post_norm")),
    "dropout": Topic("5.4", ("training", "inference", "label_smoothing")),

    "parameter": Topic("", ("training", "update", "seed")),
    "vector_form": Topic("", ("matrix_form", "pencil"), (f"{HEAD}.query",)),
    "matrix_form": Topic("", ("vector_form",), (f"{HEAD}.query",)),
    "seed": Topic("", ("parameter", "fingerprint")),
    "pencil": Topic("", ("vector_form", "seed")),
    "fingerprint": Topic("", ("seed",))}
KINDS = {kind: name for name, topic in TOPICS.items() for kind in (name, *topic.also)}


@cache
def kind_of(address: str) -> str:
    """An address without layers and heads: `decoder.self_attention.scores`; `head.output`, since other steps are called
    output as well; `gradient.output.W` for any weight matrix."""
    parsed = Address.of(address)
    if parsed.is_partial:
        return "gradient.from"
    words = list(parsed.words)
    if parsed.last(2) == f"head{parsed.number('head')}.output":
        words.insert(-1, "head")
    return re.sub(r"(?<=\b[Wb])_\w$", "", ".".join(words))


@cache
def topic_of(address: str) -> str | None:
    """The topic that explains a step: the most specific one."""
    kind = kind_of(address)
    first, *rest = words = list(Address.of(kind).words)
    kinds = [*(f"{first}.{end}" for end in ends(rest)), first] if Address.of(kind).is_of_training else ends(words)
    return next((KINDS[kind] for kind in kinds if kind in KINDS), None)


@cache
def by_any_name() -> dict[str, str]:
    """Topics by their name and their title in each language."""
    names = {simple(name): name for name in TOPICS}
    for language in LANGUAGES:
        for name in TOPICS:
            names.setdefault(simple(template(language, f"explain.{name}.title")), name)
    return names


def simple(text: str) -> str:
    """A name as it is compared: `Layer norm`, `layer-norm` and `layer_norm` are `layernorm`, `값(value)` is `값`."""
    return re.sub(r"[ _-]+", "", text.partition("(")[0].lower())
