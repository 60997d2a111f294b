"""Two exceptions that a run meets inside: axes that do not fit, and a slice that needs everything."""
from __future__ import annotations


class AxisError(TypeError):
    """Two tensors whose axes do not fit: a mistake in the wiring, never in the input."""

    def __init__(self, what: str, *tensors: object) -> None:
        super().__init__(f"{what}: " + ", ".join(map(repr, tensors)))


class NotRowwise(Exception):
    """A slice along this axis cannot be made from slices: every number depends on all of them (softmax along key)."""
