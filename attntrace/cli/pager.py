"""A page in a pager, with its colours.

Not `click.echo_via_pager`: it pulls text from a generator, while a page is written by a running model.
"""

import io
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from attntrace.messages.errors import Problem

PAGERS = ("less", "more")


class Pipe(io.TextIOWrapper):
    """Standard input of a pager. It counts as a terminal: colour and limits are those of one."""

    def isatty(self) -> bool:
        return True


@contextmanager
def paged(out: TextIO) -> Iterator[TextIO]:
    """What is written to a terminal goes to $PAGER (as a shell reads it), or else to less or more; straight to `out`
    where there is none of them. Ends when the reader leaves the pager. Raises Problem where $PAGER does not work."""
    command = os.environ.get("PAGER", next(filter(shutil.which, PAGERS), ""))
    if not command.strip():
        yield out
        return
    try:
        words = shlex.split(command)
    except ValueError:
        raise Problem("no_pager", pager=command) from None
    if not shutil.which(words[0]):
        raise Problem("no_pager", pager=words[0])
    less = f"{os.environ['LESS']} -R" if os.environ.get("LESS") else "FRX"  # with its colours; none where all fits
    pager = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, stdout=out,
                             env={"LESSCHARSET": "utf-8", **os.environ, "LESS": less})
    assert pager.stdin is not None
    pipe = Pipe(pager.stdin, encoding=out.encoding, errors="backslashreplace")
    stopped = False
    try:
        with pipe:
            yield pipe
    except BrokenPipeError:
        stopped = True  # the reader has left
    finally:
        while pager.poll() is None:
            with suppress(KeyboardInterrupt):  # the pager's own key, while it is there
                pager.wait()
    if pager.returncode > 0:
        raise Problem("pager_failed", pager=command, code=pager.returncode)
    if stopped:
        raise BrokenPipeError
