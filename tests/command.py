"""Run the command in this process (fast) or in one of its own."""
import io
import os
import shlex
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from attntrace.cli.app import run

ROOT = Path(__file__).parent.parent
BLOG = ("어제 카페 갔었어", "--target", "I went to the cafe yesterday")  # the example of the documents
COMPILED = tempfile.TemporaryDirectory()


class Result(NamedTuple):
    code: int
    out: str
    err: str


class Pipe(io.BytesIO):
    """A pipe whose reader goes away after so many lines, if any."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.lines = lines

    def write(self, data: Any) -> int:
        if self.lines and self.getvalue().count(b"\n") >= self.lines:
            self.lines = 0
            raise BrokenPipeError
        return super().write(data)


def attntrace(*arguments: str, stdin: bytes | None = None, lines: int = 0, **env: str) -> Result:
    """Run the command in this process with its output in a pipe, of which so many `lines` are read or all, and `env` in
    its environment (without effect on variables that Python reads when it starts)."""
    before, environment = (sys.stdin, sys.stdout, sys.stderr), os.environ.copy()
    out, err = (io.TextIOWrapper(Pipe(n), encoding="utf-8", newline="") for n in (lines, 0))
    if stdin is not None:
        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    sys.stdout, sys.stderr = out, err
    os.environ.update(env)
    try:
        code = run(list(arguments))
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        os.environ.clear()
        os.environ.update(environment)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8"))  # type: ignore[attr-defined]
    return Result(code, *texts)


@cache
def printed(*arguments: str, **env: str) -> Result:
    """What a command prints that writes no file: run once, wherever it is asked for again."""
    return attntrace(*arguments, **env)


def refusal(*arguments: str, **more: Any) -> str:
    """The one line with which the command refuses its arguments."""
    result = attntrace(*arguments, **more)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1), result
    return result.err


def process(*arguments: str, stdin: bytes = b"", cwd: Path = ROOT, **env: str) -> Result:
    """Run the command in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "attntrace", *arguments], input=stdin, capture_output=True, cwd=cwd,
                          env=clean_environment() | {"PYTHONPATH": str(ROOT)} | env, timeout=100)
    return Result(done.returncode, done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8"))


def shell(script: str, cwd: Path = ROOT, megabytes: int = 0, **env: str) -> Result:
    """Run a Bash script in which $A is the command; `megabytes` limits the memory of its processes."""
    limit = f"ulimit -v {megabytes * 1024}; " if megabytes else ""
    script = limit + script.replace("$A", f"{shlex.quote(sys.executable)} -m attntrace")
    done = subprocess.run(["bash", "-c", script], capture_output=True, cwd=cwd, timeout=100,
                          env=clean_environment() | {"PYTHONPATH": str(ROOT)} | env)
    return Result(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def clean_environment() -> dict[str, str]:
    """The environment without variables that change a page. Modules are compiled once for all processes of the tests,
    also where the installation is read-only."""
    touchy = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in touchy}
    return kept | {"PYTHONPYCACHEPREFIX": COMPILED.name}


def words_of(command: str) -> list[str]:
    """Split a command line of a document as a shell does, without the program's name."""
    name, *words = shlex.split(command)
    assert name == "attntrace", command
    return words
