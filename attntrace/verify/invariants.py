"""What must be true of a recorded run whatever its numbers are, measured on the numbers of its records only.

Part of the independent checker: imports only the standard library and recompute.py."""
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from attntrace.verify.recompute import PRECISIONS, Log, Record, Recorded

ROUNDINGS = 8  # allowed error for each term of a sum, in last digits of the largest term
SHARES = "weights", "probabilities"  # steps whose rows are shares of 1
AFTER_LOSS = ("gradient.", "update.")
OPTIONAL = {"E", "P", "b_Q", "b_K", "b_V", "b_O", "b"}  # the names of parameters that a model may lack


class Deviation(NamedTuple):
    """How far something is from what it must be, and how much of that rounding may cause."""
    address: str
    error: float
    allowed: float


class Finding(NamedTuple):
    """All deviations of one kind: its key, the number of things measured, the worst error (or the first that is wrong)
    and where it is; whether it is `wrong`, or `drifts`, which hand arithmetic's rounding explains."""
    key: str
    number: int
    error: float
    address: str
    wrong: bool
    drifts: bool = False


def findings(log: Log) -> Iterator[Finding]:
    """Yield a finding for each kind that the run has. In hand arithmetic sums miss because of rounding, so only what no
    rounding can change is judged there; the rest is reported."""
    for key, (measure, exact) in KINDS.items():
        deviations = list(measure(log))
        if deviations:
            beyond = [one for one in deviations if not one.error <= one.allowed]
            judged = exact or log.pencil is None
            shown = beyond[0] if beyond and judged else max(deviations, key=lambda one: one.error)
            yield Finding(key, len(deviations), shown.error, shown.address, bool(beyond) and judged,
                          bool(beyond) and not judged)


def allowed(log: Log, terms: int, largest: float) -> float:
    return ROUNDINGS * (terms + 1) * PRECISIONS[log.config.get("dtype", "float64")].unit * largest


def forward_steps(log: Log, *names: str) -> Iterator[Recorded]:
    """The steps of these names before and up to the loss."""
    for address, step in log.steps.items():
        if address.rpartition(".")[2] in names and not address.startswith(AFTER_LOSS):
            yield step


def rows_sum_to_one(log: Log, names: Sequence[str] = SHARES) -> Iterator[Deviation]:
    """A row that may look nowhere sums to 0."""
    for step in forward_steps(log, *names):
        scores = log.steps.get(f"{step.address.removesuffix('weights')}masked_scores")
        seen = [max(row) > -math.inf for row in scores.rows()] if scores is not None else [True] * len(step.rows())
        for row, whole in zip(step.rows(), seen, strict=True):
            yield Deviation(step.address, abs(math.fsum(row) - whole), allowed(log, len(row), 1.0))


def shares_are_none_below_zero(log: Log) -> Iterator[Deviation]:
    for step in forward_steps(log, *SHARES):
        for row in step.rows():
            yield Deviation(step.address, max(0.0, -min(row)), 0.0)


def masked_weights_are_zero(log: Log) -> Iterator[Deviation]:
    """Weights where the score is -inf or, in causal attention, where the key is a later word."""
    for scores in forward_steps(log, "masked_scores"):
        weights = log.steps.get(scores.address.removesuffix("masked_scores") + "weights")
        if weights is None or weights.shape != scores.shape:
            continue
        causal = ".self_attention." in scores.address and (log.config.get("causal") or "decoder." in scores.address)
        for i, (row, seen) in enumerate(zip(weights.rows(), scores.rows(), strict=True)):
            for j, (weight, score) in enumerate(zip(row, seen, strict=True)):
                if score == -math.inf or causal and j > i:
                    yield Deviation(weights.address, abs(weight), 0.0)


def norm_rows(log: Log) -> Iterator[tuple[Recorded, list[float], float, float]]:
    """For each row of a layer norm: its step, numbers, variance, and how much rounding may change one number."""
    for step in forward_steps(log, "normalized"):
        place = step.address.removesuffix("normalized")
        variance, mean = log.steps.get(f"{place}variance"), log.steps.get(f"{place}mean")
        before = [log[name] for name in step.parents if name in log.steps and log[name].shape == step.shape]
        if variance is None or mean is None or not before:
            continue
        for row, sigma2, source in zip(step.rows(), variance.flat, before[0].rows(), strict=False):
            largest = max(map(abs, row)) + max(map(abs, source)) / deviation(log, sigma2)
            yield step, row, sigma2, allowed(log, len(row), largest)


def deviation(log: Log, sigma2: float) -> float:
    """What a layer norm divides by."""
    epsilon = float(log.config.get("epsilon", 1e-5))
    outside = log.config.get("norm_epsilon") == "outside"
    return math.sqrt(sigma2) + epsilon if outside else math.sqrt(sigma2 + epsilon)


def normalized_rows_have_mean_zero(log: Log) -> Iterator[Deviation]:
    for step, row, _, rounding in norm_rows(log):
        yield Deviation(step.address, abs(math.fsum(row) / len(row)), rounding)


def normalized_rows_have_their_variance(log: Log) -> Iterator[Deviation]:
    """The variance is σ² / (σ² + ε): 1, less what ε takes away; where σ² is that of a sample, as that of one."""
    for step, row, sigma2, rounding in norm_rows(log):
        mean = math.fsum(row) / len(row)
        degrees = len(row) - (log.config.get("norm_variance") == "sample")
        variance = math.fsum((x - mean) ** 2 for x in row) / degrees
        wanted = sigma2 / deviation(log, sigma2) ** 2
        yield Deviation(step.address, abs(variance - wanted), 2 * rounding * max(1.0, *map(abs, row)))


