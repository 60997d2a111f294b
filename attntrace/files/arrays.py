"""Files of arrays: regular files only, and no more memory than their size allows.

An `.npz` is read member by member, headers first, without pickle; `.safetensors` with the library safetensors."""
import importlib
import io
import json
import math
import os
import stat
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

import numpy as np

from attntrace.messages.catalog import Localized, Message, Text
from attntrace.messages.errors import Problem, refusal
from attntrace.messages.unicode import shown
from attntrace.model.memory import SHARE, check_fits, memory
from attntrace.tensor.tensor import Array

OWN_DESCRIPTORS = "/dev/fd/", "/dev/stdin", "/proc/self/fd/"  # how names of what the caller has opened begin
CHUNK = 1 << 20
NO_ZIP = "File is not a zip file"  # the message of zipfile
RUN = "run"  # the member of a saved run that describes the others
# What Python raises, apart from ValueError, where what was parsed makes no sense.
NONSENSE = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, StopIteration, TypeError)
DENSEST = 1100  # the largest ratio of unpacked to packed size that is accepted (deflate reaches 1032)
TEXTS = ("config", "vocabulary.source", "vocabulary.target")  # the names of texts among the arrays of a model
LARGEST_TEXT = 64_000_000  # characters: a text that claims more is not read
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bfloat16", "I64": "<i8", "I32": "<i4", "I16": "<i2",
          "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?"}  # of .safetensors
COPIES = 2  # of the bytes of .safetensors that reading takes


def regular(file: str | os.PathLike[str], pipes: bool = False) -> BinaryIO:
    """Open a regular file; with `pipes` also a pipe that the caller has opened, such as that of `<(command)`. Raises
    OSError for all else: a device may have no end, and a pipe with a name may have no writer to wait for."""
    opened = open(file, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))
    mode = os.fstat(opened.fileno()).st_mode
    if stat.S_ISREG(mode):
        return opened
    if pipes and stat.S_ISFIFO(mode) and os.fspath(file).startswith(OWN_DESCRIPTORS):
        os.set_blocking(opened.fileno(), True)
        return opened
    opened.close()
    raise OSError(0, Message("problem.why.no_regular_file"))


def whole(name: str, file: BinaryIO, times: int) -> bytes:
    """All bytes of an open file, of which `times` as many are needed to make sense of them. Raises Problem before more
    memory is taken than there is."""
    size, total, parts = os.fstat(file.fileno()).st_size, 0, []
    limit = SHARE * memory() / times
    while max(size, total) <= limit and (part := file.read(max(size, CHUNK))):
        parts.append(part)
        total += len(part)
    check_fits("file_too_large", max(size, total) * times, file=name)
    return b"".join(parts)


def whole_text(path: Path, file: BinaryIO, times: int) -> str:
    """The same as text. Raises Problem where it is not UTF-8."""
    try:
        return whole(str(path), file, times).decode("utf-8-sig")
    except ValueError as error:
        raise Problem("weights_broken", file=str(path), why=reason(error)) from None


