"""The page of one training step, read back: every number there, sums that add up, and checks that can fail."""
import re
from collections.abc import Iterator

import numpy as np
import pytest
from command import BLOG, attntrace, refusal
from pages import Matrix, matrices, without_commands
from parsing import Unreadable, evaluated, rounded_like
from random_model import random_model
from recompute import loads

from attntrace.ops.functions import Softmax
from attntrace.ops.loss import CrossEntropy
from attntrace.runs.training_step import prepare_training_step
from attntrace.tracing.trace import Step

SENTENCES = BLOG[0], BLOG[2]
TWICE = ("a b a", "c d c")  # words that come twice
SMALL = ("--d-model", "4", "--heads", "1", "--d-ff", "3", "--form", "matrix", "--arithmetic", "none")
HALF = 0.0005 + 1e-12  # of the last digit of three
SPELLED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def page(*arguments: str, code: int = 0) -> str:
    done = attntrace("backprop", *arguments)
    assert (done.code, done.err if code == 0 else "") == (code, "")
    return done.out


@pytest.fixture(scope="module")
def vectors() -> str:
    return page(*SENTENCES, "--form", "vector", "--width", "2000")


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    found: list[Step] = []
    prepare_training_step(*SENTENCES)(found.append)
    return found


def wide(text: str) -> list[str]:
    """Each line without its indentation."""
    return [line.strip() for line in text.split("\n")]


def drawn(text: str, name: str) -> list[np.ndarray]:
    """Every matrix that is drawn under a name, its blocks of columns side by side again."""
    found: list[list[list[float]]] = []
    in_one_word = re.sub(r"(\S+ᵀ) (∂L/∂\S+ \d+×)", r"\1·\2", text)  # yᵀ ∂L/∂h, an outer product
    for matrix in matrices(in_one_word):
        if matrix.name == name and matrix.first == 1:
            found.append([list(row) for row in matrix.rows])
        elif matrix.name == name:
            found[-1] = [[*row, *more] for row, more in zip(found[-1], matrix.rows, strict=True)]
    return [np.array(rows) for rows in found]


def with_copies(text: str) -> list[Matrix]:
    """The matrices of a page in matrix form; of a copy, `= ∂L/∂U, above`, those that it names, in its stage."""
    first, *more = re.split(r"^  = (\S+), above$", text, flags=re.M)
    found, above = matrices(first), first
    for source, below in zip(more[::2], more[1::2], strict=True):
        name = re.findall(rf"^  (\S+) = {re.escape(source)}(?: |$)", above, re.M)[-1]
        of_stage = matrices(re.split(r"^2\.\d+ ", above, flags=re.M)[-1])
        start = max(n for n, one in enumerate(of_stage) if one.name == source and one.first == 1)
        found += [one._replace(name=name) for one in of_stage[start:] if one.name == source]
        found += matrices(below)
        above += below
    return found


# Input, and the loss

def test_the_label_of_each_token_stands_beside_what_the_decoder_reads():
    lines = [line.split() for line in page(*TWICE, "--only", "loss.labels").split("\n")]
    start = next(n for n, line in enumerate(lines) if line[:1] == ["No."])
    assert lines[start + 1:start + 5] == [
        ["1", "a", "3", "<s>", "1", "c", "3"], ["2", "b", "4", "c", "3", "d", "4"],
        ["3", "a", "3", "d", "4", "c", "3"], ["4", "c", "3", "</s>", "2"]]


def test_the_loss_of_each_token_is_the_logarithm_of_what_its_label_was_given(vectors, steps):
    found = {step.address: step.value for step in steps}
    losses = re.findall(r"^ +loss[₁-₇] = .* = -\(1·log\(([\d.]+)\)\) [=≈] ([\d.]+)$", vectors, re.M)
    assert len(losses) == 7
    for (p, loss), value, row, label in zip(losses, found["loss.per_token"], found["output.probabilities"],
                                            (3, 4, 5, 6, 7, 8, 2), strict=True):
        assert abs(float(p) - row[label - 1]) <= HALF and abs(float(loss) - value) <= HALF
        assert value == pytest.approx(-np.log(row[label - 1]), rel=1e-12)
    mean = re.search(r"L = mean\(loss\) = \(([\d.+ ]+)\) / 7 [=≈] ([\d.]+)$", vectors, re.M)
    assert mean and mean[1].split(" + ") == [loss for _, loss in losses]


