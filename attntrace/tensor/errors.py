"""Exceptions inside a computation: axes that do not fit, and a slice that cannot be computed from slices."""
from __future__ import annotations


class AxisError(TypeError):
    """Two tensors whose axes do not fit: a mistake in the wiring, never in the input."""

    def __init__(self, what: str, *tensors: object) -> None:
        super().__init__(f"{what}: " + ", ".join(map(repr, tensors)))


class NotRowwise(Exception):
    """A slice along this axis cannot be computed from slices: every number needs all of them (softmax along key)."""
