"""Weights drawn as small integers: products are done in the head, and no attention is saturated."""
import json

import numpy as np
import pytest
from command import attntrace

from attntrace.model.config import Config
from attntrace.runs.prepare import prepare

SOURCE = "the cat sleeps on a red mat today"
TARGET = "le chat dort sur un tapis rouge"
SIZES = [(2, 4, 1, 1), (8, 4, 4, 2), (5, 6, 3, 1), (8, 8, 2, 2), (3, 10, 1, 1), (7, 12, 4, 2), (4, 14, 2, 1),
         (8, 16, 4, 2), (6, 16, 1, 2)]


def integers(words: int = 3, d_model: int = 8, heads: int = 2, layers: int = 1, seed: int = 0,
             pencil: int | None = None, **wiring: str):
    """A run on so many words, with a decoder."""
    source, target = (" ".join(text.split()[:words]) for text in (SOURCE, TARGET))
    config = Config(d_model=d_model, heads=heads, layers=layers, **wiring)
    return prepare(source, target, config=config, seed=seed, init="integers", pencil=pencil)


def largest_weight(run) -> float:
    """Of the rows in which several words may be looked at."""
    found = [0.0]

    def look(step):
        if step.is_attention:
            several = np.isfinite(step.node.operands[0].value).sum(axis=1) > 1
            found.append(step.value[several].max(initial=0.0))

    run(look)
    return max(found)


@pytest.mark.parametrize("words, d_model, heads, layers", SIZES)
def test_no_attention_is_saturated(words, d_model, heads, layers):
    for seed in range(words, 31, 15):
        assert largest_weight(integers(words, d_model, heads, layers, seed)) <= 0.9


@pytest.mark.parametrize("pencil", [2, 3])
def test_no_attention_is_saturated_by_hand(pencil):
    assert largest_weight(integers(5, 4, 2, 2, 1, pencil)) <= 0.99
    assert largest_weight(integers(4, 4, 1, 1, 2, pencil, norm="pre")) <= 0.99


def test_all_of_five_numbers_occur_and_no_others():
    for seed in range(5):
        run = integers(2, 4, 1, seed=seed)
        assert set(run.parameters.vector.tolist()) == {-2, -1, 0, 1, 2}
        for tensor in run.parameters:
            name = tensor.address.rpartition(".")[2]
            if name in ("gain", "bias", "b_1", "b_2"):
                assert (tensor.value == (name == "gain")).all()


def test_a_column_has_one_or_two_numbers_and_a_word_two_or_three():
    for tensor in integers(8, 16, 4, 2).parameters:
        name = tensor.address.rpartition(".")[2]
        there = (tensor.value != 0).sum(axis=1 if name == "E" else 0)
        if name in ("W_Q", "W_V", "W_O", "W_1", "W_2"):
            assert set(there.tolist()) <= {1, 2}
            assert np.mean(tensor.value**2) * len(tensor.value) == pytest.approx(2.6, abs=0.6)
        if name in ("E", "W"):
            assert set(there.tolist()) <= {2, 3}


def test_different_words_have_different_embeddings():
    for seed in range(5):
        E = integers(8, 4, 1, seed=seed).parameters["encoder.E"].value
        assert len({tuple(row) for row in E.tolist()}) == len(E)


def test_the_seed_changes_them_and_but_for_keys_the_sentence_and_the_layers_change_nothing():
    one, other = integers(3).parameters, integers(8, layers=2).parameters
    assert np.array_equal(one.vector, integers(3).parameters.vector)
    assert not np.array_equal(one.vector, integers(3, seed=1).parameters.vector)
    for tensor in one:
        if not tensor.address.endswith((".W_K", ".E", "output.W")):
            assert np.array_equal(tensor.value, other[tensor.address].value), tensor.address
    for name in ("encoder.E", "decoder.E"):
        assert np.array_equal(one[name].value, other[name].value[:len(one[name].value)])


def test_most_heads_have_something_to_see():
    """Masked ones as well, whose first row looks at one word only."""
    apart: dict[str, list[bool]] = {}

    def look(step):
        if step.is_attention:
            looked_at = np.isfinite(step.node.operands[0].value)
            least = step.value.min(axis=1, initial=1, where=looked_at)
            apart.setdefault(step.place[:20], []).append((step.value.max(axis=1) - least).max() > 0.1)

    for seed in range(4):
        integers(5, 16, 4, seed=seed)(look)
    assert len(apart) == 3 and min(map(np.mean, apart.values())) > 0.9


def test_pages_and_json_lines_say_so():
    words = "trace", "a", "--init", "integers", "--seed", "3"
    assert "random integer weights from -2 to 2, generated with seed 3" in attntrace(*words).out
    assert json.loads(attntrace(*words, "--format", "jsonl").out.split("\n")[0])["init"] == "integers"
    assert "init" not in json.loads(attntrace("trace", "a", "--format", "jsonl").out.split("\n")[0])
