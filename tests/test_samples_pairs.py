"""The pairs that the models are trained on: natural by rule, without contradictions, and made by their script."""
import re
import runpy
import unicodedata
from collections import Counter

import pytest
from command import ROOT

from attntrace.training.pairs import read_pairs

FILE = ROOT / "samples" / "ko-en.tsv"
PAIRS = [tuple(line.split("\t")) for line in FILE.read_text("utf-8").splitlines()]
KOREAN = {ko for ko, _ in PAIRS}
WORDS = Counter(word for ko in KOREAN for word in re.split(r"[ .?!]+", ko) if word)


def test_the_file_is_what_the_script_makes():
    script = runpy.run_path(str(ROOT / "samples" / "pairs" / "make.py"))
    assert script["text"](script["make"]().pairs) == FILE.read_text("utf-8")


def test_the_file_is_as_large_as_a_small_model_can_learn():
    assert 8_000 <= len(PAIRS) == len(read_pairs(FILE)) <= 12_000


def test_signs_are_those_that_people_type():
    for ko, en in PAIRS:
        assert unicodedata.is_normalized("NFC", ko + en)
        assert re.fullmatch(r"[가-힣0-9A-Za-z,]+( [가-힣0-9A-Za-z,]+)*[.?!]?", ko), ko
        alone = " " not in ko and re.fullmatch("[a-z]+( [a-z]+)?", en)  # a word, as in a dictionary
        assert alone or re.fullmatch(r"[A-Z0-9][A-Za-z0-9',:-]*( [A-Za-z0-9',:-]+)*[.?!]?", en), en
        assert ko[-1:] == en[-1:] or not {ko[-1], en[-1]} & set(".?!"), ko


def test_one_korean_sentence_has_one_translation():
    """Whatever its spaces and full stops."""
    english: dict[str, set[str]] = {}
    for ko, en in PAIRS:
        english.setdefault(re.sub("[ .!]", "", ko), set()).add(en.rstrip(".!").lower())
    assert len(PAIRS) == len(set(PAIRS)) == len(KOREAN)
    assert {ko: each for ko, each in english.items() if len(each) > 1} == {}


def test_the_sentence_of_the_readme_is_held_out():
    assert not [pair for pair in PAIRS if "I went to the cafe yesterday" in pair[1] or "어제카페갔었어" in
                pair[0].replace(" ", "")]


def test_the_other_direction_learns_plain_speech():
    """The first Korean of an English sentence: 반말 where there is any, and 갔었어 for who was there yesterday."""
    groups: dict[str, list[str]] = {}
    for ko, en in PAIRS:
        groups.setdefault(en.rstrip("."), []).append(ko.rstrip("."))
    polite = re.compile("(요|니다|니까)[.?!]?$")
    assert [each for each in groups.values() if polite.search(each[0]) and not all(map(polite.search, each))] == []
    for place in ("공원:park", "시장:market", "병원:hospital", "도서관:library", "식당:restaurant", "은행:bank", "바다:sea"):
        ko, en = place.split(":")
        assert groups[f"I went to the {en} yesterday"][0] == f"어제 {ko} 갔었어"


@pytest.mark.parametrize("words", [
    [f"{day}요일에" for day in "월화수목금토일"],
    ["오늘", "내일", "어제", "모레", "아침에", "점심에", "저녁에", "밤에", "주말에", "지난주에", "매일", "요즘", "지금", "아까", "나중에"],
    ["한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열", "천", "만", "원이에요"],
    # every person with most particles; 를 and 도 (엄마도) stand with fewer of them
    *([f"{name}{ending}" for ending in ("는", "가", "랑", "한테")] for name in ("엄마", "아빠", "민수", "친구", "누나")),
    ["동생은", "동생이", "동생이랑", "동생한테", "동생도", "선생님은", "선생님이", "선생님을", "선생님한테"],
    ["나", "나는", "내가", "나도", "나한테", "너", "너는", "네가", "저는", "제가", "우리", "우리는", "형", "오빠", "언니"],
    # every place with every particle
    *([place, f"{place}에", f"{place}에서"] for place in (
        "집", "학교", "카페", "공원", "시장", "병원", "도서관", "서울", "부산", "바다", "회사", "식당", "가게")),
    # what was missing once
    ["있어", "없어", "점심", "숙제했어", "공부했어", "축구했어", "갈게", "갈까", "갈래", "가자", "좋아", "날씨", "비", "눈", "싫어"]],
    ids=lambda words: words[0])
def test_common_words_stand_in_several_pairs(words):
    assert {word: WORDS[word] for word in words if WORDS[word] < 3} == {}


@pytest.mark.parametrize("stem, forms", [
    ("먹", "먹어 먹어요 먹었어 먹었어요 먹을 먹고 먹자 먹지"), ("가", "가 가요 갔어 갔어요 갈 가고 가자 가지"),
    ("오", "와 와요 왔어 왔어요 올"), ("보", "봐 봐요 봤어 봤어요 볼 보고"), ("마시", "마셔 마셔요 마셨어 마셨어요 마실 마시고"),
    ("하", "해 해요 했어 했어요 할 하고 하자 하지"), ("사", "사 사요 샀어 샀어요 살 사고"), ("자", "자 자요 잤어 잤어요 잘 자고"),
    ("읽", "읽어 읽어요 읽었어 읽었어요 읽을 읽고"), ("듣", "들어 들어요 들었어 들었어요 듣고"),
    ("만나", "만나 만나요 만났어 만났어요 만날 만나고 만나자"), ("타", "타 타요 탔어 탔어요 탈 타고")])
def test_common_verbs_stand_in_all_their_forms(stem, forms):
    assert {form: WORDS[form] for form in forms.split() if WORDS[form] < 3} == {}


def test_sentences_that_nobody_says_do_not_come_back():
    listed = """많이 안 잤어|I didn't sleep a lot, 엄마는 요즘 안 자|, 혼자 서울 올 거야|, 왜 밥 안 먹을 거야?|Why won't Mom eat tomorrow?,
내일 누가 우유 마실 거야?|, 지난주에 누가 라면 먹었어?|, 지난주에 어디서 커피 마셨어?|, 밤에 여기 와|, 오늘 집에서 안 잘 거야?|, 저녁에 집 안 와|"""
    for pair in listed.replace("\n", " ").split(", "):
        ko, en = pair.split("|")
        assert not [each for each in PAIRS if each[0].rstrip(".?!") == ko.rstrip("?") and en in ("", each[1])], ko
