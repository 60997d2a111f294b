"""Records of a JSON Lines file, each step recomputed by the independent checker."""
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from attntrace.cli.commands import verify
from attntrace.runs.run import Run, header
from attntrace.runs.training_step import TrainingStep
from attntrace.verify.recompute import Log, Recomputation


def loads(text: str) -> list[dict[str, Any]]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")
    return [json.loads(line, parse_constant=refuse) for line in text.rstrip("\n").split("\n")]


def computed_again(records: Iterable[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Every tensor of a file by its address, after each step has been recomputed from its expression."""
    check, known = Recomputation(Log({"config": {}})), {}
    for record in records:
        name = record.get("address") or record["parameter"]
        verdict = check.take(record)
        assert (verdict is None) == ("expression" not in record) and set(record.get("parents", ())) <= set(known), name
        assert verdict is None or not verdict.wrong, verdict
        known[name] = np.array(record["value"], float)
    return known


def log_of(run: Run | TrainingStep) -> Log:
    """The log of a run, as the checker and the comparison with PyTorch read it."""
    log = Log(header(run))
    verify.recorded(run, log, bool)
    return log
