"""Backwards through a run: the gradient of every tensor and of every parameter, as steps (section 5)."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from attntrace.ops.elementwise import add_all
from attntrace.ops.shape import broadcast_to
from attntrace.tensor.constants import constant
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Node, Tensor
from attntrace.tracing.addresses import Address, address_in
from attntrace.tracing.trace import Step, Trace


class Path(NamedTuple):
    """A way from a step back to a named tensor that it was made from: which operand, and on from there."""
    n: int
    inner: tuple[Path, ...]  # none where that operand has a name
    leaf: str = ""


class Plan(NamedTuple):
    """Which ways gradients go through a run. The same for all runs of one wiring, whatever their numbers."""
    paths: dict[str, tuple[Path, ...]]  # by a step's address
    readers: dict[str, dict[str, Symbol]]  # by what is read, a step or a parameter: the steps that read it

    @classmethod
    def of(cls, steps: Sequence[Step]) -> Plan:
        """The plan of a run whose last step is the loss."""
        plan = cls({}, {steps[-1].address: {}})
        for step in reversed(steps):
            if step.address in plan.readers:  # the loss depends on it
                plan.paths[step.address] = tuple(_paths(step.node))
                for leaf in _leaves(plan.paths[step.address]):
                    plan.readers.setdefault(leaf, {})[step.address] = step.symbol
        for address, readers in plan.readers.items():
            if len(set(readers.values())) < len(readers):  # the same symbol in several layers
                plan.readers[address] = {reader: symbol._replace(superscript=Address.of(reader).number("layer"))
                                         for reader, symbol in readers.items()}
        return plan

    def is_parameter(self, address: str) -> bool:
        return address not in self.paths


def _paths(node: Node) -> Iterator[Path]:
    for n, operand in enumerate(node.operands):
        if n in node.op.non_differentiable:
            continue
        if operand.address is not None:
            yield Path(n, (), operand.address)
        elif operand.node is not None:
            inner = tuple(_paths(operand.node))
            if inner:
                yield Path(n, inner)


def _leaves(paths: tuple[Path, ...]) -> Iterator[str]:
    for path in paths:
        if path.inner:
            yield from _leaves(path.inner)
        else:
            yield path.leaf


def backward(trace: Trace, steps: Iterable[Step], plan: Plan) -> Iterator[tuple[str, Tensor]]:
    """The gradients of a loss, each with the address or the name of what it is of, as soon as it is complete.

    steps: those of the run, the last one first, which is the loss. A step's gradient is named when its turn comes, a
    parameter's with the last step that reads it; where several read the same, what comes through each is named as well,
    before they are summed.
    """
    is_silent = trace.is_silent
    arrived: dict[str, list[Tensor]] = {}

    def named(step: Step | None, of: Tensor, total: Tensor, via: Symbol | None = None) -> Tensor:
        """Name the gradient of a tensor, or what of it comes `via` a step, in the place of a step or else its own."""
        whole = total if total.axes is of.axes else broadcast_to(total, of.axes)
        if is_silent:
            whole.node = None
            return whole
        assert of.address is not None and of.symbol is not None
        own = Address.of(of.address)
        here = trace.at(address_in("gradient", step.place if step else own.place), stage=step.stage if step else None)
        address = f"gradient.{of.address}" + (f".from.{step.address}" if step and via else "")
        return here(own.name, whole, of.symbol._replace(gradient=True, path=via), address)

    def summed(step: Step | None, of: Tensor, address: str) -> Tensor:
        parts, axes = arrived.pop(address), of.axes
        if len(parts) == 1:
            return named(step, of, parts[0])
        return named(step, of, add_all([part if part.axes is axes else broadcast_to(part, axes) for part in parts]))

    for step in steps:
        own = step.address
        if own not in plan.paths:
            continue  # the loss does not depend on it
        if not plan.readers[own]:
            arrived[own] = [constant(1.0, dtype=step.value.dtype)]
        gradient = summed(step, step.tensor, own)
        yield own, gradient
        for address, leaf, part in _merged(_flow(plan.paths[own], step.node, gradient, step.tensor)):
            readers = plan.readers[address]
            if len(readers) > 1:
                part = named(step, leaf, part, readers[own])
            arrived.setdefault(address, []).append(part)
            if plan.is_parameter(address) and len(arrived[address]) == len(readers):
                yield address, summed(step if len(readers) == 1 else None, leaf, address)


def _merged(found: Iterable[tuple[Tensor, Tensor]]) -> list[tuple[str, Tensor, Tensor]]:
    """What comes to each tensor, by its address, once; a step may have read it twice."""
    parts: dict[str, tuple[str, Tensor, Tensor]] = {}
    for leaf, part in found:
        address = leaf.address or ""
        parts[address] = address, leaf, parts[address][2] + part if address in parts else part
    return list(parts.values())


def used_up(steps: list[Step]) -> Iterator[Step]:
    """The steps, the last one first, each forgotten as soon as it was seen: memory that is free again is used again."""
    while steps:
        yield steps.pop()


def _flow(paths: tuple[Path, ...], node: Node, gradient: Tensor, result: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """What comes to each named tensor that a result was made from, given the result's gradient."""
    if gradient.axes is not result.axes and not node.op.broadcasts_gradient:
        gradient = broadcast_to(gradient, result.axes)
    for path in paths:
        operand = node.operands[path.n]
        transposed = None
        if path.inner and operand.history.op.is_transpose:  # Kᵀ: of which nobody wants the gradient
            transposed = node.op.transposed_vjp(path.n, gradient, *node.operands)
        if transposed is None:
            part = node.vjp(path.n, gradient, result)
        else:
            (path,), (operand,), part = path.inner, operand.history.operands, transposed
        if path.inner:
            yield from _flow(path.inner, operand.history, part, operand)
        else:
            yield operand, part
