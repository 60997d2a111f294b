"""What a script adds to the page of a translation, and to that of two runs."""
import json
import re
from html import escape

from attntrace.messages.catalog import Message, in_a_line
from attntrace.messages.unicode import shown
from attntrace.pages.blocks import MOST_NUMBERS, Pair
from attntrace.pages.numbers import Figures
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address
from attntrace.writers.html.scripts import PAIRS, PLAYER, script, style

PLAYED = """<template id=player><section class=player aria-label="{player}"><div class=words></div>
<div class=words></div><svg aria-hidden=true></svg><p><button value="{pause}">{play}</button>
<input type=range min=1 value=1 aria-label="{step}"><select aria-label="{head}"><option>{heads}</select></p>
<output class=note></output></section></template>
"""  # player.js fills it
PAIRED = """<template id=pairs><section class=pairs><h2>{pairs}</h2>
<p class=note>{pairs_legend}<p><button value="{second_first}">{first_second}</button></section>{data}</template>
"""  # pairs.js fills it


def player(languages: tuple[str, ...]) -> str:
    """What plays the steps of a translation, at the end of a page."""
    return enhanced(PLAYER, PLAYED, ("player", "play", "pause", "step", "head", "heads"), languages)


def pairs(steps: list[Pair], languages: tuple[str, ...]) -> str:
    """Steps in two runs, at the end of a page: the attention weights first."""
    words: dict[tuple[str, ...], int] = {}
    data = []
    for step in sorted(steps, key=lambda step: Address.of(step.address).name != "weights"):
        axes = [words.setdefault(labels, len(words)) for labels in (step.rows, step.columns)]
        numbers = [units(step.figures, run) for run in (step.first, step.second)]
        data.append([step.address, *axes, step.figures.decimals, step.figures.power, *numbers])
    text = json.dumps([[list(map(shown, labels)) for labels in words], data], separators=(",", ":"))
    return enhanced(PAIRS, PAIRED, ("pairs", "pairs_legend", "first_second", "second_first"), languages,
                    data=re.sub("[<&]", lambda found: f"\\u{ord(found[0]):04x}", text))


def units(figures: Figures, numbers: Array) -> list[int | str]:
    """Numbers as they are printed, in units of their last decimal; what has no decimals (0, -inf) as text."""
    texts = map(figures.digits, numbers.ravel().tolist())
    return [int(text.replace(".", "")) if "." in text else text for text in texts]


def enhanced(scripts: tuple[str, ...], markup: str, names: tuple[str, ...], languages: tuple[str, ...],
             **more: str) -> str:
    """The styles, what the script shows, and the script."""
    texts = {name: escape(in_a_line(Message(f"panel.{name}", most=f"{MOST_NUMBERS:,}"), languages)) for name in names}
    markup = markup.format(**texts, **more)
    return f"<style>\n{style(*scripts)}</style>\n{markup}<script>\n{script(*scripts)}</script>\n"
