"""A run in one file: an .npz with a member for each parameter and each step, and the member `run` that describes them.

`run` holds JSON Lines (as bytes of UTF-8): the records that `--format jsonl` writes, with the SHA-256 of a member in
place of its value. Members are written one after another during the run, and each can be read without the others.
Every byte is protected: those of a member by its own digest, all others by the seal, a digest at the end of the file.

An expression is for every reader: ops by name over addresses and numbers. To print the same equations again, a reader
also needs the symbols of constants and the axes that an op creates. These are the annotations, in the order of the ops
and constants in the expression. In a record they stand under the key `notes`."""
import hashlib
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from attntrace.files.arrays import RUN, Npz, array_of, refused, regular
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import Config
from attntrace.tensor.axes import AXIS_NAMES, Axis
from attntrace.tensor.symbol import AxisIndex, Symbol
from attntrace.tensor.tensor import OPS, Array, Node, Record, Tensor, apply, op_without_settings

Parsed = Callable[[], Tensor]  # computes a parsed expression
BLOCK = 1 << 18  # bytes that stay in the cache between the digest, the checksum and the file
FORMAT = 1  # of saved runs; a later attntrace may write another
SEAL = b"attntrace sha256 "  # how the comment of the archive begins, which its digest follows
ADDRESS = re.compile(r"\w+(\.\w+)+")
UNSEALED = SEAL + b"0" * 64  # in its place until all is written
# The types of the entries of a header, a footer, and the record of a parameter and of a step.
HEADER = {"config": dict, "seed": int | None, "weights": str | None, "init": str | None, "input": str | None,
          "pencil": int | None, "changes": list, "tokens": dict, "vocabularies": dict, "begins": list, "axes": list,
          "kind": str, "training": dict | None, "written": list | None, "max_length": int | None}
FOOTER = {"steps": int, "fingerprint": str | None, "comparable": bool}
OF_PARAMETER = {"axes": list, "shape": list, "sign": dict, "along": list}
OF_STEP = OF_PARAMETER | {"place": str, "name": str, "stage": str | None, "expression": list, "notes": list,
                          "parents": list}
OF_SYMBOL = {"letter": str, "sub": str, "hat": bool, "primes": int, "superscript": int | None, "head": int | None,
             "transposed": bool, "gradient": bool}  # the types of its fields
STORED_AS = {"superscript": "above", "indices": "marks", "path": "via"}  # fields whose stored names differ


class Unfinished(zipfile.ZipFile):
    """An archive that only its writer closes: a half-written one is not completed when it is garbage-collected."""

    def __del__(self) -> None:
        pass