@contextmanager
def refused(file: str | os.PathLike[str], kind: str = "weights") -> Iterator[None]:
    """Raise Problem, whose key begins with the kind of file, where the system refuses to open or to read one."""
    try:
        yield
    except IsADirectoryError:
        raise Problem(f"{kind}_directory", file=str(file)) from None
    except FileNotFoundError:
        raise Problem(f"{kind}_missing", file=str(file)) from None
    except OSError as error:
        raise Problem(f"{kind}_unreadable", file=str(file), why=refusal(error)) from None


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading. Raises Problem where it cannot be opened, or read in the body of the context."""
    with refused(path), regular(path) as file:
        yield file


class Header(NamedTuple):
    """The shape and the type of an array (a type that NumPy lacks is its name); in an .npz also its order, and the
    offset of its numbers."""
    shape: tuple[int, ...]
    dtype: Any
    fortran_order: bool = False
    start: int = 0

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)


class Npz:
    """The members of an open .npz by name, without their ending. Raises Problem where the file is broken."""
    kind = "weights"  # as the keys of its Problems begin

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self._file = path, file
        self.size = os.fstat(file.fileno()).st_size  # of the open file, in case its name now belongs to another
        with self.sense():
            self._zip = zipfile.ZipFile(file)
            self._infos = {info.filename.removesuffix(".npy"): info for info in self._zip.infolist()}
            if len(self._infos) < len(self._zip.infolist()):
                raise ValueError(Message("problem.why.same_name"))
        self.check()

    @contextmanager
    def sense(self) -> Iterator[None]:
        """Report a damaged file, for which zipfile, zlib and NumPy raise different errors, and Python others. Spans
        nothing but the reading and parsing of the file: anywhere else such an exception is a bug."""
        try:
            yield
        except (Problem, MemoryError):
            raise
        except Exception as error:
            raise self.broken(error) from None

    @cached_property
    def headers(self) -> dict[str, Header]:
        """The header of each member, by name."""
        return {name: self.member_header(name) for name in self._infos}

    def check(self) -> None:
        """Raise Problem where this is a saved run, which is not weights or rows, or where the unpacked members would
        take more memory than there is."""
        check_fits("file_too_large", sum(info.file_size for info in self._infos.values()), file=str(self.path))
        if RUN in self.headers and self.headers[RUN].dtype == np.uint8:
            raise Problem("weights_is_run", file=str(self.path))

    @cached_property
    def texts(self) -> dict[str, Any]:
        """The texts of a model by name: its config, and the words of its vocabularies as lists."""
        for name in TEXTS:
            if name in self.headers:
                header = self.headers[name]
                characters = header.numbers * max(header.dtype.itemsize // 4, 1)
                if header.dtype.kind != "U" or len(header.shape) != (name != "config") or characters > LARGEST_TEXT:
                    raise Problem("weights_text_kind", file=str(self.path), name=name)
        return {name: self.text(name) for name in TEXTS if name in self.headers}

    def broken(self, error: Exception) -> Problem:
        """Return the Problem of a damaged file."""
        return Problem(f"{self.kind}_broken", file=str(self.path), why=reason(error))

    def member_header(self, name: str) -> Header:
        """Return the header of a member. Raises Problem where it claims more than the file can hold."""
        info = self._infos[name]
        with self.sense():
            if info.comment:  # never written: a damaged comment length swallows the entries that follow
                raise ValueError(Message("problem.why.comment", name=info.filename))
            with self._zip.open(info) as member:
                header = header_of(member)
            if header.dtype.hasobject:
                raise Problem(f"{self.kind}_pickled", file=str(self.path), name=shown(name))
            if header.start + header.numbers * header.dtype.itemsize != info.file_size:
                raise ValueError(Message("problem.why.size", name=info.filename))
            if info.compress_size > self.size or info.file_size > DENSEST * info.compress_size:
                raise ValueError(Message("problem.why.claim", name=info.filename))
        return header

    def read(self, name: str) -> Array:
        """Read the array of a member, to its end, so that the checksum is verified."""
        header = self.member_header(name)
        with self.sense():
            return array_of(self._zip.read(self._infos[name]), header)

    def text(self, name: str) -> Any:
        """Return the text of a member, or a list of its texts. Raises Problem where it is not valid Unicode."""
        try:
            text = self.read(name).tolist()
            "".join(text).encode().decode()  # NumPy accepts surrogates, and numbers beyond Unicode
            return text
        except (SystemError, TypeError, ValueError):
            raise self.broken(ValueError(Message("problem.why.text", name=name))) from None


def header_of(file: IO[bytes]) -> Header:
    """Read the header of an array in NumPy's format. Raises ValueError, or what Python raises for nonsense, where it is
    broken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns about headers written by Python 2
        read = (np.lib.format.read_array_header_1_0 if np.lib.format.read_magic(file) == (1, 0)
                else np.lib.format.read_array_header_2_0)
        shape, fortran_order, dtype = read(file)
    return Header(shape, dtype, fortran_order, file.tell())


