"""Expressions as JSON, with the annotations that turn them back into ops and tensors.

An expression is for every reader: ops by name over addresses and numbers. To print the same equations again, a reader
also needs the symbols of constants and the axes that an op creates. These are the annotations, in the order of the ops
and constants in the expression. In a record they stand under the key `notes`."""
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

import numpy as np

from attntrace.files.archive import check_types, name_of
from attntrace.messages.catalog import Message
from attntrace.tensor.axes import Axis
from attntrace.tensor.symbol import AxisIndex, Symbol
from attntrace.tensor.tensor import OPS, Array, Node, Op, Record, Tensor, apply, op_without_settings

Annotations = list[Any]
Parsed = Callable[[], Tensor]  # computes a parsed expression
OF_SYMBOL = {"letter": str, "sub": str, "hat": bool, "primes": int, "superscript": int | None, "head": int | None,
             "transposed": bool, "gradient": bool}  # the types of its fields
STORED_AS = {"superscript": "above", "indices": "marks", "path": "via"}  # fields whose stored names differ


class ExpressionWriter:
    """Writes annotations. Each axis of a run, with its labels, and each constant has a number."""

    def __init__(self) -> None:
        self._axes: dict[Axis, int] = {}
        self._constants: dict[Tensor, int] = {}

    def axis(self, axis: Axis) -> int:
        """Return the number of an axis."""
        return self._axes.setdefault(axis, len(self._axes))

    def axes(self) -> list[Any]:
        """Return the table of axes, by their numbers."""
        return [list(axis) for axis in self._axes]

    def annotations(self, node: Node) -> Iterator[Any]:
        """Yield what the expression of a node leaves out."""
        if is_dataclass(node.op):
            values = (getattr(node.op, field.name) for field in fields(node.op))
            yield [[self.axis(value)] if isinstance(value, Axis) else value for value in values]
        for operand in node.operands:
            if operand.address is not None:
                continue
            if operand.node is not None:
                yield from self.annotations(operand.node)
            else:
                number = self._constants.setdefault(operand, len(self._constants))
                yield [number, operand.symbol and operand.symbol.spelled(), operand.value.dtype.str,
                       list(map(self.axis, operand.axes))]


class ExpressionReader:
    """Reads expressions with annotations. Named operands come from `tensor_of`; one constant is one tensor
    again, so that a matrix used twice is drawn once."""

    def __init__(self, axes: list[Axis], tensor_of: Callable[[str], Tensor]) -> None:
        self.axes, self.tensor_of = axes, tensor_of
        self._constants: dict[int, Tensor] = {}

    def __call__(self, expression: list[Any], annotations: Annotations) -> Parsed:
        """Parse; return a function that computes. Raises ValueError, or what Python raises for nonsense."""
        rest = iter(annotations)
        parsed = self._parsed(expression, rest)
        if next(rest, None) is not None:
            raise ValueError(Message("problem.why.notes_left"))
        return parsed

    def _parsed(self, expression: list[Any], annotations: Iterator[Any]) -> Parsed:
        name, *rest = expression
        if is_dataclass(OPS[name]):  # its fields: settings, and axes by their numbers
            values = next(annotations)
            op = OPS[name](*(self.axes[value[0]] if isinstance(value, list) else value for value in values))
        else:
            op = op_without_settings(name)
        settings = op.settings()
        count = len(rest) - len(settings)
        if count < 1 or rest[count:] != settings:
            raise ValueError(Message("problem.why.notes_differ", name=name))
        operands = [self._operand(one, annotations) for one in rest[:count]]
        return lambda: apply(op, *(operand() for operand in operands))

    def _operand(self, expression: Any, annotations: Iterator[Any]) -> Parsed:
        if isinstance(expression, list) and expression and isinstance(expression[0], str) and expression[0] in OPS:
            return self._parsed(expression, annotations)
        if isinstance(expression, str) and expression.lstrip("-") != "inf":
            tensor = self.tensor_of(expression)
            return lambda: tensor
        number, symbol, dtype, axes = next(annotations)
        if number not in self._constants:
            own = tuple(self.axes[axis] for axis in axes)
            value = np.array(expression, dtype=dtype)  # also reads "-inf", as JSON spells it
            self._constants[number] = Tensor(value.reshape([axis.size for axis in own]), own,
                                             None if symbol is None else Symbol.of(symbol))
        return partial(self._constants.__getitem__, number)


def tensor_from(record: Record, value: Array, axes: list[Axis]) -> Tensor:
    """Return the parameter or the step of a record, without its history."""
    own = tuple(axes[number] for number in record["along"])
    return Tensor(value, own, symbol_from(record["sign"]), name_of(record))


def symbol_record(symbol: Symbol) -> Record:
    """Return the fields of a symbol that differ from those of a plain letter, by their stored names."""
    record = {STORED_AS.get(name, name): value for name, value in symbol._asdict().items()
              if value != Symbol._field_defaults.get(name)}
    if symbol.path is not None:
        record["via"] = symbol_record(symbol.path)
    return record


def symbol_from(record: Record) -> Symbol:
    """Return the symbol of a record. Raises TypeError for a field of another type."""
    fields_of = {stored: name for name, stored in STORED_AS.items()}
    values = Symbol("")._asdict() | {fields_of.get(name, name): value for name, value in record.items()}
    check_types(values, OF_SYMBOL)
    if values["path"] is not None:
        values["path"] = symbol_from(values["path"])
    values["indices"] = tuple(AxisIndex(*index) for index in values["indices"])
    return Symbol(**values)
