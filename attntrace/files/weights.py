"""Weights files: `.npz` without pickle, `.safetensors`, or `.json` written by hand."""
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from attntrace.files.npz import Npz, archived, opened, reason, shape_text
from attntrace.files.reading import whole
from attntrace.files.safetensors import COPIES, Safetensors, serialized
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import normalized, shown
from attntrace.model.config import Config
from attntrace.model.parameters import Parameters, Spec, Vocabularies, allocate, specs
from attntrace.model.tokens import END, START
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address, cell_name

TEXTS = ("config", "vocabulary.source", "vocabulary.target")  # the names of texts among the arrays
OF_WORDS = {"encoder.E", "decoder.E", "output.W", "output.b"}  # parameters that a model without words does not have
SHIPPED = ("ko-en",)  # models included in attntrace
STATE = "training."  # the prefix of members with the state of a training run, which are not part of the model
JSON_OBJECTS = 32  # bytes of Python objects, at most, for each byte of JSON
LARGEST_TEXT = 64_000_000  # characters: a text that claims more is not read


class Loaded(NamedTuple):
    """A model from a file."""
    config: Config
    vocabularies: Vocabularies
    parameters: Parameters


class Contents(NamedTuple):
    """The unchecked contents of a file: its texts, the shapes of its arrays by name, and how to read an array."""
    config: Any
    source: Any
    target: Any
    shapes: dict[str, tuple[int, ...]]
    read: Callable[[str], Array]


def located(weights: str | os.PathLike[str]) -> Path:
    """Return the path of a weights file, which may be the name of a model included in attntrace."""
    if str(weights) in SHIPPED:
        return Path(__file__).parent.parent / "models" / f"{weights}.npz"
    return Path(weights)


def load(path: Path, dtype: str | None = None) -> Loaded:
    """Read a weights file; `dtype` is the precision to run it in, if not its own. Raises Problem with the name of what
    is wrong."""
    with opened(path) as file:
        if path.suffix.lower() not in FORMATS:
            raise Problem("weights_ending", file=str(path))
        return checked(path, FORMATS[path.suffix.lower()](path, file), dtype)


def checked(path: Path, contents: Contents, dtype: str | None = None) -> Loaded:
    """Return the model of a file. Raises Problem for a wrong name, shape or number."""
    where = str(path)
    config = Config.read(contents.config, where)
    config = replace(config, dtype=dtype or config.dtype)
    vocabularies = _vocabularies(where, config, contents)
    if config.source_end and vocabularies.source and END not in vocabularies.source:
        raise Problem("vocabulary_no_end", file=where, word=END)
    wanted = []
    for spec in specs(config, vocabularies):  # one by one, as a config may claim a million layers
        if spec.name not in contents.shapes:
            if spec.optional:
                continue
            raise Problem("parameter_missing", file=where, name=spec.name)
        if contents.shapes[spec.name] != spec.shape:
            raise Problem("parameter_shape", file=where, name=spec.name, is_=shape_text(contents.shapes[spec.name]),
                          should=shape_text(spec.shape), axes=" × ".join(axis.name for axis in spec.axes))
        wanted.append(spec)
    known = {spec.name for spec in wanted}
    for name in contents.shapes:
        if name not in known:
            raise Problem("parameter_surplus", file=where, name=shown(name))

    def fill(spec: Spec, view: Array) -> None:
        value = contents.read(spec.name)
        if value.dtype.kind not in "fiu":
            raise Problem("parameter_kind", file=where, name=spec.name, kind=value.dtype)
        with np.errstate(over="ignore"):
            view[...] = value  # in the model's precision a number may be too large
        wrong = ~np.isfinite(view)
        if wrong.any():
            raise Problem("parameter_not_finite", file=where, name=cell_name(spec.name, np.argwhere(wrong)[0]),
                          value=value[wrong][0], dtype=config.dtype)

    return Loaded(config, vocabularies, allocate(wanted, config.dtype, fill))


def _vocabularies(where: str, config: Config, contents: Contents) -> Vocabularies:
    """Return the words of a file; without words, embeddings and output layer, those of a model that takes rows."""
    if contents.source is None and contents.target is None and not {*contents.shapes} & OF_WORDS:
        return Vocabularies.without_words(config, any(Address.of(name).stack == "decoder" for name in contents.shapes))
    if not config.architecture.has_words:
        raise Problem("part_with_words", file=where, part=config.architecture.name)
    return Vocabularies(_words(where, "source", contents.source),
                        None if contents.target is None else _words(where, "target", contents.target))


