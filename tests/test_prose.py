"""Messages: every language says the same things, Korean as one who speaks it would, and every key is used and known."""
import ast
import re
import string
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

import click
import pytest
from command import ROOT

from attntrace.cli.app import COMMANDS, attntrace
from attntrace.messages.catalog import LANGUAGES, Message, _table
from attntrace.model import config
from attntrace.pages.topic_table import TOPICS
from attntrace.runs.slips import SLIPS
from attntrace.training import OPTIMIZERS
from attntrace.verify.invariants import KINDS

PACKAGE = ROOT / "attntrace"
SCRIPT = PACKAGE / "writers" / "script" / "template.txt"  # whose comments are messages
FILES = sorted({path.stem for path in PACKAGE.glob("messages/*/*.toml")} - {"language"})
EITHER_WAY = re.compile(r"은\(는\)|는\(은\)|이\(가\)|가\(이\)|을\(를\)|를\(을\)|와\(과\)|과\(와\)|\(으\)로|\(이\)[가-힣]")
# A particle whose form hangs on the sound before it, which nobody knows of a slot.
AFTER_A_SLOT = re.compile(
    r"\}[\"']?(?:은|는|이|가|을|를|(?:와|과)(?:는|도|의)?|으?로(?:는|도|만|부터|써|서|의)?|이?(?:나|라고|라는|란|랑|여야))"
    r"(?![가-힣])")
# The particles that fit what is read aloud in Korean with a vowel, the consonant l, or another consonant at its end.
VOWEL, LIQUID, CONSONANT = "는 가 를 와 로".split(), "은 이 을 과 로".split(), "은 이 을 과 으로".split()
AFTER_A_SYMBOL = re.compile(r"([A-Za-z0-9_.|/√∂σεβγμᵀ′-]*[A-Za-z0-9σεβγμᵀ′])(은|는|이|가|을|를|과|와|으로|로)(?![가-힣])")
DIGITS = dict(zip("0123456789", [CONSONANT, LIQUID, VOWEL, CONSONANT, VOWEL, VOWEL, CONSONANT, LIQUID, LIQUID, VOWEL],
                  strict=True))
LETTERS = {"L": LIQUID, "R": LIQUID, "M": CONSONANT, "N": CONSONANT, "ε": CONSONANT}  # all others end in a vowel
NAMES = {"model": LIQUID, "Textual": LIQUID} | dict.fromkeys(
    ("gain", "Adam", "JSON", "TARGET", "NaN", "population", "RMSNorm"), CONSONANT) | dict.fromkeys(
    ("ff", "softmax", "ReLU", "NumPy", "PyTorch", "Transformer", "attntrace", "config", "dict", "bias", "id", "npz",
     "True", "SENTENCE", "SOURCE", "STATE", "ASCII", "cafe", "park", "inf", "BERT", "GPT", "GELU", "SiLU", "tanh",
     "tensor2tensor", "lp", "py", "pandas", "pos"), VOWEL)
HANGUL = re.compile("[가-힣]")
WORD = re.compile(r"[A-Za-z][A-Za-z-]+")
TERMS = {"post-norm", "pre-norm", "GELU", "SiLU", "id", "pos", "log", "Adam", "English"}  # the same in every language


def flat(table: dict, before: str) -> dict[str, str]:
    """All templates of a table by key, in their order."""
    templates: dict[str, str] = {}
    for key, value in table.items():
        templates |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return templates


def templates_of(language: str) -> dict[str, str]:
    return {key: template for file in FILES for key, template in flat(
        tomllib.loads((PACKAGE / f"messages/{language}/{file}.toml").read_text("utf-8")), f"{file}.").items()}


TEMPLATES = {path.name: templates_of(path.name) for path in PACKAGE.glob("messages/*") if list(path.glob("*.toml"))}
ENGLISH = TEMPLATES["en"]
TRANSLATED = sorted(TEMPLATES.keys() - {"en"})


