"""The Python API: runs as mappings of arrays, weights of one's own, and exceptions that Python has for bad input."""
import inspect
import json
import pickle
import re
import subprocess
import sys
from html import unescape

import numpy as np
import pytest
from command import ROOT, attntrace

import attntrace as api
from attntrace.api import Arguments
from attntrace.cli.options import ModelOptions
from attntrace.model.config import ENTRIES
from attntrace.testing import check

CAT, CHAT = "this is a cat", "un chat"
SELF = "encoder.layer1.self_attention"


@pytest.fixture(scope="module")
def run():
    return api.trace(CAT, CHAT)


@pytest.fixture(scope="module")
def step():
    return api.backprop(CAT, CHAT, lr=0.1)


@pytest.fixture(scope="module")
def translation():
    return api.translate("어제 카페 갔었어")


def test_the_module_shows_its_public_names_and_imports_nothing_for_them():
    code = "import sys, attntrace; print(dir(attntrace) == sorted(attntrace.__all__), 'numpy' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert process.stdout == "True False\n"
    assert all(getattr(api, name) is not None and getattr(api, name).__doc__ for name in api.__all__
               if name != "__version__")


def test_every_option_of_the_model_is_an_argument():
    renamed = {"input": "inputs"}
    options = {renamed.get(name, name) for name in ModelOptions._fields} - {"entries", "sentence", "target"}
    assert {*Arguments.__annotations__} == {*ENTRIES, *options}
    for function in (api.trace, api.backprop, api.translate, api.parameter_shapes):
        assert {*Arguments.__annotations__, "sentence"} <= {*inspect.signature(function).parameters}


def test_a_run_is_a_mapping_whose_arrays_follow_from_its_parameters(run):
    E, W_Q, W_K = (run.parameters[name] for name in ("encoder.E", f"{SELF}.W_Q", f"{SELF}.W_K"))
    angles = np.arange(4)[:, None] / 10_000 ** (np.arange(0, 8, 2) / 8)
    X = E[2:] * np.sqrt(8) + np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(4, 8)
    head = slice(4, 8)
    scores = X @ W_Q[:, head] @ (X @ W_K[:, head]).T
    powers = np.exp(scores / 2)
    assert np.allclose(run[f"{SELF}.head2.scores"], scores, rtol=0, atol=1e-12)
    assert np.allclose(run.to_dict()[f"{SELF}.head2.weights"], powers / powers.sum(axis=1, keepdims=True))
    assert [*run] == [address for address, _ in run.items()] == [step.address for step in run.steps]
    assert run.find("cross_attention.head1.S") == "decoder.layer1.cross_attention.head1.scores"
    assert "cross_attention.head1.scores" in run and "head1.scores" not in run
    assert run.tokens == (("this", "is", "a", "cat"), ("<s>", "un", "chat"))
    assert run.logits.shape == (3, 4) and run.config.heads == 2 and run.get("nothing") is None


def test_an_array_knows_its_step_and_what_is_computed_from_it_does_not(run):
    scores = run[f"{SELF}.head1.scores"]
    assert (scores.formula(), scores.labels) == ("S = Q Kᵀ", ("this", "is", "a", "cat"))
    assert [axis.name for axis in scores.axes] == ["token", "key"] and isinstance(scores, np.ndarray)
    for derived in (scores + 1, scores[0], scores @ scores, scores.sum(axis=0), np.exp(scores), scores[0, 0]):
        assert not isinstance(derived, api.TracedArray)
    assert type(scores.sum()) is type(np.ones(2).sum())
    assert not hasattr(scores.T, "axes") and "key 4, S = Q Kᵀ>\n" in repr(scores)
    with pytest.raises(ValueError, match="read-only"):
        scores[0, 0] = 1


# Weights
def test_arrays_of_the_listed_shapes_are_a_model():
    shapes = api.parameter_shapes("a b", d_model=2, heads=1, d_ff=1)
    weights = {name: np.zeros(shape) for name, shape in shapes.items()}
    weights["encoder.E"] = [[9, 9], [9, 9], [1, 0], [0, 1]]  # <s>, </s>, a, b
    weights[f"{SELF}.W_V"] = weights[f"{SELF}.W_O"] = np.eye(2)
    run = api.trace("a b", weights=weights, d_model=2, heads=1, d_ff=1, position="none", scale_embedding=False)
    assert run["self_attention.output"].tolist() == [[0.5, 0.5]] * 2  # the mean of both words, as all scores are 0
    assert shapes["encoder.layer1.feed_forward.W_1"] == (2, 1) and not any(".b_Q" in name for name in shapes)
    assert f"{SELF}.b_Q" in api.parameter_shapes("a b", optional=True)


