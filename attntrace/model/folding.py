"""What is read in place of words and signs that a vocabulary lacks: their usual form, or nothing where little is lost,
as with ～, ㅋㅋ, an emoji, or a full stop at the end."""
import re
import unicodedata
from collections.abc import Callable, Sequence

from attntrace.messages.unicode import IN_COLOUR, JOINER

USUAL = str.maketrans("。、〜", ".,~")
LETTERS = re.compile("[ㄱ-ㅣ]+$")  # Hangul letters that are not in a syllable: ㅋㅋ, ㅎㅎ, ㅠㅠ
SLIGHT = set(",~^;♡♥" + JOINER + IN_COLOUR)
CLOSING = set(".!…")


def folded(words: Sequence[str], knows: Callable[[str], bool], drops: bool = True) -> tuple[list[str], list[str]]:
    """Return the words with other forms of those that a vocabulary does not know, and what was changed or left out.
    Where `drops` is False, and where nothing would be left, nothing is left out."""
    forms = list[str]()
    for word in words:
        bare = LETTERS.sub("", word) if drops else word
        forms.append(next(filter(knows, (word, _usual(word), bare)), "" if drops and _is_slight(word) else bare))
    for n in reversed(range(len(forms) if drops else 0)):
        if knows(forms[n]) or not CLOSING.issuperset(_usual(forms[n])):
            break  # the last word that remains
        forms[n] = ""
    changed = dict.fromkeys(word.removeprefix(form) for word, form in zip(words, forms, strict=True) if word != form)
    return (list(filter(None, forms)), list(changed)) if any(forms) else (list(words), [])


def _usual(word: str) -> str:
    return unicodedata.normalize("NFKC", word).translate(USUAL)


def _is_slight(word: str) -> bool:
    """Whether a word adds next to nothing to a sentence: a comma, a wave, a picture."""
    return all(char in SLIGHT or unicodedata.category(char) in ("So", "Sk") for char in _usual(word))
