"""Options shared by commands. Those of a group reach a command as one value, whose fields are named after them."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from attntrace.cli.click_words import Decorated, chained, option, passed
from attntrace.cli.formats import PageOptions, quoted
from attntrace.cli.languages import rendered
from attntrace.cli.values import (ALL, ONE_OR_MORE, POSITIVE, SHARE, Among, InputFile, Known, Limit, Scale, Text,
                                  Weights, Whole, Width, head_addresses, parameter_names, step_addresses)
from attntrace.messages.catalog import Joined, Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import (BASE, CHOICE, ENTRIES, FLAG, INITIAL, LAST_OFFSET, NUMBER, OFFSET, OPTIONS, SIZE,
                                    WIDTH, Config, as_option)
from attntrace.tensor.symbol import DIGITS
from attntrace.tracing.addresses import ROW, Address, check_tokens, matches, row_of, select
from attntrace.training import OPTIMIZERS, SMOOTHING_OVER
from attntrace.writers import DATA, PAGES, PICTURES
from attntrace.writers.terminal_width import NARROWEST, WIDEST

if TYPE_CHECKING:
    from attntrace.pages.view import View
    from attntrace.runs.run import Run, Subject

COLOURS = ("auto", "always", "never")
TERMINAL_LIMIT = 512  # numbers of a step that a terminal shows
DECIMALS = 3
UNKNOWN = ("error", "unk")  # what becomes of words that a vocabulary lacks
CHANGES = ("set", "ablate", "swap")
FILES = (".npz", ".safetensors", ".json")  # endings of files that options name, and no sentence has

# Each option of a group stands under its heading in --help.
model_option, training_option, shown_option, what_if_option, page_option = (
    partial(option, group=group) for group in ("model", "training", "shown", "what_if", "page"))


class ModelOptions(NamedTuple):
    """The model (`entries` of its config by name), what it reads, and what is changed in it. None: not given, which a
    weights file needs to know, or in the place of a sentence standard input."""
    seed: int | None = None
    init: str | None = None
    entries: dict[str, Any] = {}
    weights: str | None = None
    input: str | None = None
    mask: str | None = None
    pad: int | None = None
    ids: bool | None = None
    unknown: str | None = None
    pencil: int | None = None
    target: str | None = None
    set: tuple[str, ...] = ()
    ablate: tuple[str, ...] = ()
    swap: tuple[str, ...] = ()
    sentence: str | None = None

    def words(self) -> str | None:
        """The sentence; None where there is none and a file of rows needs none."""
        return None if self.input is not None and self.sentence is None else one_sentence(self.sentence)

    def read(self) -> ModelOptions:
        """The same with the sentence of standard input, where that is meant."""
        return self._replace(sentence=self.words())

    def without_edits(self) -> ModelOptions:
        return self._replace(set=(), ablate=(), swap=())

    def config(self, default: Config) -> Config:
        return default.replace(**{name: value for name, value in self.entries.items() if value is not None})

    def settings(self) -> dict[str, Any]:
        """The arguments of `prepare` besides the words. Raises Problem where options contradict each other."""
        of_run = {name: value for name, value in self.entries.items() if ENTRIES[name].of_run and value is not None}
        own = {name: value for name, value in self.entries.items() if name not in of_run}
        given = given_options(ModelOptions(self.seed, self.init, own))
        if self.weights is not None and given:
            raise Problem("options_with_weights", options=", ".join(given))
        from attntrace.runs.what_if import Edits  # imports NumPy: only now
        return {"config": self.config(Config()), "seed": self.seed or 0, "init": self.init or INITIAL[0],
                "weights": self.weights, "wiring": of_run, "inputs": self.input, "mask": self.mask, "pad": self.pad,
                "pencil": self.pencil, "ids": bool(self.ids), "unknown": self.unknown or UNKNOWN[0],
                "edits": Edits(self.set, self.ablate, self.swap)}

    def prepared(self, sentence: str | None) -> Run:
        from attntrace.runs.prepare import prepare
        run = prepare(sentence, self.target, **self.settings())
        told(run.notes)
        return run


def told(notes: Iterable[Message]) -> None:
    """Say on standard error what was changed in the input; not in a completion."""
    ctx = click.get_current_context(silent=True)
    for note in notes:
        if ctx is not None and not ctx.resilient_parsing:
            click.echo(rendered(note), err=True)


class LearningOptions(NamedTuple):
    """How a training step learns; `backprop`: whether one is verified, and not a run."""
    backprop: bool | None = None
    optimizer: str | None = None
    lr: float | None = None
    label_smoothing: float | None = None
    label_smoothing_over: str | None = None

    def settings(self) -> dict[str, Any]:
        """The arguments of `prepare_training_step` besides the words and the model."""
        return {"optimizer": self.optimizer or "sgd", "lr": self.lr, "smoothing": self.label_smoothing or 0.0,
                "over": self.label_smoothing_over or SMOOTHING_OVER[0]}


class Selection(NamedTuple):
    """What is shown of a run, and how much of it; `trace` and `step`: of a translation."""
    only: tuple[str, ...] = ()
    layer: tuple[int, ...] = ()
    head: tuple[int | str, ...] = ()
    token: tuple[str, ...] = ()
    form: str | None = None
    arithmetic: str = "first"
    precision: int | None = None
    limit: int | None = None
    explain: bool = True
    trace: bool = False
    step: int | None = None
    row: tuple[str, str] | None = None  # a pattern of `only` that was the symbol of a row, and that of its step

    @property
    def selects(self) -> bool:
        """Whether an option names steps."""
        return bool(self.only or self.layer or self.head or self.trace or self.step)

    def with_rows(self, subject: Subject) -> Selection:
        """The same, where a pattern is the symbol of a row: --only q₁ is --only q --token 1."""
        if not any(ROW.fullmatch(pattern.translate(DIGITS)) for pattern in self.only):
            return self
        addresses = subject.addresses()
        parts = [row_of(pattern, addresses) for pattern in self.only]
        return self._replace(only=tuple(pattern for pattern, _ in parts),
                             token=(*self.token, *(one for _, row in parts for one in row)),
                             row=next(((pattern, step) for pattern, (step, row) in zip(self.only, parts) if row), None))

    def addresses(self, subject: Subject) -> frozenset[str] | None:
        """The addresses of the selected steps; None where no option names any."""
        if not self.selects:
            return None
        addresses = subject.addresses()
        if self.step:
            last = max(Address.of(address).number("step") or 0 for address in addresses)
            if self.step > last:
                raise Problem("no_such_step", step=self.step, last=last)
            addresses = {address: symbol for address, symbol in addresses.items()
                         if Address.of(address).number("step") == self.step}
        with needing_target(subject.run):
            return select(self.only, self.layer, self.head, addresses)

    def asked(self, model: ModelOptions) -> ModelOptions:
        """The model with the steps that it has only where they are asked for."""
        return model._replace(entries=model.entries | {"mean_weights": True}) if "mean" in self.head else model

    def tokens(self, run: Run, page: PageOptions) -> tuple[str, ...]:
        """The tokens whose rows are selected. Raises Problem where the run has none of them, or the page no rows."""
        tokens = check_tokens(self.token, [begins.texts for begins in (run.source, run.target) if begins is not None])
        option = f"--format {page.format}" if page.is_data else f"--form {self.form}"
        if tokens and (page.is_data or self.form in ("matrix", "both")):
            if self.row is None:
                raise Problem("token_with", option=option)
            raise Problem("row_with", pattern=shown(self.row[0]), step=shown(self.row[1]), option=option)
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
                    None if limit == ALL else limit, addresses, tokens, exact=pencil is not None, explain=self.explain,
                    in_full=self.limit == ALL, short=to_terminal and self.limit is None)


def architecture_options(defaults: Config) -> Callable[[Decorated], Decorated]:
    """Sizes and wiring, and the seed; `defaults`: what their help texts say."""
    return passed("model", ModelOptions, model_option("--seed", type=Whole(0), default=None, stands_for=0, metavar="N"),
                  *(entry_option(name, getattr(defaults, name)) for name in OPTIONS))


def entry_option(name: str, default: Any) -> Callable[[Decorated], Decorated]:
    """The option for an entry of a config, whose value goes into `entries`."""
    entry, spelled = ENTRIES[name], as_option(name)
    if entry.kind == FLAG:
        yes, no = spelled, as_option(f"no_{name}")
        return model_option(f"{yes}/{no}", default=None, stands_for=yes if default else no, **COLLECTED)
    kinds = {SIZE: (Whole(), "N"), OFFSET: (Whole(0, LAST_OFFSET), "N"), BASE: (ONE_OR_MORE, "X"),
             CHOICE: (Among(entry.words), None), WIDTH: (Width(entry.words), "N"), NUMBER: (POSITIVE, "X")}
    kind, metavar = kinds.get(entry.kind, (Scale(entry.words), "|".join((*entry.words, "X"))))
    return model_option(spelled, type=kind, default=None, stands_for=default, metavar=metavar, **COLLECTED)


def collect(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Put an option into the context's `entries`, in the order of a config."""
    ctx.params.setdefault("entries", dict.fromkeys(OPTIONS))[param.name] = value


