"""Input files: rows of numbers that enter a run instead of words and their embeddings."""
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from attntrace.messages.catalog import alternatives
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import Config
from attntrace.model.tokens import END, KEYS, MEMORY, QUERIES, SOURCE, START, TARGET, VALUES, InputRows
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import cell_name

if TYPE_CHECKING:
    from attntrace.files.arrays import Npz

NAMED_BY = {SOURCE: "SENTENCE", MEMORY: "SENTENCE", TARGET: "TARGET"}
OF_ATTENTION = {SOURCE: "SENTENCE", QUERIES: "TARGET", KEYS: "SENTENCE", VALUES: "SENTENCE"}  # of an attention alone
ALSO = {TARGET: QUERIES, MEMORY: KEYS}  # what an attention alone takes them for
LENGTHS = "lengths"  # how many of the source's words are not padding


class Inputs(NamedTuple):
    """The arrays of an input file by address, in the precision of the model, and the lengths that it gives; without a
    file, none."""
    file: str | None
    arrays: dict[str, Array]
    lengths: tuple[int, ...] = ()

    @classmethod
    def read(cls, file: str | os.PathLike[str] | None, config: Config) -> "Inputs":
        """Read an .npz of rows for a model. Raises Problem with the name of the array that is wrong."""
        if file is None:
            return cls(None, {})
        from pathlib import Path  # these only now: a run from words reads no file

        from attntrace.files.arrays import Npz, opened
        path = Path(file)
        with opened(path) as stream:
            if path.suffix.lower() != ".npz":
                raise Problem("input_ending", file=str(path))
            members = Npz(path, stream)
            alone, arrays = config.architecture.is_attention, dict[str, Array]()
            known = OF_ATTENTION if alone else NAMED_BY
            for name in members.headers:
                address = ALSO.get(name, name) if alone else name
                if name != LENGTHS and (address not in known or address in arrays):
                    raise Problem("input_surplus", file=str(path), name=shown(name),
                                  known=alternatives((*known, LENGTHS)))
                if name != LENGTHS:
                    arrays[address] = _rows(members, name, config, *axis_of(address, config))
            others = [name for name in members.headers if ALSO.get(name, name) in (KEYS, QUERIES) and (
                alone or name == MEMORY)]
            if SOURCE in arrays and others:
                raise Problem("input_twice", file=str(path), other=others[0])
            lengths = members.read(LENGTHS) if LENGTHS in members.headers else np.zeros(0, int)
            return cls(str(path), arrays, checked_lengths(lengths, str(path), arrays, alone))

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


def _rows(members: "Npz", name: str, config: Config, axis: str, width: int) -> Array:
    file, (shape, kind, *_) = str(members.path), members.headers[name]
    if kind.kind not in "fiu":
        raise Problem("parameter_kind", file=file, name=name, kind=kind)
    if len(shape) != 2 or not shape[0] or shape[1] != width:
        raise Problem("input_shape", file=file, name=name, is_=" × ".join(map(str, shape)) or "0-d",
                      axis=axis, size=width)
    with np.errstate(over="ignore"):
        rows = members.read(name).astype(config.dtype)  # in this precision a number may be too large
    wrong = np.argwhere(~np.isfinite(rows))
    if wrong.size:
        raise Problem("input_not_finite", file=file, cell=cell_name(name, wrong[0]), value=rows[tuple(wrong[0])],
                      dtype=config.dtype)
    return rows
