"""Draws what is said of the rows of verbs.py: which form, who, when, where; every option as often as it deserves.

Written for attntrace; MIT licence, as the rest of it."""
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import nouns
import sentences
from draw import Draw
from english import I, WE, YOU
from nouns import Person
from sentences import FORMS, WITHOUT_SUBJECT, Meaning, Style
from times import MANNER, OFTEN, TIMES, Time
from verbs import ACTS, Act

WEIGHTS = dict(past=10, pres=5, fut=5, habit=3, prog=2, pastprog=.7, want=3, wanted=.5, must=2, mustpast=.5, can=1.5,
               cannot=.8, ge=2, please=2, lets=1.8, letsnot=.4, shall=1.5, rae=2, order=1, dont=1.2, may=1, mustnt=.5,
               neednt=.5, perfect=.8, already=.8, just=.8, lately=.8)
WILLED = tuple(WEIGHTS)
BY_KIND = dict(
    act=WILLED, work=WILLED, coming=tuple(form for form in WILLED if form not in ("lets", "letsnot", "shall", "prog")),
    state=("pres", "past"), know=("pres",), event=("past",), feeling=("past", "pres", "prog", "dont"),
    wear=("past", "fut", "want", "must", "ge", "dont", "mustnt", "neednt", "habit", "order"), late=("past", "dont", "mustnt"),
    mind=("pres", "past"), together=("lets", "shall"), careful=("order", "must", "ge"),
    switch=("past", "ge", "please", "order", "dont", "may", "must", "shall", "fut"))
BASIC = ("past", "pres", "fut", "habit", "prog", "want", "must", "can", "ge", "please", "lets", "order", "dont", "perfect", "lately")
ASKABLE = ("past", "pres", "fut", "habit", "prog", "want", "must", "can", "may", "rae", "perfect", "already", "shall", "pastprog", "lately")
ONLY_ASKED = ("may", "rae", "shall")
NEGATABLE = dict(past=.25, pres=.25, fut=.2, want=.25, rae=.2)
SOON = ("가", "오", "만나", "출발하", "쉬", "일하", "이사하", "여행하", "결혼하", "시작하", "돌아가", "돌아오")  # 내일 가: I'm going tomorrow
UNUSUAL = {"찾": ("habit",), "빌리": ("habit", "prog"), "고치": ("habit",), "가져오": ("habit", "prog"), "심": ("habit",), "버리": ("habit",),
           "초대하": ("habit", "prog"), "빌려주": ("habit", "prog"), "배우": ("dont", "mustnt"), "공부하": ("mustnt",), "운동하": ("mustnt",),
           "시작하": ("habit",), "싸우": ("prog",), "주": ("prog",), "보내": ("prog",), "출발하": ("habit",), "사과하": ("habit", "prog"),
           "예약하": ("habit", "prog"), "바꾸": ("habit", "prog"), "데려오": ("prog",), "졸업하": ("habit", "prog"), "듣": ("must", "mustpast"), "놀": ("must", "mustpast"),
           "자": ("just", "already"), "일어나": ("rae",), "게임하": ("must", "mustpast"), "노래하": ("must", "mustpast")}
GROWN = ("일하", "회의하", "운전하", "결혼하", "이사하", "출근하", "퇴근하", "아르바이트하", "피우", "취직하", "데이트하", "화장하", "헤어지")
YOUNG = ("배우", "공부하", "치", "싸우", "뛰", "춤추")
PARENTS = ("엄마", "아빠", "이모", "삼촌", "남편", "아내", "할머니", "할아버지", "부모님", "선생님", "사장님", "가족", "아기")
OF_CHILDREN = ("숙제하", "놀", "게임하", "외우", "졸업하", "다니", "질문하", "발표하")
OLD = ("할머니", "할아버지", "부모님", "사장님", "선생님", "아기", "아이들")
ADULT_DRINKS = ("술", "맥주", "와인")
CHILDREN = ("아기", "아이들", "동생", "남동생", "여동생", "학생들", "아들", "딸")
SUBJECTS = nouns.FAMILY + nouns.NAMES + nouns.FRIEND + tuple(
    nouns.PERSON[name] for name in ("선생님", "남자 친구", "여자 친구", "친구들", "남편", "아내", "아들", "딸", "아이들", "부모님"))
COMPANY = nouns.FAMILY + nouns.NAMES + nouns.FRIEND * 3 + tuple(
    nouns.PERSON[name] for name in ("남자 친구", "여자 친구", "친구들", "가족", "아들", "딸", "부모님"))
