"""attntrace compare: an experiment, one run beside the same with something changed."""
from __future__ import annotations

import shlex
from typing import Any

import click

from attntrace.cli import click_words as commands
from attntrace.cli.click_words import option
from attntrace.cli.exit_codes import DONE
from attntrace.cli.formats import page
from attntrace.cli.options import (CHANGES, model_options, page_options, prepared, quiet_option, sentence_argument,
                                   sentence_or_rows)
from attntrace.cli.values import Text, misused
from attntrace.messages.errors import Problem


@click.command("what-if", add_help_option=False)
@model_options
def experiment(**given: Any) -> None:
    """Never called: it reads the options of an experiment."""


@commands.command("compare")
@sentence_argument
@option("--what-if", type=Text(), required=True, metavar="OPTIONS")
@model_options
@quiet_option
@page_options
def command(sentence: tuple[str, ...], **options: Any) -> int:
    said = sentence_or_rows(sentence, options)
    from attntrace.pages.what_if import WIRING, compared, rewired
    changed = experimented(options)
    one = prepared(said, options)
    if options["weights"] is not None and changed["weights"] == options["weights"]:
        wiring = {name: changed[name] for name in WIRING if changed[name] != options[name]}
        other = rewired(prepared(said, changed | {name: options[name] for name in wiring}), wiring)
    else:
        other = prepared(said, changed)
    blocks = list(compared(one, other, options["what_if"]))
    with page(options) as writer:
        writer(blocks)
    return DONE


def experimented(options: dict[str, Any]) -> dict[str, Any]:
    """The options with those of the experiment in place of what they say, and its changes beside theirs."""
    text = options["what_if"]
    try:
        given = experiment.make_context("what-if", shlex.split(text), parent=click.get_current_context()).params
    except ValueError:
        raise Problem("what_if_quotes", options=text) from None
    except click.UsageError as error:
        raise Problem("what_if_usage", options=text, message=misused(error)) from None
    changed = {name: value for name, value in given.items() if value not in (None, ())}
    if not changed:
        raise Problem("what_if_nothing")
    return options | changed | {name: (*options[name], *given[name]) for name in CHANGES}
