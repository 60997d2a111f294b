"""A weights file in which every number is random, gains and biases too, so that a run cannot mix up two of them.

Names and shapes are written out from section 4 of the design, so that they are checked as well."""
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from attntrace.model.config import ENTRIES, Config

SOURCE = ("</s>", "나는", "어제", "카페", "에", "갔었어", "this", "is", "a", "cat", "<s>")
TARGET = ("I", "went", "</s>", "to", "<s>", "the", "cafe", "yesterday")
SENTENCE, TRANSLATION = "나는 어제 카페 에 갔었어", "I went to"
SIZES = {"d_model": 12, "heads": 3, "layers": 2, "d_ff": 20}
WIRINGS = {"as_in_the_paper": {}, "final_norm": {"final_norm": True},
           **{f"{name}_{word}": {name: word} for name, entry in ENTRIES.items() if entry.rewires
              for word in entry.words if word != entry.default},
           "norm_first_and_last": {"norm": "pre", "final_norm": True},
           "embedding_not_scaled": {"scale_embedding": False},
           "scores_divided_by_3": {"score_scale": 3}, "large_epsilon": {"epsilon": 0.25},
           "end_of_source": {"source_end": True}, "heads_of_another_size": {"d_k": 5, "d_v": 3},
           "causal": {"causal": True}, "mean_weights": {"mean_weights": True},
           "no_output_projection": {"d_k": 2, "output_projection": False},
           "copied_norm": {"norm_epsilon": "outside", "norm_variance": "sample"},
           **{f"no_residual_{norm}": {"residual": False, "norm": norm} for norm in ("post", "pre", "none")},
           "only_attention": {"residual": False, "norm": "none", "feed_forward": False},
           "final_norm_alone": {"norm": "none", "final_norm": True},
           "shallow_decoder": {"decoder_layers": 1}, "deep_decoder": {"decoder_layers": 3},
           "one_table": {"shared_embeddings": "all"}, "tied_output": {"shared_embeddings": "decoder"},
           "learned_from_the_third": {"position": "learned", "max_positions": 9, "position_offset": 2},
           "odd_interleaved": {"d_model": 15, "heads": 3, "position_base": 100},
           "odd_tensor2tensor": {"d_model": 15, "heads": 3, "position": "tensor2tensor", "position_offset": 2}}


class Model(NamedTuple):
    """The config of a model, its vocabularies (no target: no decoder) and its arrays by name."""
    config: Config
    source: tuple[str, ...]
    target: tuple[str, ...] | None
    parameters: dict[str, np.ndarray]

    def write(self, path: Path) -> Path:
        """Write a weights file, `.npz` or `.json` by the ending of its name."""
        words = {"source": list(self.source)} | ({"target": list(self.target)} if self.target else {})
        if path.suffix == ".json":
            arrays = {name: value.tolist() for name, value in self.parameters.items()}
            whole = {"config": vars(self.config), "vocabulary": words, "parameters": arrays}
            path.write_text(json.dumps(whole), "utf-8")
        else:
            texts = {f"vocabulary.{side}": np.array(some) for side, some in words.items()}
            np.savez(path, **self.parameters, **texts, config=json.dumps(vars(self.config)))
        return path


def depth(config: Config, stack: str) -> int:
    return config.decoder_layers if stack == "decoder" and config.decoder_layers != "layers" else config.layers


def shapes(config: Config, source: int, target: int | None, biases: bool) -> dict[str, tuple[int, ...]]:
    """The shape of every parameter; `biases`: whether attention and output have theirs."""
    d, f, vector = config.d_model, config.d_ff, (config.d_model,)
    d_k, d_v = (d if isinstance(size, str) else config.heads * size for size in (config.d_k, config.d_v))
    of_attention = {"W_Q": (d, d_k), "W_K": (d, d_k), "W_V": (d, d_v), "W_O": (d_v, d)}
    of_attention |= {"b_Q": (d_k,), "b_K": (d_k,), "b_V": (d_v,), "b_O": vector} if biases else {}
    of_attention = {name: shape for name, shape in of_attention.items() if config.output_projection or name[-1] != "O"}
    found: dict[str, tuple[int, ...]] = {}
    for stack, vocab, attentions in (("encoder", source, ("self_attention",)),
                                     ("decoder", target, ("self_attention", "cross_attention"))):
        if vocab is None:
            continue
        found[f"{stack}.E"] = vocab, d
        if config.position == "learned":
            found[f"{stack}.P"] = config.max_positions, d
        for own in (f"{stack}.layer{n}" for n in range(1, depth(config, stack) + 1)):
            for attention in attentions:
                found |= {f"{own}.{attention}.{name}": shape for name, shape in of_attention.items()}
            if config.feed_forward:
                found |= {f"{own}.feed_forward.W_1": (d, f), f"{own}.feed_forward.b_1": (f,),
                          f"{own}.feed_forward.W_2": (f, d), f"{own}.feed_forward.b_2": vector}
            if config.norm != "none":
                parts = *attentions, *["feed_forward"] * config.feed_forward
                found |= {f"{own}.{part}.{name}": vector for part in parts for name in ("gain", "bias")}
        if config.final_norm:
            found |= {f"{stack}.final_norm.gain": vector, f"{stack}.final_norm.bias": vector}
    if target is not None:
        found |= {"output.W": (d, target)} | ({"output.b": (target,)} if biases else {})
    for name in {"all": ("encoder.E", "decoder.E", "output.W"), "decoder": ("decoder.E", "output.W")}.get(
            config.shared_embeddings, ()):
        rows = found.pop(name, None)
        found |= {"shared.E": rows} if rows and name != "output.W" else {}
    return found


def random_model(biases: bool = True, decoder: bool = True, seed: int = 1, **config: object) -> Model:
    """A model of SIZES, in float64 whatever the run's dtype, wired as `config` says."""
    rng = np.random.default_rng(seed)
    wiring = Config(**SIZES | config)  # type: ignore[arg-type]

    def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
        numbers = rng.standard_normal(shape)
        if len(shape) == 1:
            return 0.4 * numbers + name.endswith("gain")
        return numbers / np.sqrt(wiring.d_model if name.endswith(".E") else shape[0])

    both = tuple(dict.fromkeys(SOURCE + TARGET))
    source, target = (both, both) if wiring.shared_embeddings == "all" else (SOURCE, TARGET)
    wanted = shapes(wiring, len(source), len(target) if decoder else None, biases)
    parameters = {name: drawn(name, shape) for name, shape in wanted.items()}
    return Model(wiring, source, target if decoder else None, parameters)
