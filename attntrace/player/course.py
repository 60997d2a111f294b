"""What the player goes through: the steps of a run in their stages, each as a matrix of numbers with its arithmetic."""
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple

from attntrace.messages.catalog import Localized
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import Config
from attntrace.pages.blocks import CellLine, Formula, Grid
from attntrace.pages.checks import rows_of
from attntrace.pages.numbers import Figures
from attntrace.pages.stages import Stage
from attntrace.pages.view import grid, whole_formula
from attntrace.pages.why import CellAt, CellOf, Why, ranked
from attntrace.runs.run import Subject
from attntrace.player.names import Names
from attntrace.tensor.expression import Ref
from attntrace.tensor.rounding import FULL_PRECISION
from attntrace.tensor.tensor import Tensor, drawn_in
from attntrace.tracing.addresses import Address, Cell, Known, find_address, matches, no_such_tensor, row_of, without_row
from attntrace.tracing.trace import Step

LARGEST = 4_096  # numbers of an operand that is drawn as a matrix
MANY = 200  # leaves, for each of which an arithmetic takes too long to be evaluated for a key


class Place(NamedTuple):
    """A number: the address of its step, and its row and column, from 0."""
    address: str
    row: int
    column: int


class Matrix:
    """A tensor as rows and columns: one axis of words is a column, any other one a row."""

    def __init__(self, tensor: Tensor, head: int | None, precision: int, exact: bool, place: str) -> None:
        rows, columns = [1, *(axis.size for axis in tensor.axes)][-2:] if tensor.axes else (1, 1)
        self.tensor = tensor
        self.grid: Grid = grid(tensor, head, Figures.of(tensor.value, precision, exact), (rows, columns), place=place)
        self.rows, self.columns = self.grid.values.shape

    def index(self, row: int, column: int) -> tuple[int, ...]:
        axes = len(self.tensor.axes)
        return (row, column) if axes == 2 else () if not axes else (column,) if self.grid.one_row else (row,)

    def at(self, index: tuple[int, ...]) -> tuple[int, int]:
        """The row and the column of an index, of which some of the last positions may be missing."""
        full = (*index, 0, 0)
        one_row = len(self.tensor.axes) != 2 and self.grid.one_row
        return (0, full[0]) if one_row else (full[0], full[1])

    @cached_property
    def sources(self) -> dict[tuple[int, int], CellOf]:
        """Which number of which leaf stands at each row and column; nothing where it is computed from several."""
        cells = {(y, x): self.tensor.cell(self.index(y, x)) for y in range(self.rows) for x in range(self.columns)}
        return {at: (one.tensor, one.index) for at, one in cells.items() if isinstance(one, Ref)}


class Board(Matrix):
    """A step: its matrix, its formula, and the matrices in it that may be drawn."""

    def __init__(self, step: Step, precision: int) -> None:
        self.step, exact = step, step.rounding is not FULL_PRECISION
        super().__init__(step.tensor, step.symbol.head, precision, exact, step.address)
        self.formula: Formula = whole_formula(step)
        self.operands = {tensor: Matrix(tensor, step.symbol.head, precision, exact, step.address)
                         for tensor in drawn_in(self.formula.right)
                         if tensor.axes and tensor.symbol is not None and tensor.value.size <= LARGEST}