COLLECTED: dict[str, Any] = {"callback": collect, "expose_value": False}


reading_options = chained(
    model_option("--ids", is_flag=True, default=None),
    model_option("--unknown", type=Among(UNKNOWN), default=None, stands_for=UNKNOWN[0]))
change_options = chained(
    what_if_option("--set", type=Known(parameter_names), multiple=True, metavar="PARAMETER:ROW,COLUMN=X"),
    what_if_option("--ablate", type=Known(head_addresses), multiple=True, metavar="HEAD"),
    what_if_option("--swap", type=Text(), multiple=True, metavar="I,J"))
unrounded_options = chained(
    architecture_options(Config()),
    model_option("--init", type=Among(INITIAL), default=None, stands_for=INITIAL[0]),
    model_option("--weights", metavar="FILE", type=Weights()),
    model_option("--input", metavar="FILE", type=InputFile()),
    model_option("--mask", metavar="FILE", type=InputFile()),
    model_option("--pad", type=Whole(1), default=None, metavar="N"),
    reading_options,
    change_options)
seeded_options = chained(unrounded_options, model_option("--pencil", type=Whole(1, 9), default=None, metavar="N"))
target_option = model_option("--target", type=Text(), metavar="TEXT")
model_options = chained(target_option, seeded_options)

