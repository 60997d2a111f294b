"""A real pseudo-terminal with the command in it, or a script."""
import codecs
import os
import pty
import select
import signal
import sys
import termios
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from command import ROOT, clean_environment

from attntrace.__main__ import main


def run_here(arguments: tuple[str, ...], environment: dict[str, str]) -> NoReturn:
    """Be the command from now on, in a child of this process: Python and its modules need not be started again."""
    code: object = 1
    try:
        os.environ.clear()
        os.environ.update(environment)
        sys.stdin, sys.stdout, sys.stderr = (open(number, mode, encoding="utf-8") for number, mode in enumerate("rww"))
        for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL),
                                (signal.SIGHUP, signal.SIG_DFL)):
            signal.signal(number, handler)
        sys.argv[1:] = arguments
        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code if isinstance(code, int) else 1)


class Terminal:
    """A person at a terminal, who `reads` until a text comes and `types` keys; `settings` are those of the terminal.
    Its $PAGER is none."""

    def __init__(self, *arguments: str, columns: int = 100, rows: int = 40, stdin: bytes | None = None,
                 script: str = "", **env: str) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            termios.tcsetwinsize(0, (rows, columns))
            if stdin is not None:
                read, write = os.pipe()
                os.write(write, stdin)
                os.close(write)
                os.dup2(read, 0)
            environment = clean_environment() | {"TERM": "xterm-256color", "PAGER": "cat"} | env
            if script:
                os.execve("/bin/sh", ["/bin/sh", "-c", script], environment)
            run_here(arguments, environment)
        self.seen = ""
        self.decoded = codecs.getincrementaldecoder("utf-8")("replace").decode  # a letter may come in two parts

    def reads(self, text: str, seconds: float = 20) -> str:
        """Return everything written until `text`, which must come."""
        start = len(self.seen)
        self.sees(lambda seen: text in seen[start:], seconds)
        return self.seen[start:]

    def sees(self, condition: Callable[[str], bool], seconds: float = 20) -> None:
        """Read until what was seen fulfils a condition, as it must."""
        deadline, start = time.monotonic() + seconds, len(self.seen)
        while not condition(self.seen):
            left = deadline - time.monotonic()
            there = left > 0 and select.select([self.master], [], [], left)[0]
            assert there, f"not seen in {self.seen[start:]!r}"
            try:
                part = os.read(self.master, 65536)
            except OSError:  # the command has ended
                part = b""
            assert part, f"ended before it was seen: {self.seen[start:]!r}"
            self.seen += self.decoded(part).replace("\r\n", "\n")

    def types(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def presses(self, key: str, seconds: float = 20) -> None:
        """Type a key as soon as the command waits for one."""
        deadline = time.monotonic() + seconds
        while self.settings()[3] & termios.ICANON:
            assert time.monotonic() < deadline, "waits for no key"
            time.sleep(0.01)
        self.types(key)

    def settings(self) -> list[Any]:
        return termios.tcgetattr(self.master)

    def ends(self, seconds: float = 20) -> tuple[int, str]:
        """Return the exit code and everything written until the end."""
        deadline, start = time.monotonic() + seconds, len(self.seen)
        while time.monotonic() < deadline:
            try:
                part = os.read(self.master, 65536) if select.select([self.master], [], [], 0.1)[0] else None
            except OSError:
                part = b""
            if part == b"":
                return exit_code(self.pid, deadline - time.monotonic()), self.seen[start:]
            self.seen += self.decoded(part or b"").replace("\r\n", "\n")
        raise AssertionError(f"does not end: {self.seen[start:]!r}")


def exit_code(pid: int, seconds: float = 20) -> int:
    """Return the exit code of a child process, which must end within so many seconds."""
    deadline = time.monotonic() + seconds
    while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
        assert time.monotonic() < deadline, "does not end"
        time.sleep(0.01)
    return os.waitstatus_to_exitcode(ended[1])


@contextmanager
def terminal(*arguments: str, columns: int = 100, rows: int = 40, stdin: bytes | None = None, script: str = "",
             **env: str) -> Iterator[Terminal]:
    """Run the command or a script in a terminal of its own, with `stdin`, where given, as a pipe."""
    one = Terminal(*arguments, columns=columns, rows=rows, stdin=stdin, script=script, **env)
    try:
        yield one
    finally:
        try:
            os.kill(one.pid, signal.SIGKILL)
            exit_code(one.pid)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(one.master)
