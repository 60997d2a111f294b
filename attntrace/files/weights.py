"""Weights files: `.npz` without pickle, `.safetensors`, or `.json` written by hand."""
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from attntrace.files.arrays import (ARRAYS, TEXTS, Header, Npz, Safetensors, archived, opened, reason, serialized,
                                    shape_text, whole)
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import did_you_mean, nearest
from attntrace.messages.unicode import normalized, shown
from attntrace.model.config import Config
from attntrace.model.parameters import Parameters, Spec, Vocabularies, allocate, specs
from attntrace.model.tokens import END, START
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address, cell_name

OF_WORDS = {"shared.E", "encoder.E", "encoder.P", "decoder.E", "decoder.P", "output.W", "output.b"}
SHIPPED = ("ko-en", "en-ko")  # models included in attntrace
STATE = "training."  # the prefix of members with the state of a training run, which are not part of the model
PARTS = {"config", "vocabulary", "parameters"}  # of a model in JSON
JSON_OBJECTS = 32  # bytes of Python objects, at most, for each byte of JSON


class Loaded(NamedTuple):
    """A model from a file."""
    config: Config
    vocabularies: Vocabularies
    parameters: Parameters


class Given(NamedTuple):
    """A model that comes from no file, what messages call it, and what has to be known of it."""
    model: Loaded
    name: str
    notes: tuple[Message, ...] = ()


def included_for(text: str) -> str:
    """The name of the included model that translates such a text."""
    is_english = any(map(str.isascii, filter(str.isalpha, text))) and not any("가" <= letter <= "힣" for letter in text)
    return "en-ko" if is_english else "ko-en"


def located(weights: str | os.PathLike[str]) -> Path:
    """Return the path of a weights file, which may be the name of a model included in attntrace."""
    if str(weights) in SHIPPED:
        return Path(__file__).parent.parent / "models" / f"{weights}.npz"
    return Path(weights)


def load(path: Path, dtype: str | None = None) -> Loaded:
    """Read a weights file; `dtype` is the precision to run it in, if not its own. Raises Problem with the name of what
    is wrong."""
    ending = path.suffix.lower()
    with _opened(path) as file:
        if ending not in (*ARRAYS, ".json"):
            raise Problem("weights_ending", file=str(path))
        return checked(str(path), Json(path, file) if ending == ".json" else ARRAYS[ending](path, file), dtype)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with opened(path) as file:
            yield file
    except Problem as problem:
        if problem.key != "weights_missing":
            raise
        near = did_you_mean(nearest(path.name, SHIPPED))
        raise Problem("model_missing", file=str(path), near=near, included=", ".join(SHIPPED)) from None


def checked(where: str, members: "Npz | Safetensors | Members", dtype: str | None = None) -> Loaded:
    """Return the model of these members. Raises Problem with the name of what is wrong."""
    if "config" not in members.texts:
        raise Problem("weights_no_config", file=where)
    texts = {name: text if isinstance(members, Members) or isinstance(text, list) else parsed(where, text, f"{name}: ")
             for name, text in members.texts.items()}
    shapes = {name: header.shape for name, header in members.headers.items()
              if not isinstance(members, Npz) or name not in TEXTS and not name.startswith(STATE)}
    config = Config.read(texts["config"], where)
    config = config.replace(dtype=dtype or config.dtype)
    place = config.architecture.attention
    if place and f"{place}.W_O" not in shapes and "output_projection" not in texts["config"]:
        config = config.replace(output_projection=False)
    vocabularies = _vocabularies(where, config, texts, shapes)
    if config.source_end and vocabularies.source and END not in vocabularies.source:
        raise Problem("vocabulary_no_end", file=where, word=END)
    return Loaded(config, vocabularies, filled(where, config, vocabularies, shapes, members.read))


def filled(where: str, config: Config, vocabularies: Vocabularies, shapes: Mapping[str, tuple[int, ...]],
           read: Callable[[str], Array]) -> Parameters:
    """Return the parameters of a model from arrays of these shapes. Raises Problem with the name of one that is missing
    or wrong, or that the model does not have."""
    wanted = []
    for spec in specs(config, vocabularies):  # one by one, as a config may claim a million layers
        if spec.name not in shapes:
            if spec.optional:
                continue
            raise Problem("parameter_missing", file=where, name=spec.name)
        if shapes[spec.name] != spec.shape:
            raise Problem("parameter_shape", file=where, name=spec.name, is_=shape_text(shapes[spec.name]),
                          should=shape_text(spec.shape), axes=" × ".join(axis.name for axis in spec.axes))
        wanted.append(spec)
    known = {spec.name for spec in wanted}
    for name in shapes:
        if name not in known:
            raise Problem("parameter_surplus", file=where, name=shown(name))

    def fill(spec: Spec, view: Array) -> None:
        value = read(spec.name)
        if value.dtype.kind not in "fiu":
            raise Problem("parameter_kind", file=where, name=spec.name, kind=value.dtype)
        with np.errstate(over="ignore"):
            view[...] = value  # in the model's precision a number may be too large
        wrong = ~np.isfinite(view)
        if wrong.any():
            raise Problem("parameter_not_finite", file=where, name=cell_name(spec.name, np.argwhere(wrong)[0]),
                          value=value[wrong][0], dtype=config.dtype)

    return allocate(wanted, config.dtype, fill)


