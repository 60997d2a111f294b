"""attntrace train: a model that learns from pairs of sentences."""
from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from attntrace.cli import click_words
from attntrace.cli.click_words import option, passed
from attntrace.cli.formats import PageOptions, quoted, writer_of
from attntrace.cli.options import ModelOptions, architecture_options, given_options, quiet_option
from attntrace.cli.output import binary, check_place
from attntrace.cli.progress import TrainingProgress, bar, say
from attntrace.cli.values import POSITIVE, SHARE, Among, InputFile, Text, Whole
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import Config, as_option
from attntrace.training import PIECES_OF, SMOOTHING_OVER
from attntrace.training.schedule import Schedule
from attntrace.writers import TEXT

if TYPE_CHECKING:
    from attntrace.training.checkpoint import Checkpoint
    from attntrace.training.loop import Training
    from attntrace.training.pairs import Choice, Split

SMALL = Config(d_model=32, heads=2, layers=2, d_ff=64, dtype="float32")  # what some thousand pairs can teach
ONE_THREAD = 256  # d_model up to which a second thread of the linear algebra only waits for the first
BETWEEN = 10.0  # seconds between checkpoints
SAMPLE = 2_000  # pairs that are tried at the end
LOOKING = 0.1  # of the time, at most, that goes into translating what was held out


class TrainingOptions(NamedTuple):
    """How long and how fast a model learns, and which pairs are held out. None: not given."""
    epochs: int | None
    batch: int | None
    lr: float | None
    warmup: int | None
    dropout: float | None
    label_smoothing: float | None
    label_smoothing_over: str | None
    average: int | None
    piece_dropout: float | None
    pieces: int | None
    pieces_of: str | None
    reverse: bool | None
    first_translation: bool | None
    hold_out: int | None
    hold_out_target: tuple[str, ...]

    def schedule(self, model: ModelOptions) -> Schedule:
        given = self._asdict() | {"seed": model.seed, "dtype": model.entries["dtype"]}
        return Schedule(**{one.name: given[one.name] for one in fields(Schedule) if given.get(one.name) is not None})


def of_schedule(name: str, type: click.ParamType[Any], **settings: Any) -> Any:
    return option(as_option(name), type=type, default=None, stands_for=getattr(Schedule(), name), **settings)


training_options = passed(
    "training", TrainingOptions,
    of_schedule("epochs", Whole(1), metavar="N"),
    of_schedule("batch", Whole(1), metavar="N"),
    of_schedule("lr", POSITIVE, metavar="X", text="lr_train"),
    of_schedule("warmup", Whole(1), metavar="N"),
    of_schedule("dropout", SHARE, metavar="X"),
    of_schedule("label_smoothing", SHARE, metavar="X"),
    of_schedule("label_smoothing_over", Among(SMOOTHING_OVER)),
    of_schedule("average", Whole(0), metavar="N"),
    of_schedule("piece_dropout", SHARE, metavar="X"),
    option("--pieces", type=Whole(1), default=None, metavar="N"),
    option("--pieces-of", type=Among(PIECES_OF), default=None, stands_for=PIECES_OF[0]),
    option("--reverse", is_flag=True, default=None),
    option("--first-translation", is_flag=True, default=None),
    option("--hold-out", type=Whole(0), default=None, stands_for=10, metavar="N"),
    option("--hold-out-target", type=Text(), multiple=True, metavar="TEXT"))


@click_words.command("train")
@click.argument("pairs", type=InputFile(), metavar="PAIRS")
@option("-o", "output", metavar="MODEL.npz", type=click.Path(), required=True, text="train_output")
@option("--resume", is_flag=True)
@option("--float16", is_flag=True)
@training_options
@architecture_options(SMALL)
@quiet_option
def command(pairs: str, output: str, resume: bool, float16: bool, quiet: bool, training: TrainingOptions,
            model: ModelOptions) -> None:
    if not output.lower().endswith(".npz"):
        raise Problem("model_ending", file=output)
    check_place(output)
    if (model.entries["d_model"] or SMALL.d_model) <= ONE_THREAD:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is imported; with two, other bits come out
    keep_memory()
    from attntrace.training.pairs import Choice, read_pairs
    checkpoint = output[:-len(".npz")] + ".checkpoint.npz"
    before = checkpoint_of(checkpoint, training, model) if resume else None
    choice = before.choice if before else Choice(reverse=bool(training.reverse), first=bool(training.first_translation))
    choice = choice._replace(targets=training.hold_out_target or choice.targets,
                             hold_out=choice.hold_out if training.hold_out is None else training.hold_out)
    parts = choice(read_pairs(Path(pairs)))
    if parts.nothing_left and not quiet:
        say(Message("messages.train_none_held_out"))
    if before is not None:
        from attntrace.training.checkpoint import resumed
        loop = resumed(Path(checkpoint), before, parts.training, training.epochs)
    else:
        loop = begun(checkpoint, parts, training, model)
    course = Course(loop, parts, output, checkpoint, choice, quiet)
    start, updates = time.monotonic(), loop.updates
    course.learn()
    course.write(float16)
    course.conclude(pairs, loop.updates - updates, time.monotonic() - start)


def keep_memory() -> None:
    """Let the C library keep what is freed: every update needs as much again, and memory that was given back has to be
    mapped again, which takes a tenth of the time. Only glibc has this setting."""
    import ctypes
    trim_threshold, mmap_threshold = -1, -3  # of malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    for parameter in (trim_threshold, mmap_threshold):
        mallopt(parameter, 1 << 30)


