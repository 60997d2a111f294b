"""Reading a page back: the matrices in it, by where their brackets stand; what a run is by its data; contrast."""
import re
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from command import attntrace
from recompute import loads
from rich.cells import cell_len, split_graphemes

from attntrace.pages import blocks
from attntrace.pages.numbers import Figures
from attntrace.tensor.expression import Number
from attntrace.tensor.symbol import Symbol

OPEN, CLOSE = "⎡⎢⎣[", "⎤⎥⎦]"
TITLE = re.compile(r"(?P<name>\S+) (?P<size>\d+(?:×\d+)?)(?:   columns (?P<first>\d+)(?:-(?P<last>\d+))?)?(?= |$)")
FACTOR, SUPERSCRIPTS = re.compile(r" × 10(⁻?[⁰¹²³⁴-⁹]+)"), str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


class Matrix(NamedTuple):
    name: str
    size: tuple[int, ...]
    first: int
    rows: list[list[float]]


class Run(NamedTuple):
    """A run by its JSON Lines: its header, the records of its steps, and the values of parameters and steps."""
    header: dict[str, Any]
    steps: dict[str, dict[str, Any]]
    parameters: dict[str, np.ndarray]
    values: dict[str, np.ndarray]

    def words(self, address: str, axis: int) -> list[str] | None:
        """The words along an axis of a step, where it has any: the decoder's are the target's, except those that
        cross-attention looks at."""
        source, target = ([token["text"] for token in tokens or ()] for tokens in self.header["tokens"].values())
        kind = dict(enumerate(self.steps[address]["axes"])).get(axis)
        if kind == "vocab":
            return list(dict.fromkeys(["<s>", "</s>", *target]))
        is_looked_at = "cross_attention." in address and (kind == "key" or address.endswith((".key", ".value")))
        of_source = address.startswith("encoder") or is_looked_at
        return (source if of_source else target) if kind in ("token", "key") else None


def without_commands(page: str) -> str:
    """A page without its commands: the one that makes it again, and those to try next."""
    return re.sub(r"^\n?  \$ attntrace (.*\\\n)*.*\n", "", page, flags=re.M)


@cache
def run_of(*arguments: str) -> Run:
    header, *records = loads(attntrace(*arguments, "--format", "jsonl").out)
    values = {kind: {record[kind]: np.array(record["value"], float) for record in records if kind in record}
              for kind in ("parameter", "address")}
    return Run(header, {record["address"]: record for record in records if "address" in record}, *values.values())


def blocks_named(name: str) -> list[blocks.Block]:
    """Blocks of every kind that shows names from a file, all with this name."""
    values = np.ones((1, 1))
    figures, formula = Figures.of(values, 3), blocks.Formula(Symbol("A", head=1), Number(1), None)
    grid = blocks.Grid(formula.left, None, values, figures, (1, 1), (name,), (name,), address=name)
    row = blocks.RowLine((formula,), values, figures, (name,), address=name)
    return [blocks.Prose(name), blocks.StageHeading("1.1", name, name, (formula,)), blocks.Grids((grid, grid)),
            blocks.Prose(name, note=True), blocks.VectorRows((name,), (0,), (row, row)),
            blocks.Title(name), blocks.Result((blocks.Answer(name, is_words=True),)),
            blocks.Maps(name, name, (grid,), 1.0, False),
            blocks.Maps(name, name, (grid,), 1.0, False, brief=True, next_words=((name, 1.0),)),
            blocks.VerifiedHead(("n", "e", "w")),
            blocks.Verified("1", "0", name.replace(" ", "")),
            blocks.Table(("a", "b"), ((name, name),), addresses=True)]


def luminance(colour: str) -> float:
    parts = (int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def lightness(colour: str) -> float:
    """L* of CIE 1976: how light a colour looks, from 0 to 100."""
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > (6 / 29) ** 3 else y * (29 / 3) ** 3


def contrast(one: str, other: str) -> float:
    """The contrast of two colours such as #ffffff, as WCAG defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@cache
def width_of(char: str) -> int:
    """Cells of one character by itself; of one that joins another, none."""
    return cell_len(char)


def in_cells(line: str) -> list[str]:
    """A line as a terminal's cells: what is two cells wide is followed by an empty one."""
    widths = [width_of(char) for char in line]
    if max(widths, default=1) == min(widths, default=1) == 1:  # nearly always
        return list(line)
    cells: list[str] = []
    for start, end, width in split_graphemes(line)[0]:
        cells += [line[start:end]] + [""] * (width - 1)
    return cells


def matrices(text: str) -> list[Matrix]:
    """Every matrix of a page in matrix form, in order; blocks of columns are matrices of their own."""
    lines = [in_cells(line) for line in text.split("\n")]
    drawn = []
    for y, line in enumerate(lines):
        if line[-3:] == ["─"] * 3:  # the heading of a place, `Encoder, layer 1 ───`, is not the title of a matrix
            continue
        for title in TITLE.finditer("".join(line)):
            column = cell_len("".join(line)[:title.start()]) - 2
            rows = _rows_below(lines, y + 1, column)
            if rows:
                size = tuple(map(int, title["size"].split("×")))
                drawn.append(Matrix(title["name"], size, int(title["first"] or 1), rows))
    return drawn


def _rows_below(lines: list[list[str]], y: int, column: int) -> list[list[float]]:
    """The rows whose bracket opens in this column, one to three lines below (words may stand between)."""
    for start in range(y, min(y + 3, len(lines))):
        rows, power = [], 0
        for line in lines[start:]:
            if not 0 <= column < len(line) or line[column] not in OPEN or not line[column]:
                break
            close = next(n for n in range(column, len(line)) if line[n] and line[n] in CLOSE)
            rows.append([float(number) for number in "".join(line[column + 1:close]).split()])
            if factor := FACTOR.match("".join(line[close + 1:])):
                power = int(factor[1].translate(SUPERSCRIPTS))
            if line[column] in "⎣[":
                return [[number * 10.0**power for number in row] for row in rows]
    return []


def continued_brackets(text: str) -> list[bool]:
    """For each line of a bracket that goes on in the next line: whether it does so in the same column."""
    sides = {"⎡": ("⎢", "⎣"), "⎢": ("⎢", "⎣"), "⎤": ("⎥", "⎦"), "⎥": ("⎥", "⎦")}
    lines = [in_cells(line) for line in text.split("\n")]
    return [below[column:column + 1] in [[side] for side in sides[cell]] for line, below in pairwise([*lines, []])
            for column, cell in enumerate(line) if cell in sides]
