"""Files of a person's own arrays, each with a name: `.npz`, `.npy`, `.safetensors`, JSON or CSV."""
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from attntrace.files.arrays import Npz, Safetensors, opened, read_npy, reason, whole_text
from attntrace.files.weights import JSON_OBJECTS, read_json
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.tensor.tensor import Array

ENDINGS = (".npz", ".npy", ".safetensors", ".json", ".csv")
LONGEST = 300  # characters of a name


def read_arrays(path: Path) -> dict[str, Array]:
    """Return the arrays of a file by name; where it holds one without a name, that is the file's own, without its
    ending. Infinities and NaN are numbers like others. Raises Problem where it is broken or holds anything else."""
    arrays: dict[str, Array] = {}
    with opened(path) as stream:
        for name, array in _arrays(path, stream):
            if array.dtype.kind not in "fiub":
                raise Problem("parameter_kind", file=str(path), name=shown(name), kind=array.dtype)
            if name in arrays:
                raise Problem("weights_broken", file=str(path), why=reason(ValueError(f"{name[:LONGEST]}: twice")))
            arrays[name] = array.astype(float) if array.dtype.kind in "iub" else array
    if not arrays:
        raise Problem("check_empty", file=str(path))
    return arrays


def _arrays(path: Path, stream: Any) -> Iterator[tuple[str, Array]]:
    ending = path.suffix.lower()
    if ending in (".npz", ".safetensors"):
        members = Npz(path, stream) if ending == ".npz" else Safetensors(path, stream)
        yield from ((name, members.read(name)) for name in members.headers)
    elif ending == ".npy":
        yield path.stem, read_npy(path, stream)
    elif ending == ".json":
        content = read_json(path, stream)
        for name, rows in (content if isinstance(content, dict) else {path.stem: content}).items():
            yield name, _numbers(path, name, rows)
    elif ending == ".csv":
        yield from _csv(path, whole_text(path, stream, JSON_OBJECTS))
    else:
        raise Problem("check_ending", file=str(path), endings=", ".join(ENDINGS))


def _numbers(path: Path, name: str, rows: Any) -> Array:
    """Nested lists as an array of numbers; a text among them is one that spells a number, such as "-inf"."""
    try:
        if isinstance(rows, (dict, str, bool)) or rows is None:
            raise ValueError
        array = np.array(rows)
        return array.astype(float) if array.dtype.kind in "biufU" else np.array(rows, float)
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise Problem("parameter_not_numbers", file=str(path), name=shown(name[:LONGEST])) from None


def _csv(path: Path, text: str) -> Iterator[tuple[str, Array]]:
    """The arrays of lines `address,row,column,...,value`, as `--format csv` writes them; else the one table that the
    lines are."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    mark = next((mark for mark in ",;\t" if mark in first), ",")
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=mark)]
    except csv.Error as error:
        raise Problem("weights_broken", file=str(path), why=reason(error)) from None
    rows = [row for row in rows if any(row)]
    heading = [cell.lower() for cell in rows[0]] if rows else []
    if {"address", "value"} <= set(heading):
        yield from _long(path, heading, rows[1:])
    elif rows:
        yield path.stem, _numbers(path, path.stem, rows if len(rows) > 1 or len(rows[0]) > 1 else rows[0])


def _long(path: Path, heading: list[str], rows: list[list[str]]) -> Iterator[tuple[str, Array]]:
    cells: dict[str, dict[tuple[int, ...], float]] = {}
    columns = [heading.index(name) for name in ("row", "column") if name in heading]
    for number, row in enumerate(rows, start=2):
        try:
            index = tuple(int(row[n]) - 1 for n in columns if row[n])
            value, name = float(row[heading.index("value")]), row[heading.index("address")]
        except (ValueError, IndexError):
            raise Problem("check_csv_line", file=str(path), line=number) from None
        cells.setdefault(name, {})[index] = value
    for name, numbers in cells.items():
        indices = list(numbers)
        axes = {len(index) for index in indices}
        shape = tuple(max(sizes) + 1 for sizes in zip(*indices)) if len(axes) == 1 else ()
        if len(axes) > 1 or min(map(min, filter(None, indices)), default=0) < 0 or np.prod(shape, dtype=object) != len(
                indices):
            raise Problem("check_csv_cells", file=str(path), name=shown(name[:LONGEST]))
        array = np.empty(shape)
        for index, cell in numbers.items():
            array[index] = cell
        yield name, array
