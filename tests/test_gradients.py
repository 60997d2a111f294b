"""Gradients of a whole model against differences, the readers that they come from, and updates."""

import numpy as np
import pytest
from backwards import OTHERS, PAIR, SMALL, Backwards, Pair
from random_model import WIRINGS, random_model

from attntrace.ops.functions import mean
from attntrace.tensor.axes import Axis
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.trace import Step, Trace
from attntrace.training.backward import Plan, backward
from attntrace.training.optimizers import Moments, Rates, adam, descend

OF_ONE_LENGTH = Pair((2, 3, 4), (5, 1), (1, 3)), Pair((8, 7, 8), (5, 2), (2, 2)), Pair((9, 10, 11), (5, 8), (4, 3))
BATCHES = {"other_lengths": (PAIR, *OTHERS), "the_longest_last": (*reversed(OTHERS), PAIR),
           "one_length": OF_ONE_LENGTH, "one_length_of_sources": (PAIR, PAIR._replace(target=(5, 1), wanted=(2, 3))),
           "one_length_of_translations": (OTHERS[0], PAIR._replace(target=(5, 1), wanted=(1, 8))),
           "a_sentence_alone": (PAIR,), "one_token_each": (Pair((3,), (5,), (2,)), Pair((9,), (5,), (1,)))}


@pytest.fixture(scope="module")
def whole() -> Backwards:
    return Backwards(random_model(), PAIR, smoothing=0.1)


def assert_close(found: np.ndarray, expected: np.ndarray, tolerance: float, where: str) -> None:
    """Equal relative to the largest of the tensor; of nothing but rounding errors: as small as they."""
    assert found.shape == np.shape(expected), where
    off, largest = np.abs(found - expected).max(initial=0), np.abs(expected).max(initial=0)
    assert off <= tolerance * largest or max(off, largest) < 1e-14, f"{where}: off by {off:.1e} of {largest:.1e}"


DRAWN = [scale * np.random.default_rng(3).standard_normal((6, 4)) * 10.0 ** -np.arange(0, 12, 3)
         for scale in (1, -3, 0.01, 20, 1e-6)]  # some of the size of ε


def updates(update: str, rates: Rates) -> list[np.ndarray]:
    """A parameter after each update, by one gradient after another."""
    axes = Axis("d_model", 6), Axis("d_ff", 4)
    W = Tensor(np.random.default_rng(4).standard_normal((6, 4)), axes, Symbol.of("W_1"), "W")
    found, moments = [], Moments.zero(W)
    for n, value in enumerate(DRAWN):
        gradient, trace = Tensor(value, axes, Symbol("W", "1", gradient=True), f"g{n}"), Trace(lambda step: None)
        if update == "adam":
            new, moments = adam(trace, W, gradient, moments, rates)
        else:
            new = descend(trace, W, gradient, rates)
        W = Tensor(new.value, axes, Symbol.of("W_1"), "W")
        found.append(W.value)
    return found


# Against differences, and by hand

def slope(of: Backwards, part: slice, direction: np.ndarray, h: float = 1e-5) -> float:
    """Of the loss, along a direction of a part of the parameters: by two runs, on either side."""
    vector, ends = of.parameters.vector, []
    start = vector.copy()
    for sign in (1, -1):
        vector[part] = start[part] + sign * h * direction
        ends.append(of.run(Trace()))
    vector[:] = start
    return (ends[0] - ends[1]) / (2 * h)


def test_the_gradient_of_each_parameter_agrees_with_central_differences():
    """At one of its numbers, and along one direction of all of them."""
    ours = Backwards(random_model(layers=1, **SMALL), PAIR, smoothing=0.1)
    random, start = np.random.default_rng(2), 0
    for parameter in ours.parameters:
        size, gradient = parameter.value.size, ours.gradients[parameter.address].ravel()
        for direction in (np.eye(size)[random.integers(size)], random.standard_normal(size)):
            found = gradient @ direction
            expected = slope(ours, slice(start, start + size), direction)
            assert abs(found - expected) <= 1e-6 * max(1, abs(found)), parameter.address
        start += size
    assert start == ours.parameters.vector.size


