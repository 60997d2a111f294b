"""What must be true of the steps of a stage, measured each time: both computations agree, ops keep their promises."""
from __future__ import annotations

import numpy as np

from attntrace.blocks import Check
from attntrace.symbol import Symbol
from attntrace.tensor import Array, Promise, Tensor
from attntrace.tracing import Step

DIGITS = {"float64": 12, "float32": 5}  # how far two computations of the same number must agree


def rows_of(step: Step) -> list[Tensor]:
    """Each row of a step, computed again from rows of its operands."""
    return [step.made.row(0, i) for i in range(step.axes[0].size)]


def promises(step: Step) -> list[Promise]:
    return list(step.made.op.promises(step.value, *step.made.operands))


def difference(one: Array, other: Array) -> float:
    """The largest difference; the same infinity in both is none."""
    with np.errstate(invalid="ignore"):
        apart = np.where(one == other, 0.0, np.abs(one - other))
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0))


def check_rows(steps: list[Step], rebuilt: list[list[Tensor]]) -> list[Check]:
    """That each row of the matrix computation is what the computation from rows gives."""
    digits = DIGITS[str(steps[0].value.dtype)]
    good, failed = [], []
    for step, rows in zip(steps, rebuilt, strict=True):
        scale = float(np.abs(step.value[np.isfinite(step.value)]).max(initial=0.0))
        errors = [difference(row.value, step.value[i]) if row.value.shape == step.value[i].shape else np.inf
                  for i, row in enumerate(rows)]
        worst = int(np.argmax(errors))
        if errors[worst] <= scale * 10.0**-digits:
            good.append(step)
        else:
            failed.append(Check("row_differs", (step.symbol,), (marked_row(step, worst),), step.symbol.head, digits,
                                step.address, worst + 1, errors[worst]))
    found = [Check("rows_agree", tuple(step.symbol for step in good), tuple(marked_row(step, 0) for step in good),
                   steps[0].symbol.head, digits)] if good else []
    return found + failed


def marked_row(step: Step, i: int) -> Symbol:
    return step.symbol.marked(0, i, step.tensor.words)


def check_promises(steps: list[Step]) -> list[Check]:
    """What the ops promise of their results, such as rows that sum to 1."""
    found = []
    for step in steps:
        digits = DIGITS[str(step.value.dtype)]
        for promise in promises(step):
            failed = not promise.error <= (0.0 if promise.exact else 10.0**-digits)
            found.append(Check(promise.key, (step.symbol,), (), step.symbol.head, digits,
                               step.address if failed else "", 0, promise.error))
    return found
