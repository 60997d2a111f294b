"""A clause in both languages: who does what, when, where and with whom, in every form of speech.

Written for attntrace; MIT licence, as the rest of it."""
import re
from typing import NamedTuple

import english
import hangul
from english import WE, YOU, I, Who
from nouns import Noun, Person, Place
from times import MANNER, Time
from verbs import Act

HONOURED = ("선생님", "사장님", "부모님")  # always with -시-; grandparents in polite speech only
ELDERS = HONOURED + ("할머니", "할아버지")
PARTICIPLES = dict(pair.split(":") for pair in """eat:eaten drink:drunk go:gone come:come see:seen take:taken do:done
write:written sing:sung swim:swum run:run wear:worn give:given know:known get:gotten draw:drawn break:broken fall:fallen
choose:chosen throw:thrown ride:ridden drive:driven""".split())
APART = "공부 숙제 운동 게임 청소 빨래 설거지 요리 일 수영 쇼핑 전화 이야기 산책 샤워 노래 연습 여행 등산 아르바이트".split()
HONORIFIC = {"먹": "드시", "자": "주무시", "있": "계시", "마시": "드시", "말하": "말씀하시"}


class Form(NamedTuple):
    """A form of speech. `ko`: ending in 반말 and in 존댓말, where {past} {spoken} {l} {stem} {linked} stand for the stem;
    `tense` and `lead`: the English verb and what stands before it."""
    ko: tuple[str, str]
    tense: str
    lead: str = ""
    times: str = ""


FORMS = {
    "pres": Form(("{spoken}", "{spoken}요"), "progressive", times="now"),
    "habit": Form(("{spoken}", "{spoken}요"), "simple", times="habit"),
    "past": Form(("{past}어", "{past}어요"), "past", times="past"),
    "perfect": Form(("{past}어", "{past}어요"), "have"),
    "already": Form(("{past}어", "{past}어요"), "past"),
    "just": Form(("{past}어", "{past}어요"), "past"),
    "lately": Form(("{spoken}", "{spoken}요"), "progressive", times="lately"),
    "fut": Form(("{l} 거야", "{l} 거예요"), "will", times="future"),
    "ge": Form(("{l}게", "{l}게요"), "will", times="future"),
    "prog": Form(("{stem}고 있어", "{stem}고 있어요"), "progressive", times="now"),
    "pastprog": Form(("{stem}고 있었어", "{stem}고 있었어요"), "was progressive"),
    "want": Form(("{stem}고 싶어", "{stem}고 싶어요"), "simple", "want to ", times="future"),
    "wanted": Form(("{stem}고 싶었어", "{stem}고 싶었어요"), "past", "want to "),
    "must": Form(("{spoken}야 해", "{spoken}야 해요"), "simple", "have to ", times="future"),
    "mustpast": Form(("{spoken}야 했어", "{spoken}야 했어요"), "past", "have to ", times="past"),
    "can": Form(("{l} 수 있어", "{l} 수 있어요"), "can", times="future"),
    "cannot": Form(("{l} 수 없어", "{l} 수 없어요"), "can", times="future"),
    "dont": Form(("{stem}지 마", "{stem}지 마세요"), ""),
    "please": Form(("{spoken} 줘", "{spoken} 주세요"), "", times="future"),
    "lets": Form(("{stem}자", ""), "", times="future"),
    "letsnot": Form(("{stem}지 말자", ""), "", times="future"),
    "shall": Form(("{l}까", "{l}까요"), "", times="future"),
    "rae": Form(("{l}래", "{l}래요"), "simple", "want to ", times="future"),
    "order": Form(("{spoken}", "{linked}세요"), ""),
    "may": Form(("{spoken}도 돼", "{spoken}도 돼요"), "can"),
    "mustnt": Form(("{linked}면 안 돼", "{linked}면 안 돼요"), "can"),
    "neednt": Form(("{spoken}도 돼", "{spoken}도 돼요"), "simple", "have to "),
}
FORMAL = {"pres": "{formal}", "habit": "{formal}", "past": "{past}습니다", "fut": "{l} 겁니다", "must": "{spoken}야 합니다",
          "want": "{stem}고 싶습니다", "prog": "{stem}고 있습니다", "can": "{l} 수 있습니다"}
WITHOUT_SUBJECT = ("dont", "please", "lets", "letsnot", "shall", "order")


