"""The topics of `explain`, in the order of the glossary. Their words are messages under the same names."""
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Topic(NamedTuple):
    """`section` of the paper, where it has one; related topics to `see`.

    A topic named after a kind of steps (or `also` of that kind) is explained where such a step first appears, and shows
    its formula; the others show those of the `steps` at these addresses. All are of the example, on a model of this
    `wiring`, in a training step with this `optimizer`. variants: by an entry of a config and its value, the topic that
    explains such a step instead."""
    section: str = ""
    see: Sequence[str] = ()
    steps: Sequence[str] = ()
    also: Sequence[str] = ()
    wiring: Mapping[str, object] = {}
    optimizer: str = "sgd"
    variants: Mapping[str, Mapping[str, str]] = {}


TOPICS = {
    "transformer": Topic(
        section="3",
        see=("embedding", "positional_encoding", "attention", "encoder", "decoder", "training_and_inference"),
        steps=("encoder.input", "encoder.output", "decoder.output", "output.probabilities")),
    "token": Topic(section="5.1", see=("vocabulary", "pieces", "embedding")),
    "vocabulary": Topic(section="5.1", see=("token", "embedding", "logits")),
    "pieces": Topic(section="5.1", see=("token", "vocabulary")),
    "one_hot": Topic(see=("embedding", "loss.labels"), steps=("loss.labels",)),
    "tensor": Topic(see=("d_model", "matrix_product", "vector_form", "matrix_form"), steps=("encoder.input",)),
    "d_model": Topic(section="3.1", see=("multi_head_attention", "feed_forward", "residual")),
    "embedding": Topic(
        section="3.4", see=("vocabulary", "one_hot", "scaled_embedding", "shared_embeddings", "gradient.E")),
    "scaled_embedding": Topic(section="3.4", see=("embedding", "positional_encoding")),
    "shared_embeddings": Topic(
        section="3.4", see=("embedding", "logits", "gradient.from", "gradient.E"),
        steps=("encoder.embedding", "decoder.embedding", "output.logits", "gradient.shared.E", "update.shared.E.new"),
        also=("gradient.shared.E",), wiring={"shared_embeddings": "all"}),
    "positional_encoding": Topic(section="3.5", see=("input", "position_embedding", "attention")),
    "position_embedding": Topic(
        section="3.5", see=("positional_encoding", "embedding", "gradient.P"), wiring={"position": "learned"}),
    "input": Topic(section="3.5", see=("embedding", "positional_encoding", "dropout")),
    "attention": Topic(
        section="3.2", see=("query", "key", "value", "softmax", "multi_head_attention"),
        steps=("encoder.layer1.self_attention.head1.scores", "encoder.layer1.self_attention.head1.scaled_scores",
               "encoder.layer1.self_attention.head1.weights", "encoder.layer1.self_attention.head1.output")),
    "query": Topic(section="3.2.1", see=("key", "value", "scores")),
    "key": Topic(section="3.2.1", see=("query", "value", "scores")),
    "value": Topic(section="3.2.1", see=("query", "key", "head.output")),
    "dot_product": Topic(section="3.2.1", see=("scores",), steps=("encoder.layer1.self_attention.head1.scores",)),
    "matrix_product": Topic(
        see=("dot_product", "tensor", "gradient.W"),
        steps=("encoder.layer1.self_attention.head1.query", "encoder.layer1.self_attention.head1.scores")),
    "scores": Topic(section="3.2.1", see=("dot_product", "query", "key", "scaled_scores")),
    "scaled_scores": Topic(section="3.2.1", see=("scores", "softmax", "entropy", "gradient.scaled_scores")),
    "masking": Topic(
        section="3.2.3", see=("masked_scores", "teacher_forcing", "cache"),
        steps=("decoder.layer1.self_attention.head1.masked_scores", "decoder.layer1.self_attention.head1.weights")),
    "masked_scores": Topic(section="3.2.3", see=("masking", "softmax")),
    "added_mask": Topic(
        see=("masking", "masked_scores", "softmax"),
        also=("encoder.self_attention.masked_scores", "cross_attention.masked_scores", "attention.masked_scores"),
        wiring={"causal": True}),
    "softmax": Topic(
        section="3.2.1", see=("weights", "probabilities", "gradient.scaled_scores"),
        steps=("encoder.layer1.self_attention.head1.weights", "output.probabilities")),
    "weights": Topic(section="3.2.1", see=("softmax", "head.output", "entropy")),
    "weights_mean": Topic(see=("weights", "multi_head_attention"), wiring={"mean_weights": True}),
    "head.output": Topic(section="3.2.1", see=("weights", "value", "concat")),
    "multi_head_attention": Topic(
        section="3.2.2", see=("attention", "concat", "self_attention.output"),
        steps=("encoder.layer1.self_attention.concat", "encoder.layer1.self_attention.output")),
    "concat": Topic(section="3.2.2", see=("head.output", "self_attention.output")),
    "self_attention.output": Topic(section="3.2.2", see=("concat", "residual"), also=("cross_attention.output",)),
    "self_attention": Topic(
        section="3.2.3", see=("attention", "cross_attention", "masking"),
        steps=("encoder.layer1.self_attention.head1.query", "encoder.layer1.self_attention.head1.key",
               "encoder.layer1.self_attention.head1.value")),
    "cross_attention": Topic(
        section="3.2.3", see=("self_attention", "encoder.output", "decoder"),
        steps=("decoder.layer1.cross_attention.head1.query", "decoder.layer1.cross_attention.head1.key",
               "decoder.layer1.cross_attention.head1.value")),
    "cross_attention.query": Topic(section="3.2.3", see=("query", "cross_attention.key", "cross_attention")),
    "cross_attention.key": Topic(
        section="3.2.3", see=("key", "value", "encoder.output", "cache"), also=("cross_attention.value",)),
    "entropy": Topic(see=("weights", "scaled_scores")),
    "residual": Topic(section="3.1", see=("add_norm", "gradient.residual")),
    "layer_norm": Topic(
        section="3.1", see=("mean", "variance", "normalized", "norm"),
        steps=("encoder.layer1.self_attention.mean", "encoder.layer1.self_attention.variance",
               "encoder.layer1.self_attention.normalized", "encoder.layer1.self_attention.norm")),
    "mean": Topic(see=("layer_norm", "variance")),
    "variance": Topic(
        see=("layer_norm", "mean", "normalized"), variants={"norm_variance": {"sample": "sample_variance"}}),
    "sample_variance": Topic(see=("variance", "layer_norm", "epsilon_outside"), wiring={"norm_variance": "sample"}),
    "normalized": Topic(see=("layer_norm", "norm"), variants={"norm_epsilon": {"outside": "epsilon_outside"}}),
    "epsilon_outside": Topic(see=("normalized", "layer_norm", "sample_variance"), wiring={"norm_epsilon": "outside"}),
    "norm": Topic(see=("layer_norm", "normalized")),
    "add_norm": Topic(
        section="3.1", see=("residual", "layer_norm", "post_norm"),
        steps=("encoder.layer1.self_attention.residual", "encoder.layer1.self_attention.mean",
               "encoder.layer1.self_attention.variance", "encoder.layer1.self_attention.normalized",
               "encoder.layer1.self_attention.norm")),
    "post_norm": Topic(
        section="3.1", see=("pre_norm", "layer_norm", "warmup"),
        steps=("encoder.layer1.self_attention.residual", "encoder.layer1.self_attention.norm")),
    "pre_norm": Topic(
        see=("post_norm", "final_norm"),
        steps=("encoder.layer1.self_attention.norm", "encoder.layer1.self_attention.head1.query",
               "encoder.layer1.self_attention.residual"), wiring={"norm": "pre"}),
    "final_norm": Topic(see=("pre_norm", "layer_norm"), also=("final_norm.norm",), wiring={"final_norm": True}),
    "feed_forward": Topic(
        section="3.3", see=("hidden", "activation", "feed_forward.output"),
        steps=("encoder.layer1.feed_forward.hidden", "encoder.layer1.feed_forward.activation",
               "encoder.layer1.feed_forward.output")),
    "hidden": Topic(section="3.3", see=("feed_forward", "activation")),
    "activation": Topic(
        section="3.3", see=("feed_forward", "gradient.hidden"),
        variants={"activation": {"gelu": "gelu", "gelu_tanh": "gelu_tanh", "silu": "silu"}}),
    "gelu": Topic(see=("activation", "gelu_tanh", "gradient.smooth"), wiring={"activation": "gelu"}),
    "gelu_tanh": Topic(see=("gelu", "activation"), wiring={"activation": "gelu_tanh"}),
    "silu": Topic(see=("gelu", "activation"), wiring={"activation": "silu"}),
    "feed_forward.output": Topic(section="3.3", see=("feed_forward", "hidden", "residual")),
    "encoder": Topic(section="3.1", see=("self_attention", "feed_forward", "encoder.output", "decoder")),
    "encoder.output": Topic(section="3.1", see=("encoder", "cross_attention.key")),
    "decoder_only": Topic(see=("decoder", "masking", "encoder", "greedy_decoding")),
    "decoder": Topic(section="3.1", see=("masking", "cross_attention", "decoder.output", "encoder")),
    "decoder.output": Topic(section="3.1", see=("decoder", "logits")),
    "logits": Topic(section="3.4", see=("probabilities", "vocabulary", "gradient.logits")),
    "probabilities": Topic(section="3.4", see=("logits", "softmax", "greedy_decoding", "cross_entropy")),
    "inference": Topic(section="6.1", see=("greedy_decoding", "cache", "training")),
    "greedy_decoding": Topic(section="6.1", see=("beam_search", "probabilities", "inference")),
    "beam_search": Topic(section="6.1", see=("greedy_decoding", "probabilities", "inference")),
    "cache": Topic(see=("key", "value", "masking", "inference")),
    "teacher_forcing": Topic(section="3.1", see=("masking", "loss.labels", "inference")),
    "training_and_inference": Topic(section="3.1", see=("training", "teacher_forcing", "inference", "greedy_decoding")),
    "training": Topic(section="5", see=("loss.mean", "backpropagation", "update", "teacher_forcing")),
    "batch": Topic(section="5.1", see=("training", "loss.mean", "masking")),
    "loss.labels": Topic(see=("one_hot", "label_smoothing", "teacher_forcing")),
    "label_smoothing": Topic(section="5.4", see=("loss.labels", "cross_entropy")),
    "cross_entropy": Topic(see=("probabilities", "loss.labels", "loss.mean"), also=("loss.per_token",)),
    "loss.mean": Topic(see=("cross_entropy", "gradient.loss.mean")),
    "backpropagation": Topic(see=("chain_rule", "gradient", "update")),
    "chain_rule": Topic(see=("backpropagation", "gradient.from"), steps=("gradient.encoder.output",)),
    "gradient": Topic(see=("backpropagation", "chain_rule", "learning_rate")),
    "gradient.loss.mean": Topic(see=("loss.mean", "gradient.logits"), also=("gradient.loss.per_token",)),
    "gradient.logits": Topic(see=("logits", "cross_entropy", "softmax")),
    "gradient.W": Topic(see=("gradient", "gradient.b", "update")),
    "gradient.b": Topic(see=("gradient.W", "gradient.gain"), also=("gradient.bias",)),
    "gradient.gain": Topic(see=("norm", "gradient.b")),
    "gradient.E": Topic(see=("embedding", "gradient.W")),
    "gradient.P": Topic(see=("position_embedding", "gradient.E"), wiring={"position": "learned"}),
    "gradient.from": Topic(
        see=("chain_rule", "gradient"),
        steps=("gradient.encoder.output.from.decoder.layer1.cross_attention.head1.value", "gradient.encoder.output")),
    "gradient.residual": Topic(
        see=("residual", "gradient.from"),
        steps=("gradient.encoder.layer1.self_attention.output",
               "gradient.encoder.input.from.encoder.layer1.self_attention.residual")),
    "gradient.normalized": Topic(see=("layer_norm", "gradient.gain"), also=("gradient.mean", "gradient.variance")),
    "gradient.hidden": Topic(
        see=("activation", "gradient.W"),
        variants={"activation": {"gelu": "gradient.smooth", "gelu_tanh": "gradient.smooth", "silu":
                  "gradient.smooth"}}),
    "gradient.smooth": Topic(see=("gelu", "silu", "gradient.hidden"), wiring={"activation": "gelu"}),
    "gradient.weights": Topic(see=("weights", "value", "gradient.scaled_scores")),
    "gradient.scaled_scores": Topic(
        see=("softmax", "scaled_scores", "gradient.scores"), also=("gradient.masked_scores",)),
    "gradient.scores": Topic(see=("scaled_scores", "gradient.query")),
    "gradient.query": Topic(see=("query", "key", "gradient.scores"), also=("gradient.key",)),
    "gradient.value": Topic(see=("value", "weights", "gradient.weights")),
    "update": Topic(section="5.3", see=("gradient", "update.new", "sgd", "adam")),
    "update.new": Topic(section="5.3", see=("learning_rate", "sgd", "adam")),
    "update.m": Topic(section="5.3", see=("adam", "update.v", "update.m_hat"), optimizer="adam"),
    "update.v": Topic(section="5.3", see=("adam", "update.m", "update.m_hat"), optimizer="adam"),
    "update.m_hat": Topic(
        section="5.3", see=("adam", "update.m", "update.v"), also=("update.v_hat",), optimizer="adam"),
    "sgd": Topic(see=("update", "learning_rate", "adam"), steps=("update.encoder.E.new",)),
    "adam": Topic(
        section="5.3", see=("update.m", "update.v", "update.m_hat", "sgd"),
        steps=("update.encoder.E.m", "update.encoder.E.v", "update.encoder.E.m_hat", "update.encoder.E.v_hat",
               "update.encoder.E.new"), optimizer="adam"),
    "learning_rate": Topic(section="5.3", see=("update.new", "warmup"), steps=("update.encoder.E.new",)),
    "warmup": Topic(section="5.3", see=("learning_rate", "adam", "post_norm")),
    "dropout": Topic(section="5.4", see=("training", "inference", "label_smoothing")),
    "parameter": Topic(see=("training", "update", "seed")),
    "vector_form": Topic(see=("matrix_form", "pencil"), steps=("encoder.layer1.self_attention.head1.query",)),
    "matrix_form": Topic(see=("vector_form",), steps=("encoder.layer1.self_attention.head1.query",)),
    "seed": Topic(see=("parameter", "fingerprint")),
    "what_if": Topic(see=("multi_head_attention", "positional_encoding", "parameter")),
    "pencil": Topic(see=("vector_form", "seed")),
    "fingerprint": Topic(see=("seed",)),
}
