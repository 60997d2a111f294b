"""A screen of the player, as lines of pieces: none wider than the screen, and exactly as many as it has."""
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from attntrace.messages.catalog import Joined, Message, Text, render, versions
from attntrace.pages.stages import place_title
from attntrace.pages.why import CellOf
from attntrace.player.course import Board
from attntrace.player.player import EXPLAIN, HELP, JUMP, TERMS, Player
from attntrace.player.sheets import (ABOVE, FOOT, GAP, HEAD, INDENT, Band, Cut, Sheet, column_words, height_of, read_by,
                                     row_words, sheet_of, title_of, widths, words_width)
from attntrace.tensor.expression import Ref
from attntrace.tracing.addresses import Address
from attntrace.writers.page import BARS, Page, hue_at, part_of, words_of
from attntrace.writers.text.equations import ASCII_BRACKETS, BRACKETS

Act = tuple[str, Any]
KEYS = ("enter", "row", "all", "predict", "follow", "back", "stage", "sheet", "terms", "explain", "jump", "page",
        "help", "quit")  # as they are named below the sheet
HELD = ("help", "quit")  # that always are
PRESSED = {"enter": "enter", "row": "r", "all": "R", "back": "backspace", "stage": "n", "sheet": "space", "terms": "z",
           "explain": "e", "jump": "/", "page": "o", "help": "?", "quit": "q"}  # where they are clicked
BAR = 10  # cells of a term with all of the sum


class Piece(NamedTuple):
    """A part of a line in one style (of a page, or `here`, `lit`, `right`), and what a click on it does."""
    text: str
    style: str = ""
    act: Act | None = None


Line = list[Piece]


class Paged(NamedTuple):
    """What stands in place of a sheet: a title, and below it lines; or what they are drawn from, one each."""
    title: Line
    rest: Sequence[Any]
    drawn: Callable[[Any], Line] = list


def screen(player: Player) -> list[Line]:
    """All lines of the screen."""
    bodies: dict[str, Callable[[Player], Paged]] = {
        HELP: help_lines, EXPLAIN: explanation, TERMS: term_lines, JUMP: offer_lines}
    room = player.height - HEAD - FOOT
    body = part_shown(player, bodies[player.mode](player)) if player.mode in bodies else sheet_lines(player)
    body = [*body[:room], *[[] for _ in range(room - len(body))]]
    title, rule = heading(player)
    return [title, strip(player), rule, *body, *said_lines(player), keys_line(player)]


