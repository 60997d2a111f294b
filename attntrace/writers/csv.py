"""Numbers as CSV, a line each: address, row, column, their labels, value."""
from collections.abc import Iterator
from itertools import repeat
from typing import NamedTuple, TextIO

import numpy as np

from attntrace.messages.unicode import shown
from attntrace.pages.numbers import rounded
from attntrace.runs.run import Subject
from attntrace.tensor.symbol import POSITIONS
from attntrace.tensor.tensor import Record, Tensor

COLUMNS = ("address", "row", "column", "row_label", "column_label", "value")


class CsvWriter:
    """Writes the numbers of each record. Rows and columns count from 1; a single number has neither, a number for each
    token no column, one for each column of a model's axis no row."""

    def __init__(self, out: TextIO, subject: Subject, precision: int | None) -> None:
        self.out, self.precision = out, precision
        out.write(",".join(COLUMNS) + "\n")

    def write(self, record: Record, tensor: Tensor) -> None:
        address = str(record["address"] if "address" in record else record["parameter"])
        self.out.writelines(lines(tensor, address, (), self.precision, self.out.encoding or "utf-8"))

    def close(self, footer: Record) -> None:
        """A table has nothing at its end."""

    @staticmethod
    def alone(out: TextIO, tensor: Tensor, address: str, index: tuple[int, ...], precision: int | None) -> None:
        """A tensor, a row or a number of it, as a table of its own."""
        out.write(",".join(COLUMNS) + "\n")
        out.writelines(lines(tensor, address, index, precision, out.encoding or "utf-8"))


def lines(tensor: Tensor, address: str, index: tuple[int, ...], precision: int | None, encoding: str) -> Iterator[str]:
    """The lines of a tensor, or of what is at an index (from 0) of it."""
    rows, columns = sides(tensor, encoding)
    values = np.asarray(tensor.value).reshape(len(rows), len(columns))
    positions = iter(index)
    if rows[0].number and (i := next(positions, None)) is not None:
        rows, values = rows[i:i + 1], values[i:i + 1]
    if columns[0].number and (j := next(positions, None)) is not None:
        columns, values = columns[j:j + 1], values[:, j:j + 1]
    number = "%r\n" if precision is None else f"%.{precision}f\n"
    name = field(shown(address, encoding))
    for row, numbers in zip(rows, rounded(values, precision), strict=True):
        place = f"{name},{row.number}"
        form = "".join([f"{place},{column.number},{row.label},{column.label},".replace("%", "%%") + number
                        for column in columns])
        yield form % tuple(numbers.tolist())


class Position(NamedTuple):
    """One of an axis: its number, from 1, and its word; neither, where there is no such axis."""
    number: str = ""
    label: str = ""


def sides(tensor: Tensor, encoding: str) -> tuple[list[Position], list[Position]]:
    """The rows and the columns of a tensor."""
    axes = [[Position(str(n + 1), field(shown(label, encoding)))
             for n, label in enumerate(axis.labels or repeat("", axis.size))] for axis in tensor.axes]
    if len(axes) == 1 and tensor.axis_names[0] not in POSITIONS:
        return [Position()], axes[0]
    rows, columns, *_ = *axes, [Position()], [Position()]
    return rows, columns


def field(text: str) -> str:
    """A text as it stands between commas."""
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text
