"""What must be true of a recorded run whatever its numbers are, measured on the numbers of its records alone.

Part of the independent checker: imports the standard library and its records (recomputation.py), none of the model.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from attntrace.verify.recompute import PRECISIONS, Log, Record, Recorded

ROUNDINGS = 8  # what a number may be off by, for each term it was summed from, in last digits of the largest of them
BACKWARDS = ("gradient.", "update.")


class Deviation(NamedTuple):
    """By how much something that must be true is not, and how much rounding may do."""
    address: str
    error: float
    allowed: float


class Finding(NamedTuple):
    """All deviations of a kind: its key, of how many things, the worst, where that is (or the first that is wrong);
    whether that is wrong, or `drifts`: is what a pencil's rounding does."""
    key: str
    number: int
    error: float
    address: str
    wrong: bool
    drifts: bool = False


def findings(log: Log) -> Iterator[Finding]:
    """One for each kind of which the run has any. By pencil, rounding is what makes sums miss: it is said, not judged,
    but for what no rounding can touch."""
    for key, (measure, exact) in KINDS.items():
        found = list(measure(log))
        if found:
            off = [one for one in found if not one.error <= one.allowed]
            judged = exact or log.pencil is None
            said = off[0] if off and judged else max(found, key=lambda one: one.error)
            yield Finding(key, len(found), said.error, said.address, bool(off) and judged, bool(off) and not judged)


def allowed(log: Log, terms: int, largest: float) -> float:
    return ROUNDINGS * (terms + 1) * PRECISIONS[log.config.get("dtype", "float64")].unit * largest


def forward(log: Log, *names: str) -> Iterator[Recorded]:
    """The steps of these names, on the way to the loss."""
    for address, step in log.steps.items():
        if address.rpartition(".")[2] in names and not address.startswith(BACKWARDS):
            yield step


def shares(log: Log) -> Iterator[Recorded]:
    """What divides 1 row by row: attention weights, probabilities."""
    for step in forward(log, "weights", "probabilities"):
        if len(step.shape) == 2:
            yield step


def rows_sum_to_one(log: Log) -> Iterator[Deviation]:
    for step in shares(log):
        for row in step.rows():
            yield Deviation(step.address, abs(math.fsum(row) - 1), allowed(log, len(row), 1.0))


def shares_are_none_below_zero(log: Log) -> Iterator[Deviation]:
    for step in shares(log):
        for row in step.rows():
            yield Deviation(step.address, max(0.0, -min(row)), 0.0)


def masked_weights_are_zero(log: Log) -> Iterator[Deviation]:
    """A weight where the score is -inf; where words after it are masked, a word must not see any of them."""
    for scores in forward(log, "masked_scores"):
        weights = log.steps.get(scores.address.removesuffix("masked_scores") + "weights")
        if weights is None or weights.shape != scores.shape:
            continue
        for i, (row, seen) in enumerate(zip(weights.rows(), scores.rows(), strict=True)):
            for j, (weight, score) in enumerate(zip(row, seen, strict=True)):
                if score == -math.inf or j > i:
                    yield Deviation(weights.address, abs(weight), 0.0)


def norms(log: Log) -> Iterator[tuple[Recorded, list[float], float, float]]:
    """Of each row of a layer norm: its step, its numbers, its variance, and what rounding may do to one of them."""
    for step in forward(log, "normalized"):
        place = step.address.removesuffix("normalized")
        variance, mean = log.steps.get(f"{place}variance"), log.steps.get(f"{place}mean")
        before = [log[name] for name in step.parents if name in log.steps and log[name].shape == step.shape]
        if variance is None or mean is None or not before:
            continue
        for row, sigma2, of in zip(step.rows(), variance.flat, before[0].rows(), strict=False):
            root = math.sqrt(sigma2 + log.config.get("epsilon", 1e-5))
            largest = max(map(abs, row)) + max(map(abs, of)) / root
            yield step, row, sigma2, allowed(log, len(row), largest)


def normalized_rows_have_mean_zero(log: Log) -> Iterator[Deviation]:
    for step, row, _, rounding in norms(log):
        yield Deviation(step.address, abs(math.fsum(row) / len(row)), rounding)


def normalized_rows_have_their_variance(log: Log) -> Iterator[Deviation]:
    """Variance σ² / (σ² + ε): 1, but for what ε takes away."""
    for step, row, sigma2, rounding in norms(log):
        mean = math.fsum(row) / len(row)
        variance = math.fsum((x - mean) ** 2 for x in row) / len(row)
        wanted = sigma2 / (sigma2 + log.config.get("epsilon", 1e-5))
        yield Deviation(step.address, abs(variance - wanted), 2 * rounding * max(1.0, *map(abs, row)))


