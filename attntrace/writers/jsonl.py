"""Records as JSON Lines."""
from __future__ import annotations

import json
import re
from collections.abc import Container
from typing import Any, TextIO

import numpy as np

from attntrace.pages.numbers import rounded
from attntrace.runs.records import Recorder, footer, header
from attntrace.runs.run import Run
from attntrace.tensor.json_value import Record, json_value
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.addresses import named
from attntrace.tracing.fingerprint import Fingerprint
from attntrace.tracing.trace import Step
from attntrace.writers.page import is_utf8

HIDDEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]")


class JsonLinesWriter:
    """A sink that writes each step when it is told; `selected` limits which are written; `precision`, to how many
    decimals numbers are rounded (None: not at all)."""

    def __init__(self, out: TextIO, run: Run, selected: Container[str] | None, precision: int | None = None,
                 more: Record = {}) -> None:
        self.out, self.selected, self.precision = out, selected, precision
        self._record = Recorder(run.parameters.by_name, self._written)
        self._ascii = not is_utf8(out)
        self.write(header(run) | more)

    def write(self, record: Record) -> None:
        line = json.dumps(record, ensure_ascii=self._ascii)
        if not line.isascii() or "\x7f" in line:  # what could move a terminal's cursor is escaped, in strings alone
            line = HIDDEN.sub(lambda found: json.dumps(found[0])[1:-1], line)
        self.out.write(line + "\n")

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
        out.write(json.dumps({"address": named(address, index), "axes": tensor.axis_names[len(index):],
                              "shape": value.shape, "value": json_value(value)}) + "\n")
