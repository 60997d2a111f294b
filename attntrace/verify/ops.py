"""The second table of ops, for the independent checker: what each does to nested lists of numbers, in plain loops.

Written from the table of ops in docs/en/addresses-and-formats.md, apart from the model on purpose: the numbers of a run
are computed again without NumPy and without a line of the code that computed them. Imports only the standard library
and arithmetic.py."""
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from attntrace.verify.arithmetic import Arithmetic

ANY = "?"  # an axis whose name an expression does not give
FLIPPED = {"token": "key", "key": "token"}  # what a transpose makes of an axis of positions
INFINITIES = {"-inf", "inf"}


class Array(NamedTuple):
    """Numbers as nested lists (a single number has no axes), and the name of each axis."""
    numbers: Any
    axes: tuple[str, ...]


class Unfit(ValueError):
    """An expression without a value (operands that do not fit), or a record that contradicts itself. key and facts of
    its message."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key, facts)
        self.key, self.facts = key, facts


def depth(numbers: Any) -> int:
    if not isinstance(numbers, (list, tuple)):
        return 0
    return 1 + depth(numbers[0]) if numbers else 1


def map_lists(f: Callable[[Any], Any], numbers: Any) -> Any:
    """Apply f to each number of nested lists."""
    return combine(f, depth(numbers), numbers)


def combine(f: Callable[..., Any], axes: int, *parts: Any) -> Any:
    """Apply f to what stands at the same position of some nested lists, behind this many axes."""
    if not axes:
        return f(*parts)
    if len({len(part) for part in parts}) != 1:
        raise Unfit("sizes")
    return list(map(f, *parts)) if axes == 1 else [combine(f, axes - 1, *same) for same in zip(*parts)]


def along_last(f: Callable[[list[Any]], Any], x: Array) -> Any:
    """Apply f to each row along the last axis."""
    if not x.axes:
        raise Unfit("no_axis")
    return combine(f, len(x.axes) - 1, x.numbers)


def summed(by: Arithmetic, axes: int, parts: Iterable[Any]) -> Any:
    """The sums of the numbers at the same position of nested lists with this many axes."""
    return combine(lambda *terms: by.total(terms), axes, *parts)


def padded(by: Arithmetic, before: int, parts: list[Any], after: int, axes: int) -> list[Any]:
    """Parts with this many axes each, and parts of zeros before and after them."""
    nothing = combine(lambda _: by.number(0), axes, parts[0])
    return [nothing] * before + parts + [nothing] * after


def shared_axes(more: Sequence[str], fewer: Sequence[str]) -> tuple[bool, ...]:
    """For each axis of the operand that has more axes, whether the other operand has it too."""
    if len(more) == len(fewer):
        return (True,) * len(more)
    for unnamed in ((), (ANY,)):  # with an unnamed axis only where no names fit
        for chosen in itertools.combinations(range(len(more)), len(fewer)):
            if all(more[k] == name or more[k] in unnamed or name in unnamed
                   for k, name in zip(chosen, fewer, strict=True)):
                return tuple(k in chosen for k in range(len(more)))
    raise Unfit("axes", fewer=", ".join(fewer), more=", ".join(more))


def elementwise(f: Callable[[Any, Any], Any], a: Array, b: Array) -> Array:
    """Apply f to the numbers at the same position; the operand that lacks an axis is repeated along it."""
    if len(a.axes) < len(b.axes):
        return elementwise(lambda x, y: f(y, x), b, a)

    def inner(x: Any, y: Any, there: tuple[bool, ...]) -> Any:
        if all(there):
            return combine(f, len(there), x, y)
        if not there[0]:
            return [inner(part, y, there[1:]) for part in x]
        return combine(lambda one, other: inner(one, other, there[1:]), 1, x, y)

    return Array(inner(a.numbers, b.numbers, shared_axes(a.axes, b.axes)), a.axes)


def evaluate(expression: Any, by: Arithmetic, recorded: Callable[[str], Array]) -> Array:
    """Evaluate an expression with an arithmetic; `recorded(name)` gives the tensors that it names. Raises Unfit,
    LookupError or ArithmeticError where it has no value."""
    if isinstance(expression, str) and expression not in INFINITIES:
        return recorded(expression)
    if not isinstance(expression, (list, tuple)):
        return Array(by.number(float(expression)), ())
    name = expression[0]
    if not isinstance(name, str) or name in INFINITIES:
        numbers = map_lists(lambda value: by.number(float(value)), expression)
        return Array(numbers, ("token", "key")[:depth(expression)])
    if name not in OPS:
        raise Unfit("op", name=name)
    count, op = OPS[name]
    operands = expression[1:] if count is None else expression[1:count + 1]
    settings = () if count is None else expression[count + 1:]
    return op(by, *(evaluate(operand, by, recorded) for operand in operands), *settings)


# ---------------------------------------------------------------- the ops

def unary(function: Callable[[Arithmetic, Any], Any]) -> Callable[..., Array]:
    """The op that applies a function to each number."""
    return lambda by, x: Array(combine(partial(function, by), len(x.axes), x.numbers), x.axes)


def sigmoid(by: Arithmetic, x: Any) -> Any:
    below = by.plain(x) < 0
    power = by.exp(x if below else by.negative(x))
    return by.over(power if below else by.number(1), by.total([by.number(1), power]))


def normal_cdf(by: Arithmetic, x: Any) -> Any:
    share = by.erf(by.over(x, by.root(by.number(2))))
    return by.over(by.total([by.number(1), share]), by.number(2))


def normal_pdf(by: Arithmetic, x: Any) -> Any:
    power = by.exp(by.negative(by.over(by.times(x, x), by.number(2))))
    return by.over(power, by.root(by.times(by.number(2), by.number(math.pi))))


def near_normal(by: Arithmetic, x: Any) -> tuple[Any, Any]:
    """√(2/π), and tanh(√(2/π) (x + 0.044715 x³))."""
    root = by.root(by.over(by.number(2), by.number(math.pi)))
    cubed = by.times(by.times(by.times(x, x), x), by.number(0.044715))
    return root, by.tanh(by.times(root, by.total([x, cubed])))


def normal_cdf_tanh(by: Arithmetic, x: Any) -> Any:
    return by.over(by.total([by.number(1), near_normal(by, x)[1]]), by.number(2))


def normal_pdf_tanh(by: Arithmetic, x: Any) -> Any:
    root, near = near_normal(by, x)
    bent = by.total([by.number(1), by.times(by.number(3 * 0.044715), by.times(x, x))])
    return by.over(by.times(by.times(by.subtract(by.number(1), by.times(near, near)), root), bent), by.number(2))


def binary(method: str) -> Callable[..., Array]:
    """The op that applies a method of the arithmetic to the numbers at the same position."""
    return lambda by, a, b: elementwise(getattr(by, method), a, b)


def sum_of(by: Arithmetic, *parts: Array) -> Array:
    """The sum of several operands with the same axes."""
    if len({len(part.axes) for part in parts}) != 1:
        raise Unfit("sizes")
    return Array(summed(by, len(parts[0].axes), [part.numbers for part in parts]), parts[0].axes)


def matmul(by: Arithmetic, a: Array, b: Array) -> Array:
    if len(a.axes) == len(b.axes) == 3:  # a batch, sentence by sentence
        return Array(combine(lambda x, y: product(by, x, 2, y, 2), 1, a.numbers, b.numbers), (*a.axes[:2], b.axes[2]))
    return Array(product(by, a.numbers, len(a.axes), b.numbers, len(b.axes)), a.axes[:-1] + b.axes[1:])


def product(by: Arithmetic, a: Any, rows: int, b: Any, columns: int) -> Any:
    """The dot product of each row of `a` with each column of `b`; `rows` and `columns` are their numbers of axes."""
    if not 1 <= rows <= 2 or not 1 <= columns <= 2 or len(a if rows == 1 else a[0]) != len(b):
        raise Unfit("product")
    across = list(zip(*b, strict=True)) if columns == 2 else b
    return combine(lambda row: combine(partial(by.dot, row), columns - 1, across), rows - 1, a)


def outer(by: Arithmetic, a: Array, b: Array) -> Array:
    return Array([[by.times(x, y) for y in b.numbers] for x in a.numbers], a.axes + b.axes)


def transpose(by: Arithmetic, x: Array) -> Array:
    axes = tuple(FLIPPED.get(name, name) for name in x.axes)
    numbers = x.numbers if len(axes) < 2 else combine(
        lambda part: list(map(list, zip(*part, strict=True))), len(axes) - 2, x.numbers)
    return Array(numbers, axes[:-2] + axes[-2:][::-1])


def softmax(by: Arithmetic, x: Array) -> Array:
    def row(numbers: list[Any]) -> list[Any]:
        largest = max(numbers)
        if by.plain(largest) == -math.inf:  # a word that may look nowhere
            return [by.number(0)] * len(numbers)
        powers = [by.exp(by.subtract(value, largest)) for value in numbers]
        whole = by.total(powers)
        return [by.over(power, whole) for power in powers]
    return Array(along_last(row, x), x.axes)


def mean(by: Arithmetic, x: Array) -> Array:
    return Array(along_last(lambda row: by.over(by.total(row), by.number(len(row))), x), x.axes[:-1])


def total(by: Arithmetic, x: Array, k: int) -> Array:
    rest = len(x.axes) - k - 1
    return Array(combine(partial(summed, by, rest), k, x.numbers), x.axes[:k] + x.axes[k + 1:])


def slice_of(by: Arithmetic, x: Array, k: int, i: int) -> Array:
    return Array(combine(lambda parts: parts[i], k, x.numbers), x.axes[:k] + x.axes[k + 1:])


def repeated(by: Arithmetic, x: Array, k: int, size: int) -> Array:
    return Array(combine(lambda part: [part] * size, k, x.numbers), (*x.axes[:k], ANY, *x.axes[k:]))


def placed(by: Arithmetic, x: Array, k: int, i: int, size: int) -> Array:
    numbers = combine(lambda part: padded(by, i, [part], size - i - 1, len(x.axes) - k), k, x.numbers)
    return Array(numbers, (*x.axes[:k], ANY, *x.axes[k:]))


def columns(by: Arithmetic, x: Array, first: int, last: int) -> Array:
    def row(numbers: list[Any]) -> list[Any]:
        if not 1 <= first <= last <= len(numbers):
            raise Unfit("columns", first=first, last=last)
        return numbers[first - 1:last]
    return Array(along_last(row, x), (*x.axes[:-1], "d_k"))


def among_columns(by: Arithmetic, x: Array, first: int, last: int, size: int) -> Array:
    def row(numbers: list[Any]) -> list[Any]:
        if len(numbers) != last - first + 1 or not 1 <= first <= last <= size:
            raise Unfit("columns", first=first, last=last)
        return padded(by, first - 1, numbers, size - last, 0)
    return Array(along_last(row, x), (*x.axes[:-1], "d_concat"))


def concat(by: Arithmetic, *parts: Array) -> Array:
    *before, _ = parts[0].axes
    numbers = combine(lambda *rows: list(itertools.chain(*rows)), len(before), *(part.numbers for part in parts))
    return Array(numbers, (*before, "d_concat"))


def token_axis(ids: Any) -> tuple[str, ...]:
    """The axis of a list of ids or positions; a single one has none."""
    return ("token",) if isinstance(ids, list) else ()


def rows(by: Arithmetic, table: Array, ids: Any) -> Array:
    def row(id: int) -> Any:
        if not 1 <= id <= len(table.numbers):
            raise Unfit("row", id=id)
        return table.numbers[id - 1]
    return Array(map_lists(row, ids), token_axis(ids) + table.axes[1:])


def into_rows(by: Arithmetic, x: Array, ids: list[int], size: int) -> Array:
    axes = len(x.axes) - 1
    by_id = [[row for row, id in zip(x.numbers, ids, strict=True) if id == n + 1] for n in range(size)]
    nothing = combine(lambda _: by.number(0), axes, x.numbers[0])
    return Array([summed(by, axes, parts) if parts else nothing for parts in by_id], ("vocab", *x.axes[1:]))


def sinusoid(by: Arithmetic, positions: Any, size: int, layout: str, base: float = 10000) -> Array:
    pairs, odd = divmod(size, 2)
    if layout == "tensor2tensor":
        exponents = [(k, max(pairs - 1, 1)) for k in range(pairs)]
    else:
        exponents = [(2 * k, size) for k in range(pairs + odd)]
    wavelengths = [by.power(base, by.over(by.number(top), by.number(bottom))) for top, bottom in exponents]

    def row(position: int) -> list[Any]:
        angles = [by.over(by.number(position), wavelength) for wavelength in wavelengths]
        sines, cosines = list(map(by.sine, angles)), list(map(by.cosine, angles[:pairs]))
        if layout != "interleaved":
            return sines + cosines + [by.number(0)] * (size - len(sines) - pairs)
        return [wave for pair in zip(sines, cosines) for wave in pair] + sines[pairs:]
    return Array(map_lists(row, positions), (*token_axis(positions), "d_model"))


def labels(by: Arithmetic, ids: Any, size: int, smoothing: float, over: str = "all", padding: int = 0) -> Array:
    def row(id: int) -> list[Any]:
        sharing = [n for n in range(1, size + 1) if over == "all" or n != id and (over == "others" or n != padding)]
        share = by.over(by.number(smoothing), by.number(len(sharing))) if smoothing and sharing else by.number(0)
        right = by.subtract(by.number(1), by.number(smoothing)) if sharing else by.number(1)
        numbers = {n: share for n in sharing} | {id: by.add(right, share) if over == "all" else right}
        return [numbers.get(n, by.number(0)) for n in range(1, size + 1)]
    return Array(map_lists(row, ids), (*token_axis(ids), "vocab"))


def cross_entropy(by: Arithmetic, logits: Array, p: Array, y: Array) -> Array:
    """A term whose label is 0 counts as 0, even where its logarithm does not exist."""
    def row(shares: list[Any], wanted: list[Any]) -> Any:
        terms = [by.times(label, by.log(share)) for share, label in zip(shares, wanted, strict=True)
                 if by.plain(label) > 0]
        return by.negative(by.total(terms))
    return Array(combine(row, len(p.axes) - 1, p.numbers, y.numbers), p.axes[:-1])


def apart(by: Arithmetic, x: Array, lengths: Iterable[int] = ()) -> Array:
    """Unpack a batch. Its record has to give the lengths: without them it is unknown where a sentence ends."""
    sizes, longest = list(lengths), max(lengths, default=0)
    if sum(sizes) != len(x.numbers):
        raise Unfit("lengths")
    ends = itertools.accumulate(sizes)
    return Array([padded(by, 0, x.numbers[end - size:end], longest - size, len(x.axes) - 1)
                  for end, size in zip(ends, sizes)], ("sentence", *x.axes))


def together(by: Arithmetic, x: Array, lengths: list[int]) -> Array:
    return Array([row for part, size in zip(x.numbers, lengths, strict=True) for row in part[:size]], x.axes[1:])


# By name: the number of operands before the settings (None: all are operands), and the op.
OPS: dict[str, tuple[int | None, Callable[..., Array]]] = {
    "add": (2, binary("add")), "subtract": (2, binary("subtract")), "multiply": (2, binary("times")),
    "divide": (2, binary("over")), "same": (1, lambda by, x: x),
    "negate": (1, unary(lambda by, value: by.negative(value))), "sqrt": (1, unary(lambda by, value: by.root(value))),
    "square": (1, unary(lambda by, value: by.times(value, value))),
    "relu": (1, unary(lambda by, value: value if by.plain(value) > 0 else by.number(0))),
    "positive": (1, unary(lambda by, value: by.number(1 if by.plain(value) > 0 else 0))),
    "sigmoid": (1, unary(sigmoid)),
    "normal_cdf": (1, unary(normal_cdf)), "normal_pdf": (1, unary(normal_pdf)),
    "normal_cdf_tanh": (1, unary(normal_cdf_tanh)), "normal_pdf_tanh": (1, unary(normal_pdf_tanh)),
    "sum": (None, sum_of), "matmul": (2, matmul), "outer": (2, outer), "transpose": (1, transpose),
    "softmax": (1, softmax), "mean": (1, mean), "total": (1, total), "repeated": (1, repeated),
    "slice": (1, slice_of), "placed": (1, placed), "columns": (1, columns), "among_columns": (1, among_columns),
    "concat": (None, concat), "rows": (1, rows), "into_rows": (1, into_rows), "sinusoid": (0, sinusoid),
    "labels": (0, labels), "cross_entropy": (3, cross_entropy), "apart": (1, apart), "together": (1, together)}
