"""attntrace backprop: one training step, forwards and backwards."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from attntrace.cli import click_words as commands
from attntrace.cli.click_words import option
from attntrace.cli.formats import is_data, page_on
from attntrace.cli.options import (given_model, learning, learning_options, quiet_option, run_page_options, save_option,
                                   seeded_options, selected_steps, selection_options, view_options)
from attntrace.cli.output import destination
from attntrace.cli.page import Parts, as_data, asked_tokens, left_early, paused, saved, view_of
from attntrace.cli.progress import progress
from attntrace.cli.values import Text
from attntrace.messages.errors import Problem

if TYPE_CHECKING:
    from attntrace.cli.page import Tell
    from attntrace.pages.view import View
    from attntrace.runs.training_step import TrainingStep
    from attntrace.tracing.trace import Sink


@commands.command("backprop")
@click.argument("source", type=Text())
@click.argument("target", type=Text())
@learning_options
@option("--check", is_flag=True)
@seeded_options
@selection_options
@view_options
@save_option
@quiet_option
@run_page_options
def command(source: str, target: str, **options: Any) -> int:
    from attntrace.runs.training_step import prepare_training_step
    training_step = prepare_training_step(source, target, **learning(options), **given_model(options))
    if options["check"] and training_step.run.config.dtype != "float64":
        raise Problem("check_needs_float64")
    if options["check"] and options["pencil"] is not None:
        raise Problem("pencil_with_check")
    if options["check"] and is_data(options):
        raise Problem("check_with_data", format=options["format"])
    only = selected_steps(training_step, options)
    tokens = asked_tokens(options, training_step.run)
    saved(training_step, options)
    with destination(options["output"], options["pager"]) as out:
        view = view_of(options, out, only, tokens)
        passes = 1 if is_data(options) else len(view.forms)
        with progress(out, lambda: passes * len(training_step.addresses())) as count:
            if is_data(options):
                return as_data(training_step, training_step.run, view, out, count, options,
                               {"training": training_step.record()}, {"loss": training_step.loss_record()})
            with page_on(out, options) as writer, paused(writer, options) as tell:
                return as_text(training_step, view, tell, count, options["check"])


def as_text(training_step: TrainingStep, view: View, tell: Tell, count: Sink, check: bool) -> int:
    """The page: what goes in and what should come out, each form, the loss after the update."""
    from attntrace.pages.gradient_check import GradientCheck
    from attntrace.pages.overview import run_closing, training_step_closing, training_step_overview
    from attntrace.tracing.trace import tee
    names, differences = training_step.run.parameters.names, GradientCheck(training_step) if check else None
    drift = training_step.drift()
    parts = Parts(view, tell, names, differences) if differences else Parts(view, tell, names)
    with left_early():
        tell(training_step_overview(training_step))
        parts(training_step, tee(differences and differences.watch, drift, count))
        tell(training_step_closing(training_step))
        tell(run_closing(training_step.run, parts.fingerprint, drift))
    return parts.code
