"""The progress of a long trace or a training, on standard error."""
from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from attntrace.cli.languages import rendered
from attntrace.messages.catalog import Joined, Message, Text

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

    from attntrace.tracing.trace import Sink, Step
    from attntrace.training.loop import Done

DESCRIPTION = "{task.description}"  # may come from a file: never read as markup
PATIENCE = 1.0  # seconds before a bar appears
A_YEAR = 365 * 24 * 3600.0
QUIET = 10.0  # seconds without a line where no bar moves


def bar(*columns: ProgressColumn, transient: bool = False) -> Progress:
    """A started progress display on standard error, whose console prints text as it is: no markup, no emoji codes."""
    from rich.console import Console
    from rich.progress import Progress
    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    progress = Progress(*columns, console=console, transient=transient)
    progress.start()
    return progress


def into_a_file(out: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(out.fileno()).st_mode)
    except OSError:
        return False


@contextmanager
def progress(out: TextIO, total: Callable[[], int], silent: bool = False) -> Iterator[Sink]:
    """A sink that counts the steps of a run and, once it has taken longer than a second, shows how many there are to
    come: where standard error is a terminal and the page goes into a file (behind a pipe may be a pager on the same
    screen), or where the page is `silent` until its end."""
    is_seen = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    if not is_seen or not (silent or into_a_file(out)):
        yield lambda step: None
        return
    start, done = time.monotonic(), 0
    display: Progress | None = None
    task: Any = None

    def count(step: Step) -> None:
        nonlocal done, display, task
        done += 1
        if display is None:
            if time.monotonic() - start < PATIENCE:
                return
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            display = bar(TextColumn("attntrace"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                          TextColumn(DESCRIPTION, markup=False), transient=True)
            task = display.add_task("", total=total())
        display.update(task, completed=done, description=step.address)

    try:
        yield count
    finally:
        if display is not None:
            display.stop()


class TrainingProgress:
    """How far a training is: a bar on a terminal, a plain line after each epoch (and every ten seconds of a long one)
    elsewhere; `quiet`: nothing."""

    def __init__(self, batches: int, epochs: int, updates: int, held_out: int, quiet: bool = False) -> None:
        self.quiet = quiet
        self.batches, self.epochs, self.held_out, self.first = batches, epochs, held_out, updates
        self.start = self.last = time.monotonic()
        self.loss = 0.0  # of so many updates of this epoch
        self.count = self.tokens = 0
        self.progress: Progress | None = None
        self.task: Any = None

    def __enter__(self) -> TrainingProgress:
        if not self.quiet and sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
            self.progress = bar(TextColumn(DESCRIPTION, markup=False), BarColumn(bar_width=20), TimeRemainingColumn())
            self.task = self.progress.add_task("", total=self.batches * self.epochs, completed=self.first)
        return self

    def __exit__(self, *_: object) -> None:
        if self.progress is not None:
            with suppress(OSError):
                self.progress.stop()

    def show(self, done: Done, updates: int, exact: tuple[int, int] | None) -> None:
        """After so many updates; `exact`: how many held-out pairs were translated exactly when they were last tried,
        and in which epoch that was."""
        if self.quiet:
            return
        now = time.monotonic()
        self.loss, self.count = self.loss + done.loss, self.count + 1
        self.tokens += done.tokens
        is_epoch = not updates % self.batches
        if self.progress is None and not is_epoch and now - self.last < QUIET:
            return
        pace = (now - self.start) / (updates - self.first)
        facts = [Message("messages.train_epoch", epoch=done.epoch, epochs=self.epochs,
                         loss=f"{self.loss / self.count:.3f}",
                         pace=f"{self.tokens / max(now - self.start, 1e-9):,.0f}")]
        if exact is not None:
            facts.append(Message("messages.train_epoch_held_out", exact=exact[0], pairs=self.held_out, epoch=exact[1]))
        if self.progress is not None:
            self.progress.update(self.task, completed=updates, description=rendered(Joined("", facts)))
        else:
            left = pace * (self.batches * self.epochs - updates)
            self.say(Joined("", [*facts, Message("messages.train_left", time=in_time(left))]))
        self.last = now
        if is_epoch:
            self.loss, self.count = 0.0, 0

    def say(self, text: Text) -> None:
        """A line that stays."""
        with suppress(OSError):
            if self.progress is not None:
                self.progress.console.print(rendered(text))
            else:
                say(text)


def say(text: Text) -> None:
    """A line on standard error. A reader that went away or closed the terminal does not stop a training."""
    with suppress(OSError):
        if sys.stderr is not None:
            print(rendered(text), file=sys.stderr, flush=True)


def in_time(seconds: float) -> Message:
    """`2 h 5 min`."""
    if seconds < 60:
        return Message("messages.seconds", seconds=f"{seconds:.0f}")
    if seconds < 3600:
        return Message("messages.minutes", minutes=int(seconds // 60), seconds=f"{seconds % 60:.0f}")
    if seconds > A_YEAR:
        return Message("messages.long_time")
    return Message("messages.hours", hours=f"{seconds // 3600:,.0f}", minutes=int(seconds % 3600 // 60))
