"""Weights from elsewhere: arrays under foreign names become ours, and ours become theirs. One table a source."""
from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from attntrace.config import ONE_LAYER, Config, alternatives, divisors
from attntrace.errors import Problem
from attntrace.layouts.torch_nn import MODULES, Piece, Wiring
from attntrace.npz import Npz, opened
from attntrace.prose import sentence
from attntrace.safetensors_file import Safetensors
from attntrace.tensor import Array
from attntrace.tokens import shown
from attntrace.weights import Parameters, Spec, Vocabularies, laid_out, specs
from attntrace.weights_file import Loaded

LAYER = re.compile(r"(?:^|\.)layers\.(\d+)\.")
SAID_BY = {"W_O": "d_model", "W_1": "d_ff"}  # the sizes that the rows of a matrix of theirs tell
NAMED = 3  # names that a message says, of many
HALVES = {"float16", "bfloat16"}


class State(NamedTuple):
    """A state_dict: its arrays by name, and what their numbers were before they were read."""
    file: str
    arrays: dict[str, Array]
    dtypes: frozenset[str]

    @property
    def dtype(self) -> str:
        """The precision that holds all of its numbers."""
        return "float64" if "float64" in self.dtypes else "float32"

    @property
    def numbers(self) -> int:
        return sum(array.size for array in self.arrays.values())


def read_state(path: Path) -> State:
    """Read a state_dict, `.npz` or `.safetensors`. Raises Problem where the file is broken or holds something else."""
    with opened(path) as file:
        if path.suffix.lower() not in (".npz", ".safetensors"):
            raise Problem("state_ending", file=str(path))
        found: Npz | Safetensors = (Npz(path, file) if path.suffix.lower() == ".npz"
                                    else Safetensors(path, file.read()))
        if is_own(found):
            raise Problem("state_is_own", file=str(path))
        arrays, dtypes = {}, set()
        for name, header in found.headers.items():
            arrays[name] = found.read(name)
            if arrays[name].dtype.kind != "f" or arrays[name].dtype.itemsize > 8:
                raise Problem("parameter_kind", file=str(path), name=shown(name), kind=arrays[name].dtype)
            dtypes.add("bfloat16" if str(header.dtype) == "bfloat16" else arrays[name].dtype.name)
    return State(str(path), arrays, frozenset(dtypes))


def is_own(found: Npz | Safetensors) -> bool:
    """Whether a file is a weights file of attntrace, and no state_dict."""
    return "config" in (found.headers if isinstance(found, Npz) else found.texts)


class Recognized(NamedTuple):
    """The module that a state_dict is most like, whether it has biases, the names that it lacks and those that the
    module does not have."""
    wiring: Wiring
    biases: bool
    missing: tuple[str, ...]
    unplaced: tuple[str, ...]

    @property
    def pieces(self) -> list[Piece]:
        return [piece for piece in self.wiring.pieces() if self.biases or not piece.is_bias]


def recognized(state: State) -> Recognized:
    """Find the module that has most of the names; of two, the one with fewer others. Raises Problem where none has any.
    """
    names = state.arrays.keys()
    layers = len({number for name in names for number in LAYER.findall(name)[:1]})
    apart = any(name.endswith("q_proj_weight") for name in names)

    def likeness(wiring: Wiring) -> tuple[int, int]:
        table = {piece.theirs for piece in wiring.pieces()}
        return len(table & names), -len(table)

    stacks = [Wiring(part, layers, norm, apart) for part in MODULES if part not in ONE_LAYER for norm in (False, True)]
    wiring = max([*stacks, *(Wiring(part, apart=apart) for part in ONE_LAYER)], key=likeness)
    if not likeness(wiring)[0]:
        raise Problem("state_unknown", file=state.file, names=some(names))
    placed = {piece.theirs: piece for piece in wiring.pieces()}
    biases = any(piece.is_bias for name, piece in placed.items() if name in names)
    missing = tuple(name for name, piece in placed.items() if name not in names and (biases or not piece.is_bias))
    return Recognized(wiring, biases, missing, tuple(name for name in names if name not in placed))


def some(names: object) -> str:
    """A few names, and how many more there are."""
    listed = [shown(name) for name in names]  # type: ignore[attr-defined]
    more = [sentence("messages.more", count=len(listed) - NAMED)] * (len(listed) > NAMED)
    return ", ".join([*listed[:NAMED], *more])


def imported(state: State, heads: int | None, norm: str = "post", epsilon: float = 1e-5) -> tuple[Loaded, Recognized]:
    """The model of a state_dict, and what it was found to be. Raises Problem where names, shapes, numbers or heads are
    wrong."""
    found = recognized(state)
    if found.unplaced:
        raise Problem("state_unplaced", file=state.file, module=found.wiring.module, count=len(found.unplaced),
                      names=some(found.unplaced))
    if found.missing:
        raise Problem("state_missing", file=state.file, module=found.wiring.module, layers=found.wiring.layers,
                      names=some(found.missing))
    config = _config(state, found, heads, norm, epsilon)
    vocabularies = Vocabularies.without_words(config)
    pieces = {piece.ours: piece for piece in found.pieces}
    wanted = [spec for spec in specs(config, vocabularies) if spec.name in pieces or not spec.optional]
    _check_arrays(state, wanted, pieces)

    def fill(spec: Spec, view: Array) -> None:
        piece = pieces.get(spec.name)
        view[...] = 0 if piece is None else _block(state.arrays[piece.theirs], piece.block).T

    return Loaded(config, vocabularies, laid_out(wanted, config.dtype, fill)), found