learning_options = passed(
    "learning", LearningOptions,
    training_option("--optimizer", type=Among(tuple(OPTIMIZERS)), default=None, stands_for="sgd"),
    training_option("--lr", type=POSITIVE, metavar="X", default=None,
                    stands_for=", ".join(f"{name} {lr}" for name, lr in OPTIMIZERS.items())),
    training_option("--label-smoothing", type=SHARE, default=None, stands_for=0.0, metavar="X"),
    training_option("--label-smoothing-over", type=Among(SMOOTHING_OVER), default=None, stands_for=SMOOTHING_OVER[0]))


def page_options_of(*formats: str, place: str = "FILE") -> Callable[[Decorated], Decorated]:
    """How a page looks, and where it goes, to a FILE or into a FOLDER; in one of these formats."""
    return passed(
        "page", PageOptions,
        page_option("--format", type=Among(formats), default=None),
        page_option("-o", "output", metavar=place, type=click.Path(),
                    text="output" if place == "FILE" else "output_folder"),
        page_option("--width", type=Whole(NARROWEST, WIDEST), metavar="N", envvar="ATTNTRACE_WIDTH"),
        page_option("--ascii", is_flag=True),
        page_option("--pause", is_flag=True),
        page_option("--big", is_flag=True),
        page_option("--fragment", is_flag=True),
        page_option("--color", type=Among(COLOURS), default=COLOURS[0], stands_for=COLOURS[0],
                    envvar="ATTNTRACE_COLOR"),
        page_option("--pager/--no-pager", default=None),
        make=partial(PageOptions.settled, formats))


page_options = page_options_of(*PAGES)
run_page_options = page_options_of(*PAGES, *DATA, *PICTURES)  # of commands that write the steps of a run


def precision_option(**settings: Any) -> Callable[[Decorated], Decorated]:
    return shown_option("--precision", type=Whole(0, 17), default=None, metavar="N", **settings)


selection_options = passed(
    "selection", Selection,
    shown_option("--only", type=Known(step_addresses), multiple=True, metavar="ADDRESS"),
    shown_option("--layer", type=Whole(), multiple=True, metavar="N"),
    shown_option("--head", type=Width(("mean",)), multiple=True, metavar="N|mean"))


@contextmanager
def needing_target(run: Run) -> Iterator[None]:
    """Raise Problem where an address is not found only because the run has no target."""
    try:
        yield
    except Problem as problem:
        if (problem.key not in ("no_such_address", "no_such_tensor") or run.target is not None
                or run.seed is None and run.vocabularies.target is None or not run.config.architecture.has_words):
            raise
        from attntrace.runs.prepare import prepare
        pattern = str(problem.facts["pattern"])
        if not matches(pattern, prepare("a", "a", config=run.config.small()).addresses()):
            raise
        raise Problem("needs_target", pattern=pattern) from None


def given_options(*values: Any) -> list[str]:
    """The options of these NamedTuples that were given."""
    return [as_option(name) for name, _ in given_values(*values)]


