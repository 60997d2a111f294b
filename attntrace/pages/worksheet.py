"""Worksheets as pages: the sheet, its key, the marks of a class."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from attntrace.messages.catalog import Joined, Message, Text
from attntrace.messages.unicode import shown
from attntrace.pages.answer import sentence_of
from attntrace.pages.blocks import Block, Cell, CellLines, Heading, Prose, Result, Table, Title
from attntrace.pages.numbers import Figures
from attntrace.pages.overview import pencil_rule
from attntrace.pages.view import whole_formula
from attntrace.pages.why import Why
from attntrace.runs.marking import MARKED, RIGHT, VERDICTS, WRONG, Mark, Number, slip_counts
from attntrace.runs.slips import SLIPS, Slip
from attntrace.runs.worksheet import FORWARD, INVERSE, LOOK, SLIP, Blank, Sheet, verified
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.addresses import Address, cell_name
from attntrace.tracing.trace import Step

LINE = "________"  # where an answer goes
HIDDEN = "?"  # a number that no blank needs
NAMED = 3  # slips of an answer that are written out
BY_ID = {slip.id: slip for slip in SLIPS}


class Marks(NamedTuple):
    """The marks of a student, with the name as it is shown."""
    student: str
    sheet: Sheet
    marks: Sequence[Mark]

    @property
    def points(self) -> int:
        return sum(mark.verdict in MARKED for mark in self.marks)


def numbered(sheet: Sheet) -> dict[str, int]:
    return {blank.id: n for n, blank in enumerate(sheet.blanks, start=1)}


def sheet_blocks(sheet: Sheet, student: str) -> Iterator[Block]:
    """A sheet: what is asked, the numbers, and the table for the answers."""
    yield title("worksheet", sheet, student)
    yield Prose(Message("messages.sheet_rule", count=len(sheet.blanks)))
    asked = [Prose(question(blank, n, sheet)) for n, blank in enumerate(sheet.blanks, start=1)
             if blank.kind in (INVERSE, LOOK)]
    yield from numbers_of(sheet, asked)
    yield Heading(Message("messages.sheet_answers"), apart=True)
    rows: list[tuple[Cell, ...]] = [("student", "", student)]
    rows += [(blank, f"[{n}]", LINE) for blank, n in numbered(sheet).items()]
    yield Table(("id", "", Message("messages.sheet_answer")), tuple(rows), addresses=True)


def quiz_blocks(sheet: Sheet) -> Iterator[Block]:
    """A sheet whose blanks are asked after it."""
    yield title("quiz", sheet, "")
    yield Prose(Message("messages.quiz_rule", count=len(sheet.blanks)))
    yield from numbers_of(sheet)


def numbers_of(sheet: Sheet, asked: Sequence[Block] = ()) -> Iterator[Block]:
    """How a sheet is computed, what is asked, and its numbers."""
    config = sheet.run.config
    yield from pencil_rule(sheet.run)
    roots = {"√d_k": config.key_size**0.5, "√d_model": config.d_model**0.5, "d_model": config.d_model}
    values = ", ".join(f"{name} = {value:g}" for name, value in roots.items())
    yield Prose(Message("messages.sheet_values", values=f"{values}, ε = {config.epsilon:g}"))
    if asked:
        yield Heading(Message("messages.sheet_questions"), apart=True)
        yield from asked
    yield Heading(Message("messages.sheet_parameters"), apart=True)
    yield from parameters(sheet)
    yield Heading(Message("messages.sheet_steps"), apart=True)
    for step in sheet.steps.values():
        yield from table_of(step.tensor, sheet, step)
    for n, blank in enumerate(sheet.blanks, start=1):
        if blank.kind == SLIP:
            yield Heading(Message("messages.sheet_slip"), apart=True)
            yield Prose(question(blank, n, sheet))
            for address, step in sheet.mistaken.items():  # under the right formula
                yield from table_of(step.tensor, sheet._replace(blanks=(), hidden=frozenset()), sheet.steps[address])


def title(key: str, sheet: Sheet, student: str) -> Title:
    return Title(Message(f"messages.title_{key}", student=shown(student), sentence=sentence_of(sheet.run.source)),
                 has_result=False)


def question(blank: Blank, n: int, sheet: Sheet) -> Text:
    """What is asked of a blank, where it is not just its number."""
    facts: dict[str, object] = {"n": n, "place": blank.id}
    if blank.kind == INVERSE:
        assert blank.shown_by is not None
        facts |= {"shown_by": cell_name(*blank.shown_by)}
    elif blank.kind == LOOK:
        step = sheet.steps[blank.address]
        labels = step.axes[0].labels
        facts |= {"word": shown(labels[blank.at[0]]) if labels else str(blank.at[0] + 1)}
    elif blank.kind == SLIP:
        words = sheet.run.source.texts
        facts |= {"first": shown(words[1]), "second": shown(words[0])}
    return Message(f"messages.blank_{blank.kind}", **facts)


def parameters(sheet: Sheet) -> Iterator[Block]:
    """All parameters; those whose numbers are all the same in a line."""
    alike: dict[float, list[str]] = {}
    for name, tensor in sheet.run.parameters.by_name.items():
        if len(tensor.axes) == 1 and (tensor.value == tensor.value[0]).all():
            alike.setdefault(float(tensor.value[0]), []).append(name)
        else:
            yield from table_of(tensor, sheet)
    for number, names in alike.items():
        yield Prose(Message("messages.sheet_alike", number=f"{number:g}", names=", ".join(names)), apart=True)


def table_of(tensor: Tensor, sheet: Sheet, step: Step | None = None) -> Iterator[Block]:
    """A tensor as a table: of what is hidden, the numbers of the blanks."""
    address, axes = tensor.address or "", tensor.axes
    numbers, figures = numbered(sheet), Figures.of(tensor.value, sheet.decimals, exact=True)
    value = tensor.value if len(axes) == 2 else tensor.value[:, None] if axes and axes[0].name in (
        "token", "key") else tensor.value.reshape(1, -1)

    def cell(row: int, column: int) -> str:
        index = (row, column) if len(axes) == 2 else (max(row, column),) if axes else ()
        if (address, index) not in sheet.hidden:
            return figures.digits(float(value[row, column]))
        n = numbers.get(cell_name(*sheet.copies.get((address, index), (address, index))))
        return HIDDEN if n is None else f"[{n}]"

    def labels(k: int, size: int) -> list[str]:
        words = axes[k].labels if k < len(axes) and axes[k].size == size else None
        return [shown(word) for word in words] if words else [str(n + 1) for n in range(size)]

    rows, columns = value.shape
    head = labels(len(axes) - 1, columns) if len(axes) == 2 or rows == 1 else [""]
    side = labels(0, rows) if len(axes) == 2 or columns == 1 and rows > 1 else [""]
    lines: tuple[tuple[Cell, ...], ...] = tuple(
        (side[row], *(cell(row, column) for column in range(columns))) for row in range(rows))
    if step is not None:  # its formula is the heading of all columns
        lines = ((whole_formula(step), *[""] * columns), *[("", *head)] * any(head), *lines)
        head = [""] * columns
    yield Table(("", *head), lines, right=tuple(range(1, columns + 1)), title=address, apart=True)


def key_blocks(sheet: Sheet, student: str) -> Iterator[Block]:
    """The key of a sheet: every answer, with its arithmetic; and that all were computed again by other means."""
    yield title("worksheet_key", sheet, student)
    why = Why(sheet.steps.get, sheet.decimals)
    rows: list[tuple[Cell, ...]] = []
    lines = []
    for blank, n in numbered(sheet).items():
        one = sheet.by_id[blank]
        rows.append((blank, f"[{n}]", answer_text(one, sheet)))
        cell = (one.address, one.at) if one.kind == FORWARD else one.shown_by
        known = why.known(cell[0]) if cell is not None else None
        if known is not None and cell is not None:
            lines.append(known.line(cell[1]))
    yield Table(("id", "", Message("messages.sheet_answer")), tuple(rows), addresses=True)
    if sheet.slip is not None:
        begins = Message("messages.check_begins", address=sheet.blanks[-1].answer)
        yield Prose(Joined(" ", [Message("messages.check_slip"), sheet.slip.message, begins]), apart=True)
    if lines:
        yield Heading(Message("messages.sheet_arithmetic"), apart=True)
        yield CellLines(tuple(lines), ("",))
    numbers, wrong = verified(sheet.run)
    assert not wrong, wrong  # a bug
    yield Prose(Message("messages.sheet_verified", numbers=numbers), apart=True)


def answer_text(blank: Blank, sheet: Sheet) -> str:
    """An answer as one writes it."""
    if isinstance(blank.answer, str):  # the shortest end that only one of the tensors has
        parts = Address.of(blank.answer).parts
        ends = (".".join(parts[n:]) for n in range(len(parts) - 1, 0, -1))
        return next((end for end in ends if sum(f".{one}".endswith(f".{end}") for one in sheet.mistaken) == 1),
                    blank.answer)
    if blank.kind == LOOK:
        labels = sheet.steps[blank.address].axes[-1].labels
        place = int(blank.answer)
        return f"{place}:{shown(labels[place - 1])}" if labels else str(place)
    return number_text(blank.answer, sheet)


def number_text(number: float, sheet: Sheet) -> str:
    return Figures.of(np.array([number]), sheet.decimals, exact=True).digits(number)


def due_text(mark: Mark, sheet: Sheet) -> str:
    """What follows from the student's own numbers."""
    if mark.due is None:
        return ""
    return answer_text(mark.blank._replace(answer=mark.due), sheet)


