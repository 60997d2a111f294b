"""A filled worksheet: which answers are right, right to rounding, or follow from an earlier mistake; and of the wrong
ones, which slips of the catalogue give them."""
from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

import numpy as np

from attntrace.messages.unicode import normalized
from attntrace.runs.slips import SLIPS, Slip, steps_of
from attntrace.runs.worksheet import FORWARD, INVERSE, LOOK, Blank, Sheet
from attntrace.tensor.evaluate import rounding_of
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.addresses import matches, means_row
from attntrace.tracing.trace import Step

RIGHT, ROUNDING, FOLLOWS, WRONG, MISSING = VERDICTS = ("right", "rounding", "follows", "wrong", "missing")
MARKED = (RIGHT, ROUNDING, FOLLOWS)  # what has a mark
NUMBER = re.compile(r"[-+]?(?:[0-9]{1,15}(?:\.([0-9]{0,15}))?|\.([0-9]{1,15}))")
SIGNS = str.maketrans({"−": "-", "–": "-", ",": ".", "\u00a0": " "})
DRIFT = 0.2, 0.1  # how far, and how far relatively, rounding at every operation may carry a number, about


class Number(NamedTuple):
    """A number as it was written, and how many decimals it has."""
    value: float
    decimals: int

    @classmethod
    def read(cls, text: str) -> Number | None:
        """None where the text is not one, whatever it is: nothing in it is computed."""
        found = NUMBER.fullmatch(text.translate(SIGNS).replace(" ", ""))
        return cls(float(found[0]), len(found[1] or found[2] or "")) if found else None

    def is_near(self, other: float, decimals: int) -> bool:
        """Whether it is another number to rounding: to a unit of its last decimal on the sheet, or half a unit of the
        decimals that it was written with."""
        if not math.isfinite(other):
            return False
        unit = Decimal(1).scaleb(-decimals)
        written = Decimal(5).scaleb(-self.decimals - 1) if 0 < self.decimals < decimals else unit
        return abs(Decimal(repr(self.value)) - Decimal(repr(other))) <= max(unit, written)


class Mark(NamedTuple):
    """An answer and what it is. due: what follows from the student's own numbers, where that is something else; slips:
    that give the answer, where it is wrong."""
    blank: Blank
    answer: str
    verdict: str
    due: float | None = None
    slips: tuple[Slip, ...] = ()


def marks_of(sheet: Sheet, answers: Mapping[str, str]) -> list[Mark]:
    """Mark the answers, by the ids of their blanks. An answer that several slips give is of those that give most of the
    wrong ones."""
    marker = Marker(sheet, answers)
    marks = [marker.mark(blank) for blank in sheet.blanks]
    count: dict[str, int] = {}
    for mark in marks:
        for slip in mark.slips:
            count[slip.id] = count.get(slip.id, 0) + 1
    return [mark._replace(slips=tuple(slip for slip in mark.slips if count[slip.id] == max(
        count[one.id] for one in mark.slips))) for mark in marks]


