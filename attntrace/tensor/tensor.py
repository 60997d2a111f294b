"""An array with named axes that remembers the op and the operands that produced it.

An op is one class (see Op): its value, axes, equation, arithmetic of a cell, row rule and gradient. No other code asks
which op it is looking at."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from inspect import get_annotations
from typing import Any, ClassVar, NamedTuple, dataclass_transform

import numpy as np

from attntrace.tensor.axes import AXIS_NAMES, Axes, Axis, AxisError, NotRowwise, shape_of
from attntrace.tensor.expression import SUM, Call, Expression, Number, Ref, set_traits
from attntrace.tensor.notebook import repr_html
from attntrace.tensor.symbol import Symbol, equal_within_type

Array = np.ndarray[Any, Any]
Record = dict[str, Any]  # a line of JSON: a run, a parameter or a step
NEW = object.__new__
UNWRITTEN = {"axis_name", "dtype"}  # fields of ops that expressions leave out


def operator(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The method by which an operator of Python applies an op."""
    return lambda left, right: apply(op_without_settings(name), left, right)


class Tensor:
    """Read-only values with named axes.

    symbol: what an equation calls it. address: where it stands in a run, or the name of a parameter. node: the op and
    the operands that produced it, until a run drops them. A tensor with an address, or without a node, is a leaf:
    equations and arithmetic end there. A tensor without a symbol of its own gets one when it is asked for, since most
    slices are made for their numbers only: from its op and operands (Kᵀ), or from the tensor it is a slice of (q₁)."""
    __slots__ = ("value", "axes", "address", "node", "_symbol", "_part_of")

    _symbol: Symbol | None
    _part_of: tuple[Tensor, int, int] | None
    _repr_html_ = repr_html

    def __init__(self, value: Array, axes: Axes, symbol: Symbol | None = None, address: str | None = None,
                 node: Node | None = None) -> None:
        self.value = np.asarray(value).view()  # a view, so that the caller's array stays writeable
        self.value.setflags(write=False)
        self.axes, self.address, self.node = axes, address, node
        self._symbol, self._part_of = symbol, None
        if self.value.shape != shape_of(axes):
            raise AxisError(f"a value of shape {self.value.shape} has other axes", self)
        names = [axis.name for axis in axes]
        if len(set(names)) < len(names) or not AXIS_NAMES.issuperset(names):
            raise AxisError("the same axis twice, or one that is not on the list", self)

    def __repr__(self) -> str:
        sizes = " × ".join(f"{axis.name} {axis.size}" for axis in self.axes) or "scalar"
        return f"<{self.address or (self.symbol.spelled() if self.symbol else 'tensor')}: {sizes}>"

    @property
    def symbol(self) -> Symbol | None:
        if self._symbol is None:
            if self._part_of is not None:
                whole, k, i = self._part_of
                self._symbol = whole.symbol and whole.symbol.indexed(k, i, whole.axis_names)
            elif self.node is not None and self.address is None:
                self._symbol = self.node.op.symbol(*self.node.operands)
        return self._symbol

    @symbol.setter
    def symbol(self, symbol: Symbol) -> None:
        self._symbol, self._part_of = symbol, None

    @property
    def is_leaf(self) -> bool:
        return self.address is not None or self.node is None

    @property
    def history(self) -> Node:
        assert self.node is not None, self
        return self.node

    @property
    def axis_names(self) -> tuple[str, ...]:
        return tuple([axis.name for axis in self.axes])

    @property
    def T(self) -> Tensor:
        """The transpose: of an unnamed product, the product of the transposes; of an unnamed transpose, its operand."""
        transposed = None if self.is_leaf else self.history.op.transposed(*self.history.operands)
        return apply(op_without_settings("transpose"), self) if transposed is None else transposed

    __matmul__ = operator("matmul")
    __add__ = operator("add")
    __sub__ = operator("subtract")
    __mul__ = operator("multiply")
    __truediv__ = operator("divide")

    def __neg__(self) -> Tensor:
        return apply(op_without_settings("negate"), self)

    def take(self, k: int, i: int) -> Tensor:
        """Return slice i (from 0) of the k-th axis, recomputed from slices of the operands. Raises NotRowwise where an
        op needs more than slices."""
        if self.is_leaf:
            return apply(slice_at(k, i), self)
        part = self.history.row(k, i)
        if self.symbol is not None:
            part._symbol, part._part_of = None, (self, k, i)
        return part

    def cell(self, index: tuple[int, ...]) -> Expression:
        """Return the arithmetic behind the number at `index` (from 0)."""
        if not self.is_leaf:
            return self.history.cell(index)
        nameless = self.address is None and not self.axes
        return Number(self.value.item()) if nameless else Ref(self, index)

    def expression(self) -> Any:
        """Return how it was computed as nested lists: an address, a constant, or an op's name and its operands."""
        if self.address is not None:
            return self.address
        return json_value(self.value) if self.is_leaf else self.history.expression()

    def formula(self) -> Expression:
        """Return its symbol, or else the formula of its op: the right side of an equation."""
        return Term(self) if self.symbol is not None else self.history.formula()

    def leaves(self) -> Iterator[Tensor]:
        """Yield the leaves it was computed from, in the order in which its equation names them."""
        if self.is_leaf:
            yield self
        else:
            yield from self.history.leaves()


