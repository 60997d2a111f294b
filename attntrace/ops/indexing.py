"""The ops that select or join parts of a matrix (columns, concat, table look-up), and their reverses."""
from functools import lru_cache, reduce
from itertools import accumulate

import numpy as np

from attntrace.tensor.axes import Axes, Axis, AxisError
from attntrace.tensor.expression import Call, Expression, Indexed, LookUp, Number, SideBySide, sum_of
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array, Name, Op, Tensor, apply, zeros

axis_of_columns = lru_cache(256)(Axis)


class SliceColumns(Op, name="columns"):
    """Columns `first` to `last` (from 1) of the last axis, under another axis name: a head's block of W_Q or b_Q."""
    first: int
    last: int
    axis_name: str

    @property
    def width(self) -> int:
        return self.last - self.first + 1

    def axes(self, x: Tensor) -> Axes:
        if not 1 <= self.first <= self.last <= x.axes[-1].size:
            raise AxisError(f"no columns {self.first} to {self.last}", x)
        return *x.axes[:-1], axis_of_columns(self.axis_name, self.width)

    def compute(self, x: Tensor) -> Array:
        return x.value[..., self.first - 1:self.last]

    def symbol(self, x: Tensor) -> Symbol | None:
        """W_Q⁽²⁾, where the columns are the second of equal blocks."""
        whole = x.symbol
        equal = not (self.first - 1) % self.width and not x.axes[-1].size % self.width
        if whole is None or whole.superscript is not None or whole.transposed or not equal:
            return None
        if whole.indices and whole.indices[-1].position is not None:  # one column, not a block
            return None
        return whole._replace(superscript=(self.first - 1) // self.width + 1)

    def formula(self, x: Tensor) -> Expression:
        return Indexed(x.formula(), *[":"] * (len(x.axes) - 1), f"{self.first}-{self.last}")

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        if k == len(x.axes) - 1:
            return x.take(k, self.first - 1 + i)
        return apply(self, x.take(k, i))

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        return x.cell((*index[:-1], index[-1] + self.first - 1))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(PadColumns(self.first, self.last, x.axes[-1]), gradient)


class PadColumns(Op, name="among_columns"):
    """Zeros except in columns `first` to `last` (from 1) of the last axis: the gradient of a slice of columns."""
    first: int
    last: int
    axis: Axis

    def axes(self, x: Tensor) -> Axes:
        return *x.axes[:-1], self.axis

    def compute(self, x: Tensor) -> Array:
        whole = np.zeros([axis.size for axis in self.axes(x)], x.value.dtype)
        whole[..., self.first - 1:self.last] = x.value
        return whole

    def formula(self, x: Tensor) -> Expression:
        return Call(f"columns {self.first}-{self.last}", x.formula())

    def row(self, k: int, i: int, x: Tensor) -> Tensor:
        last = len(x.axes) - 1
        if k < last:
            return apply(self, x.take(k, i))
        if self.first - 1 <= i < self.last:
            return x.take(last, i - self.first + 1)
        return zeros(x.axes[:-1], x.value.dtype)

    def cell(self, index: tuple[int, ...], x: Tensor) -> Expression:
        column = index[-1] - self.first + 1
        inside = 0 <= column < x.axes[-1].size
        return x.cell((*index[:-1], column)) if inside else Number(0.0)

    def vjp(self, n: int, gradient: Tensor, result: Tensor, x: Tensor) -> Tensor:
        return apply(SliceColumns(self.first, self.last, x.axes[-1].name), gradient)

    def over_tokens(self, x: Tensor) -> tuple[list[Tensor], Tensor] | None:
        inner = None if x.is_leaf else x.history.op.over_tokens(*x.history.operands)
        return inner and (inner[0], apply(self, inner[1]))


class Concat(Op, name="concat"):
    """The operands side by side along their last axis, [Z⁽¹⁾ ; Z⁽²⁾] (section 3.2.2)."""
    axis_name: str

    def axes(self, *operands: Tensor) -> Axes:
        if any(operand.axes[:-1] != operands[0].axes[:-1] for operand in operands):
            raise AxisError("matrices whose other axes differ", *operands)
        return *operands[0].axes[:-1], Axis(self.axis_name, sum(operand.axes[-1].size for operand in operands))

    def compute(self, *operands: Tensor) -> Array:
        return np.concatenate([operand.value for operand in operands], axis=-1)

    def formula(self, *operands: Tensor) -> Expression:
        return SideBySide(*(operand.formula() for operand in operands))

    def starts(self, *operands: Tensor) -> list[int]:
        """The first column (from 0) of each operand in the result."""
        return list(accumulate((operand.axes[-1].size for operand in operands[:-1]), initial=0))

    def source(self, column: int, *operands: Tensor) -> tuple[Tensor, int]:
        """The operand that a column (from 0) of the result comes from, and its number there."""
        start, operand = max((start, n) for n, start in enumerate(self.starts(*operands)) if start <= column)
        return operands[operand], column - start

    def row(self, k: int, i: int, *operands: Tensor) -> Tensor:
        last = len(operands[0].axes) - 1
        if k < last:
            return apply(self, *(operand.take(k, i) for operand in operands))
        operand, column = self.source(i, *operands)
        return operand.take(last, column)

    def cell(self, index: tuple[int, ...], *operands: Tensor) -> Expression:
        operand, column = self.source(index[-1], *operands)
        return operand.cell((*index[:-1], column))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, *operands: Tensor) -> Tensor:
        start, axis = self.starts(*operands)[n], operands[n].axes[-1]
        return apply(SliceColumns(start + 1, start + axis.size, axis.name), gradient)