class Marker:
    """Marks the answers of one sheet."""

    def __init__(self, sheet: Sheet, answers: Mapping[str, str]) -> None:
        self.sheet = sheet
        self.answers = {blank.id: normalized(answers.get(blank.id, "")).strip() for blank in sheet.blanks}
        self.rounding = rounding_of(sheet.decimals)
        self.values: dict[str, Array] = {address: step.value.copy() for address, step in sheet.steps.items()}
        for blank in sheet.blanks:
            number = Number.read(self.answers[blank.id])
            if blank.kind == FORWARD and number is not None and number.value != blank.answer:
                for address, index in ((blank.address, blank.at), *(
                        copy for copy, cell in sheet.copies.items() if cell == (blank.address, blank.at))):
                    self.values[address][index] = number.value

    @cached_property
    def own(self) -> dict[str, Tensor]:
        """The steps as they are computed from the student's own numbers, where there are some."""
        return recomputed(self.sheet, self.values)

    @cached_property
    def with_slips(self) -> list[tuple[Slip, dict[str, Tensor], dict[str, Step]]]:
        """The same with each slip that is possible; and its whole run, in full precision."""
        exact = self.sheet.run._replace(pencil=None)
        return [(slip, recomputed(self.sheet, self.values, slip), steps_of(subject))
                for slip in SLIPS if (subject := slip(exact)) is not None]

    def mark(self, blank: Blank) -> Mark:
        answer = self.answers[blank.id]
        if not answer:
            return Mark(blank, answer, MISSING)
        if blank.kind == FORWARD:
            return self.number(blank, answer)
        if blank.kind == INVERSE:
            number = Number.read(answer)
            return Mark(blank, answer, RIGHT if number is not None and number.value == blank.answer else WRONG)
        if blank.kind == LOOK:
            return self.look(blank, answer)
        found = matches(answer, {address: step.symbol for address, step in self.sheet.mistaken.items()})
        return Mark(blank, answer, RIGHT if found == [blank.answer] else WRONG)

    def number(self, blank: Blank, answer: str) -> Mark:
        number, key = Number.read(answer), float(blank.answer)
        if number is None:
            return Mark(blank, answer, WRONG)
        if number.value == key:
            return Mark(blank, answer, RIGHT)
        if number.is_near(key, self.sheet.decimals):
            return Mark(blank, answer, ROUNDING)
        due = self.by_hand(self.own, blank)
        if number.is_near(due, self.sheet.decimals):
            return Mark(blank, answer, FOLLOWS, due)
        is_other = math.isfinite(due) and due != key
        return Mark(blank, answer, WRONG, due if is_other else None, self.slips(blank, number))

    def look(self, blank: Blank, answer: str) -> Mark:
        step = self.sheet.steps[blank.address]
        words = step.axes[-1].labels or ("",) * step.value.shape[-1]
        position = answer.partition(":")[0]
        looks = [n + 1 for n, word in enumerate(words)
                 if means_row(answer, n, word) or position.isdecimal() and means_row(position, n, word)]
        if blank.answer in looks:
            return Mark(blank, answer, RIGHT)
        row = [self.by_hand(self.own, blank._replace(at=(*blank.at, n))) for n in range(len(words))]
        due = float(np.nanargmax(row)) + 1 if np.isfinite(row).any() else None
        return Mark(blank, answer, FOLLOWS if due in looks else WRONG, due if due != blank.answer else None)

    def by_hand(self, steps: Mapping[str, Tensor], blank: Blank) -> float:
        """The number of a blank, rounded at every operation."""
        try:
            return float(steps[blank.address].cell(blank.at).result(self.rounding))
        except (ArithmeticError, LookupError, ValueError):
            return math.nan

    def slips(self, blank: Blank, number: Number) -> tuple[Slip, ...]:
        """The slips that give a number: made in this step, or in all."""
        return tuple(slip for slip, here, everywhere in self.with_slips
                     if number.is_near(self.by_hand(here, blank), self.sheet.decimals)
                     or number.is_near(self.throughout(slip, everywhere, blank, number), self.sheet.decimals))

    def throughout(self, slip: Slip, steps: Mapping[str, Step], blank: Blank, number: Number) -> float:
        """The number of a blank in the whole run with a slip, rounded at every operation where that may be it."""
        try:
            value = float(steps[blank.address].value[blank.at])
        except LookupError:
            return math.nan
        if not abs(value - number.value) <= DRIFT[0] + DRIFT[1] * abs(value):
            return math.nan
        if slip.id not in self._by_hand:
            subject = slip(self.sheet.run)
            self._by_hand[slip.id] = steps_of(subject) if subject is not None else {}
        step = self._by_hand[slip.id].get(blank.address)
        return math.nan if step is None else float(step.value[blank.at])

    @cached_property
    def _by_hand(self) -> dict[str, dict[str, Step]]:
        return {}


def recomputed(sheet: Sheet, values: Mapping[str, Array], slip: Slip | None = None) -> dict[str, Tensor]:
    """Each step as it is computed from these numbers of all steps before it; with a slip, as that computes it."""
    exact = sheet.run._replace(pencil=None)
    subject = exact if slip is None else slip(exact)
    if subject is None:
        return {}
    run, found = subject.run, dict[str, Tensor]()

    def change(address: str, tensor: Tensor) -> Tensor:
        found[address] = tensor = tensor if run.change is None else run.change(address, tensor)
        value = values.get(address)
        return Tensor(value, tensor.axes) if value is not None and value.shape == tensor.value.shape else tensor

    steps_of(run._replace(change=change))
    return found


def slip_counts(every: Sequence[Sequence[Mark]]) -> dict[str, list[int]]:
    """How many students made each slip, and how many answers it gave, the most frequent first; several slips that give
    the same answers count as one."""
    counts: dict[str, list[int]] = {}
    for marks in every:
        own: dict[str, int] = {}
        for mark in marks:
            if mark.slips:
                key = "\n".join(slip.id for slip in mark.slips)
                own[key] = own.get(key, 0) + 1
        for key, answers in own.items():
            count = counts.setdefault(key, [0, 0])
            count[0] += 1
            count[1] += answers
    return dict(sorted(counts.items(), key=lambda one: (-one[1][0], -one[1][1])))
