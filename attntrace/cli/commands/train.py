"""attntrace train: a model that learns from pairs of sentences."""
from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attntrace.cli import click_words as commands
from attntrace.cli.click_words import chained, option
from attntrace.cli.exit_codes import DONE
from attntrace.cli.languages import rendered
from attntrace.cli.options import ARCHITECTURE, architecture_options, quiet_option
from attntrace.cli.output import binary, check_place
from attntrace.cli.values import POSITIVE, SHARE, Text, Whole
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import Config, as_option
from attntrace.training.schedule import Schedule

if TYPE_CHECKING:
    from attntrace.training.checkpoint import Checkpoint
    from attntrace.training.loop import Training
    from attntrace.training.pairs import Split

SMALL = Config(d_model=32, heads=2, layers=2, d_ff=64, dtype="float32")  # what some thousand pairs can teach
ONE_THREAD = 256  # d_model up to which a second thread of the linear algebra only waits for the first
BETWEEN = 10.0  # seconds between checkpoints
HOLD_OUT = 10  # every tenth pair or so, where nothing else is said
SAMPLE = 2_000  # pairs that are tried at the end
LOOKING = 0.1  # of the time, at most, that goes into translating what was held out


def of_schedule(name: str, type: click.ParamType, **settings: Any) -> Any:
    return option(as_option(name), type=type, default=None, stands_for=getattr(Schedule(), name), **settings)


SCHEDULE = ("epochs", "batch", "lr", "warmup", "dropout", "label_smoothing", "seed", "dtype")
schedule_options = chained([
    of_schedule("epochs", Whole(1), metavar="N"),
    of_schedule("batch", Whole(1), metavar="N"),
    of_schedule("lr", POSITIVE, metavar="X", text="lr_train"),
    of_schedule("warmup", Whole(1), metavar="N"),
    of_schedule("dropout", SHARE, metavar="X"),
    of_schedule("label_smoothing", SHARE, metavar="X"),
    option("--hold-out", type=Whole(0), default=None, stands_for=HOLD_OUT, metavar="N"),
    option("--hold-out-target", type=Text(), multiple=True, metavar="TEXT")])


@commands.command("train")
@click.argument("pairs", type=click.Path(), metavar="PAIRS")
@option("-o", "output", metavar="MODEL.npz", type=click.Path(), required=True, text="train_output")
@option("--resume", is_flag=True)
@quiet_option
@schedule_options
@chained(architecture_options(SMALL))
def command(pairs: str, output: str, resume: bool, quiet: bool, hold_out: int | None, hold_out_target: tuple[str, ...],
            **options: Any) -> int:
    if not output.lower().endswith(".npz"):
        raise Problem("model_ending", file=output)
    check_place(output)
    if (options["d_model"] or SMALL.d_model) <= ONE_THREAD:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported
    keep_memory()
    from attntrace.training.pairs import read_pairs, split
    checkpoint = output[:-len(".npz")] + ".checkpoint.npz"
    before = checkpoint_of(checkpoint, options) if resume else None
    every, targets = (before.hold_out, before.targets) if before else (HOLD_OUT, ())
    every, targets = every if hold_out is None else hold_out, hold_out_target or targets
    parts = split(read_pairs(Path(pairs)), every, targets)
    if parts.all_meant and not quiet:
        say(Message("messages.train_none_held_out"))
    if before is not None:
        from attntrace.training.checkpoint import resumed
        training = resumed(Path(checkpoint), before, parts.training, options["epochs"])
    else:
        training = begun(checkpoint, parts, options)
    course = Course(training, parts, output, checkpoint, every, targets, quiet)
    start, updates = time.monotonic(), training.updates
    course.learn()
    course.write()
    course.conclude(training.updates - updates, time.monotonic() - start)
    return DONE


def keep_memory() -> None:
    """Let the C library keep what is freed: every update needs as much again, and memory that was given back has to be
    touched anew, which takes a tenth of the time. Only glibc can be asked."""
    import ctypes
    trim_threshold, mmap_threshold = -1, -3  # of malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    for parameter in (trim_threshold, mmap_threshold):
        mallopt(parameter, 1 << 30)


def checkpoint_of(file: str, options: dict[str, Any]) -> Checkpoint:
    """How far the training was that is to go on, as it was asked for then."""
    from attntrace.training.checkpoint import read_checkpoint
    given = [name for name, value in options.items() if value is not None and name != "epochs"]
    if given:
        raise Problem("options_with_resume", options=", ".join(map(as_option, given)))
    if not os.path.exists(file):
        raise Problem("nothing_to_resume", file=file)
    return read_checkpoint(Path(file))


