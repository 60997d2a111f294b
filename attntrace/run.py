"""A sentence, a model, and the run of one on the other."""
from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, overload

import numpy as np

from attntrace.config import INITIAL, Config, as_json
from attntrace.errors import Problem
from attntrace.pencil import rounded, rule_of
from attntrace.initial import integers
from attntrace.tokens import END, START, Words, look_up, tokenize, vocabulary
from attntrace.tracing import Sink, Step, Trace
from attntrace.transformer import transformer
from attntrace.weights import Parameters, Vocabularies, counted, laid_out, seeded, specs


class Run(NamedTuple):
    """All that a run needs. Calling it runs the model and tells each step to a sink; twice gives the same twice.

    `target` is what the decoder reads, `<s>` and the words so far; None runs the encoder alone. `pencil`: to how many
    decimals each operation is rounded; None is full precision. `init`: how the parameters were drawn from the seed.
    """
    config: Config
    seed: int | None
    weights: str | None
    vocabularies: Vocabularies
    parameters: Parameters
    source: Words
    target: Words | None
    pencil: int | None = None
    init: str = "uniform"

    def trace(self, sink: Sink | None = None, keep: list[Step] | None = None) -> Trace:
        """A trace that goes by this run's rule: as many decimals as `pencil` says, or full precision."""
        return Trace(sink, keep, rule=rule_of(self.pencil))

    def in_full(self) -> Run:
        """The same in full precision, with the same parameters."""
        return self._replace(pencil=None)

    def __call__(self, sink: Sink | None = None, keep: list[Step] | None = None) -> None:
        with np.errstate(all="ignore"):  # where numbers grow too large, naming the step says so
            transformer(self.trace(sink, keep), self.source, self.target, self.parameters, self.config)

    def small(self) -> Run:
        """A run of the same wiring, on the smallest sizes there are."""
        heads = self.config.heads
        config = replace(self.config, d_model=heads * (1 + heads % 2), d_ff=1)  # even, for sine and cosine
        words, one = vocabulary([]), Words((START,), (1,))
        vocabularies = Vocabularies(words, None if self.target is None else words)
        there = [spec for spec in specs(config, vocabularies) if spec.name in self.parameters.names]
        parameters = laid_out(there, config.dtype, lambda spec, view: view.fill(0))
        return self._replace(config=config, vocabularies=vocabularies, parameters=parameters,
                             source=one, target=None if self.target is None else one, pencil=None)

    def addresses(self) -> list[str]:
        """The address of every step, found out by a small run."""
        found: list[str] = []
        self.small()(lambda step: found.append(step.address))
        return found


def prepare(sentence: str, target: str | None = None, *, config: Config | None = None, seed: int = 0,
            init: str = "uniform", weights: str | os.PathLike[str] | None = None, pencil: int | None = None) -> Run:
    """Tokens, ids and parameters for a run. Raises Problem where the sentence, the file or the sizes make none.

    Without `weights`, a file's name, parameters are drawn from `seed` for the sizes and the wiring of `config`, uniform
    or as `integers`. With `pencil`, they are rounded to so many decimals.
    """
    source, read = tokenize(sentence), None if target is None else [START, *tokenize(target)]
    if not source:
        raise Problem("empty_sentence")
    if init not in INITIAL:
        raise Problem("no_such_choice", name="init", option="--init", value=as_json(init), choices=", ".join(INITIAL))
    if weights is not None:
        from attntrace.weights_file import load, located  # only now: a seeded run reads no archive
        loaded = load(located(weights))
        if read is not None and loaded.vocabularies.target is None:
            raise Problem("no_decoder", file=str(weights))
        source += [END] * loaded.config.source_end
        config, vocabularies, _ = loaded
        name: str | None = os.path.basename(weights)
        drawn = None
    else:
        config = config or Config()
        source += [END] * config.source_end
        vocabularies = Vocabularies(vocabulary(source), None if read is None else vocabulary(read))
        check_memory(config, vocabularies, max(len(source), len(read or [])))
        name, drawn = None, seed
    inputs = (look_up(source, vocabularies.source, "source"),
              None if read is None else look_up(read, vocabularies.target or (), "target"))
    parameters = (loaded.parameters if weights is not None else seeded(config, vocabularies, seed)
                  if init == "uniform" else integers(config, vocabularies, seed, *inputs))
    if pencil is not None:
        parameters = by_pencil(parameters, pencil, config)
    return Run(config, drawn, name, vocabularies, parameters, *inputs, pencil, init)


def by_pencil(parameters: Parameters, pencil: int, config: Config) -> Parameters:
    """Parameters of so many decimals. Raises Problem where these, or the model's precision, make none."""
    if pencil not in range(1, 10):
        raise Problem("pencil_decimals", value=pencil)
    if config.dtype != "float64":
        raise Problem("pencil_needs_float64")
    return parameters.replaced({name: rounded(tensor.value, pencil, name) for tensor in parameters
                                if (name := tensor.address or "")})


def check_memory(config: Config, vocabularies: Vocabularies, tokens: int) -> None:
    """Raise Problem for a model that this machine cannot hold, before anything of it is made."""
    numbers = sum(count.number for counts in counted(config, vocabularies).values() for count in counts)
    vocab = max(map(len, filter(None, vocabularies)))
    largest = tokens * max(tokens, config.d_model, config.d_ff, vocab)
    needed = (numbers + 4 * largest) * (8 if config.dtype == "float64" else 4)
    if needed > 0.8 * memory():
        raise Problem("too_large", parameters=f"{numbers:,}", needed=in_bytes(needed), there=in_bytes(memory()))


def memory() -> float:
    """Bytes that this machine has; without end where it cannot be asked."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else math.inf


def in_bytes(number: float) -> str:
    """`3.2 TB`."""
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} EB"


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
            step for step in self._steps if step.address.endswith(f".{which}")]
        if len(found) != 1:
            raise KeyError(f"{which}: {len(found)} steps: {', '.join(step.address for step in found)}")
        return found[0]


def trace(sentence: str, target: str | None = None, *, weights: str | os.PathLike[str] | None = None, seed: int = 0,
          sink: Sink | None = None, init: str = "uniform", pencil: int | None = None, **model: object) -> Steps:
    """Run the model on a sentence and return its steps; with a `sink`, tell it each step instead and keep none.

    `target`: what the decoder has written so far; None runs the encoder alone. `weights`: a weights file; without it,
    parameters come from `seed`, for the sizes and the wiring given by name (the fields of Config): `trace("this is a
    cat", heads=4, d_model=16)`; `init`: "uniform", or "integers" from -2 to 2. `pencil`: round each operation to so
    many decimals. Raises Problem for bad input.
    """
    given = [*model, *["init"] * (init != "uniform")]
    if weights is not None and given:
        raise Problem("options_with_weights", options=", ".join(given))
    config = Config(**model) if model else None  # type: ignore[arg-type]
    steps: list[Step] = []
    prepare(sentence, target, config=config, seed=seed, init=init, weights=weights, pencil=pencil)(sink or steps.append)
    return Steps(steps)
