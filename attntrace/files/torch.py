"""The transformer modules of torch.nn: the names of our parameters in their state_dicts, import and export."""
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice, takewhile
from os.path import commonprefix
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from attntrace.files.arrays import ARRAYS, opened, shape_text
from attntrace.files.pytorch import PyTorch
from attntrace.files.weights import Given, Loaded
from attntrace.messages.catalog import Joined, Message, Text, alternatives
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import nearest
from attntrace.messages.unicode import shown
from attntrace.model.config import (ARCHITECTURES, ENTRIES, FLAG, LAYERS, POSITIONS, SUB_LAYERS, Architecture, Config,
                                    as_json, divisors)
from attntrace.model.memory import check_fits
from attntrace.model.parameters import Spec, Vocabularies, allocate, parts, specs
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address, cell_name

ATTENTIONS = {"self_attention": "self_attn.", "cross_attention": "multihead_attn."}
NAMES = {"b_Q": "in_proj_bias", "b_K": "in_proj_bias", "b_V": "in_proj_bias",
         "W_O": "out_proj.weight", "b_O": "out_proj.bias", "W_1": "linear1.weight", "b_1": "linear1.bias",
         "W_2": "linear2.weight", "b_2": "linear2.bias"}
NORM = {"gain": "weight", "bias": "bias"}
ARGUMENTS: dict[str, dict[str, str | None]] = {  # of a module, for each word of a config; None: there is no such module
    "norm": {"post": "norm_first=False, ", "pre": "norm_first=True, ", "none": None},
    "norm_epsilon": {"inside": "", "outside": None}, "norm_variance": {"population": "", "sample": None},
    "residual": {"true": ""}, "feed_forward": {"true": ""},
    "activation": {"relu": "", "gelu": "activation='gelu', ", "silu": "activation=torch.nn.functional.silu, ",
                   "gelu_tanh": "activation=lambda x: torch.nn.functional.gelu(x, approximate='tanh'), "},
    "dtype": {"float64": "dtype=torch.float64", "float32": "dtype=torch.float32"},
    "position": dict.fromkeys(POSITIONS, ""),  # of embeddings, which come before a module
    "shared_embeddings": dict.fromkeys(("none", "decoder", "all"), ""),
    "part": {"transformer": "torch.nn.Transformer", "encoder": "torch.nn.TransformerEncoder",
             "decoder": "torch.nn.TransformerDecoder", "encoder_layer": "torch.nn.TransformerEncoderLayer",
             "decoder_layer": "torch.nn.TransformerDecoderLayer", "encoder_only": None, "decoder_only": None,
             "attention": "torch.nn.MultiheadAttention",
             "cross_attention": "torch.nn.MultiheadAttention"}}
MODULES = [one for one in ARCHITECTURES.values() if ARGUMENTS["part"].get(one.name) is not None]
LAYER = re.compile(r"(?:(encoder|decoder)\.)?layers\.(\d+)\.")
BEGINS = re.compile(  # where names of a module begin, after any prefix
    r"(?:^|(?<=\.))(?=(?:(?:en|de)coder\.)?layers\.\d|(?:self|multihead)_attn\.|out_proj\.|(?:in|q)_proj_weight)")
DEEPEST = 8  # of the places in one name where names of a module may begin
ADDED_ROWS = {"bias_k", "bias_v"}  # of add_bias_kv=True
SIZE_OF = {"W_O": "d_model", "W_1": "d_ff"}  # the size that is the number of rows of a matrix in torch.nn
WIDTH_OF = {"k_proj_weight": "k_dim", "v_proj_weight": "v_dim"}  # the size that is the number of its columns
LISTED, LISTED_BESIDE = 3, 12  # of many names, those in a message; of what is left out
HALVES = {"float16", "bfloat16"}
MADE_WITH = "num_heads", "norm_first", "eps", "activation", "add_zero_attn"  # attributes of modules


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
        _, k_dim, v_dim = config.widths()
        own = f"kdim={k_dim}, vdim={v_dim}, " if {k_dim, v_dim} != {config.d_model} else ""
        return [f"module = {module}(embed_dim={config.d_model}, num_heads={config.heads}, {own}{common})"]
    if architecture.layers == 1:
        return [f"module = {module}({sizes}, {wiring})"]
    if len(architecture.stacks) > 1:
        return [f"module = {module}({sizes}, num_encoder_layers={config.layers}, "
                f"num_decoder_layers={config.layers_of('decoder')}, {wiring})",
                *([] if config.final_norm else ["module.encoder.norm = module.decoder.norm = None"])]
    norm = (f"torch.nn.LayerNorm({config.d_model}, eps={config.epsilon}, bias={biases}, {dtype})"
            if config.final_norm else "None")
    return [f"module = {module}({module}Layer({sizes}, {wiring}), num_layers={config.layers}, norm={norm})"]


