"""Parameters by name: which ones a model has, and their numbers drawn from a seed."""
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from attntrace.model.config import D_MODEL, PER_HEAD, SUB_LAYERS, Config
from attntrace.model.memory import check_fits
from attntrace.model.tokens import vocabulary
from attntrace.tensor.axes import Axis
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.addresses import Address
from attntrace.tracing.trace import sha256

try:  # Python's own: the rest of json is for reading, and takes longer to import than these strings to write
    quoted: Callable[[str], str] = __import__("_json").encode_basestring_ascii
except ImportError:  # a Python that is built without it
    from json.encoder import py_encode_basestring_ascii as quoted


class Spec(NamedTuple):
    """A parameter that a model has, or may have: its name, symbol and axes; `concat`: how the size of the columns of
    all heads is written."""
    name: str
    symbol: str
    axes: tuple[Axis, ...]
    optional: bool = False
    concat: str = "d_model"

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes)

    @property
    def factors(self) -> list[str]:
        """The symbols whose product is the number of its entries."""
        return [{"vocab": "|V|", "d_concat": self.concat}.get(axis.name, axis.name) for axis in self.axes]

    @property
    def term(self) -> str:
        return "d_model²" if self.factors == ["d_model", "d_model"] else "·".join(self.factors)


class Vocabularies(NamedTuple):
    """The words of the rows of encoder.E and of decoder.E.

    None: the model lacks that stack. Empty: the stack has no table (nor, for the target, an output layer) and starts
    from given rows."""
    source: tuple[str, ...] | None
    target: tuple[str, ...] | None

    @classmethod
    def without_words(cls, config: Config, decoder: bool = True) -> "Vocabularies":
        """The vocabularies of a model without tables; `decoder`: whether a whole transformer has a decoder."""
        stacks = config.architecture.stacks
        return cls(() if "encoder" in stacks else None, () if decoder and "decoder" in stacks else None)

    @classmethod
    def of_words(cls, config: Config, source: Sequence[str], target: Sequence[str],
                 decoder: bool = True) -> "Vocabularies":
        """The vocabularies of a model drawn from a seed, which has these words; with one table, they are the same.
        `decoder`: whether there is one."""
        if config.shared_embeddings == "all":
            source = target = [*source, *target]
        return cls(vocabulary(source) if source else (), None if not decoder else vocabulary(target) if target else ())


class Count(NamedTuple):
    """One term of the closed form of a number of parameters: what it counts, in symbols, and how many those are."""
    term: str
    number: int


class Part(NamedTuple):
    """A part of a model, by its parameters: those before its layers, those of each layer (whose names have `{}` for the
    number), and those after them."""
    name: str
    before: tuple[Spec, ...] = ()
    of_layer: tuple[Spec, ...] = ()
    after: tuple[Spec, ...] = ()
    layers: int = 1

    def specs(self) -> Iterator[Spec]:
        """Yield every parameter, in the order in which a run reads them."""
        yield from self.before
        for layer in range(1, self.layers + 1):
            yield from (spec._replace(name=spec.name.format(layer)) for spec in self.of_layer)
        yield from self.after

    def counts(self) -> list[Count]:
        """How many parameters it has, by the closed form, without the optional ones; matrices before vectors."""
        return [*_counts(self.before), *_counts(self.of_layer, "N·", self.layers), *_counts(self.after)]


def _counts(specs: tuple[Spec, ...], repeated: str = "", times: int = 1) -> Iterator[Count]:
    alike: dict[tuple[str, ...], list[Spec]] = {}
    for spec in specs:
        if not spec.optional:
            alike.setdefault(tuple(sorted(spec.factors)), []).append(spec)
    for (first, *more) in sorted(alike.values(), key=lambda specs: (-len(specs[0].axes), specs[0].term)):
        number = f"{1 + len(more)}·" if more else ""
        yield Count(f"{repeated}{number}{first.term}", times * (1 + len(more)) * math.prod(first.shape))


def row_axes(config: Config) -> dict[str, Axis]:
    """The axis of the rows that queries (Q), keys (K) and values (V) come from."""
    names = "d_model", *(name if getattr(config, name) != D_MODEL else "d_model" for name in ("k_dim", "v_dim"))
    return dict(zip("QKV", map(Axis, names, config.widths())))


