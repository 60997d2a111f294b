"""A run from Python: `attntrace.trace(...)` and the steps that it returns."""
from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import overload

from attntrace.messages.errors import Problem
from attntrace.model.config import Config
from attntrace.runs.prepare import prepare
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Sink, Step


class Steps(Sequence[Step]):
    """The steps of a run in order of computation; `steps["head1.scores"]` is found by address or a unique end of it."""

    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps)

    @overload
    def __getitem__(self, which: int | str) -> Step: ...

    @overload
    def __getitem__(self, which: slice) -> list[Step]: ...

    def __getitem__(self, which: int | str | slice) -> Step | list[Step]:
        if not isinstance(which, str):
            return self._steps[which]
        found = [step for step in self._steps if step.address == which] or [
            step for step in self._steps if Address.of(step.address).ends_with(which)]
        if len(found) != 1:
            raise KeyError(f"{which}: {len(found)} steps: {', '.join(step.address for step in found)}")
        return found[0]


def trace(sentence: str | None, target: str | None = None, *, weights: str | os.PathLike[str] | None = None,
          seed: int = 0, inputs: str | os.PathLike[str] | None = None, sink: Sink | None = None,
          init: str = "uniform", pencil: int | None = None, **model: object) -> Steps:
    """Run the model on a sentence and return its steps; with a `sink`, tell it each step instead and keep none.

    `target`: what the decoder has written so far; None runs the encoder alone. `weights`: a weights file; without it,
    parameters come from `seed`, for the sizes and the wiring given by name (the fields of Config): `trace("this is a
    cat", heads=4, d_model=16)`; `init`: "uniform", or "integers" from -2 to 2. `inputs`: a file of rows to start from,
    which the words of sentence and target then name (None: their positions do). `pencil`: round each operation to so
    many decimals. Raises Problem for bad input.
    """
    given = [*model, *["init"] * (init != "uniform")]
    if weights is not None and given:
        raise Problem("options_with_weights", options=", ".join(given))
    config = Config(**model) if model else None  # type: ignore[arg-type]
    steps: list[Step] = []
    prepare(sentence, target, config=config, seed=seed, init=init, weights=weights, inputs=inputs,
            pencil=pencil)(sink or steps.append)
    return Steps(steps)
