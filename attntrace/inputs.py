"""What a run begins with: words, or rows of numbers that are given instead of them and their embeddings."""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from attntrace.axes import Axis
from attntrace.config import Config
from attntrace.constants import constant
from attntrace.errors import Problem
from attntrace.places import named
from attntrace.tensor import Array, Tensor
from attntrace.tokens import END, START, Words, look_up, shown
from attntrace.weights import Vocabularies

if TYPE_CHECKING:
    from attntrace.npz import Npz

SOURCE, MEMORY, TARGET = "encoder.input", "encoder.output", "decoder.input"  # where rows may enter a run
NAMED_BY = {SOURCE: "SENTENCE", MEMORY: "SENTENCE", TARGET: "TARGET"}


class Given(NamedTuple):
    """Rows, token × d_model, what each is called, and the address at which they enter the run."""
    texts: tuple[str, ...]
    value: Array
    address: str

    @property
    def ids(self) -> tuple[None, ...]:
        """None: these are rows of no table."""
        return (None,) * len(self.texts)

    def tensor(self, symbol: str) -> Tensor:
        axes = Axis("token", len(self.texts), self.texts), Axis("d_model", self.value.shape[1])
        return constant(self.value, symbol, axes)

    def reordered(self, order: Sequence[int]) -> Given:
        """The same rows in another order, given by their places (from 0) in this one."""
        return Given(tuple(self.texts[n] for n in order), self.value[list(order)], self.address)

    def small(self, d_model: int) -> Given:
        """One row of another width, of zeros."""
        return Given(self.texts[:1], np.zeros((1, d_model), self.value.dtype), self.address)


class Inputs(NamedTuple):
    """The arrays of an input file by their addresses, in the precision of the model; none where there is no file."""
    file: str | None
    arrays: dict[str, Array]

    @classmethod
    def read(cls, file: str | os.PathLike[str] | None, config: Config) -> Inputs:
        """Read an .npz of rows for a model. Raises Problem, with the name of what is wrong."""
        if file is None:
            return cls(None, {})
        from pathlib import Path

        from attntrace.npz import Npz, opened  # only now: a run from words reads no archive
        path = Path(file)
        with opened(path) as stream:
            if path.suffix.lower() != ".npz":
                raise Problem("input_ending", file=str(path))
            members = Npz(path, stream)
            members.check_no_run()
            for name in members.headers:
                if name not in NAMED_BY:
                    raise Problem("input_surplus", file=str(path), name=shown(name), known=", ".join(NAMED_BY))
            if SOURCE in members.headers and MEMORY in members.headers:
                raise Problem("input_twice", file=str(path))
            return cls(str(path), {name: _rows(members, name, config) for name in members.headers})

    @property
    def name(self) -> str | None:
        return self.file and os.path.basename(self.file)

    @property
    def entry(self) -> str | None:
        """The address at which the source enters, where it is given."""
        return next((address for address in (SOURCE, MEMORY) if address in self.arrays), None)

    @property
    def longest(self) -> int:
        return max(map(len, self.arrays.values()), default=0)

    def named(self, address: str, words: Sequence[str] | None) -> Given:
        """The rows of an array, called by their words; what a run from words puts around these (`<s>`, `</s>`) may have
        a row or none. Without words, by their positions. Raises Problem where there are fewer words or more."""
        rows = self.arrays[address]
        if words is None:
            return Given(tuple(str(n + 1) for n in range(len(rows))), rows, address)
        said = [word for word in words if word not in (START, END)]
        for texts in (said, words):
            if len(texts) == len(rows):
                return Given(tuple(texts), rows, address)
        raise Problem("input_words", file=self.file, address=address, rows=len(rows), words=len(said),
                      names=NAMED_BY[address])


def _rows(members: Npz, name: str, config: Config) -> Array:
    file, (shape, kind, *_) = str(members.path), members.headers[name]
    if kind.kind not in "fiu":
        raise Problem("parameter_kind", file=file, name=name, kind=kind)
    if len(shape) != 2 or not shape[0] or shape[1] != config.d_model:
        raise Problem("input_shape", file=file, name=name, is_=" × ".join(map(str, shape)) or "0-d",
                      d_model=config.d_model)
    with np.errstate(over="ignore"):
        rows = members.read(name).astype(config.dtype)  # in the model's precision, in which a number may be too large
    wrong = np.argwhere(~np.isfinite(rows))
    if wrong.size:
        raise Problem("input_not_finite", file=file, cell=named(name, wrong[0]), value=rows[tuple(wrong[0])],
                      dtype=config.dtype)
    return rows


def edged(source: list[str] | None, target: list[str] | None,
          config: Config) -> tuple[list[str] | None, list[str] | None]:
    """The words of a sentence and those of a target, with what a run puts around them."""
    return (None if source is None else source + [END] * config.source_end,
            None if target is None else [START, *target])


def beginnings(source: list[str] | None, target: list[str] | None, vocabularies: Vocabularies, given: Inputs,
               model: str) -> tuple[Words | Given, Words | Given | None]:
    """What encoder and decoder begin with: rows, where they are given, else words (see `edged`). Raises Problem where
    the `model` has a stack for which there are neither, or has no use for what is given."""
    memory_alone = vocabularies.source is None
    if given.entry == (SOURCE if memory_alone else MEMORY) and (memory_alone or vocabularies.target is None):
        raise Problem("input_useless", file=given.file, address=given.entry, model=model)
    if given.entry:
        begins: Words | Given = given.named(given.entry, source)
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
