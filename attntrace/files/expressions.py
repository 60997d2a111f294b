"""How a step was made, written down beside its expression and read back.

An expression is for everybody: ops by name over addresses and numbers. To draw the same equations again it takes a
little more: what a constant is called, and the axes that an op makes. These are the notes, in the order in which
ops and constants stand in the expression.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np

from attntrace.files.archive import check_types, name_of
from attntrace.messages.catalog import Message
from attntrace.tensor.axes import Axis
from attntrace.tensor.json_value import Record
from attntrace.tensor.symbol import Mark, Symbol
from attntrace.tensor.tensor import OPS, Array, Node, Op, Tensor, apply, op_without_settings

Notes = list[Any]


class Unreadable(ValueError):
    """An expression and its notes that are no making of a step."""


class ExpressionWriter:
    """Notes that name each axis of a run, with its labels, and each constant by a number of its own."""

    def __init__(self) -> None:
        self._axes: dict[Axis, int] = {}
        self._constants: dict[int, tuple[int, Tensor]] = {}  # by id; the tensor is kept, so that its id stays its own

    def axis(self, axis: Axis) -> int:
        return self._axes.setdefault(axis, len(self._axes))

    def axes(self) -> list[Any]:
        """The table of axes, which belongs to the notes."""
        return [list(axis) for axis in self._axes]

    def __call__(self, node: Node) -> Notes:
        """What the expression of a making leaves out."""
        return list(self._notes(node))

    def _notes(self, node: Node) -> Iterator[Any]:
        if is_dataclass(node.op):
            values = (getattr(node.op, field.name) for field in fields(node.op))
            yield [[self.axis(value)] if isinstance(value, Axis) else value for value in values]
        for operand in node.operands:
            if operand.address is not None:
                continue
            if operand.node is not None:
                yield from self._notes(operand.node)
            else:
                number, _ = self._constants.setdefault(id(operand), (len(self._constants), operand))
                yield [number, operand.symbol and operand.symbol.spelled(), operand.value.dtype.str,
                       list(map(self.axis, operand.axes))]


class Parsed(NamedTuple):
    """An op and its operands, of which nothing is computed yet."""
    op: Op
    operands: list[Tensor | Parsed]

    def node(self) -> Node:
        return Node(self.op, tuple(one.computed() if isinstance(one, Parsed) else one for one in self.operands))

    def computed(self) -> Tensor:
        node = self.node()
        return apply(node.op, *node.operands)


class ExpressionReader:
    """Makings out of expressions and notes; named operands come from `tensor_of`. What was one constant is one again:
    a matrix that was drawn once is not drawn twice."""

    def __init__(self, axes: list[Axis], tensor_of: Callable[[str], Tensor]) -> None:
        self.axes, self.tensor_of = axes, tensor_of
        self._constants: dict[int, Tensor] = {}

    def __call__(self, expression: list[Any], notes: Notes) -> Parsed:
        """Parse; nothing is computed. Raises Unreadable, or what Python raises for nonsense."""
        left = iter(notes)
        parsed = self._parsed(expression, left)
        if next(left, None) is not None:
            raise Unreadable(Message("problem.why.notes_left"))
        return parsed

    def _parsed(self, expression: list[Any], notes: Iterator[Any]) -> Parsed:
        name, *rest = expression
        op = self._op(name, notes)
        settings = op.settings()
        count = len(rest) - len(settings)
        if count < 1 or rest[count:] != settings:
            raise Unreadable(Message("problem.why.notes_differ", name=name))
        return Parsed(op, [self._operand(one, notes) for one in rest[:count]])

    def _op(self, name: str, notes: Iterator[Any]) -> Op:
        kind: Any = OPS[name]
        if not is_dataclass(kind):
            return op_without_settings(name)
        return OPS[name](*(self.axes[value[0]] if isinstance(value, list) else value for value in following(notes)))

    def _operand(self, expression: Any, notes: Iterator[Any]) -> Tensor | Parsed:
        if isinstance(expression, list) and expression and isinstance(expression[0], str) and expression[0] in OPS:
            return self._parsed(expression, notes)
        if isinstance(expression, str) and expression.lstrip("-") != "inf":
            return self.tensor_of(expression)
        number, symbol, dtype, axes = following(notes)
        if number not in self._constants:
            own = tuple(self.axes[axis] for axis in axes)
            value = np.array(expression, dtype=dtype)  # "-inf" as well, which is how JSON has to spell it
            self._constants[number] = Tensor(value.reshape([axis.size for axis in own]), own,
                                             None if symbol is None else Symbol.of(symbol))
        return self._constants[number]


def following(notes: Iterator[Any]) -> Any:
    """The next note. Raises Unreadable where there is none: a StopIteration would end what reads the operands."""
    for note in notes:
        return note
    raise Unreadable(Message("problem.why.notes_few"))


def tensor_from(record: Record, value: Array, axes: list[Axis]) -> Tensor:
    """The parameter or the step of a record, without its making."""
    own = tuple(axes[number] for number in record["along"])
    return Tensor(value, own, symbol_read(record["sign"]), name_of(record))


def symbol_written(symbol: Symbol) -> dict[str, Any]:
    """The fields of a symbol that are not what they are of a plain letter."""
    found = {name: value for name, value in symbol._asdict().items() if value != Symbol._field_defaults.get(name)}
    if symbol.via is not None:
        found["via"] = symbol_written(symbol.via)
    return found


OF_SYMBOL = {"letter": str, "sub": str, "hat": bool, "primes": int, "above": int | None, "head": int | None,
             "transposed": bool, "gradient": bool}


def symbol_read(found: dict[str, Any]) -> Symbol:
    check_types(Symbol("")._asdict() | found, OF_SYMBOL)
    facts = dict(found)
    if "via" in facts:
        facts["via"] = symbol_read(facts["via"])
    if "marks" in facts:
        facts["marks"] = tuple(Mark(*mark) for mark in facts["marks"])
    return Symbol(**facts)