def test_own_weights_give_the_same_run_again_by_name_or_as_a_whole_model(run):
    assert api.trace(CAT, CHAT, weights=run.parameters).fingerprint == run.fingerprint
    assert api.trace(CAT, CHAT, weights=run.weights).fingerprint == run.fingerprint
    assert run.fingerprint in attntrace("trace", CAT, "--target", CHAT).out
    fewer = api.trace("a cat", weights=run.weights)
    assert np.array_equal(fewer["encoder.embedding"], run["encoder.embedding"][2:])


def test_an_open_weights_file_is_a_mapping_too(tmp_path):
    assert attntrace("weights", "new", CAT, "--norm", "pre", "-o", str(tmp_path / "w.npz")).code == 0
    with np.load(tmp_path / "w.npz") as file:
        assert api.trace(CAT, weights=file).fingerprint == api.trace(CAT, norm="pre").fingerprint


def test_rows_and_masks_are_files_or_arrays(run, tmp_path):
    rows = {"encoder.input": run["encoder.input"], "decoder.input": run["decoder.input"]}
    again = api.trace(CAT, CHAT, weights=run.parameters, inputs=rows)
    assert np.array_equal(again.logits, run.logits) and "encoder.embedding" not in again
    hidden = np.triu(np.ones((4, 4), bool), 1)
    np.save(tmp_path / "mask.npy", hidden)
    one, other, causal = (api.trace(CAT, **more) for more in (
        {"mask": hidden}, {"mask": tmp_path / "mask.npy"}, {"causal": True}))
    assert one.fingerprint == other.fingerprint
    assert np.array_equal(one["encoder.output"], causal["encoder.output"])


def test_a_model_without_words_starts_from_rows(run):
    bare = {name: array for name, array in run.parameters.items() if name.startswith("encoder.layer1")}
    again = api.trace(None, weights=bare, inputs=run["encoder.input"])
    assert np.array_equal(again["encoder.output"], run["encoder.output"])
    attention = {name: array for name, array in bare.items() if name.rpartition(".W_")[2] in "QKVO"}
    alone = api.trace(CAT, weights=attention, inputs=[run["encoder.input"].tolist()], part="attention")
    assert np.array_equal(alone[f"{SELF}.output"], run[f"{SELF}.output"])


def test_edits_are_arguments(run):
    edited = api.trace(CAT, CHAT, set={"output.W:1,2": 0.5}, swap="1,4")
    assert edited.parameters["output.W"][0, 1] == 0.5 and edited.tokens.source == ("cat", "is", "a", "this")
    ablated = api.trace(CAT, ablate="head1")
    assert not ablated.parameters["W_O"][:4].any() and ablated.parameters["W_O"][4:].all()


# Training steps, translations, differences
def test_a_training_step_moves_every_parameter_against_its_gradient(step):
    assert {*step.gradients} == {*step.parameters} == {*step.updated}
    for name, gradient in step.gradients.items():
        assert np.allclose(step.updated[name], step.parameters[name] - 0.1 * gradient, rtol=0, atol=1e-12), name
    after = api.backprop(CAT, CHAT, weights={**step.weights, **step.updated})
    assert after.loss == pytest.approx(step.loss_after, abs=1e-12) and after.loss < step.loss


def test_a_gradient_is_the_slope_of_the_loss(step):
    name, size = "output.W", 1e-6
    moved = []
    for sign in (1, -1):
        matrix = step.parameters[name].copy()
        matrix[2, 3] += sign * size
        moved.append(api.backprop(CAT, CHAT, weights={**step.parameters, name: matrix}).loss)
    assert step.gradients[name][2, 3] == pytest.approx((moved[0] - moved[1]) / (2 * size), abs=1e-7)


def test_a_translation_is_that_of_the_command(translation):
    assert str(translation) == attntrace("translate", "어제 카페 갔었어", "-q").out.strip()
    assert translation.words[-1] == "</s>" and [*translation.words] == [
        translation[f"step{n + 1}.output.logits"].axes[1].labels[row.argmax()]
        for n, row in enumerate(translation.logits)]
    assert translation.alternatives(2)[0].words == translation.words
    assert str(api.translate("I went to the cafe")) == attntrace("translate", "I went to the cafe", "-q").out.strip()


