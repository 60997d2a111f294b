"""attntrace diff: where two saved runs differ."""
import click

from attntrace.cli import click_words
from attntrace.cli.exit_codes import CHECK_FAILED, DONE
from attntrace.cli.formats import PageOptions, quoted, write_blocks
from attntrace.cli.options import page_options, quiet_option
from attntrace.cli.values import NOT_NEGATIVE, InputFile
from attntrace.messages.errors import Problem


@click_words.command("diff")
@click.argument("a", type=InputFile(), metavar="A.npz")
@click.argument("b", type=InputFile(), metavar="B.npz")
@click_words.option("--tolerance", type=NOT_NEGATIVE, default=0.0, stands_for=0, metavar="X")
@quiet_option
@page_options
def command(a: str, b: str, tolerance: float, page: PageOptions) -> int:
    from attntrace.files.archive import opened
    from attntrace.pages.diff import Side, differing, saved
    with opened(a) as one, opened(b) as other:
        for archive in (one, other):
            archive.check_seal()
        kinds = [str(archive.header.get("kind")) for archive in (one, other)]
        if kinds[0] != kinds[1]:
            raise Problem("diff_kinds", a=a, b=b, kind_a=kinds[0], kind_b=kinds[1])
        left, right = Side.of_saved(one), Side.of_saved(other)
        parameters = list(differing(left.parameters, right.parameters, left, right, tolerance))
        steps = list(differing(left.addresses, right.addresses, left, right, tolerance))
        same = not parameters and not steps
        if same and page.is_text and page.output is None:
            return DONE  # silently, as diff does; a file is written in any case
        write_blocks(saved(quoted(a), quoted(b), parameters, steps, left, right), page)
    return DONE if same else CHECK_FAILED
