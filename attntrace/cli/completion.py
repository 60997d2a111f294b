"""What a shell may offer for what has been typed so far."""
from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from attntrace.cli.values import Text
from attntrace.errors import Problem

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from attntrace.decoding import Decoding
    from attntrace.lessons import Lesson
    from attntrace.run import Run


class Weights(click.Path):
    """A file of weights, or the name of those that come with attntrace."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem
        from attntrace.weights_file import SHIPPED
        shipped = [CompletionItem(name) for name in SHIPPED if name.startswith(incomplete)]
        return shipped + super().shell_complete(ctx, param, incomplete)


class Address(Text):
    """The address of a step of the run that the command line asks for so far."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem
        with suppress(Problem, OSError):
            return [CompletionItem(address) for address in beginning(incomplete, self.known(ctx.params))]
        return []

    def known(self, given: dict[str, Any]) -> list[str]:
        if given.get("saved_run") is not None:
            from attntrace.archive import opened
            with opened(given["saved_run"]) as archive:
                return archive.names
        return asked(given).addresses()


class Head(Address):
    """The address of a head."""

    def known(self, given: dict[str, Any]) -> list[str]:
        scores = [address for address in super().known(given) if address.endswith(".scores")]
        return [address.removesuffix(".scores") for address in scores]


class Parameter(Address):
    """The name of a parameter."""

    def known(self, given: dict[str, Any]) -> list[str]:
        from attntrace.run import Run
        told = asked(given)
        return list((told if isinstance(told, Run) else told.run).parameters.names)


class Topic(Text):
    """What attntrace explain knows."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from attntrace.topics import TOPICS
        return [CompletionItem(name) for name in beginning(incomplete, TOPICS)]


def beginning(typed: str, addresses: Iterable[str]) -> list[str]:
    """The addresses that begin so; where none does, ends of addresses, from a dot on."""
    known = list(addresses)
    whole = [address for address in known if address.startswith(typed)]
    ends = (".".join(address.split(".")[n:]) for address in known for n in range(1, address.count(".") + 1))
    return whole or list(dict.fromkeys(end for end in ends if end.startswith(typed)))


def asked(given: dict[str, Any]) -> Run | Lesson | Decoding:
    """The run that is asked for so far, changed by nothing: a training step or a translation where the command is of
    one; of the example, where there is no sentence, or none that Click has come to."""
    from attntrace.cli.options import CHANGES, MODEL
    from attntrace.cli.subjects import EXAMPLE, lesson_of, run_of
    options = dict.fromkeys((*MODEL, "weights", "input", "pencil", "target", "optimizer", "lr", "label_smoothing"))
    options |= given | dict.fromkeys(CHANGES, ())
    words = tuple(given.get("sentence") or ())
    if "max_length" in given:
        from attntrace.cli.translate import translator
        from attntrace.decoding import Decoding
        return Decoding(translator(words[0] if words else EXAMPLE[0], options), given["max_length"])
    if "source" in given:
        return lesson_of(() if given["source"] is None else (given["source"],), options)
    if "depth" in given and (not words or options["target"] is not None):  # why, which knows gradients as well
        return lesson_of(words, options)
    return run_of(words or EXAMPLE[:1], options)
