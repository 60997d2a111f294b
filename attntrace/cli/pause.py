"""A page that waits for a key after each stage, so that a teacher can talk."""
from __future__ import annotations

import os
import signal
from collections.abc import Iterable

import click

from attntrace.cli.exit_codes import DONE
from attntrace.messages.catalog import Message
from attntrace.pages.blocks import Block
from attntrace.writers.page import Span
from attntrace.writers.text.writer import TerminalWriter

ON, BACK, QUIT, STOP = "on", "back", "quit", "stop"
GONE = ""  # what is read from a terminal that went away
# Letters as they are typed, also with a Korean keyboard on; arrows and page keys as a terminal sends them.
KEYS = {" ": ON, "\r": ON, "\n": ON, "\x1b[B": ON, "\x1b[C": ON, "\x1b[6~": ON, "b": BACK, "B": BACK, "ㅠ": BACK,
        "\x7f": BACK, "\x1b[A": BACK, "\x1b[D": BACK, "\x1b[5~": BACK, "q": QUIT, "Q": QUIT, "ㅂ": QUIT, GONE: QUIT,
        "\x1a": STOP, **{str(n): str(n) for n in range(1, 10)}}


class Pauses:
    """Writes the blocks of a stage as a sheet, and waits before the next one. Sheets that were shown are kept as text,
    to go back to."""

    def __init__(self, writer: TerminalWriter) -> None:
        self.writer = writer
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
            if key == STOP:
                os.kill(os.getpid(), signal.SIGTSTP)  # which Click's raw terminal does not send at Ctrl-Z
            elif key in (BACK, ON):
                self.first = shown if key == ON else max(self.first - self.count, 0)
                shown = min(self.first + self.count, len(self.sheets))
                clear = key == BACK and os.environ.get("TERM") != "dumb"
                self.writer.out.write("\x1b[H\x1b[2J" * clear + "".join(self.sheets[self.first:shown]))
                self.left = self.first + self.count - shown
                if key == ON and self.left:
                    return
            elif key is not None:
                self.count = int(key)

    def key(self) -> str | None:
        """Wait for a key, below a hint that is removed afterwards; None where it has no meaning."""
        out = self.writer.out
        hint = self.writer.page.text(Message("messages.pause", count=self.count))
        try:  # Ctrl-C may come while the hint is being written
            out.write(self.writer.text_of((Span(hint, "grey"),)))
            out.flush()
            return KEYS.get(click.getchar().replace("\x1bO", "\x1b["))
        except EOFError:  # Ctrl-D
            return QUIT
        except OSError:  # without a keyboard nothing waits
            return ON
        finally:
            out.write("\r" + " " * self.writer.page.cells(hint) + "\r")
            out.flush()
