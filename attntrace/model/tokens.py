"""What enters a run: the tokens of a sentence and their ids, or rows of numbers instead of words."""
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from attntrace.messages.catalog import Joined, Message, Text
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import COUNT, nearest
from attntrace.messages.unicode import _grapheme_end, _in_word, normalized, shown
from attntrace.model.folding import folded
from attntrace.model.pieces import is_later, join, pieces_of
from attntrace.tensor.axes import Axis
from attntrace.tensor.tensor import Array, Tensor, constant

START, END = "<s>", "</s>"
PADDING = "<pad>", "<blank>", "[PAD]"  # as other libraries call it; a vocabulary may have one
SOURCE, MEMORY, TARGET = "encoder.input", "encoder.output", "decoder.input"  # where rows may enter a run
QUERIES, KEYS, VALUES = "query.input", "key.input", "value.input"  # where they may enter an attention alone
APOSTROPHES = "'’"
BETWEEN_DIGITS = ".,:"
UNKNOWN = ("<unk>", "[UNK]", "<UNK>", "UNK")
CLOSING = set(".,:;?!…)]}”’%")


class Words(NamedTuple):
    """The tokens of a sentence and their ids: the numbers (from 1) of their rows in the embedding table.

    In a batch: no texts, the ids of all sentences one after another, and the `lengths` of the sentences."""
    texts: tuple[str, ...]
    ids: tuple[int, ...]
    lengths: tuple[int, ...] | None = None

    @property
    def axis(self) -> Axis:
        return Axis("token", len(self.ids), self.texts or None, self.lengths)

    @property
    def positions(self) -> list[int]:
        """The position of each token in its sentence, from 0."""
        return [position for length in self.lengths or (len(self.ids),) for position in range(length)]

    def reordered(self, order: Sequence[int]) -> "Words":
        """The same words in another order, given by their present positions (from 0)."""
        return Words(tuple(self.texts[n] for n in order), tuple(self.ids[n] for n in order))


class InputRows(NamedTuple):
    """Rows (value: token × d_model), the label of each, and the address at which they enter the run; `values`: where
    the rows are keys, the rows of their values, if these are others."""
    texts: tuple[str, ...]
    value: Array
    address: str
    values: Array | None = None

    @property
    def ids(self) -> tuple[None, ...]:
        """None for each row, since none comes from an embedding table."""
        return (None,) * len(self.texts)

    def tensor(self, symbol: str) -> Tensor:
        return self.tensor_along(Axis("d_model", self.value.shape[1]), symbol)

    def tensor_along(self, axis: Axis, symbol: str) -> Tensor:
        return constant(self.value, symbol, (Axis("token", len(self.texts), self.texts), axis))

    def reordered(self, order: Sequence[int]) -> "InputRows":
        """The same rows in another order, given by their present positions (from 0)."""
        values = None if self.values is None else self.values[list(order)]
        return InputRows(tuple(self.texts[n] for n in order), self.value[list(order)], self.address, values)

    def small(self, d_model: int) -> "InputRows":
        """One row, of another width, with a name that no other row has."""
        row = np.linspace(-1, 1, d_model, dtype=self.value.dtype)[None]
        return InputRows((self.address,), row, self.address, None if self.values is None else row)


def tokenize(sentence: str) -> list[str]:
    """Split a sentence into tokens, in NFC.

    A token is a run of letters, marks, digits and `_` (including an apostrophe inside, and `.` `,` `:` between digits),
    or else one grapheme. Case is kept, white space separates."""
    text = normalized(sentence)
    tokens, start = [], 0
    while start < len(text):
        if text[start].isspace():
            start += 1
            continue
        end = _word_end(text, start) if _in_word(text[start]) else _grapheme_end(text, start)
        tokens.append(text[start:end])
        start = end
    return tokens


class Reader(NamedTuple):
    """How sentences become tokens of a vocabulary. `ids`: the sentences are ids; `unknown`: words that the vocabulary
    lacks become its token for such words."""
    ids: bool = False
    unknown: bool = False

    def read(self, sentence: str, known: Sequence[str], side: str, model: Text) -> tuple[list[str], list[Message]]:
        """Return the tokens, and what was changed in them. What stands between blanks is one token where the vocabulary
        has it, as that of another tokenizer (`[CLS]`, `##ing`, `▁the`) or `<s>`; else it is split by ours, and by the
        pieces of the vocabulary. Signs that it lacks are `folded`. Raises Problem for what is not an id."""
        if self.ids:
            return [_by_id(piece, known, side, model) for piece in re.split(r"[\s,\[\]]+", sentence) if piece], []
        names = set(known)
        words = [word for piece in normalized(sentence).split()
                 for word in ([piece] if piece in names else tokenize(piece))]
        pieces = pieces_of(tuple(known))
        words, changed = folded(words, lambda word: word in names or bool(pieces and pieces.split(word)),
                                drops=not self.unknown)
        notes = [Message("messages.folded", side=Message(f"messages.side_{side}"), words=" ".join(map(shown, changed)),
                         sentence=shown(detokenize(words)))] * bool(changed)
        if pieces:
            words = [piece for word in words for piece in pieces.split(word) or [word]]
        if not self.unknown:
            return words, notes
        unknown = unknown_of(known)
        if unknown is None:
            raise Problem("vocabulary_no_unknown", side=Message(f"messages.side_{side}"), file=model,
                          words=", ".join(UNKNOWN))
        lacking = [word for word in words if word not in names]
        note = Message("messages.unknown_words", side=Message(f"messages.side_{side}"), unknown=unknown,
                       words=", ".join(map(shown, lacking)))
        return [unknown if word in lacking else word for word in words], [*notes, *[note] * bool(lacking)]


