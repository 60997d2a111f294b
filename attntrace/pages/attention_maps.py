"""A sink that gathers attention weights into pictures: the heads of a place side by side."""
from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from attntrace.messages.catalog import Joined, most_specific
from attntrace.pages.blocks import Block, Grid, Maps
from attntrace.pages.numbers import Figures
from attntrace.pages.stages import place_title
from attntrace.tracing.trace import Step

DECIMALS = 2


class AttentionMaps:
    """Writes the weights of all heads of an attention as one block, once it is complete."""

    def __init__(self, write: Callable[[Iterator[Block]], None], precision: int | None,
                 selected: Container[str] | None, decimals: int = DECIMALS) -> None:
        self.write, self.selected = write, selected
        self.asked = precision is not None
        self.figures = Figures.fixed(decimals if precision is None else precision)
        self.place = ""
        self.heads: list[Grid] = []

    def __call__(self, step: Step) -> None:
        if not step.is_attention:
            return
        if self.selected is not None and step.address not in self.selected:
            return
        place = step.place.rpartition(".")[0]
        if place != self.place:
            self.close()
            self.place = place
        token, key = step.axes
        self.heads.append(Grid(step.symbol, None, step.value, self.figures, step.value.shape,
                               token.labels, key.labels, hued=True, weights=True, address=step.address))

    def close(self) -> None:
        """Write the last attention."""
        if self.heads:
            stack, _, name = self.place.rpartition(".")
            title = most_specific("titles", ["map", stack.split(".")[0]], name, name.replace("_", " "))
            largest = max(float(grid.values.max()) for grid in self.heads)
            self.write(iter([Maps(Joined(": ", [place_title(stack), title]), self.place, tuple(self.heads), largest,
                                  self.asked)]))
        self.heads = []
