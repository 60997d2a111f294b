"""A page on sheets that fit the screen, each of which waits for a key, so that a teacher can talk."""
from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from types import TracebackType
from typing import TypeVar

import click

from attntrace.cli.exit_codes import DONE
from attntrace.messages.catalog import Message, versions
from attntrace.pages.blocks import Architecture, Block, Heading, PartHeading, StageHeading
from attntrace.pages.page import Show
from attntrace.writers.page import Line, Span, Writer
from attntrace.writers.terminal_width import DEFAULT_WIDTH, columns, lines
from attntrace.writers.text.sheets import Number, Sheet, numbered, spelled
from attntrace.writers.text.writer import TerminalWriter

ON, BACK, QUIT, STOP, GO, ERASE = "on", "back", "quit", "stop", "go", "erase"
DIGITS = "0123456789."  # of the number of a stage
GONE = ""  # what is read from a terminal that went away
# Letters as they are typed, also with a Korean keyboard on; arrows and page keys as a terminal sends them.
KEYS = {" ": ON, "\r": ON, "\n": ON, "\x1b[B": ON, "\x1b[C": ON, "\x1b[6~": ON, "b": BACK, "B": BACK, "ㅠ": BACK,
        "\x7f": BACK, "\x1b[A": BACK, "\x1b[D": BACK, "\x1b[5~": BACK, "q": QUIT, "Q": QUIT, "ㅂ": QUIT, GONE: QUIT,
        "\x1a": STOP, **{sign: sign for sign in DIGITS}}
KEYS_IN_A_NUMBER = KEYS | {"\r": GO, "\n": GO, "\x7f": ERASE}
KEY = re.compile(r"\x1b[\[O][0-9;]*[A-Za-z~]|.|", re.S)
DEFAULT_HEIGHT = 24
KEPT = 100  # sheets, which hold the numbers of their stages
OTHER_SCREEN, OWN_SCREEN = "\x1b[?1049h", "\x1b[?1049l"  # what stood on the latter comes back
CLEAR = "\x1b[H\x1b[2J"
P = TypeVar("P", bound=Callable[[], object])


class Again(click.exceptions.Exit):
    """Raised where a sheet is wanted that is no longer kept, so that the page begins again."""


class Leafed:
    """Writes a page that has no stages on sheets as well, once it is complete."""

    def __init__(self, writer: Writer, one_thing: bool) -> None:
        assert isinstance(writer, TerminalWriter)
        self.writer, self.out, self.one_thing = writer, writer.out, one_thing
        self.blocks: list[Block] = []

    def __call__(self, blocks: Iterable[Block]) -> None:
        self.blocks += blocks

    def close(self) -> None:
        sheets = numbered(self.blocks, self.one_thing)
        last: list[Number] = [(len(sheets) - 1,)] if len(sheets) > 1 else []
        leaf_through(self.writer, lambda show: lambda: [*map(show, sheets)], lambda: last, self.one_thing)


def leaf_through(writer: TerminalWriter, page_of: Callable[[Show], P], lasts: Callable[[], list[Number]],
                 one_thing: bool) -> P:
    """Show a page, of which `page_of` makes one that begins, on a screen of its own, until a key quits."""
    with Pauses(writer, lasts, one_thing) as pauses:
        while True:
            page = page_of(pauses)
            try:
                page()
                pauses.close()
                return page
            except Again:
                pauses.begin_again()
            except click.exceptions.Exit:
                return page


