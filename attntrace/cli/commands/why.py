"""attntrace why: where a number comes from."""
from __future__ import annotations

from typing import Any

import click

from attntrace.cli import click_words as commands
from attntrace.cli.click_words import option
from attntrace.cli.completion import Address
from attntrace.cli.exit_codes import DONE
from attntrace.cli.formats import page
from attntrace.cli.options import (DECIMALS, checked_precision, from_option, learning_options, model_options,
                                   page_options, precision_option, sentence_argument)
from attntrace.cli.page import left_early
from attntrace.cli.subject import Subject, subject_of
from attntrace.cli.values import ALL, Limit, Whole
from attntrace.messages.catalog import Message


@commands.command("why")
@click.argument("place", type=Address(), metavar="ADDRESS:ROW,COLUMN")
@sentence_argument
@from_option()
@option("--depth", type=Limit(least=0), default="0", stands_for="0", metavar="N|all")
@option("--top", type=Whole(1), metavar="K")
@model_options
@learning_options
@precision_option(stands_for=DECIMALS)
@page_options
def command(place: str, sentence: tuple[str, ...], **options: Any) -> int:
    from attntrace.tracing.addresses import Place, index_of, one_address
    asked = Place.read(place)
    with subject_of(sentence, asked.address, options) as subject:
        precision = checked_precision(options | {"pencil": subject.pencil})
        address = one_address(asked.address, [*subject.addresses, *subject.parameters])
        step = subject.find(address)
        axes = (step or subject.parameters[address]).axes
        index = index_of(asked, axes, address, least=len(axes))
        with page(options) as writer:
            if step is None:
                writer(parameter(address, index, subject, precision))
                return DONE
            from attntrace.pages.why import Why
            depth = None if options["depth"] == ALL else options["depth"]
            with left_early():
                writer(Why(subject.find, precision, depth, options["top"])(address, index))
    return DONE


def parameter(address: str, index: tuple[int, ...], subject: Subject, precision: int) -> Any:
    """A number that nothing was computed for."""
    from attntrace.pages.blocks import Prose
    from attntrace.pages.numbers import Figures
    from attntrace.tracing.addresses import named
    value = subject.parameters[address].value
    exact = subject.pencil is not None
    number = Figures.of(value, precision, exact).legible(float(value[index]), exact)
    return [Prose(Message("messages.why_parameter", place=named(address, index), number=number))]
