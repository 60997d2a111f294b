"""Every op has its entry wherever ops are listed: what is missing is named, with the place where it is missing."""
import importlib
import pkgutil
import re
from importlib.util import find_spec

import pytest
from command import ROOT
from examples import DERIVATIVES, EXAMPLES, PARTICULAR, PRODUCING, Example

import attntrace
from attntrace.ops.elementwise import Elementwise
from attntrace.tensor.expression import Call
from attntrace.tensor.rounding import FUNCTIONS
from attntrace.tensor.tensor import OPS, Op
from attntrace.verify import ops as checker

for module in pkgutil.walk_packages(attntrace.__path__, "attntrace."):  # wherever a new op may live
    if not module.name.endswith("__main__") and (find_spec("textual") or module.name != "attntrace.player.terminal"):
        importlib.import_module(module.name)


def documented(document: str) -> set[str]:
    parts = (ROOT / "docs" / document).read_text("utf-8").split("\n\n")
    (table,) = [part for part in parts if "| `matmul` `transpose` |" in part]
    return set(re.findall(r"`(\w+)`", table)) & OPS.keys()


def functions_of(example: Example) -> set[str]:
    """The functions by name in the arithmetic of a number."""
    tensor = example.tensor()
    pending, names = [tensor.history.cell((0,) * len(tensor.axes))], set[str]()
    while pending:
        expression = pending.pop()
        pending += expression.parts
        names |= {expression.name} if isinstance(expression, Call) else set()
    return names


ENTRIES = {
    "EXAMPLES in tests/examples.py, by which the laws are held": {example.op for example in EXAMPLES},
    "PRODUCING or PARTICULAR in tests/examples.py": {*PRODUCING, *PARTICULAR},
    "OPS in attntrace/verify/ops.py, the second definition": set(checker.OPS),
    "a gradient: its vjp, or its operands in non_differentiable; or DERIVATIVES in tests/examples.py": {
        *DERIVATIVES, *(name for name, op in OPS.items() if op.vjp is not Op.vjp or op.non_differentiable)},
    "the arithmetic of a number: its cell, or the expression of an elementwise op": {
        name for name, op in OPS.items() if op.cell not in (Op.cell, Elementwise.cell) or hasattr(op, "expression")},
    "FUNCTIONS in attntrace/tensor/rounding.py, for the functions of its arithmetic": {
        *OPS} - {example.op for example in EXAMPLES if functions_of(example) - FUNCTIONS.keys()},
    **{f"the table of ops in docs/{document}": documented(document)
       for document in ("en/addresses-and-formats.md", "ko/addresses-and-formats.md")}}


@pytest.mark.parametrize("place", ENTRIES)
def test_every_op_has_its_entry(place):
    assert OPS.keys() <= ENTRIES[place], f"{sorted(OPS.keys() - ENTRIES[place])} lacks {place}"
    assert ENTRIES[place] <= OPS.keys(), f"no op: {sorted(ENTRIES[place] - OPS.keys())} in {place}"
