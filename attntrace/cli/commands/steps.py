"""attntrace steps: the table of contents of a trace."""
from attntrace.cli import click_words
from attntrace.cli.formats import PageOptions, writer_of
from attntrace.cli.options import ModelOptions, model_options, page_options_of, quiet_option, sentence_argument, typed
from attntrace.cli.subject import settled
from attntrace.messages.catalog import Message
from attntrace.writers import PAGES, PICTURES


@click_words.command("steps")
@sentence_argument
@model_options
@quiet_option
@page_options_of(*PAGES, *PICTURES)
def command(model: ModelOptions, page: PageOptions) -> None:
    model = settled(model)
    run = model.prepared(model.sentence)
    from attntrace.pages.answer import RunAnswer, title
    from attntrace.pages.architecture import architecture
    from attntrace.pages.blocks import Formula, Prose, Result, Table, try_next
    from attntrace.pages.overview import drift_note, pencil_rule
    from attntrace.pages.view import whole_formula
    from attntrace.tracing.trace import Step, tee
    with writer_of(page) as writer:
        rows: list[tuple[str | Formula, ...]] = []
        sizes: list[int] = []

        def sink(step: Step) -> None:
            sizes.append(step.value.size)
            shape = " × ".join(map(str, step.value.shape))
            rows.append((step.address, whole_formula(step), shape, f"{step.value.size:,}"))

        drift = run.drift()
        run(tee(sink, drift))
        headings = tuple(Message(f"messages.{name}") for name in ("address", "formula", "shape", "numbers"))
        total = Message("messages.steps_total", steps=f"{len(rows):,}", numbers=f"{sum(sizes):,}",
                        parameters=f"{run.parameters.vector.size:,}")
        writer([title("steps", run), Result((Prose(total),)), architecture(run),
                Table(headings, tuple(rows), right=(2, 3), apart=True),
                *pencil_rule(run), *(drift_note(run, drift) if drift else ())])
        if page.format in PAGES:
            again, head = typed(model), f"{RunAnswer(run).place}.head1"
            writer(try_next([f'trace {again} --only "{head}.*"', f"why {head}.scores:1,1 {again}",
                             f"explain {head}.scores"]))
