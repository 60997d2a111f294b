"""What of a run is shown together: the steps of a stage, and the attention weights of all heads of a place.

What decides that a stage ends is `Stage.goes_on_with`: another place, another `trace.stage(...)` of the model, another
axis along the rows, or a row of the step that needs all rows of an earlier step of the stage."""
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from attntrace.messages.catalog import Joined, Localized, Message, most_specific
from attntrace.pages.blocks import Block, Grid, Maps, Prose
from attntrace.pages.numbers import Figures
from attntrace.pages.view import grid
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.addresses import Address, word_and_number
from attntrace.tracing.trace import Step


class Stage:
    """Steps that are shown together, token after token."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.steps: list[Step] = []

    def goes_on_with(self, step: Step, row: Tensor) -> bool:
        """Return whether a step belongs to this stage: same place, same rows, and its `row` needs only single rows of
        the steps before it."""
        first = self.steps[0]
        if (step.place, step.stage, step.axes[:1]) != (first.place, first.stage, self.steps[-1].axes[:1]):
            return False
        if not step.has_rows or not first.has_rows:  # wholes follow each other
            return step.has_rows == first.has_rows
        return not {own.address for own in self.steps} & {leaf.address for leaf in whole_leaves(row)}

    @property
    def title(self) -> Localized:
        place = Address.of(self.steps[0].place)
        name = self.steps[0].stage or self.steps[0].name
        if place.phase == "update":
            name = place.name
            return most_specific("titles", [], f"update.{name}", Message("messages.update_of", name=name))
        if place.phase == "gradient":
            names = ", ".join(dict.fromkeys(  # several steps in a layer are called output
                Address.of(step.address).last(2) if step.name == "output" else step.name for step in self.steps))
            return most_specific("titles", place.words[1:], f"gradient.{self.steps[0].name}",
                                 Message("messages.gradient_of", names=names))
        title = most_specific("titles", place.words, name, name.replace("_", " "))
        return title if self.steps[1:] else most_specific("titles", place.words, f"{name}_alone", title)

    @property
    def region(self) -> str:
        """The stack and the layer of the place: `encoder.layer1`."""
        return Address.of(self.steps[0].place).region


def whole_leaves(tensor: Tensor) -> Iterator[Tensor]:
    """Yield the leaves of which a tensor reads more than one row."""
    if tensor.is_leaf:
        yield tensor
    elif not tensor.history.op.takes_one_row:
        for operand in tensor.history.operands:
            yield from whole_leaves(operand)


def place_title(region: str) -> Joined:
    """`Encoder, layer 1`."""
    return Joined(", ", (most_specific("titles", ["place"], word, word, number=number)
                         for word, number in map(word_and_number, Address.of(region).parts)))


def rows_of_maps(places: Iterable[str] = (), is_decoder: bool = True, masked: bool = False) -> Iterator[Prose]:
    """What a row of a decoder's map is: the word that is read there, in every map; and what a dot is, where the weights
    at these addresses have some."""
    sees_past = (one for one in map(Address.of, places) if one.stack == "decoder" and one.sub_layer == "self_attention")
    masked = masked or is_decoder and any(sees_past)
    said = [*(["map_rows"] if is_decoder else []), *(["map_dots"] if masked else [])]
    if said:
        yield Prose(Joined(" ", [Message(f"messages.{key}") for key in said]))


def maps_of(place: str, heads: Sequence[Grid], asked: bool = False) -> Maps:
    """The weights of the heads of an attention, under its title."""
    return Maps(map_title(place), place, tuple(heads), max(float(grid.values.max()) for grid in heads), asked)


def map_title(place: str) -> Joined:
    """`Encoder, layer 1: where each word looks`."""
    address = Address.of(place)
    title = most_specific("titles", ["map", address.stack], address.name, address.name.replace("_", " "))
    return Joined(": ", [place_title(address.place or address.name), title])


class AttentionMaps:
    """Writes the weights of all heads of an attention as one block, once it is complete."""

    def __init__(self, write: Callable[[Iterator[Block]], None], selected: Container[str] | None, decimals: int,
                 asked: bool) -> None:
        self.write, self.selected, self.figures, self.asked = write, selected, Figures.fixed(decimals), asked
        self.place = ""
        self.heads: list[Grid] = []

    def __call__(self, step: Step) -> None:
        if not step.is_attention or self.selected is not None and step.address not in self.selected:
            return
        place = step.place if step.symbol.head is None else Address.of(step.place).place
        if place != self.place:
            self.close()
            self.place = place
        rows, columns = step.value.shape
        self.heads.append(grid(step.tensor, None, self.figures, (rows, columns), weights=True))

    def close(self) -> None:
        """Write the last attention."""
        if self.heads:
            self.write(iter([maps_of(self.place, self.heads, self.asked)]))
        self.heads = []
