"""What is wrong with a command line that Click could not parse, in our words."""
from __future__ import annotations

import click

from attntrace.cli.values import nearest
from attntrace.prose import sentence


def misused(error: click.UsageError) -> str:
    params = error.ctx.command.get_params(error.ctx) if error.ctx is not None else []
    options = [param for param in params if isinstance(param, click.Option)]
    known = [name for option in options for name in (*option.opts, *option.secondary_opts)]
    if isinstance(error, click.NoSuchOption):
        return sentence("problem.why.no_such_option", option=error.option_name,
                        near=nearest(error.option_name, known or ["--help"]))
    if isinstance(error, click.MissingParameter) and error.param is not None:
        named = error.param.metavar or str(error.param.name).upper()
        return sentence("problem.why.missing",
                        name=error.param.opts[0] if isinstance(error.param, click.Option) else named)
    if isinstance(error, click.BadOptionUsage):
        takes_none = any(option.is_flag and error.option_name in (*option.opts, *option.secondary_opts)
                         for option in options)
        return sentence(f"problem.why.{'no_value' if takes_none else 'value'}", option=error.option_name)
    return error.format_message().rstrip(".")
