"""The models that come with attntrace in PyTorch's own module: the same translations of many samples."""
import math

import pytest

torch = pytest.importorskip("torch")

from command import ROOT, attntrace  # noqa: E402

from attntrace.files.torch import constructor, exported  # noqa: E402
from attntrace.files.weights import load, located  # noqa: E402
from attntrace.model.tokens import Reader, detokenize  # noqa: E402

PAIRS = [line.split("\t") for line in (ROOT / "samples" / "ko-en.tsv").read_text("utf-8").splitlines()]
LONGEST = 20  # words of a translation
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor", "ignore:The PyTorch API of nested tensors")
torch.set_num_threads(1)  # these matrices are tiny


class Translator:
    """torch.nn.Transformer with the exported layers, in float64, between the tables of the file."""

    def __init__(self, name: str) -> None:
        model = load(located(name))
        assert (model.config.position, model.config.scale_embedding, model.config.source_end) == (
            "interleaved", True, False)
        self.p = {name: torch.tensor(tensor.value).double() for name, tensor in model.parameters.by_name.items()}
        E = self.p["shared.E"]  # one table for the decoder and, transposed, the output layer
        self.p |= {"decoder.E": E, "output.W": E.T}
        self.words = [list(words or ()) for words in model.vocabularies]
        state, names = exported(model, name), {"torch": torch}
        exec("\n".join(constructor(state.config, state.biases)), names)
        self.module = names["module"].double().eval()
        self.module.load_state_dict({name: torch.tensor(array) for name, array in state.arrays.items()})

    def embedded(self, stack: str, ids):
        E = self.p[f"{stack}.E"]
        d_model = E.shape[1]
        rates = torch.exp(torch.arange(0, d_model, 2, dtype=torch.float64) * (-math.log(10000.0) / d_model))
        angles = torch.arange(ids.shape[1], dtype=torch.float64)[:, None] * rates
        return E[ids] * math.sqrt(d_model) + torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)

    def encoded(self, sources: list[list[str]]):
        """The memory of all sources, padded to the longest of them, and its padding."""
        ids = [torch.tensor([self.words[0].index(word) for word in words]) for words in sources]
        lengths = torch.tensor([len(words) for words in sources])
        padding = torch.arange(max(lengths)) >= lengths[:, None]
        x = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
        return self.module.encoder(self.embedded("encoder", x), src_key_padding_mask=padding), padding

    def next_word(self, memory, padding, y):
        """The likeliest word after those that the decoder has read."""
        ahead = torch.ones(y.shape[1], y.shape[1]).triu(1).bool()
        z = self.module.decoder(self.embedded("decoder", y), memory, tgt_mask=ahead, memory_key_padding_mask=padding)
        return (z[:, -1] @ self.p["output.W"] + self.p.get("output.b", 0)).argmax(1)

    def translated(self, sources: list[list[str]]) -> list[str]:
        (memory, padding), y = self.encoded(sources), torch.full((len(sources), 1), self.words[1].index("<s>"))
        end = self.words[1].index("</s>")
        while y.shape[1] <= LONGEST and not (y == end).any(1).all():
            y = torch.cat([y, self.next_word(memory, padding, y)[:, None]], dim=1)
        assert (y == end).any(1).sum() > 0.99 * len(sources)
        return [detokenize([self.words[1][n] for n in row[1:[*row, end].index(end)]]) for row in y.tolist()]


@pytest.mark.parametrize("name, side", [("ko-en", 0), ("en-ko", 1)])
@torch.no_grad()
def test_the_module_of_pytorch_makes_the_same_translations(name, side):
    """Of every ninth source of the samples, all of them in one call."""
    module = Translator(name)
    read = {pair[side]: Reader().read(pair[side], tuple(module.words[0]), "source", name)[0] for pair in PAIRS[::9]}
    known = {source: words for source, words in read.items() if set(words) <= set(module.words[0])}
    assert len(known) > 1000
    done = attntrace("translate", "-q", "--weights", name, f"--max-length={LONGEST}",
                     stdin="\n".join(known).encode())
    assert done.out.splitlines() == module.translated(list(known.values()))
