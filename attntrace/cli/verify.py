"""attntrace verify: every tensor of a run computed again, by the independent checker or by PyTorch."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from attntrace.cli import CHECK_FAILED, DONE
from attntrace.cli.options import (
    check_from, from_option, learning_options, model_options, option, page_options, page_writer, sentence_argument)
from attntrace.cli.output import destination
from attntrace.cli.progress import progress
from attntrace.cli.subjects import lesson_of, run_of
from attntrace.config import as_option
from attntrace.errors import Problem
from attntrace.prose import sentence as sentence_of

if TYPE_CHECKING:
    from attntrace.archive import Archive
    from attntrace.checker.invariants import Finding
    from attntrace.lessons import Lesson
    from attntrace.records import Record
    from attntrace.run import Run
    from attntrace.tensor import Tensor
    from attntrace.tracing import Sink
    from attntrace.checker.recomputation import Log, Tally, Verdict
    from attntrace.writers.terminal import TerminalWriter

OF_THE_WHOLE = ("parameters", "fingerprint")  # what is true of a run as a whole, and of no step


@click.command("verify", help=sentence_of("help.verify"), short_help=sentence_of("help.verify_short"))
@sentence_argument
@from_option()
@option("--backprop", is_flag=True, text="verify_backprop")
@learning_options
@option("--against", type=click.Choice(["torch"]))
@option("--quiet", "-q", is_flag=True, text="verify_quiet")
@model_options
@page_options
def command(sentence: tuple[str, ...], **options: Any) -> int:
    with source_of(sentence, options) as source:
        if options["against"]:
            from attntrace.checker.against import require_torch
            require_torch()
        with destination(options["output"], options["pager"]) as out:
            report = Report(page_writer(out, options), options["quiet"], options["against"])
            with progress(out, source.total, alone=options["quiet"]) as count:
                log, footer = (against_torch if options["against"] else recomputed)(source, report, count)
            return report.close(log, footer)


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
    from attntrace.archive import opened
    with opened(options["saved_run"]) as archive:
        archive.check_seal()
        if options["against"] and archive.opening.get("kind") == "translate":
            raise Problem("torch_translation", file=options["saved_run"])
        yield Source(archive.opening, lambda take, count: saved_records(archive, take), lambda: len(archive.names))


def saved_records(archive: Archive, take: Callable[[Record], object]) -> Record:
    """Those of a saved run. A member that is not what was saved ends it: what is made from it cannot be judged."""
    for record in archive.records():
        if "member" in record:  # beside the steps
            continue
        try:
            value = archive.value(record)
        except Problem as problem:
            if problem.key != "saved_changed":
                raise
            raise Changed(str(record.get("address") or record.get("parameter"))) from None
        take(record | {"value": value.tolist()})
    return archive.footer


class Changed(Exception):
    """A parameter or a step whose numbers are not those that were saved."""


def asked_run(sentence: tuple[str, ...], options: dict[str, Any]) -> Run | Lesson:
    """The run, or the training step, that is to be verified; without a sentence that of the example."""
    given = [name for name in ("optimizer", "lr", "label_smoothing") if options[name] is not None]
    if given and not options["backprop"]:
        raise Problem("only_with_backprop", option=as_option(given[0]))
    return lesson_of(sentence, options) if options["backprop"] else run_of(sentence, options)


def recorded(run: Run | Lesson, take: Callable[[Record], object], count: Sink) -> Record:
    """Run, and give each parameter and step to `take` as a record with its value. Returns the footer."""
    from attntrace.records import Recorder, footer
    from attntrace.run import Run
    from attntrace.tracing import Fingerprint, each
    parameters = (run if isinstance(run, Run) else run.run).parameters

    def told(record: Record, tensor: Tensor) -> None:
        take(record | {"value": tensor.value.tolist()})

    recorder, fingerprint = Recorder({tensor.address or "": tensor for tensor in parameters}, told), Fingerprint()
    run(each(recorder, fingerprint, count))
    return footer(fingerprint)


def header_of(run: Run | Lesson) -> Record:
    from attntrace.records import header
    from attntrace.run import Run
    return header(run) if isinstance(run, Run) else header(run.run) | {"training": run.record()}


def recomputed(source: Source, report: Report, count: Sink) -> tuple[Log, Record | None]:
    """Each step is judged as soon as it is recorded."""
    from attntrace.checker.recomputation import Log, Recomputation
    log = Log(source.header)
    judge = Recomputation(log)

    def take(record: Record) -> None:
        verdict = judge.take(record)
        if verdict is not None:  # a step
            report(verdict)

    report.open()
    return log, report.told(lambda: source.tell(take, count))


def against_torch(source: Source, report: Report, count: Sink) -> tuple[Log, Record | None]:
    """All is recorded first: PyTorch needs every parameter to begin with."""
    from attntrace.checker.against import compared
    from attntrace.checker.recomputation import Log
    log = Log(source.header)
    footer = report.told(lambda: source.tell(log, count))
    report.open()
    for verdict in compared(log) if footer is not None else ():
        report(verdict)
    return log, footer


class Report:
    """The page: a line for each step, then one for each kind of invariant, the fingerprint, and what it comes to."""

    def __init__(self, writer: TerminalWriter, quiet: bool, against: str | None) -> None:
        from attntrace.checker.recomputation import Tally
        self.writer, self.quiet, self.against = writer, quiet, against
        self.tally: Tally = Tally()

    def open(self) -> None:
        from attntrace.blocks import VerifiedHead
        headings = (sentence_of(f"messages.verify.{name}") for name in ("numbers", "difference", "step"))
        self.tell([VerifiedHead(*headings)])

    def tell(self, blocks: Iterable[Any]) -> None:
        if not self.quiet:
            self.writer(blocks)

    def told(self, tell: Callable[[], Record]) -> Record | None:
        """The footer, once all is told; None where a member was changed since it was saved, which is wrong."""
        try:
            return tell()
        except Changed as changed:
            from attntrace.checker.recomputation import Verdict
            self(Verdict(str(changed), 0, float("inf"), str(changed), "changed"))
            return None

    def __call__(self, verdict: Verdict) -> None:
        from attntrace.blocks import Verified
        self.tally(verdict)
        self.tell([Verified(f"{verdict.numbers:,}", figure(verdict.difference), verdict.address,
                            self.wrong(verdict) if verdict.wrong else "")])

    def wrong(self, verdict: Verdict) -> str:
        key = f"torch_{verdict.wrong}" if self.against else verdict.wrong
        facts = {name: repr(fact) if isinstance(fact, float) else fact for name, fact in verdict.facts.items()}
        if "why" in facts:
            facts["why"] = sentence_of(f"messages.verify.why.{facts['why']}", **facts)
        at = verdict.cell.removeprefix(verdict.address).removeprefix(":")
        cell = sentence_of("messages.verify.cell", at=at) if at else sentence_of("messages.verify.it")
        return sentence_of(f"messages.verify.wrong.{key}", cell=cell, **facts)

    def close(self, log: Log, footer: Record | None) -> int:
        """What must be true besides, and the last sentence. Returns 1 where anything is wrong."""
        from attntrace.blocks import Prose
        from attntrace.checker.invariants import findings, fingerprint
        found = [*findings(log), *filter(None, [fingerprint(log, footer)])] if footer is not None else []
        self.tell(self.invariants(found))
        wrong = next((finding for finding in found if finding.wrong), None)
        text = self.conclusion(self.tally, wrong, log.pencil)
        if self.quiet:
            self.writer.out.write(self.writer.page.prose(text) + "\n")  # in one line, for whoever greps
        self.tell([Prose("\n" + text)])
        return CHECK_FAILED if wrong or self.tally.first_wrong else DONE

    def invariants(self, found: list[Finding]) -> Iterator[Any]:
        from attntrace.blocks import Prose, Verified, VerifiedHead
        yield Prose("")
        yield VerifiedHead(*(sentence_of(f"messages.verify.{name}") for name in ("count", "deviation", "invariant")))
        for finding in found:
            text = sentence_of(f"messages.verify.true.{finding.key}", address=finding.address)
            if finding.drifts:
                text += sentence_of("messages.verify.drift")
            failed = ""
            if finding.wrong:
                key = finding.key if finding.key in OF_THE_WHOLE else "invariant"
                failed = sentence_of(f"messages.verify.wrong.{key}", address=finding.address,
                                     error=f"{finding.error:.3g}")
            yield Verified(f"{finding.number:,}", figure(finding.error), text, failed)

    def conclusion(self, tally: Tally, invariant: Finding | None, pencil: int | None) -> str:
        """What was compared, how many numbers, the worst difference and where; or the first wrong step."""
        facts = {"steps": f"{tally.steps:,}", "numbers": f"{tally.numbers:,}", "source": self.source(pencil)}
        if tally.first_wrong is not None:
            return sentence_of("messages.verify.some_wrong", **facts, wrong=f"{tally.wrong:,}",
                               address=tally.first_wrong.address, what=self.wrong(tally.first_wrong))
        facts |= {"difference": figure(tally.worst.difference if tally.worst else 0.0),
                  "cell": tally.worst.cell if tally.worst else ""}
        key = "all_right" if tally.worst and tally.worst.difference else "all_equal"
        text = sentence_of(f"messages.verify.{key}", **facts)
        if invariant is not None:
            what = sentence_of(f"messages.verify.true.{invariant.key}", address=invariant.address)
            key = "but" if invariant.key in OF_THE_WHOLE else "but_at"
            text += sentence_of(f"messages.verify.{key}", what=what, address=invariant.address)
        return text

    def source(self, pencil: int | None) -> str:
        if self.against:
            from attntrace.checker.against import version
            return sentence_of("messages.verify.by_torch", version=version())
        if pencil is not None:
            return sentence_of("messages.verify.by_pencil", decimals=pencil)
        return sentence_of("messages.verify.by_python")


def figure(number: float) -> str:
    """`0`, `8.9e-16`; `-` where there is no difference to speak of, since there is nothing to compare with."""
    return "-" if not math.isfinite(number) else f"{number:.1e}" if number else "0"
