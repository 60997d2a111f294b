"""Every number of a run against PyTorch: its functions, its gradients, its optimizers."""
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from random_model import SENTENCE, WIRINGS, random_model  # noqa: E402
from recompute import log_of  # noqa: E402

from attntrace.runs.prepare import prepare  # noqa: E402
from attntrace.runs.training_step import prepare_training_step  # noqa: E402
from attntrace.verify import torch as against  # noqa: E402
from attntrace.verify.recompute import Log  # noqa: E402

TARGET_WORDS = "I went"  # after <s>: 3 tokens
TOLERANCES = {"float64": 1e-12, "float32": 1e-5}
torch.set_num_threads(1)  # these matrices are tiny


@pytest.fixture(scope="module", params=[(wiring, biases, dtype) for wiring in WIRINGS for biases in (True, False)
                                        for dtype in TOLERANCES],
                ids=lambda param: f"{param[0]}-{'biases' if param[1] else 'no_biases'}-{param[2]}")
def weights(request, tmp_path_factory) -> Path:
    wiring, biases, dtype = request.param
    return random_model(biases, dtype=dtype, **WIRINGS[wiring]).write(tmp_path_factory.mktemp("torch") / "model.npz")


def test_every_step_is_what_pytorch_computes(weights, monkeypatch):
    """The comparison of `verify --against torch`, with a smaller tolerance."""
    monkeypatch.setattr(against, "TOLERANCES", TOLERANCES)
    assert_agrees(log_of(prepare(SENTENCE, TARGET_WORDS, weights=weights)), 100)


@pytest.mark.parametrize("optimizer, smoothing", (("sgd", 0.0), ("adam", 0.1)))
def test_every_gradient_and_update_is_what_pytorch_computes(weights, optimizer, smoothing):
    """The sentences repeat words."""
    step = prepare_training_step("나는 어제 나는 에 갔었어", "I went I", weights=weights, optimizer=optimizer,
                                 smoothing=smoothing)
    assert_agrees(log_of(step), 400)


@pytest.mark.parametrize("over", ("others", "words"))
def test_labels_smoothed_in_other_ways_are_what_pytorch_computes(tmp_path, over):
    file = random_model(shared_embeddings="decoder").write(tmp_path / "model.npz")
    assert_agrees(log_of(prepare_training_step("나는 어제", "I went I", weights=file, smoothing=0.3, over=over)), 400)


def assert_agrees(log: Log, least: int) -> None:
    verdicts = list(against.compared(log))
    assert [verdict.address for verdict in verdicts] == list(log.steps) and len(verdicts) > least
    assert [verdict for verdict in verdicts if verdict.wrong] == []
