"""attntrace trace."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from attntrace.cli.options import (
    model_options, page_options, page_writer, prepared, save_option, selected_steps, selection_options,
    sentence_argument, sentence_or_rows, view_options)
from attntrace.cli.output import destination
from attntrace.cli.pages import Parts, as_json_lines, asked_tokens, left_early, paused, saved, view_of
from attntrace.cli.progress import progress
from attntrace.prose import sentence as sentence_of

if TYPE_CHECKING:
    from attntrace.cli.pages import Tell
    from attntrace.run import Run
    from attntrace.view import View
    from attntrace.tracing import Sink


@click.command("trace", help=sentence_of("help.trace"), short_help=sentence_of("help.trace_short"))
@sentence_argument
@model_options
@selection_options
@view_options
@save_option
@page_options
def command(sentence: tuple[str, ...], **options: Any) -> int:
    run = prepared(sentence_or_rows(sentence, options), options)
    only, tokens = selected_steps(run, options), asked_tokens(options, run)
    saved(run, options)
    with destination(options["output"], options["pager"]) as out:
        view = view_of(options, out, only, tokens)
        passes = len(view.forms) if options["format"] == "text" else 1
        with progress(out, lambda: passes * len(run.addresses())) as count:
            if options["format"] == "jsonl":
                return as_json_lines(run, run, view, out, count)
            with paused(page_writer(out, options), options) as tell:
                return as_text(run, view, tell, count)


def as_text(run: Run, view: View, tell: Tell, count: Sink) -> int:
    """The page: what goes in, each form by a run of its own, the fingerprint. Returns 1 where a check says no."""
    from attntrace.opening import closing, opening
    from attntrace.tracing import each
    parts, drift = Parts(view, tell, run.parameters.names), run.drift()
    with left_early():
        tell(opening(run))
        parts(run, each(drift, count))
        tell(closing(run, parts.fingerprint, drift))
    return parts.code
