"""What commands share: what they work on (the run of a sentence, one training step, a translation; or the graph of a
saved run), and one way from that to its page, its data or its file."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, TextIO

import click

from attntrace.cli.click_words import fields_in
from attntrace.cli.exit_codes import CHECK_FAILED, DONE
from attntrace.cli.formats import PageOptions, on_sheets, quoted, writer_of
from attntrace.cli.options import LearningOptions, ModelOptions, Selection, check_from, needing_target, told, typed
from attntrace.cli.output import binary, check_place, destination, same_place
from attntrace.cli.progress import progress
from attntrace.cli.values import Weights
from attntrace.messages.catalog import EXAMPLE, Text
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown as visible
from attntrace.model.config import MAX_LENGTH
from attntrace.tracing.addresses import Address, matches, row_of
from attntrace.writers import DATA, FORMATS

if TYPE_CHECKING:
    from attntrace.model.config import Config
    from attntrace.pages.checks import GradientCheck
    from attntrace.pages.page import Page, Show
    from attntrace.pages.view import View
    from attntrace.runs.run import Run, Subject
    from attntrace.tensor.symbol import Symbol
    from attntrace.tensor.tensor import Tensor
    from attntrace.tracing.trace import Sink, Step
    from attntrace.writers.page import Writer


class Graph(NamedTuple):
    """The symbols of all steps and parameters, how to find a step with its node, and the parameters by name."""
    symbols: Mapping[str, Symbol | None]
    find: Callable[[str], Step | None]
    parameters: Mapping[str, Tensor]
    pencil: int | None  # to how many decimals each operation is rounded
    of: Text  # the sentence, or the file
    again: str  # the words of a command line that are this run
    config: Config


@contextmanager
def graph_of(saved_run: str | None, address: str, model: ModelOptions, learning: LearningOptions) -> Iterator[Graph]:
    """The graph of a saved run, where one is named; else of a sentence (or the example): of its training step,
    where only that has such an address."""
    if saved_run is not None:
        check_from(model, learning)
        from attntrace.files.archive import opened
        with opened(saved_run) as archive:
            archive.check_seal()
            from attntrace.runs.saved import Recorded
            recorded = Recorded(archive)
            known = frozenset(recorded.addresses)
            yield Graph(archive.symbols(), lambda address: recorded.step(address) if address in known else None,
                        {name: recorded.tensor(name) for name in recorded.parameters}, archive.header.get("pencil"),
                        visible(saved_run), f"--from {quoted(saved_run)}", archive.config)
        return
    is_gradient = Address.of(address).is_of_training or re.match("∂L|dL", Address.of(address).name)
    model = settled(model)
    subject = subject_of(model, learning if is_gradient else None)
    graph = graph_of_run(subject, typed(model, learning))
    if not is_gradient and model.target is not None and not has(graph, address):
        with suppress(Problem):  # where nothing can be learned
            training = graph_of_run(subject_of(model, learning), graph.again)
            graph = training if has(training, address) else graph  # L
    with needing_target(subject.run):
        yield graph


def graph_of_run(subject: Subject, again: str) -> Graph:
    from attntrace.pages.answer import sentence_of
    steps: dict[str, Step] = {}
    subject(lambda step: steps.__setitem__(step.address, step))
    parameters = subject.run.parameters.by_name
    tensors = {address: step.tensor for address, step in steps.items()} | dict(parameters)
    symbols = {address: tensor.symbol for address, tensor in tensors.items()}
    return Graph(symbols, steps.get, parameters, subject.run.pencil, sentence_of(subject.run.source), again,
                 subject.run.config)


def has(graph: Graph, address: str) -> bool:
    return bool(matches(row_of(address, graph.symbols)[0], graph.symbols))


def settled(model: ModelOptions) -> ModelOptions:
    """With the sentence of standard input, where that is meant. Where there is neither a sentence nor a file of rows:
    with that of the example, and its target unless another is given."""
    if model.sentence is not None or model.input is not None:
        return model.read()
    return model._replace(sentence=EXAMPLE[0], target=EXAMPLE[1] if model.target is None else model.target)


def subject_of(model: ModelOptions, learning: LearningOptions | None = None) -> Subject:
    """The run of a sentence (or of the example), or one training step that learns its target. Raises Problem where the
    target is missing."""
    model = settled(model)
    if learning is None:
        return model.prepared(model.sentence)
    if model.target is None:
        raise Problem("training_step_without_target")
    from attntrace.runs.training_step import prepare_training_step
    step = prepare_training_step(model.sentence, model.target, **learning.settings(), **model.settings())
    told(step.run.notes)
    return step


def subject_so_far(ctx: click.Context) -> Subject:
    """The subject of a command line that is being completed, without changes: a training step or a translation where
    the command is of one; the example's, where no sentence has been parsed."""
    params, command = ctx.params, ctx.info_name
    model = ModelOptions(**fields_in(params, ModelOptions)).without_edits()
    learning = LearningOptions(**fields_in(params, LearningOptions))
    if command == "backprop":
        return subject_of(model._replace(sentence=params["source"]), learning)
    if command == "play" and learning.backprop:
        return subject_of(model, learning)
    if command == "why" and (model.sentence is None or model.target is not None):  # which knows gradients as well
        return subject_of(model, learning)
    translates = command == "translate" or command == "play" and params["translates"]
    if translates:
        model = with_weights(model, model.sentence or EXAMPLE[0])
    if model.sentence is None:
        model = model._replace(sentence=EXAMPLE[0] if model.weights is None else word_of(model.weights))
    if translates:
        from attntrace.runs.decoding import Decoding
        return Decoding(translator(model.sentence or "", model), params.get("max_length", MAX_LENGTH))
    return subject_of(model)