WHAT = ("먹", "마시", "만들", "시키", "사", "보", "읽", "듣", "배우", "공부하", "찾", "빌리", "받", "그리", "팔", "가르치", "좋아하",
        "가져오", "주", "보내", "잃어버리", "입", "요리하")


class Said(NamedTuple):
    """A pair with the frame that it comes from, and whether it is 존댓말."""
    ko: str
    en: str
    frame: str
    polite: bool = False


def _times(act: Act, form: str) -> list[Time]:
    tense = FORMS[form].times
    sizes = act.when.split()
    if form == "pres" and act.stem in SOON:
        tense = "future"
    if not tense or not sizes or tense == "now" and act.kind in ("state", "know"):
        return []
    if "morning" in sizes:
        names = ("어제", "오늘", "내일", "월요일에", "토요일에", "일요일에", "주말에", "오늘 아침에", "어제 아침에", "내일 아침에", "매일", "주말마다",
                 "매일 아침", *(f"{hour} 시에" for hour in ("다섯", "여섯", "일곱", "여덟", "아홉", "열")))
        found = [time for time in TIMES if time.ko in names]
    elif sizes == ["night"]:
        names = ("어제", "어젯밤에", "오늘 밤에", "내일 밤에", "지금", "토요일에", "주말에", "밤에", "열 시에", "열한 시에", "열두 시에", "아홉 시에")
        found = [time._replace(en={"어제": "last night"}.get(time.ko, time.en)) for time in TIMES if time.ko in names]
    else:
        found = [time for time in TIMES if time.size in sizes or time.size in ("now", "near") and set(sizes) & {"day", "part"}]
    return [time for time in found if tense in time.tenses and not (
        time.ko == "오늘" and tense == "now")]


def _mode(draw: Draw, act: Act, form: str, negative: str) -> str:
    if form in ONLY_ASKED:
        ask = True
    elif form == "rae":
        ask = draw.chance(.7)
    else:
        ask = form in ASKABLE and draw.one(("asked", form), (True, False), (1, 1))
    if not ask:
        return "."
    options = ["?", "?"]
    if negative:
        return draw.one(("negative", form), ("?", "why"), (1, 1.2)) if form in ("past", "pres") else "?"
    if form in ("past", "fut", "pres", "want", "prog", "rae", "shall", "must"):
        options += ["what"] * bool(act.objects and act.stem in WHAT and "{one}" in act.en)
        options += ["whom"] * bool(act.whom and not act.objects)
        options += ["where"] * bool(act.to and act.toward == "에?" and act.stem == "가")
        options += ["at"] * bool(act.at)
        options += ["with"] * bool(act.company and form not in ("want", "rae", "shall"))
    if form in ("past", "fut", "pres", "shall", "must"):
        options += ["when"] * (act.kind not in ("state", "know", "feeling") and act.when not in ("", "near")
                               and (form != "must" or act.stem in SOON))
        options += ["hour"] * (bool(set(act.when.split()) & {"clock", "morning", "hour"}) and act.kind != "event")
    if form in ("past", "pres", "want", "must"):
        options += ["why"] * (act.kind != "event")
    if form in ("past", "fut", "pres"):
        options += ["who"] * (act.kind not in ("know",))
    mode = draw.one(("mode", act.stem, act.en), tuple(sorted(set(options))), [3.0 if o == "?" else 1 for o in sorted(set(options))])
    return mode


def _person(draw: Draw, act: Act, people: tuple[Person, ...]) -> Person:
    options = [person for person in people if not (
        person.ko in OLD and (act.stem in YOUNG or act.own == "시험" or act.stem == "하" and act.objects)
        or person.ko in PARENTS and (act.stem in OF_CHILDREN or act.own == "시험") or person.ko in CHILDREN + OLD and act.stem in GROWN)]
    return draw.one(("subject", act.stem), options, [3 if p.ko in ("엄마", "아빠", "동생", "민수", "친구") else 1 for p in options])


class Words(NamedTuple):
    """Who may be spoken of, and when."""
    subjects: tuple[Person, ...] = SUBJECTS
    company: tuple[Person, ...] = COMPANY
    times: frozenset[str] = frozenset(time.ko for time in TIMES)


