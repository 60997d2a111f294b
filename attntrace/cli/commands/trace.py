"""attntrace trace."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attntrace.cli import click_words as commands
from attntrace.cli.formats import is_data, page_on
from attntrace.cli.options import (model_options, prepared, quiet_option, run_page_options, save_option, selected_steps,
                                   selection_options, sentence_argument, sentence_or_rows, view_options)
from attntrace.cli.output import destination
from attntrace.cli.page import Parts, as_data, asked_tokens, left_early, paused, saved, view_of
from attntrace.cli.progress import progress

if TYPE_CHECKING:
    from attntrace.cli.page import Tell
    from attntrace.pages.view import View
    from attntrace.runs.run import Run
    from attntrace.tracing.trace import Sink


@commands.command("trace")
@sentence_argument
@model_options
@selection_options
@view_options
@save_option
@quiet_option
@run_page_options
def command(sentence: tuple[str, ...], **options: Any) -> int:
    run = prepared(sentence_or_rows(sentence, options), options)
    only, tokens = selected_steps(run, options), asked_tokens(options, run)
    saved(run, options)
    with destination(options["output"], options["pager"]) as out:
        view = view_of(options, out, only, tokens)
        passes = 1 if is_data(options) else len(view.forms)
        with progress(out, lambda: passes * len(run.addresses())) as count:
            if is_data(options):
                return as_data(run, run, view, out, count, options)
            with page_on(out, options) as writer, paused(writer, options) as tell:
                return as_text(run, view, tell, count)


def as_text(run: Run, view: View, tell: Tell, count: Sink) -> int:
    """The page: what goes in, each form by a run of its own, the fingerprint. Returns 1 where a check says no."""
    from attntrace.pages.overview import run_closing, run_overview
    from attntrace.tracing.trace import tee
    parts, drift = Parts(view, tell, run.parameters.names), run.drift()
    with left_early():
        tell(run_overview(run))
        parts(run, tee(drift, count))
        tell(run_closing(run, parts.fingerprint, drift, is_result=True))
    return parts.code
