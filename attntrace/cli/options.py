"""Options shared by commands, and the two values that they are gathered into: Config and View."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from attntrace.cli.click_words import Decorated, chained, option
from attntrace.cli.completion import Address, Head, Parameter, Weights
from attntrace.cli.values import POSITIVE, SHARE, Among, InputFile, Limit, Scale, Text, Whole
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import CHOICES, INITIAL, SIZES, Config, as_option
from attntrace.training.schedule import OPTIMIZERS
from attntrace.writers import DATA, PAGES
from attntrace.writers.terminal_width import NARROWEST, WIDEST

if TYPE_CHECKING:
    from attntrace.runs.decoding import Decoding
    from attntrace.runs.run import Run
    from attntrace.runs.training_step import TrainingStep
    from attntrace.runs.what_if import Edits

COLOURS = ("auto", "always", "never")
TERMINAL_LIMIT = 4096  # numbers of a step that a terminal shows
DECIMALS = 3


def architecture_options(defaults: Config) -> list[Callable[[Decorated], Decorated]]:
    """Sizes and wiring. None tells an option that was not given, which a weights file needs to know."""
    def one(name: str, type: Any, **settings: Any) -> Callable[[Decorated], Decorated]:
        return option(as_option(name), type=type, default=None, stands_for=getattr(defaults, name), **settings)

    return [option("--seed", type=Whole(0), default=None, stands_for=0, metavar="N"),
            *(one(size, Whole(), metavar="N") for size in SIZES),
            one("norm", Among(CHOICES["norm"])),
            option("--final-norm/--no-final-norm", default=None, stands_for="--no-final-norm"),
            one("position", Among(CHOICES["position"])),
            option("--scale-embedding/--no-scale-embedding", default=None, stands_for="--scale-embedding"),
            one("score_scale", Scale(), metavar="sqrt_d_k|X"),
            one("dtype", Among(CHOICES["dtype"]))]


ARCHITECTURE = (*SIZES, "norm", "final_norm", "position", "scale_embedding", "score_scale", "dtype")
MODEL = ("seed", "init", *ARCHITECTURE)
weights_option = option("--weights", metavar="FILE", type=Weights())
input_option = option("--input", metavar="FILE", type=InputFile())
CHANGES = ("set", "ablate", "swap")
change_options = chained([
    option("--set", type=Parameter(), multiple=True, metavar="PARAMETER:ROW,COLUMN=X"),
    option("--ablate", type=Head(), multiple=True, metavar="HEAD"),
    option("--swap", type=Text(), multiple=True, metavar="I,J")])
pencil_option = option("--pencil", type=Whole(1, 9), default=None, metavar="N")
init_option = option("--init", type=Among(INITIAL), default=None, stands_for=INITIAL[0])
seeded_options = chained([*architecture_options(Config()), init_option, weights_option, input_option, pencil_option,
                          change_options])
model_options = chained([option("--target", type=Text(), metavar="TEXT"), seeded_options])

learning_options = chained([
    option("--optimizer", type=Among(tuple(OPTIMIZERS)), default=None, stands_for="sgd"),
    option("--lr", type=POSITIVE, metavar="X", default=None,
           stands_for=", ".join(f"{name} {lr}" for name, lr in OPTIMIZERS.items())),
    option("--label-smoothing", type=SHARE, default=None, stands_for=0.0, metavar="X")])


def page_options_of(*formats: str) -> Callable[[Decorated], Decorated]:
    """How a page looks, and where it goes; in one of these formats."""
    return chained([
        option("--format", type=Among(formats), default=None),
        option("-o", "output", metavar="FILE", type=click.Path(), text="output"),
        option("--width", type=Whole(NARROWEST, WIDEST), metavar="N", envvar="ATTNTRACE_WIDTH"),
        option("--ascii", is_flag=True),
        option("--big", is_flag=True),
        option("--color", type=Among(COLOURS), default=COLOURS[0], stands_for=COLOURS[0], envvar="ATTNTRACE_COLOR"),
        option("--pager", is_flag=True)])


page_options = page_options_of(*PAGES)
run_page_options = page_options_of(*PAGES, *DATA)  # of commands that tell a run's steps


def precision_option(**settings: Any) -> Callable[[Decorated], Decorated]:
    return option("--precision", type=Whole(0, 17), default=None, metavar="N", **settings)


def checked_precision(options: dict[str, Any], default: int = DECIMALS) -> int:
    """How many decimals are written. Raises Problem where --pencil makes others."""
    precision, pencil = options["precision"], options.get("pencil")  # a command may have none
    if pencil is not None and precision not in (None, pencil):
        raise Problem("pencil_precision", precision=precision, pencil=pencil)
    return next(number for number in (precision, pencil, default) if number is not None)


selection_options = chained([
    option("--only", type=Address(), multiple=True, metavar="ADDRESS"),
    option("--layer", type=Whole(), multiple=True, metavar="N"),
    option("--head", type=Whole(), multiple=True, metavar="N")])


def from_option(**settings: Any) -> Callable[[Decorated], Decorated]:
    return option("--from", "saved_run", metavar="FILE", type=InputFile(), text="from", **settings)


def check_from(sentence: tuple[str, ...], options: dict[str, Any], *more: str) -> None:
    """Raise Problem where something is asked of a run that a saved one has of its own."""
    given = ["SENTENCE"] * bool(sentence) + [as_option(name) for name in (
        *MODEL, "weights", "input", "pencil", "target", *CHANGES, *more)
        if options[name] not in (None, ()) and not (name in more and options[name] is False)]  # 0 is given as well
    if given:
        raise Problem("from_with", option=given[0])


quiet_option = option("--quiet", "-q", is_flag=True, text="quiet")
save_option = option("--save", metavar="FILE.npz", type=click.Path())
text_options = chained([
    option("--form", type=Among(("both", "vector", "matrix")), default=None, stands_for="both"),
    option("--arithmetic", type=Among(("first", "all", "none")), default="first", stands_for="first"),
    precision_option(stands_for=DECIMALS),
    option("--limit", type=Limit(), metavar="N|all"),
    option("--explain/--no-explain", default=True, stands_for="--explain", text="explain_steps"),
    option("--pause", is_flag=True)])
view_options = chained([text_options, option("--token", type=Text(), multiple=True, metavar="TOKEN")])


def prepared(sentence: str | None, options: dict[str, Any]) -> Any:
    """The run that the model options ask for."""
    from attntrace.runs.prepare import prepare  # imports NumPy: only now
    return prepare(sentence, options["target"], **given_model(options))


def given_model(options: dict[str, Any]) -> dict[str, Any]:
    """The model that the options ask for: its config, its seed, its weights, what it starts from, what is changed, its
    decimals. Raises Problem where they contradict each other."""
    given = {name: options[name] for name in MODEL if options.get(name) is not None}
    if options["weights"] is not None and given:
        raise Problem("options_with_weights", options=", ".join(map(as_option, given)))
    seed, init = given.pop("seed", 0), given.pop("init", INITIAL[0])
    return {"config": Config(**given), "seed": seed, "init": init, "weights": options["weights"],
            "inputs": options["input"], "edits": asked_changes(options), "pencil": options["pencil"]}


def asked_changes(options: dict[str, Any]) -> Edits:
    from attntrace.runs.what_if import Edits  # imports NumPy: only now
    return Edits(*(options[name] for name in CHANGES))


def learning(options: dict[str, Any]) -> dict[str, Any]:
    """How a lesson learns, as the learning options ask for it."""
    return {"optimizer": options["optimizer"] or "sgd", "lr": options["lr"],
            "smoothing": options["label_smoothing"] or 0.0}


def selected_steps(run: Run | TrainingStep | Decoding, options: dict[str, Any]) -> frozenset[str] | None:
    """The addresses that the selection options ask for; None for all."""
    from attntrace.tracing.addresses import select
    only, layers, heads = options["only"], options["layer"], options["head"]
    return select(only, layers, heads, run.addresses()) if only or layers or heads else None


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
