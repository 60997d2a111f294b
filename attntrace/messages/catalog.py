"""Every sentence that a user reads, by key: one TOML file a language and kind, read when it is needed."""
from __future__ import annotations

import functools
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

FOLDER = os.path.dirname(__file__)


class Language(NamedTuple):
    """What a language has besides its sentences: its own name; a regular expression of its locales, in lower case; a
    range of letters that no other language has; fonts for these."""
    name: str
    locales: str
    letters: str = ""
    fonts: str = ""


LANGUAGES = {  # the first that a locale asks for, and whose letters can be shown, is spoken; else DEFAULT
    "ko": Language("한국어", "ko([_.@-]|$)|korean", "가-힣",  # not Konkani, kok_IN
                   "'Malgun Gothic', 'Apple SD Gothic Neo', 'Noto Sans KR', 'Noto Sans CJK KR'"),  # PowerPoint's first
    "en": Language("English", "en([_.@-]|$)|english")}
DEFAULT = "en"
BOTH, TWO = "both", ("ko", "en")
BESIDE = " / "  # between what is said in two languages in one line
_spoken: tuple[str, ...] = ("en",)


def speak(language: str) -> None:
    """Say all sentences from now on in a language, or in `both`: Korean and English."""
    global _spoken
    _spoken = TWO if language == BOTH else (language,)


def spoken() -> tuple[str, ...]:
    """The languages that are spoken now, the first one first."""
    return _spoken


class Told(str):
    """A sentence in several languages, which can be filled into another one: there each language takes its own."""
    versions: tuple[str, ...]

    @classmethod
    def of(cls, versions: tuple[str, ...]) -> str:
        """Side by side; whole sentences, and what has several lines, below each other."""
        if len(set(versions)) == 1:
            return versions[0]
        told = cls(("\n" if any(map(needs_a_line, versions)) else BESIDE).join(versions))
        told.versions = versions
        return told

    def __add__(self, more: str) -> str:
        return self.of(tuple(one + version(more, n) for n, one in enumerate(self.versions)))

    def __radd__(self, before: str) -> str:
        return self.of(tuple(before + one for one in self.versions))


def needs_a_line(text: str) -> bool:
    """Whether it is a whole sentence, or more."""
    return "\n" in text or " " in text and text.endswith(".") and not text.endswith("...")


def in_each(say: Callable[[int], str]) -> str:
    """What `say` says in each language that is spoken, by its number."""
    return Told.of(tuple(say(n) for n in range(len(_spoken))))


def below(text: str) -> str:
    """A sentence in several languages, each on a line of its own."""
    return "\n".join(text.versions) if isinstance(text, Told) else text


def in_a_line(text: str) -> str:
    """The same in one line."""
    return BESIDE.join(text.versions if isinstance(text, Told) else text.split("\n"))


def in_languages(*texts: str) -> Iterator[tuple[str, ...]]:
    """Texts that belong together, in each language that any of them is in."""
    for n in range(max(len(text.versions) if isinstance(text, Told) else 1 for text in texts)):
        yield tuple(version(text, n) for text in texts)


def version(text: Any, n: int) -> Any:
    """What a text is in the n-th language that is spoken; anything else is the same in all."""
    return text.versions[n] if isinstance(text, Told) else text


@functools.cache
def _table(language: str, kind: str) -> dict[str, str]:
    """All sentences of a file by key; those of a section as `section.key`."""
    def flat(found: dict[str, Any], before: str) -> Iterator[tuple[str, str]]:
        for key, value in found.items():
            if isinstance(value, dict):
                yield from flat(value, f"{before}{key}.")
            else:
                yield before + key, value

    with open(os.path.join(FOLDER, language, f"{kind}.toml"), "rb") as file:
        return dict(flat(tomllib.load(file), ""))


def sentence(key: str, **facts: object) -> str:
    """The sentence of a key such as `problem.empty_sentence`, its slots filled with facts. Raises KeyError."""
    return in_each(lambda n: sentence_in(_spoken[n], key).format(
        **{name: version(fact, n) for name, fact in facts.items()}))


def sentence_in(language: str, key: str) -> str:
    """The sentence of a key in a language, whichever is spoken, with its slots empty."""
    kind, _, rest = key.partition(".")
    return _table(language, kind)[rest]


def joined(between: str, parts: Iterable[str]) -> str:
    """Sentences, and other texts, one after another."""
    texts = list(parts)
    return in_each(lambda n: between.join([version(text, n) for text in texts]))


def most_specific(kind: str, place: list[str], name: str, **facts: object) -> str | None:
    """The sentence of the most specific key: of `decoder.cross_attention.query`, `cross_attention.query`, `query`. None
    where there is none."""
    table = _table(_spoken[0], kind)
    return next((sentence(f"{kind}.{key}", **facts) for key in ends([*place, name]) if key in table), None)


def ends(words: list[str]) -> Iterator[str]:
    """Of `a, b, c`: a.b.c, b.c, c."""
    return (".".join(words[start:]) for start in range(len(words)))
