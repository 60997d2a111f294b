"""The transformer modules of torch.nn: the names of our parameters in their state_dicts, import and export."""
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from attntrace.files.arrays import ARRAYS, opened, shape_text
from attntrace.files.weights import Loaded
from attntrace.messages.catalog import Joined, Message, Text, alternatives
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import ARCHITECTURES, POSITIONS, SUB_LAYERS, Config, divisors
from attntrace.model.parameters import Spec, Vocabularies, allocate, parts, specs
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address, cell_name

ATTENTIONS = {"self_attention": "self_attn.", "cross_attention": "multihead_attn."}
NAMES = {"b_Q": "in_proj_bias", "b_K": "in_proj_bias", "b_V": "in_proj_bias",
         "W_O": "out_proj.weight", "b_O": "out_proj.bias", "W_1": "linear1.weight", "b_1": "linear1.bias",
         "W_2": "linear2.weight", "b_2": "linear2.bias"}
NORM = {"gain": "weight", "bias": "bias"}
ARGUMENTS: dict[str, dict[str, str | None]] = {  # of a module, for each word of a config; None: there is no such module
    "norm": {"post": "norm_first=False, ", "pre": "norm_first=True, "}, "activation": {"relu": ""},  # the default
    "dtype": {"float64": "dtype=torch.float64", "float32": "dtype=torch.float32"},
    "position": dict.fromkeys(POSITIONS, ""),  # of embeddings, which come before a module
    "shared_embeddings": dict.fromkeys(("none", "decoder", "all"), ""),
    "part": {"transformer": "torch.nn.Transformer", "encoder": "torch.nn.TransformerEncoder",
             "decoder": "torch.nn.TransformerDecoder", "encoder_layer": "torch.nn.TransformerEncoderLayer",
             "decoder_layer": "torch.nn.TransformerDecoderLayer", "attention": "torch.nn.MultiheadAttention"}}
LAYER = re.compile(r"(?:^|(\w+)\.)layers\.(\d+)\.")
SIZE_OF = {"W_O": "d_model", "W_1": "d_ff"}  # the size that is the number of rows of a matrix in torch.nn
LISTED = 3  # of many names, those in a message
HALVES = {"float16", "bfloat16"}


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


class State(NamedTuple):
    """A state_dict: its arrays by name, and the precisions of their numbers in the file."""
    file: str
    arrays: dict[str, Array]
    dtypes: frozenset[str]

    @property
    def dtype(self) -> str:
        """The precision that represents all of its numbers."""
        return "float64" if "float64" in self.dtypes else "float32"

    @property
    def numbers(self) -> int:
        """How many numbers there are in all floating-point arrays."""
        return sum(array.size for array in self.arrays.values() if array.dtype.kind == "f")


def read_state(path: Path) -> State:
    """Read a state_dict, `.npz` or `.safetensors`. Raises Problem where the file is broken or is not one."""
    with opened(path) as file:
        if path.suffix.lower() not in ARRAYS:
            raise Problem("state_ending", file=str(path))
        members = ARRAYS[path.suffix.lower()](path, file)
        if "config" in members.texts:  # our weights file
            raise Problem("state_is_own", file=str(path))
        arrays, dtypes = {}, set()
        for name, header in members.headers.items():
            arrays[name] = members.read(name)
            if arrays[name].dtype.kind == "f":
                dtypes.add("bfloat16" if str(header.dtype) == "bfloat16" else arrays[name].dtype.name)
    return State(str(path), arrays, frozenset(dtypes))


class Recognized(NamedTuple):
    """The module that a state_dict fits best: the part, layers and final norm of its `config`, whether it has biases,
    the parameters that it should have, the missing names, the names that it does not have, those of arrays that are not
    weights (integers, booleans), and the requested final norms without parameters."""
    config: Config
    biases: bool
    pieces: tuple[Piece, ...]
    missing: tuple[str, ...]
    unplaced: tuple[str, ...]
    left_out: tuple[str, ...]
    bare_norms: tuple[str, ...]


