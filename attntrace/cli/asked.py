"""The run that a command line asks for so far, before it is complete."""
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attntrace.cli.options import CHANGES, MODEL
from attntrace.cli.subjects import EXAMPLE, lesson_of, run_of

if TYPE_CHECKING:
    from attntrace.decoding import Decoding
    from attntrace.lessons import Lesson
    from attntrace.run import Run


def asked_so_far(ctx: click.Context) -> Run | Lesson | Decoding:
    """The run that is asked for so far, changed by nothing: a training step or a translation where the command is of
    one; of the example, where there is no sentence, or none that Click has come to."""
    given, command = ctx.params, ctx.info_name
    options = dict.fromkeys((*MODEL, "weights", "input", "pencil", "target", "optimizer", "lr", "label_smoothing"))
    options |= given | dict.fromkeys(CHANGES, ())
    words = tuple(given.get("sentence") or ())
    example = EXAMPLE[:1] if options["weights"] is None else words_of(options["weights"])
    if command == "translate":
        from attntrace.cli.translate import translator
        from attntrace.decoding import Decoding
        return Decoding(translator((words or example)[0], options), given["max_length"])
    if command == "backprop":
        return lesson_of(() if given["source"] is None else (given["source"],), options)
    if command == "why" and (not words or options["target"] is not None):  # which knows gradients as well
        return lesson_of(words, options)
    return run_of(words or example, options)


def words_of(weights: str) -> tuple[str, ...]:
    """A word that a model knows: addresses do not depend on which."""
    from attntrace.weights_file import load, located
    known = load(located(weights)).vocabularies.source
    return (known[-1],) if known else ()
