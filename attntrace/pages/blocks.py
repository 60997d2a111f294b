"""What a page is made of: frozen, without behaviour. Blocks hold symbols, formula trees, arrays and messages, not their
text; a block that is `apart` is set off from what is above it, in formats that do not set off every block.

Tuples, because a data class takes seven times as long to define, and all are defined at every start."""
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple, get_args

from attntrace.messages.catalog import Joined, Message, Text
from attntrace.model.tokens import START
from attntrace.pages.numbers import Figures
from attntrace.tensor.expression import Expression, HasValue
from attntrace.tensor.rounding import FULL_PRECISION, Rounding
from attntrace.tensor.symbol import Symbol, equal_within_type
from attntrace.tensor.tensor import Array, Node, Tensor


class Formula(NamedTuple):
    """left = right, as it is written inside the equations of a head; `row` replaces the number of the token."""
    left: Symbol
    right: Expression
    head: int | None
    row: str | None = None


Cell = Text | Formula  # of a table
Hues = tuple[int | None, ...]  # of words, those of the source below FAMILY; None: a word without one
FAMILY = 6  # hues of each of the two sentences


@lru_cache(256)  # every matrix of a run has them
def hues_of(words: tuple[str, ...], is_target: bool) -> Hues:
    """The hues of the words of a sentence: always the same for a word, on every page of the sentence, under the words
    of a target that are read, which begin with START, and those that are written."""
    plain = dict.fromkeys((START, *words) if is_target else words)
    numbers = {word: n % FAMILY + is_target * FAMILY for n, word in enumerate(plain)}
    return tuple(numbers[word] for word in words)


def hues_in(words: Iterable[str], sentence: Iterable[str] | None, hues: Hues) -> Hues:
    """The hues that words have in a sentence, whose hues these are; other words have none."""
    known = dict(zip(sentence or (), hues))
    return tuple(known.get(word) for word in words)


class Title(NamedTuple):
    """What the page is about. The command that makes it again stands with it: a long one behind a short result."""
    text: Text
    has_result: bool = True


class PartHeading(NamedTuple):
    name: Text
    title: Text = ""
    subtitle: Text = ""


class StageHeading(NamedTuple):
    """`right`: whether everything held that was checked of its steps; None where nothing was."""
    number: str
    title: Text
    place: str
    formulas: tuple[Formula, ...]
    here: str = ""  # the address of its first step
    right: bool | None = None


class Explained(NamedTuple):
    """What the steps of a stage are, and why they are there: of each, once a page, its title and what is said of it."""
    topics: tuple[tuple[Text, Text], ...]


class Heading(NamedTuple):
    """A line above prose or a table that belongs to no stage; or where the stages that follow stand (`of_place`):
    `Encoder, layer 1`, with an address that is `here`. A step of decoding has its `number`."""
    text: Text
    apart: bool = False
    of_place: bool = False
    here: str = ""
    number: tuple[int, ...] = ()


class Prose(NamedTuple):
    """Sentences, indented under a stage; a `note` is less important than what is beside it."""
    text: Text
    apart: bool = False
    note: bool = False


class Answer(NamedTuple):
    """What was asked for, alone in a line: a number, or a sentence (`is_words`: of words that come from the reader or a
    file)."""
    text: Text
    is_words: bool = False
    apart: bool = False


class Table(NamedTuple):
    """Columns of words and numbers under headings; the cells of a `tokens` column have the `hues` of their rows, those
    of a `words` column come from the reader or a file as well. A row of one cell alone is the heading of those below
    it. Of `addresses` in the first column, where the table is too wide, the place is such a heading."""
    headings: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]
    tokens: tuple[int, ...] = ()
    right: tuple[int, ...] = ()
    title: Text = ""
    words: tuple[int, ...] = ()
    addresses: bool = False
    apart: bool = False
    hues: tuple[Hues, ...] = ()  # of each column of tokens
    legend: Text = ""  # what the headings mean, below the title
    places: tuple[tuple[str, ...], ...] = ()  # of the numbers at the end of each row


