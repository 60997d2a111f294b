"""The page of a beam search: the translations that it finds, the beam at each step, and how they are ranked."""
from collections.abc import Iterator

from attntrace.messages.catalog import Message, Text
from attntrace.messages.unicode import shown
from attntrace.model.tokens import END, Reader, detokenize
from attntrace.pages.answer import remarks, title
from attntrace.pages.blocks import Block, Heading, Prose, Result, Table, try_next
from attntrace.pages.numbers import Figures
from attntrace.pages.overview import DETAILS, model_table, words_table
from attntrace.runs.beam import BeamSearch, BeamStep, Hypothesis
from attntrace.runs.decoding import Decoding


class BeamPage:
    """`again`: the words of a command line that are the sentence and the model."""

    def __init__(self, search: BeamSearch, precision: int, again: str) -> None:
        self.search, self.figures, self.again = search, Figures.fixed(precision), again

    def blocks(self) -> Iterator[Block]:
        search, run = self.search, self.search.run
        steps = list(search.steps())
        ranked = search.ranked(steps)
        yield title("translate", run)
        yield Result((self.translations(ranked),), is_short=False)
        yield from remarks(run)
        yield Prose(Message("messages.beam_search", size=search.size), apart=True)
        for step in steps:
            yield from self.step(step)
        yield from self.ranking(ranked)
        yield DETAILS
        yield words_table(run)
        yield from model_table(run)
        targets = [detokenize(one.words) for one in ranked[:2] if self.can_be_typed(one)]
        yield from try_next([*(f'map {self.again} --target "{target}"' for target in targets),
                             f"translate {self.again}", " ".join(("explain", "beam_search"))])

    def number(self, number: float) -> str:
        return self.figures.text(number)

    def translations(self, ranked: list[Hypothesis]) -> Table:
        rows = tuple((str(n), self.number(one.score(self.search.alpha)), detokenize(one.words))
                     for n, one in enumerate(ranked, start=1))
        heads = (Message(f"messages.beam_{name}") for name in ("score", "translation"))
        return Table(("", *heads), rows, right=(0, 1), words=(2,))

    def step(self, step: BeamStep) -> Iterator[Block]:
        """The candidates that are kept, and the likeliest of the others."""
        yield Heading(Message("messages.beam_step", number=step.number), of_place=True, number=(step.number,),
                      here="decoder.layer1")
        yield Prose(Message("messages.beam_candidates", extended=step.extended, vocab=f"{len(self.search.known):,}",
                            candidates=f"{step.candidates:,}", kept=len(step.kept), finished=step.finished))
        rows: list[tuple[Text, ...]] = [self.row(str(n), step, one) for n, one in enumerate(step.kept, start=1)]
        if step.close:
            rows += [(Message("messages.beam_close"), *[""] * 5), *(self.row("", step, one) for one in step.close)]
        heads = (Message(f"messages.beam_{name}") for name in ("before", "log_before", "log_word", "sum", "hypothesis"))
        yield Table(("", *heads), tuple(rows), right=(0, 1, 2, 3, 4), words=(5,), apart=True)

    def row(self, number: str, step: BeamStep, one: Hypothesis) -> tuple[Text, ...]:
        before = str(one.before + 1) if step.number > 1 else ""
        return (number, before, *map(self.number, (one.log_before, one.log_of_word, one.log_probability)),
                " ".join(one.words))

    def ranking(self, ranked: list[Hypothesis]) -> Iterator[Block]:
        search = self.search
        yield Heading(Message("messages.beam_ranking"), of_place=True, here="decoder.layer1")
        yield Prose(Message("messages.beam_penalty", alpha=search.alpha))
        rows = tuple((str(n), self.number(one.log_probability), str(len(one.words)),
                      self.number(one.penalty(search.alpha)), self.number(one.score(search.alpha)),
                      detokenize(one.words)) for n, one in enumerate(ranked, start=1))
        heads = (Message(f"messages.beam_{name}") for name in ("score", "translation"))
        yield Table(("", Message("messages.beam_log_p"), "|Y|", "lp", *heads), rows, right=(0, 1, 2, 3, 4), words=(5,),
                    apart=True)
        greedy = tuple(Decoding(search.run, search.max_length).words())
        place = next((n for n, one in enumerate(ranked, start=1) if one.words == greedy), None)
        key = "none" if place is None else "same" if place == 1 else "other"
        yield Prose(Message(f"messages.beam_greedy_{key}", number=place or 0, sentence=shown(detokenize(greedy))),
                    apart=True)
        if not all(one.is_finished for one in ranked):
            yield Prose(Message("messages.beam_unfinished", words=search.max_length))

    def can_be_typed(self, one: Hypothesis) -> bool:
        """Whether its sentence is read as its words."""
        words = [word for word in one.words if word != END]
        target = detokenize(words)
        return bool(words) and '"' not in target and Reader().read(target, self.search.known, "target", "")[0] == words
