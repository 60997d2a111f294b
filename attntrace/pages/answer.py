"""What a page begins with: its title, and what comes out of the run, in some lines; and what to try after it."""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Sized
from typing import TYPE_CHECKING

import numpy as np

from attntrace.messages.catalog import EXAMPLE, Joined, Message, Text
from attntrace.messages.unicode import shown
from attntrace.model.tokens import START, InputRows, Words, detokenize
from attntrace.pages.blocks import (Block, Grid, Hues, Maps, Prose, Result, Table, Title, commands, hues_of, set_off,
                                    try_next)
from attntrace.pages.checks import worst_of
from attntrace.pages.numbers import MAP_DECIMALS, Figures
from attntrace.pages.overview import pencil_rule, sides_of
from attntrace.pages.stages import map_title
from attntrace.pages.view import View, grid
from attntrace.runs.run import Run
from attntrace.runs.what_if import edit_sentences
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address, cell_name, means_row
from attntrace.tracing.trace import Step

if TYPE_CHECKING:  # a trace needs none of it
    from attntrace.runs.training_step import TrainingStep

LINES, ROOM = 14, 85  # of the small maps of a result, and cells beside their words where a line has 100
ENDS = 3  # rows at the beginning and at the end, where there are too many
HEADS = 4  # in a table
TOKENS = 16  # in a line
LONGEST = 60  # signs of a sentence in a title
FIGURES = Figures.fixed(MAP_DECIMALS)
LARGEST = 5  # gradients


def sentence_of(side: Words | InputRows) -> Message:
    """A sentence in quotation marks; the example with a gloss, where the reader may need one."""
    words = side.texts[1:] if side.texts[0] == START else side.texts
    text = detokenize(words)
    key = "quoted_example" if text == EXAMPLE[0] else "quoted"
    return Message(f"messages.{key}", sentence=text if len(text) <= LONGEST else f"{text[:LONGEST - 3]}...")


def title(key: str, run: Run, **facts: Text) -> Title:
    target: dict[str, Text] = {} if run.target is None else {"target": sentence_of(run.target)}
    return Title(Message(f"messages.title_{key}", **{"sentence": sentence_of(run.source)} | target | facts))


def remarks(run: Run, shows_patterns: bool = True, hints: bool = True) -> Iterator[Block]:
    """What has to be known of a run before any of its numbers is read: what was changed in it, how it rounds, and that
    the patterns of weights which nothing has learned mean nothing; `hints`: and which command shows others."""
    return set_off(_remarks(run, shows_patterns, hints))


def _remarks(run: Run, shows_patterns: bool, hints: bool) -> Iterator[Block]:
    yield from (Prose(Message("messages.what_if", edit=edit)) for edit in edit_sentences(run.edits))
    yield from pencil_rule(run)
    yield from map(Prose, mask_sentences(run))
    if run.weights is None and shows_patterns:
        hint = [Message("messages.trained_weights")] if hints else []
        yield Prose(Joined(" ", [Message("messages.random_weights", seed=run.seed), *hint]))
        if hints:
            yield commands([Message("messages.trained_command")])


def mask_sentences(run: Run) -> Iterator[Message]:
    """What is masked in addition to what the config says, and which rows may therefore look nowhere."""
    lengths, added, file = run.masks
    size = len(run.source.texts)
    if len(lengths) == 1:
        yield Message("messages.mask_pad", length=lengths[0], size=size, pad=size - lengths[0])
    elif lengths:
        yield Message("messages.mask_lengths", lengths=", ".join(map(str, lengths)))
    if added:
        yield Message("messages.mask_file", file=shown(file or ""), attentions=", ".join(added))
    for attention, blind in run.blind_rows().items():
        yield Message("messages.mask_blind", attention=attention, rows=", ".join(blind))


