"""Models of one stack with words and an output layer: a GPT, and an encoder that predicts."""
import json
from pathlib import Path

import numpy as np
import pytest
from command import attntrace, refusal
from random_model import SIZES, TARGET, TRANSLATION, random_model

from attntrace import trace
from attntrace.files.weights import load
from attntrace.runs.prepare import prepare
from attntrace.runs.run import Run
from attntrace.runs.training_step import prepare_training_step
from attntrace.tracing.trace import Step

LABELS = "went to the"
PARTS = {"encoder": "encoder_only", "decoder": "decoder_only"}


def steps_of(run: Run) -> list[Step]:
    steps: list[Step] = []
    run(steps.append)
    return steps


def one_stack(path: Path, stack: str, **config: object) -> Path:
    """The numbers of the decoder of a whole model, without what attends to the encoder."""
    whole = random_model(**config)
    own = {name.replace("decoder.", f"{stack}."): value for name, value in whole.parameters.items()
           if not name.startswith("encoder.") and "cross_attention" not in name}
    words = {"target": list(TARGET)} | ({"source": list(TARGET)} if stack == "encoder" else {})
    described = {"part": PARTS[stack], **SIZES, **config}
    path.write_text(json.dumps({"config": described, "vocabulary": words,
                                "parameters": {name: value.tolist() for name, value in own.items()}}), "utf-8")
    return path


def test_a_decoder_alone_is_one_whose_cross_attention_adds_nothing(tmp_path):
    whole = random_model(norm="pre", final_norm=True)
    silent = {name: value * ("cross_attention.W_O" not in name and "cross_attention.b_O" not in name)
              for name, value in whole.parameters.items()}
    both = prepare("나는", TRANSLATION, weights=whole._replace(parameters=silent).write(tmp_path / "whole.npz"))
    alone = prepare("I", weights=one_stack(tmp_path / "w.json", "decoder", norm="pre", final_norm=True))
    expected, found = ({step.address: step.value for step in steps_of(run)}
                       for run in (both, alone._replace(source=both.target)))
    assert found.keys() == {name for name in expected if name[:7] != "encoder" and "cross_attention" not in name}
    for name, value in found.items():
        assert np.allclose(value, expected[name], rtol=0, atol=1e-12), name


@pytest.mark.parametrize("norm", ("post", "pre"))
def test_an_encoder_alone_that_is_causal_computes_what_a_decoder_alone_does(tmp_path, norm):
    decoder = trace(TRANSLATION, weights=one_stack(tmp_path / "d.json", "decoder", norm=norm))
    encoder = trace(TRANSLATION, weights=one_stack(tmp_path / "e.json", "encoder", norm=norm, causal=True))
    seeing = trace(TRANSLATION, weights=one_stack(tmp_path / "s.json", "encoder", norm=norm))
    assert np.array_equal(decoder["logits"].value, encoder["logits"].value)
    assert np.abs(seeing["logits"].value - encoder["logits"].value).max() > 0.01
    assert [address.replace("decoder", "encoder") for address in decoder] == [*encoder]


