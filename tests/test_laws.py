"""The laws of tensors, held against every op."""
import itertools
import operator
from collections.abc import Iterator

import numpy as np
import pytest
from checks import NEED_ALL, READABLE, check_axes, check_cells, check_row, may_need_all, read, slices
from examples import D_FF, D_K, D_MODEL, D_V, EXAMPLES, KEY, OTHER_TOKEN, PRODUCING, TOKEN, VOCAB, Leaves
from parsing import Unreadable, evaluated, tree_of

from attntrace.ops import matmul
from attntrace.ops.functions import Sinusoid, identity, sinusoid_table, softmax, square
from attntrace.ops.indexing import concat, slice_columns
from attntrace.ops.loss import CrossEntropy, Labels
from attntrace.ops.shape import Broadcast, ReduceSum, Slice, Unslice, broadcast_to
from attntrace.tensor.axes import Axes, Axis, AxisError, NotRowwise
from attntrace.tensor.printer import AsciiPrinter, Printer
from attntrace.tensor.symbol import AxisIndex, Spelling, Symbol
from attntrace.tensor.tensor import OPS, Tensor, apply, constant
from attntrace.tracing.trace import Trace

of_every_op = pytest.mark.parametrize("example", EXAMPLES, ids=str)
BY_NUMBER = {"rows", "sinusoid", "labels"}  # ops of numbers that have a name
around_every_op = pytest.mark.parametrize("outer", [op for op in PRODUCING if op not in BY_NUMBER])
in_text = pytest.mark.parametrize("spelling", READABLE, ids=lambda spelling: spelling.value)
UPSTREAM = Symbol("R", gradient=True)


# Ops in each other: an op that looks right on named operands may still forget a bracket, or an axis, on others.

# Operands that must have a symbol.
BY_SYMBOL = {("rows", 0), ("rows", 1), ("into_rows", 1), ("sinusoid", 0), ("labels", 0)}


def nested(outer: str) -> Iterator[tuple[str, Tensor]]:
    """The op around every other, as each of its operands in turn; no operand has more than two axes."""
    few = {"slice": (D_MODEL,), "total": (D_MODEL,), "mean": (D_MODEL,), "transpose": (D_FF, D_MODEL)}
    for inner in PRODUCING:
        leaf = Leaves(positive="sqrt" in (outer, inner))
        around = PRODUCING[outer](leaf, few.get(outer, (TOKEN, D_MODEL)))
        for n, operand in enumerate(around.node.operands):
            node = [*around.node.operands]
            if (outer, n) not in BY_SYMBOL and (inner != "sinusoid" or operand.axes[-1].name == "d_model"):
                node[n] = PRODUCING[inner](leaf, operand.axes)
                with np.errstate(invalid="ignore", divide="ignore"):  # √-1, 1 / 0: written all the same
                    yield inner, apply(around.node.op, *node)


@pytest.mark.parametrize("outer", PRODUCING)
def test_every_op_is_tried_around_every_other(outer):
    tried = {inner for inner, _ in nested(outer)}
    assert tried >= set(PRODUCING) - {"sinusoid"} if outer not in BY_NUMBER else not tried


ANY_AXES = (TOKEN, D_MODEL, D_FF, D_K)


class Trees:
    """Random trees of arithmetic, of any two different axes, whose leaves are few and come back."""

    def __init__(self, seed: int) -> None:
        self.random, self.leaf, self.leaves = np.random.default_rng(seed), Leaves(seed), {}

    def tree(self) -> Tensor:
        return self.drawn(TOKEN, D_MODEL, 3, self.random.integers(7))

    def drawn(self, left: Axis, right: Axis, depth: int, kind: int | None = None) -> Tensor:
        kind = self.random.integers(8) if kind is None else kind
        if kind == 7 or not depth:
            key = left, right, int(self.random.integers(2))
            self.leaves[key] = self.leaves.get(key) or self.leaf(left, right)
            return self.leaves[key]
        if kind == 6:
            middle = next(axis for axis in ANY_AXES if axis not in (left, right))
            return self.drawn(left, middle, depth - 1) @ self.drawn(middle, right, depth - 1)
        first = self.drawn(left, right, depth - 1)
        if kind < 2:
            return (operator.neg, square)[kind](first)
        second = self.drawn(left, right, 0 if kind == 5 else depth - 1)  # no divisor that may be almost 0
        return (operator.add, operator.sub, operator.mul, operator.truediv)[kind - 2](first, second)