def test_messages_are_read_as_toml_has_them():
    for language, templates in TEMPLATES.items():
        assert {f"{file}.{key}": text for file in FILES for key, text in _table(language, file).items()} == templates


def slots(template: str) -> set[tuple[str, str | None]]:
    """Each with its format, of which there should be none; a choice of two words is no format."""
    return {(slot, "" if "|" in (form or "") else form) for _, slot, form, _ in string.Formatter().parse(template)
            if slot is not None}


def examples(template: str) -> list[str]:
    """The lines that end a help text and are typed as they stand, without their heading."""
    return template.partition("\b\n")[2].splitlines()[1:]


def words_of(template: str) -> str:
    """Without slots, examples and quotations."""
    return re.sub(r"\{\w+(?::[^}]*)?\}|\"[^\"]*\"", "", template.partition("\b\n")[0])


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_language_has_the_keys_the_slots_and_the_examples_of_english(language):
    assert list(TEMPLATES[language]) == list(ENGLISH)
    for key, template in ENGLISH.items():
        assert slots(TEMPLATES[language][key]) == slots(template), key
        assert examples(TEMPLATES[language][key]) == examples(template), key


@pytest.mark.parametrize("changed, said", [(1, "1 of 34 steps differs;"), (0, "0 of 34 steps differ;"),
                                           ("11", "11 of 34 steps differ;")])
def test_a_word_fits_the_number_that_it_stands_with(changed, said):
    assert Message("messages.diff_total", changed=changed, steps=34, address="x").render("en").startswith(said)


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_language_needs_a_sign_that_pages_in_ascii_cannot_spell(language):
    own = re.compile(f"[{LANGUAGES[language].letters}]")
    known = set("".join(ENGLISH.values()))
    for key, template in TEMPLATES[language].items():
        assert {sign for sign in template if not sign.isascii() and not own.match(sign)} <= known, (
            f"{key}; its own letters: language.toml")


@pytest.mark.parametrize("pattern", [AFTER_A_SLOT, EITHER_WAY], ids=["after_a_slot", "either_way"])
def test_no_korean_particle_hangs_on_a_sound_that_is_not_known(pattern):
    assert {key: template for key, template in TEMPLATES["ko"].items() if pattern.search(template)} == {}


@pytest.mark.parametrize("template, matches", [
    ("{file}이 없습니다", True), ("{file}은", True), ("\"{word}\"를", True), ("{name}으로는", True), ("{a}와 {b}", True),
    ("{file} 파일이", False), ("{count}가지", False), ("{name}의 {row}행이", False), ("{key}에는", False),
    ("오차({error})를", False)])
def test_a_particle_after_a_slot_is_recognised_and_nothing_else(template, matches):
    assert bool(AFTER_A_SLOT.search(template)) == matches


def particles(symbol: str) -> list[str]:
    """Those that fit a symbol as it is read aloud. KeyError: NAMES does not have it."""
    last = re.split(r"[_.|/√∂-]", symbol)[-1]
    if len(last) == 1 or last[-1] in "0123456789ᵀ′":
        return {**DIGITS, **LETTERS}.get(last[-1], VOWEL)
    return NAMES[last]


@pytest.mark.parametrize("symbol, particle, fits", [
    ("W_Q", "를", True), ("W_Q", "을", False), ("b_1", "을", True), ("d_model", "은", True), ("d_model", "는", False),
    ("√512", "를", True), ("∂L/∂X", "는", True), ("L", "을", True), ("ε", "으로", True), ("W_1", "으로", False)])
def test_a_particle_fits_a_symbol_as_it_is_read(symbol, particle, fits):
    assert AFTER_A_SYMBOL.fullmatch(symbol + particle) and (particle in particles(symbol)) == fits


def test_every_korean_particle_fits_the_symbol_before_it():
    for key, template in TEMPLATES["ko"].items():
        for symbol, particle in AFTER_A_SYMBOL.findall(words_of(template)):
            assert particle in particles(symbol), f"{key}: {symbol}{particle}"


