"""What is not an action: how things are, where they are, what one has, is and likes. Every frame is said of every word
of its group.

`(야|예요)`: 반말 and 존댓말; `{이}`, `{은}` …: the noun with that particle; `{one}`, `{all}`, `{the}`: as it stands in
English (an apple, apples, the apples).

Written for attntrace; MIT licence, as the rest of it."""
import re
from collections.abc import Iterator

import english
import hangul
import nouns as N
from acts import Said, is_polite
from draw import Draw
from nouns import Noun, Person, Place
from times import DAYS, HOURS, TIMES

Frames = tuple[tuple[tuple[Noun | Place | Person, ...], str], ...]
IT = english.Who("it", "he", "its")
EATEN = N.DISH + N.SNACK + N.FRUIT
LIKED = EATEN + N.VEGETABLE + N.DRINK + N.SPORT + N.RACKET + N.PET + N.WILD[:5] + N.SEASON + N.SUBJECT + N.LANGUAGE
CARRIED = N.THING + N.HEADWEAR[:1] + N.OTHER_WEAR
BOUGHT = CARRIED + N.CLOTHES + N.FOOTWEAR + N.HOUSEHOLD
STUDIED = N.LANGUAGE + N.SUBJECT
KIN = N.FAMILY + N.NAMES + N.FRIEND
SEEN = tuple(place for place in N.PLACES if place.ko not in ("화장실", "교실", "노래방", "치과"))
NEAR = tuple(N.PLACE[name] for name in ("학교", "집", "회사", "도서관", "병원", "시장", "공원", "역"))
PASSED = tuple(time for time in TIMES if "past" in time.tenses and time.size in ("day", "part", "night", "week"))
COMING = tuple(time for time in TIMES if "future" in time.tenses and time.size in ("day", "part", "week"))

MONTHS = tuple(Noun(ko, en, "-") for ko, en in zip(
    "일월 이월 삼월 사월 오월 유월 칠월 팔월 구월 시월 십일월 십이월".split(),
    "January February March April May June July August September October November December".split()))
PRICES = tuple(Noun(f"{ko} 원", f"{number:,} won", "-") for ko, number in (
    ("오백", 500), ("천", 1000), ("이천", 2000), ("삼천", 3000), ("사천", 4000), ("오천", 5000), ("육천", 6000), ("칠천", 7000),
    ("팔천", 8000), ("구천", 9000), ("만", 10000), ("이만", 20000), ("삼만", 30000), ("사만", 40000), ("오만", 50000),
    ("십만", 100000)))
CLOCK = tuple(Noun(f"{ko} 시", f"{en} o'clock", "-") for ko, en in HOURS)
SEVERAL = tuple(Noun(ko, en, "-") for ko, en in HOURS[1:10])  # from two on
WENT = SEEN + N.BARE[1:] + N.CITIES[:8] + N.VISITED + N.COUNTRIES[:3]

# Said of every word; 어제 공원 갔었어 is the frame of the sentence that is held out.
NEEDED = (
    (WENT, """
어제 {n} 갔었어 | I went {to} yesterday
"""),
    ((Noun("날씨", "weather", "u"),), """
{n} 정말 좋다! | {The} is really good!
오늘 {n} 너무 좋다! | {The} is so good today!
오늘 {n} 정말 좋다 | {The} is really good today
여기 {n} 좋다 | {The} is good here
"""),
    (MONTHS, """
지금은 {야} | It's {en} now
내 생일은 {야} | My birthday is in {en}
{n}에 여행 갈 거(야|예요) | I'll go on a trip in {en}
"""),
    (PRICES, """
{야} | It's {en}
{n} 있어(|요) | I have {en}
"""),
    (CLOCK, """
{n}에 만나(자|요) | Let's meet at {en}
{n}에 끝나(|요) | It ends at {en}
내일 {n}에 올게(|요) | I'll come at {en} tomorrow
"""),
    (SEVERAL, """
사과 {n} 개 주세요 | {En} apples, please
커피 {n} 잔 주세요 | {En} cups of coffee, please
책 {n} 권 샀어(|요) | I bought {en} books
고양이 {n} 마리 있어(|요) | I have {en} cats
표 {n} 장 주세요 | {En} tickets, please
우리는 {n} 명이(야|에요) | There are {en} of us
"""))

