"""attntrace mark: the answers of a class, marked."""
from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from attntrace.cli import click_words, options
from attntrace.cli.commands.worksheet import label
from attntrace.cli.formats import PageOptions, writer_of
from attntrace.cli.output import destination
from attntrace.cli.progress import bar
from attntrace.cli.values import InputFile
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import did_you_mean, nearest
from attntrace.messages.unicode import shown
from attntrace.writers import PAGES

if TYPE_CHECKING:
    from attntrace.files.answers import Answers, Pupil, Sheets
    from attntrace.pages.worksheet import Marks
    from attntrace.runs.worksheet import Sheet

FORMULA = tuple("=+-@|%")  # how a cell begins that a spreadsheet computes


@click_words.command("mark")
@click.argument("answers", type=InputFile())
@click_words.option("--sheets", type=InputFile(), metavar="FOLDER")
@options.quiet_option
@options.page_options_of(*PAGES, "csv")
def command(answers: str, sheets: str | None, page: PageOptions) -> None:
    from attntrace.files.answers import read_answers, read_sheets
    from attntrace.pages.worksheet import marks_blocks
    place, given = sheets_file(answers, sheets), read_answers(Path(answers))
    known = read_sheets(place)
    by_number: dict[int, Answers] = {}
    for one in given:
        pupil = known.pupils[0] if not one.named and len(known.pupils) == 1 else known.pupil(one.student, one.file)
        if pupil.number in by_number:
            raise Problem("answers_student_twice", file=one.file, student=label(known, pupil))
        by_number[pupil.number] = one
    with bar(True, lambda: len(by_number), 1.0, "attntrace {task.completed:.0f}/{task.total:.0f}", True) as show:
        every = []
        for pupil in known.pupils:
            if pupil.number in by_number:
                every.append(marked(known, pupil, by_number[pupil.number]))
                if show is not None:
                    show(len(every), "")
    if page.is_data:
        with destination(page.output, False) as out:
            write_csv(out, every)
        return
    absent = [label(known, pupil) for pupil in known.pupils if pupil.number not in by_number]
    with writer_of(page) as writer:
        writer(marks_blocks(shown(answers), every, absent))


def sheets_file(answers: str, sheets: str | None) -> Path:
    """The file that says which sheets a class was given: that of --sheets, or the one beside the answers."""
    from attntrace.files.answers import SHEETS
    place = Path(answers if sheets is None else sheets)
    file = place / SHEETS if place.is_dir() else place if sheets is not None else place.parent / SHEETS
    if sheets is None and not file.exists():
        if not place.exists():
            raise Problem("weights_missing", file=answers)
        raise Problem("mark_no_sheets", file=shown(answers))
    return file


@functools.cache
def sheet_for(sheets: Sheets, pupil: Pupil) -> Sheet:
    from attntrace.runs.worksheet import sheet_of
    return sheet_of(pupil.sentence, pupil.target, sheets.config, pupil.seed, sheets.pencil, sheets.blank)


def marked(sheets: Sheets, pupil: Pupil, given: Answers) -> Marks:
    """The marks of a student. Raises Problem for an answer to what is not asked."""
    from attntrace.pages.worksheet import Marks
    from attntrace.runs.marking import marks_of
    sheet, student = sheet_for(sheets, pupil), label(sheets, pupil)
    answers: dict[str, str] = {}
    for name, answer in given.answers.items():
        end, _, number = name.partition(" ")
        fitting = [blank.id for n, blank in enumerate(sheet.blanks, start=1) if number in ("", f"[{n}]") and (
            blank.id == end or blank.id.endswith(f".{end}"))]
        fitting = [one for one in fitting if one == end] or fitting
        if len(fitting) != 1 or fitting[0] in answers:
            raise Problem("answers_id", file=given.file, name=shown(name), student=student,
                          near=did_you_mean(nearest(name, sheet.by_id)))
        answers[fitting[0]] = answer
    return Marks(student, sheet, marks_of(sheet, answers))


def write_csv(out: TextIO, every: Sequence[Marks]) -> None:
    """The marks as lines of CSV, in which what a spreadsheet would compute stays text."""
    from attntrace.pages.worksheet import answer_text, due_text
    from attntrace.runs.marking import MARKED
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", "id", "answer", "key", "verdict", "mark", "due", "slips"])
    for one in every:
        for mark in one.marks:
            cells = (one.student, mark.blank.id, mark.answer, answer_text(mark.blank, one.sheet), mark.verdict,
                     int(mark.verdict in MARKED), due_text(mark, one.sheet), "; ".join(slip.id for slip in mark.slips))
            writer.writerow(as_text(str(cell)) for cell in cells)


def as_text(cell: str) -> str:
    """A cell that no spreadsheet computes: behind an apostrophe, unless it is a number."""
    from attntrace.runs.marking import Number
    cell = shown(cell)
    return f"'{cell}" if cell.lstrip().startswith(FORMULA) and Number.read(cell) is None else cell
