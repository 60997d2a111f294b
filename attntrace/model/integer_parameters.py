"""Parameters drawn from a seed as small whole numbers, so that products are done in the head."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from attntrace.model.attention import head, score_root
from attntrace.model.config import Config
from attntrace.model.inputs import InputRows
from attntrace.model.parameters import Parameters, Spec, Vocabularies, allocate, specs, stream
from attntrace.model.tokens import Words
from attntrace.model.transformer import transformer
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Step, Trace

NUMBERS = np.array([-2, -1, -1, -1, 1, 1, 1, 2])  # a pack of cards
MOST = 0.9  # of an attention weight among others: room below 1 for what rounding by hand does to scores
APART = 0.1  # so far apart should two weights of some row be, else there is little to see
ATTEMPTS = 128  # to draw the keys of a head; in half of them its weights may not be all alike


def integer_parameters(config: Config, vocabularies: Vocabularies, seed: int, source: Words | InputRows,
             target: Words | InputRows | None) -> Parameters:
    """Parameters of -2, -1, 0, 1 and 2: gains 1, biases 0; one or two numbers that are not 0 in each column of a
    matrix (a variance of about 2.6 / fan_in), two or three in each word's embedding and output column.

    As with `seeded`, each parameter and each word has its own stream. What alone depends on the sentence: where the
    attention of a head to it is saturated (a weight above MOST among others) or all alike, the head's columns of W_K
    are drawn again, with the number of the attempt in their stream's key and some of them 0 (in the last attempt all,
    which saturates nothing); and where two words would have the same embedding, the later one's is.
    """
    views: dict[str, Array] = {}

    def fill(spec: Spec, view: Array) -> None:
        views[spec.name] = view
        kind = Address.of(spec.name).name
        if kind == "gain" or kind.startswith("b"):
            view[...] = kind == "gain"
        elif spec.axes[0].name == "vocab":
            _words(view, seed, spec.name, spec.axes[0].labels or ())
        elif spec.axes[1].name == "vocab":
            _words(view.T, seed, spec.name, spec.axes[1].labels or ())
        else:
            deal(view, (seed, spec.name), 1, 2)

    parameters = allocate([spec for spec in specs(config, vocabularies) if not spec.optional], config.dtype, fill)
    with np.errstate(all="ignore"):  # where numbers grow too large, naming the step says so
        _fit(parameters, views, config, seed, source, target)
    return parameters


def deal(columns: Array, key: tuple[int | str, ...], least: int, most: int) -> None:
    """Fill each column with zeros, but for `least` to `most` numbers: how many, where and which, by the streams of this
    key. They are dealt like cards, pack after pack of NUMBERS, so that all occur."""
    rows, count = columns.shape
    many = least + (stream((*key, "how many"), count) % np.uint64(most - least + 1)).astype(int)
    places = stream((*key, "where"), columns.size).reshape(count, rows).argsort(axis=1, kind="stable")
    packs = stream((*key, "which"), count * most * len(NUMBERS)).reshape(-1, len(NUMBERS))
    cards = iter(NUMBERS[packs.argsort(axis=1, kind="stable")].ravel().tolist())
    columns[...] = 0
    for column, there, n in zip(columns.T, places, many, strict=True):
        for place in there[:n]:
            column[place] = next(cards)


def _words(rows: Array, seed: int, name: str, words: tuple[str, ...]) -> None:
    """A row for each word, other than those before it where there are enough."""
    for n, (word, row) in enumerate(zip(words, rows, strict=True)):
        for attempt in range(ATTEMPTS):
            deal(row[:, None], (seed, name, word, attempt), 2, 3)
            if not (rows[:n] == row).all(axis=1).any():
                break


def _fit(parameters: Parameters, views: Mapping[str, Array], config: Config, seed: int, source: Words | InputRows,
         target: Words | InputRows | None) -> None:
    """Draw the keys of heads again where these are unfit, one attention after another: what it does to one, the next
    ones read."""
    settled: set[str] = set()
    while True:
        heads: dict[str, dict[str, Step]] = {}
        transformer(Trace(lambda step: heads.setdefault(step.place, {}).update({step.name: step})), source, target,
                    parameters, config)
        unfit = [place for place, steps in heads.items()
                 if "weights" in steps and place not in settled and not fits(steps["weights"])]
        if not unfit:
            return
        attention = Address.of(unfit[0]).place
        for place in unfit:
            if Address.of(place).place == attention:
                settled.add(place)
                _draw_again(heads[place], parameters.at(attention), views[f"{attention}.W_K"], config, seed)


def fits(step: Step, dull: bool = False) -> bool:
    """Whether no row of attention weights is saturated; and not all are alike, unless they may be `dull`."""
    looked_at = np.isfinite(step.node.operands[0].value)
    several = looked_at.sum(axis=-1) > 1
    most = step.value.max(axis=-1)[several]
    least = step.value.min(axis=-1, initial=1.0, where=looked_at)[several]
    return not several.any() or bool((most <= MOST).all() and (dull or (most - least >= APART).any()))


def _draw_again(steps: Mapping[str, Step], parameters: Parameters, W_K: Array, config: Config, seed: int) -> None:
    """Draw the keys of a head until its weights fit, given its steps so far: fewer and fewer columns that are not 0,
    and over again; in the last attempt none."""
    number = steps["query"].symbol.head or 1
    X, M = (steps[name].node.operands[0] for name in ("query", "key"))
    mask = steps["masked_scores"].node.operands[1] if "masked_scores" in steps else None
    block = W_K[:, (number - 1) * config.d_k:number * config.d_k]
    for attempt in range(1, ATTEMPTS + 1):
        key = (seed, f"{steps['key'].place}.W_K", attempt)
        deal(block, key, 1, 1)
        left = config.d_k - attempt % config.d_k if attempt < ATTEMPTS else 0
        block[:, stream((*key, "left"), config.d_k).argsort(kind="stable")[left:]] = 0
        again: dict[str, Step] = {}
        head(Trace(lambda step: again.update({step.name: step})), number, X, M, parameters, config,
             score_root(config), mask)
        if fits(again["weights"], dull=attempt > ATTEMPTS // 2):
            return
