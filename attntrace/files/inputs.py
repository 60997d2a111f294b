"""Input files: rows of numbers that enter a run instead of words and their embeddings."""
import os
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from attntrace.messages.catalog import Message, alternatives
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import Config
from attntrace.model.tokens import END, KEYS, MEMORY, QUERIES, SOURCE, START, TARGET, VALUES, InputRows
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import cell_name

if TYPE_CHECKING:
    from pathlib import Path

NAMED_BY = {SOURCE: "SENTENCE", MEMORY: "SENTENCE", TARGET: "TARGET"}
OF_ATTENTION = {SOURCE: "SENTENCE", QUERIES: "TARGET", KEYS: "SENTENCE", VALUES: "SENTENCE"}  # of an attention alone
ALSO = {TARGET: QUERIES, MEMORY: KEYS}  # what an attention alone takes them for
LENGTHS = "lengths"  # how many of the source's words are not padding
ENDINGS = (".npz", ".npy", ".json", ".csv")
UNNAMED = "arr_0"  # the name that numpy.savez gives to an array without one
CSV_NUMBERS = 16  # bytes of Python objects and numbers, at most, for each byte of CSV


class Inputs(NamedTuple):
    """The arrays of an input file by address, in the precision of the model, and the lengths that it gives; without a
    file, none. `notes`: what was changed in them."""
    file: str | None
    arrays: dict[str, Array]
    lengths: tuple[int, ...] = ()
    notes: tuple[Message, ...] = ()

    @classmethod
    def read(cls, file: str | os.PathLike[str] | Mapping[str, Array] | None, config: Config) -> "Inputs":
        """Read rows for a model: arrays by address (that may be there already), or one array without a name, for the
        first stack. Raises Problem with the name of the array that is wrong."""
        if file is None:
            return cls(None, {})
        from pathlib import Path  # these only now: a run from words reads no file

        from attntrace.files.arrays import opened
        alone = config.architecture.is_attention
        known = OF_ATTENTION if alone else NAMED_BY
        first = TARGET if config.architecture.stacks[:1] == ("decoder",) else SOURCE
        if isinstance(file, Mapping):
            path, read = Path("inputs"), {name or first: array for name, array in file.items()}
        else:
            path = Path(file)
            with opened(path) as stream:
                read = dict(_arrays(path, stream, first, {*known, *(ALSO if alone else ()), LENGTHS}))
        arrays: dict[str, Array] = {}
        notes: list[Message] = []
        for name, array in read.items():
            address = ALSO.get(name, name) if alone else name
            if name != LENGTHS and (address not in known or address in arrays):
                raise Problem("input_surplus", file=str(path), name=shown(name), known=alternatives((*known, LENGTHS)))
            if name != LENGTHS:
                arrays[address] = _rows(str(path), name, array, config, *axis_of(address, config))
                notes += [Message("messages.batch_axis", file=shown(path.name), name=name,
                                  shape=_spelled(array))] * _is_batch(array)
        others = [name for name in read if ALSO.get(name, name) in (KEYS, QUERIES) and (alone or name == MEMORY)]
        if SOURCE in arrays and others:
            raise Problem("input_twice", file=str(path), other=others[0])
        lengths = checked_lengths(read.get(LENGTHS, np.zeros(0, int)), str(path), arrays, alone)
        return cls(str(path), arrays, lengths, tuple(notes))

    @property
    def name(self) -> str | None:
        """The name of the file, without its directory."""
        return self.file and os.path.basename(self.file)

    @property
    def entry(self) -> str | None:
        """The address at which given rows take the place of the source; None where there are none."""
        return next((address for address in (SOURCE, MEMORY) if address in self.arrays), None)

    def named(self, address: str, words: Sequence[str] | None) -> InputRows:
        """Return the rows of an array, named by words, else by their positions. `<s>` and `</s>`, which a run adds to
        the words, may have a row or none. Raises Problem for another number of words."""
        rows = self.arrays[address]
        if words is None:
            return InputRows(tuple(str(n + 1) for n in range(len(rows))), rows, address)
        plain = [word for word in words if word not in (START, END)]
        for texts in (plain, words):
            if len(texts) == len(rows):
                return InputRows(tuple(texts), rows, address)
        raise Problem("input_words", file=self.file, address=address, rows=len(rows), words=len(plain),
                      names=(NAMED_BY | OF_ATTENTION)[address])


