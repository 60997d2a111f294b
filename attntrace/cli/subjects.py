"""What a command speaks of: a run of a sentence, one training step, a translation; live or saved."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from attntrace.cli.options import check_from, given_model, learning, said_or_example
from attntrace.errors import Problem

if TYPE_CHECKING:
    from attntrace.lessons import Lesson
    from attntrace.run import Run
    from attntrace.tensor import Tensor
    from attntrace.tracing import Step

OF_A_LESSON = ("gradient.", "loss.", "update.")  # how addresses begin that a training step alone has


class Subject(NamedTuple):
    """The addresses of all steps, how to find one with its making, and the parameters by name."""
    addresses: Sequence[str]
    find: Callable[[str], Step | None]
    parameters: dict[str, Tensor]
    pencil: int | None  # to how many decimals each operation is rounded


@contextmanager
def subject_of(arguments: tuple[str, ...], address: str, options: dict[str, Any]) -> Iterator[Subject]:
    """The saved run that --from names; else the sentence (the example, where there is none) on the model that the
    options ask for: as one training step where the address is of one."""
    if options["saved_run"] is not None:
        yield from _saved(arguments, options)
        return
    said = said_or_example(arguments, options)
    steps: list[Step] = []
    run: Run
    if address.startswith(OF_A_LESSON):
        lesson = lesson_of(said, options)
        lesson(steps.append)
        run = lesson.run
    else:
        from attntrace.run import prepare
        run = prepare(said, options["target"], **given_model(options))
        run(steps.append)
    found = {step.address: step for step in steps}
    yield Subject(list(found), found.get, {tensor.address or "": tensor for tensor in run.parameters},
                  run.pencil)


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


def lesson_of(source: str | None, options: dict[str, Any]) -> Lesson:
    """One training step on a sentence and the --target that should come out of it."""
    from attntrace.lessons import prepare_lesson
    if options["target"] is None:
        raise Problem("lesson_without_target")
    return prepare_lesson(source, options["target"], **learning(options), **given_model(options))
