"""attntrace trace."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

import click

from attntrace.cli.options import (
    ALL, TERMINAL_LIMIT, model_options, one_sentence, page_options, prepared, sentence_argument,
    view_options)
from attntrace.cli.output import destination
from attntrace.prose import sentence as sentence_of

if TYPE_CHECKING:
    from attntrace.forms import View
    from attntrace.run import Run
    from attntrace.tracing import Step


@click.command("trace", help=sentence_of("help.trace"), short_help=sentence_of("help.trace_short"))
@sentence_argument
@model_options
@view_options
@page_options
def command(sentence: tuple[str, ...], **options: Any) -> int:
    run = prepared(one_sentence(sentence), options)
    from attntrace.addresses import selected
    from attntrace.forms import View
    only = selected(options["only"], run.addresses()) if options["only"] else None
    with destination(options["output"]) as out:
        limit = (TERMINAL_LIMIT if out.isatty() else ALL) if options["limit"] is None else options["limit"]
        view = View(options["form"], options["arithmetic"], options["precision"], None if limit == ALL else limit, only)
        if options["format"] == "jsonl":
            return as_json_lines(run, view, out)
        return as_text(run, view, out, options["width"], options["ascii"])


def as_text(run: Run, view: View, out: TextIO, width: int | None, ascii: bool) -> int:
    """The page: what goes in, each form by a run of its own, the fingerprint. Returns 1 where a check says no."""
    from attntrace.cli import CHECK_FAILED, DONE
    from attntrace.forms import FORMS
    from attntrace.opening import closing, opening
    from attntrace.tracing import Fingerprint
    from attntrace.writers.terminal import TerminalWriter
    writer = TerminalWriter(out, width, ascii)
    writer(opening(run))
    names = run.parameters.names
    failed, fingerprint = False, Fingerprint()
    for number, name in enumerate(view.forms):
        form = FORMS[name](view, writer, names)

        def sink(step: Step) -> None:
            form(step)  # noqa: B023 - the run is over before the loop goes on
            if number == 0:  # noqa: B023
                fingerprint(step)

        run(sink)
        form.close()
        failed |= bool(form.failed)
    writer(closing(fingerprint))
    return CHECK_FAILED if failed else DONE


def as_json_lines(run: Run, view: View, out: TextIO) -> int:
    from attntrace.tracing import Fingerprint
    from attntrace.writers.jsonl import JsonLinesWriter
    writer, fingerprint = JsonLinesWriter(out, run, view.selected), Fingerprint()

    def sink(step: Step) -> None:
        writer(step)
        fingerprint(step)

    run(sink)
    writer.close(fingerprint)
    return 0
