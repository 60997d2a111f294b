"""Weights files: `.npz` without pickle, or `.json` written by hand."""
from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from attntrace.files.npz import Npz, archived, opened, reason, shape_text
from attntrace.files.safetensors import Safetensors, serialized
from attntrace.messages.catalog import Joined, Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import normalized, shown
from attntrace.model.config import Config
from attntrace.model.parameters import Parameters, Spec, Vocabularies, laid_out, specs
from attntrace.model.tokens import END, START
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import named

TEXTS = ("config", "vocabulary.source", "vocabulary.target")  # members of an .npz that hold text
OF_WORDS = {"encoder.E", "decoder.E", "output.W", "output.b"}  # parameters that a model without words lacks
SHIPPED = ("ko-en",)  # models that come with attntrace
STATE = "training."  # how members begin that hold the state of a training; whoever wants the model passes them over
LARGEST_TEXT = 64_000_000  # characters: a text that claims more is not read


class Loaded(NamedTuple):
    config: Config
    vocabularies: Vocabularies
    parameters: Parameters


class Contents(NamedTuple):
    """What a file holds, its arrays not read yet: their shapes by name, and how to read one."""
    config: Any
    source: Any
    target: Any
    shapes: dict[str, tuple[int, ...]]
    read: Any


def located(weights: str | os.PathLike[str]) -> Path:
    """The file that is meant: of that name, or the one of that name that comes with attntrace."""
    if str(weights) in SHIPPED:
        return Path(__file__).parent.parent / "models" / f"{weights}.npz"
    return Path(weights)


def load(path: Path, dtype: str | None = None) -> Loaded:
    """Read a weights file, to be run in another precision than its own where `dtype` says so. Raises Problem, with the
    name of what is wrong, before anything is computed."""
    with opened(path) as file:
        if path.suffix.lower() not in FORMATS:
            raise Problem("weights_ending", file=str(path))
        return checked(path, FORMATS[path.suffix.lower()](path, file), dtype)


def checked(path: Path, found: Contents, dtype: str | None = None) -> Loaded:
    """The model that the contents of a file make, once every name, shape and number is right."""
    where = str(path)
    config = Config.read(found.config, where)
    config = replace(config, dtype=dtype or config.dtype)
    vocabularies = _vocabularies(where, config, found)
    if config.source_end and vocabularies.source and END not in vocabularies.source:
        raise Problem("vocabulary_no_end", file=where, word=END)
    wanted = []
    for spec in specs(config, vocabularies):  # one at a time: a config may claim a million layers
        if spec.name not in found.shapes:
            if spec.optional:
                continue
            raise Problem("parameter_missing", file=where, name=spec.name)
        if found.shapes[spec.name] != spec.shape:
            raise Problem("parameter_shape", file=where, name=spec.name, is_=shape_text(found.shapes[spec.name]),
                          should=shape_text(spec.shape), axes=" × ".join(axis.name for axis in spec.axes))
        wanted.append(spec)
    known = {spec.name for spec in wanted}
    for name in found.shapes:
        if name not in known:
            raise Problem("parameter_surplus", file=where, name=shown(name))

    def fill(spec: Spec, view: Array) -> None:
        value = found.read(spec.name)
        if value.dtype.kind not in "fiu":
            raise Problem("parameter_kind", file=where, name=spec.name, kind=value.dtype)
        with np.errstate(over="ignore"):
            view[...] = value  # in the model's precision, in which a number may be too large
        wrong = ~np.isfinite(view)
        if wrong.any():
            raise Problem("parameter_not_finite", file=where, name=named(spec.name, np.argwhere(wrong)[0]),
                          value=value[wrong][0], dtype=config.dtype)

    return Loaded(config, vocabularies, laid_out(wanted, config.dtype, fill))


def _vocabularies(where: str, config: Config, found: Contents) -> Vocabularies:
    """The words of a file; of one that has neither words nor tables nor an output layer, which stacks it has."""
    if found.source is None and found.target is None and not {*found.shapes} & OF_WORDS:
        return Vocabularies.without_words(config, any(name.startswith("decoder.") for name in found.shapes))
    if config.part != "transformer":
        raise Problem("part_with_words", file=where, part=config.part)
    return Vocabularies(_words(where, "source", found.source),
                        None if found.target is None else _words(where, "target", found.target))


