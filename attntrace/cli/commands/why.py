"""attntrace why: where a number comes from."""
from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from attntrace.cli import click_words, options
from attntrace.cli.formats import PageOptions, write_blocks
from attntrace.cli.subject import graph_of
from attntrace.cli.values import ALL, Known, Limit, Whole, step_addresses
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.tracing.addresses import Cell, cell_name, find_address

if TYPE_CHECKING:
    from attntrace.pages.blocks import Block


@click_words.command("why")
@click.argument("place", type=Known(step_addresses), metavar="ADDRESS:ROW,COLUMN",
                callback=options.no_file)
@options.sentence_argument
@options.from_option()
@click_words.option("--depth", type=Limit(least=0), default="0", stands_for="0", metavar="N|all")
@click_words.option("--top", type=Whole(1), metavar="K")
@options.model_options
@options.learning_options
@options.precision_option(stands_for=options.DECIMALS)
@options.page_options
def command(place: str, saved_run: str | None, depth: int, top: int | None, model: options.ModelOptions,
            learning: options.LearningOptions, precision: int | None, page: PageOptions) -> None:
    if is_sentence(place, model.sentence or ""):
        raise Problem("sentence_before_place", sentence=shown(place), place=shown(model.sentence or "ADDRESS"))
    cell = Cell.read(place)
    with graph_of(saved_run, cell.address, model, learning) as graph:
        cell = cell.with_row(graph.symbols)
        decimals = options.Selection(precision=precision).decimals(graph.pencil)
        address = find_address(cell.address, graph.symbols)
        step = graph.find(address)
        axes = (step or graph.parameters[address]).axes
        index = cell.index_in(axes, address, least=len(axes))
        from attntrace.pages.answer import experiment, is_saved
        from attntrace.pages.blocks import Title, try_next
        from attntrace.pages.topics import topic_in, topic_of
        from attntrace.pages.why import Why, parameter_blocks
        number = cell_name(address, index)
        run = graph.again.removesuffix(options.typed(learning)).strip()
        blocks: list[Block] = [Title(Message("messages.title_why", of=graph.of), has_result=False)]
        if step is None:
            blocks += parameter_blocks(graph.parameters[address], index, decimals, graph.pencil)
            other = 0 if graph.parameters[address].value[index] else 1
            blocks += try_next([
                f"show {address} {graph.again}" if is_saved(graph.again) else
                experiment(model.set + model.ablate + model.swap, run, f"--set {number}={other}"),
                f"explain {address}"])
        else:
            why = Why(graph.find, decimals, None if depth == ALL else depth, top)
            blocks += why(address, index)
            topic = topic_in(address, graph.config)
            blocks += try_next([
                f"why {number} {graph.again} --depth {'all' if depth else 3} --top 1" if why.goes_on else
                f"show {graph.again}" if is_saved(graph.again) else f"steps {run}",
                f"explain {address if topic == topic_of(address) else topic}"])
        write_blocks(blocks, page)


def is_sentence(place: str, sentence: str) -> bool:
    """Whether a sentence was typed in the place of an address, and an address in that of the sentence."""
    return " " in place.partition(":")[0].strip() or (
        place.isalpha() and re.fullmatch(r"[a-zA-Z]\w*(\.\w+)*[.:]\S+", sentence) is not None)
