"""The configuration of a model: its sizes and its wiring."""
import math
import sys
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from attntrace.messages.catalog import alternatives
from attntrace.messages.errors import Problem

FLOAT32 = 2.0**-126, (2 - 2.0**-23) * 2.0**127  # the smallest normal number, and the largest
INITIAL = "uniform", "integers"  # how parameters are drawn from a seed
SELF_ATTENTION = "encoder.layer1.self_attention"  # the place of a model that is only attention
SUB_LAYERS = {"encoder": ("self_attention", "feed_forward"),
              "decoder": ("self_attention", "cross_attention", "feed_forward")}


class Architecture(NamedTuple):
    """A part of a transformer: the stacks that it has. layers: how many they have, if always as many; is_attention: it
    is only multi-head self-attention; has_words: there may be embeddings and an output layer."""
    name: str
    stacks: tuple[str, ...] = ("encoder",)
    layers: int | None = None
    is_attention: bool = False
    has_words: bool = False


class Position(NamedTuple):
    """How a model knows positions. added: whether they are added to embeddings; learned: from a table of parameters."""
    added: bool = False
    learned: bool = False


ARCHITECTURES = {one.name: one for one in (
    Architecture("transformer", ("encoder", "decoder"), has_words=True), Architecture("encoder"),
    Architecture("decoder", ("decoder",)), Architecture("encoder_layer", layers=1),
    Architecture("decoder_layer", ("decoder",), layers=1), Architecture("attention", layers=1, is_attention=True))}
POSITIONS = {"interleaved": Position(added=True), "halves": Position(added=True), "tensor2tensor": Position(added=True),
             "learned": Position(added=True, learned=True), "none": Position()}
LAST_OFFSET = 10_000  # of positions
SIZE, FLAG, CHOICE, NUMBER, SCALE, BASE, OFFSET = (  # kinds of values
    "size", "flag", "choice", "number", "scale", "base", "offset")
KINDS = {int: SIZE, bool: FLAG, str: CHOICE, float: NUMBER}  # by the type of the default
PROBLEMS = {SIZE: "size_not_positive", FLAG: "no_such_choice", CHOICE: "no_such_choice",
            NUMBER: "not_a_positive_number", SCALE: "score_scale", BASE: "base_below_one", OFFSET: "offset_range"}


class Entry(NamedTuple):
    """An entry of a config: the kind of its values, and the words among them.

    option: whether the command line has one; of_attention: whether a model that is only attention has the entry;
    rewires: whether the same parameters can be run with another value; by_default: whether pages say the default;
    written: whether files do."""
    default: Any
    kind: str
    words: tuple[str, ...] = ()
    option: bool = True
    of_attention: bool = False
    rewires: bool = False
    by_default: bool = True
    written: bool = True

    def allows(self, value: object, dtype: object) -> bool:
        """Whether it can have this value; a number has to be positive, and normal in the model's precision."""
        if self.kind == FLAG or isinstance(value, bool):
            return self.kind == FLAG and isinstance(value, bool)
        if self.kind == SIZE:
            return isinstance(value, int) and value >= 1
        if self.kind == OFFSET:
            return isinstance(value, int) and 0 <= value <= LAST_OFFSET
        smallest, largest = (sys.float_info.min, sys.float_info.max) if dtype == "float64" else FLOAT32
        return value in self.words or (self.kind in (NUMBER, SCALE, BASE) and isinstance(value, (int, float))
                                       and max(smallest, self.kind == BASE) <= value <= largest)


def entry(default: Any, *others: str, kind: str = "", **more: bool) -> Any:
    """Return a field of a data class with an `Entry`; `others`: the words that are not the default."""
    words = (default, *others) if isinstance(default, str) else ()
    return field(default=default, metadata={"entry": Entry(default, kind or KINDS[type(default)], words, **more)})


