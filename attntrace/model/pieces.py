"""Words and the pieces of a vocabulary: the first piece of a word is plain, the later ones begin with `##`.

A Korean syllable that ends in a consonant is two units, the open syllable and the consonant: so 갔어 can be 가 ##ㅆ어, in
which stem and ending are apart. A piece that begins with such a consonant shows it as a letter of its own."""
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from attntrace.messages.unicode import graphemes, normalized

LATER = "##"  # how the pieces of a word begin after the first, as in WordPiece
FINALS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"  # the final consonants in the order of their syllables
FIRST_SYLLABLE, LAST_SYLLABLE, FIRST_FINAL = "가", "힣", 0x11A8
LETTER_OF = {chr(FIRST_FINAL + n): letter for n, letter in enumerate(FINALS)}
FINAL_OF = {letter: final for final, letter in LETTER_OF.items()}


def units_of(word: str) -> list[str]:
    """Return the units that a word is cut between: its letters, with their marks; a syllable without its final
    consonant, and this."""
    units = []
    for letter in graphemes(word):
        final = (ord(letter[0]) - ord(FIRST_SYLLABLE)) % (len(FINALS) + 1)
        if FIRST_SYLLABLE <= letter <= LAST_SYLLABLE and final:
            units += [chr(ord(letter[0]) - final), chr(FIRST_FINAL + final - 1)]
        else:
            units.append(letter)
    return units


def piece_of(units: Iterable[str], later: bool) -> str:
    """Return units as a piece of a vocabulary."""
    text = "".join(units)
    text = LETTER_OF.get(text[0], text[0]) + text[1:]
    return (LATER if later else "") + normalized(text)


def is_later(token: str) -> bool:
    """Whether a token continues the word before it."""
    return token.startswith(LATER) and len(token) > len(LATER)


def join(pieces: Sequence[str]) -> str:
    """Return the word that pieces are."""
    word = ""
    for piece in pieces:
        if word and is_later(piece):
            piece = piece[len(LATER):]
            closed = normalized(word + FINAL_OF.get(piece[0], " "))
            if len(closed) == len(word):
                word, piece = closed, piece[1:]
        word += piece
    return word


class Pieces:
    """The pieces of a vocabulary, into which it splits words."""

    def __init__(self, known: Iterable[str]) -> None:
        self.known = frozenset(known)
        self.longest = max(map(len, self.known), default=0)

    def split(self, word: str, skips: Callable[[], bool] = lambda: False) -> list[str] | None:
        """Return the pieces of a word, each the longest that fits (as WordPiece does); None where none fits. `skips`:
        whether the next one that would fit, if it is more than one unit, is passed over."""
        units, pieces, start = units_of(word), list[str](), 0
        while start < len(units):
            for end in range(min(len(units), start + 2 * self.longest), start, -1):
                piece = piece_of(units[start:end], start > 0)
                if piece in self.known and (end == start + 1 or not skips()):
                    break
            else:
                return None
            pieces.append(piece)
            start = end
        return pieces if join(pieces) == word else None  # a letter ㅆ of its own is not the end of a syllable


@lru_cache(8)
def pieces_of(known: tuple[str, ...]) -> Pieces | None:
    """Return the pieces of a vocabulary; None where it has whole words only."""
    return Pieces(known) if any(map(is_later, known)) else None
