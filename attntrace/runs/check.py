"""A person's own arrays compared with a run, step by step; and which slips of the catalogue give the same numbers."""
from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from attntrace.messages.catalog import Message, Text
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import did_you_mean
from attntrace.messages.unicode import shown
from attntrace.runs.run import Subject
from attntrace.runs.slips import COMMON, SLIPS, Slip, of_run, steps_of
from attntrace.tensor.axes import AxisError
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.addresses import Address, Known, matches, near_addresses, word_and_number
from attntrace.tracing.trace import Step

ERRORS = {"float64": 1e-6, "float32": 5e-5, "bfloat16": 5e-2, "float16": 1e-2}  # of a sum of many numbers, relative
MOST_DECIMALS, MOST_DIGITS = 8, 8  # that numbers were rounded to on purpose
SMALLEST = 1e-20  # below it float32 has fewer digits, or none
HIDDEN = -1e4  # so small is a score that stands for -inf
SECONDS = 2.0  # that pairs of slips may take, by an estimate of what a run takes
OF_A_STEP, OF_A_NUMBER = 3e-5, 5e-8  # seconds
SCOPES = ("everywhere", "from_here", "only_here")  # where a slip is made


class Precision(NamedTuple):
    """How exact arrays are: the type of their numbers, by which sums err; the decimals or else the significant digits
    to which all of them are rounded; a tolerance that was asked for."""
    kind: str = "float64"
    decimals: int | None = None
    digits: int | None = None
    tolerance: float | None = None

    @classmethod
    def of(cls, arrays: Iterable[Array], dtype: str, tolerance: float | None = None) -> Precision:
        """Infer it from the arrays, and from the type of the numbers that they are compared with."""
        arrays = [array for array in arrays if array.size]
        kinds = [array.dtype.name for array in arrays if array.dtype.name in ERRORS]
        kind = max([dtype, *kinds], key=ERRORS.__getitem__)
        numbers = np.concatenate([array.ravel().astype(float) for array in arrays]) if arrays else np.zeros(0)
        numbers = np.unique(numbers[np.isfinite(numbers) & (numbers != np.rint(numbers))])
        if not numbers.size:
            return cls(kind, tolerance=tolerance)
        if kind == "float32" and not (numbers.astype("f4").view("u4") & 0xffff).any():
            kind = "bfloat16"
        exact = 1e-12 if kind == "float64" else 1e-7
        most = MOST_DECIMALS if kind == "float64" else 5
        decimals = next((n for n in range(1, most + 1) if (
            np.abs(numbers - np.round(numbers, n)) <= exact * np.maximum(np.abs(numbers), 1)).all()), None)
        digits = None if decimals is not None else next((n for n in range(2, most + 1) if (
            np.abs(numbers - significant(numbers, n)) <= exact * np.abs(numbers)).all()), None)
        if kind == "float64" and decimals is None and digits is None and (numbers == numbers.astype("f4")).all():
            kind = "float32"  # which JSON does not say
        return cls(kind, decimals, digits, tolerance)

    def allowed(self, right: Array, scale: float) -> Array:
        """How far each number may be from the right one. scale: the largest of the numbers it was computed from."""
        if self.tolerance is not None:
            return np.full(right.shape, self.tolerance)
        allowed = np.full(right.shape, ERRORS[self.kind] * scale)
        if self.decimals is not None:
            allowed += 0.5 * 10.0 ** -self.decimals
        elif self.digits is not None:
            size = np.abs(np.where(np.isfinite(right), right, 0.0))
            allowed += 0.5 * 10.0 ** (np.floor(np.log10(np.maximum(size, 1e-300))) + 1 - self.digits)
        return allowed


def significant(numbers: Array, digits: int) -> Array:
    """The numbers, none of them 0, to so many significant digits."""
    unit = 10.0 ** np.maximum(np.floor(np.log10(np.abs(numbers))) + 1 - digits, -300)
    return np.asarray(np.rint(numbers / unit) * unit)


class Mine(NamedTuple):
    """An array of a person's, of one step or parameter. name: as it was given; part: which part of that array, None if
    it is the whole."""
    address: str
    name: str
    value: Array
    part: int | None = None


class Fitted(NamedTuple):
    """An array in the shape of a step, and how it came to that: `axes` (of size 1 were dropped) or `transposed`."""
    value: Array
    how: str = ""


