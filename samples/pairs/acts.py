"""Draws what is said of the rows of verbs.py: which form, who, when, where; every option as often as it deserves.

Written for attntrace; MIT licence, as the rest of it."""
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

import nouns
import sentences
from draw import Draw
from english import WE, YOU, I, Who
from nouns import Noun, Person, Place
from sentences import FORMS, WITHOUT_SUBJECT, Meaning, Style
from times import MANNER, OFTEN, TIMES, Time
from verbs import ACTS, Act

SELDOM = 1e-4  # a weight of what is not to be drawn
WEIGHTS = dict(past=10, pres=5, fut=5, habit=3, prog=2, pastprog=.7, want=3, wanted=.5, must=2, mustpast=.5, can=1.5,
               cannot=.8, ge=2, please=2, lets=1.8, letsnot=.4, shall=1.5, rae=2, order=1, dont=1.2, may=1, mustnt=.5,
               neednt=.5, perfect=.8, already=.8, just=.8, lately=.8)
WILLED = tuple(WEIGHTS)
BY_KIND = dict(
    act=WILLED, work=WILLED, coming=tuple(form for form in WILLED if form not in ("lets", "letsnot", "shall", "prog")),
    state=("pres", "past"), know=("pres",), event=("past",), feeling=("past", "pres", "prog", "dont"),
    wear=("past", "fut", "want", "must", "ge", "dont", "mustnt", "neednt", "habit", "order"),
    late=("past", "dont", "mustnt"), mind=("pres", "past"), together=("lets", "shall"), careful=("order", "must", "ge"),
    switch=("past", "ge", "please", "order", "dont", "may", "must", "shall", "fut"))
BASIC = ("past", "pres", "fut", "habit", "prog", "want", "must", "can", "ge", "please", "lets", "order", "dont",
         "perfect", "lately")  # the forms of a verb that is not among the commonest
ASKABLE = ("past", "pres", "fut", "habit", "prog", "want", "must", "can", "may", "rae", "perfect", "already", "shall",
           "pastprog", "lately")
DOING = ("past", "pres", "fut", "want", "must", "prog", "rae", "shall", "pastprog", "lately")  # 뭐 해?, 뭐 했어?
ONLY_ASKED = ("may", "rae", "shall")
IMPERSONAL = WITHOUT_SUBJECT + ("ge", "may", "mustnt", "neednt", "rae", "wanted", "cannot")  # never of a third person
NEGATABLE = dict(past=.25, pres=.25, fut=.2, want=.25, rae=.2)
SOON = ("가", "오", "만나", "출발하", "쉬", "일하", "이사하", "여행하", "결혼하", "시작하", "돌아가", "돌아오")  # 내일 가: I'm going tomorrow
UNUSUAL = {
    **dict.fromkeys(("빌리", "가져오", "초대하", "빌려주", "사과하", "예약하", "바꾸", "졸업하"), ("habit", "prog")),
    **dict.fromkeys(("찾", "고치", "심", "버리", "시작하", "출발하"), ("habit",)),
    **dict.fromkeys(("듣", "놀", "게임하", "노래하"), ("must", "mustpast")),
    **dict.fromkeys(("싸우", "주", "데려오"), ("prog",)), "보내": ("prog", "habit"), "물어보": ("habit",),
    **dict.fromkeys(("공부하", "운동하"), ("mustnt",)),
    "배우": ("dont", "mustnt"), "자": ("just", "already", "lets", "shall"), "일어나": ("rae",)}
