"""The numbers of tensors for programs: as CSV, as JSON Lines."""
import json
from collections.abc import Iterator
from itertools import repeat
from typing import TextIO

import numpy as np

from attntrace.messages.unicode import shown
from attntrace.pages.numbers import rounded
from attntrace.runs.run import Subject, header
from attntrace.tensor.symbol import POSITIONS
from attntrace.tensor.tensor import Record, Tensor, json_value
from attntrace.tracing.addresses import cell_name
from attntrace.writers.page import is_utf8


class CsvWriter:
    """Writes the numbers of each record, a line each. Rows and columns count from 1; a single number has neither, a
    number for each token no column, one for each column of a model's axis no row."""
    has_footer = False

    def __init__(self, out: TextIO, subject: Subject | None, precision: int | None) -> None:
        self.out, self.precision = out, precision
        out.write("address,row,column,row_label,column_label,value\n")

    def write(self, record: Record, tensor: Tensor) -> None:
        address = str(record["address"] if "address" in record else record["parameter"])
        self.out.writelines(self.lines(tensor, address, ()))

    @classmethod
    def alone(cls, out: TextIO, tensor: Tensor, address: str, index: tuple[int, ...], precision: int | None) -> None:
        """A tensor, a row or a number of it, as a table of its own."""
        out.writelines(cls(out, None, precision).lines(tensor, address, index))

    def lines(self, tensor: Tensor, address: str, index: tuple[int, ...]) -> Iterator[str]:
        """The lines of each row of a tensor, or of what is at an index (from 0) of it."""
        sides = [[(str(n), self.field(label)) for n, label in enumerate(axis.labels or repeat("", axis.size), start=1)]
                 for axis in tensor.axes]
        sides[:len(index)] = [[side[i]] for side, i in zip(sides, index)]
        none = [("", "")]
        is_row = len(sides) == 1 and tensor.axis_names[0] not in POSITIONS
        rows, columns = (none, *sides) if is_row else (*sides, none, none)[:2]
        values = rounded(np.asarray(tensor.value[index]).reshape(len(rows), len(columns)), self.precision)
        name, form = self.field(address), "" if self.precision is None else f".{self.precision}f"
        for (row, its_label), numbers in zip(rows, values, strict=True):
            yield "".join([f"{name},{row},{column},{its_label},{label},{number:{form}}\n"
                           for (column, label), number in zip(columns, numbers.tolist(), strict=True)])

    def field(self, text: str) -> str:
        """A text as it stands between commas."""
        text = shown(text, self.out.encoding or "utf-8")
        return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


class JsonLinesWriter:
    """Writes each record with its numbers; `precision`, to how many decimals they are rounded (None: not at all)."""
    has_footer = True

    def __init__(self, out: TextIO, subject: Subject, precision: int | None) -> None:
        self.out, self.precision = out, precision
        self._ascii = not is_utf8(out)
        self._line(header(subject))

    def _line(self, record: Record) -> None:
        line = json.dumps(record, ensure_ascii=self._ascii)  # where what nobody would see stands in strings only
        self.out.write(shown(line, escape=lambda char: json.dumps(char)[1:-1]) + "\n")

    def write(self, record: Record, tensor: Tensor) -> None:
        self._line(record | {"value": json_value(rounded(tensor.value, self.precision))})

    def close(self, footer: Record) -> None:
        self._line(footer)

    @staticmethod
    def alone(out: TextIO, tensor: Tensor, address: str, index: tuple[int, ...], precision: int | None) -> None:
        """A tensor, a row or a number of it, without anything around it."""
        value = rounded(np.asarray(tensor.value[index]), precision)
        out.write(json.dumps({"address": cell_name(address, index), "axes": tensor.axis_names[len(index):],
                              "shape": value.shape, "value": json_value(value)}) + "\n")
