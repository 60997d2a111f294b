"""Numbers to text: decimals and width are chosen once a tensor, from its smallest and its largest number."""
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from attntrace.tensor.tensor import Array

LARGE = 1e7  # a tensor with such a number has a factor
SMALLEST_POWER = -300  # whose inverse is a float
MAP_DECIMALS = 2  # of attention weights in a picture
MANY = 1_000  # numbers from which on they are written all at once, as bytes


class Figures(NamedTuple):
    """How the numbers of one tensor are written.

    decimals: digits after the point; before, after: cells before the decimal point, and from it on, so that columns of
    different tensors can be lined up at the point; power: of ten, the factor of all of them that is written once (0:
    there is none)."""
    decimals: int
    before: int
    after: int
    power: int = 0

    @classmethod
    def of(cls, values: Array, precision: int, exact: bool = False) -> "Figures":
        """Fixed decimals; none for whole numbers; a factor that leaves the largest number one digit before the point,
        where two decimals or more would show at most one digit of it (one or none: no digit), or where it reaches ten
        million: never where the numbers have no more decimals than these, and so are written as they are (`exact`)."""
        finite = values
        low, high = float(values.min(initial=0)), float(values.max(initial=0))
        if not math.isfinite(low + high):
            finite = values[np.isfinite(values)]
            low, high = float(finite.min(initial=0)), float(finite.max(initial=0))
        largest = max(-low, high)
        whole = (exact or largest < LARGE) and bool((finite == np.rint(finite)).all())
        decimals = 0 if whole else precision
        has_factor = not (whole or exact) and (largest >= LARGE
                                               or round(largest * 10**precision) < (10 if precision > 1 else 1))
        power = max(int(f"{largest:.{decimals}e}".partition("e")[2]), SMALLEST_POWER) if has_factor else 0
        draft = cls(decimals, 0, 0, power)
        after = decimals + 1 if decimals else 0
        before = max(len(draft.digits(end).partition(".")[0]) for end in (low, high))
        if finite is not values:
            before = max(before, len("-inf" if np.isneginf(values).any() else "inf") - after)
        return cls(decimals, before, after, power)

    @classmethod
    def fixed(cls, decimals: int) -> "Figures":
        """So many decimals whatever the numbers, of numbers from 0 to 1."""
        return cls(decimals, 1, decimals + 1 if decimals else 0)

    @property
    def width(self) -> int:
        return self.before + self.after

    def digits(self, number: float) -> str:
        """One number before the factor: `0` is exact, `0.000` is rounded, and never `-0.000`."""
        if number == 0:
            return "0"
        if not math.isfinite(number):
            return str(number)
        text = f"{number * 10.0**-self.power if self.power else number:.{self.decimals}f}"
        return text[1:] if text.startswith("-") and float(text) == 0 else text

    def text(self, number: float) -> str:
        """One number, as it stands in a sum: the same digits, with the factor as `e-03`; where these are fewer than
        two, more digits and a factor of its own."""
        if not self.power or not number or not math.isfinite(number):
            return self.digits(number)
        return self.legible(number) if abs(number) < 10 * self.unit else f"{self.digits(number)}e{self.power:+03d}"

    def rows(self, numbers: Array, widths: Sequence[int] = ()) -> list[str]:
        """The rows of a matrix before their factor: numbers lined up at the decimal point, with a space between them;
        `widths` widen single columns."""
        if self.power:
            return self._replace(power=0).rows(numbers.astype(np.float64) * 10.0**-self.power, widths)
        if widths and min(widths) == max(widths):  # all columns alike
            return self._replace(before=widths[0] - self.after).rows(numbers)
        if numbers.size >= MANY:
            return rows_of_digits(self, numbers, widths)
        widths = widths or [self.width] * numbers.shape[1]
        pad = self.after - (self.decimals and self.decimals + 1)  # behind the last decimal
        end = f".{self.decimals}f{' ' * pad}"
        form = " ".join([f"%{wide - pad}{end}" for wide in widths])
        zero = ("%" + end.rstrip()) % 0 if self.decimals else "-0"
        texts = []
        for values in numbers.tolist():
            text = form % tuple(values)
            if zero in text or pad and "inf" in text:  # perhaps a 0, a -0.000, an infinity beside other decimals
                text = " ".join([self.padded(value).rjust(wide)
                                 for wide, value in zip(widths, values, strict=True)])
            texts.append(text)
        return texts

    def padded(self, number: float) -> str:
        """One number in a cell as `rows` has it."""
        text = self.digits(number)
        if not math.isfinite(number):
            return text.rjust(self.width)
        left, point, right = text.partition(".")
        return left.rjust(self.before) + (point + right).ljust(self.after)

    def legible(self, number: float, exact: bool = False) -> str:
        """One number with digits that count, also where the others of its tensor are much larger, and with a factor of
        its own; `exact`: it has no more decimals than are written."""
        if not exact and number and (self.power or self.decimals and abs(number) < 10 * self.unit):
            return f"{number:.{self.decimals}e}"
        return self.text(number)

    @property
    def unit(self) -> float:
        """What the last digit counts."""
        return 10.0 ** (self.power - self.decimals)


