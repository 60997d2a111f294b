"""Numbers in the cells of tables."""
from __future__ import annotations

from attntrace.figures import Figures
from attntrace.tensor import Array
from attntrace.writers.page import LEVELS, levels_of

CELL = "<td>"
SHADED = (CELL, *(f"<td class=w{level}>" for level in range(1, LEVELS)))


def rows_of_cells(figures: Figures, values: Array, weights: Array | None = None) -> list[str]:
    """The cells of each row; shaded by `weights` from 0 to 1, where there are any."""
    behind_zero = "0" + " " * figures.after  # so that an exact 0 stands before the decimal point
    texts = [text.split() for text in figures.rows(values)]
    if figures.after:
        for n, cells in enumerate(texts):
            if "0" in cells:
                texts[n] = [behind_zero if cell == "0" else cell for cell in cells]
    if weights is None:
        return [CELL + CELL.join(cells) for cells in texts]
    return ["".join([SHADED[level] + cell for level, cell in zip(levels, cells, strict=True)])
            for levels, cells in zip(levels_of(weights).tolist(), texts, strict=True)]
