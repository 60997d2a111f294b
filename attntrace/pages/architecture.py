"""The picture of a model, made from the wiring in use: its stacks side by side, as in figure 1 of the paper."""
from collections.abc import Iterator
from fnmatch import fnmatchcase

from attntrace.messages.catalog import Joined, Message, Text
from attntrace.model.config import ENTRIES, Config
from attntrace.model.tokens import KEYS, MEMORY, QUERIES, START, InputRows, Words
from attntrace.model.transformer import STREAMS
from attntrace.pages.blocks import Architecture, Box
from attntrace.runs.run import BACKPROP, TRANSLATE, Run, Subject
from attntrace.tracing.addresses import Address


def architecture(subject: Subject, here: str = "", beside: bool = False) -> Architecture:
    """The model of a subject; `here`: an address whose box is marked; `beside`: the page is about something else."""
    run = subject.run
    if run.config.architecture.is_attention and run.target is not None:
        return Architecture(tuple(attention(run)), here, beside)
    parts = run.config.architecture
    stacks = [[*stack(parts.stacks[0] if parts.predicts else "encoder", run.source, run.config)]]
    if run.target is not None or subject.kind == TRANSLATE:
        stacks.append([*stack("decoder", run.target, run.config)])
    if (len(stacks) > 1 or parts.predicts) and run.vocabularies.target:
        linear = "linear" if run.config.shared_embeddings == "none" else "linear_shared"
        stacks[-1].append(Box((Message(f"titles.picture.{linear}"), "softmax"), ("output",)))
    if subject.kind == BACKPROP:
        stacks[-1].append(Box((Message("titles.loss.mean"),), ("loss",)))
    return Architecture(tuple(map(tuple, stacks)), here, beside)


def attention(run: Run) -> Iterator[tuple[Box, ...]]:
    """The boxes of an attention alone whose keys have rows of their own: those of the keys, and of the queries."""
    assert run.target is not None
    given, place = Message("titles.picture.given"), run.config.architecture.attention
    yield Box(run.source.texts), Box((given,), (KEYS,))
    inner = Box((Message("titles.picture.attention"),), (place,), reads=KEYS)
    yield (Box(run.target.texts), Box((given,), (QUERIES,)),
           Box((Message("titles.place.attention"), f"h = {run.config.heads}"), (place,), (inner,)))


def stack(name: str, begins: Words | InputRows | None, config: Config) -> Iterator[Box]:
    """The boxes of a stack, from its input to its result; a decoder that translates begins with what it has written."""
    yield Box((START, "...") if begins is None else begins.texts)
    given = begins.address if isinstance(begins, InputRows) else ""
    title = "picture.given" if given else "picture.embedding_position" if config.adds_positions else "picture.embedding"
    yield Box((Message(f"titles.{title}"),), (given or f"{name}.input",))
    if given == MEMORY:
        return
    yield layers(name, config)
    if config.architecture.is_attention:
        return
    norm = [f"{name}.final_norm"] if config.final_norm else []
    yield Box((*("Norm" for _ in norm), STREAMS[name][1]), (*norm, f"{name}.output"))


def layers(name: str, config: Config) -> Box:
    """The layers of a stack as one: its sub-layers, with norm and residual as they are wired."""
    place = f"{name}.layer{'*' if config.layers_of(name) > 1 else 1}"
    kinds = config.sub_layers(name)
    titles: dict[str, Text] = {kind: Message(f"titles.picture.{kind}") for kind in kinds}
    if name == "decoder" or config.causal:
        titles["self_attention"] = Message("titles.picture.masked_self_attention")
    if config.activation != ENTRIES["activation"].default and config.feed_forward:
        activation = Message(f"messages.config.activation.{config.activation}")
        titles["feed_forward"] = Joined("", [titles["feed_forward"], " (", activation, ")"])
    is_attention = config.architecture.is_attention
    before = ["Norm"] * (config.norm == "pre" and not is_attention)
    added = [name for name, there in (("Add", config.residual), ("Norm", config.norm == "post")) if there]
    after = [" & ".join(added)] * bool(added and not is_attention)
    sizes = [f"N = {config.layers_of(name)}"] * (not is_attention) + [f"h = {config.heads}"]
    return Box((Message(f"titles.place.{name}"), *sizes), (place,), tuple(
        Box((*before, titles[kind], *after), (f"{place}.{kind}",), reads=MEMORY if kind == "cross_attention" else "")
        for kind in kinds[:1 if is_attention else None]))


def box_at(stacks: tuple[tuple[Box, ...], ...], address: str) -> Box | None:
    """The smallest box to which a step, a parameter or a place belongs, in whichever pass: that of the input of its
    stack where it belongs to no other there; None where there is none."""
    forward = f"{Address.of(address).forward.partition('.from.')[0]}."
    found = None
    for boxes in stacks:
        for box in (inner for outer in boxes[1:] for inner in (outer, *outer.inside)):
            if any(fnmatchcase(forward, f"{start}.*") for start in box.addresses):
                found = box
        if found is None and forward.startswith(f"{Address.of(boxes[1].addresses[0]).stack}."):
            found = boxes[1]
    return found