def checkpoint_of(file: str, training: TrainingOptions, model: ModelOptions) -> Checkpoint:
    """The checkpoint of a training that is resumed. Raises Problem where options are given that it settles."""
    from attntrace.training.checkpoint import read_checkpoint
    given = given_options(training._replace(epochs=None, hold_out=None, hold_out_target=()), model)
    if given:
        raise Problem("options_with_resume", options=", ".join(given))
    if not os.path.exists(file):
        raise Problem("nothing_to_resume", file=file)
    return read_checkpoint(Path(file))


def begun(checkpoint: str, parts: Split, training: TrainingOptions, model: ModelOptions) -> Training:
    """A new training. Raises Problem where it would write over one that is not finished."""
    from attntrace.model.parameters import check_memory, seeded
    from attntrace.training.loop import Training, check_batch, vocabularies_of
    if os.path.exists(checkpoint):
        raise Problem("checkpoint_there", file=checkpoint)
    for name in ("piece_dropout", "pieces_of"):
        if getattr(training, name) and not training.pieces:
            raise Problem("only_with_pieces", option=as_option(name))
    config, schedule = model.config(SMALL), training.schedule(model)
    vocabularies = vocabularies_of(parts.training, config, training.pieces or 0, training.pieces_of or PIECES_OF[0])
    check_memory(config, vocabularies, 1)
    check_batch(config, vocabularies, parts.training, schedule.batch)
    return Training(config, vocabularies, seeded(config, vocabularies, schedule.seed), parts.training, schedule)


class Course:
    """A training, from where it is to its end: checkpoints, progress, the model."""

    def __init__(self, training: Training, parts: Split, output: str, checkpoint: str, choice: Choice,
                 quiet: bool) -> None:
        self.training, self.parts, self.output, self.checkpoint = training, parts, output, checkpoint
        self.choice, self.quiet = choice, quiet

    def save(self) -> None:
        from attntrace.training.checkpoint import write_checkpoint
        with binary(self.checkpoint) as file:
            write_checkpoint(file, self.training, self.choice)

    def learn(self) -> None:
        """Train to the end, with a checkpoint now and then, and one at an interruption."""
        training, held_out = self.training, self.parts.held_out
        saved = measured = time.monotonic()
        cost = 0.0  # seconds that the last look at what was held out took
        exact: tuple[int, int] | None = None
        epochs = training.schedule.epochs
        with bar(not self.quiet, lambda: training.batches * epochs) as show:
            progress = TrainingProgress(show, training.batches, epochs, training.updates, len(held_out))
            try:
                for done in training:
                    now = time.monotonic()
                    if not training.updates % training.batches and held_out and cost <= LOOKING * (now - measured):
                        exact = training.exact(held_out), done.epoch
                        measured, cost = time.monotonic(), time.monotonic() - now
                    if not self.quiet:
                        progress.show(done, training.updates, exact)
                    if now - saved > BETWEEN:
                        saved = now
                        try:
                            self.save()
                        except Problem as problem:
                            say(Message("messages.train_not_saved", why=problem.message))
            except Problem:
                raise
            except BaseException:
                self.save()
                say(Message("messages.train_stopped", epoch=training.updates // training.batches + 1,
                            file=shown(self.checkpoint)))
                raise

    def write(self, float16: bool) -> None:
        """Write the model; where that fails, a checkpoint. In float16, its numbers are then those of the file."""
        from attntrace.training.checkpoint import write_model
        try:
            with binary(self.output) as file:
                write_model(file, self.training, dtype="float16" if float16 else "")
        except Problem:
            with suppress(Problem):
                self.save()
                say(Message("messages.train_saved_instead", file=shown(self.checkpoint)))
            raise
        if float16:
            vector = self.training.parameters.vector
            vector[...] = vector.astype("float16")
        with suppress(FileNotFoundError):
            os.unlink(self.checkpoint)

    def conclude(self, pairs: str, updates: int, seconds: float) -> None:
        """Print where the model is and how much it has learned."""
        from attntrace.pages.blocks import Prose, Result, Title, try_next
        with writer_of(PageOptions(TEXT, pager=False, quiet=self.quiet)) as writer:
            result = Message("messages.train_written", file=shown(self.output), updates=f"{updates:,}",
                             seconds=f"{seconds:.0f}", parameters=f"{self.training.parameters.vector.size:,}")
            writer([Title(Message("messages.title_train", pairs=shown(pairs))), Result((Prose(result),))])
            if not self.quiet:
                writer([*map(Prose, self.exact()), *try_next([
                    f"translate {quoted(self.parts.training[0].source)} --weights {quoted(self.output)}",
                    " ".join(("weights", "info", quoted(self.output)))])])

    def exact(self) -> Iterator[Message]:
        """How many pairs are translated exactly."""
        training, held_out = self.parts.training, self.parts.held_out
        for key, pairs in (("train_exact" if len(training) <= SAMPLE else "train_sample", training[:SAMPLE]),
                           ("train_held_out", held_out[:SAMPLE])):
            if pairs:
                exact = self.training.exact(pairs)
                yield Message(f"messages.{key}", exact=f"{exact:,}", pairs=f"{len(pairs):,}",
                              share=f"{100 * exact / len(pairs):.1f}")