def given_values(*values: Any) -> list[tuple[str, Any]]:
    given = [pair for value in values for name, one in value._asdict().items()
             for pair in (one.items() if isinstance(one, Mapping) else [(name, one)])]
    return [(name, value) for name, value in given if value not in (None, ()) and name != "sentence"]


def typed(*values: Any) -> str:
    """The words of a command line that give the sentence and the options of these NamedTuples."""
    sentences = (getattr(one, "sentence", None) for one in values)
    words = [f" {one}" if one.startswith("-") else one for one in sentences if one is not None]  # not an option
    for name, value in given_values(*values):
        for one in value if isinstance(value, tuple) else [value]:
            text = str(one).removesuffix(".0") if isinstance(one, float) else str(one)
            words += [as_option(f"no_{name}" if one is False else name), *([] if isinstance(one, bool) else [text])]
    return " ".join(map(quoted, words))


def from_option(**settings: Any) -> Callable[[Decorated], Decorated]:
    return option("--from", "saved_run", metavar="FILE", type=InputFile(), text="from", **settings)


def check_from(model: ModelOptions, learning: LearningOptions) -> None:
    """Raise Problem where an option is given that a saved run has a value of its own for."""
    given = ["SENTENCE"] if model.sentence is not None else given_options(model, learning)
    if given:
        raise Problem("from_with", option=given[0])


quiet_option = page_option("--quiet", "-q", is_flag=True, text="quiet")
save_option = page_option("--save", metavar="FILE.npz", type=click.Path())
text_options = chained(
    shown_option("--form", type=Among(("both", "vector", "matrix")), default=None, stands_for="both"),
    shown_option("--arithmetic", type=Among(("first", "all", "none")), default="first", stands_for="first"),
    precision_option(stands_for=DECIMALS),
    shown_option("--limit", type=Limit(), metavar="N|all"),
    shown_option("--explain/--no-explain", default=True, stands_for="--explain", text="explain_steps"))
view_options = chained(text_options, shown_option("--token", type=Text(), multiple=True, metavar="TOKEN"))


def one_argument(ctx: click.Context, param: click.Parameter, arguments: tuple[str, ...]) -> str | None:
    """The sentence as an argument; None where there is none. Raises Problem where it was not put in quotes."""
    if len(arguments) > 1:
        what_if = ctx.params.get("what_if")  # an option without its value, where its quotes were forgotten
        if any(what_if in one.opts and isinstance(one, click.Option) and not one.is_flag for one in ctx.command.params):
            value = next((one for one in arguments if " " not in one), arguments[1])
            raise Problem("what_if_apart", options=shown(f"{what_if} {value}"))
        raise Problem("several_arguments", count=len(arguments), sentence=shown(" ".join(arguments)))
    return no_file(ctx, param, arguments[0] if arguments else None)


def no_file(ctx: click.Context, param: click.Parameter, argument: str | None) -> str | None:
    """A sentence or an address as it is. Raises Problem where it is the name of a file that an option should have."""
    if argument is not None and len(argument.split()) == 1 and argument.lower().endswith(FILES):
        known = {name for one in ctx.command.params for name in one.opts}
        ways = ["weights"] * ("--weights" in known)
        if argument.lower().endswith(".npz"):
            ways.insert(0, "from" if "--from" in known else "show")
        if ways:
            raise Problem("file_as_words", file=shown(argument), ways=Joined("; ", [
                Message(f"problem.why.file_{way}", file=quoted(argument)) for way in ways]))
    return argument


sentence_argument = click.argument("sentence", nargs=-1, type=Text(), metavar="[SENTENCE]", callback=one_argument)


def lines_of_input() -> Iterator[list[str]]:
    """The lines of standard input, as many at once as there are in some kilobytes. Raises Problem with the number of a
    line that is not UTF-8, after the lines before it."""
    number = 0
    while sys.stdin is not None and (data := sys.stdin.buffer.read1(1 << 12)):  # type: ignore[union-attr]
        if not data.endswith(b"\n"):
            data += sys.stdin.buffer.readline()
        read: list[str] = []
        for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), start=number + 1):
            try:
                read.append(line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r"))
            except UnicodeDecodeError as error:
                yield read
                raise Problem("line_not_utf8", line=number, byte=error.start + 1) from None
        yield read


def one_sentence(argument: str | None) -> str:
    """The sentence: the argument, or the one line of standard input where it is `-` or missing."""
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
    click.get_current_context().obj.sentence = sentence = lines[0].strip() if lines else ""
    return sentence
