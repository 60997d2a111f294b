"""What a shell may offer for what has been typed so far; the context's `obj` then knows the run that is asked for."""
from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from attntrace.cli.values import Text
from attntrace.messages.errors import Problem

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from attntrace.runs.run import Run


class Weights(click.Path):
    """A file of weights, or the name of those that come with attntrace."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from attntrace.files.weights import SHIPPED
        shipped = [CompletionItem(name) for name in SHIPPED if name.startswith(incomplete)]
        return shipped + super().shell_complete(ctx, param, incomplete)


class Address(Text):
    """The address of a step of the run that the command line asks for so far."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem
        with suppress(Problem, OSError):
            return [CompletionItem(address) for address in beginning(incomplete, self.known(ctx))]
        return []

    def known(self, ctx: click.Context) -> list[str]:
        if ctx.params.get("saved_run") is not None:
            from attntrace.files.archive import opened
            with opened(ctx.params["saved_run"]) as archive:
                return archive.names
        addresses: list[str] = ctx.obj.run_so_far(ctx).addresses()
        return addresses


class Head(Address):
    """The address of a head."""

    def known(self, ctx: click.Context) -> list[str]:
        scores = [address for address in forward(ctx).addresses() if address.endswith(".scores")]
        return [address.removesuffix(".scores") for address in scores]


class Parameter(Address):
    """The name of a parameter."""

    def known(self, ctx: click.Context) -> list[str]:
        return list(forward(ctx).parameters.by_name)


def forward(ctx: click.Context) -> Run:
    """The run that is asked for so far; that of a training step or a translation, which goes once through the model."""
    from attntrace.runs.run import Run
    told = ctx.obj.run_so_far(ctx)
    found: Run = told if isinstance(told, Run) else told.run
    return found


class Topic(Text):
    """What attntrace explain knows."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from attntrace.pages.topics import TOPICS
        return [CompletionItem(name) for name in beginning(incomplete, TOPICS)]


def beginning(typed: str, addresses: Iterable[str]) -> list[str]:
    """The addresses that begin so; where none does, ends of addresses, from a dot on."""
    known = list(addresses)
    whole = [address for address in known if address.startswith(typed)]
    ends = (".".join(address.split(".")[n:]) for address in known for n in range(1, address.count(".") + 1))
    return whole or list(dict.fromkeys(end for end in ends if end.startswith(typed)))
