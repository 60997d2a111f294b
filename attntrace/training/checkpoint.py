"""A training that stopped: written down, and taken up again."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from attntrace.files.npz import Npz, opened
from attntrace.files.weights import STATE, load, save
from attntrace.messages.errors import Problem
from attntrace.tensor.tensor import Array
from attntrace.training.loop import Training
from attntrace.training.pairs import Pair
from attntrace.training.schedule import Schedule


def digest(pairs: Sequence[Pair]) -> str:
    """What tells one list of pairs from another."""
    return hashlib.sha256("".join(f"{pair.source}\t{pair.target}\n" for pair in pairs).encode()).hexdigest()


def write_model(file: BinaryIO, training: Training, state: Mapping[str, object] | None = None) -> None:
    """The model: its numbers as they were trained, to be run in float64."""
    save(file, replace(training.config, dtype="float64"), training.vocabularies, training.parameters, state)


def write_checkpoint(file: BinaryIO, training: Training, hold_out: int, targets: Sequence[str]) -> None:
    """The model, and all that the training needs to go on as if it had not stopped; also what it holds out."""
    facts = {"schedule": asdict(training.schedule), "updates": training.updates, "pairs": digest(training.pairs),
             "hold_out": hold_out, "hold_out_targets": list(targets)}
    m, v, _ = training.moments
    write_model(file, training, {"facts": json.dumps(facts), "m": m.value, "v": v.value})


class Checkpoint(NamedTuple):
    """How far a training was, and what Adam remembered."""
    schedule: Schedule
    updates: int
    pairs: str  # their digest
    hold_out: int
    targets: tuple[str, ...]
    m: Array
    v: Array


def read_checkpoint(path: Path) -> Checkpoint:
    """Raises Problem where the file holds none."""
    if not all(load(path).vocabularies):  # which says what is wrong with it as a weights file, if anything is
        raise Problem("no_checkpoint", file=str(path))
    with opened(path) as file:
        members = Npz(path, file)
        try:
            facts = json.loads(members.text(f"{STATE}facts"))
            found = Checkpoint(Schedule(**facts["schedule"]), facts["updates"], str(facts["pairs"]), facts["hold_out"],
                               tuple(map(str, facts["hold_out_targets"])), members.read(f"{STATE}m"),
                               members.read(f"{STATE}v"))
            found.schedule.check()
            if not isinstance(found.updates, int) or found.updates < 0 or not isinstance(found.hold_out, int):
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Problem("no_checkpoint", file=str(path)) from None
    return found


def resumed(path: Path, checkpoint: Checkpoint, pairs: Sequence[Pair], epochs: int | None) -> Training:
    """The training of a checkpoint, with more epochs or fewer where that is asked for. Raises Problem where it was one
    on other pairs."""
    if checkpoint.pairs != digest(pairs):
        raise Problem("checkpoint_of_other_pairs", file=str(path))
    config, vocabularies, parameters = load(path, checkpoint.schedule.dtype)
    if not checkpoint.m.shape == checkpoint.v.shape == parameters.vector.shape:
        raise Problem("no_checkpoint", file=str(path))
    schedule = replace(checkpoint.schedule, epochs=epochs or checkpoint.schedule.epochs)
    training = Training(config, vocabularies, parameters, pairs, schedule)
    training.go_on(checkpoint.m, checkpoint.v, checkpoint.updates)
    return training
