"""Two runs compared: which parameters and steps differ, and by how much."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from attntrace.files.npz import shape_text
from attntrace.messages.catalog import Message, Text
from attntrace.pages.blocks import Block, Prose, Table, set_off
from attntrace.pages.checks import apart, worst_of
from attntrace.pages.numbers import Figures
from attntrace.runs.what_if import Edit, order_before
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.addresses import cell_name

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

    def common(self, other: Side) -> int:
        """Count the steps that both runs have."""
        return len(frozenset(self.addresses) & frozenset(other.addresses))


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


def ripple(parameters: Sequence[Difference], steps: Sequence[Difference], total: int) -> Iterator[Block]:
    """The page: parameters that differ, the first step that does, all others; `total`: steps that both runs have."""
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
