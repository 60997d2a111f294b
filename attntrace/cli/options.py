"""Options shared by commands, and the two values that they are gathered into: Config and View."""
from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from attntrace.config import CHOICES, SIZES, Config, as_option
from attntrace.errors import Problem
from attntrace.prose import sentence
from attntrace.tokens import shown

if TYPE_CHECKING:
    from attntrace.run import Run
    from attntrace.writers.terminal import TerminalWriter

Command = TypeVar("Command", bound=Callable[..., Any])
TERMINAL_LIMIT = 4096  # numbers of a step that a terminal shows
ALL = 0  # the limit that is none


def _option(*names: str, **settings: Any) -> Callable[[Command], Command]:
    """An option whose help is in prose/; `stands_for` is what leaving it out means, where that is not its default."""
    key = settings.pop("text", names[-1].split("/")[0].lstrip("-").replace("-", "_"))
    stands_for = settings.pop("stands_for", None)
    more = f"  [{sentence('help.default')}: {stands_for}]" if stands_for is not None else ""
    return click.option(*names, help=sentence(f"help.{key}") + more, **settings)


def _chained(options: list[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command
    return decorate


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


class Scale(click.ParamType):
    """`sqrt_d_k`, or a number."""
    name = "sqrt_d_k|NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | float:
        try:
            return "sqrt_d_k" if value == "sqrt_d_k" else float(value)
        except ValueError:
            raise Problem("score_scale", value=value) from None


class Limit(click.ParamType):
    """`all`, or a whole number."""
    name = "N|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "all":
            return ALL
        try:
            if int(value) > 0:
                return int(value)
        except ValueError:
            pass
        raise Problem("limit", value=value)


def _model(name: str, type: Any, **settings: Any) -> Callable[[Command], Command]:
    default = getattr(Config(), name)
    return _option(as_option(name), type=type, default=None, stands_for=default, **settings)


# The defaults are those of Config; None tells an option that was not given, which a weights file needs to know.
model_options = _chained([
    _option("--target", type=Text(), metavar="TEXT"),
    _option("--seed", type=Within(min=0), default=None, stands_for=0, metavar="N"),
    *(_model(size, Whole(), metavar="N") for size in SIZES),
    _model("norm", click.Choice(CHOICES["norm"])),
    _option("--final-norm/--no-final-norm", default=None, stands_for="--no-final-norm"),
    _model("position", click.Choice(CHOICES["position"])),
    _option("--scale-embedding/--no-scale-embedding", default=None, stands_for="--scale-embedding"),
    _model("score_scale", Scale(), metavar="sqrt_d_k|X"),
    _model("dtype", click.Choice(CHOICES["dtype"])),
    _option("--weights", metavar="FILE", type=click.Path())])

MODEL = ("seed", "d_model", "heads", "layers", "d_ff", "norm", "final_norm", "position", "scale_embedding",
         "score_scale", "dtype")

page_options = _chained([
    _option("--width", type=Within(60, 10_000), metavar="N"),
    _option("--ascii", is_flag=True),
    _option("--big", is_flag=True),
    _option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True),
    _option("--pager", is_flag=True),
    _option("-o", "output", metavar="FILE", type=click.Path(), text="output")])


def precision_option(**settings: Any) -> Callable[[Command], Command]:
    return _option("--precision", type=Within(0, 17), metavar="N", **settings)


selection_options = _chained([
    _option("--only", type=Text(), multiple=True, metavar="ADDRESS"),
    _option("--layer", type=Whole(), multiple=True, metavar="N"),
    _option("--head", type=Whole(), multiple=True, metavar="N")])

view_options = _chained([
    _option("--form", type=click.Choice(["both", "vector", "matrix"]), default=None, stands_for="both"),
    _option("--token", type=Text(), multiple=True, metavar="TOKEN"),
    _option("--arithmetic", type=click.Choice(["first", "all", "none"]), default="first", show_default=True),
    precision_option(default=3, show_default=True),
    _option("--limit", type=Limit(), metavar="N|all"),
    _option("--pause", is_flag=True),
    _option("--format", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)])


def prepared(sentence: str, options: dict[str, Any]) -> Any:
    """The run that the model options ask for. Raises Problem where they contradict each other."""
    from attntrace.run import prepare  # imports NumPy: only now
    given = {name: options[name] for name in MODEL if options[name] is not None}
    if options["weights"] is not None and given:
        raise Problem("options_with_weights", options=", ".join(map(as_option, given)))
    seed = given.pop("seed", 0)
    return prepare(sentence, options["target"], config=Config(**given), seed=seed, weights=options["weights"])


def selected_steps(run: Run, options: dict[str, Any]) -> frozenset[str] | None:
    """The addresses that the selection options ask for; None for all."""
    from attntrace.addresses import selected
    only, layers, heads = options["only"], options["layer"], options["head"]
    return selected(only, layers, heads, run.addresses()) if only or layers or heads else None


def page_writer(out: TextIO, options: dict[str, Any]) -> TerminalWriter:
    """Blocks to lines, as the page options ask for them."""
    from attntrace.writers.terminal import Look, TerminalWriter  # imports rich: only now
    return TerminalWriter(out, Look(options["width"], options["ascii"], options["color"], options["big"]))


sentence_argument = click.argument("sentence", nargs=-1, type=Text(), metavar="[SENTENCE]")


def one_argument(arguments: tuple[str, ...]) -> str | None:
    """The sentence as an argument; None where there is none. Raises Problem where it was not put in quotes."""
    if len(arguments) > 1:
        raise Problem("several_arguments", count=len(arguments), sentence=shown(" ".join(arguments)))
    return arguments[0] if arguments else None


def one_sentence(arguments: tuple[str, ...]) -> str:
    """The sentence: the argument, or the one line of standard input where it is `-` or missing."""
    argument = one_argument(arguments)
    if argument is not None and argument != "-":
        return argument
    if sys.stdin is None or argument is None and sys.stdin.isatty():
        raise Problem("no_sentence")
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem("input_not_utf8", byte=error.start + 1) from None
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > 1:
        raise Problem("several_lines", lines=len(lines))
    return lines[0] if lines else ""
