"""Parameters by name: which ones a model has, and their numbers drawn from a seed."""
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.model.config import Config
from attntrace.model.memory import fits, format_bytes, memory
from attntrace.tensor.axes import Axis
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.addresses import Address


class Spec(NamedTuple):
    """A parameter that a model has, or may have: its name, symbol and axes."""
    name: str
    symbol: str
    axes: tuple[Axis, ...]
    optional: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes)


class Vocabularies(NamedTuple):
    """The words of the rows of encoder.E and of decoder.E.

    None: the model lacks that stack. Empty: the stack has no table (nor, for the target, an output layer) and starts
    from given rows."""
    source: tuple[str, ...] | None
    target: tuple[str, ...] | None

    @classmethod
    def without_words(cls, config: Config, decoder: bool = True) -> "Vocabularies":
        """The vocabularies of a model without tables; `decoder`: whether a whole transformer has a decoder."""
        encoder_only = config.part in ("encoder", "encoder_layer", "attention")
        return cls(None if config.part in ("decoder", "decoder_layer") else (),
                   () if decoder and not encoder_only else None)


def specs(config: Config, vocabularies: Vocabularies) -> Iterator[Spec]:
    """Yield every parameter of a model, in the order in which a run reads them."""
    if config.part == "attention":
        yield from _attention("encoder.layer1.self_attention", config)
        return
    if vocabularies.source is not None:
        yield from _stack("encoder", ("self_attention",), config, vocabularies.source)
    if vocabularies.target is not None:
        yield from _stack("decoder", ("self_attention", "cross_attention"), config, vocabularies.target)
    if vocabularies.target:
        vocab = Axis("vocab", len(vocabularies.target), vocabularies.target)
        yield Spec("output.W", "W", (Axis("d_model", config.d_model), vocab))
        yield Spec("output.b", "b", (vocab,), optional=True)


def _attention(own: str, config: Config) -> Iterator[Spec]:
    d_model, d_concat = Axis("d_model", config.d_model), Axis("d_concat", config.heads * config.d_k)
    for letter in "QKV":
        yield Spec(f"{own}.W_{letter}", f"W_{letter}", (d_model, d_concat))
        yield Spec(f"{own}.b_{letter}", f"b_{letter}", (d_concat,), optional=True)
    yield Spec(f"{own}.W_O", "W_O", (d_concat, d_model))
    yield Spec(f"{own}.b_O", "b_O", (d_model,), optional=True)


def _stack(place: str, attentions: tuple[str, ...], config: Config, words: tuple[str, ...]) -> Iterator[Spec]:
    d_model, d_ff = Axis("d_model", config.d_model), Axis("d_ff", config.d_ff)

    def norm(place: str) -> Iterator[Spec]:
        yield Spec(f"{place}.gain", "γ", (d_model,))
        yield Spec(f"{place}.bias", "β", (d_model,))

    if words:
        yield Spec(f"{place}.E", "W_E", (Axis("vocab", len(words), words), d_model))
    for layer in range(1, config.layers + 1):
        for attention in attentions:
            own = f"{place}.layer{layer}.{attention}"
            yield from _attention(own, config)
            yield from norm(own)
        own = f"{place}.layer{layer}.feed_forward"
        yield Spec(f"{own}.W_1", "W_1", (d_model, d_ff))
        yield Spec(f"{own}.b_1", "b_1", (d_ff,))
        yield Spec(f"{own}.W_2", "W_2", (d_ff, d_model))
        yield Spec(f"{own}.b_2", "b_2", (d_model,))
        yield from norm(own)
    if config.final_norm:
        yield from norm(f"{place}.final_norm")


class Count(NamedTuple):
    """One term of the closed form of a number of parameters: what it counts, in symbols, and how many those are."""
    term: str
    number: int


def parameter_counts(config: Config, vocabularies: Vocabularies) -> dict[str, list[Count]]:
    """How many parameters each part has, by the closed form, without the optional biases."""
    d, f, N = config.d_model, config.d_ff, config.layers
    if config.part == "attention":
        return {"attention": [Count("4·d_model²", 4 * d * d)]}

    def stack(V: int, attentions: int) -> list[Count]:
        terms = [*([Count("|V|·d_model", V * d)] if V else []),
                 Count(f"N·{4 * attentions}·d_model²", N * 4 * attentions * d * d),
                 Count("N·2·d_model·d_ff", N * 2 * d * f), Count("N·d_ff", N * f),
                 Count(f"N·{2 * attentions + 3}·d_model", N * (2 * attentions + 3) * d)]
        return terms + ([Count("2·d_model", 2 * d)] if config.final_norm else [])

    parts = {}
    if vocabularies.source is not None:
        parts["encoder"] = stack(len(vocabularies.source), 1)
    if vocabularies.target is not None:
        parts["decoder"] = stack(len(vocabularies.target), 2)
    if vocabularies.target:
        parts["output"] = [Count("d_model·|V|", d * len(vocabularies.target))]
    return parts


