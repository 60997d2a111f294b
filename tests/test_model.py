"""The numbers of the model: against a second one, straight from the paper; worked by hand; as facts of the world."""
import itertools
import math

import numpy as np
import pytest
from random_model import SENTENCE, SIZES, TRANSLATION, WIRINGS, Model, depth, random_model

from attntrace import TracedRun, trace
from attntrace.messages.errors import Problem
from attntrace.model.config import ENTRIES, Config
from attntrace.model.parameters import Vocabularies, parts, stream
from attntrace.model.transformer import transformer
from attntrace.runs.prepare import prepare
from attntrace.tracing.trace import Trace

CAT, TAC = "this is a cat", "cat a is this"


ACTIVATIONS = {
    "relu": lambda x: np.where(x > 0, x, 0), "gelu": lambda x: x * np.vectorize(math.erfc)(-x / 2 ** 0.5) / 2,
    "gelu_tanh": lambda x: x / (1 + np.exp(-(8 / np.pi) ** 0.5 * (x + 0.044715 * x ** 3))),
    "silu": lambda x: x * (1 + np.tanh(x / 2)) / 2}


class Paper:
    """The model of Vaswani et al. (2017) in einsum, all heads at once; `steps` are its numbers by their addresses."""

    def __init__(self, model: Model) -> None:
        self.c, self.p, self.steps = model.config, model.parameters, {}

    def named(self, address: str, value: np.ndarray) -> np.ndarray:
        self.steps[address] = value
        return value

    def affine(self, x: np.ndarray, place: str, letter: str) -> np.ndarray:
        return np.einsum("...d,de->...e", x, self.p[f"{place}W{letter}"]) + self.p.get(f"{place}b{letter}", 0)

    def positions(self, count: int) -> np.ndarray:
        P, d, short = np.zeros((count, self.c.d_model)), self.c.d_model, self.c.position == "tensor2tensor"
        sines = d // 2 if short else (d + 1) // 2
        for row, i in itertools.product(range(count), range(sines)):
            scale = self.c.position_base ** (i / max(sines - 1, 1) if short else 2 * i / d)
            angle = (self.c.position_offset + row) / scale
            sine, cosine = (2 * i, 2 * i + 1) if self.c.position == "interleaved" else (i, sines + i)
            P[row, sine] = math.sin(angle)
            if i < d // 2:
                P[row, cosine] = math.cos(angle)
        return P

    def table(self, stack: str) -> np.ndarray:
        return self.p["shared.E" if self.c.shared_embeddings in (stack, "all") else f"{stack}.E"]

    def embedded(self, stack: str, ids: list[int]) -> np.ndarray:
        x = self.named(f"{stack}.embedding", np.stack([self.table(stack)[i] for i in ids]))
        if self.c.scale_embedding:
            x = self.named(f"{stack}.scaled_embedding", x * self.c.d_model ** 0.5)
        if self.c.position == "learned":
            x = x + self.named(f"{stack}.position_embedding", np.stack([
                self.p[f"{stack}.P"][self.c.position_offset + n] for n in range(len(ids))]))
        elif self.c.position != "none":
            x = x + self.named(f"{stack}.positional_encoding", self.positions(len(ids)))
        return self.named(f"{stack}.input", x)

    def norm(self, place: str, x: np.ndarray) -> np.ndarray:
        mean = self.named(f"{place}.mean", np.einsum("nd->n", x) / self.c.d_model)
        away = x - mean[:, None]
        degrees = self.c.d_model - (self.c.norm_variance == "sample")
        variance = self.named(f"{place}.variance", np.einsum("nd,nd->n", away, away) / degrees)
        deviation = (variance ** 0.5 + self.c.epsilon if self.c.norm_epsilon == "outside"
                     else (variance + self.c.epsilon) ** 0.5)
        normalized = self.named(f"{place}.normalized", np.einsum("nd,n->nd", away, 1 / deviation))
        return self.named(f"{place}.norm", normalized * self.p[f"{place}.gain"] + self.p[f"{place}.bias"])

    def attention(self, place: str, x: np.ndarray, memory: np.ndarray, causal: bool) -> np.ndarray:
        h = self.c.heads
        q, k, v = (np.stack(np.split(self.affine(rows, f"{place}.", f"_{letter}"), h, axis=1))
                   for letter, rows in zip("QKV", (x, memory, memory)))
        computed = {"query": q, "key": k, "value": v, "scores": np.einsum("hnd,hmd->hnm", q, k)}
        scale = q.shape[2] ** 0.5 if self.c.score_scale == "sqrt_d_k" else self.c.score_scale
        seen = computed["scaled_scores"] = computed["scores"] / scale
        if causal:
            ahead = np.arange(len(memory))[None, :] > np.arange(len(x))[:, None]
            seen = computed["masked_scores"] = np.where(ahead, -np.inf, seen)
        powers = np.exp(seen)
        a = computed["weights"] = powers / np.einsum("hnm->hn", powers)[:, :, None]
        z = computed["output"] = np.einsum("hnm,hmd->hnd", a, v)
        for n, (name, value) in itertools.product(range(h), computed.items()):
            self.named(f"{place}.head{n + 1}.{name}", value[n])
        if self.c.mean_weights:
            self.named(f"{place}.weights_mean", a.mean(axis=0))
        concat = self.named(f"{place}.concat", np.einsum("hnd->nhd", z).reshape(len(x), -1))
        if not self.c.output_projection:
            return concat
        return self.named(f"{place}.output", self.affine(concat, f"{place}.", "_O"))

    def feed_forward(self, place: str, x: np.ndarray) -> np.ndarray:
        hidden = self.named(f"{place}.hidden", self.affine(x, f"{place}.", "_1"))
        activation = self.named(f"{place}.activation", ACTIVATIONS[self.c.activation](hidden))
        return self.named(f"{place}.output", self.affine(activation, f"{place}.", "_2"))

    def stack(self, stack: str, ids: list[int], memory: np.ndarray | None = None) -> np.ndarray:
        x = self.embedded(stack, ids)
        parts = {"self_attention": lambda place, y: self.attention(place, y, y, memory is not None or self.c.causal),
                 "cross_attention": lambda place, y: self.attention(place, y, memory, False),
                 "feed_forward": self.feed_forward}
        for absent in ["cross_attention"] * (memory is None) + ["feed_forward"] * (not self.c.feed_forward):
            del parts[absent]
        for layer, part in itertools.product(range(1, depth(self.c, stack) + 1), parts):
            place = f"{stack}.layer{layer}.{part}"
            y = parts[part](place, self.norm(place, x) if self.c.norm == "pre" else x)
            x = self.named(f"{place}.residual", x + y) if self.c.residual else y
            x = self.norm(place, x) if self.c.norm == "post" else x
        return self.named(f"{stack}.output", self.norm(f"{stack}.final_norm", x) if self.c.final_norm else x)

    def translated(self, source: list[int], target: list[int]) -> dict[str, np.ndarray]:
        if self.c.shared_embeddings != "none":
            self.p = self.p | {"output.W": np.einsum("vd->dv", self.table("decoder"))}
        logits = self.named("output.logits", self.affine(
            self.stack("decoder", target, self.stack("encoder", source)), "output.", ""))
        self.named("output.probabilities", np.exp(logits) / np.exp(logits).sum(1)[:, None])
        return self.steps