GROWN = ("일하", "회의하", "운전하", "결혼하", "이사하", "출근하", "퇴근하", "아르바이트하", "피우", "취직하", "데이트하", "화장하", "헤어지")
YOUNG = ("배우", "공부하", "치", "싸우", "뛰", "춤추")
OF_CHILDREN = ("숙제하", "놀", "게임하", "외우", "졸업하", "다니", "질문하", "발표하")
OLD = ("할머니", "할아버지", "부모님", "사장님", "선생님", "아기", "아이들")
PARENTS = ("엄마", "아빠", "이모", "삼촌", "남편", "아내", "할머니", "할아버지", "부모님", "선생님", "사장님", "가족", "아기")
CHILDREN = ("아기", "아이들", "동생", "남동생", "여동생", "학생들", "아들", "딸")
MEN = ("아빠", "형", "오빠", "할아버지", "삼촌", "민수", "철수", "남편", "남자 친구")
MINE = ("남편", "아내", "남자 친구", "여자 친구", "아들", "딸", "친구들")
ALCOHOL = ("술", "맥주", "와인")
COMMON = ("엄마", "아빠", "동생", "민수", "친구")
SUBJECTS = nouns.FAMILY + nouns.NAMES + nouns.FRIEND + nouns.people("선생님, 남자 친구, 여자 친구, 친구들, 남편, 아내, 아들, 딸, 아이들, 부모님")
COMPANY = nouns.FAMILY + nouns.NAMES + nouns.FRIEND * 3 + nouns.people("남자 친구, 여자 친구, 친구들, 가족, 아들, 딸, 부모님")
WHAT = ("먹", "마시", "만들", "시키", "사", "보", "읽", "듣", "배우", "공부하", "찾", "빌리", "받", "그리", "팔", "가르치", "좋아하", "가져오", "주",
        "보내", "잃어버리", "입", "요리하")  # 뭐 먹었어?
ALL_TIMES = tuple(time.ko for time in TIMES)
MORNING = ("어제", "오늘", "내일", "월요일에", "토요일에", "일요일에", "주말에", "오늘 아침에", "어제 아침에", "내일 아침에", "매일", "주말마다", "매일 아침",
           "다섯 시에", "여섯 시에", "일곱 시에", "여덟 시에", "아홉 시에", "열 시에")  # one gets up
NIGHT = ("어제", "어젯밤에", "오늘 밤에", "내일 밤에", "지금", "토요일에", "주말에", "밤에", "아홉 시에", "열 시에", "열한 시에", "열두 시에")


Word = TypeVar("Word", Noun, Person, Place)


class Said(NamedTuple):
    """A pair with the frame that it comes from, and whether it is 존댓말."""
    ko: str
    en: str
    frame: str
    polite: bool = False


def is_polite(ko: str) -> bool:
    return ko.rstrip(".!?").endswith(("요", "니다", "니까"))


class Words(NamedTuple):
    """Who may be spoken of, and when."""
    subjects: tuple[Person, ...] = SUBJECTS
    company: tuple[Person, ...] = COMPANY
    times: frozenset[str] = frozenset(ALL_TIMES)


CORE = """엄마 아빠 누나 동생 형 오빠 언니 민수 친구 선생님 집 학교 카페 공원 시장 병원 도서관 서울 부산 바다 회사 식당 가게 밥 라면 빵 고기 사과 우유
커피 차 책 신문 옷 꽃 영화 텔레비전 음악 버스 지하철 영어 한국어 축구 아침 점심 저녁 물 김치 편지 사진""".split()
CORE_STEMS = "먹 마시 가 오 보 읽 듣 사 자 만나 타 좋아하 싫어하 전화하 공부하 운동하 일하 숙제하 게임하 하 쉬".split()
CORE_WORDS = Words(tuple(person for person in SUBJECTS if person.ko in CORE),
                   tuple(person for person in COMPANY if person.ko in CORE))


def core(act: Act) -> Act | None:
    """The act with those words alone that are most common; None where it is not of them."""
    if act.stem not in CORE_STEMS or act.own not in ("", "밥"):
        return None
    found = act._replace(objects=_common(act.objects), whom=_common(act.whom), to=_common(act.to), at=_common(act.at))
    lost = act.objects and not found.objects or act.whom and not found.whom or act.to and not found.to
    return None if lost else found


def _common(items: tuple[Word, ...]) -> tuple[Word, ...]:
    return tuple(item for item in items if item.ko in CORE)


