"""The equations of a step and of its rows, and the arithmetic of a number."""
from collections.abc import Mapping

from attntrace.pages.blocks import CellLine, Formula
from attntrace.pages.checks import marked_row
from attntrace.pages.numbers import Figures
from attntrace.tensor.axes import NotRowwise
from attntrace.tensor.expression import HasValue
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.addresses import address_in
from attntrace.tracing.trace import Step


def whole_formula(step: Step) -> Formula:
    return Formula(step.symbol, step.node.formula(), step.symbol.head)


def row_formula(step: Step, row: Tensor, i: int, letter: str | None = None) -> Formula:
    """The equation of a step's row; with a `letter` instead of the token's number."""
    return Formula(marked_row(step, i), row.formula(), step.symbol.head, letter)


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
              figures_of: Mapping[HasValue, Figures]) -> CellLine:
    """The arithmetic of one number; in symbols as far as its formula was `followed` down to single numbers."""
    formula = Formula(step.symbol.at(index, step.tensor.axis_names), part.formula(), step.symbol.head)
    return CellLine(formula, rest, step.node.cell(index), float(step.value[index]), figures, figures_of, step.rounding)


def label_of(step: Step) -> str:
    """What stands beside its equation: its name in its place, or its address where that is another."""
    return f".{step.name}" if step.address == address_in(step.place, step.name) else step.address


def parameter_name(tensor: Tensor) -> str:
    return next(tensor.leaves()).address or ""
