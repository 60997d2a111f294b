"""From what a user gives (a sentence, a target, weights, input rows, edits) to a run."""
import os
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from attntrace.files.inputs import NAMED_BY, OF_ATTENTION, Inputs
from attntrace.messages.catalog import Message, Text, alternatives
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import normalized
from attntrace.model.config import INITIAL, Config, as_json
from attntrace.model.masks import Masks
from attntrace.model.parameters import Vocabularies, check_memory, seeded
from attntrace.model.tokens import (END, KEYS, MEMORY, QUERIES, SOURCE, START, TARGET, VALUES, InputRows, Reader, Words,
                                    look_up, tokenize, vocabulary)
from attntrace.model.transformer import check_positions
from attntrace.runs.run import Run
from attntrace.runs.what_if import Edits
from attntrace.tensor.evaluate import round_values
from attntrace.tensor.tensor import Array

if TYPE_CHECKING:
    from attntrace.files.weights import Given

Path = str | os.PathLike[str]
Arrays = Mapping[str, Array]  # by name; "": the only one


def prepare(sentence: str | None, target: str | None = None, *, config: Config | None = None, seed: int = 0,
            weights: "Path | Given | None" = None, arrays: Arrays | None = None, wiring: Mapping[str, Any] = {},
            inputs: Path | Arrays | None = None, mask: Path | Arrays | None = None, pad: int | None = None,
            edits: Edits = Edits(), init: str = "uniform", pencil: int | None = None, ids: bool = False,
            unknown: str = "error") -> Run:
    """Return the run of a sentence on a model. Raises Problem for bad input.

    weights: a weights file, or a model; without it, parameters are drawn from `seed` for the sizes and the wiring of
    `config`, `init` "uniform" or "integers", or are these `arrays`. wiring: entries of the config in place of
    those of the weights file. inputs: a file of rows, or arrays, that the run starts from; words then name the rows,
    and may be None. mask: a file of masks, or arrays; pad: how many of the last words of the source are padding. edits:
    made after that. pencil: the decimals to which parameters, rows and every operation are rounded. ids: sentence and
    target are ids of the model's vocabularies. unknown: "unk" reads words that these lack as `<unk>`, "error" refuses
    them."""
    texts, reader = (sentence, target), Reader(ids, unknown == "unk")
    if init not in INITIAL:
        choices = alternatives(INITIAL)
        raise Problem("no_such_choice", name="init", option="--init", value=as_json(init), choices=choices)
    run = (_seeded_run(*texts, config or Config(), seed, inputs, init, reader) if weights is None
           else _loaded_run(*texts, weights, inputs, wiring, reader))
    if arrays is not None:
        from attntrace.files.weights import filled
        shapes = {name: array.shape for name, array in arrays.items()}
        run = run._replace(seed=None, weights="weights", parameters=filled(
            "weights", run.config, run.vocabularies, shapes, arrays.__getitem__))
    if pad is not None:
        run = run._replace(masks=Masks(_lengths(run, pad)))
    if mask is not None:
        from attntrace.files.masks import read_masks  # only now: a run without a mask reads no file
        added = read_masks(mask, run.attentions(), run.config)
        name = "mask" if isinstance(mask, Mapping) else os.path.basename(mask)
        run = run._replace(masks=run.masks._replace(added=added, file=name))
    for side in (run.source, run.target):
        if isinstance(side, Words):
            check_positions(side, run.config)
    parameters, source, made = edits(run.parameters, run.source, run.config)
    run = run._replace(parameters=parameters, source=source, edits=made)
    return run if pencil is None else _by_pencil(run, pencil)


