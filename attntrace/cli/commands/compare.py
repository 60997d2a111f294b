"""attntrace compare: an experiment, one run beside the same with something changed."""
import shlex
from typing import Any

import click

from attntrace.cli import click_words, options
from attntrace.cli.formats import PageOptions, write_blocks
from attntrace.cli.values import Text, misused
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import ENTRIES


def no_words(ctx: click.Context, param: click.Parameter, words: tuple[str, ...]) -> None:
    if words:
        raise Problem("what_if_words", words=shown(" ".join(words)))


@click.command("what-if", add_help_option=False)
@click.argument("words", nargs=-1, expose_value=False, callback=no_words)
@options.model_options
def experiment(**options: Any) -> None:
    """Only parses the options of an experiment."""


@click_words.command("compare")
@options.sentence_argument
@click_words.option("--what-if", type=Text(), metavar="OPTIONS")
@options.model_options
@options.quiet_option
@options.page_options
def command(what_if: str | None, model: options.ModelOptions, page: PageOptions) -> None:
    if what_if is not None:
        change = changes(what_if)
    else:  # the edits are the experiment
        change = options.ModelOptions(set=model.set, ablate=model.ablate, swap=model.swap)
        model, what_if = model.without_edits(), options.typed(change)
        if not what_if:
            raise Problem("compare_nothing")
    model = model.read()
    words, alone = model.sentence, True
    from attntrace.pages.diff import compared
    changed = with_changes(model, change)
    one = model.prepared(words)
    if model.weights is not None and changed.weights == model.weights:
        wiring = {name: value for name, value in changed.entries.items()
                  if ENTRIES[name].rewires and value != model.entries[name]}
        other = changed._replace(entries=changed.entries | dict.fromkeys(wiring)).prepared(words)
        alone = not wiring
        other = other._replace(config=other.config.replace(**wiring))  # the same parameters, wired in another way
        if lacking := other.missing_parameters():
            from attntrace.files.torch import some
            raise Problem("what_if_lacks", options=what_if, file=model.weights, names=some(lacking))
    else:
        other = changed.prepared(words)
    others = options.typed(change.without_edits())
    write_blocks(list(compared(one, other, what_if, others, options.typed(model), alone)), page)


def changes(what_if: str) -> options.ModelOptions:
    """The options of an experiment. Raises Problem where there are none, or others."""
    try:
        given = experiment.make_context("what-if", shlex.split(what_if), parent=click.get_current_context()).params
    except ValueError:
        raise Problem("what_if_quotes", options=what_if) from None
    except click.UsageError as error:
        raise Problem("what_if_usage", options=what_if, message=misused(error)) from None
    change = options.ModelOptions(**given)
    if not options.given_options(change):
        raise Problem("what_if_nothing")
    return change


def with_changes(model: options.ModelOptions, change: options.ModelOptions) -> options.ModelOptions:
    """The options with those of the experiment in their place, and its edits beside theirs."""
    entries = {name: value for name, value in change.entries.items() if value is not None}
    changed = {name: value for name, value in change._asdict().items() if value not in (None, ())}
    more = {name: (*getattr(model, name), *getattr(change, name)) for name in options.CHANGES}
    return model._replace(**changed | more | {"entries": model.entries | entries})
