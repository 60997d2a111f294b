"""The transformer modules of torch.nn: the names of our parameters in their state_dicts."""
from collections.abc import Iterator
from typing import NamedTuple

from attntrace.model.config import ONE_LAYER, Config

MODULES = {"transformer": "torch.nn.Transformer", "encoder": "torch.nn.TransformerEncoder",
           "decoder": "torch.nn.TransformerDecoder", "encoder_layer": "torch.nn.TransformerEncoderLayer",
           "decoder_layer": "torch.nn.TransformerDecoderLayer", "attention": "torch.nn.MultiheadAttention"}
STACKS = {"transformer": {"encoder": "encoder.", "decoder": "decoder."}, "encoder": {"encoder": ""},
          "decoder": {"decoder": ""}, "encoder_layer": {"encoder": ""}, "decoder_layer": {"decoder": ""}}
SUB_LAYERS = {  # of a layer: our name, the name in torch.nn, and its name of the norm
    "encoder": (("self_attention", "self_attn.", "norm1."), ("feed_forward", "", "norm2.")),
    "decoder": (("self_attention", "self_attn.", "norm1."), ("cross_attention", "multihead_attn.", "norm2."),
                ("feed_forward", "", "norm3."))}
FEED_FORWARD = {"W_1": "linear1.weight", "b_1": "linear1.bias", "W_2": "linear2.weight", "b_2": "linear2.bias"}
NORM = {"gain": "weight", "bias": "bias"}
ARGUMENTS = {  # of a module, for each choice of a config that it has; others cannot be exported
    "norm": {"post": "norm_first=False", "pre": "norm_first=True"}, "activation": {"relu": ""},  # the default
    "dtype": {"float64": "dtype=torch.float64", "float32": "dtype=torch.float32"}, "part": MODULES}
DEFAULTS = "post", 1e-5  # norm and epsilon of a module made without norm_first and layer_norm_eps


class Piece(NamedTuple):
    """One of our parameters and its place in a state_dict: the transpose of an array, since torch.nn.Linear is
    x Wᵀ + b, or of one of three equal `block`s of its rows (from 0)."""
    ours: str
    theirs: str
    block: int | None = None

    @property
    def place(self) -> str:
        return self.ours.rpartition(".")[0]

    @property
    def is_bias(self) -> bool:
        """Whether bias=False leaves it out."""
        return self.theirs.endswith("bias")


class Wiring(NamedTuple):
    """What decides which names the state_dict of a module has: the part of a transformer, its layers, whether stacks
    end in a norm, whether queries, keys and values have separate matrices."""
    part: str
    layers: int = 1
    final_norm: bool = False
    separate: bool = False

    @property
    def module(self) -> str:
        return MODULES[self.part]

    def pieces(self) -> Iterator[Piece]:
        """Yield every parameter, in the order of the state_dict."""
        if self.part == "attention":
            yield from self._attention("encoder.layer1.self_attention", "")
        for stack, theirs in STACKS.get(self.part, {}).items():
            for n in range(self.layers):
                yield from self._layer(stack, n + 1, theirs if self.part in ONE_LAYER else f"{theirs}layers.{n}.")
            if self.final_norm:
                yield from _renamed(f"{stack}.final_norm", f"{theirs}norm.", NORM)

    def _layer(self, stack: str, number: int, theirs: str) -> Iterator[Piece]:
        for name, own, _ in SUB_LAYERS[stack]:
            if own:
                yield from self._attention(f"{stack}.layer{number}.{name}", theirs + own)
            else:
                yield from _renamed(f"{stack}.layer{number}.{name}", theirs, FEED_FORWARD)
        for name, _, norm in SUB_LAYERS[stack]:
            yield from _renamed(f"{stack}.layer{number}.{name}", theirs + norm, NORM)

    def _attention(self, ours: str, theirs: str) -> Iterator[Piece]:
        for block, letter in enumerate("QKV"):
            yield (Piece(f"{ours}.W_{letter}", f"{theirs}{letter.lower()}_proj_weight") if self.separate
                   else Piece(f"{ours}.W_{letter}", f"{theirs}in_proj_weight", block))
        for block, letter in enumerate("QKV"):
            yield Piece(f"{ours}.b_{letter}", f"{theirs}in_proj_bias", block)
        yield from _renamed(ours, f"{theirs}out_proj.", {"W_O": "weight", "b_O": "bias"})


def _renamed(ours: str, theirs: str, names: dict[str, str]) -> Iterator[Piece]:
    for our_name, their_name in names.items():
        yield Piece(f"{ours}.{our_name}", theirs + their_name)


def constructor(config: Config, part: str, biases: bool) -> list[str]:
    """Return the lines of Python that make the module of a state_dict."""
    heads = f"embed_dim={config.d_model}, num_heads={config.heads}"
    norm_first, activation, dtype = (ARGUMENTS[name][getattr(config, name)] for name in ("norm", "activation", "dtype"))
    common = f"bias={biases}, batch_first=True, {dtype}"
    sizes = f"d_model={config.d_model}, nhead={config.heads}"
    wiring = (f"dim_feedforward={config.d_ff}, dropout=0, {activation}{norm_first}, layer_norm_eps={config.epsilon}, "
              f"{common}")
    norm = (f"torch.nn.LayerNorm({config.d_model}, eps={config.epsilon}, bias={biases}, {dtype})"
            if config.final_norm else "None")
    if part == "attention":
        return [f"module = {MODULES[part]}({heads}, {common})"]
    if part == "transformer":
        return [f"module = {MODULES[part]}({sizes}, num_encoder_layers={config.layers}, "
                f"num_decoder_layers={config.layers}, {wiring})",
                *([] if config.final_norm else ["module.encoder.norm = module.decoder.norm = None"])]
    layer = f"{MODULES[part.removesuffix('_layer') + '_layer']}({sizes}, {wiring})"
    if part in ONE_LAYER:
        return [f"module = {layer}"]
    return [f"module = {MODULES[part]}({layer}, num_layers={config.layers}, norm={norm})"]
