"""Well-formed applications of every op, to hold the laws against."""
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from attntrace.ops.batch import Pack, Unpack
from attntrace.ops.elementwise import Sum
from attntrace.ops.functions import (Sinusoid, StepFunction, identity, mean, normal_cdf, normal_cdf_tanh, normal_pdf,
                                     normal_pdf_tanh, relu, sigmoid, softmax, sqrt, square)
from attntrace.ops.indexing import PadColumns, ScatterAdd, concat, gather, slice_columns
from attntrace.ops.loss import CrossEntropy, Labels
from attntrace.ops.matmul import Outer
from attntrace.ops.shape import Broadcast, ReduceSum, Slice, Unslice
from attntrace.tensor.axes import Axes, Axis
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Tensor, apply, constant

TOKEN = Axis("token", 3, ("the", "cat", "sat"))
KEY = Axis("key", 3, ("the", "cat", "sat"))
OTHER_KEY = Axis("key", 5, ("it", "was", "not", "a", "dog"))
OTHER_TOKEN = Axis("token", 5, ("it", "was", "not", "a", "dog"))
D_MODEL, D_FF, D_K, D_V = Axis("d_model", 4), Axis("d_ff", 6), Axis("d_k", 2), Axis("d_v", 2)
VOCAB = Axis("vocab", 7, ("<s>", "</s>", "the", "cat", "sat", "on", "it"))
SPARE = (Axis("d_concat", 3), Axis("d_ff", 3), Axis("sentence", 3))


class Leaves:
    """Makes named operands A, B, C ... with random numbers from 0.3 to 1.5, of either sign unless all are positive.

    Nothing is near 0, where ReLU bends and quotients run away."""

    def __init__(self, seed: int = 0, positive: bool = False) -> None:
        self.random, self.positive, self.node = np.random.default_rng(seed), positive, 0

    def _letter(self) -> str:
        self.node += 1
        return chr(ord("A") + self.node - 1)

    def __call__(self, *axes: Axis, positive: bool = False, infinite: bool = False, scale: float = 1.0) -> Tensor:
        shape = tuple(axis.size for axis in axes)
        value = self.random.uniform(0.3, 1.5, shape) * scale
        if not (positive or self.positive):
            value = value * self.random.choice((-1.0, 1.0), shape)
        if infinite:  # as a mask has it: nothing may look ahead
            value[np.triu_indices(axes[0].size, 1)] = -np.inf
        letter = self._letter()
        return Tensor(value, axes, Symbol.of(letter), f"leaf.{letter}")

    def numbers(self, values: list[int] | int, *axes: Axis) -> Tensor:
        """Ids: whole numbers without an address, as a run has them."""
        return constant(values, self._letter(), axes)

    def positions(self, *axes: Axis) -> Tensor:
        shape = [axis.size for axis in axes]
        return constant(np.arange(np.prod(shape, dtype=int)).reshape(shape) + 2, self._letter(), axes)


def spare(axes: Axes) -> Axis:
    """An axis of three positions whose word is not there yet."""
    return next(axis for axis in SPARE if axis.name not in {other.name for other in axes})