class Pauses:
    """Shows each stage as a sheet, screen by screen, until a key asks for the next stage. Some sheets are kept, to go
    back to. `lasts`: the numbers of the last stages (see `pages.page.last_numbers`); `one_thing`: on a screen."""

    def __init__(self, writer: TerminalWriter, lasts: Callable[[], list[Number]], one_thing: bool) -> None:
        self.given = self.writer = writer  # as it was made, and for the size of the terminal
        self.lasts, self.one_thing = cache(lasts), one_thing
        self.sheets: dict[int, Sheet] = {}  # the last of the page so far
        self.count = 0  # of all so far
        self.at = 0  # the sheet that is shown
        self.screen = 0  # and the screen of it; -1 is its last one
        self.screens: list[list[Line]] = []  # of that sheet
        self.size = (0, 0)  # of the terminal, for which they are
        self.next: tuple[int, int] = (0, 0)  # the sheet and the screen to go on to
        self.wanted: Number = ()  # or the stage
        self.typed = self.ahead = ""  # the number so far; keys that were typed before they were asked for
        self.note = ""  # in place of the keys
        self.clears = os.environ.get("TERM") != "dumb"  # whether this is a screen, and not only lines of text
        self.picture: list[Block] = []  # of the model, which stands beside the page where there is room

    def __enter__(self) -> Pauses:
        self.control(OTHER_SCREEN)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        with suppress(OSError):  # of a terminal that went away
            self.control(OWN_SCREEN)

    def control(self, sequence: str) -> None:
        self.writer.out.write(sequence if self.clears else "\n")
        self.writer.out.flush()

    def __call__(self, blocks: Iterable[Block]) -> None:
        """Show the blocks of a stage; those that begin a part before it, with the picture of the model."""
        given = list(blocks)
        if not self.count:
            self.picture = [block._replace(beside=False) for block in given
                            if isinstance(block, Architecture) and block.beside]
        if isinstance(given[0], PartHeading):
            at = next((n for n, block in enumerate(given) if isinstance(block, StageHeading)), 0)
            if at:
                self.add([*(block for block in given[:at] if not isinstance(block, Heading)), *self.picture])
                given = given[at:]
        self.add(given)

    def add(self, blocks: list[Block]) -> None:
        self.sheets[self.count] = Sheet(blocks)
        self.sheets.pop(self.count - KEPT, None)
        self.count += 1
        if self.sheets[self.count - 1].is_at_or_after(self.wanted) if self.wanted else self.count > self.next[0]:
            self.show_last()

    def close(self) -> None:
        """Show the last sheet where the stage that was wanted is not shown."""
        if self.wanted:
            self.show_last()

    def begin_again(self) -> None:
        self.sheets.clear()
        self.count = 0

    def show_last(self) -> None:
        """Show the last sheet and follow the keys until a new one is due. Raises Exit at the key that quits."""
        self.turn_to(self.count - 1, self.next[1])
        self.next, self.wanted = (self.count, 0), ()
        is_due = False
        while not is_due:
            self.draw()
            key = self.key()
            typed, self.typed, self.note = self.typed, "", ""
            if key == QUIT:
                raise click.exceptions.Exit(DONE)
            if key == STOP:
                self.control(OWN_SCREEN)
                os.kill(os.getpid(), signal.SIGTSTP)  # which Click's raw terminal does not send at Ctrl-Z
                self.control(OTHER_SCREEN)
            elif key == ON:
                is_due = self.on()
            elif key == GO:
                is_due = self.go(typed)
            elif key == BACK and self.screen:
                self.screen -= 1
            elif key == BACK and self.at:
                self.turn_to(self.at - 1, -1)
            elif key == ERASE:
                self.typed = typed[:-1]
            elif key is not None and key in DIGITS and self.lasts():
                self.typed = typed + key

    def turn_to(self, at: int, screen: int = 0) -> None:
        self.at, self.screen, self.screens = at, screen, []
        if at not in self.sheets:
            self.next = at, screen
            raise Again(DONE)

    def on(self) -> bool:
        """Go on by a screen; return whether a new sheet is due."""
        if self.screen + 1 < len(self.screens):
            self.screen += 1
        elif self.at + 1 < self.count:
            self.turn_to(self.at + 1)
        else:
            return True
        return False

    def go(self, typed: str) -> bool:
        """Go to a stage by its number, in this part where it names none; return whether it is yet to come."""
        number = tuple(int(part or 0) for part in typed.split("."))
        lasts = self.lasts()
        here = self.sheets[self.at].number or lasts[0]
        number = number if number[:-1] in [last[:-1] for last in lasts] else (*here[:-1], *number)
        if not any(last[:-1] == number[:-1] and 1 <= number[-1] <= last[-1] for last in lasts):
            known = ", ".join(f"{spelled((*last[:-1], 1))}-{spelled(last)}" for last in lasts)
            self.note = self.writer.page.line(Message("messages.no_such_sheet", number=typed, known=known))
            return False
        at = next((at for at, sheet in self.sheets.items() if sheet.is_at_or_after(number)), None)
        if at is not None and (at == 0 or at - 1 in self.sheets):
            self.turn_to(at)
            return False
        self.wanted = number
        if at is not None:  # it may be one of those that are no longer kept
            raise Again(DONE)
        return True

    def draw(self) -> None:
        """Draw the sheet for the terminal as large as it is now."""
        size = columns(DEFAULT_WIDTH), lines(DEFAULT_HEIGHT)
        if not self.screens or size != self.size:
            self.lay_out(*size)
            self.size = size
        shown = self.screens[self.screen]
        below = [()] * (size[1] - 1 - len(shown)) if self.clears else []
        texts = map(self.writer.text_of, (*shown, *below, (Span(self.hint(), "grey"),)))
        self.writer.out.write((CLEAR if self.clears else "\n") + "\r\n".join(texts))
        self.writer.out.flush()

    def lay_out(self, width: int, height: int) -> None:
        """Lay the sheet out for a size of the terminal, and turn to the screen with what was shown of it."""
        self.writer = self.given.of_width(width)
        sheet, before = self.sheets[self.at], len(self.screens)
        last = next((last for last in self.lasts() if last[:-1] == sheet.number[:-1]), ()) if sheet.number else ()
        self.screens = sheet.screens(self.writer, last, height - 1, self.one_thing)
        self.screen = self.screen * len(self.screens) // before if before else self.screen % len(self.screens)

    def hint(self) -> str:
        """The keys, in the first of the page's languages where all have no room."""
        page = self.writer.page
        key = "go_to_sheet" if self.typed else "pause" if self.lasts() else "pause_whole"
        hint = Message(f"messages.{key}", typed=self.typed)
        texts = [self.note or page.line(hint), *versions(page.languages, hint)[0]]
        return next((text for text in texts if page.cells(text) < page.width), "")

    def key(self) -> str | None:
        """Wait for a key; None where it has no meaning."""
        try:
            with redrawn_when_resized(self.draw):
                self.ahead = self.ahead or click.getchar()
        except EOFError:  # Ctrl-D
            return QUIT
        except OSError:  # without a keyboard nothing waits, and all is printed
            if not self.clears:
                return ON
            self.control(OWN_SCREEN)
            self.clears = False
            return None
        found = KEY.match(self.ahead)
        assert found is not None
        self.ahead = self.ahead[found.end():]
        return (KEYS_IN_A_NUMBER if self.typed else KEYS).get(found[0].replace("\x1bO", "\x1b["))


@contextmanager
def redrawn_when_resized(draw: Callable[[], None]) -> Iterator[None]:
    """While a key is waited for, draw again where the size of the screen changes."""
    resized = getattr(signal, "SIGWINCH", None)  # which not every system has
    if resized is None:
        yield
        return

    def redraw(*_: object) -> None:  # the next change waits until this one is drawn
        signal.pthread_sigmask(signal.SIG_BLOCK, {resized})
        try:
            draw()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {resized})

    before = signal.signal(resized, redraw)
    try:
        yield
    finally:
        signal.signal(resized, before)