class Gather(Op, name="rows", non_differentiable=(1,)):
    """Rows of a table by their numbers (from 1), W_E[id]. table: vocab × …; ids: token, or one number."""

    def axes(self, table: Tensor, ids: Tensor) -> Axes:
        return ids.axes + table.axes[1:]

    def compute(self, table: Tensor, ids: Tensor) -> Array:
        return table.value.take(ids.value - 1, axis=0)

    def formula(self, table: Tensor, ids: Tensor) -> Expression:
        return LookUp(Name(table), Name(ids))

    def row(self, k: int, i: int, table: Tensor, ids: Tensor) -> Tensor:
        if k < len(ids.axes):
            return apply(self, table, ids.take(k, i))
        if not ids.axes:
            return table.take(0, int(ids.value) - 1).take(0, i)
        return apply(self, table.take(1, i), ids)

    def cell(self, index: tuple[int, ...], table: Tensor, ids: Tensor) -> Expression:
        return table.cell((int(ids.value[index[:len(ids.axes)]]) - 1, *index[len(ids.axes):]))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, table: Tensor, ids: Tensor) -> Tensor:
        return apply(ScatterAdd(table.axes[0]), gradient, ids)


class ScatterAdd(Op, name="into_rows", same_formula_for_all_rows=False, non_differentiable=(1,)):
    """Rows added into the rows of a table with those numbers (from 1), 0 elsewhere: the gradient of a look-up."""
    axis: Axis

    def axes(self, rows: Tensor, ids: Tensor) -> Axes:
        return (self.axis,) + rows.axes[len(ids.axes):]

    def compute(self, rows: Tensor, ids: Tensor) -> Array:
        table = np.zeros([axis.size for axis in self.axes(rows, ids)], rows.value.dtype)
        order = np.argsort(ids.value, kind="stable")  # sums of runs, four times as fast as np.add.at
        sorted_ids = ids.value[order]
        starts = np.flatnonzero(np.diff(sorted_ids, prepend=0))
        table[sorted_ids[starts] - 1] = np.add.reduceat(rows.value[order], starts, axis=0)
        return table

    def formula(self, rows: Tensor, ids: Tensor) -> Expression:
        return Call("into rows", Name(ids), rows.formula())

    def row(self, k: int, i: int, rows: Tensor, ids: Tensor) -> Tensor:
        if k:
            return apply(self, rows.take(k, i), ids)
        at = np.flatnonzero(ids.value == i + 1).tolist()
        if not at:
            return zeros(rows.axes[1:], rows.value.dtype)
        return reduce(Tensor.__add__, (rows.take(0, n) for n in at))

    def cell(self, index: tuple[int, ...], rows: Tensor, ids: Tensor) -> Expression:
        at = np.flatnonzero(ids.value == index[0] + 1).tolist()
        return sum_of(*(rows.cell((n, *index[1:])) for n in at)) if at else Number(0.0)

    def vjp(self, n: int, gradient: Tensor, result: Tensor, rows: Tensor, ids: Tensor) -> Tensor:
        return apply(Gather(), gradient, ids)


columns = lru_cache(1024)(SliceColumns)  # every layer takes those of the same heads


def slice_columns(x: Tensor, first: int, last: int, axis_name: str) -> Tensor:
    return apply(columns(first, last, axis_name), x)


def concat(parts: list[Tensor], axis_name: str) -> Tensor:
    return apply(Concat(axis_name), *parts)


gather = Gather()  # of a table and ids
