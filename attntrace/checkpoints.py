"""A training that stopped: written down, and taken up again."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO

from attntrace.errors import Problem
from attntrace.npz import Npz
from attntrace.pairs import Pair
from attntrace.training import Schedule, Training
from attntrace.weights_file import STATE, load, save


def digest(pairs: Sequence[Pair]) -> str:
    """What tells one list of pairs from another."""
    return hashlib.sha256("".join(f"{pair.source}\t{pair.target}\n" for pair in pairs).encode()).hexdigest()


def write_model(file: BinaryIO, training: Training) -> None:
    """The model alone: its numbers as they were trained, to be run in float64."""
    save(file, replace(training.config, dtype="float64"), training.vocabularies, training.parameters)


def write_checkpoint(file: BinaryIO, training: Training) -> None:
    """The model, and all that the training needs to go on as if it had not stopped."""
    facts = {"schedule": asdict(training.schedule), "updates": training.updates, "pairs": digest(training.pairs)}
    save(file, replace(training.config, dtype="float64"), training.vocabularies, training.parameters,
         {"facts": json.dumps(facts), "m": training.moments.m.value, "v": training.moments.v.value})


def resumed(path: Path, pairs: Sequence[Pair], epochs: int | None) -> Training:
    """The training of a checkpoint, with more epochs or fewer where that is asked for. Raises Problem where the file
    holds none, or one of other pairs."""
    load(path)  # says what is wrong with it, if anything is
    with open(path, "rb") as file:
        members = Npz(path, file)
        if not {STATE + name for name in ("facts", "m", "v")} <= members.headers.keys():
            raise Problem("no_checkpoint", file=str(path))
        try:
            facts = json.loads(members.read(f"{STATE}facts").item())
            schedule, updates, wanted = Schedule(**facts["schedule"]), int(facts["updates"]), facts["pairs"]
        except (KeyError, TypeError, ValueError):
            raise Problem("no_checkpoint", file=str(path)) from None
        m, v = members.read(f"{STATE}m"), members.read(f"{STATE}v")
    if wanted != digest(pairs):
        raise Problem("checkpoint_of_other_pairs", file=str(path))
    config, vocabularies, parameters = load(path, schedule.dtype)
    if not m.shape == v.shape == parameters.vector.shape:
        raise Problem("no_checkpoint", file=str(path))
    training = Training(config, vocabularies, parameters, pairs, replace(schedule, epochs=epochs or schedule.epochs))
    training.go_on(m, v, updates)
    return training
