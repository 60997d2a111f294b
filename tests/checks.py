"""Each law as a check of one computed tensor, of an example or of a step."""
import json
from collections.abc import Iterable, Iterator

import numpy as np
from parsing import Tree, as_written, evaluated, settled, tree_of

from attntrace.tensor.axes import AXIS_NAMES, NotRowwise
from attntrace.tensor.expression import Ref
from attntrace.tensor.printer import PRINTERS
from attntrace.tensor.symbol import Spelling
from attntrace.tensor.tensor import Node, Tensor, Term
from attntrace.tracing.trace import Step

# Ops and axes (from the end) along which no slice can be made from slices; in a batch, a row of each sentence neither.
NEED_ALL = {("softmax", -1), ("sinusoid", -1), ("labels", -1)}
NEED_ALL_IN_A_BATCH = {("apart", 0), ("apart", 1), ("transpose", 1), ("transpose", 2), ("matmul", 1), ("matmul", 2)}
READABLE = (Spelling.UNICODE, Spelling.ASCII)


def slices(tensor: Tensor) -> list[tuple[int, int]]:
    """Every slice of every axis, as (axis, index)."""
    return [(k, i) for k, axis in enumerate(tensor.axes) for i in range(axis.size)]


def may_need_all(op: str, k: int, axes: int) -> bool:
    """Whether a slice along the k-th of so many axes may refuse to be computed from slices."""
    return (op, k - axes) in NEED_ALL or (op, k) in NEED_ALL_IN_A_BATCH and (axes == 3 or op == "apart")


def largest(value: np.ndarray) -> float:
    """The largest finite entry, by which differences are measured."""
    finite = np.abs(value[np.isfinite(value)])
    return float(finite.max()) if finite.size else 0.0


def equal(found: np.ndarray, wanted: np.ndarray, scale: float) -> bool:
    """Equal to 12 digits of `scale`; infinities equal."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    finite = np.isfinite(wanted)
    return (found.shape == wanted.shape and np.array_equal(found[~finite], wanted[~finite])
            and bool((np.abs(found[finite] - wanted[finite]) <= 1e-12 * scale).all()))


def check_row(tensor: Tensor, node: Node, k: int, i: int, scale: float = 0.0) -> Tensor | None:
    """Check the row law on one slice, to 12 digits of the tensor's largest entry or of `scale` if that is larger.

    Returns the slice, or None where it must refuse and does."""
    try:
        row = node.row(k, i)
    except NotRowwise:
        assert may_need_all(node.op.name, k, len(tensor.axes)), f"{tensor} refuses slices along axis {k}"
        return None
    assert not may_need_all(node.op.name, k, len(tensor.axes)), f"{tensor} should refuse slices along axis {k}"
    assert row.axes == tensor.axes[:k] + tensor.axes[k + 1:], f"{tensor}: axes of slice {i} along axis {k}"
    assert equal(row.value, tensor.value.take(i, k), max(scale, largest(tensor.value))), (
        f"{tensor}: slice {i} along axis {k}")
    return row


def check_axes(tensor: Tensor) -> None:
    words = [axis.name for axis in tensor.axes]
    assert tensor.value.shape == tuple(axis.size for axis in tensor.axes), tensor
    assert all(axis.labels is None or len(axis.labels) == axis.size for axis in tensor.axes), tensor
    assert set(words) <= set(AXIS_NAMES) and len(set(words)) == len(words), tensor


def spelled(tensor: Tensor, spelling: Spelling, head: int | None = None) -> str:
    assert tensor.symbol is not None, tensor
    return tensor.symbol.spelled(spelling, head)


def read(node: Tensor | Node, spelling: Spelling, head: int | None = None) -> Tree:
    """Check the formula of the expression law; return the tree that it says and that was computed."""
    leaves = [(leaf, _zeros_as_one(leaf.expression())) for leaf in node.leaves()]
    names = {spelled(leaf, spelling, head): as_written(what) for leaf, what in leaves}
    ranks = {json.dumps(what): len(leaf.axes) for leaf, what in leaves}
    expression = _zeros_as_one(node.expression())
    widths = [node[3] - node[2] + 1 for node in nodes(expression) if node[0] == "columns"]
    text = PRINTERS[spelling](head).text(node.formula())
    assert spelling is not Spelling.ASCII or text.isascii(), text
    tree = settled(tree_of(text, names, widths[-1] if widths else 0), ranks)  # the innermost are the blocks
    assert tree == settled(as_written(expression), ranks), f"{text} was {expression}"
    return tree


def _zeros_as_one(expression: Tree) -> Tree:
    """A constant of zeros is written 0, whatever its shape."""
    if isinstance(expression, list):
        if not isinstance(expression[0], str) and not np.any(np.array(expression, float)):
            return 0.0
        return [_zeros_as_one(part) for part in expression]
    return expression


def nodes(expression: Tree) -> Iterator[list[Tree]]:
    """Each application of an op in a computed tree."""
    if isinstance(expression, list) and isinstance(expression[0], str):
        yield expression
        for part in expression[1:]:
            yield from nodes(part)


def check_cells(tensor: Tensor, node: Node, indices: Iterable[tuple[int, ...]], spelling: Spelling,
                scale: float = 0.0) -> None:
    """Check the cells of the expression law: the arithmetic of a number, written and read back, is that number."""
    for index in indices:
        text = PRINTERS[spelling](write=_in_full).text(node.cell(index))
        assert spelling is not Spelling.ASCII or text.isascii(), text
        assert equal(np.float64(evaluated(text)), tensor.value[index], max(scale, largest(tensor.value))), (
            f"{tensor} at {index}: {text} is not {tensor.value[index]}")


def _in_full(leaf: Ref) -> str:
    return repr(float(leaf.tensor.value[leaf.index]))


def first_and_last(step: Step) -> set[int]:
    return {0, step.axes[0].size - 1} if step.axes else set()


def check_symbols(tensor: Tensor, node: Node, spelling: Spelling, head: int | None) -> None:
    """Check that each symbol stands for one tensor: that of one computation, or the result."""
    meant: dict[str, str] = {spelled(tensor, spelling, head): "the result"}
    for part in named(node):
        text, what = spelled(part, spelling, head), json.dumps(part.expression())
        assert meant.setdefault(text, what) == what, f"{tensor}: {text} is {meant[text]} and {what}"


def named(node: Node) -> Iterator[Tensor]:
    """The tensors whose symbols an equation shows."""
    return (part.tensor for part in node.formula().nodes() if isinstance(part, Term))