def fitted(mine: Array, shape: tuple[int, ...]) -> Fitted | None:
    """Return an array in this shape; None where it has another, also without axes of size 1 and transposed."""
    if mine.shape == shape:
        return Fitted(mine)
    own, theirs = ([size for size in sizes if size != 1] for sizes in (mine.shape, shape))
    if own == theirs:
        return Fitted(mine.reshape(shape), "axes")
    return Fitted(mine.reshape(own).T.reshape(shape), "transposed") if own == theirs[::-1] else None


class Compared(NamedTuple):
    """An array beside the right numbers. how: see `Fitted`; `shape` where it does not fit. error: the largest
    difference, and at which index; agrees: whether none is larger than the precision explains; digits: to how many
    decimals they agree, None for no difference at all."""
    mine: Mine
    right: Array
    agrees: bool
    error: float = 0.0
    at: tuple[int, ...] = ()
    value: float = 0.0
    how: str = ""

    @property
    def address(self) -> str:
        return self.mine.address

    @property
    def decimals(self) -> int | None:
        """To how many decimals they agree; None where they are equal."""
        return None if not self.error else max(0, math.floor(-math.log10(2 * self.error))) if math.isfinite(
            self.error) else 0


def errors(mine: Array, right: Array) -> Array:
    """The difference of each number: of NaN infinite, of scores that are hidden none."""
    hidden = np.isneginf(right) & (mine <= HIDDEN)
    with np.errstate(invalid="ignore", over="ignore"):
        found = np.where((mine == right) | hidden, 0.0, np.abs(mine.astype(float) - right))
    return np.asarray(np.where(np.isnan(found), np.inf, found))


def scale_of(step: Step | Tensor) -> float:
    """The largest number of a step or among those that it was computed from, of its own phase."""
    tensors = [step] if isinstance(step, Tensor) else [step.tensor, *(
        leaf for leaf in step.node.leaves() if leaf.address is not None
        and Address.of(leaf.address).phase == Address.of(step.address).phase)]
    return max([SMALLEST, *(float(np.abs(np.where(np.isfinite(one.value), one.value, 0)).max(initial=0))
                            for one in tensors)])


def compare(mine: Mine, right: Array, scale: float, precision: Precision) -> Compared:
    fit = fitted(mine.value, right.shape)
    if fit is None:
        return Compared(mine, right, False, math.inf, how="shape")
    value, how = fit
    found = errors(value, right)
    wrong = found > precision.allowed(right, scale)
    first = np.unravel_index(int(np.where(wrong, found, -1).argmax() if wrong.any() else found.argmax()),
                             found.shape) if found.size else ()
    at = tuple(map(int, first))
    return Compared(mine, right, not wrong.any(), float(found.max(initial=0.0)), at,
                    float(value[at]) if found.size else 0.0, how)


# Which step an array is of.

