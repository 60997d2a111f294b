"""From what a person gives (a sentence, a target, weights, rows) to a run."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING

from attntrace.files.inputs import Inputs
from attntrace.messages.catalog import Message, Text
from attntrace.messages.errors import Problem
from attntrace.model.config import INITIAL, Config, as_json
from attntrace.model.inputs import MEMORY, SOURCE, TARGET, InputRows
from attntrace.model.memory import check_memory
from attntrace.model.parameters import Vocabularies, seeded
from attntrace.model.tokens import END, START, Words, look_up, tokenize, vocabulary
from attntrace.runs.run import Run
from attntrace.runs.what_if import Edits
from attntrace.tensor.evaluate import rounded

if TYPE_CHECKING:
    pass


def edged(source: list[str] | None, target: list[str] | None,
          config: Config) -> tuple[list[str] | None, list[str] | None]:
    """The words of a sentence and those of a target, with what a run puts around them."""
    return (None if source is None else source + [END] * config.source_end,
            None if target is None else [START, *target])


def beginnings(source: list[str] | None, target: list[str] | None, vocabularies: Vocabularies, given: Inputs,
               model: Text) -> tuple[Words | InputRows, Words | InputRows | None]:
    """What encoder and decoder begin with: rows, where they are given, else words (see `edged`). Raises Problem where
    the `model` has a stack for which there are neither, or has no use for what is given."""
    memory_alone = vocabularies.source is None
    if given.entry == (SOURCE if memory_alone else MEMORY) and (memory_alone or vocabularies.target is None):
        raise Problem("input_useless", file=given.file, address=given.entry, model=model)
    if given.entry:
        begins: Words | InputRows = given.named(given.entry, source)
    elif vocabularies.source and source:
        begins = look_up(source, vocabularies.source, "source")
    else:
        raise Problem("input_missing", model=model, address=MEMORY if memory_alone else SOURCE)
    if TARGET in given.arrays:
        return begins, given.named(TARGET, target)
    if vocabularies.target and target is not None:
        return begins, look_up(target, vocabularies.target, "target")
    if target is not None or given.entry == MEMORY:
        raise Problem("input_missing", model=model, address=TARGET)
    return begins, None


def prepare(sentence: str | None, target: str | None = None, *, config: Config | None = None, seed: int = 0,
            weights: str | os.PathLike[str] | None = None, inputs: str | os.PathLike[str] | None = None,
            changes: Edits = Edits(),
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
    parameters, source, node = changes(run.parameters, run.source, run.config)
    run = run._replace(parameters=parameters, source=source, changes=node)
    return run if pencil is None else by_pencil(run, pencil)


def _loaded_run(source: list[str] | None, target: list[str] | None, weights: str | os.PathLike[str],
                inputs: str | os.PathLike[str] | None) -> Run:
    """A run on a model from a file."""
    from attntrace.files.weights import load, located  # only now: a seeded run reads no archive
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
    begins = beginnings(source, target, vocabularies, given, Message("messages.seeded_model"))
    if init == "uniform":
        parameters = seeded(config, vocabularies, seed)
    else:
        from attntrace.model.integer_parameters import integers  # only now: most models are not
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
                      if isinstance(beginning, InputRows) else beginning for beginning in (run.source, run.target))
    assert source is not None
    return run._replace(parameters=parameters, source=source, target=target, pencil=pencil)
