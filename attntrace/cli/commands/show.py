"""attntrace show: the page of a saved run, without the model; or one tensor, row or number of it."""
import click

from attntrace.cli import click_words
from attntrace.cli.exit_codes import DONE
from attntrace.cli.formats import PageOptions, quoted, writer_of
from attntrace.cli.options import Selection, from_option, no_file, run_page_options, selection_options, view_options
from attntrace.cli.output import destination
from attntrace.cli.subject import write
from attntrace.cli.values import Known, step_addresses
from attntrace.messages.errors import Problem
from attntrace.tracing.addresses import Cell, cell_name, find_address, matches
from attntrace.writers import DATA


@click_words.command("show")
@click.argument("place", required=False, type=Known(step_addresses), metavar="[ADDRESS[:ROW[,COLUMN]]]",
                callback=no_file)
@from_option(required=True)
@selection_options
@view_options
@run_page_options
def command(place: str | None, saved_run: str, selection: Selection, page: PageOptions) -> int:
    from attntrace.files.archive import opened, tensor_from
    with opened(saved_run) as archive:
        if place is None:
            archive.check_seal()
            from attntrace.runs.saved import saved_subject
            return write(saved_subject(archive), selection, page, f"--from {quoted(saved_run)}")
        from attntrace.pages.blocks import try_next
        from attntrace.pages.view import alone  # of one tensor, row or number: nothing else is read
        for name in ("only", "layer", "head", "token", "form"):
            if getattr(selection, name):
                raise Problem("place_with", place=place, option=f"--{name}")
        cell = Cell.read(place)
        names = dict.fromkeys(archive.tensors)
        known = names if matches(cell.address, names) else archive.symbols()
        cell = cell.with_row(known)
        address = find_address(cell.address, known)
        with archive.sense():
            record = archive.record(address)
            tensor = tensor_from(record, archive.value(record), archive.axes)
        index = cell.index_in(tensor.axes, address)
        if page.is_data:
            with destination(page.output, page.pager) as out:
                DATA[page.format].load().alone(out, tensor, address, index, selection.precision)
        else:
            with writer_of(page) as writer:
                view = selection.view(archive.header.get("pencil"), writer.out.isatty() and page.is_text)
                writer(alone(tensor, address, index, view))
                if len(index) < len(tensor.axes):  # a number stands alone, for programs
                    number = cell_name(address, (*index, *(0,) * (len(tensor.axes) - len(index))))
                    writer(try_next([f"why {number} --from {quoted(saved_run)}", f"explain {address}"]))
    return DONE
