"""Kinds of values that options take, and what a shell offers for them: the context's `obj` then knows the subject of a
command line."""
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from attntrace.messages.catalog import FirstOf, Localized, Message, alternatives
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import COUNT, did_you_mean, nearest

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


class Weights(InputFile):
    """A file of weights, or the name of those that come with attntrace."""

    def located(self, value: str) -> str:
        from attntrace.files.weights import located
        return str(located(value))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from attntrace.files.weights import SHIPPED
        return [*map(CompletionItem, starting(incomplete, SHIPPED)), *super().shell_complete(ctx, param, incomplete)]


class Text(ParamType):
    """Words, as their bytes mean them in UTF-8, which a locale without it (C) cannot read. Names of files stay as they
    are."""
    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return str(value).encode("utf-8", "surrogateescape").decode("utf-8")
        except UnicodeError:
            return str(value)  # bytes that mean nothing


class Known(Text):
    """One of the names that are `known` on a command line, which a shell offers: those that start with what was typed;
    where none does, their tails (after a dot) that do."""

    def __init__(self, known: Callable[[click.Context], Iterable[str]]) -> None:
        self.known = known

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from attntrace.tracing.addresses import Address  # only now: a help text needs none
        names: list[str] = []
        with suppress(Problem, OSError):
            names = list(self.known(ctx))
        tails = (address.last(n) for address in map(Address.of, names) for n in range(len(address.parts) - 1, 0, -1))
        offered = starting(incomplete, names) or starting(incomplete, tails)
        return [*map(CompletionItem, dict.fromkeys(offered))]


def starting(typed: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(typed)]


def step_addresses(ctx: click.Context) -> Iterable[str]:
    """The addresses of the steps of the command line's subject."""
    if ctx.params.get("saved_run") is not None:
        from attntrace.files.archive import opened
        with opened(ctx.params["saved_run"]) as archive:
            return archive.tensors
    return list(ctx.obj.subject_so_far(ctx).addresses())


def head_addresses(ctx: click.Context) -> Iterable[str]:
    from attntrace.tracing.addresses import Address
    addresses = map(Address.of, ctx.obj.subject_so_far(ctx).run.addresses())
    return [address.place for address in addresses if address.name == "scores"]


def parameter_names(ctx: click.Context) -> Iterable[str]:
    return list(ctx.obj.subject_so_far(ctx).run.parameters.by_name)


def named(param: click.Parameter | None, ctx: click.Context | None) -> str:
    """Whose value it is that is wrong: an option, an argument, or the variable of the environment that stood in."""
    if param is None:
        return ""
    from_variable = (ctx is not None and param.name is not None and isinstance(param.envvar, str)
                     and ctx.get_parameter_source(param.name) is ParameterSource.ENVIRONMENT)
    return str(param.envvar) if from_variable else param.opts[0] if isinstance(param, click.Option) else (
        param.make_metavar(ctx) if ctx is not None else param.name or "")


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
        raise Problem("none_of_these", option=named(param, ctx), value=value, choices=alternatives(self.known),
                      near=did_you_mean(nearest(str(value), self.known)))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [*map(CompletionItem, starting(incomplete, self.known))]


class Whole(ParamType):
    """A whole number, from `least` to `most`; without a `most`, of few enough digits that no product overflows."""
    name = "number"

    def __init__(self, least: float = -inf, most: float = inf) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        is_long = self.most == inf and len(str(value)) > DIGITS
        with suppress(ValueError):
            if not is_long and self.least <= (number := int(value)) <= self.most:
                return number
        key = "long" if is_long else "any" if self.least == -inf else "from" if self.most == inf else "within"
        raise Problem("no_such_number_option", option=named(param, ctx), value=value,
                      wanted=Message(f"problem.why.whole_{key}", least=self.least, most=self.most, digits=DIGITS))


def plain(text: Any) -> float:
    """The number of a text: a whole one as an int, which is written without a point."""
    number = float(text)
    return int(number) if number.is_integer() else number


class Number(ParamType):
    """A number that `fits`; `wanted` is the key of the words for such numbers, `read` makes one of the text."""
    name = "number"

    def __init__(self, wanted: str, fits: Callable[[float], bool], read: Callable[[Any], float] = float) -> None:
        self.wanted, self.fits, self.read = wanted, fits, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        with suppress(ValueError):
            if self.fits(number := self.read(value)):
                return number
        raise Problem("no_such_number_option", option=named(param, ctx), value=value,
                      wanted=Message(f"problem.why.{self.wanted}"))


SHARE = Number("share", lambda number: 0 <= number < 1)
NOT_NEGATIVE = Number("not_negative", lambda number: 0 <= number < inf)
POSITIVE = Number("positive", lambda number: 0 < number < inf)
ONE_OR_MORE = Number("one_or_more", lambda number: 1 <= number < inf, plain)


class Scale(Among):
    """One of some words, or a number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return value if value in self.known else float(value)
        except ValueError:
            raise Problem("score_scale", value=value) from None


class Width(Among):
    """One of some words, or a whole number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value in self.known else Whole().convert(value, param, ctx)


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
    if isinstance(error, click.NoSuchOption):
        return unknown_option(error.option_name, params, error.ctx)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        name = named(error.param, error.ctx)
        return FirstOf([Message(f"problem.why.missing_{error.param.name}", name=name)],
                       Message("problem.why.missing", name=name))
    if isinstance(error, click.BadOptionUsage):
        takes_none = any(option.is_flag and error.option_name in names_of(option) for option in options)
        return Message(f"problem.why.{'no_value' if takes_none else 'value'}", option=error.option_name)
    return error.format_message().rstrip(".")


def unknown_option(option: str, params: Sequence[click.Parameter], ctx: click.Context | None) -> Localized:
    """What is said of an option that a command does not have: that it is an argument, that other commands have it, or
    which options of this command are near."""
    if ctx is not None:
        arguments = [param for param in params if isinstance(param, click.Argument)]
        if named_so := [one.make_metavar(ctx) for one in arguments if f"--{one.name}" == option]:
            usage = " ".join([ctx.command_path, *(one.make_metavar(ctx) for one in arguments)])
            return Message("problem.why.is_argument", option=option, argument=named_so[0].strip("[]"), usage=usage)
        root = ctx.find_root()
        if isinstance(root.command, click.Group) and (others := list(commands_with(option, root.command, root))):
            some = ", ".join(others[:COUNT]) + (", ..." if len(others) > COUNT else "")
            return Message("problem.why.option_of_others", option=option, commands=some)
    return Message("problem.why.no_such_option", option=option,
                   near=did_you_mean(nearest(option, [name for param in params for name in names_of(param)])))


def names_of(param: click.Parameter) -> list[str]:
    return [*param.opts, *param.secondary_opts] if isinstance(param, click.Option) else []


def commands_with(option: str, group: click.Group, ctx: click.Context) -> Iterator[str]:
    """The commands that have an option: `trace`, `weights new`."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from (f"{name} {one}" for one in commands_with(option, command, ctx))
        elif command is not None and any(option in names_of(param) for param in command.params):
            yield name