def test_runs_differ_from_where_their_weights_do(run):
    assert not api.compare(run, api.trace(CAT, CHAT))
    changed = {**run.parameters, "decoder.layer1.feed_forward.W_1": np.zeros((8, 16))}
    difference = api.compare(run, api.trace(CAT, CHAT, weights=changed))
    first = "decoder.layer1.feed_forward.hidden"
    assert difference.first == first and "decoder.layer1.feed_forward.W_1" in difference
    assert difference[first].largest == pytest.approx(np.abs(run[first]).max(), abs=1e-12)  # b_1 is 0
    assert not any(address.startswith("encoder") for address in difference)
    assert re.search(rf"steps differ; the first is {first}\.", repr(difference))


# Pages and files
def test_why_is_the_arithmetic_of_the_command_for_positions_and_for_words(run):
    command = attntrace("why", f"{SELF}.head1.scores:2,3", CAT, "--target", CHAT, "--depth", "1").out
    page = repr(run.why(f"{SELF}.head1.scores", 2, "a", depth=1))
    assert [line for line in page.splitlines() if " = " in line or "≈" in line] == [
        line for line in command.splitlines() if (" = " in line or "≈" in line) and "$" not in line]
    assert repr(run.why(f"{SELF}.head1.scores:is,3", depth=1)) == page and "--" not in page
    value = f"{run.parameters['output.W'][0, 1]:.3f}"
    assert value in repr(run.why("output.W", 1, 2)) and "<html" in run.why("output.W", 1, 2).html()


def test_a_run_is_saved_and_written_as_html_without_commands(run, step, translation, tmp_path):
    run.save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as file:
        assert all(np.array_equal(file[address], array) for address, array in run.items())
    assert attntrace("verify", "--from", str(tmp_path / "run.npz")).code == 0
    for one in (run, step, translation):
        text = one.html(tmp_path / "run.html", **({} if one is translation else {"only": "*.head1.scores"}))
        assert text == (tmp_path / "run.html").read_text("utf-8") and "$ attntrace" not in unescape(text)
        assert "un chat" in text or "cafe" in text


# Bad input
@pytest.mark.parametrize("arguments, kind, message", [
    ({"d_modle": 8}, TypeError, r"no argument d_modle \(did you mean d_model\?\)"),
    ({"n_heads": 8}, TypeError, r"did you mean heads\?"),
    ({"heads": 3}, ValueError, "heads=3 does not divide d_model=8; .* both d_k and d_v"),
    ({"norm": "foo"}, ValueError, 'norm is "foo"; it must be post, pre or none'),
    ({"norm_variance": "sample", "d_model": 1, "heads": 1}, ValueError, 'use norm_variance="population"'),
    ({"sentence": ["a"]}, TypeError, "sentence must be str, not list"),
    ({"sentence": None}, TypeError, "sentence must be str, not NoneType"),
    ({"weights": "ko-em"}, FileNotFoundError, r"did you mean ko-en\?"),
    ({"weights": "ko-en", "heads": 2}, ValueError, "heads cannot be used with a weights file"),
    ({"weights": 3}, TypeError, "weights must be .* not int"),
    ({"weights": {}}, ValueError, "weights lacks parameter encoder.E"),
    ({"weights": {"encoder.E": [[1.0]]}}, ValueError, "encoder.E of weights has shape 1 × 1"),
    ({"weights": {"encoder.E": [[1], [1, 2]]}}, ValueError, "encoder.E"),
    ({"weights": {"config": {"d_model": 8}}}, ValueError, "config of weights"),
    ({"inputs": [[1, 2], [3]]}, ValueError, "inputs"),
    ({"inputs": np.ones((2, 3))}, ValueError, "encoder.input of inputs has shape 2 × 3"),
    ({"mask": np.ones((2, 2))}, ValueError, "mask"),
    ({"pad": 0}, ValueError, "pad is 0"),
    ({"seed": -1}, ValueError, "seed is -1"),
    ({"unknown": "x"}, ValueError, "unknown is \"x\"; it must be error or unk"),
    ({"pencil": 12}, ValueError, "pencil is 12"),
    ({"ablate": 3}, TypeError, "ablate must be"),
    ({"set": {"output.W": 1}}, ValueError, "set"),
    ({"ids": True}, ValueError, "give one with weights")], ids=str)
