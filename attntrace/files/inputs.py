"""Input files: rows of numbers that enter a run instead of words and their embeddings."""
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from attntrace.messages.catalog import alternatives
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import Config
from attntrace.model.tokens import END, MEMORY, SOURCE, START, TARGET, InputRows
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import cell_name

if TYPE_CHECKING:
    from attntrace.files.arrays import Npz

NAMED_BY = {SOURCE: "SENTENCE", MEMORY: "SENTENCE", TARGET: "TARGET"}


class Inputs(NamedTuple):
    """The arrays of an input file by address, in the precision of the model; without a file, none."""
    file: str | None
    arrays: dict[str, Array]

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
            for name in members.headers:
                if name not in NAMED_BY:
                    raise Problem("input_surplus", file=str(path), name=shown(name), known=alternatives(NAMED_BY))
            if SOURCE in members.headers and MEMORY in members.headers:
                raise Problem("input_twice", file=str(path))
            return cls(str(path), {name: _rows(members, name, config) for name in members.headers})

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
                      names=NAMED_BY[address])


def _rows(members: "Npz", name: str, config: Config) -> Array:
    file, (shape, kind, *_) = str(members.path), members.headers[name]
    if kind.kind not in "fiu":
        raise Problem("parameter_kind", file=file, name=name, kind=kind)
    if len(shape) != 2 or not shape[0] or shape[1] != config.d_model:
        raise Problem("input_shape", file=file, name=name, is_=" × ".join(map(str, shape)) or "0-d",
                      d_model=config.d_model)
    with np.errstate(over="ignore"):
        rows = members.read(name).astype(config.dtype)  # in this precision a number may be too large
    wrong = np.argwhere(~np.isfinite(rows))
    if wrong.size:
        raise Problem("input_not_finite", file=file, cell=cell_name(name, wrong[0]), value=rows[tuple(wrong[0])],
                      dtype=config.dtype)
    return rows
