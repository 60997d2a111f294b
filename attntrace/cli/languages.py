"""Which language a command line speaks: --lang, else ATTNTRACE_LANG, else that of the locale."""
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import click

from attntrace.messages.catalog import (BOTH, DEFAULT, LANGUAGES, VARIABLE, Text, default_languages, in_languages,
                                        named_languages)

OPTION = "--lang"
LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first one that is set decides


class CommandLine:
    """A command line and its languages: a guess until its arguments are parsed, since parse errors are in them as well.
    It is the `obj` of every Click context."""

    def __init__(self, arguments: Sequence[str], subject_so_far: Callable[[click.Context], Any] | None = None) -> None:
        self.arguments, self.languages = arguments, languages_of(arguments)
        self.subject_so_far = subject_so_far  # where a shell requests completions
        self.sentence: str | None = None  # that was read from standard input


def rendered(text: Text) -> str:
    """A text in the languages of the command line."""
    return in_languages(text, current_languages())


def current_languages() -> tuple[str, ...]:
    context = click.get_current_context(silent=True)
    line = context.find_object(CommandLine) if context is not None else None
    return line.languages if line is not None else default_languages()


def languages_of(arguments: Sequence[str]) -> tuple[str, ...]:
    """Guess the languages before arguments are parsed: what --lang seems to be given last, else the variable. An
    unknown one is skipped here and refused by the parser."""
    before = list(arguments[:arguments.index("--")] if "--" in arguments else arguments)
    given = [after if argument == OPTION else argument.partition("=")[2]
             for argument, after in zip(before, [*before[1:], ""]) if argument.split("=")[0] == OPTION]
    asked = [word.strip().lower() for word in (*reversed(given), os.environ.get(VARIABLE, ""))]
    return named_languages(next((language for language in asked if language in (*LANGUAGES, BOTH)), of_locale()))


def of_locale() -> str:
    says = next((os.environ[name] for name in LOCALE if os.environ.get(name)), "")
    if not says and sys.platform == "win32":
        import locale  # only now: elsewhere the environment tells
        says = locale.getlocale()[0] or ""
    for name, language in LANGUAGES.items():
        with suppress(UnicodeEncodeError, LookupError):  # a locale alone asks for nothing that would be escaped
            language.letters.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
            if re.match(language.locales, says.lower()):
                return name
    return DEFAULT