@pytest.mark.parametrize("norm", ("post", "pre"))
def test_a_decoder_alone_is_the_masked_encoder_of_pytorch(tmp_path, norm):
    torch = pytest.importorskip("torch")
    model = load(one_stack(tmp_path / "w.json", "decoder", norm=norm, activation="gelu"))
    steps = trace(TRANSLATION, weights=tmp_path / "w.json")
    layer = torch.nn.TransformerEncoderLayer(12, 3, 20, 0.0, "gelu", batch_first=True, norm_first=norm == "pre",
                                             dtype=torch.float64)
    module = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    state = {}
    for n in (1, 2):
        own = {name.split(f"layer{n}.")[1]: torch.from_numpy(np.array(tensor.value).T)
               for name, tensor in model.parameters.by_name.items() if f"layer{n}." in name}
        at, feeds = "self_attention.", "feed_forward."
        state |= {f"layers.{n - 1}.{theirs}": value for theirs, value in {
            "self_attn.in_proj_weight": torch.cat([own[f"{at}W_{letter}"] for letter in "QKV"]),
            "self_attn.in_proj_bias": torch.cat([own[f"{at}b_{letter}"] for letter in "QKV"]),
            "self_attn.out_proj.weight": own[f"{at}W_O"], "self_attn.out_proj.bias": own[f"{at}b_O"],
            "linear1.weight": own[f"{feeds}W_1"], "linear1.bias": own[f"{feeds}b_1"],
            "linear2.weight": own[f"{feeds}W_2"], "linear2.bias": own[f"{feeds}b_2"],
            "norm1.weight": own[f"{at}gain"], "norm1.bias": own[f"{at}bias"],
            "norm2.weight": own[f"{feeds}gain"], "norm2.bias": own[f"{feeds}bias"]}.items()}
    module.load_state_dict(state)
    module.train()  # without dropout: nothing is fused
    x = torch.from_numpy(np.array(steps["decoder.input"].value))[None]
    expected = module(x, mask=torch.ones(3, 3).triu(1).bool())[0].detach().numpy()
    assert np.abs(steps["decoder.output"].value - expected).max() < 1e-12


def test_a_worksheet_of_embedding_attention_and_output_layer_alone_runs(tmp_path):
    """Six words of three numbers, one head, no residual, norm or feed-forward; worked by NumPy."""
    words = ["your", "journey", "starts", "with", "one", "step"]
    random = np.random.default_rng(5)
    E, W, V = random.uniform(0, 1, (6, 3)), random.uniform(-1, 1, (4, 3, 3)), random.uniform(-1, 1, (3, 6))
    at = "encoder.layer1.self_attention."
    config = {"part": "encoder_only", "d_model": 3, "heads": 1, "layers": 1, "position": "none", "norm": "none",
              "scale_embedding": False, "residual": False, "feed_forward": False}
    (tmp_path / "w.json").write_text(json.dumps({
        "config": config, "vocabulary": {"source": words, "target": words},
        "parameters": {"encoder.E": E.tolist(), "output.W": V.tolist(),
                       **{f"{at}W_{letter}": matrix.tolist() for letter, matrix in zip("QKVO", W)}}}), "utf-8")
    scores = np.exp((E @ W[0]) @ (E @ W[1]).T / 3 ** 0.5)
    logits = scores / scores.sum(1, keepdims=True) @ (E @ W[2]) @ W[3] @ V
    steps = trace(" ".join(words), weights=tmp_path / "w.json")
    assert np.abs(steps["logits"].value - logits).max() < 1e-12
    assert {step.name for step in steps.steps}.isdisjoint({"residual", "norm", "hidden", "positional_encoding"})
    assert attntrace("verify", " ".join(words), "--weights", str(tmp_path / "w.json")).code == 0


@pytest.mark.parametrize("stack", PARTS)
def test_gradients_of_one_stack_agree_with_differences(tmp_path, stack):
    step = prepare_training_step(TRANSLATION, LABELS, weights=one_stack(tmp_path / "w.json", stack, layers=1))
    vector, found = step.run.parameters.vector, {}
    step(lambda one: found.setdefault(one.address, one.value))
    names = step.run.parameters.by_name
    gradient = np.concatenate([found[f"gradient.{name}"].ravel() for name in names])
    direction, start, ends = np.random.default_rng(2).standard_normal(vector.size), vector.copy(), []
    for h in (1e-6, -1e-6):
        vector[:] = start + h * direction
        ends.append(step.losses()[0])
    vector[:] = start
    assert abs(gradient @ direction - (ends[0] - ends[1]) / 2e-6) < 1e-6 * max(1, abs(gradient @ direction))


