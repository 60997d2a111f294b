"""What all pictures share: fonts, colours, and text of about a known width."""
import unicodedata
from html import escape

from attntrace.messages.catalog import LANGUAGES
from attntrace.messages.unicode import shown

FONTS = ", ".join([*filter(None, (language.fonts for language in LANGUAGES.values())), "sans-serif"])
INK, PAPER, GREY, LINE = "#000000", "#ffffff", "#5f6368", "#c8ccd2"
TITLE, NOTE, TEXT = 20, 13, 14  # sizes of letters

# Of words and of weights, as in HTML.
HUES = ("#66540a", "#338000", "#2e4c3a", "#806f2d", "#006629", "#0d8069",
        "#bf13bf", "#a84300", "#995c81", "#7300bf", "#c4123f", "#6b0a4d")
SHADES = (PAPER, "#ebf1fc", "#cddbf4", "#a8c2ed", "#81abe5", "#4e91db", "#0a74c0", "#025c9b", "#054474")
INKS = (INK,) * 6 + (PAPER,) * 3  # on each of them


def width_of(text: str, size: float = TEXT) -> float:
    """About how wide a text is: Hangul takes as much as its letters are high, Latin some 0.6 of that."""
    return size * sum(0 if unicodedata.category(char) in ("Mn", "Me", "Cf") else
                      1 if unicodedata.east_asian_width(char) in "WF" else
                      0.8 if char.isupper() else 0.6 for char in text)


def escaped(words: str) -> str:
    """Words from anywhere, as they may stand in an element or an attribute."""
    return escape(shown(words))


def text(words: str, x: float, y: float, size: float = TEXT, **attributes: str) -> str:
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{more}>{escaped(words)}</text>\n'