def residuals_add_the_sub_layer(log: Log) -> Iterator[Deviation]:
    """What a residual has more than the stream that it reads is the output of its sub-layer."""
    for step in forward(log, "residual"):
        own = step.address.removesuffix("residual") + "output"
        others = [name for name in step.parents if name != own]
        if len(others) != 1 or own not in log.steps or len(log[others[0]].flat) != len(step.flat):
            yield Deviation(step.address, math.inf, 0.0)
            continue
        for after, before, more in zip(step.flat, log[others[0]].flat, log[own].flat, strict=True):
            yield Deviation(step.address, abs(after - before - more), allowed(log, 2, abs(before) + abs(more)))


def labels_sum_to_one(log: Log) -> Iterator[Deviation]:
    for step in forward(log, "labels"):
        for row in step.rows():
            yield Deviation(step.address, abs(math.fsum(row) - 1), allowed(log, len(row), 1.0))


def gradients_of_logits_sum_to_zero(log: Log) -> Iterator[Deviation]:
    """p and y sum to 1 both: what one logit gains, the others lose."""
    step = log.steps.get("gradient.output.logits")
    for row in step.rows() if step is not None else ():
        yield Deviation("gradient.output.logits", abs(math.fsum(row)),
                        allowed(log, len(row), math.fsum(map(abs, row))))


def parameters_are_all_there(log: Log) -> Iterator[Deviation]:
    """As many as the sizes ask for: by the closed form, and the biases and tables that a model may have or not."""
    d, wanted = int(log.config["d_model"]), 0
    for stack, attentions, side in (("encoder", 1, "source"), ("decoder", 2, "target")):
        table = log.parameters.get(f"{stack}.E")
        if table is None and begins_with_words(log, side):
            yield Deviation(f"{stack}.E", math.inf, 0.0)
        if any(name.startswith(f"{stack}.") for name in log.parameters):
            wanted += numbers_of_a_stack(log, attentions) + (table.shape[0] * d if table is not None else 0)
    if "decoder.E" in log.parameters:  # else there is no vocabulary to choose from either
        wanted += d * log.parameters["decoder.E"].shape[0]
    optional = {"b_Q": d, "b_K": d, "b_V": d, "b_O": d}
    wanted += sum(optional.get(name.rpartition(".")[2], 0) for name in log.parameters)
    bias = log.parameters.get("output.b")
    wanted += bias.shape[0] if bias is not None else 0
    there = sum(len(parameter.flat) for parameter in log.parameters.values())
    yield Deviation("", abs(there - wanted), 0.0)


def begins_with_words(log: Log, side: str) -> bool:
    """Whether a stack looks up words in its table; rows that are given are of no table."""
    return any(word["id"] is not None for word in log.header.get("tokens", {}).get(side) or ())


def numbers_of_a_stack(log: Log, attentions: int) -> int:
    """Parameters of a stack whose layers have so many attentions, without its table and biases that are optional."""
    d = int(log.config["d_model"])
    if log.config.get("part") == "attention":  # nothing else is in it
        return 4 * d * d
    f, N = int(log.config["d_ff"]), int(log.config["layers"])
    norms = N * (attentions + 1) + bool(log.config.get("final_norm"))  # a gain and a bias each
    return N * (4 * attentions * d * d + 2 * d * f + f + d) + 2 * norms * d


# By the key of its sentence: how it is measured, and whether no rounding can touch it.
KINDS: dict[str, tuple[Callable[[Log], Iterator[Deviation]], bool]] = {
    "rows_sum_to_one": (rows_sum_to_one, False), "none_below_zero": (shares_are_none_below_zero, True),
    "masked_weights_are_zero": (masked_weights_are_zero, True),
    "mean_zero": (normalized_rows_have_mean_zero, False), "variance": (normalized_rows_have_their_variance, False),
    "residuals": (residuals_add_the_sub_layer, False), "labels": (labels_sum_to_one, False),
    "logits": (gradients_of_logits_sum_to_zero, False), "parameters": (parameters_are_all_there, True)}


def fingerprint(log: Log, footer: Record) -> Finding | None:
    """That of the records, beside the one that the run says of itself; None of a large saved run, of which nobody says
    one."""
    if footer["fingerprint"] is None:
        return None
    same = log.fingerprint == footer["fingerprint"] and len(log.steps) == footer["steps"]
    return Finding("fingerprint", len(log.steps), 0.0, log.fingerprint, not same)
