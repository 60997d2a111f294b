"""Reading an .npz member by member: headers first, no pickle, no more memory than the size of the file allows."""
import io
import math
import os
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from attntrace.files.reading import check_size, regular
from attntrace.messages.catalog import Localized, Message, Text
from attntrace.messages.errors import Problem, refusal
from attntrace.messages.unicode import shown
from attntrace.tensor.tensor import Array

NO_ZIP = "File is not a zip file"  # the message of zipfile
RUN = "run"  # the member of a saved run that describes the others
NONSENSE = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, StopIteration, TypeError)
DENSEST = 1100  # the largest ratio of unpacked to packed size that is accepted (deflate reaches 1032)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading. Raises Problem where it cannot be opened, or read in the body of the context."""
    try:
        with regular(path) as file:
            yield file
    except IsADirectoryError:
        raise Problem("weights_directory", file=str(path)) from None
    except FileNotFoundError:
        raise Problem("weights_missing", file=str(path)) from None
    except OSError as error:
        raise Problem("weights_unreadable", file=str(path), why=refusal(error)) from None


class Header(NamedTuple):
    """The shape and the type of a member, and the offset of its numbers."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool
    start: int

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)


class Npz:
    """The members of an open .npz by name, without their ending. Raises Problem where the file is broken."""
    kind = "weights"  # as the keys of its Problems begin

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.size = os.fstat(file.fileno()).st_size  # of the open file, in case its name now belongs to another
        with self.sense():
            self._zip = zipfile.ZipFile(file)
            self._infos = {info.filename.removesuffix(".npy"): info for info in self._zip.infolist()}
            if len(self._infos) < len(self._zip.infolist()):
                raise ValueError(Message("problem.why.same_name"))

    @contextmanager
    def sense(self) -> Iterator[None]:
        """Report as a damaged file what is raised for one: zipfile, zlib and NumPy raise different errors, Python others
        for nonsense. Spans nothing but the reading and parsing of the file: anywhere else an exception is a bug."""
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

    def check_arrays(self) -> None:
        """Raise Problem where this is a saved run, which is not weights or rows, or where the unpacked members would
        take more memory than there is."""
        check_size(str(self.path), sum(info.file_size for info in self._infos.values()))
        if RUN in self.headers and self.headers[RUN].dtype == np.uint8:
            raise Problem("weights_is_run", file=str(self.path))

    def broken(self, error: Exception) -> Problem:
        """Return the Problem of a damaged file."""
        return Problem(f"{self.kind}_broken", file=str(self.path), why=reason(error))

    def pickled(self, name: str) -> Problem:
        """Return the Problem of a member with Python objects."""
        return Problem(f"{self.kind}_pickled", file=str(self.path), name=shown(name))

    def member_header(self, name: str) -> Header:
        """Return the header of a member. Raises Problem where it claims more than the file can hold."""
        info = self._infos[name]
        with self.sense():
            if info.comment:  # never written: a damaged comment length swallows the entries that follow
                raise ValueError(Message("problem.why.comment", name=info.filename))
            with self._zip.open(info) as member, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # NumPy warns about headers written by Python 2
                read = (np.lib.format.read_array_header_1_0 if np.lib.format.read_magic(member) == (1, 0)
                        else np.lib.format.read_array_header_2_0)
                shape, fortran_order, dtype = read(member)
                header = Header(shape, dtype, fortran_order, member.tell())
            if dtype.hasobject:
                raise self.pickled(name)
            if header.start + header.numbers * dtype.itemsize != info.file_size:
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


def array_of(data: bytes, header: Header) -> Array:
    """Return the array in the bytes of a member, without a copy; it is writable."""
    buffer = io.BytesIO(data).getbuffer()
    flat = np.frombuffer(buffer[header.start:], dtype=header.dtype, count=header.numbers)
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C")


def reason(error: Exception) -> Text:
    """Return why something failed: our own message where there is one, else the first line of the error's."""
    if error.args and isinstance(error.args[0], Localized):
        return error.args[0]
    if type(error).__name__ == "JSONDecodeError":  # by name, to spare the import of json
        return Message("problem.why.no_json", line=getattr(error, "lineno"), column=getattr(error, "colno"))
    if str(error) == NO_ZIP:
        return Message("problem.why.no_zip")
    if isinstance(error, NONSENSE):
        return Message("problem.why.no_sense", error=f"{type(error).__name__}: {error}")
    why = str(error).splitlines() or [type(error).__name__]
    return shown(why[0][:200])


def shape_text(shape: tuple[int, ...]) -> Text:
    """Return a shape as text: `3 × 4`."""
    return " × ".join(map(str, shape)) or Message("problem.why.one_number")


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
