"""The page of `compare`: how edits change the steps, the entropy of attention rows and the likeliest words."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np

from attntrace.messages.catalog import Message
from attntrace.pages.blocks import Block, Heading, Prose, Table, set_off
from attntrace.pages.checks import DIGITS
from attntrace.pages.diff import Side, differing, ripple
from attntrace.pages.overview import model_table, words_table
from attntrace.runs.run import Run
from attntrace.runs.what_if import edit_sentences
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.addresses import Address


def rewired(run: Run, wiring: dict[str, Any]) -> Run:
    """The same parameters and words in a model of another wiring (of the entries that rewire)."""
    return run._replace(config=replace(run.config, **wiring))


def compared(one: Run, other: Run, options: str) -> Iterator[Block]:
    """The page: a run, the edits of the other one (its `options`), and what differs between them."""
    before, after = Side.of_run(one), Side.of_run(other)
    tolerance = max(10.0 ** -DIGITS[run.config.dtype] for run in (one, other))  # sums in another order differ by less
    yield words_table(one)
    yield from model_table(one)
    yield Heading(Message("messages.compare_what_if", options=options), apart=True)
    for text in edit_sentences(other.edits[len(one.edits):]):
        yield Prose(text)
    yield Prose(Message("messages.compare_runs"))
    if one.source.texts != other.source.texts:
        yield Prose(Message("messages.compare_swapped"))
    steps = list(differing(before.addresses, after.addresses, before, after, tolerance))
    parameters = list(differing(before.parameters, after.parameters, before, after))
    yield from set_off(ripple(parameters, steps, before.common(after)))
    yield from set_off(attention(before, after, tolerance))
    if "output.probabilities" in before.addresses and "output.probabilities" in after.addresses:
        yield from set_off(likeliest((one, before), (other, after)))


def attention(before: Side, after: Side, tolerance: float) -> Iterator[Block]:
    """For each head whose weights change: the entropy of its rows, and their largest weight, in both runs."""
    rows: list[tuple[str, ...]] = []
    all_the_same = True
    for address in before.addresses:
        if Address.of(address).name == "weights" and address in after.addresses:
            a, b = before.unswapped(address), after.unswapped(address)
            if a.value.shape != b.value.shape:  # it has other words
                all_the_same = False
            elif (np.abs(a.value - b.value) > tolerance).any():
                rows += of_head(Address.of(address).place, before, a, b)
    if not rows:
        yield from [Prose(Message("messages.compare_same_weights"))] * all_the_same
        return
    headings = [Message(f"messages.{name}") for name in (
        "compare_most", "diff_first", "diff_second", "compare_first_at", "compare_second_at")]
    yield Table(("", *headings), tuple(rows), right=(1, 2, 3), words=(0, 4, 5),
                title=Message("messages.compare_entropy"))
    yield Prose(Message("messages.compare_entropy_note"))


def of_head(head: str, before: Side, a: Tensor, b: Tensor) -> Iterator[tuple[str, ...]]:
    """A heading, and a row for each word."""
    looking = labels_of(a, 0)
    masked = f"{head}.masked_scores"
    seen = (np.isfinite(before.unswapped(masked).value).sum(axis=-1) if masked in before.addresses
            else np.full(len(looking), a.value.shape[1]))
    yield (head, "", "", "", "", "")
    for label, n, *two in zip(looking, seen, entropies(a.value), entropies(b.value), *(
            [likest(row, labels_of(side, 1)) for row in side.value] for side in (a, b)), strict=True):
        yield (f"  {label}", *(f"{entropy:.3f}" for entropy in (np.log(n), *two[:2])), *two[2:])


def labels_of(weights: Tensor, k: int) -> tuple[str, ...]:
    """The words along an axis of weights; numbers where there are no words."""
    return weights.axes[k].labels or tuple(str(n + 1) for n in range(weights.value.shape[k]))


def likest(shares: Array, words: tuple[str, ...]) -> str:
    """The largest share and its word."""
    return f"{shares.max():.3f} {words[shares.argmax()]}"


def entropies(weights: Array) -> Array:
    """Entropy of each row: -Σ a log a, from 0 (all on one word) to log n (evenly on n words)."""
    logs = np.log(weights, out=np.zeros_like(weights), where=weights > 0)
    return np.asarray(np.maximum(-(weights * logs).sum(axis=-1), 0.0))


def likeliest(*runs: tuple[Run, Side]) -> Iterator[Block]:
    """The likeliest next word after each word of the decoder's input, in both runs."""
    read = [run.target.texts if run.target is not None else () for run, _ in runs]
    words = [[likest(row, run.vocabularies.target or ()) for row in side.read("output.probabilities").value]
             for run, side in runs]
    rows = [(" / ".join(dict.fromkeys(filter(None, after))), *next_ones) for after, next_ones in
            zip(zip_longest(*read, fillvalue=""), zip_longest(*words, fillvalue=""), strict=True)]
    yield Table(tuple(Message(f"messages.{name}") for name in ("compare_after", "diff_first", "diff_second")),
                tuple(rows), tokens=(0,), words=(1, 2), title=Message("messages.compare_words"))
    both = [row for row in rows if all(row)]
    changed = [after for after, a, b in both if a.partition(" ")[2] != b.partition(" ")[2]]
    yield Prose(Message("messages.compare_changed", words=", ".join(changed), changed=len(changed), rows=len(both))
                if changed else Message("messages.compare_same_words"))
