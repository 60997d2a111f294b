"""The picture of a model, made from the wiring in use: its stacks side by side, as in figure 1 of the paper."""
from collections.abc import Iterator
from fnmatch import fnmatchcase

from attntrace.messages.catalog import Message
from attntrace.model.config import SUB_LAYERS, Config
from attntrace.model.tokens import MEMORY, START, InputRows, Words
from attntrace.model.transformer import STREAMS
from attntrace.pages.blocks import Architecture, Box
from attntrace.runs.run import BACKPROP, TRANSLATE, Subject
from attntrace.tracing.addresses import Address


def architecture(subject: Subject, here: str = "", beside: bool = False) -> Architecture:
    """The model of a subject; `here`: an address whose box is marked; `beside`: the page is about something else."""
    run = subject.run
    stacks = [tuple(stack("encoder", run.source, run.config))]
    if run.target is not None or subject.kind == TRANSLATE:
        decoder = [*stack("decoder", run.target, run.config)]
        if run.vocabularies.target:
            linear = "linear" if run.config.shared_embeddings == "none" else "linear_shared"
            decoder.append(Box((Message(f"titles.picture.{linear}"), "softmax"), ("output",)))
        if subject.kind == BACKPROP:
            decoder.append(Box((Message("titles.loss.mean"),), ("loss",)))
        stacks.append(tuple(decoder))
    return Architecture(tuple(stacks), here, beside)


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
    place = f"{name}.layer{'*' if config.layers > 1 else 1}"
    titles = {kind: Message(f"titles.picture.{kind}") for kind in SUB_LAYERS[name]}
    if name == "decoder":
        titles["self_attention"] = Message("titles.picture.masked_self_attention")
    is_attention = config.architecture.is_attention
    before = ["Norm"] * (config.norm == "pre" and not is_attention)
    after = [] if is_attention else ["Add"] if before else ["Add & Norm"]
    sizes = [f"N = {config.layers}"] * (not is_attention) + [f"h = {config.heads}"]
    return Box((Message(f"titles.place.{name}"), *sizes), (place,), tuple(
        Box((*before, titles[kind], *after), (f"{place}.{kind}",), reads=MEMORY if kind == "cross_attention" else "")
        for kind in SUB_LAYERS[name][:1 if is_attention else None]))


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
