"""A page in a pager, with its colours."""
from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from attntrace.errors import Problem

PAGERS = ("less", "more")


class Pipe(io.TextIOWrapper):
    """What a pager reads. It is seen on a terminal, so colour and limits are those of one."""

    def isatty(self) -> bool:
        return True


@contextmanager
def paged(out: TextIO) -> Iterator[TextIO]:
    """What is written goes to $PAGER, or else to less or more; straight to `out` where it is no terminal or there is
    none of them. Ends when the reader leaves the pager. Raises Problem where $PAGER is not installed."""
    asked = shlex.split(os.environ.get("PAGER", ""))
    found = next(filter(None, map(shutil.which, asked[:1] or PAGERS)), None)
    if not out.isatty() or asked == ["cat"] or not asked and found is None:
        yield out
        return
    if found is None:
        raise Problem("no_pager", pager=asked[0])
    environment = {"LESS": "FRX", "LESSCHARSET": "utf-8", **os.environ}  # colours as they are; nothing where all fits
    pager = subprocess.Popen([found, *asked[1:]], stdin=subprocess.PIPE, stdout=sys.stdout, env=environment)
    assert pager.stdin is not None
    pipe = Pipe(pager.stdin, encoding=out.encoding, errors="backslashreplace")
    try:
        yield pipe
        pipe.flush()
    finally:
        try:
            pipe.close()
        except BrokenPipeError:
            pass  # the reader has left
        while True:
            try:
                pager.wait()
                break
            except KeyboardInterrupt:  # the pager's own key, while it is there
                continue
