"""A sink that gathers attention weights into pictures: the heads of a place side by side."""

from collections.abc import Callable, Container, Iterator

from attntrace.messages.catalog import Joined, most_specific
from attntrace.pages.blocks import Block, Grid, Maps
from attntrace.pages.numbers import Figures
from attntrace.pages.stages import place_title
from attntrace.tracing.addresses import Address
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
        if not step.is_attention or self.selected is not None and step.address not in self.selected:
            return
        place = Address.of(step.place).place
        if place != self.place:
            self.close()
            self.place = place
        token, key = step.axes
        self.heads.append(Grid(step.symbol, None, step.value, self.figures, step.value.shape,
                               token.labels, key.labels, hued=True, weights=True, address=step.address))

    def close(self) -> None:
        """Write the last attention."""
        if self.heads:
            place = Address.of(self.place)
            title = most_specific("titles", ["map", place.stack], place.name, place.name.replace("_", " "))
            largest = max(float(grid.values.max()) for grid in self.heads)
            heading = Joined(": ", [place_title(place.place), title])
            self.write(iter([Maps(heading, self.place, tuple(self.heads), largest, self.asked)]))
        self.heads = []
