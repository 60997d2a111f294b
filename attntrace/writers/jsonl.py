"""Records as JSON Lines."""
import json
from typing import TextIO

import numpy as np

from attntrace.messages.unicode import shown
from attntrace.pages.numbers import rounded
from attntrace.runs.run import Subject, header
from attntrace.tensor.tensor import Record, Tensor, json_value
from attntrace.tracing.addresses import cell_name
from attntrace.writers.page import is_utf8


class JsonLinesWriter:
    """Writes each record with its numbers; `precision`, to how many decimals they are rounded (None: not at all)."""

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
