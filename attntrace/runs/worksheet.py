"""A worksheet: a run whose numbers can be computed by hand, and the blanks in it that a student fills.

Blanks are of four kinds: FORWARD, the number of a step; INVERSE, an entry of a parameter, which the number of a step
shows; LOOK, the word with the largest weight of a row; SLIP, the step at which a second run, with one slip of the
catalogue, begins to be wrong. Each can be computed from what is not hidden, or from blanks before it."""
from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.model.config import Config
from attntrace.model.parameters import stream
from attntrace.runs.prepare import prepare
from attntrace.runs.run import Recorder, Run, header
from attntrace.runs.slips import SLIPS, Slip, differs, kind_of, steps_of
from attntrace.tensor.expression import Expression, Ref
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.addresses import Address, cell_name, word_and_number
from attntrace.tracing.trace import Step
from attntrace.verify.recompute import Log, Recomputation, Verdict

FORWARD, INVERSE, LOOK, SLIP = "forward", "inverse", "look", "slip"
# The steps with blanks, by kind: those whose numbers take a few operations.
BY_HAND = frozenset((
    "stack.scaled_embedding", "stack.input", "head.query", "head.key", "head.value", "head.scores",
    "head.scaled_scores", "head.masked_scores", "head.weights", "head.output", "attention.output",
    "attention.residual", "norm.mean", "norm.variance", "norm.normalized", "feed_forward.residual",
    "feed_forward.hidden", "feed_forward.activation", "feed_forward.output", "output.logits", "output.probabilities"))
CHAIN = ("scaled_scores", "scores", "masked_scores", "weights")  # of one row: a mistake in one is seen in the next
MATRICES = frozenset(("W_Q", "W_K", "W_V", "W_O", "W_1", "W_2"))
ENTRIES = range(-9, 10)  # among which the entry of a parameter must be the only one that gives the number of a step
CONSTANT = frozenset(("gain", "bias", "b_1", "b_2", "b"))  # parameters that are all 1 or all 0
MOST_WEIGHT = 0.95  # of a row that is not saturated
APART = 0.02, 0.05  # two weights of a row, and the largest of a row from the next
LEAST_VARIANCE = 0.05
LONGEST = 24  # numbers that a blank is computed from
LEAST_SLIP = 0.1  # by which a slip changes some number where it begins
MOST_NUMBERS = 5_000  # of a run and its model on a sheet
ATTEMPTS = 60  # at finding a seed whose numbers are fit for a sheet

Cell = tuple[str, tuple[int, ...]]


class Blank(NamedTuple):
    """A blank. id: the address of its number, or of its row; of the last question `slip`. at: the index there. answer:
    a number; of LOOK the position of the word, from 1; of SLIP an address. shown_by: the number that shows an entry."""
    kind: str
    id: str
    address: str
    at: tuple[int, ...]
    answer: float | str
    shown_by: Cell | None = None


class Sheet(NamedTuple):
    """A worksheet of one student. steps: of the run, by address; hidden: the numbers that the sheet does not show;
    copies: those among them that are the number of a blank, under another address. Of the last question `slip`, what
    is wrong; `mistaken`, the steps that are shown of the sentence with its first two words swapped."""
    run: Run
    steps: Mapping[str, Step]
    blanks: tuple[Blank, ...]
    hidden: frozenset[Cell]
    copies: Mapping[Cell, Cell] = {}
    slip: Slip | None = None
    mistaken: Mapping[str, Step] = {}

    @property
    def by_id(self) -> dict[str, Blank]:
        return {blank.id: blank for blank in self.blanks}

    @property
    def decimals(self) -> int:
        assert self.run.pencil is not None
        return self.run.pencil


def sheet_of(sentence: str | None, target: str | None, config: Config, seed: int, pencil: int, count: int) -> Sheet:
    """The sheet of the first seed, from this one on, whose numbers are fit for so many blanks. Raises Problem where
    √d_k or √d_model is not whole, the model is too large, or no seed is fit."""
    check_roots(config)
    words = len((sentence or "").split()) + len((target or "").split())
    check_size(words ** 2 // 4 + config.layers * config.d_model * (
        config.heads * config.key_size + config.d_ff * config.feed_forward))  # at least, before anything is computed
    most = 0
    for fit in range(seed, seed + ATTEMPTS):
        run = prepare(sentence, target, config=config, seed=fit, init="integers", pencil=pencil)
        if fit == seed:
            steps = steps_of(run._replace(pencil=None))
            check_size(len(run.parameters.vector) + sum(step.value.size for step in steps.values()))
        blanks, sheet = Chooser(run, count).sheet()
        if sheet is not None:
            return sheet
        most = max(most, blanks)
    raise Problem("worksheet_blanks", count=count, most=most) if most < count else Problem("worksheet_kinds")


