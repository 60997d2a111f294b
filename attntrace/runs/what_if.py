"""What if: a parameter had another number, a head were not there, two words were swapped?

Each changes what goes into a run, never how it is computed, so that all that is shown of the run stays true.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import Config
from attntrace.model.inputs import InputRows
from attntrace.model.parameters import Parameters
from attntrace.model.tokens import Words
from attntrace.tensor.axes import Axis
from attntrace.tracing.addresses import PART, Place, index_of, named, nearest, one_address, position

Edit = dict[str, Any]  # as the header of a run tells it


class Edits(NamedTuple):
    """What was asked for, as it was typed: `PARAMETER:ROW,COLUMN=VALUE`, the address of a head, `I,J`."""
    set: Sequence[str] = ()
    ablate: Sequence[str] = ()
    swap: Sequence[str] = ()

    def __call__(self, parameters: Parameters, source: Words | InputRows,
                 config: Config) -> tuple[Parameters, Words | InputRows, tuple[Edit, ...]]:
        """The parameters and the source of the changed run, and what was changed. Raises Problem for what there is not.
        """
        node: list[Edit] = []
        for text in self.set:
            parameters, change = with_number(parameters, text)
            node.append(change)
        for text in self.ablate:
            parameters, change = without_head(parameters, text, config)
            node.append(change)
        for text in self.swap:
            source, change = swapped(source, text)
            node.append(change)
        return parameters, source, tuple(node)


def with_number(parameters: Parameters, text: str) -> tuple[Parameters, Edit]:
    """One number of a parameter is another."""
    where, equals, number = text.rpartition("=")
    if not equals:
        raise Problem("set_without_value", change=text)
    try:
        value = float(number)
    except ValueError:
        raise Problem("set_no_number", change=text, value=number) from None
    place = Place.read(where)
    try:
        name = one_address(place.address, list(parameters.by_name))
    except Problem as problem:
        if problem.key != "no_such_tensor":
            raise
        raise Problem("set_no_parameter", pattern=problem.facts["pattern"], near=problem.facts["near"]) from None
    tensor = parameters[name]
    index = index_of(place, tensor.axes, name, least=len(tensor.axes))
    array = tensor.value.copy()
    with np.errstate(over="ignore"):  # said below
        array[index] = value
    if not abs(float(array[index])) < float("inf"):
        raise Problem("set_not_finite", change=text, value=number, dtype=array.dtype)
    return parameters.replaced({name: array}), {"set": named(name, index), "value": value,
                                                "was": float(tensor.value[index])}


def without_head(parameters: Parameters, text: str, config: Config) -> tuple[Parameters, Edit]:
    """What a head found goes nowhere: its rows of W_O are 0."""
    attentions = [name.removesuffix(".W_O") for name in sorted(parameters.names) if name.endswith(".W_O")]
    heads = [f"{attention}.head{i}" for attention in attentions for i in range(1, config.heads + 1)]
    found = [head for head in heads if head == text or head.endswith(f".{text}")]
    if len(found) != 1:
        of_a_place = [head for head in heads if f".{text}." in f".{head}"]
        near = ", ".join(found or of_a_place or nearest(text, heads))
        raise Problem("no_such_head", head=shown(text), near=near)
    attention, _, number = found[0].rpartition(".head")
    tensor = parameters[f"{attention}.W_O"]
    array = tensor.value.copy()
    array[(int(number) - 1) * config.d_k:int(number) * config.d_k] = 0
    return parameters.replaced({f"{attention}.W_O": array}), {"ablate": found[0]}


def swapped(source: Words | InputRows, text: str) -> tuple[Words | InputRows, Edit]:
    """Two words of the source stand in each other's place. Their ids stay theirs."""
    parts = PART.findall(text)
    if len(parts) != 2 or ",".join(parts) != text:
        raise Problem("swap_no_pair", change=text)
    axis = Axis("token", len(source.ids), source.texts)
    i, j = (position(part, axis, Message("messages.the_source")) for part in parts)
    order = list(range(len(source.ids)))
    order[i], order[j] = j, i
    return source.reordered(order), {"swap": [i + 1, j + 1]}


def told(changes: Iterable[Edit]) -> Iterator[Message]:
    """Each change as a sentence."""
    for change in changes:
        if "set" in change:
            yield Message("messages.what_if_set", place=change["set"], value=f"{change['value']:.6g}",
                          was=f"{change['was']:.6g}")
        elif "ablate" in change:
            yield Message("messages.what_if_ablate", head=change["ablate"])
        else:
            yield Message("messages.what_if_swap", i=change["swap"][0], j=change["swap"][1])


def order_before(changes: Iterable[Edit], size: int) -> list[int]:
    """Where each word of the source, as it was before any swap, stands now."""
    order = list(range(size))
    for change in changes:
        if "swap" in change:
            i, j = change["swap"]
            order[i - 1], order[j - 1] = order[j - 1], order[i - 1]
    places = [0] * size
    for now, before in enumerate(order):
        places[before] = now
    return places
