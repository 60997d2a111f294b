"""Files of torch.save, read without PyTorch and without executing anything.

Such a file is a zip archive with a pickle, of the names of tensors and their places, and with the numbers of each
storage. Of a pickle's instructions only those are followed that make containers, texts and numbers; of the classes and
functions that it may name, only those that have a meaning here. Everything else is refused by its name."""
import math
import pickletools
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from zipfile import ZIP_STORED

import numpy as np

from attntrace.files.arrays import LARGEST_TEXT, Header, Npz
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.memory import check_fits
from attntrace.tensor.tensor import Array

PICKLE_BEGINS = b"\x80"  # a file of PyTorch before 1.6
LARGEST_PICKLE = 10_000_000  # bytes
COPIES = 3  # of the bytes of a file that reading takes, bfloat16 as float32 among them
DEEPEST = 8  # dicts inside each other
MOST_AXES = 32
STORAGES = {f"torch.{name}Storage": dtype for name, dtype in {
    "Double": "f8", "Float": "f4", "Half": "f2", "BFloat16": "bfloat16", "Long": "i8", "Int": "i4", "Short": "i2",
    "Char": "i1", "Byte": "u1", "Bool": "?", "ComplexDouble": "c16", "ComplexFloat": "c8"}.items()}
BYTE_ORDERS = {b"little": "<", b"big": ">"}


class Global(NamedTuple):
    """The name of a class or function in a pickle."""
    name: str


class Storage(NamedTuple):
    """The numbers of one or several tensors: the name of its member, their type, and how many they are."""
    key: str
    dtype: str
    numbers: int


class Strided(NamedTuple):
    """A tensor: the place of its first number in a storage, its shape, and the steps from one number to the next along
    each axis."""
    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *more: Any) -> Strided:
    """Return what `torch._utils._rebuild_tensor_v2` would. Raises ValueError where it is not inside its storage, or
    repeats numbers of it, and for numbers that are stored with another sign (the last of `more`)."""
    whole = [offset, *shape, *strides]
    if not isinstance(storage, Storage) or not all(type(n) is int and n >= 0 for n in whole) or any(more[2:]) or not (
            len(shape) == len(strides) <= MOST_AXES):
        raise ValueError(Message("problem.why.no_tensor"))
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides))
    if math.prod(shape) > storage.numbers or math.prod(shape) and last >= storage.numbers:
        raise ValueError(Message("problem.why.claim", name=shown(storage.key)))
    return Strided(storage, offset, tuple(shape), tuple(strides))


KNOWN: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": lambda: {}, "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda tensor, requires_grad, hooks: tensor}


