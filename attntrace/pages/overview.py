"""The details of a run, which end its page: input, model, parameters counted, fingerprint."""
from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from attntrace.messages.catalog import Joined, Localized, Message, Text
from attntrace.model.config import ENTRIES, FLAG, Config
from attntrace.model.parameters import Vocabularies, parts
from attntrace.model.tokens import KEYS, MEMORY, InputRows, Words
from attntrace.pages.blocks import Block, Heading, PartHeading, Prose, Table, hues_of
from attntrace.runs.run import Drift, Run
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import COMPARABLE, Fingerprint

if TYPE_CHECKING:
    from attntrace.runs.training_step import TrainingStep  # a trace needs none of it


DETAILS = PartHeading(Message("messages.details"))


READS_WORDS = frozenset(("embedding", "scaled_embedding", "positional_encoding", "position_embedding", "input",
                         "labels", "probabilities"))


def words_matter(selected: Collection[str] | None) -> bool:
    """Whether ids and positions concern the steps that a page shows: all, or those that are selected."""
    return selected is None or any(Address.of(address).name in READS_WORDS for address in selected)


def run_details(run: Run, selected: Collection[str] | None = None) -> Iterator[Block]:
    """The words with their ids, what comes out, the model and its parameters, counted; where steps are selected, only
    the words, if these concern them."""
    if not words_matter(selected):
        return
    yield DETAILS
    yield words_table(run)
    predicts = run.target is not None or run.config.architecture.predicts
    if predicts and run.vocabularies.target:
        key = "comes_out" if run.last_stack == "decoder" else "comes_out_of_encoder"
        yield Prose(Message(f"messages.{key}", vocab=len(run.vocabularies.target), tokens=len(run.last_words.texts)),
                    apart=True)
    embeds = any(isinstance(begins, Words) for begins in (run.source, run.target))
    first, learned = run.config.position_offset, run.config.learns_positions
    sharing = run.config.shared_embeddings
    ids = "ids_note" if sharing == "none" else f"ids_note_{sharing}"
    about = f"positions_note{'_learned' if learned else '_offset' if first else ''}"
    notes = {ids: embeds, about: embeds and run.config.adds_positions,
             "given_note": run.inputs is not None}
    yield Prose(Joined(" ", (Message(f"messages.{note}", file=run.inputs, first=first + learned)
                             for note, holds in notes.items() if holds)),
                apart=not predicts)
    if selected is not None:
        return
    yield from model_table(run)
    yield parameter_table(run.config, run.vocabularies, run.parameters.vector.size)


def training_step_notes(training_step: TrainingStep) -> Iterator[Block]:
    """How the model learns."""
    asked = Message(f"messages.{'teacher_forcing' if training_step.run.target else 'labels_given'}")
    labels = (Message(f"messages.smoothing.{training_step.over}", smoothing=training_step.smoothing,
                      word=training_step.padding) if training_step.smoothing else Message("messages.no_smoothing"))
    yield Prose(Joined(" ", [asked, labels]), apart=True)
    yield Prose(Message(f"messages.optimizer_{training_step.optimizer}", **training_step.rates._asdict()))


def training_step_details(training_step: TrainingStep, selected: Collection[str] | None = None) -> Iterator[Block]:
    """The words and the labels with their ids, and the model; where steps are selected, only the words, if these
    concern them."""
    if words_matter(selected):
        yield DETAILS
        yield words_table(training_step.run, ("label", training_step.wanted))
    if selected is None:
        yield from model_table(training_step.run)


def words_table(run: Run, *more: tuple[str, Words]) -> Table:
    """The words with their ids; given rows have none."""
    columns: list[tuple[str, Iterable[object]]] = []
    for name, words in (*sides_of(run), *more):
        if words is not None:
            columns.append((name, words.texts))
        if isinstance(words, Words):
            columns.append(("id", words.ids))
    numbers, (names, cells) = itertools.count(1), zip(*columns)
    rows = ((str(next(numbers)), *map(str, row)) for row in itertools.zip_longest(*cells, fillvalue=""))
    right = tuple(n for n, name in enumerate(("number", *names)) if name in ("number", "id"))
    return Table(tuple(Message(f"messages.{name}") for name in ("number", *names)), tuple(rows), right=right,
                 tokens=tuple(n for n in range(1 + len(names)) if n not in right), title=Message("messages.heading"),
                 hues=tuple(hues_of(words.texts, n > 0) for n, words in enumerate(
                     (run.source, run.target, *(words for _, words in more))) if words is not None))


def sides_of(run: Run) -> list[tuple[str, Words | InputRows | None]]:
    """What the run reads, each with the key of what it is called."""
    entry = run.source.address if isinstance(run.source, InputRows) else ""
    if entry == KEYS:
        return [("key_word", run.source), ("query_word", run.target)]
    is_decoder = run.target is None and run.last_stack == "decoder"
    first = "memory_word" if entry == MEMORY else "target_word" if is_decoder else "source_word"
    return [(first, run.source), ("target_word", run.target)]


