"""attntrace backprop: one training step, forwards and backwards."""
import click

from attntrace.cli import click_words, options
from attntrace.cli.formats import PageOptions
from attntrace.cli.options import LearningOptions, ModelOptions, Selection
from attntrace.cli.subject import write
from attntrace.cli.values import Text
from attntrace.messages.errors import Problem


@click_words.command("backprop")
@click.argument("source", type=Text(), callback=options.no_file)
@click.argument("target", type=Text(), callback=options.no_file)
@options.learning_options
@options.training_option("--check", is_flag=True, text="check_gradients")
@options.seeded_options
@options.selection_options
@options.view_options
@options.save_option
@options.quiet_option
@options.run_page_options
def command(source: str, learning: LearningOptions, check: bool, model: ModelOptions, selection: Selection,
            page: PageOptions) -> int:
    from attntrace.runs.training_step import prepare_training_step
    model = selection.asked(model)
    training_step = prepare_training_step(source, model.target or "", **learning.settings(), **model.settings())
    options.told(training_step.run.notes)
    again = options.typed(model._replace(sentence=source), learning)
    if not check:
        return write(training_step, selection, page, again)
    if training_step.run.config.dtype != "float64":
        raise Problem("check_needs_float64")
    if model.pencil is not None:
        raise Problem("pencil_with_check")
    if page.is_data:
        raise Problem("check_with_data", format=page.format)
    from attntrace.pages.checks import GradientCheck
    return write(training_step, selection, page, again, GradientCheck(training_step))
