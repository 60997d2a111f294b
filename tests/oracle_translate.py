"""The model that comes with attntrace in PyTorch's own modules: the same logits, and the same translation of every
pair of the samples."""
from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from command import ROOT, clean_environment  # noqa: E402
from torch import nn  # noqa: E402

from attntrace.model.tokens import look_up, spoken, tokenize  # noqa: E402
from attntrace.tracing.trace import Trace  # noqa: E402
from attntrace.model.transformer import transformer  # noqa: E402
from attntrace.files.weights import load, located  # noqa: E402

PAIRS = [line.split("\t") for line in (ROOT / "samples" / "ko-en.tsv").read_text("utf-8").splitlines()]
LONGEST = 20  # words of a translation
torch.set_num_threads(1)  # these matrices are tiny


class Attention(nn.MultiheadAttention):
    def __init__(self, file, place: str, heads: int) -> None:
        super().__init__(file[f"{place}.W_Q"].shape[0], heads, batch_first=True, dtype=torch.float64)
        none = np.zeros(self.embed_dim)
        weights = {"in_proj_weight": np.concatenate([file[f"{place}.W_{letter}"] for letter in "QKV"], axis=1).T,
                   "in_proj_bias": np.concatenate([file.get(f"{place}.b_{letter}", none) for letter in "QKV"]),
                   "out_proj.weight": file[f"{place}.W_O"].T, "out_proj.bias": file.get(f"{place}.b_O", none)}
        self.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})


def linear(file, W: str, b: str) -> nn.Linear:
    node = nn.Linear(*file[W].shape, bias=b in file, dtype=torch.float64)
    node.load_state_dict({"weight": torch.tensor(file[W].T)} | ({"bias": torch.tensor(file[b])} if b in file else {}))
    return node


def norm(file, place: str, epsilon: float) -> nn.LayerNorm:
    node = nn.LayerNorm(file[f"{place}.gain"].shape[0], epsilon, dtype=torch.float64)
    node.load_state_dict({"weight": torch.tensor(file[f"{place}.gain"]), "bias": torch.tensor(file[f"{place}.bias"])})
    return node


class Stack(nn.Module):
    """Encoder or decoder: post-norm, positions interleaved, as the config of the file is asserted to say."""

    def __init__(self, file, name: str, attentions: list[str], c: dict) -> None:
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(torch.tensor(file[f"{name}.E"]))
        places = [f"{name}.layer{n}" for n in range(1, c["layers"] + 1)]
        self.attentions = nn.ModuleList(nn.ModuleList(Attention(file, f"{place}.{one}", c["heads"])
                                                      for one in attentions) for place in places)
        self.feed_forwards = nn.ModuleList(nn.Sequential(
            linear(file, f"{place}.feed_forward.W_1", f"{place}.feed_forward.b_1"), nn.ReLU(),
            linear(file, f"{place}.feed_forward.W_2", f"{place}.feed_forward.b_2")) for place in places)
        self.norms = nn.ModuleList(nn.ModuleList(norm(file, f"{place}.{one}", c["epsilon"])
                                                 for one in [*attentions, "feed_forward"]) for place in places)

    def forward(self, ids, padding, memory=None, memory_padding=None):
        d_model = self.embedding.embedding_dim
        rates = torch.exp(torch.arange(0, d_model, 2, dtype=torch.float64) * (-math.log(10000.0) / d_model))
        angles = torch.arange(ids.shape[1], dtype=torch.float64)[:, None] * rates
        x = self.embedding(ids) * math.sqrt(d_model) + torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)
        ahead = None if memory is None else torch.ones(ids.shape[1], ids.shape[1]).triu(1).bool()
        for attentions, feed_forward, norms in zip(self.attentions, self.feed_forwards, self.norms, strict=True):
            x = norms[0](x + attentions[0](x, x, x, key_padding_mask=padding, attn_mask=ahead, need_weights=False)[0])
            if memory is not None:
                x = norms[1](x + attentions[1](x, memory, memory, key_padding_mask=memory_padding,
                                               need_weights=False)[0])
            x = norms[-1](x + feed_forward(x))
        return x


class Translator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with np.load(located("ko-en")) as members:
            file = {name: members[name].astype(np.float64) if members[name].dtype.kind == "f" else members[name]
                    for name in members.files}
        c = json.loads(file["config"].item())
        assert (c["norm"], c["position"], c["final_norm"], c["scale_embedding"], c["source_end"], c["score_scale"],
                c["activation"]) == ("post", "interleaved", False, True, False, "sqrt_d_k", "relu")
        self.words = [list(file[f"vocabulary.{side}"]) for side in ("source", "target")]
        self.encoder = Stack(file, "encoder", ["self_attention"], c)
        self.decoder = Stack(file, "decoder", ["self_attention", "cross_attention"], c)
        self.output = linear(file, "output.W", "output.b")

    def packed(self, side: int, sentences: list[list[str]]):
        """Ids filled up to the longest with whatever word comes first, and where they are."""
        ids = [torch.tensor([self.words[side].index(word) for word in words]) for words in sentences]
        lengths = torch.tensor([len(words) for words in sentences])
        return nn.utils.rnn.pad_sequence(ids, batch_first=True), torch.arange(max(lengths)) >= lengths[:, None]

    def logits(self, sources: list[list[str]], targets: list[list[str]]):
        (x, hidden), (y, unwritten) = self.packed(0, sources), self.packed(1, targets)
        return self.output(self.decoder(y, unwritten, self.encoder(x, hidden), hidden))

    def translated(self, sources: list[list[str]]) -> list[str]:
        x, hidden = self.packed(0, sources)
        memory, y = self.encoder(x, hidden), torch.full((len(sources), 1), self.words[1].index("<s>"))
        end = self.words[1].index("</s>")
        while y.shape[1] < LONGEST and not (y == end).any(1).all():
            after = self.output(self.decoder(y, torch.zeros_like(y).bool(), memory, hidden)[:, -1]).argmax(1)
            y = torch.cat([y, after[:, None]], dim=1)
        assert (y == end).any(1).all()
        return [spoken([self.words[1][n] for n in row[1:row.index(end)]]) for row in y.tolist()]


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator().eval()


@torch.no_grad()
def test_the_modules_of_pytorch_make_the_same_translations(translator):
    """Of every source of the samples; the command is given all of them at once."""
    sources = [source for source, _ in PAIRS]
    done = subprocess.run([sys.executable, "-m", "attntrace", "translate", "-q"], input="\n".join(sources).encode(),
                          capture_output=True, cwd=ROOT, env=clean_environment(), timeout=300)
    assert done.stdout.decode().splitlines() == translator.translated([tokenize(source) for source in sources])


@torch.no_grad()
def test_the_modules_of_pytorch_make_the_same_logits(translator):
    """Of every pair of the samples whose words are known, teacher-forced, in a batch that is filled up."""
    config, vocabularies, parameters = load(located("ko-en"))
    known = [set(words or ()) for words in vocabularies]
    pairs = [(tokenize(source), ["<s>", *tokenize(target)]) for source, target in PAIRS
             if known[0].issuperset(tokenize(source)) and known[1].issuperset(tokenize(target))]
    assert len(pairs) > 1500
    theirs = translator.logits(*map(list, zip(*pairs, strict=True))).numpy()
    for (source, target), logits in list(zip(pairs, theirs, strict=True))[::6]:
        prediction = transformer(Trace(), look_up(source, vocabularies.source, "source"),
                                 look_up(target, vocabularies.target or (), "target"), parameters, config)
        assert prediction is not None
        assert np.abs(prediction.logits.value - logits[:len(target)]).max() <= 1e-5