class Course:
    """The steps of a subject, by stage; what is computed of them is kept."""

    def __init__(self, subject: Subject, precision: int) -> None:
        steps: dict[str, Step] = {}
        subject(lambda step: steps.__setitem__(step.address, step))
        self.steps, self.addresses, self.precision = steps, list(steps), precision
        self.config: Config = subject.run.config
        self.parameters: Mapping[str, Tensor] = subject.run.parameters.by_name
        self.of_steps = Names({address: step.tensor.symbol for address, step in steps.items()})
        self.of_parameters = Names({name: tensor.symbol for name, tensor in self.parameters.items()})
        self.symbols: Known = {**self.of_steps.known, **self.of_parameters.known}
        self.has_training = any(Address.of(address).is_of_training for address in steps)
        self.stages = stages_of(steps.values())
        self.stage_of = {step.address: stage for stage in self.stages for step in stage.steps}
        self.why = Why(steps.get, precision)
        self.boards: dict[str, Board] = {}
        self.ranked: dict[CellAt, list[Ref]] = {}
        self.drawn: dict[Tensor, Matrix] = {}
        self.lines: dict[CellAt, CellLine] = {}
        self.read: dict[CellAt, list[Ref]] = {}

    def board(self, address: str) -> Board:
        if address not in self.boards:
            self.boards[address] = Board(self.steps[address], self.precision)
        return self.boards[address]

    def index(self, place: Place) -> tuple[int, ...]:
        return self.board(place.address).index(place.row, place.column)

    def line(self, place: Place) -> CellLine:
        """The arithmetic of a number, as `why` has it."""
        key = place.address, self.index(place)
        if key not in self.lines:
            known = self.why.known(place.address)
            assert known is not None
            self.lines[key] = known.line(key[1])
        return self.lines[key]

    def leaves(self, place: Place) -> list[Ref]:
        """The numbers that the arithmetic of a number reads, as often as it does."""
        key = place.address, self.index(place)
        if key not in self.read:
            self.read[key] = list(self.line(place).arithmetic.leaves())
        return self.read[key]

    def operands(self, place: Place) -> list[Ref]:
        """The numbers that a number was computed from, the largest contribution first."""
        key = place.address, self.index(place)
        if key not in self.ranked:
            line = self.line(place)
            self.ranked[key] = ranked(line.arithmetic, line.rounding)
        return self.ranked[key]

    def is_long(self, place: Place) -> bool:
        return len(self.leaves(place)) > MANY

    def title(self, address: str) -> Localized:
        return self.stage_of[address].title

    def place_of(self, address: str, index: tuple[int, ...]) -> Place:
        return Place(address, *self.board(address).at(index))

    @lru_cache(64)
    def meant(self, typed: str) -> tuple[str, tuple[str, ...], list[str]]:
        """An address without the row in it, that row, and what it may mean: steps, or, where no step fits it or it is
        exactly one, parameters."""
        for names in [self.of_parameters] if typed in self.parameters else [self.of_steps, self.of_parameters]:
            known = names.may_fit(typed, without_row(typed)[0])
            address, row = row_of(typed, known)
            fitting = matches(address, known) if address else []
            if fitting:
                return address, row, fitting
        return typed, (), []

    def found(self, text: str, suggests: bool = True) -> Place:
        """The number that was typed as `ADDRESS:ROW,COLUMN`, or the first one of a step or row. Raises Problem, which
        suggests addresses that are near to one that does not exist."""
        cell = Cell.read(text.strip())
        whole, row, meant = self.meant(cell.address)
        cell = Cell(whole, row + cell.positions)
        typed = Address.of(whole)
        is_of_training = typed.is_of_training or typed.name.startswith(("∂L", "dL")) or whole in ("L", "loss")
        if is_of_training and not meant and not self.has_training:
            raise Problem("play_backprop", pattern=shown(whole))
        if not meant:
            raise no_such_tensor(whole, self.symbols if suggests else ())
        address = find_address(whole, {one: self.symbols[one] for one in meant})
        if address not in self.steps:
            reader = next((step.address for step in self.steps.values() if any(
                leaf.address == address for leaf in step.node.leaves())), "-")
            raise Problem("play_parameter", address=address, reader=reader)
        return self.place_of(address, cell.index_in(self.steps[address].axes, address))

    def typed(self, place: Place) -> str:
        """A place as a person may type it: with the shortest end of its address that is unique, and with words."""
        return str(Cell(self.end_of(place.address), self.words(place)))

    def tables(self, place: Place) -> list[Matrix]:
        """The tensors that the arithmetic of a number reads, as matrices, those that are not too large."""
        step, tables = self.steps[place.address], list[Matrix]()
        for tensor in dict.fromkeys(ref.tensor for ref in self.leaves(place)):
            if isinstance(tensor, Tensor) and tensor.symbol and len(tensor.axes) == 2 and tensor.value.size <= LARGEST:
                if tensor not in self.drawn:
                    self.drawn[tensor] = Matrix(tensor, step.symbol.head, self.precision,
                                                step.rounding is not FULL_PRECISION, step.address)
                tables.append(self.drawn[tensor])
        return tables

    def end_of(self, address: str) -> str:
        """The shortest end of an address that is unique."""
        parts = address.split(".")
        ends = (".".join(parts[n:]) for n in range(len(parts) - 1, -1, -1))
        return next((one for one in ends if matches(one, self.symbols) == [address]), address)

    def words(self, place: Place) -> tuple[str, ...]:
        """The words of the row and the column of a number, or their numbers."""
        axes = self.steps[place.address].axes
        return tuple(position(axis.labels, i) for axis, i in zip(axes, self.index(place)))


def position(labels: tuple[str, ...] | None, i: int) -> str:
    """A word where it stands once and has nothing in it that needs quotes; else its number."""
    word = labels[i] if labels is not None else ""
    is_plain = word.replace("_", "a").replace("'", "").isalnum() and not word.isdecimal()
    return word if labels is not None and is_plain and labels.count(word) == 1 else str(i + 1)


def stages_of(steps: Iterable[Step]) -> list[Stage]:
    stages = [Stage(1)]
    for step in steps:
        if stages[-1].steps and not stages[-1].goes_on_with(step, rows_of(step, 1)[0]):
            stages.append(Stage(len(stages) + 1))
        stages[-1].steps.append(step)
    return stages
