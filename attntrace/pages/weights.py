"""The summary of a weights file, or of a state_dict of another library."""
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from attntrace.files.torch import LISTED_BESIDE, Recognized, State, module_of, read_state, recognized, sizes_of, some
from attntrace.files.weights import Loaded, load, located
from attntrace.messages.catalog import EXAMPLE, Joined, Message, Text, alternatives
from attntrace.messages.errors import Problem
from attntrace.messages.unicode import shown
from attntrace.model.config import divisors
from attntrace.model.parameters import Vocabularies, specs
from attntrace.model.pieces import is_later
from attntrace.pages.blocks import Block, Prose, Table, Title, try_next
from attntrace.pages.overview import depth, model_lines, notes, parameter_table


def weights_summary(file: str, quoted: Callable[[str], str]) -> Iterator[Block]:
    """Summarise a weights file or a state_dict. Raises Problem where it is neither. `quoted`: how a word is typed."""
    path = located(file)
    try:
        state = None if path.suffix.lower() == ".json" else read_state(path)
    except Problem as problem:
        if problem.key == "state_ending":
            raise Problem("nothing_known", file=str(path), endings=problem.facts["endings"]) from None
        if problem.key not in ("state_is_own", "weights_missing"):  # which `load` says better
            raise
        state = None
    if state is not None:
        yield from state_summary(state)
        return
    model = load(path)
    yield from model_summary(file, model)
    predicts = model.config.architecture.predicts
    if read := model.vocabularies.source or predicts and model.vocabularies.target:
        known = [sentence for sentence in EXAMPLE if set(sentence.split()) <= {*read}]
        some = known or [word for word in reversed(read) if not is_later(word)] or [read[-1]]
        again = f"{quoted(some[0])} --weights {quoted(file)}"
        yield from try_next([*([f"translate {again}"] if model.vocabularies.target and not predicts else []),
                             f"map {again}",
                             " ".join(("weights", "info", quoted(file), "--words"))])
    else:
        yield Prose(next_with_rows(model, file), apart=True)


def next_with_rows(model: Loaded, file: str) -> Message:
    """How a model without words is run."""
    kind = ("memory" if model.vocabularies.source is None else
            "decoder" if model.vocabularies.target is not None else "")
    return Message(f"messages.import_next{'_' * bool(kind)}{kind}", file=shown(file))


def model_summary(file: str, model: Loaded) -> Iterator[Block]:
    config, vocabularies, parameters = model
    yield Title(Message("messages.info_weights", file=Path(file).name), has_result=False)
    lines: list[Text] = [*model_lines(config, vocabularies), words_line(vocabularies)]
    optional = [spec.name in parameters.by_name for spec in specs(config, vocabularies)
                if spec.optional and spec.name != "output.b"]
    which = "all" if all(optional) else "some" if any(optional) else "none"
    biases = Message(f"messages.info_{which}", some=sum(optional), all=len(optional))
    lines.append(Joined(", ", [Message("messages.info_biases", which=biases), config.dtype]))
    yield Prose(Joined("\n", lines))
    yield parameter_table(config, vocabularies, parameters.vector.size)


def vocabularies_of(file: str) -> dict[str, tuple[str, ...]]:
    """Return the words of a weights file in the order of their ids, by side: `source`, `target`."""
    known = {side: words for side, words in load(located(file)).vocabularies._asdict().items() if words}
    if not known:
        raise Problem("no_vocabularies", file=file)
    return known


def word_tables(vocabularies: Mapping[str, Sequence[str]], fitting: Callable[[str], int]) -> Iterator[Block]:
    """All words of each side, sorted, in columns: as many as are `fitting` of each word."""
    for side, known in vocabularies.items():
        count = max(1, min(map(fitting, known)))
        height = -(-len(known) // count)
        down = [sorted(known)[start:start + height] for start in range(0, len(known), height)]
        yield Table(("",) * len(down), tuple(zip_longest(*down, fillvalue="")), words=tuple(range(len(down))),
                    title=Message("messages.words_of", side=Message(f"messages.side_{side}"), size=f"{len(known):,}"),
                    apart=side == "target")


def words_line(vocabularies: Vocabularies) -> Message:
    if not any(vocabularies):
        return Message("messages.info_no_words")
    source, target = (len(words or ()) for words in vocabularies)
    return Message("messages.info_words" if target and source else "messages.info_target" if target else
                   "messages.info_source", source=f"{source:,}",
                   target=f"{target:,}")


def state_summary(state: State) -> Iterator[Block]:
    found = recognized(state)
    yield Title(Message("messages.info_state", file=Path(state.file).name), has_result=False)
    lines: list[Text] = [Message("messages.info_like", module=module_of(found.config))]
    if found.missing:
        lines.append(Message("messages.info_lacks", count=len(found.missing), names=some(found.missing)))
    else:
        lines.append(facts_line(state, found))
        key = "info_not_there_attention" if found.config.architecture.is_attention else "info_not_there"
        lines.append(Message(f"messages.{key}", divisors=alternatives(divisors(sizes_of(state, found)["d_model"]))))
    if found.unplaced:
        lines.append(Message("messages.info_unplaced", count=len(found.unplaced), names=some(found.unplaced)))
    lines += beside_lines(found)
    if found.rivals:
        lines.append(Message("messages.info_several", prefixes=some(rival.prefix for rival in found.rivals)))
    if not found.missing and not found.unplaced:
        lines.append(Message("messages.info_complete"))
    yield Prose(Joined("\n", lines))


def beside_lines(found: Recognized) -> Iterator[Message]:
    """Where the module is in a state_dict, what is left out, and which biases are not there."""
    for key, names in {"state_prefix": (found.prefix,) * bool(found.prefix), "state_beside": found.beside,
                       "state_left_out": found.whole, "state_no_biases": found.no_biases * found.biases}.items():
        if names:
            yield Message(f"messages.{key}", names=some(names, LISTED_BESIDE))


def facts_line(state: State, module: Recognized) -> Joined:
    """`d_model 12, d_ff 20, layers N = 2, final norm, biases, float64, 1,234 numbers`."""
    sizes = [Message("messages.of_size", name=name, size=size) for name, size in sizes_of(state, module).items()]
    config = module.config
    layers = [] if config.architecture.is_attention else [Message("messages.of_layers", layers=depth(config))]
    return Joined(", ", [*sizes, *layers, *notes(config, "final_norm"),
                         Message("messages.with_biases" if module.biases else "messages.without_biases"),
                         ", ".join(sorted(module.dtypes)),
                         Message("messages.of_numbers", numbers=f"{module.numbers:,}")])
