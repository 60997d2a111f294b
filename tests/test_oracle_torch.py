"""Every number of a run against PyTorch: its functions, its attention, its layers, its whole transformer."""
from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from random_model import SENTENCE, WIRINGS, Model, random_model  # noqa: E402
from recompute import log_of  # noqa: E402
from torch import nn  # noqa: E402

from attntrace import trace  # noqa: E402
from attntrace.verify import torch as against  # noqa: E402
from attntrace.verify.recompute import Log  # noqa: E402
from attntrace.runs.training_step import prepare_training_step  # noqa: E402
from attntrace.runs.prepare import prepare  # noqa: E402

TARGET_WORDS = "I went"  # after <s>: 3 tokens
DTYPES = {"float64": (torch.float64, 1e-12), "float32": (torch.float32, 1e-5)}
READ = {  # by attention, the step that its queries are made from, where the norm comes last
    "encoder.layer1.self_attention": "encoder.input",
    "encoder.layer2.self_attention": "encoder.layer1.feed_forward.norm",
    "decoder.layer1.self_attention": "decoder.input",
    "decoder.layer1.cross_attention": "decoder.layer1.self_attention.norm",
    "decoder.layer2.self_attention": "decoder.layer1.feed_forward.norm",
    "decoder.layer2.cross_attention": "decoder.layer2.self_attention.norm"}
torch.set_num_threads(1)  # these matrices are tiny
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")


class Both:
    """A run of attntrace and what the modules of PyTorch need for the same: parameters, the mask, a tolerance."""

    def __init__(self, model: Model, path: Path) -> None:
        self.c, self.path, self.steps = model.config, path, trace(SENTENCE, TARGET_WORDS, weights=path)
        self.dtype, self.tolerance = DTYPES[model.config.dtype]
        self.p = {name: self.tensor(value) for name, value in model.parameters.items()}
        self.ahead = torch.ones(3, 3).triu(1).bool()
        self.scale = 1 / (self.c.d_k ** 0.5 if self.c.score_scale == "sqrt_d_k" else self.c.score_scale)

    def tensor(self, value) -> torch.Tensor:
        return torch.tensor(value, dtype=self.dtype)

    def step(self, address: str) -> torch.Tensor:
        return torch.from_numpy(self.steps[address].value.copy())

    def bias(self, place: str, letter: str) -> torch.Tensor:
        return self.p.get(f"{place}.b_{letter}", torch.zeros(12, dtype=self.dtype))

    def assert_same(self, address: str, expected: torch.Tensor) -> None:
        """Same type and shape, same infinities, finite numbers equal relative to the largest of the tensor."""
        found = self.step(address)
        assert (found.dtype, found.shape) == (self.dtype, expected.shape), address
        finite = expected.isfinite()
        assert torch.equal(found[~finite], expected[~finite]), address
        off = (found - expected)[finite].abs().max() / expected[finite].abs().max()
        assert off <= self.tolerance, f"{address} is off by {off:.1e}"


@pytest.fixture(scope="module", params=[(wiring, biases, dtype) for wiring in WIRINGS for biases in (True, False)
                                        for dtype in DTYPES],
                ids=lambda param: f"{param[0]}-{'biases' if param[1] else 'no_biases'}-{param[2]}")
def both(request, tmp_path_factory) -> Both:
    wiring, biases, dtype = request.param
    model = random_model(biases, dtype=dtype, **WIRINGS[wiring])
    path = model.write(tmp_path_factory.mktemp("torch") / "model.npz")
    return Both(model, path)


def test_every_step_is_what_the_functions_of_pytorch_say(both, monkeypatch):
    """Those of the product's own comparison, held to a smaller tolerance."""
    monkeypatch.setattr(against, "TOLERANCES", {name: tolerance for name, (_, tolerance) in DTYPES.items()})
    assert_agrees(log_of(prepare(SENTENCE, TARGET_WORDS, weights=both.path)), 100)


@pytest.mark.parametrize("optimizer, smoothing", (("sgd", 0.0), ("adam", 0.1)))
def test_every_gradient_and_update_is_what_pytorch_says(both, optimizer, smoothing):
    """Of words that come twice."""
    step = prepare_training_step("나는 어제 나는 에 갔었어", "I went I", weights=both.path, optimizer=optimizer,
                                 smoothing=smoothing)
    assert_agrees(log_of(step), 400)


def assert_agrees(log: Log, least: int) -> None:
    verdicts = list(against.compared(log))
    assert [verdict.address for verdict in verdicts] == list(log.steps) and len(verdicts) > least
    assert [verdict for verdict in verdicts if verdict.wrong] == []


