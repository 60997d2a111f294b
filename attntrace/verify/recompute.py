"""The independent checker: every tensor of a recorded run, computed again from its expression in plain Python.

It reads plain records, as JSON Lines has them (docs/en/addresses-and-formats.md). It imports only the standard library,
arithmetic.py and ops.py.
"""
import hashlib
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from attntrace.verify.arithmetic import Arithmetic, Bounded, Doubles, HandArithmetic
from attntrace.verify.ops import Array, Unfit, evaluate, map_lists

Record = Mapping[str, Any]
SAFETY = 2.0  # times the bound of rounding, since the recomputation rounds as well


class Precision(NamedTuple):
    """A type of floats. tolerance: the relative difference that passes without a bound; unit: half the last digit of 1;
    smallest: the smallest normal number, below which digits are lost."""
    tolerance: float
    unit: float
    smallest: float


PRECISIONS = {"float64": Precision(0.9e-12, 2.0**-53, sys.float_info.min),
              "float32": Precision(4 * 2.0**-24, 2.0**-24, 2.0**-126)}


class Verdict(NamedTuple):
    """The result for one step: its number of numbers, the largest difference and its cell; and the key of what is wrong
    (empty: nothing), with the facts of the message (messages.verify.wrong)."""
    address: str
    numbers: int
    difference: float
    cell: str
    wrong: str = ""
    facts: Mapping[str, Any] = {}


class Recorded(NamedTuple):
    """A parameter or a step as recorded: its numbers as nested lists of floats, and `flat`, as one list."""
    address: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    numbers: Any
    flat: list[float]
    expression: Any  # None: a parameter
    parents: tuple[str, ...]

    def rows(self) -> list[list[float]]:
        """The rows of a tensor with two axes; a vector is one row."""
        width = self.shape[-1] if self.shape else 1
        return [self.flat[start:start + width] for start in range(0, len(self.flat), width)]

    def cell(self, n: int) -> str:
        """The address of the n-th number (from 0): `scores:2,3`."""
        index = []
        for size in reversed(self.shape):
            n, i = divmod(n, size)
            index.append(str(i + 1))
        return f"{self.address}:{','.join(reversed(index))}" if index else self.address

    def compared(self, again: Sequence[float], beyond: Callable[[list[float]], list[int]]) -> Verdict:
        """Judge a step by its numbers computed again; `beyond(differences)`: the positions of those that are wrong."""
        differences = [0.0 if x == y else abs(x - y) for x, y in zip(again, self.flat, strict=True)]
        if not differences:
            return Verdict(self.address, 0, 0.0, self.address)
        wrong = beyond(differences)
        worst = max(wrong or range(len(differences)),
                    key=lambda n: math.inf if math.isnan(differences[n]) else differences[n])
        facts = {"value": self.flat[worst], "again": again[worst]} if wrong else {}
        return Verdict(self.address, len(differences), differences[worst], self.cell(worst),
                       "differs" if wrong else "", facts)