def _words(where: str, side: str, found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or not found or not all(isinstance(word, str) for word in found):
        raise Problem("vocabulary_kind", file=where, side=side)
    seen: set[str] = set()
    words = tuple(map(normalized, found))  # as tokens are, or they would never be found
    for word in words:
        if word in seen:
            raise Problem("vocabulary_twice", file=where, side=side, word=shown(word))
        seen.add(word)
    if side == "target" and START not in seen:
        raise Problem("vocabulary_no_start", file=where, word=START)
    return words


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(Message("problem.why.twice", name=shown(counts.most_common(1)[0][0])))
    return found


def _has_truth_value(rows: Any) -> bool:
    return any(map(_has_truth_value, rows)) if isinstance(rows, list) else isinstance(rows, bool)


def _json(path: Path, file: Any) -> Contents:
    try:
        found = json.loads(file.read().decode("utf-8-sig"), object_pairs_hook=_each_name_once)
    except (ValueError, RecursionError) as error:
        raise Problem("weights_broken", file=str(path), why=reason(error)) from None
    parts = ("config", "vocabulary", "parameters")
    if not isinstance(found, dict) or set(found) != set(parts) or not all(isinstance(found[p], dict) for p in parts):
        raise Problem("weights_json_parts", file=str(path))
    arrays = {}
    for name, rows in found["parameters"].items():
        try:
            arrays[name] = np.array(rows)
            if arrays[name].dtype.kind not in "fiu" or _has_truth_value(rows):
                raise ValueError
        except ValueError:
            raise Problem("parameter_not_numbers", file=str(path), name=shown(name)) from None
    words = found["vocabulary"]
    return Contents(found["config"], words.get("source"), words.get("target"),
                    {name: array.shape for name, array in arrays.items()}, arrays.__getitem__)


def _npz(path: Path, file: Any) -> Contents:
    members = Npz(path, file)
    members.check_no_run()
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
    try:
        config = json.loads(texts["config"], object_pairs_hook=_each_name_once)
    except (ValueError, RecursionError) as error:
        raise Problem("weights_broken", file=str(path), why=Joined("", ["config: ", error.args[0]])) from None
    shapes = {name: header.shape for name, header in members.headers.items()
              if name not in TEXTS and not name.startswith(STATE)}
    return Contents(config, texts.get("vocabulary.source"), texts.get("vocabulary.target"), shapes, members.read)


def _safetensors(path: Path, file: Any) -> Contents:
    tensors = Safetensors(path, file.read())
    if "config" not in tensors.texts:
        raise Problem("weights_no_config", file=str(path))
    texts = {}
    for name in TEXTS:
        try:
            texts[name] = json.loads(tensors.texts.get(name, "null"), object_pairs_hook=_each_name_once)
        except (ValueError, RecursionError) as error:
            raise Problem("weights_broken", file=str(path), why=Joined("", [f"{name}: ", error.args[0]])) from None
    shapes = {name: header.shape for name, header in tensors.headers.items()}
    return Contents(texts["config"], texts["vocabulary.source"], texts["vocabulary.target"], shapes, tensors.read)


FORMATS = {".npz": _npz, ".safetensors": _safetensors, ".json": _json}


def storable(vocabularies: Vocabularies) -> dict[str, tuple[str, ...]]:
    """The vocabularies by the names of their members. Raises Problem where a word would not be read back: one that is
    not Unicode, or has a zero byte, which an array of texts drops at an end."""
    found = {f"vocabulary.{side}": words for side, words in vocabularies._asdict().items() if words}
    for word in (word for words in found.values() for word in words):
        if "\0" in word or word != word.encode("utf-8", "ignore").decode():
            raise Problem("word_not_storable", word=shown(word))
    return found


def save_safetensors(file: BinaryIO, config: Config, vocabularies: Vocabularies, parameters: Parameters) -> None:
    """Write a weights file, `.safetensors`: its texts are JSON in the metadata."""
    texts = {"config": config.described()} | storable(vocabularies)
    file.write(serialized({name: tensor.value for name, tensor in parameters.by_name.items()},
                          {name: json.dumps(text, ensure_ascii=False) for name, text in texts.items()}))


def save(file: BinaryIO, config: Config, vocabularies: Vocabularies, parameters: Parameters,
         state: Mapping[str, Any] | None = None) -> None:
    """Write a weights file, `.npz`; `state` goes beside the model, by names that begin with STATE."""
    texts: dict[str, Any] = {"config": np.array(json.dumps(config.described()))}
    texts |= {name: np.array(words) for name, words in storable(vocabularies).items()}
    arrays = {name: tensor.value for name, tensor in parameters.by_name.items()}
    found = texts | arrays | {STATE + name: np.array(value) for name, value in (state or {}).items()}
    file.write(archived(found))
