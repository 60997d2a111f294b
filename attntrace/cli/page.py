"""One way from a run, a training step or a translation to its page, its data or its file."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

import click

from attntrace.cli.exit_codes import CHECK_FAILED, DONE
from attntrace.cli.formats import PageOptions, writer_on
from attntrace.cli.options import Selection
from attntrace.cli.output import binary, check_place, destination, same_place
from attntrace.cli.progress import progress
from attntrace.messages.errors import Problem
from attntrace.writers import DATA

if TYPE_CHECKING:
    from attntrace.pages.blocks import Block
    from attntrace.pages.checks import GradientCheck
    from attntrace.pages.view import View
    from attntrace.runs.run import Subject
    from attntrace.tracing.trace import Sink, Step
    from attntrace.writers.page import Writer


def write(subject: Subject, selection: Selection, page: PageOptions, save: str | None = None,
          differences: GradientCheck | None = None) -> int:
    """Write the page of a subject, or its steps as data. `save`: the file that --save names. Returns the exit code."""
    addresses, tokens = selection.addresses(subject), selection.tokens(subject.run, page)
    write_saved_run(subject, save, page)
    with destination(page.output, page.pager) as out:
        view = selection.view(subject.run.pencil, out.isatty() and page.is_text, addresses, tokens)
        passes = 1 if page.is_data else len(view.forms)
        with progress(out, lambda: passes * len(subject.addresses())) as count:
            if page.is_data:
                return write_data(subject, view, selection.precision, page.format, out, count)
            from attntrace.pages.page import Page
            with writer_on(out, page) as writer:
                with paused(writer, page) as show, suppress(click.exceptions.Exit):  # raised by the key that quits
                    sheets = Page(subject, view, show, count, differences)
                    sheets()
                if sheets.result:
                    writer(sheets.result)
            return CHECK_FAILED if sheets.failed else DONE


def write_data(subject: Subject, view: View, precision: int | None, format: str, out: TextIO, count: Sink) -> int:
    """The selected steps for programs, each as soon as it is computed."""
    from attntrace.runs.run import Recorder, footer
    from attntrace.tracing.trace import Fingerprint, tee
    writer = DATA[format].load()(out, subject, precision)
    record, fingerprint, drift = Recorder(subject.run.parameters.by_name, writer.write), Fingerprint(), subject.drift()

    def sink(step: Step) -> None:
        if view.shows(step):
            record(step)
            out.flush()

    subject(tee(sink, fingerprint, count, drift))
    writer.close(footer(fingerprint) | subject.footer() | ({} if drift is None else {"drift": drift.record()}))
    return DONE


def write_saved_run(subject: Subject, file: str | None, page: PageOptions) -> None:
    """Write the whole run into the file that --save names, before its page: it is complete even where the reader leaves
    the page early."""
    if file is None:
        return
    if same_place(page.output, file):
        raise Problem("save_is_output", file=file)
    if not file.lower().endswith(".npz"):
        raise Problem("save_ending", file=file)
    if page.output is not None and page.output != "-":
        check_place(page.output)
    from attntrace.runs.saved import save
    with binary(file) as out:
        save(subject, out)


@contextmanager
def paused(writer: Writer, page: PageOptions) -> Iterator[Callable[[Iterable[Block]], None]]:
    """The writer, which waits for a key after each sheet where --pause is given and there is a keyboard."""
    if not page.pause or page.pager or page.quiet or not page.is_text:
        yield writer
        return
    from attntrace.cli.pause import Pauses, keyboard
    from attntrace.writers.text.writer import TerminalWriter
    assert isinstance(writer, TerminalWriter)
    with keyboard(writer.out) as keys:
        yield writer if keys is None else Pauses(writer, keys)
