"""Naming a tensor makes it a step, which is passed to a sink, such as a fingerprint; then it drops its history."""
import math
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.ops.functions import identity
from attntrace.tensor.axes import Axes, AxisError
from attntrace.tensor.evaluate import evaluate
from attntrace.tensor.notebook import repr_html
from attntrace.tensor.printer import PRINTERS
from attntrace.tensor.rounding import FULL_PRECISION, Rounding
from attntrace.tensor.symbol import Spelling, Symbol
from attntrace.tensor.tensor import Array, Node, Tensor
from attntrace.tracing.addresses import MEAN_WEIGHTS, address_in

try:  # Python's own: hashlib loads OpenSSL, which takes longer than a short run
    sha256: Any = __import__("_sha2" if sys.version_info >= (3, 12) else "_sha256").sha256
except ImportError:  # a Python that is built without it
    from hashlib import sha256


class Step(NamedTuple):
    """A named tensor of a run.

    place: where it is shown; its address is place and name, unless the naming gave another (a gradient is shown in the
    place of the step it belongs to). stage: the name that the wiring gives to steps that belong together, if any.
    rounding: how its numbers were computed."""
    place: str
    name: str
    tensor: Tensor
    node: Node
    stage: str | None = None
    rounding: Rounding = FULL_PRECISION

    def __repr__(self) -> str:
        return f"{repr(self.tensor).removesuffix('>')}, {self.formula()}>"

    def _repr_html_(self) -> str | None:
        return repr_html(self)

    @property
    def address(self) -> str:
        assert self.tensor.address is not None
        return self.tensor.address

    @property
    def symbol(self) -> Symbol:
        assert self.tensor.symbol is not None
        return self.tensor.symbol

    @property
    def axes(self) -> Axes:
        return self.tensor.axes

    @property
    def value(self) -> Array:
        return self.tensor.value

    @property
    def has_rows(self) -> bool:
        """Whether it is shown row by row; a single number, and a row that is not of tokens, is shown as a whole."""
        return len(self.axes) == 2 or self.tensor.axis_names == ("token",)

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each row: its token, or else its number; empty for a whole."""
        if not self.has_rows:
            return ("",)
        return self.axes[0].labels or tuple(str(n + 1) for n in range(self.axes[0].size))

    @property
    def is_attention(self) -> bool:
        """Whether its rows are attention weights, shares of 1 over the keys."""
        is_mean = self.name == MEAN_WEIGHTS
        return (is_mean or self.node.op.rows_sum_to_one) and self.tensor.axis_names[-1:] == ("key",)

    def formula(self, spelling: Spelling = Spelling.UNICODE) -> str:
        """The equation as text: `S = Q Kᵀ`."""
        head = self.symbol.head
        return f"{self.symbol.spelled(spelling, head)} = {PRINTERS[spelling](head).text(self.node.formula())}"


MANY, AT_ONCE = 500, 4096  # numbers from which on they are written all at once, and so many that stay in the cache
EXACT, HALFWAY = 2**32, 0.5 - 1e-6  # millionths, up to which a product in binary tells how `%.6f` rounds
LONG = 1 << 20  # bytes of text of a fingerprint
COMPARABLE = 1_000_000  # numbers up to which fingerprints are equal on every machine
Sink = Callable[[Step], object]
Dropout = Callable[[Tensor], Tensor]
Change = Callable[[str, Tensor], Tensor]  # of a tensor that is about to be named, by its address


def tee(*sinks: Sink | None) -> Sink:
    """Return a sink that forwards each step to every sink that is not None."""
    receivers = [sink for sink in sinks if sink is not None]

    def forward(step: Step) -> None:
        for sink in receivers:
            sink(step)
    return forward


@lru_cache(4096)
def _symbol(symbol: str | Symbol, head: int | None) -> Symbol:
    symbol = Symbol.of(symbol) if isinstance(symbol, str) else symbol
    return symbol._replace(head=head) if head else symbol


class Trace:
    """A place in a run, at which tensors are named: `S = trace("scores", Q @ K.T, "S")`.

    sink: receives each step when it is named; this runs inside the model, so a page is written while the run goes on.
    keep: a list for the steps, which then keep their history; without it, a tensor drops it once it is named.
    change: returns what is named in place of a tensor (what if?). rounding: how named tensors are computed.
    heads_at_once: whether the heads of an attention are computed together, without steps."""
    __slots__ = ("sink", "keep", "place", "head", "dropout", "change", "rounding", "heads_at_once", "_stage",
                 "_addresses")

    def __init__(self, sink: Sink | None = None, keep: list[Step] | None = None, place: str = "",
                 dropout: Dropout = lambda tensor: tensor, change: Change | None = None,
                 rounding: Rounding = FULL_PRECISION, heads_at_once: bool = False) -> None:
        self.sink, self.keep, self.place, self.dropout, self.change = sink, keep, place, dropout, change
        self.rounding, self.heads_at_once = rounding, heads_at_once
        self.head: int | None = None
        self._stage: str | None = None
        self._addresses: set[str] = set()

    def at(self, place: str, head: int | None = None, stage: str | None = None) -> "Trace":
        """Return a place inside this one; with `head`, symbols carry the number of that head."""
        inside = address_in(self.place, place) if place else self.place
        other = Trace(self.sink, self.keep, inside, self.dropout, self.change, self.rounding, self.heads_at_once)
        other.head, other._stage, other._addresses = head, stage, self._addresses
        return other

    def stage(self, name: str) -> "Trace":
        """Return the same place, for steps that are shown as a stage of their own."""
        return self.at("", self.head, name)

    @property
    def is_silent(self) -> bool:
        """Whether names have no effect: nothing receives, keeps, replaces or rounds what is named."""
        return self.sink is None and self.keep is None and self.change is None and self.rounding is FULL_PRECISION

    def __call__(self, name: str, tensor: Tensor, symbol: str | Symbol, address: str | None = None) -> Tensor:
        """Name a tensor and return it; a tensor that already has a name gets another one by the op `identity`. address:
        where it is not the name at this place. Raises Problem where a sink would receive a number that overflowed."""
        if self.is_silent:
            tensor.node = None
            return tensor
        address = address or address_in(self.place, name)
        if address in self._addresses:
            raise AxisError(f"two steps that would be called {address}", tensor)
        self._addresses.add(address)
        if self.change is not None:
            tensor = self.change(address, tensor)
        named = identity(tensor) if tensor.is_leaf else tensor
        named.symbol = _symbol(symbol, self.head)
        named.address = address
        if self.rounding is not FULL_PRECISION:
            named.value = evaluate(named, self.rounding).value  # in place: others may already be computed from it
        step = Step(self.place, name, named, named.history, self._stage, self.rounding)
        if self.sink is not None:
            if not _is_finite(step):
                raise Problem("not_finite", address=address, dtype=named.value.dtype)
            self.sink(step)
        if self.keep is None:
            named.node = None
        else:
            self.keep.append(step)
        return named


def _is_finite(step: Step) -> bool:
    """Whether all numbers are finite; -inf may come from an operand that has it, a mask."""
    numbers = step.value.ravel("K")
    if math.isfinite(numbers.dot(numbers)) or not numbers.size:  # twice as fast as both extremes
        return True
    if not numbers.max() < math.inf:  # nor is nan
        return False
    return bool(numbers.min() > -math.inf) or any(np.isneginf(one.value).any() for one in step.node.operands)


def six_decimals(numbers: Array) -> bytes:
    """The numbers as `%.6f` writes them, with a space between them, and never -0.000000."""
    if numbers.size >= MANY:
        units = np.abs(numbers, dtype=np.float64) * 1e6
        rest = np.rint(units)
        if rest.max() < EXACT and np.abs(units - rest).max() < HALFWAY:  # neither is nan
            return _cells(rest.astype("u4"), numbers < 0)
    text = " ".join(["%.6f"] * numbers.size) % tuple(numbers.tolist())
    return (text.replace("-0.000000", "0.000000") if np.signbit(numbers).any() else text).encode()


def _cells(rest: Array, is_negative: Array) -> bytes:
    """The same of numbers of millionths, all at once: sign, digits, point, six digits and a space each, where the bytes
    that are 0 are left out."""
    point = max(len(str(rest.max())) - 5, 2)
    cells = np.zeros((len(rest), point + 8), "u1")
    cells[:, 0] = (is_negative & (rest > 0)) * np.uint8(ord("-"))
    cells[:, point], cells[:, -1] = ord("."), ord(" ")
    for place in (*range(point + 6, point, -1), *range(point - 1, 0, -1)):
        tens = rest // np.uint32(10)
        digits = (rest - tens * np.uint32(10)).astype("u1") + np.uint8(ord("0"))
        cells[:, place] = digits if place >= point - 1 else digits * (rest > 0)
        rest = tens
    text: bytes = cells[cells != 0].tobytes()
    return text[:-1]


class Fingerprint:
    """A sink that hashes every step, in order of computation; str() gives the fingerprint. comparable: whether it is
    the same on every machine."""

    def __init__(self) -> None:
        self._text = bytearray()  # until there is much of it
        self._digest: Any = None  # then that of OpenSSL, which is several times as fast
        self.steps = 0
        self.numbers = 0
        self.comparable = True

    def __call__(self, step: Step) -> None:
        value = step.value.ravel()
        self._add(f"{step.address}\n".encode())
        for start in range(0, value.size, AT_ONCE):
            self._add((b" " if start else b"") + six_decimals(value[start:start + AT_ONCE]))
        self._add(b"\n")
        self.steps += 1
        self.numbers += value.size
        self.comparable &= value.dtype == np.float64 and self.numbers <= COMPARABLE

    def _add(self, text: bytes) -> None:
        if self._digest is not None:
            self._digest.update(text)
            return
        self._text += text
        if len(self._text) > LONG:
            import hashlib
            self._digest = hashlib.sha256(self._text)

    def __str__(self) -> str:
        return str((self._digest or sha256(self._text)).hexdigest())[:8]