# Every number, and every sum

def test_every_tensor_of_the_step_is_on_the_page_in_matrix_form(steps):
    text = page(*SENTENCES, "--form", "matrix", "--arithmetic", "none", "--width", "160")
    found = iter(with_copies(text))
    assert text.count(", above\n") > 10
    for step in (step for step in steps if step.axes):
        rows: np.ndarray = np.zeros((0, 0))
        while rows.size < step.value.size:
            matrix = next(found)  # operands come first: they are passed over
            if matrix.name == step.symbol.spelled(head=step.symbol.head) and matrix.size == step.value.shape:
                rows = np.hstack([rows, matrix.rows]) if rows.size else np.array(matrix.rows)
        value = step.value.reshape(rows.shape)
        there = np.isfinite(value)
        assert (rows[~there] == value[~there]).all(), step.address
        assert np.abs(rows[there] - value[there]).max() <= HALF, step.address


def test_every_row_of_every_gradient_is_on_the_page_in_vector_form(vectors, steps):
    there, rows, small = " ".join(vectors.split()).replace("-0.000", "0.000"), 0, 0
    for step in steps:
        for row in step.value if step.address.startswith("gradient.") and step.value.ndim == 2 else ():
            largest = np.abs(step.value).max()
            if largest > 0.05 or 1e-12 < largest < 0.009:  # all smaller: a factor; smaller still: it may be rounding
                power = 0 if largest > 0.05 else int(f"{largest:.3e}".partition("e")[2])
                texts = ["0" if number == 0 else f"{number / 10.0**power:.3f}" for number in row.tolist()]
                factor = f" ] × 10{str(power).translate(SPELLED)} " if power else ""
                assert f"{' '.join(texts)}{factor}".replace("-0.000", "0.000") in there, step.address
                rows += 1
                small += bool(power)
    assert rows > 300 and small > 20


def sums(text: str) -> Iterator[tuple[float, str, str]]:
    """The last two parts of each line of equations, where the first of these is arithmetic: its value, the sign, what
    the page says it is."""
    for line in wide(text):
        parts = re.split(r" ([=≈]) ", line)
        if len(parts) < 5 or not re.fullmatch(r"-?[\d.]+(?:e[+-]\d+)?", parts[-1]):
            continue
        try:
            yield evaluated(parts[-3]), parts[-2], parts[-1]
        except Unreadable:  # a formula
            continue


@pytest.mark.parametrize("options", [(), ("--optimizer", "adam", "--label-smoothing", "0.1"), ("--precision", "5")],
                         ids=("descent", "adam", "five digits"))
def test_equals_stands_where_what_is_printed_gives_what_is_printed(options, vectors):
    text = page(*SENTENCES, "--form", "vector", "--width", "2000", *options) if options else vectors
    precision = "5" if "5" in options else "3"
    signs = []
    for again, sign, result in sums(text):
        if abs(again * 10 ** int(precision) % 1 - 0.5) < 1e-6 or abs(again) < 1e-12:  # as near to one as to the other
            continue
        same = rounded_like(result, again) == float(result)
        assert (sign == "=") == same, (again, sign, result)
        assert abs(again - float(result)) <= 0.05 * max(1, abs(again)), (again, sign, result)
        signs.append(sign)
    assert signs.count("=") > 150 and signs.count("≈") > 30


def test_a_page_is_in_ascii_throughout_and_its_arithmetic_reads_back():
    text = page("a b", "c d", "--form", "vector", "--width", "2000", "--ascii")
    signs = [sign for _, sign, _ in sums(text)]
    assert without_commands(text).isascii() and len(signs) > 100
    assert any(line.startswith("dL/dW_Q[1,1]|Q^(1) = ") for line in wide(text))


