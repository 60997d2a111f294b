"""How numbers are written."""
import math
import re

import numpy as np
import pytest

from attntrace.pages.numbers import Figures, rows_of_digits
from attntrace.tracing.trace import six_decimals


def written(values, precision=3):
    values = np.array(values, float)
    return Figures.of(values, precision).rows(values[None])[0]


@pytest.mark.parametrize("values, precision, text", [
    ([1.23456, -0.5], 3, " 1.235 -0.500"), ([1.23456, -0.5], 1, " 1.2 -0.5"),
    ([3, -12, 0], 3, "  3 -12   0"),  # whole numbers have no decimals
    ([0, 0.0001, 1.5], 3, "0     0.000 1.500"),  # an exact zero is 0 and a rounded one is not
    ([-0.0001, 1.5], 3, "0.000 1.500"), ([-0.0, 1.5], 3, "0     1.500"),  # no number is minus zero
    ([-np.inf, 0.5], 3, " -inf 0.500"),
    ([9.9996, 1.5], 3, "10.000  1.500"), ([-99.9999, 1.5], 3, "-100.000    1.500")])  # rounded up to more digits
def test_numbers_are_right_aligned_with_the_decimals_that_are_asked_for(values, precision, text):
    assert written(values, precision) == text


@pytest.mark.parametrize("values, precision, text, power", [
    ([0.0042, -0.00012, 0, 1e-9], 3, " 4.200 -0.120  0      0.000", -3), ([0.0096, 0.001], 3, "0.010 0.001", 0),
    ([2.5e7, 12.0], 3, "2.500 0.000", 7), ([1.5e-9, np.inf], 2, "1.50  inf", -9), ([0.00099996], 3, "1.000", -3),
    ([0.04], 1, "4.0", -2), ([0.06], 1, "0.1", 0), ([0.4, 0.2], 0, "4 2", -1), ([5e-324], 3, "0.000", -300)])
def test_what_would_show_one_digit_or_is_huge_has_a_factor(values, precision, text, power):
    assert Figures.of(np.array(values), precision).power == power
    assert written(values, precision) == text
    assert written(np.array(values, "f4"), precision) == text or min(values) < 1e-45
    assert Figures.of(np.array(values), precision, exact=True).power == 0


@pytest.mark.parametrize("number, text", [
    (0.0042, "4.200e-03"), (-0.00042, "-0.420e-03"), (0.0000042, "4.200e-06"), (0, "0"), (math.inf, "inf")])
def test_a_number_in_a_sum_has_the_digits_of_its_tensor_unless_they_are_too_few(number, text):
    assert Figures.of(np.array([0.0042, -0.5e-3]), 3).text(number) == text


def test_columns_of_two_tensors_are_lined_up_at_the_point():
    whole, broken = np.array([3.0, -1.0]), np.array([0.125, -12.5])
    first = Figures.of(whole, 3)._replace(before=3, after=4).rows(whole[None])[0]
    second = Figures.of(broken, 3)._replace(before=3, after=4).rows(broken[None])[0]
    assert len(first) == len(second)
    assert first == "  3      -1    " and second == "  0.125 -12.500"


@pytest.mark.parametrize("scale", [1e-9, 1e-5, 1, 1e3, 1e6])
@pytest.mark.parametrize("odd", [0.0, -0.0, -4e-7, 0.5**7, math.inf, -math.inf, math.nan])
def test_the_text_of_a_fingerprint_is_that_of_python(scale, odd):
    numbers = np.random.default_rng(0).normal(size=2_000) * scale
    halfway = np.round(numbers * 128) / 128  # many exactly between two decimals
    for one in (numbers, halfway, numbers.astype(np.float32)):
        one[7] = odd
        text = " ".join(f"{number:.6f}" for number in one.tolist())
        assert six_decimals(one).decode() == re.sub(r"-(0\.0{6})\b", r"\1", text)


def test_many_numbers_are_written_as_one_is():
    """Bytes and `%f` agree: signs, halves, zeros, infinities, numbers of fifteen digits, more rows than go at once."""
    random = np.random.default_rng(0)
    for decimals in (0, 1, 3, 9, 17):
        units = random.integers(-10**min(decimals + 3, 15), 10**min(decimals + 3, 15), (6_000, 4))
        values = (units + random.choice([0, 0.25, 0.5], units.shape)) / 10.0**decimals
        values[::7] /= 1e6
        values[5:500] = random.normal(size=(495, 4))
        values[:5] = [[0.0, -0.0, np.inf, -np.inf]]
        figures = Figures.of(values, decimals)._replace(power=0, decimals=decimals)
        figures = figures._replace(before=12, after=decimals + 1 if decimals else 0)
        rows = rows_of_digits(figures, values)
        assert rows == [" ".join(map(figures.padded, row)) for row in values.tolist()]


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("decimals", [0, 1, 3, 6])
def test_bytes_are_what_python_writes_also_of_numbers_beside_a_tie(decimals, kind):
    """Halves of the last decimal, the floats beside them, denormals, zeros, all that is not finite."""
    halves = ((np.arange(-400, 400) * 7919 + 0.5) / 10**decimals).astype(kind)
    values = np.array([*halves, *np.nextafter(halves, np.inf), *np.nextafter(halves, -np.inf), 5e-324, 2.5e-4, -5e-5,
                       0.0005, 1.0005, 9999999, -0.0, 0, np.nan, np.inf, -np.inf, 0.1, 1e-45, -1e-45, 4e9, 0.285],
                      kind).reshape(-1, 8)
    figures = Figures(decimals, 12, decimals + 1 if decimals else 0)
    widths = [figures.width + extra for extra in (0, 1, 0, 0, 7, 0, 0, 2)]
    expected = []
    for row in values.tolist():
        texts = ["0" + " " * figures.after if number == 0 else f"{number:.{decimals}f}" for number in row]
        texts = [text[1:] if float(text) == 0 and text.startswith("-") else text for text in texts]
        expected.append([text.rjust(width) for text, width in zip(texts, widths)])
    assert figures.rows(values, widths) == rows_of_digits(figures, values, widths) == list(map(" ".join, expected))
    assert rows_of_digits(figures, values) == [" ".join(text[-figures.width:] for text in row) for row in expected]
