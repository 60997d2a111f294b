"""The Python API: `attntrace.trace(...)` and the steps that it returns."""
import os
from typing import SupportsIndex, overload

from attntrace.messages.errors import Problem
from attntrace.model.config import Config
from attntrace.runs.prepare import prepare
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Sink, Step


class Steps(list[Step]):
    """The steps of a run in order of computation; `steps["head1.scores"]` is found by address or a unique end of it."""

    @overload
    def __getitem__(self, which: SupportsIndex | str) -> Step: ...

    @overload
    def __getitem__(self, which: slice) -> list[Step]: ...

    def __getitem__(self, which: SupportsIndex | str | slice) -> Step | list[Step]:
        if not isinstance(which, str):
            return super().__getitem__(which)
        matches = [step for step in self if step.address == which] or [
            step for step in self if Address.of(step.address).ends_with(which)]
        if len(matches) != 1:
            raise KeyError(f"{which}: {len(matches)} steps: {', '.join(step.address for step in matches)}")
        return matches[0]


def trace(sentence: str | None, target: str | None = None, *, weights: str | os.PathLike[str] | None = None,
          seed: int = 0, inputs: str | os.PathLike[str] | None = None, sink: Sink | None = None,
          init: str = "uniform", pencil: int | None = None, **model: object) -> Steps:
    """Run the model on a sentence and return its steps. Raises Problem for bad input.

    target: what the decoder has written so far; None runs only the encoder. weights: a weights file; without it,
    parameters are drawn from `seed`, for the sizes and the wiring given by name (the fields of Config), as in
    `trace("this is a cat", heads=4, d_model=16)`; init: "uniform", or "integers" from -2 to 2. inputs: a file of rows
    to start from; the words of sentence and target then name the rows, or None their positions. pencil: the decimals
    to which every operation is rounded. sink: is called with each step, and no step is kept."""
    options = [*model, *(["init"] if init != "uniform" else [])]
    if weights is not None and options:
        raise Problem("options_with_weights", options=", ".join(options))
    config = Config(**model) if model else None  # type: ignore[arg-type]
    steps = Steps()
    prepare(sentence, target, config=config, seed=seed, init=init, weights=weights, inputs=inputs,
            pencil=pencil)(sink or steps.append)
    return steps
