"""Reading a page back: the matrices that it draws, found by where their brackets stand."""
from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes

OPEN, CLOSE = "⎡⎢⎣[", "⎤⎥⎦]"
TITLE = re.compile(r"(?P<name>\S+) (?P<size>\d+(?:×\d+)?)(?:   columns (?P<first>\d+)(?:-(?P<last>\d+))?)?(?= |$)")


class Matrix(NamedTuple):
    name: str
    size: tuple[int, ...]
    first: int
    rows: list[list[float]]


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
    found = []
    for y, line in enumerate(lines):
        for title in TITLE.finditer("".join(line)):
            column = cell_len("".join(line)[:title.start()]) - 2
            rows = _rows_below(lines, y + 1, column)
            if rows:
                size = tuple(map(int, title["size"].split("×")))
                found.append(Matrix(title["name"], size, int(title["first"] or 1), rows))
    return found


def _rows_below(lines: list[list[str]], y: int, column: int) -> list[list[float]]:
    """The rows whose bracket opens in this column, one to three lines below (words may stand between)."""
    for start in range(y, min(y + 3, len(lines))):
        rows = []
        for line in lines[start:]:
            if not 0 <= column < len(line) or line[column] not in OPEN or not line[column]:
                break
            close = next(n for n in range(column, len(line)) if line[n] and line[n] in CLOSE)
            rows.append([float(number) for number in "".join(line[column + 1:close]).split()])
            if line[column] in "⎣[":
                return rows
    return []


def bracket_columns(text: str) -> list[tuple[int, set[int]]]:
    """For each matrix of several rows: where its first row opens and closes, and where all others do."""
    lines = [in_cells(line) for line in text.split("\n")]
    found = []
    for y, line in enumerate(lines):
        for opening, sides in (("⎡", "⎢⎣"), ("⎤", "⎥⎦")):
            for column in (n for n, cell in enumerate(line) if cell == opening):
                columns, below = set(), y + 1
                while below < len(lines):
                    there = lines[below][column] if column < len(lines[below]) else " "
                    columns.add(column if there and there in sides else -1)
                    if not there or there not in sides or there == sides[1]:
                        break
                    below += 1
                found.append((column, columns))
    return found