# 1. The row law

SLICED = [example for example in EXAMPLES if example.axes]  # a number has no slice
REBUILT = [example for example in SLICED
           if not all(may_need_all(example.op, k, len(example.axes)) for k in range(len(example.axes)))]
of_every_slice = pytest.mark.parametrize("example", SLICED, ids=str)
of_every_rebuilt_slice = pytest.mark.parametrize("example", REBUILT, ids=str)


def test_the_row_laws_are_held_against_every_op():
    assert {example.op for example in REBUILT} == {example.op for example in SLICED} == set(OPS)
    assert len(SLICED) == sum(example.tensor().value.ndim > 0 for example in EXAMPLES) > 100


@of_every_slice
def test_a_slice_rebuilt_from_slices_equals_the_slice(example):
    tensor = example.tensor()
    for k, i in slices(tensor):
        check_row(tensor, tensor.node, k, i)


@of_every_rebuilt_slice
def test_a_slice_of_what_has_a_name_is_named_after_it(example):
    """Also where it is nothing but zeros, or a row of something that has a name of its own."""
    named = example.tensor()
    named.symbol = Symbol("R")
    for k, i in slices(named):
        if not may_need_all(example.op, k, len(named.axes)):
            assert named.take(k, i).symbol == Symbol("R").indexed(k, i, named.axis_names)


@pytest.mark.parametrize("example", [example for example in REBUILT if len(example.axes) > 1], ids=str)
def test_a_slice_of_a_slice_equals_the_slice_of_both(example):
    tensor = example.tensor()
    for k, i in slices(tensor):
        if may_need_all(example.op, k, len(tensor.axes)):
            continue
        row = tensor.node.row(k, i)
        for left, j in slices(row):
            if may_need_all(example.op, left, len(row.axes)) and row.node.op.name == example.op:
                with pytest.raises(NotRowwise):
                    row.take(left, j)
            else:
                number = row.take(left, j)
                assert number.axes == row.axes[:left] + row.axes[left + 1:]
                np.testing.assert_allclose(number.value, tensor.value.take(i, k).take(j, left), rtol=1e-12)


@pytest.mark.parametrize("op, from_the_end", sorted(NEED_ALL))
def test_what_depends_on_all_refuses_a_slice(op, from_the_end):
    for example in EXAMPLES:
        if example.op == op:
            tensor = example.tensor()
            with pytest.raises(NotRowwise):
                tensor.node.row(len(tensor.axes) + from_the_end, 0)


@around_every_op
def test_slices_of_two_ops_rebuilt_from_slices_equal_the_slices(outer):
    for inner, tensor in nested(outer):
        for k, i in slices(tensor) if np.isfinite(tensor.value).all() else []:
            try:
                row = tensor.node.row(k, i)
            except NotRowwise:
                assert {outer, inner} & {op for op, _ in NEED_ALL}
            else:
                assert row.axes == tensor.axes[:k] + tensor.axes[k + 1:]
                np.testing.assert_allclose(row.value, tensor.value.take(i, k), rtol=1e-12, atol=1e-12)


def test_rows_of_positions_share_their_tables():
    """Else each row of a long sentence would have a table of its own, of all rows before it."""
    pos = Leaves().numbers(list(range(300)), Axis("token", 300))
    P, before = apply(Sinusoid(4, "halves", "float64"), pos), sinusoid_table.cache_info().misses
    for i in range(300):
        assert np.array_equal(P.node.row(0, i).value, P.value[i])
    assert sinusoid_table.cache_info().misses - before < 10


