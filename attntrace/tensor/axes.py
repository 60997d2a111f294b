"""The axes of a tensor: names from a closed list, with the labels of their positions."""
from typing import NamedTuple

from attntrace.tensor.symbol import POSITIONS

AXIS_NAMES = {"token", "key", "d_model", "d_k", "d_v", "d_concat", "d_ff", "k_dim", "v_dim", "vocab", "max_positions",
              "sentence", "parameter"}
FLIPPED = dict(zip(POSITIONS, reversed(POSITIONS)))  # a transpose makes a token a key, and a key a token


class AxisError(TypeError):
    """Two tensors whose axes do not fit: a mistake in the wiring, never in the input."""

    def __init__(self, what: str, *tensors: object) -> None:
        super().__init__(f"{what}: " + ", ".join(map(repr, tensors)))


class NotRowwise(Exception):
    """A slice along this axis cannot be computed from slices: every number needs all of them (softmax along key)."""


class Axis(NamedTuple):
    """One axis: a name of AXIS_NAMES, a size, and labels (the words of a sentence or of a vocabulary).

    lengths: in a batch, those of the sentences that stand along the axis one after another."""
    name: str
    size: int
    labels: tuple[str, ...] | None = None
    lengths: tuple[int, ...] | None = None

    def flipped(self) -> "Axis":
        """The axis in a transpose: query positions (`token`) become key positions (`key`) and the reverse."""
        name = FLIPPED.get(self.name)
        return self if name is None else Axis(name, *self[1:])

    def fits(self, other: "Axis") -> bool:
        """Whether a product may sum along both: the same name (or token and key), size and labels."""
        if self is other:
            return True
        same = self.name == other.name or FLIPPED.get(self.name) == other.name
        return same and self.size == other.size and self.labels == other.labels and self.lengths == other.lengths


Axes = tuple[Axis, ...]


def shape_of(axes: Axes) -> tuple[int, ...]:
    return tuple([axis[1] for axis in axes])  # by number, which is faster: every tensor needs it
