"""The command line. `answered` turns wrong input (a Problem, a usage error) into one line and exit code 2. `run` does
so with a full disk, and handles closed pipes, which nothing else does. A bug stays a traceback."""
import importlib
import io
import os
import sys

import click

from attntrace.cli.click_words import GENERAL, Group, Option
from attntrace.cli.exit_codes import DONE, INTERRUPTED, WRONG_INPUT
from attntrace.cli.languages import CommandLine, rendered
from attntrace.messages.catalog import Message, Text, in_a_line
from attntrace.messages.errors import Problem, refusal
from attntrace.version import __version__
from attntrace.writers.terminal_width import clean_sizes, columns

WIDEST_HELP = 100
NO_ROOM = "failed to map segment"  # what the system says of a library for which there is no memory
COMPLETE = "_ATTNTRACE_COMPLETE"  # the variable by which a shell asks for completions
COMPLETIONS = tuple(f"{shell}_{what}" for shell in ("bash", "zsh", "fish") for what in ("source", "complete"))
COMMANDS = ("trace", "map", "play", "steps", "explain", "why", "translate", "backprop", "train", "compare", "check",
            "show", "diff", "verify", "emit", "weights", "worksheet", "mark", "quiz")  # each a module in cli/commands


class Commands(Group):
    """Commands, each imported when it is used.

    Their products of matrices take one thread: beside another busy program, two wait for each other up to 35 times as
    long as one takes, and the last bit of a sum depends on their number. OMP_NUM_THREADS is what OpenBLAS and MKL read
    after settings of their own; `train` chooses by the size of its model."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def short_help_of(self, ctx: click.Context, name: str) -> str:
        """The line in the list of commands, without importing the command."""
        return rendered(Message(f"help.{name}_short"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        if name != "train":
            os.environ.setdefault("OMP_NUM_THREADS", "1")
        command: click.Command = importlib.import_module(f"attntrace.cli.commands.{name}").command
        return command


@click.group(cls=Commands, text="attntrace", invoke_without_command=True,
             context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="attntrace", message="%(prog)s %(version)s", cls=Option, text="version",
                      group=GENERAL)
@click.pass_context
def attntrace(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code. A full disk, a closed pipe, Ctrl-C and lack of memory end here."""
    if sys.stdout is None:  # closed by the caller
        sys.stdout = ClosedOutput()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a word that the output cannot show never crashes it
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # else its worker spins after NumPy's import
    clean_sizes()
    line = CommandLine(arguments)
    try:
        code = answered(arguments, line)
        sys.stdout.flush()
        return code
    except (MemoryError, ImportError) as error:
        if isinstance(error, ImportError) and NO_ROOM not in str(error):
            raise
        let_go_of_output()
        return complain(Message("problem.no_memory"), line)
    except BrokenPipeError:
        let_go_of_output()
        return DONE  # a reader that has seen enough is no error
    except (KeyboardInterrupt, click.Abort):
        let_go_of_output()
        return INTERRUPTED
    except RuntimeError as error:  # what Python makes of Ctrl-C while it reads a module that defines a class
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        return INTERRUPTED
    except OSError as error:
        let_go_of_output()
        return complain(Message("problem.output_full", why=refusal(error)), line)


def answered(arguments: list[str], line: CommandLine) -> int:
    """Run a command line and return its exit code: 2 for wrong input, whose message follows all output."""
    try:
        return completed() if os.environ.get(COMPLETE) else invoked(arguments, line)
    except Problem as problem:
        message: Text = problem.message
    except click.UsageError as error:
        from attntrace.cli.values import misused
        command = error.ctx.command_path if error.ctx is not None else "attntrace"
        message = Message("problem.usage", message=misused(error), command=command)
    except click.ClickException as error:
        message = error.format_message()
    sys.stdout.flush()
    return complain(message, line)


def invoked(arguments: list[str], line: CommandLine) -> int:
    """Parse the arguments and call the command. Click's own main would end a closed pipe with exit code 1."""
    try:
        width = min(columns(WIDEST_HELP), WIDEST_HELP)
        with attntrace.make_context("attntrace", list(arguments), terminal_width=width, obj=line) as ctx:
            code = attntrace.invoke(ctx)
        return code if isinstance(code, int) else DONE
    except click.exceptions.Exit as done:
        return done.exit_code


def completed() -> int:
    """Print what a shell requests: completions, or the script that binds it to them."""
    from click.shell_completion import shell_complete

    from attntrace.cli.subject import subject_so_far
    request = os.environ[COMPLETE]
    if request not in COMPLETIONS:
        raise Problem("no_such_completion", asked=request, known=", ".join(COMPLETIONS))
    line = CommandLine(os.environ.get("COMP_WORDS", "").split(), subject_so_far)
    try:
        with click.Context(attntrace, obj=line):
            return shell_complete(attntrace, {"obj": line}, "attntrace", COMPLETE, request)
    except (KeyError, ValueError):  # a shell that does not say what was typed
        return DONE


class ClosedOutput(io.StringIO):
    """A closed standard output. Raises Problem where something is written to it."""
    encoding = "utf-8"

    def write(self, text: str) -> int:
        raise Problem("output_closed")


def complain(message: Text, line: CommandLine) -> int:
    """Print one line on standard error, with nothing in it that moves a terminal's cursor."""
    from attntrace.messages.unicode import shown  # only now: a help text needs none of it
    try:
        if sys.stderr is not None:
            text = " ".join(in_a_line(message, line.languages).split())
            print(f"attntrace: {shown(text)}", file=sys.stderr, flush=True)
    except OSError:
        pass
    return WRONG_INPUT


def let_go_of_output() -> None:
    """Point standard output at the null device, so that Python's last flush cannot fail."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass  # standard output is closed, or no file: nothing is flushed to it then