# 2. The axes law

@of_every_op
def test_axes_are_those_that_the_op_should_have_and_fit_the_array(example):
    tensor = example.tensor()
    assert (tensor.node.op.name, tensor.axes) == (example.op, example.axes)
    check_axes(tensor)


def refused(**pairs: tuple[Axes, Axes]):
    return pytest.mark.parametrize("left, right", pairs.values(), ids=pairs.keys())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows, inner, columns", [(200, 96, 130), (129, 33, 64), (64, 40, 7), (1, 50, 90)])
def test_a_long_product_is_the_same_by_blocks_of_rows(dtype, rows, inner, columns, monkeypatch):
    monkeypatch.setattr(matmul, "AT_ONCE", 64 * inner * columns - 1)  # blocks of 64 rows
    normal = np.random.default_rng(0).normal
    left, right = normal(size=(rows, inner)).astype(dtype), normal(size=(inner, columns)).astype(dtype)
    result = matmul.product(left, right)
    assert result.dtype == dtype and np.allclose(result, left @ right, atol=1e-4 if dtype == "float32" else 1e-12)
    with pytest.raises(ValueError, match="mismatch"):
        matmul.product(left, right[1:])


@refused(another_word=((TOKEN, D_K), (D_V, D_MODEL)),
         another_size=((TOKEN, D_MODEL), (Axis("d_model", 5), D_FF)),
         other_labels=((TOKEN, KEY), (TOKEN._replace(labels=("the", "dog", "sat")), D_V)),
         no_labels=((TOKEN, KEY), (Axis("token", 3), D_V)),
         the_same_axis_twice=((TOKEN, D_K), (D_K, TOKEN)),
         the_same_word_twice=((TOKEN, D_K), (D_K, OTHER_TOKEN)),
         none_on_the_left=((), (D_K,)),
         none_on_the_right=((D_K,), ()))
def test_a_product_of_matrices_that_do_not_fit_is_refused(left, right):
    leaf = Leaves()
    with pytest.raises(AxisError):
        leaf(*left) @ leaf(*right)


@refused(another_word=((TOKEN, D_K), (TOKEN, D_V)),
         another_size=((TOKEN, D_MODEL), (Axis("d_model", 3),)),
         only_one=((TOKEN, D_MODEL), (Axis("d_model", 1),)),
         other_labels=((TOKEN, D_K), (TOKEN._replace(labels=("the", "dog", "sat")), D_K)),
         no_labels=((TOKEN, D_K), (Axis("token", 3), D_K)),
         turned_round=((TOKEN, KEY), (KEY, TOKEN)),
         a_key_for_a_token=((TOKEN, D_K), (KEY,)))
@pytest.mark.parametrize("op", ["add", "subtract", "multiply", "divide"])
def test_numbers_that_cannot_be_lined_up_are_refused(op, left, right):
    leaf = Leaves()
    for pair in (left, right), (right, left):
        with pytest.raises(AxisError):
            apply(OPS[op](), *(leaf(*axes) for axes in pair))


@pytest.mark.parametrize("refused", [
    lambda leaf: concat([leaf(TOKEN, D_V), leaf(TOKEN._replace(labels=("a", "b", "c")), D_V)], "d_concat"),
    *(lambda leaf, span=span: slice_columns(leaf(TOKEN, D_MODEL), *span, "d_k") for span in ((0, 2), (3, 5), (3, 2))),
    *(lambda leaf, shape=shape: Tensor(np.zeros(shape), (TOKEN, D_MODEL)) for shape in ((3,), (4, 3), (3, 4, 1), ()))])
def test_other_rows_columns_that_a_matrix_lacks_and_an_array_of_another_shape_are_refused(refused):
    with pytest.raises(AxisError):
        refused(Leaves())


# 3. The gradient law