class RunAnswer:
    """What comes out of a run: a sink that keeps some rows of what its last attention looks at, and the likeliest next
    words. `again`: the words of a command line that are the run, or the file that it is saved in; `view`: of which
    attention, which of its heads and which rows, where it selects some."""

    def __init__(self, run: Run, again: str = "", view: View | None = None) -> None:
        self.run, self.again = run, again
        self.place = run.config.architecture.attention or (
            f"{run.last_stack}.layer{run.config.layers_of(run.last_stack)}."
            f"{'self' if run.target is None else 'cross'}_attention")
        chosen = view.selected if view is not None else None
        weights = [address for address in run.addresses() if address in chosen
                   and Address.of(address).name == "weights"] if chosen is not None else []
        self.selected = frozenset(weights)
        if weights:
            self.place = Address.of(Address.of(weights[-1]).place).place
        alone = run.config.architecture.is_attention
        is_encoder = run.target is None or Address.of(self.place).stack == "encoder" and not alone
        self.words = (run.source if is_encoder or run.target is None else run.target).texts
        tokens = view.tokens if view is not None and (chosen is None or weights) else ()
        self.asked = [n for n, word in enumerate(self.words) if any(means_row(token, n, word) for token in tokens)]
        self.asked = self.asked or list(range(len(self.words)))
        self.rows = self.asked if len(self.asked) + 3 <= LINES else self.asked[:ENDS] + self.asked[-ENDS:]
        self.heads: list[Grid] = []
        self.weights: list[str] = []  # the addresses of their steps
        self.next_words: list[tuple[str, float]] = []
        self.next_places: tuple[str, ...] = ()  # of their probabilities

    def __call__(self, step: Step) -> None:
        if step.address == "output.probabilities":
            if self.run.last_stack == "decoder" and self.words == self.run.last_words.texts:
                shares = step.value[self.rows]
                self.next_words = likeliest(shares, self.run.vocabularies.target or ())
                cells = zip(self.rows, shares.argmax(axis=-1).tolist(), strict=True)
                self.next_places = tuple(cell_name(step.address, cell) for cell in cells)
        elif (step.is_attention and Address.of(step.place).place == self.place
              and (not self.selected or step.address in self.selected)):
            whole, values = grid(step.tensor, None, FIGURES, step.value.shape, weights=True), step.value[self.rows]
            self.heads.append(whole._replace(
                values=values, shape=values.shape, row_labels=tuple(self.words[n] for n in self.rows),
                row_hues=tuple(whole.row_hues[n] for n in self.rows), address=""))
            self.weights.append(step.address)

    def result(self) -> Iterator[Result]:
        """The words, where they look, and what comes out."""
        self.run(self)
        yield Result((self.sentences(), *self.attention(), *self.output()), is_short=False)

    def sentences(self) -> Table:
        sides = [("source_word" if name == "memory_word" else name, side) for name, side in sides_of(self.run)]
        return Table(("", ""), tuple((Message(f"messages.{name}"), numbered(side.texts))
                                     for name, side in sides if side is not None), words=(1,))

    def attention(self) -> Iterator[Maps | Table | Prose]:
        """Small maps of the last attention; or, of many words, where the first and the last look most."""
        heads = self.heads[:self.fitting()] if self.rows == self.asked else []
        if heads:
            largest = max(float(head.values.max()) for head in self.heads)
            yield Maps(map_title(self.place), self.place, tuple(heads), largest, False, brief=True,
                       next_words=tuple(self.next_words), next_hues=self.next_hues(), next_places=self.next_places,
                       rows=tuple(self.rows), of=tuple(self.weights[:len(heads)]))
        else:
            heads = self.heads[:HEADS]
            yield self.table(heads)
        cut = [key for key, is_cut in (("words", self.rows != self.asked), ("heads", len(heads) < len(self.heads)))
               if is_cut]
        if cut:
            every = f'show {self.again} --only "{self.place}.*weights"' if is_saved(self.again) else "map"
            yield Prose(Message(f"messages.some_{'_'.join(cut)}", rows=len(self.rows), all_rows=len(self.asked),
                                heads=len(heads), all_heads=len(self.heads), command=f"attntrace {every}"))

    def next_hues(self) -> Hues:
        """Those of the next words that are words of the decoder's input."""
        texts = self.run.last_words.texts if self.run.last_stack == "decoder" else ()
        hues = dict(zip(texts, hues_of(texts, True)))
        return tuple(hues.get(word) for word, _ in self.next_words)

    def fitting(self) -> int:
        """Of how many heads the maps fit into so many lines."""
        widths = [max(len(word), FIGURES.width + 1) + 1 for word in self.heads[0].column_labels or ()]
        return LINES // (len(self.rows) + 3) * (ROOM // (sum(widths) + 2))

    def table(self, heads: Sequence[Grid]) -> Table:
        """The word that each head looks at most, and the likeliest next word."""
        columns = [likeliest(head.values, head.column_labels or ()) for head in heads]
        hues = [heads[0].row_hues, *(tuple(head.column_hues[n] for n in head.values.argmax(axis=-1)) for head in heads),
                *([self.next_hues()] if self.next_words else [])]
        headings: list[Text] = [Message("messages.map_head", number=head.symbol.head) for head in heads]
        if self.next_words:
            columns, headings = [*columns, self.next_words], [*headings, Message("messages.decoding_word")]
        rows = tuple((str(n + 1), self.words[n], *(f"{word} {FIGURES.text(share)}" for word, share in row))
                     for n, *row in zip(self.rows, *columns, strict=True))
        places = [[cell_name(address, cell) for cell in zip(self.rows, head.values.argmax(axis=-1).tolist(),
                                                            strict=True)]
                  for address, head in zip(self.weights, heads)]
        if self.next_words:
            places.append([*self.next_places])
        return Table((Message("messages.number"), "", *headings), rows, right=(0,), apart=True,
                     tokens=tuple(range(1, len(headings) + 2)), hues=tuple(hues), title=map_title(self.place),
                     places=tuple(zip(*places, strict=True)))

    def output(self) -> Iterator[Prose]:
        config, known = self.run.config, self.run.vocabularies.target or ()
        if self.run.last_stack == "encoder" and config.architecture.predicts and known:
            yield Prose(Message("messages.comes_out_of_encoder", tokens=len(self.words), vocab=len(known)))
        elif not self.next_words:
            place = config.architecture.attention or Address.of(self.place).stack
            name = "output" if config.output_projection or not config.architecture.is_attention else "concat"
            yield Prose(Message("messages.comes_out_rows", address=f"{place}.{name}", tokens=len(self.words),
                                d_model=config.attention_size))

    def next(self, but: str = "") -> Iterator[Block]:
        """What the last word looks at most, how that comes about, and what happens without this head; `but` for the
        command that the page is of."""
        row, head = self.rows[-1], f"{self.place}.head{self.heads[0].symbol.head or 1}"
        cell = cell_name(f"{head}.weights", (row, int(self.heads[0].values[-1].argmax())))
        yield from try_next([f"show {cell.partition(':')[0]} {self.again}", f"why {cell} {self.again}",
                             f"verify {self.again}"] if is_saved(self.again) else
                            [*([f"map {self.again}"] if but != "map" else []), f"why {cell} {self.again}",
                             *without_head(self.run, self.again, head)])


