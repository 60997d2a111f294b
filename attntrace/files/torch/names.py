"""The transformer modules of torch.nn: the names of our parameters in their state_dicts."""
from collections.abc import Iterator
from typing import NamedTuple

from attntrace.model.config import SUB_LAYERS, Config
from attntrace.model.parameters import Vocabularies, parts
from attntrace.tracing.addresses import Address

ATTENTIONS = {"self_attention": "self_attn.", "cross_attention": "multihead_attn."}
NAMES = {"b_Q": "in_proj_bias", "b_K": "in_proj_bias", "b_V": "in_proj_bias",
         "W_O": "out_proj.weight", "b_O": "out_proj.bias", "W_1": "linear1.weight", "b_1": "linear1.bias",
         "W_2": "linear2.weight", "b_2": "linear2.bias"}
NORM = {"gain": "weight", "bias": "bias"}
ARGUMENTS: dict[str, dict[str, str | None]] = {  # of a module, for each word of a config; None: there is no such module
    "norm": {"post": "norm_first=False, ", "pre": "norm_first=True, "}, "activation": {"relu": ""},  # the default
    "dtype": {"float64": "dtype=torch.float64", "float32": "dtype=torch.float32"},
    "position": {"interleaved": "", "halves": "", "none": ""},  # of embeddings, which come before a module
    "part": {"transformer": "torch.nn.Transformer", "encoder": "torch.nn.TransformerEncoder",
             "decoder": "torch.nn.TransformerDecoder", "encoder_layer": "torch.nn.TransformerEncoderLayer",
             "decoder_layer": "torch.nn.TransformerDecoderLayer", "attention": "torch.nn.MultiheadAttention"}}


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


def module_of(config: Config) -> str:
    """The module that is the same part of a transformer."""
    return str(ARGUMENTS["part"][config.architecture.name])


def pieces_of(config: Config, separate: bool = False) -> Iterator[Piece]:
    """Yield every parameter, in the order of the state_dict; `separate`: queries, keys and values have matrices of
    their own. Of the config, only the part, the layers and the final norm decide."""
    for part in parts(config, Vocabularies.without_words(config)):
        norms_last = sorted(part.of_layer, key=lambda spec: Address.of(spec.name).name in NORM)
        for spec in part._replace(of_layer=tuple(norms_last)).specs():
            yield _piece(spec.name, config, separate)


def _piece(ours: str, config: Config, separate: bool) -> Piece:
    address, architecture = Address.of(ours), config.architecture
    name, layer = address.name, address.number("layer")
    place = f"{address.stack}." if len(architecture.stacks) > 1 else ""
    if layer is not None and architecture.layers is None:
        place += f"layers.{layer - 1}."
    if name in NORM:
        number = "" if layer is None else SUB_LAYERS[address.stack].index(address.sub_layer) + 1
        return Piece(ours, f"{place}norm{number}.{NORM[name]}")
    if not architecture.is_attention:
        place += ATTENTIONS.get(address.sub_layer, "")
    block = "QKV".index(name[-1]) if name[-1] in "QKV" else None
    if separate and name not in NAMES:
        return Piece(ours, f"{place}{name[-1].lower()}_proj_weight")
    return Piece(ours, place + NAMES.get(name, "in_proj_weight"), block)


def constructor(config: Config, biases: bool) -> list[str]:
    """Return the lines of Python that make the module of a state_dict."""
    architecture, module = config.architecture, module_of(config)
    norm_first, activation, dtype = (ARGUMENTS[name][getattr(config, name)] for name in ("norm", "activation", "dtype"))
    common = f"bias={biases}, batch_first=True, {dtype}"
    sizes = f"d_model={config.d_model}, nhead={config.heads}"
    wiring = (f"dim_feedforward={config.d_ff}, dropout=0, {activation}{norm_first}layer_norm_eps={config.epsilon}, "
              f"{common}")
    if architecture.is_attention:
        return [f"module = {module}(embed_dim={config.d_model}, num_heads={config.heads}, {common})"]
    if architecture.layers == 1:
        return [f"module = {module}({sizes}, {wiring})"]
    if len(architecture.stacks) > 1:
        return [f"module = {module}({sizes}, num_encoder_layers={config.layers}, "
                f"num_decoder_layers={config.layers}, {wiring})",
                *([] if config.final_norm else ["module.encoder.norm = module.decoder.norm = None"])]
    norm = (f"torch.nn.LayerNorm({config.d_model}, eps={config.epsilon}, bias={biases}, {dtype})"
            if config.final_norm else "None")
    return [f"module = {module}({module}Layer({sizes}, {wiring}), num_layers={config.layers}, norm={norm})"]
