"""A page that waits for a key after each stage, so that a teacher can talk.

Not `click.getchar`: between two keys it gives the terminal back, which echoes and loses keys typed ahead, and Ctrl-Z
has no effect in its raw mode."""
from __future__ import annotations

import errno
import os
import re
import select
import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import click

from attntrace.cli.exit_codes import DONE
from attntrace.messages.catalog import Message
from attntrace.pages.blocks import Block
from attntrace.writers.page import Span
from attntrace.writers.text.writer import TerminalWriter

ON, BACK, QUIT = "on", "back", "quit"
# Letters as they are typed, also with a Korean keyboard on; arrows and page keys as a terminal sends them.
KEYS = {" ": ON, "\r": ON, "\n": ON, "\x1b[B": ON, "\x1b[C": ON, "\x1b[6~": ON, "b": BACK, "B": BACK, "ㅠ": BACK,
        "\x7f": BACK, "\x1b[A": BACK, "\x1b[D": BACK, "\x1b[5~": BACK, "q": QUIT, "Q": QUIT, "ㅂ": QUIT, "\x04": QUIT,
        **{str(n): str(n) for n in range(1, 10)}}
KEY = re.compile(r"\x1b[O[][^@-~]*[@-~]|\x1b(?![O[])|[^\x1b]")  # a whole one: what an arrow sends, or a character
ESCAPE = 0.05  # seconds in which all of what an arrow sends has come


class Pauses:
    """Writes the blocks of a stage as a sheet, and waits before the next one. Sheets that were shown are kept as text,
    to go back to."""

    def __init__(self, writer: TerminalWriter, keys: Keys) -> None:
        self.writer, self.keys, self.hint = writer, keys, ""
        keys.again = self.show_hint
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
        """Follow the keys until a new sheet is due. Raises Exit at the key that quits."""
        shown = len(self.sheets)  # the one behind the last that is to be seen
        while True:
            key = self.key()
            if key == QUIT:
                raise click.exceptions.Exit(DONE)
            if key in (BACK, ON):
                self.first = shown if key == ON else max(self.first - self.count, 0)
                shown = min(self.first + self.count, len(self.sheets))
                clear = key == BACK and os.environ.get("TERM") != "dumb"
                self.writer.out.write("\x1b[H\x1b[2J" * clear + "".join(self.sheets[self.first:shown]))
                self.left = self.first + self.count - shown
                if key == ON and self.left:
                    return
            else:
                self.count = int(key)

    def key(self) -> str:
        """Wait for a key that has a meaning, below a hint that is removed afterwards."""
        self.hint = self.writer.page.text(Message("messages.pause", count=self.count))
        try:  # Ctrl-C may come while the hint is being written
            self.show_hint()
            while (meaning := KEYS.get(self.keys())) is None:
                pass
            return meaning
        finally:
            hint, self.hint = self.hint, ""
            self.writer.out.write("\r" + " " * self.writer.page.cells(hint) + "\r")
            self.writer.out.flush()

    def show_hint(self) -> None:
        self.writer.out.write(self.writer.text_of((Span(self.hint, "grey"),)))
        self.writer.out.flush()


@contextmanager
def keyboard(out: TextIO) -> Iterator[Keys | None]:
    """Keys, one at a time, as they are pressed; None where `out` is not a terminal.

    Keys are those of the controlling terminal, since standard input may be a sentence. Ctrl-C keeps its effect;
    the terminal's settings are restored at the end, also after an error."""
    try:
        import termios
        import tty
    except ImportError:  # no Unix: Click's own way to read a key
        yield ClickKeys() if out.isatty() and sys.stdin.isatty() else None
        return
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC) if out.isatty() else None
    except OSError:
        terminal = None
    if terminal is None:
        yield None
        return
    before = termios.tcgetattr(terminal)
    keys = Keys(terminal)

    def uninterrupted(set_terminal: Callable[..., Any], *settings: Any) -> None:
        """Set the terminal, again where a signal came in between (a job that is brought to the front)."""
        while True:
            try:
                set_terminal(terminal, *settings)
                return
            except termios.error as error:
                if error.args[0] != errno.EINTR:
                    raise

    def one_key_at_a_time() -> None:
        uninterrupted(tty.setcbreak, termios.TCSADRAIN)  # what was typed ahead stays
        settings = termios.tcgetattr(terminal)
        settings[3] |= termios.NOFLSH  # nor does Ctrl-C throw away what was written and is still on its way
        uninterrupted(termios.tcsetattr, termios.TCSADRAIN, settings)

    def continued(*_: Any) -> None:
        """After Ctrl-Z and fg: a shell may have set the terminal, and written to it, in between."""
        one_key_at_a_time()
        keys.again()

    found = signal.signal(signal.SIGCONT, continued)
    try:
        one_key_at_a_time()
        yield keys
    finally:
        signal.signal(signal.SIGCONT, found)
        uninterrupted(termios.tcsetattr, termios.TCSADRAIN, before)
        os.close(terminal)


class Keys:
    """The next key of a terminal: a letter, or the sequence that an arrow sends. `again` is done when the command is
    continued after it was stopped."""

    def __init__(self, terminal: int = -1) -> None:
        self.terminal = terminal
        self.typed = ""
        self.decode = getincrementaldecoder("utf-8")("replace").decode
        self.again: Callable[[], object] = lambda: None

    def __call__(self) -> str:
        while (key := KEY.match(self.typed)) is None or self.typed == "\x1b" and self._goes_on():
            more = os.read(self.terminal, 100)
            if not more:
                return "\x04"  # the terminal went away
            self.typed += self.decode(more)
        self.typed = self.typed[key.end():]
        return key[0].replace("\x1bO", "\x1b[")

    def _goes_on(self) -> bool:
        """Whether an escape is the beginning of what an arrow sends."""
        return bool(select.select([self.terminal], [], [], ESCAPE)[0])


class ClickKeys(Keys):
    """The same by Click, on systems whose terminals are set in other ways."""

    def __call__(self) -> str:
        return click.getchar(echo=False)