def assert_same(found: np.ndarray, expected: np.ndarray, where: str, tolerance: float = 1e-12) -> None:
    """Equal infinities, and finite numbers equal relative to the largest of the tensor."""
    assert found.shape == np.shape(expected), where
    finite = np.isfinite(expected)
    assert np.array_equal(found[~finite], expected[~finite]), where
    off = np.abs(found[finite] - expected[finite]).max(initial=0) / np.abs(expected[finite]).max()
    assert off <= tolerance, f"{where} is off by {off:.1e}"


def run_of(model: Model, folder, sentence: str = SENTENCE, target: str | None = TRANSLATION) -> TracedRun:
    return trace(sentence, target, weights=model.write(folder / "model.npz"))


def ids(words: tuple[str, ...], sentence: str, start: bool = False, end: bool = False) -> list[int]:
    return [words.index(word) for word in ["<s>"] * start + sentence.split() + ["</s>"] * end]


# Against the paper

@pytest.mark.parametrize("biases", (True, False), ids=("biases", "no_biases"))
@pytest.mark.parametrize("wiring", WIRINGS.values(), ids=WIRINGS)
def test_every_step_is_what_the_paper_says(tmp_path, wiring, biases):
    model = random_model(biases, **wiring)
    expected = Paper(model).translated(ids(model.source, SENTENCE, end=model.config.source_end),
                                       ids(model.target, TRANSLATION, start=True))
    found = {step.address: step.value for step in run_of(model, tmp_path).steps}
    assert list(found) == list(expected)
    for address, value in found.items():
        assert value.dtype == np.float64
        assert_same(value, expected[address], address)


