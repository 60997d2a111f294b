"""Weights from PyTorch: every module runs here as it does there, and goes back bit for bit."""
import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from command import attntrace, refusal

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from attntrace import trace  # noqa: E402
from attntrace.files.torch import constructor, exported, imported, read_state  # noqa: E402
from attntrace.files.weights import load, save  # noqa: E402

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


ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "silu": nn.functional.silu,
               "gelu_tanh": partial(nn.functional.gelu, approximate="tanh")}


class Case(NamedTuple):
    part: str
    norm_first: bool = False
    bias: bool = True
    dtype: str = "float64"
    activation: str = "relu"

    def __str__(self) -> str:
        return "-".join([self.part, "pre" if self.norm_first else "post", "bias" if self.bias else "none", self.dtype,
                         self.activation])

    def module(self) -> nn.Module:
        """Every number random, gains and biases too; in training mode, without dropout, so that nothing is fused."""
        torch.manual_seed(1)
        more = {"bias": self.bias, "dtype": DTYPES[self.dtype][0], "batch_first": True}
        wiring = {"dropout": 0.0, "norm_first": self.norm_first, "layer_norm_eps": 1e-3,
                  "activation": ACTIVATIONS[self.activation], **more}
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
CASES += [Case(part, activation=word) for part in ("transformer", "encoder_layer") for word in ACTIVATIONS]


def arrays_of(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in module.state_dict().items()}


def rows(case: Case) -> dict[str, np.ndarray]:
    """What the run starts from: 5 words of the source, 4 of the target."""
    random = np.random.default_rng(2)
    source, target = (random.standard_normal((n, D)).astype(case.dtype) for n in (5, 4))
    first = "encoder.output" if case.part.startswith("decoder") else "encoder.input"
    return {first: source} | ({"decoder.input": target} if case.part[:3] in ("tra", "dec") else {})


def outputs_of_torch(case: Case, module: nn.Module) -> list[tuple[str, np.ndarray]]:
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
                        norm="pre" if case.norm_first else "post", epsilon=1e-3, activation=case.activation)
    with open(folder / "w.npz", "wb") as file:
        save(file, *model)
    return folder / "w.npz"


def assert_runs_as_in_torch(folder: Path, case: Case, module: nn.Module, weights: Path) -> list[str]:
    """Compare every step that a module inside computes, and return their addresses."""
    np.savez(folder / "rows.npz", **rows(case))
    steps = {step.address: step.value for step in trace(None, weights=weights, inputs=folder / "rows.npz").steps}
    outputs = outputs_of_torch(case, module)
    for address, value in outputs:
        assert steps[address].dtype == value.dtype
        off = np.abs(steps[address] - value).max() / np.abs(value).max()
        assert off <= DTYPES[case.dtype][1], f"{address} is off by {off:.1e}"
    return [address for address, _ in outputs]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_module_of_pytorch_runs_here_as_it_does_there(tmp_path, case):
    module = case.module()
    compared = assert_runs_as_in_torch(tmp_path, case, module, weights_file(tmp_path, case, module))
    assert len(compared) == COUNTS[case.part] + (case.norm_first and case.part in ("encoder", "decoder"))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_state_dict_goes_in_and_comes_out_bit_for_bit(tmp_path, case):
    module = case.module()
    model = load(weights_file(tmp_path, case, module))
    state, wanted = exported(model, "w.npz"), arrays_of(module)
    assert state.arrays.keys() == wanted.keys() and not state.left_out and not state.zeros
    assert all(found.dtype == wanted[name].dtype and found.tobytes() == wanted[name].tobytes()
               for name, found in state.arrays.items())
    names = {"torch": torch}
    exec("\n".join(constructor(state.config, state.biases)), names)
    names["module"].load_state_dict({name: torch.from_numpy(array) for name, array in state.arrays.items()})
    for mine, yours in zip(outputs_of_torch(case, names["module"]), outputs_of_torch(case, module), strict=True):
        assert np.array_equal(mine[1], yours[1]), mine[0]