def recognized(state: State, final_norm: bool = False) -> Recognized:
    """Find the module with most of the names; of several, the one with the fewest other names. `final_norm`: its stacks
    end in a norm, one without parameters where the names have none. Raises Problem where no module has any of the
    names, where it has no final norm, where its stacks differ in layers, or where a parameter is not floating-point."""
    names = state.arrays.keys()
    numbered = {place for name in names for place in LAYER.findall(name)[:1]}
    layers = len({number for _, number in numbered}) or 1
    separate = any(name.endswith("q_proj_weight") for name in names)

    def likeness(config: Config) -> tuple[int, int]:
        table = {piece.theirs for piece in pieces_of(config, separate)}
        return len(table & names), -len(table)

    config = max((Config(part=one.name, layers=one.layers or layers, final_norm=norm) for one in ARCHITECTURES.values()
                  for norm in ((False, True) if one.layers is None else (False,))), key=likeness)
    if not likeness(config)[0]:
        raise Problem("state_unknown", file=state.file, names=some(names))
    if final_norm and config.architecture.layers is not None:
        raise Problem("state_final_norm", file=state.file, module=module_of(config))
    count = {stack: sum(place == stack for place, _ in numbered) for stack in config.architecture.stacks}
    if len({*filter(None, count.values())}) > 1:
        raise Problem("state_layers", file=state.file, module=module_of(config),
                      encoder=count["encoder"], decoder=count["decoder"])
    config = replace(config, final_norm=config.final_norm or final_norm)
    table = {piece.theirs: piece for piece in pieces_of(config, separate)}
    placed = {name: piece for name, piece in table.items() if name in names}
    for name in placed:
        dtype = state.arrays[name].dtype
        if dtype.kind != "f" or dtype.itemsize > 8:
            raise Problem("parameter_kind", file=state.file, name=shown(name), kind=dtype)
    norms = {piece.place: None for piece in table.values() if piece.place.endswith(".final_norm")}
    there = {piece.place for piece in placed.values()}
    bare_norms = tuple(norm for norm in norms if final_norm and norm not in there)
    biases = any(piece.is_bias for piece in placed.values())
    pieces = tuple(piece for piece in pieces_of(config, separate)
                   if piece.place not in bare_norms and (biases or not piece.is_bias))
    missing = dict.fromkeys(piece.theirs for piece in pieces if piece.theirs not in names)
    others = {name: state.arrays[name].dtype for name in names if name not in table}
    whole = {name: f"{name} ({dtype})" for name, dtype in others.items() if dtype.kind in "biu"}
    return Recognized(config, biases, pieces, tuple(missing), tuple(name for name in others if name not in whole),
                      tuple(whole.values()), bare_norms)


def some(names: Iterable[str]) -> Joined:
    """Return the first names as text, and how many more there are."""
    texts: list[Text] = [shown(name) for name in names]
    if len(texts) > LISTED:
        texts[LISTED:] = [Message("messages.more", count=len(texts) - LISTED)]
    return Joined(", ", texts)


def sizes_of(state: State, fit: Recognized) -> dict[str, int]:
    """Return d_model, and d_ff where the module has it. Raises Problem where an array that shows one is no matrix."""
    sizes = {}
    for piece in fit.pieces:
        size = SIZE_OF.get(piece.ours.rpartition(".")[2])
        if size is not None and size not in sizes:
            shape = state.arrays[piece.theirs].shape
            if len(shape) != 2 or not min(shape):
                raise Problem("state_shape", file=state.file, name=piece.theirs, is_=shape_text(shape),
                              should=Message("problem.why.matrix"))
            sizes[size] = shape[0]
    return sizes