def test_single_precision_stays_single_and_agrees_with_double(tmp_path):
    model = random_model()
    double = run_of(model, tmp_path)
    single = run_of(model._replace(config=model.config.replace(dtype="float32")), tmp_path)
    for one, other in zip(single.steps, double.steps, strict=True):
        assert one.value.dtype == np.float32, one.address
        assert_same(one.value, other.value, one.address, 1e-5)


# By hand

def test_positions_worked_by_hand():
    """In halves: sines, then cosines."""
    whole, halves = (trace("one two three", d_model=4, heads=1, position=position)["positional_encoding"].value
                     for position in ("interleaved", "halves"))
    assert whole.round(4).tolist() == [[0, 1, 0, 1], [.8415, .5403, .0100, 1.0000], [.9093, -.4161, .0200, .9998]]
    assert halves.tolist() == whole[:, [0, 2, 1, 3]].tolist()


@pytest.mark.parametrize("wiring, rows", [
    ({"position_base": 100}, [[0, 1, 0, 1], [.8415, .5403, .0998, .9950], [.9093, -.4161, .1987, .9801]]),
    ({"d_model": 5}, [[0, 1, 0, 1, 0], [.8415, .5403, .0251, .9997, .0006], [.9093, -.4161, .0502, .9987, .0013]]),
    ({"d_model": 6, "position": "tensor2tensor"},  # of wavelengths 1, 100 and 10000
     [[0, 0, 0, 1, 1, 1], [.8415, .0100, .0001, .5403, 1, 1], [.9093, .0200, .0002, -.4161, .9998, 1]]),
    ({"d_model": 3, "position": "tensor2tensor"}, [[0, 1, 0], [.8415, .5403, 0], [.9093, -.4161, 0]]),
    ({"d_model": 3, "position": "halves"}, [[0, 0, 1], [.8415, .0022, .5403], [.9093, .0043, -.4161]]),
    ({"d_model": 1}, [[0], [.8415], [.9093]]), ({"d_model": 1, "position": "tensor2tensor"}, [[0], [0], [0]]),
    ({"position_offset": 2}, [[.9093, -.4161, .0200, .9998], [.1411, -.9900, .0300, .9996],
                              [-.7568, -.6536, .0400, .9992]])], ids=str)
def test_other_positions_worked_by_hand(wiring, rows):
    """The first is the table of a well-known tutorial."""
    assert trace("one two three", **{"d_model": 4, "heads": 1} | wiring)["positional_encoding"].value.round(
        4).tolist() == rows


def test_a_row_of_a_learned_position_is_the_same_in_every_table_and_no_longer_sentence_fits():
    small, large = (prepare(CAT, config=Config(position="learned", max_positions=size)).parameters["encoder.P"].value
                    for size in (4, 9))
    assert np.array_equal(small, large[:4]) and len({row.tobytes() for row in large}) == 9
    steps = trace(CAT, position="learned", max_positions=6, position_offset=2)
    assert np.array_equal(steps["position_embedding"].value, large[2:6])
    with pytest.raises(Problem, match="4 tokens, but this model has positions for only 3"):
        prepare(CAT, config=Config(position="learned", max_positions=5, position_offset=2))
    with pytest.raises(Problem, match="not below"):
        Config(position="learned", max_positions=2, position_offset=2)