def test_korean_is_korean_but_for_terms_and_signs():
    for key, template in TEMPLATES["ko"].items():
        if not HANGUL.search(words_of(template)) and key != "messages.trained_command":  # with a sentence to read
            assert set(WORD.findall(words_of(ENGLISH[key]))) <= TERMS and template == ENGLISH[key], key


def pattern_of(text: ast.JoinedStr) -> str:
    """A regular expression of what an f-string can be, with a group for each value in it."""
    return "".join(re.escape(part.value) if isinstance(part, ast.Constant) else "(.*)" for part in text.values)


class Package(NamedTuple):
    """The texts in the code: its literals, the keys that it puts together and all f-strings, as regular expressions."""
    literals: set[str]
    keys: set[str]
    pieces: list[re.Pattern[str]]

    def knows(self, text: str) -> bool:
        """Whether it is a literal, or comes from a table that keys are put together from."""
        return text in self.literals or any(text in values for values in VALUES.values())


@pytest.fixture(scope="module")
def package() -> Package:
    nodes = [node for path in PACKAGE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    return Package(
        {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
         and id(node) not in parts},
        {pattern_of(node.args[0]) for node in nodes if isinstance(node, ast.Call) and node.args
         and getattr(node.func, "id", "") == "Message" and isinstance(node.args[0], ast.JoinedStr)},
        [re.compile(text) for text in {pattern_of(node) for node in nodes if isinstance(node, ast.JoinedStr)} - {
            "(.*)", "(.*)(.*)"}])


def texts_of(command: click.Command) -> Iterator[str]:
    """The names of the help texts of a command, of those in it, and of their parameters."""
    yield from (one.text for one in (command, *command.params) if hasattr(one, "text"))
    for name in command.list_commands(click.Context(command)) if isinstance(command, click.Group) else ():
        yield from texts_of(command.get_command(click.Context(command), name))


VALUES = {  # of keys that are put together from a table in the package
    "help.{}": {*texts_of(attntrace)}, "help.{}_short": COMMANDS, "messages.seed_{}": config.INITIAL,
    "messages.optimizer_{}": OPTIMIZERS, "messages.verify.true.{}": [*KINDS, "fingerprint"],
    "messages.script.{}": re.findall(r"""(?:# |: |\"{3}|t\(")@(\w+)""", SCRIPT.read_text("utf-8")),
    "explain.{}.title": TOPICS, "explain.{}.short": TOPICS, "more.{}": TOPICS, "aliases.{}": TOPICS,
    "slips.{}": {slip.name for slip in SLIPS}}


@pytest.mark.parametrize("key", VALUES)
def test_every_value_of_a_table_of_the_package_has_its_message(key):
    assert [value for value in VALUES[key] if key.format(value) not in ENGLISH] == [] != list(VALUES[key])


def test_every_key_that_is_put_together_can_be_one_that_there_is(package):
    assert [pattern for pattern in package.keys if not any(re.fullmatch(pattern, key) for key in ENGLISH)] == []
    assert len(package.keys) > 10


def test_every_key_in_the_package_has_a_message(package):
    keys = {text for text in package.literals if text.split(".")[0] in FILES and "." in text and " " not in text}
    assert {key for key in keys if key[-1] != "."} - ENGLISH.keys() <= {"messages.errors"}  # a module


def is_written(text: str, package: Package) -> bool:
    """Whether a text is a literal of the package, two of them one after the other, or an f-string of such."""
    return (any(package.knows(text[:n]) and package.knows(text[n:]) for n in range(len(text)))
            or any(all(map(package.knows, match.groups())) for piece in package.pieces
                   if (match := piece.fullmatch(text))))


def test_every_message_is_used_somewhere(package):
    by_step = "titles.", "problem.why.system.", "problem.config.", "aliases."  # see test_structure and test_explain
    unused = {key for key in ENGLISH if not key.startswith(by_step) and key not in package.literals}
    assert {key for key in unused if not any(
        all(is_written(text, package) for text in match.groups()) for pattern in package.keys
        if (match := re.fullmatch(pattern, key)))} == set()
