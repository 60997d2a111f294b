"""attntrace check: a person's own numbers beside those of a run, and what was done otherwise."""
from __future__ import annotations

import click

from attntrace.cli import click_words, options
from attntrace.cli.exit_codes import CHECK_FAILED, DONE
from attntrace.cli.formats import PageOptions, quoted, write_blocks
from attntrace.cli.languages import rendered
from attntrace.cli.subject import settled, subject_of
from attntrace.cli.values import NOT_NEGATIVE, InputFile
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.tracing.addresses import Address


@click_words.command("check")
@click.argument("mine", type=InputFile(), required=False)
@options.sentence_argument
@click_words.option("--names", is_flag=True, text="check_names")
@click_words.option("--how", is_flag=True, text="check_how")
@click_words.option("--tolerance", type=NOT_NEGATIVE, metavar="X", text="check_tolerance")
@click_words.option("--backprop", is_flag=True, default=None, text="check_backprop")
@options.learning_options
@options.model_options
@options.quiet_option
@options.page_options
def command(mine: str | None, names: bool, how: bool, tolerance: float | None, learning: options.LearningOptions,
            model: options.ModelOptions, page: PageOptions) -> int:
    from attntrace.pages import check as pages
    if how:
        for name, code in pages.HOW.items():
            click.echo(f"# {rendered(Message(f'messages.check_how_{name}'))}\n{code}")
        return DONE
    if names:
        model = settled(model._replace(sentence=mine if model.sentence is None else model.sentence))
        subject = subject_of(model, learning if learning.backprop else None)
        from attntrace.runs.slips import steps_of
        write_blocks(pages.names(subject, steps_of(subject)), page)
        return DONE
    if mine is None:
        raise Problem("check_no_file")
    import pathlib

    from attntrace.files.named import read_arrays
    arrays = read_arrays(pathlib.Path(mine))
    model = settled(model)
    learns = learning.backprop or model.target is not None and any(Address.of(name).is_of_training for name in arrays)
    given = options.given_options(learning)
    if given and not learns:
        raise Problem("only_with_backprop", option=given[0])
    from attntrace.runs.check import check
    result = check(arrays, subject_of(model, learning if learns else None), tolerance)
    again = options.typed(model, learning._replace(backprop=None)) if learns else options.typed(model)
    write_blocks(pages.checked(result, quoted(mine), again), page)
    return DONE if result.first is None else CHECK_FAILED
