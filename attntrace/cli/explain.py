"""attntrace explain: what the terms of the paper mean, each with the formula of a step that was computed."""
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from attntrace.addresses import OF_A_LESSON, nearest_words
from attntrace.cli import DONE, commands
from attntrace.cli.completion import Topic
from attntrace.cli.formats import page
from attntrace.cli.options import page_options
from attntrace.cli.subjects import EXAMPLE
from attntrace.config import Config
from attntrace.errors import Problem
from attntrace.prose import BESIDE, LANGUAGES, sentence, sentence_in, spoken
from attntrace.tokens import shown
from attntrace.topics import TOPICS, kind_of, names, simple, topic_of

if TYPE_CHECKING:
    from attntrace.blocks import Block, Formula
    from attntrace.lessons import Lesson
    from attntrace.tracing import Step


@commands.command("explain")
@click.argument("topic", nargs=-1, type=Topic(), metavar="[TOPIC]")
@page_options
def command(topic: tuple[str, ...], **options: Any) -> int:
    blocks = explanation(meant(" ".join(topic))) if topic else glossary()
    with page(options) as writer:
        writer(blocks)
    return DONE


def meant(asked: str) -> str:
    """The topic by one of its names, or by the address of a step. Raises Problem where there is none, with the nearest.
    """
    name = names().get(simple(asked)) or topic_of_step(asked)
    if name is None:
        raise Problem("no_such_topic", topic=shown(asked), near=nearest_words(simple(asked), [*names()]))
    return name


def topic_of_step(asked: str) -> str | None:
    """The topic of an address, or of an end of one; in any layer or head, however many the example has."""
    kinds = {kind_of(address) for address in lesson("adam", final_norm=True).addresses()}
    asked = kind_of(asked)
    return topic_of(asked) if any(f".{kind}".endswith(f".{asked}") for kind in kinds) else None


def lesson(optimizer: str, **wiring: Any) -> Lesson:
    """One training step on the example: all formulas there are."""
    from attntrace.lessons import prepare_lesson
    return prepare_lesson(*EXAMPLE, optimizer=optimizer, config=Config(**wiring))


def glossary() -> Iterator[Block]:
    """All topics, always in both languages."""
    from attntrace.blocks import Table
    headings = tuple(sentence(f"messages.{name}") for name in ("topic", "english", "korean", "section"))
    yield Table(headings, tuple((name, title(name, "en"), title(name, "ko"), topic.section)
                                for name, topic in TOPICS.items()), words=(2,))


def title(name: str, language: str) -> str:
    return sentence_in(language, f"explain.{name}.title")


def explanation(name: str) -> Iterator[Block]:
    from attntrace.blocks import Heading, Prose, Table
    topic = TOPICS[name]
    yield Heading(BESIDE.join(dict.fromkeys(title(name, language) for language in (*spoken(), *LANGUAGES))))
    yield Prose(sentence(f"explain.{name}.short"))
    found = tuple(formulas(name))
    if found:
        yield Prose("")
        yield Table(("", "", ""), found)
    yield Prose("\n" + sentence(f"explain.{name}.more"))
    if topic.section:
        yield Prose(sentence("messages.topic_of_section", section=topic.section))
    yield Prose(sentence("messages.topic_see", topics=", ".join(topic.see)))


def formulas(name: str) -> Iterator[tuple[str, str | Formula, str | Formula]]:
    """Address, formula of the whole and of a row: of the steps that the topic names, else of the first of its kinds."""
    from attntrace.checks import rows_of
    from attntrace.formulas import any_row_formula, whole_formula
    topic = TOPICS[name]
    found: dict[str, tuple[str, str | Formula, str | Formula]] = {}

    def sink(step: Step) -> None:
        is_meant = step.address in topic.steps if topic.steps else topic_of(step.address) == name and not found
        if is_meant:
            row = any_row_formula(step, rows_of(step, 1)[0])
            whole = whole_formula(step)
            found[step.address] = step.address, whole, row if row != whole else ""

    example = lesson(topic.optimizer, **topic.wiring)
    learns = any(f"{word}.".startswith(OF_A_LESSON) for word in (name, *topic.also, *topic.steps))
    (example if learns else example.run)(sink)
    return iter(found.values())