def unknown_of(known: Sequence[str]) -> str | None:
    """The token that a vocabulary has for words that it lacks, if any."""
    return next((word for word in UNKNOWN if word in known), None)


def _by_id(piece: str, known: Sequence[str], side: str, model: Text) -> str:
    number = int(piece) if piece.isascii() and piece.isdigit() and len(piece) < 20 else 0
    if not 1 <= number <= len(known):
        raise Problem("no_such_id", value=shown(piece), side=Message(f"messages.side_{side}"), size=len(known),
                      file=model)
    return known[number - 1]


def detokenize(words: Sequence[str]) -> str:
    """Join tokens into a sentence, without `</s>`, with a space before each except closing punctuation, and none about
    the hyphen of twenty-six; the pieces of a word into it."""
    whole: list[list[str]] = []
    for word in words:
        if whole and is_later(word):
            whole[-1].append(word)
        elif word != END:
            whole.append([word])
    joined = list(map(join, whole))
    hyphens = {n for n in range(1, len(joined) - 1)
               if joined[n] == "-" and joined[n - 1].isalpha() and joined[n + 1].isalpha()}
    spaced = (word if word in CLOSING or {n, n - 1} & hyphens else f" {word}" for n, word in enumerate(joined))
    return "".join(spaced).removeprefix(" ")


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


def vocabulary(words: Iterable[str]) -> tuple[str, ...]:
    """Return the vocabulary of a seeded run: start, end, then the words in order of appearance."""
    return tuple(dict.fromkeys((START, END, *words)))


def never_next(known: Sequence[str]) -> str:
    """The word of a target vocabulary that is never a next word: its padding, or else `<s>`."""
    return next((word for word in PADDING if word in known), START)


def look_up(words: Sequence[str], known: tuple[str, ...], side: str, model: Text = "FILE") -> Words:
    """Return the words with their ids in the vocabulary of one side, `source` or `target`, of a `model` (its file).
    Raises Problem for all words that it lacks, each with the known ones that are near, and with the sentence of these
    where it would be nearly the same; where it knows no word of a sentence, nor one that is near, some that it
    knows."""
    numbers = {word: n + 1 for n, word in enumerate(known)}
    if unknown := sorted({word: None for word in words if word not in numbers}, key=_is_word, reverse=True):
        others = [word for word in known if word not in (START, END) and not is_later(word)]
        near = {word: _near(word, others) for word in filter(_is_word, dict.fromkeys(words))}
        if len(near) > 1 and not any(near.values()):
            raise Problem("no_known_word", side=Message(f"messages.side_{side}"), size=len(known), file=model,
                          some=", ".join(map(shown, [*filter(_is_word, others)][:COUNT])))
        joined = _joined(words, numbers)
        near |= {word: list(dict.fromkeys([two, *near[word]]))[:COUNT]
                 for pair, two in joined.items() for word in pair if word in unknown}
        raise Problem("unknown_words", side=Message(f"messages.side_{side}"), size=len(known), file=model,
                      words=Joined(", ", [_with_near(word, near.get(word, [])) for word in unknown]),
                      signs=Joined("", [*([] if all(map(_is_word, unknown)) else [_signs_among(others)]),
                                        *_instead(words, near, joined, numbers),
                                        *([Message("problem.why.as_unknown")] if unknown_of(known) else [])]))
    return Words(tuple(words), tuple(numbers[word] for word in words))


def _is_word(token: str) -> bool:
    return _in_word(token[0])


def _with_near(word: str, near: Sequence[str]) -> Text:
    """An unknown word, in quotes where it is a sign; and what is near to it."""
    if not _is_word(word):
        return f'"{shown(word)}"'
    if not near:
        return shown(word)
    return Message("problem.why.known_near", word=shown(word), near=", ".join(map(shown, near)))


def _near(word: str, known: Sequence[str]) -> list[str]:
    """What is near to an unknown word: two known words in one, or others."""
    apart = [f"{word[:n]} {word[n:]}" for n in range(1, len(word)) if word[:n] in known and word[n:] in known]
    return [*apart, *nearest(word, known)][:COUNT]


def _joined(words: Sequence[str], known: Container[str]) -> dict[tuple[str, str], str]:
    """Return the known words that two neighbors, at least one of them unknown, are together."""
    return {(one, two): one + two for one, two in zip(words, words[1:])
            if one + two in known and not (one in known and two in known)}


def _instead(words: Sequence[str], near: Mapping[str, Sequence[str]], joined: Mapping[tuple[str, str], str],
             known: Container[str]) -> list[Message]:
    """Return the sentence with the nearest words in place of unknown ones, where each begins as its unknown word does
    and one of the two ends there; and without unknown signs. Nothing where a word has none."""
    read, rest = list[str](), list(words)
    while rest:
        word = rest.pop(0)
        if rest and (word, rest[0]) in joined:
            read.append(joined[word, rest.pop(0)])
        elif word in known:
            read.append(word)
        elif _is_word(word):
            form = next(iter(near[word]), "")
            whole = form.replace(" ", "")
            if not whole or not (word.startswith(whole) or whole.startswith(word)):
                return []
            read.append(form)
    return [Message("problem.why.instead", sentence=shown(detokenize(read)))] * bool(read)


def _signs_among(known: Sequence[str]) -> Message:
    signs = [word for word in known if not _is_word(word)]
    return Message(f"problem.why.{'signs' if signs else 'no_signs'}", known=" ".join(map(shown, signs)))


def packed(sentences: Sequence[Sequence[int]]) -> Words:
    """Pack the ids of several sentences, one after another."""
    lengths = tuple(map(len, sentences))
    return Words((), tuple(id for ids in sentences for id in ids), lengths if len(lengths) > 1 else None)