def part_shown(player: Player, paged: Paged) -> list[Line]:
    """As many lines as have room, the only ones that are drawn."""
    most = max(player.height - HEAD - FOOT - 1, 1)
    player.parts = max(-(-len(paged.rest) // most), 1)
    player.part = min(player.part, player.parts - 1)
    count = [Piece(f"  {player.part + 1}/{player.parts}", "grey")] if player.parts > 1 else []
    return [[*paged.title, *count], *map(paged.drawn, paged.rest[player.part * most:(player.part + 1) * most])]


# Text that fits.
def fitting(page: Page, room: int, *texts: Text) -> str:
    """The first of some texts that has room; else as much of the last as there is."""
    *_, last = (one for text in texts for one in ways_to_write(page, text))
    return with_room(page, room, *texts) or cut(last, room, page)


def with_room(page: Page, room: int, *texts: Text) -> str | None:
    """The first of some texts that has room, in all languages or in the first."""
    ways = (one for text in texts for one in ways_to_write(page, text))
    return next((one for one in ways if page.cells(one) <= room), None)


def ways_to_write(page: Page, text: Text) -> Iterator[str]:
    for one in (page.line(text), *(first for first, in versions(page.languages, text)[:1])):
        yield " ".join(page.word(page.prose(one)).split())


def cut(text: str, room: int, page: Page) -> str:
    """As much of a text without numbers as has room."""
    if page.cells(text) <= room:
        return text
    while text and page.cells(text) > room - 2:
        text = text[:-1]
    return f"{text}.."[:room]


def cells(line: Iterable[Piece], page: Page) -> int:
    return sum(page.cells(piece.text) for piece in line)


def paragraph(text: str, page: Page, indent: int = INDENT) -> list[str]:
    """A text in lines; a word that is too long for one is broken."""
    words = [part for word in words_of(text) for part in page.wrapped_anywhere(word, indent)]
    return page.wrapped(words, indent)


# Above and below the sheet.
def heading(player: Player) -> tuple[Line, Line]:
    """The place, the title of the stage, and how far it is in the run; then a rule, which has the title where this has
    no room behind the place: many places have stages of the same title."""
    page, stage = player.page, player.stage
    count, rule = f"{stage.number}/{len(player.course.stages)}", page.sign("─", "-")
    room = page.width - len(count) - 2
    place = stage.steps[0].place
    of_training = Address.of(place).phase in ("gradient", "update")  # which the title says, too
    places = [place_title(one) for one in (place, *([Address.of(place).forward] if of_training else []))]
    text, below = with_room(page, room, *(Joined(": ", [one, stage.title]) for one in places)), list[Piece]()
    if text is None:
        text = fitting(page, room, *places)
        below = [Piece(f"{rule} ", "grey"), Piece(fitting(page, page.width - 4, stage.title), "bold"), Piece(" ")]
    return ([Piece(text, "bold"), Piece(" " * (page.width - page.cells(text) - len(count))), Piece(count, "grey")],
            [*below, Piece(rule * (page.width - cells(below, page)), "grey")])


def strip(player: Player) -> Line:
    """The stages by the symbols of their steps, the one that is shown in brackets, and as many around it as fit."""
    page, stages = player.page, player.course.stages
    arrow, dots = page.sign(" ▸ ", " > "), page.dots

    def stage_pieces(n: int) -> Line:
        pieces: Line = []
        for step in stages[n].steps:
            name, here = page.symbol(step.symbol, step.symbol.head), step.address == player.place.address
            if pieces:
                pieces.append(Piece(" "))
            pieces.append(Piece(f"[{name}]" if here else name, "here" if here else "", ("step", step.address)))
        return pieces

    here = player.stage.number - 1
    line, low, high = around_here(stage_pieces(here), page), here, here
    grows = True
    while grows:
        grows = False
        for n, on_the_left in ((high + 1, False), (low - 1, True)):
            more = stage_pieces(n) if 0 <= n < len(stages) else None
            if more and cells([*line, *more], page) + page.cells(arrow + 2 * (arrow + dots)) <= page.width:
                line = [*more, Piece(arrow, "grey"), *line] if on_the_left else [*line, Piece(arrow, "grey"), *more]
                low, high, grows = min(low, n), max(high, n), True
    if low > 0:
        line = [Piece(dots + arrow, "grey"), *line]
    return line if high == len(stages) - 1 else [*line, Piece(arrow + dots, "grey")]


def around_here(pieces: Line, page: Page) -> Line:
    """The steps of a stage; where they have no room, those around the one that is shown."""
    room = page.width - 2 * page.cells(f" > {page.dots}") - 2
    at = next(n for n, piece in enumerate(pieces) if piece.style == "here")
    low, high = at, at + 1
    while (low, high) != (0, len(pieces)):
        wider = max(low - 1, 0), min(high + 1, len(pieces))
        if cells(pieces[slice(*wider)], page) > room:
            break
        low, high = wider
    return pieces[low:high]


def said_lines(player: Player) -> list[Line]:
    """Two lines: what was said last; or what is typed, or the operands of a number."""
    page, said = player.page, player.said
    if said.text:
        text = page.prose(page.line(said.text))
        lines = paragraph(page.word(" ".join(text.split())), page, 2)
        if len(lines) > 2:
            lines = paragraph(page.word(page.prose(render(said.text, page.languages[0]))), page, 2)
        if len(lines) > 2:
            lines = [lines[0], cut(" ".join(lines[1:]), page.width - 2, page)]
        style = "" if said.right is None else "right" if said.right else "red"
        sign = {None: " ", True: page.sign("✓", "+"), False: page.sign("✗", "x")}[said.right] + " "
        out = [[Piece(f"{'  ' if n else sign}{line}", style)] for n, line in enumerate(lines)]
    elif player.mode in (HELP, EXPLAIN):
        out = []
    elif player.mode == JUMP:
        out = [[Piece("/", "bold"), Piece(f"{cut(page.word(player.typed), page.width - 3, page)}_", "here")]]
    elif player.is_known:
        out = operand_lines(player)
    else:
        asked = fitting(page, page.width - 25, Message("play.your_prediction"))
        out = [[Piece(f"{asked} "), Piece(f"{player.typed[-20:]}_", "here")]]
    return [*out[:2], *[[] for _ in range(2 - len(out))]]


def operand_lines(player: Player) -> list[Line]:
    """The operands with the largest contributions, behind the keys that follow them."""
    page, lines = player.page, list[Line]([[]])
    figures = player.course.line(player.place).figures_of
    for n, ref in enumerate(player.course.operands(player.place)[:9]):
        text = f"{n + 1} {player.name_of(ref)} = {figures[ref.tensor].text(float(ref.tensor.value[ref.index]))}"
        if lines[-1] and cells(lines[-1], page) + page.cells(GAP + text) > page.width:
            if len(lines) == 2:
                break
            lines.append([])
        if page.cells(text) <= page.width:
            lines[-1] += [Piece(GAP if lines[-1] else ""), Piece(text, "", ("ref", ref))]
    return lines


def keys_line(player: Player) -> Line:
    """The keys that mean something here, as many as have room; each can be clicked."""
    page, mode = player.page, player.mode
    if mode == JUMP:
        return [Piece(fitting(page, page.width, Message("play.keys_jump"), Message("play.keys_jump_short")), "grey")]
    own = {HELP: ("sheet", "quit"), EXPLAIN: ("sheet", "quit"),
           TERMS: ("enter", "follow", "sheet", "terms", *HELD)}.get(mode)
    ignored = {"predict", "row", "all", "enter"} if player.is_known else {"follow", "back"}
    if not player.trail:
        ignored.add("back")
    if mode == TERMS and player.parts == 1:
        ignored.add("sheet")
    names = [name for name in own or KEYS if name not in ignored]
    texts = {name: page.prose(render(Message(f"play.key.{name}"), page.languages[0])) for name in names}
    room = page.width - sum(page.cells(texts[name]) + 2 for name in HELD if name in texts)
    line: Line = []
    for name in names:
        if name in HELD or cells(line, page) + page.cells(texts[name]) + 2 <= room:
            act = ("key", PRESSED[name]) if name in PRESSED else None
            line += [Piece("  " if line else ""), Piece(texts[name], "grey", act)]
    return line


# The sheet.
def sheet_lines(player: Player) -> list[Line]:
    """The equation, its matrices, the arithmetic of the number that is lit."""
    page = player.page
    sheet = sheet_of(player.course, player.place, page, player.height)
    read = read_by(player.course, player.place)
    lines = [line for band in sheet.bands for line in band_lines(band, player, read)]
    arithmetic = player.arithmetic()
    more = len(arithmetic) - sheet.room
    if more > 0:
        note = fitting(page, page.width - INDENT, Message("play.more_lines", count=more + 1))
        kept = arithmetic[:sheet.room - 1]
        arithmetic = [*kept[:-1], note, arithmetic[-1] if page.cells(arithmetic[-1]) < 40 else end_of(player)]
    style = "bold" if player.is_known else ""
    return [title_line(player, sheet), *lines, [],
            *([Piece(" " * INDENT + line, style)] for line in arithmetic)]


def band_lines(band: Band, player: Player, read: set[CellOf]) -> list[Line]:
    """Matrices side by side, with the signs between them beside the middle of their rows."""
    page, height = player.page, height_of(band)
    middle = ABOVE + (min(len(item.rows) for item in band if isinstance(item, Cut)) - 1) // 2
    lines: list[Line] = [[Piece(" " * INDENT)] for _ in range(height)]
    for item in band:
        sign: list[Line] = [[] for _ in range(middle)]
        block = [*sign, [Piece(item)]] if isinstance(item, str) else box(item, player, read)
        wide = max(cells(line, page) for line in block)
        for y, line in enumerate(lines):
            own = block[y] if y < len(block) else []
            line += [*own, Piece(" " * (wide - cells(own, page)))]
    return lines


def end_of(player: Player) -> str:
    return player.result() or "= ?"


def title_line(player: Player, sheet: Sheet) -> Line:
    """The formula; which rows and columns these are, of how many sheets; the address, where it has room."""
    page, board = player.page, player.course.board(player.place.address)
    formula = board.formula
    parts: list[Text] = []
    if sheet.total > 1:
        rows, columns = sheet.rows[sheet.row], sheet.columns[sheet.column]
        parts = [*part_of("rows", rows.start, rows.stop, board.rows),
                 *part_of("columns", columns.start, columns.stop, board.columns),
                 Message("play.sheet", number=sheet.number + 1, count=sheet.total)]
    part = GAP + fitting(page, page.width // 2, Joined(" · ", parts), parts[-1]) if parts else ""
    texts = [page.formula(formula), f"{page.symbol(formula.left, formula.head)} = {page.dots}"]
    room = page.width - page.cells(part)
    text = next((one for one in texts if page.cells(one) <= room), texts[-1])
    left = page.width - page.cells(text + part) - 2
    address = board.step.address if page.cells(board.step.address) <= left else player.course.end_of(
        board.step.address)
    address = address if page.cells(address) <= left else ""
    return [Piece(text, "bold"), Piece(part, "grey"), Piece(" " * (left + 2 - page.cells(address))),
            Piece(address, "grey")]


def box(drawn: Cut, player: Player, read: set[CellOf]) -> list[Line]:
    """A matrix: its name, the words above its columns, its rows in brackets, of which those that count are lit."""
    page, matrix, grid = player.page, drawn.matrix, drawn.matrix.grid
    board = matrix if isinstance(matrix, Board) else None
    own, names, words = widths(matrix, page), column_words(matrix, page), row_words(matrix, page)
    indent = words_width(matrix, page)
    factor = page.factor(grid.figures)
    is_lit = {} if board else {at: True for at, source in matrix.sources.items() if source in read}
    rows_lit = {player.place.row} if board else {y for y, _ in is_lit}
    columns_lit = {player.place.column} if board else {x for _, x in is_lit}
    title = [Piece(" " * indent), Piece(title_of(matrix, page), "bold")]
    head: Line = [Piece(" " * (indent + 1))]
    for x in drawn.columns:
        style = "lit" if x in columns_lit else hue_at(grid.column_hues, x, "grey")
        head += [Piece(" "), Piece(page.right(names[x], own[x]), style)]
    lines = [title, head]
    for n, y in enumerate(drawn.rows):
        opening, closing = brackets(n, len(drawn.rows), page)
        line = [Piece(page.padded(words[y], max(indent - 1, 0)), "lit" if y in rows_lit else hue_at(grid.row_hues, y)),
                Piece(" " if indent else ""), Piece(opening)]
        gap = " "
        for x in drawn.columns:
            here = board is not None and (y, x) == player.place[1:]
            line.append(Piece("[" if here else gap, "here" if here or gap == "]" else ""))
            gap = "]" if here else " "
            text, act = cell_of(matrix, y, x, player)
            in_line = y in rows_lit or x in columns_lit if board else is_lit.get((y, x), False)
            line.append(Piece(page.right(text, own[x]), "here" if here else "lit" if in_line else "", act))
        line += [Piece(gap, "here" if gap == "]" else ""), Piece(closing)]
        if factor and n == (len(drawn.rows) - 1) // 2:
            line.append(Piece(factor))
        lines.append(line)
    return lines


def cell_of(matrix: Any, y: int, x: int, player: Player) -> tuple[str, Act | None]:
    """What stands for a number, and what a click on it does."""
    figures, number = matrix.grid.figures, float(matrix.grid.values[y, x])
    if isinstance(matrix, Board):
        return figures.padded(number) if player.is_shown(y, x) else hidden(figures.width, figures.after), (
            "cell", (y, x))
    source = matrix.sources.get((y, x))
    return figures.padded(number), ("ref", Ref(*source)) if source else None


def hidden(width: int, after: int) -> str:
    """`?` where a number would have the digit before its point."""
    return ("?" + " " * min(after, max(width - 1, 0))).rjust(width)


def brackets(n: int, count: int, page: Page) -> tuple[str, str]:
    place = "row" if count == 1 else "top" if not n else "bottom" if n == count - 1 else "middle"
    opening, closing = ASCII_BRACKETS.get(place, ("| ", " |")) if page.ascii else BRACKETS[place]
    return opening[:1], closing[-1:]


# What stands in its place.
def term_lines(player: Player) -> Paged:
    """One term a line: its part of the whole, what it is, and its value once the result is known."""
    page = player.page
    terms = player.terms()
    title = fitting(page, page.width - 10, Message("play.terms", cell=player.name()))
    figures = player.course.line(player.place).figures
    widest = max(page.cells(term.text) for term in terms)
    room = page.width - INDENT - BAR - 10 - figures.width - 4
    lines: list[Line] = []
    numbers = {(ref.tensor, ref.index): n + 1 for n, ref in enumerate(player.course.operands(player.place)[:9])}
    for term in terms:
        share = f"{100 * term.share:4.0f} % " if player.is_known else "   ? % "  # of a softmax it is the result
        filled = round(BAR * term.share) if player.is_known else 0
        bar = page.sign(BARS[-1], "#") * filled + " " * (BAR - filled)
        value = f" = {figures.text(term.value)}" if player.is_known else ""
        keys = ((ref.tensor, ref.index) for ref in term.operands)
        follow = " ".join(str(numbers[key]) for key in keys if key in numbers)
        own = paragraph(term.text, page, page.width - room) if page.cells(term.text) > room else [term.text]
        line = [Piece(share), Piece(f"{bar} "), Piece(page.padded(own[0], min(widest, room))), Piece(value)]
        if player.is_known and cells(line, page) + 2 + len(follow) <= page.width:
            line += [Piece("  "), Piece(follow, "grey")]
        lines += [line, *([Piece(" " * (len(share) + BAR + 1) + more)] for more in own[1:])]
    return Paged([Piece(title, "bold")], [*lines, [Piece(f"  {player.name()} {end_of(player)}", "bold")]])


def explanation(player: Player) -> Paged:
    """What the step is and why it is there, in as many parts as it needs."""
    page, topic = player.page, player.topic()
    if topic is None:
        return Paged([Piece(fitting(page, page.width, Message("play.no_explanation")))], [])
    title = fitting(page, page.width - 8, Message(f"explain.{topic}.title"))
    texts = [page.text(Message(f"explain.{topic}.short")), page.text(Message(f"more.{topic}"))]
    paragraphs = chain.from_iterable(text.split("\n\n" if "\n\n" in text else "\n") for text in texts)
    lines = [[Piece("  " + line)] for one in filter(str.strip, paragraphs)
             for line in paragraph(page.prose(" ".join(one.split())), page)]
    return Paged([Piece(title, "bold")], lines)


def help_lines(player: Player) -> Paged:
    page = player.page
    lines = [[Piece(("    " if n else "  ") + line)] for name in KEYS
             for n, line in enumerate(paragraph(page.prose(page.line(Message(f"play.help.{name}"))), page, 4))]
    return Paged([Piece(fitting(page, page.width, Message("play.keys")), "bold")], lines)


def offer_lines(player: Player) -> Paged:
    """The addresses that fit what was typed."""
    page = player.page
    title = fitting(page, page.width - 8, Message("play.jump"))
    first = [Piece(title, "bold")]
    if player.said.text:  # which stands where it is typed
        first.append(Piece(cut(f" /{page.word(player.typed)}", page.width - page.cells(title) - 8, page)))
    return Paged(first, player.offers(), lambda one: [
        Piece(cut(f"  {page.word(one)}", page.width, page), "", ("offer", one))])
