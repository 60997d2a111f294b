"""Two runs compared: which parameters and steps differ, and by how much; of a run and an edited one also the entropy of
their attention rows and their likeliest words."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from attntrace.files.arrays import shape_text
from attntrace.messages.catalog import Joined, Message, Text
from attntrace.pages.answer import experiment, remarks, sentence_of
from attntrace.pages.blocks import (MOST_NUMBERS, Block, Hues, Pair, Prose, Result, Table, Title, hues_in, hues_of,
                                    set_off, try_next)
from attntrace.pages.checks import DIGITS, apart, worst_of
from attntrace.pages.numbers import LARGE, Figures
from attntrace.pages.overview import DETAILS, model_table, words_table
from attntrace.pages.view import hues_along
from attntrace.runs.what_if import Edit, edit_sentences, order_before
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.addresses import Address, cell_name

if TYPE_CHECKING:
    from attntrace.files.archive import Archive
    from attntrace.runs.run import Run

MOST_WORDS = 2  # that change, in the conclusion
DECIMALS = 3  # of a number that changes, as on the page of a trace


class Side(NamedTuple):
    """One of two runs: its parameters and its steps in order, how to read one, the words of its source, its changes."""
    parameters: Sequence[str]
    addresses: Sequence[str]
    read: Callable[[str], Tensor]
    source: tuple[str, ...]
    changes: Sequence[Edit]

    @classmethod
    def of_run(cls, run: Run) -> Side:
        """Run the model and keep every step."""
        steps: dict[str, Tensor] = {}
        run(lambda step: steps.__setitem__(step.address, step.tensor))
        return cls(list(run.parameters.by_name), list(steps), {**run.parameters.by_name, **steps}.__getitem__,
                   run.source.texts, run.edits)

    @classmethod
    def of_saved(cls, archive: Archive) -> Side:
        """Read a saved run, each tensor when it is compared. Raises Problem where the archive is broken."""
        from attntrace.runs.saved import Recorded  # only now: two live runs need no archive
        recorded = Recorded(archive)
        with archive.sense():
            source = tuple(word["text"] for word in archive.header["tokens"]["source"])
            changes = list(archive.header["changes"])
        return cls(recorded.parameters, recorded.addresses, recorded.read, source, changes)

    def unswapped(self, name: str) -> Tensor:
        """The numbers, and their words, with those of the source in their order before any swap, so that each word is
        compared with itself."""
        tensor = self.read(name)
        places = order_before(self.changes, len(self.source))
        if places == sorted(places):
            return tensor
        value, along = tensor.value, list(tensor.axes)
        for k, axis in enumerate(tensor.axes):
            if axis.name in ("token", "key") and axis.labels == self.source:
                value = value.take(places, axis=k)
                along[k] = axis._replace(labels=tuple(self.source[i] for i in places))
        return Tensor(value, tuple(along))


class Difference(NamedTuple):
    """How a tensor differs: its largest change, at which index, from which number to which as they are printed, and the
    change on the mean; or why the two cannot be compared."""
    address: str
    largest: float = 0.0
    at: tuple[int, ...] = ()
    ends: tuple[Text, Text] = ("", "")
    mean: float = 0.0
    changed: int = 0  # how many numbers
    numbers: int = 0
    key: str = ""  # `shape` (the ends are those), `only_a`, `only_b`


def differing(names: Iterable[str], others: Iterable[str], a: Side, b: Side,
              tolerance: float = 0.0) -> Iterator[Difference]:
    """Yield the tensors that differ by more than the tolerance, in the order of A, then those that only B has."""
    ours, theirs = dict.fromkeys(names), dict.fromkeys(others)
    for name in ours | theirs:
        if name not in theirs or name not in ours:
            yield Difference(name, key="only_a" if name in ours else "only_b")
        elif change := difference(name, a.unswapped(name).value, b.unswapped(name).value, tolerance):
            yield change


def difference(name: str, a: Array, b: Array, tolerance: float = 0.0) -> Difference | None:
    if a.shape != b.shape:
        return Difference(name, ends=(shape_text(a.shape), shape_text(b.shape)), key="shape")
    errors = apart(a.astype(float), b.astype(float))
    errors = np.where((errors <= tolerance) | np.isnan(a) & np.isnan(b), 0.0, errors)
    if not errors.any():
        return None
    at = worst_of(errors)
    first, second = (Figures.of(one, DECIMALS).legible(float(one[at])) for one in (a, b))
    return Difference(name, float(errors.max()), at, (first, second), float(errors.mean()),
                      int(np.count_nonzero(errors)), errors.size)


def conclusion(steps: Sequence[Difference], a: Side, b: Side) -> Message:
    """How many steps differ, of how many that both runs have, and the first that does."""
    total = len(frozenset(a.addresses) & frozenset(b.addresses))
    differ = in_both(steps)
    return (Message("messages.diff_total", changed=len(differ), steps=total, address=differ[0].address) if differ else
            Message("messages.diff_no_step", steps=total))


def in_both(changes: Sequence[Difference]) -> list[Difference]:
    return [one for one in changes if not one.key.startswith("only")]


def ripple(parameters: Sequence[Difference], steps: Sequence[Difference]) -> Iterator[Block]:
    """Parameters that differ, and steps; below the first title what the headings mean."""
    legend: Text = Message("messages.diff_legend")
    for kind, changes in (("parameters", parameters), ("steps", steps)):
        if changes:
            yield from set_off(differences(kind, changes, legend))
        if in_both(changes):
            legend = ""


def differences(kind: str, changes: Sequence[Difference], legend: Text) -> Iterator[Block]:
    """A table of what differs, and what only one of the two runs has."""
    if both := in_both(changes):
        yield table(kind, both)._replace(legend=legend)
    for key in ("only_a", "only_b"):
        if names := [one.address for one in changes if one.key == key]:
            yield Prose(Message(f"messages.diff_{key}", names=", ".join(names)))


def table(kind: str, changes: Sequence[Difference]) -> Table:
    headings = [Message(f"messages.diff_{name}") for name in ("at", "was", "now", "largest", "mean", "numbers")]
    sizes = [alike(numbers) for numbers in ([one.largest for one in changes], [one.mean for one in changes])]
    rows = tuple(
        (one.address, Message("messages.diff_shape", first=one.ends[0], second=one.ends[1]), *[""] * 5) if one.key else
        (one.address, cell_name("", one.at).lstrip(":"), *one.ends, largest, mean, f"{one.changed:,}/{one.numbers:,}")
        for one, largest, mean in zip(changes, *sizes, strict=True))
    return Table(("", *headings), rows, right=(1, 2, 3, 4, 5, 6), addresses=True,
                 title=Message(f"messages.diff_{kind}"))


def alike(numbers: Iterable[float]) -> list[str]:
    """Numbers with the same decimals, those that are too small for these with a power of ten."""
    figures = Figures.fixed(DECIMALS)
    return [figures.legible(number) if number < LARGE else f"{number:.{DECIMALS}e}" for number in numbers]


def saved(a: str, b: str, parameters: Sequence[Difference], steps: Sequence[Difference],
          *sides: Side) -> Iterator[Block]:
    """The page of two saved runs in the files `a` and `b`, as one types their names."""
    yield Title(Message("messages.title_diff", a=a, b=b))
    yield Result((Prose(conclusion(steps, *sides)),))
    yield from pairs(steps, *sides)
    yield from ripple(parameters, steps)
    first = next((one for one in in_both([*steps, *parameters]) if not one.key), None)
    cell = cell_name(first.address, first.at) if first is not None else None
    yield from try_next([f"why {cell} --from {file}" if cell else f"show --from {file}" for file in (a, b)])


def compared(one: Run, other: Run, options: str, others: str, again: str, runs_alone: bool) -> Iterator[Block]:
    """The page: a run, what is different in the other one (its `options`, of which those of no edit are the `others`),
    and what differs between their results. `again`: the words of a command line that are the first run; `runs_alone`:
    whether they are the second one with the options."""
    before, after = Side.of_run(one), Side.of_run(other)
    tolerance = max(10.0 ** -DIGITS[run.config.dtype] for run in (one, other))  # sums in another order differ by less
    steps = list(differing(before.addresses, after.addresses, before, after, tolerance))
    parameters = list(differing(before.parameters, after.parameters, before, after))
    next_words = list(likeliest((one, before), (other, after)))
    yield Title(Message("messages.title_compare", options=options))
    edits = other.edits[len(one.edits):]
    follows = [Message("messages.compare_no_order")] * (not steps and has_no_order(other) and are_swaps(edits))
    yield Result((Prose(Joined(" ", [*changed_words(next_words), conclusion(steps, before, after), *follows])),))
    yield from remarks(one, shows_patterns=bool(steps))  # that nothing differs needs no trained weights
    changes = Joined("; ", [*filter(None, [others]), *edit_sentences(edits)])
    notes = [Message("messages.compare_runs", sentence=sentence_of(one.source), changes=changes),
             *[Message("messages.compare_swapped")] * (one.source.texts != other.source.texts)]
    yield from set_off(map(Prose, notes))
    written = [word for run in (one, other) if run.target is not None for word in run.target.texts]
    yield from set_off(words_of_both(next_words, tuple(written)))
    yield from set_off(attention(before, after, tolerance))
    yield from pairs(steps, before, after)
    yield from ripple(parameters, steps)
    yield DETAILS
    yield words_table(one)
    yield from model_table(one)
    first = f" --only {in_both(steps)[0].address}" if in_both(steps) else ""
    swap = (swap_of(other) if runs_alone and has_no_order(other) and not has_no_order(one) and not edits else "")
    yield from try_next([experiment(other.edits, f"{again} {options}", swap) if swap else f"map {again}",
                         *([f"map {again} {options}"] * runs_alone),
                         f"trace {again}{f' {options}' if runs_alone else ''}{first}"])


def has_no_order(run: Run) -> bool:
    return not run.config.adds_positions and run.inputs is None


def are_swaps(edits: Sequence[Edit]) -> bool:
    return bool(edits) and all("swap" in edit for edit in edits)


def swap_of(run: Run) -> str:
    """The option that swaps the first word of the source and the last one that is another; "" where there is none."""
    words = run.source.texts
    others = [n for n, word in enumerate(words, start=1) if word != words[0]]
    return f"--swap 1,{others[-1]}" if others else ""


def attention(before: Side, after: Side, tolerance: float) -> Iterator[Block]:
    """For each head whose weights change: the entropy of its rows, and their largest weight, in both runs."""
    rows: list[tuple[str, ...]] = []
    hues: list[Hues] = []
    sizes: set[int] = set()  # of how many words a row can look at
    all_the_same = True
    for address in before.addresses:
        if Address.of(address).name == "weights" and address in after.addresses:
            a, b = before.unswapped(address), after.unswapped(address)
            if a.value.shape != b.value.shape:  # it has other words
                all_the_same = False
            elif (np.abs(a.value - b.value) > tolerance).any():
                sizes.update(words_seen(Address.of(address).place, before, a))
                for row, colours in of_head(Address.of(address).place, a, b):
                    rows.append(row)
                    hues.append(colours)
    if not rows:
        yield from [Prose(Message("messages.compare_same_weights"))] * all_the_same
        return
    headings = [Message(f"messages.{name}") for name in (
        "compare_first_entropy", "diff_second", "compare_first_weight", "diff_second")]
    most = ", ".join(f"log {n} = {math.log(n):.{DECIMALS}f}" if n > 1 else "log 1 = 0" for n in sorted(sizes))
    yield Table(("", *headings), tuple(rows), right=(1, 2), tokens=(0, 3, 4), hues=tuple(zip(*hues)),
                title=Message("messages.compare_entropy"), legend=Message("messages.compare_entropy_note", most=most))


def pairs(changes: Iterable[Difference], before: Side, after: Side) -> Iterator[Block]:
    """The steps that differ, in both runs; of those of many numbers the table alone has the largest change."""
    for one in changes:
        if not one.key and one.numbers <= MOST_NUMBERS:
            a, b = before.unswapped(one.address), after.unswapped(one.address)
            figures = Figures.of(np.stack([a.value, b.value]), DECIMALS)
            yield Pair(one.address, labels_of(a, 0), labels_of(a, 1), a.value, b.value, figures)


def words_seen(head: str, before: Side, weights: Tensor) -> list[int]:
    """How many words each row of a head can look at."""
    masked = f"{head}.masked_scores"
    if masked not in before.addresses:
        return [weights.value.shape[1]]
    counts: list[int] = np.isfinite(before.unswapped(masked).value).sum(axis=-1).tolist()
    return counts


def of_head(head: str, a: Tensor, b: Tensor) -> Iterator[tuple[tuple[str, ...], Hues]]:
    """A heading, and a row for each word, with the hues of the words in it."""
    looking, looked_at = labels_of(a, 0), labels_of(a, 1)
    own, others = hues_along(a, 0, head) or [None] * len(looking), hues_along(a, 1, head)
    yield (head, "", "", "", ""), (None, None, None)
    for label, hue, *two in zip(looking, own, entropies(a.value), entropies(b.value), *(
            [likest(row, labels_of(side, 1)) for row in side.value] for side in (a, b)), strict=True):
        yield ((f"  {label}", *(f"{entropy:.3f}" for entropy in two[:2]), *two[2:]),
               (hue, *hues_in(map(word_of, two[2:]), looked_at, others)))


def labels_of(step: Tensor, k: int) -> tuple[str, ...]:
    """The words along an axis, or numbers where there are no words; one empty label of what has no such axis."""
    if k >= step.value.ndim:
        return ("",)
    return step.axes[k].labels or tuple(str(n + 1) for n in range(step.value.shape[k]))


def likest(shares: Array, words: tuple[str, ...]) -> str:
    """The largest share and its word."""
    return f"{shares.max():.3f} {words[shares.argmax()]}"


def word_of(likely: str) -> str:
    return likely.partition(" ")[2]


def entropies(weights: Array) -> Array:
    """Entropy of each row: -Σ a log a, from 0 (all on one word) to log n (evenly on n words)."""
    logs = np.log(weights, out=np.zeros_like(weights), where=weights > 0)
    return np.asarray(np.maximum(-(weights * logs).sum(axis=-1), 0.0))


def likeliest(*runs: tuple[Run, Side]) -> Iterator[tuple[str, ...]]:
    """Each word of the decoder's input with the likeliest next one in both runs, if both predict any."""
    if all("output.probabilities" in side.addresses for _, side in runs):
        read = [run.last_words.texts for run, _ in runs]
        words = [[likest(row, run.vocabularies.target or ()) for row in side.read("output.probabilities").value]
                 for run, side in runs]
        for after, next_ones in zip(zip_longest(*read, fillvalue=""), zip_longest(*words, fillvalue=""), strict=True):
            yield " / ".join(dict.fromkeys(filter(None, after))), *next_ones


