"""What a shell offers for what has been typed so far: the context's `obj` then knows the subject of a command line."""
from collections.abc import Callable, Iterable
from contextlib import suppress

import click
from click.shell_completion import CompletionItem

from attntrace.cli.values import InputFile, Text
from attntrace.messages.errors import Problem
from attntrace.tracing.addresses import Address


class Weights(InputFile):
    """A file of weights, or the name of those that come with attntrace."""

    def located(self, value: str) -> str:
        from attntrace.files.weights import located
        return str(located(value))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from attntrace.files.weights import SHIPPED
        shipped = [CompletionItem(name) for name in SHIPPED if name.startswith(incomplete)]
        return shipped + super().shell_complete(ctx, param, incomplete)


class Known(Text):
    """One of the names that are `known` on a command line, which a shell offers."""

    def __init__(self, known: Callable[[click.Context], Iterable[str]]) -> None:
        self.known = known

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        with suppress(Problem, OSError):
            return [CompletionItem(name) for name in beginning(incomplete, self.known(ctx))]
        return []


def step_addresses(ctx: click.Context) -> Iterable[str]:
    """The addresses of the steps of the command line's subject."""
    if ctx.params.get("saved_run") is not None:
        from attntrace.files.archive import opened
        with opened(ctx.params["saved_run"]) as archive:
            return archive.names
    return list(ctx.obj.subject_so_far(ctx).addresses())


def head_addresses(ctx: click.Context) -> Iterable[str]:
    """The addresses of its heads."""
    addresses = map(Address.of, ctx.obj.subject_so_far(ctx).run.addresses())
    return [address.place for address in addresses if address.name == "scores"]


def parameter_names(ctx: click.Context) -> Iterable[str]:
    return list(ctx.obj.subject_so_far(ctx).run.parameters.by_name)


def beginning(typed: str, names: Iterable[str]) -> list[str]:
    """The addresses that start with what was typed; where none does, tails of addresses (after a dot) that do."""
    known = list(names)
    whole = [address for address in known if address.startswith(typed)]
    ends = (address.last(n) for address in map(Address.of, known) for n in range(len(address.parts) - 1, 0, -1))
    return whole or list(dict.fromkeys(end for end in ends if end.startswith(typed)))
