"""attntrace play: a run on the screen, one sheet at a time, that asks for a number before it shows it."""
from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import click

from attntrace.cli import click_words, options
from attntrace.cli.formats import quoted
from attntrace.cli.languages import current_languages, rendered
from attntrace.cli.options import LearningOptions, ModelOptions, typed
from attntrace.cli.output import destination
from attntrace.cli.subject import settled, subject_of, translator, with_weights
from attntrace.cli.values import Known, step_addresses
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import as_option
from attntrace.tracing.addresses import Address
from attntrace.writers import FORMATS

if TYPE_CHECKING:
    from attntrace.player.course import Course
    from attntrace.runs.run import Subject


@click_words.command("play")
@options.sentence_argument
@options.from_option()
@click_words.option("--at", type=Known(step_addresses), metavar="ADDRESS[:ROW,COLUMN]", text="play_at")
@click_words.option("--translate", "translates", is_flag=True, text="play_translate")
@click_words.option("--backprop", is_flag=True, default=None, text="play_backprop")
@options.model_options
@options.learning_options
@options.precision_option(stands_for=options.DECIMALS)
@options.page_option("--ascii", "in_ascii", is_flag=True, text="ascii")
def command(saved_run: str | None, at: str | None, translates: bool, model: ModelOptions, learning: LearningOptions,
            precision: int | None, in_ascii: bool) -> int:
    terminal_check()
    with subject_and_words(saved_run, translates, model, learning) as (subject, again):
        from attntrace.player.course import Course
        from attntrace.player.terminal import play, player_of
        decimals = options.Selection(precision=precision).decimals(subject.run.pencil)
        again += "" if precision is None else f" --precision {precision}"
        course = Course(subject, decimals)
        with options.needing_target(subject.run):
            start = None if at is None else course.found(at)
        player = player_of(course, start, in_ascii, current_languages(),
                           page_writer(subject, course, decimals, in_ascii, again))
        code = play(player)
        click.echo(rendered(Message("play.come_back")))
        again += f"{' --ascii' if in_ascii else ''} --at {quoted(course.typed(player.place))}"
        click.echo(f"  $ {command_for(shown(again))}")
    return code


def terminal_check() -> None:
    """Raise Problem where Textual is not installed, or where there is nobody to play with."""
    try:
        import textual  # noqa: F401
    except ImportError as error:
        raise Problem("no_textual", why=str(error)) from None
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise Problem("play_no_terminal")


@contextmanager
def subject_and_words(saved_run: str | None, translates: bool, model: ModelOptions,
                      learning: LearningOptions) -> Iterator[tuple[Subject, str]]:
    """What is played, and the words of a command line that are the same. Raises Problem where options contradict."""
    given = options.given_options(learning)
    if saved_run is not None:
        options.check_from(model, learning)
        if translates:
            raise Problem("from_with", option="--translate")
        from attntrace.files.archive import opened
        from attntrace.runs.saved import saved_subject
        with opened(saved_run) as archive:
            archive.check_seal()
            yield saved_subject(archive), f"--from {quoted(saved_run)}"
        return
    if given and not learning.backprop:
        raise Problem("only_with_backprop", option=given[0])
    if not translates:
        model = settled(model)
        yield subject_of(model, learning if learning.backprop else None), typed(model, learning)
        return
    excluded = [*given, *(as_option(name) for name in ("target", "pencil") if getattr(model, name) is not None)]
    if excluded:
        raise Problem("play_translate_with", option=excluded[0])
    from attntrace.runs.decoding import Decoding
    sentence = settled(model).sentence or ""
    model = with_weights(model._replace(sentence=sentence), sentence)
    yield Decoding(translator(sentence, model)), f"{typed(model)} --translate"


def page_writer(subject: Subject, course: Course, decimals: int, in_ascii: bool,
                again: str) -> Callable[[str], str]:
    """A function that writes the HTML page of the stage of a step into a new file, and returns its name."""
    languages = current_languages()

    def write(address: str) -> str:
        from attntrace.pages.page import Page
        from attntrace.pages.view import View
        from attntrace.writers.page import Look
        end = Address.of(address).last(2)
        name = next(name for n in count(1) if not os.path.exists(
            name := f"attntrace-{end}{f'-{n}' if n > 1 else ''}.html"))
        steps = frozenset(step.address for step in course.stage_of[address].steps)
        view = View(precision=decimals, selected=steps, exact=subject.run.pencil is not None)
        look = Look(ascii=in_ascii, title=f"{command_for(again)} --at {quoted(address)}", languages=languages)
        with destination(name) as out:
            writer = FORMATS["html"].load()(out, look)
            Page(subject, view, writer, again=again)()
            writer.close()
        return name
    return write


def command_for(arguments: str) -> str:
    """The command with these arguments, as one types it."""
    return f"attntrace {command.name} {arguments}"
