"""The translation page: for each decoding step its input, the likeliest words, the new rows, where the heads look."""
import re
import shlex
from collections.abc import Iterator, Sequence

import numpy as np

from attntrace.messages.catalog import Message
from attntrace.messages.unicode import shown
from attntrace.model.tokens import END, START, Reader, detokenize
from attntrace.pages.answer import is_saved, remarks, title, without_head
from attntrace.pages.blocks import (Answer, Block, Check, Checks, Grid, Heading, Prose, Result, Table, hues_in, hues_of,
                                    try_next)
from attntrace.pages.checks import DIGITS, apart, worst_of
from attntrace.pages.numbers import MAP_DECIMALS, Figures
from attntrace.pages.overview import DETAILS, model_table, words_table
from attntrace.pages.stages import maps_of, rows_of_maps
from attntrace.runs.decoding import Decoding, DecodingStep
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address, cell_name
from attntrace.tracing.trace import Step

LIKELIEST = 5  # words that are shown of each step
DOUBTFUL = 0.5  # a less likely word; of held-out translations, 3 of 100 right and 44 of 100 wrong ones have one


class TranslationPage:
    """A decoding as sheets of blocks: the translation, one for each step, all together. `again`: the words of a command
    line that are the decoding; `selects`: whether the page shows selected steps; `failed`: whether a step
    disagrees with one teacher-forced pass."""

    def __init__(self, decoding: Decoding, precision: int, again: str = "", selects: bool = False) -> None:
        self.decoding, self.figures, self.again, self.selects = decoding, Figures.fixed(precision), again, selects
        self.words: tuple[str, ...] = ()  # of the whole translation
        self.forced: Array = np.zeros((0, 0))  # the logits of one pass over them
        self.written: list[DecodingStep] = []
        self.failed = False

    def beginning(self) -> Iterator[Block]:
        run = self.decoding.run
        self.words = tuple(self.decoding.words())
        self.forced = self.decoding.forced((START, *self.words[:-1]))
        yield title("translate", run)
        yield Result((Answer(detokenize(self.words), is_words=True),))
        yield from self.doubt()
        yield from remarks(run)
        yield Prose(Message("messages.decoding_encoder"), apart=True)

    def doubt(self) -> Iterator[Prose]:
        """Say which word of the translation is the least likely, where it is not likely."""
        shares = np.exp(self.forced - self.forced.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        n = int(shares.max(axis=-1).argmin())
        if shares[n].max() < DOUBTFUL:
            first, second = np.argsort(-shares[n], kind="stable")[:2]
            yield Prose(Message("messages.decoding_doubtful", number=n + 1, word=shown(self.decoding.known[first]),
                                probability=self.figures.text(float(shares[n, first])),
                                second=shown(self.decoding.known[second]),
                                less=self.figures.text(float(shares[n, second]))), apart=True)

    def sheets(self) -> Iterator[Iterator[Block]]:
        before: DecodingStep | None = None
        for step in self.decoding.steps():
            yield self.step(step, before)
            self.written.append(step._replace(steps={
                address: one for address, one in step.steps.items()
                if _is_cross_attention(one) or Address.of(address).stack == "output"}))
            before = step
        yield self.whole()
        yield self.ending()

    def step(self, step: DecodingStep, before: DecodingStep | None) -> Iterator[Block]:
        yield Heading(Message("messages.decoding_step", number=step.number, word=shown(step.word)), of_place=True,
                      number=(step.number,), here="decoder.layer1")  # all of its layers
        yield Prose(Message("messages.decoding_reads", words=" ".join(map(shown, step.read))))
        logits, probabilities = step.of_next_word("logits"), step.of_next_word("probabilities")
        order = np.argsort(-logits, kind="stable")[:LIKELIEST]
        words = [self.decoding.known[i] for i in order]
        heads = (Message(f"messages.decoding_{name}") for name in ("word", "logit", "probability"))
        places = [tuple(cell_name(step.steps[f"output.{name}"].address, (step.number - 1, i))
                        for name in ("logits", "probabilities")) for i in order.tolist()] if self.selects else []
        yield Table(("", *heads),
                    tuple((str(n + 1), words[n], self.figures.text(float(logits[i])),
                           self.figures.text(float(probabilities[i]))) for n, i in enumerate(order)),
                    right=(0, 2, 3), tokens=(1,), apart=True,
                    hues=(hues_in(words, self.words, hues_of(self.words, True)),), places=tuple(places))
        yield Prose(self.rows(step, before), apart=True)
        yield self.looks(step)

    def rows(self, step: DecodingStep, before: DecodingStep | None) -> Message:
        """Say which rows are new, and compare the others with the step before."""
        if before is None:
            return Message("messages.decoding_first")
        tensors, error, kept = 0, 0.0, 0
        for address, now in step.steps.items():
            then = before.steps.get(address)
            if then is None or now.tensor.axis_names[:1] != ("token",):
                continue
            tensors += 1
            there = tuple(slice(0, size) for size in then.value.shape)  # self-attention had one key fewer
            error = max(error, float(apart(now.value[there], then.value).max()))
            place = Address.of(address)
            if place.sub_layer == "self_attention" and place.name in ("key", "value"):
                kept += then.value.size
        digits = DIGITS[self.decoding.run.config.dtype]
        key = ("decoding_differ" if not error <= 10.0 ** -digits else
               "decoding_second" if step.number == 2 else "decoding_same")
        return Message(f"messages.{key}", new=step.number, last=step.number - 1, tensors=tensors, kept=f"{kept:,}",
                       error=f"{error:.1e}", digits=digits)

    def looks(self, step: DecodingStep) -> Table:
        """The weights of each cross-attention head for the next word."""
        weights = [one for one in step.steps.values() if _is_cross_attention(one)]
        heads = [Message("messages.decoding_head", layer=Address.of(one.address).number("layer"),
                         head=one.symbol.head) for one in weights]
        rows = tuple((text, *(self.figures.text(float(one.value[-1][i])) for one in weights))
                     for i, text in enumerate(self.decoding.run.source.texts))
        places = [tuple(cell_name(one.address, (step.number - 1, i)) for one in weights) for i in range(len(rows))]
        return Table(("", *heads), rows, tokens=(0,), right=tuple(range(1, len(heads) + 1)),
                     places=tuple(places) if self.selects else (),
                     title=Message("messages.decoding_looks", row=step.number), apart=True,
                     hues=(hues_of(self.decoding.run.source.texts, False),))

    def whole(self) -> Iterator[Block]:
        """The whole translation: attention between its words and the source, and the check against one pass."""
        yield Heading(Message("messages.decoding_whole"), of_place=True, here="decoder.layer1.cross_attention")
        yield from rows_of_maps()
        yield from self.maps()
        yield Checks((self.check(),), apart=True)
        if self.written[-1].word != END:
            yield Prose(Message("messages.decoding_unfinished", words=len(self.written)))

    def maps(self) -> Iterator[Block]:
        """For each layer the attention weights of every word that was read."""
        figures = Figures.fixed(MAP_DECIMALS)
        words = self.written[-1].read
        source = self.decoding.run.source.texts
        layers: dict[int | None, list[Grid]] = {}
        for one in self.written[-1].steps.values():
            if _is_cross_attention(one):
                rows = np.stack([step.steps[Address.of(one.address).forward].value[-1] for step in self.written])
                layers.setdefault(Address.of(one.address).number("layer"), []).append(
                    Grid(one.symbol, None, rows, figures, rows.shape, words, source,
                         hues_of(words, True), hues_of(source, False), weights=True))
        for layer, grids in layers.items():
            yield maps_of(f"decoder.layer{layer}.cross_attention", grids)

    def ending(self) -> Iterator[Block]:
        """What goes in, and commands to try next: with the translation as a target where it can be typed."""
        run, again, words = self.decoding.run, self.again, [step.word for step in self.written if step.word != END]
        yield DETAILS
        yield words_table(run)
        yield from model_table(run)
        head, target = f"decoder.layer{run.config.layers_of('decoder')}.cross_attention.head1", self.typed(words)
        if is_saved(again):
            first = f"step1.{head}.weights"
            yield from try_next([f"show {first} {again}", f"verify {again}"])
            return
        more = [f"map {again} --target {target}", *without_head(run, f"{again} --target {target}", head)]
        yield from try_next([*([f'translate {again} --step 1 --only "{head}.*"'] * (not self.selects)),
                             *(more if target else [])])

    def targets(self) -> tuple[str, ...]:
        """What --target has to be for each step: as a forward pass it reads the words written so far."""
        return tuple(self.typed(self.words[:n]) for n in range(len(self.words)))

    def typed(self, words: Sequence[str]) -> str:
        """Words as they are typed after --target, as ids where the sentence is; nothing where that reads others."""
        known, is_ids = self.decoding.known, "--ids" in shlex.split(self.again)
        target = " ".join(str(known.index(word) + 1) for word in words) if is_ids else detokenize(words)
        is_read = not words or Reader(is_ids).read(target, known, "target", "")[0] == list(words)
        return f'"{target}"' if is_read and not re.search(r'["$`\\!]', target) else ""

    def check(self) -> Check:
        """Compare the logits of each step with one pass over all words."""
        errors = apart(self.forced, np.stack([step.of_next_word("logits") for step in self.written]))
        digits, error, number = DIGITS[self.decoding.run.config.dtype], float(errors.max()), worst_of(errors)[0] + 1
        self.failed = not error <= 10.0 ** -digits * np.abs(self.forced).max()
        return Check("teacher_forced", (Symbol("logits"),), (), None, digits,
                     f"step{number}.output.logits" if self.failed else "", number, error)


def _is_cross_attention(step: Step) -> bool:
    return step.is_attention and Address.of(step.address).sub_layer == "cross_attention"
