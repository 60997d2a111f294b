"""Mask files: what is added to the scores of an attention, or which keys a query may not look at."""
import csv
import io
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from attntrace.files.arrays import Npz, opened, read_npy, shape_text, whole_text
from attntrace.files.weights import JSON_OBJECTS, read_json
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import Config
from attntrace.tensor.tensor import Array

ENDINGS = (".npy", ".npz", ".json", ".csv")


def read_masks(file: str | PathLike[str] | Mapping[str, Array], attentions: Mapping[str, tuple[int, int]],
               config: Config) -> dict[str, Array]:
    """Return what a file, or arrays by name, add to the scores of `attentions`, which have these numbers of queries and
    keys. Raises Problem for what does not fit them."""
    added: dict[str, Array] = {}
    path = Path("mask" if isinstance(file, Mapping) else file)
    for name, array in file.items() if isinstance(file, Mapping) else tables(path):
        fitting = [one for one in attentions if not name or one == name or one.endswith(f".{name}")]
        if not name and len(fitting) > 1:
            raise Problem("mask_nameless", file=str(path), known=", ".join(fitting))
        if len(fitting) != 1 or fitting[0] in added:
            raise Problem("mask_surplus", file=str(path), name=shown(name), known=", ".join(attentions))
        added[fitting[0]] = _scores(array, shown(name or fitting[0]), str(path), config, attentions[fitting[0]])
    return added


def _scores(array: Array, name: str, file: str, config: Config, shape: tuple[int, int]) -> Array:
    """Return what a mask adds to scores of this shape: -inf where it is true, or its numbers."""
    while array.ndim > 2 and len(array) == 1:
        array = array[0]
    if array.shape not in ((shape[1],), shape, (config.heads, *shape)):
        raise Problem("mask_shape", file=file, name=name, is_=shape_text(array.shape), keys=shape[1],
                      should=shape_text(shape), heads=config.heads)
    if array.dtype.kind == "b":
        array = np.where(array, -np.inf, 0.0)
    elif array.dtype.kind not in "fiu":
        raise Problem("parameter_kind", file=file, name=name, kind=array.dtype)
    elif array.any() and np.isin(array, (0, 1)).all():
        raise Problem("mask_of_ones", file=file, name=name)
    with np.errstate(over="ignore"):
        array = array.astype(config.dtype)
    if not (array < np.inf).all():
        raise Problem("mask_not_finite", file=file, name=name, value=array[~(array < np.inf)][0])
    return np.broadcast_to(array, shape) if array.ndim == 1 else array


def tables(path: Path) -> Iterator[tuple[str, Array]]:
    """Yield the arrays of a file by name; the only one of a .npy, a .csv or a list in .json has none. Raises Problem
    where it is broken."""
    ending = path.suffix.lower()
    with opened(path) as stream:
        if ending == ".npz":
            members = Npz(path, stream)
            yield from ((name, members.read(name)) for name in members.headers)
        elif ending == ".npy":
            yield "", read_npy(path, stream)
        elif ending == ".json":
            content = read_json(path, stream)
            for name, rows in (content if isinstance(content, dict) else {"": content}).items():
                yield name, _table(rows, path)
        elif ending == ".csv":
            lines = list(csv.reader(io.StringIO(whole_text(path, stream, JSON_OBJECTS))))
            yield "", _table([[_cell(text) for text in line] for line in lines if line], path)
        else:
            raise Problem("mask_ending", file=str(path), endings=", ".join(ENDINGS))


def _cell(text: str) -> Any:
    return {"true": True, "false": False}.get(text.strip().lower(), text.strip())


def _kinds(rows: Any) -> set[type]:
    return set().union(*map(_kinds, rows)) if isinstance(rows, list) else {type(rows)}


def _table(rows: Any, path: Path) -> Array:
    """Return nested lists as an array: of truth values, or of numbers, which may be "-inf"."""
    try:
        kinds = _kinds(rows)
        if not isinstance(rows, list) or bool in kinds and len(kinds) > 1 or not kinds <= {bool, int, float, str}:
            raise ValueError
        return np.array(rows, bool if bool in kinds else float)
    except (TypeError, ValueError, RecursionError, OverflowError):
        raise Problem("mask_no_table", file=str(path)) from None
