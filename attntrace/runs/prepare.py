"""From what a user gives (a sentence, a target, weights, input rows, edits) to a run; and the Python API, `trace`."""
import os
from typing import SupportsIndex, overload

from attntrace.files.inputs import Inputs
from attntrace.messages.catalog import Message, Text, alternatives
from attntrace.messages.errors import Problem
from attntrace.model.config import INITIAL, Config, as_json
from attntrace.model.parameters import Vocabularies, check_memory, seeded
from attntrace.model.tokens import END, MEMORY, SOURCE, START, TARGET, InputRows, Words, look_up, tokenize
from attntrace.model.transformer import check_positions
from attntrace.runs.run import Run
from attntrace.runs.what_if import Edits
from attntrace.tensor.evaluate import round_values
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Sink, Step

Path = str | os.PathLike[str]


def prepare(sentence: str | None, target: str | None = None, *, config: Config | None = None, seed: int = 0,
            weights: Path | None = None, inputs: Path | None = None, edits: Edits = Edits(),
            init: str = "uniform", pencil: int | None = None) -> Run:
    """Return the run of a sentence on a model. Raises Problem for bad input.

    weights: a weights file; without it, parameters are drawn from `seed` for the sizes and the wiring of `config`,
    `init` "uniform" or "integers". inputs: a file of rows that the run starts from; words then name the rows, and may
    be None. edits: made after that. pencil: the decimals to which parameters, rows and every operation are rounded."""
    words = None if sentence is None else tokenize(sentence), None if target is None else tokenize(target)
    if init not in INITIAL:
        choices = alternatives(INITIAL)
        raise Problem("no_such_choice", name="init", option="--init", value=as_json(init), choices=choices)
    run = (_seeded_run(*words, config or Config(), seed, inputs, init) if weights is None
           else _loaded_run(*words, weights, inputs))
    for side in (run.source, run.target):
        if isinstance(side, Words):
            check_positions(side, run.config)
    parameters, source, made = edits(run.parameters, run.source, run.config)
    run = run._replace(parameters=parameters, source=source, edits=made)
    return run if pencil is None else _by_pencil(run, pencil)


def _loaded_run(source: list[str] | None, target: list[str] | None, weights: Path, inputs: Path | None) -> Run:
    """Return a run on a model from a file."""
    from attntrace.files.weights import load, located  # a seeded run reads no archive
    model = load(located(weights))
    given = Inputs.read(inputs, model.config)
    if not source and inputs is None and any(model.vocabularies):  # a model without words needs input rows instead
        raise Problem("empty_sentence")
    if model.vocabularies.target is None and (target is not None or TARGET in given.arrays):
        raise Problem("no_decoder", file=str(weights))
    sides = _inputs_of(*_with_markers(source, target, model.config), model.vocabularies, given, str(weights))
    return Run(model.config, None, os.path.basename(weights), model.vocabularies, model.parameters, *sides, given.name)


def _seeded_run(source: list[str] | None, target: list[str] | None, config: Config, seed: int, inputs: Path | None,
                init: str) -> Run:
    """Return a run on a model drawn from a seed, whose vocabularies are the words given. Rows need no embeddings."""
    given = Inputs.read(inputs, config)
    if not source and inputs is None:
        raise Problem("empty_sentence")
    source, target = _with_markers(source, target, config)
    if not config.architecture.has_words:
        vocabularies = Vocabularies.without_words(config)
    else:
        decoder = bool(target) or TARGET in given.arrays or given.entry == MEMORY
        vocabularies = Vocabularies.of_words(config, source or (), target or (), decoder)
    rows = filter(None, (source, target)) if source or target else given.arrays.values()
    check_memory(config, vocabularies, max(map(len, rows), default=0))
    sides = _inputs_of(source, target, vocabularies, given, Message("messages.seeded_model"))
    if init == "uniform":
        parameters = seeded(config, vocabularies, seed)
    else:
        from attntrace.model.integer_parameters import integer_parameters  # rarely needed
        parameters = integer_parameters(config, vocabularies, seed, *sides)
    return Run(config, seed, None, vocabularies, parameters, *sides, given.name, init=init)


def _with_markers(source: list[str] | None, target: list[str] | None,
                  config: Config) -> tuple[list[str] | None, list[str] | None]:
    """Add `</s>` to the source where the config says so, and `<s>` to the target."""
    return ([*source, END] if source is not None and config.source_end else source,
            None if target is None else [START, *target])


def _inputs_of(source: list[str] | None, target: list[str] | None, vocabularies: Vocabularies, given: Inputs,
               model: Text) -> tuple[Words | InputRows, Words | InputRows | None]:
    """Return the inputs of encoder and decoder: rows where they are given, else words. Raises Problem where the `model`
    has a stack without input, or no use for what is given."""
    no_encoder = vocabularies.source is None
    if given.entry == (SOURCE if no_encoder else MEMORY) and (no_encoder or vocabularies.target is None):
        raise Problem("input_useless", file=given.file, address=given.entry, model=model)
    if given.entry:
        entering: Words | InputRows = given.named(given.entry, source)
    elif vocabularies.source and source:
        entering = look_up(source, vocabularies.source, "source", model)
    else:
        raise Problem("input_missing", model=model, address=MEMORY if no_encoder else SOURCE)
    if TARGET in given.arrays:
        return entering, given.named(TARGET, target)
    if vocabularies.target and target is not None:
        return entering, look_up(target, vocabularies.target, "target", model)
    if target is not None or given.entry == MEMORY:
        raise Problem("input_missing", model=model, address=TARGET)
    return entering, None


def _by_pencil(run: Run, decimals: int) -> Run:
    """Return the run in hand arithmetic, with parameters and rows rounded. Raises Problem for decimals out of range and
    for another precision than float64."""
    if decimals not in range(1, 10):
        raise Problem("pencil_decimals", value=decimals)
    if run.config.dtype != "float64":
        raise Problem("pencil_needs_float64")
    parameters = run.parameters.replaced({name: round_values(tensor.value, decimals, name)
                                          for name, tensor in run.parameters.by_name.items()})
    source, target = (side._replace(value=round_values(side.value, decimals, side.address))
                      if isinstance(side, InputRows) else side for side in (run.source, run.target))
    assert source is not None
    return run._replace(parameters=parameters, source=source, target=target, pencil=decimals)


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


def trace(sentence: str | None, target: str | None = None, *, weights: Path | None = None,
          seed: int = 0, inputs: Path | None = None, sink: Sink | None = None,
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