@pytest.mark.parametrize("encoder, decoder", ((3, 1), (1, 2)))
def test_a_model_of_unequal_depths_runs_in_pytorch_as_it_does_here(tmp_path, encoder, decoder):
    sizes = ["--d-model", str(D), "--heads", str(HEADS), "--layers", str(encoder), "--decoder-layers", str(decoder)]
    weights, case = tmp_path / "w.npz", Case("transformer")
    assert attntrace("weights", "new", "a b", "--target", "c", *sizes, "-o", str(weights)).code == 0
    state, names = exported(load(weights), "w.npz"), {"torch": torch}
    exec("\n".join(constructor(state.config, state.biases)), names)
    module = names["module"]
    assert (len(module.encoder.layers), len(module.decoder.layers)) == (encoder, decoder)
    module.load_state_dict({name: torch.from_numpy(array) for name, array in state.arrays.items()})
    assert len(assert_runs_as_in_torch(tmp_path, case, module, weights)) > 6 * (encoder + decoder)


def problem(*arguments: str) -> str:
    return refusal("weights", *arguments)


def encoder_state(**more: object) -> dict[str, np.ndarray]:
    return arrays_of(Case("encoder", **more).module())  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", ("npz", "safetensors"))
def test_commands_bring_a_state_dict_in_and_take_it_out(tmp_path, monkeypatch, ending):
    pytest.importorskip("safetensors")
    from safetensors.numpy import load_file, save_file
    monkeypatch.chdir(tmp_path)
    state = arrays_of(Case("transformer").module())
    np.savez("state.npz", **state), save_file(state, "state.safetensors")
    np.savez("rows.npz", **rows(Case("transformer")))
    code, out, _ = attntrace("weights", "import", f"state.{ending}", "--heads", "3", "-o", f"w.{ending}")
    assert code == 0 and "torch.nn.Transformer: d_model 12, d_ff 20, layers N = 2, final norm, biases, float64" in out
    assert "norm post: assumed, because the file does not record it; use --norm pre if the module has norm_first" in out
    assert attntrace("steps", "--weights", f"w.{ending}", "--input", "rows.npz").code == 0
    assert attntrace("weights", "export", f"w.{ending}", "--to", "torch", "-o", f"back.{ending}").code == 0
    back = dict(np.load("back.npz")) if ending == "npz" else load_file("back.safetensors")
    assert back.keys() == state.keys() and all(back[name].tobytes() == state[name].tobytes() for name in state)


@pytest.mark.parametrize("dtypes, dtype", (({"float64", "float32"}, "float64"), ({"float16", "float32"}, "float32")))
def test_precision_is_one_that_holds_every_number(tmp_path, dtypes, dtype):
    state = {name: value.astype(sorted(dtypes)[n % 2]) for n, (name, value) in enumerate(encoder_state().items())}
    model, _ = imported(read_state(state_file(tmp_path, state)), HEADS)
    assert model.config.dtype == dtype
    found = exported(model, "w.npz").arrays
    assert all(np.array_equal(found[name], value.astype(dtype)) for name, value in state.items())


def test_half_precision_of_either_kind_becomes_float32_and_that_is_said(tmp_path):
    save_file = pytest.importorskip("safetensors.torch").save_file
    for dtype in (torch.bfloat16, torch.float16):
        state = {name: value.to(dtype) for name, value in Case("attention").module().state_dict().items()}
        save_file(state, tmp_path / "half.safetensors")
        out = attntrace("weights", "import", str(tmp_path / "half.safetensors"), "--heads", "3", "-o",
                        str(tmp_path / "w.npz")).out
        assert f"{str(dtype).removeprefix('torch.')} numbers were converted to float32" in out
        back = exported(load(tmp_path / "w.npz"), "w.npz").arrays
        assert all(np.array_equal(back[name], value.float().numpy()) for name, value in state.items())


def test_matrices_of_their_own_are_read_as_one_of_three_blocks(tmp_path):
    state = arrays_of(Case("attention").module())
    blocks = dict(zip(("q_proj_weight", "k_proj_weight", "v_proj_weight"), np.split(state["in_proj_weight"], 3),
                      strict=True))
    apart = blocks | {name: value for name, value in state.items() if name != "in_proj_weight"}
    one, other = (imported(read_state(state_file(tmp_path, arrays)), HEADS)[0] for arrays in (state, apart))
    assert np.array_equal(one.parameters.vector, other.parameters.vector)


