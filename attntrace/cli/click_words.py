"""Commands, groups and options in our words: help texts by cells (Hangul takes two), errors as Problem."""
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from attntrace.cli.languages import CommandLine, current_languages, languages_of, rendered
from attntrace.cli.values import Among
from attntrace.messages.catalog import BOTH, LANGUAGES, VARIABLE, Joined, Message, named_languages, versions
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import did_you_mean, nearest
from attntrace.messages.unicode import shown

UNBROKEN = "\b"  # on a line of its own above a paragraph whose lines stay as they are
WIDEST_FIRST = 30  # cells of the first column of a list; what is wider has its text below it
GAP = 2
GENERAL = "general"  # the group of options that every command has


def cells(text: str) -> int:
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def wrapped(text: str, width: int) -> Iterator[str]:
    """Wrap a paragraph into lines of at most so many cells; a longer word stays whole on a line of its own."""
    line = ""
    for word in text.split():
        if line and cells(line) + 1 + cells(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


class HelpFormatter(click.HelpFormatter):
    """Lays out paragraphs and lists by cells, not by characters."""

    def write_text(self, text: str) -> None:
        for n, paragraph in enumerate(text.split("\n\n")):
            if n:
                self.write_paragraph()
            first, _, rest = paragraph.partition("\n")
            room = self.width - self.current_indent
            for line in rest.split("\n") if first.strip() == UNBROKEN else wrapped(paragraph, room):
                self.write(" " * self.current_indent + line + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = WIDEST_FIRST,
                 col_spacing: int = GAP) -> None:
        rows = list(rows)
        column = min(max(cells(first) for first, _ in rows), col_max) + col_spacing
        indent = " " * (self.current_indent + column)
        for first, second in rows:
            below = cells(first) > column - col_spacing
            self.write(" " * self.current_indent + first + ("\n" if below or not second else ""))
            for n, line in enumerate(line for part in second.split("\n")
                                     for line in wrapped(part, max(self.width - len(indent), 10))):
                before = indent if n or below else " " * (column - cells(first))
                self.write(f"{before}{line}\n")


Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Context(click.Context):
    formatter_class = HelpFormatter


class Option(click.Option):
    """An option whose help is the sentence `help.TEXT`, under the heading `help.group.GROUP`; `stands_for` is what
    leaving it out means."""

    def __init__(self, *names: Any, text: str, group: str = "this", stands_for: object = None, **settings: Any) -> None:
        self.text, self.group, self.stands_for = text, group, stands_for
        super().__init__(*names, **settings)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        record = super().get_help_record(ctx)
        assert record is not None
        notes = [Message("help.default", value=self.stands_for)] if self.stands_for is not None else []
        notes += [Message("help.variable", name=self.envvar)] if self.envvar else []
        notes += [Message("help.required")] if self.required else []
        text = Message(f"help.{self.text}")
        return record[0], "\n".join(noted(*texts) for texts in versions(current_languages(), text, *notes))


def noted(text: str, *notes: str) -> str:
    """Append notes in brackets to a help text, after the note that it may have of its own."""
    if notes and text.endswith("]"):
        text, _, note = text[:-1].rpartition("  [")
        notes = note, *notes
    return f"{text}  [{'; '.join(notes)}]" if notes else text


def set_language(ctx: click.Context, param: click.Parameter, language: str | None) -> None:
    """Set the language of all messages: --lang of this command or of its group; without either, once a command is
    parsed, that of the environment."""
    line = ctx.find_object(CommandLine)
    assert line is not None
    is_given = ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
    if is_given or VARIABLE not in ctx.meta and not isinstance(ctx.command, click.Group):
        line.languages = named_languages(language) if language else languages_of(())
    if is_given:
        ctx.meta[VARIABLE] = True


class Translated(click.Command):
    """What commands and groups share: headings, the --lang of all, and `text`, the key of their help."""
    context_class = Context

    def __init__(self, *arguments: Any, text: str, **settings: Any) -> None:
        self.text = text
        super().__init__(*arguments, **settings)
        self.params.append(Option(["--lang"], text="lang", group=GENERAL, type=Among((*LANGUAGES, BOTH)),
                                  expose_value=False, envvar=VARIABLE, is_eager=True, callback=set_language))

    def get_short_help_str(self, limit: int = 45) -> str:
        return rendered(Message(f"help.{self.text.removesuffix('_group')}_short"))

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = rendered(Message("help.help"))
        return found

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        words = {"[OPTIONS]": Message("help.options_here"), "[COMMAND] [ARGS]...": Message("help.command_here")}
        pieces = Joined(" ", [words.get(piece, piece) for piece in self.collect_usage_pieces(ctx)])
        for prefix, usage in versions(current_languages(), Message("help.usage"), pieces):
            formatter.write_usage(ctx.command_path, usage, prefix=f"{prefix}: ")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(rendered(Message(f"help.{self.text}")).strip())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options under the headings of their groups, in the order in which they are declared."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)) is not None:
                groups.setdefault(getattr(param, "group", GENERAL), []).append(record)  # Click's own has no group
        for group, records in groups.items():
            with formatter.section(rendered(Message(f"help.group.{group if len(groups) > 1 else 'this'}"))):
                formatter.write_dl(records)


# Curly quotes around several arguments, since no shell knows them.
CURLY = "|".join(rf"(?<![^\0]){left}[^{right}\0]*\0[^{right}]*{right}(?![^\0])"
                 for left, right in ("“”", "‘’", "„“", "«»"))


class Command(Translated):
    """A command that refuses surplus arguments."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True  # refused below, in our words
        text = "\0".join(args)
        if not text.isascii() and not ctx.resilient_parsing and (curly := re.findall(CURLY, text)):
            texts = " ".join('"' + one[1:-1].replace("\0", " ") + '"' for one in curly)
            raise Problem("curly_quotes", signs=shown(f"{curly[0][0]}{curly[0][-1]}"), sentence=shown(texts))
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # Click's parser does not always set it
            raise
        if rest and not ctx.resilient_parsing:
            raise Problem("surplus_arguments", command=ctx.command_path, arguments=shown(" ".join(rest)))
        return rest


class Group(Translated, click.Group):
    """A command of commands."""
    command_class = Command

    def resolve_command(self, ctx: click.Context,
                        args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        is_name = bool(args) and not args[0].startswith("-")
        if is_name and not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            raise Problem("no_such_command", name=shown(args[0]), command=ctx.command_path,
                          near=did_you_mean(nearest(args[0], self.list_commands(ctx))))
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with formatter.section(rendered(Message("help.commands"))):
            formatter.write_dl([(name, self.short_help_of(ctx, name)) for name in self.list_commands(ctx)])

    def short_help_of(self, ctx: click.Context, name: str) -> str:
        command = self.get_command(ctx, name)
        return command.get_short_help_str() if command is not None else ""


def command(name: str, **settings: Any) -> Callable[[Callable[..., Any]], click.Command]:
    return click.command(name, cls=Command, text=settings.pop("text", name), **settings)


def option(*names: str, **settings: Any) -> Callable[[Decorated], Decorated]:
    """An option. The key of its help is `text`, by default its name."""
    text = settings.pop("text", names[-1].split("/")[0].lstrip("-").replace("-", "_"))
    return click.option(*names, cls=Option, text=text, **settings)


def chained(*options: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    def decorate(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command
    return decorate


def passed(argument: str, kind: Any, *options: Callable[[Decorated], Decorated],
           make: Callable[..., object] | None = None) -> Callable[[Decorated], Decorated]:
    """Add options to a command, and pass it one argument, a NamedTuple of this `kind`, in place of all options that are
    named like its fields. `make`: called with them instead of `kind`."""
    def decorate(command: Decorated) -> Decorated:
        @wraps(command)
        def with_value(**params: Any) -> Any:
            values = fields_in(params, kind)
            others = {name: value for name, value in params.items() if name not in values}
            return command(**others, **{argument: (make or kind)(**values)})
        return chained(*options)(cast(Decorated, with_value))
    return decorate


def fields_in(params: dict[str, Any], kind: Any) -> dict[str, Any]:
    """The parameters that are fields of a NamedTuple."""
    return {name: params[name] for name in kind._fields if name in params}
