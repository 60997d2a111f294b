"""attntrace compare: an experiment, one run beside the same with something changed."""
import shlex
from dataclasses import replace
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
@click_words.option("--what-if", type=Text(), required=True, metavar="OPTIONS")
@options.model_options
@options.quiet_option
@options.page_options
def command(what_if: str, model: options.ModelOptions, page: PageOptions) -> None:
    model = model.read()
    words, alone = model.sentence, True
    from attntrace.model.parameters import specs
    from attntrace.pages.diff import compared
    changed = changed_options(model, what_if)
    one = model.prepared(words)
    if model.weights is not None and changed.weights == model.weights:
        wiring = {name: value for name, value in changed.entries.items()
                  if ENTRIES[name].rewires and value != model.entries[name]}
        other = changed._replace(entries=changed.entries | dict.fromkeys(wiring)).prepared(words)
        alone = not wiring
        other = other._replace(config=replace(other.config, **wiring))  # the same parameters, wired in another way
        if missing := [spec.name for spec in specs(other.config, other.vocabularies)
                       if not spec.optional and spec.name not in other.parameters.by_name]:
            raise Problem("what_if_lacks", options=what_if, file=model.weights, name=missing[0])
    else:
        other = changed.prepared(words)
    write_blocks(list(compared(one, other, what_if, options.typed(model), alone)), page)


def changed_options(model: options.ModelOptions, what_if: str) -> options.ModelOptions:
    """The options with those of the experiment in their place, and its changes beside theirs."""
    try:
        given = experiment.make_context("what-if", shlex.split(what_if), parent=click.get_current_context()).params
    except ValueError:
        raise Problem("what_if_quotes", options=what_if) from None
    except click.UsageError as error:
        raise Problem("what_if_usage", options=what_if, message=misused(error)) from None
    entries = {name: value for name, value in given.pop("entries").items() if value is not None}
    changed = {name: value for name, value in given.items() if value not in (None, ())}
    if not changed and not entries:
        raise Problem("what_if_nothing")
    more = {name: (*getattr(model, name), *given[name]) for name in options.CHANGES}
    return model._replace(**changed | more, entries=model.entries | entries)
