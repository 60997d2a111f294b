"""attntrace explain: what the terms of the paper mean, each with the formula of a step that was computed."""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from attntrace.cli import click_words
from attntrace.cli.formats import PageOptions, write_blocks
from attntrace.cli.languages import current_languages
from attntrace.cli.options import LearningOptions, ModelOptions, page_options, typed
from attntrace.cli.values import Known
from attntrace.messages.catalog import BESIDE, DEFAULT, EXAMPLE, LANGUAGES, TWO, Joined, Message, template
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import did_you_mean, nearest
from attntrace.messages.unicode import shown
from attntrace.model.config import Config
from attntrace.pages.topic_table import TOPICS
from attntrace.pages.topics import by_any_name, kind_of, simple, topic_called, topic_in, topic_of
from attntrace.tracing.addresses import Address, cell_name, matches

if TYPE_CHECKING:
    from attntrace.pages.blocks import Block, Formula
    from attntrace.runs.training_step import TrainingStep
    from attntrace.tracing.trace import Step


@click_words.command("explain", context_settings={"ignore_unknown_options": True})  # -inf is none
@click.argument("topic", nargs=-1, type=Known(lambda ctx: TOPICS), metavar="[TOPIC]")
@page_options
@click.pass_context
def command(ctx: click.Context, topic: tuple[str, ...], page: PageOptions) -> None:
    for word in topic:
        if word.startswith("-") and topic_called(word) is None:
            raise click.NoSuchOption(word, ctx=ctx)
    write_blocks(explanation(*topic_and_step(" ".join(topic))) if topic else glossary(), page)


def topic_and_step(text: str) -> tuple[str, str]:
    """The topic of one of its names, or of a step or a parameter of the example, with the step's address. Raises
    Problem, with the topics that are near, for any other text."""
    if (name := topic_called(text)) is not None:
        return name, ""
    bare = re.sub(r"(_?\d+|\(.*)$", "", unicodedata.normalize("NFKC", text))  # of head2, q₁ or X⁽²⁾
    address = step_named(text.partition(":")[0]) or step_named(bare)
    topic = topic_of(address) or topic_called(Address.of(text).name) or topic_called(Address.of(bare).name)
    if topic is None:
        known = by_any_name()
        language = language_by_letters(text)
        near = dict.fromkeys(title(known[name], language) if language else known[name]
                             for name in nearest(simple(text), known))
        raise Problem("no_such_topic", topic=shown(text), near=did_you_mean([*near]))
    return topic, address


def language_by_letters(text: str) -> str | None:
    """The language whose letters are in a text, if any."""
    return next((name for name, language in LANGUAGES.items()
                 if language.letters and re.search(f"[{language.letters}]", text)), None)


def step_named(text: str) -> str:
    """The address of a step of the example, from an address or its tail: the same, else that of the first layer and the
    first head; "" where there is none."""
    addresses = training_step("adam", **wiring_with(text)).addresses()
    if not re.match(r"gradient\.|update\.|∂L|dL", text):  # the gradient of a parameter is not what its name means
        addresses = {address: symbol for address, symbol in addresses.items() if not Address.of(address).phase}
    first = re.sub(r"(layer|head)\d+", r"\g<1>1", re.sub(r"^step\d+\.", "", text))
    return next((found[0] for one in (text, first) if one and (found := matches(one, addresses))), "")


def wiring_with(address: str) -> dict[str, Any]:
    """The wiring of a model that has a step or a parameter that the default has not."""
    return {"final_norm": "final_norm" in address, "shared_embeddings": "all" if "shared." in address else "none",
            "position": "learned" if re.search(r"position_embedding|coder\.P\b", address) else "interleaved"}


def training_step(optimizer: str, **wiring: Any) -> TrainingStep:
    """One training step on the example: it has all formulas."""
    from attntrace.runs.training_step import prepare_training_step
    return prepare_training_step(*EXAMPLE, optimizer=optimizer, config=Config(**wiring))


def glossary() -> Iterator[Block]:
    """All topics, always in Korean and English as well."""
    from attntrace.pages.blocks import Heading, Table
    languages = dict.fromkeys((*current_languages(), *TWO))  # that of the page first
    names = [LANGUAGES[language].name for language in languages]
    rows = tuple((name, *(title(name, language) for language in languages), topic.section)
                 for name, topic in TOPICS.items())
    yield Heading(Message("messages.title_topics"))
    yield Table((Message("messages.topic"), *names, Message("messages.section")), rows,
                words=tuple(range(1, len(languages) + 1)))


def title(name: str, language: str) -> str:
    return template(language, f"explain.{name}.title")


def explanation(name: str, address: str) -> Iterator[Block]:
    """Explain a topic, with the formula of the step at `address`, where that is given."""
    from attntrace.pages.blocks import Heading, Prose, Table, try_next
    topic = TOPICS[name]
    languages = dict.fromkeys((*current_languages(), *TWO))
    yield Heading(BESIDE.join(dict.fromkeys(title(name, language) for language in languages)))
    yield Prose(Message(f"explain.{name}.short"))
    found, cells = formulas(name, address)
    if found:
        yield Table(("", "", ""), tuple(found), apart=True)
    yield Prose(Message(f"more.{name}"), apart=True)
    if topic.section:
        yield Prose(Message("messages.topic_of_section", section=topic.section))
    see = Joined("; ", [Message(f"explain.{one}.title") for one in topic.see])
    yield Prose(Message("messages.topic_see", topics=see))
    wiring = {"final_norm": True} if "final_norm" in address else {} if address else topic.wiring
    optimizer = "adam" if topic.optimizer == "adam" or Address.of(address).phase == "update" else None
    again = typed(ModelOptions(entries=dict(wiring)), LearningOptions(optimizer=optimizer))
    why = [f"why {cell} {again}".rstrip() for cell in cells[:1]]
    yield from try_next([*(one for one in why if one not in template(DEFAULT, f"more.{name}")),
                         *(f"explain {one}" for one in topic.see[:2]), "explain"][:3])


def formulas(name: str, wanted: str) -> tuple[list[tuple[str, str | Formula, str | Formula]], list[str]]:
    """Address, formula of the whole and of a row: of the step that is wanted, else of the steps that the topic names,
    else of the first step of each of its kinds. And the first number of each."""
    from attntrace.pages.checks import rows_of
    from attntrace.pages.view import any_row_formula, whole_formula
    topic = TOPICS[name]
    found: list[tuple[str, str | Formula, str | Formula]] = []
    cells: list[str] = []

    def sink(step: Step) -> None:
        kind = Address.of(kind_of(step.address)).name if topic.also else ""
        if (step.address == wanted if wanted else step.address in topic.steps if topic.steps
                else topic_in(step.address, example.run.config) == name and kind not in kinds):
            kinds.add(kind)
            row, whole = any_row_formula(step, rows_of(step, 1)[0]), whole_formula(step)
            found.append((step.address, whole, row if row != whole else ""))
            cells.append(cell_name(step.address, (0,) * step.value.ndim))

    kinds: set[str] = set()
    example = training_step("adam", **wiring_with(wanted)) if wanted else training_step(topic.optimizer, **topic.wiring)
    learns = any(Address.of(f"{word}.").is_of_training for word in (name, wanted, *topic.also, *topic.steps))
    (example if learns else example.run)(sink)
    return found, cells