STATES = ARRAYS | dict.fromkeys((".pt", ".pth", ".bin", ".ckpt"), PyTorch)


class State(NamedTuple):
    """A state_dict: its arrays by name, the precisions of their numbers in the file, and the names of what is no
    array."""
    file: str
    arrays: dict[str, Array]
    dtypes: dict[str, str]
    others: tuple[str, ...] = ()


def read_state(path: Path) -> State:
    """Read a state_dict. Raises Problem where the file is broken or is not one."""
    with opened(path) as file:
        if path.suffix.lower() not in STATES:
            raise Problem("state_ending", file=str(path), endings=alternatives(STATES))
        members = STATES[path.suffix.lower()](path, file)
        if "config" in members.texts:  # our weights file
            raise Problem("state_is_own", file=str(path))
        arrays, dtypes = {}, {}
        for name, header in members.headers.items():
            arrays[name] = members.read(name)
            dtypes[name] = "bfloat16" if str(header.dtype) == "bfloat16" else arrays[name].dtype.name
    return State(str(path), arrays, dtypes, tuple(members.others) if isinstance(members, PyTorch) else ())


class Fit(NamedTuple):
    """A module that a state_dict may hold: the prefix of its names, its part, layers and final norm, whether queries,
    keys and values have matrices of their own, the stack and the number of each layer, all of its names, and those that
    the file has."""
    prefix: str
    config: Config
    separate: bool
    layers: frozenset[tuple[str, str]]
    table: frozenset[str]
    placed: frozenset[str]

    @property
    def likeness(self) -> tuple[int, int, int]:
        return len(self.placed), -len(self.table), -len(self.prefix)

    @property
    def missing(self) -> set[str]:
        """The names that the file lacks, without those that bias=False leaves out."""
        return {name for name in self.table - self.placed if not name.endswith("bias")}

    @property
    def spelled_names(self) -> set[str]:
        """The names that the file has, with their prefix."""
        return {self.prefix + name for name in self.placed}


@lru_cache(maxsize=64)
def _names(config: Config, separate: bool) -> frozenset[str]:
    return frozenset(piece.theirs for piece in pieces_of(config, separate))


