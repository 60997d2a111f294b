"""In which format a page is written: the one that is asked for, or that of the file's ending."""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from attntrace.cli.commands import option
from attntrace.cli.output import destination
from attntrace.cli.values import Among, nearest
from attntrace.errors import Problem
from attntrace.prose import in_a_line
from attntrace.writers import DATA, FORMATS, TEXT

if TYPE_CHECKING:
    from attntrace.blocks import Answer, Block
    from attntrace.writers.page import Writer


def format_option(names: Iterable[str]) -> Any:
    return option("--format", type=Among(tuple(names)), default=None)


def settled(asked: str | None, output: str | None, command: click.Command) -> str:
    """The format of a page. Raises Problem where the ending of its file is that of none that the command has."""
    if asked is not None:
        return asked
    ending = os.path.splitext(output or "")[1].lower()
    has = next(param.type.known for param in command.params
               if param.name == "format" and isinstance(param.type, Among))
    endings = {ending: name for name in has for ending in FORMATS[name].endings}
    if ending not in endings:
        if ending == ".npz":
            raise Problem("output_is_saved_run", file=output)
        known = [known for known in endings if known]
        raise Problem("output_ending", file=output, ending=ending, near=nearest(ending, known), known=", ".join(known))
    return endings[ending]


@contextmanager
def page_on(out: TextIO, options: dict[str, Any]) -> Iterator[Writer]:
    """A writer of blocks, as the page options ask for it, which ends its page when all went well."""
    from attntrace.writers.page import Look
    look = Look(options["width"], options["ascii"], options["color"], options["big"], title())
    writer: Writer = FORMATS[options["format"]].load()(out, look)
    writer = Quiet(writer) if options.get("quiet") else writer
    yield writer
    writer.close()


class Quiet:
    """Lets nothing of a page through but its result, in one line."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.out = writer, writer.out
        self.result: Answer | None = None

    def __call__(self, blocks: Iterable[Block]) -> None:
        from attntrace.blocks import Answer, Prose
        for block in blocks:  # all of them: some are checked while they are made
            if isinstance(block, Answer):
                self.result = block
            elif isinstance(block, Prose) and block.result:
                self.result = Answer(in_a_line(block.text.strip()))

    def close(self) -> None:
        if self.result is not None:
            self.writer([self.result])
        self.writer.close()


@contextmanager
def page(options: dict[str, Any]) -> Iterator[Writer]:
    """The same on the file that -o names, or on standard output."""
    with destination(options["output"], options["pager"]) as out, page_on(out, options) as writer:
        yield writer


def title() -> str:
    """What a page is about: the command, and the words that it was given."""
    ctx = click.get_current_context()
    given = [ctx.params.get(argument.name or "") for argument in ctx.command.params
             if isinstance(argument, click.Argument)]
    words = [word for value in given for word in (value if isinstance(value, tuple) else (value,)) if word]
    return " ".join([ctx.command_path, *words])


def is_text(options: dict[str, Any]) -> bool:
    return bool(options["format"] == TEXT)


def is_data(options: dict[str, Any]) -> bool:
    return options["format"] in DATA