def _config(state: State, found: Recognized, heads: int | None, norm: str, epsilon: float) -> Config:
    wiring, sizes = found.wiring, sizes_of(state, found)
    d_model = sizes["d_model"]
    if heads is None or heads < 1 or d_model % heads:
        raise Problem("state_heads", file=state.file, heads=sentence("problem.why.none") if heads is None else heads,
                      d_model=d_model, divisors=alternatives(divisors(d_model)))
    return Config(d_model, heads, wiring.layers, sizes.get("d_ff", Config().d_ff), norm=norm, epsilon=epsilon,
                  final_norm=wiring.final_norm, position="none", scale_embedding=False, dtype=state.dtype,
                  part=wiring.part)


def sizes_of(state: State, found: Recognized) -> dict[str, int]:
    """d_model, and d_ff where the module has one. Raises Problem where an array that says it is no matrix."""
    sizes = {}
    for piece in found.pieces:
        size = SAID_BY.get(piece.ours.rpartition(".")[2])
        if size is not None and size not in sizes:
            shape = state.arrays[piece.theirs].shape
            if len(shape) != 2 or not min(shape):
                raise Problem("state_shape", file=state.file, name=piece.theirs, is_=_shape(shape),
                              should=sentence("problem.why.matrix"))
            sizes[size] = shape[0]
    return sizes


def _check_arrays(state: State, wanted: list[Spec], pieces: Mapping[str, Piece]) -> None:
    """Raise Problem for an array of another shape than the others ask for, and for a number that is none."""
    for spec in wanted:
        if spec.name not in pieces:
            continue
        _, name, block = pieces[spec.name]
        array, (first, *rest) = state.arrays[name], spec.shape[::-1]
        should = (first if block is None else 3 * first, *rest)
        if array.shape != should:
            raise Problem("state_shape", file=state.file, name=name, is_=_shape(array.shape), should=_shape(should))
        wrong = np.argwhere(~np.isfinite(array))
        if wrong.size:
            cell = ",".join(str(n + 1) for n in wrong[0])
            raise Problem("parameter_not_finite", file=state.file, name=f"{name}:{cell}",
                          value=array[tuple(wrong[0])], dtype=state.dtype)


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or sentence("problem.why.one_number")


def _block(array: Array, block: int | None) -> Array:
    """One of three equal blocks of rows, or all of them."""
    size = len(array) // 3
    return array if block is None else array[block * size:(block + 1) * size]


class Exported(NamedTuple):
    """A state_dict of ours: its arrays by their names, the module that it is of, whether that has biases, which of our
    parameters it has no place for, and which biases were absent and are zeros now."""
    arrays: dict[str, Array]
    wiring: Wiring
    biases: bool
    left_out: tuple[str, ...]
    zeros: tuple[str, ...]


def exported(model: Loaded, file: str) -> Exported:
    """The state_dict of a model. Raises Problem for a wiring that torch.nn does not have."""
    config, parameters = model.config, model.parameters
    if config.score_scale != "sqrt_d_k" and config.score_scale != math.sqrt(config.d_k):
        raise Problem("state_score_scale", file=file, scale=config.score_scale)
    part = config.part
    if None in model.vocabularies and part == "transformer":
        part = "decoder" if model.vocabularies.source is None else "encoder"
    wiring = Wiring(part, config.layers, config.final_norm)
    pieces = list(wiring.pieces())
    biases = _has_biases(pieces, parameters)
    blocks: dict[str, list[Array]] = {}
    zeros = []
    for piece in pieces:
        parameter = parameters.get(piece.ours)
        if piece.is_bias and not biases:
            continue
        if parameter is None:
            zeros.append(piece.ours)
        value = np.zeros(config.d_model, config.dtype) if parameter is None else parameter.value
        blocks.setdefault(piece.theirs, []).append(value.T)
    arrays = {name: np.concatenate(parts) for name, parts in blocks.items()}
    ours = {piece.ours for piece in pieces}
    left_out = tuple(tensor.address for tensor in parameters if tensor.address and tensor.address not in ours)
    return Exported(arrays, wiring, biases, left_out, tuple(zeros))


def _has_biases(pieces: list[Piece], parameters: Parameters) -> bool:
    """False for what bias=False becomes: no bias of attention, and all others 0."""
    found = {piece.ours: parameters.get(piece.ours) for piece in pieces if piece.is_bias}
    return any(tensor is not None and (".b_" in name and name[-1] in "QKVO" or tensor.value.any())
               for name, tensor in found.items())
