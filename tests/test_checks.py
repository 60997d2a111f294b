"""Part 1 is computed from rows: an error in either road of an op turns a printed row line red, and says where."""
from __future__ import annotations

import re

import numpy as np
import pytest
from command import attntrace

from attntrace.algebra import Add
from attntrace.functions import Mean, Softmax
from attntrace.parts import Concat
from attntrace.products import MatMul
from attntrace.tensor import apply


def in_rows(change):
    """An error in what an op computes from rows."""
    def plant(original):
        return lambda self, *operands: (change(original(self, *operands)) if len(operands[0].axes) < 2
                                        else original(self, *operands))
    return plant


def in_matrices(change):
    def plant(original):
        return lambda self, *operands: (change(original(self, *operands)) if len(operands[0].axes) == 2
                                        else original(self, *operands))
    return plant


def slightly(value):
    return np.asarray(value * (1 + 1e-10))


@pytest.mark.parametrize("road", [in_rows, in_matrices], ids=["rows", "matrices"])
@pytest.mark.parametrize("op, address", [(MatMul, "encoder.layer1.self_attention.head1.query"),
                                         (Softmax, "encoder.layer1.self_attention.head1.weights"),
                                         (Mean, "encoder.layer1.self_attention.mean"),
                                         (Add, "encoder.input"), (Concat, "encoder.layer1.self_attention.concat")])
@pytest.mark.parametrize("form", ["vector", "matrix"])
def test_an_error_in_one_road_of_an_op_is_told(monkeypatch, road, op, address, form):
    monkeypatch.setattr(op, "compute", road(slightly)(op.compute))
    code, page, _ = attntrace("trace", "this is a cat", "--form", form)
    wrong = [line for line in page.split("\n") if "✗" in line]
    assert code == 1 and address in wrong[0] and "differs from" in wrong[0]


def test_a_row_taken_from_the_wrong_place_is_told(monkeypatch):
    def follow(self, k, i, *operands):
        left, right = operands
        rows = len(left.axes) - 1
        if k >= rows:
            return apply(self, left, right.at(k - rows + 1, i))
        return apply(self, left.at(k, (i + 1) % left.axes[k].size), right)
    monkeypatch.setattr(MatMul, "follow", follow)
    code, page, _ = attntrace("trace", "this is a cat", "--only", "head1.query", "--form", "vector")
    assert code == 1 and "✗ row" in page and "head1.query" in page


def test_weights_that_do_not_sum_to_one_are_told(monkeypatch):
    monkeypatch.setattr(Softmax, "compute", lambda self, x: np.exp(x.value))
    code, page, _ = attntrace("trace", "this is a cat", "--only", "head1.weights")
    assert code == 1 and "a row of A misses 1 by" in page


def test_a_masked_weight_that_is_not_zero_is_told(monkeypatch):
    original = Softmax.compute
    monkeypatch.setattr(Softmax, "compute", lambda self, x: np.where(np.isneginf(x.value), 1e-300, original(self, x)))
    code, page, _ = attntrace("trace", "a", "--target", "b c", "--only", "decoder.layer1.self_attention.head1.weights")
    assert code == 1 and "a masked weight of A is 1e-300, not 0" in page


def test_a_check_that_fails_is_red_on_a_terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(Mean, "compute", in_rows(slightly)(Mean.compute))
    page = attntrace("trace", "a b", "--only", "*.mean").out
    assert re.search(r"\x1b\[1;(31|38;5;160)m✗", page)  # bold red, of as many colours as there are