def _depths(architecture: Architecture, numbered: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The entries of a config that say how many layers there are, by the stacks and numbers of their names."""
    if architecture.layers is not None:
        return {"layers": architecture.layers}
    stacks = architecture.stacks if len(architecture.stacks) > 1 else ("",)
    depths = [sum(place == stack for place, _ in numbered) for stack in stacks]
    unequal = 0 < min(depths) < max(depths)
    return {"layers": depths[0] if unequal else max(*depths, 1)} | ({"decoder_layers": depths[-1]} if unequal else {})


def _fits(names: Sequence[str]) -> Iterator[Fit]:
    """For each prefix of sorted names, yield the module with most of the names below it; of several, the one with the
    fewest other names."""
    for prefix in {name[:found.start()] for name in names for found in islice(BEGINS.finditer(name), DEEPEST)}:
        below = islice(names, bisect_left(names, prefix), None)
        inside = {name[len(prefix):] for name in takewhile(lambda name: name.startswith(prefix), below)}
        layers = frozenset((found[1] or "", found[2]) for name in inside if (found := LAYER.match(name)))
        separate = any(name.endswith("q_proj_weight") for name in inside)
        configs = (Config(part=one.name, final_norm=norm, **_depths(one, layers)) for one in MODULES
                   for norm in ((False, True) if one.layers is None else (False,)))
        fits = (Fit(prefix, config, separate, layers, table, table & inside)
                for config in configs for table in [_names(config, separate)])
        yield max(fits, key=lambda fit: fit.likeness)


class Recognized(NamedTuple):
    """The module that a state_dict fits best: the prefix of its names; the part, layers and final norm of its `config`;
    the parameters that the file has for it, the precisions of their numbers, and how many these are; the names that are
    missing, and those of absent biases beside others; the names inside it that it does not have, those of arrays that
    are not weights (integers, booleans), and those beside it; the requested final norms without parameters; and other
    modules that the file holds."""
    prefix: str
    config: Config
    pieces: tuple[Piece, ...]
    dtypes: frozenset[str]
    numbers: int
    missing: tuple[str, ...]
    no_biases: tuple[str, ...]
    unplaced: tuple[str, ...]
    whole: tuple[str, ...]
    beside: tuple[str, ...]
    bare_norms: tuple[str, ...]
    rivals: tuple[Fit, ...]

    @property
    def biases(self) -> bool:
        return any(piece.is_bias for piece in self.pieces)

    @property
    def dtype(self) -> str:
        """The precision that represents all of its numbers."""
        return "float64" if "float64" in self.dtypes else "float32"


def recognized(state: State, prefix: str | None = None, final_norm: bool = False) -> Recognized:
    """Find the module with most of the names, whose prefix begins with `prefix`. `final_norm`: its stacks end
    in a norm, one without parameters where the names have none. Raises Problem where no module has any of the names,
    where it has no final norm, or where a parameter is not floating-point."""
    best, rivals = _best(state, prefix, final_norm)
    prefix, config = best.prefix, best.config.replace(final_norm=best.config.final_norm or final_norm)
    pieces = [piece._replace(theirs=prefix + piece.theirs) for piece in pieces_of(config, best.separate)]
    placed = {piece.theirs: state.arrays[piece.theirs] for piece in pieces if piece.theirs in state.arrays}
    for name, array in placed.items():
        if array.dtype.kind != "f" or array.dtype.itemsize > 8:
            raise Problem("parameter_kind", file=state.file, name=shown(name), kind=array.dtype)
    there = {piece.place for piece in pieces if piece.theirs in placed}
    bare_norms = dict.fromkeys(piece.place for piece in pieces if final_norm and piece.place.endswith(".final_norm")
                               and piece.place not in there)
    absent = [piece for piece in pieces if piece.theirs not in placed and piece.place not in bare_norms]
    missing = dict.fromkeys(piece.theirs for piece in absent if not piece.is_bias)
    whole = {name: f"{name} ({array.dtype})" for name, array in state.arrays.items()
             if name not in placed and array.dtype.kind in "biu"}
    children = {"norm", *(piece.theirs[len(prefix):].partition(".")[0] for piece in pieces)}
    is_stack = config.architecture.layers is None  # beside whose children there may be others
    others = [name for name in state.arrays if name not in placed and name not in whole]
    inside = [name for name in others if name.startswith(prefix)
              and (not is_stack or name[len(prefix):].partition(".")[0] in children)]
    beside = [name for name in others if name not in {*inside}]
    return Recognized(
        prefix, config, tuple(piece for piece in pieces if piece.theirs in placed or piece.theirs in missing),
        frozenset(state.dtypes[name] for name in placed), sum(array.size for array in placed.values()), tuple(missing),
        tuple(dict.fromkeys(piece.theirs for piece in absent if piece.is_bias)), tuple(inside), tuple(whole.values()),
        tuple(dict.fromkeys(_branch(name, prefix) for name in (*beside, *state.others))), tuple(bare_norms), rivals)


def _branch(name: str, prefix: str) -> str:
    """Where a name parts from those of the module, for all names there: `head.*` of `head.weight`."""
    start = name.rfind(".", 0, len(commonprefix([name, prefix]))) + 1
    end = name.find(".", start)
    return name if end < 0 else f"{name[:end]}.*"


def _best(state: State, wanted: str | None, final_norm: bool) -> tuple[Fit, tuple[Fit, ...]]:
    """Return the module with most of the names, and others that are complete: beside it, or in it where it is not. A
    module whose names have just the prefix that is wanted is the one."""
    prefix = wanted.rstrip(".") + "." if wanted else ""
    names = sorted(name for name in state.arrays if name.startswith(prefix))
    if prefix and not names:
        raise Problem("state_prefix", file=state.file, prefix=shown(prefix), names=some(state.arrays))
    fits = sorted((fit for fit in _fits(names) if fit.prefix.startswith(prefix)), key=lambda fit: fit.likeness)
    if not fits:
        raise Problem("state_unknown", file=state.file, count=len(names), names=some(names), module=_nearest(names))
    exact = [fit for fit in fits if wanted is not None and fit.prefix == prefix and not fit.missing]
    best = (exact or fits)[-1]
    if final_norm and best.config.architecture.layers is not None:
        raise Problem("state_final_norm", file=state.file, module=module_of(best.config))
    rivals: list[Fit] = []
    bare = {name for name in best.missing if final_norm and name.split(".")[-2] == "norm"}
    covered = set() if best.missing - bare else best.spelled_names
    for fit in reversed(fits):
        if fit is not best and not fit.missing and not exact and covered.isdisjoint(fit.spelled_names):
            rivals.append(fit)
            covered |= fit.spelled_names
    return best, tuple(rivals)


def _nearest(names: Iterable[str]) -> str:
    """Return the module whose names have most of the parts of these names, or parts that are near."""
    parts = {part for name in names for part in name.split(".")[:DEEPEST]} - {"weight", "bias"}
    parts = {*islice(sorted(part for part in parts if not part.isdigit()), 100)}

    def likeness(part: str) -> int:
        known = {word for name in _names(Config(part=part), False) for word in name.split(".")}
        return sum(2 if word in known else bool(nearest(word, known)) for word in parts)

    return module_of(Config(part=max(("encoder", *(one.name for one in MODULES)), key=likeness)))


def some(names: Iterable[str], listed: int = LISTED) -> Joined:
    """Return the first names as text, and how many more there are."""
    texts: list[Text] = [shown(name) for name in names]
    if len(texts) > listed:
        texts[listed:] = [Message("messages.more", count=len(texts) - listed)]
    return Joined(", ", texts)


def _depth(config: Config) -> Joined:
    """How many layers a module has; nothing where it always has one."""
    depths = {"layers": config.layers, "decoder_layers": config.layers_of("decoder")}
    key = "in_layers" if len({*depths.values()}) == 1 else "in_layers_of_both"
    return Joined("", [Message(f"problem.why.{key}", **depths)] * (config.architecture.layers is None))


def _ways(fit: Recognized) -> Iterator[Message]:
    """What to do about the names that are missing."""
    norms = [name for name in fit.missing if re.search(r"(^|\.)norm\d?\.weight$", name)]
    if len(norms) < len(fit.missing):
        yield Message("problem.why.save_module")
    if any(name.endswith(".norm.weight") for name in norms):
        yield Message("problem.why.bare_final_norm")
    elif norms:
        yield Message("problem.why.bare_norm")
    if fit.rivals:
        yield Message("problem.why.choose_part", prefixes=some(rival.prefix for rival in fit.rivals))


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
    for piece in fit.pieces:
        width = WIDTH_OF.get(piece.theirs.rpartition(".")[2])
        shape = state.arrays[piece.theirs].shape
        if width is not None and len(shape) == 2 and shape[1] != sizes["d_model"]:
            sizes[width] = shape[1]
    return sizes


def imported(state: State, heads: int | None, prefix: str | None = None, final_norm: bool = False,
             **more: Any) -> tuple[Loaded, Recognized]:
    """Return the model of a state_dict, and the module that it was recognised as, whose names have a prefix that begins
    with `prefix`; `final_norm` where its stacks end in a norm, possibly one without parameters; `more`: entries of its
    config that no array shows. Raises Problem for wrong names, shapes, numbers or heads."""
    fit = recognized(state, prefix, final_norm)
    module = module_of(fit.config)
    if added := [name for name in fit.unplaced if name.rpartition(".")[2] in ADDED_ROWS]:
        raise Problem("state_bias_kv", file=state.file, module=module, names=some(added))
    if fit.unplaced:
        raise Problem("state_unplaced", file=state.file, module=module, count=len(fit.unplaced),
                      names=some(fit.unplaced))
    if fit.missing:
        raise Problem("state_missing", file=state.file, module=module, depth=_depth(fit.config),
                      names=some(fit.missing), ways=Joined("; ", _ways(fit)))
    if fit.rivals:
        prefixes = [fit.prefix, *(rival.prefix for rival in fit.rivals)]
        raise Problem("state_several", file=state.file, count=len(prefixes),
                      prefixes=some(prefix or '""' for prefix in prefixes))
    sizes = sizes_of(state, fit)
    d_model = sizes["d_model"]
    if heads is None or heads < 1 or d_model % heads:
        raise Problem("state_heads", file=state.file, heads=Message("problem.why.none") if heads is None else heads,
                      d_model=d_model, divisors=alternatives(divisors(d_model)))
    wiring = {"position": "none", "scale_embedding": False, "dtype": fit.dtype}
    config = fit.config.replace(**{**sizes, **more, **wiring}, heads=heads)
    vocabularies = Vocabularies.without_words(config)
    pieces = {piece.ours: piece for piece in fit.pieces}
    check_fits("file_too_large", 8 * fit.numbers, file=state.file)  # where many tensors are one storage
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
                          value=array[tuple(wrong[0])], dtype=fit.dtype)
        view[...] = (array if block is None else np.split(array, 3)[block]).T

    return Loaded(config, vocabularies, allocate(wanted, config.dtype, fill)), fit


def of_module(module: Any) -> tuple[Given, Recognized]:
    """Return the model of a torch.nn.Module that is one of these, or that has one inside: its arrays, and the arguments
    that it was made with. Raises Problem for what attntrace does not have."""
    name, arrays, dtypes = type(module).__name__, {}, {}
    for key, tensor in module.state_dict().items():
        if hasattr(tensor, "detach"):
            dtypes[key] = str(tensor.dtype).removeprefix("torch.")
            arrays[key] = (tensor.detach().float() if dtypes[key] in HALVES else tensor.detach()).cpu().numpy()
    state = State(name, arrays, dtypes)
    prefix = recognized(state).prefix
    inside = [*module.get_submodule(prefix.rstrip(".")).modules()]
    made = {argument: _argument(name, inside, argument) for argument in MADE_WITH}
    for argument in ("add_zero_attn", "activation"):
        if made[argument] not in (None, False, *ENTRIES["activation"].words):
            raise Problem("module_argument", module=name, argument=argument, value=made[argument],
                          known=alternatives([False] if argument == "add_zero_attn" else ENTRIES["activation"].words))
    wiring = {"norm": "pre" if made["norm_first"] else "post", "epsilon": made["eps"], "activation": made["activation"]}
    final_norm = any(hasattr(one, "layers") and getattr(one, "norm", None) is not None for one in inside)
    model, found = imported(state, made["num_heads"], prefix, final_norm, **(wiring if made["activation"] else {}))
    return Given(model, name), found


def _argument(module: str, inside: Sequence[Any], name: str) -> Any:
    """Return the value that an argument has in all modules that have it. Raises Problem where there are several."""
    found = (getattr(one, name, None) for one in inside if name != "eps" or hasattr(one, "normalized_shape"))
    values = {_name_of(value) if name == "activation" else value for value in found if value is not None}
    if len(values) > 1:
        raise Problem("module_mixed", module=module, argument=name, values=", ".join(map(str, values)))
    return next(iter(values), None)


def _name_of(activation: Any) -> str:
    """Return the word for a function, by what it computes; its own name where there is none."""
    ours = {"relu": lambda x: max(x, 0.0), "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
            "gelu_tanh": lambda x: x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))) / 2,
            "silu": lambda x: x / (1 + math.exp(-x))}
    from torch import tensor  # a module was given, so it is loaded
    points = [-3.0, -1.0, -0.5, 0.7, 2.0]
    theirs = activation(tensor(points)).tolist()
    return next((word for word, own in ours.items() if np.allclose([*map(own, points)], theirs, 1e-5, 1e-6)),
                getattr(activation, "__name__", repr(activation)))


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
    if config.score_scale != "sqrt_d_k" and config.score_scale != math.sqrt(config.key_size):
        raise Problem("state_score_scale", file=file, scale=config.score_scale)
    if not config.output_projection or {config.heads * config.key_size, config.concat_size} != {config.d_model}:
        raise Problem("state_head_sizes", file=file)
    for name, arguments in ARGUMENTS.items():
        word = getattr(config, name) if ENTRIES[name].kind != FLAG else as_json(getattr(config, name))
        if arguments.get(word) is None:
            known = (word for word, argument in arguments.items() if argument is not None)
            raise Problem("state_choice", file=file, name=name, value=word, known=alternatives(known))
    if None in model.vocabularies and len(config.architecture.stacks) > 1:
        part = "decoder" if model.vocabularies.source is None else "encoder"
        config = config.replace(part=part, layers=config.layers_of(part), decoder_layers=LAYERS)
    pieces = list(pieces_of(config, {*config.widths()} != {config.d_model}))
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