def check_memory(config: Config, vocabularies: Vocabularies, tokens: int) -> None:
    """Raise Problem for a model that this machine cannot hold, before any of it is allocated."""
    numbers = sum(count.number for counts in parameter_counts(config, vocabularies).values() for count in counts)
    vocab = max(map(len, filter(None, vocabularies)), default=0)
    largest = tokens * max(tokens, config.d_model, config.d_ff, vocab)
    needed = (numbers + 4 * largest) * (8 if config.dtype == "float64" else 4)
    if not fits(needed):
        raise Problem("too_large", parameters=f"{numbers:,}", needed=format_bytes(needed), there=format_bytes(memory()))


class Parameters:
    """Parameters by name, at a place: `parameters.at("encoder.layer1")["feed_forward.W_1"]`.

    All of them are views of one `vector`, on which an optimiser works."""

    def __init__(self, tensors: Mapping[str, Tensor], vector: Array, place: str = "") -> None:
        self._tensors, self.vector, self._place = tensors, vector, place

    def at(self, place: str) -> "Parameters":
        return Parameters(self._tensors, self.vector, f"{self._place}{place}.")

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[self._place + name]

    def get(self, name: str) -> Tensor | None:
        return self._tensors.get(self._place + name)

    def replaced(self, values: Mapping[str, Array]) -> "Parameters":
        """Return all of them, some with other values, in a new vector."""
        tensors = {name: Tensor(values[name], tensor.axes, tensor.symbol, name) if name in values else tensor
                   for name, tensor in self._tensors.items()}
        return Parameters(tensors, np.concatenate([tensor.value.ravel() for tensor in tensors.values()]))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._tensors)

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
    well: another layer, head or word never changes the other numbers."""
    few = sum(math.prod(spec.shape) for spec in specs(config, vocabularies)) <= FEW

    def uniform(size: int, fan_in: int, *key: str) -> Array:
        raw = stream((seed, *key), size, few)
        return ((raw >> np.uint64(11)) * 2.0 ** -52 - 1.0) * math.sqrt(3.0 / fan_in)

    def fill_words(rows: Array, name: str, words: tuple[str, ...]) -> None:
        for word, row in zip(words, rows, strict=True):
            row[...] = uniform(row.size, config.d_model, name, word)

    def fill_matrix(matrix: Array, name: str) -> None:
        matrix[...] = uniform(matrix.size, len(matrix), name).reshape(matrix.shape)

    return draw(config, vocabularies, fill_words, fill_matrix)


def draw(config: Config, vocabularies: Vocabularies, fill_words: Callable[[Array, str, tuple[str, ...]], None],
         fill_matrix: Callable[[Array, str], None]) -> Parameters:
    """Allocate the parameters that are not optional: gains 1, biases 0; `fill_words(rows, name, words)` fills what
    has a row for each word (the output matrix transposed), `fill_matrix(matrix, name)` all else."""
    def fill(spec: Spec, view: Array) -> None:
        kind, first = Address.of(spec.name).name, spec.axes[0]
        if kind == "gain" or kind.startswith("b"):
            view[...] = kind == "gain"
        elif first.name == "vocab":
            fill_words(view, spec.name, first.labels or ())
        elif spec.axes[1].name == "vocab":
            fill_words(view.T, spec.name, spec.axes[1].labels or ())
        else:
            fill_matrix(view, spec.name)

    return allocate([spec for spec in specs(config, vocabularies) if not spec.optional], config.dtype, fill)


FEW = 2_500  # numbers that Python draws before numpy.random is imported
WORD = 2**64 - 1


def stream(key: tuple[int | str, ...], size: int, few: bool = False) -> Array:
    """Return `size` random 64-bit numbers from the stream of this key: a bit generator's raw output, since NumPy keeps
    only that the same in all versions; `few`: without NumPy's generator, whose import would take longer."""
    digest = hashlib.sha256(json.dumps(key).encode()).digest()
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
