"""Random modules of torch.nn: each is imported and computes what it computes there, or is refused by name."""
import random
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pytest
from command import attntrace, refusal

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from attntrace import trace  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")
torch.set_num_threads(1)  # these matrices are tiny
SEEDS, TOLERANCE = range(100), 1e-12
KINDS = ("attention", "encoder_layer", "decoder_layer", "encoder", "decoder", "transformer")
ACTIVATIONS = {"relu": nn.functional.relu, "gelu": nn.functional.gelu, "silu": nn.functional.silu,
               "gelu_tanh": lambda x: nn.functional.gelu(x, approximate="tanh"), "elu": nn.functional.elu}
PREFIXES = ("", "module.", "_orig_mod.", "model.encoder.", "net.layers.2.", "decoder.")


class Drawn(NamedTuple):
    """A module, where it stands in its state_dict, the options that say what that does not, and the words of which one
    is in the refusal; none where it has to be imported."""
    kind: str
    module: nn.Module
    prefix: str
    options: tuple[str, ...]
    refused: tuple[str, ...]
    odd: str

    def outputs(self, rows: dict[str, np.ndarray], causal: bool) -> np.ndarray:
        """What the module puts out for these rows."""
        source, *others = (torch.from_numpy(array)[None] for array in rows.values())
        ahead = {"mask": torch.ones(source.shape[1], source.shape[1]).triu(1).bool()} if causal else {}
        with torch.no_grad():
            if self.kind == "attention":
                out, _ = self.module(source, *others)
            elif self.kind.startswith("encoder"):
                out = self.module(source, **{"src_mask" if self.kind.endswith("layer") else name: mask
                                             for name, mask in ahead.items()})
            else:
                back = torch.ones(others[0].shape[1], others[0].shape[1]).triu(1).bool()
                first, second = (source, others[0]) if self.kind == "transformer" else (others[0], source)
                out = self.module(first, second, tgt_mask=back)
        return out[0].numpy()