def _loaded_run(sentence: str | None, translation: str | None, weights: "Path | Given", inputs: Path | Arrays | None,
                wiring: Mapping[str, Any], reader: Reader) -> Run:
    """Return a run on a model from a file."""
    from attntrace.files.weights import Given, load, located  # a seeded run reads no archive
    model, name, about = weights if isinstance(weights, Given) else Given(load(located(weights)), str(weights))
    config = model.config.replace(**wiring)
    given = Inputs.read(inputs, config)
    _check_target(translation, config)
    source, target, notes = _tokens(sentence, translation, model.vocabularies, given, reader, name)
    if not source and inputs is None and any(model.vocabularies):  # a model without words needs input rows instead
        raise Problem("empty_sentence")
    alone = config.architecture.is_attention
    if model.vocabularies.target is None and (target is not None or TARGET in given.arrays) and not alone:
        raise Problem("no_decoder", file=name)
    sides = (_inputs_of_attention(source, target, config, given, name) if alone else
             _input_of_stack(source, config, model.vocabularies, given, name)
             if config.architecture.predicts else
             _inputs_of(*with_markers(source, target, config), model.vocabularies, given, name))
    return Run(config, None, os.path.basename(name), model.vocabularies, model.parameters, *sides, given.name,
               masks=Masks(given.lengths), notes=(*about, *notes))


def _seeded_run(sentence: str | None, translation: str | None, config: Config, seed: int,
                inputs: Path | Arrays | None, init: str, reader: Reader) -> Run:
    """Return a run on a model drawn from a seed, whose vocabularies are the words given. Rows need no embeddings."""
    if reader.ids:
        raise Problem("ids_without_weights")
    given = Inputs.read(inputs, config)
    _check_target(translation, config)
    source, target, notes = _tokens(sentence, translation, Vocabularies(None, None), given, reader, "")
    if not source and inputs is None:
        raise Problem("empty_sentence")
    source, target = with_markers(source, target, config)
    if not config.architecture.has_words:
        vocabularies = Vocabularies.without_words(config)
    elif config.architecture.predicts:
        words = vocabulary(source) if source else ()
        vocabularies = Vocabularies(words if "encoder" in config.architecture.stacks else None, words)
    else:
        decoder = bool(target) or TARGET in given.arrays or given.entry == MEMORY
        vocabularies = Vocabularies.of_words(config, source or (), target or (), decoder)
    rows = filter(None, (source, target)) if source or target else given.arrays.values()
    check_memory(config, vocabularies, max(map(len, rows), default=0))
    inputs_of = (partial(_inputs_of_attention, source, target, config) if config.architecture.is_attention else
                 partial(_input_of_stack, source, config, vocabularies) if config.architecture.predicts else
                 partial(_inputs_of, source, target, vocabularies))
    sides = inputs_of(given, Message("messages.seeded_model"))
    if init == "uniform":
        parameters = seeded(config, vocabularies, seed)
    else:
        from attntrace.model.integer_parameters import integer_parameters  # rarely needed
        parameters = integer_parameters(config, vocabularies, seed, *sides)
    return Run(config, seed, None, vocabularies, parameters, *sides, given.name, init=init, masks=Masks(given.lengths),
               notes=notes)


def _tokens(sentence: str | None, translation: str | None, vocabularies: Vocabularies, given: Inputs, reader: Reader,
            model: Text) -> tuple[list[str] | None, list[str] | None, tuple[Message, ...]]:
    """Return the tokens of source and target, and what was changed in what was given. Names of rows, and words of a
    model without a vocabulary, are split by our tokenizer; or at blanks, where only that gives one for each row."""
    tokens: list[list[str] | None] = []
    notes = [*given.notes]
    of_decoder = vocabularies.source is None and bool(vocabularies.target)  # which alone reads SENTENCE
    for side, name, text in (("source", "SENTENCE", sentence), ("target", "TARGET", translation)):
        rows = {len(array) for address, array in given.arrays.items()
                if of_decoder or (NAMED_BY | OF_ATTENTION)[address] == name}
        side = "target" if of_decoder else side
        known = getattr(vocabularies, side)
        if text is None:
            tokens.append(None)
        elif known and not rows:
            words, changed = reader.read(text, known, side, model)
            tokens.append(words)
            notes += changed
        else:
            ways = [tokenize(text), normalized(text).split()]
            tokens.append(next((way for way in ways if {len(way), len(way) + 1} & rows), ways[0]))  # or with <s>, </s>
    source, target = tokens
    return source, target, tuple(notes)


