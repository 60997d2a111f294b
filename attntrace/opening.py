"""What a trace begins with (what goes in, what comes out, the model, its parameters counted) and ends with."""
from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from attntrace.blocks import Block, Heading, PlaceHeading, Prose, Table
from attntrace.drift import Drift
from attntrace.prose import sentence
from attntrace.run import Run
from attntrace.tokens import Words
from attntrace.tracing import COMPARABLE, Fingerprint
from attntrace.weights import counted

if TYPE_CHECKING:
    from attntrace.lessons import Lesson  # of which a trace needs nothing


def opening(run: Run) -> Iterator[Block]:
    yield words_table(run)
    yield Prose("")
    facts = dict(tokens=len((run.target or run.source).ids), d_model=run.config.d_model)
    if run.target is None:
        yield Prose(sentence("messages.comes_out_encoder", **facts))
    else:
        yield Prose(sentence("messages.comes_out", vocab=len(run.vocabularies.target or ()), **facts))
    notes = ["ids_note", *["positions_note"] * (run.config.position != "none")]
    yield Prose(" ".join(sentence(f"messages.{note}") for note in notes))
    yield Prose("")
    yield from model_table(run)
    yield Prose("")
    yield Table(("", "", ""), tuple(parameter_rows(run)), title=sentence("messages.parameters"), right=(1,))


def lesson_opening(lesson: Lesson) -> Iterator[Block]:
    """What goes in, what should come out, and how the model learns from the difference."""
    run = lesson.run
    yield words_table(run, ("label", lesson.wanted))
    yield Prose("")
    yield Prose(sentence("messages.teacher_forcing"))
    yield Prose("")
    yield from model_table(run)
    yield Prose(sentence(f"messages.optimizer_{lesson.optimizer}", lr=lesson.rates.lr, beta1=lesson.rates.beta1,
                         beta2=lesson.rates.beta2, epsilon=lesson.rates.epsilon))
    yield Prose(sentence("messages.smoothing", smoothing=lesson.smoothing)
                if lesson.smoothing else sentence("messages.no_smoothing"))
    yield Prose("")
    yield Prose(sentence("messages.gradient_note"))
    yield Prose(sentence("messages.gradient_signs"))
    if any(name.endswith(".b_K") for name in run.parameters.names):
        yield Prose(sentence("messages.key_bias_note"))


def lesson_closing(lesson: Lesson) -> Iterator[Block]:
    before, after = lesson.losses()
    key = "lower" if after < before else "higher" if after > before else "same"
    key = key if math.isfinite(after) else "none"
    decimals = lesson.run.pencil or 6
    by = abs(round(before, decimals) - round(after, decimals))
    yield PlaceHeading(sentence("messages.after"))
    yield Prose(sentence(f"messages.loss_{key}", before=f"{before:.{decimals}f}", after=f"{after:.{decimals}f}",
                         by=f"{by:.{decimals}f}"))


def words_table(run: Run, *more: tuple[str, Words]) -> Table:
    columns = [("source_word", run.source), *([("target_word", run.target)] if run.target is not None else []), *more]
    headings = [sentence("messages.number")]
    for name, _ in columns:
        headings += [sentence(f"messages.{name}"), sentence("messages.id")]
    rows = [[str(n + 1)] for n in range(max(len(words.ids) for _, words in columns))]
    for _, words in columns:
        for row, text, id in zip_longest(rows, words.texts, map(str, words.ids), fillvalue=""):
            row += [text, id]  # type: ignore[operator]
    tokens = range(1, 2 * len(columns), 2)
    return Table(tuple(headings), tuple(map(tuple, rows)), tokens=tuple(tokens), right=(0, *(n + 1 for n in tokens)),
                 title=sentence("messages.heading"))


def model_table(run: Run) -> Iterator[Block]:
    config = run.config
    wiring = [f"norm_{config.norm}", *["final_norm"] * config.final_norm, f"position_{config.position}",
              "embedding_scaled" if config.scale_embedding else "embedding_unscaled",
              "epsilon", "score_sqrt_d_k" if config.score_scale == "sqrt_d_k" else "score_number",
              *["source_end"] * config.source_end]
    origin = (sentence(f"messages.seed_{run.init}", seed=run.seed) if run.weights is None
              else sentence("messages.weights", file=run.weights))
    rows = [sentence("messages.sizes", d_model=config.d_model, heads=config.heads, d_k=config.d_k,
                     layers=config.layers, d_ff=config.d_ff),
            ", ".join(sentence(f"messages.{key}", number=config.score_scale, epsilon=config.epsilon) for key in wiring),
            f"{origin}, {config.dtype}"]
    yield Heading(sentence("messages.model"))
    yield Prose("\n".join(rows))
    yield from pencil_rule(run)


def pencil_rule(run: Run) -> Iterator[Block]:
    """By which rule the numbers are made, where it is not full precision."""
    if run.pencil is not None:
        yield Prose(sentence("messages.pencil", decimals=run.pencil, least=f"{10.0 ** -run.pencil:.{run.pencil}f}"))


def drift_told(run: Run, drift: Drift) -> Iterator[Block]:
    """How far the numbers are from those of full precision, where most."""
    decimals = run.pencil or 0
    more = decimals + 3  # enough to see what was rounded
    key = "drift" if drift.cell else "no_drift"
    yield Prose("\n" + sentence(f"messages.{key}", drift=f"{drift.largest:.{more}f}", cell=drift.cell,
                                by_hand=f"{drift.by_hand:.{decimals}f}", in_full=f"{drift.in_full:.{more}f}"))


def parameter_rows(run: Run) -> Iterator[tuple[str, ...]]:
    """Each part's parameters: how many, by which closed form, and its terms in numbers."""
    total = 0
    for part, counts in counted(run.config, run.vocabularies).items():
        number = sum(count.number for count in counts)
        total += number
        yield (sentence(f"messages.part_{part}"), f"{number:,}", "= " + " + ".join(count.term for count in counts))
        yield ("", "", "= " + " + ".join(f"{count.number:,}" for count in counts))
    there = sum(tensor.value.size for tensor in run.parameters)
    if there > total:
        yield sentence("messages.part_biases"), f"{there - total:,}", sentence("messages.biases_term")
    yield sentence("messages.total"), f"{there:,}", ""


def closing(run: Run, fingerprint: Fingerprint, drift: Drift | None = None) -> Iterator[Block]:
    if drift is not None:
        yield from drift_told(run, drift)
    key = ("fingerprint" if fingerprint.comparable
           else "fingerprint_large" if fingerprint.numbers > COMPARABLE else "fingerprint_float32")
    yield Prose("\n" + sentence(f"messages.{key}", fingerprint=fingerprint, steps=fingerprint.steps,
                                numbers=f"{fingerprint.numbers:,}"))
