"""attntrace emit: a run as a script for NumPy or PyTorch."""
from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attntrace.cli import click_words, options
from attntrace.cli.formats import quoted
from attntrace.cli.languages import current_languages, rendered
from attntrace.cli.output import binary, check_place, destination
from attntrace.cli.subject import settled
from attntrace.cli.values import Among
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown

if TYPE_CHECKING:
    from attntrace.runs.run import Run

LIBRARIES = "numpy", "torch"
WEIGHTS, GIVEN = ".weights.npz", ".given.npz"  # endings of the files that are written beside a script
LONGEST = 60  # characters of the path of a weights file that a script names


@click_words.command("emit")
@options.sentence_argument
@click_words.option("--as", "library", type=Among(LIBRARIES), default=LIBRARIES[0], stands_for=LIBRARIES[0],
                    text="emit_as")
@click_words.option("-o", "output", metavar="FILE.py", type=click.Path(), text="emit_output")
@options.target_option
@options.unrounded_options
def command(model: options.ModelOptions, library: str, output: str | None) -> None:
    if output is not None and output != "-" and not output.lower().endswith(".py"):
        raise Problem("emit_place", file=shown(output))
    place = None if output in (None, "-") else output
    model = settled(model)
    run = model.prepared(model.sentence)
    from attntrace.writers.script import script
    from attntrace.writers.script.wiring import arrays
    weights = own_weights(run, model.weights, place)
    needed = [WEIGHTS] * (weights is None) + [GIVEN] * bool(arrays(run))
    text = script(run, library, weights or beside(WEIGHTS), beside(GIVEN), current_languages())
    if place is not None:
        write_files(run, place, needed)
    with destination(place) as out:
        out.write(text)
    lines = text.count("\n")
    if place is not None:
        click.echo(rendered(Message("messages.emitted", file=shown(place), lines=lines, command=quoted(place))))
    elif needed:
        files = ", ".join(f"NAME{ending}" for ending in needed)
        click.echo(rendered(Message("messages.emit_files", files=files)), err=True)


def beside(ending: str) -> str:
    """The path of a file beside the script, in the script."""
    return f'Path(__file__).with_suffix("{ending}")'


def own_weights(run: Run, weights: str | None, place: str | None) -> str | None:
    """The path of the weights file of a run, in the script; None where its parameters are in no file of NumPy that
    stays where it is."""
    from attntrace.files.weights import SHIPPED
    if weights is None or weights in SHIPPED or run.edits or not weights.lower().endswith(".npz"):
        return None
    try:
        path = os.path.relpath(weights, os.path.dirname(place or "") or os.curdir)
    except ValueError:  # on another drive
        return None
    return None if len(path) > LONGEST else f"Path(__file__).parent / {Path(path).as_posix()!r}"


def write_files(run: Run, place: str, endings: list[str]) -> None:
    """Write the files that a script needs and that are not there, beside it."""
    files = {ending: str(Path(place).with_suffix(ending)) for ending in endings}
    for file in (place, *files.values()):
        check_place(file)
    for ending, file in files.items():
        with binary(file) as out:
            if ending == WEIGHTS:
                from attntrace.files.weights import save
                save(out, run.config, run.vocabularies, run.parameters)
            else:
                from attntrace.files.arrays import archived
                from attntrace.writers.script.wiring import arrays
                out.write(archived(arrays(run)))
