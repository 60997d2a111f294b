"""attntrace map: attention weights as pictures."""
from __future__ import annotations

from typing import Any

import click

from attntrace.cli import DONE
from attntrace.cli.options import (
    checked_precision, model_options, page_options, page_writer, precision_option, prepared, save_option,
    selected_steps, selection_options, sentence_argument, sentence_or_rows)
from attntrace.cli.output import destination
from attntrace.cli.pages import saved
from attntrace.errors import Problem
from attntrace.prose import sentence as sentence_of


@click.command("map", help=sentence_of("help.map"), short_help=sentence_of("help.map_short"))
@sentence_argument
@model_options
@selection_options
@precision_option(stands_for=2)
@save_option
@page_options
def command(sentence: tuple[str, ...], **options: Any) -> int:
    run = prepared(sentence_or_rows(sentence, options), options)
    selected = selected_steps(run, options)
    if selected is not None and not any(address.endswith(".weights") for address in selected):
        raise Problem("no_weights_selected")
    saved(run, options)
    from attntrace.blocks import Prose
    from attntrace.maps import DECIMALS, AttentionMaps
    from attntrace.opening import drift_told, pencil_rule
    from attntrace.tracing import each
    decimals, drift = checked_precision(options, DECIMALS), run.drift()
    with destination(options["output"], options["pager"]) as out:
        writer = page_writer(out, options)
        maps = AttentionMaps(writer, options["precision"], selected, decimals)
        writer([Prose(sentence_of("messages.map_legend")), *pencil_rule(run)])
        run(each(maps, drift) if drift else maps)
        maps.close()
        writer(drift_told(run, drift) if drift else ())
    return DONE
