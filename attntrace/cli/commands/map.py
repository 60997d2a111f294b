"""attntrace map: attention weights as pictures."""
from attntrace.cli import click_words, options
from attntrace.cli.formats import PageOptions, on_sheets, writer_of
from attntrace.cli.subject import write_saved_run
from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.tracing.addresses import MEAN_WEIGHTS, Address
from attntrace.writers import PAGES, PICTURES


@click_words.command("map")
@options.sentence_argument
@options.model_options
@options.selection_options
@options.precision_option(stands_for=2)
@options.save_option
@options.page_options_of(*PAGES, *PICTURES)
def command(model: options.ModelOptions, selection: options.Selection, page: PageOptions) -> None:
    model = selection.asked(model).read()
    run = model.prepared(model.sentence)
    selected = selection.addresses(run)
    if selected is not None and not any(Address.of(address).name in ("weights", MEAN_WEIGHTS) for address in selected):
        raise Problem("no_weights_selected")
    write_saved_run(run, page)
    from attntrace.pages.answer import RunAnswer, remarks, title
    from attntrace.pages.blocks import Prose
    from attntrace.pages.numbers import MAP_DECIMALS
    from attntrace.pages.overview import drift_note
    from attntrace.pages.stages import AttentionMaps, rows_of_maps
    from attntrace.tracing.trace import tee
    decimals, drift = selection.decimals(run.pencil, MAP_DECIMALS), run.drift()
    answer = RunAnswer(run, options.typed(model))
    with writer_of(page) as writer:
        maps = AttentionMaps(writer, selected, decimals, asked=selection.precision is not None)
        is_decoder = run.target is not None and not run.config.architecture.is_attention
        hints = not (page.big and on_sheets(page, writer.out))
        writer([title("map", run)._replace(has_result=False), Prose(Message("messages.map_legend")),
                *rows_of_maps(selected or run.addresses(), is_decoder, run.config.causal or any(run.masks[:2])),
                *remarks(run, hints=hints)])
        run(tee(maps, drift, answer))
        maps.close()
        writer([*(drift_note(run, drift) if drift else ()), *(answer.next("map") if page.format in PAGES else ())])
