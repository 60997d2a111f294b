"""The language of a command line: --lang, else ATTNTRACE_LANG, else the locale's."""
from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence

from attntrace.messages.catalog import BOTH, DEFAULT, LANGUAGES

OPTION, LANGUAGE = "--lang", "ATTNTRACE_LANG"
LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first one that is set decides


def language_of(arguments: Sequence[str]) -> str:
    """Guess the language before arguments are parsed, since parse errors are in it as well. An unknown language is
    skipped here and refused by the parser."""
    named = [word.strip().lower() for word in (*given(arguments), os.environ.get(LANGUAGE, ""))]
    return next((language for language in named if language in (*LANGUAGES, BOTH)), of_locale())


def given(arguments: Sequence[str]) -> list[str]:
    """The values of --lang, the last one first."""
    before = list(arguments[:arguments.index("--")] if "--" in arguments else arguments)
    found = [after if argument == OPTION else argument.partition("=")[2]
             for argument, after in zip(before, [*before[1:], ""]) if argument.split("=")[0] == OPTION]
    return found[::-1]


def of_locale() -> str:
    says = next((os.environ[name] for name in LOCALE if os.environ.get(name)), "")
    if not says and sys.platform == "win32":
        import locale  # only now: elsewhere the environment is enough
        says = locale.getlocale()[0] or ""
    return next((name for name, language in LANGUAGES.items()
                 if re.match(language.locales, says.lower()) and can_show(language.letters)), DEFAULT)


def can_show(letters: str) -> bool:
    """Whether the encoding of standard output has these letters: a locale does not imply it."""
    try:
        letters.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