def test_positions_far_from_the_first_are_the_same_as_in_a_table():
    near, far = (trace("a " * 3, position_offset=offset)["positional_encoding"].value for offset in (4093, 4094))
    assert np.array_equal(near[1:], far[:2])


# Facts of the world

@pytest.mark.parametrize("position", ENTRIES["position"].words)
def test_reversed_words_are_reversed_rows_only_without_positions(position):
    there, back = (trace(sentence, position=position, **SIZES)["encoder.output"].value for sentence in (CAT, TAC))
    off = np.abs(back - there[::-1]).max(axis=1)
    assert off.max() < 1e-12 if position == "none" else off.min() > 0.01


@pytest.mark.parametrize("norm", ("post", "pre"))
def test_last_target_word_changes_no_earlier_row(tmp_path, norm):
    model = random_model(norm=norm)
    one, other = (run_of(model, tmp_path, target=f"I went {last}") for last in ("to", "yesterday"))
    for before, after in zip(one.steps, other.steps, strict=True):
        if before.place.startswith("encoder"):
            assert np.array_equal(before.value, after.value)
        elif "self_attention" not in before.place or before.name not in ("scores", "scaled_scores"):  # before the mask
            assert_same(after.value[:-1], before.value[:-1], before.address)
    assert np.abs(one["decoder.output"].value[-1] - other["decoder.output"].value[-1]).max() > 0.01


@pytest.mark.parametrize("more", ({"layers": 2}, {"heads": 4}), ids=str)
def test_more_layers_or_heads_do_not_change_the_other_parameters(more):
    one, two = (prepare(CAT, TAC, config=Config(**sizes)).parameters for sizes in ({}, more))
    assert all(np.array_equal(parameter.value, two[parameter.address].value) for parameter in one)


def test_word_has_the_same_embedding_and_output_column_in_every_sentence():
    one, other = trace(CAT, CAT), trace("a black cat saw this", "a black cat saw this")
    for stack, first in (("encoder", 0), ("decoder", 1)):
        here, there = (steps[f"{stack}.embedding"].value[first:] for steps in (one, other))
        assert np.array_equal(here[[0, 2, 3]], there[[4, 0, 2]])
    one, other = (prepare(CAT, target).parameters["output.W"] for target in (CAT, TAC))
    columns = dict(zip(other.axes[1].labels, other.value.T))
    for word, column in zip(one.axes[1].labels, one.value.T, strict=True):
        assert np.array_equal(column, columns[word])


def test_same_seed_gives_the_same_numbers_and_another_seed_others():
    one, same, other = (trace(CAT, TAC, seed=seed) for seed in (1, 1, 2))
    for mine, yours, theirs in zip(one.steps, same.steps, other.steps, strict=True):
        assert np.array_equal(mine.value, yours.value)
        assert mine.name == "positional_encoding" or not np.array_equal(mine.value, theirs.value)


@pytest.mark.parametrize("size", [1, 4, 4097])
def test_a_few_numbers_are_those_of_numpys_generator(size):
    assert np.array_equal(stream((0, "W", "어제"), size, few=True), stream((0, "W", "어제"), size))


def test_parameters_of_one_model_are_all_different_streams():
    matrices = [p.value for p in prepare(CAT, TAC, config=Config(layers=2)).parameters if len(p.axes) == 2]
    firsts = [value[0, 0] for value in matrices]
    assert len(firsts) == len(set(firsts)) == 2 * 6 + 2 * 10 + 3


AXIS_NAMES = " ".join(f"word{n}" for n in range(250))


@pytest.mark.parametrize("name, fan_in", (
    ("encoder.layer1.self_attention.W_K", 64), ("decoder.layer1.cross_attention.W_O", 64),
    ("encoder.layer1.feed_forward.W_1", 64), ("encoder.layer1.feed_forward.W_2", 160),
    ("encoder.E", 64), ("decoder.E", 64), ("output.W", 64)))
