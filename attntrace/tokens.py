"""A sentence becomes tokens, and tokens become ids."""
from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from attntrace.axes import Axis
from attntrace.errors import Problem
from attntrace.prose import sentence

START, END = "<s>", "</s>"
APOSTROPHES = "'’"
BETWEEN_DIGITS = ".,:"
CLOSING = set(".,:;?!…)]}”’%")
FLAG = "\N{WAVING BLACK FLAG}"  # a flag is spelled with invisible tags after it
JOINER = "\N{ZERO WIDTH JOINER}"


class Words(NamedTuple):
    """The tokens of a sentence, with their ids: the numbers (from 1) of their rows in the embedding table.

    In a batch the ids of all sentences, one after another, with the `lengths` of these, and no texts.
    """
    texts: tuple[str, ...]
    ids: tuple[int, ...]
    lengths: tuple[int, ...] | None = None

    @property
    def axis(self) -> Axis:
        return Axis("token", len(self.ids), self.texts or None, self.lengths)

    @property
    def positions(self) -> list[int]:
        """The place of each token in its sentence, from 0."""
        return [place for length in self.lengths or (len(self.ids),) for place in range(length)]

    def reordered(self, order: Sequence[int]) -> Words:
        """The same words in another order, given by their places (from 0) in this one."""
        return Words(tuple(self.texts[n] for n in order), tuple(self.ids[n] for n in order))


def normalized(text: str) -> str:
    """In NFC, in which one word is always the same characters."""
    return unicodedata.normalize("NFC", text)


def tokenize(sentence: str) -> list[str]:
    """The tokens of a sentence, in NFC.

    A token is a run of letters, marks, digits and `_` (an apostrophe inside stays, as do `.` `,` `:` between digits),
    or else one grapheme. Case is kept, white space separates.
    """
    text = normalized(sentence)
    found, start = [], 0
    while start < len(text):
        if text[start].isspace():
            start += 1
            continue
        end = _word_end(text, start) if _in_word(text[start]) else _grapheme_end(text, start)
        found.append(text[start:end])
        start = end
    return found


def spoken(words: list[str]) -> str:
    """Tokens as one sentence: words set apart, but for a sign that closes what stands before it."""
    return "".join(word if not n or word in CLOSING else f" {word}" for n, word in enumerate(words))


def graphemes(text: str) -> list[str]:
    """What is seen as one letter each."""
    found, start = [], 0
    while start < len(text):
        end = _grapheme_end(text, start)
        found.append(text[start:end])
        start = end
    return found


def _in_word(char: str) -> bool:
    return char == "_" or unicodedata.category(char)[0] in "LM" or unicodedata.category(char) in ("Nd", "Nl", "No")


def _word_end(text: str, start: int) -> int:
    end = start + 1
    while end < len(text):
        if not _in_word(text[end]):
            around = text[end - 1] + text[end + 1:end + 2]
            inner = (text[end] in APOSTROPHES and all(map(_in_word, around))
                     or text[end] in BETWEEN_DIGITS and all(char.isdigit() for char in around))
            if len(around) < 2 or not inner:
                break
        end += 1
    return end


def _grapheme_end(text: str, start: int) -> int:
    """Past one character and what belongs to it: marks, variation selectors, skin tones, joined emoji, half a flag."""
    end = start + 1
    if _is_flag_half(text[start]) and end < len(text) and _is_flag_half(text[end]):
        end += 1
    while end < len(text):
        char = text[end]
        after = text[end + 1:end + 2]
        if char == JOINER and after and not (after.isspace() or _in_word(after) or _is_hidden(after)
                                             or _is_hidden(text[start])):
            end += 2
        elif unicodedata.category(char) in ("Mn", "Mc", "Me") or "\U0001F3FB" <= char <= "\U0001F3FF" or (
                "\U000E0020" <= char <= "\U000E007F"):
            end += 1
        else:
            break
    return end


def _is_flag_half(char: str) -> bool:
    return "\U0001F1E6" <= char <= "\U0001F1FF"


def shown(text: str, encoding: str = "utf-8") -> str:
    """A token as it may stand on a page: control, format and unpaired characters as \\u{202E}, and so what the page's
    encoding lacks; all else as it is."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _may_stand(text, n) and _fits(char, encoding) else f"\\u{{{ord(char):X}}}"
                   for n, char in enumerate(text))


def _fits(char: str, encoding: str) -> bool:
    try:
        return bool(char.encode(encoding)) or True
    except UnicodeEncodeError:
        return False


def _may_stand(text: str, n: int) -> bool:
    """Whether a character shows itself, or joins two that do (a family of emoji), or spells a flag."""
    if text[n] == JOINER:
        return 0 < n < len(text) - 1 and not _is_hidden(text[n - 1]) and not _is_hidden(text[n + 1])
    return not _is_hidden(text[n]) or "\U000E0020" <= text[n] <= "\U000E007F" and text.startswith(FLAG)


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def vocabulary(words: list[str]) -> tuple[str, ...]:
    """The vocabulary of a seeded run: start, end, then the words in order of appearance."""
    return tuple(dict.fromkeys((START, END, *words)))


def look_up(words: list[str], known: tuple[str, ...], side: str) -> Words:
    """The words with their ids in the vocabulary of one side, `source` or `target`. Raises Problem for a word that it
    lacks, with the nearest it knows."""
    numbers = {word: n + 1 for n, word in enumerate(known)}
    for word in words:
        if word not in numbers:
            import difflib  # only now: no other start needs it
            ordinary = [other for other in known if other not in (START, END)]
            near = difflib.get_close_matches(word, ordinary, n=3, cutoff=0.3) or ordinary[:3]
            raise Problem("unknown_word", side=sentence(f"messages.side_{side}"), size=len(known), word=shown(word),
                          near=", ".join(map(shown, near)))
    return Words(tuple(words), tuple(numbers[word] for word in words))
