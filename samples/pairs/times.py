"""Words of time and manner: Korean, English, the tenses that they go with and how long a time they name.

Written for attntrace; MIT licence, as the rest of it."""
from typing import NamedTuple

HOURS = tuple(zip("한 두 세 네 다섯 여섯 일곱 여덟 아홉 열 열한 열두".split(),
                  "one two three four five six seven eight nine ten eleven twelve".split()))
DAYS = tuple(zip("월 화 수 목 금 토 일".split(), "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()))


class Time(NamedTuple):
    ko: str
    en: str
    tenses: frozenset[str]  # past, future, now, habit
    size: str  # day, part, night, week, month, year, clock, now
    also: str = ""  # said as well: 다음 주 for 다음 주에


def _times(text: str) -> tuple[Time, ...]:
    times = []
    for line in text.strip().splitlines():
        ko, en, tenses, size = map(str.strip, line.split("|"))
        ko, _, also = ko.partition("/")
        times.append(Time(ko, en, frozenset(tenses.split()), size, also))
    return tuple(times)


TIMES = _times("""
어제|yesterday|past|day
그제|the day before yesterday|past|day
오늘|today|past future now|day
내일|tomorrow|future|day
모레|the day after tomorrow|future|day
오늘 아침에/오늘 아침|this morning|past|part
오늘 오후에/오늘 오후|this afternoon|future|part
오늘 저녁에/오늘 저녁|this evening|future|part
오늘 밤에/오늘 밤|tonight|future|night
어제 아침에|yesterday morning|past|part
어제 오후에|yesterday afternoon|past|part
어제저녁에/어제 저녁에|yesterday evening|past|part
어젯밤에/어젯밤|last night|past|night
내일 아침에/내일 아침|tomorrow morning|future|part
내일 오후에|tomorrow afternoon|future|part
내일 저녁에/내일 저녁|tomorrow evening|future|part
내일 밤에|tomorrow night|future|night
아침에|in the morning|past future|part
오전에|in the morning|past future|part
점심에/점심때|at lunchtime|past future|part
오후에|in the afternoon|past future|part
저녁에|in the evening|past future|part
밤에|at night|past|night
지금|now|now|now
이따가/이따|later|future|near
나중에|later|future|near
아까|a while ago|past|near
주말에|on the weekend|past future|week
지난 주말에|last weekend|past|week
이번 주말에|this weekend|future|week
지난주에|last week|past|week
이번 주에|this week|future|week
다음 주에|next week|future|week
지난달에|last month|past|month
다음 달에|next month|future|month
작년에|last year|past|year
내년에|next year|future|year
여름에|in summer|past future|year
겨울에|in winter|past future|year
봄에|in spring|past future|year
가을에|in fall|past future|year
매일|every day|habit|day
요즘|these days|lately|now
매일 아침|every morning|habit|part
아침마다|every morning|habit|part
저녁마다|every evening|habit|part
밤마다|every night|habit|night
주말마다|every weekend|habit|week
매주|every week|habit|week
""") + tuple(Time(f"{ko}요일에", f"on {en}", frozenset(("past", "future")), "week") for ko, en in DAYS) + tuple(
    Time(f"{ko}요일마다", f"every {en}", frozenset(("habit",)), "week") for ko, en in DAYS) + tuple(
    Time(f"다음 주 {ko}요일에", f"next {en}", frozenset(("future",)), "week") for ko, en in DAYS) + tuple(
    Time(f"{ko} 시에", f"at {en} o'clock", frozenset(("past", "future")), "clock") for ko, en in HOURS)
OFTEN = (("항상", "always"), ("자주", "often"), ("보통", "usually"), ("가끔", "sometimes"))
MANNER = dict(많이="a lot", 조금="a little", 빨리="quickly", 천천히="slowly", 일찍="early", 늦게="late", 잘="well",
              열심히="hard", 혼자="alone", 같이="together", 다시="again", 또="again", 오래="for a long time")
