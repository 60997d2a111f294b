"""What was meant: the names that are near to one that is not known, by their stems and by their letters."""
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

from attntrace.messages.catalog import LANGUAGES, Joined, Message, Text, alternatives
from attntrace.messages.unicode import shown

COUNT = 3  # as many are suggested
LIKENESS = 0.66  # the share of letters in common from which on two words are near


def did_you_mean(near: Sequence[str]) -> Text:
    """The part of a message that suggests names; nothing where none is near."""
    return Message("problem.why.near", near=alternatives(map(shown, near))) if near else Joined("", ())


def nearest(asked: str, known: Iterable[str]) -> list[str]:
    """Return the known names that are near to what was typed, if any: those of its stem and those that it begins; else
    those that begin as it does and have nearly its letters, with their endings and without."""
    typed, forms = stems(asked), {name: stems(name) for name in known}
    near = [name for name, form in forms.items() if typed[-1] and form[-1] == typed[-1]]
    near += [name for name, form in forms.items() if typed[-1] and form[0].startswith(typed[0])]
    if not near:
        from difflib import get_close_matches  # takes time to import, and only an error needs it
        begins = letters(typed[0])[:1]
        names = {name: text for name, form in forms.items() if (text := letters(form[0])).startswith(begins)}
        alike = get_close_matches(letters(typed[0]), list(dict.fromkeys(names.values())), 3 * COUNT, LIKENESS)
        near = [name for text in alike for name in names if names[name] == text
                and get_close_matches(letters(typed[-1]), [letters(forms[name][-1])], 1, LIKENESS)]
        near.sort(key=lambda name: forms[name][0][:1] != typed[0][:1])  # that share the first syllable come first
    return list(dict.fromkeys(near))[:COUNT]


def letters(text: str) -> str:
    """Hangul in its single letters: a syllable with one other letter is nearly the same."""
    return unicodedata.normalize("NFD", text)


def stems(text: str) -> list[str]:
    """A word without case, wide forms and the dashes of an option; then without one after another of the endings that
    it has in any language: `카페에서`, `카페`."""
    words = [unicodedata.normalize("NFKC", text).casefold().strip("-")]
    while ending := _endings().search(words[-1]):
        words.append(words[-1][:ending.start()])
    return words


@cache
def _endings() -> re.Pattern[str]:
    endings = "|".join(filter(None, (language.endings for language in LANGUAGES.values())))
    return re.compile(f"(?<=.)(?:{endings})$")
