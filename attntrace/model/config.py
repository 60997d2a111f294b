"""The configuration of a model: its sizes and its wiring."""
import math
import sys
from typing import Any, NamedTuple

from attntrace.messages.catalog import alternatives
from attntrace.messages.errors import Problem

FLOAT32 = 2.0**-126, (2 - 2.0**-23) * 2.0**127  # the smallest normal number, and the largest
INITIAL = "uniform", "integers"  # how parameters are drawn from a seed
SUB_LAYERS = {"encoder": ("self_attention", "feed_forward"),
              "decoder": ("self_attention", "cross_attention", "feed_forward")}


class Architecture(NamedTuple):
    """A part of a transformer: the stacks that it has. layers: how many they have, if always as many; attention: where
    it is only one multi-head attention, its place; has_words: there may be embeddings and an output layer; predicts:
    that its one stack has."""
    name: str
    stacks: tuple[str, ...] = ("encoder",)
    layers: int | None = None
    attention: str = ""
    has_words: bool = False
    predicts: bool = False

    @property
    def is_attention(self) -> bool:
        """Whether it is only multi-head attention."""
        return bool(self.attention)


class Position(NamedTuple):
    """How a model knows positions. added: whether they are added to embeddings; learned: from a table of parameters."""
    added: bool = False
    learned: bool = False


ARCHITECTURES = {one.name: one for one in (
    Architecture("transformer", ("encoder", "decoder"), has_words=True), Architecture("encoder"),
    Architecture("decoder", ("decoder",)), Architecture("encoder_layer", layers=1),
    Architecture("decoder_layer", ("decoder",), layers=1),
    Architecture("encoder_only", has_words=True, predicts=True),
    Architecture("decoder_only", ("decoder",), has_words=True, predicts=True),
    Architecture("attention", layers=1, attention="encoder.layer1.self_attention"),
    Architecture("cross_attention", (), layers=1, attention="attention"))}
POSITIONS = {"interleaved": Position(added=True), "halves": Position(added=True), "tensor2tensor": Position(added=True),
             "learned": Position(added=True, learned=True), "none": Position()}
LAST_OFFSET = 10_000  # of positions
SIZE, FLAG, CHOICE, NUMBER, SCALE, WIDTH, BASE, OFFSET = (  # kinds of values
    "size", "flag", "choice", "number", "scale", "width", "base", "offset")
KINDS = {int: SIZE, bool: FLAG, str: CHOICE, float: NUMBER}  # by the type of the default
PROBLEMS = {SIZE: "size_not_positive", FLAG: "no_such_choice", CHOICE: "no_such_choice",
            NUMBER: "not_a_positive_number", SCALE: "score_scale", WIDTH: "width", BASE: "base_below_one",
            OFFSET: "offset_range"}
PER_HEAD, D_MODEL, LAYERS = "d_model/h", "d_model", "layers"  # the widths, and the depth, that follow from others


class Entry(NamedTuple):
    """An entry of a config: the kind of its values, and the words among them.

    option: whether the command line has one; of_attention: whether a model that is only attention has the entry;
    rewires: whether the same parameters can be run with another value; of_run: whether the option can be given with a
    weights file; by_default: whether pages say the default; written: whether files do."""
    default: Any
    kind: str
    words: tuple[str, ...] = ()
    option: bool = True
    of_attention: bool = False
    rewires: bool = False
    of_run: bool = False
    by_default: bool = True
    written: bool = True

    def allows(self, value: object, dtype: object) -> bool:
        """Whether it can have this value; a number has to be positive, and normal in the model's precision."""
        if self.kind == FLAG or isinstance(value, bool):
            return self.kind == FLAG and isinstance(value, bool)
        if self.kind in (SIZE, WIDTH):
            return value in self.words if isinstance(value, str) else isinstance(value, int) and value >= 1
        if self.kind == OFFSET:
            return isinstance(value, int) and 0 <= value <= LAST_OFFSET
        smallest, largest = (sys.float_info.min, sys.float_info.max) if dtype == "float64" else FLOAT32
        return value in self.words or (self.kind in (NUMBER, SCALE, BASE) and isinstance(value, (int, float))
                                       and max(smallest, self.kind == BASE) <= value <= largest)


def entry(default: Any, *others: str, kind: str = "", **more: bool) -> Any:
    """Return an `Entry`, typed as its values; `others`: the words that are not the default."""
    words = (default, *others) if isinstance(default, str) else ()
    return Entry(default, kind or KINDS[type(default)], words, **more)


