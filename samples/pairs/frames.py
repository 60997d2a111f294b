"""What is not an action: how things are, where they are, what one has, is and likes, weather, numbers, hours.

Written for attntrace; MIT licence, as the rest of it."""
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import english
import hangul
import nouns
from acts import Said
from draw import Draw
from english import I, WE, YOU, Who
from nouns import Noun, Person
from times import DAYS, HOURS, TIME

N = nouns
IT = Who("it", "he", "its")
KIN = N.FAMILY + N.NAMES + N.FRIEND


class Quality(NamedTuple):
    stem: str
    en: str
    light: str = ""  # 피곤 of 피곤하다 is not parted; 안 stands before the whole


def _qualities(text: str) -> tuple[Quality, ...]:
    return tuple(Quality(*entry.split(":")) for entry in text.replace("\n", " ").strip().split(", "))


FEELING = _qualities("""피곤하:tired, 바쁘:busy, 행복하:happy, 슬프:sad, 배고프:hungry, 심심하:bored, 아프:sick, 졸리:sleepy, 외롭:lonely,
괜찮:okay, 무섭:scared, 목마르:thirsty, 기쁘:glad, 춥:cold, 덥:hot, 건강하:healthy""")
OF_OTHERS = ("피곤하", "바쁘", "행복하", "아프", "괜찮", "건강하")  # said of a third person as well
TRAIT = _qualities("""예쁘:pretty, 친절하:kind, 귀엽:cute, 똑똑하:smart, 착하:nice, 재미있:funny, 무섭:scary, 조용하:quiet, 바쁘:busy,
유명하:famous, 건강하:healthy, 키가 크:tall, 키가 작:short, 멋있:cool, 부지런하:hard-working, 게으르:lazy""".replace(
    ", 부지런하:hard-working", ""))
THINGS = _qualities("""비싸:expensive, 싸:cheap, 예쁘:pretty, 크:big, 작:small, 무겁:heavy, 가볍:light, 좋:good, 깨끗하:clean, 더럽:dirty""")
WORN = _qualities("""비싸:expensive, 싸:cheap, 예쁘:pretty, 크:big, 작:small, 좋:good, 길:long, 짧:short, 더럽:dirty, 멋있:cool""")
TASTE = _qualities("""맛있:delicious, 맵:spicy, 짜:salty, 달:sweet, 뜨겁:hot, 비싸:expensive, 싸:cheap""")
SWEET = _qualities("""맛있:delicious, 달:sweet, 비싸:expensive, 싸:cheap""")
DRUNK = _qualities("""맛있:good, 뜨겁:hot, 차갑:cold, 비싸:expensive, 쓰:bitter, 달:sweet""")
STUDY = _qualities("""어렵:difficult, 쉽:easy, 재미있:fun, 재미없:boring, 중요하:important""")
MEDIA = _qualities("""재미있:fun, 재미없:boring, 좋:good, 슬프:sad, 무섭:scary, 길:long""")
WHERE = _qualities("""멀:far, 가깝:near, 크:big, 작:small, 조용하:quiet, 시끄럽:noisy, 깨끗하:clean, 좋:good, 비싸:expensive""")
CITY = _qualities("""멀:far, 크:big, 아름답:beautiful, 좋:good, 덥:hot, 춥:cold, 복잡하:crowded, 조용하:quiet""")
BEAST = _qualities("""귀엽:cute, 크:big, 작:small, 빠르:fast, 무섭:scary, 예쁘:pretty""")
SKY = _qualities("""춥:cold, 덥:hot, 따뜻하:warm, 시원하:cool, 흐리:cloudy, 맑:sunny""")
BUS = _qualities("""빠르:fast, 느리:slow, 비싸:expensive, 싸:cheap, 편하:comfortable""")
SO = ("행복하", "예쁘", "귀엽", "맛있", "좋", "배고프", "슬프", "졸리", "무섭", "심심하", "재미있", "친절하", "기쁘", "외롭", "목마르", "멋있",
      "재미없", "착하", "똑똑하", "아름답")
DEGREES = (("너무", "too"), ("정말", "really"), ("진짜", "really"), ("아주", "very"), ("조금", "a little"), ("좀", "a little"))
GOOD = ("맛있", "예쁘", "귀엽", "좋", "멋있", "재미있", "행복하", "괜찮", "착하", "친절하", "똑똑하", "아름답", "재미없", "쉽", "싸")
SUBJECTS_OF_STUDY = _nouns = N._nouns("""
수학:math:u, 영어:English:u, 한국어:Korean:u, 과학:science:u, 숙제:the homework:u, 시험:the test:u, 수업:the class:u, 일본어:Japanese:u
중국어:Chinese:u, 문제:the problem:u, 공부:studying:u, 일:the work:u, 피아노:the piano:u
""")
SHOWN = N._nouns("""
영화:movie:a, 드라마:drama:a, 책:book:a, 만화:cartoon:a, 노래:song:a, 이야기:story:a, 게임:game:a, 소설:novel:a, 공연:show:a
""")
WORN_THINGS = N.CLOTHES[:8] + N.FOOTWEAR[:4] + N.HEADWEAR[:1]
CARRIED = N._nouns("""
가방:bag:a, 핸드폰:phone:a, 휴대폰:cell phone:a, 지갑:wallet:a, 시계:watch:a, 우산:umbrella:a, 카메라:camera:a, 노트북:laptop:a
의자:chair:a, 책상:desk:a, 침대:bed:a, 상자:box:a, 컵:cup:a, 인형:doll:a, 자전거:bicycle:a, 책:book:a, 방:room:a, 집:house:a
""")


