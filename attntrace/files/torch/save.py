"""Export: from a model to a state_dict of torch.nn."""
import math
from typing import NamedTuple

import numpy as np

from attntrace.files.torch.names import ARGUMENTS, Piece, Wiring
from attntrace.files.weights import Loaded
from attntrace.messages.errors import Problem
from attntrace.model.parameters import Parameters
from attntrace.tensor.tensor import Array


class Exported(NamedTuple):
    """A state_dict: its arrays by name, its module, whether that has biases, our parameters that have no place in it,
    and the biases that our model does not have and that are zeros in it."""
    arrays: dict[str, Array]
    wiring: Wiring
    biases: bool
    left_out: tuple[str, ...]
    zeros: tuple[str, ...]


def exported(model: Loaded, file: str) -> Exported:
    """Return the state_dict of a model. Raises Problem for a wiring that torch.nn does not have."""
    config, parameters = model.config, model.parameters
    if config.score_scale != "sqrt_d_k" and config.score_scale != math.sqrt(config.d_k):
        raise Problem("state_score_scale", file=file, scale=config.score_scale)
    for name, known in ARGUMENTS.items():
        if getattr(config, name) not in known:
            raise Problem("state_choice", file=file, name=name, value=getattr(config, name), known=", ".join(known))
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
    """Return False for a model that was imported with bias=False: no bias of attention, and all others 0."""
    biases = {piece.ours: parameters.get(piece.ours) for piece in pieces if piece.is_bias}
    return any(tensor is not None and (".b_" in name and name[-1] in "QKVO" or tensor.value.any())
               for name, tensor in biases.items())
