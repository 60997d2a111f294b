"""Parameters drawn from a seed as small whole numbers, so that products can be done in one's head."""
from collections.abc import Mapping

import numpy as np

from attntrace.model.config import Config
from attntrace.model.parameters import Parameters, Vocabularies, draw, stream
from attntrace.model.tokens import InputRows, Words
from attntrace.model.transformer import head, transformer
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Step, Trace

NUMBERS = np.array([-2, -1, -1, -1, 1, 1, 1, 2])  # dealt like a pack of cards
MAX_WEIGHT = 0.9  # of an attention weight among others; room below 1 for how hand arithmetic rounds scores
MIN_SPREAD = 0.1  # between two weights of some row; below it there is little to see
ATTEMPTS = 128  # at drawing the keys of a head; in the second half its weights may all be alike


def integer_parameters(config: Config, vocabularies: Vocabularies, seed: int, source: Words | InputRows,
                       target: Words | InputRows | None) -> Parameters:
    """Draw parameters of -2, -1, 0, 1 and 2: gains 1, biases 0; one or two numbers that are not 0 in each column of a
    matrix (a variance of about 2.6 / fan_in), two or three in each word's embedding and output column.

    As with `seeded`, each parameter and each word has its own stream. Two things depend on the sentence. Where the
    attention of a head is saturated (a weight above MAX_WEIGHT among others) or all alike, the head's columns of W_K
    are drawn again, with the number of the attempt in their stream's key and some of them 0 (in the last attempt all,
    which saturates nothing). And where two words would have the same embedding, that of the later one is drawn again.
    """
    views: dict[str, Array] = {}
    taken: set[tuple[str, bytes]] = set()  # by earlier words

    def fill(numbers: Array, name: str, word: str | None = None) -> None:
        if word is None:
            views[name] = numbers
            deal(numbers, (seed, name), 1, 2)
            return
        for attempt in range(ATTEMPTS):
            deal(numbers[:, None], (seed, name, word, attempt), 2, 3)
            if (name, numbers.tobytes()) not in taken:
                break
        taken.add((name, numbers.tobytes()))

    parameters = draw(config, vocabularies, fill)
    with np.errstate(all="ignore"):  # naming a step reports an overflow
        _fit(parameters, views, config, seed, source, target)
    return parameters


def deal(columns: Array, key: tuple[int | str, ...], least: int, most: int) -> None:
    """Fill each column with `least` to `most` numbers and zeros. How many, where and which comes from the streams of
    this key; the numbers are dealt like cards, pack after pack of NUMBERS, so that all occur."""
    rows, count = columns.shape
    many = least + (stream((*key, "how many"), count) % np.uint64(most - least + 1)).astype(int)
    places = stream((*key, "where"), columns.size).reshape(count, rows).argsort(axis=1, kind="stable")
    packs = stream((*key, "which"), count * most * len(NUMBERS)).reshape(-1, len(NUMBERS))
    cards = iter(NUMBERS[packs.argsort(axis=1, kind="stable")].ravel().tolist())
    columns[...] = 0
    for column, there, n in zip(columns.T, places, many, strict=True):
        for place in there[:n]:
            column[place] = next(cards)


def _fit(parameters: Parameters, views: Mapping[str, Array], config: Config, seed: int, source: Words | InputRows,
         target: Words | InputRows | None) -> None:
    """Draw the keys of unfit heads again, one attention after another, since each changes the input of the next."""
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
    visible = np.isfinite(step.node.operands[0].value)
    several = visible.sum(axis=-1) > 1
    most = step.value.max(axis=-1)[several]
    least = step.value.min(axis=-1, initial=1.0, where=visible)[several]
    return not several.any() or bool((most <= MAX_WEIGHT).all() and (dull or (most - least >= MIN_SPREAD).any()))


def _draw_again(steps: Mapping[str, Step], parameters: Parameters, W_K: Array, config: Config, seed: int) -> None:
    """Draw the keys of a head until its weights fit, given its steps so far: with fewer and fewer columns that are not
    0, then with all again; in the last attempt with none."""
    number = steps["query"].symbol.head or 1
    X, K, V = (steps[name].node.operands[0] for name in ("query", "key", "value"))
    mask = steps["masked_scores"].node.operands[1] if "masked_scores" in steps else None
    block = W_K[:, (number - 1) * config.key_size:number * config.key_size]
    for attempt in range(1, ATTEMPTS + 1):
        key = (seed, f"{steps['key'].place}.W_K", attempt)
        deal(block, key, 1, 1)
        left = config.key_size - attempt % config.key_size if attempt < ATTEMPTS else 0
        block[:, stream((*key, "left"), config.key_size).argsort(kind="stable")[left:]] = 0
        again: dict[str, Step] = {}
        head(Trace(lambda step: again.update({step.name: step})), number, X, K, V, parameters, config, mask)
        if fits(again["weights"], dull=attempt > ATTEMPTS // 2):
            return
