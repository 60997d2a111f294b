"""Gradients against central differences of the loss."""

import numpy as np

from attntrace.pages.blocks import Check
from attntrace.pages.checks import largest, worst_of
from attntrace.runs.training_step import TrainingStep
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Step

STEP = 1e-5  # how far a number is moved, of its tensor's largest (at least of 1)
TOLERANCE = 1e-6  # of the gradient's largest number
LEAST = 1e-2  # where that is smaller, the difference is no better


class GradientCheck:
    """Checks a gradient in its largest entry and along a random direction against central differences of the loss."""

    def __init__(self, training_step: TrainingStep) -> None:
        self.training_step = training_step
        self.random = np.random.default_rng(0)
        parameters = training_step.run.parameters.by_name
        self.values: dict[str, Array] = {name: tensor.value for name, tensor in parameters.items()}
        self.found: dict[str, list[Check]] = {}

    def watch(self, step: Step) -> None:
        """A sink that keeps the values that gradients belong to."""
        if not Address.of(step.address).phase:
            self.values[step.address] = step.value

    def __call__(self, step: Step) -> list[Check]:
        address = Address.of(step.address)
        if address.phase != "gradient" or address.is_partial:  # along a part alone L has no slope
            return []
        if step.address not in self.found:
            self.found[step.address] = [self.check(step, address.forward)]
        return self.found[step.address]

    def check(self, step: Step, address: str) -> Check:
        value = self.values[address]
        index = worst_of(np.abs(step.value))
        one, direction = np.zeros(value.shape), np.asarray(self.random.standard_normal(value.shape))
        one[index] = 1.0
        direction /= max(float(np.sqrt((direction**2).sum())), 1e-300)
        slopes = [float(step.value[index]), float((step.value * direction).sum())]
        wanted = [self.slope(address, value, along) for along in (one, direction)]
        scale = max(largest(step.value), LEAST)
        failed = any(not abs(a - b) <= TOLERANCE * scale for a, b in zip(slopes, wanted, strict=True))
        cell = f"[{','.join(str(n + 1) for n in index)}]" if index else ""
        return Check("central_differences", (step.symbol,), (), step.symbol.head, 6, step.address if failed else "",
                     more={"cell": cell, "gradient": f"{slopes[0]:.9f}", "difference": f"{wanted[0]:.9f}",
                           "slope": f"{slopes[1]:.9f}", "along": f"{wanted[1]:.9f}"})

    def slope(self, address: str, value: Array, direction: Array) -> float:
        h = STEP * max(1.0, largest(value))
        ends = [self.training_step.at(address, value + sign * h * direction) for sign in (1, -1)]
        return (ends[0] - ends[1]) / (2 * h)
