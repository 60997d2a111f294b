"""What-if edits: another number in a parameter, a head removed, two words swapped.

An edit changes what goes into a run, never how it is computed, so that everything shown of the run stays true."""
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from attntrace.messages.catalog import Message, alternatives
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import did_you_mean
from attntrace.messages.unicode import shown
from attntrace.model.config import Config
from attntrace.model.parameters import Parameters
from attntrace.model.tokens import InputRows, Words
from attntrace.tensor.axes import Axis
from attntrace.tracing.addresses import (Address, Cell, cell_name, find_address, find_position, matches, near_addresses,
                                         positions_in)

Edit = dict[str, Any]  # as in the header of a run


class Edits(NamedTuple):
    """Edits as typed. set: `PARAMETER:ROW,COLUMN=VALUE`; ablate: the address of a head; swap: `I,J`."""
    set: Sequence[str] = ()
    ablate: Sequence[str] = ()
    swap: Sequence[str] = ()

    def __call__(self, parameters: Parameters, source: Words | InputRows,
                 config: Config) -> tuple[Parameters, Words | InputRows, tuple[Edit, ...]]:
        """Return the edited parameters and source, and the edits made. Raises Problem where an edit is impossible."""
        edits: list[Edit] = []
        for text in self.set:
            parameters, edit = with_number(parameters, text)
            edits.append(edit)
        for text in self.ablate:
            parameters, edit = without_head(parameters, text, config)
            edits.append(edit)
        for text in self.swap:
            source, edit = swapped(source, text)
            edits.append(edit)
        return parameters, source, tuple(edits)


def with_number(parameters: Parameters, text: str) -> tuple[Parameters, Edit]:
    """Replace one number of a parameter."""
    where, equals, number = text.rpartition("=")
    if not equals:
        raise Problem("set_without_value", change=text)
    try:
        value = float(number)
    except ValueError:
        raise Problem("set_no_number", change=text, value=number) from None
    cell, names = Cell.read(where), {name: tensor.symbol for name, tensor in parameters.by_name.items()}
    if not matches(cell.address, names):
        near = did_you_mean(near_addresses(cell.address, names))
        raise Problem("set_no_parameter", pattern=shown(cell.address), near=near)
    name = find_address(cell.address, names)
    tensor = parameters[name]
    index = cell.index_in(tensor.axes, name, least=len(tensor.axes))
    array = tensor.value.copy()
    with np.errstate(over="ignore"):  # checked below
        array[index] = value
    if not abs(float(array[index])) < float("inf"):
        raise Problem("set_not_finite", change=text, value=number, dtype=array.dtype)
    return parameters.replaced({name: array}), {"set": cell_name(name, index), "value": value,
                                                "was": float(tensor.value[index])}


def without_head(parameters: Parameters, text: str, config: Config) -> tuple[Parameters, Edit]:
    """Remove a head: set its rows of W_O to 0, so that its output goes nowhere; without W_O, its columns of W_V."""
    attentions = [name.place for name in map(Address.of, sorted(parameters.by_name)) if name.name == "W_V"]
    heads = [f"{attention}.head{i}" for attention in attentions for i in range(1, config.heads + 1)]
    fitting = [head for head in heads if Address.of(head).ends_with(text)]
    if len(fitting) != 1:
        inside = [head for head in heads if f".{text}." in f".{head}"]
        near = fitting or inside or near_addresses(text, heads) or heads
        raise Problem("no_such_head", head=shown(text), near=alternatives(near))
    head = Address.of(fitting[0])
    number, names = head.number("head") or 1, ["W_O"] if config.output_projection else ["W_V", "b_V"]
    changed = {name: parameters[name].value.copy() for name in (f"{head.place}.{one}" for one in names)
               if name in parameters.by_name}
    for array in changed.values():
        own = array if config.output_projection else array.T
        own[(number - 1) * config.value_size:number * config.value_size] = 0
    return parameters.replaced(changed), {"ablate": fitting[0]} | ({} if config.output_projection else {"of": "W_V"})


def swapped(source: Words | InputRows, text: str) -> tuple[Words | InputRows, Edit]:
    """Swap two words of the source, together with their ids."""
    parts = positions_in(text)
    if len(parts) != 2:
        raise Problem("swap_no_pair", change=text)
    axis = Axis("token", len(source.ids), source.texts)
    i, j = (find_position(part, axis, Message("messages.the_source")) for part in parts)
    order = list(range(len(source.ids)))
    order[i], order[j] = j, i
    return source.reordered(order), {"swap": [i + 1, j + 1]}


def edit_sentences(edits: Iterable[Edit]) -> Iterator[Message]:
    """Yield a clause about each edit."""
    for edit in edits:
        if "set" in edit:
            yield Message("messages.edit_set", place=edit["set"], value=f"{edit['value']:.6g}",
                          was=f"{edit['was']:.6g}")
        elif "ablate" in edit:
            yield Message(f"messages.edit_ablate{'_value' * ('of' in edit)}", head=edit["ablate"])
        else:
            yield Message("messages.edit_swap", i=edit["swap"][0], j=edit["swap"][1])


def order_before(edits: Iterable[Edit], size: int) -> list[int]:
    """Return the present position of each word of the source, in their order before any swap."""
    order = list(range(size))
    for edit in edits:
        if "swap" in edit:
            i, j = edit["swap"]
            order[i - 1], order[j - 1] = order[j - 1], order[i - 1]
    return sorted(range(size), key=order.__getitem__)