class Node:
    """How a tensor was computed: an op and its operands. Its methods are those of the op, given the operands."""
    __slots__ = ("op", "operands")

    def __init__(self, op: Op, operands: tuple[Tensor, ...]) -> None:
        self.op, self.operands = op, operands

    def row(self, k: int, i: int) -> Tensor:
        return self.op.row(k, i, *self.operands)

    def cell(self, index: tuple[int, ...]) -> Expression:
        return self.op.cell(index, *self.operands)

    def formula(self) -> Expression:
        return self.op.formula(*self.operands)

    def expression(self) -> Any:
        return [self.op.name, *(operand.expression() for operand in self.operands), *self.op.settings()]

    def leaves(self) -> Iterator[Tensor]:
        for operand in self.operands:
            yield from operand.leaves()

    def vjp(self, n: int, gradient: Tensor, result: Tensor) -> Tensor:
        return self.op.vjp(n, gradient, result, *self.operands)


def json_value(value: Array) -> Any:
    """An array as nested lists of plain numbers; infinities as "-inf", since JSON has none."""
    if value.dtype.kind != "f" or np.isfinite(value).all():
        return value.tolist()
    values = value.astype(object)  # Python numbers
    for name in ("inf", "-inf", "nan"):
        values[np.isnan(value) if name == "nan" else value == float(name)] = name
    return values.tolist()


