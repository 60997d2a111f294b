"""A sentence, a model, and the run of one on the other."""
from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, overload

import numpy as np

from attntrace.changes import Change, Changes
from attntrace.config import INITIAL, Config, as_json
from attntrace.drift import Drift
from attntrace.errors import Problem
from attntrace.inputs import MEMORY, TARGET, Given, Inputs, beginnings, edged
from attntrace.by_hand import rounded, rule_of
from attntrace.prose import sentence as sentence_of
from attntrace.tokens import START, Words, tokenize, vocabulary
from attntrace.tracing import Sink, Step, Trace
from attntrace.transformer import transformer
from attntrace.weights import Parameters, Vocabularies, counted, laid_out, seeded, specs


class Run(NamedTuple):
    """All that a run needs. Calling it runs the model and tells each step to a sink; twice gives the same twice.

    `source`: what the encoder reads (or the rows that it would have put out); `target`: what the decoder reads, `<s>`
    and the words so far; None runs the encoder alone. `inputs`: the file that rows were given in. `changes`: what was
    changed in the parameters and the source, to see what if. `pencil`: to how many decimals each operation is
    rounded; None is full precision. `init`: how the parameters were drawn from the seed.
    """
    config: Config
    seed: int | None
    weights: str | None
    vocabularies: Vocabularies
    parameters: Parameters
    source: Words | Given
    target: Words | Given | None
    inputs: str | None = None
    changes: tuple[Change, ...] = ()
    pencil: int | None = None
    init: str = "uniform"

    def trace(self, sink: Sink | None = None, keep: list[Step] | None = None) -> Trace:
        """A trace that goes by this run's rule: as many decimals as `pencil` says, or full precision."""
        return Trace(sink, keep, rule=rule_of(self.pencil))

    def in_full(self) -> Run:
        """The same in full precision, with the same parameters."""
        return self._replace(pencil=None)

    def drift(self) -> Drift | None:
        """A sink that compares a run by hand with the same in full precision; None where it is that already."""
        full = self.in_full()
        return None if self.pencil is None else Drift(lambda sink: full(sink))

    def __call__(self, sink: Sink | None = None, keep: list[Step] | None = None) -> None:
        with np.errstate(all="ignore"):  # where numbers grow too large, naming the step says so
            transformer(self.trace(sink, keep), self.source, self.target, self.parameters, self.config)

    def small(self) -> Run:
        """A run of the same wiring, on the smallest sizes there are."""
        heads = self.config.heads
        config = replace(self.config, d_model=heads * (1 + heads % 2), d_ff=1)  # even, for sine and cosine
        words = vocabulary([])
        vocabularies = Vocabularies(words, None if self.target is None else words)
        there = [spec for spec in specs(config, vocabularies) if spec.name in self.parameters.names]
        parameters = laid_out(there, config.dtype, lambda spec, view: view.fill(0))
        return self._replace(config=config, vocabularies=vocabularies, parameters=parameters,
                             source=_smallest(self.source, config),
                             target=self.target and _smallest(self.target, config), pencil=None)

    def addresses(self) -> list[str]:
        """The address of every step, found out by a small run."""
        found: list[str] = []
        self.small()(lambda step: found.append(step.address))
        return found


def _smallest(beginning: Words | Given, config: Config) -> Words | Given:
    return beginning.small(config.d_model) if isinstance(beginning, Given) else Words((START,), (1,))


