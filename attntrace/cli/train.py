"""attntrace train: a model that learns from pairs of sentences."""
from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attntrace.cli import DONE
from attntrace.cli.options import ARCHITECTURE, Positive, Share, Text, Within, architecture_options, chained, option
from attntrace.cli.output import binary, check_place
from attntrace.config import Config, as_option
from attntrace.errors import Problem
from attntrace.prose import sentence

if TYPE_CHECKING:
    from attntrace.pairs import Pair, Split
    from attntrace.training import Training

SMALL = Config(d_model=32, heads=2, layers=2, d_ff=64, dtype="float32")  # what some thousand pairs can teach
ONE_THREAD = 256  # d_model up to which a second thread of the linear algebra only waits for the first
BETWEEN = 10.0  # seconds between checkpoints
SHARE = 0.1  # of the time, at most, that goes into translating what was held out

schedule_options = chained([
    option("--epochs", type=Within(min=1), default=None, stands_for=60, metavar="N"),
    option("--batch", type=Within(min=1), default=None, stands_for=64, metavar="N"),
    option("--lr", type=Positive(), default=None, stands_for=0.005, metavar="X", text="lr_train"),
    option("--warmup", type=Within(min=1), default=None, stands_for=200, metavar="N"),
    option("--dropout", type=Share(), default=None, stands_for=0.1, metavar="X"),
    option("--label-smoothing", type=Share(), default=None, stands_for=0.1, metavar="X"),
    option("--hold-out", type=Within(min=0), default=10, show_default=True, metavar="N"),
    option("--hold-out-target", type=Text(), multiple=True, metavar="TEXT")])
SCHEDULE = ("epochs", "batch", "lr", "warmup", "dropout", "label_smoothing", "seed", "dtype")


@click.command("train", help=sentence("help.train"), short_help=sentence("help.train_short"))
@click.argument("pairs", type=click.Path(), metavar="PAIRS")
@option("-o", "output", metavar="MODEL.npz", type=click.Path(), required=True, text="train_output")
@option("--resume", is_flag=True)
@schedule_options
@chained(architecture_options(SMALL))
def command(pairs: str, output: str, resume: bool, hold_out: int, hold_out_target: tuple[str, ...],
            **options: Any) -> int:
    if not output.lower().endswith(".npz"):
        raise Problem("model_ending", file=output)
    check_place(output)
    if (options["d_model"] or SMALL.d_model) <= ONE_THREAD:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported
    keep_memory()
    from attntrace.checkpoints import write_model
    from attntrace.pairs import read_pairs, split
    parts = split(read_pairs(Path(pairs)), hold_out, hold_out_target)
    checkpoint = output[:-len(".npz")] + ".checkpoint.npz"
    training = taken_up(checkpoint, parts, options) if resume else begun(checkpoint, parts, options)
    start = time.monotonic()
    before = training.updates
    learn(training, parts.held_out, checkpoint)
    with binary(output) as file:
        write_model(file, training)
    if os.path.exists(checkpoint):
        os.unlink(checkpoint)
    conclude(training, parts, output, training.updates - before, time.monotonic() - start)
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


def begun(checkpoint: str, parts: Split, options: dict[str, Any]) -> Training:
    """A new training. Raises Problem where it would write over one that is not finished."""
    from attntrace.run import check_memory
    from attntrace.training import Schedule, Training, vocabularies_of
    from attntrace.weights import seeded
    if os.path.exists(checkpoint):
        raise Problem("checkpoint_there", file=checkpoint)
    given = {name: value for name, value in options.items() if value is not None}
    config = Config(**{name: given.get(name, getattr(SMALL, name)) for name in ARCHITECTURE})
    schedule = Schedule(**{name: given[name] for name in SCHEDULE if name in given})
    vocabularies = vocabularies_of(parts.training)
    check_memory(config, vocabularies, schedule.batch)
    return Training(config, vocabularies, seeded(config, vocabularies, schedule.seed), parts.training, schedule)


def taken_up(checkpoint: str, parts: Split, options: dict[str, Any]) -> Training:
    """The training of a checkpoint, as it was asked for then."""
    from attntrace.checkpoints import resumed
    given = [name for name, value in options.items() if value is not None and name != "epochs"]
    if given:
        raise Problem("options_with_resume", options=", ".join(map(as_option, given)))
    if not os.path.exists(checkpoint):
        raise Problem("nothing_to_resume", file=checkpoint)
    return resumed(Path(checkpoint), parts.training, options["epochs"])


def learn(training: Training, held_out: list[Pair], checkpoint: str) -> None:
    """Train to the end, with a checkpoint now and then, and one where it is interrupted."""
    from attntrace.checkpoints import write_checkpoint
    from attntrace.cli.progress import TrainingProgress
    saved = measured = time.monotonic()
    cost = 0.0  # seconds that the last look at what was held out took
    exact: int | None = None

    def save() -> None:
        with binary(checkpoint) as file:
            write_checkpoint(file, training)

    with TrainingProgress(training.batches, training.schedule.epochs, training.updates, len(held_out)) as progress:
        try:
            for done in training:
                now = time.monotonic()
                if not training.updates % training.batches:
                    if held_out and cost <= SHARE * (now - measured):
                        exact = training.exact(held_out)
                        measured, cost = time.monotonic(), time.monotonic() - now
                progress.show(done, training.updates, exact)
                if now - saved > BETWEEN:
                    save()
                    saved = time.monotonic()
        except BaseException as stopped:
            if not isinstance(stopped, Problem):
                save()
                progress.say(sentence("messages.train_stopped", epoch=training.updates // training.batches + 1,
                                      file=checkpoint))
            raise


def conclude(training: Training, parts: Split, output: str, updates: int, seconds: float) -> None:
    """What has come out, on standard output."""
    print(sentence("messages.train_written", file=output, parameters=f"{training.parameters.vector.size:,}",
                   updates=f"{updates:,}", seconds=f"{seconds:.0f}"))
    for key, pairs in (("train_exact", parts.training), ("train_held_out", parts.held_out)):
        if pairs:
            exact = training.exact(pairs)
            print(sentence(f"messages.{key}", exact=f"{exact:,}", pairs=f"{len(pairs):,}",
                           share=f"{100 * exact / len(pairs):.1f}"))
    sys.stdout.flush()