class Frames:
    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.groups: list[tuple[Said, ...]] = []

    def add(self, frame: str, ko: str, en: str, *polite: str, more: Sequence[str] = ()) -> None:
        """A pair, its other forms in 반말 (`more`) and in 존댓말; about every second of them is taken. What is stated
        ends in a full stop in one of three."""
        stop = "" if ko.endswith(("?", "!", ".")) else self.draw.one(("stop", frame), ("", "."), (2, 1))
        group = [Said(ko + stop, en + stop, frame)]
        for other, level in [(text, False) for text in more] + [(text, True) for text in polite]:
            if other != ko and self.draw.chance(.5 if level else .6):
                group.append(Said(other + stop, en + stop, frame, level))
        self.groups.append(tuple(group))

    def some(self, kind: object, options: Sequence[object], count: int) -> list:
        count = min(count, len(options))
        return [self.draw.one((kind, "some"), options) for _ in range(count)]

    # How things are

    def _is(self, frame: str, quality: Quality, ko: str, who: Who, tense: str, asked: bool, negative: bool, degree: int,
            time: str = "", particles: Sequence[str] = ("",), why: bool = False) -> None:
        ko_time, en_time = (time, TIME[time].en) if time else ("", "")
        degree_ko, degree_en = DEGREES[degree] if degree >= 0 else ("", "")
        if degree_ko == "너무" and quality.stem in SO:
            degree_en = "so"
        *before, stem = quality.stem.split(" ")
        plain, polite = {"pres": (hangul.spoken(stem), hangul.spoken(stem) + "요"),
                         "past": (hangul.past(stem) + "어", hangul.past(stem) + "어요"),
                         "fut": (hangul.joined(stem, "ㄹ") + " 거야", hangul.joined(stem, "ㄹ") + " 거예요")}[tense]
        if stem.endswith("재미없") and negative:
            return
        english_tense = {"pres": "be", "past": "was", "fut": "will"}[tense]
        phrase = " ".join(filter(None, ["be" if tense == "fut" else "", degree_en, quality.en, en_time]))
        if asked:
            who = who._replace(text=who.text.replace("my ", "your ") if person_asked(who) else who.text)
        asked_for = "Why" if why else ""
        en = english.question(who, english_tense, phrase, negative, asked_for) if asked else english.statement(
            who, english_tense, phrase, negative)
        end = "?" if asked else ""
        texts = [" ".join(filter(None, [ko + particle, ko_time, "왜" if why else "", degree_ko, *before, "안" if negative else "", verb]))
                 + end for particle in particles for verb in (plain, polite)]
        self.add(frame, texts[0], en + end, *texts[1::2], more=texts[2::2])

    def _kinds(self, frame: str, quality: Quality, ko: str, who: Who, particles: Sequence[str], times: Sequence[str],
               count: int) -> None:
        for _ in range(count):
            tense = self.draw.one((frame, "tense"), ("pres", "past", "fut"), (9, 1, .001) if frame == "trait" else (7, 3, .7))
            asked = self.draw.one((frame, "asked"), (False, True), (2, 1))
            may_not = not quality.stem.startswith("키가") and quality.stem not in ("맛있",)
            negative = may_not and self.draw.one((frame, "not"), (False, True), (4, 1))
            degree = -1 if negative or asked or tense == "fut" else self.draw.one((frame, "degree"), (-1, 0, 1, 2, 3, 4, 5), (
                8, 1.5, 1.5, 1, .7, .7 if quality.stem not in GOOD else .001, .7 if quality.stem not in GOOD else .001))
            fitting = [time for time in times if {"pres": "now", "past": "past", "fut": "future"}[tense] in TIME[time].tenses]
            time = self.draw.one((frame, "time"), fitting) if fitting and self.draw.chance(.35) else ""
            self._is(frame, quality, ko, who, tense, asked, negative, degree, time, particles)

    def feelings(self) -> None:
        times = ("오늘", "어제", "지금", "내일", "아까", "아침에", "주말에")
        for quality in FEELING:
            for ko, who in (("", I), ("", I), ("", I), ("", YOU)):
                self._feeling(quality, ko, who, times)
            if quality.stem in OF_OTHERS:
                for person in self.some("kin", KIN, 8):
                    self._kinds("feeling", quality, person.stem, person.who, ("는" if not hangul.final(person.stem) else "은",
                                hangul.subject(person.stem)[-1]), times[:4], 1)

    def _feeling(self, quality: Quality, ko: str, who: Who, times: Sequence[str]) -> None:
        for tense, asked, negative, degree, time, why in (
                ("pres", 0, 0, -1, "", 0), ("pres", 1, 0, -1, "", 0), ("pres", 0, 1, -1, "", 0), ("pres", 0, 0, 0, "", 0),
                ("pres", 0, 0, 1, "", 0), ("pres", 0, 0, 2, "", 0), ("past", 0, 0, -1, "", 0), ("past", 1, 0, -1, "", 0),
                ("past", 0, 0, -1, "어제", 0), ("past", 0, 0, 0, "어제", 0), ("pres", 0, 0, -1, "오늘", 0),
                ("pres", 0, 0, -1, "지금", 0), ("pres", 1, 0, -1, "오늘", 0), ("pres", 1, 1, -1, "", 0), ("pres", 0, 0, 4, "", 0),
                ("pres", 1, 0, -1, "", 1), ("past", 1, 0, -1, "", 1), ("pres", 0, 0, 5, "", 0)):
            if degree in (4, 5) and quality.stem in GOOD or quality.stem in ("춥", "덥") and not ko or bool(asked) != (who == YOU):
                continue
            if quality.stem in ("괜찮", "건강하") and (degree in (0, 4, 5) or why) or quality.stem == "아프" and degree == 3:
                continue
            first = ("",) if asked else ("나", "나는") if self.draw.chance(.5) else ("",)
            if self.draw.chance(.45):
                self._is("feeling", quality, "", who, tense, bool(asked), bool(negative), degree, time, why=bool(why))
            if not asked and self.draw.chance(.25):
                self._is("feeling", quality, self.draw.one("I", ("나", "나는", "난")), who, tense, False, bool(negative), degree,
                         time, why=bool(why)) if first else None

    def people(self) -> None:
        for quality in TRAIT:
            for person in self.some("person", KIN + tuple(N.PERSON[n] for n in ("선생님", "여자 친구", "남자 친구", "아들", "딸")), 9):
                if person.ko in ("친구",) and quality.stem in ("유명하",):
                    continue
                self._kinds("trait", quality, person.stem, person.who, (hangul.topic(person.stem)[-1], hangul.subject(person.stem)[-1]),
                            (), 1)

    def things(self) -> None:
        rows = ((THINGS, CARRIED, 3), (WORN, WORN_THINGS, 3), (TASTE, N.DISH, 4), (SWEET, N.FRUIT + N.SNACK[:6], 4), (DRUNK, N.DRINK[:6], 4),
                (STUDY, SUBJECTS_OF_STUDY, 7), (MEDIA, SHOWN, 6), (BUS, N.VEHICLE[:4], 2), (BEAST, N.ANIMAL[:8], 3))
        for qualities, things, count in rows:
            for quality in qualities:
                for noun in self.some("thing", things, count):
                    if quality.stem in ("길", "짧") and noun.ko in ("모자", "신발", "구두", "운동화", "부츠", "재킷") or (
                            quality.stem in ("무겁", "가볍", "더럽") and noun.ko in ("집", "방") and quality.stem != "더럽"):
                        continue
                    self._thing(quality, noun)

    def _thing(self, quality: Quality, noun: Noun) -> None:
        noun = many(noun)
        plural = noun.article == "p"
        person = "they" if plural else "he"
        owners = [("이", "these" if plural else "this"), ("그", "those" if plural else "that"), ("내", "my"), ("", "the")]
        bare = noun.article == "u" and noun in SUBJECTS_OF_STUDY
        ko_owner, owner = ("", "") if bare else self.draw.one(("owner", noun.article), owners, (2, 1, .5 if noun in CARRIED else .001, 4))
        who = Who(" ".join(filter(None, [owner, noun.en])), person, "its")
        ko = " ".join(filter(None, [ko_owner, noun.ko]))
        self._kinds("thing", quality, ko, who, (hangul.subject(noun.ko)[-1], hangul.topic(noun.ko)[-1], ""), (), 1)

    def it(self) -> None:
        """Without a subject: 비싸, 재미있었어."""
        every = {quality.stem: quality for group in (THINGS, TASTE, STUDY, WHERE[:2], BUS[:2]) for quality in group}
        for quality in every.values():
            self._kinds("it", quality, "", IT, ("",), (), 7)
            for ko, en in (("이거", "this"), ("그거", "that"), ("저거", "that")):
                if quality not in STUDY and quality not in WHERE[:2]:
                    self._kinds("it", quality, ko, Who(en, "he", "its"), ("",), (), 1)
            if self.draw.chance(.5) and quality.stem not in ("중요하", "비싸"):
                ending = quality.stem + "다" if not quality.stem.endswith("하") else quality.stem + "다"
                self.add("it", ending, english.statement(IT, "be", quality.en), quality.stem + "네요")

    def places(self) -> None:
        for quality in WHERE:
            for place in self.some("where", N.PLACES[:24] + (N.PLACE["학교"], N.PLACE["회사"], N.PLACE["집"]), 5):
                en = {"집": "the house", "회사": "the company", "학교": "the school", "산": "the mountain"}.get(place.ko, place.to[3:])
                if place.ko in ("바다", "산", "노래방", "치과") and quality.stem not in ("멀", "가깝", "좋"):
                    continue
                self._kinds("place", quality, place.ko, Who(en, "he", "its"), (hangul.subject(place.ko)[-1], hangul.topic(place.ko)[-1], ""),
                            (), 1)
        for quality in CITY:
            for place in self.some("city", N.CITIES + N.COUNTRIES[:4], 4):
                times = ("오늘", "어제") if quality.stem in ("춥", "덥") else ()
                self._kinds("place", quality, place.ko, Who(place.to[3:], "he", "its"), (hangul.topic(place.ko)[-1], hangul.subject(place.ko)[-1]),
                            times, 1)

    # Weather

    def weather(self) -> None:
        times = ("오늘", "어제", "내일", "지금", "아까", "아침에", "어젯밤에", "주말에", "모레", "그제", "지난주에", "밤에", "오후에", "저녁에")
        for quality in SKY:
            for _ in range(7):
                self._kinds("weather", quality, "", IT, ("",), times[:8], 1)
            for _ in range(2):
                if quality.stem not in ("흐리", "맑"):
                    self._kinds("weather", quality, "날씨", Who("the weather", "he", "its"), ("가", ""), times[:3], 1)
        for quality in (Quality("좋", "good"), Quality("나쁘", "bad"), Quality("좋", "good")):
            for _ in range(5):
                self._kinds("weather", quality, "날씨", Who("the weather", "he", "its"), ("가", ""), times[:3], 1)
        for place in ("서울", "부산", "제주도", "여기", "한국"):
            en = N.PLACE[place].at if place != "여기" else "here"
            self.add("weather", f"{place} 날씨 어때?", f"How is the weather {en}?", f"{place} 날씨 어때요?")
        for word, verb in (("비", "rain"), ("눈", "snow")):
            for time in ("",) * 3 + times:
                for tense in ("pres", "past", "fut"):
                    if time and {"pres": "now", "past": "past", "fut": "future"}[tense] not in TIME[time].tenses:
                        continue
                    for asked in (False, True):
                        self._rain(word, verb, time, tense, asked)

    def _rain(self, word: str, verb: str, time: str, tense: str, asked: bool) -> None:
        negative = self.draw.one("no rain", (False, True), (3, 1))
        much = not negative and not asked and tense != "fut" and self.draw.chance(.25)
        place = self.draw.one("rain in", ("서울", "부산", "제주도", "대구", "인천")) if self.draw.chance(.2) else ""
        ending = {"pres": ("와", "와요"), "past": ("왔어", "왔어요"), "fut": ("올 거야", "올 거예요")}[tense]
        phrase = " ".join(filter(None, [verb, "a lot" if much else "", N.PLACE[place].at if place else "", TIME[time].en if time else ""]))
        english_tense = {"pres": "progressive", "past": "past", "fut": "will"}[tense]
        en = (english.question if asked else english.statement)(IT, english_tense, phrase, negative)
        end = "?" if asked else ""
        particle = hangul.subject(word)[-1]
        texts = [" ".join(filter(None, [time, place and place + "에", word + p, "많이" if much else "", "안" if negative else "", e])) + end
                 for p in ("", particle) for e in ending]
        self.add("weather", texts[0], en + end, texts[1], texts[3], more=texts[2:3])

    # Having and being somewhere

    def having(self) -> None:
        owned = N.OWNED + N.RELATIVE + N.THING + N.PET + N._nouns("""
자전거:bicycle:a, 컴퓨터:computer:a, 카드:card:a, 칼:knife:a, 가위:scissors:p, 휴지:tissues:p, 물:water:u, 약:medicine:u, 친구:friend:a
""") + N.CLOTHES[4:6]
        for noun in owned:
            for _ in range(4 if noun in N.OWNED else 2):
                self._having(noun)

    def _having(self, noun: Noun) -> None:
        there = self.draw.one("there", (True, False), (3, 2))
        asked = self.draw.one(("have", there), (True, False), (1, 1))
        tense = self.draw.one("had", ("pres", "past"), (6, 1))
        someone = self.draw.one("has", (False, True), (3, 1)) and noun.ko not in ("열", "문제")
        person = self.draw.one("who has", KIN) if someone else None
        if person and noun in N.RELATIVE and (person in N.FAMILY):
            person = self.draw.one("name", N.NAMES)
        who = person.who if person else YOU if asked else I
        if asked:
            who = who._replace(text=who.text.replace("my ", "your "))
        times = ("오늘", "내일", "지금", "주말에", "토요일에", "월요일에", "저녁에") if noun.ko in "시간 약속 회의 수업 시험 숙제 일 계획".split() else ()
        time = self.draw.one("have when", times) if times and tense == "pres" and self.draw.chance(.5) else ""
        after = " " + TIME[time].en if time else ""
        name = person.stem if person else ""
        topic = hangul.topic(name) if name else ""
        verb = ("있" if there else "없") if tense == "pres" else ("있었" if there else "없었")
        no = not there and not asked and noun.article in ("u", "p")
        thing = noun.one if noun.article != "u" else noun.en
        phrase = f"have {'no ' + thing if no else thing}{after}"
        negative = not there and not no
        tense_en = "simple" if tense == "pres" else "past"
        en = (english.question if asked else english.statement)(who, tense_en, phrase, negative)
        end = "?" if asked else ""
        subject = hangul.subject(noun.ko)
        texts = [" ".join(filter(None, [topic, time, thing_ko, verb + e])) + end for thing_ko in (noun.ko, subject) for e in ("어", "어요")]
        if not person and not asked:
            first = self.draw.one("I have", ("나", "나는", "난"))
            texts += [first + " " + texts[2], "저는 " + texts[3]]
            self.add("have", texts[0], en + end, texts[1], texts[3], texts[5], more=(texts[2], texts[4]))
        else:
            self.add("have", texts[0], en + end, texts[1], texts[3], more=texts[2:3])

    def somewhere(self) -> None:
        """Who and what is where."""
        places = tuple(place for place in N.PLACES + N.BARE + N.INSIDE + N.CITIES[:6] if place.ko not in ("치과", "노래방"))
        for place in places:
            for _ in range(4):
                self._at(place)
        for person in KIN + (N.PERSON["친구들"], N.PERSON["아이들"], N.PERSON["남자 친구"], N.PERSON["아들"], N.PERSON["딸"]):
            who = person.who._replace(text=person.who.text.replace("my ", "your "))
            en = english.question(who, "be", "", asked="Where")
            self.add("where", f"{person.ko} 어디 있어?", en + "?", f"{person.ko} 어디 있어요?", f"{hangul.topic(person.stem)} 어디 있어요?",
                     more=(f"{hangul.topic(person.stem)} 어디 있어?", f"{person.ko} 어디에 있어?", f"{hangul.topic(person.stem)} 지금 어디 있어?"[:0] or
                           f"{hangul.topic(person.stem)} 어디에 있어?"))
            en = english.question(who, "was", "", asked="Where")
            if self.draw.chance(.4):
                self.add("where", f"{person.ko} 어디 있었어?", en + "?", f"{person.ko} 어디 있었어요?")
        for place in N.PLACES:
            if place.ko in ("바다", "산", "노래방", "치과", "교실"):
                continue
            en = f"Where is {place.to[3:]}?"
            self.add("where", f"{place.ko} 어디 있어?", en, f"{place.ko} 어디 있어요?", f"{hangul.subject(place.ko)} 어디예요?",
                     f"{place.ko} 어디예요?", more=(f"{place.ko} 어디야?", f"{hangul.subject(place.ko)} 어디야?"))
        for noun in N.THING + N.HOUSEHOLD[:12] + N.CLOTHES[:4] + N.FOOTWEAR[:2] + N.HEADWEAR[:1]:
            be, own = ("are", "are my") if noun.article == "p" else ("is", "is my")
            self.add("where", f"{noun.ko} 어디 있어?", f"Where {be} the {noun.en}?", f"{noun.ko} 어디 있어요?",
                     more=(f"{hangul.topic(noun.ko)} 어디 있어?", f"{noun.ko} 어디에 있어?"))
            if noun not in N.HOUSEHOLD:
                self.add("where", f"내 {noun.ko} 어디 있어?", f"Where {own} {noun.en}?", f"제 {noun.ko} 어디 있어요?",
                         more=(f"내 {hangul.topic(noun.ko)} 어디 있어?",))
        self.inside()

    def inside(self) -> None:
        spots = (("냉장고에", "in the fridge", N.FRUIT + N.DRINK[:6] + N.SNACK[4:7] + N.DISH[:3]),
                 ("가방에", "in the bag", N.THING), ("가방 안에", "in the bag", N.THING),
                 ("책상 위에", "on the desk", N.THING + N.HOUSEHOLD[3:5]), ("책상에", "on the desk", N.THING[:14]),
                 ("침대 위에", "on the bed", N.CLOTHES + N.THING[:3] + N.PET[1:3]), ("의자 위에", "on the chair", N.THING[:4] + N.CLOTHES[:5]),
                 ("집에", "at home", N.PET[:4] + N.FRUIT[:5] + N.DRINK[:6]), ("상자 안에", "in the box", N.THING[:12] + N.HOUSEHOLD[9:15]),
                 ("책상 밑에", "under the desk", N.THING[:6] + N.PET[1:3]), ("소파 위에", "on the sofa", N.PET[1:3] + N.THING[:5]))
        for ko_spot, en_spot, things in spots:
            for noun in map(many, self.some("in", things, 9)):
                there = self.draw.one("is in", (True, False), (3, 1))
                asked = self.draw.one("is it in", (False, True), (3, 2))
                be = "are" if noun.article == "p" else "is"
                some, no = noun.one, f"no {noun.all}"
                be = "are" if noun.article == "a" and not there and not asked else be
                en = f"{be.capitalize() if asked else 'There ' + be} {'there ' if asked else ''}{some if there or asked else no} {en_spot}"
                if asked and not there:
                    continue
                verb = "있어" if there else "없어"
                end = "?" if asked else ""
                subject = hangul.subject(noun.ko)
                self.add("there is", f"{ko_spot} {noun.ko} {verb}{end}", en + end, f"{ko_spot} {subject} {verb}요{end}",
                         more=(f"{ko_spot} {subject} {verb}{end}",))

    def _at(self, place: nouns.Place) -> None:
        tense = self.draw.one("at tense", ("pres", "past", "fut"), (5, 3, 1.5))
        asked = self.draw.one("at asked", (False, True), (3, 2))
        there = self.draw.one("at there", (True, False), (4, 1))
        person = self.draw.one("at who", KIN) if self.draw.chance(.45) else None
        if tense == "fut" and not there:
            there = True
        if not there and not person and tense != "past":
            person = self.draw.one("at who", KIN)
        times = {"pres": ("지금",), "past": ("어제", "아까", "오늘", "토요일에", "주말에", "어젯밤에", "어제 오후에"),
                 "fut": ("내일", "오늘", "주말에", "일요일에", "저녁에")}[tense]
        time = self.draw.one(("at", tense), times) if self.draw.chance(.4) else ""
        who = person.who if person else YOU if asked else I
        if asked:
            who = who._replace(text=who.text.replace("my ", "your "))
        at = place.at.replace("my ", who.own + " ")
        phrase = " ".join(filter(None, ["be" if tense == "fut" else "", at, TIME[time].en if time else ""]))
        en = (english.question if asked else english.statement)(who, {"pres": "be", "past": "was", "fut": "will"}[tense], phrase, not there)
        stem = "있" if there else "없"
        plain, polite = {"pres": ("어", "어요"), "past": ("었어", "었어요"), "fut": ("을 거야", "을 거예요")}[tense]
        end = "?" if asked else ""
        names = [person.ko, hangul.topic(person.stem), hangul.subject(person.stem)] if person else ["", "나" if not asked else "너는", "나는"]
        if person and not asked:
            names = names[1:] + names[:1]
        if asked and not person:
            names = names[:2]
        texts = [" ".join(filter(None, [name, time, f"{place.ko}에", stem + plain])) + end for name in names]
        name = names[0] if person else self.draw.one("polite at", ("", "저는")) if not asked else ""
        self.add("at", texts[0], en + end, " ".join(filter(None, [name, time, f"{place.ko}에", stem + polite])) + end, more=texts[1:])

    # Being something

    def being(self) -> None:
        for noun in N.JOB + N._nouns("한국 사람:Korean:u, 미국 사람:American:u, 중국 사람:Chinese:u, 일본 사람:Japanese:u"):
            for _ in range(3):
                person = self.draw.one("is", KIN) if self.draw.chance(.6) else None
                negative = self.draw.one("is not", (False, True), (3, 1))
                asked = self.draw.one("is it", (False, True), (3, 1))
                who = person.who if person else YOU if asked else I
                if asked:
                    who = who._replace(text=who.text.replace("my ", "your "))
                name = hangul.topic(person.stem) if person else "나는" if not asked else "너는"
                polite_name = name if person else "저는" if not asked else ""
                end = "?" if asked else ""
                en = (english.question if asked else english.statement)(who, "be", noun.one, negative)
                plain = f"{noun.ko} 아니야" if negative else hangul.copula(noun.ko, False)
                polite = f"{noun.ko} 아니에요" if negative else hangul.copula(noun.ko, True)
                full = f"{hangul.subject(noun.ko)} 아니야" if negative else plain
                self.add("copula", f"{name} {plain}{end}", en + end, f"{polite_name} {polite}{end}".strip(), more=(
                    f"{name} {full}{end}", f"{name[:-1] if not person else person.ko} {plain}{end}"))
        for noun in self.some("to be", N.JOB, 12):
            self.add("become", f"{hangul.subject(noun.ko)} 되고 싶어", f"I want to be {noun.one}", f"{hangul.subject(noun.ko)} 되고 싶어요",
                     more=(f"나는 {hangul.subject(noun.ko)} 되고 싶어", f"나 {noun.ko} 되고 싶어"))
        for noun in N.THING + N.FRUIT[:8] + N.CLOTHES[:5] + N.HOUSEHOLD[:8] + N.DRINK[:6]:
            plural = noun.article == "p"
            for ko, en in (("이거", "these" if plural else "this"), ("저거", "those" if plural else "that")):
                who = Who(en, "they" if plural else "he", "its")
                if self.draw.chance(.55):
                    self.add("this is", f"{ko} {hangul.copula(noun.ko, False)}", english.statement(who, "be", noun.one),
                             f"{ko}는 {hangul.copula(noun.ko, True)}"[0:0] or f"{ko} {hangul.copula(noun.ko, True)}",
                             more=(f"{ko[0]}건 {hangul.copula(noun.ko, False)}",))
            if noun in N.DRINK + N.FRUIT:
                continue
            for ko, en, polite in (("내", "my", "제"), ("네", "your", ""), ("민수", "Minsu's", "민수"), ("누구", "Whose", "누구"), ("엄마", "Mom's", "엄마")):
                if not self.draw.chance(.4):
                    continue
                be = "are" if plural else "is"
                this = "these" if plural else "this"
                if ko == "누구":
                    self.add("whose", f"이거 누구 {hangul.copula(noun.ko, False)}?", f"Whose {noun.en} {be} {this}?",
                             f"이거 누구 {hangul.copula(noun.ko, True)}?")
                else:
                    self.add("whose", f"이거 {ko} {hangul.copula(noun.ko, False)}", english.statement(
                        Who(this, "they" if plural else "he", ""), "be", f"{en} {noun.en}"),
                        *([f"이거 {polite} {hangul.copula(noun.ko, True)}"] if polite else []))
        for person in N.NAMES:
            self.add("name", f"나는 {hangul.copula(person.ko, False)}", f"I'm {person.who.text}", f"저는 {hangul.copula(person.ko, True)}")
            self.add("name", f"내 이름은 {hangul.copula(person.ko, False)}", f"My name is {person.who.text}",
                     f"제 이름은 {hangul.copula(person.ko, True)}")

    # Days, hours, numbers, money

    def days(self) -> None:
        for ko, en in DAYS:
            day = f"{ko}요일"
            self.add("day", f"오늘은 {day}이야", f"Today is {en}", f"오늘은 {day}이에요", more=(f"오늘 {day}이야",))
            self.add("day", f"오늘 {day}이야?", f"Is it {en} today?", f"오늘 {day}이에요?", more=(f"오늘이 {day}이야?",))
            self.add("day", f"내일은 {day}이야", f"Tomorrow is {en}", f"내일은 {day}이에요", more=(f"내일 {day}이야",))
            self.add("day", f"어제는 {day}이었어", f"Yesterday was {en}", f"어제는 {day}이었어요", more=(f"어제 {day}이었어",))
            self.add("day", f"{day}에 뭐 할 거야?", f"What will you do on {en}?", f"{day}에 뭐 할 거예요?")
            self.add("day", f"{day}에 뭐 했어?", f"What did you do on {en}?", f"{day}에 뭐 했어요?")
            self.add("day", f"{day}에 시간 있어?", f"Do you have time on {en}?", f"{day}에 시간 있어요?")
            self.add("day", f"{day}에 만나자", f"Let's meet on {en}", f"{day}에 만나요", more=(f"우리 {day}에 만나자",))
            self.add("day", f"{day} 어때?", f"How about {en}?", f"{day} 어때요?", more=(f"{day}은 어때?",))
            self.add("day", f"{day}에 바빠", f"I'm busy on {en}", f"{day}에 바빠요", more=(f"나 {day}에 바빠",))
            self.add("day", f"{day}에 안 바빠?", f"Aren't you busy on {en}?")
        for start, end in ((0, 4), (0, 2), (1, 3), (0, 5), (2, 6)):
            for verb, polite, en in (("일해", "일해요", "work"), ("쉬어", "쉬어요", "rest"), ("공부했어", "공부했어요", "studied"), ("바빠", "바빠요", "am busy")):
                first, last = DAYS[start], DAYS[end]
                text = f"I'm busy from {first[1]} to {last[1]}" if en == "am busy" else f"I {en} from {first[1]} to {last[1]}"
                if en != "rest":
                    self.add("from to", f"{first[0]}요일부터 {last[0]}요일까지 {verb}", text, f"{first[0]}요일부터 {last[0]}요일까지 {polite}")

    def hours(self) -> None:
        for number, (ko, en) in enumerate(HOURS):
            self.add("hour", f"{ko} 시야", f"It's {en} o'clock", f"{ko} 시예요", more=(f"지금 {ko} 시야"[0:0] or f"{ko} 시야",))
            self.add("hour", f"지금 {ko} 시야", f"It's {en} o'clock now", f"지금 {ko} 시예요")
            self.add("hour", f"{ko} 시 반이야", f"It's {en} thirty", f"{ko} 시 반이에요")
            self.add("hour", f"지금 {ko} 시 반이야", f"It's {en} thirty now", f"지금 {ko} 시 반이에요")
            self.add("hour", f"{ko} 시에 만나자", f"Let's meet at {en} o'clock", f"{ko} 시에 만나요", more=(f"우리 {ko} 시에 만나자",))
            self.add("hour", f"내일 {ko} 시에 만나자", f"Let's meet at {en} o'clock tomorrow", f"내일 {ko} 시에 만나요")
            self.add("hour", f"{ko} 시에 올 수 있어?", f"Can you come at {en} o'clock?", f"{ko} 시에 올 수 있어요?")
            self.add("hour", f"{ko} 시에 시작해", f"It starts at {en} o'clock", f"{ko} 시에 시작해요")
            self.add("hour", f"{ko} 시에 끝나", f"It ends at {en} o'clock", f"{ko} 시에 끝나요")
            self.add("hour", f"{ko} 시 어때?", f"How about {en} o'clock?", f"{ko} 시 어때요?")
            part, en_part = ("오후", "in the afternoon") if number < 6 else ("저녁", "in the evening")
            self.add("hour", f"{part} {ko} 시에 만나자", f"Let's meet at {en} {en_part}", f"{part} {ko} 시에 만나요")
            if number > 4:
                self.add("hour", f"오전 {ko} 시야", f"It's {en} in the morning", f"오전 {ko} 시예요")
        for ko, en, hours in (("수업", "The class", (8, 9, 10, 0, 1, 2)), ("회의", "The meeting", (8, 9, 1, 2, 3)), ("영화", "The movie", (0, 2, 4, 6, 7)),
                              ("학교", "School", (7, 8)), ("시험", "The test", (8, 9, 0, 1))):
            name = hangul.topic(ko)
            for verb, done in (("시작해", "starts"), ("끝나", "ends")):
                self.add("hour", f"{ko} 몇 시에 {verb}?", f"What time does {en[0].lower() + en[1:]} {done[:-1]}?", f"{name} 몇 시에 {verb}요?",
                         more=(f"{name} 몇 시에 {verb}?",))
                self.add("hour", f"{ko} 언제 {verb}?", f"When does {en[0].lower() + en[1:]} {done[:-1]}?", f"{name} 언제 {verb}요?")
                for hour in hours:
                    if self.draw.chance(.6):
                        self.add("hour", f"{name} {HOURS[hour][0]} 시에 {verb}", f"{en} {done} at {HOURS[hour][1]} o'clock",
                                 f"{name} {HOURS[hour][0]} 시에 {verb}요")
            past, polite = ("끝났어", "끝났어요")
            self.add("hour", f"{ko} {past}?", f"Is {en[0].lower() + en[1:]} over?", f"{ko} {polite}?")
            self.add("hour", f"{hangul.subject(ko)} {past}", f"{en} is over", f"{hangul.subject(ko)} {polite}", more=(f"{ko} {past}",))

    def counted(self) -> None:
        numbers = (("한", "one"), ("두", "two"), ("세", "three"), ("네", "four"), ("다섯", "five"), ("여섯", "six"), ("일곱", "seven"),
                   ("여덟", "eight"), ("아홉", "nine"), ("열", "ten"))
        def amount(noun: Noun, counter: str, number: int) -> tuple[str, str]:
            ko, en = numbers[number]
            vessel = {"잔": "cup" if noun.ko in ("커피", "차", "녹차", "홍차") else "glass", "병": "bottle", "그릇": "bowl", "조각": "piece"}.get(counter)
            if vessel:
                text = f"{'a' if number == 0 else en} {vessel if number == 0 else english.plural(vessel)} of {noun.en}"
            else:
                single = noun.en if noun.article == "a" else noun.en.removesuffix("s") if noun.ko not in ("딸기",) else "strawberry"
                text = f"one {single}" if number == 0 else f"{en} {english.plural(single)}"
            return f"{noun.ko} {ko} {counter}", text

        cups = tuple(noun for noun in N.DRINK if noun.ko in ("커피", "물", "우유", "차", "주스", "콜라", "녹차", "홍차", "맥주"))
        bottles = tuple(noun for noun in N.DRINK if noun.ko in ("물", "맥주", "와인", "콜라", "주스"))
        bowls = tuple(noun for noun in N.DISH if noun.ko in ("라면", "국", "냉면", "비빔밥", "떡국")) + N._nouns("밥:rice:u")
        items = tuple(noun for noun in N.FRUIT if noun.article == "a") + N._nouns("빵:bread:u, 계란:egg:a, 김밥:gimbap:u")[1:2] + N.SNACK[9:]
        things = tuple(noun for noun in N.THING if noun.ko in ("연필", "볼펜", "지우개", "우산", "가방"))
        rows = ((cups, "잔", 4), (bottles, "병", 3), (bowls, "그릇", 2), (items, "개", 5), (things, "개", 3),
                (N._nouns("책:book:a, 공책:notebook:a"), "권", 5), (N._nouns("표:ticket:a"), "장", 5))
        for things_, counter, most in rows:
            for noun in things_:
                for number in self.some(("count", counter), range(most if counter != "개" else 8), 3):
                    ko, en = amount(noun, counter, number)
                    if counter in ("개", "권", "장"):
                        verbs = (("샀어", "샀어요", "I bought"), ("있어", "있어요", "I have")) + (
                            (("먹었어", "먹었어요", "I ate"),) if noun in items else ())
                    else:
                        verbs = (("먹었어", "먹었어요", "I ate") if counter == "그릇" else ("마셨어", "마셨어요", "I drank"),)
                    self.add("please give", f"{ko} 줘", f"Please give me {en}"[0:0] or f"{english.capital(en)} please", f"{ko} 주세요")
                    for plain, polite, what in verbs:
                        if self.draw.chance(.6):
                            self.add("count", f"{ko} {plain}", f"{what} {en}", f"{ko} {polite}",
                                     more=(f"{ko.replace(noun.ko, hangul.object_(noun.ko) if plain != '있어' else hangul.subject(noun.ko), 1)} {plain}",))
        for noun, counter in ((Noun("고양이", "cat", "a"), "마리"), (Noun("개", "dog", "a"), "마리"), (Noun("강아지", "puppy", "a"), "마리"), (Noun("토끼", "rabbit", "a"), "마리"),
                              (Noun("동생", "brother", "a"), "명"), (Noun("누나", "sister", "a"), "명"), (Noun("형", "brother", "a"), "명"), (Noun("언니", "sister", "a"), "명"),
                              (Noun("아들", "son", "a"), "명"), (Noun("딸", "daughter", "a"), "명")):
            for number in range(3):
                ko, en = numbers[number]
                text = f"{en} {noun.en if number == 0 else english.plural(noun.en)}"
                self.add("count", f"{noun.ko} {ko} {counter} 있어", f"I have {text}", f"{hangul.subject(noun.ko)} {ko} {counter} 있어요",
                         more=(f"{hangul.subject(noun.ko)} {ko} {counter} 있어",))
        ages = (("다섯", "five"), ("여섯", "six"), ("일곱", "seven"), ("여덟", "eight"), ("아홉", "nine"), ("열", "ten"), ("열한", "eleven"), ("열두", "twelve"),
                ("열다섯", "fifteen"), ("스무", "twenty"), ("스물한", "twenty-one"), ("서른", "thirty"), ("마흔", "forty"), ("쉰", "fifty"))
        for ko, en in ages:
            if en == "twenty-one":
                continue
            self.add("age", f"나는 {ko} 살이야", f"I'm {en} years old", f"저는 {ko} 살이에요", more=(f"나 {ko} 살이야",))
            for person in self.some("age", N.NAMES + N.FAMILY[2:9] + N.FRIEND, 2):
                if ko in ("쉰", "마흔") and person.ko not in ("형", "오빠", "누나", "언니"):
                    continue
                self.add("age", f"{hangul.topic(person.stem)} {ko} 살이야", english.statement(person.who, "be", f"{en} years old"),
                         f"{hangul.topic(person.stem)} {ko} 살이에요")
        for person in N.NAMES + N.FAMILY + N.FRIEND:
            if person.ko not in ("할머니", "할아버지"):
                who = person.who._replace(text=person.who.text.replace("my ", "your "))
                self.add("age", f"{hangul.topic(person.stem)} 몇 살이야?", english.question(who, "be", "", asked="How old") + "?",
                         f"{hangul.topic(person.stem)} 몇 살이에요?", more=(f"{person.ko} 몇 살이야?",))
        for ko, en in (("한", "one hour"), ("두", "two hours"), ("세", "three hours"), ("네", "four hours"), ("다섯", "five hours")):
            for verb, polite, text in (("공부했어", "공부했어요", "studied"), ("잤어", "잤어요", "slept"), ("운동했어", "운동했어요", "exercised"), ("기다렸어", "기다렸어요", "waited"),
                                       ("걸었어", "걸었어요", "walked"), ("일했어", "일했어요", "worked"), ("게임했어", "게임했어요", "played games"), ("쉬었어", "쉬었어요", "rested")):
                if self.draw.chance(.6):
                    self.add("for hours", f"{ko} 시간 {verb}", f"I {text} for {en}", f"{ko} 시간 {polite}", more=(f"{ko} 시간 동안 {verb}",))

    def money(self) -> None:
        units = (("천", 1000), ("이천", 2000), ("삼천", 3000), ("사천", 4000), ("오천", 5000), ("육천", 6000), ("칠천", 7000), ("팔천", 8000), ("구천", 9000),
                 ("만", 10000), ("이만", 20000), ("삼만", 30000), ("사만", 40000), ("오만", 50000), ("십만", 100000), ("오백", 500))
        for ko, number in units:
            en = f"{number:,} won"
            self.add("price", f"{ko} 원이야", f"It's {en}", f"{ko} 원이에요", f"{ko} 원입니다")
            self.add("price", f"이거 {ko} 원이야", f"This is {en}", f"이거 {ko} 원이에요")
            self.add("price", f"{ko} 원 있어", f"I have {en}", f"{ko} 원 있어요")
            if self.draw.chance(.5):
                self.add("price", f"{ko} 원이야?", f"Is it {en}?", f"{ko} 원이에요?")
        priced = N.FRUIT[:8] + N.DRINK[:7] + N.THING[:14] + N.CLOTHES[:8] + N.FOOTWEAR[:3] + N.DISH[1:12] + N.HEADWEAR[:1]
        for noun in map(many, priced):
            plural = noun.article == "p"
            be = "are" if plural else "is"
            self.add("how much", f"{noun.ko} 얼마야?", f"How much {be} the {noun.en}?", f"{noun.ko} 얼마예요?", f"{hangul.topic(noun.ko)} 얼마예요?")
            if noun not in N.DISH + N.DRINK:
                self.add("how much", f"이 {noun.ko} 얼마야?", f"How much {be} {'these' if plural else 'this'} {noun.en}?", f"이 {noun.ko} 얼마예요?",
                         more=(f"이 {hangul.topic(noun.ko)} 얼마야?",))
        for noun in map(many, self.some("price", priced, 24)):
            ko, number = self.draw.one("price", units[:-1])
            be = "are" if noun.article == "p" else "is"
            self.add("price", f"{hangul.topic(noun.ko)} {ko} 원이야", f"The {noun.en} {be} {number:,} won", f"{hangul.topic(noun.ko)} {ko} 원이에요")
        for noun in N.DISH + N.DRINK + N.SNACK[:5] + N.FRUIT:
            en = english.capital(noun.all)
            self.add("please give", f"{noun.ko} 주세요", f"{en} please", more=())
            if self.draw.chance(.35) and noun.article in ("u", "p"):
                self.add("please give", f"{noun.ko} 좀 줘", f"Please give me some {noun.en}")

    # Liking, needing, being good at, hurting

    def liking(self) -> None:
        liked = N.DISH + N.FRUIT + N.SNACK + N.DRINK + N.SPORT + N.ANIMAL[:8] + N.SEASON + N.SUBJECT + N.LANGUAGE[:3] + N._nouns(
            "영화:movies:p, 음악:music:u, 꽃:flowers:p, 비:rain:u, 눈:snow:u, 바다:the sea:u, 학교:school:u, 여행:traveling:u, 책:books:p")
        for noun in liked:
            for good in (True, False):
                if not self.draw.chance(.5 if good else .25):
                    continue
                verb = "좋아" if good else "싫어"
                asked = self.draw.one("good", (False, True), (2, 1))
                en = (english.question if asked else english.statement)(YOU if asked else I, "simple", f"like {noun.all}", not good)
                end = "?" if asked else ""
                subject = hangul.subject(noun.ko)
                self.add("good", f"{subject} {verb}{end}", en + end, f"{subject} {verb}요{end}", more=(
                    f"나는 {subject} {verb}" if not asked else f"{noun.ko} {verb}?", f"난 {subject} {verb}" if not asked else f"너는 {subject} {verb}?"))
            if self.draw.chance(.3):
                ko, en = self.draw.one("most", (("제일", "the most"), ("가장", "the most"), ("정말", "really")))
                text = f"I really like {noun.all}" if ko == "정말" else f"I like {noun.all} {en}"
                self.add("good", f"{hangul.object_(noun.ko)} {ko} 좋아해", text, f"저는 {hangul.object_(noun.ko)} {ko} 좋아해요",
                         more=(f"{noun.ko} {ko} 좋아해", f"나는 {hangul.subject(noun.ko)} {ko} 좋아"))
        for ko, en in (("음식", "food"), ("과일", "fruit"), ("음악", "music"), ("색", "color"), ("동물", "animals"), ("계절", "season"), ("과목", "subject")):
            for person in (None,) + tuple(self.some("which", N.NAMES + N.FAMILY[:6], 2)):
                who = person.who if person else YOU
                who = who._replace(text=who.text.replace("my ", "your "))
                name = hangul.topic(person.stem) if person else ""
                self.add("which", f"{name} 무슨 {ko} 좋아해?".strip(), english.question(who, "simple", "like", asked=f"What {en}") + "?",
                         f"{name} 무슨 {hangul.object_(ko)} 좋아해요?".strip(), more=(f"{name} 무슨 {hangul.object_(ko)} 좋아해?".strip(),))
        needed = N.THING[:18] + N.HOUSEHOLD[:10] + N._nouns("돈:money:u, 시간:time:u, 물:water:u, 약:medicine:u, 친구:friend:a, 차:car:a, 자전거:bicycle:a")
        for noun in needed:
            asked = self.draw.one("need", (False, True), (1, 1))
            negative = self.draw.one("need not", (False, True), (4, 1))
            en = (english.question if asked else english.statement)(YOU if asked else I, "simple", f"need {noun.one}", negative)
            end = "?" if asked else ""
            verb = "필요 없어" if negative else "필요해"
            self.add("need", f"{noun.ko} {verb}{end}", en + end, f"{hangul.subject(noun.ko)} {verb}요{end}", more=(f"{hangul.subject(noun.ko)} {verb}{end}",))
        wanted = N.THING[:8] + N.CLOTHES[2:7] + N._nouns("차:car:a, 자전거:bicycle:a, 컴퓨터:computer:a, 강아지:puppy:a, 고양이:cat:a, 집:house:a")
        for noun in wanted:
            new = self.draw.chance(.5) and noun not in N.PET and noun.article == "a"
            ko, en = (f"새 {noun.ko}", english.a("new " + noun.en)) if new else (noun.ko, noun.one)
            self.add("want", f"{ko} 갖고 싶어", f"I want {en}", f"{hangul.object_(ko)} 갖고 싶어요", more=(f"나 {ko} 갖고 싶어",))

    def ability(self) -> None:
        for noun in N.SPORT + N.RACKET:
            for person in self.some("able", KIN, 3):
                name = hangul.topic(person.stem)
                self.add("good at", f"{name} {noun.ko} 잘해", english.statement(person.who, "be", f"good at {noun.en}"), f"{name} {hangul.object_(noun.ko)} 잘해요",
                         more=(f"{name} {hangul.object_(noun.ko)} 잘해",))
            self.add("good at", f"{noun.ko} 잘해?", f"Are you good at {noun.en}?", f"{noun.ko} 잘해요?", more=(f"너 {noun.ko} 잘해?",))
            self.add("good at", f"{noun.ko} 잘해", f"I'm good at {noun.en}", f"저는 {noun.ko} 잘해요", more=(f"나 {noun.ko} 잘해",))
            self.add("good at", f"{noun.ko} 못해", f"I can't play {noun.en}", f"저는 {noun.ko} 못해요", more=(f"나는 {hangul.object_(noun.ko)} 못해",))
        for noun in N.LANGUAGE:
            for person in self.some("able", KIN, 3):
                name = hangul.topic(person.stem)
                self.add("good at", f"{name} {noun.ko} 잘해", english.statement(person.who, "simple", f"speak {noun.en} well"), f"{name} {hangul.object_(noun.ko)} 잘해요",
                         more=(f"{name} {hangul.object_(noun.ko)} 잘해",))
            self.add("good at", f"{noun.ko} 잘해?", f"Do you speak {noun.en} well?", f"{noun.ko} 잘해요?")
            self.add("good at", f"{noun.ko} 할 수 있어?", f"Can you speak {noun.en}?", f"{noun.ko} 할 수 있어요?")
            self.add("good at", f"{noun.ko} 못해", f"I can't speak {noun.en}", f"저는 {noun.ko} 못해요", more=(f"나 {noun.ko} 못해",))
        for ko, en in (("요리", "cook"), ("노래", "sing"), ("수영", "swim"), ("운전", "drive")):
            for person in self.some("able", KIN, 4):
                if person.ko in ("동생", "남동생", "여동생") and ko == "운전":
                    continue
                name = hangul.topic(person.stem)
                self.add("good at", f"{name} {ko} 잘해", english.statement(person.who, "simple", f"{en} well"), f"{name} {hangul.object_(ko)} 잘해요",
                         more=(f"{name} {hangul.object_(ko)} 잘해",))
            self.add("good at", f"{ko} 잘해?", f"Do you {en} well?", f"{ko} 잘해요?")
            self.add("good at", f"{ko} 잘 못해", f"I can't {en} well", f"저는 {hangul.object_(ko)} 잘 못해요", more=(f"나 {ko} 잘 못해",))
            self.add("good at", f"{ko} 할 수 있어?", f"Can you {en}?", f"{ko}할 수 있어요?", more=(f"{ko}할 수 있어?",))

    def hurting(self) -> None:
        for noun in N.BODY:
            hurt, own = ("hurt", "eyes") if noun.article == "p" else ("hurts", noun.en)
            who = Who(f"my {noun.en}", "they" if noun.article == "p" else "he", "")
            your = who._replace(text=f"your {noun.en}")
            subject = hangul.subject(noun.ko)
            self.add("hurt", f"{noun.ko} 아파", english.statement(who, "simple", "hurt"), f"{subject} 아파요", f"저는 {subject} 아파요",
                     more=(f"{subject} 아파", f"나 {noun.ko} 아파"))
            self.add("hurt", f"{noun.ko} 아파?", english.question(your, "simple", "hurt") + "?", f"{subject} 아파요?", more=(f"{subject} 아파?",))
            for degree, en in (("너무", "so much"), ("많이", "a lot"), ("조금", "a little")):
                if self.draw.chance(.5):
                    self.add("hurt", f"{subject} {degree} 아파", english.statement(who, "simple", f"hurt {en}"), f"{subject} {degree} 아파요",
                             more=(f"{noun.ko} {degree} 아파",))
            self.add("hurt", f"{subject} 안 아파", english.statement(who, "simple", "hurt", True), f"{subject} 안 아파요", more=(f"{noun.ko} 안 아파",))
            self.add("hurt", f"어제 {noun.ko} 아팠어", english.statement(who, "past", "hurt yesterday"), f"어제 {subject} 아팠어요", more=(f"어제 {subject} 아팠어",))
            self.add("hurt", f"{noun.ko} 아팠어?", english.question(your, "past", "hurt") + "?", f"{subject} 아팠어요?")

    # With an adjective before the noun, and longer sentences

    def described(self) -> None:
        form = {"크": ("큰", "big"), "작": ("작은", "small"), "예쁘": ("예쁜", "pretty"), "비싸": ("비싼", "expensive"), "새": ("새", "new"), "싸": ("싼", "cheap"), "좋": ("좋은", "good"),
                "빨갛": ("빨간", "red"), "파랗": ("파란", "blue"), "하얗": ("하얀", "white"), "까맣": ("까만", "black"), "노랗": ("노란", "yellow")}
        things = WORN_THINGS + CARRIED[:8] + N._nouns("꽃:flowers:p, 차:car:a, 자전거:bicycle:a")
        for ko, en in form.values():
            for noun in self.some("described", things, 9):
                if ko in ("큰", "작은", "비싼", "싼", "좋은", "새") and noun.ko == "꽃":
                    continue
                text = f"{en} {noun.en}"
                thing = text if noun.article == "p" else english.a(text)
                name = f"{ko} {noun.ko}"
                verbs = (("샀어", "샀어요", "I bought {}"), ("사고 싶어", "사고 싶어요", "I want to buy {}"), ("있어?", "있어요?", "Do you have {}?"),
                         ("살 거야", "살 거예요", "I'll buy {}"), ("샀어?", "샀어요?", "Did you buy {}?"), ("봤어", "봤어요", "I saw {}"), ("있어", "있어요", "I have {}"))
                for plain, polite, pattern in self.some("describe", verbs, 2):
                    particle = hangul.object_ if "있" not in plain else hangul.subject
                    self.add("described", f"{name} {plain}", pattern.format(thing), f"{particle(name)} {polite}", more=(f"{particle(name)} {plain}",))
        for ko, en, eaten in (("맛있는", "delicious", ("음식:food", "빵:bread", "케이크:cake", "과일:fruit", "떡볶이:tteokbokki")), ("매운", "spicy", ("음식:food", "라면:ramen", "떡볶이:tteokbokki")),
                              ("따뜻한", "warm", ("차:tea", "우유:milk", "물:water", "국:soup")), ("시원한", "cool", ("물:water", "주스:juice", "맥주:beer"))):
            for entry in eaten:
                noun, english_noun = entry.split(":")
                drunk = noun in ("차", "우유", "물", "주스", "맥주")
                stem, base = ("마시", "drink") if drunk else ("먹", "eat")
                name, text = f"{ko} {noun}", f"{en} {english_noun}"
                self.add("described", f"{name} {stem}고 싶어", f"I want to {base} {text}", f"{hangul.object_(name)} {stem}고 싶어요", more=(f"나 {name} {stem}고 싶어",))
                self.add("described", f"{name} {hangul.past(stem)}어", f"I {english.past(base)} {text}", f"{hangul.object_(name)} {hangul.past(stem)}어요")
                self.add("described", f"{name} 있어?", f"Is there {text}?", f"{name} 있어요?")
                self.add("described", f"{name} 좋아해?", f"Do you like {text}?", f"{hangul.object_(name)} 좋아해요?")

    def purposes(self) -> None:
        rows = (("밥 먹으러", "eat"), ("영화 보러", "watch a movie"), ("친구 만나러", "meet a friend"), ("옷 사러", "buy clothes"), ("수영하러", "swim"), ("운동하러", "exercise"),
                ("책 빌리러", "borrow a book"), ("커피 마시러", "drink coffee"), ("공부하러", "study"), ("놀러", "play"), ("점심 먹으러", "eat lunch"), ("사진 찍으러", "take pictures"),
                ("우유 사러", "buy milk"), ("일하러", "work"), ("축구하러", "play soccer"), ("할머니 만나러", "meet Grandma"), ("저녁 먹으러", "eat dinner"), ("선물 사러", "buy a present"))
        times = ("어제", "오늘", "내일", "지금", "주말에", "토요일에", "아까", "이따가")
        endings = (("가", "가요", "I'm going to {}", "now future"), ("갔어", "갔어요", "I went to {}", "past"), ("가자", "가요", "Let's go to {}", "future"), ("갈래?", "갈래요?", "Do you want to go to {}?", "future"),
                   ("갈 거야", "갈 거예요", "I'll go to {}", "future"), ("가고 싶어", "가고 싶어요", "I want to go to {}", ""), ("갈까?", "갈까요?", "Shall we go to {}?", "future"))
        for ko, en in rows:
            for plain, polite, pattern, tenses in self.some("purpose", endings, 5):
                fitting = [time for time in times if set(tenses.split()) & TIME[time].tenses]
                if plain == "가":
                    fitting, pattern = ["지금"], "I'm going to go {}"
                    continue
                time = self.draw.one("purpose time", fitting) if fitting and self.draw.chance(.35) else ""
                end = "?" if pattern.endswith("?") else ""
                base = pattern.rstrip("?").replace("go to {}", "go {}").replace("went to {}", "went to {}")
                verb = {"swim": "swimming", "shop": "shopping"}.get(en)
                text = pattern.rstrip("?").format(en) + (f" {TIME[time].en}" if time else "") + end
                if verb:
                    text = base.replace("to {}", "{}").format(verb) + (f" {TIME[time].en}" if time else "") + end
                polite_text = "같이 " + ko + " " + polite if plain == "가자" else f"{ko} {polite}"
                self.add("purpose", " ".join(filter(None, [time, ko, plain])), text, *([" ".join(filter(None, [time, polite_text]))] if plain != "가자" else []))

    def vehicles(self) -> None:
        rows = (("버스로", "by bus"), ("지하철로", "by subway"), ("택시로", "by taxi"), ("기차로", "by train"), ("차로", "by car"), ("자전거로", "by bicycle"), ("걸어서", "on foot"))
        near = tuple(N.PLACE[name] for name in ("학교", "집", "회사", "도서관", "병원", "시장", "공원", "역"))
        far = tuple(N.PLACE[name] for name in ("서울", "부산", "대구", "대전", "광주", "경주"))
        for ko, en in rows:
            goals = near if ko in ("택시로", "자전거로", "걸어서", "지하철로") else near + far if ko in ("버스로", "차로") else far
            for place in self.some("by", goals, 6):
                for plain, polite, pattern in self.some("by verb", (("갔어", "갔어요", "I went {}"), ("갈 거야", "갈 거예요", "I'll go {}"), ("가자", "", "Let's go {}"),
                                                                    ("갔어?", "갔어요?", "Did you go {}?"), ("가", "가요", "I'm going {}")), 2):
                    end = "?" if pattern.endswith("?") else ""
                    text = pattern.rstrip("?").format(f"{place.to} {en}") + end
                    others = [f"{place.ko}에 {ko} {polite}"] if polite else []
                    self.add("by", f"{place.ko}에 {ko} {plain}", text, *others, more=(f"{ko} {place.ko}에 {plain}",))
        for place in self.some("how", near + far, 10):
            self.add("by", f"{place.ko}에 어떻게 가?", f"How do you go {place.to}?", f"{place.ko}에 어떻게 가요?", more=(f"{place.ko} 어떻게 가?",))
            self.add("by", f"{place.ko}에 어떻게 갔어?", f"How did you go {place.to}?", f"{place.ko}에 어떻게 갔어요?")
        for start, goal in (("집", "학교"), ("학교", "집"), ("집", "회사"), ("서울", "부산"), ("집", "공원"), ("서울", "대전"), ("역", "집")):
            origin = {"집": "home", "학교": "school", "서울": "Seoul", "역": "the station"}[start]
            text = N.PLACE[goal].to if goal != "집" else "to home"
            self.add("from to", f"{start}에서 {goal}까지 걸어갔어" if start != "서울" else f"{start}에서 {goal}까지 기차로 갔어",
                     f"I walked from {origin} {text}" if start != "서울" else f"I went from {origin} {text} by train",
                     f"{start}에서 {goal}까지 걸어갔어요" if start != "서울" else f"{start}에서 {goal}까지 기차로 갔어요") if goal != "집" else None
            self.add("from to", f"{start}에서 {goal}까지 멀어?", f"Is it far from {origin} {text}?", f"{start}에서 {goal}까지 멀어요?") if goal != "집" else None

    def too(self) -> None:
        rows = (("갔어", "갔어요", "went"), ("먹었어", "먹었어요", "ate"), ("왔어", "왔어요", "came"), ("봤어", "봤어요", "saw it"), ("공부했어", "공부했어요", "studied"), ("숙제했어", "숙제했어요", "did {} homework"),
                ("샀어", "샀어요", "bought it"), ("커피 마셨어", "커피 마셨어요", "drank coffee"), ("김치 좋아해", "김치 좋아해요", "like kimchi"), ("축구 좋아해", "축구 좋아해요", "like soccer"), ("운동했어", "운동했어요", "exercised"), ("일찍 일어났어", "일찍 일어났어요", "got up early"))
        for plain, polite, en in rows:
            text = en.format("my")
            self.add("too", f"나도 {plain}", f"I {text} too", f"저도 {polite}")
            for person in self.some("too", KIN, 4):
                name = person.stem + "도"
                done = english.third(en.split()[0]) + " " + " ".join(en.split()[1:]) if en.startswith("like") else en
                self.add("too", f"{name} {plain}", english.capital(f"{person.who.text} {done.format(person.who.own)} too"), f"{name} {polite}")
        for noun in N.DISH[:12] + N.DRINK[:7] + N.FRUIT[:6]:
            drunk = noun in N.DRINK
            stem, base = ("마시", "drink") if drunk else ("먹", "eat")
            past = hangul.past(stem)
            if self.draw.chance(.6):
                self.add("too", f"{noun.ko}도 {past}어", f"I {english.past(base)} {noun.one} too", f"{noun.ko}도 {past}어요", more=(f"나는 {noun.ko}도 {past}어",))
            if self.draw.chance(.5):
                self.add("only", f"{noun.ko}만 {past}어", f"I only {english.past(base)} {noun.one}", f"{noun.ko}만 {past}어요")
            if self.draw.chance(.4):
                self.add("too", f"{noun.ko}도 좋아해", f"I like {noun.all} too", f"저는 {noun.ko}도 좋아해요", more=(f"나는 {noun.ko}도 좋아해",))
            if self.draw.chance(.4):
                self.add("only", f"{noun.ko}만 좋아해", f"I only like {noun.all}", f"저는 {noun.ko}만 좋아해요")

    def because(self) -> None:
        reasons = (("아파서", "I was sick"), ("피곤해서", "I was tired"), ("바빠서", "I was busy"), ("비가 와서", "it rained"), ("추워서", "it was cold"), ("시간이 없어서", "I had no time"), ("배고파서", "I was hungry"),
                   ("돈이 없어서", "I had no money"), ("늦게 일어나서", "I got up late"), ("더워서", "it was hot"), ("졸려서", "I was sleepy"), ("배불러서", "I was full"), ("심심해서", "I was bored"))
        results = {"안 갔어": ("I didn't go", "아파서 피곤해서 바빠서 비가_와서 추워서 시간이_없어서 더워서"), "집에 있었어": ("I was at home", "아파서 피곤해서 비가_와서 추워서 더워서"),
                   "일찍 잤어": ("I went to bed early", "아파서 피곤해서 졸려서"), "병원에 갔어": ("I went to the hospital", "아파서"), "못 갔어": ("I couldn't go", "아파서 바빠서 비가_와서 시간이_없어서 돈이_없어서"),
                   "밥 먹었어": ("I ate", "배고파서"), "라면 먹었어": ("I ate ramen", "배고파서"), "안 샀어": ("I didn't buy it", "돈이_없어서"), "늦었어": ("I was late", "늦게_일어나서 바빠서"), "택시 탔어": ("I took a taxi", "피곤해서 비가_와서 늦게_일어나서 추워서"),
                   "집에 일찍 왔어": ("I came home early", "아파서 피곤해서 비가_와서"), "운동 안 했어": ("I didn't exercise", "아파서 피곤해서 바빠서 더워서 추워서"), "숙제 못 했어": ("I couldn't do my homework", "아파서 바빠서 시간이_없어서"),
                   "안 먹었어": ("I didn't eat", "배불러서 아파서"), "커피 마셨어": ("I drank coffee", "졸려서 피곤해서"), "게임했어": ("I played games", "심심해서"), "영화 봤어": ("I watched a movie", "심심해서"), "친구한테 전화했어": ("I called a friend", "심심해서"),
                   "물 마셨어": ("I drank water", "더워서"), "학교에 안 갔어": ("I didn't go to school", "아파서"), "아침 못 먹었어": ("I couldn't eat breakfast", "늦게_일어나서 바빠서 시간이_없어서"), "쉬었어": ("I rested", "아파서 피곤해서 더워서")}
        names = dict(reasons)
        for plain, (en, fitting) in results.items():
            for reason in fitting.split():
                ko = reason.replace("_", " ")
                text = english.capital(names[ko]) + " so " + en
                self.add("so", f"{ko} {plain}", text, f"{ko} {plain}요")
        steps = (("밥 먹고", "ate", "잤어", "slept"), ("밥 먹고", "ate", "공부했어", "studied"), ("밥 먹고", "ate", "커피 마셨어", "drank coffee"), ("운동하고", "exercised", "샤워했어", "took a shower"), ("숙제하고", "did my homework", "게임했어", "played games"),
                 ("숙제하고", "did my homework", "잤어", "slept"), ("친구 만나고", "met a friend", "집에 왔어", "came home"), ("영화 보고", "watched a movie", "밥 먹었어", "ate"), ("청소하고", "cleaned up", "빨래했어", "did the laundry"), ("샤워하고", "took a shower", "잤어", "slept"),
                 ("책 읽고", "read a book", "잤어", "slept"), ("점심 먹고", "ate lunch", "산책했어", "took a walk"), ("저녁 먹고", "ate dinner", "텔레비전 봤어", "watched TV"), ("쇼핑하고", "went shopping", "커피 마셨어", "drank coffee"), ("공부하고", "studied", "쉬었어", "rested"),
                 ("세수하고", "washed my face", "아침 먹었어", "ate breakfast"), ("저녁 먹고", "ate dinner", "설거지했어", "did the dishes"), ("축구하고", "played soccer", "물 마셨어", "drank water"), ("일하고", "worked", "집에 왔어", "came home"))
        for first, en_first, second, en_second in steps:
            time = self.draw.one("and", ("", "어제", "오늘", "아까"))
            after = f" {TIME[time].en}" if time else ""
            self.add("and", f"{first} {second}", f"I {en_first} and {en_second}", f"{first} {second}요", more=(f"나는 {first} {second}",))
            if time:
                self.add("and", f"{time} {first} {second}", f"I {en_first} and {en_second}{after}", f"{time} {first} {second}요")

    def yesterday(self) -> None:
        """갔었어: went, and came back; with a place nobody says 에."""
        for place in N.PLACES + N.BARE[1:] + N.CITIES + N.VISITED + N.COUNTRIES:
            if place.ko == "카페":
                continue
            for time in ("어제", self.draw.one("went", ("주말에", "지난주에", "토요일에", "일요일에", "오늘", "아까", "지난 주말에", "금요일에")), ""):
                after = f" {TIME[time].en}" if time else ""
                before = f"{time} " if time else ""
                if time != "어제" and self.draw.chance(.5):
                    continue
                who = self.draw.chance(.25)
                self.add("went", f"{before}{place.ko} 갔었어", f"I went {place.to.replace('my ', 'my ')}{after}", f"{before}{place.ko}에 갔었어요", f"저는 {before}{place.ko}에 갔어요",
                         more=(f"{before}{place.ko}에 갔어", f"{before}{place.ko} 갔어", f"{'나는' if who else '나'} {before}{place.ko} 갔었어"))
                if self.draw.chance(.3):
                    text = place.to.replace("my ", "your ")
                    self.add("went", f"{before}{place.ko} 갔었어?", f"Did you go {text}{after}?", f"{before}{place.ko}에 갔어요?", more=(f"{before}{place.ko} 갔어?",))

    def beasts(self) -> None:
        for noun in N.ANIMAL[:8]:
            name, who = hangul.subject(noun.ko), Who(f"the {noun.en}", "he", "its")
            for stem, base, tense in (("자", "sleep", "progressive"), ("먹", "eat", "progressive"), ("뛰", "run", "progressive")):
                if noun.ko in ("새", "물고기") and stem == "뛰" or noun.ko == "물고기" and stem == "자":
                    continue
                self.add("animal", f"{name} 지금 {hangul.spoken(stem)}", english.statement(who, tense, f"{base} now"), f"{name} 지금 {hangul.spoken(stem)}요") if self.draw.chance(.4) else None
                self.add("animal", f"{name} {stem}고 있어", english.statement(who, tense, base), f"{name} {stem}고 있어요", more=(f"{noun.ko} {stem}고 있어",))
            self.add("animal", f"{noun.ko} 봤어?", f"Did you see {noun.that}?", f"{hangul.object_(noun.ko)} 봤어요?", more=(f"{hangul.object_(noun.ko)} 봤어?",))
            self.add("animal", f"{hangul.subject(noun.ko)} 무서워", f"I'm scared of {noun.all}", f"저는 {hangul.subject(noun.ko)} 무서워요", more=(f"나는 {hangul.subject(noun.ko)} 무서워",))


def many(noun: Noun) -> Noun:
    """Apples, where nothing says how many."""
    return Noun(noun.ko, noun.all, "p") if noun in N.FRUIT + N.SNACK and noun.article == "a" else noun


def person_asked(who: Who) -> bool:
    """Who asks for a brother, asks for that of the other one; `my bag` stays mine."""
    return who.text.startswith("my ") and who.own != "its"


def framed(draw: Draw) -> Iterator[tuple[Said, ...]]:
    frames = Frames(draw)
    for make in (frames.feelings, frames.people, frames.things, frames.it, frames.places, frames.weather, frames.having, frames.somewhere,
                 frames.being, frames.days, frames.hours, frames.counted, frames.money, frames.liking, frames.ability, frames.hurting,
                 frames.described, frames.purposes, frames.vehicles, frames.too, frames.because, frames.yesterday, frames.beasts):
        make()
    yield from frames.groups
