"""attntrace verify: every tensor of a run computed again, by the independent checker or by PyTorch."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from attntrace.cli import click_words, options
from attntrace.cli.exit_codes import CHECK_FAILED, DONE
from attntrace.cli.formats import PageOptions, quoted, writer_of
from attntrace.cli.progress import progress
from attntrace.cli.subject import settled, subject_of
from attntrace.cli.values import Among
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown

if TYPE_CHECKING:
    from attntrace.pages.blocks import Title
    from attntrace.pages.verdicts import Report
    from attntrace.runs.run import Subject
    from attntrace.tensor.tensor import Record
    from attntrace.tracing.trace import Sink
    from attntrace.verify.recompute import Log


@click_words.command("verify")
@options.sentence_argument
@options.from_option()
@click_words.option("--backprop", is_flag=True, default=None, text="verify_backprop")
@options.learning_options
@click_words.option("--against", type=Among(("torch",)))
@options.model_options
@options.quiet_option
@options.page_options
def command(saved_run: str | None, learning: options.LearningOptions, against: str | None, model: options.ModelOptions,
            page: PageOptions) -> int:
    from attntrace.pages.verdicts import Report
    with source_of(saved_run, learning, against, model) as source:
        from attntrace.pages.blocks import try_next
        from attntrace.verify.torch import version
        reference = version() if against else None
        with writer_of(page) as writer:
            report = Report(reference)
            with progress(writer.out, source.total, silent=True) as count:
                log, footer = judged(source, report, count, against)
            writer([source.title, *report.blocks(log, footer)])
            if not report.wrong:
                writer(try_next([source.show, f"why {report.worst.cell} {source.again}", *source.more]))
    return CHECK_FAILED if report.wrong else DONE


class Source(NamedTuple):
    """Where records come from: the header, a function that passes all others with their values to its first argument
    and returns the footer, and how many steps there are; the title of the page; commands to try after it: one that
    shows the steps, more, and the words of a command line that are the same."""
    header: Record
    read: Callable[[Callable[[Record], object], Sink], Record]
    total: Callable[[], int]
    title: Title
    show: str
    again: str
    more: Sequence[str] = ()


@contextmanager
def source_of(saved_run: str | None, learning: options.LearningOptions, against: str | None,
              model: options.ModelOptions) -> Iterator[Source]:
    """The saved run that --from names; else the run, or the training step, of the sentence (or of the example)."""
    from attntrace.pages.answer import title
    from attntrace.pages.blocks import Title
    if saved_run is None:
        given = options.given_options(learning)
        if given and not learning.backprop:
            raise Problem("only_with_backprop", option=given[0])
        model = settled(model)
        subject = subject_of(model, learning if learning.backprop else None)
        again, with_learning = options.typed(model), options.typed(model, learning._replace(backprop=None))
        trainable = subject.run.vocabularies.target and model.target is not None and not learning.backprop
        from attntrace.runs.run import header
        yield Source(header(subject), partial(recorded, subject), lambda: len(subject.addresses()),
                     title("verify", subject.run), f"trace {again}", with_learning,
                     [f"verify {again} --backprop"] * bool(trainable))
        return
    options.check_from(model, learning)
    from attntrace.files.archive import opened
    from attntrace.runs.run import TRANSLATE
    with opened(saved_run) as archive:
        archive.check_seal()
        if against is not None and archive.header.get("kind") == TRANSLATE:
            raise Problem("torch_translation", file=saved_run)

        def saved(take: Callable[[Record], object], count: Sink) -> Record:
            for record in archive.records():
                if "member" not in record:  # which stands beside the steps
                    take(record | {"value": archive.value(record).tolist()})
            return archive.footer

        again = f"--from {quoted(saved_run)}"
        yield Source(archive.header, saved, lambda: len(archive.names),
                     Title(Message("messages.title_verify", sentence=shown(saved_run))), f"show {again}", again)


def recorded(subject: Subject, take: Callable[[Record], object], count: Sink) -> Record:
    """Run, and give each parameter and step to `take` as a record with its value. Returns the footer."""
    from attntrace.runs.run import Recorder, footer
    from attntrace.tracing.trace import Fingerprint, tee
    recorder = Recorder(subject.run.parameters.by_name,
                        lambda record, tensor: take(record | {"value": tensor.value.tolist()}))
    fingerprint = Fingerprint()
    subject(tee(recorder, fingerprint, count))
    return footer(fingerprint)


def judged(source: Source, report: Report, count: Sink, against: str | None) -> tuple[Log, Record | None]:
    """Report a verdict on each step: as soon as it is recorded, or, against PyTorch, which needs every parameter to
    begin with, when all are. Returns the log, and the footer after all records: None where a member was changed since
    it was saved, which is reported as wrong, as steps computed from it cannot be judged."""
    from attntrace.verify.invariants import begins_with_words
    from attntrace.verify.recompute import Log, Recomputation, Verdict
    from attntrace.verify.torch import compared
    log = Log(source.header)
    if against and not all(begins_with_words(log, side) for side, said in log.header["tokens"].items() if said):
        raise Problem("torch_rows", file=log.header["input"])
    recomputation = Recomputation(log)

    def take(record: Record) -> None:
        if against:
            log(record)
        elif verdict := recomputation.take(record):  # of a step
            report(verdict)

    footer = None
    try:
        footer = source.read(take, count)
    except Problem as problem:
        if problem.key != "saved_changed":
            raise
        name = str(problem.facts["name"])
        report(Verdict(name, 0, float("inf"), name, "changed"))
    if against:
        for verdict in compared(log) if footer is not None else ():
            report(verdict)
    return log, footer
