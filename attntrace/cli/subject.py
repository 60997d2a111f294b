"""What a command speaks of: a run of a sentence, one training step, a translation; live or saved."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from attntrace.cli.options import CHANGES, MODEL, asked_changes, check_from, given_model, learning, sentence_or_rows
from attntrace.messages.errors import Problem
from attntrace.tracing.addresses import Address

if TYPE_CHECKING:
    from attntrace.runs.decoding import Decoding
    from attntrace.runs.run import Run
    from attntrace.runs.training_step import TrainingStep
    from attntrace.tensor.tensor import Tensor
    from attntrace.tracing.trace import Step

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

    if Address.of(address).is_of_training:
        training_step = training_step_of(arguments, options)
        training_step(keep)
        run = training_step.run
    else:
        run = run_of(arguments, options)
        run(keep)
    yield Subject(list(found), found.get, run.parameters.by_name, run.pencil)


def _saved(arguments: tuple[str, ...], options: dict[str, Any]) -> Iterator[Subject]:
    check_from(arguments, options, "optimizer", "lr", "label_smoothing")
    from attntrace.files.archive import opened
    with opened(options["saved_run"]) as archive:
        archive.check_seal()
        from attntrace.runs.saved import Recorded
        recorded = Recorded(archive)
        steps = frozenset(recorded.addresses)
        yield Subject(recorded.addresses, lambda address: recorded.step(address) if address in steps else None,
                      {name: recorded.tensor(name) for name in recorded.parameters}, archive.header.get("pencil"))


def said(arguments: tuple[str, ...], options: dict[str, Any]) -> tuple[str | None, str | None]:
    """The sentence and the --target; where there is neither a sentence nor a file of rows the example, and its target
    unless another is asked for."""
    if arguments or options["input"] is not None:
        return sentence_or_rows(arguments, options), options["target"]
    return EXAMPLE[0], EXAMPLE[1] if options["target"] is None else options["target"]


def run_of(arguments: tuple[str, ...], options: dict[str, Any]) -> Run:
    """A sentence (or the example) on the model that the options ask for."""
    from attntrace.runs.prepare import prepare
    return prepare(*said(arguments, options), **given_model(options))


def training_step_of(arguments: tuple[str, ...], options: dict[str, Any]) -> TrainingStep:
    """One training step on a sentence and the target that should come out of it. Raises Problem where that is missing.
    """
    from attntrace.runs.training_step import prepare_training_step
    source, target = said(arguments, options)
    if target is None:
        raise Problem("lesson_without_target")
    return prepare_training_step(source, target, **learning(options), **given_model(options))


def asked_so_far(ctx: click.Context) -> Run | TrainingStep | Decoding:
    """The run that is asked for so far, changed by nothing: a training step or a translation where the command is of
    one; of the example, where there is no sentence, or none that Click has come to."""
    given, command = ctx.params, ctx.info_name
    options = dict.fromkeys((*MODEL, "weights", "input", "pencil", "target", "optimizer", "lr", "label_smoothing"))
    options |= given | dict.fromkeys(CHANGES, ())
    words = tuple(given.get("sentence") or ())
    example = EXAMPLE[:1] if options["weights"] is None else words_of(options["weights"])
    if command == "translate":
        from attntrace.runs.decoding import Decoding
        return Decoding(translator((words or example)[0], options), given["max_length"])
    if command == "backprop":
        return training_step_of(() if given["source"] is None else (given["source"],), options)
    if command == "why" and (not words or options["target"] is not None):  # which knows gradients as well
        return training_step_of(words, options)
    return run_of(words or example, options)


def words_of(weights: str) -> tuple[str, ...]:
    """A word that a model knows: addresses do not depend on which."""
    from attntrace.files.weights import load, located
    known = load(located(weights)).vocabularies.source
    return (known[-1],) if known else ()


def translator(sentence: str, options: dict[str, Any]) -> Run:
    """The run of a sentence on a model that has a decoder."""
    from attntrace.runs.prepare import prepare
    weights = options["weights"]
    try:
        run = prepare(sentence, weights=weights, edits=asked_changes(options))
    except Problem as problem:
        raise Problem("no_words_to_translate", file=weights) if problem.key == "input_missing" else problem from None
    if run.vocabularies.target is None:
        raise Problem("no_decoder_to_translate", file=weights)
    return run