def experiment(edits: Sized, again: str, edit: str) -> str:
    """The command that compares a run with the same after an edit; beside its other edits it is the only one."""
    return f'compare {again} --what-if "{edit}"' if edits else f"compare {again} {edit}"


def without_head(run: Run, again: str, head: str) -> list[str]:
    """The command that compares a run with the same without a head, or without another one where this one is ablated
    in the run; none where all are."""
    place, ablated = head.rpartition(".")[0], {edit.get("ablate") for edit in run.edits}
    heads = [one for one in (head, *(f"{place}.head{n + 1}" for n in range(run.config.heads))) if one not in ablated]
    return [experiment(run.edits, again, f"--ablate {one}") for one in heads[:1]]


def numbered(words: Sequence[str]) -> str:
    """`1:this  2:is  3:a  4:cat`; of many, the first and the last."""
    each = [f"{n}:{word}" for n, word in enumerate(words, start=1)]
    return "  ".join(each if len(each) <= TOKENS else [*each[:TOKENS - ENDS], "...", *each[-ENDS:]])


def likeliest(shares: Array, words: Sequence[str]) -> list[tuple[str, float]]:
    """For each row the word with the largest share, and that share."""
    return [(words[n] if words else str(n + 1), float(row[n]))
            for row, n in zip(shares, shares.argmax(axis=-1).tolist(), strict=True)]


class TrainingStepAnswer:
    """What a training step comes to: the loss before and after it, and the largest gradients of parameters. A sink that
    keeps of each the entry that is farthest from 0."""

    def __init__(self, training_step: TrainingStep, again: str = "", precision: int = 3) -> None:
        self.training_step, self.again, self.precision = training_step, again, precision
        self.gradients: list[tuple[float, str]] = []

    def __call__(self, step: Step) -> None:
        address = Address.of(step.address)
        if address.phase == "gradient" and address.forward in self.training_step.run.parameters.by_name:
            index = worst_of(np.abs(step.value))
            self.gradients.append((float(step.value[index]), cell_name(step.address, index)))

    def result(self) -> Iterator[Result]:
        before, after = self.training_step.losses(self)
        key = "lower" if after < before else "higher" if after > before else "same"
        key = key if math.isfinite(after) else "none"
        pencil = self.training_step.run.pencil
        decimals = self.precision if pencil is None else pencil
        change = abs(before - after)
        if pencil is None and math.isfinite(change) and change:
            decimals = max(decimals, 1 - math.floor(math.log10(change)))  # so that two digits of the change are seen
        by = abs(round(before, decimals) - round(after, decimals))
        self.gradients.sort(key=lambda one: -abs(one[0]))
        largest = self.gradients[:LARGEST]
        figures = Figures.of(np.array([number for number, _ in largest]),
                             self.precision if pencil is None else pencil, pencil is not None)
        yield Result((
            Prose(Message(f"messages.loss_{key}", before=f"{before:.{decimals}f}", after=f"{after:.{decimals}f}",
                          by=f"{by:.{decimals}f}")),
            Table(("", ""), tuple((cell, figures.text(number)) for number, cell in largest), right=(1,),
                  title=Message("messages.largest_gradients"), apart=True)))

    def next(self) -> Iterator[Block]:
        """Where the largest gradient comes from, and the step checked by other means."""
        why, verify = f"why {self.gradients[0][1]} {self.again}", f"verify {self.again}"
        yield from try_next([why, verify] if is_saved(self.again) else [why, f"{verify} --backprop"])


def is_saved(again: str) -> bool:
    return again.startswith("--from ")
