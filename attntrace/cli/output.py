"""Where output goes: standard output, a pager, a device, or a file that appears whole or not at all."""
import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, BinaryIO, TextIO

import click

from attntrace.cli.values import READ
from attntrace.messages.errors import Problem, refusal

DESCRIPTOR = re.compile(r"/dev/(?P<name>stdin|stdout|stderr)|/(dev|proc/self)/fd/(?P<number>[0-9]{1,9})")

STANDARD_INPUT, STANDARD_OUTPUT = 0, 1  # their descriptors
PAGERS = ("less", "more")
NO_PAGER = "cat"  # that $PAGER names where none is wanted


def destination(file: str | None, pager: bool | None = False) -> AbstractContextManager[TextIO]:
    """A text stream, in UTF-8 but for standard output, which may be read in a `pager`: True asks for one, None for one
    that is there.

    A regular file is written beside its place and moved there when it is complete: links are followed, the mode is
    kept. Devices and pipes are written straight. Raises Problem where that is not possible."""
    if file is not None and file != "-":
        return _opened(file, mode="w", encoding="utf-8", errors="backslashreplace")
    if pager is not False and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return paged(sys.stdout, is_asked_for=bool(pager))
    return nullcontext(sys.stdout)


def binary(file: str) -> AbstractContextManager[BinaryIO]:
    """The same for a file of bytes."""
    return _opened(file, mode="wb")


def check_place(file: str) -> None:
    """Raise Problem where a file can never be written there, or would replace what is read."""
    if not file:
        raise Problem("output_unnamed")
    try:
        target = _target(file)
    except OSError as error:  # of a directory that is gone
        raise Problem("output_failed", file=file, why=refusal(error)) from None
    if isinstance(target, str) and (os.path.isdir(target) or file.endswith(os.sep)):
        raise Problem("output_is_directory", file=file)
    if isinstance(target, str) and not os.path.isdir(os.path.dirname(target)):
        raise Problem("output_directory", file=file, directory=os.path.dirname(target))
    if os.path.isfile(target) and any(os.path.exists(read) and os.path.samefile(target, read) for read in files_read()):
        raise Problem("output_is_input", file=file)


def same_place(file: str | None, other: str) -> bool:
    """Whether two files that are written are one; no file, or `-`, is standard output."""
    one, two = (STANDARD_OUTPUT if name in (None, "-") else _target(name) for name in (file, other))
    return one == two


def files_read() -> list[str | int]:
    """The files that the current command reads: those named on its command line and in --what-if, standard input."""
    context = click.get_current_context(silent=True)
    named = context.meta.get(READ, []) if context is not None else []
    return [STANDARD_INPUT, *(kind.located(value) for kind, value in named)]


@contextmanager
def _opened(file: str, **how: Any) -> Iterator[Any]:
    check_place(file)
    place = _target(file)
    stream: AbstractContextManager[Any]
    try:
        if isinstance(place, int):  # not opened by its name, which would empty a file that is being appended to
            stream = open(os.dup(place), **how)
        elif not os.path.lexists(place):
            stream = _beside(place, None, how)
        elif stat.S_ISREG(mode := os.stat(place).st_mode):
            open(place, "ab").close()  # raises where it must not be written, although its directory would allow it
            stream = _beside(place, stat.S_IMODE(mode), how)
        else:
            stream = open(place, **how)
        with stream as opened:
            yield opened
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Problem("output_failed", file=file, why=refusal(error)) from None


def _target(file: str) -> int | str:
    """The number of the open descriptor that a name such as /dev/stdout or /dev/fd/3 (or a link to one) stands for; of
    any other file its real path."""
    link = file
    for _ in range(40):
        if found := DESCRIPTOR.fullmatch(os.path.abspath(link)):
            return int(found["number"] or ("stdin", "stdout", "stderr").index(found["name"]))
        if not os.path.islink(link):
            break
        link = os.path.join(os.path.dirname(link), os.readlink(link))
    return os.path.realpath(file)


@contextmanager
def _beside(place: str, mode: int | None, how: dict[str, Any]) -> Iterator[Any]:
    directory, name = os.path.split(place)
    draft = os.path.join(directory, f".{name[:40]}.{os.urandom(4).hex()}.part")  # known before it is there
    exclusive = how | {"mode": how["mode"].replace("w", "x")}
    try:
        with open(draft, opener=lambda path, flags: os.open(path, flags, 0o666 if mode is None else 0o600),
                  **exclusive) as out:
            if mode is not None:
                os.chmod(draft, mode)
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, place)
    except BaseException:
        with suppress(FileNotFoundError):  # it may have come to its place before a signal came
            os.unlink(draft)
        raise


class Pipe(io.TextIOWrapper):
    """Standard input of a pager. It counts as a terminal: colour and limits are those of one."""

    def isatty(self) -> bool:
        return True


def is_program(name: str) -> bool:
    """Like `shutil.which`, for whose import the first screen would wait some milliseconds."""
    folders = os.get_exec_path() if os.path.basename(name) == name else [""]
    endings = os.environ.get("PATHEXT", "").split(os.pathsep)
    return any(os.access(os.path.join(folder, name + ending), os.X_OK) for folder in folders for ending in endings)


@contextmanager
def paged(out: TextIO, is_asked_for: bool) -> Iterator[TextIO]:
    """What is written to a terminal goes to $PAGER (as a shell reads it), or else to less or more; straight to `out`
    where there is none of them. Ends when the reader leaves the pager. Raises Problem where a pager that `is_asked_for`
    is not there, and where one fails.

    Not `click.echo_via_pager`: it pulls text from a generator, while a page is written by a running model."""
    import shlex  # only now: starting a process takes modules of its own
    import subprocess
    command = os.environ.get("PAGER", next(filter(is_program, PAGERS), "")).strip()
    try:
        program = next(word for word in shlex.split(command) if not re.match(r"\w+=", word))
    except (ValueError, StopIteration):
        program = command
    is_wanted = command not in ("", NO_PAGER)
    if is_asked_for and is_wanted and not is_program(program):
        raise Problem("no_pager", pager=program)
    if not is_wanted or not is_program(program):
        yield out
        return
    charset = {"LESSCHARSET": "utf-8"} if re.fullmatch("utf-?8", out.encoding, re.I) else {}
    less = f"{os.environ['LESS']} -FR" if os.environ.get("LESS") else "FRX"  # with its colours; none where all fits
    pager = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, stdout=out,
                             env={**charset, **os.environ, "LESS": less})
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
