"""The progress of a long trace or a training, on standard error."""
from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import IO, TYPE_CHECKING, Any

from attntrace.cli.languages import rendered
from attntrace.messages.catalog import Joined, Message, Text

if TYPE_CHECKING:
    from rich.progress import Progress

    from attntrace.tracing.trace import Sink
    from attntrace.training.loop import Done

COUNTED = "attntrace {task.completed:.0f}/{task.total:.0f} {task.description}"
PATIENCE = 1.0  # seconds before a bar appears
A_YEAR = 365 * 24 * 3600.0
QUIET = 10.0  # seconds without a line where no bar moves


@contextmanager
def bar(is_wanted: bool, total: Callable[[], int], patience: float = 0.0, text: str = "{task.description}",
        transient: bool = False) -> Iterator[Callable[[int, str], None] | None]:
    """A function that shows how much of a total is done, and a description, on a bar on standard error, once it has
    taken longer than `patience` seconds; None where no bar is wanted or can move. `text`: what stands behind the bar,
    with a Rich task."""
    if not is_wanted or sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    start = time.monotonic()
    display: Progress | None = None

    def show(done: int, description: str) -> None:
        nonlocal display
        if display is None and time.monotonic() - start >= patience:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
            console = Console(stderr=True, markup=False, emoji=False, highlight=False)  # words may come from a file
            display = Progress(BarColumn(bar_width=20), TimeRemainingColumn(), TextColumn(text, markup=False),
                               console=console, transient=transient)
            display.add_task("", total=total())
            display.start()
        if display is not None:
            display.update(display.task_ids[0], completed=done, description=description)

    try:
        yield show
    finally:
        if display is not None:
            with suppress(OSError):
                display.stop()


def into_a_file(out: IO[Any]) -> bool:
    try:
        return stat.S_ISREG(os.fstat(out.fileno()).st_mode)
    except OSError:
        return False


@contextmanager
def progress(out: IO[Any], total: Callable[[], int], silent: bool = False) -> Iterator[Sink]:
    """A sink that counts the steps of a run and, once it has taken longer than a second, shows how many there are to
    come: where they go into a file (behind a pipe may be a pager on the same screen), or where it is `silent`
    until its end."""
    with bar(silent or into_a_file(out), total, PATIENCE, COUNTED, transient=True) as show:
        numbers = count(1)
        yield lambda step: show(next(numbers), step.address) if show is not None else None


class TrainingProgress:
    """How far a training is: on a `bar`, or, where there is none, by a plain line after each epoch (and every ten
    seconds of a long one)."""

    def __init__(self, bar: Callable[[int, str], None] | None, batches: int, epochs: int, updates: int,
                 held_out: int) -> None:
        self.bar, self.batches, self.epochs, self.first, self.held_out = bar, batches, epochs, updates, held_out
        self.start = self.last = time.monotonic()
        self.loss = 0.0  # of so many updates of this epoch
        self.count = self.tokens = 0

    def show(self, done: Done, updates: int, exact: tuple[int, int] | None) -> None:
        """After so many updates; `exact`: how many held-out pairs were translated exactly when they were last tried,
        and in which epoch that was."""
        now = time.monotonic()
        self.loss, self.count = self.loss + done.loss, self.count + 1
        self.tokens += done.tokens
        is_epoch = not updates % self.batches
        if self.bar is None and not is_epoch and now - self.last < QUIET:
            return
        facts = [Message("messages.train_epoch", epoch=done.epoch, epochs=self.epochs,
                         loss=f"{self.loss / self.count:.3f}",
                         pace=f"{self.tokens / max(now - self.start, 1e-9):,.0f}")]
        if exact is not None:
            facts.append(Message("messages.train_epoch_held_out", exact=exact[0], pairs=self.held_out, epoch=exact[1]))
        if self.bar is not None:
            self.bar(updates, rendered(Joined("", facts)))
        else:
            pace = (now - self.start) / (updates - self.first)
            left = pace * (self.batches * self.epochs - updates)
            say(Joined("", [*facts, Message("messages.train_left", time=in_time(left))]))
        self.last = now
        if is_epoch:
            self.loss, self.count = 0.0, 0


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