class Log:
    """What a run has recorded so far: its header, and its parameters and steps by address, in order."""

    def __init__(self, header: Record) -> None:
        self.header = header
        self.config: Mapping[str, Any] = header["config"]
        self.pencil: int | None = header.get("pencil")
        self.parameters: dict[str, Recorded] = {}
        self.steps: dict[str, Recorded] = {}
        self._digest = hashlib.sha256()

    def __call__(self, record: Record) -> Recorded:
        """Add the record of a parameter or a step. Raises Unfit where it contradicts itself."""
        is_step = "address" in record
        address = str(record["address"] if is_step else record["parameter"])
        if address in self.parameters or address in self.steps:
            raise Unfit("record_twice", address=address)
        axes, shape = tuple(record["axes"]), tuple(record["shape"])
        try:
            numbers = map_lists(float, record["value"])  # also reads "-inf", as JSON spells it
            flat = list(map(float, leaves(Array(numbers, axes), shape)))
        except (TypeError, ValueError):
            raise Unfit("record_shape", address=address) from None
        recorded = Recorded(address, axes, shape, numbers, flat, record.get("expression"),
                            tuple(record.get("parents", ())))
        (self.steps if is_step else self.parameters)[address] = recorded
        if is_step:
            texts = (f"{number:.6f}" for number in flat)
            line = " ".join("0.000000" if text == "-0.000000" else text for text in texts)
            self._digest.update(f"{address}\n{line}\n".encode())
        return recorded

    def __getitem__(self, address: str) -> Recorded:
        return self.steps[address] if address in self.steps else self.parameters[address]

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the steps so far, as docs/en/addresses-and-formats.md defines it."""
        return self._digest.hexdigest()[:8]


class Recomputation:
    """Compute each step of a log again and compare it with the record."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.precision = PRECISIONS[log.config.get("dtype", "float64")]
        self.by: Arithmetic = Doubles() if log.pencil is None else HandArithmetic(log.pencil)

    def take(self, record: Record) -> Verdict | None:
        """Log a record and, where it is a step, judge it. A record that contradicts itself counts as a wrong step."""
        try:
            recorded = self.log(record)
        except Unfit as broken:
            address = str(broken.facts["address"])
            return Verdict(address, 0, math.inf, address, broken.key)
        return None if recorded.expression is None else self(recorded)

    def __call__(self, step: Recorded) -> Verdict:
        """Judge a step; steps come in the order of the run. A number passes if it is relatively near; only if not, the
        rounding of its operands is measured and allowed. In hand arithmetic all numbers must be equal."""
        without_value = partial(Verdict, step.address, len(step.flat), math.inf, step.address)
        try:
            again = self._evaluated(step, self.by)
        except Unfit as unfit:
            wrong = "shape" if isinstance(unfit, Misshapen) else "undefined"
            return without_value(wrong, {"why": unfit.key, **unfit.facts})
        except (LookupError, TypeError):
            return without_value("undefined", {"why": "malformed"})
        except (ValueError, ArithmeticError):
            return without_value("undefined", {"why": "no_result"})
        return step.compared(list(map(self.by.plain, again)), partial(self._beyond_rounding, step))

    def _beyond_rounding(self, step: Recorded, differences: list[float]) -> list[int]:
        by_hand = self.log.pencil is not None
        tolerance = 0.0 if by_hand else self.precision.tolerance
        suspects = [n for n, (far, value) in enumerate(zip(differences, step.flat, strict=True))
                    if far and not far <= tolerance * abs(value) < math.inf]
        if by_hand or not suspects:
            return suspects
        bounds = self._evaluated(step, Bounded())
        unit, smallest = SAFETY * self.precision.unit, self.precision.smallest
        return [n for n in suspects if not differences[n] <= unit * bounds[n][1] + smallest < math.inf]

    def _evaluated(self, step: Recorded, by: Arithmetic) -> list[Any]:
        """The numbers of a step, computed from its operands by an arithmetic."""
        def operand(name: str) -> Array:
            try:
                _, axes, _, numbers, *_ = self.log[name]
            except KeyError:
                raise Unfit("unknown", name=name) from None
            return Array(numbers if type(by) is Doubles else map_lists(by.number, numbers), axes)

        return leaves(evaluate(step.expression, by, operand), step.shape)


class Misshapen(Unfit):
    """The recomputed value has another shape than the record."""


def leaves(array: Array, shape: tuple[int, ...]) -> list[Any]:
    """The numbers of an array of this shape, one after another. Raises Misshapen where it has another shape."""
    if len(array.axes) != len(shape):
        raise Misshapen("number_of_axes", found=len(array.axes), wanted=len(shape))
    numbers = [array.numbers]
    for size in shape:
        if other := [len(part) for part in numbers if len(part) != size]:
            raise Misshapen("length", found=other[0], wanted=size)
        numbers = list(chain.from_iterable(numbers))
    return numbers
