"""Steps become blocks: the vector form, the matrix form, the arithmetic of cells, and the checks that close a stage."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from attntrace import blocks
from attntrace.arithmetic import Valued
from attntrace.blocks import Block, Check, Formula, Grid
from attntrace.checks import check_promises, check_rows, has_rows, marked_row, rows_of
from attntrace.figures import Figures
from attntrace.prose import most_specific, sentence
from attntrace.tensor import NeedsAll, Tensor, Term, apply
from attntrace.tracing import Step


class View(NamedTuple):
    """What is shown, and how: which steps, which forms, how much arithmetic, how many digits and numbers."""
    form: str = "both"
    arithmetic: str = "first"
    precision: int = 3
    limit: int | None = None
    selected: frozenset[str] | None = None

    def shows(self, step: Step) -> bool:
        return self.selected is None or step.address in self.selected

    @property
    def forms(self) -> tuple[str, ...]:
        return ("vector", "matrix") if self.form == "both" else (self.form,)


class Stage:
    """Steps that are shown together, token after token."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.steps: list[Step] = []

    def goes_on_with(self, step: Step) -> bool:
        """Whether a step belongs to this stage: same place, same rows, and it needs rows of the stage's steps alone."""
        first = self.steps[0]
        if (step.place, step.stage, step.axes[:1]) != (first.place, first.stage, self.steps[-1].axes[:1]):
            return False
        return not {own.address for own in self.steps} & needed_whole(step)

    @property
    def title(self) -> str:
        place = [part for part in self.steps[0].place.split(".") if not part[-1].isdigit()]
        name = self.steps[0].stage or self.steps[0].name
        return most_specific("titles", place, name) or name.replace("_", " ")


def needed_whole(step: Step) -> set[str | None]:
    """The addresses of the tensors of which one row of a step needs more than one row."""
    return {leaf.address for leaf in rows_of(step, only=1)[0].whole_leaves()}


