"""The page of a run, of a training step or of a translation: sheets of blocks, in order."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from attntrace.messages.errors import Problem
from attntrace.pages.answer import RunAnswer, TrainingStepAnswer, is_saved, remarks, sentence_of, title
from attntrace.pages.architecture import architecture
from attntrace.pages.blocks import Block, Wiring
from attntrace.pages.forms import FORMS
from attntrace.pages.overview import (drift_note, fingerprint_line, run_details, training_step_details,
                                      training_step_notes)
from attntrace.pages.topics import topic_in
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
    gradients; `again`: the words of a command line that are this subject, for commands to try next; `hints`: whether
    others are shown too. `failed`, afterwards: whether a check failed."""

    def __init__(self, subject: Subject, view: View, show: Show, count: Sink | None = None,
                 differences: GradientCheck | None = None, again: str = "", hints: bool = True) -> None:
        explained: set[str] = set()  # in any form
        checks = [] if differences is None else [differences]
        self.subject, self.view, self.show, self.again, self.hints = subject, view, show, again, hints
        parameters = subject.run.parameters.by_name
        view = view._replace(topic=partial(topic_in, config=subject.run.config))
        self.forms = [FORMS[name](view, show, parameters, explained, *checks) for name in view.forms]
        self.fingerprint = Fingerprint()  # of the first form's run: the next one is the same
        self.drift = subject.drift()
        self.sink = tee(differences and differences.watch, self.drift, count)
        self.disagrees = False  # a decoding with one teacher-forced pass

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
        """What comes out, the steps, what goes in, what to try next."""
        answer = RunAnswer(run, self.again, self.view)
        yield chain([title("trace", run)._replace(has_result=False)], answer.result(), remarks(run, hints=self.hints),
                    [architecture(run, beside=True)])
        self.write_forms()
        yield chain(run_details(run, self.view.selected), self.closing(), answer.next())

    def of_training_step(self, training_step: TrainingStep) -> Iterator[Iterable[Block]]:
        """The loss before and after, the steps, what goes in and should come out, what to try next."""
        answer, run = TrainingStepAnswer(training_step, self.again, self.view.precision), training_step.run
        target = {} if run.target else {"target": sentence_of(training_step.wanted)}
        yield chain([title("backprop", run, **target)], answer.result(), remarks(run, False),
                    [architecture(training_step, beside=True)], training_step_notes(training_step))
        self.write_forms()
        yield chain(training_step_details(training_step, self.view.selected), self.closing(), answer.next())

    def of_translation(self, decoding: Decoding) -> Iterator[Iterable[Block]]:
        """The translation, the selected steps, each step of the decoding, what goes in, what to try next."""
        from attntrace.pages.translation import TranslationPage
        selects = self.view.selected is not None or bool(self.view.tokens)
        translation = TranslationPage(decoding, self.view.precision, self.again, selects)
        yield chain(translation.beginning(), [architecture(decoding, beside=True)])
        if selects:
            self.write_forms()
            yield self.closing(() if is_saved(self.again) else translation.targets())
        yield from translation.sheets()
        self.disagrees = translation.failed

    def closing(self, targets: tuple[str, ...] = ()) -> Iterator[Block]:
        """The drift of hand arithmetic, and the fingerprint. `targets`: for the steps of a translation."""
        if self.drift is not None:
            yield from drift_note(self.subject.run, self.drift)
        yield fingerprint_line(self.fingerprint)
        if self.view.wired:
            precision = "" if self.view.precision == View().precision or self.view.exact else (
                f" --precision {self.view.precision}")
            target = " --target {target}" if targets else ""
            yield Wiring(command=f"why {{place}} {self.again}{target}{precision}" if self.again else "",
                         parameters=frozenset(self.subject.run.parameters.by_name), targets=targets)