class Meaning(NamedTuple):
    act: Act
    form: str
    mode: str = "."  # or ?, or what is asked: what, whom, where, at, when, why, who, with, hour
    negative: str = ""  # 안 or 못
    who: Who = I
    person: Person | None = None  # the subject, where it is a third person
    object: Noun | None = None
    whom: Person | None = None
    to: Place | None = None
    at: Place | None = None
    company: Person | None = None
    manner: str = ""
    often: tuple[str, str] = ("", "")
    time: Time | None = None
    stop: str = ""

    @property
    def asked(self) -> bool:
        return self.mode != "."


class Style(NamedTuple):
    """How the same thing is said in Korean."""
    polite: int = 0  # 1: 요, 2: 습니다
    subject: str = ""  # 나, 는, 가 or nothing
    object: bool = False  # with 을/를
    toward: bool = True  # with 에
    company: str = "랑"
    twice: bool = False  # 갔었어
    apart: bool = False  # 공부 했어
    also: bool = False  # the other way to name the time
    must: str = "해"


def plain_style(meaning: Meaning) -> Style:
    """The style that stands for all others when English is put into Korean."""
    went = meaning.form == "past" and meaning.act.stem == "가" and meaning.to is not None and not (
        meaning.negative or meaning.person or meaning.asked and meaning.mode != "?")
    home = meaning.to is not None and meaning.to.ko == "집"
    who = "는" if meaning.person and (not meaning.asked or meaning.whom or meaning.company) else ""
    return Style(subject=who, toward=not (went and not home), twice=went and not home)


# Korean

def _subject(meaning: Meaning, style: Style) -> str:
    if meaning.mode == "who" or meaning.form in WITHOUT_SUBJECT + ("mustnt", "neednt"):
        return ""
    if meaning.person:
        stem = meaning.person.stem
    elif meaning.who == WE:
        return "우리" if style.subject == "나" and not (meaning.whom or meaning.company) else "우리는"
    elif meaning.who == YOU:
        return "" if style.polite else {"": "", "는": "너는", "나": "너", "ㄴ": "넌"}.get(style.subject, "")
    else:
        if style.subject == "나" and style.polite:  # 저 학교 would be that school
            return "저는"
        return {"": "", "나": "나", "는": "저는" if style.polite else "나는",
                "가": "제가" if style.polite else "내가", "ㄴ": "저는" if style.polite else "난"}[style.subject]
    particle = {"는": hangul.topic, "가": hangul.subject}.get(style.subject)
    return particle(stem) if particle else meaning.person.ko


def _verb(meaning: Meaning, style: Style, late: str) -> str:
    act, person = meaning.act, meaning.person
    stem = act.stem[len(act.light):]
    who = person.ko if person else ""
    honour = who in HONOURED or style.polite and who in ELDERS or style.polite == 3
    if act.stem in HONORIFIC and honour:
        stem, light = HONORIFIC[act.stem], ""
    else:
        stem, light = (hangul.linked(stem, "시") if honour else stem), act.light
    form, level = FORMS[meaning.form], min(style.polite, 1)
    ending = form.ko[level]
    if style.polite == 2 and meaning.form in FORMAL and not meaning.asked and not honour:
        ending = FORMAL[meaning.form]
    if meaning.form in ("must", "mustpast") and style.must == "돼":
        ending = ending.replace("해", "돼").replace("했", "됐")
    past = hangul.past(stem) + ("었" if style.twice and meaning.form == "past" else "")
    spoken = stem[:-1] + "세" if honour and level and ending == "{spoken}요" else hangul.spoken(stem)
    linked = hangul.linked(stem, "면")[:-1] if "linked}면" in ending else hangul.linked(stem, "세")[:-1]
    word = ending.format(past=past, spoken=spoken, l=hangul.joined(stem, "ㄹ"), stem=stem, linked=linked,
                         formal=hangul.formal(stem))
    if meaning.form == "want" and meaning.person:
        word = f"{stem}고 싶어 " + ("하세요" if honour and level else "해요" if level else "해")
    negative = "안" if meaning.form == "neednt" else meaning.negative
    if negative:
        return " ".join(filter(None, [light, late, negative, word]))
    return f"{late} " * bool(late) + (light + " " if light in APART and style.apart else light) + word