@pytest.mark.parametrize("example", [example for example in EXAMPLES if example.backwards], ids=str)
def test_gradients_agree_with_central_differences(example):
    tensor = example.tensor()
    upstream = np.random.default_rng(7).normal(size=tensor.value.shape)
    check_gradients(tensor, Tensor(np.where(np.isfinite(tensor.value), upstream, 0.0), tensor.axes, UPSTREAM))


@pytest.mark.parametrize("op", [name for name, op in OPS.items() if op.broadcasts_gradient])
def test_a_gradient_may_lack_the_axes_along_which_it_is_the_same(op):
    """As a mean hands it back; where the op adds its operands' repeats up, they count as often as there are."""
    for example in EXAMPLES:
        if example.op == op and example.backwards and len(example.axes) == 2:
            tensor = example.tensor()
            for k in range(2):
                column = np.random.default_rng(7).normal(size=tensor.value.shape[1 - k])
                upstream = Tensor(column, tensor.axes[:k] + tensor.axes[k + 1:], UPSTREAM)
                if np.isfinite(tensor.value).all():
                    check_gradients(tensor, upstream)


def check_gradients(tensor: Tensor, upstream: Tensor) -> None:
    whole = broadcast_to(upstream, tensor.axes)
    for n, operand in enumerate(tensor.node.operands):
        wanted = differences(tensor, n, whole.value) if operand.value.dtype.kind == "f" else np.zeros(())
        if n in tensor.node.op.non_differentiable:
            assert not wanted.any(), f"something depends on operand {n}"
            continue
        gradient = broadcast_to(tensor.node.vjp(n, upstream, tensor), operand.axes)
        assert gradient.axes == operand.axes
        check_axes(gradient)
        assert (np.abs(gradient.value - wanted) <= 1e-6 * np.maximum(1, np.abs(wanted))).all(), f"operand {n}"


@pytest.mark.parametrize("over, rows", [
    ("all", [[.08, .08, .68, .08, .08], [.08, .68, .08, .08, .08], [.68, .08, .08, .08, .08]]),
    ("others", [[.1, .1, .6, .1, .1], [.1, .6, .1, .1, .1], [.6, .1, .1, .1, .1]]),
    ("words", [[0, 2 / 15, .6, 2 / 15, 2 / 15], [0, .6, 2 / 15, 2 / 15, 2 / 15], [.6, .1, .1, .1, .1]])])
def test_labels_are_smoothed_as_published(over, rows):
    """The last as The Annotated Transformer shows it for a padding that is the first of five words. Its row for the
    padding itself, which is never a label, is 0 there."""
    labels = apply(Labels(Axis("vocab", 5), 0.4, "float64", over, over == "words"), Leaves().numbers([3, 2, 1], TOKEN))
    np.testing.assert_allclose(labels.value, rows, rtol=1e-14)


@pytest.mark.parametrize("over", ("others", "words"))
def test_a_label_without_another_word_is_not_smoothed(over):
    labels = apply(Labels(Axis("vocab", 2 if over == "words" else 1), 0.4, "float64", over, over == "words"),
                   Leaves().numbers([2 if over == "words" else 1], Axis("token", 1)))
    assert labels.value.sum() == 1 == labels.value.max() == labels.node.cell((0, labels.value.size - 1)).value(None)


@pytest.mark.parametrize("settings", ((0.0,), (0.1,), (0.1, "others"), (0.1, "words", 2)))
def test_the_gradient_of_a_loss_goes_to_the_logits_through_logarithm_and_softmax(settings):
    leaf, h = Leaves(), 1e-5
    smoothing, *over = settings
    labels = Labels(VOCAB, smoothing, "float64", *over)
    logits, y = leaf(TOKEN, VOCAB), apply(labels, leaf.numbers([7, 3, 7], TOKEN))

    def losses(value: np.ndarray) -> Tensor:
        at = Tensor(value, logits.axes, Symbol("A"), "a")
        return apply(CrossEntropy(), at, softmax(at), y)

    upstream = Tensor(np.array([0.5, -2.0, 1.0]), (TOKEN,), UPSTREAM)
    found = losses(logits.value).node.vjp(0, upstream, losses(logits.value)).value
    for index in np.ndindex(found.shape):
        step = np.zeros(found.shape)
        step[index] = h
        slope = (losses(logits.value + step).value - losses(logits.value - step).value) @ upstream.value / (2 * h)
        assert abs(found[index] - slope) <= 1e-6 * max(1, abs(slope))