def drawn(seed: int) -> Drawn:
    """One module; in one of three there is something `odd`, which may be a reason to refuse it."""
    draw = random.Random(seed)
    torch.manual_seed(seed)
    kind, heads = KINDS[seed % len(KINDS)], draw.randint(1, 4)
    d, d_ff, bias = heads * draw.randint(1, 15 // heads), draw.randint(1, 15), draw.random() < 0.7
    more = {"bias": bias, "batch_first": True, "dtype": torch.float64}
    odd, refused = "", ()
    options = ["--heads", str(heads)]
    if kind == "attention":
        odd = draw.choice(("", "", "kdim", "vdim", "both", "bias_kv"))
        kdim, vdim = (draw.randint(1, 15) if odd in (name, "both") else None for name in ("kdim", "vdim"))
        module: nn.Module = nn.MultiheadAttention(d, heads, kdim=kdim, vdim=vdim, add_bias_kv=odd == "bias_kv", **more)
        refused = ("bias_k",) if odd == "bias_kv" else ()
    else:
        word, epsilon, pre = draw.choice([*ACTIVATIONS]), draw.choice((1e-12, 1e-5, 1e-3, 0.5)), draw.random() < 0.5
        odd = draw.choice(("", "", "no_bias", "bare_norm", "norm_bias", "bare_final_norm", "one_final_norm"))
        options += ["--norm", "pre" if pre else "post", "--activation", word, "--epsilon", str(epsilon)]
        refused = ("elu",) if word == "elu" else ()
        module = stacked(kind, draw, d, {"nhead": heads, "dim_feedforward": d_ff, "dropout": 0.0, "norm_first": pre,
                                         "layer_norm_eps": epsilon, "activation": ACTIVATIONS[word], **more})
        why, given = made_odd(odd, module, kind, draw)
        odd, refused, options = odd if why is not None else "", refused or tuple(why or ()), [*options, *given]
    for parameter in module.parameters():
        nn.init.normal_(parameter, draw.choice((0.0, 0.5)), draw.choice((0.2, 1.0)))
    return Drawn(kind, module, draw.choice(PREFIXES), tuple(options), refused, odd)


def stacked(kind: str, draw: random.Random, d: int, wiring: dict[str, Any]) -> nn.Module:
    """A layer, a stack, or a transformer, whose stacks are as deep as each other in half of the cases."""
    depths = draw.randint(1, 3), draw.randint(1, 3)
    if kind == "transformer":
        whole = nn.Transformer(d, num_encoder_layers=depths[0], num_decoder_layers=depths[1], **wiring)
        if draw.random() < 0.3:
            whole.encoder.norm = whole.decoder.norm = None
        return whole
    name = f"Transformer{kind.partition('_')[0].title()}"
    layer = getattr(nn, f"{name}Layer")(d, **wiring)
    if kind.endswith("layer"):
        return layer
    final = {"eps": wiring["layer_norm_eps"], "bias": wiring["bias"], "dtype": torch.float64}
    return getattr(nn, name)(layer, depths[0], nn.LayerNorm(d, **final) if draw.random() < 0.5 else None)


def made_odd(odd: str, module: nn.Module, kind: str, draw: random.Random) -> tuple[list[str] | None, Iterable[str]]:
    """Change a module. Return the names for which it has to be refused, None where it has nothing to change; and the
    options that it needs."""
    norms = {name: one for name, one in module.named_modules() if isinstance(one, nn.LayerNorm)}
    inside = [name for name in norms if not name.endswith(".norm") and name != "norm"]
    final = [name for name in norms if name not in inside]
    biases = [name for name, _ in module.named_parameters() if name.endswith("bias") and "norm" not in name]
    if odd == "no_bias" and biases:
        place, _, name = draw.choice(biases).rpartition(".")
        setattr(module.get_submodule(place), name, None)
        return [], ()
    if odd in ("bare_norm", "norm_bias") or odd == "bare_final_norm" and final:
        chosen = draw.choice(final if odd == "bare_final_norm" else inside)
        place, _, name = chosen.rpartition(".")
        affine = {"bias": False} if odd == "norm_bias" else {"elementwise_affine": False}
        setattr(module.get_submodule(place), name, nn.LayerNorm(
            norms[chosen].normalized_shape, norms[chosen].eps, dtype=torch.float64, **affine))
        return [chosen] if odd == "bare_norm" else [], ["--final-norm"] * (odd == "bare_final_norm")
    if odd == "one_final_norm" and len(final) == 2:
        module.get_submodule(chosen := draw.choice(("encoder", "decoder"))).norm = None
        return [f"{chosen}.norm"], ()
    return None, ()


def rows_of(one: Drawn, random_numbers: np.random.Generator) -> dict[str, np.ndarray]:
    """What a run of it starts from."""
    module = one.module
    d = module.embed_dim if one.kind == "attention" else next(
        inner.embed_dim for inner in module.modules() if isinstance(inner, nn.MultiheadAttention))
    if one.kind == "attention":
        shapes = {"query.input": (4, d), "key.input": (5, module.kdim), "value.input": (5, module.vdim)}
    else:
        shapes = {"encoder.output" if one.kind.startswith("decoder") else "encoder.input": (5, d)}
        shapes |= {} if one.kind.startswith("encoder") else {"decoder.input": (4, d)}
    return {name: random_numbers.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_random_module_agrees_with_pytorch_or_is_refused_by_name(tmp_path, seed):
    one = drawn(seed)
    state = {one.prefix + name: value for name, value in one.module.state_dict().items()}
    if seed % 2 and (one.prefix or not one.kind.endswith("layer")):  # else names inside the layer itself
        state |= {"head.weight": torch.zeros(3, 2), "embedding.weight": torch.zeros(3, 2)}
    torch.save({"model_state_dict": state} if seed % 4 == 3 else state, tmp_path / "m.pt")
    arguments = ["weights", "import", str(tmp_path / "m.pt"), *one.options, "-o", str(tmp_path / "w.npz")]
    if one.refused:
        assert any(word in refusal(*arguments) for word in one.refused)
        return
    result = attntrace(*arguments)
    assert result.code == 0, result
    causal = one.kind.startswith("encoder") and seed % 3 == 0
    rows = rows_of(one, np.random.default_rng(seed))
    np.savez(tmp_path / "rows.npz", **rows)
    *_, last = trace(None, weights=tmp_path / "w.npz", inputs=tmp_path / "rows.npz", causal=causal).steps
    wanted = one.outputs(rows, causal)
    assert last.value.shape == wanted.shape
    assert np.abs(last.value - wanted).max() <= TOLERANCE * max(1, np.abs(wanted).max())


def test_the_modules_drawn_are_of_every_kind_and_most_are_imported():
    every = [drawn(seed) for seed in SEEDS]
    assert {one.kind for one in every if not one.refused} == {*KINDS}
    assert {one.odd for one in every} == {"", "kdim", "vdim", "both", "bias_kv", "no_bias", "bare_norm", "norm_bias",
                                          "one_final_norm", "bare_final_norm"}
    assert {one.prefix for one in every} == {*PREFIXES} and sum(not one.refused for one in every) > 60
    depths = [(len(one.module.encoder.layers), len(one.module.decoder.layers)) for one in every
              if one.kind == "transformer"]
    assert any(encoder < decoder for encoder, decoder in depths) and any(
        encoder > decoder for encoder, decoder in depths)
