"""attntrace map: attention weights as pictures."""
from attntrace.cli import click_words, options
from attntrace.cli.formats import PageOptions, writer_of
from attntrace.cli.subject import write_saved_run
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.tracing.addresses import Address
from attntrace.writers import PAGES, PICTURES


@click_words.command("map")
@options.sentence_argument
@options.model_options
@options.selection_options
@options.precision_option(stands_for=2)
@options.save_option
@options.page_options_of(*PAGES, *PICTURES)
def command(model: options.ModelOptions, selection: options.Selection, page: PageOptions) -> None:
    run = model.prepared(model.words())
    selected = selection.addresses(run)
    if selected is not None and not any(Address.of(address).name == "weights" for address in selected):
        raise Problem("no_weights_selected")
    write_saved_run(run, page)
    from attntrace.pages.blocks import Prose
    from attntrace.pages.overview import drift_note, pencil_rule
    from attntrace.pages.stages import MAP_DECIMALS, AttentionMaps, rows_of_maps
    from attntrace.tracing.trace import tee
    decimals, drift = selection.decimals(run.pencil, MAP_DECIMALS), run.drift()
    with writer_of(page) as writer:
        maps = AttentionMaps(writer, selected, decimals, asked=selection.precision is not None)
        writer([Prose(Message("messages.map_legend")), *([rows_of_maps()] if run.target else []), *pencil_rule(run)])
        run(tee(maps, drift))
        maps.close()
        writer(drift_note(run, drift) if drift else ())