def read_npy(path: Path, file: BinaryIO) -> Array:
    """Read the array of an .npy. Raises Problem where it is broken, or holds Python objects."""
    data = whole(str(path), file, 1)
    try:
        header = header_of(io.BytesIO(data))
        if header.dtype.hasobject:
            raise Problem("weights_pickled", file=str(path), name=path.name)
        if header.start + header.numbers * header.dtype.itemsize != len(data):
            raise ValueError(Message("problem.why.size", name=path.name))
        return array_of(data, header)
    except (Problem, MemoryError):
        raise
    except Exception as error:
        raise Problem("weights_broken", file=str(path), why=reason(error)) from None


def array_of(data: bytes, header: Header) -> Array:
    """Return the array in the bytes of a member, without a copy; it is writable."""
    buffer = io.BytesIO(data).getbuffer()
    flat = np.frombuffer(buffer[header.start:], dtype=header.dtype, count=header.numbers)
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C")


def reason(error: Exception) -> Text:
    """Return why something failed: our own message where there is one, else the first line of the error's."""
    if error.args and isinstance(error.args[0], Localized):
        return error.args[0]
    if isinstance(error, json.JSONDecodeError):
        return Message("problem.why.no_json", line=error.lineno, column=error.colno)
    if str(error) == NO_ZIP:
        return Message("problem.why.no_zip")
    if isinstance(error, NONSENSE):
        return Message("problem.why.no_sense", error=f"{type(error).__name__}: {error}")
    why = str(error).splitlines() or [type(error).__name__]
    return shown(why[0][:200])


def shape_text(shape: tuple[int, ...]) -> Text:
    """Return a shape as text: `3 × 4`."""
    return " × ".join(map(str, shape)) or Message("problem.why.one_number")


class Safetensors:
    """The tensors of a file by name, and the texts of a model in its metadata. Raises Problem where it is broken or the
    library is missing."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        data = whole(str(path), file, COPIES)
        try:
            self._tensors = dict(sorted(library("safetensors").deserialize(data)))  # the library returns any order
            size = int.from_bytes(data[:8], "little")  # of the header, which the library has checked
            metadata = json.loads(data[8:8 + size]).get("__metadata__") or {}
            self.texts: dict[str, Any] = {name: metadata[name] for name in TEXTS if name in metadata}
            self.headers = {name: Header(tuple(tensor["shape"]), DTYPES.get(tensor["dtype"], tensor["dtype"]))
                            for name, tensor in self._tensors.items()}
        except (Problem, MemoryError):
            raise
        except Exception as error:  # the library raises an exception of its own, JSON and NumPy raise others
            raise Problem("weights_broken", file=str(path), why=reason(error)) from None

    def read(self, name: str) -> Array:
        """Return the numbers of a tensor; bfloat16 as float32, which represents all of its numbers."""
        shape, dtype, *_ = self.headers[name]
        data = self._tensors[name]["data"]
        if dtype == "bfloat16":  # the upper half of a float32
            return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
        try:
            return np.frombuffer(data, dtype).reshape(shape)
        except TypeError:  # a type that NumPy does not have, of eight bits or less
            raise Problem("parameter_kind", file=str(self.path), name=shown(name), kind=dtype) from None


ARRAYS: dict[str, type[Npz] | type[Safetensors]] = {".npz": Npz, ".safetensors": Safetensors}


def archived(arrays: Mapping[str, Array]) -> memoryview:
    """Return the bytes of an .npz of these arrays."""
    whole = io.BytesIO()  # in memory: an unfinished archive whose file fails reports it only when garbage-collected
    try:
        np.savez(whole, **arrays)  # type: ignore[arg-type]
    except ValueError as error:  # raised by an archive that Ctrl-C left open
        if isinstance(error.__context__, (KeyboardInterrupt, SystemExit)):
            raise error.__context__ from None
        raise
    return whole.getbuffer()


def serialized(arrays: Mapping[str, Array], texts: dict[str, str] | None = None) -> bytes:
    """Return the bytes of a file with these arrays and texts."""
    ordered = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return bytes(library("safetensors.numpy").save(ordered, texts))


def library(module: str) -> Any:
    """Import a module of the library. Raises Problem where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Problem("no_safetensors") from None