FRAMES = (
    (LIKED, """
{이} 좋아(|요) | I like {all}
{이} 좋아(|요)? | Do you like {all}?
(나는|저는) {이} 좋아(|요) | I like {all}
{이} 싫어(|요) | I don't like {all}
{을} 제일 좋아해(|요) | I like {all} the most
{n} 정말 좋아해(|요) | I really like {all}
(나는|저는) {n}도 좋아해(|요) | I like {all} too
"""),
    (EATEN, """
{이} 맛있어(|요) | {The} {is} delicious
{n} 맛있어(|요)? | {Is} {the} delicious?
{이} 맛있었어(|요) | {The} {was} delicious
{은} 안 비싸(|요) | {The} {is}n't expensive
{이} 비싸(|요)? | {Is} {the} expensive?
이 {n} 정말 맛있다! | {This} {things} {is} really delicious!
{n}도 먹었어(|요) | I ate {one} too
{n}만 먹었어(|요) | I only ate {one}
{n} 주세요 | {All}, please
{n} 얼마(야|예요)? | How much {is} {the}?
"""),
    (N.DRINK, """
{이} 맛있어(|요) | {The} {is} delicious
{n}도 마셨어(|요) | I drank {one} too
{n}만 마셨어(|요) | I only drank {one}
{n} 주세요 | {All}, please
{n} 좀 줘 | Please give me some {all}
집에 {n} 있어(|요)? | Is there {one} at home?
냉장고에 {이} 있어(|요) | There is {one} in the fridge
{은} 없어(|요) | There is no {one}
"""),
    (N.FRUIT + N.DISH[:3], """
냉장고에 {이} 있어(|요) | There {is} {all} in the fridge
집에 {n} 있어(|요)? | {Is} there {all} at home?
시장에서 {을} 샀어(|요) | I bought {all} at the market
"""),
    (CARRIED, """
{n} 있어(|요)? | Do you have {one}?
{이} 있어(|요) | I have {one}
(나는|저는) {이} 있어(|요) | I have {one}
{n} 없어(|요)? | Don't you have {one}?
(나는|저는) {이} 없어(|요) | I don't have {one}
민수는 {이} 있어(|요) | Minsu has {one}
{n} 어디 있어(|요)? | Where {is} {the}?
(내|제) {n} 어디 있어(|요)? | Where {is} my {things}?
{n} 가방에 있어(|요) | {The} {is} in the bag
{은} 책상 위에 있어(|요) | {The} {is} on the desk
이거 (내|제) {야} | {This} {is} my {things}
이거 민수 {야} | {This} {is} Minsu's {things}
이거 누구 {야}? | Whose {things} {is} {this}?
{이} 필요해(|요) | I need {one}
{n} 필요해(|요)? | Do you need {one}?
"""),
    (BOUGHT, """
{n} 얼마(야|예요)? | How much {is} {the}?
이 {n} 얼마(야|예요)? | How much {is} {this} {things}?
{이} 비싸(|요) | {The} {is} expensive
{n} 어디서 샀어(|요)? | Where did you buy {the}?
새 {n} 사고 싶어(|요) | I want to buy {new}
저거 {야} | {That} {is} {one}
"""),
    (N.CLOTHES + N.FOOTWEAR + N.HEADWEAR[:1] + N.OTHER_WEAR, """
{이} 예뻐(|요) | {The} {is} pretty
이 {은} 너무 작아(|요) | {This} {things} {is} too small
큰 {n} 있어(|요)? | Do you have {big}?
예쁜 {을} 샀어(|요) | I bought {pretty}
{n} 예쁘다! | {The} {is} pretty!
"""),
    (STUDIED, """
{이} 어려워(|요) | {All} is difficult
{n} 어려워(|요)? | Is {all} difficult?
{은} 재미있어(|요) | {All} is fun
{이} 쉬워(|요) | {All} is easy
{은} 안 어려워(|요) | {All} isn't difficult
"""),
    (N.SPORT + N.RACKET, """
{n} 잘해(|요)? | Are you good at {all}?
(나는|저는) {n} 잘해(|요) | I'm good at {all}
민수는 {을} 잘해(|요) | Minsu is good at {all}
(나는|저는) {n} 못해(|요) | I can't play {all}
{n} 할 수 있어(|요)? | Can you play {all}?
{이} 재미있어(|요) | {All} is fun
"""),
    (N.LANGUAGE, """
{n} 잘해(|요)? | Do you speak {all} well?
엄마는 {을} 잘해(|요) | Mom speaks {all} well
(나는|저는) {n} 못해(|요) | I can't speak {all}
{n} 할 수 있어(|요)? | Can you speak {all}?
"""),
    (N.ANIMAL, """
{이} 귀여워(|요) | {The} {is} cute
{n} 봤어(|요)? | Did you see {the}?
{을} 봤어(|요) | I saw {one}
{이} 무서워(|요)? | Are you scared of {all}?
"""),
    (N.WILD, """
동물원에 {이} 있어(|요) | There {is} {one} at the zoo
동물원에서 {을} 봤어(|요) | I saw {one} at the zoo
{이} 아주 커(|요) | {The} {is} very big
"""),
    (N.JOB, """
(나는|저는) {야} | I'm {one}
(나는|저는) {n} 아니(야|에요) | I'm not {one}
아빠는 {야} | Dad is {one}
누나는 {이} 아니(야|에요) | My sister isn't {one}
{이} 되고 싶어(|요) | I want to be {one}
형은 {야}? | Is your brother {one}?
"""),
    (N.BODY, """
{n} 아파(|요) | {My} hurt{s}
{이} 아파(|요) | {My} hurt{s}
(나|저는) {n} 아파(|요) | {My} hurt{s}
{n} 아파(|요)? | {Does} your {en} hurt?
{이} 너무 아파(|요) | {My} hurt{s} so much
{이} 안 아파(|요) | {My} {doesn't} hurt
어제 {n} 아팠어(|요) | {My} hurt yesterday
"""),
    (N.OWNED, """
{n} 있어(|요)? | Do you have {one}?
{이} 있어(|요) | I have {one}
오늘 {이} 있어(|요) | I have {one} today
{n} 없어(|요) | I have no {all}
{은} 없어(|요) | I have no {all}
민수는 {이} 없어(|요) | Minsu has no {all}
{이} 많아(|요) | I have a lot of {all}
"""),
    (N.SEASON, """
{은} 추워(|요)? | Is {all} cold?
{이} 왔어(|요) | {All} came
"""),
    (N.PLACES, """
{n} 어디(야|예요)? | Where is {the}?
{이} 어디(야|예요)? | Where is {the}?
{은} 어디 있어(|요)? | Where is {the}?
"""),
    (SEEN, """
{n} 멀어(|요)? | Is {the} far?
{이} 가까워(|요) | {The} is close
{이} 커(|요) | {The} is big
{은} 조용해(|요) | {The} is quiet
{n}에 사람이 많아(|요) | There are many people in {the}
{n} 앞에서 만나(자|요) | Let's meet in front of {the}
"""),
    (N.PLACES + N.BARE, """
{n}에 있어(|요) | I'm {at}
지금 {n}에 있어(|요) | I'm {at} now
{n}에 있어(|요)? | Are you {at}?
어제 {n}에 있었어(|요) | I was {at} yesterday
{n}에 있었어(|요)? | Were you {at}?
엄마 {n}에 있어(|요)? | Is Mom {at}?
민수는 {n}에 있어(|요) | Minsu is {at}
친구는 {n}에 없어(|요) | My friend isn't {at}
내일 {n}에 있을 거(야|예요) | I'll be {at} tomorrow
"""),
    (WENT, """
어제 {n}에 갔(어|어요) | I went {to} yesterday
(나|저는) 어제 {n}에 갔었(어|어요) | I went {to} yesterday
어제 {n} 갔었(어|어요)? | Did you go {to} yesterday?
주말에 {n} 갔었어 | I went {to} on the weekend
토요일에 {n} 갔었어 | I went {to} on Saturday
지난주에 {n} 갔었어 | I went {to} last week
{n} 갔었어 | I went {to}
"""),
    (N.CITIES + N.COUNTRIES, """
{은} 멀어(|요) | {The} is far
{은} 커(|요) | {The} is big
{이} 좋아(|요) | I like {the}
{n}에서 왔어(|요) | I'm from {the}
{n}에 살고 싶어(|요) | I want to live {at}
{n}에 비 와(|요)? | Is it raining {at}?
{n} 날씨 어때(|요)? | How is the weather {at}?
"""),
    (NEAR, """
{n}에 버스로 가(|요) | I'm going {to} by bus
{n}에 자전거로 갔어(|요) | I went {to} by bicycle
{n}에 택시로 갔어(|요) | I went {to} by taxi
{n}에 걸어서 갔어(|요) | I went {to} on foot
{n}에 어떻게 갔어(|요)? | How did you go {to}?
"""),
    (KIN, """
{은} 바빠(|요) | {Who} is busy
{n} 바빠(|요)? | Is {your} busy?
{은} 피곤해(|요) | {Who} is tired
{n} 아파(|요)? | Is {your} sick?
{이} 아파(|요) | {Who} is sick
{은} 친절해(|요) | {Who} is kind
{은} 키가 커(|요) | {Who} is tall
{이} 재미있어(|요) | {Who} is funny
{이} 좋아(|요) | I like {met}
{n} 보고 싶어(|요) | I miss {missed}
{이} 보고 싶어(|요) | I miss {missed}
{n} 어디 있어(|요)? | Where is {your}?
{은} 어디 있어(|요)? | Where is {your}?
{은} 집에 있어(|요) | {Who} is at home
{은} 집에 없어(|요) | {Who} isn't at home
{도} 왔어(|요) | {Who} came too
{도} 와(|요)? | Is {your} coming too?
{도} 갔어(|요) | {Who} went too
{도} 커피 좋아해(|요) | {Who} likes coffee too
{만} 안 왔어(|요) | Only {who} didn't come
{랑} 있어(|요) | I'm with {met}
{은} 몇 살(이야|이에요)? | How old is {your}?
{은} 뭐 좋아해(|요)? | What does {your} like?
{은} 시간 있어(|요)? | Does {your} have time?
{은} 축구 잘해(|요) | {Who} is good at soccer
"""),
    (tuple(Noun(f"{ko}요일", en, "-") for ko, en in DAYS), """
오늘은 {야} | Today is {en}
오늘 {야}? | Is it {en} today?
내일은 {야} | Tomorrow is {en}
{n}에 만나(자|요) | Let's meet on {en}
{n}에 뭐 할 거(야|예요)? | What will you do on {en}?
{n}에 뭐 했어(|요)? | What did you do on {en}?
{n}에 시간 있어(|요)? | Do you have time on {en}?
{n} 어때(|요)? | How about {en}?
나 {n}에 바빠 | I'm busy on {en}
"""),
    (tuple(Noun(time.ko, time.en, "-") for time in PASSED), """
{n} 비 왔어(|요) | It rained {en}
{n} 비 왔어(|요)? | Did it rain {en}?
{n} 눈이 왔어(|요) | It snowed {en}
{n} 뭐 했어(|요)? | What did you do {en}?
{n} 바빴어(|요) | I was busy {en}
{n} 추웠어(|요) | It was cold {en}
"""),
    (tuple(Noun(time.ko, time.en, "-") for time in COMING), """
{n} 비 올 거(야|예요) | It'll rain {en}
{n} 뭐 할 거(야|예요)? | What will you do {en}?
{n} 만나(자|요) | Let's meet {en}
{n} 시간 있어(|요)? | Do you have time {en}?
{n} 봐(|요) | See you {en}
"""))

