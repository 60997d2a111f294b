"""How the steps of a run are gathered into stages."""
from __future__ import annotations

from collections.abc import Iterator

from attntrace.messages.catalog import joined, most_specific, sentence
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Step

OUTPUT = "output"  # which several things in a layer are called


class Stage:
    """Steps that are shown together, token after token."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.steps: list[Step] = []

    def goes_on_with(self, step: Step, row: Tensor) -> bool:
        """Whether a step, of which `row` is one, belongs to this stage: same place, same rows, and a row of it needs no
        more than a row of the stage's steps."""
        first = self.steps[0]
        if (step.place, step.stage, step.axes[:1]) != (first.place, first.stage, self.steps[-1].axes[:1]):
            return False
        if not step.has_rows:  # wholes follow each other
            return True
        return not {own.address for own in self.steps} & {leaf.address for leaf in whole_leaves(row)}

    @property
    def title(self) -> str:
        place = Address.of(self.steps[0].place)
        name = self.steps[0].stage or self.steps[0].name
        if place.phase == "update":
            name = place.name
            return most_specific("titles", [], f"update.{name}") or sentence("messages.update_of", name=name)
        if place.phase == "gradient":
            names = ", ".join(dict.fromkeys(Address.of(step.address).last(2) if step.name == OUTPUT else step.name
                                            for step in self.steps))
            return (most_specific("titles", [*place.words[1:]], f"gradient.{self.steps[0].name}")
                    or sentence("messages.gradient_of", names=names))
        return most_specific("titles", [*place.words], name) or name.replace("_", " ")

    @property
    def region(self) -> str:
        """The stack and the layer of the place: `encoder.layer1`."""
        return Address.of(self.steps[0].place).region


def whole_leaves(tensor: Tensor) -> Iterator[Tensor]:
    """The leaves of which it reads more than one row."""
    if tensor.is_leaf:
        yield tensor
    elif not tensor.history.op.takes_one_row:
        for operand in tensor.history.operands:
            yield from whole_leaves(operand)


def place_title(region: str) -> str:
    """`Encoder, layer 1`."""
    return joined(", ", (most_specific("titles", ["place"], part.word, number=part.number) or part.word
                         for part in Address.of(region).parts))
