"""Which steps, rows and digits of a run are shown; a tensor as the matrix of numbers that is shown of it; the equations
of a step and of its rows, and the arithmetic of a number."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from attntrace.messages.catalog import Message
from attntrace.pages.blocks import Answer, Block, CellLine, Formula, Grid, Grids, Heading, Hues, Prose, hues_of
from attntrace.pages.numbers import Figures
from attntrace.pages.topics import topic_of
from attntrace.tensor.axes import NotRowwise
from attntrace.tensor.expression import HasValue
from attntrace.tensor.symbol import POSITIONS, Symbol
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.addresses import Address, address_in, cell_name, means_row

if TYPE_CHECKING:
    from attntrace.tracing.trace import Step  # showing one tensor of a file needs no model

FEW = 16  # columns, of which none is left out: d_ff of the small model
SHORT = 22  # columns that have room on a wide page, about


class View(NamedTuple):
    """What is shown, and how: which steps, tokens and forms, how much arithmetic, how many digits and numbers; whether
    these digits are all there are (`exact`), and whether it is explained."""
    form: str = "both"
    arithmetic: str = "first"
    precision: int = 3
    limit: int | None = None
    selected: frozenset[str] | None = None
    tokens: tuple[str, ...] = ()
    exact: bool = False
    explain: bool = True
    in_full: bool = False  # also a parameter whose numbers are all the same
    short: bool = False  # whether columns that have no room on the page are left out there
    wired: bool = False  # whether the page gets blocks of Wiring
    topic: Callable[[str], str | None] = topic_of  # that explains a step, by its address

    def shows(self, step: Step) -> bool:
        return self.selected is None or step.address in self.selected

    def rows(self, step: Step) -> list[int]:
        """Return the rows of a step that are shown: those of the chosen tokens, or all."""
        labels = step.labels
        if not self.tokens or step.tensor.axis_names[:1] != ("token",):
            return list(range(len(labels)))
        return [i for i, label in enumerate(labels) if any(means_row(asked, i, label) for asked in self.tokens)]

    def corner(self, tensor: Tensor) -> tuple[int, int]:
        """Return how many rows and columns of a tensor are shown: all, or a corner of at most `limit` numbers; in short
        form all columns, of which the page takes some, and as many rows as these leave."""
        columns = tensor.axes[-1].size if tensor.axes else 1
        rows = tensor.axes[0].size if len(tensor.axes) == 2 else 1
        if self.limit is None or tensor.value.size <= self.limit:
            return rows, columns
        if self.shortens(tensor):
            return min(rows, max(self.limit // min(columns, SHORT), 1)), columns
        columns = min(columns, max(int(self.limit**0.5), self.limit // rows) if rows > 1 else self.limit)
        return min(rows, max(self.limit // columns, 1)), columns

    def shortens(self, tensor: Tensor) -> bool:
        """Whether columns of a tensor may be left out on the page: of many, those that are no words of a sentence."""
        return self.short and bool(tensor.axes) and tensor.axes[-1].size > FEW and tensor.axes[-1].name not in POSITIONS

    def cuts(self, tensor: Tensor) -> bool:
        rows, columns = self.corner(tensor)
        return rows * columns < tensor.value.size

    @property
    def forms(self) -> tuple[str, ...]:
        return ("vector", "matrix") if self.form == "both" else (self.form,)


def hues_along(tensor: Tensor, k: int, place: str = "") -> Hues:
    """The hues of the words along an axis: those of a sentence have some, as words of the source or of the target. In
    cross-attention the source is looked at; keys and values are its. `place`: of a tensor without an address."""
    axis = tensor.axes[k]
    if axis.name not in POSITIONS or axis.labels is None:
        return ()
    of = Address.of(Address.of(next(tensor.leaves()).address or place).forward)
    is_key = axis.name == ("token" if tensor.symbol and tensor.symbol.transposed else "key")
    crosses = of.sub_layer == "cross_attention" and (is_key or of.name in ("key", "value"))
    return hues_of(axis.labels, of.stack in ("decoder", "output", "loss") and not crosses)


def grid(tensor: Tensor, head: int | None, figures: Figures, corner: tuple[int, int], weights: bool = False,
         place: str = "", short: bool = False) -> Grid:
    """A tensor as a grid of numbers, or as much of it as its corner has (rows, columns; see View.corner); `weights`:
    whether these are attention weights, which are shaded; `place`: where it is used, if it has no address."""
    assert tensor.symbol is not None
    rows, columns = corner
    along = [axis.name in POSITIONS for axis in tensor.axes]
    labels = [axis.labels for axis in tensor.axes]
    hues = [hues_along(tensor, k, place) for k in range(len(tensor.axes))]
    whole = partial(Grid, tensor.symbol, head, figures=figures, shape=tensor.value.shape,
                    address=tensor.address or "", short=short)
    if len(tensor.axes) == 2:
        return whole(values=tensor.value[:rows, :columns], row_labels=labels[0] and labels[0][:rows],
                     column_labels=labels[1] and labels[1][:columns], row_hues=hues[0][:rows],
                     column_hues=hues[1][:columns], weights=weights)
    if not tensor.axes:
        return whole(values=tensor.value.reshape(1, 1), row_labels=None, column_labels=None, one_row=True)
    words = labels[0] and labels[0][:columns]
    if along[0]:  # one number for each token: a column
        return whole(values=tensor.value[:columns, None], row_labels=words, column_labels=None,
                     row_hues=hues[0][:columns])
    return whole(values=tensor.value[None, :columns], row_labels=None, column_labels=words,
                 column_hues=hues[0][:columns], one_row=True)


def hidden(view: View, tensors: list[tuple[str, Tensor]], rows: tuple[int, int] | None = None) -> Iterator[Prose]:
    """One note for all tensors of which as many numbers (or rows) of as many are shown; `rows`: how many, of how many
    that were asked for."""
    cut: dict[tuple[str, int, int], list[str]] = {}
    for address, tensor in tensors:
        here, columns = view.corner(tensor)
        width = tensor.axes[-1].size if tensor.axes else 1
        shown, wanted = rows if rows and len(tensor.axes) == 2 else (here, tensor.value.size // width)
        if shown * columns < wanted * width:
            found = ("hidden_rows", shown, wanted) if view.shortens(tensor) and shown < wanted else (
                "hidden", shown * columns, wanted * width)
            cut.setdefault(found, []).append(address)
    for (key, shown, every), addresses in cut.items():
        yield Prose(Message(f"messages.{key}", addresses=", ".join(addresses), shown=f"{shown:,}",
                            hidden=f"{every - shown:,}", numbers=f"{every:,}"), note=True)


def alone(tensor: Tensor, address: str, index: tuple[int, ...], view: View) -> list[Block]:
    """A number at an index of a tensor; else the tensor or its row there, below its name. A row is drawn as one, also a
    row of key positions."""
    if len(index) == len(tensor.axes):
        figures = Figures.of(tensor.value, view.precision, view.exact)
        return [Answer(figures.legible(float(tensor.value[index]), view.exact))]
    symbol = tensor.symbol and tensor.symbol.at(index, tensor.axis_names)  # as it is called in equations
    part, name = Tensor(tensor.value[index], tensor.axes[len(index):], symbol), cell_name(address, index)
    drawn = grid(part, None, Figures.of(part.value, view.precision, view.exact), view.corner(part),
                 place=address, short=view.shortens(part))
    if index and not drawn.one_row:
        drawn = drawn._replace(values=drawn.values.T, row_labels=None, column_labels=drawn.row_labels, row_hues=(),
                               column_hues=drawn.row_hues, one_row=True)
    return [Heading(f"{name}   {' × '.join(part.axis_names)}"), Grids((drawn,)),
            *hidden(view, [(name, part)])]


def whole_formula(step: Step) -> Formula:
    return Formula(step.symbol, step.node.formula(), step.symbol.head)


def marked_row(step: Step, i: int) -> Symbol:
    return step.symbol.indexed(0, i, step.tensor.axis_names) if step.has_rows else step.symbol


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
