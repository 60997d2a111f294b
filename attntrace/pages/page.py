"""The page of a run, of a training step or of a translation: sheets of blocks, in order."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from attntrace.messages.errors import Problem
from attntrace.pages.architecture import architecture
from attntrace.pages.blocks import Answer, Block
from attntrace.pages.forms import FORMS
from attntrace.pages.overview import run_closing, run_overview, training_step_closing, training_step_overview
from attntrace.pages.view import View
from attntrace.runs.run import BACKPROP, TRACE, TRANSLATE, Run, Subject
from attntrace.tracing.trace import Fingerprint, Sink, tee

if TYPE_CHECKING:  # modules that the page of a run does not need
    from attntrace.pages.checks import GradientCheck
    from attntrace.runs.decoding import Decoding
    from attntrace.runs.training_step import TrainingStep


Show = Callable[[Iterable[Block]], None]


def last_numbers(subject: Subject, view: View) -> list[tuple[int, ...]]:
    """The numbers of the last stage of each part, and of the last step of a translation: by a run that shows
    nothing."""
    form = FORMS["vector"](view._replace(selected=frozenset()), lambda blocks: None, ())
    small: Any = subject.small()
    steps = [(len(list(small.steps(form))),)] if subject.kind == TRANSLATE else []
    if not steps:
        small(form)
    return [*((FORMS[name].part, form.stage.number) for name in view.forms), *steps]


class Page:
    """Shows each sheet of a subject's page. `count`: a sink for the steps on the way; `differences`: checks of
    gradients. Afterwards, `failed`: whether a check failed; `result`: blocks to write after the sheets."""

    def __init__(self, subject: Subject, view: View, show: Show,
                 count: Sink | None = None, differences: GradientCheck | None = None) -> None:
        explained: set[str] = set()  # in any form
        checks = [] if differences is None else [differences]
        self.subject, self.view, self.show = subject, view, show
        parameters = subject.run.parameters.by_name
        self.forms = [FORMS[name](view, show, parameters, explained, *checks) for name in view.forms]
        self.fingerprint = Fingerprint()  # of the first form's run: the next one is the same
        self.drift = subject.drift()
        self.sink = tee(differences and differences.watch, self.drift, count)
        self.disagrees = False  # a decoding with one teacher-forced pass
        self.result: list[Block] = []

    def __call__(self) -> None:
        sheets: dict[str, Callable[[Any], Iterator[Iterable[Block]]]] = {
            TRACE: self.of_run, BACKPROP: self.of_training_step, TRANSLATE: self.of_translation}
        for sheet in sheets[self.subject.kind](self.subject):
            self.show(sheet)

    def write_forms(self) -> None:
        """Show the steps in each form, by a run of its own. Raises Problem where nothing was selected."""
        for form in self.forms:
            self.subject(tee(form, self.sink, None if self.fingerprint.steps else self.fingerprint))
            form.close()
        if not any(form.region is not None for form in self.forms):
            raise Problem("nothing_selected")

    @property
    def failed(self) -> bool:
        return self.disagrees or any(form.failed for form in self.forms)

    def of_run(self, run: Run) -> Iterator[Iterable[Block]]:
        """What goes in, the steps, the fingerprint."""
        yield chain([architecture(run, beside=True)], run_overview(run))
        self.write_forms()
        yield run_closing(run, self.fingerprint, self.drift, is_result=True)

    def of_training_step(self, training_step: TrainingStep) -> Iterator[Iterable[Block]]:
        """What goes in and what should come out, the steps, the loss after the update, the fingerprint."""
        yield chain([architecture(training_step, beside=True)], training_step_overview(training_step))
        self.write_forms()
        yield training_step_closing(training_step)
        yield run_closing(training_step.run, self.fingerprint, self.drift)

    def of_translation(self, decoding: Decoding) -> Iterator[Iterable[Block]]:
        """What goes in, the selected steps, each step of the decoding; the result is the translation."""
        from attntrace.pages.translation import TranslationPage, translation_overview
        translation = TranslationPage(decoding, self.view.precision)
        yield chain([architecture(decoding, beside=True)], translation_overview(decoding.run))
        if self.view.selected is not None or self.view.tokens:
            self.write_forms()
            yield run_closing(decoding.run, self.fingerprint)
        yield from translation.sheets()
        self.disagrees = translation.failed
        self.result = [Answer(translation.translation, is_words=True, apart=True)]
