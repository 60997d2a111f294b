"""Checks of the steps of a stage: rows recomputed from rows agree, postconditions of ops hold; and, where it is asked
for, gradients against central differences of the loss."""
from __future__ import annotations

import math
from collections.abc import Container
from typing import TYPE_CHECKING

import numpy as np

from attntrace.pages.blocks import Check
from attntrace.pages.view import marked_row
from attntrace.tensor.evaluate import evaluate
from attntrace.tensor.tensor import Array, Tensor, apply
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Step

if TYPE_CHECKING:
    from attntrace.runs.training_step import TrainingStep

DIGITS = {"float64": 12, "float32": 5}  # how far two computations of the same number must agree


def _nearness(step: Step) -> tuple[int, float, str]:
    """Return the digits to which two computations must agree, as a share of the number as well, and the suffix of the
    message. Where a rounding sets decimals, they must be equal."""
    digits = DIGITS[str(step.value.dtype)]
    return (digits, 10.0**-digits, "") if step.rounding.decimals is None else (digits, 0.0, "_exactly")


def rows_of(step: Step, only: int | None = None) -> list[Tensor]:
    """Recompute each row of a step (or the first `only`) from rows of its operands, with the step's rounding; a step
    without rows as a whole."""
    if not step.has_rows:
        return [evaluate(apply(step.node.op, *step.node.operands), step.rounding)]
    return [evaluate(step.node.row(0, i), step.rounding) for i in range(step.axes[0].size)[:only]]


def apart(again: Array, value: Array) -> Array:
    """Absolute difference per entry; equal infinities differ by 0, anything else from nan by infinity."""
    same = again == value
    if same.all():  # as most are, and cheap to see
        return np.broadcast_to(0.0, same.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        errors = np.where(same, 0.0, np.abs(again - value))
    return np.asarray(np.where(np.isnan(errors), np.inf, errors))


def largest(value: Array) -> float:
    """The largest finite absolute value."""
    size = max(float(value.max(initial=0.0)), -float(value.min(initial=0.0)))
    return size if math.isfinite(size) else float(np.abs(value[np.isfinite(value)]).max(initial=0.0))


SMALL = 1e-2  # no rounding of numbers such as a model has leaves more


def magnitude(step: Step, index: tuple[int, ...]) -> float:
    """The size of the terms of a number: where they cancel, its rounding error is theirs."""
    return step.node.cell(index).magnitude(lambda ref: float(ref.tensor.value[ref.index]))


def is_rounding(step: Step, others: Container[str]) -> bool:
    """Whether a step is only the rounding error of terms that cancel, or was computed from such `others`."""
    left = largest(step.value)
    if left > SMALL:  # nearly always, and cheap to see
        return False
    leaves = [leaf for leaf in step.node.leaves() if leaf.address]
    if leaves and all(leaf.address in others for leaf in leaves):
        return True
    noise = 100 * float(np.finfo(step.value.dtype).eps)
    if not 0 < left <= noise * max((largest(leaf.value) for leaf in leaves), default=0.0):
        return False
    return left <= noise * magnitude(step, worst_of(np.abs(step.value)))


def worst_of(errors: Array) -> tuple[int, ...]:
    return tuple(int(n) for n in np.unravel_index(int(errors.argmax()), errors.shape))


def check_rows(steps: list[Step], rebuilt: list[list[Tensor]]) -> list[Check]:
    """Check every row against the row recomputed from row operands, relative to the largest entry (under cancellation:
    to the largest term)."""
    digits, part, how = _nearness(steps[0])
    good, failed, checks = [], [], []
    for step, rows in zip(steps, rebuilt, strict=True):
        value = step.value if step.has_rows else step.value[None]
        fits = all(row.value.shape == value.shape[1:] for row in rows)
        errors = apart(np.stack([row.value for row in rows]), value) if fits else np.full(value.shape, np.inf)
        error = float(errors.max(initial=0.0))
        if error <= largest(step.value) * part:
            good.append(step)
            continue
        row, *rest = worst = worst_of(errors)
        if not (error < math.inf and error <= magnitude(step, worst if step.has_rows else tuple(rest)) * part):
            key = "row_differs" if step.has_rows else "whole_differs"
            failed.append(Check(key, (step.symbol,), (marked_row(step, row),), step.symbol.head, digits,
                                step.address, row + 1, error))
        elif is_rounding(step, ()):
            checks.append(Check("cancels", (step.symbol,), (), step.symbol.head, digits, error=largest(step.value)))
        else:
            good.append(step)
    for key, those in (("rows_agree", [step for step in good if step.has_rows]),
                       ("wholes_agree", [step for step in good if not step.has_rows])):
        if those:
            checks.append(Check(key + how, tuple(step.symbol for step in those),
                                tuple(marked_row(step, 0) for step in those), steps[0].symbol.head, digits))
    return checks + failed


def check_rows_sum_to_one(step: Step, again: Tensor) -> Check:
    """Check that the terms of all tokens add up to the whole."""
    digits, part, how = _nearness(step)
    errors = apart(evaluate(again, step.rounding).value, step.value)
    error = float(errors.max(initial=0.0))
    failed = not (error <= largest(step.value) * part or error <= magnitude(step, worst_of(errors)) * part)
    return Check("shares_agree" if failed else f"shares_agree{how}", (step.symbol,), (), step.symbol.head, digits,
                 step.address if failed else "", 0, error)


def check_postconditions(steps: list[Step]) -> list[Check]:
    """Check the postconditions of ops, such as rows that sum to 1; under rounding, report the deviation."""
    checks = []
    for step in steps:
        digits = DIGITS[str(step.value.dtype)]
        for promise in step.node.op.postconditions(step.value, *step.node.operands):
            decimals = None if promise.exact else step.rounding.decimals
            drift = None if decimals is None else round(promise.error, decimals)
            if drift is not None and math.isfinite(drift):
                key = f"{promise.key}_but_for" if drift else promise.key
                checks.append(Check(key, (step.symbol,), (), step.symbol.head, digits,
                                    more={"drift": f"{drift:.{step.rounding.decimals}f}"}))
                continue
            failed = not promise.error <= (0.0 if promise.exact else 10.0**-digits)
            checks.append(Check(promise.key, (step.symbol,), (), step.symbol.head, digits,
                                step.address if failed else "", 0, promise.error))
    return checks


MOVED = 1e-5  # how far a number is moved, of its tensor's largest (at least of 1)
TOLERANCE = 1e-6  # of the gradient's largest number
LEAST = 1e-2  # what the largest number counts as where it is smaller: rounding in the difference grows no smaller


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
        h = MOVED * max(1.0, largest(value))
        ends = [self.training_step.at(address, value + sign * h * direction) for sign in (1, -1)]
        return (ends[0] - ends[1]) / (2 * h)