def imported(state: State, heads: int | None, final_norm: bool = False, **more: Any) -> tuple[Loaded, Recognized]:
    """Return the model of a state_dict, and the module that it was recognised as; `final_norm` where its stacks end in
    a norm, possibly one without parameters; `more`: entries of its config that no array shows. Raises Problem for wrong
    names, shapes, numbers or heads."""
    fit = recognized(state, final_norm)
    if fit.unplaced:
        raise Problem("state_unplaced", file=state.file, module=module_of(fit.config), count=len(fit.unplaced),
                      names=some(fit.unplaced))
    if fit.missing:
        raise Problem("state_missing", file=state.file, module=module_of(fit.config), layers=fit.config.layers,
                      names=some(fit.missing))
    sizes = sizes_of(state, fit)
    d_model = sizes["d_model"]
    if heads is None or heads < 1 or d_model % heads:
        raise Problem("state_heads", file=state.file, heads=Message("problem.why.none") if heads is None else heads,
                      d_model=d_model, divisors=alternatives(divisors(d_model)))
    wiring = {"position": "none", "scale_embedding": False, "dtype": state.dtype}
    config = replace(fit.config, **{**sizes, **more, **wiring}, heads=heads)
    vocabularies = Vocabularies.without_words(config)
    pieces = {piece.ours: piece for piece in fit.pieces}
    wanted = [spec for spec in specs(config, vocabularies) if spec.name in pieces or not spec.optional]
    for spec in wanted:  # before memory is taken for them
        if piece := pieces.get(spec.name):
            shape, (first, *rest) = state.arrays[piece.theirs].shape, spec.shape[::-1]
            should = (first if piece.block is None else 3 * first, *rest)
            if shape != should:
                raise Problem("state_shape", file=state.file, name=piece.theirs, is_=shape_text(shape),
                              should=shape_text(should))

    def fill(spec: Spec, view: Array) -> None:
        if spec.name not in pieces:  # of a norm without parameters: 1, and its bias 0
            view[...] = spec.name.endswith(".gain")
            return
        _, name, block = pieces[spec.name]
        array = state.arrays[name]
        wrong = np.argwhere(~np.isfinite(array))
        if wrong.size:
            raise Problem("parameter_not_finite", file=state.file, name=cell_name(name, wrong[0]),
                          value=array[tuple(wrong[0])], dtype=state.dtype)
        view[...] = (array if block is None else np.split(array, 3)[block]).T

    return Loaded(config, vocabularies, allocate(wanted, config.dtype, fill)), fit


class Exported(NamedTuple):
    """A state_dict: its arrays by name, the config of its module, whether that has biases, our parameters that have no
    place in it, and the biases that our model does not have and that are zeros in it."""
    arrays: dict[str, Array]
    config: Config
    biases: bool
    left_out: tuple[str, ...]
    zeros: tuple[str, ...]


def exported(model: Loaded, file: str) -> Exported:
    """Return the state_dict of a model. Raises Problem for a wiring that torch.nn does not have."""
    config, parameters = model.config, model.parameters
    if config.score_scale != "sqrt_d_k" and config.score_scale != math.sqrt(config.d_k):
        raise Problem("state_score_scale", file=file, scale=config.score_scale)
    for name, arguments in ARGUMENTS.items():
        if arguments.get(getattr(config, name)) is None:
            known = (word for word, argument in arguments.items() if argument is not None)
            raise Problem("state_choice", file=file, name=name, value=getattr(config, name), known=alternatives(known))
    if None in model.vocabularies and len(config.architecture.stacks) > 1:
        config = replace(config, part="decoder" if model.vocabularies.source is None else "encoder")
    pieces = list(pieces_of(config))
    given = {piece.ours: parameters.get(piece.ours) for piece in pieces if piece.is_bias}
    biases = any(tensor is not None and (".b_" in name and name[-1] in "QKVO" or tensor.value.any())
                 for name, tensor in given.items())  # else as one that was imported with bias=False
    blocks: dict[str, list[Array]] = {}
    zeros = []
    for piece in pieces:
        parameter = parameters.get(piece.ours)
        if piece.is_bias and not biases:
            continue
        if parameter is None:
            zeros.append(piece.ours)
        value = np.zeros(config.d_model, config.dtype) if parameter is None else parameter.value
        blocks.setdefault(piece.theirs, []).append(value.T)
    arrays = {name: np.concatenate(parts) for name, parts in blocks.items()}
    ours = {piece.ours for piece in pieces}
    left_out = tuple(tensor.address for tensor in parameters if tensor.address and tensor.address not in ours)
    return Exported(arrays, config, biases, left_out, tuple(zeros))
