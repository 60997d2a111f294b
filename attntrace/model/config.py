"""The configuration of a model: its sizes and its wiring."""
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from attntrace.messages.catalog import Joined, Message, Text
from attntrace.messages.errors import Problem

CHOICES = {"norm": ("post", "pre"), "position": ("interleaved", "halves", "none"), "activation": ("relu",),
           "dtype": ("float64", "float32"),
           "part": ("transformer", "encoder", "decoder", "encoder_layer", "decoder_layer", "attention")}
FLOAT32 = 2.0**-126, (2 - 2.0**-23) * 2.0**127  # the smallest normal number, and the largest
INITIAL = "uniform", "integers"  # how parameters are drawn from a seed
SIZES = ("d_model", "heads", "layers", "d_ff")
ONE_LAYER = ("encoder_layer", "decoder_layer", "attention")  # parts that have a single layer
OF_ATTENTION = ("d_model", "heads", "score_scale", "dtype", "part")  # all entries of a model that is only attention


@dataclass(frozen=True, slots=True)
class Config:
    """Sizes and wiring of a model; the wiring defaults to the paper's. Raises Problem for impossible values.

    norm: layer norm after the residual (`post`, as in the paper) or before the sub-layer (`pre`); final_norm: one more
    at the end of each stack, as in torch.nn.Transformer; position: sines and cosines `interleaved` (the paper), in
    `halves`, or `none`; score_scale: the divisor of scores; source_end: `</s>` after the source; part: which part of
    the transformer the model is."""
    d_model: int = 8
    heads: int = 2
    layers: int = 1
    d_ff: int = 16
    norm: str = "post"
    final_norm: bool = False
    position: str = "interleaved"
    scale_embedding: bool = True
    source_end: bool = False
    activation: str = "relu"
    epsilon: float = 1e-5
    score_scale: str | float = "sqrt_d_k"
    dtype: str = "float64"
    part: str = "transformer"

    def __post_init__(self) -> None:
        for size in SIZES:
            number = getattr(self, size)
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                raise Problem("size_not_positive", name=size, option=as_option(size), value=as_json(number))
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise Problem("no_such_choice", name=name, option=as_option(name), value=as_json(getattr(self, name)),
                              choices=", ".join(choices))
        for name in ("final_norm", "scale_embedding", "source_end"):
            if not isinstance(getattr(self, name), bool):
                raise Problem("no_such_choice", name=name, option=as_option(name), value=as_json(getattr(self, name)),
                              choices=alternatives(("true", "false")))
        if self.d_model % self.heads:
            raise Problem("heads_do_not_divide", heads=self.heads, d_model=self.d_model,
                          divisors=alternatives(divisors(self.d_model)))
        if self.d_model % 2 and self.position != "none" and self.part != "attention":
            near = [size for size in (self.d_model - 1, self.d_model + 1) if size]
            raise Problem("odd_d_model", d_model=self.d_model, near=alternatives(near))
        if self.part in ONE_LAYER and self.layers != 1:
            raise Problem("part_of_one_layer", part=self.part, layers=self.layers)
        if not self._usable(self.epsilon):
            raise Problem("not_a_positive_number", name="epsilon", option=as_option("epsilon"),
                          value=as_json(self.epsilon))
        if self.score_scale != "sqrt_d_k" and not self._usable(self.score_scale):
            raise Problem("score_scale", value=as_json(self.score_scale))

    def _usable(self, number: object) -> bool:
        """Whether it is a positive number that is normal in the model's precision."""
        if not isinstance(number, (int, float)) or isinstance(number, bool):
            return False
        smallest, largest = (sys.float_info.min, sys.float_info.max) if self.dtype == "float64" else FLOAT32
        return smallest <= number <= largest

    @property
    def d_k(self) -> int:
        """The size of a query, key or value of one head (d_k = d_v = d_model / h, section 3.2.2)."""
        return self.d_model // self.heads

    def described(self) -> dict[str, Any]:
        """Return the entries that apply to this part, by name; `read` is the reverse."""
        names = OF_ATTENTION if self.part == "attention" else [field.name for field in fields(self)]
        return {name: getattr(self, name) for name in names}

    @classmethod
    def read(cls, entries: Any, where: str) -> "Config":
        """Read the `config` of a weights file. Raises Problem, naming the entry."""
        if not isinstance(entries, dict):
            raise Problem("config_not_an_object", where=where)
        names = [field.name for field in fields(cls)]
        for key in entries:
            if key not in names:
                raise Problem("config_unknown_key", where=where, entry=key, known=", ".join(names))
        for size in SIZES[:2] if entries.get("part") == "attention" else SIZES:
            if size not in entries:
                raise Problem("config_lacks_size", where=where, entry=size)
        try:
            return cls(**entries)
        except Problem as problem:  # the same message, about an entry of a file instead of an option
            raise Problem(f"config.{problem.key}", where=where, **problem.facts) from None


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


def alternatives(choices: Iterable[object]) -> Text:
    """Join choices in the reader's language: `1, 2, 4 or 8`."""
    texts = list(map(str, choices))
    if len(texts) == 1:
        return texts[0]
    return Joined(" ", [", ".join(texts[:-1]), Message("messages.or"), texts[-1]])


MAX_LENGTH = 50  # the default limit of words in a translation