def _words(where: str, side: str, texts: Any) -> tuple[str, ...]:
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise Problem("vocabulary_kind", file=where, side=side)
    seen: set[str] = set()
    words = tuple(map(normalized, texts))  # as tokens are, which are looked up here
    for word in words:
        if word in seen:
            raise Problem("vocabulary_twice", file=where, side=side, word=shown(word))
        seen.add(word)
    if side == "target" and START not in seen:
        raise Problem("vocabulary_no_start", file=where, word=START)
    return words


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises ValueError for a name that stands twice."""
    if len(dict(pairs)) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(Message("problem.why.twice", name=shown(counts.most_common(1)[0][0])))
    return dict(pairs)


def _parsed(path: Path, text: str | bytes, where: str = "") -> Any:
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise Problem("weights_broken", file=str(path), why=f"{where}{error}" if where else reason(error)) from None


def _has_truth_value(rows: Any) -> bool:
    return any(map(_has_truth_value, rows)) if isinstance(rows, list) else isinstance(rows, bool)


def _json(path: Path, file: BinaryIO) -> Contents:
    model = _parsed(path, whole(str(path), file, JSON_OBJECTS))
    parts = ("config", "vocabulary", "parameters")
    if not isinstance(model, dict) or set(model) != set(parts) or not all(isinstance(model[p], dict) for p in parts):
        raise Problem("weights_json_parts", file=str(path))
    arrays = {}
    for name, rows in model["parameters"].items():
        try:
            arrays[name] = np.array(rows)
            if arrays[name].dtype.kind not in "fiu" or _has_truth_value(rows):
                raise ValueError
        except ValueError:
            raise Problem("parameter_not_numbers", file=str(path), name=shown(name)) from None
    words = model["vocabulary"]
    return Contents(model["config"], words.get("source"), words.get("target"),
                    {name: array.shape for name, array in arrays.items()}, arrays.__getitem__)


def _npz(path: Path, file: BinaryIO) -> Contents:
    members = Npz(path, file)
    members.check_arrays()
    texts = {}
    for name in TEXTS:
        if name in members.headers:
            header = members.headers[name]
            characters = header.numbers * max(header.dtype.itemsize // 4, 1)
            if header.dtype.kind != "U" or len(header.shape) != (name != "config") or characters > LARGEST_TEXT:
                raise Problem("weights_text_kind", file=str(path), name=name)
            texts[name] = members.text(name)
    if "config" not in texts:
        raise Problem("weights_no_config", file=str(path))
    config = _parsed(path, texts["config"], "config: ")
    shapes = {name: header.shape for name, header in members.headers.items()
              if name not in TEXTS and not name.startswith(STATE)}
    return Contents(config, texts.get("vocabulary.source"), texts.get("vocabulary.target"), shapes, members.read)


def _safetensors(path: Path, file: BinaryIO) -> Contents:
    tensors = Safetensors(path, whole(str(path), file, COPIES))
    if "config" not in tensors.texts:
        raise Problem("weights_no_config", file=str(path))
    texts = {name: _parsed(path, tensors.texts.get(name, "null"), f"{name}: ") for name in TEXTS}
    shapes = {name: header.shape for name, header in tensors.headers.items()}
    return Contents(texts["config"], texts["vocabulary.source"], texts["vocabulary.target"], shapes, tensors.read)


FORMATS = {".npz": _npz, ".safetensors": _safetensors, ".json": _json}


def storable(vocabularies: Vocabularies) -> dict[str, tuple[str, ...]]:
    """Return the vocabularies by the names of their members. Raises Problem for a word that cannot be read
    back: not Unicode, or with a zero byte, which an array of texts drops at the end of a word."""
    members = {f"vocabulary.{side}": words for side, words in vocabularies._asdict().items() if words}
    for word in (word for words in members.values() for word in words):
        if "\0" in word or word != word.encode("utf-8", "ignore").decode():
            raise Problem("word_not_storable", word=shown(word))
    return members


def save_safetensors(file: BinaryIO, config: Config, vocabularies: Vocabularies, parameters: Parameters) -> None:
    """Write a weights file, `.safetensors`, with the texts as JSON in the metadata."""
    texts = {"config": config.described()} | storable(vocabularies)
    file.write(serialized({name: tensor.value for name, tensor in parameters.by_name.items()},
                          {name: json.dumps(text, ensure_ascii=False) for name, text in texts.items()}))


def save(file: BinaryIO, config: Config, vocabularies: Vocabularies, parameters: Parameters,
         state: Mapping[str, Any] | None = None) -> None:
    """Write a weights file, `.npz`; the names of `state`, the state of a training run, get the prefix STATE."""
    texts: dict[str, Any] = {"config": np.array(json.dumps(config.described()))}
    texts |= {name: np.array(words) for name, words in storable(vocabularies).items()}
    arrays = {name: tensor.value for name, tensor in parameters.by_name.items()}
    more = {STATE + name: np.array(value) for name, value in (state or {}).items()}
    file.write(archived(texts | arrays | more))
