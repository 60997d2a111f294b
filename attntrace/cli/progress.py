"""How far a long trace is, on standard error."""
from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

    from attntrace.tracing import Sink, Step

PATIENCE = 1.0  # seconds that nobody minds


class Steps:
    """A sink that counts steps, and shows how many there are to come once it has taken longer than a second."""

    def __init__(self, total: Callable[[], int]) -> None:
        self.total, self.done = total, 0
        self.start = time.monotonic()
        self.progress: Progress | None = None
        self.task: Any = None

    def __call__(self, step: Step) -> None:
        self.done += 1
        if self.progress is None:
            if time.monotonic() - self.start < PATIENCE:
                return
            self.progress = self._begun()
            self.task = self.progress.add_task("", total=self.total())
        self.progress.update(self.task, completed=self.done, description=step.address)

    def _begun(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        progress = Progress(TextColumn("attntrace"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                            TextColumn("{task.description}"), console=Console(stderr=True), transient=True)
        progress.start()
        return progress

    def close(self) -> None:
        if self.progress is not None:
            self.progress.stop()


def into_a_file(out: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(out.fileno()).st_mode)
    except OSError:
        return False


@contextmanager
def progress(out: TextIO, total: Callable[[], int]) -> Iterator[Sink]:
    """A sink that shows how far a run is, where somebody looks at standard error and the page goes into a file (behind
    a pipe may be a pager on the same screen)."""
    if not into_a_file(out) or sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda step: None
        return
    steps = Steps(total)
    try:
        yield steps
    finally:
        steps.close()
