"""attntrace steps: the table of contents of a trace."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from attntrace.cli.options import model_options, page_options, page_writer, sentence_argument
from attntrace.cli.output import destination
from attntrace.cli.subjects import run_of
from attntrace.prose import sentence as sentence_of

if TYPE_CHECKING:
    from attntrace.tracing import Step


@click.command("steps", help=sentence_of("help.steps"), short_help=sentence_of("help.steps_short"))
@sentence_argument
@model_options
@page_options
def command(sentence: tuple[str, ...], **options: Any) -> int:
    run = run_of(sentence, options)
    from attntrace.blocks import Prose, Table
    from attntrace.opening import drift_told, pencil_rule
    from attntrace.tracing import each
    with destination(options["output"], options["pager"]) as out:
        writer = page_writer(out, options)
        rows: list[tuple[str, ...]] = []
        numbers = 0

        def sink(step: Step) -> None:
            nonlocal numbers
            numbers += step.value.size
            shape = " × ".join(map(str, step.value.shape))
            rows.append((step.address, step.formula(writer.page.spelling), shape, f"{step.value.size:,}"))

        drift = run.drift()
        run(each(sink, drift))
        headings = tuple(sentence_of(f"messages.{name}")
                         for name in ("address", "formula", "shape", "numbers"))
        writer([Table(headings, tuple(rows), right=(2, 3)),
                Prose("\n" + sentence_of("messages.steps_total", steps=f"{len(rows):,}", numbers=f"{numbers:,}",
                                         parameters=f"{run.parameters.vector.size:,}")),
                *pencil_rule(run), *(drift_told(run, drift) if drift else ())])
    return 0
