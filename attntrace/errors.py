"""The one exception for input that is wrong, and two that a run meets inside."""


class Problem(Exception):
    """Bad input, named by the key of its sentence in `prose/` and the facts that fill it.

    Whoever meets a person (the command line) looks the sentence up; a notebook sees it through `str()`.
    """

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key, facts)
        self.key = key
        self.facts = facts

    def __str__(self) -> str:
        from attntrace.prose import sentence  # only when it is read: the sentences are files
        facts = {name: fact if fact != "" and str(fact).strip() else f'"{fact}"' for name, fact in self.facts.items()}
        return sentence(f"problem.{self.key}", **facts)


class Misfit(TypeError):
    """Two tensors whose axes do not fit: a mistake in the wiring, never in the input."""

    def __init__(self, what: str, *tensors: object) -> None:
        super().__init__(f"{what}: " + ", ".join(map(repr, tensors)))


class NeedsAll(Exception):
    """A slice along this axis cannot be made from slices: every number depends on all of them (softmax along key)."""