def _whom(meaning: Meaning, style: Style) -> str:
    if meaning.mode == "whom":
        return "누구" + (meaning.act.dative or ("를" if style.object else ""))
    if meaning.whom is None:
        return ""
    if meaning.act.dative == "랑":
        return hangul.with_(meaning.whom.stem) if style.company == "랑" else meaning.whom.ko + style.company
    if meaning.act.dative:
        return meaning.whom.stem + "한테"
    return hangul.object_(meaning.whom.stem) if style.object else meaning.whom.ko


def _object(meaning: Meaning, style: Style) -> str:
    if meaning.mode == "what":
        return "뭐" if not style.object else "뭘"
    if meaning.mode == "where":
        return "어디" + ("에" if style.toward and meaning.act.toward == "에" else "")
    if meaning.to:
        optional = meaning.act.toward.endswith("?")
        return meaning.to.ko + ("" if optional and not style.toward else meaning.act.toward.rstrip("?"))
    noun = meaning.act.own or (meaning.object.ko if meaning.object else "")
    if noun in ("여기", "여기서", "감기") or not noun:
        return "감기에" if noun == "감기" and style.object else noun
    return hangul.object_(noun) if style.object else noun


def korean(meaning: Meaning, style: Style) -> str:
    meal = (meaning.act.own or (meaning.object.ko if meaning.object else "")) in ("밥", "아침", "점심", "저녁")
    time = meaning.time.ko if meaning.time else ""
    if meaning.time and meaning.time.also and style.also and not meal:
        time = meaning.time.also
    asked = {"when": "언제", "why": "왜", "who": "누가", "hour": "몇 시에", "with": "누구랑"}.get(meaning.mode, "")
    company = meaning.company and (hangul.with_(meaning.company.stem) if style.company == "랑"
                                   else meaning.company.ko + style.company) or ""
    at = "어디서" if meaning.mode == "at" else meaning.at.ko + "에서" if meaning.at else ""
    early = meaning.manner if meaning.manner in ("혼자", "같이") else ""
    late = "" if early else meaning.manner
    early = {"perfect": "아직", "already": "벌써", "just": "방금"}.get(meaning.form, early)
    object_, verb = _object(meaning, style), _verb(meaning, style, late)
    if meaning.act.stem == "하" and meaning.object and not (style.object or style.apart or late or meaning.negative
                                                           or meaning.form == "neednt"):
        object_, verb = "", object_ + verb  # 축구했어
    words = [_subject(meaning, style), time, meaning.often[0], asked, early, company, at, _whom(meaning, style),
             object_, verb]
    stop = "?" if meaning.asked or meaning.form == "shall" else meaning.stop
    if meaning.form == "order" and not style.polite:
        stop = "!"
    return " ".join(filter(None, words)) + stop


# English

def _own(meaning: Meaning) -> str:
    """Whose homework it is."""
    if meaning.form in ("dont", "please", "order"):
        return "your"
    return "our" if meaning.form in WITHOUT_SUBJECT else "the" if meaning.mode == "who" else meaning.who.own


def _met(person: Person, meaning: Meaning) -> str:
    """Somebody behind a verb; who asks, asks for the family of the other one."""
    yours = person.met.replace("my ", "your ")
    if meaning.mode in ("what", "where", "at", "why", "when") and person.ko == "친구":
        yours = "your friend"
    return yours if meaning.asked and meaning.form != "may" else person.met


def _words(meaning: Meaning) -> dict[str, str]:
    noun, own = meaning.object, _own(meaning)
    words = dict.fromkeys(("to", "at", "one", "all", "that"), "")
    words |= dict(my=own, whom=_met(meaning.whom, meaning) if meaning.whom else "")
    if noun:
        that = noun.that if noun.article != "u" else noun.en
        words |= dict(one=noun.one, all=noun.all, that=that, my=f"{own} {noun.en}")
        if _much(meaning) and noun.article != "the":
            words["one"] = f"{'a lot of' if meaning.manner == '많이' else 'a little'} {noun.all}"
        elif meaning.form in ("dont", "mustnt") and noun.article == "a" or meaning.often[0]:
            words["one"] = noun.all
        elif meaning.form == "past" and meaning.mode == "who" and noun.article in ("a", "u", "p") and noun.en.islower():
            words["one"] = f"the {noun.en}"  # 누가 빵 먹었어?
        for key, text in words.items():
            if key != "whom" and text.startswith(("my ", "our ")):
                words[key] = f"{own} {text.split(' ', 1)[1]}"
    if meaning.to:
        words.update(to=meaning.to.to, at=meaning.to.at if meaning.to.to != "home" else "home")
        words = {key: re.sub(r"\bmy\b", "your" if meaning.asked else own, text) if key in ("to", "at") else text
                 for key, text in words.items()}
    return words