def _attention(config: Config) -> Iterator[Spec]:
    """The parameters of one attention."""
    rows, d_model = row_axes(config), Axis("d_model", config.d_model)
    for letter, size in zip("QKV", ("d_k", "d_k", "d_v")):
        concat = "d_model" if getattr(config, size) == PER_HEAD else f"h·{size}"
        columns = Axis("d_concat", config.heads * (config.value_size if size == "d_v" else config.key_size))
        yield Spec(f"W_{letter}", f"W_{letter}", (rows[letter], columns), concat=concat)
        yield Spec(f"b_{letter}", f"b_{letter}", (columns,), True, concat)
    if config.output_projection:
        yield Spec("W_O", "W_O", (columns, d_model), concat=concat)
        yield Spec("b_O", "b_O", (d_model,), True)


def parts(config: Config, vocabularies: Vocabularies) -> Iterator[Part]:
    """Describe a model: yield each part of it, in the order in which a run reads their parameters."""
    d_model, d_ff = Axis("d_model", config.d_model), Axis("d_ff", config.d_ff)
    norm = Spec("gain", "γ", (d_model,)), Spec("bias", "β", (d_model,))
    attention = tuple(_attention(config))
    feed_forward = (Spec("W_1", "W_1", (d_model, d_ff)), Spec("b_1", "b_1", (d_ff,)),
                    Spec("W_2", "W_2", (d_ff, d_model)), Spec("b_2", "b_2", (d_model,)))
    if config.architecture.is_attention:
        yield Part("attention", _at(config.architecture.attention, attention))
        return

    def embeddings(place: str, words: tuple[str, ...]) -> Spec:
        return Spec(f"{place}.E", "W_E", (Axis("vocab", len(words), words), d_model))

    sharing = {"none": (), "decoder": ("decoder",), "all": ("encoder", "decoder")}[config.shared_embeddings]
    shared = vocabularies.target or vocabularies.source if "encoder" in sharing else vocabularies.target
    if sharing and shared:
        yield Part("shared", (embeddings("shared", shared),))
    for stack, words in zip(SUB_LAYERS, vocabularies, strict=True):
        if words is not None and stack in config.architecture.stacks:
            layer = (_at(f"{stack}.layer{{}}.{name}", (*(feed_forward if name == "feed_forward" else attention),
                                                       *(norm if config.norm != "none" else ())))
                     for name in config.sub_layers(stack))
            tables = [embeddings(stack, words)] if words and stack not in sharing else []
            if words and config.learns_positions:
                tables.append(Spec(f"{stack}.P", "W_P", (Axis("max_positions", config.max_positions), d_model)))
            yield Part(stack, tuple(tables), tuple(chain.from_iterable(layer)),
                       _at(f"{stack}.final_norm", norm) if config.final_norm else (), config.layers_of(stack))
    if vocabularies.target:
        vocab = Axis("vocab", len(vocabularies.target), vocabularies.target)
        matrix = (Spec("output.W", "W", (d_model, vocab)),) if config.shared_embeddings == "none" else ()
        yield Part("output", (*matrix, Spec("output.b", "b", (vocab,), True)))


def _at(place: str, specs: Iterable[Spec]) -> tuple[Spec, ...]:
    return tuple(spec._replace(name=f"{place}.{spec.name}") for spec in specs)


def specs(config: Config, vocabularies: Vocabularies) -> Iterator[Spec]:
    """Yield every parameter of a model, in the order in which a run reads them."""
    return chain.from_iterable(part.specs() for part in parts(config, vocabularies))


def check_memory(config: Config, vocabularies: Vocabularies, tokens: int) -> None:
    """Raise Problem for a model that this machine cannot hold, before any of it is allocated."""
    numbers = sum(count.number for part in parts(config, vocabularies) for count in part.counts())
    vocab = max(map(len, filter(None, vocabularies)), default=0)
    heads = config.heads * max(config.key_size, config.value_size)
    largest = tokens * max(tokens, config.d_model, config.d_ff, heads, vocab)
    needed = (numbers + 4 * largest) * (8 if config.dtype == "float64" else 4)
    check_fits("too_large", needed, parameters=f"{numbers:,}")


class Parameters:
    """Parameters by name, at a place: `parameters.at("encoder.layer1")["feed_forward.W_1"]`.

    All of them are views of one `vector`, on which an optimiser works."""

    def __init__(self, tensors: Mapping[str, Tensor], vector: Array, place: str = "") -> None:
        self._tensors, self.vector, self._place = tensors, vector, place

    def at(self, place: str) -> "Parameters":
        return Parameters(self._tensors, self.vector, f"{self._place}{place}.")

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[self._place + name]

    @property
    def embeddings(self) -> Tensor:
        """The table of the words at this place: its own E, or the one that it shares with the output layer."""
        return self.get("E") or self._tensors["shared.E"]

    def get(self, name: str) -> Tensor | None:
        return self._tensors.get(self._place + name)

    def replaced(self, values: Mapping[str, Array]) -> "Parameters":
        """Return all of them, some with other values, in a new vector."""
        tensors = {name: Tensor(values[name], tensor.axes, tensor.symbol, name) if name in values else tensor
                   for name, tensor in self._tensors.items()}
        return Parameters(tensors, np.concatenate([tensor.value.ravel() for tensor in tensors.values()]))

    @property
    def by_name(self) -> Mapping[str, Tensor]:
        """All of them by their full names, in the order of the vector."""
        return self._tensors

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._tensors.values())


