"""attntrace trace: every step of a model on a sentence."""
from attntrace.cli import click_words, options
from attntrace.cli.formats import PageOptions
from attntrace.cli.subject import write


@click_words.command("trace")
@options.sentence_argument
@options.model_options
@options.selection_options
@options.view_options
@options.save_option
@options.quiet_option
@options.run_page_options
def command(model: options.ModelOptions, selection: options.Selection, page: PageOptions) -> int:
    model = selection.asked(model).read()
    return write(model.prepared(model.sentence), selection, page, options.typed(model))
