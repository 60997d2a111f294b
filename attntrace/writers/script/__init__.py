"""A run as a script of its own: the lines of template.txt that its wiring needs, for NumPy or PyTorch.

A line of the template that ends in `#? word !word` is there where the run has the first word and lacks the second;
`#??` decides for the lines below that are indented more as well. `@name` stands for a text of the run, or else for the
message `script.name`; `xp` for the library."""
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from attntrace.messages.catalog import DEFAULT, Message, in_a_line
from attntrace.messages.errors import Problem
from attntrace.runs.run import Run
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import Fingerprint, Step, tee
from attntrace.writers.script.wiring import facts, sentences, sizes, texts

LIBRARIES = {"numpy": "np", "torch": "torch"}  # with the name under which a script has it
MOST, COLUMNS = 120, 100  # lines of a script, and cells of a line
LEAST_SAMPLES, MOST_SAMPLES = 1, 8  # steps of which numbers are asserted
LARGEST = 1e4  # number up to which other sums of float64 have the same six decimals
TOLERANCES = {"numpy": 1e-12, "torch": 1e-6}
FLOAT32_TOLERANCE = 1e-4  # since a script computes in float64
LINE = re.compile(r"(.*?)(?:  #(\?\??) (.+))?")
LISTS = "@sizes", "@words", "@numbers"  # lines of the template that stand for several, the last for those of Outcome
SLOT = re.compile(r"@([A-Za-z_]\w*)")


class Outcome:
    """A sink that keeps what a script asserts of its run: of each step the first and the last number, the largest of
    all numbers, and the fingerprint."""

    def __init__(self, run: Run) -> None:
        self.samples: dict[str, tuple[float, float]] = {}
        self.largest, self.fingerprint = 1.0, Fingerprint()
        run(tee(self, self.fingerprint))

    def __call__(self, step: Step) -> None:
        numbers = step.value.ravel()
        self.samples[step.address] = numbers[0].item(), numbers[-1].item()
        self.largest = max(self.largest, float(np.abs(numbers[np.isfinite(numbers)]).max(initial=0)))

    @property
    def has_fingerprint(self) -> bool:
        return self.fingerprint.comparable and self.largest < LARGEST

    def tolerance(self, library: str, dtype: str) -> float:
        """How far a number of the script may be from that of the run: more where there are numbers of 100 or more."""
        least = FLOAT32_TOLERANCE if dtype == "float32" else TOLERANCES[library]
        return float(f"{least * 10 ** max(int(np.log10(self.largest)) - 1, 0):.0e}")

    def numbers(self, count: int) -> list[str]:
        """The last steps of so many places, those of whole stacks first, in order of the run."""
        lasts = {Address.of(address).place: address for address in self.samples}
        chosen = {lasts[place] for place in sorted(lasts, key=lambda place: place.count("."))[:count]}
        return [f'    "{address}": {numbers},' for address, numbers in self.samples.items() if address in chosen]


def script(run: Run, library: str, weights: str, given: str, languages: Sequence[str] = (DEFAULT,)) -> str:
    """Return a script that computes a run from the file of its parameters and, where it has any, the file of its
    `arrays`: Python expressions of their paths. languages: of its comments, the first one only where there is no room.
    Raises Problem for a run that no script computes, and for sentences that are too long."""
    if (ids := len(word_lists(run, with_words=False))) > MOST:  # before a long run
        raise Problem("emit_long", lines=ids, most=MOST)
    outcome, prefix = Outcome(run), LIBRARIES[library]
    words = {library, *facts(run, set(outcome.samples)), *["fingerprint"] * outcome.has_fingerprint}
    slots = texts(run, words, prefix) | {
        "weights": weights, "given": given, "fingerprint": str(outcome.fingerprint),
        "tolerance": repr(outcome.tolerance(library, run.config.dtype))}

    def filled(line: str, languages: Sequence[str]) -> str:
        return SLOT.sub(lambda found: slots[found[1]] if found[1] in slots else in_a_line(
            Message(f"messages.script.{found[1]}"), languages), line.replace("xp.", f"{prefix}."))

    with open(os.path.join(os.path.dirname(__file__), "template.txt"), encoding="utf-8") as file:
        template = list(needed(file.read().splitlines(), words))
    named = " ".join(filled(line, languages) for line in template if line not in LISTS)

    def lines(gap: int, with_words: bool, languages: Sequence[str]) -> Iterator[str]:
        lists = dict(zip(LISTS, ([size_line(run, named)], word_lists(run, with_words), [])))
        blank = 0
        for line in template:
            blank = 0 if line else blank + 1
            if blank <= gap:
                yield from lists.get(line) or ([] if line in lists else folded(filled(line, languages)))

    only = languages[:1]
    for way in ((2, True, languages), (1, True, languages), (2, True, only), (1, True, only), (1, False, only)):
        whole = list(lines(*way))
        room = MOST - len(whole)
        if room >= LEAST_SAMPLES:  # else more closely
            place = next(n for n, line in enumerate(whole) if line.startswith("expected = ")) + 1
            whole[place:place] = outcome.numbers(min(room, MOST_SAMPLES))
            return "\n".join(whole) + "\n"
    raise Problem("emit_long", lines=len(whole) + LEAST_SAMPLES, most=MOST)


def needed(template: Iterable[str], words: set[str]) -> Iterator[str]:
    """The lines of the template for a run that has these words, without their conditions."""
    dropped: int | None = None  # the indentation of a line that was dropped with those that are indented more
    for line in template:
        text, block, condition = LINE.fullmatch(line).groups()  # type: ignore[union-attr]  # which fits any line
        indent = len(text) - len(text.lstrip())
        if dropped is not None and (not text or indent > dropped):
            continue
        dropped = None
        if all((word.lstrip("!") in words) != word.startswith("!") for word in (condition or "").split()):
            yield text
        elif block == "??":
            dropped = indent


def folded(line: str) -> list[str]:
    """A line, or several where it is too long and there are words for people in it."""
    if cells(line) <= COLUMNS:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    code, mark, comment = line.partition("  # ")
    if mark and code.strip():
        return [*wrapped(comment, f"{indent}# "), code]
    return list(wrapped(line, indent)) if line.lstrip().startswith('"""') else [line]


def wrapped(text: str, before: str) -> Iterator[str]:
    """Lines of words, each with `before` before it."""
    line = ""
    for word in text.split():
        if line and cells(f"{before}{line} {word}") > COLUMNS:
            yield before + line
            line = word
        else:
            line = f"{line} {word}".lstrip()
    yield before + line


def cells(text: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def size_line(run: Run, text: str) -> str:
    """An assignment of the sizes that a script with this text uses."""
    known = sizes(run, text)
    return f"{', '.join(known)} = {', '.join(map(repr, known.values()))}"


def word_lists(run: Run, with_words: bool) -> list[str]:
    """The ids of each sentence from 0, with its words as comments: what these contain stays in their line."""
    lines: list[str] = []
    for name, side in sentences(run).items():
        ids = wrapped(f"{', '.join(str(id - 1) for id in side.ids)}]", " " * len(f"{name} = ["))
        *above, last = f"{name} = [{next(ids).lstrip()}", *ids
        words = [repr(text) for text in side.texts if with_words]
        comment = "" if max(map(cells, words), default=COLUMNS) > COLUMNS - 2 else " ".join(words)
        if above and comment:
            lines += wrapped(comment, "# ")
        lines += [*above, last] if above or not comment else folded(f"{last}  # {comment}")
    return lines
