"""Where output goes: standard output, a device, or a file that appears whole or not at all."""
from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from attntrace.errors import Problem


@contextmanager
def destination(file: str | None) -> Iterator[TextIO]:
    """A text stream in UTF-8. A regular file is written beside its place and moved there when it is complete: links are
    followed, the mode is kept. Devices and pipes are written straight. Raises Problem where that is not possible."""
    if file is None or file == "-":
        yield sys.stdout
        return
    place = os.path.realpath(file)
    if os.path.isdir(place):
        raise Problem("output_is_directory", file=file)
    if not os.path.isdir(os.path.dirname(place)):
        raise Problem("output_directory", file=file, directory=os.path.dirname(file) or ".")
    try:
        if os.path.exists(place) and not os.path.isfile(place):
            with open(place, "w", encoding="utf-8", errors="backslashreplace") as straight:
                yield straight
            return
        with _beside(place) as whole:
            yield whole
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Problem("output_failed", file=file, why=error.strerror or str(error)) from None


@contextmanager
def _beside(place: str) -> Iterator[TextIO]:
    directory, name = os.path.split(place)
    number, draft = tempfile.mkstemp(prefix=f".{name[:40]}.", suffix=".part", dir=directory)
    try:
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as out:
            os.chmod(draft, _mode(place))
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, place)
    except BaseException:
        os.unlink(draft)
        raise


def _mode(place: str) -> int:
    """The mode of the file that is there, or that of a new file."""
    if os.path.exists(place):
        return os.stat(place).st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
