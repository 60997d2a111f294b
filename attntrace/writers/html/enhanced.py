"""What a script adds to the page of a translation, and to that of two runs."""
import json
import re
from html import escape

import numpy as np

from attntrace.messages.catalog import Message, in_a_line
from attntrace.messages.unicode import shown
from attntrace.pages.blocks import Pair
from attntrace.tensor.tensor import Array
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
    """Attention weights in two runs, at the end of a page: those of the first in thousandths, and their changes."""
    words: dict[tuple[str, ...], int] = {}
    data = [[step.address, *[words.setdefault(labels, len(words)) for labels in (step.rows, step.columns)],
             *thousandths(step.first, step.second)] for step in steps]
    text = json.dumps([[list(map(shown, labels)) for labels in words], data], separators=(",", ":"))
    return enhanced(PAIRS, PAIRED, ("pairs", "pairs_legend", "first_second", "second_first"), languages,
                    data=re.sub("[<&]", lambda found: f"\\u{ord(found[0]):04x}", text))


def thousandths(first: Array, second: Array) -> tuple[list[int], list[int]]:
    before, after = (np.rint(weights.ravel() * 1000).astype(int) for weights in (first, second))
    return before.tolist(), (after - before).tolist()


def enhanced(scripts: tuple[str, ...], markup: str, names: tuple[str, ...], languages: tuple[str, ...],
             **more: str) -> str:
    """The styles, what the script shows, and the script."""
    texts = {name: escape(in_a_line(Message(f"panel.{name}"), languages)) for name in names}
    markup = markup.format(**texts, **more)
    return f"<style>\n{style(*scripts)}</style>\n{markup}<script>\n{script(*scripts)}</script>\n"
