"""Kinds of values that options take."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from attntrace.errors import Problem
from attntrace.prose import sentence

ALL = -1  # the limit that is none


class Text(click.ParamType):
    """Words, as their bytes mean them in UTF-8, which a locale without it (C) cannot read. Names of files stay as they
    are."""
    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return str(value).encode("utf-8", "surrogateescape").decode("utf-8")
        except UnicodeError:
            return str(value)  # bytes that mean nothing


class Whole(click.types.IntParamType):
    """A whole number."""
    name = "whole number"


class Within(click.IntRange):
    """A whole number within bounds."""
    name = "whole number"


class Number(click.ParamType):
    """A number that `fits`; `wanted` is the key of the words for such numbers."""
    name = "number"

    def __init__(self, wanted: str, fits: Callable[[float], bool]) -> None:
        self.wanted, self.fits = wanted, fits

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            if self.fits(float(value)):
                return float(value)
        except ValueError:
            pass
        raise Problem("no_such_number_option", option=param.opts[0] if param else "", value=value,
                      wanted=sentence(f"problem.why.{self.wanted}"))


SHARE = Number("share", lambda number: 0 <= number < 1)
POSITIVE = Number("positive", lambda number: 0 < number < float("inf"))


class Scale(click.ParamType):
    """`sqrt_d_k`, or a number."""
    name = "sqrt_d_k|NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | float:
        try:
            return "sqrt_d_k" if value == "sqrt_d_k" else float(value)
        except ValueError:
            raise Problem("score_scale", value=value) from None


class Limit(click.ParamType):
    """`all`, or a whole number from `least` on."""
    name = "N|all"

    def __init__(self, least: int = 1) -> None:
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value in ("all", ALL):
            return ALL
        try:
            if int(value) >= self.least:
                return int(value)
        except ValueError:
            pass
        raise Problem("limit", option=param.opts[0] if param else "", value=value, least=self.least)