def allocate(wanted: list[Spec], dtype: str, fill: Callable[[Spec, Array], None]) -> Parameters:
    """Allocate parameters in one vector; `fill(spec, array)` fills each in place."""
    vector = np.empty(sum(math.prod(spec.shape) for spec in wanted), dtype)
    tensors, start = {}, 0
    for spec in wanted:
        size = math.prod(spec.shape)
        view = vector[start:start + size].reshape(spec.shape)
        fill(spec, view)
        tensors[spec.name] = Tensor(view, spec.axes, Symbol.of(spec.symbol), spec.name)
        start += size
    return Parameters(tensors, vector)


def seeded(config: Config, vocabularies: Vocabularies, seed: int) -> Parameters:
    """Draw parameters from a seed: gains 1, biases 0, all else uniform with variance 1 / fan_in (an embedding:
    1 / d_model); attention and output have no biases.

    Each parameter has its own stream, keyed by seed and name; each word's embedding and output column by the word as
    well, each position's row by the position: another layer, head or word never changes the other numbers."""
    few = sum(math.prod(spec.shape) for spec in specs(config, vocabularies)) <= FEW

    def fill(numbers: Array, *key: str) -> None:
        raw = stream((seed, *key), numbers.size, few)
        uniform = ((raw >> np.uint64(11)) * 2.0 ** -52 - 1.0) * math.sqrt(3.0 / len(numbers))
        numbers[...] = uniform.reshape(numbers.shape)

    return draw(config, vocabularies, fill)


def draw(config: Config, vocabularies: Vocabularies, fill_numbers: Callable[..., None]) -> Parameters:
    """Allocate the parameters that are not optional: gains 1, biases 0; `fill_numbers(row, name, word)` fills the
    embedding or the output column of a word or the row of a position, `fill_numbers(matrix, name)` any other matrix."""
    def fill(spec: Spec, view: Array) -> None:
        kind = Address.of(spec.name).name
        if kind == "gain" or kind.startswith("b"):
            view[...] = kind == "gain"
        elif kind in ("E", "P", "W"):
            rows = view.T if kind == "W" else view
            for word, row in zip(spec.axes[kind == "W"].labels or map(str, range(1, len(rows) + 1)), rows, strict=True):
                fill_numbers(row, spec.name, word)
        else:
            fill_numbers(view, spec.name)

    return allocate([spec for spec in specs(config, vocabularies) if not spec.optional], config.dtype, fill)


FEW = 2_500  # numbers that Python draws before numpy.random is imported
WORD = 2**64 - 1


def stream(key: tuple[int | str, ...], size: int, few: bool = False) -> Array:
    """Return `size` random 64-bit numbers from the stream of this key: a bit generator's raw output, since NumPy keeps
    only that the same in all versions; `few`: without NumPy's generator, whose import would take longer."""
    text = ", ".join([str(one) if isinstance(one, int) else quoted(one) for one in key])  # as a list in JSON
    digest = sha256(f"[{text}]".encode()).digest()
    words = np.frombuffer(digest[:16], "<u8").astype(np.uint64)
    if few:
        return np.array([philox(n, *words.tolist()) for n in range(1, size // 4 + 2)], np.uint64).ravel()[:size]
    return np.random.Philox(key=words).random_raw(size)


def philox(counter: int, key0: int, key1: int) -> tuple[int, int, int, int]:
    """Return the four numbers of a block of Philox4x64-10 (Salmon et al. 2011)."""
    a, b, c, d = counter, 0, 0, 0
    for _ in range(10):
        left, right = 0xD2E7470EE14C6C93 * a, 0xCA5A826395121157 * c
        a, b, c, d = right >> 64 ^ b ^ key0, right & WORD, left >> 64 ^ d ^ key1, left & WORD
        key0, key1 = key0 + 0x9E3779B97F4A7C15 & WORD, key1 + 0xBB67AE8584CAA73B & WORD
    return a, b, c, d