@pytest.mark.parametrize("address, name, factors", [
    ("gradient.output.W", "∂L/∂W", r"d{}ᵀ ∂L/∂logits{}"),
    ("gradient.decoder.layer1.feed_forward.W_1", "∂L/∂W_1", r"y′′{}ᵀ ∂L/∂h{}"),
    ("gradient.encoder.layer1.feed_forward.W_2", "∂L/∂W_2", r"f{}ᵀ ∂L/∂g{}"),
    ("gradient.decoder.layer1.self_attention.W_O", "∂L/∂W_O", r"c{}ᵀ ∂L/∂o{}")])
def test_the_outer_products_of_all_tokens_add_up_to_the_gradient_of_a_weight(address, name, factors, steps):
    """As printed: to half a digit for each product and for the sum. Each is of rank one."""
    text = page(*SENTENCES, "--form", "vector", "--width", "160", "--only", address)
    tokens = 3 if "encoder" in address else 7
    terms = [factors.format(n, n) for n in "₁₂₃₄₅₆₇"[:tokens]]
    assert f"{name} = {' + '.join(terms)}" in " ".join(text.split())
    products = [drawn(text, term.replace(" ", "·"))[0] for term in terms]
    total = drawn(text, name)[-1]
    assert np.abs(sum(products) - total).max() <= (tokens + 1) * HALF
    value = next(step.value for step in steps if step.address == address)
    assert np.abs(total - value).max() <= HALF
    for product in products:
        assert np.linalg.svd(product, compute_uv=False)[1] <= HALF * np.sqrt(product.size)


def test_the_parts_of_a_gradient_are_printed_before_their_sum():
    text = page(*SENTENCES, "--form", "matrix", "--width", "160", "--only", "gradient.encoder.output*")
    equation = "∂L/∂M = ∂L/∂M|V⁽²⁾ + ∂L/∂M|K⁽²⁾ + ∂L/∂M|V⁽¹⁾ + ∂L/∂M|K⁽¹⁾"
    parts = equation.partition(" = ")[2].split(" + ")
    places = [text.index(f"  {part} = ") for part in parts]
    assert places == sorted(places) and places[-1] < text.index(equation)
    assert np.abs(sum(drawn(text, part)[0] for part in parts) - drawn(text, "∂L/∂M")[-1]).max() <= 5 * HALF


def test_the_update_of_a_printed_number_is_its_arithmetic():
    text = page(*SENTENCES, "--form", "vector", "--width", "160", "--lr", "2", "--only", "update.output.W.*")
    found = {name: re.findall(rf"W_{name}\[\d,:\] += .*= \[([-\d. ]+)\]", text) for name in ("old", "grad", "new")}
    rows = {name: np.array([[float(number) for number in line.split()] for line in lines])
            for name, lines in found.items()}
    assert {value.shape for value in rows.values()} == {(8, 8)}
    assert np.abs(rows["old"] - 2 * rows["grad"] - rows["new"]).max() <= 4 * HALF


# How the page looks

def test_each_row_of_an_embedding_says_which_tokens_it_learns_from():
    lines = wide(page("a b a", "c d", "--form", "vector", "--arithmetic", "none", "--only", "gradient.encoder.E"))
    assert not any(line.endswith("[i,:] = 0") for line in lines), "not every row is 0"
    found = [re.search(r"∂L/∂W_E\[(\d),:\] = (.*?) += \[", line) for line in lines]
    assert {int(row[1]): row[2] for row in found if row} == {
        1: "0", 2: "0", 3: "∂L/∂e₁ + ∂L/∂e₃", 4: "∂L/∂e₂"}


def test_the_loss_after_an_update_that_was_too_long_is_not_called_the_same():
    """Numbers that grew too large to be any are no loss; without any change it is the same."""
    for lr in ("1e100", "1e300"):
        done = attntrace("backprop", "a", "b", "--lr", lr, "--only", "loss.mean")
        assert "with the new parameters it is the same" not in done.out, lr
    assert "with the new parameters it is the same" in page("a", "b", "--lr", "1e-300", "--only", "loss.mean")


# Checks, and bad input

