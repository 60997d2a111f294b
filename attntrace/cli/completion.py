"""What a shell offers for what has been typed so far. The context's `obj` is then the function that returns the subject
of the command line."""
from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from attntrace.cli.values import InputFile, Text
from attntrace.messages.errors import Problem

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Weights(InputFile):
    """A file of weights, or the name of those that come with attntrace."""

    def located(self, value: str) -> str:
        from attntrace.files.weights import located
        return str(located(value))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from attntrace.files.weights import SHIPPED
        shipped = [CompletionItem(name) for name in SHIPPED if name.startswith(incomplete)]
        return shipped + super().shell_complete(ctx, param, incomplete)


class Known(Text):
    """One of some names, which a shell offers."""

    def known(self, ctx: click.Context) -> Iterable[str]:
        raise NotImplementedError

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem
        with suppress(Problem, OSError):
            return [CompletionItem(name) for name in beginning(incomplete, self.known(ctx))]
        return []


class Address(Known):
    """The address of a step of the command line's subject."""

    def known(self, ctx: click.Context) -> Iterable[str]:
        if ctx.params.get("saved_run") is not None:
            from attntrace.files.archive import opened
            with opened(ctx.params["saved_run"]) as archive:
                return archive.names
        addresses: list[str] = ctx.obj.subject_so_far(ctx).addresses()
        return addresses


class Head(Known):
    """The address of a head."""

    def known(self, ctx: click.Context) -> Iterable[str]:
        from attntrace.tracing.addresses import Address
        addresses = map(Address.of, ctx.obj.subject_so_far(ctx).run.addresses())
        return [address.place for address in addresses if address.name == "scores"]


class Parameter(Known):
    """The name of a parameter."""

    def known(self, ctx: click.Context) -> Iterable[str]:
        return list(ctx.obj.subject_so_far(ctx).run.parameters.by_name)


class Topic(Known):
    """A topic that attntrace explain knows."""

    def known(self, ctx: click.Context) -> Iterable[str]:
        from attntrace.pages.topics import TOPICS
        return TOPICS


def beginning(typed: str, addresses: Iterable[str]) -> list[str]:
    """The addresses that start with what was typed; where none does, tails of addresses (after a dot) that do."""
    from attntrace.tracing.addresses import Address as Parsed
    known = list(addresses)
    whole = [address for address in known if address.startswith(typed)]
    ends = (address.last(n) for address in map(Parsed.of, known) for n in range(len(address.parts) - 1, 0, -1))
    return whole or list(dict.fromkeys(end for end in ends if end.startswith(typed)))
