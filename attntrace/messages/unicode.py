"""Text that is safe to show: normal form, graphemes, escapes for what is invisible."""
import re
import unicodedata
from collections.abc import Callable

JOINER = "\N{ZERO WIDTH JOINER}"
IN_COLOUR = "\N{VARIATION SELECTOR-16}"  # after a sign that is an emoji then
LINE_ENDS = "\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"
# The flag of a region, spelled in invisible tags (the letters and digits of its code, and their end); or one character.
UNUSUAL = re.compile("\N{WAVING BLACK FLAG}[\U000E0030-\U000E0039\U000E0061-\U000E007A]{3,6}\U000E007F|[^ -~]")


def normalized(text: str) -> str:
    """In NFC, in which one word is always the same characters."""
    return unicodedata.normalize("NFC", text)


def graphemes(text: str) -> list[str]:
    """What is seen as one letter each."""
    clusters, start = [], 0
    while start < len(text):
        end = _grapheme_end(text, start)
        clusters.append(text[start:end])
        start = end
    return clusters


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


def braced(char: str) -> str:
    return f"\\u{{{ord(char):X}}}"


def _joins(text: str, n: int) -> bool:
    """Whether a joiner stands between two emoji, a family's for example; elsewhere nobody would see it."""
    before, after = text[max(n - 1, 0):n], text[n + 1:n + 2]
    return (before == IN_COLOUR or _is_picture(before)) and _is_picture(after)


def _is_picture(char: str) -> bool:
    return char > "~" and unicodedata.category(char) in ("So", "Sk", "Sm")


def shown(text: str, encoding: str = "utf-8", escape: Callable[[str], str] = braced) -> str:
    """A text as it may stand on a page: control, format, private and unpaired characters escaped, as \\u{202E}, and so
    what the page's encoding lacks; all else as it is."""
    def one(found: re.Match[str]) -> str:
        char = found[0]
        stands = len(char) > 1 or not _is_hidden(char) or char == JOINER and _joins(text, found.start())
        return char if stands and _fits(char, encoding) else "".join(map(escape, char))

    return text if text.isprintable() and _fits(text, encoding) else UNUSUAL.sub(one, text)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _is_hidden(char: str) -> bool:
    """Whether its category is Cc, Cf, Cs, Co, Cn, Zl or Zp."""
    return unicodedata.category(char)[0] == "C" or char in LINE_ENDS
