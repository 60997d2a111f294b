"""The format of a page: the one that is asked for, or that of its file's ending."""
from __future__ import annotations

import os
from typing import Any

import click

from attntrace.cli.values import Among, nearest
from attntrace.errors import Problem
from attntrace.writers import DATA, FORMATS, TEXT


def settled(asked: str | None, output: str | None, command: click.Command) -> str:
    """The format of a page. Raises Problem where the ending of its file is that of none that the command has."""
    if asked is not None:
        return asked
    ending = os.path.splitext(output or "")[1].lower()
    has = next(param.type.known for param in command.params
               if param.name == "format" and isinstance(param.type, Among))
    known = {one: name for name in has for one in FORMATS[name].endings}
    if ending == ".npz":
        raise Problem("output_is_saved_run", file=output)
    if ending not in known:
        endings = list(filter(None, known))
        raise Problem("output_ending", file=output, ending=ending, near=nearest(ending, endings),
                      known=", ".join(endings))
    return known[ending]


def is_text(options: dict[str, Any]) -> bool:
    return bool(options["format"] == TEXT)


def is_data(options: dict[str, Any]) -> bool:
    return options["format"] in DATA
