"""The one exception for input that is wrong, and two that a run meets inside."""
from __future__ import annotations

import errno


class Problem(Exception):
    """Bad input, named by the key of its sentence in `prose/` and the facts that fill it.

    Whoever meets a person (the command line) looks the sentence up; a notebook sees it through `str()`.
    """

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key, facts)
        self.key = key
        self.facts = facts

    def __str__(self) -> str:
        from attntrace.messages.catalog import sentence  # only when it is read: the sentences are files
        facts = {name: fact if fact != "" and str(fact).strip() else f'"{fact}"' for name, fact in self.facts.items()}
        return sentence(f"problem.{self.key}", **facts)


def refusal(error: OSError) -> str:
    """Why the system refused something: in our words where it is one of what happens often, else in its own."""
    from attntrace.messages.catalog import sentence
    try:
        return sentence(f"problem.why.system.{errno.errorcode.get(error.errno or 0)}")
    except KeyError:
        return error.strerror or str(error)