class Unpickler:
    """Follows the instructions of a pickle: a method for each, by its name in `pickletools`."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.storages: dict[str, Storage] = {}

    def __call__(self, data: bytes) -> Any:
        """Return the result of a pickle. Raises Problem for a class or function that is not known here, and ValueError,
        or what Python raises for nonsense, where it is broken."""
        for instruction, argument, _ in pickletools.genops(data):
            name = instruction.name
            if name in ("PROTO", "FRAME", "STOP"):
                continue
            if name in PUSHED:
                self.stack.append(argument)
            elif name in MADE:
                self.stack.append(MADE[name]())
            elif name in FOLLOWED:
                FOLLOWED[name](self, argument)
            else:
                raise Problem("pickle_unknown", file=self.file, name=name)
        return self.stack.pop()

    def since_mark(self) -> list[Any]:
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def put(self, number: int | None) -> None:
        self.memo[len(self.memo) if number is None else number] = self.stack[-1]

    def make_tuple(self, size: int) -> None:
        items = tuple(self.stack[-size:])
        del self.stack[-size:]
        self.stack.append(items)

    def append(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise TypeError("append")
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        keys = items[::2]
        if type(self.stack[-1]) is not dict or not all(isinstance(key, (str, int)) for key in keys):
            raise TypeError("setitems")
        self.stack[-1].update(zip(keys, items[1::2], strict=True))

    def find(self, name: str) -> None:
        if name not in KNOWN and name not in STORAGES:
            raise Problem("pickle_unknown", file=self.file, name=shown(name))
        self.stack.append(Global(name))

    def reduce(self) -> None:
        function, arguments = self.popped(2)
        if type(function) is not Global or function.name not in KNOWN:
            raise TypeError("reduce")
        self.stack.append(KNOWN[function.name](*arguments))

    def build(self) -> None:
        """Attributes of a dict, such as `_metadata` of a state_dict, are not numbers: they are passed over."""
        if type(self.stack[-2]) is not dict:
            raise TypeError("build")
        self.stack.pop()

    def find_storage(self) -> None:
        kind, type_, key, _, numbers = self.stack.pop()
        if kind != "storage" or not isinstance(key, str) or type(numbers) is not int or numbers < 0:
            raise TypeError("persistent_load")
        storage = Storage(key, STORAGES[type_.name], numbers)
        if self.storages.setdefault(key, storage) != storage:
            raise ValueError(Message("problem.why.claim", name=shown(key)))
        self.stack.append(storage)

    def popped(self, count: int) -> list[Any]:
        items = self.stack[-count:]
        del self.stack[-count:]
        return items


PUSHED = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
MADE: dict[str, Callable[[], Any]] = {"NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
                                      "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
FOLLOWED: dict[str, Callable[[Unpickler, Any], None]] = {
    "MARK": lambda to, _: to.marks.append(len(to.stack)), "MEMOIZE": Unpickler.put,
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), Unpickler.put),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda to, number: to.stack.append(to.memo[number])),
    **{f"TUPLE{n}": lambda to, _, n=n: to.make_tuple(n) for n in (1, 2, 3)},  # type: ignore[misc]
    "TUPLE": lambda to, _: to.stack.append(tuple(to.since_mark())),
    "APPEND": lambda to, _: to.append(to.popped(1)), "APPENDS": lambda to, _: to.append(to.since_mark()),
    "SETITEM": lambda to, _: to.set_items(to.popped(2)), "SETITEMS": lambda to, _: to.set_items(to.since_mark()),
    "GLOBAL": lambda to, name: to.find(name.replace(" ", ".")),
    "STACK_GLOBAL": lambda to, _: to.find(".".join(to.popped(2))),
    "REDUCE": lambda to, _: to.reduce(), "BUILD": lambda to, _: to.build(),
    "BINPERSID": lambda to, _: to.find_storage()}


class PyTorch(Npz):
    """The tensors of a file by name (those of a dict in it begin with its name, as in `state_dict.norm.weight`), and
    the names of all else in it. Raises Problem where it is broken or holds anything but tensors and containers."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        if file.read(1) == PICKLE_BEGINS:
            raise Problem("pickle_old", file=str(path))
        super().__init__(path, file)

    def check(self) -> None:
        infos = list(self._infos.values())
        check_fits("file_too_large", COPIES * self.size, file=str(self.path))
        with self.sense():
            pickles = [info for info in infos if info.filename.count("/") == 1 and info.filename.endswith("/data.pkl")]
            if len(pickles) != 1:
                raise ValueError(Message("problem.why.no_member", name="data.pkl"))
            self._root = pickles[0].filename.removesuffix("data.pkl")
            read = [*pickles, *(info for info in infos if info.filename.startswith(f"{self._root}data/"))]
            for info in read:
                if info.compress_type != ZIP_STORED or info.file_size != info.compress_size:
                    raise ValueError(Message("problem.why.compressed", name=shown(info.filename)))
            if sum(info.file_size for info in read) > self.size or pickles[0].file_size > LARGEST_PICKLE:
                raise ValueError(Message("problem.why.claim", name="data.pkl"))
            order = f"{self._root}byteorder"
            self._order = BYTE_ORDERS[self._zip.open(order).read(6)] if order in self._infos else "<"
            model = Unpickler(str(self.path))(self._zip.read(pickles[0]))
            self._tensors: dict[str, Strided] = {}
            self.others: list[str] = []
            for name, value in _flattened(model) if isinstance(model, dict) else ():
                if name in self._tensors:
                    raise ValueError(Message("problem.why.twice", name=shown(name)))
                if isinstance(value, Strided):
                    self._tensors[name] = value
                else:
                    self.others.append(name)
        if not self._tensors:
            raise Problem("pickle_no_dict", file=str(self.path))
        self._flat: dict[Storage, Array] = {}

    @cached_property
    def texts(self) -> dict[str, Any]:
        """None: such a file is not one of ours."""
        return {}

    @cached_property
    def headers(self) -> dict[str, Header]:
        return {name: Header(tensor.shape, tensor.storage.dtype) for name, tensor in self._tensors.items()}

    def read(self, name: str) -> Array:
        """Return the numbers of a tensor, without a copy; bfloat16 as float32, which represents all of its numbers."""
        storage, offset, shape, strides = self._tensors[name]
        with self.sense():
            if storage not in self._flat:
                self._flat[storage] = self._numbers(storage)
            flat = self._flat[storage]
            size = flat.itemsize
            return np.lib.stride_tricks.as_strided(flat[offset:], shape, [size * stride for stride in strides],
                                                   writeable=False)

    def _numbers(self, storage: Storage) -> Array:
        name = f"{self._root}data/{storage.key}"
        if name not in self._infos:
            raise ValueError(Message("problem.why.no_member", name=shown(name)))
        data = self._zip.read(name)
        is_bfloat16 = storage.dtype == "bfloat16"  # the upper half of a float32
        flat = np.frombuffer(data, self._order + ("u2" if is_bfloat16 else storage.dtype))
        if len(flat) != storage.numbers:
            raise ValueError(Message("problem.why.size", name=shown(name)))
        return (flat.astype("<u4") << 16).view("<f4") if is_bfloat16 else flat


def _flattened(model: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Yield everything in a dict and in the dicts in it, by names joined with dots. Raises ValueError for a dict that
    stands in two places, and for too many names."""
    dicts, seen, characters = [("", model)], {id(model)}, 0
    for depth in count(1):
        inner: list[tuple[str, dict[Any, Any]]] = []
        for place, entries in dicts:
            for key, value in entries.items():
                characters += len(place) + len(str(key)) + 1
                if characters > LARGEST_TEXT or id(value) in seen:
                    raise ValueError(Message("problem.why.claim", name="data.pkl"))
                if isinstance(value, dict) and value and depth < DEEPEST:
                    seen.add(id(value))
                    inner.append((f"{place}{key}.", value))
                else:
                    yield f"{place}{key}", value
        if not inner:
            return
        dicts = inner