class Config:
    """Sizes and wiring of a model; the wiring defaults to the paper's. Raises Problem for impossible values.

    decoder_layers: those of the decoder, if not as many as the encoder's `layers`;
    norm: layer norm after the residual (`post`, as in the paper), before the sub-layer (`pre`) or `none`; norm_epsilon:
    ε `inside` the root, or `outside`, added to the standard deviation; norm_variance: of the row as a `population`, or
    as a `sample`, divided by d_model - 1; residual, feed_forward: whether layers have them; final_norm: one more norm
    at the end of each stack, as in torch.nn.Transformer; position: sines and cosines `interleaved` (the paper), in
    `halves`, in halves of the wavelengths of `tensor2tensor`, `learned`, or `none`; position_base: the number whose
    powers are the wavelengths; position_offset: the position of the first word; max_positions: how many are learned;
    shared_embeddings: the embeddings of the `decoder`, or of `all`, are the matrix of the output layer as well;
    score_scale: the divisor of scores; source_end: `</s>` after the source; part: which part of the transformer the
    model is. Of attention, d_k and d_v: the sizes of a query and of a value, if not d_model / h; output_projection:
    whether there is W_O; causal: every self-attention is masked, not only the decoder's; k_dim and v_dim: the widths of
    the rows that keys and values come from, if not d_model, where the model is only attention; mean_weights: the mean
    of the weights over heads is a step."""
    d_model: int = entry(8, of_attention=True)
    heads: int = entry(2, of_attention=True)
    layers: int = entry(1)
    decoder_layers: str | int = entry(LAYERS, kind=WIDTH, by_default=False, written=False)
    d_ff: int = entry(16)
    norm: str = entry("post", "pre", "none", rewires=True)
    final_norm: bool = entry(False, by_default=False)
    position: str = entry(*POSITIONS, rewires=True)
    position_base: float = entry(10_000, kind=BASE, rewires=True, by_default=False, written=False)
    position_offset: int = entry(0, kind=OFFSET, rewires=True, by_default=False, written=False)
    max_positions: int = entry(64, by_default=False, written=False)
    shared_embeddings: str = entry("none", "decoder", "all", by_default=False, written=False)
    scale_embedding: bool = entry(True, rewires=True)
    source_end: bool = entry(False, option=False, by_default=False)
    activation: str = entry("relu", "gelu", "gelu_tanh", "silu", rewires=True, by_default=False)
    epsilon: float = entry(1e-5, rewires=True)
    norm_epsilon: str = entry("inside", "outside", rewires=True, by_default=False, written=False)
    norm_variance: str = entry("population", "sample", rewires=True, by_default=False, written=False)
    residual: bool = entry(True, rewires=True, by_default=False, written=False)
    feed_forward: bool = entry(True, by_default=False, written=False)
    score_scale: str | float = entry("sqrt_d_k", kind=SCALE, of_attention=True, rewires=True)
    d_k: str | int = entry(PER_HEAD, kind=WIDTH, of_attention=True, by_default=False, written=False)
    d_v: str | int = entry(PER_HEAD, kind=WIDTH, of_attention=True, by_default=False, written=False)
    k_dim: str | int = entry(D_MODEL, kind=WIDTH, option=False, of_attention=True, by_default=False, written=False)
    v_dim: str | int = entry(D_MODEL, kind=WIDTH, option=False, of_attention=True, by_default=False, written=False)
    output_projection: bool = entry(True, of_attention=True, by_default=False, written=False)
    causal: bool = entry(False, of_attention=True, rewires=True, of_run=True, by_default=False, written=False)
    mean_weights: bool = entry(False, of_attention=True, rewires=True, of_run=True, by_default=False, written=False)
    dtype: str = entry("float64", "float32", of_attention=True)
    part: str = entry(*ARCHITECTURES, option=False, of_attention=True)

    def __init__(self, **values: Any) -> None:
        vars(self).update({name: entry.default for name, entry in ENTRIES.items()}, **values)
        if len(vars(self)) > len(ENTRIES):
            raise TypeError(*values.keys() - ENTRIES.keys())
        for name, entry in ENTRIES.items():
            value = getattr(self, name)
            if not entry.allows(value, self.dtype):
                raise Problem(PROBLEMS[entry.kind], name=name, option=as_option(name), value=as_json(value),
                              most=LAST_OFFSET,
                              choices=alternatives(("true", "false") if entry.kind == FLAG else entry.words))
        if self.d_model % self.heads and PER_HEAD in (self.d_k, self.d_v):
            raise Problem("heads_do_not_divide", heads=self.heads, d_model=self.d_model,
                          divisors=alternatives(divisors(self.d_model)))
        if not self.architecture.is_attention and (self.k_dim, self.v_dim) != (D_MODEL, D_MODEL):
            raise Problem("rows_of_their_own", part=self.part)
        if not (self.architecture.is_attention or self.output_projection or self.concat_size == self.d_model):
            raise Problem("no_output_projection", size=self.concat_size, d_model=self.d_model)
        if self.norm_variance == "sample" and self.d_model == 1:
            raise Problem("sample_of_one")
        if self.learns_positions and self.position_offset >= self.max_positions:
            raise Problem("offset_beyond_table", position_offset=self.position_offset, max_positions=self.max_positions)
        if self.architecture.layers not in (None, self.layers):
            raise Problem("part_of_one_layer", part=self.part, layers=self.layers)
        if self.shared_embeddings == "decoder" and self.part == "encoder_only":
            raise Problem("shared_without_decoder", part=self.part)
        if len(self.architecture.stacks) == 1 and self.decoder_layers != LAYERS:
            raise Problem("decoder_layers_alone", part=self.part)

    def replace(self, **values: Any) -> "Config":
        """Return a config with other values of these entries. Raises Problem for impossible ones."""
        return Config(**{**vars(self), **values})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Config cannot be changed: use replace({name}=...)")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    @property
    def key_size(self) -> int:
        """d_k, the size of a query or a key of one head; in the paper d_model / h (section 3.2.2)."""
        return self.d_k if isinstance(self.d_k, int) else self.d_model // self.heads

    @property
    def value_size(self) -> int:
        """d_v, the size of a value of one head; in the paper d_model / h (section 3.2.2)."""
        return self.d_v if isinstance(self.d_v, int) else self.d_model // self.heads

    @property
    def concat_size(self) -> int:
        """The size of the outputs of all heads side by side."""
        return self.heads * self.value_size

    @property
    def attention_size(self) -> int:
        """The size of what an attention gives for each word."""
        return self.d_model if self.output_projection else self.concat_size

    def widths(self) -> tuple[int, int, int]:
        """The widths of the rows that queries, keys and values come from."""
        keys, values = (one if isinstance(one, int) else self.d_model for one in (self.k_dim, self.v_dim))
        return self.d_model, keys, values

    @property
    def architecture(self) -> Architecture:
        """Which part of a transformer the model is."""
        return ARCHITECTURES[self.part]

    def layers_of(self, stack: str) -> int:
        """How many layers a stack has."""
        depth = self.decoder_layers if stack == "decoder" else self.layers
        return depth if isinstance(depth, int) else self.layers

    def sub_layers(self, stack: str) -> tuple[str, ...]:
        """The sub-layers of each layer of a stack."""
        absent = {"feed_forward": not self.feed_forward, "cross_attention": self.architecture.predicts}
        return tuple(kind for kind in SUB_LAYERS[stack] if not absent.get(kind))

    @property
    def has_norms(self) -> bool:
        """Whether there is a layer norm anywhere."""
        return not self.architecture.is_attention and (self.norm != "none" or self.final_norm)

    @property
    def adds_positions(self) -> bool:
        """Whether embeddings have positional encodings added to them."""
        return POSITIONS[self.position].added

    @property
    def learns_positions(self) -> bool:
        """Whether these come from a table of parameters."""
        return POSITIONS[self.position].learned

    def small(self) -> "Config":
        """Return the same wiring in the smallest sizes."""
        widths = {name: one.default for name, one in ENTRIES.items() if one.kind == WIDTH and name != "decoder_layers"}
        return self.replace(**widths, d_model=2 * self.heads, d_ff=1)  # with a sine and a cosine for each head

    def described(self) -> dict[str, Any]:
        """Return the entries that apply to this part, by name; `read` is the reverse."""
        return {name: value for name, entry in entries_of(self.part).items()
                if (value := getattr(self, name)) != entry.default or entry.written}

    @classmethod
    def read(cls, entries: Any, where: str) -> "Config":
        """Read the `config` of a weights file. Raises Problem, naming the entry."""
        if not isinstance(entries, dict):
            raise Problem("config_not_an_object", where=where)
        for key in entries:
            if key not in ENTRIES:
                raise Problem("config_unknown_key", where=where, entry=key, known=", ".join(ENTRIES))
        for name, entry in entries_of(entries.get("part")).items():
            needed = entry.kind == SIZE and entry.written and (name != "d_ff" or entries.get("feed_forward", True))
            if needed and name not in entries:
                raise Problem("config_lacks_size", where=where, entry=name)
        try:
            return cls(**entries)
        except Problem as problem:  # the same message, about an entry of a file instead of an option
            raise Problem(f"config.{problem.key}", where=where, **problem.facts) from None


ENTRIES: dict[str, Entry] = {name: one for name, one in vars(Config).items() if isinstance(one, Entry)}
OPTIONS = [name for name, entry in ENTRIES.items() if entry.option and (entry.kind != CHOICE or len(entry.words) > 1)]


def entries_of(part: object) -> dict[str, Entry]:
    """The entries that a model of this part has."""
    only_attention = isinstance(part, str) and part in ARCHITECTURES and ARCHITECTURES[part].is_attention
    return {name: entry for name, entry in ENTRIES.items() if entry.of_attention or not only_attention}


def as_option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def as_json(value: object) -> str:
    """Write a value as a config file has it: `"8"` is not 8."""
    import json  # takes time to import, and only an error needs it
    return json.dumps(value, ensure_ascii=False, default=str)


def divisors(number: int) -> list[int]:
    """Return at most eight divisors of a number, the smallest first and the number itself last."""
    small = [n for n in range(1, math.isqrt(min(number, 10**12)) + 1) if number % n == 0]
    every = small + [number // n for n in reversed(small) if number // n not in small]
    return every if len(every) <= 8 else every[:7] + [number]


MAX_LENGTH = 50  # the default limit of words in a translation
