"""Steps as JSON Lines: a header, each parameter before its first use, each step, a footer."""
from __future__ import annotations

import json
import re
from collections.abc import Container
from typing import Any, TextIO

import attntrace
from attntrace.plain import plain_value
from attntrace.run import Run
from attntrace.tensor import Tensor
from attntrace.tokens import Words
from attntrace.tracing import Fingerprint, Step


HIDDEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]")


class JsonLinesWriter:
    """A sink that writes each step when it is told; `selected` limits which are written."""

    def __init__(self, out: TextIO, run: Run, selected: Container[str] | None, more: dict[str, Any] = {}) -> None:
        self.out, self.run, self.selected = out, run, selected
        self._parameters = {tensor.address: tensor for tensor in run.parameters}
        self._ascii = (out.encoding or "utf-8").lower().replace("-", "") != "utf8"
        self.write(header(run) | more)

    def write(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=self._ascii)
        if not line.isascii() or "\x7f" in line:  # what could move a terminal's cursor is escaped, in strings alone
            line = HIDDEN.sub(lambda found: json.dumps(found[0])[1:-1], line)
        self.out.write(line + "\n")

    def __call__(self, step: Step) -> None:
        if self.selected is not None and step.address not in self.selected:
            return
        leaves = dict.fromkeys(leaf.address for leaf in step.made.leaves() if leaf.address is not None)
        for address in leaves:
            if address in self._parameters:  # told once, before its first use
                self.write(parameter(self._parameters.pop(address)))
        self.write({"address": step.address, "symbol": step.symbol.spelled(head=step.symbol.head),
                    "formula": step.formula(), "axes": step.tensor.words, "shape": step.value.shape,
                    "expression": step.made.expression(), "parents": list(leaves), "value": plain_value(step.value)})
        self.out.flush()

    def close(self, fingerprint: Fingerprint, more: dict[str, Any] = {}) -> None:
        self.write({"steps": fingerprint.steps, "fingerprint": str(fingerprint), "comparable": fingerprint.comparable}
                   | more)


def header(run: Run) -> dict[str, Any]:
    config = {field: getattr(run.config, field) for field in run.config.__dataclass_fields__}
    origin = {"seed": run.seed} if run.weights is None else {"weights": run.weights}
    return {"attntrace": attntrace.__version__, "config": config, **origin, "changes": [],
            "tokens": {"source": words(run.source), "target": words(run.target) if run.target else None}}


def words(said: Words) -> list[dict[str, Any]]:
    return [{"id": id, "text": text} for id, text in zip(said.ids, said.texts, strict=True)]


def parameter(tensor: Tensor) -> dict[str, Any]:
    return {"parameter": tensor.address, "axes": tensor.words, "shape": tensor.value.shape,
            "value": plain_value(tensor.value)}