class Speaker:
    """Draws meanings of one act after another."""

    def __init__(self, draw: Draw, act: Act, words: Words) -> None:
        self.draw, self.act, self.words = draw, act, words
        self.key = act.stem, act.en
        self.sizes = set(act.when.split())
        self.forms = [form for form in BY_KIND[act.kind] if self._is_said(form)]

    def _is_said(self, form: str) -> bool:
        act = self.act
        never = act.never + UNUSUAL.get(act.stem, ())
        if not self.sizes & {"day", "part", "night", "clock", "morning", "near"}:
            never += ("habit",)
        if not act.able:
            never += ("can", "cannot")
        if not act.favour:
            never += ("please",)
        if not act.ongoing:
            never += ("lately",) + ("pastprog",) * (act.weight <= 3)
        if act.en == "do" and form not in DOING:
            return False
        return form not in never and (act.weight > 4 or form in BASIC)

    def meaning(self) -> Meaning | None:
        """None where what was drawn does not go together."""
        form = self.draw.one((self.key, "form"), self.forms, [WEIGHTS[form] for form in self.forms])
        negative = self._negative(form)
        mode = self._mode(form, negative)
        if form == "shall" and negative or mode == "?" and negative == "못" and form == "pres":
            return None
        if mode == "who" and form == "pres" and self.act.kind == "state":
            return None
        who, person = self._who(form, mode)
        if mode == "." and not person and (self.act.kind == "coming" and form == "past" and negative
                                           or form == "pres" and self.act.dative == "한테" and not negative):
            return None  # 민수한테 전화해: an order
        meaning = self._what(Meaning(self.act, form, mode, negative, who, person))
        return meaning and self._how(meaning)

    def _negative(self, form: str) -> str:
        act, draw = self.act, self.draw
        if form == "perfect":
            return "안"
        if act.en == "do" or act.dislike or act.stem == "싸우" or act.whom and act.kind == "state":
            return ""
        if not draw.chance(NEGATABLE.get(form, 0)):
            return ""
        willed = act.kind not in ("state", "feeling", "event", "know", "late")
        return "못" if willed and act.able and form in ("past", "pres") and draw.chance(.35) else "안"

    def _mode(self, form: str, negative: str) -> str:
        act, draw = self.act, self.draw
        if act.en == "do":
            return "what"
        if form == "just" or form in ("perfect", "already") and draw.chance(.5):
            return "."
        ask = form in ONLY_ASKED or form in ASKABLE and draw.one(("asked", form), (True, False))
        if form == "rae":
            ask = draw.chance(.7)
        if not ask:
            return "."
        if negative:
            return draw.one(("negative", form), ("?", "why"), (1, 1.2)) if form in ("past", "pres") else "?"
        options = sorted(self._asked(form))
        return draw.one((self.key, "mode"), options, [3 if option == "?" else 1 for option in options])

    def _asked(self, form: str) -> set[str]:
        act = self.act
        willed = act.kind != "event"
        asked = {"?": True}
        if form in ("past", "fut", "pres", "want", "prog", "rae", "shall", "must", "lately"):
            asked |= {"what": bool(act.objects) and act.stem in WHAT and "{one}" in act.en,
                      "whom": bool(act.whom and not act.objects), "where": bool(act.to) and act.stem == "가",
                      "at": bool(act.at), "with": act.company and form not in ("want", "rae", "shall")}
        if form in ("past", "fut", "pres", "shall", "must"):
            timed = act.kind not in ("state", "know", "feeling") and act.when not in ("", "near")
            asked |= {"when": timed and (form != "must" or act.stem in SOON),
                      "hour": willed and bool(self.sizes & {"clock", "morning", "hour"})}
        if form in ("past", "pres", "want", "must"):
            asked["why"] = willed
        if form in ("past", "fut", "pres"):
            asked["who"] = act.kind != "know"
        return {name for name, said_ in asked.items() if said_}

    def _who(self, form: str, mode: str) -> tuple[Who, Person | None]:
        stated = mode == "."
        asked_of = not stated and form != "may" or form in ("mustnt", "neednt")
        who = YOU if asked_of else I
        if form in IMPERSONAL or mode == "who" or self.act.stem == "사랑하" or self.act.en == "see it":
            return who, None
        chosen = self.draw.one(("who", self.act.stem, form, stated), ("self", "we", "third"),
                               (5, .7, 3) if stated else (6, SELDOM, 4))
        if self.act.kind == "coming" and stated and form not in ("past", "want", "can"):
            chosen = "third"
        if chosen == "third" and not (form in ("want", "must") and mode in ("why", "when", "hour", "with")):
            person = self._person()
            return person.who, person
        return WE if chosen == "we" and stated else who, None

    def _person(self) -> Person:
        act = self.act
        test = act.own == "시험"
        not_of: set[str] = set()
        if act.stem in YOUNG or test or act.stem == "하" and act.objects:
            not_of.update(OLD)
        if act.stem in OF_CHILDREN or test:
            not_of.update(PARENTS)
        if act.stem == "화장하":
            not_of.update(MEN)
        if act.stem in GROWN:
            not_of.update(CHILDREN + OLD)
        people = [person for person in self.words.subjects if person.ko not in not_of]
        return self.draw.one(("subject", act.stem), people, [3 if person.ko in COMMON else 1 for person in people])

    def _what(self, meaning: Meaning) -> Meaning | None:
        """What is done to what, to whom, where to."""
        act, mode, person = self.act, meaning.mode, meaning.person
        object_ = whom = to = None
        if act.objects and mode != "what":
            objects = [noun for noun in act.objects if not (meaning.negative == "못" and noun.article == "a") and not (
                person and person.ko in CHILDREN and noun.ko in ALCOHOL)]
            if not objects:
                return None
            object_ = self.draw.one((self.key, "object"), objects)
        if act.whom and mode != "whom":
            people = [other for other in act.whom if _knows(person, other)]
            whom = self.draw.one((self.key, "whom"), people)
        if act.to and mode != "where":
            to = self.draw.one((self.key, "to"), act.to)
        return meaning._replace(object=object_, whom=whom, to=to)

    # When, where, with whom, how: one or two of them, or none

    def _how(self, meaning: Meaning) -> Meaning | None:
        draw, act, form, mode = self.draw, self.act, meaning.form, meaning.mode
        times, manners = self._times(meaning), self._manners(meaning)
        kinds = self._kinds(meaning, bool(times), bool(manners))
        chosen: set[str] = set()
        short = mode in (".", "?")
        for _ in range(draw.one(("extras", short), (0, 1, 2), (3, 5, 2) if short else (6, 4, .2))):
            left = sorted(set(kinds) - chosen)
            if left:
                chosen.add(draw.one("extra", left, [kinds.count(kind) for kind in left]))
        if form == "lately" and not times or form == "order" and not manners:
            return None
        chosen |= {"lately": {"time"}, "order": {"manner"}}.get(form, set())
        if form == "habit":
            chosen = chosen - {"time"} | {"time" if times and draw.chance(.6) else "often"}
            if act.stem == "일어나":
                chosen.add("manner")
        time = draw.one("time", times, list(map(_share, times))) if "time" in chosen else None
        often = draw.one("often", OFTEN) if "often" in chosen else ("", "")
        manner = draw.one((self.key, "manner"), manners) if "manner" in chosen else ""
        at = draw.one((self.key, "at"), act.at) if "at" in chosen else None
        if at and (time and time.size == "night" and at.ko not in ("집", "카페", "식당", "노래방")
                   or meaning.object and meaning.object.ko in ALCOHOL and at.ko in ("학교", "회사")):
            at = None
        people = self._company(meaning)
        company = draw.one(("company", act.stem), people) if "company" in chosen and people and manner != "혼자" else None
        if time and meaning.object and meaning.object.ko in ALCOHOL and ("아침" in time.ko or time.ko == "오전에"):
            time = None
        if time and time.size == "clock" and manner in ("일찍", "늦게", "오래"):
            manner = ""
        stop = "" if mode != "." or form == "shall" else draw.one(("stop", form), ("", ".", "!"), (
            (5, 3, 3) if form in ("lets", "please", "dont") else (6, 3.4, .25)))
        full = meaning._replace(time=time, often=often, manner=manner, at=at, company=company, stop=stop)
        return full._replace(act=act._replace(en="go to bed")) if _to_bed(full) else full

    def _times(self, meaning: Meaning) -> list[Time]:
        act, form, sizes = self.act, meaning.form, self.sizes
        tense = "future" if form == "pres" and act.stem in SOON else FORMS[form].times
        if not tense or not sizes or meaning.mode in ("when", "hour"):
            return []
        if meaning.mode == "why" and form == "must":
            return []
        if tense == "now" and act.kind in ("state", "know"):
            return []
        if sizes == {"morning"}:
            times = [time for time in TIMES if time.ko in MORNING]
        elif sizes == {"night"}:
            times = [time._replace(en={"어제": "last night"}.get(time.ko, time.en)) for time in TIMES
                     if time.ko in NIGHT or time.size == "now"]
        else:
            daily = sizes & {"day", "part"}
            always = {"now", "near"} if daily else {"now"}
            times = [time for time in TIMES if time.size in sizes | always]
        long = meaning.negative or meaning.mode == "why" or form == "please"
        return [time for time in times if tense in time.tenses and time.ko in self.words.times and not (
            time.ko == "오늘" and tense == "now" or long and time.size == "near"
            or time.size == "now" and form in ("can", "fut"))]

    def _kinds(self, meaning: Meaning, times: bool, manners: bool) -> list[str]:
        act, form, mode = self.act, meaning.form, meaning.mode
        if form in ("perfect", "already", "just") or meaning.negative and act.kind == "event":
            return []
        kinds = ["time"] * (3 * times)
        if form in ("order", "letsnot"):
            return kinds + ["manner"] * (2 * manners)
        if act.at and mode not in ("at", "where") and not meaning.negative and form not in ("mustnt", "dont"):
            kinds.append("at")
        alone = (form in ("please", "dont", "mustnt", "neednt", "mustpast") or mode in ("with", "why")
                 or meaning.negative or form in ("must", "can", "cannot", "rae") and mode != "."
                 or mode in ("when", "hour") and meaning.person or mode == "who" and self.draw.chance(.7))
        if act.company and not alone:
            kinds.append("company")
        return kinds + ["manner"] * (2 * (manners and mode in (".", "?")))

    def _manners(self, meaning: Meaning) -> list[str]:
        act, form = self.act, meaning.form
        said_ = [word for word in act.manner if word in MANNER and self._fits(word, meaning)]
        if act.kind == "together" or form in ("can", "cannot", "neednt", "mustpast"):
            return []
        if meaning.negative:
            much = ["많이"] if meaning.negative == "안" and form in ("past", "pres") and not meaning.object else []
            well = ["잘"] if meaning.negative == "못" and form == "past" else []
            return [word for word in said_ if word in much + well]
        if form in ("lets", "shall"):
            return [word for word in said_ if word not in ("혼자", "같이")] + ["같이"]
        allowed = {"pres": () if act.kind == "state" else ("혼자", "같이", "열심히", "일찍"), "letsnot": ("일찍",),
                   "habit": ("일찍", "늦게", "혼자", "열심히", "많이"), "mustnt": ("또", "혼자", "빨리", "늦게"),
                   "dont": ("또", "혼자", "빨리", "늦게"), "prog": ("혼자", "열심히", "같이", "잘"),
                   "order": ("빨리", "천천히", "많이", "일찍", "열심히", "다시")}.get(form)
        if form == "pres" and meaning.mode == "." and not meaning.person and meaning.who == I:
            allowed = ("혼자",)  # 열심히 공부해: an order
        return [word for word in said_ if allowed is None or word in allowed]

    def _fits(self, word: str, meaning: Meaning) -> bool:
        act, form, object_ = self.act, meaning.form, meaning.object
        if word == "같이":  # with whom, where one speaks of oneself alone?
            return not (meaning.person or meaning.mode == "." and (meaning.who == I or form in ("ge", "rae", "want"))
                        or form in ("may", "please", "cannot"))
        if word in ("많이", "조금") and act.objects:
            if object_ is None or object_.article == "the" or meaning.negative:
                return False
            if word == "조금":
                return object_.article == "u"
            return object_.article != "a" or form in ("past", "fut", "want")
        if form == "order":
            return not act.to and (word != "많이" or act.stem in ("먹", "마시", "자", "쉬", "공부하", "읽"))
        return True

    def _company(self, meaning: Meaning) -> list[Person]:
        person = meaning.person
        if person and person.ko in OLD + ("친구", "친구들"):
            return []
        return [other for other in self.words.company if _knows(person, other) and other.who.text != meaning.who.text
                and not (other.ko in PARENTS and self.act.stem in OF_CHILDREN)]