def _much(meaning: Meaning) -> bool:
    """Whether 많이 or 조금 is said of what is eaten and bought, not of doing it."""
    return meaning.manner in ("많이", "조금") and meaning.object is not None and "{one}" in meaning.act.en and (
        meaning.act.stem not in ("공부하", "하", "치", "배우"))


def phrase(meaning: Meaning) -> str:
    """The verb with all that stands behind it, up to the time."""
    act = meaning.act
    favour = meaning.form == "please" and act.favour
    words = [" ".join((favour or act.en).format(**_words(meaning)).split())]
    if meaning.manner and not _much(meaning) and not (meaning.manner == "같이" and meaning.company):
        words.append("much" if meaning.manner == "많이" and (meaning.negative or act.dislike) else MANNER[meaning.manner])
    if meaning.company:
        words.append(f"with {_met(meaning.company, meaning)}")
    if meaning.mode == "with":
        words.append("with")
    if meaning.at:
        at = meaning.at.at.replace("my ", f"{_own(meaning)} ")
        words.append(at.replace("at the ", "at a ") if act.kind == "work" else at)
    if meaning.form == "perfect":
        words.append("yet")
    if meaning.time:
        words.append(meaning.time.en)
    return " ".join(words)


def translation(meaning: Meaning, polite: bool = False) -> str:
    stop = "?" if meaning.asked or meaning.form == "shall" else meaning.stop
    if meaning.form == "order" and not polite:
        stop = "!"
    return _sentence(meaning, polite) + stop


ASKED = {"what": "What", "whom": "Who", "where": "Where", "at": "Where", "when": "When", "why": "Why",
         "hour": "What time", "with": "Who"}


def _without_subject(meaning: Meaning, text: str, polite: bool) -> str:
    please = "please " if polite else ""
    asked = ASKED.get(meaning.mode, "")
    we = "I" if meaning.act.kind == "switch" else "we"
    return english.capital({
        "dont": f"{please}don't {text}", "please": f"please {text}", "lets": f"let's {text}",
        "letsnot": f"let's not {text}",
        "shall": f"{asked} shall {we} {text}".strip(), "order": please + text}[meaning.form])


def _perfect(meaning: Meaning, text: str) -> str:
    verb, _, rest = text.partition(" ")
    helper, who = ("hasn't" if meaning.who.person == "he" else "haven't"), meaning.who.text
    participle = " ".join(filter(None, [PARTICIPLES.get(verb, english.past(verb)), rest]))
    return english.capital(f"{helper} {who} {participle}" if meaning.asked else f"{who} {helper} {participle}")


def _sentence(meaning: Meaning, polite: bool) -> str:
    form, text = FORMS[meaning.form], FORMS[meaning.form].lead + phrase(meaning)
    if meaning.form in WITHOUT_SUBJECT:
        return _without_subject(meaning, text, polite)
    tense = _tense(meaning)
    if form.tense == "have":
        return _perfect(meaning, text)
    negative = bool(meaning.negative) or meaning.form in ("cannot", "mustnt", "neednt") or meaning.act.dislike
    if tense == "past" and text.startswith("be "):
        tense, text = "was", text[3:]
    often = meaning.often[1] or (meaning.form if meaning.form in ("already", "just") else "")
    if meaning.mode == "who":
        return english.who_question(tense, text, negative)
    if meaning.asked:
        who = meaning.who._replace(text=meaning.who.text.replace("my ", "your "))
        who = I if meaning.form == "may" else who
        return english.question(who, tense, text, negative, ASKED.get(meaning.mode, ""), often)
    return english.statement(meaning.who, tense, text, negative, often)


def _tense(meaning: Meaning) -> str:
    tense, act = FORMS[meaning.form].tense, meaning.act
    if meaning.negative == "못":
        well = meaning.manner == "잘"
        return tense if well else "could" if tense == "past" else "can"
    if meaning.form == "pres":
        simple = (act.kind in ("state", "know", "mind") or act.kind == "work" and meaning.at
                  or meaning.negative and act.generic and meaning.object and not meaning.time and not meaning.asked)
        usual = meaning.mode in ("hour", "when") and act.stem in ("일어나", "자", "출근하", "퇴근하")
        return "simple" if simple or usual else "progressive"
    return tense
