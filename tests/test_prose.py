"""Prose: every language says the same things, and Korean as one who speaks it would."""
from __future__ import annotations

import re
import string
import tomllib

import pytest
from command import ROOT

MESSAGES = ROOT / "attntrace" / "messages"
LANGUAGES = {path.parent.name for path in MESSAGES.glob("*/*.toml")}
KINDS = {path.stem for path in MESSAGES.glob("*/*.toml")}
TRANSLATED = sorted(LANGUAGES - {"en"})
EITHER_WAY = re.compile(r"은\(는\)|는\(은\)|이\(가\)|가\(이\)|을\(를\)|를\(을\)|와\(과\)|과\(와\)|\(으\)로|\(이\)[가-힣]")
# A particle whose form hangs on the sound before it, which nobody knows of a slot.
AFTER_A_SLOT = re.compile(
    r"\}[\"']?(?:은|는|이|가|을|를|(?:와|과)(?:는|도|의)?|으?로(?:는|도|만|부터|써|서|의)?|이?(?:나|라고|라는|란|랑|여야))"
    r"(?![가-힣])")
HANGUL = re.compile("[가-힣]")
WORD = re.compile(r"[A-Za-z][A-Za-z-]+")
TERMS = {"post-norm", "pre-norm", "id", "pos", "log", "Adam", "English"}  # the same in every language


def flat(found: dict, before: str = "") -> dict[str, str]:
    """All sentences of a file by key, in their order."""
    sentences: dict[str, str] = {}
    for key, value in found.items():
        sentences |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return sentences


def sentences(language: str, kind: str) -> dict[str, str]:
    return flat(tomllib.loads((MESSAGES / language / f"{kind}.toml").read_text("utf-8")))


def all_sentences(language: str) -> dict[str, str]:
    return {f"{kind}.{key}": sentence for kind in sorted(KINDS) for key, sentence in sentences(language, kind).items()}


def slots(sentence: str) -> set[tuple[str, str | None]]:
    """Each with its format, of which there should be none."""
    return {(slot, form) for _, slot, form, _ in string.Formatter().parse(sentence) if slot is not None}


def examples(sentence: str) -> list[str]:
    """The lines that end a help text and are typed as they stand, without their heading."""
    return sentence.partition("\b\n")[2].splitlines()[1:]


def said(sentence: str) -> str:
    """Without slots, examples and whatever is quoted."""
    return re.sub(r"\{\w+\}|\"[^\"]*\"", "", sentence.partition("\b\n")[0])


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("language", TRANSLATED)
def test_every_language_has_the_keys_of_english_in_the_same_order(language, kind):
    assert list(sentences(language, kind)) == list(sentences("en", kind))


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_language_has_the_slots_and_the_examples_of_english(language):
    translated = all_sentences(language)
    for key, sentence in all_sentences("en").items():
        assert slots(translated[key]) == slots(sentence), key
        assert examples(translated[key]) == examples(sentence), key


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_language_needs_a_sign_that_pages_in_ascii_have_never_met(language):
    known = set("".join(all_sentences("en").values()))
    for key, sentence in all_sentences(language).items():
        assert {sign for sign in sentence if not sign.isascii() and not HANGUL.match(sign)} <= known, key


@pytest.mark.parametrize("pattern", [AFTER_A_SLOT, EITHER_WAY], ids=["after_a_slot", "either_way"])
def test_no_korean_particle_hangs_on_a_sound_that_is_not_known(pattern):
    assert {key: sentence for key, sentence in all_sentences("ko").items() if pattern.search(sentence)} == {}


@pytest.mark.parametrize("sentence, found", [
    ("{file}이 없습니다", True), ("{file}은", True), ("\"{word}\"를", True), ("{name}으로는", True), ("{a}와 {b}", True),
    ("{file} 파일이", False), ("{count}가지", False), ("{name}의 {row}행이", False), ("{key}에는", False),
    ("오차({error})를", False)])
def test_a_particle_after_a_slot_is_found_and_nothing_else(sentence, found):
    assert bool(AFTER_A_SLOT.search(sentence)) == found


def test_korean_is_korean_but_for_terms_and_signs():
    english = all_sentences("en")
    for key, sentence in all_sentences("ko").items():
        if not HANGUL.search(said(sentence)):
            assert set(WORD.findall(said(english[key]))) <= TERMS and sentence == english[key], key