CORE = ("엄마 아빠 누나 동생 형 오빠 언니 민수 친구 선생님 집 학교 카페 공원 시장 병원 도서관 서울 부산 바다 회사 식당 가게 밥 라면 빵 고기 사과 우유 커피 차 "
        "책 신문 옷 꽃 영화 텔레비전 음악 버스 지하철 영어 한국어 축구 아침 점심 저녁 물 김치 편지 사진").split()
CORE_STEMS = ("먹 마시 가 오 보 읽 듣 사 자 만나 타 좋아하 싫어하 전화하 공부하 운동하 일하 숙제하 게임하 하 쉬").split()
CORE_WORDS = Words(tuple(person for person in SUBJECTS if person.ko in CORE), tuple(person for person in COMPANY if person.ko in CORE),
                   frozenset(("어제, 오늘, 내일, 아침에, 점심에, 오후에, 저녁에, 밤에, 어젯밤에, 주말에, 지난주에, 다음 주에, 지금, 아까, 나중에, 매일, 요즘, 이따가, "
                              "주말마다, 아침마다, 오늘 아침에, 오늘 저녁에, 오늘 밤에, 내일 아침에, 내일 저녁에, 토요일에, 일요일에, 월요일에, 금요일에").split(", ")))


def core(act: Act) -> Act | None:
    """The act with the words alone that are most common; None where it is not of them."""
    if act.stem not in CORE_STEMS or act.own and act.own not in ("밥",):
        return None
    found = act._replace(**{field: tuple(item for item in getattr(act, field) if item.ko in CORE) for field in ("objects", "whom", "to", "at")})
    return found if all(bool(getattr(act, field)) == bool(getattr(found, field)) for field in ("objects", "whom", "to")) else None


def meanings(draw: Draw, act: Act, words: Words) -> Iterator[Meaning]:
    never = act.never + UNUSUAL.get(act.stem, ()) + (("habit",) if not set(act.when.split()) & {"day", "part", "night", "clock", "morning", "near"} else ())
    allowed = [form for form in BY_KIND[act.kind] if (act.weight > 4 or form in BASIC) and form not in never and (form != "please" or act.favour) and (
        act.able or form not in ("can", "cannot")) and (act.ongoing or form not in ("pastprog", "lately") or form == "pastprog" and act.weight > 3)]
    while True:
        form = draw.one((act.stem, act.en, "form"), allowed, [WEIGHTS[form] for form in allowed])
        meaning = _meaning(draw, act, form, words)
        if meaning is not None:
            yield meaning


def _meaning(draw: Draw, act: Act, form: str, words: Words) -> Meaning | None:
    negative = "안" if draw.chance(NEGATABLE.get(form, 0)) else ""
    if negative and act.kind not in ("state", "feeling", "event", "know", "late") and form in ("past", "pres") and draw.chance(.35):
        negative = "못" if act.able else "안"
    if form in ("perfect",):
        negative = "안"
    if act.dislike or act.stem == "싸우" or act.whom and act.kind == "state":
        negative = ""
    if act.en == "do":
        if form not in ("past", "pres", "fut", "want", "must", "prog", "rae", "shall", "pastprog", "lately"):
            return None
        return _extras(draw, act, form, "what", "", words)
    mode = "." if form == "just" or form in ("perfect", "already") and draw.chance(.5) else _mode(draw, act, form, negative)
    if form == "shall" and negative or mode == "?" and negative == "못" and form == "pres":
        return None
    if mode in ("why", "who") and form == "pres" and act.kind in ("state",) and mode == "who":
        return None
    return _extras(draw, act, form, mode, negative, words)


