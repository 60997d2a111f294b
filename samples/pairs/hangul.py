"""Korean forms by rule: particles that depend on the last syllable, and the endings of verbs and adjectives.

Written for attntrace; MIT licence, as the rest of it."""

VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = ["", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"]
# Stems whose last consonant changes before a vowel, by what they become; all others in ㅂ ㄷ ㅅ ㅎ are regular.
B_TO_U = ("덥", "춥", "쉽", "어렵", "맵", "무섭", "가볍", "무겁", "아름답", "귀엽", "고맙", "가깝", "반갑", "더럽", "시끄럽", "즐겁", "뜨겁",
          "차갑", "두껍", "외롭", "어둡", "그립", "부럽", "싱겁", "눕", "굽", "돕", "줍", "아깝", "미끄럽", "부끄럽")
D_TO_L = ("듣", "걷", "묻", "싣")
S_DROPPED = ("낫", "짓", "붓")
H_DROPPED = ("빨갛", "파랗", "노랗", "하얗", "까맣", "그렇", "어떻", "이렇")
EU = ("들르", "따르", "치르")  # in 르, but only ㅡ is dropped


def parts(syllable: str) -> tuple[int, str, str]:
    """Initial consonant (its number), vowel and final consonant."""
    number = ord(syllable) - 0xAC00
    assert 0 <= number < 11172, syllable
    return number // 588, VOWELS[number % 588 // 28], FINALS[number % 28]


def syllable(initial: int, vowel: str, final: str = "") -> str:
    return chr(0xAC00 + initial * 588 + VOWELS.index(vowel) * 28 + FINALS.index(final))


def final(word: str) -> str:
    """The final consonant of the last syllable, or nothing."""
    return parts(word[-1])[2]


def with_final(word: str, consonant: str) -> str:
    initial, vowel, _ = parts(word[-1])
    return word[:-1] + syllable(initial, vowel, consonant)


# Particles

def particle(word: str, after_consonant: str, after_vowel: str) -> str:
    return word + (after_consonant if final(word) else after_vowel)


def topic(word: str) -> str:
    return particle(word, "은", "는")


def subject(word: str) -> str:
    return {"나": "내가", "너": "네가", "저": "제가", "누구": "누가"}.get(word) or particle(word, "이", "가")


def object_(word: str) -> str:
    return particle(word, "을", "를")


def with_(word: str) -> str:
    return particle(word, "이랑", "랑")


def copula(word: str, polite: bool) -> str:
    return particle(word, "이에요", "예요") if polite else particle(word, "이야", "야")


# Endings

def _ends(stem: str, stems: tuple[str, ...]) -> bool:
    return stem.endswith(stems)


def _vowel_stem(stem: str) -> str:
    """The stem as it stands before a vowel (ㄷ and ㅅ), except for what is joined to it (ㅂ, ㅎ)."""
    if _ends(stem, D_TO_L):
        return with_final(stem, "ㄹ")
    return with_final(stem, "") if _ends(stem, S_DROPPED) else stem


def spoken(stem: str) -> str:
    """The form in -아/어: 먹어, 가, 와, 해, 더워, 들어, 몰라, 나아, 빨개."""
    initial, vowel, last = parts(stem[-1])
    before = parts(stem[-2])[1] if len(stem) > 1 else ""
    if stem.endswith("하"):
        return stem[:-1] + "해"
    if stem.endswith("아니"):
        return stem + "야"
    if _ends(stem, B_TO_U):
        return with_final(stem, "") + ("와" if stem.endswith("돕") else "워")
    if _ends(stem, D_TO_L) or _ends(stem, S_DROPPED):
        return _vowel_stem(stem) + ("아" if vowel in "ㅏㅗ" else "어")
    if _ends(stem, H_DROPPED):
        return stem[:-1] + syllable(initial, "ㅒ" if vowel == "ㅑ" else "ㅐ")
    if stem.endswith("르") and not _ends(stem, EU):
        return with_final(stem[:-1], "ㄹ") + ("라" if before in "ㅏㅗ" else "러")
    if not last and vowel == "ㅡ":
        return stem[:-1] + syllable(initial, "ㅏ" if before and before in "ㅏㅗ" else "ㅓ")
    if last:
        return stem + ("아" if vowel in "ㅏㅗ" else "어")
    joined = {"ㅏ": "ㅏ", "ㅓ": "ㅓ", "ㅗ": "ㅘ", "ㅜ": "ㅝ", "ㅣ": "ㅕ", "ㅐ": "ㅐ", "ㅔ": "ㅔ", "ㅚ": "ㅙ", "ㅕ": "ㅕ"}
    return stem[:-1] + syllable(initial, joined[vowel]) if vowel in joined else stem + "어"


def past(stem: str) -> str:
    """The stem of the past: 먹었, 갔, 했, 더웠."""
    if stem.endswith("아니"):
        return stem + "었"
    return with_final(spoken(stem), "ㅆ")


def joined(stem: str, consonant: str, rest: str = "") -> str:
    """-(으)ㄹ, -(으)ㄴ: 먹을, 갈, 만들, 더울, 들을, 빨갈; 큰, 긴, 추운."""
    if _ends(stem, B_TO_U):
        return with_final(stem, "") + syllable(11, "ㅜ", consonant) + rest
    if _ends(stem, D_TO_L) or _ends(stem, S_DROPPED):
        return _vowel_stem(stem) + syllable(11, "ㅡ", consonant) + rest
    if _ends(stem, H_DROPPED) or final(stem) in ("", "ㄹ"):
        return with_final(stem, consonant) + rest
    return stem + syllable(11, "ㅡ", consonant) + rest


def linked(stem: str, ending: str) -> str:
    """-(으)면, -(으)러, -(으)세요, -(으)니까: 먹으면, 가면, 만들면 (but 만드세요), 더우면, 들으면."""
    if _ends(stem, B_TO_U):
        return with_final(stem, "") + "우" + ending
    if _ends(stem, D_TO_L) or _ends(stem, S_DROPPED):
        return _vowel_stem(stem) + "으" + ending
    if _ends(stem, H_DROPPED):
        return with_final(stem, "") + ending
    if final(stem) == "ㄹ":
        return (with_final(stem, "") if ending[0] in "세시셔셨니" else stem) + ending
    return stem + ("으" if final(stem) else "") + ending


def formal(stem: str) -> str:
    """-습니다: 먹습니다, 갑니다, 만듭니다."""
    return with_final(stem, "ㅂ") + "니다" if final(stem) in ("", "ㄹ") else stem + "습니다"
