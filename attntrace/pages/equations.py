"""What is written for a step: its equation, that of a row, the names beside it."""
from __future__ import annotations

from collections.abc import Iterator

from attntrace.pages.blocks import CellLine, Formula, Grid, Hidden
from attntrace.pages.checks import marked_row
from attntrace.pages.numbers import Figures
from attntrace.pages.view import View
from attntrace.tensor.errors import NotRowwise
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.trace import Step, joined


def whole_formula(step: Step) -> Formula:
    return Formula(step.symbol, step.node.notation().pieces, step.symbol.head)


def row_formula(step: Step, row: Tensor, i: int, letter: str | None = None) -> Formula:
    """The equation of a step's row; with a `letter` instead of the token's number."""
    return Formula(marked_row(step, i), row.notation().pieces, step.symbol.head, letter)


def any_row_formula(step: Step, row: Tensor) -> Formula:
    """The equation of every row, of which `row` is one: `sᵢ = qᵢ Kᵀ`. That of the whole, where rows are not alike."""
    return row_formula(step, row, 0, "i") if step.node.op.same_formula_for_all_rows else whole_formula(step)


def followed(part: Tensor, index: tuple[int, ...]) -> tuple[Tensor, tuple[int, ...]]:
    """A tensor followed down to its number at `index`, and what is left of the index where it cannot be followed."""
    for n, i in enumerate(index):
        try:
            part = part.take(0, i)
        except NotRowwise:
            return part, index[n:]
    return part, ()


def cell_line(step: Step, index: tuple[int, ...], part: Tensor, rest: tuple[int, ...], figures: Figures,
              figures_of: dict[int, Figures]) -> CellLine:
    """The arithmetic of one number; in symbols as far as its formula was `followed` down to single numbers."""
    formula = Formula(step.symbol.at(index, step.tensor.axis_names), part.notation().pieces, step.symbol.head)
    return CellLine(formula, rest, step.node.cell(index), float(step.value[index]), figures, figures_of, step.rounding)


def label_of(step: Step) -> str:
    """What stands beside its equation: its name in its place, or its address where that is another."""
    return f".{step.name}" if step.address == joined(step.place, step.name) else step.address


def parameter_name(tensor: Tensor) -> str:
    return next(tensor.leaves()).address or ""


def grid(tensor: Tensor, head: int | None, figures: Figures, corner: tuple[int, int], weights: bool = False) -> Grid:
    """A tensor as a grid of numbers, or as much of it as its corner has (rows, columns; see View.corner); `weights`:
    whether these are attention weights, which are shaded."""
    assert tensor.symbol is not None
    rows, columns = corner
    along = [axis.name in ("token", "key") for axis in tensor.axes]
    labels = [axis.labels for axis in tensor.axes]
    address = tensor.address or ""
    if len(tensor.axes) == 2:
        return Grid(tensor.symbol, head, tensor.value[:rows, :columns], figures, tensor.value.shape,
                    labels[0] and labels[0][:rows], labels[1] and labels[1][:columns], hued=along[1], weights=weights,
                    address=address)
    if not tensor.axes:
        return Grid(tensor.symbol, head, tensor.value.reshape(1, 1), figures, (), None, None, one_row=True,
                    address=address)
    if along[0]:  # one number for each token: a column
        return Grid(tensor.symbol, head, tensor.value[:columns, None], figures, tensor.value.shape,
                    labels[0] and labels[0][:columns], None, address=address)
    return Grid(tensor.symbol, head, tensor.value[None, :columns], figures, tensor.value.shape, None,
                labels[0] and labels[0][:columns], one_row=True, address=address)


def hidden(view: View, tensors: list[tuple[str, Tensor]], rows: tuple[int, int] | None = None) -> Iterator[Hidden]:
    """One note for all tensors of which as many numbers of as many are shown; `rows`: how many, of how many that
    were asked for."""
    cut: dict[tuple[int, int], list[str]] = {}
    for address, tensor in tensors:
        here, columns = view.corner(tensor)
        shown, wanted = rows if rows and len(tensor.axes) == 2 else (here, tensor.value.size // tensor.axes[-1].size
                                                                     if tensor.axes else 1)
        whole = wanted * tensor.axes[-1].size if tensor.axes else 1
        if shown * columns < whole:
            cut.setdefault((shown * columns, whole), []).append(address)
    for (shown, numbers), addresses in cut.items():
        yield Hidden(tuple(addresses), shown, numbers)