def load_attention(attention: nn.MultiheadAttention, both: Both, place: str) -> None:
    """Into torch's way: one matrix for all three, transposed. It divides scores by √d_k, always: queries make up."""
    more = both.scale * both.c.d_k ** 0.5
    matrices = [both.p[f"{place}.W_{letter}"] * (more if letter == "Q" else 1) for letter in "QKV"]
    biases = [both.bias(place, letter) * (more if letter == "Q" else 1) for letter in "QKV"]
    attention.load_state_dict({"in_proj_weight": torch.cat(matrices, dim=1).T, "in_proj_bias": torch.cat(biases),
                               "out_proj.weight": both.p[f"{place}.W_O"].T, "out_proj.bias": both.bias(place, "O")})


def load_norm(norm: nn.LayerNorm, both: Both, place: str) -> None:
    norm.load_state_dict({"weight": both.p[f"{place}.gain"], "bias": both.p[f"{place}.bias"]})


def load_layer(layer: nn.Module, both: Both, place: str, attentions: dict[str, str]) -> None:
    """A TransformerEncoderLayer or TransformerDecoderLayer; `attentions`: ours by the names of torch's."""
    for theirs, ours in attentions.items():
        load_attention(getattr(layer, theirs), both, f"{place}.{ours}")
    for theirs, n in ((layer.linear1, 1), (layer.linear2, 2)):
        theirs.load_state_dict({"weight": both.p[f"{place}.feed_forward.W_{n}"].T,
                                "bias": both.p[f"{place}.feed_forward.b_{n}"]})
    for n, part in enumerate((*attentions.values(), "feed_forward"), start=1):
        load_norm(getattr(layer, f"norm{n}"), both, f"{place}.{part}")


def transformer(both: Both) -> nn.Transformer:
    """torch's whole transformer with our parameters in it; it has final norms unless they are taken away."""
    whole = nn.Transformer(12, 3, 2, 2, 20, dropout=0, batch_first=True, layer_norm_eps=both.c.epsilon,
                           norm_first=both.c.norm == "pre", dtype=both.dtype).eval()
    for n in (1, 2):
        load_layer(whole.encoder.layers[n - 1], both, f"encoder.layer{n}", {"self_attn": "self_attention"})
        load_layer(whole.decoder.layers[n - 1], both, f"decoder.layer{n}",
                   {"self_attn": "self_attention", "multihead_attn": "cross_attention"})
    for stack, name in ((whole.encoder, "encoder"), (whole.decoder, "decoder")):
        if both.c.final_norm:
            load_norm(stack.norm, both, f"{name}.final_norm")
        else:
            stack.norm = None
    return whole


@torch.no_grad()
def test_heads_are_those_of_multihead_attention(both):
    for place, read in READ.items():
        attention = nn.MultiheadAttention(12, 3, batch_first=True, dtype=both.dtype)
        load_attention(attention, both, place)
        x = both.step(f"{place}.norm" if both.c.norm == "pre" else read)
        memory = both.step("encoder.output") if "cross" in place else x
        mask = both.ahead if place.startswith("decoder") and "self" in place else None
        output, weights = attention(x, memory, memory, attn_mask=mask, need_weights=True, average_attn_weights=False)
        both.assert_same(f"{place}.output", output)
        for n in range(3):
            both.assert_same(f"{place}.head{n + 1}.weights", weights[n])


@torch.no_grad()
def test_layers_are_the_transformer_layers_of_pytorch(both):
    whole, last = transformer(both), "norm" if both.c.norm == "post" else "residual"
    x = both.step("encoder.input")[None]
    y, memory = both.step("decoder.input")[None], both.step("encoder.output")[None]
    for n in (1, 2):
        x = whole.encoder.layers[n - 1](x)
        y = whole.decoder.layers[n - 1](y, memory, tgt_mask=both.ahead)
        both.assert_same(f"encoder.layer{n}.feed_forward.{last}", x[0])
        both.assert_same(f"decoder.layer{n}.feed_forward.{last}", y[0])


@torch.no_grad()
def test_encoder_and_decoder_are_those_of_the_transformer_of_pytorch(both):
    whole = transformer(both)
    x, y = both.step("encoder.input")[None], both.step("decoder.input")[None]
    both.assert_same("encoder.output", whole.encoder(x)[0])
    both.assert_same("decoder.output", whole(x, y, tgt_mask=both.ahead)[0])


def test_transformer_of_pytorch_has_as_many_parameters():
    model = random_model(final_norm=True)
    ours = sum(value.size for name, value in model.parameters.items() if not name.startswith("output")
               and not name.endswith(".E"))
    assert ours == sum(value.numel() for value in nn.Transformer(12, 3, 2, 2, 20).parameters())
