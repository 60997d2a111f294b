"""The catalogue of slips: the mistakes that people make when they compute or program a transformer themselves.

A slip is a small change of a subject, a run or a training step: of its config, of its parameters, of its labels, or of
what is named at some steps, computed from the same operands by other ops. The result is a subject like any other: its
steps, expressions and pages are true of what it computes. `SLIPS` lists all; `SLIPS[0](subject)` makes one."""
from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from attntrace.messages.catalog import Message
from attntrace.messages.errors import Problem
from attntrace.model.config import ENTRIES, Config
from attntrace.model.parameters import Parameters, specs
from attntrace.model.tokens import Words
from attntrace.model.transformer import ACTIVATIONS, concat_name, linear, project
from attntrace.ops.elementwise import add_all
from attntrace.ops.functions import identity, mean, softmax, sqrt, square
from attntrace.ops.indexing import concat, slice_columns
from attntrace.ops.shape import ReduceSum, broadcast_to
from attntrace.runs.run import Run, Subject
from attntrace.runs.training_step import TrainingStep
from attntrace.tensor.axes import AxisError
from attntrace.tensor.symbol import Symbol
from attntrace.tensor.tensor import Array, Tensor, constant, zeros
from attntrace.tracing.addresses import Address, word_and_number
from attntrace.tracing.trace import Step

Make = Callable[[Subject], Subject | None]
OF_NORM = ("mean", "variance", "normalized", "norm")


class Slip(NamedTuple):
    """A slip: the key of its sentence (`slips.NAME`), and what it is of where there are several, such as `b_Q`.

    Calling it returns the subject with the slip; None where the subject has nothing that it could change. Whether its
    numbers differ, and where first, is found by running both: see `first_step`."""
    name: str
    make: Make
    what: str = ""

    def __call__(self, subject: Subject) -> Subject | None:
        try:
            return self.make(subject)
        except Problem:  # a config that cannot be
            return None

    @property
    def id(self) -> str:
        """Its name, and what it is of: `no_bias:b_Q`."""
        return f"{self.name}:{self.what}" if self.what else self.name

    @property
    def message(self) -> Message:
        """A sentence about it."""
        return Message(f"slips.{self.name}", what=self.what)


def of_run(subject: Subject, run: Run) -> Subject:
    """The subject with another run in place of its own."""
    return run if isinstance(subject, Run) else subject._replace(run=run) if isinstance(subject, TrainingStep) else (
        subject)


def steps_of(subject: Subject) -> dict[str, Step]:
    """Run a subject and return its steps by address, up to the first whose numbers overflow or whose operands do not
    fit, which a slip may cause."""
    steps: dict[str, Step] = {}
    try:
        subject(lambda step: steps.__setitem__(step.address, step))
    except (AxisError, Problem, ValueError):
        pass
    return steps


def first_step(subject: Subject, slip: Slip, tolerance: float = 1e-9) -> str | None:
    """The address of the first step, in the order of the subject, that a slip changes by more than the tolerance; None
    where it changes none."""
    changed = slip(subject)
    if changed is None:
        return None
    right, wrong = steps_of(subject), steps_of(changed)
    return next((address for address in right if address in wrong and differs(
        right[address].value, wrong[address].value, tolerance)), None)


def differs(one: Array, other: Array, tolerance: float) -> bool:
    return one.shape != other.shape or not np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True)


# Slips in the wiring.

def rewired(**values: Any) -> Make:
    """The change of some entries of the config; a value may be a function of the config. Norms that the model lacks get
    gains of 1 and biases of 0, without which they would not be noticed."""
    def make(subject: Subject) -> Subject | None:
        run = subject.run
        config = run.config.replace(**{
            name: value(run.config) if callable(value) else value for name, value in values.items()})
        if config == run.config or config.architecture.is_attention and not all(
                ENTRIES[name].of_attention for name in values):
            return None
        lacking = {spec.name: Tensor(np.full(spec.shape, Address.of(spec.name).name == "gain", config.dtype), spec.axes,
                                     Symbol.of(spec.symbol), spec.name)
                   for spec in specs(config, run.vocabularies)
                   if not spec.optional and spec.name not in run.parameters.by_name}
        return using(of_run(subject, run._replace(config=config)), lambda tensors: lacking | tensors)
    return make