def prepare(sentence: str | None, target: str | None = None, *, config: Config | None = None, seed: int = 0,
            weights: str | os.PathLike[str] | None = None, inputs: str | os.PathLike[str] | None = None,
            changes: Changes = Changes(),
            init: str = "uniform", pencil: int | None = None) -> Run:
    """Tokens, ids and parameters for a run. Raises Problem where the sentence, the files or the sizes make none.

    Without `weights`, a file's name, parameters are drawn from `seed` for the sizes and the wiring of `config`, uniform
    or as `integers`. Where `inputs`, a file's name, gives the rows that the run starts from, words name these rows, and
    may be left out (None). `changes` come after that; with `pencil`, all numbers are then rounded to so many decimals.
    """
    said = None if sentence is None else tokenize(sentence), None if target is None else tokenize(target)
    if init not in INITIAL:
        raise Problem("no_such_choice", name="init", option="--init", value=as_json(init), choices=", ".join(INITIAL))
    run = (_seeded_run(*said, config or Config(), seed, inputs, init) if weights is None
           else _loaded_run(*said, weights, inputs))
    parameters, source, made = changes(run.parameters, run.source, run.config)
    run = run._replace(parameters=parameters, source=source, changes=made)
    return run if pencil is None else by_pencil(run, pencil)


def _loaded_run(source: list[str] | None, target: list[str] | None, weights: str | os.PathLike[str],
                inputs: str | os.PathLike[str] | None) -> Run:
    """A run on a model from a file."""
    from attntrace.weights_file import load, located  # only now: a seeded run reads no archive
    model = load(located(weights))
    given = Inputs.read(inputs, model.config)
    if not source and inputs is None and any(model.vocabularies):  # one that has no words asks for numbers instead
        raise Problem("empty_sentence")
    if model.vocabularies.target is None and (target is not None or TARGET in given.arrays):
        raise Problem("no_decoder", file=str(weights))
    begins = beginnings(*edged(source, target, model.config), model.vocabularies, given, str(weights))
    return Run(model.config, None, os.path.basename(weights), model.vocabularies, model.parameters, *begins, given.name)


def _seeded_run(source: list[str] | None, target: list[str] | None, config: Config, seed: int,
                inputs: str | os.PathLike[str] | None, init: str) -> Run:
    """A run on a model that knows the words it is given. Rows without words need no table."""
    given = Inputs.read(inputs, config)
    if not source and inputs is None:
        raise Problem("empty_sentence")
    source, target = edged(source, target, config)
    if config.part != "transformer":
        vocabularies = Vocabularies.without_words(config)
    else:
        rows_alone = () if TARGET in given.arrays or given.entry == MEMORY else None
        vocabularies = Vocabularies(vocabulary(source) if source else (), vocabulary(target) if target else rows_alone)
    check_memory(config, vocabularies, max(map(len, filter(None, (source, target))), default=given.longest))
    begins = beginnings(source, target, vocabularies, given, sentence_of("messages.seeded_model"))
    if init == "uniform":
        parameters = seeded(config, vocabularies, seed)
    else:
        from attntrace.initial import integers  # only now: most models are not
        parameters = integers(config, vocabularies, seed, *begins)
    return Run(config, seed, None, vocabularies, parameters, *begins, given.name, init=init)


def by_pencil(run: Run, pencil: int) -> Run:
    """The run with all that goes into it in so many decimals, and by the rule of a hand. Raises Problem where these, or
    the model's precision, make none."""
    if pencil not in range(1, 10):
        raise Problem("pencil_decimals", value=pencil)
    if run.config.dtype != "float64":
        raise Problem("pencil_needs_float64")
    parameters = run.parameters.replaced({name: rounded(tensor.value, pencil, name)
                                          for name, tensor in run.parameters.by_name.items()})
    source, target = (beginning._replace(value=rounded(beginning.value, pencil, beginning.address))
                      if isinstance(beginning, Given) else beginning for beginning in (run.source, run.target))
    assert source is not None
    return run._replace(parameters=parameters, source=source, target=target, pencil=pencil)


def check_memory(config: Config, vocabularies: Vocabularies, tokens: int) -> None:
    """Raise Problem for a model that this machine cannot hold, before anything of it is made."""
    numbers = sum(count.number for counts in counted(config, vocabularies).values() for count in counts)
    vocab = max(map(len, filter(None, vocabularies)), default=0)
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
