"""The player without a terminal: where it is, what was revealed, what a key does."""
import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from os.path import commonprefix
from typing import Any, NamedTuple

import numpy as np

from attntrace.messages.catalog import Joined, Message, Text
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.pages.stages import Stage
from attntrace.pages.topics import topic_in
from attntrace.pages.why import called
from attntrace.player.course import Course, Place, position
from attntrace.player.sheets import cell_lines, sheet_of, terms_of, text_of
from attntrace.player.slips import Slip, slips_in
from attntrace.tensor.expression import Ref
from attntrace.tensor.printer import PRINTERS
from attntrace.tensor.tensor import Array, Tensor, apply
from attntrace.tracing.addresses import Address, address_in, cell_name
from attntrace.writers.page import Page

SHEET, JUMP, HELP, EXPLAIN, TERMS = "sheet", "jump", "help", "explain", "terms"  # what is on the screen
DIGITS, SOME_DIGITS = r"(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", r"(?:\d*\.?\d*|\d+\.?\d*e[-+]?\d*)"
NUMBER = re.compile(rf"[-+]?{DIGITS}(?:%|/[-+]?{DIGITS})?|[-+]?inf", re.I)
BEGUN = re.compile(rf"[-+]?(?:{SOME_DIGITS}|{DIGITS}(?:%|/[-+]?{SOME_DIGITS})|i|in|inf)", re.I)  # of a number
MISTYPED = re.compile(r"space|(?!\?)[\W\d_]")  # among its digits: ignored, where other keys end it
SAME_SIGNS = {",": ".", "−": "-"}
# Letters as they are typed with a Korean keyboard on.
HANGUL_KEYS = {"ㅜ": "n", "ㅔ": "p", "ㄱ": "r", "ㄲ": "R", "ㅋ": "z", "ㄷ": "e", "ㅐ": "o", "ㅂ": "q", "ㅠ": "pageup"}
SAME_KEYS = {"tab": "space", "pagedown": "space", "shift+tab": "pageup", "b": "pageup", "question_mark": "?",
             "slash": "/", "return": "enter"}
ARROWS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
NEAR, NEAR_SHARE = 10, 0.05  # units and part of a result by which one that was rounded on the way may be off
OFFERED = 100  # words that fit what was typed, and other places that a prediction may have been meant for


class Said(NamedTuple):
    """What is said below the sheet; `right`: whether it is about a prediction, and that was right."""
    text: Text = ""
    right: bool | None = None