@pytest.mark.parametrize("stack", PARTS)
def test_every_command_takes_a_model_of_one_stack(tmp_path, stack):
    file, saved = str(one_stack(tmp_path / "w.json", stack)), str(tmp_path / "run.npz")
    of = TRANSLATION, "--weights", file
    page = attntrace("trace", *of, "--save", saved).out
    for words in (("trace", *of, "--format", "html"), ("map", *of, "--lang", "ko"),
                  ("steps", *of), ("why", "output.logits:1,1", *of), ("verify", *of), ("show", "--from", saved),
                  ("compare", *of, "--what-if", "--norm pre"), ("weights", "info", file),
                  ("weights", "info", file, "--words"),
                  ("backprop", TRANSLATION, LABELS, "--weights", file, "--check", "--only", "gradient.output.*"),
                  ("verify", TRANSLATION, "--target", LABELS, "--weights", file, "--backprop")):
        code, out, errors = attntrace(*words)
        assert (code, errors) == (0, "") and out, words
    assert f"{stack} input  1:I  2:went  3:to" in page and "Linear" not in page
    assert f"{stack.title()}, layer 2: where each" in page and "next word" in page


def test_what_one_stack_cannot_do_is_refused(tmp_path):
    file = str(one_stack(tmp_path / "w.json", "decoder"))
    of = "--weights", file
    assert "has only one stack and reads only the sentence" in refusal("trace", "I", "--target", "went", *of)
    for more in ((), ("--trace",)):
        assert "with only one stack, and cannot translate" in refusal("translate", "I went", *of, *more)
    assert "of the sentence, but the target has 1" in refusal("backprop", "I went", "to", *of)
    assert "has part decoder_only" in refusal("weights", "export", file, "-o", str(tmp_path / "s.npz"))
    whole = json.loads(Path(file).read_text("utf-8"))
    whole["vocabulary"]["source"] = ["a"]
    Path(file).write_text(json.dumps(whole), "utf-8")
    assert "has vocabulary.source, but part decoder_only has no encoder" in refusal("trace", "I", *of)


def test_a_drawn_model_of_one_stack_has_the_words_of_its_sentence():
    for part, stack in (("decoder_only", "decoder"), ("encoder_only", "encoder")):
        steps = trace("a b a", part=part)
        assert steps["output.probabilities"].axes[1].labels == ("<s>", "</s>", "a", "b")
        assert steps[f"{stack}.output"].value.shape == (3, 8)


def test_the_answer_says_what_comes_out_of_one_stack_and_what_to_try(tmp_path):
    decoder, encoder = (str(one_stack(tmp_path / f"{stack}.json", stack)) for stack in ("decoder", "encoder"))
    page = attntrace("trace", TRANSLATION, "--weights", decoder, "-q").out
    for word, row in zip(TRANSLATION.split(), trace(TRANSLATION, weights=decoder)["probabilities"].value):
        assert any(line.split()[0] == word and line.endswith(f" {TARGET[row.argmax()]} {row.max():.2f}")
                   for line in page.splitlines() if line.strip()), page
    assert f"output.probabilities, 3 × {len(TARGET)}" in attntrace("trace", TRANSLATION, "--weights", encoder, "-q").out
    for file in (decoder, encoder):
        tries = attntrace("weights", "info", file).out.partition("Try next:")[2]
        assert "attntrace map" in tries and "translate" not in tries


@pytest.mark.parametrize("stack", PARTS)
def test_one_stack_learns_positions_and_shares_its_table(tmp_path, stack):
    path = one_stack(tmp_path / "w.json", stack, position="learned", max_positions=5, shared_embeddings="decoder")
    text = path.read_text("utf-8")
    path.write_text(text.replace('"shared_embeddings": "decoder"', '"shared_embeddings": "all"'), "utf-8")
    file = str(path)
    for words in ((TRANSLATION,), (TRANSLATION, "--target", LABELS, "--backprop")):
        assert attntrace("verify", *words, "--weights", file).code == 0
    assert "gradient.shared.E.from" in attntrace(
        "backprop", TRANSLATION, LABELS, "--weights", file, "--only", "gradient.shared.*").out
