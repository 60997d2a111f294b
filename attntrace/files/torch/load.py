"""Import: from a state_dict of torch.nn to a model."""
from collections.abc import Mapping

import numpy as np

from attntrace.files.npz import shape_text
from attntrace.files.torch.names import DEFAULTS, Piece
from attntrace.files.torch.state import Recognized, State, recognized, sizes_of, some
from attntrace.files.weights import Loaded
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.model.config import Config, alternatives, divisors
from attntrace.model.parameters import Spec, Vocabularies, allocate, specs
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import cell_name


def imported(state: State, heads: int | None, norm: str = DEFAULTS[0], epsilon: float = DEFAULTS[1],
             final_norm: bool = False) -> tuple[Loaded, Recognized]:
    """Return the model of a state_dict, and the module that it was recognised as; `final_norm` where its stacks end in
    a norm, possibly one without parameters. Raises Problem for wrong names, shapes, numbers or heads."""
    fit = recognized(state, final_norm)
    if fit.unplaced:
        raise Problem("state_unplaced", file=state.file, module=fit.wiring.module, count=len(fit.unplaced),
                      names=some(fit.unplaced))
    if fit.missing:
        raise Problem("state_missing", file=state.file, module=fit.wiring.module, layers=fit.wiring.layers,
                      names=some(fit.missing))
    config = _config(state, fit, heads, norm, epsilon)
    vocabularies = Vocabularies.without_words(config)
    pieces = {piece.ours: piece for piece in fit.pieces}
    wanted = [spec for spec in specs(config, vocabularies) if spec.name in pieces or not spec.optional]
    _check_arrays(state, wanted, pieces)

    def fill(spec: Spec, view: Array) -> None:
        piece = pieces.get(spec.name)
        view[...] = (spec.name.endswith(".gain") if piece is None  # of a norm without parameters: 1, and its bias 0
                     else _block(state.arrays[piece.theirs], piece.block).T)

    return Loaded(config, vocabularies, allocate(wanted, config.dtype, fill)), fit


def _config(state: State, fit: Recognized, heads: int | None, norm: str, epsilon: float) -> Config:
    wiring, sizes = fit.wiring, sizes_of(state, fit)
    d_model = sizes["d_model"]
    if heads is None or heads < 1 or d_model % heads:
        raise Problem("state_heads", file=state.file, heads=Message("problem.why.none") if heads is None else heads,
                      d_model=d_model, divisors=alternatives(divisors(d_model)))
    return Config(d_model, heads, wiring.layers, sizes.get("d_ff", Config().d_ff), norm=norm, epsilon=epsilon,
                  final_norm=wiring.final_norm, position="none", scale_embedding=False, dtype=state.dtype,
                  part=wiring.part)


def _check_arrays(state: State, wanted: list[Spec], pieces: Mapping[str, Piece]) -> None:
    """Raise Problem for an array whose shape does not fit the others, and for a number that is not finite."""
    for spec in wanted:
        if spec.name not in pieces:
            continue
        _, name, block = pieces[spec.name]
        array, (first, *rest) = state.arrays[name], spec.shape[::-1]
        should = (first if block is None else 3 * first, *rest)
        if array.shape != should:
            raise Problem("state_shape", file=state.file, name=name, is_=shape_text(array.shape),
                          should=shape_text(should))
        wrong = np.argwhere(~np.isfinite(array))
        if wrong.size:
            raise Problem("parameter_not_finite", file=state.file, name=cell_name(name, wrong[0]),
                          value=array[tuple(wrong[0])], dtype=state.dtype)


def _block(array: Array, block: int | None) -> Array:
    """Return one of three equal blocks of rows, or all rows."""
    size = len(array) // 3
    return array if block is None else array[block * size:(block + 1) * size]