QUALITIES = """
피곤하:tired:I, 바쁘:busy:I, 행복하:happy:I, 슬프:sad:I, 배고프:hungry:I, 심심하:bored:I, 졸리:sleepy:I, 외롭:lonely:I,
무섭:scared:I, 목마르:thirsty:I, 기쁘:glad:I, 건강하:healthy:I, 비싸:expensive:it, 싸:cheap:it, 예쁘:pretty:it,
크:big:it, 작:small:it, 무겁:heavy:it, 가볍:light:it, 깨끗하:clean:it, 더럽:dirty:it, 길:long:it, 짧:short:it,
맛있:delicious:it, 맵:spicy:it, 짜:salty:it, 달:sweet:it, 뜨겁:hot:it, 어렵:difficult:it, 쉽:easy:it, 재미있:fun:it,
중요하:important:it, 멀:far:it, 가깝:close:it, 조용하:quiet:it, 시끄럽:noisy:it, 춥:cold:it, 덥:hot:it, 따뜻하:warm:it,
시원하:cool:it, 빠르:fast:it, 느리:slow:it, 어둡:dark:it, 귀엽:cute:it, 빨갛:red:it, 파랗:blue:it, 하얗:white:it
"""
TENSES = (("be", "{spoken}", "{spoken}요"), ("was", "{past}어", "{past}어요"), ("will", "{later} 거야", "{later} 거예요"))
DEGREES = (("정말", "really"), ("진짜", "really"), ("조금", "a little"), ("너무", "too"))
SO = ("행복하", "예쁘", "귀엽", "맛있", "배고프", "슬프", "졸리", "무섭", "심심하", "재미있", "기쁘", "외롭", "목마르")  # 너무: so, not too


