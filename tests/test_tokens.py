"""What a token is, which number it has, and what of it reaches a page."""
import json
import sys
import unicodedata

import pytest
from command import attntrace

from attntrace.messages.unicode import shown
from attntrace.model.config import Config
from attntrace.model.tokens import tokenize
from attntrace.runs.prepare import prepare
from attntrace.writers import FORMATS, PICTURES

HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
EMOJI = {"one": "😀", "with_a_skin_tone": "👍🏽", "in_colour": "❤️", "joined": "👩‍🚀", "family": "👨‍👩‍👧‍👦",
         "joined_and_in_colour": "❤️‍🔥", "all_at_once": "🤷🏽‍♀️", "flag": "🇰🇷", "flag_of_scotland":
         "🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F", "keycap_of_a_digit": "1️⃣",
         "keycap_of_a_sign": "#️⃣"}


@pytest.mark.parametrize("sentence, tokens", (
    ("this is a cat", ["this", "is", "a", "cat"]),
    ("  this\tis\n a\u3000cat\u2028", ["this", "is", "a", "cat"]),
    ("The the THE", ["The", "the", "THE"]),
    ("어제 카페 갔었어", ["어제", "카페", "갔었어"]),
    ("漢字かな", ["漢字かな"]),
    ("Hello,World!?", ["Hello", ",", "World", "!", "?"]),
    ("wait... (no)", ["wait", ".", ".", ".", "(", "no", ")"]),
    ("a-b=c", ["a", "-", "b", "=", "c"]),
    ("__init__ x_1", ["__init__", "x_1"]),
    ("GPT2 x² ½ Ⅷ", ["GPT2", "x²", "½", "Ⅷ"]),
    ("", []), (" \n", []),
    # an apostrophe stays inside a word
    ("don't l’été", ["don't", "l’été"]),
    ("'tis dogs' 'n'", ["'", "tis", "dogs", "'", "'", "n", "'"]),
    ("a''b", ["a", "'", "'", "b"]),
    # point, comma and colon stay between digits
    ("3.14 1,000,000.5 12:30", ["3.14", "1,000,000.5", "12:30"]),
    ("v1.2 १.२", ["v1.2", "१.२"]),
    ("1. 2, 3:", ["1", ".", "2", ",", "3", ":"]),
    ("1.a a.1 .5", ["1", ".", "a", "a", ".", "1", ".", "5"]),
    ("1..2 1;2 1/2", ["1", ".", ".", "2", "1", ";", "2", "1", "/", "2"]),
    # each emoji is a token; keycaps of digits are a run, as digits are; a joiner before a letter joins nothing
    ("hi😀😀!", ["hi", "😀", "😀", "!"]), ("👍🏽👍", ["👍🏽", "👍"]), ("👩‍🚀👩‍🚀", ["👩‍🚀", "👩‍🚀"]),
    ("🇰🇷🇫🇷🇰", ["🇰🇷", "🇫🇷", "🇰"]), ("#️⃣#️⃣", ["#️⃣", "#️⃣"]), ("1️⃣2️⃣", ["1️⃣2️⃣"]),
    ("!\u200dword", ["!", "\u200d", "word"]), ("<s>", ["<", "s", ">"])))
def test_words_are_runs_and_each_sign_stands_alone(sentence, tokens):
    assert tokenize(sentence) == tokens


@pytest.mark.parametrize("emoji", EMOJI.values(), ids=EMOJI)
def test_emoji_is_one_token_however_many_characters_it_has(emoji):
    assert tokenize(f"hi {emoji} there") == ["hi", emoji, "there"]
    assert shown(emoji) == emoji


@pytest.mark.parametrize("word", ("갔었어", "é", "Å", "がぎ", "ṩ"))
def test_composed_and_decomposed_spelling_are_the_same_token(word):
    decomposed = unicodedata.normalize("NFD", word)
    assert decomposed != word
    assert tokenize(decomposed) == tokenize(word) == [unicodedata.normalize("NFC", word)]


@pytest.mark.parametrize("word", ("नमस्ते", "क्षत्रिय", "ไม้", "שָׁלוֹם", "ᄒᆞᆫ", "q̃"))
def test_marks_stay_with_their_letters(word):
    assert tokenize(f"{word}, {word}") == [word, ",", word]


@pytest.mark.parametrize("char", ("\x00", "\x1b", "\x7f", "\x9b", "\u00ad", "\u200b", "\u200e", "\u202e", "\u2066",
                                  "\ufeff", "\ud800", "\ue000"))
def test_character_that_nobody_sees_is_a_token_and_is_shown_by_its_number(char):
    assert tokenize(f"a{char}b") == ["a", char, "b"]
    assert shown(char) == f"\\u{{{ord(char):X}}}"


