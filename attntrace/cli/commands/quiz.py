"""attntrace quiz: the blanks of a worksheet, asked one after another."""
from __future__ import annotations

import sys
from functools import partial

import click

from attntrace.cli import click_words, options
from attntrace.cli.commands.worksheet import HAND, PENCIL, blank_option, hand_options
from attntrace.cli.formats import PageOptions, writer_of
from attntrace.cli.values import Among, Whole
from attntrace.messages.catalog import EXAMPLE, Message
from attntrace.messages.errors import Problem
from attntrace.writers import TEXT
from attntrace.writers.terminal_width import NARROWEST, WIDEST


@click_words.command("quiz")
@options.sentence_argument
@blank_option
@hand_options
@click_words.passed(
    "page", PageOptions,
    options.page_option("--width", type=Whole(NARROWEST, WIDEST), metavar="N", envvar="ATTNTRACE_WIDTH"),
    options.page_option("--ascii", is_flag=True),
    options.page_option("--color", type=Among(options.COLOURS), default=options.COLOURS[0],
                        stands_for=options.COLOURS[0], envvar="ATTNTRACE_COLOR"),
    make=partial(PageOptions, TEXT, pager=False))
def command(blank: int, model: options.ModelOptions, page: PageOptions) -> None:
    from attntrace.pages.blocks import Prose
    from attntrace.pages.worksheet import one_mark, question, quiz_blocks
    from attntrace.runs.marking import MARKED, Marker
    from attntrace.runs.worksheet import FORWARD, sheet_of
    sentence = EXAMPLE[0] if model.sentence is None else model.sentence
    sheet = sheet_of(sentence, model.target, model.config(HAND), model.seed or 0, model.pencil or PENCIL, blank)
    answers: dict[str, str] = {}
    points = 0
    with writer_of(page) as writer:
        writer(quiz_blocks(sheet))
        for n, one in enumerate(sheet.blanks, start=1):
            if one.kind != FORWARD:
                writer([Prose(question(one, n, sheet), apart=True)])
            try:
                answers[one.id] = click.prompt(f"[{n}/{len(sheet.blanks)}] {one.id}", default="", show_default=False,
                                               prompt_suffix=" = ")
            except click.Abort:
                writer.out.write("\n")
                break
            except UnicodeDecodeError as error:
                raise Problem("input_not_utf8", byte=error.start + 1) from None
            if not sys.stdin.isatty():
                click.echo()  # which nobody has typed
            mark = Marker(sheet, answers).mark(one)
            points += mark.verdict in MARKED
            writer(one_mark(mark, sheet))
        writer([Prose(Message("messages.quiz_points", points=points, count=len(answers)), apart=True)])
