"""Finding topics of `explain`: by a step, and by what a reader calls them."""
import re
import unicodedata
from functools import cache

from attntrace.messages.catalog import LANGUAGES, ends, template
from attntrace.messages.nearest import stems
from attntrace.model.config import Config
from attntrace.pages.topic_table import TOPICS
from attntrace.tracing.addresses import Address


@cache
def topics_by_kind() -> dict[str, str]:
    return {kind: name for name, topic in TOPICS.items() for kind in (name, *topic.also)}


@cache
def kind_of(address: str) -> str:
    """An address without layers and heads: `decoder.self_attention.scores`; `head.output`, since other steps are called
    output as well; `gradient.output.W` for any weight matrix."""
    parsed = Address.of(address)
    if parsed.is_partial:
        return "gradient.from"
    words = list(parsed.words)
    if parsed.last(2) == f"head{parsed.number('head')}.output":
        words.insert(-1, "head")
    return re.sub(r"(?<=\b[Wb])_\w$", "", ".".join(words))


@cache
def topic_of(address: str) -> str | None:
    """The topic that explains a step: the most specific one."""
    kind = kind_of(address)
    first, *rest = words = list(Address.of(kind).words)
    kinds = [*(f"{first}.{end}" for end in ends(rest)), first] if Address.of(kind).is_of_training else ends(words)
    return next((topics_by_kind()[kind] for kind in kinds if kind in topics_by_kind()), None)


def topic_in(address: str, config: Config) -> str | None:
    """The topic that explains a step of a model with this config."""
    name = topic_of(address)
    for entry, by_value in TOPICS[name].variants.items() if name else ():
        name = by_value.get(getattr(config, entry), name)
    return name


@cache
def by_any_name() -> dict[str, str]:
    """Topics by their name, and by their title and their other names in each language."""
    names = {simple(name): name for name in TOPICS}
    for language in LANGUAGES:
        for name in TOPICS:
            names.setdefault(simple(template(language, f"explain.{name}.title")), name)
            for alias in template(language, f"aliases.{name}").split(", "):
                names.setdefault(simple(alias), name)
    names.pop("", None)  # of a topic without other names
    return names


def topic_called(text: str) -> str | None:
    """The topic of a name as people write it: with another name in brackets, `셀프 어텐션(Self Attention)`; with a final
    particle, in the plural, or as a function, `softmax 함수란`."""
    whole, _, inside = text.partition("(")
    asked = (stems(simple(name)) for name in (whole, inside.rstrip(")")))
    return next((by_any_name()[name] for names in asked for name in names if name in by_any_name()), None)


def simple(text: str) -> str:
    """A name as it is compared: `Layer norm`, `layer-norm` and `layer_norm` are `layernorm`, `값(value)` is `값`, and
    `W^Q` is `wq`. In NFC, whatever was typed; wide letters are usual ones."""
    return re.sub(r"[\s_^?-]+", "", unicodedata.normalize("NFKC", text).partition("(")[0].casefold())