def check_roots(config: Config) -> None:
    roots = {"d_k": config.key_size} if config.score_scale == "sqrt_d_k" else {}
    if config.scale_embedding and config.architecture.has_words:
        roots["d_model"] = config.d_model
    for name, size in roots.items():
        if math.isqrt(size) ** 2 != size:
            raise Problem("worksheet_root", name=name, size=size)


def check_size(count: int) -> None:
    if count > MOST_NUMBERS:
        raise Problem("worksheet_large", count=count, most=MOST_NUMBERS)


def verified(run: Run) -> tuple[int, list[Verdict]]:
    """Compute a run again by the independent checker. Returns how many numbers that are, and what is wrong."""
    verdicts: list[Verdict] = []
    recomputation = Recomputation(Log(header(run)))

    def write(record: dict[str, object], tensor: Tensor) -> None:
        verdict = recomputation.take(record | {"value": tensor.value.tolist()})
        if verdict is not None:
            verdicts.append(verdict)

    run(Recorder(run.parameters.by_name, write))
    return sum(verdict.numbers for verdict in verdicts), [verdict for verdict in verdicts if verdict.wrong]


def place_of(address: str) -> str:
    """The place of a step, without its head: its sub-layer, or its stack."""
    place = Address.of(address).place
    return Address.of(place).place if word_and_number(Address.of(place).name)[0] == "head" else place


def cells_of(step: Step | Tensor, *row: int) -> Iterator[tuple[int, ...]]:
    """The indices of a tensor, or of a row of it."""
    return (row + rest for rest in np.ndindex(step.value.shape[len(row):]))


def fits(step: Step, row: tuple[int, ...]) -> bool:
    """Whether a row of shares of 1 is neither saturated nor tied, as far as it is not masked."""
    shares = np.sort(step.value[row][np.isfinite(step.node.operands[0].value[row])])
    return bool(len(shares) > 1 and shares[0] > 0 and shares[-1] <= MOST_WEIGHT
                and (np.diff(shares) >= APART[0]).all())


def may_look(step: Step, row: tuple[int, ...]) -> bool:
    return fits(step, row) and float(np.diff(np.sort(step.value[row])[-2:])[0]) >= APART[1]


