"""English sentences by rule: articles, plurals, forms of verbs, do-support, questions.

Written for attntrace; MIT licence, as the rest of it."""
from typing import NamedTuple

PAST = dict(pair.split(":") for pair in """eat:ate drink:drank go:went come:came see:saw meet:met buy:bought sleep:slept
get:got take:took do:did make:made read:read write:wrote sing:sang swim:swam run:ran ride:rode drive:drove wear:wore
put:put give:gave send:sent find:found lose:lost win:won teach:taught know:knew think:thought forget:forgot
speak:spoke tell:told say:said sit:sat stand:stood leave:left sell:sold pay:paid bring:brought break:broke cut:cut
draw:drew feel:felt have:had hear:heard catch:caught hurt:hurt throw:threw choose:chose understand:understood
lend:lent fall:fell wake:woke hold:held blow:blew lie:lay keep:kept fight:fought be:was
grow:grew spend:spent""".split())
DOUBLED = ("swim run get sit put cut shop forget win jog stop chat hug drop".split())
PLURALS = dict(pair.split(":") for pair in """child:children person:people mouse:mice fish:fish knife:knives
tomato:tomatoes potato:potatoes wife:wives scarf:scarves sweet_potato:sweet_potatoes""".split())
VOWEL_SOUND = ("hour", "honest")
CONSONANT_SOUND = ("uni", "use", "one", "euro")


def third(verb: str) -> str:
    if verb in ("have", "do", "go"):
        return {"have": "has", "do": "does", "go": "goes"}[verb]
    if verb.endswith(("s", "sh", "ch", "x", "z")):
        return verb + "es"
    return verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"


def past(verb: str) -> str:
    if verb in PAST:
        return PAST[verb]
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + (verb[-1] if verb in DOUBLED else "") + "ed"


def ing(verb: str) -> str:
    if verb == "lie":
        return "lying"
    if verb.endswith("e") and not verb.endswith(("ee", "be")):
        return verb[:-1] + "ing"
    return verb + (verb[-1] if verb in DOUBLED else "") + "ing"


def plural(noun: str) -> str:
    *before, last = noun.split(" ")
    if last in PLURALS:
        last = PLURALS[last]
    elif last.endswith(("s", "sh", "ch", "x")):
        last += "es"
    elif last.endswith("y") and last[-2] not in "aeiou":
        last = last[:-1] + "ies"
    else:
        last += "s"
    return " ".join([*before, last])


def a(noun: str) -> str:
    vowel = noun[0].lower() in "aeiou" and not noun.startswith(CONSONANT_SOUND) or noun.startswith(VOWEL_SOUND)
    return ("an " if vowel else "a ") + noun


class Who(NamedTuple):
    """A subject: its text, its grammatical person (I, you, we, he) and the possessive that goes with it."""
    text: str
    person: str
    own: str


I, YOU, WE = Who("I", "I", "my"), Who("you", "you", "your"), Who("we", "we", "our")
BE = {"I": "am", "you": "are", "we": "are", "he": "is", "they": "are"}
WAS = {"I": "was", "you": "were", "we": "were", "he": "was", "they": "were"}
SHORT = {"am": "'m", "are": "'re", "is": "'s", "will": "'ll"}
NOT = {"am": "am not", "are": "aren't", "is": "isn't", "was": "wasn't", "were": "weren't", "do": "don't",
       "does": "doesn't", "did": "didn't", "will": "won't", "can": "can't", "could": "couldn't"}
PRONOUNS = ("I", "you", "we", "he", "she", "it", "they", "It", "This", "That")


def auxiliary(tense: str, person: str) -> str:
    if tense in ("progressive", "be"):
        return BE[person]
    if tense in ("was progressive", "was"):
        return WAS[person]
    return {"simple": "does" if person == "he" else "do", "past": "did"}.get(tense, tense)


def main_verb(tense: str, verb: str) -> str:
    return ing(verb) if "progressive" in tense else "" if tense in ("be", "was") else verb


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def statement(who: Who, tense: str, phrase: str, negative: bool = False, often: str = "") -> str:
    """`phrase` begins with the base of the verb (there is none for `be` and `was`); `often` stands before the verb."""
    verb, _, rest = phrase.partition(" ") if tense not in ("be", "was") else ("", "", phrase)
    helper = auxiliary(tense, who.person)
    if negative:
        begin = f"{who.text}'m not" if helper == "am" else f"{who.text} {NOT[helper]}"
        words = [begin, often, main_verb(tense, verb), rest]
    elif tense == "simple":
        words = [who.text, often, third(verb) if who.person == "he" else verb, rest]
    elif tense == "past":
        words = [who.text, often, past(verb), rest]
    else:
        short = who.text in PRONOUNS and helper in SHORT
        words = [who.text + (SHORT[helper] if short else f" {helper}"), often, main_verb(tense, verb), rest]
    return capital(" ".join(filter(None, words)))


def question(who: Who, tense: str, phrase: str, negative: bool = False, asked: str = "", often: str = "") -> str:
    """`asked`: What, Where …, of anything but the subject."""
    verb, _, rest = phrase.partition(" ") if tense not in ("be", "was") else ("", "", phrase)
    helper = auxiliary(tense, who.person)
    if negative:
        helper = "aren't" if helper == "am" else NOT[helper]
    return capital(" ".join(filter(None, [asked, helper, who.text, often, main_verb(tense, verb), rest])))


def who_question(tense: str, phrase: str, negative: bool = False, asked: str = "Who") -> str:
    return statement(Who(asked, "he", "the"), tense, phrase, negative)
