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
from attntrace.training.loop import Training
from attntrace.training.pairs import Pair
from attntrace.training.schedule import Schedule


def digest(pairs: Sequence[Pair]) -> str:
    """Return the SHA-256 of a list of pairs."""
    return hashlib.sha256("".join(f"{pair.source}\t{pair.target}\n" for pair in pairs).encode()).hexdigest()


def write_model(file: BinaryIO, training: Training, state: Mapping[str, object] = {}) -> None:
    """Write the model: its numbers as trained, to be run in float64; with a `state`, a checkpoint."""
    save(file, training.config.replace(dtype="float64"), training.vocabularies, training.parameters, state)


def write_checkpoint(file: BinaryIO, training: Training, hold_out: int, targets: Sequence[str]) -> None:
    """Write the model, what the training needs to continue as if it had not stopped, and which pairs are held out."""
    facts = {"schedule": training.schedule.facts(), "updates": training.updates, "pairs": digest(training.pairs),
             "hold_out": hold_out, "hold_out_targets": list(targets)}
    m, v, _ = training.moments
    write_model(file, training, {"facts": json.dumps(facts), "m": m.value, "v": v.value})


class Checkpoint(NamedTuple):
    """The state of a training run: how many updates it made, and the moments of Adam."""
    schedule: Schedule
    updates: int
    pairs: str  # their digest
    hold_out: int
    targets: tuple[str, ...]
    m: Array
    v: Array


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises Problem where the file does not hold one."""
    if not all(load(path).vocabularies):  # load() first reports what is wrong with it as a weights file
        raise Problem("no_checkpoint", file=str(path))
    with opened(path) as file:
        members = Npz(path, file)
        try:
            facts = json.loads(members.text(f"{STATE}facts"))
            checkpoint = Checkpoint(Schedule(**facts["schedule"]), facts["updates"], str(facts["pairs"]),
                                    facts["hold_out"], tuple(map(str, facts["hold_out_targets"])),
                                    members.read(f"{STATE}m"), members.read(f"{STATE}v"))
            checkpoint.schedule.check()
            if not (isinstance(checkpoint.updates, int) and checkpoint.updates >= 0
                    and isinstance(checkpoint.hold_out, int)):
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
    if not checkpoint.m.shape == checkpoint.v.shape == parameters.vector.shape:
        raise Problem("no_checkpoint", file=str(path))
    schedule = replace(checkpoint.schedule, epochs=epochs or checkpoint.schedule.epochs)
    training = Training(config, vocabularies, parameters, pairs, schedule)
    training.resume(checkpoint.m, checkpoint.v, checkpoint.updates)
    return training
