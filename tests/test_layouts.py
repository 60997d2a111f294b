"""Weights from PyTorch: every module runs here as it does there, and goes back bit for bit."""
from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from command import attntrace

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from attntrace import trace  # noqa: E402
from attntrace.layouts import exported, imported, read_state  # noqa: E402
from attntrace.layouts.torch_nn import constructor  # noqa: E402
from attntrace.weights_file import load, save  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")
torch.set_num_threads(1)
D, HEADS, LAYERS, D_FF = 12, 3, 2, 20
DTYPES = {"float64": (torch.float64, 1e-12), "float32": (torch.float32, 1e-5)}
COUNTS = {"transformer": 32, "encoder": 13, "decoder": 17, "encoder_layer": 6, "decoder_layer": 8, "attention": 1}
OURS = {"encoder": {"self_attn": "self_attention.output", "linear1": "feed_forward.hidden",
                    "linear2": "feed_forward.output", "norm1": "self_attention.norm", "norm2": "feed_forward.norm"},
        "decoder": {"self_attn": "self_attention.output", "multihead_attn": "cross_attention.output",
                    "linear1": "feed_forward.hidden", "linear2": "feed_forward.output", "norm1": "self_attention.norm",
                    "norm2": "cross_attention.norm", "norm3": "feed_forward.norm"}}


class Case(NamedTuple):
    part: str
    norm_first: bool = False
    bias: bool = True
    dtype: str = "float64"

    def __str__(self) -> str:
        return "-".join([self.part, "pre" if self.norm_first else "post", "bias" if self.bias else "none", self.dtype])

    def module(self) -> nn.Module:
        """Every number random, gains and biases too; in training mode, without dropout, so that nothing is fused."""
        torch.manual_seed(1)
        more = {"bias": self.bias, "dtype": DTYPES[self.dtype][0], "batch_first": True}
        wiring = {"dropout": 0.0, "norm_first": self.norm_first, "layer_norm_eps": 1e-3, **more}
        if self.part == "attention":
            module: nn.Module = nn.MultiheadAttention(D, HEADS, **more)
        elif self.part == "transformer":
            module = nn.Transformer(D, HEADS, LAYERS, LAYERS, D_FF, **wiring)
        else:
            name = self.part.split("_")[0].title()
            module = getattr(nn, f"Transformer{name}Layer")(D, HEADS, D_FF, **wiring)
            if not self.part.endswith("layer"):
                norm = nn.LayerNorm(D, 1e-3, bias=self.bias, dtype=more["dtype"]) if self.norm_first else None
                module = getattr(nn, f"Transformer{name}")(module, LAYERS, norm)
        for name, parameter in module.named_parameters():
            nn.init.normal_(parameter, float("norm" in name and name.endswith("weight")),
                            0.3 if parameter.ndim == 1 else D ** -0.5)
        return module


CASES = [Case(part, norm_first, bias, dtype) for part in COUNTS for norm_first in (False, True)
         for bias in (True, False) for dtype in DTYPES if part != "attention" or not norm_first]


def arrays_of(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in module.state_dict().items()}


def rows(case: Case) -> dict[str, np.ndarray]:
    """What the run starts from: 5 words of the source, 4 of the target."""
    random = np.random.default_rng(2)
    source, target = (random.standard_normal((n, D)).astype(case.dtype) for n in (5, 4))
    first = "encoder.output" if case.part.startswith("decoder") else "encoder.input"
    return {first: source} | ({"decoder.input": target} if case.part[:3] in ("tra", "dec") else {})


def said_by_torch(case: Case, module: nn.Module) -> list[tuple[str, np.ndarray]]:
    """What every module inside puts out, with the address of ours."""
    found: list[tuple[str, np.ndarray]] = []
    for name, inner in module.named_modules():
        address = address_of(case, name)
        if address:
            def hook(_: nn.Module, __: object, out: object, address: str = address) -> None:
                found.append((address, (out[0] if isinstance(out, tuple) else out)[0].numpy()))
            inner.register_forward_hook(hook)
    source, *target = (torch.from_numpy(value)[None] for value in rows(case).values())
    ahead = torch.ones(4, 4).triu(1).bool()
    with torch.no_grad():
        if case.part == "attention":
            module(source, source, source)
        elif case.part == "transformer":
            module(source, *target, tgt_mask=ahead)
        elif target:
            module(*target, source, tgt_mask=ahead)
        else:
            module(source)
    return found


def address_of(case: Case, name: str) -> str | None:
    """The step that a module inside computes: `encoder.layers.1.norm2` is encoder.layer2.feed_forward.norm."""
    if case.part == "attention":
        return "encoder.layer1.self_attention.output" if not name else None
    stack = re.match("encoder|decoder", name if case.part == "transformer" else case.part)
    if stack is None:
        return None
    inside = name.removeprefix(stack[0]).lstrip(".")
    if case.part.endswith("layer"):
        inside = f"layers.0.{inside}".rstrip(".")
    layer = re.fullmatch(r"layers\.(\d+)(?:\.(\w+))?", inside)
    if layer is None:
        return {"": f"{stack[0]}.output", "norm": f"{stack[0]}.final_norm.norm"}.get(inside)
    place = f"{stack[0]}.layer{int(layer[1]) + 1}"
    if layer[2] is None:
        return f"{place}.feed_forward.{'residual' if case.norm_first else 'norm'}"
    step = OURS[stack[0]].get(layer[2])
    return step and f"{place}.{step}"


def state_file(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    np.savez(folder / "state.npz", **arrays)
    return folder / "state.npz"


def weights_file(folder: Path, case: Case, module: nn.Module) -> Path:
    model, _ = imported(read_state(state_file(folder, arrays_of(module))), HEADS,
                        "pre" if case.norm_first else "post", 1e-3)
    with open(folder / "w.npz", "wb") as file:
        save(file, *model)
    return folder / "w.npz"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_module_of_pytorch_runs_here_as_it_does_there(tmp_path, case):
    module = case.module()
    weights = weights_file(tmp_path, case, module)
    np.savez(tmp_path / "rows.npz", **rows(case))
    steps = {step.address: step.value for step in trace(None, weights=weights, inputs=tmp_path / "rows.npz")}
    said = said_by_torch(case, module)
    assert len(said) == COUNTS[case.part] + (case.norm_first and case.part in ("encoder", "decoder"))
    for address, value in said:
        assert steps[address].dtype == value.dtype
        off = np.abs(steps[address] - value).max() / np.abs(value).max()
        assert off <= DTYPES[case.dtype][1], f"{address} is off by {off:.1e}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_state_dict_goes_in_and_comes_out_bit_for_bit(tmp_path, case):
    module = case.module()
    model = load(weights_file(tmp_path, case, module))
    state, wanted = exported(model, "w.npz"), arrays_of(module)
    assert state.arrays.keys() == wanted.keys() and not state.left_out and not state.zeros
    assert all(found.dtype == wanted[name].dtype and found.tobytes() == wanted[name].tobytes()
               for name, found in state.arrays.items())
    names = {"torch": torch}
    exec("\n".join(constructor(model.config, state.wiring.part, state.biases)), names)
    names["module"].load_state_dict({name: torch.from_numpy(array) for name, array in state.arrays.items()})


def problem(*arguments: str) -> str:
    code, out, err = attntrace("weights", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    return err