def begun(checkpoint: str, parts: Split, options: dict[str, Any]) -> Training:
    """A new training. Raises Problem where it would write over one that is not finished."""
    from attntrace.model.memory import check_memory
    from attntrace.model.parameters import seeded
    from attntrace.training.loop import Training, check_batch, vocabularies_of
    if os.path.exists(checkpoint):
        raise Problem("checkpoint_there", file=checkpoint)
    given = {name: value for name, value in options.items() if value is not None}
    config = Config(**{name: given.get(name, getattr(SMALL, name)) for name in ARCHITECTURE})
    schedule = Schedule(**{name: given[name] for name in SCHEDULE if name in given})
    vocabularies = vocabularies_of(parts.training)
    check_memory(config, vocabularies, 1)
    check_batch(config, vocabularies, parts.training, schedule.batch)
    return Training(config, vocabularies, seeded(config, vocabularies, schedule.seed), parts.training, schedule)


def say(message: Message) -> None:
    """A line on standard error, where somebody reads it."""
    with suppress(OSError):
        if sys.stderr is not None:
            print(rendered(message), file=sys.stderr, flush=True)


class Course:
    """A training, from where it is to its end: checkpoints, progress, the model."""

    def __init__(self, training: Training, parts: Split, output: str, checkpoint: str, every: int,
                 targets: tuple[str, ...], quiet: bool) -> None:
        self.training, self.parts, self.output, self.checkpoint = training, parts, output, checkpoint
        self.every, self.targets, self.quiet = every, targets, quiet

    def save(self) -> None:
        from attntrace.training.checkpoint import write_checkpoint
        with binary(self.checkpoint) as file:
            write_checkpoint(file, self.training, self.every, self.targets)

    def learn(self) -> None:
        """Train to the end, with a checkpoint now and then, and one where it is interrupted."""
        from attntrace.cli.progress import TrainingProgress
        training, held_out = self.training, self.parts.held_out
        saved = measured = time.monotonic()
        cost = 0.0  # seconds that the last look at what was held out took
        exact: tuple[int, int] | None = None
        with TrainingProgress(training.batches, training.schedule.epochs, training.updates, len(held_out),
                              self.quiet) as progress:
            try:
                for done in training:
                    now = time.monotonic()
                    if not training.updates % training.batches and held_out and cost <= LOOKING * (now - measured):
                        exact = training.exact(held_out), done.epoch
                        measured, cost = time.monotonic(), time.monotonic() - now
                    progress.show(done, training.updates, exact)
                    if now - saved > BETWEEN:
                        saved = now
                        try:
                            self.save()
                        except Problem as problem:
                            progress.say(Message("messages.train_not_saved", why=problem.message))
            except Problem:
                raise
            except BaseException:
                self.save()
                progress.say(Message("messages.train_stopped", epoch=training.updates // training.batches + 1,
                                     file=shown(self.checkpoint)))
                raise

    def write(self) -> None:
        """The model; where that fails, nothing that was learned is lost."""
        from attntrace.training.checkpoint import write_model
        try:
            with binary(self.output) as file:
                write_model(file, self.training)
        except Problem:
            with suppress(Problem):
                self.save()
                say(Message("messages.train_saved_instead", file=shown(self.checkpoint)))
            raise
        with suppress(FileNotFoundError):
            os.unlink(self.checkpoint)

    def conclude(self, updates: int, seconds: float) -> None:
        """What has come out, on standard output: where the model is, and how much it has learned."""
        print(rendered(Message("messages.train_written", file=shown(self.output), updates=f"{updates:,}",
                       seconds=f"{seconds:.0f}", parameters=f"{self.training.parameters.vector.size:,}")), flush=True)
        training, held_out = self.parts.training, self.parts.held_out
        for key, pairs in (("train_exact" if len(training) <= SAMPLE else "train_sample", training[:SAMPLE]),
                           ("train_held_out", held_out[:SAMPLE])):
            if pairs and not self.quiet:
                exact = self.training.exact(pairs)
                print(rendered(Message(f"messages.{key}", exact=f"{exact:,}", pairs=f"{len(pairs):,}",
                               share=f"{100 * exact / len(pairs):.1f}")), flush=True)