@pytest.mark.parametrize("wiring", WIRINGS.values(), ids=WIRINGS)
def test_all_gradients_together_agree_with_central_differences(wiring):
    ours = Backwards(random_model(**wiring), PAIR)
    direction = np.random.default_rng(2).standard_normal(ours.parameters.vector.size)
    found = np.concatenate([ours.gradients[parameter.address].ravel() for parameter in ours.parameters]) @ direction
    expected = slope(ours, slice(None), direction, 1e-6)
    assert abs(found - expected) <= 1e-6 * max(1, abs(found))


@pytest.mark.parametrize("shared, stacks", (("all", ("encoder", "decoder")), ("decoder", ("decoder",))))
@pytest.mark.parametrize("batch", (False, True))
def test_the_gradient_of_a_shared_table_is_the_sum_of_those_of_copies_of_it(shared, stacks, batch):
    model = random_model(shared_embeddings=shared)
    table = "shared.E"
    E = model.parameters[table]
    copies = model._replace(config=model.config.replace(shared_embeddings="none"), parameters={
        **model.parameters, **{f"{stack}.E": E for stack in stacks}, "output.W": E.T})
    copies.parameters.pop("shared.E", None)
    one, three = (Backwards(of, *((PAIR, *OTHERS) if batch else (PAIR,)), batch=batch) for of in (model, copies))
    parts = [three.gradients[f"{stack}.E"] for stack in stacks] + [three.gradients["output.W"].T]
    assert one.loss == three.loss and all(np.abs(part).max() > 1e-4 for part in parts)
    assert_close(one.gradients[table], sum(parts), 1e-12, table)
    named = {step.address: step.value for step in one.steps}
    readers = [f"{stack}.embedding" for stack in stacks] + ["output.logits"]
    for reader, part in zip(readers, parts, strict=True):
        assert_close(named[f"gradient.{table}.from.{reader}"], part, 1e-12, reader)


@pytest.mark.parametrize("rates, constants", [
    (Rates(0.3), (0.3, 0.9, 0.98, 1e-9)), (Rates(0.05), (0.05, 0.9, 0.98, 1e-9)),
    (Rates(0.5, 0.8, 0.999, 1e-3), (0.5, 0.8, 0.999, 1e-3))], ids=str)
def test_updates_are_what_sums_over_all_gradients_so_far_give(rates, constants):
    lr, beta1, beta2, epsilon = constants
    W = V = np.random.default_rng(4).standard_normal((6, 4))
    for t, (descended, adapted) in enumerate(zip(updates("descend", rates), updates("adam", rates)), start=1):
        shares1, shares2 = ([(1 - beta) * beta ** (t - k) / (1 - beta ** t) for k in range(1, t + 1)]
                            for beta in (beta1, beta2))
        m, v = (sum(share * g ** power for share, g in zip(shares, DRAWN))
                for shares, power in ((shares1, 1), (shares2, 2)))
        V, W = V - lr * DRAWN[t - 1], W - lr * m / (v ** 0.5 + epsilon)
        assert_close(descended, V, 1e-12, f"descent {t}")
        assert_close(adapted, W, 1e-12, f"adam {t}")


def test_an_equation_may_read_a_tensor_several_times():
    X = Tensor(np.array([1.0, -2.0, 0.5]), (Axis("token", 3),), Symbol.of("X"), "X")
    kept: list[Step] = []
    trace = Trace(keep=kept)
    trace("L", mean(trace("Y", X * X + X, "Y")), "L")
    found = dict(backward(Trace(), reversed(kept), Plan.of(kept)))
    assert_close(found["X"].value, np.array([1.0, -1.0, 2 / 3]), 1e-15, "(2 x + 1) / 3")