FINAL_NORMS = {  # what the stacks end in, of which the first has parameters in the state_dict
    "encoder": [None], "decoder": [None], "transformer": [None, None],
    "transformer, encoder's in the file": [..., None]}


@pytest.mark.parametrize("norm_first", (False, True))
@pytest.mark.parametrize("stacks", FINAL_NORMS)
def test_final_norm_without_parameters_is_asked_for_and_computed(tmp_path, stacks, norm_first):
    case = Case(stacks.split(",")[0], norm_first)
    module = case.module()
    ends = [module.encoder, module.decoder] if case.part == "transformer" else [module]
    for stack, norm in zip(ends, FINAL_NORMS[stacks], strict=True):
        if norm is None:
            stack.norm = nn.LayerNorm(D, 1e-3, elementwise_affine=False, dtype=torch.float64)
    path, weights = state_file(tmp_path, arrays_of(module)), tmp_path / "w.npz"
    options = ["import", str(path), "--heads", "3", "--norm", "pre" if norm_first else "post", "--epsilon", "1e-3",
               "-o", str(weights)]
    if len(set(FINAL_NORMS[stacks])) == 1:
        assert "final norm: none in the file; use --final-norm if" in attntrace("weights", *options).out
    else:
        assert "lacks decoder.norm.weight; if the module ends in LayerNorm(elementwise_affine=False), use" in problem(
            *options)
    out = attntrace("weights", *options, "--final-norm").out
    assert "decoder.final_norm" in out if case.part != "encoder" else "encoder.final_norm" in out
    compared = assert_runs_as_in_torch(tmp_path, case, module, weights)
    assert f"{case.part[:7]}.final_norm.norm".replace("transfo", "decoder") in compared


@pytest.mark.parametrize("part", ("encoder_layer", "decoder_layer", "attention"))
def test_final_norm_is_refused_for_a_module_that_has_none(tmp_path, part):
    path = str(state_file(tmp_path, arrays_of(Case(part).module())))
    assert "leave out --final-norm" in problem("import", path, "--heads", "3", "--final-norm", "-o",
                                               str(tmp_path / "w.npz"))