def test_central_differences_stand_beside_every_gradient(tmp_path):
    file = random_model(d_model=4, heads=1, d_ff=2, layers=1).write(tmp_path / "biased.json")
    words = "에 어제 에", "to went"
    text = page(*words, "--weights", str(file), "--check", "--form", "matrix", "--arithmetic", "none", "--width", "200")
    found: list[str] = []
    prepare_training_step(*words, weights=str(file))(lambda step: found.append(step.address))
    wanted = [address for address in found if address.startswith("gradient.") and ".from." not in address]
    pairs = re.findall(r"✓ ∂L/∂\S+: (-?[\d.]+), by central differences (-?[\d.]+); "
                       r"along a random direction: (-?[\d.]+), by central differences (-?[\d.]+)", text)
    assert len(pairs) == len(wanted) > 70 and "✗" not in text
    for numbers in pairs:
        one, other, along, slope = map(float, numbers)
        assert abs(one - other) <= 2e-6 * max(1, abs(other)) and abs(along - slope) <= 2e-6 * max(1, abs(slope))
    for bias in ("gradient.encoder.layer1.self_attention.b_Q", "update.output.b.new"):
        assert bias in {record.get("address") for record in loads(page(
            *words, "--weights", str(file), "--format", "jsonl", "--only", bias))}


@pytest.mark.parametrize("op, first", [
    (Softmax, "gradient.encoder.layer1.self_attention.head1.scaled_scores"),
    (CrossEntropy, "gradient.output.logits")])
def test_a_wrong_gradient_fails_its_check(monkeypatch, op, first):
    right = op.vjp
    monkeypatch.setattr(op, "vjp", lambda self, n, gradient, *rest: right(self, n, gradient + gradient, *rest))
    done = attntrace("backprop", "a b", "c d", *SMALL, "--check", "--width", "300", "--only", first)
    failed = [line for line in done.out.split("\n") if "but by central differences" in line]
    assert done.code == 1 and failed and first in " ".join(failed)
    monkeypatch.undo()
    assert attntrace("backprop", "a b", "c d", *SMALL, "--check", "--only", first).code == 0


@pytest.mark.parametrize("arguments, says", [
    (("a b", ""), "no words"), (("", "a b"), "no words"), (("a b", "  "), "no words"), (("a",), "TARGET"),
    (("a", "b", "--lr", "0"), "--lr"), (("a", "b", "--lr", "nan"), "--lr"), (("a", "b", "--lr", "-1"), "--lr"),
    (("a", "b", "--label-smoothing", "1"), "--label-smoothing"), (("a", "b", "--optimizer", "x"), "--optimizer"),
    (("a", "b", "--label-smoothing", "-0.1"), "--label-smoothing"),
    (("a", "b", "--check", "--dtype", "float32"), "float64"),
    (("a", "b", "--only", "gradient.nothing"), "gradient.nothing"), (("a", "b", "--token", "c"), "--token c"),
    (("the", "고양이가", "--weights", "samples/pencil.json", "--heads", "1"), "--heads"),
    (("the", "dog", "--weights", "samples/pencil.json"), "dog")], ids=lambda value: " ".join(value))
def test_bad_input_is_refused_in_one_line(arguments, says):
    assert says in refusal("backprop", *arguments)


def test_what_stands_in_the_formulas_of_gradients_is_explained_where_it_first_is():
    page = attntrace("backprop", "a b", "c", "--no-explain").out
    for sign in ("positive(", "columns 5-8(", "into rows(", "repeated("):
        said = re.search(rf"^  {re.escape(sign)}\S.* (is|adds) ", page, re.M)
        assert page.count(sign) > 2 and said and page.count(said[0]) == 1
        assert page.index(sign) > page.rindex("\n1.", 0, said.start())  # in the formulas of its stage
    forwards, backwards = page[:page.index("Backward pass")], page[page.index("Backward pass"):]
    assert "∂L/∂X says" not in forwards and backwards.count("∂L/∂X says") == 1


@pytest.mark.parametrize("lr, digits", [("0.01", 3), ("0.0001", 5)])
def test_of_the_loss_so_many_digits_are_shown_that_its_change_is_seen(lr, digits):
    line = attntrace("backprop", "a cat", "un chat", "--lr", lr).out.splitlines()[2]
    numbers = [number for number in re.findall(r"\d\.\d+", line)]
    assert len(numbers) == 3 and all(len(number.partition(".")[2]) >= digits for number in numbers)
    before, after, by = map(float, numbers)
    assert by > 0 and abs(before - after - by) < 10.0 ** -digits
