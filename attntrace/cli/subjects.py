"""What a command speaks of: a run of a sentence, one training step, a translation; live or saved."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from attntrace.addresses import OF_A_LESSON
from attntrace.cli.options import check_from, given_model, learning, sentence_or_rows
from attntrace.errors import Problem

if TYPE_CHECKING:
    from attntrace.lessons import Lesson
    from attntrace.run import Run
    from attntrace.tensor import Tensor
    from attntrace.tracing import Step

EXAMPLE = ("어제 카페 갔었어", "I went to the cafe yesterday")


class Subject(NamedTuple):
    """The addresses of all steps, how to find one with its making, and the parameters by name."""
    addresses: Sequence[str]
    find: Callable[[str], Step | None]
    parameters: Mapping[str, Tensor]
    pencil: int | None  # to how many decimals each operation is rounded


@contextmanager
def subject_of(arguments: tuple[str, ...], address: str, options: dict[str, Any]) -> Iterator[Subject]:
    """The saved run that --from names; else the sentence (the example, where there is none) on the model that the
    options ask for: as one training step where the address is of one."""
    if options["saved_run"] is not None:
        yield from _saved(arguments, options)
        return
    found: dict[str, Step] = {}

    def keep(step: Step) -> None:
        found[step.address] = step

    if address.startswith(OF_A_LESSON):
        lesson = lesson_of(arguments, options)
        lesson(keep)
        run = lesson.run
    else:
        run = run_of(arguments, options)
        run(keep)
    yield Subject(list(found), found.get, run.parameters.by_name, run.pencil)


def _saved(arguments: tuple[str, ...], options: dict[str, Any]) -> Iterator[Subject]:
    check_from(arguments, options, "optimizer", "lr", "label_smoothing")
    from attntrace.archive import opened
    with opened(options["saved_run"]) as archive:
        archive.check_seal()
        from attntrace.recording import Recorded
        recorded = Recorded(archive)
        steps = frozenset(recorded.addresses)
        yield Subject(recorded.addresses, lambda address: recorded.step(address) if address in steps else None,
                      {name: recorded.tensor(name) for name in recorded.parameters}, archive.opening.get("pencil"))


def said(arguments: tuple[str, ...], options: dict[str, Any]) -> tuple[str | None, str | None]:
    """The sentence and the --target; where there is neither a sentence nor a file of rows the example, and its target
    unless another is asked for."""
    if arguments or options["input"] is not None:
        return sentence_or_rows(arguments, options), options["target"]
    return EXAMPLE[0], EXAMPLE[1] if options["target"] is None else options["target"]


def run_of(arguments: tuple[str, ...], options: dict[str, Any]) -> Run:
    """A sentence (or the example) on the model that the options ask for."""
    from attntrace.run import prepare
    return prepare(*said(arguments, options), **given_model(options))


def lesson_of(arguments: tuple[str, ...], options: dict[str, Any]) -> Lesson:
    """One training step on a sentence and the target that should come out of it. Raises Problem where that is missing.
    """
    from attntrace.lessons import prepare_lesson
    source, target = said(arguments, options)
    if target is None:
        raise Problem("lesson_without_target")
    return prepare_lesson(source, target, **learning(options), **given_model(options))
