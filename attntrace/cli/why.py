"""attntrace why: where a number comes from."""
from __future__ import annotations

from typing import Any

import click

from attntrace.cli import DONE
from attntrace.cli.options import (
    DECIMALS, checked_precision, from_option, learning_options, model_options, option, page_options, page_writer,
    precision_option, sentence_argument)
from attntrace.cli.output import destination
from attntrace.cli.pages import left_early
from attntrace.cli.subjects import Subject, subject_of
from attntrace.cli.values import ALL, Limit, Text, Within
from attntrace.prose import sentence as sentence_of


@click.command("why", help=sentence_of("help.why"), short_help=sentence_of("help.why_short"))
@click.argument("place", type=Text(), metavar="ADDRESS:ROW,COLUMN")
@sentence_argument
@from_option()
@option("--depth", type=Limit(least=0), default="0", show_default=True, metavar="N|all")
@option("--top", type=Within(min=1), metavar="K")
@model_options
@learning_options
@precision_option(stands_for=DECIMALS)
@page_options
def command(place: str, sentence: tuple[str, ...], **options: Any) -> int:
    from attntrace.places import Place, index_of, one_address
    asked = Place.read(place)
    with subject_of(sentence, asked.address, options) as subject:
        precision = checked_precision(options | {"pencil": subject.pencil})
        address = one_address(asked.address, [*subject.addresses, *subject.parameters])
        step = subject.find(address)
        axes = (step or subject.parameters[address]).axes
        index = index_of(asked, axes, address, least=len(axes))
        with destination(options["output"], options["pager"]) as out:
            writer = page_writer(out, options)
            if step is None:
                writer(parameter(address, index, subject, precision))
                return DONE
            from attntrace.why import Why
            depth = None if options["depth"] == ALL else options["depth"]
            with left_early():
                writer(Why(subject.find, precision, depth, options["top"])(address, index))
    return DONE


def parameter(address: str, index: tuple[int, ...], subject: Subject, precision: int) -> Any:
    """A number that nothing was computed for."""
    from attntrace.blocks import Prose
    from attntrace.figures import Figures
    from attntrace.places import named
    value = subject.parameters[address].value
    exact = subject.pencil is not None
    number = Figures.of(value, precision, exact).legible(float(value[index]), exact)
    return [Prose(sentence_of("messages.why_parameter", place=named(address, index), number=number))]