def rounded(numbers: Array, decimals: int | None) -> Array:
    """Numbers as they are when they are written with so many decimals; as they are anyway, where that is None."""
    if decimals is None or not numbers.size:
        return numbers
    texts = " ".join([f"%.{decimals}f"] * numbers.size) % tuple(numbers.ravel().tolist())
    return np.array(texts.split(), dtype=np.float64).reshape(numbers.shape) + 0.0  # never -0


def lined_up(all_figures: Iterable[Figures]) -> tuple[int, int]:
    """Cells before and from the decimal point on, for columns that hold the numbers of several tensors."""
    figures_of_all = list(all_figures)
    return tuple(max(getattr(figures, side) for figures in figures_of_all) for side in ("before", "after"))


AT_ONCE = 16_384  # numbers whose bytes stay in the processor's cache
EXACT = 2**32  # units of the last decimal: below, a product with a power of ten is right to a fourth of a millionth
HALFWAY = 0.5 - 1e-6  # of a unit: up to here, it is rounded as the number itself
BLANK, MINUS, POINT, ZERO, NEWLINE = b" -.0\n"


def rows_of_digits(figures: Figures, numbers: Array, widths: Sequence[int] = ()) -> list[str]:
    """Each row as `%.{decimals}f` writes its numbers, in cells of these figures, with a space between them; `widths`
    widen single columns.

    What is no plain number (0, infinities) and what lies halfway between two decimals, where a product in binary may
    round to the wrong one, is written by `padded`."""
    columns = numbers.shape[1]
    ends = np.cumsum(np.array(widths or [figures.width] * columns) + 1)  # of cells, with the space behind them
    step = max(1, AT_ONCE // columns)
    rows: list[str] = []
    for start in range(0, len(numbers), step):
        some = numbers[start:start + step]
        cells = _cells(figures, some.ravel().astype(np.float64)).reshape(len(some), -1)
        if widths:
            wide = np.full((len(some), ends[-1]), BLANK, "u1")
            wide[:, (ends[:, None] + np.arange(-figures.width - 1, 0)).ravel()] = cells
            cells = wide
        cells[:, -1] = NEWLINE
        rows += str(cells.data, "ascii").split("\n")[:-1]
    return rows


def _cells(figures: Figures, values: Array) -> Array:
    """For each number the bytes of its cell, and a blank behind it."""
    decimals, before, width = figures.decimals, figures.before, figures.width + 1
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.abs(values) * 10.0**decimals
        units = np.rint(scaled)
        odd = ~(units < EXACT) | (np.abs(scaled - units) > HALFWAY)
    units[odd] = 0
    rest = units.astype("u4")
    signs = np.multiply((values < 0) & (rest > 0), MINUS - BLANK, dtype="u1") + np.uint8(BLANK)
    cells = np.full((len(values), width), BLANK, "u1")
    if decimals:
        cells[:, before] = POINT
    for place in reversed(range(before + decimals)):
        tens = rest // 10
        digits = (rest - tens * 10 + ZERO).astype("u1")
        if place < before - 1:  # left of the digit before the point: of some numbers the sign, or blank
            digits = np.where(rest > 0, digits, signs)
            signs = np.where(rest > 0, signs, np.uint8(BLANK))
        cells[:, place + (place >= before)] = digits
        rest = tens
    for number in (0.0, -np.inf) if odd.any() or not values.all() else ():  # the frequent ones, behind masks
        if (alike := values == number).any():
            cells[alike] = written(figures, number)
            odd &= ~alike
    if odd.any():  # each different one once
        different, inverse = np.unique(values[odd], return_inverse=True)
        cells[odd] = np.array([written(figures, number) for number in different.tolist()])[inverse]
    return cells


def written(figures: Figures, number: float) -> Array:
    return np.frombuffer(f"{figures.padded(number)} ".encode(), "u1")
