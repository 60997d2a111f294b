"""The player in a terminal: the one place that imports Textual."""
import gc
import os
from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App
from textual.strip import Strip
from textual.widget import Widget

from attntrace.player.course import Course, Place
from attntrace.player.drawing import Act, Line, screen
from attntrace.player.player import JUMP, Player
from attntrace.tensor.symbol import Spelling
from attntrace.writers.page import Page
from attntrace.writers.text.writer import DARK, LIGHT, cells_of

INTERRUPTED = 130
SELDOM = 10_000  # collections of young objects before old ones are gone through
NARROWEST, LOWEST = 60, 18  # a smaller terminal shows a part of such a screen


def styles_of(is_light: bool) -> dict[str, Style]:
    """Styles on one ground: of lines, of words; what is marked is bold or in brackets as well."""
    theme = LIGHT if is_light else DARK
    marked = ("#ffffff", "#0b4f9e") if is_light else ("#ffffff", "#1f4f86")
    right = "#006400" if is_light else "#5fd75f"
    return {"": Style(), "bold": Style(bold=True), "grey": Style.parse(f"color({theme.grey})"),
            "red": Style.parse(f"bold color({theme.red})"), "right": Style(bold=True, color=right),
            "lit": Style(bold=True, color=marked[0], bgcolor=marked[1]),
            "here": Style(bold=True, color="#000000", bgcolor="#ffd75f"),
            **{f"hue{n}": Style.parse(f"color({hue})") for n, hue in enumerate(theme.hues)}}


class Sheet(Widget):
    """The whole screen, one strip a line."""
    can_focus = True

    def __init__(self, player: Player, is_light: bool) -> None:
        super().__init__()
        self.player, self.looks = player, styles_of(is_light)
        self.lines: list[Line] = []

    def redraw(self) -> None:
        """Lay the place out for the size of the screen."""
        page = self.player.page
        width, self.player.height = max(self.size.width, NARROWEST), max(self.size.height, LOWEST)
        if page.width != width:
            self.player.page = Page(width, page.spelling, page.cells, languages=page.languages)
        self.lines = screen(self.player)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        line = self.lines[y] if y < len(self.lines) else []
        ground = self.rich_style
        return Strip([Segment(piece.text, ground + self.looks[piece.style]) for piece in line]).adjust_cell_length(
            self.size.width, ground)

    def act_at(self, x: int, y: int) -> Act | None:
        """What a click there does."""
        for piece in self.lines[y] if y < len(self.lines) else []:
            width = self.player.page.cells(piece.text)
            if x < width:
                return piece.act
            x -= width
        return None

    def on_resize(self, event: events.Resize) -> None:
        self.redraw()

    def on_key(self, event: events.Key) -> None:
        if event.key in ("ctrl+c", "ctrl+z"):
            return
        event.stop()
        event.prevent_default()
        sign = event.character if event.character and event.character.isprintable() else ""
        self.after(self.player.press(sign if sign and sign != " " else event.key))

    def on_paste(self, event: events.Paste) -> None:
        for sign in "".join(event.text.split("\n")[:1]):
            if self.player.mode == JUMP or not sign.isalpha():
                self.player.press("space" if sign == " " else sign)
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        act = self.act_at(event.x, event.y)
        if act is not None:
            self.after(self.player.click(act))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.after(self.player.press("space"))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.after(self.player.press("pageup"))

    def after(self, ends: bool) -> None:
        if ends:
            self.app.exit(return_code=0)
        else:
            self.redraw()


class PlayerApp(App[None]):
    """The player as an application. Ctrl-C ends it as it ends every command, Ctrl-Z stops it."""
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [("ctrl+c", "interrupt"), ("ctrl+z", "suspend_process")]
    CSS = "Sheet { width: 100%; height: 100%; } Screen { overflow: hidden hidden; }"

    def __init__(self, player: Player) -> None:
        is_light = os.environ.get("COLORFGBG", "").endswith((";7", ";15"))  # what some terminals say
        super().__init__()
        self.theme = "textual-light" if is_light else "textual-dark"
        self.sheet = Sheet(player, is_light)

    def compose(self) -> "list[Widget]":
        return [self.sheet]

    def on_mount(self) -> None:
        self.sheet.focus()

    def action_interrupt(self) -> None:
        self.exit(return_code=INTERRUPTED)


def player_of(course: Course, at: Place | None, ascii: bool, languages: Sequence[str],
              write_page: Callable[[str], str]) -> Player:
    spelling = Spelling.ASCII if ascii else Spelling.UNICODE
    page = Page(NARROWEST, spelling, cells_of, languages=tuple(languages))
    player = Player(course, page, LOWEST, write_page)
    if at is not None:
        player.place = at
    return player


def play(player: Player) -> int:
    """Play until a key ends it; return the exit code."""
    app = PlayerApp(player)
    gc.freeze()  # a run has so many objects that going through all of them would hold a key up
    gc.set_threshold(*gc.get_threshold()[:2], SELDOM)
    app.run()
    return app.return_code or 0
