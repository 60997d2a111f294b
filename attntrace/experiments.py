"""An experiment: what changes in a run when something is changed, how sure each row of attention is, what comes out."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from attntrace.blocks import Block, Heading, Prose, Table
from attntrace.changes import told
from attntrace.diff import Side, differing, ripple
from attntrace.opening import model_table, words_table
from attntrace.prose import sentence
from attntrace.run import Run
from attntrace.tensor import Array

TOLERANCE = 1e-12, 1e-5  # in float64 and float32: below it two runs differ by the order of their sums alone


def compared(one: Run, other: Run, options: str) -> Iterator[Block]:
    """The page of an experiment: a run, what is changed in the other (by these `options`), and what follows from it."""
    before, after = Side.of_run(one), Side.of_run(other)
    tolerance = TOLERANCE[one.config.dtype == "float32" or other.config.dtype == "float32"]
    yield words_table(one)
    yield Prose("")
    yield from model_table(one)
    yield Prose("")
    yield Heading(sentence("messages.compare_what_if", options=options))
    for text in told(other.changes[len(one.changes):]):
        yield Prose(text)
    if one.source.texts != other.source.texts:
        yield Prose(sentence("messages.compare_swapped"))
    yield Prose("")
    yield from ripple(list(differing(before.parameters, after.parameters, before, after)),
                      list(differing(before.addresses, after.addresses, before, after, tolerance)),
                      len(before.addresses))
    yield Prose("")
    yield entropy_table(one, before, after)
    if "output.probabilities" in before.addresses and "output.probabilities" in after.addresses:
        yield Prose("")
        yield Prose(outcome(one, other, before, after))


def entropies(weights: Array) -> Array:
    """How spread out each row is: -Σ a log a, from 0 (all on one word) to log n (evenly on n words)."""
    logs = np.log(weights, out=np.zeros_like(weights), where=weights > 0)
    return np.asarray(np.maximum(-(weights * logs).sum(axis=-1), 0.0))


def entropy_table(run: Run, before: Side, after: Side) -> Table:
    """Of each row of attention weights, in both runs."""
    rows = []
    for address in before.addresses:
        if not address.endswith(".weights") or address not in after.addresses:
            continue
        (a, axes), (b, _) = before.unswapped(address), after.unswapped(address)
        if a.shape != b.shape:
            continue
        labels = run.source.texts if axes[0].labels == before.source else axes[0].labels
        for label, x, y in zip(labels or map(str, range(1, len(a) + 1)), entropies(a), entropies(b), strict=True):
            rows.append((address.removesuffix(".weights"), label, f"{x:.3f}", f"{y:.3f}"))
    heads = ("", *(sentence(f"messages.{name}") for name in ("compare_row", "compare_without", "compare_with")))
    return Table(heads, tuple(rows), right=(2, 3), words=(1,), title=sentence("messages.compare_entropy"))


def outcome(one: Run, other: Run, before: Side, after: Side) -> str:
    """Which words are now the likeliest next."""
    tables = [side.read("output.probabilities").value.argmax(axis=-1) for side in (before, after)]
    words = [[(run.vocabularies.target or ())[i] for i in table] for run, table in zip((one, other), tables)]
    changed = [sentence("messages.compare_next", row=n + 1, before=a, after=b)
               for n, (a, b) in enumerate(zip(*words)) if a != b]
    return "\n".join(changed) or sentence("messages.compare_same_words", words=" ".join(words[0]))