def differences(tensor: Tensor, n: int, upstream: np.ndarray) -> np.ndarray:
    """The slope of Σ upstream · result along each number of the n-th operand."""
    operands, h = [*tensor.node.operands], 1e-5
    start, finite = operands[n], np.isfinite(tensor.value)
    slopes = np.zeros(start.value.shape)
    for index in np.ndindex(slopes.shape):
        ends = []
        for step in (h, -h):
            value = start.value.copy()
            value[index] += step
            operands[n] = Tensor(value, start.axes, start.symbol, start.address)
            ends.append(apply(tensor.node.op, *operands).value[finite])
        slopes[index] = (upstream[finite] * (ends[0] - ends[1])).sum() / (2 * h)
    return slopes


# 4. The expression law: the formula says what was computed, and the arithmetic of a number is that number

@in_text
@of_every_op
def test_an_expression_says_what_was_computed(example, spelling):
    tensor = example.tensor()
    read(tensor, spelling)  # with the symbol that an op has made of its operand's: Aᵀ, A⁽²⁾
    read(tensor.node, spelling)  # and as a step has it, which gets a symbol of its own: (A)ᵀ, A[:,3-4]
    check_cells(tensor, tensor.node, np.ndindex(tensor.value.shape), spelling)


@in_text
@around_every_op
def test_an_expression_of_two_ops_has_the_brackets_that_it_needs(outer, spelling):
    for _, tensor in nested(outer):
        read(tensor, spelling)
        if np.isfinite(tensor.value).all():
            check_cells(tensor, tensor.node, itertools.islice(np.ndindex(tensor.value.shape), 0, None, 3), spelling)


@in_text
@pytest.mark.parametrize("seed", range(40))
def test_an_expression_of_many_ops_has_the_brackets_that_it_needs(seed, spelling):
    tensor = Trees(seed).tree()
    read(tensor, spelling)
    check_cells(tensor, tensor.node, [(0, 0), (2, 3)], spelling)


@in_text
@of_every_rebuilt_slice
def test_the_formula_of_a_slice_says_how_the_slice_was_computed(example, spelling):
    tensor = example.tensor()
    for k, i in slices(tensor):
        if not may_need_all(example.op, k, len(tensor.axes)):
            read(tensor.node.row(k, i), spelling)


@pytest.mark.parametrize("tensor, unicode, ascii", [
    (apply(ReduceSum(0), Leaves()(TOKEN, D_MODEL)), "Σ_token(A)", "sum_token(A)"),
    (apply(ReduceSum(1), Leaves()(TOKEN, D_MODEL)), "Σ_d_model(A)", "sum_d_model(A)"),
    (apply(Unslice(0, 2, TOKEN), Leaves()(D_MODEL)), "placed(token 3, A)", "placed(token 3, A)"),
    (apply(Broadcast(1, D_MODEL), Leaves()(TOKEN)), "repeated(d_model, A)", "repeated(d_model, A)"),
    (softmax(Leaves()(TOKEN, KEY)), "softmax(A)", "softmax(A)"),
    (square(Leaves()(TOKEN) - constant(2.5)), "(A - 2.5)²", "(A - 2.5)^2"),
    (slice_columns(Leaves()(TOKEN, D_MODEL), 3, 4, "d_k"), "A⁽²⁾", "A^(2)"),
    (slice_columns(Leaves()(TOKEN, D_MODEL), 2, 3, "d_k"), "A[:,2-3]", "A[:,2-3]"),
    (slice_columns(Leaves()(TOKEN, D_FF), 1, 4, "d_k"), "A[:,1-4]", "A[:,1-4]"),  # the first of no equal blocks
    (slice_columns(Leaves()(TOKEN, D_MODEL).T, 1, 1, "key"), "Aᵀ[:,1-1]", "A^T[:,1-1]"),  # A⁽¹⁾ᵀ is of a block
    (slice_columns(apply(Slice(1, 2), Leaves()(TOKEN, D_MODEL)), 1, 1, "token"), "A[:,3][1-1]", "A[:,3][1-1]"),
    (apply(Slice(1, 2), Leaves()(TOKEN, D_MODEL)), "A[:,3]", "A[:,3]"),
    (apply(Slice(0, 2), Leaves()(TOKEN, D_MODEL)), "a₃", "a_3"),
], ids=str)
def test_a_formula_names_the_axis_that_it_is_about(tensor, unicode, ascii):
    assert Printer().text(tensor.formula()) == unicode
    assert AsciiPrinter().text(tensor.formula()) == ascii


