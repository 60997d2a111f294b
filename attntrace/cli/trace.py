"""attntrace trace."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from attntrace.cli.options import (
    ALL, TERMINAL_LIMIT, model_options, one_sentence, page_options, page_writer, prepared,
    selected_steps, selection_options, sentence_argument, view_options)
from attntrace.cli.output import destination
from attntrace.cli.progress import progress
from attntrace.errors import Problem
from attntrace.prose import sentence as sentence_of

if TYPE_CHECKING:
    from attntrace.blocks import Block
    from attntrace.run import Run
    from attntrace.stages import View
    from attntrace.tracing import Sink
    from attntrace.writers.terminal import TerminalWriter

    Tell = Callable[[Iterable[Block]], None]


@click.command("trace", help=sentence_of("help.trace"), short_help=sentence_of("help.trace_short"))
@sentence_argument
@model_options
@selection_options
@view_options
@page_options
def command(sentence: tuple[str, ...], **options: Any) -> int:
    run = prepared(one_sentence(sentence), options)
    from attntrace.addresses import known_tokens
    from attntrace.stages import View
    only, tokens = selected_steps(run, options), known_tokens(options["token"], run.source, run.target)
    if tokens and options["format"] == "jsonl":
        raise Problem("token_with", option="--format jsonl")
    if tokens and options["form"] in ("matrix", "both"):
        raise Problem("token_with", option=f"--form {options['form']}")
    with destination(options["output"], options["pager"]) as out:
        limit = (TERMINAL_LIMIT if out.isatty() else ALL) if options["limit"] is None else options["limit"]
        view = View(options["form"] or ("vector" if tokens else "both"), options["arithmetic"], options["precision"],
                    None if limit == ALL else limit, only, tokens)
        passes = len(view.forms) if options["format"] == "text" else 1
        with progress(out, lambda: passes * len(run.addresses())) as count:
            if options["format"] == "jsonl":
                return as_json_lines(run, view, out, count)
            with paused(page_writer(out, options), options["pause"] and not options["pager"]) as tell:
                return as_text(run, view, tell, count)


@contextmanager
def paused(writer: TerminalWriter, asked: bool) -> Iterator[Tell]:
    """The writer, which waits for a key after each stage where that is asked for and somebody is there to press it."""
    if not asked:
        yield writer
        return
    from attntrace.cli.pause import Pauses, keyboard
    with keyboard(writer.out) as keys:
        yield writer if keys is None else Pauses(writer, keys)


def as_text(run: Run, view: View, tell: Tell, count: Sink) -> int:
    """The page: what goes in, each form by a run of its own, the fingerprint. Returns 1 where a check says no."""
    from attntrace.cli import CHECK_FAILED, DONE
    from attntrace.forms import FORMS
    from attntrace.opening import closing, opening
    from attntrace.tracing import Fingerprint, each
    fingerprint = Fingerprint()
    forms = [FORMS[name](view, tell, run.parameters.names) for name in view.forms]
    try:
        tell(opening(run))
        for form in forms:
            run(each(form, count) if fingerprint.steps else each(form, count, fingerprint))  # the next run is the same
            form.close()
        if not any(form.told for form in forms):
            raise Problem("nothing_selected")
        tell(closing(fingerprint))
    except click.exceptions.Exit:
        pass  # whoever reads it has seen enough
    return CHECK_FAILED if any(form.failed for form in forms) else DONE


def as_json_lines(run: Run, view: View, out: TextIO, count: Sink) -> int:
    from attntrace.cli import DONE
    from attntrace.tracing import Fingerprint, each
    from attntrace.writers.jsonl import JsonLinesWriter
    writer, fingerprint = JsonLinesWriter(out, run, view.selected), Fingerprint()
    run(each(writer, fingerprint, count))
    writer.close(fingerprint)
    return DONE