def _noun_slots(noun: Noun) -> dict[str, str]:
    many = Noun(noun.ko, noun.all, "p") if noun in N.FRUIT + N.SNACK and noun.article == "a" else noun
    plural = many.article == "p"
    body = noun in N.BODY and not plural
    slots = dict(en=noun.en, one=noun.one, all=noun.all, the=f"the {many.en}", things=many.en, my=f"my {noun.en}",
                 this="these" if plural else "this", that="those" if plural else "that", s="s" if body else "",
                 does="does" if body else "do", **{"doesn't": "doesn't" if body else "don't"},
                 **{"is": "are" if plural else "is", "was": "were" if plural else "was"})
    for quality in ("new", "big", "pretty"):
        slots[quality] = f"{quality} {noun.en}" if noun.article in ("p", "u") else english.a(f"{quality} {noun.en}")
    return slots


def _slots(item: Noun | Place | Person) -> dict[str, str]:
    stem = item.stem if isinstance(item, Person) else item.ko
    slots = dict(n=item.ko, 이=hangul.subject(stem), 은=hangul.topic(stem), 을=hangul.object_(stem),
                 랑=hangul.with_(stem), 도=stem + "도", 만=stem + "만")
    if isinstance(item, Noun):
        slots |= _noun_slots(item) | {"야": f"({hangul.copula(stem, False)}|{hangul.copula(stem, True)})"}
    elif isinstance(item, Place):
        slots |= dict(to=item.to, at=item.at, the=item.to.removeprefix("to "))
    else:
        missed = "my friend" if item in N.FRIEND else item.met
        slots |= dict(who=item.who.text, your=item.who.text.replace("my ", "your "), met=item.met, missed=missed)
    return slots | {key.capitalize(): english.capital(text) for key, text in slots.items() if key.isascii()}