def test_a_wrong_argument_is_the_exception_that_python_has_for_it(arguments, kind, message):
    with pytest.raises(kind, match=message) as raised:
        api.trace(**{"sentence": CAT} | arguments)
    assert isinstance(raised.value, api.Problem) and "--" not in str(raised.value)


@pytest.mark.parametrize("wrong, kind, message", [
    (lambda run: run["head1.scoers"], KeyError, "did you mean .*head1.scores"),
    (lambda run: run["head1.scores"], KeyError, "matches 3 tensors"),
    (lambda run: run[0], TypeError, "address must be str"),
    (lambda run: api.trace(CAT)["output.logits"], KeyError, 'only in a run with a target; .* target="un chat"'),
    (lambda run: run.why("output.logits", 4, 1), IndexError, "no token 4"),
    (lambda run: run.why("output.logits", -1, 1), IndexError, "a number from 1 to 3"),
    (lambda run: run.why("output.logits", 1), IndexError, "needs 2"),
    (lambda run: run.why("output.logits", 1, "dog"), KeyError, "no dog"),
    (lambda run: run.why("output.logits", 1, 1.0), TypeError, "position must be"),
    (lambda run: run.why("output.logits", 1, 1, depth=-1), ValueError, "depth is -1; it must be 0, 1, 2"),
    (lambda run: run.html(only="nothing*"), ValueError, r"^only nothing\* matches no step"),
    (lambda run: check(3, CAT), TypeError, "arrays must be Mapping, not int"),
    (lambda run: check({3: [1.0]}, CAT), ValueError, "called 3;"),
    (lambda run: check({"head1.scores": [1.0]}, CAT, tolerance=-1), ValueError, "tolerance is -1; .* 0 or more"),
    (lambda run: check({"head1.scores": [1.0]}, CAT, tolerance="x"), ValueError, 'tolerance is "x"'),
    (lambda run: run.save("run.txt"), ValueError, "path"),
    (lambda run: run.save("/nowhere/run.npz"), FileNotFoundError, "/nowhere"),
    (lambda run: run.html("/"), OSError, "is a directory"),
    (lambda run: run.html(form="x"), ValueError, "both, vector or matrix"),
    (lambda run: run.parameters["W_X"], KeyError, "W_X"),
    (lambda run: api.compare(run, {}), TypeError, "other must be TracedRun, not dict"),
    (lambda run: api.backprop(CAT, CHAT, optimizer="x"), ValueError, "sgd or adam"),
    (lambda run: api.backprop(CAT, CHAT, lr=0), ValueError, "lr is 0"),
    (lambda run: api.backprop(CAT, CHAT, label_smoothing=1), ValueError, "label_smoothing is 1"),
    (lambda run: api.backprop(CAT, CHAT, smoothing=0.1), TypeError, r"did you mean label_smoothing"),
    (lambda run: api.translate("어제", max_length=0), ValueError, "max_length is 0"),
    (lambda run: api.translate("어제", weights=api.trace("어제").weights), ValueError, "only an encoder")])
def test_what_a_run_does_not_have_is_the_exception_that_python_has_for_it(run, wrong, kind, message):
    with pytest.raises(kind, match=message) as raised:
        wrong(run)
    assert isinstance(raised.value, api.Problem)


def test_an_exception_of_another_process_arrives():
    with pytest.raises(KeyError) as raised:
        api.trace(CAT)["nothing"]
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is raised.type and str(again) == str(raised.value)


def test_messages_are_in_the_language_of_the_environment(monkeypatch):
    monkeypatch.setenv("ATTNTRACE_LANG", "ko")
    with pytest.raises(ValueError, match="^heads=3: d_model 값.*d_k와 d_v를"):
        api.trace("어제", heads=3)
    with pytest.raises(ValueError, match="^ids 인자에는 .* weights 인자로 지정하세요$"):
        api.trace("어제", ids=True)


def test_a_sink_receives_the_steps_and_none_is_kept():
    addresses: list[str] = []
    run = api.trace(CAT, sink=lambda step: addresses.append(step.address))
    assert len(run) == 0 and addresses == [*api.trace(CAT)]
    assert json.dumps(run.weights["config"])  # plain values