def test_every_character_is_shown_or_escaped_as_its_category_says():
    """All that have a meaning, and one in a hundred of the million that have none; alone, and between others."""
    for number in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(number))
        if number % 100 == 0 or category not in ("Cn", "Co"):
            escaped = f"\\u{{{number:X}}}" if category in HIDDEN else chr(number)
            assert shown(chr(number)) == escaped
            assert shown(f"카{chr(number)}a") == f"카{escaped}a"


@pytest.mark.parametrize("text", ("a\u202eb", "\x1b[31m", "👩\u200d\u202e", "!\u200d\x07", "\u200d\u200d", "👍\ufeff"))
def test_hidden_characters_inside_a_longer_text_are_shown_by_number(text):
    for token in [text, *tokenize(text)]:
        assert not [char for char in shown(token).replace("\u200d", "") if unicodedata.category(char) in HIDDEN]


def test_invisible_tags_are_shown_by_number_unless_they_make_a_flag():
    """Otherwise a token would be on the page without a trace of it."""
    tags = "\U000E0041\U000E0042"
    assert [shown(token) for token in tokenize(f"a {tags}")] == ["a", "\\u{E0041}\\u{E0042}"]
    assert shown(f"🏴 a{tags} 🏴{tags}") == "🏴 a\\u{E0041}\\u{E0042} 🏴\\u{E0041}\\u{E0042}"


@pytest.mark.parametrize("text", ("a\u200db", "क\u200dष", "a \u200d b", "!\u200d?", "😀\u200d", "\u200d😀", "😀\u200da"))
def test_joiner_that_joins_no_emoji_is_escaped(text):
    assert shown(text) == text.replace("\u200d", "\\u{200D}")


HIDDEN_CHARACTERS = [chr(number) for number in (*range(0x20000), *range(0xE0000, 0xF0000))  # no other planes have any
                     if unicodedata.category(chr(number)) in ("Cc", "Cf", "Zl", "Zp")]
HIDDEN_CHARACTERS += ["\ud800", "\udfff", "\ue000", "\U0010fffd"]  # and some of the many that are alike
PAGES = {name: "map" if name in PICTURES else "trace" for name in FORMATS}
SPELLED = {"jsonl": "\\u00ad", "latex": r"\textbackslash{}u\{AD\}"}  # of a soft hyphen, where its escape is escaped
SMALL = "--d-model", "2", "--heads", "1", "--d-ff", "1"


@pytest.mark.parametrize("kind", PAGES)
def test_no_format_lets_a_hidden_character_through(kind):
    """A few words hold them all, and an emoji: in the title, as words, on labels."""
    characters = HIDDEN_CHARACTERS[::5] if kind == "svg" else HIDDEN_CHARACTERS  # every pair of words is a square there
    words = ["x".join(characters[start::20]) for start in range(20)]
    part = () if kind == "svg" else ("--only", "encoder.input")
    code, page, errors = attntrace(PAGES[kind], f"x{' '.join(words)} 👩‍🚀", *SMALL, *part, "--format", kind)
    assert (code, errors) == (0, "")
    assert {char for char in page.replace("👩‍🚀", "") if unicodedata.category(char) in HIDDEN} == {"\n"}
    assert "👩‍🚀" in page
    assert SPELLED.get(kind, "\\u{AD}") in page, f"SPELLED in {__file__}: how {kind} writes \\u{{AD}}"


def test_a_reader_of_json_lines_gets_the_true_words():
    sentence = f"카페 👩‍🚀 {' '.join(HIDDEN_CHARACTERS)}"
    page = attntrace("trace", sentence, *SMALL, "--only", "encoder.input", "--format", "jsonl").out
    header = json.loads(page.split("\n")[0])
    assert [word["text"] for word in header["tokens"]["source"]] == tokenize(sentence)


def test_no_hidden_character_of_the_command_line_is_on_standard_error():
    everything = "".join(HIDDEN_CHARACTERS)
    name = everything.replace("\0", "").replace("\ud800", "").replace("\udfff", "")  # as a file may be called
    for arguments in (["trace", "a", "--only", everything], ["trace", "a", "--weights", name], ["explain", everything],
                      ["trace", "a", "--set", everything], ["trace", "a", f"--{everything}"], [everything],
                      ["trace", "a", "-o", f"no/{name}/x"], ["trace", "a", "--limit", everything]):
        code, page, errors = attntrace(*arguments)
        assert (code, page) == (2, "") and errors[:-1].isprintable(), arguments[:-1]


# Numbers

def test_ids_count_from_one_in_order_of_appearance():
    run = prepare("a rose is a rose", "a rose")
    assert run.vocabularies.source == ("<s>", "</s>", "a", "rose", "is")
    assert run.source.ids == (3, 4, 5, 3, 4)
    assert run.target[:2] == (("<s>", "a", "rose"), (1, 3, 4))


def test_end_of_source_is_a_token_where_the_wiring_says_so():
    assert prepare("a cat", config=Config(source_end=True)).source[:2] == (("a", "cat", "</s>"), (3, 4, 2))
