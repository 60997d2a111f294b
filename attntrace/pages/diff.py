"""Two runs compared: which parameters and steps differ, and by how much; of a run and an edited one also the entropy of
their attention rows and their likeliest words."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from attntrace.files.arrays import shape_text
from attntrace.messages.catalog import Message, Text
from attntrace.pages.blocks import Block, Heading, Prose, Table, set_off
from attntrace.pages.checks import DIGITS, apart, worst_of
from attntrace.pages.numbers import Figures
from attntrace.pages.overview import model_table, words_table
from attntrace.runs.what_if import Edit, edit_sentences, order_before
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.addresses import Address, cell_name

if TYPE_CHECKING:
    from attntrace.files.archive import Archive
    from attntrace.runs.run import Run

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


def ripple(parameters: Sequence[Difference], steps: Sequence[Difference], a: Side, b: Side) -> Iterator[Block]:
    """The page: parameters that differ, the first step that does, of how many that both runs have, and all others."""
    total = len(frozenset(a.addresses) & frozenset(b.addresses))
    if parameters:
        yield from differences("parameters", parameters)
    differ = [one.address for one in steps if not one.key.startswith("only")]
    yield Prose(Message("messages.diff_total", changed=len(differ), steps=total, address=differ[0]) if differ else
                Message("messages.diff_no_step", steps=total), result=True, apart=bool(parameters))
    if steps:
        yield from set_off(differences("steps", steps))
    if parameters or differ:
        yield Prose(Message("messages.diff_legend"))


def differences(kind: str, changes: Sequence[Difference]) -> Iterator[Block]:
    """A table of what differs, and what only one of the two runs has."""
    both = [one for one in changes if not one.key.startswith("only")]
    if both:
        yield table(kind, both)
    for key in ("only_a", "only_b"):
        if names := [one.address for one in changes if one.key == key]:
            yield Prose(Message(f"messages.diff_{key}", names=", ".join(names)))


def table(kind: str, changes: Sequence[Difference]) -> Table:
    headings = [Message(f"messages.diff_{name}") for name in ("at", "first", "second", "largest", "mean", "numbers")]
    sizes = [aligned(numbers) for numbers in ([one.largest for one in changes], [one.mean for one in changes])]
    rows = tuple(
        (one.address, Message("messages.diff_shape", first=one.ends[0], second=one.ends[1]), *[""] * 5) if one.key else
        (one.address, cell_name("", one.at).lstrip(":"), *one.ends, largest, mean, f"{one.changed:,}/{one.numbers:,}")
        for one, largest, mean in zip(changes, *sizes, strict=True))
    return Table(("", *headings), rows, right=(1, 2, 3, 4, 5, 6), addresses=True,
                 title=Message(f"messages.diff_{kind}"))


def aligned(numbers: Iterable[float]) -> list[str]:
    """Three digits of each number, lined up at the decimal point."""
    texts = [f"{number:#.3g}".removesuffix(".") for number in numbers]
    decimals = [len(text.partition(".")[2]) for text in texts]
    return [text + " " * (max(decimals) - count) for text, count in zip(texts, decimals, strict=True)]


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
    yield from set_off(ripple(parameters, steps, before, after))
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