class ArchiveWriter:
    """Writes members one after another, and at the end the records that describe them. What its archive writes passes
    through `write`, which digests all that is not `apart`, and puts the digest in the place of the seal."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.flush = file, file.flush
        self._digest, self._apart = hashlib.sha256(), False
        self._zip = Unfinished(self, "w")  # type: ignore[call-overload]  # which only calls write and flush

    def write(self, data: Any) -> int:
        if data == UNSEALED:
            data = SEAL + self._digest.hexdigest().encode()
        elif not self._apart:
            self._digest.update(data)
        return self._file.write(data)

    def member(self, name: str, value: Array, apart: bool = True) -> str:
        """Write an array; return the SHA-256 of its .npy. A member `apart` is protected by that digest only."""
        header, value = io.BytesIO(), np.asarray(value, order="C")
        np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(value))
        numbers, digest = value.reshape(-1).view(np.uint8), hashlib.sha256()
        info = zipfile.ZipInfo(f"{name}.npy")  # without a date, so that the same run is the same file
        info.file_size = header.tell() + value.nbytes
        with self._zip.open(info, "w") as member:
            self._apart = apart
            starts = range(0, len(numbers), BLOCK)
            for part in (header.getbuffer(), *(numbers[start:start + BLOCK].data for start in starts)):
                digest.update(part)
                member.write(part)
            self._apart = False
        return digest.hexdigest()

    def close(self, records: list[Record]) -> None:
        """Write the records and the seal."""
        lines = "".join(json.dumps(record) + "\n" for record in records)
        self.member(RUN, np.frombuffer(lines.encode(), np.uint8), apart=False)
        self._zip.comment = UNSEALED
        self._zip.close()


class Archive(Npz):
    """A saved run, read member by member. Raises Problem with the reason where the file cannot be one."""
    kind = "saved"

    def check(self) -> None:
        path = str(self.path)
        if any(info.compress_type != zipfile.ZIP_STORED for info in self._infos.values()):
            raise Problem("saved_compressed", file=path)
        if any(name != shown(name) for name in self._infos):  # so that names can be printed as they are
            raise self.broken(ValueError(Message("problem.why.hidden_characters")))
        self._lines = bytes(self.read(RUN)).splitlines() if RUN in self._infos else []
        self.header = self._record(self._lines[0]) if self._lines else {}
        if not isinstance(self.header.get("saved"), int):
            raise Problem("saved_foreign", file=path)
        if self.header["saved"] > FORMAT:
            raise Problem("saved_newer", file=path, version=shown(str(self.header.get("attntrace"))))
        with self.sense():
            check_types(dict.fromkeys(HEADER) | self.header, HEADER)
            self.config = Config.read(self.header["config"], path)
            for words in self.header["tokens"].values():
                for word in words or ():
                    check_types(word, {"id": int | None, "text": str})
            self.axes = [axis_from(*entry) for entry in self.header["axes"]]  # records refer to an axis by its index
            if any(axis.size > self.size for axis in self.axes):
                raise ValueError(Message("problem.why.claim", name=RUN))

    def _record(self, line: bytes) -> Record:
        with self.sense():
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError(Message("problem.why.no_record"))
            return record

    @property
    def names(self) -> list[str]:
        """The names of the parameters and the steps, and of other members."""
        return [name for name in self._infos if name != RUN]

    @property
    def tensors(self) -> list[str]:
        """The names of the parameters and the steps."""
        with self.sense():
            others = {self._record(line).get("member") for line in self._lines if line.startswith(b'{"member":')}
        return [name for name in self.names if name not in others]

    def records(self) -> Iterator[Record]:
        """Yield the record of each member, in order of computation."""
        names, seen = set(self.names), set[str]()
        with self.sense():
            for record in map(self._record, self._lines[1:-1]):
                name = name_of(record)
                if name in seen or name not in names:
                    raise ValueError(Message("problem.why.no_member", name=shown(name)))
                for leaf in leaves(record):
                    if isinstance(leaf, int) and abs(leaf) > self.size:  # a size or an index of something in the file
                        raise ValueError(Message("problem.why.claim", name=name))
                    if isinstance(leaf, str) and leaf != shown(leaf):  # the words, which may differ, are in the header
                        raise ValueError(Message("problem.why.hidden_in_record", name=name))
                if "member" not in record:
                    self._check(record, seen)
                seen.add(name)
                yield record
            for name in sorted(names - seen):
                raise ValueError(Message("problem.why.no_record_of", name=shown(name)))

    def symbols(self) -> dict[str, Symbol]:
        """Return the symbol of each parameter and each step."""
        with self.sense():
            return {name_of(record): symbol_from(record["sign"]) for record in self.records() if "sign" in record}

    def _check(self, record: Record, before: set[str]) -> None:
        """Raise ValueError or TypeError where a record contradicts itself or earlier ones."""
        check_types(record, OF_STEP if "address" in record else OF_PARAMETER)
        axes = [self.axes[number] for number in record["along"]]
        if [axis.name for axis in axes] != record["axes"] or [axis.size for axis in axes] != record["shape"]:
            raise ValueError(Message("problem.why.other_shape", name=name_of(record)))
        if "address" in record and not (ADDRESS.fullmatch(f"{record['place']}.{record['name']}")
                                        and before.issuperset(record["parents"])):
            raise ValueError(Message("problem.why.no_record_of", name=record["address"]))

    @property
    def footer(self) -> Record:
        """The last record."""
        footer = self._record(self._lines[-1])
        with self.sense():
            check_types(footer, FOOTER)
        return footer

    def record(self, name: str) -> Record:
        """Return the record of one member, without parsing the others."""
        starts = tuple(f'{{"{key}": {json.dumps(name)},'.encode() for key in ("address", "parameter", "member"))
        for line in self._lines:
            if line.startswith(starts):
                return self._record(line)
        raise self.broken(ValueError(Message("problem.why.no_record_of", name=shown(name))))

    def value(self, record: Record) -> Array:
        """Return the numbers that a record describes. Raises Problem where they are not the saved ones."""
        name = name_of(record)
        if name not in self._infos:
            raise self.broken(ValueError(Message("problem.why.no_member", name=shown(name))))
        changed = Problem("saved_changed", file=str(self.path), name=shown(name))
        try:
            data = self._zip.read(self._infos[name])
        except MemoryError:
            raise
        except Exception as error:
            raise (changed if "CRC" in str(error) else self.broken(error)) from None
        if hashlib.sha256(data).hexdigest() != record.get("sha256"):
            raise changed
        value = array_of(data, self.member_header(name))
        if list(value.shape) != record.get("shape") or value.dtype.kind not in "fiu":
            raise self.broken(ValueError(Message("problem.why.other_shape", name=name)))
        return value

    def check_seal(self) -> None:
        """Raise Problem where a byte outside the members has changed. An archive repacked by another program has no
        seal, but its members still have their digests."""
        if self._zip.comment and self._zip.comment != SEAL + self._digest_of_the_rest():
            raise Problem("saved_damaged", file=str(self.path))

    def _digest_of_the_rest(self) -> bytes:
        """Return the digest of all bytes outside the members, except the seal itself."""
        digest, place = hashlib.sha256(), 0
        end = self.size - len(UNSEALED)
        for name, info in sorted(self._infos.items(), key=lambda item: item[1].header_offset):
            if name != RUN:
                self._file.seek(info.header_offset + 26)  # lengths of the name and of the extra field before the data
                lengths = struct.unpack("<2H", self._file.read(4).ljust(4, b"\0"))
                start = info.header_offset + 30 + sum(lengths)
                digest.update(self._between(place, start))
                place = start + info.compress_size
        digest.update(self._between(place, end))
        return digest.hexdigest().encode()

    def _between(self, start: int, stop: int) -> bytes:
        self._file.seek(start)
        return self._file.read(max(stop - start, 0))

    @contextmanager
    def sense(self) -> Iterator[None]:
        try:
            with super().sense():
                yield
        except MemoryError:
            raise Problem("saved_too_large", file=str(self.path)) from None


def name_of(record: Record) -> str:
    """Return the name of the member that a record describes."""
    return str(record.get("address") or record.get("parameter") or record.get("member"))


def check_types(record: Record, types: dict[str, Any]) -> None:
    """Raise TypeError for an entry of another type, KeyError for a missing one."""
    for name, kind in types.items():
        if not isinstance(record[name], kind):
            raise TypeError(name)


def leaves(value: Any) -> Iterator[Any]:
    """Yield everything in a JSON value that is neither a list nor an object."""
    if isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    else:
        yield value


def axis_from(word: str, size: int, labels: list[str] | None, lengths: list[int] | None) -> Axis:
    """Return an axis from its entry in the table of axes. Raises ValueError for an impossible one."""
    axis = Axis(word, size, None if labels is None else tuple(labels), None if lengths is None else tuple(lengths))
    if (word not in AXIS_NAMES or type(size) is not int or size < 0
            or labels is not None and (len(labels) != size or not all(isinstance(label, str) for label in labels))
            or lengths is not None and not all(type(length) is int and length >= 0 for length in lengths)):
        raise ValueError(Message("problem.why.no_axis"))
    return axis


@contextmanager
def opened(file: str) -> Iterator[Archive]:
    """Open an archive for the duration of the context. Raises Problem where it is damaged or cannot be read."""
    with refused(file, "saved"):  # only opening: an OSError in the body of the context may concern the output
        stream = regular(file)
    with stream:
        yield Archive(Path(file), stream)


class ExpressionWriter:
    """Writes annotations. Each axis of a run, with its labels, and each constant has a number."""

    def __init__(self) -> None:
        self._axes: dict[Axis, int] = {}
        self._constants: dict[Tensor, int] = {}

    def axis(self, axis: Axis) -> int:
        """Return the number of an axis."""
        return self._axes.setdefault(axis, len(self._axes))

    def axes(self) -> list[Any]:
        """Return the table of axes, by their numbers."""
        return [list(axis) for axis in self._axes]

    def annotations(self, node: Node) -> Iterator[Any]:
        """Yield what the expression of a node leaves out."""
        if node.op.arguments:
            yield [[self.axis(value)] if isinstance(value, Axis) else value for value in node.op.constructed().values()]
        for operand in node.operands:
            if operand.address is not None:
                continue
            if operand.node is not None:
                yield from self.annotations(operand.node)
            else:
                number = self._constants.setdefault(operand, len(self._constants))
                yield [number, operand.symbol and operand.symbol.spelled(), operand.value.dtype.str,
                       list(map(self.axis, operand.axes))]


class ExpressionReader:
    """Reads expressions with annotations. Named operands come from `tensor_of`; one constant is one tensor
    again, so that a matrix used twice is drawn once."""

    def __init__(self, axes: list[Axis], tensor_of: Callable[[str], Tensor]) -> None:
        self.axes, self.tensor_of = axes, tensor_of
        self._constants: dict[int, Tensor] = {}

    def __call__(self, expression: list[Any], annotations: list[Any]) -> Parsed:
        """Parse; return a function that computes. Raises ValueError, or what Python raises for nonsense."""
        rest = iter(annotations)
        parsed = self._parsed(expression, rest)
        if next(rest, None) is not None:
            raise ValueError(Message("problem.why.notes_left"))
        return parsed

    def _parsed(self, expression: list[Any], annotations: Iterator[Any]) -> Parsed:
        name, *rest = expression
        if OPS[name].arguments:  # its fields: settings, and axes by their numbers
            values = next(annotations)
            op = OPS[name](*(self.axes[value[0]] if isinstance(value, list) else value for value in values))
        else:
            op = op_without_settings(name)
        settings = op.settings()
        count = len(rest) - len(settings)
        if count < 1 or rest[count:] != settings:
            raise ValueError(Message("problem.why.notes_differ", name=name))
        operands = [self._operand(one, annotations) for one in rest[:count]]
        return lambda: apply(op, *(operand() for operand in operands))

    def _operand(self, expression: Any, annotations: Iterator[Any]) -> Parsed:
        if isinstance(expression, list) and expression and isinstance(expression[0], str) and expression[0] in OPS:
            return self._parsed(expression, annotations)
        if isinstance(expression, str) and expression.lstrip("-") != "inf":
            tensor = self.tensor_of(expression)
            return lambda: tensor
        number, symbol, dtype, axes = next(annotations)
        if number not in self._constants:
            own = tuple(self.axes[axis] for axis in axes)
            value = np.array(expression, dtype=dtype)  # also reads "-inf", as JSON spells it
            self._constants[number] = Tensor(value.reshape([axis.size for axis in own]), own,
                                             None if symbol is None else Symbol.of(symbol))
        return partial(self._constants.__getitem__, number)


def tensor_from(record: Record, value: Array, axes: list[Axis]) -> Tensor:
    """Return the parameter or the step of a record, without its history."""
    own = tuple(axes[number] for number in record["along"])
    return Tensor(value, own, symbol_from(record["sign"]), name_of(record))


def symbol_record(symbol: Symbol) -> Record:
    """Return the fields of a symbol that differ from those of a plain letter, by their stored names."""
    record = {STORED_AS.get(name, name): value for name, value in symbol._asdict().items()
              if value != Symbol._field_defaults.get(name)}
    if symbol.path is not None:
        record["via"] = symbol_record(symbol.path)
    return record


def symbol_from(record: Record) -> Symbol:
    """Return the symbol of a record. Raises TypeError for a field of another type."""
    fields_of = {stored: name for name, stored in STORED_AS.items()}
    values = Symbol("")._asdict() | {fields_of.get(name, name): value for name, value in record.items()}
    check_types(values, OF_SYMBOL)
    if values["path"] is not None:
        values["path"] = symbol_from(values["path"])
    values["indices"] = tuple(AxisIndex(*index) for index in values["indices"])
    return Symbol(**values)