class Names:
    """The addresses that a name can mean: the whole address, or an end of it; of all heads of an attention together the
    same without the head. Where steps of a forward pass are called so, no gradients or updates are meant."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = tensors
        self.symbols: Known = {address: tensor.symbol for address, tensor in tensors.items()}
        self._tails: dict[str, list[str]] = {}
        self._without_head: dict[str, list[str]] = {}
        self._of_heads: dict[str, list[str]] = {}  # the whole name without the head
        for address in sorted(tensors, key=lambda one: Address.of(one).number("head") or 0):
            parts = Address.of(address).parts
            rest = tuple(part for part in parts if word_and_number(part)[0] != "head")
            for n in range(len(parts)):
                self._tails.setdefault(".".join(parts[n:]), []).append(address)
            if len(rest) < len(parts):
                self._of_heads.setdefault(".".join(rest), []).append(address)
                for n in range(len(rest)):
                    self._without_head.setdefault(".".join(rest[n:]), []).append(address)

    def of(self, name: str) -> list[str]:
        """The address that is exactly this, else those that end so, else those with such a symbol."""
        if name in self.tensors:
            return [name]
        ending = self._tails.get(name, [])
        return _forward(ending) or ([] if not name or "*" in name else _forward(matches(name, self.symbols)))

    def of_all_heads(self, name: str) -> list[str]:
        """The steps of the heads, one after the other."""
        return self._of_heads.get(name) or _forward(self._without_head.get(name, []))

    def near(self, name: str) -> Text:
        return did_you_mean(near_addresses(name, self.symbols))


def _forward(addresses: list[str]) -> list[str]:
    return [address for address in addresses if not Address.of(address).phase] or addresses


def located(arrays: Mapping[str, Array], tensors: Mapping[str, Tensor], heads: int) -> tuple[list[Mine], list[Message]]:
    """Return the arrays by steps and parameters, in the order in which these are computed, and what is to be said of
    how they were read. Raises Problem for a name that means nothing, or several things."""
    names, places = Names(tensors), {address: n for n, address in enumerate(tensors)}
    found: dict[str, Mine] = {}
    notes: dict[str, dict[str, None]] = {}
    for name, array in arrays.items():
        for mine, how in _read(name, array, names, heads):
            if mine.address in found:
                raise Problem("check_twice", address=mine.address, first=shown(found[mine.address].name),
                              second=shown(name))
            found[mine.address] = mine
            if how:
                notes.setdefault(how, {})[shown(name)] = None
    every = sorted(found.values(), key=lambda mine: places[mine.address])
    return every, [Message(f"messages.check_read_{how}", names=", ".join(own)) for how, own in notes.items()]


def _read(name: str, array: Array, names: Names, heads: int) -> Iterator[tuple[Mine, str]]:
    plain = name.strip().replace("__", ".").replace("/", ".")
    matching, each = names.of(plain), names.of_all_heads(plain)
    if len(matching) == 1 and (fitted(array, names.tensors[matching[0]].value.shape) or len(each) != heads):
        yield Mine(matching[0], name, array), ""
    elif len(each) == heads and len({Address.of(Address.of(address).place).place for address in each}) == 1:
        yield from _of_heads(name, array, each, names.tensors)
    elif several := matching or each:
        some = ", ".join(several[:3]) + (", ..." if len(several) > 3 else "")
        raise Problem("check_several", name=shown(name), count=len(several), some=some)
    else:
        raise Problem("check_no_step", name=shown(name), near=names.near(plain or name))


def _of_heads(name: str, array: Array, addresses: Sequence[str],
              tensors: Mapping[str, Tensor]) -> Iterator[tuple[Mine, str]]:
    """The part of each head: along an axis of as many, or side by side, as they are before they are split."""
    shape, heads = tensors[addresses[0]].value.shape, len(addresses)
    axes = [k for k, size in enumerate(array.shape) if size == heads and array.ndim > len(shape)]
    axis = next((k for k in axes if fitted(array.take(0, axis=k), shape)), axes[0] if axes else None)
    columns = array.reshape([size for size in array.shape if size != 1] or [1])
    if axis is not None:
        parts, how = [array.take(n, axis=axis) for n in range(heads)], "heads"
    elif columns.ndim and columns.shape == (*shape[:-1], shape[-1] * heads):
        parts, how = np.split(columns, heads, axis=-1), "columns"
    elif heads == 1:
        parts, how = [array], ""
    else:
        raise Problem("check_heads", name=shown(name), heads=heads, is_=" × ".join(map(str, array.shape)) or "0-d",
                      should=" × ".join(map(str, (heads, *shape))))
    for n, (address, part) in enumerate(zip(addresses, parts, strict=True)):
        yield Mine(address, name, part, n if heads > 1 else None), how


# What was done otherwise.

class Diagnosis(NamedTuple):
    """Slips that together give a person's numbers. scope: `everywhere`; `from_here`, at the first difference and after
    it; `only_here`. address: the first step that they change. rest: the first array that they do not explain; None:
    they explain all."""
    slips: tuple[Slip, ...]
    scope: str
    address: str
    rest: str | None = None
    explained: int = 0  # how many arrays are


class Likeness(NamedTuple):
    """Numbers that are others, changed in a simple way: `transposed`; a `factor`; the `same` as another step; `nan`."""
    key: str
    factor: float = 1.0
    address: str = ""


class Enough(Exception):
    """Raised by a sink that has seen enough of a run."""


class Checked(NamedTuple):
    """What came of a check. compared: in the order of computation; notes: how arrays were read. first: the first that
    differs; between: steps before it, after the last one that agrees, that were not given; diagnoses: what explains
    the difference; likeness: what it looks like, where nothing explains it; untried: how many pairs of slips were not
    tried."""
    subject: Subject
    steps: Mapping[str, Step]
    precision: Precision
    compared: Sequence[Compared]
    notes: Sequence[Message]
    first: Compared | None = None
    between: Sequence[str] = ()
    diagnoses: Sequence[Diagnosis] = ()
    likeness: Likeness | None = None
    untried: int = 0


def check(arrays: Mapping[str, Array], subject: Subject, tolerance: float | None = None) -> Checked:
    """Compare arrays, by the names of steps or parameters, with those of a subject. tolerance: how far numbers may be
    apart; without it, as far as their type and the digits to which they are rounded explain. Raises Problem for names
    that mean nothing."""
    steps = steps_of(subject)
    parameters = subject.run.parameters.by_name
    tensors = {**parameters, **{address: step.tensor for address, step in steps.items()}}
    mine, notes = located(arrays, tensors, subject.run.config.heads)
    precision = Precision.of(arrays.values(), subject.run.config.dtype, tolerance)
    right: dict[str, Step | Tensor] = {**parameters, **steps}
    compared = [compare(one, right[one.address].value, scale_of(right[one.address]), precision) for one in mine]
    how = {kind: list(dict.fromkeys(shown(one.mine.name) for one in compared if one.how == kind))
           for kind in ("axes", "transposed")}
    notes += [Message(f"messages.check_read_{kind}", names=", ".join(names)) for kind, names in how.items() if names]
    result = Checked(subject, steps, precision, compared, notes)
    first = next((one for one in compared if not one.agrees), None)
    if first is None:
        return result
    result = result._replace(first=first)
    with np.errstate(all="ignore"):  # a person's numbers may be of any size
        return Search(result, mine).diagnosed() if first.address in steps else result


class Search:
    """Looks for slips that give a person's numbers at the first step that differs, and then for what explains most of
    the rest."""

    def __init__(self, checked: Checked, mine: Sequence[Mine]) -> None:
        assert checked.first is not None
        self.checked, self.subject, self.first = checked, checked.subject, checked.first.address
        self.order = list(checked.steps)
        self.places = {address: n for n, address in enumerate(self.order)}
        self.given = {one.address: one for one in mine if one.address in checked.steps}
        place = self.places[self.first]
        agreeing = [n for n, address in enumerate(self.order[:place]) if address in self.given]
        self.settled = self.order[:agreeing[-1] + 1] if agreeing else []  # up to the last that agrees
        self.between = self.order[len(self.settled):place]

    def diagnosed(self) -> Checked:
        found, pool = self.singles()
        if all(one.rest is not None for one in found):
            found += self.scoped()
        found = self.best(found)
        if found and found[0].rest is not None:
            found = self.best([*found, *self.continued(found)])
        untried = 0
        if not found:
            pairs, untried = self.pairs(pool)
            found = self.best(pairs)
        result = self.checked._replace(between=self.between, diagnoses=found, untried=untried)
        return result if found else result._replace(likeness=self.likeness())

    def best(self, found: Sequence[Diagnosis]) -> list[Diagnosis]:
        """Those that explain most; of these the ones with fewest slips, and of each slip its widest scope."""
        if not found:
            return []
        most = max(one.explained for one in found)
        left = [one for one in found if one.explained == most]
        fewest = min((len(one.slips), SCOPES.index(one.scope)) for one in left)
        return [one for one in left if (len(one.slips), SCOPES.index(one.scope)) == fewest]

    def singles(self) -> tuple[list[Diagnosis], list[Slip]]:
        """The slips that give the first numbers that differ, and those that only change them."""
        found, pool = list[Diagnosis](), list[Slip]()
        for slip in SLIPS:
            subject = slip(self.subject)
            if subject is not None:
                changes, run = self.explains(subject, self.first)
                if run is not None:
                    found.append(self.diagnosis((slip,), "everywhere", run))
                elif changes:
                    pool.append(slip)
        return found, pool

    def scoped(self) -> Iterator[Diagnosis]:
        """The slips that give them where they are made later than everywhere: the steps up to the last array that
        agrees are right; or only here, and right again after it."""
        right = {address: self.checked.steps[address] for address in self.settled}
        for slip in SLIPS if right else ():
            subject = with_values(slip(self.subject), right)
            run = self.explains(subject, self.first)[1] if subject is not None else None
            if run is not None:
                yield self.diagnosis((slip,), "from_here", run)
                here = {address: run[address] for address in (*self.between, self.first) if address in run}
                spliced = with_values(self.subject, here)
                run = self.explains(spliced, self.first)[1] if spliced is not None else None
                if run is not None:
                    yield self.diagnosis((slip,), "only_here", run)

    def continued(self, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
        """Diagnoses of two slips: one that explains the first difference, and one that explains the next."""
        for one in found[:3]:
            if one.scope == "everywhere" and one.rest is not None:
                subject = one.slips[0](self.subject)
                assert subject is not None
                for second in SLIPS:
                    changed = second(subject) if second.name != one.slips[0].name else None
                    run = self.explains(changed, one.rest)[1] if changed is not None else None
                    if run is not None:
                        yield self.diagnosis((one.slips[0], second), "everywhere", run)

    def pairs(self, pool: Sequence[Slip]) -> tuple[list[Diagnosis], int]:
        """Pairs of slips that each change the first step that differs, and together give its numbers."""
        numbers = sum(step.value.size for step in self.checked.steps.values())
        most = int(SECONDS / (len(self.order) * OF_A_STEP + numbers * OF_A_NUMBER))
        every = sorted(((one, other) for one, other in combinations(pool, 2) if one.name != other.name),
                       key=lambda pair: sum(slip.name not in COMMON for slip in pair))
        found = []
        for one, other in every[:most]:
            changed = one(self.subject)
            both = other(changed) if changed is not None else None
            run = self.explains(both, self.first)[1] if both is not None else None
            if run is not None:
                found.append(self.diagnosis((one, other), "everywhere", run))
        return found, max(len(every) - most, 0)

    def explains(self, subject: Subject, until: str) -> tuple[bool, dict[str, Step] | None]:
        """Whether the numbers at a step are others in this subject; and its steps, where all arrays up to this step are
        as in it."""
        wanted = {address for address in self.given if self.places[address] <= self.places[until]}
        steps: dict[str, Step] = {}
        changes = False

        def sink(step: Step) -> None:
            nonlocal changes
            steps[step.address] = step
            if step.address in wanted:
                if step.address == until and not self.agrees(step, Mine(until, "", self.checked.steps[until].value)):
                    changes = True
                if not self.agrees(step):
                    raise Enough
                wanted.discard(step.address)

        try:
            with np.errstate(all="ignore"):
                subject(sink)
        except Enough:
            return changes and until in steps and wanted == {until}, None
        except (AxisError, Problem, ValueError, IndexError):
            pass  # numbers that overflow, or rules that do not fit together
        return changes, None if wanted else steps

    def agrees(self, step: Step, mine: Mine | None = None) -> bool:
        """Whether an array is that of a step, where it has numbers at all."""
        mine = mine or self.given[step.address]
        fit = fitted(mine.value, step.value.shape)
        if fit is None:
            return False
        found = errors(fit.value, step.value)
        with np.errstate(invalid="ignore"):
            wrong = found > self.checked.precision.allowed(step.value, scale_of(step))
        blank = np.isnan(fit.value)
        return not (wrong & ~blank).any() and not blank.all()

    def diagnosis(self, slips: tuple[Slip, ...], scope: str, run: Mapping[str, Step]) -> Diagnosis:
        rest = [address for address in self.order if address in self.given and not (
            address in run and self.agrees(run[address]))]
        right = self.checked.steps
        begins = next((address for address in self.order if address in run and not self.agrees(
            run[address], Mine(address, "", right[address].value))), self.first)
        return Diagnosis(slips, scope, begins, rest[0] if rest else None, len(self.given) - len(rest))

    def likeness(self) -> Likeness | None:
        """What the numbers look like, which no slip gives."""
        first, mine = self.checked.first, self.given[self.first].value
        assert first is not None
        fit = fitted(mine, first.right.shape)
        if np.isnan(mine).any():
            return Likeness("nan")
        if fit is None or not np.isfinite(fit.value).all():
            return None
        value, right = fit.value.astype(float), first.right
        if value.ndim == 2 and value.shape[0] == value.shape[1] and self.close(value.T, right):
            return Likeness("transposed")
        known: dict[str, Step | Tensor] = {**self.checked.steps, **self.checked.subject.run.parameters.by_name}
        for address, step in known.items():
            if address != self.first and step.value.shape == value.shape and step.value.any() and self.close(
                    value, step.value) and value.size > 1:
                return Likeness("same", address=address)
        finite = np.isfinite(right)
        norm = float((right[finite] ** 2).sum())
        factor = float((value[finite] * right[finite]).sum()) / norm if norm else 0.0
        if right.size > 1 and factor and self.close(value, np.where(finite, right, 0) * factor):
            return Likeness("factor", factor)
        return None

    def close(self, value: Array, right: Array) -> bool:
        size = float(np.abs(np.where(np.isfinite(right), right, 0)).max(initial=0.0))
        return bool((errors(value, right) <= self.checked.precision.allowed(right, size)).all())


def with_values(subject: Subject | None, values: Mapping[str, Step]) -> Subject | None:
    """The subject with the numbers of other steps at their addresses; gradients flow as before."""
    if subject is None:
        return None
    run = subject.run

    def change(address: str, tensor: Tensor) -> Tensor:
        tensor = tensor if run.change is None else run.change(address, tensor)
        step = values.get(address)
        return tensor if step is None else Tensor(step.value, step.axes, node=tensor.node)
    return of_run(subject, run._replace(change=change))