# For each op: an application of it whose result has these axes (one or more; the last without labels, and d_model
# where the op makes it so).
PRODUCING: dict[str, Callable[[Leaves, Axes], Tensor]] = {
    "add": lambda leaf, axes: leaf(*axes) + leaf(*axes),
    "sum": lambda leaf, axes: apply(Sum(), leaf(*axes), leaf(*axes), leaf(*axes)),
    "subtract": lambda leaf, axes: leaf(*axes) - leaf(*axes),
    "multiply": lambda leaf, axes: leaf(*axes) * leaf(*axes),
    "divide": lambda leaf, axes: leaf(*axes) / leaf(*axes),
    "negate": lambda leaf, axes: -leaf(*axes),
    "matmul": lambda leaf, axes: leaf(*axes[:-1], spare(axes)) @ leaf(spare(axes), axes[-1]),
    "transpose": lambda leaf, axes: leaf(*(axis.flipped() for axis in reversed(axes))).T,
    "slice": lambda leaf, axes: apply(Slice(0, 1), leaf(spare(axes), *axes)),
    "placed": lambda leaf, axes: apply(Unslice(0, 1, axes[0]), leaf(*axes[1:])),
    "total": lambda leaf, axes: apply(ReduceSum(len(axes)), leaf(*axes, spare(axes))),
    "repeated": lambda leaf, axes: apply(Broadcast(0, axes[0]), leaf(*axes[1:])),
    "columns": lambda leaf, axes: slice_columns(leaf(*axes[:-1], spare(axes)._replace(size=2 * axes[-1].size)),
                                                axes[-1].size + 1, 2 * axes[-1].size, axes[-1].name),
    "among_columns": lambda leaf, axes: apply(
        PadColumns(axes[-1].size // 2 + 1, axes[-1].size, axes[-1]),
        leaf(*axes[:-1], spare(axes)._replace(size=axes[-1].size - axes[-1].size // 2))),
    "concat": lambda leaf, axes: concat([leaf(*axes[:-1], spare(axes)._replace(size=size))
                                         for size in (1, axes[-1].size - 1) if size], axes[-1].name),
    "rows": lambda leaf, axes: gather(leaf(spare(axes), *axes[1:]),
                                      leaf.numbers([1 + n % 3 for n in range(1, axes[0].size + 1)], axes[0])),
    "into_rows": lambda leaf, axes: apply(ScatterAdd(axes[0]), leaf(spare(axes), *axes[1:]),
                                          leaf.numbers([2, 1, 2], spare(axes))),
    "same": lambda leaf, axes: identity(leaf(*axes)),
    "softmax": lambda leaf, axes: softmax(leaf(*axes)),
    "mean": lambda leaf, axes: mean(leaf(*axes, spare(axes))),
    "square": lambda leaf, axes: square(leaf(*axes)),
    "sqrt": lambda leaf, axes: sqrt(leaf(*axes, positive=True)),
    "relu": lambda leaf, axes: relu(leaf(*axes)),
    "sigmoid": lambda leaf, axes: sigmoid(leaf(*axes)),
    "normal_cdf": lambda leaf, axes: normal_cdf(leaf(*axes)),
    "normal_pdf": lambda leaf, axes: normal_pdf(leaf(*axes)),
    "normal_cdf_tanh": lambda leaf, axes: normal_cdf_tanh(leaf(*axes)),
    "normal_pdf_tanh": lambda leaf, axes: normal_pdf_tanh(leaf(*axes)),
    "positive": lambda leaf, axes: apply(StepFunction(), leaf(*axes)),
    "sinusoid": lambda leaf, axes: apply(Sinusoid(axes[-1].size, "interleaved", "float64"), leaf.positions(*axes[:-1])),
    "labels": lambda leaf, axes: apply(Labels(axes[-1], 0.1, "float64"),
                                       leaf.numbers(np.ones([axis.size for axis in axes[:-1]], int), *axes[:-1])),
}
DERIVATIVES = {"normal_pdf", "normal_pdf_tanh"}  # of activations: no one takes their gradients
# Ops whose results have axes of their own kind: no others can be asked of them.
PARTICULAR = {"apart", "together", "outer", "cross_entropy"}
PACKED = Axis("token", 6, None, (2, 3, 1))
BATCH = Axis("sentence", 3), Axis("token", 3)


class Example(NamedTuple):
    """An application of an op, and the axes that its result should have; `backwards`: whether it has a gradient."""
    op: str
    what: str
    axes: Axes
    build: Callable[[Leaves], Tensor]
    backwards: bool = True

    def __str__(self) -> str:
        return f"{self.op}-{self.what}"

    def tensor(self) -> Tensor:
        return self.build(Leaves())


def _broadcast() -> Iterator[Example]:
    """The ops that go cell by cell, with an operand that lacks axes on either side."""
    binary: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b}
    whole, batch = (TOKEN, D_MODEL), (Axis("sentence", 2), TOKEN, KEY)
    for name, op in binary.items():
        for what, less in {"a_row": (D_MODEL,), "a_column": (TOKEN,), "a_number": ()}.items():
            yield Example(name, f"with_{what}", whole, lambda leaf, op=op, less=less: op(leaf(*whole), leaf(*less)))
            yield Example(name, f"{what}_with", whole, lambda leaf, op=op, less=less: op(leaf(*less), leaf(*whole)))
        yield Example(name, "square", (TOKEN, KEY), lambda leaf, op=op: op(leaf(TOKEN, KEY), leaf(KEY)))
        for what, less in {"a_mask": batch[1:], "a_row_each": batch[::2]}.items():
            yield Example(name, f"a_batch_and_{what}", batch,
                          lambda leaf, op=op, less=less: op(leaf(*batch), leaf(*less)))
        yield Example(name, "numbers", (), lambda leaf, op=op: op(leaf(), leaf()))


def _examples() -> Iterator[Example]:
    for op, producing in PRODUCING.items():
        for what, axes in {"matrix": (TOKEN, D_MODEL), "row": (D_MODEL,)}.items():
            backwards = op not in DERIVATIVES and (op, what) != ("matmul", "row")  # of one row alone it is no step
            yield Example(op, what, axes, lambda leaf, producing=producing, axes=axes: producing(leaf, axes), backwards)
    yield from _broadcast()
    yield Example("divide", "by_many_digits", (TOKEN, KEY), lambda leaf: leaf(TOKEN, KEY) / constant(2 ** 0.5))
    yield Example("add", "a_mask", (TOKEN, KEY), lambda leaf: leaf(TOKEN, KEY) + leaf(TOKEN, KEY, infinite=True))

    yield Example("matmul", "queries_and_keys", (TOKEN, KEY), lambda leaf: leaf(TOKEN, D_K) @ leaf(TOKEN, D_K).T)
    yield Example("matmul", "keys_of_another_sentence", (TOKEN, OTHER_KEY),
                  lambda leaf: leaf(TOKEN, D_K) @ leaf(OTHER_TOKEN, D_K).T)
    yield Example("matmul", "weights_and_values", (TOKEN, D_V), lambda leaf: leaf(TOKEN, KEY) @ leaf(TOKEN, D_V))
    yield Example("matmul", "vocabulary", (TOKEN, VOCAB), lambda leaf: leaf(TOKEN, D_MODEL) @ leaf(D_MODEL, VOCAB))
    yield Example("matmul", "matrix_and_column", (TOKEN,), lambda leaf: leaf(TOKEN, D_K) @ leaf(D_K), False)
    yield Example("matmul", "row_and_column", (), lambda leaf: leaf(D_K) @ leaf(D_K), False)

    yield Example("transpose", "scores", (TOKEN, KEY), lambda leaf: leaf(TOKEN, KEY).T)
    yield Example("transpose", "keys", (D_K, KEY), lambda leaf: leaf(TOKEN, D_K).T)
    yield Example("transpose", "one_token_each", (KEY,), lambda leaf: leaf(TOKEN).T)
    yield Example("slice", "column", (TOKEN,), lambda leaf: apply(Slice(1, 2), leaf(TOKEN, D_MODEL)))
    yield Example("slice", "row_of_a_token", (D_MODEL,), lambda leaf: apply(Slice(0, 2), leaf(TOKEN, D_MODEL)))
    yield Example("slice", "number", (), lambda leaf: apply(Slice(0, 3), leaf(D_MODEL)))
    yield Example("slice", "row_of_a_product", (D_MODEL,),
                  lambda leaf: apply(Slice(0, 2), leaf(TOKEN, D_K) @ leaf(D_K, D_MODEL)))
    yield Example("placed", "column", (TOKEN, D_MODEL), lambda leaf: apply(Unslice(1, 3, D_MODEL), leaf(TOKEN)))
    yield Example("placed", "number", (D_MODEL,), lambda leaf: apply(Unslice(0, 0, D_MODEL), leaf()))
    yield Example("total", "over_tokens", (D_MODEL,), lambda leaf: apply(ReduceSum(0), leaf(TOKEN, D_MODEL)))
    yield Example("total", "of_a_row", (), lambda leaf: apply(ReduceSum(0), leaf(D_MODEL)))
    yield Example("repeated", "columns", (TOKEN, D_MODEL), lambda leaf: apply(Broadcast(1, D_MODEL), leaf(TOKEN)))
    yield Example("repeated", "number", (D_MODEL,), lambda leaf: apply(Broadcast(0, D_MODEL), leaf()))

    yield Example("columns", "first_block", (TOKEN, D_K), lambda leaf: slice_columns(leaf(TOKEN, D_MODEL), 1, 2, "d_k"))
    yield Example("columns", "no_block", (TOKEN, D_K), lambda leaf: slice_columns(leaf(TOKEN, D_MODEL), 2, 3, "d_k"))
    yield Example("columns", "of_a_product", (TOKEN, D_K),
                  lambda leaf: slice_columns(leaf(TOKEN, D_FF) @ leaf(D_FF, D_MODEL), 3, 4, "d_k"))
    yield Example("among_columns", "in_the_middle", (D_FF, D_MODEL),
                  lambda leaf: apply(PadColumns(2, 3, D_MODEL), leaf(D_FF, D_K)))
    yield Example("concat", "one", (TOKEN, Axis("d_concat", 2)), lambda leaf: concat([leaf(TOKEN, D_V)], "d_concat"))
    yield Example("concat", "three", (TOKEN, Axis("d_concat", 12)),
                  lambda leaf: concat([leaf(TOKEN, D_MODEL), leaf(TOKEN, D_K), leaf(TOKEN, D_FF)], "d_concat"))
    yield Example("rows", "of_a_vocabulary", (TOKEN, D_MODEL),
                  lambda leaf: gather(leaf(VOCAB, D_MODEL), leaf.numbers([7, 3, 7], TOKEN)))
    yield Example("rows", "of_one_token", (D_MODEL,),
                  lambda leaf: gather(leaf(VOCAB, D_MODEL), leaf.numbers(5)), False)  # of a row alone: see above
    yield Example("into_rows", "of_a_vocabulary", (VOCAB, D_MODEL),
                  lambda leaf: apply(ScatterAdd(VOCAB), leaf(TOKEN, D_MODEL), leaf.numbers([7, 3, 7], TOKEN)))

    yield Example("apart", "sentences", (*BATCH, D_MODEL), lambda leaf: apply(Unpack(), leaf(PACKED, D_MODEL)))
    yield Example("apart", "of_one_length", (Axis("sentence", 2), Axis("token", 3), D_MODEL),
                  lambda leaf: apply(Unpack(), leaf(PACKED._replace(lengths=(3, 3)), D_MODEL)))
    yield Example("apart", "numbers", BATCH, lambda leaf: apply(Unpack(), leaf(PACKED)))
    yield Example("together", "sentences", (PACKED, D_MODEL),
                  lambda leaf: apply(Pack(PACKED), leaf(*BATCH, D_MODEL)))
    yield Example("together", "numbers", (PACKED,), lambda leaf: apply(Pack(PACKED), leaf(*BATCH)))
    yield Example("outer", "product", (D_MODEL, D_K), lambda leaf: apply(Outer(), leaf(D_MODEL), leaf(D_K)))
    yield Example("outer", "of_rows", (D_MODEL, D_K),
                  lambda leaf: apply(Outer(), *(apply(Slice(0, 1), leaf(TOKEN, axis)) for axis in (D_MODEL, D_K))))
    yield Example("transpose", "of_each_sentence", (Axis("sentence", 2), D_K, KEY),
                  lambda leaf: leaf(Axis("sentence", 2), TOKEN, D_K).T)
    yield Example("matmul", "of_each_sentence", (Axis("sentence", 2), TOKEN, D_V),
                  lambda leaf: leaf(Axis("sentence", 2), TOKEN, KEY) @ leaf(Axis("sentence", 2), TOKEN, D_V))
    yield Example("labels", "one_hot", (TOKEN, VOCAB),
                  lambda leaf: apply(Labels(VOCAB, 0.0, "float64"), leaf.numbers([7, 3, 7], TOKEN)))
    for over, padding in (("others", 0), ("words", 1), ("words", 3)):
        yield Example("labels", f"over_{over}_{padding}", (TOKEN, VOCAB), lambda leaf, op=Labels(
            VOCAB, 0.1, "float64", over, padding): apply(op, leaf.numbers([7, 3, 7], TOKEN)))

    for what, smoothing in {"one_hot": 0.0, "smoothed": 0.1}.items():  # that their gradients are right: see the test
        yield Example("cross_entropy", what, (TOKEN,), lambda leaf, smoothing=smoothing: apply(
            CrossEntropy(), leaf(TOKEN, VOCAB), leaf(TOKEN, VOCAB, positive=True, scale=0.1),
            apply(Labels(VOCAB, smoothing, "float64"), leaf.numbers([7, 3, 7], TOKEN))), False)

    yield Example("softmax", "masked", (TOKEN, KEY), lambda leaf: softmax(leaf(TOKEN, KEY, infinite=True)))
    yield Example("softmax", "that_would_overflow", (TOKEN, KEY), lambda leaf: softmax(leaf(TOKEN, KEY, scale=1000)))
    yield Example("mean", "of_tokens", (TOKEN,), lambda leaf: mean(leaf(TOKEN, D_MODEL)))
    yield Example("mean", "of_a_row", (), lambda leaf: mean(leaf(D_MODEL)))
    yield Example("sinusoid", "halves", (TOKEN, D_FF._replace(name="d_model")),
                  lambda leaf: apply(Sinusoid(6, "halves", "float64"), leaf.numbers([0, 1, 12], TOKEN)))
    for what, settings in {"odd": (5, "halves"), "of_a_base": (5, "interleaved", 2.5),
                           "tensor2tensor": (7, "tensor2tensor")}.items():
        width, layout, *base = settings
        yield Example("sinusoid", what, (TOKEN, Axis("d_model", width)), lambda leaf, settings=(
            width, layout, "float64", *base): apply(Sinusoid(*settings), leaf.numbers([0, 1, 12], TOKEN)))
    for op, function in {"negate": lambda x: -x, "square": square, "sqrt": sqrt, "relu": relu,
                         "same": identity, "sigmoid": sigmoid, "normal_cdf": normal_cdf,
                         "normal_cdf_tanh": normal_cdf_tanh}.items():
        yield Example(op, "number", (), lambda leaf, function=function: function(leaf(positive=True)))
        yield Example(op, "large_numbers", (TOKEN, KEY), lambda leaf, op=op, function=function: function(
            leaf(TOKEN, KEY, positive=op == "sqrt", scale=1000)))  # whose powers overflow


EXAMPLES = list(_examples())