@in_text
@pytest.mark.parametrize("number", [2, 2.5, 1e-5, 1e6, 123456789, 2 ** 0.5])
def test_a_formula_gives_a_number_in_full(number, spelling):
    read(Leaves()(TOKEN, D_MODEL) / constant(number), spelling)


@pytest.mark.parametrize("text, tree", {
    "A B + C": ["add", ["matmul", "A", "B"], "C"],
    "A - B - C": ["subtract", ["subtract", "A", "B"], "C"],
    "A / B C": ["divide", "A", ["matmul", "B", "C"]],
    "-A ⊙ B": ["negate", ["multiply", "A", "B"]],
    "√a₁₂ Bᵀ[:,2]": ["matmul", ["sqrt", ["slice", "A", 0, 11]], ["slice", ["transpose", "B"], 1, 1]],
    "[A ; B⁽²⁾]": ["concat", "A", ["columns", "B", 4, 6]],
    "a_1^T^2": ["square", ["transpose", ["slice", "A", 0, 0]]],
}.items())
def test_the_reader_of_formulas_knows_ordinary_precedence(text, tree):
    assert tree_of(text, dict(zip("ABC", "ABC")), 3) == tree


@pytest.mark.parametrize("text, number", {
    "2 + 3·(-4)": -10, "-3·2 - 4": -10, "-3² + 1": -8, "(-3)^2 / 2*3": 13.5, "8 / (2·2)": 2, "√(9) + sqrt(4)": 5,
    "e^(-inf - (-1)) + 1": 1, "max(0, -3 + 5)": 2, "10000^(2 / 4)": 100, "1e-05*1e+06": 10, "positive(-2)": 0,
}.items())
def test_the_reader_of_arithmetic_knows_ordinary_precedence(text, number):
    assert evaluated(text) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize("read, text", [
    *((evaluated, text) for text in ("2 + -3", "2·-3", "2 - (3", "√3²", "2 3", "tan(3)", "", "nan")),
    *((lambda text: tree_of(text, dict(zip("ABC", "ABC")), 3), text)
      for text in ("A + -B", "√A²", "A  B", "(A", "A₁", "a", "A B)", "A + D"))])
def test_the_readers_refuse_what_is_ambiguous(read, text):
    with pytest.raises(Unreadable):
        read(text)


# 5. The naming law

def test_naming_the_same_address_twice_fails():
    trace, leaf = Trace([].append), Leaves()
    trace.at("encoder").at("layer1")("scores", -leaf(TOKEN), "S")
    trace.at("encoder").at("layer2")("scores", -leaf(TOKEN), "S")
    with pytest.raises(AxisError, match=r"encoder\.layer1\.scores"):
        trace.at("encoder.layer1")("scores", -leaf(TOKEN), "T")