def model_table(run: Run) -> Iterator[Block]:
    origin = (Message(f"messages.seed_{run.init}", seed=run.seed) if run.weights is None
              else Message("messages.weights", file=run.weights))
    yield Heading(Message("messages.model"), apart=True)
    yield Prose(Joined("\n", [*model_lines(run.config, run.vocabularies), Joined(", ", [origin, run.config.dtype])]))


def pencil_rule(run: Run) -> Iterator[Block]:
    """The rounding, where it is not full precision."""
    if run.pencil is not None:
        yield Prose(Message("messages.pencil", decimals=run.pencil, least=f"{10.0 ** -run.pencil:.{run.pencil}f}"))


def drift_note(run: Run, drift: Drift) -> Iterator[Block]:
    """The largest difference from full precision, and where it is."""
    decimals = run.pencil or 0
    more = decimals + 3  # enough to see what was rounded
    key = "drift" if drift.cell else "no_drift"
    yield Prose(Message(f"messages.{key}", drift=f"{drift.largest:.{more}f}", cell=drift.cell,
                        by_hand=f"{drift.by_hand:.{decimals}f}", in_full=f"{drift.in_full:.{more}f}"), apart=True)


def model_lines(config: Config, vocabularies: Vocabularies) -> list[Localized]:
    """Sizes and wiring, as far as the modelled part of a transformer has them."""
    alone = "_attention" if config.architecture.is_attention else "" if config.feed_forward else "_no_feed_forward"
    same = config.key_size == config.value_size
    head_sizes = f"d_k = {'' if same else f'{config.key_size}, '}d_v = {config.value_size}"
    sizes = Message(f"messages.sizes{alone}", **config.described() | {"layers": depth(config)}, head_sizes=head_sizes)
    positions = (name for name in ENTRIES if "position" in name)
    of_embeddings = (notes(config, *positions, "scale_embedding", "shared_embeddings") if any(vocabularies)
                     else [Message("messages.no_embedding")])
    of_norms = ("epsilon", "norm_epsilon", "norm_variance") if config.has_norms else ()
    of_feed_forward = ("activation",) if config.feed_forward else ()
    return [sizes, Joined(", ", [*notes(config, "norm", "final_norm", "residual"), *of_embeddings,
                                 *notes(config, *of_feed_forward, *of_norms, "score_scale", "source_end",
                                        "output_projection", "causal", "mean_weights", "k_dim", "v_dim")])]


def depth(config: Config) -> Text:
    """How many layers there are: `2`, or `3 (encoder), 1 (decoder)`."""
    encoder, decoder = map(config.layers_of, ("encoder", "decoder"))
    return str(encoder) if encoder == decoder else Message("messages.depths", encoder=encoder, decoder=decoder)


def notes(config: Config, *names: str) -> Iterator[Message]:
    """What is said of these entries, where a model has them: a word or number, or only what is not the default."""
    described = config.described()
    for name in names:
        value, entry = getattr(config, name), ENTRIES[name]
        if name in described and (entry.by_default or value != entry.default):
            word = value if value in entry.words else str(value).lower() if entry.kind == FLAG else "number"
            yield Message(f"messages.config.{name}.{word}", value=value)


def parameter_table(config: Config, vocabularies: Vocabularies, there: int) -> Table:
    """For each part the number of its parameters, as a closed form and in numbers; `there`: how many in all."""
    rows: list[tuple[Text, ...]] = []
    total = 0
    for part in parts(config, vocabularies):
        counts = part.counts()
        if not counts:  # its matrix is a part of another
            continue
        number = sum(count.number for count in counts)
        total += number
        terms, numbers = [count.term for count in counts], [f"{count.number:,}" for count in counts]
        widths = [max(map(len, both)) for both in zip(terms, numbers)]  # each number below its term
        above, below = (" + ".join(map(str.ljust, those, widths)).rstrip() for those in (terms, numbers))
        rows += [(Message(f"messages.part_{part.name}"), f"{number:,}", f"= {above}"), ("", "", f"= {below}")]
    if there > total:
        rows.append((Message("messages.part_biases"), f"{there - total:,}", Message("messages.biases_term")))
    rows.append((Message("messages.total"), f"{there:,}", ""))
    return Table(("", "", ""), tuple(rows), title=Message("messages.parameters"), right=(1,), apart=True)


def fingerprint_line(fingerprint: Fingerprint) -> Prose:
    key = ("fingerprint" if fingerprint.comparable
           else "fingerprint_large" if fingerprint.numbers > COMPARABLE else "fingerprint_float32")
    return Prose(Message(f"messages.{key}", fingerprint=fingerprint, steps=fingerprint.steps,
                         numbers=f"{fingerprint.numbers:,}"), apart=True)