def _extras(draw: Draw, act: Act, form: str, mode: str, negative: str, words: Words) -> Meaning | None:
    who, person = (YOU if mode != "." and form != "may" or form in ("mustnt", "neednt") else I), None
    if form not in WITHOUT_SUBJECT + ("ge", "may", "mustnt", "neednt", "rae", "wanted", "cannot") and mode != "who":
        chosen = draw.one(("who", act.stem, form, mode == "."), ("self", "we", "third"),
                          (5, .7, 3) if mode == "." else (6, 0.01, 4))
        if act.kind == "coming" and mode == "." and form not in ("past", "want", "can"):
            chosen = "third"
        if chosen == "we" and mode == ".":
            who = WE
        elif chosen == "third" and not (form in ("want", "must") and mode in ("why", "when", "hour", "with")):
            person = _person(draw, act, words.subjects)
            who = person.who
    if act.kind == "coming" and form == "past" and mode == "." and person is None and negative:
        return None
    # what, whom, where to
    negated = negative in ("안", "못")
    objects = [noun for noun in act.objects if not (negative == "못" and noun.article == "a")]
    if person and person.ko in CHILDREN:
        objects = [noun for noun in objects if noun.ko not in ADULT_DRINKS]
    key = act.stem, act.en
    object_ = draw.one((key, "object"), objects) if objects and mode != "what" else None
    if act.objects and object_ is None and mode != "what":
        return None
    people = [other for other in act.whom if other != person and not (person and (
        other.who.text == person.who.text or person not in nouns.FAMILY and other.met.startswith("my ")))]
    whom = draw.one((key, "whom"), people) if people and mode != "whom" else None
    to = draw.one((key, "to"), act.to) if act.to and mode != "where" else None
    # when, where, with whom, how: one or two of them, or none
    extras = draw.one(("extras", mode in (".", "?")), (0, 1, 2), (3, 5, 2) if mode in (".", "?") else (6, 4, 0.2))
    kinds = []
    times = [time for time in _times(act, form) if time.ko in words.times] if mode not in ("when", "hour") else []
    if negated or mode in ("why", "when") or form in ("please",):
        times = [time for time in times if time.size != "near"]
    if times:
        kinds += ["time"] * 3
    if act.at and mode != "at" and mode != "where" and not negated:
        kinds.append("at")
    if act.company and mode not in ("with", "why") and form not in ("please", "dont", "mustnt", "neednt") and not negated:
        kinds.append("company")
    manners = [word for word in act.manner if word in MANNER and not (word in ("많이", "조금") and act.objects and (
        object_ is None or object_.article == "the" or object_.article != "u" and word == "조금" or object_.article == "a" and form not in ("past", "fut", "want") or negated))]
    if person or form in ("ge", "rae", "want") and mode == "." or who == I and mode == "." or form in ("may", "please", "cannot"):
        manners = [word for word in manners if word != "같이"]
    if negated:
        manners = [word for word in manners if word in ("많이", "같이") and not object_ and word == "많이" and negative == "안" and form in ("past", "pres")] + (
            ["잘"] if negative == "못" and "잘" in act.manner and form == "past" else [])
    if form in ("lets", "shall", "letsnot"):
        manners = [word for word in manners if word != "혼자"] + ["같이"] * (form != "letsnot" and "같이" not in manners)
    if form == "pres":
        manners = [word for word in manners if word in ("혼자", "같이", "열심히", "일찍") or act.kind == "state"]
    if form == "habit":
        manners = [word for word in manners if word in ("일찍", "늦게", "혼자", "열심히", "많이")]
    if form in ("mustnt", "dont"):
        manners = [word for word in manners if word in ("또", "혼자", "빨리", "늦게")]
        kinds = [kind for kind in kinds if kind != "at"]
    if form in ("order", "letsnot"):
        manners = [word for word in manners if word in ("빨리", "천천히", "많이", "일찍", "열심히", "다시") and form == "order" and not act.to
                   and (word != "많이" or act.stem in ("먹", "마시", "자", "쉬", "공부하", "읽"))]
        kinds = [kind for kind in kinds if kind == "time"]
    if act.kind == "together" or form in ("can", "cannot", "neednt", "mustpast"):
        manners = []
    if form == "prog":
        manners = [word for word in manners if word in ("혼자", "열심히", "같이", "잘")]
    if form in ("perfect", "already", "just"):
        manners, kinds = [], []
    if manners and mode in (".", "?"):
        kinds += ["manner"] * 2
    if form in ("must", "mustpast", "can", "cannot") and mode != "." or form == "mustpast" or mode in ("who", "when", "hour") and person:
        kinds = [kind for kind in kinds if kind != "company"]
    if mode == "who" and draw.chance(.7):
        kinds = [kind for kind in kinds if kind != "company"]
    if form == "rae" and mode != ".":
        kinds = [kind for kind in kinds if kind != "company"]
    if negated and act.kind == "event":
        kinds = []
    chosen: set[str] = set()
    for _ in range(extras):
        left = sorted(set(kinds) - chosen)
        if left:
            chosen.add(draw.one("extra", left, [kinds.count(kind) for kind in left]))
    if form == "lately":
        if not times:
            return None
        chosen.add("time")
    if form == "habit":
        chosen.discard("time")
        chosen.add("time" if draw.chance(.6) and times else "often")
        if act.stem == "일어나":
            chosen.add("manner")
    time = draw.one("time", times, [4 if t.ko in ("어제", "오늘", "내일", "지금", "매일") else .4 if t.ko.startswith("다음 주 ") else 1 for t in times]) if "time" in chosen else None
    often = draw.one("often", OFTEN) if "often" in chosen else ("", "")
    manner = draw.one((key, "manner"), manners) if "manner" in chosen else ""
    at = draw.one((key, "at"), act.at) if "at" in chosen else None
    if at and object_ and object_.ko in ADULT_DRINKS and at.ko in ("학교", "회사"):
        at = None
    strange = person is not None and not (person in nouns.FAMILY)
    with_ = [other for other in words.company if not (other.ko in PARENTS and act.stem in OF_CHILDREN + ("시험",)) and other.who.text != who.text and not (person and (
        person.ko in OLD + ("친구", "친구들") or strange and other.met.startswith("my ")))]
    company = draw.one(("company", act.stem), with_) if "company" in chosen and with_ else None
    if manner == "혼자" and company or manner == "같이" and who == WE and False:
        company = None
    if time and time.size == "night" and at and at.ko not in ("집", "카페", "식당", "노래방"):
        at = None
    if time and time.size == "clock" and manner in ("일찍", "늦게", "오래"):
        manner = ""
    if act.stem == "자" and act.en == "sleep" and (
            manner in ("일찍", "늦게") or mode in ("hour", "when") or time and time.size == "clock"
            or form in ("order", "lets", "ge", "shall") and not manner and not at):
        act = act._replace(en="go to bed")
    stop = "" if mode != "." or form == "shall" else draw.one(("stop", form), ("", ".", "!"), (
        (5, 3, 3) if form in ("lets", "please", "dont") else (6, 3.4, .25)))
    return Meaning(act, form, mode, negative, who, person, object_, whom, to, at, company,
                   manner, often, time, stop)