def word_of(weights: str) -> str | None:
    """A word that a model knows: addresses do not depend on which."""
    from attntrace.files.weights import load, located
    known = load(located(weights)).vocabularies.source
    return known[-1] if known else None


def with_weights(model: ModelOptions, text: str) -> ModelOptions:
    """The same with the included model that reads such a text, unless a model is given."""
    if model.weights is not None:
        return model
    from attntrace.files.weights import included_for
    name = included_for(text)
    return model._replace(weights=Weights().convert(name, None, click.get_current_context()))  # a file that is read


def translator(sentence: str, model: ModelOptions) -> Run:
    """The run of a sentence on a model that has a decoder."""
    from attntrace.runs.decoding import check_translates
    weights = model.weights
    try:
        run = model.prepared(sentence)
    except Problem as problem:
        raise Problem("no_words_to_translate", file=weights) if problem.key == "input_missing" else problem from None
    check_translates(run.config, run.vocabularies, weights)
    return run


def write(subject: Subject, selection: Selection, page: PageOptions, again: str,
          differences: GradientCheck | None = None) -> int:
    """Write the page of a subject, or its steps as data; `again`: the words of a command line that are this subject.
    Returns the exit code."""
    selection = selection.with_rows(subject)
    addresses, tokens = selection.addresses(subject), selection.tokens(subject.run, page)
    write_saved_run(subject, page)
    if page.is_data:
        view = selection.view(subject.run.pencil, False, addresses, tokens)
        with destination(page.output, page.pager) as out, progress(out, lambda: len(subject.addresses())) as count:
            return write_data(subject, view, selection.precision, page.format, out, count)
    from attntrace.pages.page import Page, last_numbers
    with writer_of(page, has_stages=True) as writer:
        view = selection.view(subject.run.pencil, writer.out.isatty() and page.is_text, addresses, tokens)
        view = view._replace(wired=FORMATS[page.format].answers and not page.quiet)
        with progress(writer.out, lambda: len(view.forms) * len(subject.addresses())) as count:
            hints = not (page.big and on_sheets(page, writer.out))
            sheets = shown(writer, page, lambda show: Page(subject, view, show, count, differences, again, hints),
                           lambda: last_numbers(subject, view))
    return CHECK_FAILED if sheets.failed else DONE


def write_data(subject: Subject, view: View, precision: int | None, format: str, out: TextIO, count: Sink) -> int:
    """The selected steps for programs, each as soon as it is computed."""
    from attntrace.runs.run import Recorder, footer
    from attntrace.tracing.trace import Fingerprint, tee
    writer = DATA[format].load()(out, subject, precision)
    record, drift = Recorder(subject.run.parameters.by_name, writer.write), subject.drift()
    fingerprint = Fingerprint() if writer.has_footer else None

    def sink(step: Step) -> None:
        if view.shows(step):
            record(step)
            out.flush()

    subject(tee(sink, fingerprint, count, drift))
    if fingerprint is not None:
        writer.close(footer(fingerprint) | subject.footer() | ({} if drift is None else {"drift": drift.record()}))
    return DONE


def write_saved_run(subject: Subject, page: PageOptions) -> None:
    """Write the whole run into the file that --save names, before its page: it is complete even where the reader leaves
    the page early."""
    if page.save is None:
        return
    if same_place(page.output, page.save):
        raise Problem("save_is_output", file=page.save)
    if not page.save.lower().endswith(".npz"):
        raise Problem("save_ending", file=page.save)
    if page.output is not None and page.output != "-":
        check_place(page.output)
    from attntrace.runs.saved import save
    with binary(page.save) as out, progress(out, lambda: len(subject.addresses())) as count:
        save(subject, out, count)


def shown(writer: Writer, page: PageOptions, page_of: Callable[[Show], Page],
          lasts: Callable[[], list[tuple[int, ...]]]) -> Page:
    """Show the page that `page_of` makes: stage by stage where --pause is given and the page is on a terminal. `lasts`:
    the numbers of the last stages."""
    if on_sheets(page, writer.out):
        from attntrace.cli.pause import leaf_through
        from attntrace.writers.text.writer import TerminalWriter
        assert isinstance(writer, TerminalWriter)
        return leaf_through(writer, page_of, lasts, page.big)
    sheets = page_of(writer)
    sheets()
    return sheets
