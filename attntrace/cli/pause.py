"""A page that waits for a key after each stage, so that a teacher can talk."""
from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import click

from attntrace.blocks import Block
from attntrace.cli import DONE
from attntrace.prose import sentence
from attntrace.writers.page import Span
from attntrace.writers.terminal import TerminalWriter

ON, BACK, QUIT = "on", "back", "quit"
# Letters as they are typed, also with a Korean keyboard on; arrows and page keys as a terminal sends them.
KEYS = {" ": ON, "\r": ON, "\n": ON, "\x1b[B": ON, "\x1b[C": ON, "\x1b[6~": ON, "b": BACK, "B": BACK, "ㅠ": BACK,
        "\x7f": BACK, "\x1b[A": BACK, "\x1b[D": BACK, "\x1b[5~": BACK, "q": QUIT, "Q": QUIT, "ㅂ": QUIT, "\x04": QUIT,
        **{str(n): str(n) for n in range(1, 10)}}


class Pauses:
    """Writes the blocks of a stage as a sheet, and waits before the next one. Sheets that were shown are kept as text,
    to go back to."""

    def __init__(self, writer: TerminalWriter, keys: Callable[[], str]) -> None:
        self.writer, self.keys = writer, keys
        self.sheets: list[str] = []
        self.first = 0  # of the sheets that were shown last
        self.count = 1  # sheets at once
        self.left = 1  # sheets to show before the next wait

    def __call__(self, blocks: Iterable[Block]) -> None:
        if self.left == 0:
            self.wait()
        self.sheets.append("".join(self.writer.lines(blocks)))
        self.writer.out.write(self.sheets[-1])
        self.writer.out.flush()
        self.left -= 1

    def wait(self) -> None:
        """Do what the keys say, until a new sheet is asked for. Raises Exit where all is to end."""
        shown = len(self.sheets)  # the one behind the last that is to be seen
        while True:
            key = self.key()
            if key == QUIT:
                raise click.exceptions.Exit(DONE)
            if key == BACK:
                self.first = max(self.first - self.count, 0)
                shown = min(self.first + self.count, len(self.sheets))
                self.again(self.first, shown)
            elif key == ON:
                self.first = shown
                shown = min(self.first + self.count, len(self.sheets))
                self.writer.out.write("".join(self.sheets[self.first:shown]))
                self.left = self.first + self.count - shown
                if self.left:
                    return
            else:
                self.count = int(key)

    def again(self, first: int, last: int) -> None:
        """Some sheets on a screen of their own, where the terminal can clear it."""
        clear = "" if os.environ.get("TERM") == "dumb" else "\x1b[H\x1b[2J"
        self.writer.out.write(clear + "".join(self.sheets[first:last]))

    def key(self) -> str:
        """Wait for a key that means something, with the keys in a last line that goes away."""
        out, page = self.writer.out, self.writer.page
        hint = sentence("messages.pause", count=self.count)
        out.write(self.writer.text_of((Span(hint, "grey"),)))
        out.flush()
        try:
            while True:
                meaning = KEYS.get(self.keys())
                if meaning is not None:
                    return meaning
        finally:
            out.write("\r" + " " * page.cells(hint) + "\r")
            out.flush()


@contextmanager
def keyboard(out: TextIO) -> Iterator[Callable[[], str] | None]:
    """Keys, one at a time, as they are pressed; None where nobody sits before it (`out` is no terminal).

    Keys are those of the controlling terminal, since standard input may be a sentence. Ctrl-C stays what it is; the
    terminal is left as it was found, whatever happens.
    """
    try:
        import termios
        import tty
    except ImportError:  # no Unix: Click's own way to read a key
        yield (lambda: click.getchar(echo=False)) if out.isatty() and sys.stdin.isatty() else None
        return
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC) if out.isatty() else None
    except OSError:
        terminal = None
    if terminal is None:
        yield None
        return
    before = termios.tcgetattr(terminal)

    def one_key_at_a_time(*_: Any) -> None:
        tty.setcbreak(terminal, termios.TCSADRAIN)  # what was typed ahead stays

    continued = signal.signal(signal.SIGCONT, one_key_at_a_time)  # a shell may have set the terminal in between
    try:
        one_key_at_a_time()
        yield Keys(terminal)
    finally:
        signal.signal(signal.SIGCONT, continued)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        os.close(terminal)


class Keys:
    """The next key of a terminal: a letter, or the sequence that an arrow sends."""

    def __init__(self, terminal: int) -> None:
        self.terminal = terminal
        self.typed = b""

    def __call__(self) -> str:
        while True:
            key = self._first()
            if key is not None:
                return key
            more = os.read(self.terminal, 100)
            if not more:
                return "\x04"  # the terminal went away
            self.typed += more

    def _first(self) -> str | None:
        """The first key of what was typed, where it is whole."""
        if not self.typed:
            return None
        length = 1
        if self.typed.startswith(b"\x1b[") or self.typed.startswith(b"\x1bO"):
            length = next((n + 1 for n, byte in enumerate(self.typed) if n > 1 and 0x40 <= byte <= 0x7e), 0)
        elif self.typed[0] >= 0xc0:  # a letter of two, three or four bytes
            length = 2 + (self.typed[0] >= 0xe0) + (self.typed[0] >= 0xf0)
        if not length or len(self.typed) < length:
            return None
        key, self.typed = self.typed[:length], self.typed[length:]
        return key.decode("utf-8", "replace").replace("\x1bO", "\x1b[")
