"""attntrace verify: every tensor of a run computed again, by the independent checker or by PyTorch."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from attntrace.cli import click_words as commands
from attntrace.cli.click_words import option
from attntrace.cli.exit_codes import CHECK_FAILED, DONE
from attntrace.cli.formats import page_on
from attntrace.cli.options import (check_from, from_option, learning_options, model_options, page_options, quiet_option,
                                   sentence_argument)
from attntrace.cli.output import destination
from attntrace.cli.progress import progress
from attntrace.cli.subject import run_of, training_step_of
from attntrace.cli.values import Among
from attntrace.messages.errors import Problem
from attntrace.model.config import as_option

if TYPE_CHECKING:
    from attntrace.files.archive import Archive
    from attntrace.pages.verdicts import Report
    from attntrace.runs.run import Run
    from attntrace.runs.training_step import TrainingStep
    from attntrace.tensor.json_value import Record
    from attntrace.tensor.tensor import Tensor
    from attntrace.tracing.trace import Sink
    from attntrace.verify.recompute import Log


@commands.command("verify")
@sentence_argument
@from_option()
@option("--backprop", is_flag=True, text="verify_backprop")
@learning_options
@option("--against", type=Among(("torch",)))
@quiet_option
@model_options
@page_options
def command(sentence: tuple[str, ...], **options: Any) -> int:
    from attntrace.pages.verdicts import Report
    with source_of(sentence, options) as source:
        reference, check = None, recomputed
        if options["against"]:
            from attntrace.verify.torch import version
            reference, check = version(), against_torch
        with destination(options["output"], options["pager"]) as out, page_on(out, options) as writer:
            report = Report(writer, reference)
            with progress(out, source.total, alone=options["quiet"]) as count:
                log, footer = check(source, report, count)
            report.close(log, footer)
    return CHECK_FAILED if report.wrong else DONE


class Source(NamedTuple):
    """Where records come from: the header, a function that tells the others with their values and returns the footer,
    and how many steps there are."""
    header: Record
    tell: Callable[[Callable[[Record], object], Sink], Record]
    total: Callable[[], int]


@contextmanager
def source_of(sentence: tuple[str, ...], options: dict[str, Any]) -> Iterator[Source]:
    """The saved run that --from names, or the run that is asked for."""
    if options["saved_run"] is None:
        run = asked_run(sentence, options)
        yield Source(header_of(run), lambda take, count: recorded(run, take, count), lambda: len(run.addresses()))
        return
    check_from(sentence, options, "backprop", "optimizer", "lr", "label_smoothing")
    from attntrace.files.archive import opened
    from attntrace.runs.run import TRANSLATE
    with opened(options["saved_run"]) as archive:
        archive.check_seal()
        if options["against"] and archive.header.get("kind") == TRANSLATE:
            raise Problem("torch_translation", file=options["saved_run"])
        yield Source(archive.header, lambda take, count: saved_records(archive, take), lambda: len(archive.names))


def saved_records(archive: Archive, take: Callable[[Record], object]) -> Record:
    """Those of a saved run. A member that is not what was saved ends it: what is made from it cannot be judged."""
    from attntrace.files.archive import name_of
    for record in archive.records():
        if "member" in record:  # beside the steps
            continue
        try:
            value = archive.value(record)
        except Problem as problem:
            if problem.key != "saved_changed":
                raise
            raise Changed(name_of(record)) from None
        take(record | {"value": value.tolist()})
    return archive.footer


class Changed(Exception):
    """A parameter or a step whose numbers are not those that were saved."""


def asked_run(sentence: tuple[str, ...], options: dict[str, Any]) -> Run | TrainingStep:
    """The run, or the training step, that is to be verified; without a sentence that of the example."""
    given = [name for name in ("optimizer", "lr", "label_smoothing") if options[name] is not None]
    if given and not options["backprop"]:
        raise Problem("only_with_backprop", option=as_option(given[0]))
    return training_step_of(sentence, options) if options["backprop"] else run_of(sentence, options)


def recorded(run: Run | TrainingStep, take: Callable[[Record], object], count: Sink) -> Record:
    """Run, and give each parameter and step to `take` as a record with its value. Returns the footer."""
    from attntrace.runs.records import Recorder, footer
    from attntrace.runs.run import Run
    from attntrace.tracing.fingerprint import Fingerprint
    from attntrace.tracing.trace import tee
    parameters = (run if isinstance(run, Run) else run.run).parameters.by_name

    def told(record: Record, tensor: Tensor) -> None:
        take(record | {"value": tensor.value.tolist()})

    recorder, fingerprint = Recorder(parameters, told), Fingerprint()
    run(tee(recorder, fingerprint, count))
    return footer(fingerprint)


def header_of(run: Run | TrainingStep) -> Record:
    from attntrace.runs.records import header
    return header(run.run) | run.header()


def unless_changed(report: Report, tell: Callable[[], Record]) -> Record | None:
    """The footer, once all is told; None where a member was changed since it was saved, which is reported as wrong."""
    try:
        return tell()
    except Changed as changed:
        from attntrace.verify.recompute import Verdict
        report(Verdict(str(changed), 0, float("inf"), str(changed), "changed"))
        return None


def recomputed(source: Source, report: Report, count: Sink) -> tuple[Log, Record | None]:
    """Each step is judged as soon as it is recorded."""
    from attntrace.verify.recompute import Log, Recomputation
    log = Log(source.header)
    judge = Recomputation(log)

    def take(record: Record) -> None:
        verdict = judge.take(record)
        if verdict is not None:  # a step
            report(verdict)

    report.open()
    return log, unless_changed(report, lambda: source.tell(take, count))


def against_torch(source: Source, report: Report, count: Sink) -> tuple[Log, Record | None]:
    """All is recorded first: PyTorch needs every parameter to begin with."""
    from attntrace.verify.invariants import begins_with_words
    from attntrace.verify.recompute import Log
    from attntrace.verify.torch import compared
    log = Log(source.header)
    if not all(begins_with_words(log, side) for side, said in log.header["tokens"].items() if said):
        raise Problem("torch_rows", file=log.header["input"])
    footer = unless_changed(report, lambda: source.tell(log, count))
    report.open()
    for verdict in compared(log) if footer is not None else ():
        report(verdict)
    return log, footer
