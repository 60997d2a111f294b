"""What commands that print a page share: its view, its parts, a pause after each stage."""
from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from attntrace.cli.exit_codes import CHECK_FAILED, DONE
from attntrace.cli.formats import is_data, is_text
from attntrace.cli.options import TERMINAL_LIMIT, checked_precision
from attntrace.cli.output import binary, check_place, same_place
from attntrace.cli.values import ALL
from attntrace.messages.errors import Problem

if TYPE_CHECKING:
    from attntrace.pages.blocks import Block, Check
    from attntrace.pages.view import View
    from attntrace.runs.decoding import Decoding
    from attntrace.runs.run import Run
    from attntrace.runs.training_step import TrainingStep
    from attntrace.tracing.trace import Sink, Step
    from attntrace.writers.page import Writer

    Tell = Callable[[Iterable[Block]], None]


def view_of(options: dict[str, Any], out: TextIO, only: frozenset[str] | None, tokens: tuple[str, ...] = ()) -> View:
    """What the view options ask for; of a large step a terminal shows less than a file."""
    from attntrace.pages.view import View
    limit = options["limit"]
    if limit is None:
        limit = TERMINAL_LIMIT if out.isatty() and is_text(options) else ALL
    return View(options["form"] or ("vector" if tokens else "both"), options["arithmetic"], checked_precision(options),
                None if limit == ALL else limit, only, tokens, exact=options.get("pencil") is not None,
                explain=options["explain"])


def asked_tokens(options: dict[str, Any], run: Run) -> tuple[str, ...]:
    """The words whose rows alone are asked for. Raises Problem where there are none such, or no rows."""
    from attntrace.tracing.addresses import known_tokens
    tokens = known_tokens(options["token"], [begins.texts for begins in (run.source, run.target) if begins is not None])
    if tokens and is_data(options):
        raise Problem("token_with", option=f"--format {options['format']}")
    if tokens and options["form"] in ("matrix", "both"):
        raise Problem("token_with", option=f"--form {options['form']}")
    return tokens


def saved(told: Run | TrainingStep | Decoding, options: dict[str, Any]) -> None:
    """Write the whole run into the file that --save names, if any, before anything is printed: whoever leaves the page
    early has it all the same."""
    if options["save"] is None:
        return
    page = options["output"]
    if same_place(page, options["save"]):
        raise Problem("save_is_output", file=options["save"])
    if not options["save"].lower().endswith(".npz"):
        raise Problem("save_ending", file=options["save"])
    if page not in (None, "-"):
        check_place(page)
    from attntrace.runs.saved import save
    with binary(options["save"]) as file:
        save(told, file)


@contextmanager
def paused(writer: Writer, options: dict[str, Any]) -> Iterator[Tell]:
    """The writer, which waits for a key after each stage where that is asked for and somebody is there to press it."""
    if not options["pause"] or options["pager"] or options.get("quiet") or not is_text(options):
        yield writer
        return
    from attntrace.cli.pause import Pauses, keyboard
    from attntrace.writers.text.writer import TerminalWriter
    assert isinstance(writer, TerminalWriter)
    with keyboard(writer.out) as keys:
        yield writer if keys is None else Pauses(writer, keys)


class Parts:
    """The parts of a page: each form, by a run of its own."""

    def __init__(self, view: View, tell: Tell, parameters: Container[str],
                 *more: Callable[[Step], list[Check]]) -> None:
        from attntrace.pages.forms import FORMS
        from attntrace.tracing.fingerprint import Fingerprint
        explained: set[str] = set()  # in any part
        self.forms = [FORMS[name](view, tell, parameters, explained, *more) for name in view.forms]
        self.fingerprint = Fingerprint()  # of the first run: the next one is the same

    def __call__(self, run: Run | TrainingStep | Decoding, count: Sink = lambda step: None) -> None:
        """Run and tell. Raises Problem where there was nothing to tell."""
        from attntrace.tracing.trace import tee
        for form in self.forms:
            run(tee(form, count) if self.fingerprint.steps else tee(form, count, self.fingerprint))
            form.close()
        if not any(form.has_written for form in self.forms):
            raise Problem("nothing_selected")

    @property
    def code(self) -> int:
        return CHECK_FAILED if any(form.failed for form in self.forms) else DONE


@contextmanager
def left_early() -> Iterator[None]:
    """Whoever reads the page may have seen enough before its end."""
    try:
        yield
    except click.exceptions.Exit:
        pass


def as_data(run: Run | TrainingStep | Decoding, said: Run, view: View, out: TextIO, count: Sink,
            options: dict[str, Any], header: dict[str, Any] = {}, footer: dict[str, Any] = {}) -> int:
    """The steps for programs; `said` is what the header tells of, `header` and `footer` what these have more."""
    from attntrace.tracing.fingerprint import Fingerprint
    from attntrace.tracing.trace import tee
    from attntrace.writers import DATA
    writer = DATA[options["format"]].load()(out, said, view.selected, options["precision"], header)
    fingerprint = Fingerprint()
    drift = run.drift()
    run(tee(writer, fingerprint, count, drift))
    if drift is not None:
        footer = {**footer, "drift": drift.record()}
    writer.close(fingerprint, footer)
    return DONE
