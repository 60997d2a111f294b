"""The page options of a command, and the writer that they ask for."""
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import click

from attntrace.cli.languages import CommandLine, current_languages
from attntrace.cli.output import destination
from attntrace.messages.catalog import alternatives
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import did_you_mean, nearest
from attntrace.writers import DATA, FORMATS, LATEX, PAGES, TEXT

if TYPE_CHECKING:
    from attntrace.pages.blocks import Block
    from attntrace.writers.page import Writer

NUMBERS = (".npz", ".safetensors")  # of files that hold numbers, which a page is not, whatever its format
PLACES = ("-o", "--format", "--save", "--color")  # options that say where a page goes, and as what
AT_A_TERMINAL = ("--pager", "--no-pager", "--pause")
PLAIN = re.compile(r"[\w@%+=:,./-]+")


class PageOptions(NamedTuple):
    """How a page looks, and where it goes."""
    format: str
    output: str | None = None
    width: int | None = None
    ascii: bool = False
    big: bool = False
    fragment: bool = False
    color: str = "auto"
    pager: bool | None = None
    quiet: bool = False
    pause: bool = False
    save: str | None = None

    @classmethod
    def settled(cls, formats: Sequence[str], format: str | None, output: str | None, **options: Any) -> "PageOptions":
        """The page options of the command line. Raises Problem where they contradict each other."""
        page = cls(format_of(format, output, formats, "save" in options), output, **options)
        if page.quiet and page.format not in PAGES:
            raise Problem("quiet_with", option=f"--format {page.format}")
        if page.fragment and page.format != LATEX:
            raise Problem("fragment_of", format=page.format)
        page = page._replace(pause=(page.pause or page.big) and page.is_text and not page.quiet)
        return page._replace(pager=False) if page.quiet or page.pause else page

    @property
    def is_text(self) -> bool:
        return self.format == TEXT

    @property
    def is_data(self) -> bool:
        return self.format in DATA


def format_of(named: str | None, output: str | None, formats: Sequence[str], has_save: bool) -> str:
    """The format that is named, or that the ending of a file means. Raises Problem where it means none of these."""
    ending = os.path.splitext(output or "")[1].lower()
    if named is not None and ending not in NUMBERS:
        return named
    if ending == ".npz" and has_save:
        raise Problem("output_is_saved_run", file=output)
    known = {one: name for name in formats for one in FORMATS[name].endings}
    endings = list(filter(None, known))
    if ending in NUMBERS:
        raise Problem("output_is_numbers", file=output, ending=ending, known=alternatives(endings))
    if ending not in known:
        raise Problem("output_ending", file=output, ending=ending, near=did_you_mean(nearest(ending, endings)),
                      known=alternatives(endings))
    return known[ending]


@contextmanager
def writer_of(page: PageOptions, has_stages: bool = False) -> Iterator["Writer"]:
    """A writer of blocks in the page's format and to its place, which ends its page when all went well. A page that
    `has_stages` is shown on sheets while it is computed, by its command."""
    from attntrace.writers.page import Look
    context = click.get_current_context()
    has_place = any(param.name == "format" for param in context.command.params)  # else -o is not the page's
    command = "" if page.quiet else title(context.obj, PLACES if has_place else ())
    look = Look(page.width, page.ascii, page.color, page.big, command, current_languages(),
                page.fragment)
    with destination(page.output, page.pager) as out:
        writer: Writer = FORMATS[page.format].load()(out, look)
        writer = ResultOnly(writer) if page.quiet else writer
        if on_sheets(page, out) and not has_stages:
            from attntrace.cli.pause import Leafed
            writer = Leafed(writer, page.big)
        yield writer
        writer.close()


def on_sheets(page: PageOptions, out: TextIO) -> bool:
    """Whether a page is shown on sheets that wait for keys."""
    return page.pause and out.isatty()


def write_blocks(blocks: Iterable["Block"], page: PageOptions) -> None:
    with writer_of(page) as writer:
        writer(blocks)


class ResultOnly:
    """Writes only the result of a page; one sentence or number, in one line."""

    def __init__(self, writer: "Writer") -> None:
        self.writer, self.out = writer, writer.out
        self.result: tuple[Block, ...] = ()

    def __call__(self, blocks: Iterable["Block"]) -> None:
        from attntrace.pages.blocks import Answer, Prose, Result
        for block in blocks:  # all of them: some are checked while they are made
            if isinstance(block, Result):
                first, *more = self.result = block.blocks
                if isinstance(first, Prose) and not more:
                    self.result = (Answer(first.text),)

    def close(self) -> None:
        self.writer(self.result)
        self.writer.close()


def title(line: CommandLine, places: Sequence[str] = PLACES) -> str:
    """The command line without the options that say where the page goes, with the sentence of standard input."""
    kept, words = [], iter(line.arguments)
    for word in words:
        if word == "--":  # behind it there are no options
            kept += [word, *words]
        elif word in places:
            next(words, None)
        elif word not in AT_A_TERMINAL and not word.startswith((*places[:1], *(f"{place}=" for place in places))):
            kept.append(word)
    if line.sentence is not None:
        kept = [*(word for word in kept if word != "-"), line.sentence]
    return " ".join(["attntrace", *map(quoted, kept)])


def quoted(word: str) -> str:
    """A word as one types it in a shell."""
    if PLAIN.fullmatch(word):
        return word
    if re.search(r'[$`"\\!]', word):
        import shlex
        return shlex.quote(word)
    return f'"{word}"'