class Term(Expression):
    """A tensor in a formula."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__()
        self.tensor = tensor
        symbol = tensor.symbol
        if symbol is not None and symbol.letter[:1] == "-":  # a constant such as -2
            self.binds = SUM


class Name(Term):
    """A tensor of which a formula gives only the symbol, such as the whole table of a look-up."""


def drawn_in(formula: Expression) -> list[Tensor]:
    """The tensors of a formula that are drawn as matrices where matrices are drawn."""
    return [node.tensor for node in formula.nodes() if type(node) is Term]


class Postcondition(NamedTuple):
    """What must be true of a result: the key of its message, how far it is from true, and whether not even rounding
    may make a difference."""
    key: str
    error: float
    exact: bool = False


equal_within_type(Postcondition)

OPS: dict[str, type[Op]] = {}  # every op by its name in an expression


@cache
def op_without_settings(name: str) -> Op:
    """The one instance of an op that has no settings."""
    return OPS[name]()


@lru_cache(4096)
def slice_at(k: int, i: int) -> Op:
    return OPS["slice"](k, i)


def apply(op: Op, *operands: Tensor) -> Tensor:
    """Return the result of an op, which remembers the op and its operands. Raises AxisError where axes do not fit."""
    result: Tensor = NEW(Tensor)  # without the constructor's checks of a caller's array, which no op needs
    result.axes = axes = op.axes(*operands)
    result.value = value = op.compute(*operands)
    result.node = node = NEW(Node)
    node.op, node.operands = op, operands
    result.address = result._symbol = result._part_of = None
    value.setflags(write=False)
    first = operands[0]
    if not (axes is first.axes and value.shape == first.value.shape) and value.shape != shape_of(axes):
        raise AxisError(f"{op.name} made a value of shape {value.shape} of other axes", result)
    return result


def constant(value: Any, symbol: str | None = None, axes: Axes = (), dtype: Any = None) -> Tensor:
    """A number such as d_k, or an array such as a mask; a number without a symbol is written as itself."""
    if isinstance(value, (int, float)):
        return _number(value, symbol, dtype)
    array = np.array(value, dtype=dtype)
    if symbol is None and not axes:
        symbol = str(Number(array.item()))
    return Tensor(array, axes, Symbol.of(symbol) if symbol is not None else None)


@lru_cache(1024, typed=True)  # training needs the same few numbers at every step
def _number(value: float, symbol: str | None, dtype: Any) -> Tensor:
    return constant(np.array(value, dtype), symbol, (), dtype)


def zeros(axes: Axes, dtype: Any) -> Tensor:
    """Zeros, written 0."""
    return constant(np.zeros([axis.size for axis in axes]), "0", axes, dtype)


@dataclass_transform(eq_default=False)
class Op:
    """One operation on tensors, registered by its `name`; calling it applies it: `softmax(x)`.

    A subclass gives its name and traits in its class line, and writes `axes`, `compute` and `cell`; `formula` and `row`
    where the default does not fit, and `vjp` unless no gradient goes to any operand. It names its operands itself. An
    op with settings (an axis, a width) declares them as a data class does. Two ops that are written alike are equal."""
    name: ClassVar[str]  # public: in JSON Lines and saved runs
    arguments: ClassVar[tuple[str, ...]] = ()  # of its constructor; one compiled by dataclass() starts slowly

    # Traits: what pages and gradients ask instead of which op it is.
    rows_sum_to_one: ClassVar[bool] = False  # the result's rows are shares of 1
    needs_whole_rows: ClassVar[bool] = False  # a number of the result needs all of the last axis
    same_formula_for_all_rows: ClassVar[bool] = True
    show_every_cell: ClassVar[bool] = False  # the arithmetic of every number is worth a line
    is_transpose: ClassVar[bool] = False
    non_differentiable: ClassVar[tuple[int, ...]] = ()  # operands that no gradient goes to
    broadcasts_gradient: ClassVar[bool] = False  # a gradient may lack the axes along which it is constant

    @property
    def takes_one_row(self) -> bool:
        """Whether it reads only one row of its operand."""
        return False

    def __init__(self, *values: Any, **named: Any) -> None:
        vars(self).update(zip(self.arguments, values), **named)
        if len(values) > len(self.arguments) or not all(hasattr(self, name) for name in self.arguments):
            raise TypeError(f"{type(self).__name__} takes {self.arguments}")

    # What every op is: a value, axes, an equation, the arithmetic of a cell, slices, a gradient.
    __call__ = apply

    def axes(self, *operands: Any, **_: Any) -> Axes:
        """Return the axes of the result; here, those of the first operand. Raises AxisError where axes do not fit."""
        return tuple(operands[0].axes)

    def compute(self, *operands: Any, **_: Any) -> Array:
        """Return the value: an array whose shape is that of `axes`."""
        raise NotImplementedError(type(self).__name__)

    def formula(self, *operands: Any, **_: Any) -> Expression:
        """Return the equation's right side; here, the op's name as a function of its operand."""
        return Call(self.name, operands[0].formula())

    def cell(self, index: tuple[int, ...], *operands: Any, **_: Any) -> Expression:
        """Return the arithmetic of the number at `index` (from 0, one position for each axis of the result)."""
        raise NotImplementedError(type(self).__name__)

    @property
    def template(self) -> Callable[..., Expression] | None:
        """The arithmetic of every number, of the operands' numbers at its position; None where it is not that alone."""
        return None

    def row(self, k: int, i: int, *operands: Any, **_: Any) -> Tensor:
        """The row rule: return slice i (from 0) of axis k of the result, from slices of the operands; here, of all of
        them alike. Raises NotRowwise where slices are not enough."""
        if self.needs_whole_rows and k == len(self.axes(*operands)) - 1:
            raise NotRowwise
        return apply(self, *(operand.take(k, i) for operand in operands))

    def vjp(self, n: int, gradient: Tensor, result: Tensor, *operands: Any, **_: Any) -> Tensor:
        """The vector-Jacobian product: return the loss's gradient of operand n (its axes) from that of the result."""
        raise NotImplementedError(type(self).__name__)

    # What only some ops have.
    def settings(self) -> list[Any]:
        """The plain values that follow the operands in an expression: all fields but UNWRITTEN, of an axis its size."""
        values = (value for name, value in self.constructed().items() if name not in UNWRITTEN)
        return [value.size if isinstance(value, Axis) else value for value in values]

    def constructed(self) -> dict[str, Any]:
        """The arguments of its constructor by name, without those at the end that are the default."""
        names = list(self.arguments)
        while names and getattr(type(self), names[-1], self) == getattr(self, names[-1]):
            names.pop()
        return {name: getattr(self, name) for name in names}

    def symbol(self, *operands: Any, **_: Any) -> Symbol | None:
        """The symbol of the result where the op only decorates that of its operand (Kᵀ, W_Q⁽¹⁾)."""
        return None

    def transposed(self, *operands: Any, **_: Any) -> Tensor | None:
        """The transpose of the result, where there is a simpler way to it than the op `transpose`."""
        return None

    def transposed_vjp(self, n: int, gradient: Tensor, *operands: Any, **_: Any) -> Tensor | None:
        """The transpose of what `vjp` returns, where it takes no more than that."""
        return None

    def over_tokens(self, *operands: Any, **_: Any) -> tuple[list[Tensor], Tensor] | None:
        """For a sum over tokens: what each token adds, and the result as the sum of these."""
        return None

    def mixes(self, *operands: Any, **_: Any) -> tuple[Tensor, Tensor] | None:
        """For a mixture of rows, Σ aᵢ vᵢ: the shares a (one number a token) and the tensor whose rows are mixed."""
        return None

    def postconditions(self, result: Array, *operands: Any, **_: Any) -> Iterator[Postcondition]:
        """Yield what must be true of every result, measured on this one."""
        return iter(())

    def __init_subclass__(cls, **traits: Any) -> None:
        set_traits(cls, traits)
        cls.arguments += tuple(name for name, kind in get_annotations(cls).items() if "ClassVar" not in str(kind))
        if "name" in traits:
            OPS[cls.name] = cls

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Op) and (self.name, self.settings()) == (other.name, other.settings())

    def __hash__(self) -> int:
        return hash((self.name, str(self.settings())))
