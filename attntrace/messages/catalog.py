"""Which sentence a key stands for in a language, and how messages become text: one TOML file a language and kind."""
import functools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

FOLDER = os.path.dirname(__file__)
# What the files of messages use of TOML: a [section], or a key with a text of several lines or of one.
ENTRY = re.compile(r'^\[(.+)\]$|^(\S+) = (?:"""\n?((?s:.+?))"""|"(.*)")$', re.M)

ONE_OR_MORE = re.compile(r"\{(\w+):([^{}|]*)\|([^{}|]*)\}")  # `{steps:step|steps}`: the word that fits the number


class Language(NamedTuple):
    """What a language has besides its sentences: its own name; a regular expression of its locales, in lower case; a
    range of letters that no other language has; fonts for these; a regular expression of what a word may end in and
    still be the same word: particles, for example; and one of what begins no line."""
    name: str
    locales: str
    letters: str
    fonts: str
    endings: str = ""
    unbroken: str = ""


DEFAULT = "en"
EXAMPLE = ("어제 카페 갔었어", "I went to the cafe yesterday")  # of the documents, and where no sentence is given
BOTH, TWO = "both", ("ko", "en")
VARIABLE = "ATTNTRACE_LANG"  # the environment variable that names a language, or both
BESIDE = " / "  # between two languages in one line


class Localized:
    """A text for people that is not yet in any language."""

    def render(self, language: str) -> str:
        raise NotImplementedError

    def __str__(self) -> str:
        raise AssertionError("a message has no text until it is rendered in a language")


Text = str | Localized  # a plain string is the same in all languages


class Message(Localized):
    """The key of a template and the facts for its slots, which may be messages themselves. A slot with two words
    chooses one of them: the first if the fact is 1."""

    def __init__(self, key: str, /, **facts: object) -> None:
        self.key, self.facts = key, facts

    def render(self, language: str) -> str:
        facts = {name: fact.render(language) if isinstance(fact, Localized) else fact
                 for name, fact in self.facts.items()}
        text = template(language, self.key)
        if "|" in text:
            text = ONE_OR_MORE.sub(lambda found: found[2 if str(facts[found[1]]) == "1" else 3], text)
        return text.format(**facts)


class Joined(Localized):
    """Texts one after another, with `between` between them."""

    def __init__(self, between: str, parts: Iterable[Text]) -> None:
        self.between, self.parts = between, tuple(parts)

    def render(self, language: str) -> str:
        return self.between.join([render(part, language) for part in self.parts])


def alternatives(choices: Iterable[object]) -> Text:
    """Join choices in the reader's language: `1, 2, 4 or 8`."""
    texts = list(map(str, choices))
    if len(texts) < 2:
        return "".join(texts)
    return Joined(" ", [", ".join(texts[:-1]), Message("messages.or"), texts[-1]])


class FirstOf(Localized):
    """The first of some messages that has a template, else another text."""

    def __init__(self, messages: Iterable[Message], otherwise: Text) -> None:
        self.messages, self.otherwise = tuple(messages), otherwise

    def render(self, language: str) -> str:
        known = (message for message in self.messages if has_template(language, message.key))
        return render(next(known, self.otherwise), language)


def most_specific(kind: str, place: Sequence[str], name: str, otherwise: Text, **facts: object) -> FirstOf:
    """The message of the most specific key: of `decoder.cross_attention.query`, `cross_attention.query`, `query`."""
    return FirstOf([Message(f"{kind}.{end}", **facts) for end in ends([*place, name])], otherwise)


def ends(words: Sequence[str]) -> Iterator[str]:
    """Yield a.b.c, b.c, c for the words a, b, c."""
    return (".".join(words[start:]) for start in range(len(words)))


def render(text: Text, language: str) -> str:
    return text if isinstance(text, str) else text.render(language)


def versions(languages: Iterable[str], *texts: Text) -> list[tuple[str, ...]]:
    """Texts that belong together, in each of the languages; once where these do not differ."""
    rendered = [tuple([render(text, language) for text in texts]) for language in languages]
    return rendered if len(rendered) > 1 and len(set(rendered)) > 1 else rendered[:1]


def in_languages(text: Text, languages: Iterable[str], between: str | None = None) -> str:
    """A text in several languages with `between` between them; by default side by side, or below each other where
    there are whole sentences or several lines."""
    if isinstance(text, str):
        return text
    rendered = [one for one, in versions(languages, text)]
    needs_lines = any("\n" in one or " " in one and one.endswith(".") and not one.endswith("...") for one in rendered)
    return (between or ("\n" if needs_lines else BESIDE)).join(rendered)


def in_a_line(text: Text, languages: Iterable[str]) -> str:
    return in_languages(text, languages, BESIDE)


def named_languages(name: str) -> tuple[str, ...]:
    """The languages that a name of one, or `both`, stands for."""
    return TWO if name == BOTH else (name,)


def default_languages() -> tuple[str, ...]:
    """Those of the environment variable; English where it names none."""
    asked = os.environ.get(VARIABLE, "").strip().lower()
    return named_languages(asked if asked in (*LANGUAGES, BOTH) else DEFAULT)


def template(language: str, key: str) -> str:
    """The sentence of a key such as `problem.empty_sentence`, its slots empty. Raises KeyError."""
    kind, _, rest = key.partition(".")
    return _table(language, kind)[rest]


def has_template(language: str, key: str) -> bool:
    kind, _, rest = key.partition(".")
    return rest in _table(language, kind)


@functools.cache
def _table(language: str, kind: str) -> dict[str, str]:
    """All sentences of a file by key; those of a section as `section.key`. Read here and not by tomllib, which would
    take 8 ms of a start."""
    table, before = {}, ""
    with open(os.path.join(FOLDER, language, f"{kind}.toml"), encoding="utf-8") as file:
        for section, key, lines, line in ENTRY.findall(file.read()):
            if section:
                before = section.strip('"') + "."
            else:
                table[before + key.strip('"')] = (lines or line).replace('\\"', '"').replace("\\b", "\b")
    return table


# The first that a locale asks for, and whose letters can be shown, is taken; else DEFAULT.
LANGUAGES = {name: Language(**_table(name, "language"))
             for name in sorted(os.listdir(FOLDER), key=lambda name: (name == DEFAULT, name))
             if os.path.exists(os.path.join(FOLDER, name, "language.toml"))}