class Player:
    """Where a class is in a run. `press` takes a key by its name or sign and answers whether it ends the player.

    page, height: the screen, which may change at any time. write_page: writes the HTML page of a step and returns the
    name of its file."""

    def __init__(self, course: Course, page: Page, height: int, write_page: Callable[[str], str]) -> None:
        self.course, self.page, self.height, self.write_page = course, page, height, write_page
        self.place = Place(course.addresses[0], 0, 0)
        self.revealed: dict[str, Array] = {}
        self.trail: list[Place] = []
        self.mode, self.part = SHEET, 0  # and which part of what has several
        self.parts = 1  # as many as were drawn
        self.typed = ""
        self.said = Said()
        self.keys: dict[str, Callable[[], object]] = {
            "enter": self.enter, "r": self.reveal_row, "R": self.reveal_all, "space": self.next_sheet,
            "pageup": self.last_sheet, "n": lambda: self.turn_stage(1), "p": lambda: self.turn_stage(-1),
            "backspace": self.back, "/": lambda: self.show(JUMP), "z": lambda: self.show(TERMS),
            "e": lambda: self.show(EXPLAIN), "?": lambda: self.show(HELP), "o": self.open_page,
            **{arrow: lambda by=by: self.move(*by) for arrow, by in ARROWS.items()}}  # type: ignore[misc]

    # What is shown.
    @property
    def stage(self) -> Stage:
        return self.course.stage_of[self.place.address]

    def is_shown(self, row: int, column: int) -> bool:
        """Whether a number of this step was revealed."""
        return bool(self.mask[row, column])

    @property
    def is_known(self) -> bool:
        return self.is_shown(self.place.row, self.place.column)

    @property
    def mask(self) -> Array:
        """Which numbers of this step were revealed."""
        return self.mask_of(self.place.address)

    def mask_of(self, address: str) -> Array:
        if address not in self.revealed:
            board = self.course.board(address)
            self.revealed[address] = np.zeros((board.rows, board.columns), bool)
        return self.revealed[address]

    def result(self) -> str | None:
        """`= 0.694`, where it was revealed."""
        return text_of(self.course, self.place, self.page).end if self.is_known else None

    def arithmetic(self) -> list[str]:
        return cell_lines(self.course, self.place, self.page, self.result())

    def name(self) -> str:
        """What the number is called in equations."""
        formula = self.course.line(self.place).formula
        return self.page.symbol(formula.left, formula.head)

    def name_of(self, ref: Ref) -> str:
        """The same of an operand."""
        tensor = ref.tensor
        assert isinstance(tensor, Tensor)
        if tensor.symbol is None:
            return called(ref)
        return self.page.symbol(tensor.symbol.at(ref.index, tensor.axis_names), self.course.board(
            self.place.address).formula.head)

    def topic(self) -> str | None:
        return topic_in(self.place.address, self.course.config)

    # Keys.
    def press(self, key: str) -> bool:
        """Do what a key means; return whether it ends the player."""
        if self.mode == JUMP:
            self.in_address(key)
            return False
        key = HANGUL_KEYS.get(key, SAME_KEYS.get(key, key))
        if self.in_number(key):
            return False
        if key == "q":
            return True
        if key == "escape" or self.mode in (HELP, EXPLAIN) and key not in ("space", "pageup", "o"):
            self.show(SHEET)
        elif key in self.keys:
            self.said = Said()
            self.keys[key]()
        elif key.isdecimal() and len(key) == 1 and key != "0":
            self.follow(int(key) - 1)
        return False

    def show(self, mode: str) -> None:
        """Show this, or the sheet again where it is shown."""
        self.mode, self.part, self.typed = SHEET if mode == self.mode else mode, 0, ""
        self.said = Said()

    def click(self, act: tuple[str, Any]) -> bool:
        """Do what stands under the mouse; return whether it ends the player."""
        kind, what = act
        if kind == "key":
            return self.press(what)
        self.typed, self.said = "", Said()
        if kind == "cell":
            again = self.place == self.place._replace(row=what[0], column=what[1])
            self.place = self.place._replace(row=what[0], column=what[1])
            if again:
                self.reveal()
        elif kind == "step":
            self.go(Place(what, 0, 0))
        elif kind == "ref":
            self.follow_ref(what)
        elif kind == "offer":
            self.typed = what
            self.in_address("enter")
        return False

    def in_number(self, key: str) -> bool:
        """Take a key into the prediction of a hidden number; return whether it is one of it."""
        if self.is_known or self.mode not in (SHEET, TERMS):
            return False
        if len(key) == 1:
            key = unicodedata.normalize("NFKC", key)
            key = SAME_SIGNS.get(key, key)
        if len(key) == 1 and BEGUN.fullmatch(self.typed + key) and (self.typed or not key.isalpha()):
            self.typed += key
            self.said = Said()
        elif self.typed and key == "backspace":
            self.typed = self.typed[:-1]
        elif self.typed and key == "enter":
            self.predict(self.typed)
        elif not (self.typed and MISTYPED.fullmatch(key)):
            was_typed, self.typed = bool(self.typed), ""
            return was_typed and key == "escape"
        return True

    def in_address(self, key: str) -> None:
        """Take a key into the address to jump to."""
        self.said = Said()
        if key == "escape":
            self.show(SHEET)
        elif key == "backspace":
            self.typed = self.typed[:-1]
        elif key == "tab":
            self.complete()
        elif key == "enter" and not self.typed.strip():
            self.show(SHEET)
        elif key == "enter":
            offers = self.offers()
            try:
                place = self.course.found(self.typed, suggests=not offers)
            except Problem as problem:
                listed = Message("play.several", pattern=shown(self.typed.strip()), count=len(offers))
                is_listed = offers and problem.key in ("several_tensors", "no_such_tensor")
                self.said = Said(listed if is_listed else problem.message, right=False)
                return
            self.trail.append(self.place)
            self.go(place)
        elif key in ("down", "pagedown"):
            self.part += 1
        elif key in ("up", "pageup"):
            self.part = max(self.part - 1, 0)
        elif key == "space":
            self.typed += " "
        elif len(key) == 1 or not key.isascii():
            self.typed += key

    def offers(self) -> list[str]:
        """Addresses that begin, or of which an end begins, with what was typed, and all that it may mean; behind `:`
        the words of an axis."""
        address, colon, rest = self.typed.strip().partition(":")
        _, row, meant = self.course.meant(address)
        if colon and len(meant) == 1:
            before, comma, begun = rest.rpartition(",")
            axes = self.course.steps[meant[0]].axes if meant[0] in self.course.steps else ()
            n = len(row) + before.count(",") + bool(comma)
            words = [position(axes[n].labels, i) for i in range(axes[n].size)] if n < len(axes) else []
            begins = begun.strip().lstrip('"')
            return [f"{address}:{before}{comma}{word}" for i, word in enumerate(words)
                    if word.startswith(begins) or begins == str(i + 1)][:OFFERED]
        positions = ",".join(filter(None, (*row, rest)))
        end = f":{positions}" if positions else ""
        for names in (self.course.of_steps, self.course.of_parameters):  # parameters where no step fits
            offered = names.begun_with(address)
            if len(meant) > 1 or not offered:
                offered = [*(one + end for one in meant if one in names.known),
                           *(one for one in offered if one != address)]
            if offered:
                return list(dict.fromkeys(offered))
        return []

    def complete(self) -> None:
        """Add what all addresses that fit have in common; the first of them where that is nothing more."""
        offers = self.offers()
        if offers:
            same, typed = commonprefix(offers), self.typed.strip()
            self.typed = same if same.startswith(typed) and len(same) > len(typed) else offers[0]

    # Moving.
    def go(self, place: Place) -> None:
        self.place, self.part, self.typed, self.said = place, 0, "", Said()
        if self.mode != TERMS:
            self.mode = SHEET

    def move(self, down: int, right: int) -> None:
        board = self.course.board(self.place.address)
        row = min(max(self.place.row + down, 0), board.rows - 1)
        column = min(max(self.place.column + right, 0), board.columns - 1)
        if (row, column) != self.place[1:]:
            self.go(Place(self.place.address, row, column))

    def next_sheet(self) -> None:
        """The next part of what is shown; of a sheet, the next one of the step, or the first one of the next step."""
        self.turn_sheet(1)

    def last_sheet(self) -> None:
        self.turn_sheet(-1)

    def turn_sheet(self, by: int) -> None:
        if self.mode != SHEET and 0 <= self.part + by < self.parts:
            self.part += by
            return
        if self.mode in (HELP, EXPLAIN):
            self.show(SHEET)
            return
        sheet = sheet_of(self.course, self.place, self.page, self.height)
        number = sheet.number + by
        if 0 <= number < sheet.total:
            row, column = divmod(number, len(sheet.columns))
            self.go(Place(self.place.address, sheet.rows[row].start, sheet.columns[column].start))
            return
        at = self.course.addresses.index(self.place.address) + by
        if 0 <= at < len(self.course.addresses):
            self.go(Place(self.course.addresses[at], 0, 0))
        else:
            self.said = Said(Message("play.last_step" if by > 0 else "play.first_step"))

    def turn_stage(self, by: int) -> None:
        at = self.stage.number - 1 + by
        if 0 <= at < len(self.course.stages):
            self.go(Place(self.course.stages[at].steps[0].address, 0, 0))
        else:
            self.said = Said(Message("play.last_step" if by > 0 else "play.first_step"))

    def follow(self, n: int) -> None:
        """Go to the operand with the n-th largest contribution (from 0)."""
        if not self.is_known:
            self.said = Said(Message("play.reveal_first"))
            return
        operands = self.course.operands(self.place)
        if n < len(operands):
            self.follow_ref(operands[n])

    def follow_ref(self, ref: Ref) -> None:
        """Go to a number of another step, which is known, as it was seen; or say that it is not computed."""
        address = called(ref)
        if address in self.course.steps:
            self.trail.append(self.place)
            self.go(self.course.place_of(address, ref.index))
            self.mask[self.place.row, self.place.column] = True
            return
        assert isinstance(ref.tensor, Tensor)
        number = self.course.line(self.place).figures_of[ref.tensor].text(float(ref.tensor.value[ref.index]))
        key = "messages.why_parameter" if address in self.course.parameters else "play.given"
        self.said = Said(Message(key, place=cell_name(address, ref.index), number=number))

    def back(self) -> None:
        if self.trail:
            self.go(self.trail.pop())
        else:
            self.said = Said(Message("play.no_way_back"))

    # Revealing.
    def enter(self) -> None:
        if self.is_known:
            self.next_hidden()
        else:
            self.reveal()

    def next_hidden(self) -> None:
        """Go to the next number of the step that was not revealed, if any."""
        hidden = ~self.mask.ravel()
        start = self.place.row * self.mask.shape[1] + self.place.column + 1
        order = np.roll(np.arange(hidden.size), -start)
        left = order[hidden[order]]
        if left.size:
            self.go(Place(self.place.address, *map(int, divmod(int(left[0]), self.mask.shape[1]))))
        else:
            self.said = Said(Message("play.all_revealed"))

    def reveal(self) -> None:
        self.mask[self.place.row, self.place.column] = True
        self.typed = ""

    def reveal_row(self) -> None:
        self.mask[self.place.row] = True

    def reveal_all(self) -> None:
        self.mask[:] = True

    def open_page(self) -> None:
        try:
            self.said = Said(Message("play.page_written", file=self.write_page(self.place.address)))
        except Problem as problem:
            self.said = Said(problem.message, right=False)

    # Predictions.
    def predict(self, typed: str) -> None:
        """Mark a prediction, and reveal the number where it is right."""
        self.typed = ""
        if not NUMBER.fullmatch(typed):
            self.said = Said(Message("play.no_number", typed=typed), right=False)
            return
        self.said = self.marked(typed)
        if self.said.right:
            self.reveal()

    def marked(self, typed: str) -> Said:
        line = self.course.line(self.place)
        unit, result, worked = line.figures.unit, line.result, self.worked()
        factors = dict.fromkeys((1.0, 10.0 ** line.figures.power))  # as it stands in the matrix, too
        readings = [Reading.of(typed, unit, factor) for factor in factors]
        if any(number == result or within(number, result, 0.5 * min(last, unit)) or within(number, worked, 0.51 * unit)
               for number, last, _ in readings):
            return Said(Message("play.right"), right=True)
        rounded = [one for one in readings if within(one.number, result, 0.5 * one.last)]
        if rounded:
            finest = min(rounded, key=lambda one: one.last)
            if finest.last < 11 * unit:  # all decimals but one
                return Said(Message("play.right_rounded"), right=True)
            return Said(Message("play.coarse", typed=typed, decimals=finest.decimals), right=False)
        said = next((message for slip, message in self.slips() if not within(slip.value, result, unit) and any(within(
            number, slip.value, 0.5 * min(last, max(NEAR * unit, NEAR_SHARE * abs(slip.value))) + 0.6 * unit)
            for number, last, _ in readings)), None)
        near = max(2 * unit, min(NEAR * unit, NEAR_SHARE * abs(result)))
        if said is None and any(within(one.number, result, near) for one in readings):
            said = Message("play.near")
        return Said(Joined(" ", [Message("play.wrong", typed=typed), said or Message("play.no_diagnosis")]),
                    right=False)

    def worked(self) -> float:
        """The result of the printed numbers, as somebody gets it who redoes the arithmetic."""
        line = self.course.line(self.place)
        read = line.rounding.number
        try:
            return float(line.arithmetic.value(lambda ref: read(float(self.written(ref))), line.rounding))
        except (ArithmeticError, ValueError):
            return math.nan

    def written(self, ref: Ref) -> str:
        return self.course.line(self.place).figures_of[ref.tensor].text(float(ref.tensor.value[ref.index]))

    def slips(self) -> list[tuple[Slip, Message]]:
        """What may have gone wrong, likely slips first: a sign, another place of the step, the rest."""
        line, printer = self.course.line(self.place), PRINTERS[self.page.spelling]
        first, *others = [(slip, slip.message(printer, self.written, line.formula.head))
                          for slip in slips_in(line.arithmetic, line.formula.right)]
        board = self.course.board(self.place.address)
        values, (row, column) = board.grid.values, self.place[1:]
        places = [(row, x) for x in range(board.columns) if x != column] + [
            (y, column) for y in range(board.rows) if y != row]
        if column < board.rows and row < board.columns and row != column:
            places.insert(0, (column, row))
        of_places = []
        for y, x in places[:OFFERED]:
            key = "swapped" if (y, x) == (column, row) else "row" if x == column else "column"
            where = ", ".join(self.course.words(self.place._replace(row=y, column=x)))
            of_places.append((Slip(float(values[y, x]), key), Message(f"play.slip.{key}", place=where)))
        return [first, *of_places, *self.slips_of_softmax(), *others]

    def slips_of_softmax(self) -> Iterator[tuple[Slip, Message]]:
        """Of attention: of scores that were not divided, or over a column."""
        step, place = self.course.steps[self.place.address], Address.of(self.place.address).place
        scores, scaled, masked = (self.course.steps.get(address_in(place, name)) for name in (
            "scores", "scaled_scores", "masked_scores"))
        if not step.is_attention or scores is None or scaled is None:
            return
        read, at = scores.tensor, self.place[1:]
        if masked is not None:
            read = apply(masked.node.op, read, *masked.node.operands[1:])
        line = self.course.line(self.place._replace(address=scaled.address))
        unscaled = Slip(float(apply(step.node.op, read).value[at]), "not_scaled", line.arithmetic.parts[1],
                        line.formula.right.parts[1])
        yield unscaled, unscaled.message(PRINTERS[self.page.spelling], self.written, line.formula.head)
        over_queries = apply(step.node.op, step.node.operands[0].T).T
        yield Slip(float(over_queries.value[at]), "softmax_axis"), Message("slips.softmax_axis")

    def terms(self) -> Any:
        return terms_of(self.course, self.place, self.page)


class Reading(NamedTuple):
    """A prediction as a number, what its last digit counts, and how many decimals the number has as it is printed."""
    number: float
    last: float
    decimals: int

    @classmethod
    def of(cls, typed: str, unit: float, factor: float) -> "Reading":
        """Read what was typed, in units of a factor; the last digit of a fraction counts a `unit`."""
        decimals = max(round(-math.log10(unit / factor)), 0)
        above, slash, below = typed.partition("/")
        if slash:
            return cls(factor * float(above) / (float(below) or math.nan), unit, decimals)
        number = typed.rstrip("%")
        mantissa, _, power = number.lower().partition("e")
        counts = factor * 0.01 if typed.endswith("%") else factor
        return cls(float(number) * counts, float(f"1e{power or 0}") * 10.0 ** -len(mantissa.partition(".")[2]) * counts,
                   decimals)


def within(one: float, other: float, distance: float) -> bool:
    apart = abs(one - other)
    return apart < math.inf and apart <= distance * (1 + 1e-9) + 1e-15
