"""The loss of a run and its backward pass: the gradient of every tensor and every parameter, as steps (section 5)."""
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from attntrace.model.tokens import Words, never_next
from attntrace.model.transformer import Prediction
from attntrace.ops.elementwise import add_all
from attntrace.ops.functions import mean
from attntrace.ops.loss import CrossEntropy, Labels
from attntrace.ops.shape import broadcast_to
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Node, Tensor, apply, constant
from attntrace.tracing.addresses import Address, address_in
from attntrace.tracing.trace import Step, Trace


def loss(trace: Trace, prediction: Prediction, wanted: Words, smoothing: float = 0.0, over: str = "all") -> Tensor:
    """Return the mean cross-entropy L, a scalar.

    prediction: token × vocab, of the word after each word of the decoder's input; wanted: the words that should come
    there, one for each token; over: the words that the `smoothing` is spread over, see `Labels`."""
    token, vocab = prediction.logits.axes
    dtype = str(prediction.logits.value.dtype)
    known = vocab.labels or ()
    padding = known.index(never_next(known)) + 1 if over == "words" else 0
    op = Labels(vocab, smoothing, dtype, over, padding)
    y = trace("labels", apply(op, constant(wanted.ids, "next", (token,))), "labels")
    each = trace("per_token", apply(CrossEntropy(), prediction.logits, prediction.probabilities, y), "loss")
    return trace("mean", mean(each), "L")


class Path(NamedTuple):
    """A path from a step back to a named tensor it was computed from: operand `n`, then the paths inside it."""
    n: int
    inner: "tuple[Path, ...]"  # empty where operand n has a name, which is the `leaf`
    leaf: str = ""


class Plan(NamedTuple):
    """The paths of gradients through a run; equal for all runs of one wiring, whatever their numbers."""
    paths: dict[str, tuple[Path, ...]]  # by the address of a step
    readers: dict[str, dict[str, Symbol]]  # by the address of a step or a parameter: the steps that read it

    @classmethod
    def of(cls, steps: Sequence[Step]) -> "Plan":
        """Plan the backward pass of a run whose last step is the loss."""
        plan = cls({}, {steps[-1].address: {}})
        for step in reversed(steps):
            if step.address in plan.readers:  # the loss depends on it
                plan.paths[step.address] = tuple(_paths(step.node))
                for leaf in _leaves(plan.paths[step.address]):
                    plan.readers.setdefault(leaf, {})[step.address] = step.symbol
        for address, readers in plan.readers.items():
            if len(set(readers.values())) < len(readers):  # the same symbol in several layers, or in both stacks
                plan.readers[address] = {reader: _told_apart(symbol, Address.of(reader), readers)
                                         for reader, symbol in readers.items()}
        return plan


def _told_apart(symbol: Symbol, reader: Address, readers: Mapping[str, Symbol]) -> Symbol:
    """The symbol of one of several readers with its layer, or without layers, such as E of both stacks, E_enc."""
    layer = reader.number("layer")
    if layer is None and list(readers.values()).count(symbol) > 1:
        return symbol._replace(sub=reader.stack[:3])
    return symbol._replace(superscript=layer)


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
        yield from _leaves(path.inner) if path.inner else (path.leaf,)


def backward(trace: Trace, steps: Iterable[Step], plan: Plan) -> Iterator[tuple[str, Tensor]]:
    """Yield the gradient of the loss by each step and parameter, with its address, as soon as it is complete.

    steps: of the run, last one (the loss) first. A step's gradient is named when its turn comes, a parameter's with
    the last step that reads it; where several steps read the same tensor, the part through each is named as well,
    before they are summed."""
    is_silent = trace.is_silent
    parts: dict[str, list[Tensor]] = {}  # by the address of a tensor

    def named(step: Step | None, of: Tensor, total: Tensor, via: Symbol | None = None) -> Tensor:
        """Name the gradient of a tensor, or its part `via` a step, at the place of the step or else of the tensor."""
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
        own, axes = parts.pop(address), of.axes
        if len(own) == 1:
            return named(step, of, own[0])
        return named(step, of, add_all([part if part.axes is axes else broadcast_to(part, axes) for part in own]))

    for step in steps:
        own = step.address
        if own not in plan.paths:
            continue  # the loss does not depend on it
        if not plan.readers[own]:
            parts[own] = [constant(1.0, dtype=step.value.dtype)]
        gradient = summed(step, step.tensor, own)
        yield own, gradient
        for address, (leaf, part) in _flow(plan.paths[own], step.node, gradient, step.tensor, {}).items():
            readers = plan.readers[address]
            if len(readers) > 1:
                part = named(step, leaf, part, readers[own])
            parts.setdefault(address, []).append(part)
            if address not in plan.paths and len(parts[address]) == len(readers):  # a parameter
                yield address, summed(step if len(readers) == 1 else None, leaf, address)


def _flow(paths: tuple[Path, ...], node: Node, gradient: Tensor, result: Tensor,
          gradients: dict[str, tuple[Tensor, Tensor]]) -> dict[str, tuple[Tensor, Tensor]]:
    """Add, by its address, each named tensor that a result was computed from, with its gradient, given the result's;
    those by a tensor that is read twice are added up."""
    if gradient.axes is not result.axes and not node.op.broadcasts_gradient:
        gradient = broadcast_to(gradient, result.axes)
    for path in paths:
        operand = node.operands[path.n]
        transposed = None
        if path.inner and operand.history.op.is_transpose:  # Kᵀ: only the gradient by K is needed
            transposed = node.op.transposed_vjp(path.n, gradient, *node.operands)
        if transposed is None:
            part = node.vjp(path.n, gradient, result)
        else:
            (path,), (operand,), part = path.inner, operand.history.operands, transposed
        if path.inner:
            _flow(path.inner, operand.history, part, operand, gradients)
        else:
            _, before = gradients.get(path.leaf, (operand, None))
            gradients[path.leaf] = operand, part if before is None else before + part
    return gradients
