"""attntrace weights: import, export, make and describe weights files."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from attntrace.cli.click_words import GAP, Group, cells, option
from attntrace.cli.formats import PageOptions, quoted, write_blocks, writer_of
from attntrace.cli.languages import rendered
from attntrace.cli.options import ModelOptions, architecture_options, one_sentence, page_options, sentence_argument
from attntrace.cli.output import binary, check_place
from attntrace.cli.values import POSITIVE, Among, InputFile, Text, Weights, Whole
from attntrace.messages.catalog import Localized, Message
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import ENTRIES, Config, as_option
from attntrace.writers.terminal_width import DEFAULT_WIDTH, columns

if TYPE_CHECKING:
    from attntrace.files.torch import Exported, Recognized, State
    from attntrace.files.weights import Loaded

ENDINGS = (".npz", ".safetensors")
output_option = option("-o", "output", metavar="FILE", type=click.Path(), required=True, text="weights_output")


@click.group("weights", cls=Group, text="weights_group", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@command.command("import", text="weights_import")
@click.argument("state", type=InputFile(), metavar="STATE")
@option("--heads", type=Whole(), metavar="N", text="heads_import")
@option("--norm", type=Among(("post", "pre")), default=None, stands_for="post", text="norm_import")
@option("--activation", type=Among(ENTRIES["activation"].words), default=None, stands_for="relu",
        text="activation_import")
@option("--epsilon", type=POSITIVE, metavar="X", default=None, stands_for=Config().epsilon, text="epsilon_import")
@option("--final-norm", is_flag=True, default=None, text="final_norm_import")
@option("--prefix", type=Text(), metavar="NAME")
@output_option
def import_command(state: str, heads: int | None, prefix: str | None, output: str, **wiring: Any) -> None:
    from pathlib import Path

    from attntrace.files.torch import imported, read_state
    check_output(output)
    read = read_state(Path(state))
    given = {name: value for name, value in wiring.items() if value is not None}
    model, found = imported(read, heads, prefix, **given)
    if given and found.config.architecture.is_attention:
        raise Problem("state_norm", file=state, options=", ".join(as_option(name) for name in sorted(given)))
    lines = [written(output, model), *import_lines(read, model, found, given, output)]
    click.echo("\n".join(map(rendered, lines)))


def import_lines(state: State, model: Loaded, found: Recognized, given: dict[str, Any], output: str) -> list[Message]:
    """What the import found in the file, what it assumes, and what to do next."""
    from attntrace.files.torch import HALVES, module_of
    from attntrace.pages.weights import beside_lines, facts_line, next_with_rows
    config, architecture = model.config, model.config.architecture
    lines = [Message("messages.import_module", module=module_of(found.config), facts=facts_line(state, found)),
             *beside_lines(found),
             Message("messages.import_heads", heads=config.heads)]

    def assumed(name: str) -> Message:
        return Message(f"messages.import_{name}{'_given' * (name in given)}", **{name: getattr(config, name)})

    if not architecture.is_attention:
        lines += map(assumed, ("norm", "epsilon"))
    if found.bare_norms:
        lines.append(Message("messages.import_final_norm_given", names=", ".join(found.bare_norms)))
    elif not config.final_norm and architecture.layers is None:
        lines.append(Message("messages.import_final_norm"))
    lines.append(Message("messages.import_zero_attention") if architecture.is_attention else assumed("activation"))
    if found.dtype == "float32" and found.dtypes & HALVES:
        lines.append(Message("messages.import_halves", dtypes=", ".join(sorted(found.dtypes & HALVES))))
    if found.dtype == "float64" and len(found.dtypes) > 1:
        lines.append(Message("messages.import_mixed"))
    return [*lines, next_with_rows(model, output)]


@command.command("export", text="weights_export")
@click.argument("weights", type=Weights(), metavar="FILE")
@option("--to", type=Among(("torch",)), default="torch", stands_for="torch")
@output_option
def export_command(weights: str, to: str, output: str) -> None:
    from attntrace.files.arrays import archived, serialized
    from attntrace.files.torch import exported
    from attntrace.files.weights import load, located
    check_output(output)
    model = load(located(weights))
    state = exported(model, weights)
    with binary(output) as file:
        file.write(serialized(state.arrays) if is_safetensors(output) else archived(state.arrays))
    click.echo("\n".join(map(rendered, export_lines(state, model, output))))


def export_lines(state: Exported, model: Loaded, output: str) -> list[str | Localized]:
    """What was written, what was left out, and how to make the module in Python."""
    from attntrace.files.torch import constructor, some
    lines = [Message("messages.weights_written", file=shown(output),
                     parameters=f"{sum(array.size for array in state.arrays.values()):,}")]
    if state.left_out:
        lines.append(Message("messages.export_left_out", names=some(state.left_out)))
    if model.config.adds_positions and any(model.vocabularies):
        lines.append(Message("messages.export_positions"))
    if state.zeros:
        lines.append(Message("messages.export_zeros", names=some(state.zeros)))
    return [*lines, Message("messages.export_in_python"),
            *(f"  {line}" for line in constructor(state.config, state.biases))]


@command.command("new", text="weights_new")
@sentence_argument
@option("--target", type=Text(), metavar="TEXT")
@architecture_options(Config())
@output_option
def new_command(model: ModelOptions, output: str) -> None:
    from attntrace.files.weights import Loaded
    check_output(output)
    run = model.prepared(one_sentence(model.sentence))
    click.echo(rendered(written(output, Loaded(run.config, run.vocabularies, run.parameters))))


@command.command("info", text="weights_info")
@click.argument("weights", type=Weights(), metavar="FILE")
@option("--words", is_flag=True)
@page_options
def info_command(weights: str, words: bool, page: PageOptions) -> None:
    from attntrace.pages.weights import vocabularies_of, weights_summary, word_tables
    if not words:
        write_blocks(list(weights_summary(weights, quoted)), page)
        return
    vocabularies = vocabularies_of(weights)
    with writer_of(page) as writer:
        encoding = writer.out.encoding or "utf-8"
        if page.is_text and not writer.out.isatty():  # for programs: side, id, word
            writer.out.writelines(f"{side}\t{n}\t{shown(word, encoding)}\n" for side, known in vocabularies.items()
                                  for n, word in enumerate(known, start=1))
        else:
            room = (page.width or columns(DEFAULT_WIDTH)) - GAP
            writer(word_tables(vocabularies, lambda word: room // (cells(shown(word, encoding)) + GAP)))


def is_safetensors(output: str) -> bool:
    return output.lower().endswith(".safetensors")


def check_output(output: str) -> None:
    """Raise Problem where no file of weights can be written there, before anything is read or computed."""
    if not output.lower().endswith(ENDINGS):
        raise Problem("weights_place", file=output)
    check_place(output)
    if is_safetensors(output):
        from attntrace.files.arrays import library
        library("safetensors")


def written(output: str, model: Loaded) -> Message:
    """Write a model; return what is said of it."""
    from attntrace.files.weights import save
    with binary(output) as file:
        save(file, *model, safetensors=is_safetensors(output))
    return Message("messages.weights_written", file=shown(output), parameters=f"{model.parameters.vector.size:,}")