def residuals_add_the_sub_layer(log: Log) -> Iterator[Deviation]:
    """A residual minus the stream it reads is the output of its sub-layer."""
    for step in forward_steps(log, "residual"):
        place = step.address.removesuffix("residual")
        own = next(name for name in (f"{place}output", f"{place}concat", place) if name in log.steps or name == place)
        others = [name for name in step.parents if name != own]
        if len(others) != 1 or own not in log.steps or len(log[others[0]].flat) != len(step.flat):
            yield Deviation(step.address, math.inf, 0.0)
            continue
        for after, before, more in zip(step.flat, log[others[0]].flat, log[own].flat, strict=True):
            yield Deviation(step.address, abs(after - before - more), allowed(log, 2, abs(before) + abs(more)))


def gradients_of_logits_sum_to_zero(log: Log) -> Iterator[Deviation]:
    """p and y both sum to 1, so that the gradient p - y sums to 0."""
    step = log.steps.get("gradient.output.logits")
    for row in step.rows() if step is not None else ():
        yield Deviation("gradient.output.logits", abs(math.fsum(row)),
                        allowed(log, len(row), math.fsum(map(abs, row))))


def parameters_are_all_there(log: Log) -> Iterator[Deviation]:
    """Compare the number of parameters with the closed form, plus the tables and biases that are optional."""
    wanted = sum(len(one.flat) for name, one in log.parameters.items() if name.rpartition(".")[2] in OPTIONAL)
    if log.config.get("part") == "cross_attention":
        wanted += numbers_of_an_attention(log, int(log.config["d_model"]))
    stacks = [("encoder", 1, "source"), ("decoder", 2, "target")]
    if log.config.get("part") == "decoder_only":
        stacks = [("decoder", 1, "source")]
    for stack, attentions, side in stacks:
        if not {f"{stack}.E", "shared.E"} & log.parameters.keys() and begins_with_words(log, side):
            yield Deviation(f"{stack}.E", math.inf, 0.0)
        if any(name.startswith(f"{stack}.") for name in log.parameters):
            wanted += numbers_of_a_stack(log, attentions)
    if log.config.get("part") == "encoder_only" and "output.W" in log.parameters:
        wanted += len(log.parameters["output.W"].flat)
    if "decoder.E" in log.parameters:  # a model without it has no output layer of that size either
        wanted += len(log.parameters["decoder.E"].flat)
    there = sum(len(parameter.flat) for parameter in log.parameters.values())
    yield Deviation("", abs(there - wanted), 0.0)


def begins_with_words(log: Log, side: str) -> bool:
    """Whether a stack looks up words in its table, rather than start from given rows."""
    return any(word["id"] is not None for word in log.header.get("tokens", {}).get(side) or ())


def numbers_of_a_stack(log: Log, attentions: int) -> int:
    """Count the parameters of a stack with this many attentions a layer, without its table and optional biases."""
    d = int(log.config["d_model"])
    attention = numbers_of_an_attention(log, d)
    if log.config.get("part") == "attention":  # the whole model
        return attention
    f, N = int(log.config.get("d_ff", 0)), int(log.config["layers"])
    if attentions > 1:  # of the decoder
        N = int(log.config.get("decoder_layers", N))
    feeds = int(log.config.get("feed_forward", True))
    norms = N * (attentions + feeds) * (log.config.get("norm") != "none") + bool(log.config.get("final_norm"))
    return N * (attentions * attention + feeds * (2 * d * f + f + d)) + 2 * norms * d  # each has a gain and a bias


def numbers_of_an_attention(log: Log, d: int) -> int:
    """Count the numbers of its matrices."""
    h = int(log.config["heads"])
    d_k, d_v = (log.config.get(name) or d // h for name in ("d_k", "d_v"))
    k_dim, v_dim = (log.config.get(name) or d for name in ("k_dim", "v_dim"))
    return int(h * (d_k * (d + k_dim) + d_v * (v_dim + d * bool(log.config.get("output_projection", True)))))


# By the key of its message: how it is measured, and whether not even rounding can change it.
KINDS: dict[str, tuple[Callable[[Log], Iterator[Deviation]], bool]] = {
    "rows_sum_to_one": (rows_sum_to_one, False), "none_below_zero": (shares_are_none_below_zero, True),
    "masked_weights_are_zero": (masked_weights_are_zero, True),
    "mean_zero": (normalized_rows_have_mean_zero, False), "variance": (normalized_rows_have_their_variance, False),
    "residuals": (residuals_add_the_sub_layer, False), "labels": (partial(rows_sum_to_one, names=("labels",)), False),
    "logits": (gradients_of_logits_sum_to_zero, False), "parameters": (parameters_are_all_there, True)}


def fingerprint(log: Log, footer: Record) -> Finding | None:
    """Compare the recomputed fingerprint with the footer's; None if the footer has none (a large saved run)."""
    if footer["fingerprint"] is None:
        return None
    same = log.fingerprint == footer["fingerprint"] and len(log.steps) == footer["steps"]
    return Finding("fingerprint", len(log.steps), 0.0, log.fingerprint, not same)
