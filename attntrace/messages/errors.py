"""The one exception for input that is wrong, and the reason that the system gives for refusing something."""
import errno
from functools import partial
from typing import Any

from attntrace.messages.catalog import FirstOf, Message, Text, default_languages, in_a_line


class Problem(Exception):
    """Bad input: the key of its sentence in `problem.toml`, and the facts that fill it.

    The command line renders `message` in the languages that it was asked for; `str()` is for notebooks."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key, facts)
        self.key = key
        self.facts = facts

    def __reduce__(self) -> tuple[Any, ...]:
        """Come back from another process, which unpickles it."""
        return partial(type(self), self.key, **self.facts), ()

    @property
    def message(self) -> Message:
        """A fact that is blank stands in quotes."""
        return Message(f"problem.{self.key}", **{
            name: f'"{fact}"' if isinstance(fact, str) and not fact.strip() else fact
            for name, fact in self.facts.items()})

    def __str__(self) -> str:
        return in_a_line(self.message, default_languages())


def refusal(error: OSError) -> Text:
    """Why the system refused something: in our words where it often does, else in its own."""
    return FirstOf([Message(f"problem.why.system.{errno.errorcode.get(error.errno or 0)}")],
                   error.strerror or str(error))