def test_gradients_of_single_precision_stay_single(whole):
    single = Backwards(random_model(dtype="float32"), PAIR, smoothing=0.1)
    assert {gradient.dtype for gradient in single.gradients.values()} == {np.dtype("float32")}
    for name, gradient in single.of_parameters().items():
        assert np.abs(gradient - whole.gradients[name]).max() < 1e-5 * max(1, np.abs(gradient).max()), name


# What has a gradient, and through what it comes

def test_each_gradient_is_a_step_of_its_own(whole):
    found = {step.address: step for step in whole.steps}
    assert len(found) == len(whole.steps) > len(whole.gradients)
    for address, gradient in whole.gradients.items():
        assert np.array_equal(found[f"gradient.{address}"].value, gradient), address


def test_what_comes_through_each_reader_sums_to_the_gradient(whole):
    parts: dict[str, dict[str, Step]] = {}
    for step in whole.steps:
        of, _, reader = step.address.removeprefix("gradient.").partition(".from.")
        if reader:
            parts.setdefault(of, {})[reader] = step
            through = [leaf.address for leaf in step.node.leaves() if str(leaf.address).startswith("gradient.")]
            assert through and all(at.endswith((f"gradient.{reader}", f".from.{reader}")) for at in through), of
    reads: dict[str, set[str]] = {}
    for step in whole.kept:
        for leaf in step.node.leaves():
            if step.address in whole.gradients and leaf.address in whole.gradients:
                reads.setdefault(leaf.address, set()).add(step.address)
    assert {of: set(readers) for of, readers in parts.items()} == {
        of: readers for of, readers in reads.items() if len(readers) > 1}
    assert len(parts["encoder.output"]) == 2 * 3 * 2  # keys and values of each head of each layer
    for of, readers in parts.items():
        total = sum(step.value for step in readers.values())
        scale = max(np.abs(step.value).max() for step in readers.values())
        assert np.abs(total - whole.gradients[of]).max() <= 1e-14 * max(1, scale), of


def test_a_plan_serves_every_sentence():
    model = random_model(layers=1, **SMALL)
    plan = Backwards(model, PAIR).plan
    for pair in OTHERS:
        other = Backwards(model, pair)
        found = dict(backward(Trace(), reversed(other.kept), plan))
        assert found.keys() == other.gradients.keys()
        assert all(np.array_equal(found[address].value, gradient) for address, gradient in other.gradients.items())


@pytest.mark.parametrize("wiring", ("as_in_the_paper", "norm_first_and_last"))
def test_the_bias_of_keys_has_no_gradient_and_every_other_bias_has(wiring):
    """It shifts all scores of a row alike, which softmax does not see."""
    found = Backwards(random_model(**WIRINGS[wiring]), PAIR).of_parameters()
    largest = {name: np.abs(gradient).max() for name, gradient in found.items()
               if name.rpartition(".")[2].startswith("b")}
    keys = {name for name in largest if name.endswith("b_K")}
    assert len(keys) == 2 + 2 * 2 and all(largest[name] < 1e-12 for name in keys)
    assert all(value > 1e-4 for name, value in largest.items() if name not in keys)


# Batches

@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_a_batch_is_the_mean_over_the_tokens_of_its_sentences(batch):
    model = random_model(layers=1, **SMALL)
    together = Backwards(model, *batch, smoothing=0.1, batch=True)
    alone = [Backwards(model, pair, smoothing=0.1) for pair in batch]
    share = np.array([len(pair.target) for pair in batch]) / sum(len(pair.target) for pair in batch)
    assert abs(together.loss - share @ [one.loss for one in alone]) <= 1e-12
    for name, gradient in together.of_parameters().items():
        expected = sum(part * one.gradients[name] for part, one in zip(share, alone))
        assert np.abs(gradient - expected).max() <= 1e-12 * max(1, np.abs(expected).max()), name
    for address in ("encoder.input", "decoder.input", "output.logits"):
        rows = [part * one.gradients[address] for part, one in zip(share, alone)]
        assert_close(together.gradients[address], np.concatenate(rows), 1e-12, address)
