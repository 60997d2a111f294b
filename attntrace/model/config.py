"""What a model is like: its sizes and its wiring."""
from __future__ import annotations

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
FLOAT32 = 2.0**-126, (2 - 2.0**-23) * 2.0**127  # its smallest number with all digits, and its largest
INITIAL = "uniform", "integers"  # how parameters are drawn from a seed
SIZES = ("d_model", "heads", "layers", "d_ff")
ONE_LAYER = ("encoder_layer", "decoder_layer", "attention")  # parts that have no second one
OF_ATTENTION = ("d_model", "heads", "score_scale", "dtype", "part")  # all that attention alone has to do with


@dataclass(frozen=True, slots=True)
class Config:
    """Sizes and wiring of a model; the wiring is the paper's unless said otherwise. Raises Problem where it makes no
    sense.

    norm: layer norm after the residual (`post`, as in the paper) or before the sub-layer (`pre`); final_norm: one more
    at the end of each stack, as torch.nn.Transformer has it; position: sines and cosines `interleaved` (the paper),
    in `halves`, or `none`; score_scale: what scores are divided by; source_end: `</s>` after the source; part: how much
    of the transformer there is, where it is not the whole.
    """
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
        """Whether it is a number above 0 that the model's precision can hold without loss of digits."""
        if not isinstance(number, (int, float)) or isinstance(number, bool):
            return False
        smallest, largest = (sys.float_info.min, sys.float_info.max) if self.dtype == "float64" else FLOAT32
        return smallest <= number <= largest

    @property
    def d_k(self) -> int:
        """Size of a query, a key or a value of one head (d_k = d_v = d_model / h, section 3.2.2)."""
        return self.d_model // self.heads

    def described(self) -> dict[str, Any]:
        """Each entry by its name, but for those that mean nothing to this part; `read` takes it back."""
        names = OF_ATTENTION if self.part == "attention" else [field.name for field in fields(self)]
        return {name: getattr(self, name) for name in names}

    @classmethod
    def read(cls, found: Any, where: str) -> Config:
        """From the `config` of a weights file."""
        if not isinstance(found, dict):
            raise Problem("config_not_an_object", where=where)
        names = [field.name for field in fields(cls)]
        for key in found:
            if key not in names:
                raise Problem("config_unknown_key", where=where, entry=key, known=", ".join(names))
        for size in SIZES[:2] if found.get("part") == "attention" else SIZES:
            if size not in found:
                raise Problem("config_lacks_size", where=where, entry=size)
        try:
            return cls(**found)
        except Problem as problem:  # the same, but of a file's entry and not of an option
            raise Problem(f"config.{problem.key}", where=where, **problem.facts) from None


def as_option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def as_json(value: object) -> str:
    """A value as a config has it: `"8"` is not 8, and `null` is none."""
    import json  # only now: a value that is right needs none of it
    return json.dumps(value, ensure_ascii=False, default=str)


def divisors(number: int) -> list[int]:
    """At most eight of the divisors of a number, the smallest first and the number itself last."""
    small = [n for n in range(1, math.isqrt(min(number, 10**12)) + 1) if number % n == 0]
    found = small + [number // n for n in reversed(small) if number // n not in small]
    return found if len(found) <= 8 else found[:7] + [number]


def alternatives(choices: Iterable[object]) -> Text:
    """`1, 2, 4 or 8`."""
    texts = list(map(str, choices))
    if len(texts) == 1:
        return texts[0]
    return Joined(" ", [", ".join(texts[:-1]), Message("messages.or"), texts[-1]])


MAX_LENGTH = 50  # words of a translation