def _vocabularies(where: str, config: Config, texts: Mapping[str, Any], names: Iterable[str]) -> Vocabularies:
    """Return the words of a file; without words, embeddings and output layer, those of a model that takes rows."""
    source, target = (texts.get(name) for name in TEXTS[1:])
    if source is None and target is None and OF_WORDS.isdisjoint(names):
        return Vocabularies.without_words(config, any(Address.of(name).stack == "decoder" for name in names))
    if not config.architecture.has_words:
        raise Problem("part_with_words", file=where, part=config.architecture.name)
    predicts = config.architecture.predicts
    if predicts and "encoder" not in config.architecture.stacks:
        if source is not None:
            raise Problem("vocabulary_surplus", file=where, part=config.architecture.name)
        return Vocabularies(None, _words(where, "target", target, starts=False))
    known = Vocabularies(_words(where, "source", source), None if target is None and not predicts else _words(
        where, "target", target, starts=not predicts))
    if config.shared_embeddings == "all" and known.target not in (None, known.source):
        raise Problem("vocabularies_differ", file=where)
    return known


def _words(where: str, side: str, texts: Any, starts: bool = True) -> tuple[str, ...]:
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise Problem("vocabulary_kind", file=where, side=side)
    seen: set[str] = set()
    words = tuple(map(normalized, texts))  # as tokens are, which are looked up here
    for word in words:
        if word in seen:
            raise Problem("vocabulary_twice", file=where, side=side, word=shown(word))
        seen.add(word)
    if side == "target" and starts and START not in seen:
        raise Problem("vocabulary_no_start", file=where, word=START)
    return words


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises ValueError for a name that stands twice."""
    if len(dict(pairs)) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(Message("problem.why.twice", name=shown(counts.most_common(1)[0][0])))
    return dict(pairs)


def parsed(file: str, text: str | bytes, where: str = "") -> Any:
    """Read JSON, in which no name stands twice in an object. Raises Problem where it is broken."""
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise Problem("weights_broken", file=file, why=f"{where}{error}" if where else reason(error)) from None


def read_json(path: Path, file: BinaryIO) -> Any:
    """Read a JSON file. Raises Problem where it is broken."""
    return parsed(str(path), whole(str(path), file, JSON_OBJECTS))


def numbers_of(path: Path, name: str, rows: Any) -> Array:
    """Return the array of a list of a JSON file. Raises Problem where it does not hold numbers, or lists as long."""
    try:
        array = np.array(rows)
        if array.dtype.kind not in "fiu" or _has_truth_value(rows):
            raise ValueError
        return array
    except ValueError:
        raise Problem("parameter_not_numbers", file=str(path), name=shown(name)) from None


def _has_truth_value(rows: Any) -> bool:
    return any(map(_has_truth_value, rows)) if isinstance(rows, list) else isinstance(rows, bool)


class Members:
    """A model in memory: its texts, read already, and its arrays by name."""

    def __init__(self, texts: dict[str, Any], arrays: Mapping[str, Array]) -> None:
        self.texts, self.read = texts, arrays.__getitem__
        self.headers = {name: Header(array.shape, array.dtype) for name, array in arrays.items()}


class Json(Members):
    """A model written by hand."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        model = read_json(path, file)
        if not isinstance(model, dict) or model.keys() != PARTS or not all(isinstance(model[p], dict) for p in PARTS):
            raise Problem("weights_json_parts", file=str(path))
        arrays = {name: numbers_of(path, name, rows) for name, rows in model["parameters"].items()}
        words = {f"vocabulary.{side}": words for side, words in model["vocabulary"].items()}
        super().__init__({"config": model["config"]} | words, arrays)


def storable(vocabularies: Vocabularies) -> dict[str, tuple[str, ...]]:
    """Return the vocabularies by the names of their members. Raises Problem for a word that cannot be read
    back: not Unicode, or with a zero byte, which an array of texts drops at the end of a word."""
    members = {f"vocabulary.{side}": words for side, words in vocabularies._asdict().items() if words}
    for word in (word for words in members.values() for word in words):
        if "\0" in word or word != word.encode("utf-8", "ignore").decode():
            raise Problem("word_not_storable", word=shown(word))
    return members


def save(file: BinaryIO, config: Config, vocabularies: Vocabularies, parameters: Parameters,
         state: Mapping[str, Any] = {}, safetensors: bool = False, dtype: str = "") -> None:
    """Write a weights file, `.npz`, or `.safetensors` with the texts as JSON in the metadata; the names of `state`, the
    state of a training run, get the prefix STATE. dtype: of the numbers, if not their own."""
    arrays = {name: tensor.value.astype(dtype or tensor.value.dtype) for name, tensor in parameters.by_name.items()}
    arrays |= {STATE + name: np.array(value) for name, value in state.items()}
    words = storable(vocabularies)
    if safetensors:
        texts = {"config": config.described()} | words
        file.write(serialized(arrays, {name: json.dumps(text, ensure_ascii=False) for name, text in texts.items()}))
    else:
        members = {"config": json.dumps(config.described())} | words
        file.write(archived({name: np.array(text) for name, text in members.items()} | arrays))
