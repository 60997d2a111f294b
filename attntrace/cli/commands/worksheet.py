"""attntrace worksheet: sheets with blanks to compute by hand, and their keys."""
from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attntrace.cli import click_words, options
from attntrace.cli.formats import PageOptions, quoted, write_blocks
from attntrace.cli.languages import current_languages, rendered
from attntrace.cli.progress import bar
from attntrace.cli.values import InputFile, Text, Whole
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem, refusal
from attntrace.messages.unicode import shown
from attntrace.model.config import Config
from attntrace.writers import FORMATS, PAGES

if TYPE_CHECKING:
    from attntrace.files.answers import Pupil, Sheets
    from attntrace.pages.blocks import Block
    from attntrace.runs.worksheet import Sheet

HAND = Config(d_model=4, heads=1, d_ff=4)  # √d_k and √d_model are 2
PENCIL, BLANKS = 2, 12
MOST_BLANKS, MOST_DECIMALS, MOST_STUDENTS = 200, 4, 1_000

blank_option = click_words.option("--blank", type=Whole(1, MOST_BLANKS), default=BLANKS, stands_for=BLANKS, metavar="N")
hand_options = click_words.chained(
    options.model_option("--target", type=Text(), metavar="TEXT"),
    options.architecture_options(HAND),
    options.model_option("--pencil", type=Whole(1, MOST_DECIMALS), default=PENCIL, stands_for=PENCIL, metavar="N"))


@click_words.command("worksheet")
@options.sentence_argument
@blank_option
@click_words.option("--students", type=Whole(1, MOST_STUDENTS), default=None, stands_for=1, metavar="N")
@click_words.option("--class", "class_file", type=InputFile(), metavar="FILE", text="class_file")
@click_words.option("--key", is_flag=True)
@hand_options
@options.page_options_of(*PAGES, place="FOLDER")
def command(blank: int, students: int | None, class_file: str | None, key: bool, model: options.ModelOptions,
            page: PageOptions) -> None:
    if class_file is not None and students is not None:
        raise Problem("worksheet_both")
    sentence = model.sentence if class_file is not None and model.sentence is None else options.one_sentence(
        model.sentence)
    from attntrace.files.answers import Pupil, Sheets, read_class
    people = read_class(Path(class_file), sentence) if class_file is not None else [
        ("", sentence or "")] * (students or 1)
    ending = os.path.splitext(page.output or "")[1].lower()
    is_file = ending != "" and any(ending in FORMATS[name].endings for name in PAGES)
    to_folder = page.output is not None and page.output != "-" and not is_file
    if len(people) > 1 and not to_folder:
        raise Problem("worksheet_students")
    if to_folder:
        check_folder(str(page.output))
    pupils: list[Pupil] = []
    sheets: list[Sheet] = []
    from attntrace.runs.worksheet import sheet_of
    config, seed = model.config(HAND), model.seed or 0
    with bar(to_folder, lambda: len(people), 1.0, "attntrace {task.completed:.0f}/{task.total:.0f}", True) as show:
        for n, (name, own) in enumerate(people, start=1):
            sheet = sheet_of(own, model.target, config, seed, model.pencil or PENCIL, blank)
            assert sheet.run.seed is not None
            pupils.append(Pupil(n, name, own, model.target, sheet.run.seed))
            sheets.append(sheet)
            seed = sheet.run.seed + 1
            if show is not None:
                show(n, "")
    every = Sheets(config, model.pencil or PENCIL, blank, tuple(pupils))
    if to_folder:
        write_folder(str(page.output), every, sheets, page)
        click.echo(rendered(Message("messages.sheets_written", count=len(sheets), folder=quoted(str(page.output)))))
        return
    from attntrace.pages.worksheet import key_blocks, sheet_blocks
    write_blocks((key_blocks if key else sheet_blocks)(sheets[0], label(every, pupils[0])), page)


def label(sheets: Sheets, pupil: Pupil) -> str:
    return f"{pupil.label(len(sheets.pupils))} {shown(pupil.name)}".rstrip()


def check_folder(folder: str) -> None:
    """Raise Problem where a folder can be neither made nor filled: nothing that is there is written over."""
    path = Path(folder)
    if not folder or path.is_dir() and any(path.iterdir()) or path.exists() and not path.is_dir():
        raise Problem("worksheet_folder", folder=shown(folder))
    if not path.absolute().parent.is_dir():
        raise Problem("output_directory", file=folder, directory=str(path.absolute().parent))


def write_folder(folder: str, sheets: Sheets, made: Iterable[Sheet], page: PageOptions) -> None:
    """Write all sheets and keys into a folder, which appears when all are there."""
    from attntrace.files.answers import KEY, SHEETS
    from attntrace.pages.worksheet import key_blocks, sheet_blocks
    ending, count = FORMATS[page.format].endings[0], len(sheets.pupils)
    texts = {SHEETS: sheets.record()}
    for pupil, sheet in zip(sheets.pupils, made, strict=True):
        name, student = pupil.file_name(count), label(sheets, pupil)
        texts[f"{name}{ending}"] = text_of(sheet_blocks(sheet, student), page)
        texts[f"{name}{KEY}{ending}"] = text_of(key_blocks(sheet, student), page)
    target = Path(os.path.realpath(folder))
    draft = target.parent / f".{target.name[:40]}.{os.urandom(4).hex()}.part"
    try:
        draft.mkdir()
        for name, text in texts.items():
            (draft / name).write_bytes(text.encode("utf-8", "backslashreplace"))
        with suppress(FileNotFoundError):
            target.rmdir()
        draft.rename(target)
    except OSError as error:
        raise Problem("worksheet_folder_failed", folder=shown(folder), why=refusal(error)) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def text_of(blocks: Iterable[Block], page: PageOptions) -> str:
    """A page as text, which says nothing of the command that makes all sheets."""
    from attntrace.writers.page import Look
    out = io.StringIO()
    look = Look(page.width, page.ascii, "never", False, "", current_languages(), page.fragment)
    writer = FORMATS[page.format].load()(out, look)
    writer(blocks)
    writer.close()
    return out.getvalue()