def _levels(ko: str) -> list[str]:
    """In 반말 and in 존댓말, where they differ."""
    return list(dict.fromkeys(re.sub(r"\(([^|()]*)\|([^|()]*)\)", rf"\{level}", ko) for level in (1, 2)))


def _stop(draw: Draw, text: str) -> str:
    return "" if text.endswith(("?", "!")) else draw.one("stop", ("", "."), (2, 1))


def _said_of_nouns(draw: Draw, frames: Frames) -> Iterator[tuple[Said, ...]]:
    for items, lines in frames:
        for line in lines.strip().splitlines():
            ko, en = line.split(" | ")
            for item in items:
                slots = _slots(item)
                stop = _stop(draw, ko)
                text = en.format(**slots).replace("{s}", "") + stop
                texts = _levels(ko.format(**slots))
                yield tuple(Said(each + stop, text, f"frame {line}", is_polite(each)) for each in texts)


def _qualities(draw: Draw) -> Iterator[tuple[Said, ...]]:
    """비싸, 안 비쌌어?, 정말 피곤해요, 너무 추워."""
    for entry in QUALITIES.strip().replace("\n", " ").split(", "):
        stem, en, who = entry.split(":")
        forms = dict(spoken=hangul.spoken(stem), past=hangul.past(stem), later=hangul.joined(stem, "ㄹ"))
        for tense, *endings in TENSES:
            degrees = DEGREES if tense != "will" and stem not in ("괜찮", "맛있", "건강하") else ()
            for before, degree in (("", ""), ("안", "not")) + degrees:
                if before == "안" and stem in ("맛있", "재미있"):
                    continue
                how = "so" if degree == "too" and (who == "I" or stem in SO) else degree if degree != "not" else ""
                words = " ".join(filter(None, ["be" if tense == "will" else "", how, en]))
                for stop in [_stop(draw, "")] + ["?"] * (how == ""):
                    text = _quality(who, tense, words, degree == "not", stop == "?")
                    yield tuple(Said(f"{before} {ending.format(**forms)}".strip() + stop, text + stop,
                                     f"quality {tense}", ending.endswith("요")) for ending in endings)


def _quality(who: str, tense: str, words: str, negative: bool, asked: bool) -> str:
    if asked:
        return english.question(english.YOU if who == "I" else IT, tense, words, negative)
    text = english.statement(english.I if who == "I" else IT, tense, words, negative)
    return text.replace("It isn't", "It's not")


def needed(draw: Draw) -> list[tuple[Said, ...]]:
    return list(_said_of_nouns(draw, NEEDED))


def framed(draw: Draw) -> list[tuple[Said, ...]]:
    return [*_said_of_nouns(draw, FRAMES), *_qualities(draw)]