@dataclass(frozen=True, slots=True)
class Config:
    """Sizes and wiring of a model; the wiring defaults to the paper's. Raises Problem for impossible values.

    norm: layer norm after the residual (`post`, as in the paper) or before the sub-layer (`pre`); final_norm: one more
    at the end of each stack, as in torch.nn.Transformer; position: sines and cosines `interleaved` (the paper), in
    `halves`, in halves of the wavelengths of `tensor2tensor`, `learned`, or `none`; position_base: the number whose
    powers are the wavelengths; position_offset: the position of the first word; max_positions: how many are learned;
    shared_embeddings: the embeddings of the `decoder`, or of `all`, are the matrix of the output layer as well;
    score_scale: the divisor of scores; source_end: `</s>` after the source; part: which part of the transformer the
    model is."""
    d_model: int = entry(8, of_attention=True)
    heads: int = entry(2, of_attention=True)
    layers: int = entry(1)
    d_ff: int = entry(16)
    norm: str = entry("post", "pre", rewires=True)
    final_norm: bool = entry(False, by_default=False)
    position: str = entry(*POSITIONS, rewires=True)
    position_base: float = entry(10_000, kind=BASE, rewires=True, by_default=False, written=False)
    position_offset: int = entry(0, kind=OFFSET, rewires=True, by_default=False, written=False)
    max_positions: int = entry(64, by_default=False, written=False)
    shared_embeddings: str = entry("none", "decoder", "all", by_default=False, written=False)
    scale_embedding: bool = entry(True, rewires=True)
    source_end: bool = entry(False, option=False, by_default=False)
    activation: str = entry("relu", rewires=True, by_default=False)
    epsilon: float = entry(1e-5, option=False)
    score_scale: str | float = entry("sqrt_d_k", kind=SCALE, of_attention=True, rewires=True)
    dtype: str = entry("float64", "float32", of_attention=True)
    part: str = entry(*ARCHITECTURES, option=False, of_attention=True)

    def __post_init__(self) -> None:
        for name, entry in ENTRIES.items():
            value = getattr(self, name)
            if not entry.allows(value, self.dtype):
                raise Problem(PROBLEMS[entry.kind], name=name, option=as_option(name), value=as_json(value),
                              most=LAST_OFFSET,
                              choices=alternatives(("true", "false") if entry.kind == FLAG else entry.words))
        if self.d_model % self.heads:
            raise Problem("heads_do_not_divide", heads=self.heads, d_model=self.d_model,
                          divisors=alternatives(divisors(self.d_model)))
        if self.learns_positions and self.position_offset >= self.max_positions:
            raise Problem("offset_beyond_table", position_offset=self.position_offset, max_positions=self.max_positions)
        if self.architecture.layers not in (None, self.layers):
            raise Problem("part_of_one_layer", part=self.part, layers=self.layers)

    @property
    def d_k(self) -> int:
        """The size of a query, key or value of one head (d_k = d_v = d_model / h, section 3.2.2)."""
        return self.d_model // self.heads

    @property
    def architecture(self) -> Architecture:
        """Which part of a transformer the model is."""
        return ARCHITECTURES[self.part]

    @property
    def adds_positions(self) -> bool:
        """Whether embeddings have positional encodings added to them."""
        return POSITIONS[self.position].added

    @property
    def learns_positions(self) -> bool:
        """Whether these come from a table of parameters."""
        return POSITIONS[self.position].learned

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
            if entry.kind == SIZE and entry.written and name not in entries:
                raise Problem("config_lacks_size", where=where, entry=name)
        try:
            return cls(**entries)
        except Problem as problem:  # the same message, about an entry of a file instead of an option
            raise Problem(f"config.{problem.key}", where=where, **problem.facts) from None


ENTRIES: dict[str, Entry] = {one.name: one.metadata["entry"] for one in fields(Config)}
OPTIONS = [name for name, entry in ENTRIES.items() if entry.option and (entry.kind != CHOICE or len(entry.words) > 1)]


def entries_of(part: object) -> dict[str, Entry]:
    """The entries that a model of this part has."""
    return {name: entry for name, entry in ENTRIES.items() if part != "attention" or entry.of_attention}


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