class Grid(NamedTuple):
    """A matrix, or a row (`one_row`), with its name and the words along its axes; those of a sentence have hues
    (those of a vocabulary have none); `weights`: a row divides 1 among its columns."""
    symbol: Symbol
    head: int | None
    values: Array
    figures: Figures
    shape: tuple[int, ...]
    row_labels: tuple[str, ...] | None
    column_labels: tuple[str, ...] | None
    row_hues: Hues = ()
    column_hues: Hues = ()
    one_row: bool = False
    weights: bool = False
    formula: Expression | None = None  # what stands in place of its name, where it has none
    address: str = ""  # of the step or the parameter, where it is one, or some columns of one
    constant: bool = False  # whether it may be said in a line that all its numbers are the same
    short: bool = False  # whether columns that have no room beside the first and the last may be left out


class Grids(NamedTuple):
    """Matrices without signs between them: parameters, before they are used; the terms of a sum, below its equation."""
    grids: tuple[Grid, ...]
    formula: Formula | None = None


class RowLine(NamedTuple):
    """One vector (or one number) of each token: its equations and its values, computed from rows."""
    formulas: tuple[Formula, ...]
    values: Array  # a row, or a number, for each token
    figures: Figures
    labels: tuple[str, ...] | None
    hues: Hues = ()  # of its labels, or of the rows that it mixes
    weights: bool = False  # whether a row divides 1 among its columns
    mixture: tuple[Symbol, ...] = ()  # the rows that the `shares` mix, where each row is such a mixture
    shares: Array | None = None
    share_figures: Figures | None = None
    more: int = 0  # numbers that are not shown
    address: str = ""
    name: str = ""  # of the step in its place, or its address where that is another
    short: bool = False  # as of a grid


class VectorRows(NamedTuple):
    """The rows of a stage, token after token: the words, the number of each (from 0), and what is said of all;
    `first_weights`: whether no weights are above them on the page."""
    tokens: tuple[str, ...]
    numbers: tuple[int, ...]
    lines: tuple[RowLine, ...]
    hues: Hues = ()
    first_weights: bool = False


class CellLine(NamedTuple):
    """The arithmetic behind one number: in symbols, in the printed numbers, and the result."""
    formula: Formula
    picked: tuple[int, ...]  # what is picked out of the formula's result, from 0; () where the formula gives the number
    arithmetic: Expression
    result: float
    figures: Figures
    figures_of: Mapping[HasValue, Figures]  # how the numbers of each operand are written
    rounding: Rounding = FULL_PRECISION  # by which it was worked out


class CellLines(NamedTuple):
    """The arithmetic of cells, under the rows of the tokens whose labels are `tokens`."""
    cells: tuple[CellLine, ...]
    tokens: tuple[str, ...]
    apart: bool = True


class Cause(NamedTuple):
    """Why a number is what it is: how many operands deep it lies, its place, its arithmetic (None: explained above),
    places of operands that are not followed from here by the key of the reason (a note has none), the words of its row
    and column."""
    level: int
    place: str
    cell: CellLine | None
    operands: tuple[tuple[str, tuple[str, ...]], ...] = ()
    words: tuple[str, ...] = ()


class MatrixEquation(NamedTuple):
    """A step in matrix form. `drawn` says which operands may shrink to their symbol: they were drawn in this stage.
    Where a matrix is too large to be shown whole, no operand is drawn but the `parameters` that are new; nor where the
    result is a copy, whose numbers are said once."""
    formula: Formula
    step: str  # its name in its place, or its address where that is another; the address is that of the result
    axes: tuple[str, ...]
    operands: dict[Tensor, Grid]
    result: Grid
    drawn: frozenset[Tensor]
    parameters: tuple[Grid, ...] = ()


class Maps(NamedTuple):
    """The attention weights of a place as pictures, one a head, shaded as parts of the `largest` of them; with their
    numbers where there is room, which is taken if they are `asked` for. `brief`: small, as part of a result, with the
    likeliest `next_words` and their probabilities beside the rows, and the `next_places` of these. `rows`: those
    (from 0) of the steps that it is `of`, head by head."""
    title: Text
    place: str
    heads: tuple[Grid, ...]
    largest: float
    asked: bool
    brief: bool = False
    next_words: tuple[tuple[str, float], ...] = ()
    next_hues: Hues = ()
    next_places: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    of: tuple[str, ...] = ()