def using(subject: Subject, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Subject:
    """The subject whose model reads other tensors as its parameters: what `change` makes of them by name."""
    run = subject.run

    def use(parameters: Parameters) -> Parameters:
        return Parameters(change(dict(run.use(parameters).by_name)), parameters.vector)
    return of_run(subject, run._replace(use=use))


def only_if(condition: Callable[[Config], bool], make: Make) -> Make:
    return lambda subject: make(subject) if condition(subject.run.config) else None


# Slips in the use of parameters.

def with_parameters(of: str, other: Callable[[Tensor, Callable[[str], Tensor | None], Config], Tensor | None]) -> Make:
    """The change of all parameters whose name is one of these (several: `W_Q W_K`): to what `other` makes of one, of
    those at its place by name, and of the config. None: the model does without."""
    names = of.split()

    def changed(tensors: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
        result = dict(tensors)
        for name, tensor in tensors.items():
            address = Address.of(name)
            if address.name in names or address.last(2) in names:
                own = other(tensor, lambda one: tensors.get(f"{address.place}.{one}"), config)
                if own is None:
                    del result[name]
                else:
                    result[name] = own
        return result

    def make(subject: Subject) -> Subject | None:
        tensors, config = dict(subject.run.parameters.by_name), subject.run.config
        if (result := changed(tensors, config)).keys() == tensors.keys() and all(
                result[name] is tensor for name, tensor in tensors.items()):
            return None
        return using(subject, lambda tensors: changed(tensors, config))
    return make


def transposed(W: Tensor, beside: object, config: Config) -> Tensor:
    """Wᵀ, with the axes of W; W where it is not square."""
    rows, columns = W.value.shape
    return Tensor(W.value.T, W.axes, W.symbol and W.symbol.transpose()) if rows == columns else W


def neutral(tensor: Tensor, beside: object, config: Config) -> Tensor | None:
    """What stands for a parameter that is forgotten: nothing; where the model needs one, 0 or a gain of 1."""
    name = Address.of(tensor.address or "").name
    if name in ("b_1", "b_2", "bias"):
        return zeros(tensor.axes, tensor.value.dtype)
    return constant(np.ones(tensor.value.shape), "1", tensor.axes, tensor.value.dtype) if name == "gain" else None


def copy_of(name: str) -> Callable[..., Tensor]:
    """The parameter of this name in place of another, where it has the same shape."""
    def other(tensor: Tensor, beside: Callable[[str], Tensor | None], config: Config) -> Tensor:
        copied = beside(name)
        return copied if copied is not None and copied.value.shape == tensor.value.shape else tensor
    return other


def every_hth(tensor: Tensor, beside: object, config: Config) -> Tensor:
    """The columns in the order in which head i takes every h-th one, beginning with the i-th."""
    heads, axis = config.heads, tensor.axes[-1]
    order = [n for first in range(heads) for n in range(first + 1, axis.size + 1, heads)]
    return tensor if heads == 1 else concat([slice_columns(tensor, n, n, axis.name) for n in order], axis.name)


# Slips at steps: rules, by the kind of step that they apply to.

class Naming(NamedTuple):
    """A tensor that is about to be named: what a rule is given. `leaves`: the tensors it was computed from, in order;
    `seen`: what rules of the same slip remember from earlier steps."""
    address: Address
    tensor: Tensor
    leaves: tuple[Tensor, ...]
    run: Run
    seen: dict[str, Any]

    @property
    def place(self) -> str:
        """Of the step, without its head."""
        place = Address.of(self.address.forward).place
        return place.rpartition(".")[0] if word_and_number(place.rpartition(".")[2])[0] == "head" else place

    @property
    def head(self) -> int:
        return self.address.number("head") or 1

    @property
    def config(self) -> Config:
        return self.run.config

    @property
    def parameters(self) -> Parameters:
        """Those of its place."""
        return self.run.use(self.run.parameters).at(self.place)

    @property
    def tokens(self) -> Tensor:
        """How many tokens there are."""
        return constant(self.leaves[0].axes[0].size, dtype=self.config.dtype)

    def number(self, value: float, symbol: str | None = None) -> Tensor:
        return constant(value, symbol, dtype=self.config.dtype)

    def array(self, value: Array, symbol: str) -> Tensor:
        """Numbers that no op computes, with the axes of the step."""
        return Tensor(value.astype(self.config.dtype), self.tensor.axes, Symbol.of(symbol))

    def projected(self, letter: str, X: Tensor) -> Tensor:
        """Queries, keys or values of its head from other rows."""
        return project(X, letter, self.head, self.parameters, self.config)


Rule = Callable[[Naming], Tensor | None]


def kind_of(address: Address) -> str:
    """The kind of a step, by which rules are found: `head.scores`, `attention.output`, `norm.mean`, `stack.input`;
    of a gradient `gradient head.scores`, of an update `update m`."""
    if address.phase == "update":
        return f"update {address.name}"
    forward = Address.of(address.forward)
    word = word_and_number(forward.parts[-2])[0] if len(forward.parts) > 1 else ""
    if word.endswith("attention"):
        word = "attention"
    if word in ("encoder", "decoder"):
        word = "stack"
    if forward.name in OF_NORM and word != "loss":
        word = "norm"
    return f"{'gradient ' * (address.phase == 'gradient')}{word}.{forward.name}"


def at_steps(rules: Mapping[str, Rule]) -> Make:
    """The change of what is named at steps of these kinds (of several: `head.key head.value`): to what a rule returns,
    unless that is None."""
    by_kind = {kind: rule for kinds, rule in rules.items() for kind in kinds.split(", ")}

    def make(subject: Subject) -> Subject | None:
        run, seen = subject.run, dict[str, Any]()

        def change(address: str, tensor: Tensor) -> Tensor:
            parts = Address.of(address)
            rule = by_kind.get(kind_of(parts)) or by_kind.get(f"{parts.phase} any") if not parts.is_partial else None
            if run.change is not None:
                tensor = run.change(address, tensor)
            other = rule(Naming(parts, tensor, tuple(tensor.leaves()), run, seen)) if rule else None
            return tensor if other is None else other
        return of_run(subject, run._replace(change=change))
    return make


# Rules of attention.

def mask_of(here: Naming) -> tuple[Tensor, Tensor]:
    """The scaled scores and what is added to them; which a later step may ask for as well."""
    S, mask = here.leaves
    here.seen[f"{here.place}{here.head}"] = S, mask
    return S, mask


def shown(mask: Tensor) -> Tensor:
    """1 where a mask lets a word look, else 0."""
    return constant(np.isfinite(mask.value), "keep", mask.axes, mask.value.dtype)


def hiding(mask: Tensor, hidden: Array) -> Tensor:
    """Another mask, which hides this."""
    return constant(np.where(hidden, -np.inf, 0.0), "mask", mask.axes, mask.value.dtype)


def remember(here: Naming) -> None:
    mask_of(here)


def mask_after_softmax(here: Naming) -> Tensor | None:
    S, mask = here.seen.get(f"{here.place}{here.head}", (None, None))
    return softmax(S) * shown(mask) if S is not None and mask is not None else None


def unmasked(here: Naming) -> Tensor:
    return identity(mask_of(here)[0])


def other_mask(hidden: Callable[[Array], Array]) -> Rule:
    """A mask that hides other words: a function of where the right one hides."""
    def rule(here: Naming) -> Tensor | None:
        S, mask = mask_of(here)
        other = hidden(np.isneginf(mask.value))
        return S + hiding(mask, other) if other.shape == mask.value.shape else None
    return rule


def over_queries(here: Naming) -> Tensor:
    (S,) = here.leaves
    return softmax(S.T).T


def transposed_scores(here: Naming) -> Tensor | None:
    Q, K = here.leaves
    return K @ Q.T if Q.axes == K.axes else None


def transposed_weights(here: Naming) -> Tensor | None:
    A, V = here.leaves
    return A.T @ V if A.axes[0].size == A.axes[1].size else None


def remember_rows(here: Naming) -> None:
    """Remember the rows that queries (or the hidden layer) of a sub-layer come from."""
    here.seen[here.place] = here.leaves[0]


def from_queries(here: Naming) -> Tensor | None:
    if not here.place.endswith("cross_attention"):
        return None
    return here.projected("K" if here.address.name == "key" else "V", here.seen[here.place])


def remember_layer(here: Naming) -> None:
    """Remember what layers of the encoder start from."""
    address = Address.of(here.address.forward)
    layer = address.number("layer") or 0
    if address.stack == "encoder" and layer > 1 and address.sub_layer == "self_attention":
        here.seen[f"encoder.layer{layer - 1}"] = here.leaves[0]


def from_same_layer(here: Naming) -> Tensor | None:
    rows = here.seen.get(f"encoder.layer{here.address.number('layer')}")
    if rows is None or not here.place.endswith("cross_attention"):
        return None
    return here.projected("K" if here.address.name == "key" else "V", rows)


def split_by_rows(here: Naming) -> Tensor | None:
    """A reshape to head × token × d_k of what is token × d_model: the numbers of a head come from some tokens only."""
    letter = here.address.name[0].upper()
    own = here.parameters
    every = linear(here.leaves[0], own[f"W_{letter}"], own.get(f"b_{letter}")).value
    return here.array(every.reshape(here.config.heads, *here.tensor.value.shape)[here.head - 1],
                      letter) if here.config.heads > 1 else None


def joined_by_rows(here: Naming) -> Tensor | None:
    """A reshape of head × token × d_v to token × d_model without a transpose before it."""
    every = np.stack([leaf.value for leaf in here.leaves])
    return here.array(every.reshape(here.tensor.value.shape), "Z") if len(here.leaves) > 1 else None


def joined_in_turn(here: Naming) -> Tensor:
    """The first column of each head, the second of each, and so on."""
    name = concat_name(here.config)
    return concat([slice_columns(leaf, n, n, name) for n in range(1, here.leaves[0].axes[-1].size + 1)
                   for leaf in here.leaves], name)


def reversed_heads(here: Naming) -> Tensor:
    return concat(list(here.leaves[::-1]), concat_name(here.config))


def without_projection(here: Naming) -> Tensor | None:
    C = here.leaves[0]
    if not here.config.output_projection or C.value.shape != here.tensor.value.shape:
        return None
    return identity(Tensor(C.value, here.tensor.axes, C.symbol, C.address))


# Rules of inputs, residual connections, norms, feed-forward layers and the output.

def remember_embedding(here: Naming) -> None:
    here.seen[here.place] = here.leaves[-1]


def scaled_with_positions(here: Naming) -> Tensor | None:
    E, P = here.seen.get(here.place), here.leaves[-1]
    return sqrt(here.number(here.config.d_model, "d_model")) * (E + P) if E is not None and E is not P else None


def positions_twice(here: Naming) -> Tensor | None:
    return here.tensor + here.leaves[-1] if len(here.leaves) == 2 else None


def scaled_by_d_model(here: Naming) -> Tensor:
    return here.number(here.config.d_model, "d_model") * here.leaves[-1]


def scaled_by_inverse(here: Naming) -> Tensor:
    return here.leaves[-1] / sqrt(here.number(here.config.d_model, "d_model"))


def sines_and_cosines_swapped(here: Naming) -> Tensor | None:
    width, P = here.config.d_model, here.tensor
    if width % 2:
        return None
    half = width // 2
    order = ([n + 1 if n % 2 else n - 1 for n in range(1, width + 1)] if here.config.position == "interleaved" else
             [*range(half + 1, width + 1), *range(1, half + 1)])
    return concat([slice_columns(P, n, n, "d_model") for n in order], "d_model")


def exponent(of_column: Callable[[int], int]) -> Rule:
    """Positional encodings whose wavelengths have another exponent: this, divided by d_model, for a column (from 0)."""
    def rule(here: Naming) -> Tensor | None:
        if here.config.position != "interleaved":
            return None
        columns = np.arange(here.config.d_model)
        powers = np.array([of_column(n) for n in columns.tolist()]) / here.config.d_model
        angles: Array = here.leaves[0].value[:, None] / float(here.config.position_base) ** powers
        return here.array(np.where(columns % 2, np.cos(angles), np.sin(angles)), "PE")
    return rule


def from_start_of_layer(here: Naming) -> Tensor | None:
    layer = Address.of(here.place).place
    X, output = here.leaves
    start: Tensor = here.seen.setdefault(layer, X) if not here.place.endswith("self_attention") else X
    here.seen[layer] = start
    return start + output


def onto_normed(here: Naming) -> Tensor | None:
    rows: Tensor | None = here.seen.get(here.place)
    return rows + here.leaves[-1] if rows is not None and here.config.norm == "pre" else None


def without_residual(here: Naming) -> Tensor:
    return identity(here.leaves[-1])


def residual_later(here: Naming) -> Tensor | None:
    here.seen[here.place] = here.leaves[0]
    return without_residual(here) if here.config.norm == "post" else None


def residual_after_norm(here: Naming) -> Tensor | None:
    rows: Tensor | None = here.seen.get(here.place)
    return rows + here.tensor if rows is not None and here.config.norm == "post" else None


def mean_over_tokens(here: Naming) -> Tensor:
    return ReduceSum(0)(here.leaves[0]) / here.tokens


def variance_over_tokens(here: Naming) -> Tensor:
    return ReduceSum(0)(square(here.leaves[0] - here.leaves[1])) / here.tokens


def by_variance(here: Naming) -> Tensor:
    U, mu, var, epsilon = here.leaves
    return (U - mu) / (var + epsilon)


def mean_square(here: Naming) -> Tensor:
    return mean(square(here.leaves[0]))


def not_centred(here: Naming) -> Tensor:
    U, _, var, epsilon = here.leaves
    return U / sqrt(var + epsilon)


def activated_last(here: Naming) -> Tensor:
    return ACTIVATIONS[here.config.activation](here.tensor)


# Rules of training.

def summed_loss(here: Naming) -> Tensor:
    return ReduceSum(0)(here.leaves[0])


def not_divided(here: Naming) -> Tensor:
    return broadcast_to(here.leaves[0], here.tensor.axes)


def gradient_of_right_word_only(here: Naming) -> Tensor:
    """-y instead of p - y."""
    _, y, gradient = here.leaves
    return -y * gradient


def unchanged(here: Naming) -> Tensor:
    """The first operand as it is."""
    return identity(here.leaves[0])


def averaged_bias(here: Naming) -> Tensor | None:
    """The mean over tokens of a bias's gradient, not the sum."""
    name = Address.of(here.address.forward).name
    is_bias = name == "bias" or name.startswith("b_") or name == "b"
    return here.tensor / here.tokens if is_bias and here.leaves[0].axis_names[:1] == ("token",) else None


def diagonal_only(here: Naming) -> Tensor | None:
    """a (1 - a) for each weight, without what it takes from the other weights of its row."""
    if len(here.leaves) < 2:  # the gradient of scores that are masked next
        return None
    A, gradient = here.leaves[:2]
    return A * (here.number(1) - A) * gradient


def parts_without(here: Naming, *ends: str) -> Tensor | None:
    """The sum of the parts of a gradient but for those through steps that end so; None where that is all of them."""
    parts = [leaf for leaf in here.leaves if Address.of(leaf.address or "").is_partial]
    kept = [part for part in parts if Address.of(part.address or "").name not in ends]
    if not kept or len(kept) == len(parts):
        return None
    return identity(kept[0]) if len(kept) == 1 else add_all(kept)


def of_one_word(here: Naming) -> Tensor | None:
    """The gradient of a table in which a word that stands several times has only that of its last place."""
    if Address.of(here.address.forward).name != "E":
        return None
    rows, ids = here.leaves[-2:]
    table = np.zeros(here.tensor.value.shape)
    table[ids.value - 1] = rows.value
    return here.array(table, "E") if rows.value.ndim == 2 and len(set(ids.value.tolist())) < ids.value.size else None


def uphill(here: Naming) -> Tensor:
    old, lr, *rest = here.leaves
    return old + lr * (rest[0] if len(rest) == 1 else rest[0] / (sqrt(rest[1]) + rest[2]))


def without_root(here: Naming) -> Tensor | None:
    old, lr, m, v, epsilon = here.leaves
    return old - lr * (m / (v + epsilon))


def first_moment(here: Naming) -> Tensor:
    beta, v, one, _, slope = here.leaves
    return beta * v + (one - beta) * slope


def training(change: Callable[[TrainingStep], TrainingStep | None]) -> Make:
    """A change of the labels or of the optimizer."""
    return lambda subject: change(subject) if isinstance(subject, TrainingStep) else None


def unshifted(step: TrainingStep) -> TrainingStep | None:
    read = step.run.target
    return step._replace(wanted=read) if isinstance(read, Words) else None


def rated(**values: float) -> Make:
    """Other settings of Adam."""
    return training(lambda step: step._replace(rates=step.rates._replace(**values))
                    if step.optimizer == "adam" and step.rates._asdict() | values != step.rates._asdict() else None)


REMEMBER_MASK: dict[str, Rule] = {"head.masked_scores": remember}
REMEMBER_ROWS: dict[str, Rule] = {"head.query, feed_forward.hidden": remember_rows}
ROOT = "sqrt_d_k"
PARAMETERS = ("W_Q", "W_K", "W_V", "W_O")
BIASES = ("b_Q", "b_K", "b_V", "b_O", "b_1", "b_2", "output.b", "bias", "gain")


def computes_positions(config: Config) -> bool:
    return config.adds_positions and not config.learns_positions


def _slips() -> Iterator[Slip]:
    """All slips, in the order of a forward pass; then those of training."""
    yield Slip("embedding_unscaled", only_if(lambda config: config.scale_embedding, rewired(scale_embedding=False)))
    yield Slip("embedding_scaled", only_if(lambda config: not config.scale_embedding, rewired(scale_embedding=True)))
    yield Slip("embedding_times_d_model", at_steps({"stack.scaled_embedding": scaled_by_d_model}))
    yield Slip("embedding_divided", at_steps({"stack.scaled_embedding": scaled_by_inverse}))
    yield Slip("scaled_with_positions", at_steps({"stack.scaled_embedding": remember_embedding,
                                                  "stack.input": scaled_with_positions}))
    yield Slip("positions_twice", at_steps({"stack.input": positions_twice}))
    yield Slip("positions_missing", only_if(lambda config: config.adds_positions, rewired(position="none")))
    yield Slip("positions_from_one", only_if(computes_positions, rewired(
        position_offset=lambda config: config.position_offset + 1)))
    yield Slip("sine_cosine_swapped", at_steps({"stack.positional_encoding": sines_and_cosines_swapped}))
    for layout in ("interleaved", "halves", "tensor2tensor"):
        yield Slip("positions_as", only_if(computes_positions, rewired(position=layout)), layout)
    yield Slip("exponent_column", at_steps({"stack.positional_encoding": exponent(lambda n: n)}))
    yield Slip("exponent_twice_column", at_steps({"stack.positional_encoding": exponent(lambda n: 2 * n)}))
    for name in PARAMETERS:
        yield Slip("transposed", with_parameters(name, transposed), name)
    for names in ("W_Q W_K W_V", "W_Q W_K W_V W_O", "W_1 W_2", "output.W"):
        yield Slip("transposed", with_parameters(names, transposed), names.replace(" ", ", "))
    for name, copied in (("W_K", "W_Q"), ("W_V", "W_K"), ("W_V", "W_Q")):
        yield Slip("copied", with_parameters(name, copy_of(copied)), f"{copied}, {name}")
    yield Slip("heads_by_rows", at_steps({"head.query, head.key, head.value": split_by_rows}))
    yield Slip("heads_in_turn", with_parameters("W_Q W_K W_V b_Q b_K b_V", every_hth))
    yield Slip("keys_from_decoder", at_steps({"head.query": remember_rows, "head.key, head.value": from_queries}))
    yield Slip("memory_of_same_layer", at_steps({"attention.residual": remember_layer,
                                                 "head.key, head.value": from_same_layer}))
    yield Slip("scores_transposed", at_steps({"head.scores": transposed_scores}))
    yield Slip("scale_missing", rewired(score_scale=1.0))
    yield Slip("scale_d_model", only_if(lambda config: config.score_scale == ROOT and config.key_size != config.d_model,
                                        rewired(score_scale=lambda config: math.sqrt(config.d_model))))
    yield Slip("scale_d_k", only_if(lambda config: config.score_scale == ROOT and config.key_size != 1,
                                    rewired(score_scale=lambda config: float(config.key_size))))
    yield Slip("scale_multiplied", only_if(lambda config: config.score_scale == ROOT and config.key_size != 1,
                                           rewired(score_scale=lambda config: 1 / math.sqrt(config.key_size))))
    yield Slip("scale_heads", only_if(lambda config: config.score_scale == ROOT and config.heads != config.key_size,
                                      rewired(score_scale=lambda config: math.sqrt(config.heads))))
    yield Slip("mask_missing", at_steps({"head.masked_scores": unmasked}))
    yield Slip("mask_everywhere", only_if(lambda config: not config.causal, rewired(causal=True)))
    yield Slip("mask_after_softmax", at_steps(REMEMBER_MASK | {"head.weights": mask_after_softmax}))
    yield Slip("mask_added", at_steps({"head.masked_scores": lambda here: mask_of(here)[0] + shown(mask_of(here)[1])}))
    yield Slip("mask_hidden_added", at_steps({"head.masked_scores": lambda here: mask_of(here)[0] - (
        shown(mask_of(here)[1]) - here.number(1))}))
    yield Slip("mask_multiplied", at_steps({
        "head.masked_scores": lambda here: mask_of(here)[0] * shown(mask_of(here)[1])}))
    yield Slip("mask_flipped", at_steps({"head.masked_scores": other_mask(lambda hidden: hidden.T)}))
    yield Slip("mask_inverted", at_steps({"head.masked_scores": other_mask(lambda hidden: ~hidden)}))
    yield Slip("mask_diagonal", at_steps({"head.masked_scores": other_mask(
        lambda hidden: hidden | (np.eye(*hidden.shape) > 0))}))
    yield Slip("mask_one_less", at_steps({"head.masked_scores": other_mask(
        lambda hidden: np.triu(hidden, 2) if hidden.any() else hidden)}))
    yield Slip("softmax_axis", at_steps({"head.weights": over_queries}))
    yield Slip("weights_transposed", at_steps({"head.output": transposed_weights}))
    yield Slip("heads_reversed", at_steps({"attention.concat": reversed_heads}))
    yield Slip("concat_by_rows", at_steps({"attention.concat": joined_by_rows}))
    yield Slip("concat_in_turn", at_steps({"attention.concat": joined_in_turn}))
    yield Slip("projection_missing", at_steps({"attention.output": without_projection}))
    for name in BIASES:
        yield Slip("forgotten", with_parameters(name, neutral), name)
    for names in ("b_Q b_K b_V", "b_Q b_K b_V b_O", "b_1 b_2", "gain bias", "b_Q b_K b_V b_O b_1 b_2 output.b"):
        yield Slip("forgotten", with_parameters(names, neutral), names.replace(" ", ", "))
    yield Slip("residual_missing", at_steps({"attention.residual, feed_forward.residual": without_residual}))
    yield Slip("residual_of_layer", at_steps({"attention.residual, feed_forward.residual": from_start_of_layer}))
    yield Slip("residual_of_normed", at_steps(
        REMEMBER_ROWS | {"attention.residual, feed_forward.residual": onto_normed}))
    yield Slip("residual_after_norm", at_steps({"attention.residual, feed_forward.residual": residual_later,
                                                "norm.norm": residual_after_norm}))
    yield Slip("norm_before", only_if(lambda config: config.norm == "post", rewired(norm="pre")))
    yield Slip("norm_after", only_if(lambda config: config.norm == "pre", rewired(norm="post")))
    yield Slip("norm_missing", only_if(lambda config: config.norm != "none", rewired(norm="none")))
    yield Slip("final_norm_extra", only_if(lambda config: not config.final_norm, rewired(final_norm=True)))
    yield Slip("final_norm_missing", only_if(lambda config: config.final_norm, rewired(final_norm=False)))
    yield Slip("variance_of_sample", only_if(lambda config: config.has_norms, rewired(norm_variance="sample")))
    yield Slip("variance_of_population", only_if(lambda config: config.has_norms, rewired(norm_variance="population")))
    yield Slip("epsilon_outside", only_if(lambda config: config.has_norms, rewired(norm_epsilon="outside")))
    yield Slip("epsilon_inside", only_if(lambda config: config.has_norms, rewired(norm_epsilon="inside")))
    for epsilon in (1e-3, 1e-5, 1e-6, 1e-12):
        yield Slip("epsilon", only_if(lambda config: config.has_norms, rewired(epsilon=epsilon)), f"{epsilon:g}")
    yield Slip("epsilon_missing", only_if(lambda config: config.has_norms, rewired(
        epsilon=lambda config: sys.float_info.min if config.dtype == "float64" else 2.0**-126)))
    yield Slip("norm_over_tokens", at_steps({"norm.mean": mean_over_tokens, "norm.variance": variance_over_tokens}))
    yield Slip("norm_by_variance", at_steps({"norm.normalized": by_variance}))
    yield Slip("norm_not_centred", at_steps({"norm.variance": mean_square, "norm.normalized": not_centred}))
    yield Slip("activation_missing", at_steps({"feed_forward.activation": unchanged}))
    for word in ENTRIES["activation"].words:
        yield Slip("activation_is", only_if(lambda config: config.feed_forward and not config.architecture.is_attention,
                                            rewired(activation=word)), word)
    yield Slip("activation_last", at_steps({"feed_forward.output": activated_last}))
    yield Slip("softmax_axis_of_logits", at_steps({"output.probabilities": over_queries}))
    yield Slip("labels_not_shifted", training(unshifted))
    yield Slip("smoothing_missing", training(lambda step: step._replace(smoothing=0.0) if step.smoothing else None))
    for over in ("all", "others", "words"):
        yield Slip("smoothing_over", training(lambda step, over=over: step._replace(over=over)  # type: ignore[misc]
                                              if step.smoothing and step.over != over else None), over)
    yield Slip("loss_summed", at_steps({"loss.mean": summed_loss}))
    yield Slip("gradient_not_divided", at_steps({"gradient loss.per_token": not_divided}))
    yield Slip("gradient_of_right_word", at_steps({"gradient output.logits": gradient_of_right_word_only}))
    yield Slip("gradient_sign", at_steps({"gradient output.logits": lambda here: -here.tensor}))
    yield Slip("gradient_of_activation", at_steps({"gradient feed_forward.hidden": unchanged}))
    yield Slip("gradient_of_softmax", at_steps({
        "gradient head.scaled_scores, gradient head.masked_scores": diagonal_only}))
    yield Slip("gradient_unscaled", at_steps({"gradient head.scores": unchanged}))
    yield Slip("gradient_of_embedding", at_steps({"gradient stack.embedding": lambda here: identity(here.leaves[-1])}))
    yield Slip("gradient_without_residual", at_steps({"gradient any": lambda here: parts_without(here, "residual")}))
    yield Slip("gradient_of_norm", at_steps({"gradient any": lambda here: parts_without(here, "mean", "variance")}))
    yield Slip("gradient_of_bias", at_steps({"gradient any": averaged_bias}))
    yield Slip("gradient_of_one_word", at_steps({"gradient any": of_one_word}))
    yield Slip("adam_uncorrected", at_steps({"update m_hat, update v_hat": unchanged}))
    yield Slip("adam_without_root", at_steps({"update new": without_root}))
    yield Slip("adam_not_squared", at_steps({"update v": first_moment}))
    yield Slip("adam_beta2", rated(beta2=0.999))
    yield Slip("adam_beta1", rated(beta1=0.98, beta2=0.9))
    yield Slip("update_uphill", at_steps({"update new": uphill}))


SLIPS = tuple(_slips())
COMMON = frozenset(  # slips whose pairs are tried first
    "embedding_unscaled positions_missing positions_from_one scale_missing scale_d_model softmax_axis heads_by_rows "
    "mask_missing mask_diagonal mask_flipped mask_after_softmax projection_missing residual_missing norm_before "
    "norm_missing final_norm_extra final_norm_missing variance_of_sample epsilon_outside activation_missing "
    "activation_is forgotten transposed keys_from_decoder loss_summed labels_not_shifted adam_uncorrected".split())