def test_a_stage_is_no_place_of_its_own():
    trace = Trace([].append, place="encoder")
    trace.stage("add_norm")("mean", -Leaves()(TOKEN), "S")
    with pytest.raises(AxisError, match=r"encoder\.mean"):
        trace("mean", -Leaves()(TOKEN), "S")


def test_a_tensor_that_has_a_name_keeps_it_when_it_gets_another():
    steps = []
    trace, parameter = Trace(steps.append, place="encoder"), Leaves()(TOKEN)
    trace("second", trace("first", identity(parameter), "F"), "G")
    assert [step.tensor.address for step in steps] == ["encoder.first", "encoder.second"]
    assert [step.node.expression() for step in steps] == [["same", "leaf.A"], ["same", "encoder.first"]]
    assert parameter.address == "leaf.A"


# 6. The symbol law

MATRIX = ("token", "d_k")
Q, K, S, X, W_Q, b_Q = map(Symbol.of, ("Q", "K", "S", "X", "W_Q", "b_Q"))
GRADIENT = W_Q._replace(gradient=True)


@pytest.mark.parametrize("symbol, unicode, ascii, latex", [
    (Q, "Q", "Q", "Q"),
    (W_Q, "W_Q", "W_Q", "W_{Q}"),
    (W_Q._replace(superscript=1), "W_Q⁽¹⁾", "W_Q^(1)", "W_{Q}^{(1)}"),
    (Symbol("Z", head=2), "Z⁽²⁾", "Z^(2)", "Z^{(2)}"),
    (Symbol("X", superscript=12), "X⁽¹²⁾", "X^(12)", "X^{(12)}"),
    (Symbol("X", primes=1), "X′", "X'", r"X^{\prime}"),
    (Symbol("Y", primes=2), "Y′′", "Y''", r"Y^{\prime\prime}"),
    (Symbol.of("Ŝ"), "Ŝ", "S_hat", r"\hat{S}"),
    (Symbol.of("Ŝ")._replace(primes=1), "Ŝ′", "S_hat'", r"\hat{S}^{\prime}"),
    (Symbol.of("μ"), "μ", "mu", r"\mu"),
    (Symbol.of("σ²"), "σ²", "sigma2", r"\sigma^{2}"),
    (Symbol.of("loss"), "loss", "loss", r"\mathrm{loss}"),
    (K.transpose(), "Kᵀ", "K^T", r"K^{\top}"),
    (K.transpose().transpose(), "K", "K", "K"),
    (Q.indexed(0, 0, MATRIX), "q₁", "q_1", "q_{1}"),
    (Q.indexed(0, 11, MATRIX), "q₁₂", "q_12", "q_{12}"),
    (Q.indexed(0, 0, MATRIX).indexed(0, 1, MATRIX[1:]), "q₁[2]", "q_1[2]", "q_{1}[2]"),
    (Q.indexed(1, 1, MATRIX).indexed(0, 0, MATRIX[:1]), "q₁[2]", "q_1[2]", "q_{1}[2]"),
    (Q.indexed(0, 104, MATRIX), "q₁₀₅", "q_105", "q_{105}"),
    (Q.indexed(1, 2, MATRIX), "Q[:,3]", "Q[:,3]", "Q[:,3]"),
    (S.indexed(0, 1, ("token", "key")), "s₂", "s_2", "s_{2}"),
    (S.indexed(1, 1, ("token", "key")), "S[:,2]", "S[:,2]", "S[:,2]"),
    (Symbol.of("Ŝ").indexed(0, 0, ("token", "key")), "ŝ₁", "s_hat_1", r"\hat{s}_{1}"),
    (Symbol("Z", head=2).indexed(0, 0, MATRIX), "z⁽²⁾₁", "z^(2)_1", "z_{1}^{(2)}"),
    (Symbol("X", primes=1).indexed(0, 9, MATRIX), "x′₁₀", "x'_10", r"x_{10}^{\prime}"),
    (Symbol.of("μ").indexed(0, 2, ("token",)), "μ₃", "mu_3", r"\mu_{3}"),
    (Symbol.of("σ²").indexed(0, 2, ("token",)), "σ²₃", "sigma2_3", r"\sigma^{2}_{3}"),
    (K.transpose().indexed(1, 2, ("d_k", "key")), "k₃ᵀ", "k_3^T", r"k_{3}^{\top}"),
    (K.indexed(0, 2, MATRIX).transpose(), "k₃ᵀ", "k_3^T", r"k_{3}^{\top}"),
    (W_Q.indexed(0, 2, ("d_model", "d_concat")), "W_Q[3,:]", "W_Q[3,:]", "W_{Q}[3,:]"),
    (W_Q.indexed(0, 0, ("d_model", "d_concat")).indexed(0, 4, ("d_concat",)), "W_Q[1,5]", "W_Q[1,5]", "W_{Q}[1,5]"),
    (b_Q.indexed(0, 1, ("d_concat",)), "b_Q[2]", "b_Q[2]", "b_{Q}[2]"),
    (X.transpose().indexed(0, 2, ("d_model", "key")), "X[:,3]ᵀ", "X[:,3]^T", r"X[:,3]^{\top}"),
    (X.indexed(1, 2, ("token", "d_model")).transpose(), "X[:,3]ᵀ", "X[:,3]^T", r"X[:,3]^{\top}"),
    (GRADIENT, "∂L/∂W_Q", "dL/dW_Q", r"\partial L / \partial W_{Q}"),
    (GRADIENT.indexed(0, 2, ("d_model", "d_concat")), "∂L/∂W_Q[3,:]", "dL/dW_Q[3,:]",
     r"\partial L / \partial W_{Q}[3,:]"),
    (Q._replace(gradient=True).indexed(0, 0, MATRIX), "∂L/∂q₁", "dL/dq_1", r"\partial L / \partial q_{1}"),
    (Q._replace(gradient=True).transpose(), "(∂L/∂Q)ᵀ", "(dL/dQ)^T", r"(\partial L / \partial Q)^{\top}"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_symbol_is_spelled_in_three_ways(symbol, unicode, ascii, latex):
    assert symbol.spelled() == unicode
    assert symbol.spelled(Spelling.ASCII) == ascii
    assert symbol.spelled(Spelling.LATEX) == latex


def test_an_equation_of_one_head_leaves_out_its_number_and_no_other():
    Z = Symbol("Z", head=2)
    assert Z.spelled(head=2) == "Z"
    assert Z.spelled(head=1) == "Z⁽²⁾"
    assert Z.spelled() == "Z⁽²⁾"
    assert W_Q._replace(superscript=2).spelled(head=2) == "W_Q⁽²⁾"


@pytest.mark.parametrize("spelling, row", [*zip(Spelling, ["qᵢ", "q_i", "q_{i}"])], ids=str)
def test_an_equation_of_any_token_has_a_letter_for_its_number(spelling, row):
    assert Q.indexed(0, 3, MATRIX).spelled(spelling, row="i") == row


@pytest.mark.parametrize("spelling", Spelling, ids=str)
def test_two_symbols_are_never_spelled_alike(spelling):
    """But for the way that a gradient has come, which others have not."""
    marks = [(), *((AxisIndex("token", row), AxisIndex("d_k", column))
                   for row, column in [(0, None), (11, None), (0, 1), (0, 11), (11, 1), (None, 0), (None, 11)])]
    symbols = [Symbol(*fields) for fields in itertools.product(
        "X", ("", "Q", "1"), (False, True), (0, 1, 2), (None, 1, 12), (None, 2), (False, True), (False, True), marks)
        if fields[4] is not None or fields[5] is None]
    symbols += [symbol._replace(path=path) for symbol in symbols if symbol.gradient and not symbol.transposed
                for path in (Q, K, Q._replace(head=2))]  # a layer and a head differ only by their numbers
    assert len({symbol.spelled(spelling) for symbol in symbols}) == len(symbols) > 2000
