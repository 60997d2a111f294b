"""What was meant: the names that are near to one that is not known, by their stems and by their letters."""
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

from attntrace.messages.catalog import LANGUAGES, Joined, Message, Text
from attntrace.messages.unicode import shown

COUNT = 3  # as many are suggested
LIKENESS = 0.66  # the share of letters in common from which on two words are near


def did_you_mean(near: Sequence[str]) -> Text:
    """The part of a message that suggests names; nothing where none is near."""
    return Message("problem.why.near", near=", ".join(map(shown, near))) if near else Joined("", ())


def nearest(asked: str, known: Iterable[str]) -> list[str]:
    """Return the known names that are near to what was typed, if any: those of its stem and those that it begins; else
    those of nearly its letters, with their endings and without."""
    names = {name: letters(name) for name in known}
    typed, core = letters(asked), stems(asked)[-1]
    near = [name for name in names if core and stems(name)[-1] == core]
    near += [name for name in names if core and names[name].startswith(typed)]
    if not near:
        from difflib import get_close_matches  # takes time to import, and only an error needs it
        alike = get_close_matches(typed, list(dict.fromkeys(names.values())), 3 * COUNT, LIKENESS)
        near = [name for text in alike for name in names if names[name] == text
                and get_close_matches(letters(core), [letters(stems(name)[-1])], 1, LIKENESS)]
    return list(dict.fromkeys(near))[:COUNT]


def letters(text: str) -> str:
    """A name as it is compared: without case, wide forms and the dashes of an option; Hangul in its single letters."""
    return unicodedata.normalize("NFKD", text).casefold().strip("-")


def stems(text: str) -> list[str]:
    """A word without case; then without one after another of the endings that it has in any language: `카페에서`, `카페`."""
    words = [unicodedata.normalize("NFKC", text).casefold().strip("-")]
    while ending := _endings().search(words[-1]):
        words.append(words[-1][:ending.start()])
    return words


@cache
def _endings() -> re.Pattern[str]:
    endings = "|".join(filter(None, (language.endings for language in LANGUAGES.values())))
    return re.compile(f"(?<=.)(?:{endings})$")
