"""Options shared by commands. Those of a group reach a command as one value, whose fields are named after them."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from attntrace.cli.click_words import Decorated, chained, option, passed
from attntrace.cli.completion import Known, Weights, head_addresses, parameter_names, step_addresses
from attntrace.cli.formats import PageOptions
from attntrace.cli.values import ALL, POSITIVE, SHARE, Among, InputFile, Limit, Scale, Text, Whole
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import CHOICES, INITIAL, SIZES, Config, as_option
from attntrace.tracing.addresses import Address, check_tokens, select
from attntrace.training import OPTIMIZERS
from attntrace.writers import DATA, PAGES
from attntrace.writers.terminal_width import NARROWEST, WIDEST

if TYPE_CHECKING:
    from attntrace.pages.view import View
    from attntrace.runs.run import Run, Subject

COLOURS = ("auto", "always", "never")
TERMINAL_LIMIT = 4096  # numbers of a step that a terminal shows
DECIMALS = 3
ARCHITECTURE = (*SIZES, "norm", "final_norm", "position", "scale_embedding", "score_scale", "dtype")
CHANGES = ("set", "ablate", "swap")


class ModelOptions(NamedTuple):
    """The model, what it reads, and what is changed in it. None: not given, which a weights file needs to know."""
    seed: int | None = None
    init: str | None = None
    d_model: int | None = None
    heads: int | None = None
    layers: int | None = None
    d_ff: int | None = None
    norm: str | None = None
    final_norm: bool | None = None
    position: str | None = None
    scale_embedding: bool | None = None
    score_scale: str | float | None = None
    dtype: str | None = None
    weights: str | None = None
    input: str | None = None
    pencil: int | None = None
    target: str | None = None
    set: tuple[str, ...] = ()
    ablate: tuple[str, ...] = ()
    swap: tuple[str, ...] = ()

    def given(self, *names: str) -> dict[str, Any]:
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def config(self, default: Config) -> Config:
        return replace(default, **self.given(*ARCHITECTURE))

    def settings(self) -> dict[str, Any]:
        """The arguments of `prepare` besides the words. Raises Problem where options contradict each other."""
        given = self.given("seed", "init", *ARCHITECTURE)
        if self.weights is not None and given:
            raise Problem("options_with_weights", options=", ".join(map(as_option, given)))
        from attntrace.runs.what_if import Edits  # imports NumPy: only now
        return {"config": self.config(Config()), "seed": self.seed or 0, "init": self.init or INITIAL[0],
                "weights": self.weights, "inputs": self.input, "pencil": self.pencil,
                "edits": Edits(self.set, self.ablate, self.swap)}

    def prepared(self, sentence: str | None) -> Run:
        from attntrace.runs.prepare import prepare
        return prepare(sentence, self.target, **self.settings())


class LearningOptions(NamedTuple):
    """How a training step learns; `backprop`: whether one is verified, and not a run."""
    backprop: bool | None = None
    optimizer: str | None = None
    lr: float | None = None
    label_smoothing: float | None = None

    def settings(self) -> dict[str, Any]:
        """The arguments of `prepare_training_step` besides the words and the model."""
        return {"optimizer": self.optimizer or "sgd", "lr": self.lr, "smoothing": self.label_smoothing or 0.0}


class Selection(NamedTuple):
    """What is shown of a run, and how much of it; `trace` and `step`: of a translation."""
    only: tuple[str, ...] = ()
    layer: tuple[int, ...] = ()
    head: tuple[int, ...] = ()
    token: tuple[str, ...] = ()
    form: str | None = None
    arithmetic: str = "first"
    precision: int | None = None
    limit: int | None = None
    explain: bool = True
    trace: bool = False
    step: int | None = None

    @property
    def selects(self) -> bool:
        """Whether an option names steps."""
        return bool(self.only or self.layer or self.head or self.trace or self.step)

    def addresses(self, subject: Subject) -> frozenset[str] | None:
        """The addresses of the selected steps; None where no option names any."""
        if not self.selects:
            return None
        addresses = subject.addresses()
        if self.step:
            last = max(Address.of(address).number("step") or 0 for address in addresses)
            if self.step > last:
                raise Problem("no_such_step", step=self.step, last=last)
            addresses = [address for address in addresses if Address.of(address).number("step") == self.step]
        return select(self.only, self.layer, self.head, addresses)

    def tokens(self, run: Run, page: PageOptions) -> tuple[str, ...]:
        """The tokens whose rows are selected. Raises Problem where the run has none of them, or the page no rows."""
        tokens = check_tokens(self.token, [begins.texts for begins in (run.source, run.target) if begins is not None])
        if tokens and page.is_data:
            raise Problem("token_with", option=f"--format {page.format}")
        if tokens and self.form in ("matrix", "both"):
            raise Problem("token_with", option=f"--form {self.form}")
        return tokens

    def decimals(self, pencil: int | None, default: int = DECIMALS) -> int:
        """How many decimals are written. Raises Problem where --pencil makes others."""
        if pencil is not None and self.precision not in (None, pencil):
            raise Problem("pencil_precision", precision=self.precision, pencil=pencil)
        return next(number for number in (self.precision, pencil, default) if number is not None)

    def view(self, pencil: int | None, to_terminal: bool, addresses: frozenset[str] | None = None,
             tokens: tuple[str, ...] = ()) -> View:
        """The view; a terminal shows less of a large step than a file."""
        from attntrace.pages.view import View
        limit = self.limit or (TERMINAL_LIMIT if to_terminal else ALL)
        return View(self.form or ("vector" if tokens else "both"), self.arithmetic, self.decimals(pencil),
                    None if limit == ALL else limit, addresses, tokens, exact=pencil is not None, explain=self.explain)


def architecture_options(defaults: Config) -> Callable[[Decorated], Decorated]:
    """Sizes and wiring, and the seed; `defaults`: what their help texts say."""
    def one(name: str, type: Any, **settings: Any) -> Callable[[Decorated], Decorated]:
        return option(as_option(name), type=type, default=None, stands_for=getattr(defaults, name), **settings)

    return passed(
        "model", ModelOptions,
        option("--seed", type=Whole(0), default=None, stands_for=0, metavar="N"),
        *(one(size, Whole(), metavar="N") for size in SIZES),
        one("norm", Among(CHOICES["norm"])),
        option("--final-norm/--no-final-norm", default=None, stands_for="--no-final-norm"),
        one("position", Among(CHOICES["position"])),
        option("--scale-embedding/--no-scale-embedding", default=None, stands_for="--scale-embedding"),
        one("score_scale", Scale(), metavar="sqrt_d_k|X"),
        one("dtype", Among(CHOICES["dtype"])))


change_options = chained(
    option("--set", type=Known(parameter_names), multiple=True, metavar="PARAMETER:ROW,COLUMN=X"),
    option("--ablate", type=Known(head_addresses), multiple=True, metavar="HEAD"),
    option("--swap", type=Text(), multiple=True, metavar="I,J"))
seeded_options = chained(
    architecture_options(Config()),
    option("--init", type=Among(INITIAL), default=None, stands_for=INITIAL[0]),
    option("--weights", metavar="FILE", type=Weights()),
    option("--input", metavar="FILE", type=InputFile()),
    option("--pencil", type=Whole(1, 9), default=None, metavar="N"),
    change_options)
model_options = chained(option("--target", type=Text(), metavar="TEXT"), seeded_options)

learning_options = passed(
    "learning", LearningOptions,
    option("--optimizer", type=Among(tuple(OPTIMIZERS)), default=None, stands_for="sgd"),
    option("--lr", type=POSITIVE, metavar="X", default=None,
           stands_for=", ".join(f"{name} {lr}" for name, lr in OPTIMIZERS.items())),
    option("--label-smoothing", type=SHARE, default=None, stands_for=0.0, metavar="X"))


def page_options_of(*formats: str) -> Callable[[Decorated], Decorated]:
    """How a page looks, and where it goes; in one of these formats."""
    return passed(
        "page", PageOptions,
        option("--format", type=Among(formats), default=None),
        option("-o", "output", metavar="FILE", type=click.Path(), text="output"),
        option("--width", type=Whole(NARROWEST, WIDEST), metavar="N", envvar="ATTNTRACE_WIDTH"),
        option("--ascii", is_flag=True),
        option("--big", is_flag=True),
        option("--color", type=Among(COLOURS), default=COLOURS[0], stands_for=COLOURS[0], envvar="ATTNTRACE_COLOR"),
        option("--pager", is_flag=True),
        make=partial(PageOptions.settled, formats))


page_options = page_options_of(*PAGES)
run_page_options = page_options_of(*PAGES, *DATA)  # of commands that write the steps of a run


def precision_option(**settings: Any) -> Callable[[Decorated], Decorated]:
    return option("--precision", type=Whole(0, 17), default=None, metavar="N", **settings)


selection_options = passed(
    "selection", Selection,
    option("--only", type=Known(step_addresses), multiple=True, metavar="ADDRESS"),
    option("--layer", type=Whole(), multiple=True, metavar="N"),
    option("--head", type=Whole(), multiple=True, metavar="N"))


def given_options(*values: Any) -> list[str]:
    """The options of these NamedTuples that were given."""
    return [as_option(name) for value in values for name, one in value._asdict().items() if one not in (None, ())]


def from_option(**settings: Any) -> Callable[[Decorated], Decorated]:
    return option("--from", "saved_run", metavar="FILE", type=InputFile(), text="from", **settings)


def check_from(sentence: tuple[str, ...], model: ModelOptions, learning: LearningOptions) -> None:
    """Raise Problem where an option is given that a saved run has a value of its own for."""
    given = ["SENTENCE"] if sentence else given_options(model, learning)
    if given:
        raise Problem("from_with", option=given[0])


quiet_option = option("--quiet", "-q", is_flag=True, text="quiet")
save_option = option("--save", metavar="FILE.npz", type=click.Path())
text_options = chained(
    option("--form", type=Among(("both", "vector", "matrix")), default=None, stands_for="both"),
    option("--arithmetic", type=Among(("first", "all", "none")), default="first", stands_for="first"),
    precision_option(stands_for=DECIMALS),
    option("--limit", type=Limit(), metavar="N|all"),
    option("--explain/--no-explain", default=True, stands_for="--explain", text="explain_steps"),
    option("--pause", is_flag=True))
view_options = chained(text_options, option("--token", type=Text(), multiple=True, metavar="TOKEN"))

sentence_argument = click.argument("sentence", nargs=-1, type=Text(), metavar="[SENTENCE]")


def lines_of_input() -> Iterator[list[str]]:
    """The lines of standard input, as many at once as there are. Raises Problem with the number of a line that is not
    UTF-8, after the lines before it."""
    rest, number = b"", 0
    while sys.stdin is not None:
        data = sys.stdin.buffer.read1(1 << 16)  # type: ignore[union-attr]
        lines = (rest + data).split(b"\n")
        rest = lines.pop() if data else b""
        if not data and lines == [b""]:
            return
        read = []
        try:
            for line in lines:
                number += 1
                read.append(line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r"))
        except UnicodeDecodeError as error:
            yield read
            raise Problem("line_not_utf8", line=number, byte=error.start + 1) from None
        if read:
            yield read
        if not data:
            return


def one_argument(arguments: tuple[str, ...]) -> str | None:
    """The sentence as an argument; None where there is none. Raises Problem where it was not put in quotes."""
    if len(arguments) > 1:
        raise Problem("several_arguments", count=len(arguments), sentence=shown(" ".join(arguments)))
    return arguments[0] if arguments else None


def sentence_or_rows(arguments: tuple[str, ...], model: ModelOptions) -> str | None:
    """The sentence; None where there is none and a file of rows needs none."""
    return None if model.input is not None and not arguments else one_sentence(arguments)


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