def axis_of(address: str, config: Config) -> tuple[str, int]:
    """The name and the size of the rows that enter a run at this address."""
    d_model, k_dim, v_dim = config.widths()
    return {KEYS: ("k_dim", k_dim), VALUES: ("v_dim", v_dim)}.get(address, ("d_model", d_model))


def checked_lengths(lengths: Array, file: str, arrays: Mapping[str, Array], alone: bool) -> tuple[int, ...]:
    """Return how many of the source's rows count: one number, or, of an attention alone, one for each query. Raises
    Problem for anything else."""
    source = next((len(arrays[name]) for name in (SOURCE, MEMORY, KEYS) if name in arrays), 0)
    queries = len(arrays.get(QUERIES, arrays.get(SOURCE, ()))) if alone else 1
    flat = lengths.ravel()
    if flat.size and (flat.dtype.kind not in "iu" or flat.size not in (1, queries) or not source
                      or not ((0 <= flat) & (flat <= source)).all()):
        raise Problem("input_lengths", file=file, value=shown(str(lengths.tolist())), rows=source, queries=queries)
    return tuple(map(int, flat))


def _arrays(path: "Path", file: BinaryIO, unnamed: str, known: Collection[str]) -> Mapping[str, Array]:
    """Return the arrays of a file by name, those that are not `known` without their numbers; that of one array without
    a name is `unnamed`."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise Problem("input_ending", file=str(path))
    if ending == ".npz":
        from attntrace.files.arrays import Npz
        members = Npz(path, file)
        if members.headers.keys() == {UNNAMED}:
            return {unnamed: members.read(UNNAMED)}
        return {name: members.read(name) if name in known else np.empty(0) for name in members.headers}
    if ending == ".npy":
        from attntrace.files.arrays import read_npy
        return {unnamed: read_npy(path, file)}
    if ending == ".csv":
        return {unnamed: _csv(path, file)}
    from attntrace.files.weights import numbers_of, read_json
    model = read_json(path, file)
    return {name: numbers_of(path, name, rows) for name, rows in
            (model if isinstance(model, dict) else {unnamed: model}).items()}


def _csv(path: "Path", file: BinaryIO) -> Array:
    """Read rows of numbers, one a line, with commas, semicolons, tabs or spaces between. Raises Problem with the place
    of what is none."""
    import csv

    from attntrace.files.arrays import whole
    try:
        lines = whole(str(path), file, CSV_NUMBERS).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise Problem("input_csv_text", file=str(path)) from None
    filled = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    mark = next((mark for mark in ",;\t" if filled and mark in filled[0][1]), "")
    rows: list[list[float]] = []
    for number, line in filled:
        cells = next(csv.reader([line], delimiter=mark, skipinitialspace=True)) if mark else line.split()
        rows.append([])
        for column, cell in enumerate(cells, start=1):
            try:
                rows[-1].append(float(cell))
            except ValueError:
                raise Problem("input_csv_cell", file=str(path), line=number, column=column,
                              value=shown(cell[:40])) from None
        if len(rows[-1]) != len(rows[0]):
            raise Problem("input_csv_line", file=str(path), line=number, is_=len(rows[-1]), should=len(rows[0]))
    return np.array(rows)


def _is_batch(array: Array) -> bool:
    """Whether it has rows of one sentence, and an axis of 1 for a batch before or after that of tokens."""
    return array.ndim == 3 and 1 in array.shape[:2]


def _spelled(array: Array) -> str:
    return " × ".join(map(str, array.shape)) or "0-d"


def _rows(file: str, name: str, array: Array, config: Config, axis: str, width: int) -> Array:
    if array.dtype.kind not in "fiu":
        raise Problem("parameter_kind", file=file, name=name, kind=array.dtype)
    if _is_batch(array):
        array = array[0] if array.shape[0] == 1 else array[:, 0]
    if array.ndim != 2 or not len(array) or array.shape[1] != width:
        raise Problem("input_shape", file=file, name=name, is_=_spelled(array), axis=axis,
                      size=width)
    with np.errstate(over="ignore"):
        rows = array.astype(config.dtype)  # in this precision a number may be too large
    wrong = np.argwhere(~np.isfinite(rows))
    if wrong.size:
        raise Problem("input_not_finite", file=file, cell=cell_name(name, wrong[0]), value=rows[tuple(wrong[0])],
                      dtype=config.dtype)
    return rows
