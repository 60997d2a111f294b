"""Checkpoints: a training run written to a file and resumed from it."""
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from attntrace.files.arrays import Npz, opened
from attntrace.files.weights import STATE, load, save
from attntrace.messages.errors import Problem
from attntrace.tensor.tensor import Array
from attntrace.training.loop import Average, Training
from attntrace.training.pairs import Choice, Pair
from attntrace.training.schedule import Schedule


def digest(pairs: Sequence[Pair]) -> str:
    """Return the SHA-256 of a list of pairs."""
    return hashlib.sha256("".join(f"{pair.source}\t{pair.target}\n" for pair in pairs).encode()).hexdigest()


def write_model(file: BinaryIO, training: Training, state: Mapping[str, object] = {}, dtype: str = "") -> None:
    """Write the model, to be run in float64: its numbers as trained, or in another dtype; with a `state`, a
    checkpoint."""
    config = training.config.replace(dtype="float64")
    save(file, config, training.vocabularies, training.parameters, state, dtype=dtype)


def write_checkpoint(file: BinaryIO, training: Training, choice: Choice) -> None:
    """Write the model, what the training needs to continue as if it had not stopped, and which pairs it learns from."""
    facts = {"schedule": training.schedule.facts(), "updates": training.updates, "pairs": digest(training.pairs),
             **choice.facts()}
    (m, v, _), (total, epochs) = training.moments, training.average
    average = {"average": total} if epochs else {}
    facts |= {"averaged": epochs} if epochs else {}
    write_model(file, training, {"facts": json.dumps(facts), "m": m.value, "v": v.value, **average})


class Checkpoint(NamedTuple):
    """The state of a training run: how many updates it made, and the moments of Adam."""
    schedule: Schedule
    updates: int
    pairs: str  # their digest
    choice: Choice
    m: Array
    v: Array
    average: Average | None


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises Problem where the file does not hold one."""
    if not all(load(path).vocabularies):  # load() first reports what is wrong with it as a weights file
        raise Problem("no_checkpoint", file=str(path))
    with opened(path) as file:
        members = Npz(path, file)
        try:
            facts = json.loads(members.text(f"{STATE}facts"))
            checkpoint = Checkpoint(Schedule(**facts["schedule"]), facts["updates"], str(facts["pairs"]),
                                    Choice.from_facts(facts), members.read(f"{STATE}m"), members.read(f"{STATE}v"),
                                    Average(members.read(f"{STATE}average"), facts["averaged"])
                                    if "averaged" in facts else None)
            checkpoint.schedule.check()
            if not (isinstance(checkpoint.updates, int) and checkpoint.updates >= 0
                    and isinstance(checkpoint.choice.hold_out, int)
                    and (checkpoint.average is None or isinstance(checkpoint.average.epochs, int))):
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Problem("no_checkpoint", file=str(path)) from None
    return checkpoint


def resumed(path: Path, checkpoint: Checkpoint, pairs: Sequence[Pair], epochs: int | None) -> Training:
    """Return the training run of a checkpoint, with another number of epochs where one is given. Raises Problem where
    the checkpoint belongs to other pairs."""
    if checkpoint.pairs != digest(pairs):
        raise Problem("checkpoint_of_other_pairs", file=str(path))
    config, vocabularies, parameters = load(path, checkpoint.schedule.dtype)
    totals = [checkpoint.average.total] if checkpoint.average else []
    if any(one.shape != parameters.vector.shape for one in (checkpoint.m, checkpoint.v, *totals)):
        raise Problem("no_checkpoint", file=str(path))
    schedule = replace(checkpoint.schedule, epochs=epochs or checkpoint.schedule.epochs)
    training = Training(config, vocabularies, parameters, pairs, schedule)
    training.resume(checkpoint.m, checkpoint.v, checkpoint.updates, checkpoint.average)
    return training
