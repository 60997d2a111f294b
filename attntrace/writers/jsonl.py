"""Records as JSON Lines."""

import json
from collections.abc import Container
from typing import Any, TextIO

import numpy as np

from attntrace.messages.unicode import shown
from attntrace.pages.numbers import rounded
from attntrace.runs.records import Recorder, footer, header
from attntrace.runs.run import Subject
from attntrace.tensor.tensor import Record, Tensor, json_value
from attntrace.tracing.addresses import cell_name
from attntrace.tracing.trace import Fingerprint, Step
from attntrace.writers.page import is_utf8


class JsonLinesWriter:
    """A sink that writes each step; `selected` limits which are written; `precision`, to how many
    decimals numbers are rounded (None: not at all)."""

    def __init__(self, out: TextIO, subject: Subject, selected: Container[str] | None,
                 precision: int | None = None) -> None:
        self.out, self.selected, self.precision = out, selected, precision
        self._record = Recorder(subject.run.parameters.by_name, self._written)
        self._ascii = not is_utf8(out)
        self.write(header(subject))

    def write(self, record: Record) -> None:
        line = json.dumps(record, ensure_ascii=self._ascii)  # where what nobody would see stands in strings only
        self.out.write(shown(line, escape=lambda char: json.dumps(char)[1:-1]) + "\n")

    def _written(self, record: Record, tensor: Tensor) -> None:
        self.write(record | {"value": json_value(rounded(tensor.value, self.precision))})

    def __call__(self, step: Step) -> None:
        if self.selected is None or step.address in self.selected:
            self._record(step)
            self.out.flush()

    def close(self, fingerprint: Fingerprint, more: dict[str, Any] = {}) -> None:
        self.write(footer(fingerprint) | more)

    @staticmethod
    def alone(out: TextIO, tensor: Tensor, address: str, index: tuple[int, ...], precision: int | None) -> None:
        """A tensor, a row or a number of it, without anything around it."""
        value = rounded(np.asarray(tensor.value[index]), precision)
        out.write(json.dumps({"address": cell_name(address, index), "axes": tensor.axis_names[len(index):],
                              "shape": value.shape, "value": json_value(value)}) + "\n")