def test_parameters_are_uniform_with_variance_one_over_fan_in(name, fan_in):
    config = Config(d_model=64, d_ff=160, heads=4)
    value = np.asarray(prepare(AXIS_NAMES, AXIS_NAMES, config=config).parameters[name].value) * math.sqrt(fan_in)
    edge = math.sqrt(3)
    assert -edge <= value.min() < -0.99 * edge and 0.99 * edge < value.max() <= edge
    assert abs(value.mean()) < 5 / math.sqrt(value.size)
    assert abs(value.var() - 1) < 5 * math.sqrt(0.8 / value.size)
    counts = np.histogram(value, 10, (-edge, edge))[0]
    assert np.abs(counts - value.size / 10).max() < 5 * math.sqrt(0.09 * value.size)


def test_seeded_gains_are_one_and_biases_zero():
    parameters = {p.address: p.value for p in prepare(CAT, TAC, config=Config(final_norm=True)).parameters}
    gains = [value for name, value in parameters.items() if name.endswith("gain")]
    biases = [value for name, value in parameters.items() if name.endswith(("bias", "b_1", "b_2"))]
    assert len(gains) == 7 and all((value == 1).all() for value in gains)
    assert len(biases) == 7 + 4 and not any(value.any() for value in biases)
    assert not [name for name in parameters if name.endswith(("b_Q", "b_K", "b_V", "b_O", "output.b"))]


def test_a_shared_table_is_drawn_once_for_the_words_of_both_sides():
    alone, run = (prepare(CAT, target, config=Config(shared_embeddings="all")) for target in (None, "un chat"))
    assert run.vocabularies.source == run.vocabularies.target == ("<s>", "</s>", *CAT.split(), "un", "chat")
    assert [name for name in run.parameters.by_name if name.endswith((".E", "output.W"))] == ["shared.E"]
    assert np.array_equal(alone.parameters["shared.E"].value, run.parameters["shared.E"].value[:6])
    steps = trace(CAT, "un chat", shared_embeddings="all")
    assert_same(steps["output.logits"].value, np.einsum(
        "nd,vd->nv", steps["decoder.output"].value, run.parameters["shared.E"].value), "logits")


# Counting

@pytest.mark.parametrize("target", (None, "cat and a dog"))
@pytest.mark.parametrize("config", (Config(), Config(d_model=12, heads=3, layers=3, d_ff=20), Config(final_norm=True),
                                    Config(position="learned", shared_embeddings="all"),
                                    Config(shared_embeddings="decoder")))
def test_number_of_parameters_is_the_closed_form(config, target):
    run = prepare(CAT, target, config=config)
    closed = sum(count.number for part in parts(config, run.vocabularies) for count in part.counts())
    assert closed == sum(p.value.size for p in run.parameters) == run.parameters.vector.size


def test_layers_of_the_base_model_have_44_million_parameters():
    """Six layers each of d_model 512 and d_ff 2048: torch.nn.Transformer() has 44,140,544, of which 36,864 are the
    biases of attention and 2,048 the final norms."""
    words = tuple(map(str, range(37000)))
    config = Config(d_model=512, heads=8, layers=6, d_ff=2048)
    layers = [count.number for part in parts(config, Vocabularies(words, words)) for count in part.counts()
              if "|V|" not in count.term]
    assert sum(layers) == 44_140_544 - 36_864 - 2_048


# Which steps there are

@pytest.mark.parametrize("target", (None, TAC))
@pytest.mark.parametrize("wiring", WIRINGS.values(), ids=WIRINGS)
def test_addresses_are_known_before_a_run(wiring, target):
    run = prepare(CAT, target, config=Config(**SIZES | wiring))
    found, symbols = [], []
    run(lambda step: (found.append(step.address), symbols.append(step.symbol)))
    assert list(run.addresses().items()) == list(zip(found, symbols))
    assert "encoder.output" in found and len(found) == len(set(found))


@pytest.mark.parametrize("keep", (None, []), ids=["sealed", "kept"])
def test_run_without_a_sink_computes_the_same(keep):
    run, watched = prepare(CAT, TAC, config=Config(layers=2)), []
    run(lambda step: watched.append(step.value))
    alone = transformer(Trace(keep=keep), run.source, run.target, run.parameters, run.config)
    assert np.array_equal(alone.probabilities.value, watched[-1])
