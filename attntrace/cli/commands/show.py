"""attntrace show: a saved run, told again without the model; or one tensor, row or number of it."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from attntrace.cli import click_words as commands
from attntrace.cli.completion import Address
from attntrace.cli.exit_codes import DONE
from attntrace.cli.formats import is_data, page_on
from attntrace.cli.options import (checked_precision, from_option, run_page_options, selected_steps, selection_options,
                                   view_options)
from attntrace.cli.output import destination
from attntrace.cli.page import as_data, asked_tokens, paused, view_of
from attntrace.cli.progress import progress
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from attntrace.cli.page import Tell
    from attntrace.files.archive import Archive
    from attntrace.pages.blocks import Block
    from attntrace.pages.view import View
    from attntrace.runs.saved import Recorded, SavedRun
    from attntrace.tensor.tensor import Tensor
    from attntrace.tracing.trace import Sink


@commands.command("show")
@click.argument("place", required=False, type=Address(), metavar="[ADDRESS[:ROW[,COLUMN]]]")
@from_option(required=True)
@selection_options
@view_options
@run_page_options
def command(place: str | None, **options: Any) -> int:
    from attntrace.files.archive import opened
    with opened(options["saved_run"]) as archive:
        if place is not None:
            return one(archive, place, options)
        archive.check_seal()
        return told_again(archive, options)


def told_again(archive: Archive, options: dict[str, Any]) -> int:
    """The page of the command that saved it."""
    from attntrace.files.archive import BACKPROP, TRACE, TRANSLATE
    from attntrace.runs.saved import Recorded
    recorded = Recorded(archive)
    options["pencil"] = archive.opening.get("pencil")
    kinds: dict[str, Callable[[Recorded, dict[str, Any]], int]] = {
        TRACE: trace_again, BACKPROP: backprop_again, TRANSLATE: translate_again}
    kind = archive.opening.get("kind")
    if kind not in kinds:
        raise archive.broken(ValueError(Message("problem.why.no_kind")))
    return kinds[kind](recorded, options)


def trace_again(recorded: Recorded, options: dict[str, Any]) -> int:
    from attntrace.cli.commands.trace import as_text
    from attntrace.runs.saved import SavedRun
    run = SavedRun.read(recorded)
    return page(run, run, options, lambda view, tell, count: as_text(run, view, tell, count))


def backprop_again(recorded: Recorded, options: dict[str, Any]) -> int:
    from attntrace.cli.commands.backprop import as_text
    from attntrace.runs.saved import SavedTrainingStep
    training_step = SavedTrainingStep.read(recorded)
    return page(training_step.saved, training_step, options,
                lambda view, tell, count: as_text(training_step, view, tell, count, False))


def page(run: SavedRun, told: Any, options: dict[str, Any], as_text: Callable[[View, Tell, Sink], int]) -> int:
    only, tokens = selected_steps(run, options), asked_tokens(options, run)
    with destination(options["output"], options["pager"]) as out:
        view = view_of(options, out, only, tokens)
        passes = 1 if is_data(options) else len(view.forms)
        with progress(out, lambda: passes * len(run.addresses())) as count:
            if is_data(options):
                head, foot = run.recorded.archive.opening, run.recorded.archive.footer
                return as_data(told, run, view, out, count, options,
                               {"training": head["training"]} if "training" in head else {},
                               {"loss": foot["loss"]} if "loss" in foot else {})
            with page_on(out, options) as writer, paused(writer, options) as tell:
                return as_text(view, tell, count)


def translate_again(recorded: Recorded, options: dict[str, Any]) -> int:
    """The page of a translation; before it the tensors that are asked for."""
    from attntrace.cli.commands.translate import told
    from attntrace.pages.blocks import Answer
    from attntrace.runs.saved import SavedDecoding
    decoding = SavedDecoding(recorded)
    only = selected_steps(decoding, options)
    tokens = asked_tokens(options, decoding.run)
    with destination(options["output"], options["pager"]) as out:
        view = view_of(options, out, only, tokens)
        if is_data(options):
            return as_data(decoding, decoding.run, view, out, lambda step: None, options)
        with page_on(out, options) as writer:
            with paused(writer, options) as tell:
                shown = view if only is not None or tokens else None
                code, translation = told(decoding, tell, shown, checked_precision(options))
            if translation is not None:
                writer([Answer(translation, is_words=True, apart=True)])
    return code


def one(archive: Archive, text: str, options: dict[str, Any]) -> int:
    """One tensor, one row, or one number, alone; nothing else is read."""
    from attntrace.files.expressions import tensor_from
    from attntrace.tracing.addresses import Place, index_of, named, one_address
    for name in ("only", "layer", "head", "token", "form"):
        if options[name]:
            raise Problem("place_with", place=text, option=f"--{name}")
    place = Place.read(text)
    options["pencil"] = archive.opening.get("pencil")
    address = one_address(place.address, archive.names)
    with archive.sense():
        record = archive.record(address)
        tensor = tensor_from(record, archive.value(record), archive.axes)
    index = index_of(place, tensor.axes, address)
    part = part_of(tensor, index)
    with destination(options["output"], options["pager"]) as out:
        if is_data(options):
            from attntrace.writers import DATA
            DATA[options["format"]].load().alone(out, tensor, address, index, options["precision"])
            return DONE
        with page_on(out, options) as writer:
            if part.axes:
                view = view_of(options, out, None)
                writer(drawn(part, named(address, index), view, is_row=bool(index)))
            else:
                from attntrace.pages.blocks import Answer
                from attntrace.pages.numbers import Figures
                exact = options["pencil"] is not None
                figures = Figures.of(tensor.value, checked_precision(options), exact)
                writer([Answer(figures.legible(float(part.value), exact))])
    return DONE


def part_of(tensor: Tensor, index: tuple[int, ...]) -> Tensor:
    """A row or a number of a tensor, under the name that it has in equations."""
    from attntrace.tensor.tensor import Tensor as Part
    symbol = tensor.symbol and tensor.symbol.at(index, tensor.axis_names)
    return Part(tensor.value[index], tensor.axes[len(index):], symbol)


def drawn(tensor: Tensor, name: str, view: View, is_row: bool) -> list[Block]:
    """A tensor or a row with its name. A row lies, also one of a number for each key, which alone would be a column."""
    from attntrace.pages.blocks import Heading, ParameterGrids
    from attntrace.pages.grids import grid, hidden
    from attntrace.pages.numbers import Figures
    drawn = grid(tensor, None, Figures.of(tensor.value, view.precision, view.exact), view.corner(tensor))
    if is_row and not drawn.one_row:
        drawn = drawn._replace(values=drawn.values.T, row_labels=None, column_labels=drawn.row_labels, hued=True,
                               one_row=True)
    return [Heading(f"{name}   {' × '.join(tensor.axis_names)}"), ParameterGrids((drawn,)),
            *hidden(view, [(name, tensor)])]