def _variant(draw: Draw, meaning: Meaning) -> Style:
    style = sentences.plain_style(meaning)
    rare = 1e-4 if meaning.act.weight < 5 else 1
    polite = draw.one(("polite", meaning.form, rare), (0, 1, 2, 3), (
        4, 5, rare if meaning.form in sentences.FORMAL and not meaning.asked else 0.0001,
        1.5 * rare if meaning.who == YOU and meaning.mode != "who" and meaning.form in ("past", "pres", "fut", "habit") else 0.0001))
    if meaning.form in ("lets", "letsnot"):
        polite = 0
    subject = style.subject
    if meaning.person:
        subject = draw.one(("subject", meaning.asked), ("", "는", "가"), (2, 2, 1.5))
    elif meaning.who != YOU or meaning.mode in ("?", "what", "where", "why"):
        subject = draw.one(("first", meaning.asked, meaning.who.text), ("", "나", "는", "가", "ㄴ"), (
            (3, 2.5, 2.5, .8 if meaning.form in ("past", "fut", "ge") else .0001, .6) if meaning.who == I and not meaning.asked
            else (5, 1, 2, .0001, .5)))
    return Style(polite, subject, draw.chance(.5), draw.chance(.6), draw.one("company", ("랑", "하고"), (2, 1)),
                 style.twice and draw.chance(.4) or meaning.act.stem in ("가", "오", "먹", "보") and draw.chance(.08), draw.chance(.25), draw.chance(.5), draw.one("must", ("해", "돼")))


def said(draw: Draw, meaning: Meaning, variants: float) -> tuple[Said, ...]:
    """A meaning in the plainest Korean, and often in another that means the same."""
    frame = f"verb {meaning.form}"
    group = [Said(sentences.korean(meaning, sentences.plain_style(meaning)), sentences.translation(meaning), frame)]
    if draw.chance(variants):
        style = _variant(draw, meaning)
        ko = sentences.korean(meaning, style)
        if ko != group[0].ko:
            group.append(Said(ko, sentences.translation(meaning, bool(style.polite)), frame, bool(style.polite)))
    return tuple(group)


def spoken(draw: Draw, scale: float, variants: float, acts: Iterable[Act] = ACTS, words: Words = Words()) -> Iterator[tuple[Said, ...]]:
    for act in acts:
        source, seen, wanted = meanings(draw, act, words), set(), round(act.weight * scale)
        for _ in range(wanted * 6):
            if len(seen) >= wanted:
                break
            group = said(draw, next(source), variants)
            if group[0].ko not in seen:
                seen.add(group[0].ko)
                yield group
