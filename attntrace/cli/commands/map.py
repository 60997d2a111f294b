"""attntrace map: attention weights as pictures."""
from __future__ import annotations

from typing import Any

from attntrace.cli import click_words as commands
from attntrace.cli.exit_codes import DONE
from attntrace.cli.formats import page
from attntrace.cli.options import (checked_precision, model_options, page_options_of, precision_option, prepared,
                                   save_option, selected_steps, selection_options, sentence_argument, sentence_or_rows)
from attntrace.cli.page import saved
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.writers import PAGES, PICTURES


@commands.command("map")
@sentence_argument
@model_options
@selection_options
@precision_option(stands_for=2)
@save_option
@page_options_of(*PAGES, *PICTURES)
def command(sentence: tuple[str, ...], **options: Any) -> int:
    run = prepared(sentence_or_rows(sentence, options), options)
    selected = selected_steps(run, options)
    if selected is not None and not any(address.endswith(".weights") for address in selected):
        raise Problem("no_weights_selected")
    saved(run, options)
    from attntrace.pages.attention_maps import DECIMALS, AttentionMaps
    from attntrace.pages.blocks import Prose
    from attntrace.pages.overview import drift_note, pencil_rule
    from attntrace.tracing.trace import tee
    decimals, drift = checked_precision(options, DECIMALS), run.drift()
    with page(options) as writer:
        maps = AttentionMaps(writer, options["precision"], selected, decimals)
        writer([Prose(Message("messages.map_legend")), *pencil_rule(run)])
        run(tee(maps, drift) if drift else maps)
        maps.close()
        writer(drift_note(run, drift) if drift else ())
    return DONE
