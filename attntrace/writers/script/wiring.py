"""What a script says of a run: which lines of the template it has, and the texts in their slots."""
import re
from collections.abc import Mapping

import numpy as np

from attntrace.model.masks import Masks
from attntrace.model.tokens import MEMORY, InputRows, Words
from attntrace.runs.run import Run
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address

STACKS = "encoder", "decoder"
NAMED = {"scaled_embedding", "positional_encoding", "position_embedding", "norm", "feed_forward", "weights_mean"}
LENGTHS = "lengths"  # how many keys count, in the arrays of a script


def arrays(run: Run) -> dict[str, Array]:
    """What a script reads beyond parameters: rows by address, what is added to the scores of an attention by its
    name, and the lengths of each query."""
    found: dict[str, Array] = {}
    for side in (run.source, run.target):
        if isinstance(side, InputRows):
            found[side.address] = side.value
            if side.values is not None:
                found["value.input"] = side.values
    found |= run.masks.added
    found |= {LENGTHS: np.array(run.masks.lengths)} if len(run.masks.lengths) > 1 else {}
    return {name: array.astype(float) for name, array in found.items()}


def facts(run: Run, addresses: set[str]) -> set[str]:
    """The words, of those in the conditions of the template, that a run with steps of these addresses has."""
    config, only, names = run.config, run.config.architecture.is_attention, run.parameters.by_name
    parts = [Address.of(address) for address in addresses]
    kinds = {word for part in parts for word in part.words}
    masked = {".".join(part.words[:-1]) for part in parts if part.name == "masked_scores"}
    biases, matrices = (sum(bool(re.search(rf"\.{kind}_[QKVO]$", name)) for name in names) for kind in "bW")
    enters, reads = ({stack for stack in STACKS if f"{stack}.{name}" in addresses} for name in ("input", "embedding"))
    own = {stack for stack in reads if f"{stack}.E" in names}
    has: dict[str, object] = {
        "words": reads, "encoder_words": "encoder" in reads, "decoder_words": "decoder" in reads,
        "encoder_rows": "encoder" in enters - reads, "decoder_rows": "decoder" in enters - reads,
        "memory": isinstance(run.source, InputRows) and run.source.address == MEMORY,
        "own_tables": own == reads, "shared_tables": not own, "mixed_tables": own and reads - own,
        "positions": kinds & {"positional_encoding", "position_embedding"}, "offset": config.position_offset,
        "padded": config.position == "tensor2tensor" and config.d_model % 2,
        "encoder": "encoder" in enters and not only, "decoder": "decoder" in enters, "stack": not only,
        "only_attention": only, "cross": "decoder.cross_attention" in {".".join(part.words[:-1]) for part in parts},
        "of_others": "query.input" in addresses, "values": "value.input" in addresses, "residual": config.residual,
        "outside": config.norm_epsilon == "outside", "sample": config.norm_variance == "sample",
        "final_norm": config.final_norm, "by_d_k": config.score_scale == "sqrt_d_k",
        "mask": masked, "encoder_masked": "encoder.self_attention" in masked,
        "cross_masked": "decoder.cross_attention" in masked, "blind": run.blind_rows(),
        "mask_per_head": any(added.ndim == 3 for added in run.masks.added.values()),
        "biases": biases, "missing_biases": 0 < biases < matrices, "pad": run.masks.lengths,
        "d_v": config.value_size != config.key_size, "projection": config.output_projection,
        "predicts": "output.logits" in addresses, "output_b": "output.b" in names, "given": arrays(run)}
    has["of_memory"] = has["cross"]
    has["of_itself"] = not has["cross"] and not has["of_others"]
    words = {word for word, holds in has.items() if holds} | kinds & NAMED | {config.norm, config.position}
    return words | {config.activation} if "feed_forward" in words else words


def texts(run: Run, words: set[str], np_: str) -> dict[str, str]:
    """What the slots of the template stand for, apart from messages, in a script that calls its library `np_`."""
    config, masks = run.config, run.masks
    keys, values = (("X_K", "X_V" if "values" in words else "X_K") if "of_others" in words else
                    ("M", "M") if "of_memory" in words else ("X", "X"))
    place = config.architecture.attention
    base, offset, scale = config.position_base, config.position_offset, config.score_scale
    lengths = masks.lengths

    def mask(attention: str, queries: str, keys: str, causal: bool = config.causal) -> str:
        return mask_of(masks, attention, queries, keys, causal).replace("xp.", f"{np_}.")

    return {
        "mask": ", mask" if "mask" in words else "", "root": "d_k**0.5" if scale == "sqrt_d_k" else repr(scale),
        "base": f"{base:.0f}" if base == int(base) else repr(base), "offset": str(offset),
        "positions": "len(ids)" if not offset else f"{offset}, {offset} + len(ids)",
        "X_K": keys, "X_V": "X_V" if "of_others" in words else values, "values": values,
        "own_V": "own_V" if "d_v" in words else "own", "place": place,
        "decoder_layers": "layers" if config.layers_of("decoder") == config.layers else "decoder_layers",
        "decoder_ids": "target" if run.target is not None else "source",
        "encoder_masked": "mask" if "encoder_masked" in words else "None",
        "cross_masked": "memory_mask" if "cross_masked" in words else "None",
        "encoder_mask": mask("encoder.self_attention", "X", "X"),
        "decoder_mask": mask("decoder.self_attention", "Y", "Y", True),
        "cross_mask": mask("decoder.cross_attention", "Y", "M", False),
        "attention_mask": mask(".".join(Address.of(place).words), "X", keys) if place else "",
        "source_length": str(len(run.source.texts)),
        "length": f'given["{LENGTHS}"][:, None]' if len(lengths) > 1 else str(*lengths),
        "last": "D" if "decoder" in words else "M",
        "output_W": 'params["output.W"]' if "output.W" in run.parameters.by_name else 'params["shared.E"].T'}


def mask_of(masks: Masks, attention: str, queries: str, keys: str, causal: bool) -> str:
    """The expression of the mask of an attention: a sum, whose parts are 0 or -inf, or were given."""
    terms = [f"xp.triu(xp.full((len({queries}), len({keys})), -np.inf), 1)"] if causal else []
    terms += ["pad"] * bool(masks.lengths and attention != "decoder.self_attention")
    terms += [f'given["{attention}"]'] * (attention in masks.added)
    return " + ".join(terms)


def sizes(run: Run, text: str) -> Mapping[str, float]:
    """The sizes of a run that a script with this text names, with their values."""
    config = run.config
    known: dict[str, float] = {
        "d_model": config.d_model, "heads": config.heads, "d_k": config.key_size, "d_v": config.value_size,
        "layers": config.layers, "decoder_layers": config.layers_of("decoder"), "epsilon": config.epsilon}
    return {name: value for name, value in known.items() if re.search(rf"\b{name}\b", text)}


def sentences(run: Run) -> Mapping[str, Words]:
    """The sentences that a script reads, by the names that they have in it."""
    return {name: side for name, side in (("source", run.source), ("target", run.target)) if isinstance(side, Words)}