class Result(NamedTuple):
    """What the page comes to, in some lines, which --quiet prints alone. `is_short`: in its first line."""
    blocks: tuple[Prose | Answer | Table | Maps, ...]
    is_short: bool = True


class Check(NamedTuple):
    """Something that must be true: the key of its sentence, the symbols it speaks of, and by how much it is not."""
    key: str
    matrices: tuple[Symbol, ...]
    rows: tuple[Symbol, ...]
    head: int | None
    digits: int
    failed: str = ""  # the address of the step where it is not true
    row: int = 0
    error: float = 0.0
    more: dict[str, str] = {}  # other facts of its sentence


class Wired(NamedTuple):
    """How the numbers of a step are computed, and written: the op and the operands behind them, and the figures of
    these; to how many decimals each operation is rounded, if it is."""
    tensor: Tensor
    node: Node
    figures: Figures
    figures_of: Mapping[HasValue, Figures]
    pencil: int | None = None


class Wiring(NamedTuple):
    """What a page needs to work out by itself how a number comes about. It is not shown: only a page that can answer
    has it. `command`: the one that tells the same of the number at `{place}`; `parameters`: the names of all;
    `targets`: what `{target}` is for each step of a translation, nothing where it cannot be typed."""
    steps: tuple[Wired, ...] = ()
    command: str = ""
    parameters: frozenset[str] = frozenset()
    targets: tuple[str, ...] = ()


MOST_NUMBERS = 10_000  # of a step that is shown as a pair


class Pair(NamedTuple):
    """A step in two runs. It is not shown: only a page that can switch between the runs has it."""
    address: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    first: Array
    second: Array
    figures: Figures  # of both


class Checks(NamedTuple):
    checks: tuple[Check, ...]
    apart: bool = False


class Box(NamedTuple):
    """A part of a model in its picture: what it does, one thing after another (a box without addresses: the words that
    it reads); how the addresses of its steps begin; the boxes in it, from its input to its result; the address of the
    box of another stack that it reads as well."""
    does: tuple[Text, ...]
    addresses: tuple[str, ...] = ()
    inside: tuple["Box", ...] = ()
    reads: str = ""


class Architecture(NamedTuple):
    """The picture of a model: stacks side by side, each from its input to its result; the box of the address `here` is
    marked. Where it is `beside` what a page is about, only a format that has room beside it draws it."""
    stacks: tuple[tuple[Box, ...], ...]
    here: str = ""
    beside: bool = False


class VerifiedHead(NamedTuple):
    """What stands above the three columns of `Verified` lines."""
    headings: tuple[Text, ...]
    apart: bool = False


class Verified(NamedTuple):
    """Something that was checked: how many numbers, by how much the worst is off, what it is; and in words what is
    wrong with it, if anything."""
    number: str
    error: str
    what: Text
    failed: Text = ""


Block = (Title | Result | PartHeading | StageHeading | Explained | Heading | Prose | Answer | Table | Grids
         | VectorRows | CellLines | Cause | MatrixEquation | Maps | Checks | Architecture | VerifiedHead | Verified
         | Wiring | Pair)
equal_within_type(*get_args(Block), Wired, Formula, Grid, RowLine, CellLine, Check, Box)


def set_off(blocks: Iterable[Block]) -> Iterator[Block]:
    """Set the first of some tables and prose off from what is above them."""
    for n, block in enumerate(blocks):
        assert isinstance(block, Prose | Table)
        yield block if n else block._replace(apart=True)


def commands(lines: Iterable[Text]) -> Prose:
    return Prose(Joined("\n", [Joined("", ["$ attntrace ", line]) for line in lines]))


def try_next(lines: Iterable[str]) -> Iterator[Block]:
    """Commands that show more of the same."""
    yield Prose(Message("messages.try_next"), apart=True)
    yield commands(lines)
