"""Kinds of values that options take."""
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from attntrace.messages.catalog import Localized, Message
from attntrace.messages.errors import Problem

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType  # which takes no parameter before Click 8.4

DIGITS = 40  # of a whole number: enough for a seed of 128 bits
ALL = -1  # the limit that is none
READ = "attntrace.files_read"  # where a context keeps the files that its command reads


class InputFile(click.Path):
    """A file that is read, which the command's output may therefore never replace (see `output.files_read`)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if ctx is not None:
            ctx.meta.setdefault(READ, []).append((self, value))
        return super().convert(value, param, ctx)

    def located(self, value: str) -> str:
        """The path that a value means."""
        return value


class Text(ParamType):
    """Words, as their bytes mean them in UTF-8, which a locale without it (C) cannot read. Names of files stay as they
    are."""
    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return str(value).encode("utf-8", "surrogateescape").decode("utf-8")
        except UnicodeError:
            return str(value)  # bytes that mean nothing


def named(param: click.Parameter | None, ctx: click.Context | None) -> str:
    """Whose value it is that is wrong: an option, an argument, or the variable of the environment that stood in."""
    if param is None:
        return ""
    from_variable = (ctx is not None and param.name is not None and isinstance(param.envvar, str)
                     and ctx.get_parameter_source(param.name) is ParameterSource.ENVIRONMENT)
    return str(param.envvar) if from_variable else param.opts[0] if isinstance(param, click.Option) else (
        param.make_metavar(ctx) if ctx is not None else param.name or "")


def nearest(word: str, known: Iterable[str]) -> str:
    """What of all that is known is most like a word."""
    from difflib import SequenceMatcher  # only now: nothing that goes well needs it
    return max(known, key=lambda one: SequenceMatcher(None, word.lower(), one.lower()).ratio())


class Among(ParamType):
    """One of some words."""
    name = "word"

    def __init__(self, known: Sequence[str]) -> None:
        self.known = known

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return f"[{'|'.join(self.known)}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if (word := str(value).strip().lower()) in self.known:
            return word
        from attntrace.model.config import alternatives  # only now: a help text needs no model
        raise Problem("none_of_these", option=named(param, ctx), value=value, near=nearest(str(value), self.known),
                      choices=alternatives(self.known))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in self.known if word.startswith(incomplete)]


class Whole(ParamType):
    """A whole number, from `least` to `most`; without a `most`, of few enough digits that no product overflows."""
    name = "number"

    def __init__(self, least: int | None = None, most: int | None = None) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        is_long = self.most is None and len(str(value)) > DIGITS
        with suppress(ValueError):
            number = None if is_long else int(value)
            if number is not None and (self.least is None or self.least <= number) and (
                    self.most is None or number <= self.most):
                return number
        key = "long" if is_long else "any" if self.least is None else "from" if self.most is None else "within"
        raise Problem("no_such_number_option", option=named(param, ctx), value=value,
                      wanted=Message(f"problem.why.whole_{key}", least=self.least, most=self.most, digits=DIGITS))


class Number(ParamType):
    """A number that `fits`; `wanted` is the key of the words for such numbers."""
    name = "number"

    def __init__(self, wanted: str, fits: Callable[[float], bool]) -> None:
        self.wanted, self.fits = wanted, fits

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        with suppress(ValueError):
            if self.fits(float(value)):
                return float(value)
        raise Problem("no_such_number_option", option=named(param, ctx), value=value,
                      wanted=Message(f"problem.why.{self.wanted}"))


SHARE = Number("share", lambda number: 0 <= number < 1)
POSITIVE = Number("positive", lambda number: 0 < number < float("inf"))


class Scale(Among):
    """One of some words, or a number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return value if value in self.known else float(value)
        except ValueError:
            raise Problem("score_scale", value=value) from None


class Limit(ParamType):
    """`all`, or a whole number from `least` on."""
    name = "N|all"

    def __init__(self, least: int = 1) -> None:
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value in ("all", ALL):
            return ALL
        with suppress(ValueError):
            if int(value) >= self.least:
                return int(value)
        raise Problem("limit", option=named(param, ctx), value=value, least=self.least)


def misused(error: click.UsageError) -> str | Localized:
    params = error.ctx.command.get_params(error.ctx) if error.ctx is not None else []
    options = [param for param in params if isinstance(param, click.Option)]
    known = [name for option in options for name in (*option.opts, *option.secondary_opts)]
    if isinstance(error, click.NoSuchOption):
        return Message("problem.why.no_such_option", option=error.option_name,
                       near=nearest(error.option_name, known or ["--help"]))
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return Message("problem.why.missing", name=named(error.param, error.ctx))
    if isinstance(error, click.BadOptionUsage):
        takes_none = any(option.is_flag and error.option_name in (*option.opts, *option.secondary_opts)
                         for option in options)
        return Message(f"problem.why.{'no_value' if takes_none else 'value'}", option=error.option_name)
    return error.format_message().rstrip(".")