@pytest.mark.parametrize("width", (1, 3, 5))
def test_attention_of_odd_width_runs_as_it_does_in_pytorch(tmp_path, width):
    module = nn.MultiheadAttention(width, 1, batch_first=True, dtype=torch.float64)
    x = np.random.default_rng(1).standard_normal((4, width))
    np.savez(tmp_path / "rows.npz", **{"encoder.input": x})
    path, weights = str(state_file(tmp_path, arrays_of(module))), str(tmp_path / "w.npz")
    assert "add_zero_attn False: not in the file" in attntrace("weights", "import", path, "--heads", "1", "-o",
                                                               weights).out
    steps = {step.address: step.value for step in trace(None, weights=weights, inputs=tmp_path / "rows.npz").steps}
    rows = torch.from_numpy(x)[None]
    expected = module(rows, rows, rows)[0][0].detach().numpy()
    assert np.allclose(steps["encoder.layer1.self_attention.output"], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("entry", (np.arange(5)[None], np.array(7), np.zeros((3, 3), bool), np.uint8(1)),
                         ids=lambda entry: str(entry.dtype))
def test_whole_numbers_beside_the_weights_are_left_out_and_named(tmp_path, entry):
    state, weights = encoder_state(), tmp_path / "w.npz"
    path = str(state_file(tmp_path, state | {"position_ids": entry}))
    words = f"are left out: position_ids ({entry.dtype})"
    assert words in attntrace("weights", "import", path, "--heads", "3", "-o", str(weights)).out
    assert exported(load(weights), "w.npz").arrays.keys() == state.keys()
    info = attntrace("weights", "info", path).out
    assert words in info and f"{sum(value.size for value in state.values()):,} numbers" in info
    alone = attntrace("weights", "info", str(state_file(tmp_path, state))).out
    assert "left out" not in alone


PREFIXES = ("module.", "_orig_mod.", "model.transformer.", "module._orig_mod.net.0.", "a.layers.0.encoder.")


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("part", COUNTS)
def test_a_module_is_found_under_any_prefix_beside_anything(tmp_path, part, prefix):
    state, at = arrays_of(Case(part).module()), prefix.rpartition(".")[0]
    whole, _ = imported(read_state(state_file(tmp_path, state)), HEADS)
    beside = {"head.weight": np.ones((3, D), np.float32), "encoder.weight": np.ones((9, D)), "h": np.ones(3, complex),
              f"{prefix}steps": np.array(3), "linear1.weight": np.ones((4, 4)), f"{at}2.norm.weight": np.ones(D)}
    path = str(state_file(tmp_path, {f"{prefix}{name}": value for name, value in state.items()} | beside))
    model, found = imported(read_state(Path(path)), HEADS)
    assert model.config == whole.config and np.array_equal(model.parameters.vector, whole.parameters.vector)
    out = attntrace("weights", "import", path, "--heads", "3", "-o", str(tmp_path / "w.npz")).out
    assert f"Its names begin with {prefix}\n" in out and f"{prefix}steps (int64)" in out
    assert {"head.*", "encoder.*", "h", "linear1.*"} < {*found.beside} and all(name in out for name in found.beside)
    assert f"names begin with {prefix}" in " ".join(attntrace("weights", "info", path).out.split())


def test_a_model_with_several_modules_asks_which_and_imports_each(tmp_path):
    modules = {name: Case(part).module() for name, part in (("first", "encoder"), ("pool", "attention"))}
    path = str(state_file(tmp_path, arrays_of(nn.ModuleDict(modules))))
    weights = str(tmp_path / "w.npz")
    assert "(2); choose one with --prefix: first., pool." in problem("import", path, "--heads", "3", "-o", weights)
    assert "choose one with --prefix: pool." in attntrace("weights", "info", path).out
    for name, module in modules.items():
        for prefix in (name, f"{name}."):
            out = attntrace("weights", "import", path, "--heads", "3", "--prefix", prefix, "-o", weights)
            assert out.code == 0 and exported(load(Path(weights)), "w.npz").arrays.keys() == arrays_of(module).keys()
    assert "no name in" in problem("import", path, "--heads", "3", "--prefix", "firs", "-o", weights)
    layer = attntrace("weights", "import", path, "--heads", "3", "--prefix", "first.layers.1", "-o", weights).out
    assert "torch.nn.TransformerEncoderLayer: " in layer and "left out: first.layers.0.*, pool.*" in layer


def test_a_module_with_others_as_its_children_is_chosen_by_an_empty_prefix(tmp_path):
    module = Case("encoder").module()
    module.pool = Case("attention").module()
    path, weights = str(state_file(tmp_path, arrays_of(module))), str(tmp_path / "w.npz")
    assert '--prefix: "", pool.' in problem("import", path, "--heads", "3", "-o", weights)
    out = attntrace("weights", "import", path, "--heads", "3", "--prefix", "", "-o", weights).out
    assert "torch.nn.TransformerEncoder: " in out and "left out: pool.*" in out


@pytest.mark.parametrize("norm_first", (False, True))
def test_a_norm_without_a_bias_runs_as_it_does_in_pytorch(tmp_path, norm_first):
    case = Case("transformer", norm_first)
    module = case.module()
    module.decoder.norm = nn.LayerNorm(D, 1e-3, bias=False, dtype=torch.float64)
    module.encoder.layers[0].linear1 = nn.Linear(D, D_FF, bias=False, dtype=torch.float64)
    nn.init.normal_(module.decoder.norm.weight)
    path, weights = str(state_file(tmp_path, arrays_of(module))), tmp_path / "w.npz"
    out = attntrace("weights", "import", path, "--heads", "3", "--norm", "pre" if norm_first else "post", "--epsilon",
                    "1e-3", "-o", str(weights)).out
    assert "set to 0: encoder.layers.0.linear1.bias, decoder.norm.bias" in out
    assert "decoder.final_norm.norm" in assert_runs_as_in_torch(tmp_path, case, module, weights)


@pytest.mark.parametrize("ending", ("pt", "pth", "bin", "ckpt"))
@pytest.mark.parametrize("dtype", ("float64", "float32", "bfloat16", "float16"))
def test_a_checkpoint_of_pytorch_is_imported_and_runs_as_it_does_there(tmp_path, dtype, ending):
    case = Case("encoder", dtype="float64" if dtype == "float64" else "float32")
    module = case.module().to(getattr(torch, dtype))
    model = nn.ModuleDict({"encoder": module, "head": nn.Linear(D, 3)})
    optimizer = torch.optim.AdamW(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    wrapper = "state_dict" if ending == "ckpt" else "model_state_dict"
    torch.save({"epoch": 3, wrapper: model.state_dict(), "optimizer_state_dict": optimizer.state_dict(), "loss": 0.5},
               tmp_path / f"s.{ending}")
    out = attntrace("weights", "import", str(tmp_path / f"s.{ending}"), "--heads", "3", "--epsilon", "1e-3", "-o",
                    str(tmp_path / "w.npz")).out
    assert f"left out: {wrapper}.head.*, optimizer_state_dict.*, epoch, loss." in out
    half = dtype.endswith("16")
    assert (f"{dtype} numbers were converted to float32" in out) == half
    assert_runs_as_in_torch(tmp_path, case, module.float() if half else module, tmp_path / "w.npz")


# What cannot be brought in, or taken out

def test_foreign_modules_are_refused_with_names_that_could_not_be_placed(tmp_path):
    gpt2 = {f"h.{n}.attn.c_attn.weight": np.zeros((4, 12)) for n in range(5)} | {"wte.weight": np.zeros((9, 4))}
    half_placed = encoder_state() | {"layers.1.gate.weight": np.zeros((9, D)), "norm.scale": np.zeros((1, D))}
    bare = encoder_state()
    del bare["layers.0.norm1.weight"], bare["layers.0.norm1.bias"]
    foreign = {"has 4 arrays (bias_hh_l0, bias_ih_l0, weight_hh_l0, 1 more), but not those": arrays_of(nn.LSTM(4, 4)),
               "has 6 arrays (h.0.attn.c_attn.weight, h.1": gpt2, "1 more), but not those": {
                   f"blocks.0.{name}.weight": np.zeros((4, 4)) for name in ("attention", "mlp1", "mlp2", "norm1")},
               "the most similar is torch.nn.TransformerEncoder;": {
                   f"norm.{name}": np.ones(D) for name in ("weight", "bias")},
               "unknown names (2): layers.1.gate.weight, norm.scale": half_placed,
               "lacks layers.0.norm1.weight; a LayerNorm(elementwise_affine=False) adds nothing to the": bare,
               "add_bias_kv=True (bias_k, bias_v)": arrays_of(nn.MultiheadAttention(D, HEADS, add_bias_kv=True)),
               "(with 2 layers in the encoder and 1 in the decoder), but lacks decoder.layers.0.multihead_attn.in": {
                   name: value for name, value in arrays_of(nn.Transformer(D, HEADS, 2, 1, D_FF)).items()
                   if "decoder.layers.0.multihead_attn" not in name}}
    for words, arrays in foreign.items():
        path = str(state_file(tmp_path, arrays))
        assert words in problem("import", path, "--heads", "3", "-o", str(tmp_path / "w.npz"))
        assert not (tmp_path / "w.npz").exists()
        assert attntrace("weights", "info", path).code in (0, 2)


@pytest.mark.parametrize("heads", ((), ("--heads", "5"), ("--heads", "0"), ("--heads", "-3")), ids=" ".join)
def test_heads_that_are_missing_or_do_not_divide_are_answered_with_those_that_do(tmp_path, heads):
    path = str(state_file(tmp_path, encoder_state()))
    assert "give --heads 1, 2, 3, 4, 6 or 12" in problem("import", path, *heads, "-o", str(tmp_path / "w.npz"))


@pytest.mark.parametrize("name, value, words", (
    ("layers.0.linear1.bias", np.zeros(7), "layers.0.linear1.bias of {} has shape 7, but its other arrays require 20"),
    ("layers.1.self_attn.in_proj_weight", np.zeros((12, 36)), "shape 12 × 36, but its other arrays require 36 × 12"),
    ("layers.0.self_attn.out_proj.weight", np.zeros(12), "has shape 12, but its other arrays require a matrix"),
    ("layers.1.norm2.weight", np.array([1.0] * 11 + [np.nan]), "layers.1.norm2.weight:12 of {} is nan"),
    ("layers.0.linear1.weight", np.zeros((20, 12), int), "layers.0.linear1.weight of {} contains int64"),
    ("layers.0.linear1.weight", np.zeros((20, 12), complex), "layers.0.linear1.weight of {} contains complex128"),
    ("layers.0.table", np.zeros((20, 12), complex), "unknown names (1): layers.0.table"),
    ("layers.0.linear1.weight", np.zeros((20, 12), object), "contains a pickled object (layers.0.linear1.weight)")),
    ids=lambda value: value if isinstance(value, str) else "")
def test_array_that_is_wrong_is_named_as_pytorch_names_it(tmp_path, name, value, words):
    path = state_file(tmp_path, encoder_state() | {name: value})
    assert words.format(path) in problem("import", str(path), "--heads", "3", "-o", str(tmp_path / "w.npz"))


@pytest.mark.parametrize("ending", ("npz", "safetensors"))
def test_file_cut_off_anywhere_is_broken_and_stays_as_it_was(tmp_path, ending):
    save_file = pytest.importorskip("safetensors.numpy").save_file
    path = tmp_path / f"state.{ending}"
    (np.savez(path, **encoder_state()) if ending == "npz" else save_file(encoder_state(), path))
    whole = path.read_bytes()
    for end in range(0, len(whole), len(whole) // 15):
        path.write_bytes(whole[:end])
        assert "is broken" in problem("import", str(path), "--heads", "3", "-o", str(tmp_path / "w.npz"))
        assert "is broken" in problem("info", str(path))
        assert path.read_bytes() == whole[:end] and list(tmp_path.iterdir()) == [path]


def test_safetensors_that_claims_gigabytes_costs_nothing(tmp_path):
    pytest.importorskip("safetensors")
    header = b'{"in_proj_weight":{"dtype":"F64","shape":[30000000,1000],"data_offsets":[0,240000000000]}}'
    (tmp_path / "s.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    assert "is broken" in problem("import", str(tmp_path / "s.safetensors"), "-o", str(tmp_path / "w.npz"))


def test_a_state_file_is_never_written_over(tmp_path):
    path, weights = state_file(tmp_path, encoder_state()), str(tmp_path / "w.npz")
    whole = path.read_bytes()
    assert "choose another output file" in problem("import", str(path), "--heads", "3", "-o", str(path))
    assert path.read_bytes() == whole
    assert attntrace("weights", "import", str(path), "--heads", "3", "-o", weights).code == 0
    assert load(Path(weights)).config.part == "encoder"
    assert "is already an attntrace weights file" in problem("import", weights, "--heads", "3", "-o", "else.npz")


def test_what_pytorch_cannot_have_is_left_out_filled_up_or_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert attntrace("weights", "new", "a cat", "--target", "un chat", "-o", "w.npz").code == 0
    out = attntrace("weights", "export", "w.npz", "-o", "s.npz").out
    assert "encoder.E, decoder.E, output.W" in out and "positions" in out and "bias=False" in out
    assert not [name for name in np.load("s.npz") if name.endswith("bias")]
    found = dict(np.load("w.npz"))
    found["encoder.layer1.feed_forward.b_1"][3] = 1
    np.savez("w.npz", **found)
    out = attntrace("weights", "export", "w.npz", "-o", "s.npz").out
    assert "written as zeros: encoder.layer1.self_attention.b_Q" in out and "bias=True" in out
    assert not np.load("s.npz")["encoder.layers.0.self_attn.in_proj_bias"].any()
    for scale, code in (("3", 2), ("2", 0)):  # √d_k is 2
        attntrace("weights", "new", "a cat", "--score-scale", scale, "-o", "w.npz")
        assert attntrace("weights", "export", "w.npz", "-o", "s.npz").code == code
