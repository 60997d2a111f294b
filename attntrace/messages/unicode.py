"""Text that is safe to show: normal form, graphemes, escapes for what is invisible."""
from __future__ import annotations

import unicodedata

FLAG = "\N{WAVING BLACK FLAG}"  # a flag is spelled with invisible tags after it
JOINER = "\N{ZERO WIDTH JOINER}"


def normalized(text: str) -> str:
    """In NFC, in which one word is always the same characters."""
    return unicodedata.normalize("NFC", text)


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