class Chooser:
    """Chooses the blanks of a run. Which ones comes from a stream of its seed; what one blank needs, no other hides."""

    def __init__(self, run: Run, count: int) -> None:
        self.run, self.count = run, count
        self.steps: dict[str, Step] = {}
        run(lambda step: self.steps.__setitem__(step.address, step))
        self.order = {address: n for n, address in enumerate((*run.parameters.by_name, *self.steps))}
        self.blanks: list[Blank] = []
        self.hidden: set[Cell] = set()
        self.needed: set[Cell] = set()  # by a blank that is not computed from other blanks
        self.looked_at: set[Cell] = set()  # what a row of weights that is asked for is computed from
        self.copies: dict[Cell, Cell] = {}
        self.leaves = cache(self.leaves_of)
        self.tells: dict[Cell, list[Cell]] = {}  # the numbers that are computed from a number of a step only
        for address, step in self.steps.items():
            for index in cells_of(step):
                read = {leaf for leaf in self.leaves((address, index)) if Address.of(leaf[0]).name not in CONSTANT}
                if len(read) == 1:
                    self.tells.setdefault(read.pop(), []).append((address, index))
        self.begins = ""  # the step at which the slip does

    def shuffled(self, name: str, choices: Iterable[Cell]) -> list[Cell]:
        choices = list(choices)
        order = stream((self.run.seed or 0, "worksheet", name), len(choices)).argsort(kind="stable")
        return [choices[n] for n in order]

    def sheet(self) -> tuple[int, Sheet | None]:
        """How many blanks there are, at most as many as asked for; and the sheet where they are enough, and are of all
        kinds that so many may have."""
        share, has_words = max(self.count // 6, 1), len(self.run.source.texts) > 1
        wants_look, wants_entry, wants_slip = self.count > 1 and has_words, self.count > 2, self.count > 3 and has_words
        self.looks(share * wants_look)
        looks = len(self.blanks)
        self.inverses(share * wants_entry)
        inverses = len(self.blanks) - looks
        self.forwards(self.count - len(self.blanks) - wants_slip)
        blanks = sorted(self.blanks, key=lambda blank: (self.order[blank.address], blank.at))
        slip, mistaken = self.slipped() if wants_slip and len(blanks) == self.count - 1 else (None, {})
        if slip is not None:
            blanks.append(Blank(SLIP, SLIP, self.begins, (), self.begins))
        is_whole = len(blanks) == self.count and bool(looks) >= wants_look and bool(inverses) >= wants_entry
        return len(blanks), Sheet(self.run, self.steps, tuple(blanks), frozenset(self.hidden), self.copies,
                                  slip, mistaken) if is_whole else None

    def leaves_of(self, cell: Cell) -> list[Cell]:
        """The numbers of parameters and steps that a number is computed from."""
        address, index = cell
        return [(ref.tensor.address, ref.index) for ref in self.steps[address].node.cell(index).leaves()
                if isinstance(ref.tensor, Tensor) and ref.tensor.address is not None]

    def looks(self, count: int) -> None:
        rows = ((address, (row,)) for address, step in self.steps.items() if step.is_attention
                for row in range(len(step.value)) if may_look(step, (row,)))
        for address, row in self.shuffled("look", rows)[:count]:
            value = self.steps[address].value[row]
            self.blanks.append(Blank(LOOK, cell_name(address, row), address, row, float(value.argmax()) + 1))
            cells = [(address, index) for index in cells_of(self.steps[address], *row)]
            self.hidden.update(cells)
            self.looked_at.update(leaf for cell in cells for leaf in self.leaves(cell))

    def inverses(self, count: int) -> None:
        readers: dict[Cell, list[Cell]] = {}
        for address, step in self.steps.items():
            for index in cells_of(step) if kind_of(Address.of(address)) in BY_HAND else ():
                for leaf in self.leaves((address, index)):
                    readers.setdefault(leaf, []).append((address, index))
        entries = ((name, index) for name, tensor in self.run.parameters.by_name.items()
                   if Address.of(name).name in MATRICES for index in cells_of(tensor) if tensor.value[index])
        taken: set[str] = set()
        for name, index in self.shuffled("inverse", entries):
            witness = next((one for one in readers.get((name, index), ()) if self.shows(one, (name, index))), None)
            if len(taken) < count and name not in taken and (name, index) not in self.needed and witness:
                taken.add(name)
                self.hidden.add((name, index))
                self.needed.update((witness, *self.leaves(witness)))
                self.blanks.append(Blank(INVERSE, cell_name(name, index), name, index,
                                         float(self.run.parameters[name].value[index]), witness))

    def shows(self, witness: Cell, entry: Cell) -> bool:
        """Whether a number that is shown, computed from others that are, leaves only one whole number for an entry."""
        leaves = self.leaves(witness)
        if leaves.count(entry) != 1 or not self.hidden.isdisjoint((witness, *leaves)) or len(leaves) > LONGEST:
            return False
        step = self.steps[witness[0]]
        arithmetic = step.node.cell(witness[1])
        return [n for n in ENTRIES if with_number(arithmetic, step, entry, n) == step.value[witness[1]]] == [
            self.run.parameters[entry[0]].value[entry[1]]]

    def slipped(self) -> tuple[Slip | None, dict[str, Step]]:
        """A slip that a sheet can show, in a run of which no number is on it: the first step that it changes is clearly
        wrong, and all have the shapes of the right ones. Also the steps of the place where it begins, below those that
        they are computed from."""
        others = range(2, len(self.run.source.texts))
        other = self.run._replace(source=self.run.source.reordered([1, 0, *others]))
        right = steps_of(other)
        for name, _ in self.shuffled("slip", ((slip.id, ()) for slip in SLIPS)):
            slip = next(one for one in SLIPS if one.id == name)
            subject = slip(other)
            steps = steps_of(subject) if subject is not None else {}
            if [(one, step.value.shape) for one, step in steps.items()] == [
                    (one, step.value.shape) for one, step in right.items()]:
                self.begins = next((one for one in steps if differs(steps[one].value, right[one].value, 0)), "")
                if self.begins and is_clear(steps[self.begins].value, right[self.begins].value) and isinstance(
                        subject, Run) and not verified(subject)[1]:
                    return slip, around(self.begins, steps)
        return None, {}

    def forwards(self, count: int) -> None:
        """A chain in one row of attention, then other steps, each once before any a second time."""
        chosen: list[Cell] = []
        for cell in (*self.chain(), *self.others()):
            if len(chosen) < count and self.is_fit(cell):
                chosen.append(cell)
                self.hide(cell)
                self.blanks.append(Blank(FORWARD, cell_name(*cell), *cell, self.value(cell)))

    def chain(self) -> Iterator[Cell]:
        cells = (cell for cell in self.hand_cells() if cell[0].endswith(".weights"))
        chains = ([(f"{Address.of(address).place}.{name}", index) for name in CHAIN
                   if f"{Address.of(address).place}.{name}" in self.steps]
                  for address, index in self.shuffled("chain", cells))
        yield from next((chain for chain in chains if all(self.steps[one].value[index] for one, index in chain)), ())

    def others(self) -> Iterator[Cell]:
        turns: dict[str, list[Cell]] = {}
        for cell in self.shuffled("forward", self.hand_cells()):
            turns.setdefault(cell[0], []).append(cell)
        for turn in range(max(map(len, turns.values()), default=0)):
            yield from (cells[turn] for cells in turns.values() if turn < len(cells))

    def hand_cells(self) -> Iterator[Cell]:
        for address, step in self.steps.items():
            if kind_of(Address.of(address)) in BY_HAND:
                for index in cells_of(step):
                    if self.is_worth_it(step, index):
                        yield address, index

    def is_worth_it(self, step: Step, index: tuple[int, ...]) -> bool:
        """Whether a number takes some arithmetic, not too much, of numbers that are not special."""
        number = float(step.value[index])
        row = index[:1]
        if not math.isfinite(number) or len(self.leaves((step.address, index))) > LONGEST:
            return False
        if step.node.op.rows_sum_to_one:
            return fits(step, row)
        weights = self.steps.get(f"{Address.of(step.address).place}.weights")
        if step.name in CHAIN and weights is not None:
            return fits(weights, row)
        if step.name == "normalized" and (
                self.steps[f"{Address.of(step.address).place}.variance"].value[row] < LEAST_VARIANCE):
            return False
        return number != 0 or step.name == "activation"

    def told(self, cell: Cell) -> Iterator[Cell]:
        """A number, and those that would tell it."""
        yield cell
        for other in self.tells.get(cell, ()):
            yield from self.told(other)

    def hide(self, cell: Cell) -> None:
        """Hide a number and what would tell it; what is the same number is called so."""
        for other in self.told(cell):
            self.hidden.add(other)
            if other != cell and self.value(other) == self.value(cell):
                self.copies.setdefault(other, cell)
        self.copies.pop(cell, None)

    def is_fit(self, cell: Cell) -> bool:
        """Whether a number may be a blank: it is none yet, no other blank needs what it hides, and all that it is
        computed from is on the sheet or a blank of this kind."""
        blanks = {(blank.address, blank.at) for blank in self.blanks if blank.kind == FORWARD}
        computed = blanks | {copy for copy, blank in self.copies.items() if blank in blanks}
        told = set(self.told(cell))
        lost = {one for one in told - computed - {cell} if self.value(one) != self.value(cell)}
        return cell not in blanks and self.needed.isdisjoint(told) and self.looked_at.isdisjoint(lost) and all(
            leaf in computed or leaf not in self.hidden for leaf in self.leaves(cell))

    def value(self, cell: Cell) -> float:
        return float(self.steps[cell[0]].value[cell[1]])


def around(begins: str, steps: Mapping[str, Step]) -> dict[str, Step]:
    """The steps of the place of a step, below those of other places that they are computed from."""
    here = {one: step for one, step in steps.items() if place_of(one) == place_of(begins) and kind_of(
        Address.of(one)) != "stack.output"}
    read = {leaf.address for step in here.values() for leaf in step.node.leaves()} - here.keys()
    return {one: step for one, step in steps.items() if one in here or one in read}


def is_clear(wrong: Array, right: Array) -> bool:
    finite = np.isfinite(wrong) & np.isfinite(right)
    return bool(np.isfinite(wrong[np.isfinite(right)]).all() and (
        np.abs(np.where(finite, wrong - np.where(finite, right, 0), 0)).max(initial=0) >= LEAST_SLIP))


def with_number(arithmetic: Expression, step: Step, entry: Cell, number: float) -> float:
    """The result of the arithmetic of a step, with another number for one of its leaves."""
    def read(ref: Ref) -> object:
        is_entry = isinstance(ref.tensor, Tensor) and (ref.tensor.address, ref.index) == entry
        return step.rounding.number(float(number if is_entry else ref.tensor.value.item(ref.index)))

    return float(arithmetic.value(read, step.rounding))
