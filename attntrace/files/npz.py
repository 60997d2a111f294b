"""An .npz read member by member: names and shapes first, no pickle, no more memory than the file accounts for."""
from __future__ import annotations

import io
import math
import os
import stat
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from attntrace.messages.catalog import Localized, Message, Text
from attntrace.messages.errors import Problem, refusal
from attntrace.messages.unicode import shown
from attntrace.tensor.tensor import Array

NO_ZIP = "File is not a zip file"  # what zipfile says
RUN = "run"  # the member of a saved run that says what the others are
DENSEST = 1100  # no zip member unpacks to more than this many times its size (deflate reaches 1032)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read from. Raises Problem where there is none that could be, also while it is read."""
    try:
        with open(path, "rb") as file:
            yield file
    except IsADirectoryError:
        raise Problem("weights_directory", file=str(path)) from None
    except FileNotFoundError:
        raise Problem("weights_missing", file=str(path)) from None
    except OSError as error:
        raise Problem("weights_unreadable", file=str(path), why=refusal(error)) from None


class Header(NamedTuple):
    """What a member says it holds, and where in it the numbers begin."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool
    start: int

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)


class Npz:
    """The members of an open .npz by name, without their ending. Raises Problem where the file is broken."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        facts = os.fstat(file.fileno())  # of the file that is open, whatever becomes of its name
        self.size = facts.st_size
        try:
            if not stat.S_ISREG(facts.st_mode):  # of which some have no end
                raise ValueError(Message("problem.why.no_regular_file"))
            self._zip = zipfile.ZipFile(file)
            self._infos = {info.filename.removesuffix(".npy"): info for info in self._zip.infolist()}
            if len(self._infos) < len(self._zip.infolist()):
                raise ValueError(Message("problem.why.same_name"))
        except Exception as error:  # a damaged file fails in zipfile, zlib or NumPy, each in its own way
            raise self.broken(error) from None

    @cached_property
    def headers(self) -> dict[str, Header]:
        """Of every member."""
        return {name: self.header(name) for name in self._infos}

    def check_no_run(self) -> None:
        """Raise Problem where these are the members of a saved run, of which nobody but its readers makes sense."""
        if RUN in self.headers and self.headers[RUN].dtype == np.uint8:
            raise Problem("weights_is_run", file=str(self.path))

    def broken(self, error: Exception) -> Problem:
        return Problem("weights_broken", file=str(self.path), why=reason(error))

    def pickled(self, name: str) -> Problem:
        return Problem("weights_pickled", file=str(self.path), name=shown(name))

    def header(self, name: str) -> Header:
        """What a member claims to hold; a claim that the file cannot meet is refused."""
        try:
            return self._header(self._infos[name])
        except Problem:
            raise
        except Exception as error:
            raise self.broken(error) from None

    def _header(self, info: zipfile.ZipInfo) -> Header:
        if info.comment:  # nobody writes one here: its damaged length swallows the entries behind it
            raise ValueError(Message("problem.why.comment", name=info.filename))
        with self._zip.open(info) as member, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's, about headers that Python 2 wrote
            read = (np.lib.format.read_array_header_1_0 if np.lib.format.read_magic(member) == (1, 0)
                    else np.lib.format.read_array_header_2_0)
            shape, fortran_order, dtype = read(member)
            header = Header(shape, dtype, fortran_order, member.tell())
        if dtype.hasobject:
            raise self.pickled(info.filename.removesuffix(".npy"))
        if header.start + header.numbers * dtype.itemsize != info.file_size:
            raise ValueError(Message("problem.why.size", name=info.filename))
        if info.compress_size > self.size or info.file_size > DENSEST * info.compress_size:
            raise ValueError(Message("problem.why.claim", name=info.filename))
        return header

    def read(self, name: str) -> Array:
        """The array of a member. It is read to its end, so that its checksum is checked."""
        header = self.header(name)
        try:
            return laid_over(self._zip.read(self._infos[name]), header)
        except Exception as error:
            raise self.broken(error) from None

    def text(self, name: str) -> Any:
        """The text of a member, or a list of its texts. Raises Problem where it is not valid Unicode."""
        try:
            found = self.read(name).tolist()
            "".join(found).encode().decode()  # NumPy lets surrogates through, and numbers beyond Unicode
            return found
        except (SystemError, TypeError, ValueError):
            raise self.broken(ValueError(Message("problem.why.text", name=name))) from None


def laid_over(data: bytes, header: Header) -> Array:
    """The numbers of a member, where they stand in its bytes."""
    whole = io.BytesIO(data)
    flat = np.frombuffer(whole.getbuffer()[header.start:], dtype=header.dtype, count=header.numbers)
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C")


def reason(error: Exception) -> Text:
    """Why something failed: in our words where it is told in them or happens often, else in its own, cut to a line."""
    if error.args and isinstance(error.args[0], Localized):
        return error.args[0]
    if type(error).__name__ == "JSONDecodeError":  # of a module that nobody else here needs
        return Message("problem.why.no_json", line=getattr(error, "lineno"), column=getattr(error, "colno"))
    if str(error) == NO_ZIP:
        return Message("problem.why.no_zip")
    why = str(error).splitlines() or [type(error).__name__]
    return shown(why[0][:200])


def shape_text(shape: tuple[int, ...]) -> Text:
    """`3 × 4`."""
    return " × ".join(map(str, shape)) or Message("problem.why.one_number")


def archived(arrays: Mapping[str, Array]) -> memoryview:
    """The bytes of an .npz of these arrays."""
    whole = io.BytesIO()  # where writing fails, an archive that was begun would complain of it much later
    try:
        np.savez(whole, **arrays)  # type: ignore[arg-type]
    except ValueError as error:  # that of an archive which Ctrl-C left open
        if isinstance(error.__context__, (KeyboardInterrupt, SystemExit)):
            raise error.__context__ from None
        raise
    return whole.getbuffer()