def _knows(person: Person | None, other: Person) -> bool:
    """Whether one says of a person that he meets the other: of strangers not that they meet my sister."""
    return person is None or other.who.text != person.who.text and (
        person in nouns.FAMILY and other.ko not in MINE or not other.met.startswith("my "))


def _share(time: Time) -> float:
    common = time.ko in ("어제", "오늘", "내일", "지금", "매일")
    return 4 if common else .4 if time.ko.startswith("다음 주 ") else 1


def _to_bed(meaning: Meaning) -> bool:
    """자다 is to go to bed where it is said when."""
    if meaning.act.en != "sleep":
        return False
    clock = meaning.time is not None and meaning.time.size == "clock"
    going = meaning.form in ("order", "lets", "shall") and not meaning.manner and not meaning.at
    return meaning.manner in ("일찍", "늦게") or meaning.mode in ("hour", "when") or clock or going


def _variant(draw: Draw, meaning: Meaning) -> Style:
    """Another way to say it: politely, with particles, with the subject."""
    form, asked = meaning.form, meaning.asked
    rare = SELDOM if meaning.act.weight < 5 else 1
    formal = rare if form in sentences.FORMAL and not asked else SELDOM
    to_you = meaning.who == YOU and meaning.mode != "who" and form in ("past", "pres", "fut", "habit")
    levels = (4, 5, formal, 1.5 * rare if to_you else SELDOM)
    polite = 0 if form in ("lets", "letsnot") else draw.one(("polite", form, rare), (0, 1, 2, 3), levels)
    plain = sentences.plain_style(meaning)
    subject = plain.subject
    if meaning.person:
        subject = draw.one(("subject", asked), ("", "는", "가"), (2, 2, 1.5) if asked else (1, 2, 2))
    elif meaning.who == I and not asked:
        first = .8 if form in ("past", "fut", "ge") else SELDOM
        subject = draw.one("first", ("", "나", "는", "가", "ㄴ"), (3, 2.5, 2.5, first, .6))
    elif meaning.who != YOU or meaning.mode in ("?", "what", "where", "why"):
        subject = draw.one(("first", asked), ("", "나", "는", "ㄴ"), (5, 1, 2, .5))
    twice = draw.chance(.4) if plain.twice else meaning.act.stem in ("가", "오", "먹", "보") and draw.chance(.08)
    apart = draw.chance(.25) and not meaning.manner and not meaning.object and meaning.mode != "what"
    return Style(polite, subject, draw.chance(.5), draw.chance(.6), draw.one("company", ("랑", "하고"), (2, 1)), twice,
                 apart or meaning.act.stem == "하" and draw.chance(.25), draw.chance(.5), draw.one("must", ("해", "돼")))


def said(draw: Draw, meaning: Meaning, variants: float) -> tuple[Said, ...]:
    """A meaning in the plainest Korean, and often in another that means the same."""
    frame = f"verb {meaning.form}"
    group = [Said(sentences.korean(meaning, sentences.plain_style(meaning)), sentences.translation(meaning), frame)]
    if draw.chance(variants):
        style = _variant(draw, meaning)
        polite = style.polite > 0
        group.append(Said(sentences.korean(meaning, style), sentences.translation(meaning, polite), frame, polite))
    return tuple(group[:1] if group[-1].ko == group[0].ko else group)


def spoken(draw: Draw, scale: float, variants: float, acts: Iterable[Act] = ACTS,
           words: Words = Words()) -> Iterator[tuple[Said, ...]]:
    """Meanings of every act, `scale` times its weight."""
    for act in acts:
        speaker, wanted = Speaker(draw, act, words), round(act.weight * scale)
        seen: set[str] = set()
        for _ in range(wanted * 8):
            meaning = speaker.meaning() if len(seen) < wanted else None
            group = said(draw, meaning, variants) if meaning else ()
            if group and group[0].ko not in seen:
                seen.add(group[0].ko)
                yield group