def with_markers(source: list[str] | None, target: list[str] | None,
                 config: Config) -> tuple[list[str] | None, list[str] | None]:
    """Add `</s>` to the source where the config says so, and `<s>` to the target, unless they were typed."""
    ends = source is None or not config.source_end or source[-1:] == [END]
    starts = target is None or target[:1] == [START]
    return source if ends else [*(source or ()), END], target if starts else [START, *(target or ())]


def _check_target(target: str | None, config: Config) -> None:
    if config.architecture.predicts and target is not None:
        raise Problem("one_stack", part=config.part)


def _input_of_stack(source: list[str] | None, config: Config, vocabularies: Vocabularies, given: Inputs,
                    model: Text) -> tuple[Words | InputRows, None]:
    """Return the input of a model of one stack: rows where they are given, else words. Raises Problem for other rows,
    and where there is neither."""
    (stack,) = config.architecture.stacks
    side = "target" if vocabularies.source is None else "source"
    address, known = f"{stack}.input", getattr(vocabularies, side)
    for other in given.arrays.keys() - {address}:
        raise Problem("input_useless", file=given.file, address=other, model=model)
    if address in given.arrays:
        return given.named(address, source), None
    if not known or not source:
        raise Problem("input_missing", model=model, address=address)
    return look_up(source, known, side, model), None


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


def _lengths(run: Run, pad: int) -> tuple[int]:
    """Return how many words of the source are not padding. Raises Problem where there are not as many, or where the
    rows were given with lengths."""
    size = len(run.source.texts)
    if run.masks.lengths:
        raise Problem("pad_twice", file=run.inputs)
    if pad > size:
        raise Problem("pad_too_long", pad=pad, size=size)
    return size - pad,


def _inputs_of_attention(source: list[str] | None, target: list[str] | None, config: Config, given: Inputs,
                         model: Text) -> tuple[InputRows, InputRows | None]:
    """Return the rows of an attention alone: those that attend to themselves, or keys (with their values) and queries.
    Raises Problem where rows are missing, or there are not as many values as keys."""
    _, k_dim, v_dim = config.widths()
    needed = [QUERIES, KEYS] + [VALUES] * (k_dim != v_dim)
    if SOURCE in given.arrays and config.part == "attention" and k_dim == v_dim == config.d_model:
        if target is not None:
            raise Problem("no_decoder", file=model)
        return given.named(SOURCE, source), None
    if config.part == "attention" and not given.arrays.keys() & {*needed, VALUES}:
        needed = [SOURCE]
    for address in needed:
        if address not in given.arrays:
            raise Problem("input_missing", model=model, address=address)
    keys, values = given.named(KEYS, source), given.arrays.get(VALUES)
    if values is not None and len(values) != len(keys.texts):
        raise Problem("input_values", file=given.file, keys=len(keys.texts), values=len(values))
    return keys._replace(values=values), given.named(QUERIES, target)


def _by_pencil(run: Run, decimals: int) -> Run:
    """Return the run in hand arithmetic, with parameters and rows rounded. Raises Problem for decimals out of range and
    for another precision than float64."""
    if decimals not in range(1, 10):
        raise Problem("pencil_decimals", value=decimals)
    if run.config.dtype != "float64":
        raise Problem("pencil_needs_float64")
    parameters = run.parameters.replaced({name: round_values(tensor.value, decimals, name)
                                          for name, tensor in run.parameters.by_name.items()})

    def rounded(side: Words | InputRows | None) -> Words | InputRows | None:
        if not isinstance(side, InputRows):
            return side
        values = None if side.values is None else round_values(side.values, decimals, VALUES)
        return side._replace(value=round_values(side.value, decimals, side.address), values=values)

    source, target = rounded(run.source), rounded(run.target)
    assert source is not None
    return run._replace(parameters=parameters, source=source, target=target, pencil=decimals)