def verdict_of(mark: Mark, sheet: Sheet) -> Iterator[Text]:
    """What is said of an answer: the verdict, and the slips that give it."""
    due = due_text(mark, sheet)
    if mark.verdict == WRONG and mark.blank.kind in (FORWARD, INVERSE) and Number.read(mark.answer) is None:
        yield Message("messages.mark_no_number")
        return
    yield Message(f"messages.mark_{mark.verdict}{'_due' if due else ''}", due=due)
    if mark.slips:
        yield Joined(" / ", slip_sentences(mark.slips))


def slip_sentences(slips: Sequence[Slip]) -> Iterator[Text]:
    yield from (slip.message for slip in slips[:NAMED])
    if len(slips) > NAMED:
        yield Message("messages.mark_more", count=len(slips) - NAMED)


def marks_blocks(of: str, every: Sequence[Marks], absent: Sequence[str]) -> Iterator[Block]:
    """The marks of a class: a line for each student, which slips how often, and what is not right of each."""
    yield Title(Message("messages.title_mark", file=of))
    yield Result((Table(("", Message("messages.mark_points"), *(Message(f"messages.marks_{one}") for one in VERDICTS)),
                        tuple((shown(one.student), f"{one.points}/{len(one.marks)}", *(
                            str(sum(mark.verdict == verdict for mark in one.marks)) for verdict in VERDICTS))
                              for one in every), right=tuple(range(1, len(VERDICTS) + 2)), words=(0,)),),
                 is_short=False)
    if absent:
        yield Prose(Message("messages.mark_absent", students=", ".join(absent)))
    counts = slip_counts([one.marks for one in every])
    if counts:
        yield Heading(Message("messages.mark_slips"), apart=True)
        yield Table((Message("messages.mark_students"), Message("messages.mark_answers"), ""), tuple(
            (str(students), str(answers), Joined(" / ", slip_sentences([BY_ID[id] for id in ids.split("\n")])))
            for ids, (students, answers) in counts.items()), right=(0, 1))
    for one in every:
        wrong = [mark for mark in one.marks if mark.verdict != RIGHT]
        if wrong:
            yield Heading(shown(one.student), apart=True)
            yield Table(("id", Message("messages.sheet_answer"), Message("messages.check_right"), ""), tuple(
                (mark.blank.id, shown(mark.answer), answer_text(mark.blank, one.sheet),
                 Joined(" ", verdict_of(mark, one.sheet))) for mark in wrong), words=(1,), addresses=True)


def one_mark(mark: Mark, sheet: Sheet) -> Iterator[Block]:
    """What a quiz says of an answer; the arithmetic, where it is not right."""
    texts = list(verdict_of(mark, sheet))
    if mark.verdict not in MARKED:
        texts.insert(1, Message("messages.mark_key", key=answer_text(mark.blank, sheet)))
    yield Prose(Joined(" ", texts))
    cell = (mark.blank.address, mark.blank.at) if mark.blank.kind == FORWARD else mark.blank.shown_by
    if mark.verdict not in MARKED and cell is not None:
        known = Why(sheet.steps.get, sheet.decimals).known(cell[0])
        assert known is not None
        yield CellLines((known.line(cell[1]),), ("",), apart=False)
