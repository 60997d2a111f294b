"""Part 1 is computed from rows: an error in rows or in matrices turns the printed check red, and names the step."""
import re

import numpy as np
import pytest
from command import attntrace
from examples import D_K, D_MODEL, TOKEN, Leaves

from attntrace.ops.elementwise import Add
from attntrace.ops.functions import Mean, Softmax, mean, square
from attntrace.ops.indexing import Concat
from attntrace.ops.matmul import MatMul
from attntrace.pages.checks import check_rows, is_rounding, magnitude, rows_of
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Tensor, apply
from attntrace.tracing.trace import Trace


def slightly_wrong(compute, in_rows):
    """An op's `compute` with an error either in rows or in matrices."""
    def wrong(self, *operands):
        value = compute(self, *operands)
        return np.asarray(value * (1 + 1e-10)) if (len(operands[0].axes) < 2) == in_rows else value
    return wrong


@pytest.mark.parametrize("in_rows", [True, False], ids=["rows", "matrices"])
@pytest.mark.parametrize("op, address", [(MatMul, "encoder.layer1.self_attention.head1.query"),
                                         (Softmax, "encoder.layer1.self_attention.head1.weights"),
                                         (Mean, "encoder.layer1.self_attention.mean"),
                                         (Add, "encoder.input"), (Concat, "encoder.layer1.self_attention.concat")])
@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_an_error_in_rows_or_in_matrices_fails_the_check_of_rows(monkeypatch, in_rows, op, address, form):
    monkeypatch.setattr(op, "compute", slightly_wrong(op.compute, in_rows))
    code, page, _ = attntrace("trace", "this is a cat", "--form", form)
    heading, sentence, *_ = [line for line in page.split("\n") if "✗" in line]
    assert code == 1 and re.match(r"\d\.\d  ", heading)
    assert address in sentence and "differs from" in sentence


@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_what_holds_is_a_sign_behind_the_title_of_its_stage_and_no_sentence(form):
    page = attntrace("trace", "this is a cat", "--form", form).out
    titles = re.findall(r"^\d\.\d+  .*$", page, re.M)
    assert len(titles) > 5 and all("✓" in title for title in titles)
    assert page.count("✓") == len(titles) + 1  # what it says stands once above them
    single = attntrace("trace", "a", "--dtype", "float32").out
    assert "agree to 12 digits" in " ".join(page.split()) and "agree to 5 digits" in " ".join(single.split())


def test_an_error_beside_masked_cells_fails_the_check():
    """Masked cells are infinite, and no difference may be measured relative to them."""
    token = TOKEN._replace(size=2, labels=None)
    axes, steps = (token, token.flipped()), []
    scores = Tensor(np.array([[1e3, 1.0], [1.0, 1.0]]), axes, Symbol("S"), "s")
    hidden = Tensor(np.array([[0.0, -np.inf], [0.0, 0.0]]), axes, Symbol("B"), "b")
    Trace(steps.append)("masked", scores + hidden, "T")
    rows = rows_of(steps[0])
    assert [check.failed for check in check_rows(steps, [rows])] == [""]
    wrong = Tensor(rows[0].value * (1 + 1e-10), rows[0].axes)
    assert [check.failed for check in check_rows(steps, [[wrong, rows[1]]])] == ["masked"]


def test_the_size_of_terms_is_their_sum_without_cancellation():
    leaf, steps = Leaves(), []
    left, right, other = leaf(TOKEN, D_MODEL), leaf(D_MODEL, D_K), leaf(TOKEN, D_K)
    Trace(steps.append)("sum", -(left @ right) / other - other, "T")
    wanted = (np.abs(left.value) @ np.abs(right.value)) / np.abs(other.value) + np.abs(other.value)
    found = [[magnitude(steps[0], (i, j)) for j in range(2)] for i in range(3)]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_small_numbers_are_not_called_rounding_and_cancelled_ones_are():
    leaf = Leaves()
    small, large = leaf(TOKEN, D_MODEL, scale=1e-17), leaf(D_MODEL, D_K)
    steps = []
    trace = Trace(steps.append)
    trace("small", small @ large, "S")
    trace("square", square(leaf(TOKEN, D_MODEL, scale=1e-9)) * leaf(TOKEN, D_MODEL), "T")
    parts = leaf(TOKEN, D_MODEL)
    trace("nothing", mean(parts - mean(parts)), "U")
    assert [is_rounding(step, ()) for step in steps] == [False, False, True]


def test_a_row_taken_from_the_wrong_place_fails_the_check(monkeypatch):
    def row(self, k, i, *operands):
        left, right = operands
        rows = len(left.axes) - 1
        if k >= rows:
            return apply(self, left, right.take(k - rows + 1, i))
        return apply(self, left.take(k, (i + 1) % left.axes[k].size), right)
    monkeypatch.setattr(MatMul, "row", row)
    code, page, _ = attntrace("trace", "this is a cat", "--only", "head1.query", "--form", "vector")
    assert code == 1 and "✗ row" in page and "head1.query" in page


def test_weights_that_do_not_sum_to_one_fail_the_check(monkeypatch):
    monkeypatch.setattr(Softmax, "compute", lambda self, x: np.exp(x.value))
    code, page, _ = attntrace("trace", "this is a cat", "--only", "head1.weights")
    assert code == 1 and "the sum of a row of A differs from 1 by" in page


def test_a_masked_weight_that_is_not_zero_fails_the_check(monkeypatch):
    original = Softmax.compute
    monkeypatch.setattr(Softmax, "compute", lambda self, x: np.where(np.isneginf(x.value), 1e-300, original(self, x)))
    code, page, _ = attntrace("trace", "a", "--target", "b c", "--only", "decoder.layer1.self_attention.head1.weights")
    assert code == 1 and "a masked weight of A is 1e-300, not 0" in page


def test_a_check_that_fails_is_red_on_a_terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(Mean, "compute", slightly_wrong(Mean.compute, in_rows=True))
    page = attntrace("trace", "a b", "--only", "*.mean").out
    assert re.search(r"\x1b\[1;(31|38;5;196)m✗", page)  # bold red, of as many colours as there are