def changed(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Those where the likeliest next word is another, without its probability."""
    words = [(after, *map(word_of, both)) for after, *both in rows if all(both)]
    return [row for row in words if row[1] != row[2]]


def changed_words(rows: Sequence[tuple[str, ...]]) -> Iterator[Message]:
    """`After "the": cafe → park.`"""
    for after, first, second in changed(rows)[:MOST_WORDS]:
        yield Message("messages.compare_next", after=after, first=first, second=second)
    if more := len(changed(rows)[MOST_WORDS:]):
        yield Message("messages.compare_next_more", more=more)
    if rows and not changed(rows):
        yield Message("messages.compare_same_words")


def words_of_both(rows: Sequence[tuple[str, ...]], written: tuple[str, ...]) -> Iterator[Block]:
    """The likeliest next word after each word of the decoder's input, in both runs, in the hues of those `written`."""
    if rows:
        columns = zip(*((after, *map(word_of, both)) for after, *both in rows))
        yield Table(tuple(Message(f"messages.{name}") for name in ("compare_after", "diff_first", "diff_second")),
                    tuple(rows), tokens=(0, 1, 2), title=Message("messages.compare_words"),
                    hues=tuple(hues_in(column, written, hues_of(written, True)) for column in columns))
        if words := [after for after, *_ in changed(rows)]:
            yield Prose(Message("messages.compare_changed", words=", ".join(words), changed=len(words),
                                rows=sum(all(row) for row in rows)))
