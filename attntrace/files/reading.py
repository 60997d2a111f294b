"""Files to read: regular files only, and no larger than the memory there is."""
import os
import stat
from typing import BinaryIO

from attntrace.messages.catalog import Message
from attntrace.model.memory import SHARE, check_fits, memory

OWN_DESCRIPTORS = "/dev/fd/", "/dev/stdin", "/proc/self/fd/"  # how names of what the caller has opened begin
CHUNK = 1 << 20


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
