"""The format of a page: the one that is asked for, or that of its file's ending."""
from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from attntrace.cli.languages import current_languages
from attntrace.cli.output import destination
from attntrace.cli.values import Among, nearest
from attntrace.messages.errors import Problem
from attntrace.writers import DATA, FORMATS, TEXT

if TYPE_CHECKING:
    from attntrace.pages.blocks import Answer, Block
    from attntrace.writers.page import Writer

NUMBERS = (".npz", ".safetensors")  # of files that hold numbers, which a page is not, whatever its format


def settled(asked: str | None, output: str | None, command: click.Command) -> str:
    """The format of a page. Raises Problem where the ending of its file is not one of the command's formats."""
    ending = os.path.splitext(output or "")[1].lower()
    if asked is not None and ending not in NUMBERS:
        return asked
    params = {param.name: param for param in command.params}
    if ending == ".npz" and "save" in params:
        raise Problem("output_is_saved_run", file=output)
    has = params["format"].type
    assert isinstance(has, Among)
    known = {one: name for name in has.known for one in FORMATS[name].endings}
    endings = list(filter(None, known))
    if ending in NUMBERS:
        raise Problem("output_is_numbers", file=output, ending=ending, known=", ".join(endings))
    if ending not in known:
        raise Problem("output_ending", file=output, ending=ending, near=nearest(ending, endings),
                      known=", ".join(endings))
    return known[ending]


def is_text(options: dict[str, Any]) -> bool:
    return bool(options["format"] == TEXT)


def is_data(options: dict[str, Any]) -> bool:
    return options["format"] in DATA


ARGUMENTS = "attntrace.arguments"  # of the command line, in the context's meta
WHERE = ("-o", "--format", "--save")  # options that say where a page goes, and as what
PLAIN = re.compile(r"[\w@%+=:,./-]+")


@contextmanager
def page_on(out: TextIO, options: dict[str, Any]) -> Iterator[Writer]:
    """A writer of blocks, as the page options ask for it, which ends its page when all went well."""
    from attntrace.writers.page import Look
    look = Look(options["width"], options["ascii"], options["color"], options["big"],
                "" if options.get("quiet") else title(), current_languages())
    writer: Writer = FORMATS[options["format"]].load()(out, look)
    writer = ResultAlone(writer) if options.get("quiet") else writer
    yield writer
    writer.close()


class ResultAlone:
    """Lets nothing of a page through but its result, in one line."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.out = writer, writer.out
        self.result: Answer | None = None

    def __call__(self, blocks: Iterable[Block]) -> None:
        from attntrace.pages.blocks import Answer, Prose
        for block in blocks:  # all of them: some are checked while they are made
            if isinstance(block, Answer):
                self.result = block._replace(apart=False)
            elif isinstance(block, Prose) and block.result:
                self.result = Answer(block.text)

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
    """What a page is about: the command that it is of, but for where it goes."""
    kept, given = [], iter(click.get_current_context().meta[ARGUMENTS])
    for word in given:
        if word in WHERE:
            next(given, None)
        elif not word.startswith(("-o", "--format=", "--save=")):
            kept.append(quoted(word))
    return " ".join(["attntrace", *kept])


def quoted(word: str) -> str:
    """A word as a shell reads it, and a person."""
    if PLAIN.fullmatch(word):
        return word
    if re.search(r'[$`"\\!]', word):
        import shlex
        return shlex.quote(word)
    return f'"{word}"'
