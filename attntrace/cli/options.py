"""Options shared by commands, and the two values that they are gathered into: Config and View."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from attntrace.cli.values import Limit, POSITIVE, SHARE, Scale, Text, Whole, Within
from attntrace.config import CHOICES, INITIAL, SIZES, Config, as_option
from attntrace.errors import Problem
from attntrace.prose import sentence
from attntrace.schedules import OPTIMIZERS
from attntrace.tokens import shown

if TYPE_CHECKING:
    from attntrace.changes import Changes
    from attntrace.decoding import Decoding
    from attntrace.lessons import Lesson
    from attntrace.run import Run
    from attntrace.writers.terminal import TerminalWriter

Command = TypeVar("Command", bound=Callable[..., Any])
TERMINAL_LIMIT = 4096  # numbers of a step that a terminal shows
DECIMALS = 3


def option(*names: str, **settings: Any) -> Callable[[Command], Command]:
    """An option whose help is in prose/; `stands_for` is what leaving it out means, where that is not its default."""
    key = settings.pop("text", names[-1].split("/")[0].lstrip("-").replace("-", "_"))
    stands_for = settings.pop("stands_for", None)
    more = f"  [{sentence('help.default')}: {stands_for}]" if stands_for is not None else ""
    return click.option(*names, help=sentence(f"help.{key}") + more, **settings)


def chained(options: list[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command
    return decorate


def architecture_options(defaults: Config) -> list[Callable[[Command], Command]]:
    """Sizes and wiring. None tells an option that was not given, which a weights file needs to know."""
    def one(name: str, type: Any, **settings: Any) -> Callable[[Command], Command]:
        return option(as_option(name), type=type, default=None, stands_for=getattr(defaults, name), **settings)

    return [option("--seed", type=Within(min=0), default=None, stands_for=0, metavar="N"),
            *(one(size, Whole(), metavar="N") for size in SIZES),
            one("norm", click.Choice(CHOICES["norm"])),
            option("--final-norm/--no-final-norm", default=None, stands_for="--no-final-norm"),
            one("position", click.Choice(CHOICES["position"])),
            option("--scale-embedding/--no-scale-embedding", default=None, stands_for="--scale-embedding"),
            one("score_scale", Scale(), metavar="sqrt_d_k|X"),
            one("dtype", click.Choice(CHOICES["dtype"]))]


ARCHITECTURE = (*SIZES, "norm", "final_norm", "position", "scale_embedding", "score_scale", "dtype")
MODEL = ("seed", "init", *ARCHITECTURE)
weights_option = option("--weights", metavar="FILE", type=click.Path())
input_option = option("--input", metavar="FILE", type=click.Path())
CHANGES = ("set", "ablate", "swap")
change_options = chained([
    option("--set", type=Text(), multiple=True, metavar="PARAMETER:ROW,COLUMN=X"),
    option("--ablate", type=Text(), multiple=True, metavar="HEAD"),
    option("--swap", type=Text(), multiple=True, metavar="I,J")])
pencil_option = option("--pencil", type=Within(1, 9), default=None, metavar="N")
init_option = option("--init", type=click.Choice(INITIAL), default=None, stands_for=INITIAL[0])
seeded_options = chained([*architecture_options(Config()), init_option, weights_option, input_option, pencil_option,
                          change_options])
model_options = chained([option("--target", type=Text(), metavar="TEXT"), seeded_options])

learning_options = chained([
    option("--optimizer", type=click.Choice(list(OPTIMIZERS)), default=None, stands_for="sgd"),
    option("--lr", type=POSITIVE, metavar="X", default=None,
           stands_for=", ".join(f"{name} {lr}" for name, lr in OPTIMIZERS.items())),
    option("--label-smoothing", type=SHARE, default=None, stands_for=0.0, metavar="X")])

page_options = chained([
    option("--width", type=Within(60, 10_000), metavar="N"),
    option("--ascii", is_flag=True),
    option("--big", is_flag=True),
    option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True),
    option("--pager", is_flag=True),
    option("-o", "output", metavar="FILE", type=click.Path(), text="output")])


def precision_option(**settings: Any) -> Callable[[Command], Command]:
    return option("--precision", type=Within(0, 17), default=None, metavar="N", **settings)


def checked_precision(options: dict[str, Any], default: int = DECIMALS) -> int:
    """How many decimals are written. Raises Problem where --pencil makes others."""
    precision, pencil = options["precision"], options.get("pencil")  # a command may have none
    if pencil is not None and precision not in (None, pencil):
        raise Problem("pencil_precision", precision=precision, pencil=pencil)
    return next(number for number in (precision, pencil, default) if number is not None)


selection_options = chained([
    option("--only", type=Text(), multiple=True, metavar="ADDRESS"),
    option("--layer", type=Whole(), multiple=True, metavar="N"),
    option("--head", type=Whole(), multiple=True, metavar="N")])


def from_option(**settings: Any) -> Callable[[Command], Command]:
    return option("--from", "saved_run", metavar="FILE", type=click.Path(), text="from", **settings)


def check_from(sentence: tuple[str, ...], options: dict[str, Any], *more: str) -> None:
    """Raise Problem where something is asked of a run that a saved one has of its own."""
    given = ["SENTENCE"] * bool(sentence) + [as_option(name) for name in (
        *MODEL, "weights", "input", "pencil", "target", *CHANGES, *more)
        if options[name] not in (None, ()) and not (name in more and options[name] is False)]  # 0 is given as well
    if given:
        raise Problem("from_with", option=given[0])


save_option = option("--save", metavar="FILE.npz", type=click.Path())
text_options = chained([
    option("--form", type=click.Choice(["both", "vector", "matrix"]), default=None, stands_for="both"),
    option("--arithmetic", type=click.Choice(["first", "all", "none"]), default="first", show_default=True),
    precision_option(stands_for=DECIMALS),
    option("--limit", type=Limit(), metavar="N|all"),
    option("--pause", is_flag=True)])
view_options = chained([
    text_options,
    option("--token", type=Text(), multiple=True, metavar="TOKEN"),
    option("--format", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)])


def prepared(sentence: str | None, options: dict[str, Any]) -> Any:
    """The run that the model options ask for."""
    from attntrace.run import prepare  # imports NumPy: only now
    return prepare(sentence, options["target"], **given_model(options))


def given_model(options: dict[str, Any]) -> dict[str, Any]:
    """The model that the options ask for: its config, its seed, its weights, what it starts from, what is changed, its
    decimals. Raises Problem where they contradict each other."""
    given = {name: options[name] for name in MODEL if options.get(name) is not None}
    if options["weights"] is not None and given:
        raise Problem("options_with_weights", options=", ".join(map(as_option, given)))
    seed, init = given.pop("seed", 0), given.pop("init", INITIAL[0])
    return {"config": Config(**given), "seed": seed, "init": init, "weights": options["weights"],
            "inputs": options["input"], "changes": asked_changes(options), "pencil": options["pencil"]}


def asked_changes(options: dict[str, Any]) -> Changes:
    from attntrace.changes import Changes  # imports NumPy: only now
    return Changes(*(options[name] for name in CHANGES))


def learning(options: dict[str, Any]) -> dict[str, Any]:
    """How a lesson learns, as the learning options ask for it."""
    return {"optimizer": options["optimizer"] or "sgd", "lr": options["lr"],
            "smoothing": options["label_smoothing"] or 0.0}


def selected_steps(run: Run | Lesson | Decoding, options: dict[str, Any]) -> frozenset[str] | None:
    """The addresses that the selection options ask for; None for all."""
    from attntrace.addresses import selected
    only, layers, heads = options["only"], options["layer"], options["head"]
    return selected(only, layers, heads, run.addresses()) if only or layers or heads else None


def page_writer(out: TextIO, options: dict[str, Any]) -> TerminalWriter:
    """Blocks to lines, as the page options ask for them."""
    from attntrace.writers.terminal import Look, TerminalWriter  # imports rich: only now
    return TerminalWriter(out, Look(options["width"], options["ascii"], options["color"], options["big"]))


sentence_argument = click.argument("sentence", nargs=-1, type=Text(), metavar="[SENTENCE]")


def lines_of_input() -> Iterator[list[str]]:
    """The lines of standard input, as many at once as there are. Raises Problem with the number of one that is not
    UTF-8, once those before it were told."""
    rest, number = b"", 0
    while sys.stdin is not None:
        data = sys.stdin.buffer.read1(1 << 16)  # type: ignore[union-attr]
        lines = (rest + data).split(b"\n")
        rest = lines.pop() if data else b""
        if not data and lines == [b""]:
            return
        read, wrong = [], None
        for line in lines:
            number += 1
            try:
                read.append(line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r"))
            except UnicodeDecodeError as error:
                wrong = Problem("line_not_utf8", line=number, byte=error.start + 1)
                break
        if read:
            yield read
        if wrong is not None:
            raise wrong
        if not data:
            return


def one_argument(arguments: tuple[str, ...]) -> str | None:
    """The sentence as an argument; None where there is none. Raises Problem where it was not put in quotes."""
    if len(arguments) > 1:
        raise Problem("several_arguments", count=len(arguments), sentence=shown(" ".join(arguments)))
    return arguments[0] if arguments else None


def sentence_or_rows(arguments: tuple[str, ...], options: dict[str, Any]) -> str | None:
    """The sentence; None where there is none and a file of rows needs none."""
    return None if options["input"] is not None and not arguments else one_sentence(arguments)


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