class Form:
    """A sink that gathers steps into stages and tells each stage, as blocks, once it is complete."""
    part: int
    name: str

    def __init__(self, view: View, tell: Callable[[Iterator[Block]], None], parameters: Container[str]) -> None:
        self.view, self.tell, self.parameters = view, tell, parameters
        self.stage: Stage | None = None
        self.failed: list[Check] = []
        self._shown: set[tuple[str | None, int | None]] = set()  # parameters, by name and block of columns
        self._figures: dict[int, tuple[Valued, Figures]] = {}

    def __call__(self, step: Step) -> None:
        if self.stage is None:
            self.tell(iter([blocks.PartHeading(sentence("messages.part", number=self.part),
                                               sentence(f"messages.{self.name}_form"),
                                               sentence(f"messages.{self.name}_form_subtitle"))]))
            self.stage = Stage(1)
        elif not self.stage.goes_on_with(step):
            self.close()
            self.stage = Stage(self.stage.number + 1)
        self.stage.steps.append(step)

    def close(self) -> None:
        """Tell the last stage."""
        if self.stage is not None and any(map(self.view.shows, self.stage.steps)):
            self.tell(self.blocks_of(self.stage, [step for step in self.stage.steps if self.view.shows(step)]))
        self._figures.clear()

    def blocks_of(self, stage: Stage, steps: list[Step]) -> Iterator[Block]:
        raise AssertionError("every form has its blocks")

    def figures(self, tensor: Valued) -> Figures:
        if id(tensor) not in self._figures:  # the tensor is kept beside, so that its id stays its own
            self._figures[id(tensor)] = tensor, Figures.of(tensor.value, self.view.precision)
        return self._figures[id(tensor)][1]

    def heading(self, stage: Stage, formulas: Sequence[Formula]) -> blocks.StageHeading:
        return blocks.StageHeading(f"{self.part}.{stage.number}", stage.title, stage.steps[0].place, tuple(formulas))

    def corner(self, tensor: Tensor) -> tuple[int, int]:
        """How many rows and columns of a tensor are shown: all, or a corner of at most `limit` numbers."""
        columns = tensor.axes[-1].size if tensor.axes else 1
        rows = tensor.axes[0].size if len(tensor.axes) == 2 else 1
        limit = self.view.limit
        if limit is None or tensor.value.size <= limit:
            return rows, columns
        columns = min(columns, max(int(limit**0.5), limit // rows) if rows > 1 else limit)
        return min(rows, max(limit // columns, 1)), columns

    def is_cut(self, tensor: Tensor) -> bool:
        rows, columns = self.corner(tensor)
        return rows * columns < tensor.value.size

    def grid(self, tensor: Tensor, head: int | None) -> Grid:
        assert tensor.symbol is not None
        rows, columns = self.corner(tensor)
        figures = self.figures(tensor)
        along = [axis.word in ("token", "key") for axis in tensor.axes]
        labels = [axis.labels for axis in tensor.axes]
        if len(tensor.axes) == 2:
            return Grid(tensor.symbol, head, tensor.value[:rows, :columns], figures, tensor.value.shape,
                        labels[0] and labels[0][:rows], labels[1] and labels[1][:columns], hued=along[1])
        if not tensor.axes:
            return Grid(tensor.symbol, head, tensor.value.reshape(1, 1), figures, (), None, None, one_row=True)
        if along[0]:  # one number for each token: a column
            return Grid(tensor.symbol, head, tensor.value[:columns, None], figures, tensor.value.shape,
                        labels[0] and labels[0][:columns], None)
        return Grid(tensor.symbol, head, tensor.value[None, :columns], figures, tensor.value.shape, None,
                    labels[0] and labels[0][:columns], one_row=True)

    def new_parameters(self, steps: list[Step]) -> list[Tensor]:
        """The parameters that these steps use and that this part has not shown yet, in order of use."""
        found = []
        for step in steps:
            for piece in step.made.notation().pieces:
                if not isinstance(piece, Term) or not piece.tensor.axes or piece.tensor.symbol is None:
                    continue
                leaves = list(piece.tensor.leaves())
                key = leaves[0].address, piece.tensor.symbol.above
                if leaves[0].address in self.parameters and key not in self._shown:
                    self._shown.add(key)
                    found.append(piece.tensor)
        return found

    def hidden(self, tensors: list[tuple[str, Tensor]]) -> Iterator[Block]:
        """One note for all tensors of which as many numbers of as many are shown."""
        cut: dict[tuple[int, int], list[str]] = {}
        for address, tensor in tensors:
            rows, columns = self.corner(tensor)
            if self.is_cut(tensor):
                cut.setdefault((rows * columns, tensor.value.size), []).append(address)
        for (shown, numbers), addresses in cut.items():
            yield blocks.Hidden(tuple(addresses), shown, numbers)

    def checked(self, checks: list[Check]) -> Iterator[Block]:
        self.failed += [check for check in checks if check.failed]
        if checks:
            yield blocks.Checks(tuple(checks))


class VectorForm(Form):
    """Part 1: one token at a time, each row computed again from rows."""
    part, name = 1, "vector"

    def blocks_of(self, stage: Stage, steps: list[Step]) -> Iterator[Block]:
        head = steps[0].symbol.head
        rebuilt = [rows_of(step) for step in steps]
        yield self.heading(stage, [row_formula(step, rows[0], 0, "i")
                                   for step, rows in zip(steps, rebuilt, strict=True)])
        used = self.new_parameters(steps)
        if used:
            yield blocks.ParameterGrids(tuple(self.grid(tensor, head) for tensor in used))
            yield from self.hidden([(parameter_name(tensor), tensor) for tensor in used])
        labels = labels_of(steps[0])
        shown = range(min(self.corner(step.tensor)[0] if len(step.axes) == 2 else len(labels) for step in steps))
        yield blocks.VectorRows(tuple(labels[i] for i in shown), tuple(shown),
                                tuple(self.line(step, rows, shown)
                                      for step, rows in zip(steps, rebuilt, strict=True)))
        yield from self.hidden([(step.address, step.tensor) for step in steps])
        yield from self.arithmetic(steps, labels)
        yield from self.checked(check_rows(steps, rebuilt) + check_promises(steps))

    def arithmetic(self, steps: list[Step], labels: tuple[str, ...]) -> Iterator[Block]:
        """The arithmetic of cells, as much of it as the view shows: one block a row, so that no more is kept."""
        first = True
        for step in steps if self.view.arithmetic != "none" else ():
            figures = {id(leaf): self.figures(leaf) for leaf in step.made.leaves()}
            whole = apply(step.made.op, *step.made.operands)
            for start, row in itertools.groupby(self.indices(step), key=lambda index: index[:1]):
                part, left = followed(whole, start)
                yield blocks.CellLines(tuple(self.cell(step, index, *followed(part, left + index[1:]), figures)
                                             for index in row), labels, first)
                first = False

    def line(self, step: Step, rows: list[Tensor], shown: Sequence[int]) -> blocks.RowLine:
        columns = self.corner(step.tensor)[1]
        some = [rows[i] for i in shown]
        axes = some[0].axes
        labels = axes[0].labels if axes else None
        line = blocks.RowLine(tuple(row_formula(step, rows[i], i) for i in shown),
                              np.stack([row.value[:columns] if axes else row.value for row in some]),
                              self.figures(step.tensor), labels and labels[:columns],
                              hued=step.tensor.words[-1:] == ("key",), weights=step.made.op.shares,
                              more=max(some[0].value.size - columns, 0) if axes else 0)
        mixtures = [row.made.op.mixes(*row.made.operands) if row.made and not line.more else None for row in some]
        if mixtures[0]:
            whole = mixtures[0][1]
            assert whole.symbol is not None
            mixed = tuple(whole.symbol.marked(0, n, whole.words) for n in range(whole.axes[0].size))
            weights = next(mixtures[0][0].leaves())
            line = line._replace(mixture=mixed, shares=np.stack([mixture[0].value for mixture in mixtures if mixture]),
                                 share_figures=self.figures(weights))
        return line

    def indices(self, step: Step) -> list[tuple[int, ...]]:
        if self.view.arithmetic == "first":
            return [(0,) * len(step.axes)]
        rows, columns = self.corner(step.tensor)
        sizes = (rows, columns)[2 - len(step.axes):]
        return list(itertools.product(*map(range, sizes)))

    def cell(self, step: Step, index: tuple[int, ...], part: Tensor, rest: tuple[int, ...],
             figures: dict[int, Figures]) -> blocks.CellLine:
        """The arithmetic of one number; in symbols as far as its formula was followed down to single numbers."""
        left = step.symbol
        for n, i in enumerate(index):
            left = left.marked(0, i, step.tensor.words[n:])
        return blocks.CellLine(Formula(left, part.notation().pieces, step.symbol.head), rest, step.made.cell(index),
                               float(step.value[index]), self.figures(step.tensor), figures)


def followed(part: Tensor, index: tuple[int, ...]) -> tuple[Tensor, tuple[int, ...]]:
    """A tensor followed down to its number at `index`, and what is left of the index where it cannot be followed."""
    for n, i in enumerate(index):
        try:
            part = part.at(0, i)
        except NeedsAll:
            return part, index[n:]
    return part, ()


class MatrixForm(Form):
    """Part 2: all tokens at once."""
    part, name = 2, "matrix"

    def blocks_of(self, stage: Stage, steps: list[Step]) -> Iterator[Block]:
        yield self.heading(stage, ())
        drawn: set[int] = set()
        kept = []  # operands live as long as the stage, so that their ids stay their own
        for step in steps:
            terms = [piece.tensor for piece in step.made.notation().pieces if isinstance(piece, Term)]
            terms = [tensor for tensor in terms if tensor.axes]
            kept.append(terms)
            new = self.new_parameters([step])
            if any(self.is_cut(tensor) for tensor in (*terms, step.tensor)):  # corners make no equation
                terms = []
            else:
                new = []
            operands = {id(tensor): self.grid(tensor, step.symbol.head) for tensor in terms}
            formula = Formula(step.symbol, step.made.notation().pieces, step.symbol.head)
            yield blocks.MatrixEquation(formula, step.name, step.tensor.words, operands,
                                        self.grid(step.tensor, step.symbol.head), frozenset(drawn),
                                        tuple(self.grid(tensor, step.symbol.head) for tensor in new))
            yield from self.hidden([*((parameter_name(tensor), tensor) for tensor in new), (step.address, step.tensor)])
            drawn |= {*operands, id(step.tensor)}
            yield from self.checked(check_rows([step], [rows_of(step)]) + check_promises([step]))


FORMS: dict[str, type[Form]] = {"vector": VectorForm, "matrix": MatrixForm}


def labels_of(step: Step) -> tuple[str, ...]:
    """The words before the rows of a step: its tokens, or else numbers; none where it has no rows."""
    if not has_rows(step):
        return ("",)
    return step.axes[0].labels or tuple(str(n + 1) for n in range(step.axes[0].size))


def parameter_name(tensor: Tensor) -> str:
    return next(tensor.leaves()).address or ""


def row_formula(step: Step, row: Tensor, i: int, letter: str | None = None) -> Formula:
    """The equation of a step's row; with a `letter` instead of the token's number."""
    return Formula(marked_row(step, i), row.notation().pieces, step.symbol.head, letter)
