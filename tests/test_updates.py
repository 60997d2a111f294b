"""The step that was traced, read from its JSON Lines only: every gradient, every update, and the loss after them."""
import json
import re
from typing import NamedTuple

import numpy as np
import pytest
from command import attntrace
from recompute import computed_again, loads

SENTENCES = ("the cat saw the dog", "고양이 가 개 를 고양이 봤다")  # words that come twice
WIRINGS = {"as_in_the_paper": (), "adam_smoothed": ("--optimizer", "adam", "--label-smoothing", "0.1"),
           "norm_first_and_last": ("--norm", "pre", "--final-norm", "--layers", "2", "--position", "halves"),
           "other_scales": ("--no-scale-embedding", "--score-scale", "3", "--heads", "4", "--optimizer", "adam")}
AFTER = re.compile(r"The loss was ([\d.]+); with the new parameters it is ([\d.]+), lower by ([\d.]+)\.")


class Recorded(NamedTuple):
    """A file: its header, its lines, all tensors by address, and the names of the parameters."""
    head: dict
    records: list[dict]
    values: dict[str, np.ndarray]

    @property
    def parameters(self) -> list[str]:
        return [record["parameter"] for record in self.records if "parameter" in record]


def recorded(*options: str) -> Recorded:
    code, out, errors = attntrace("backprop", *SENTENCES, "--format", "jsonl", *options)
    assert (code, errors) == (0, "")
    head, *records, _ = loads(out)
    return Recorded(head, records, computed_again(records))


@pytest.fixture(scope="module", params=WIRINGS)
def step(request) -> Recorded:
    return recorded(*WIRINGS[request.param])


def test_every_step_can_be_computed_again_from_the_file_alone_and_addresses_say_what_each_line_is(step):
    """gradient.<address or parameter>, with .from.<address> where it is a part, and update.<parameter>.<what>."""
    assert len(step.values) > 380  # each was, when it was read
    forwards = {record["address"] for record in step.records if "address" in record
                and not record["address"].startswith(("gradient.", "update."))}
    whole: set[str] = set()
    for record in step.records:
        kind, _, rest = record.get("address", "").partition(".")
        if kind == "gradient":
            of, _, reader = rest.partition(".from.")
            assert of in forwards or of in step.parameters, rest
            assert not reader or reader in forwards, rest
            whole |= set() if reader else {of}
    assert whole == forwards - {"output.probabilities", "loss.labels"} | set(step.parameters)
    adam = any(address.endswith(".m") for address in step.values)
    assert {address for address in step.values if address.startswith("update.")} == {
        f"update.{name}.{what}" for name in step.parameters
        for what in ("old", "gradient", *(("m", "v", "m_hat", "v_hat") if adam else ()), "new")}


def test_only_the_words_that_came_in_have_a_gradient_in_the_embedding(step):
    for side, ids in (("encoder", step.head["tokens"]["source"]), ("decoder", step.head["tokens"]["target"])):
        table = step.values[f"gradient.{side}.E"]
        assert {n + 1 for n in np.flatnonzero(np.abs(table).max(axis=1))} == {word["id"] for word in ids}
        wanted = np.zeros_like(table)
        for word, row in zip(ids, step.values[f"gradient.{side}.embedding"], strict=True):
            wanted[word["id"] - 1] += row
        assert len({word["id"] for word in ids}) == len(ids) - 1  # one comes twice
        assert np.abs(table - wanted).max() < 1e-15


@pytest.mark.parametrize("options", [(), ("--optimizer", "adam", "--label-smoothing", "0.1")], ids=("descent", "adam"))
def test_a_model_made_of_the_new_parameters_has_the_loss_that_the_page_ends_with(options, tmp_path):
    """Written to a file, and traced again from there."""
    step = recorded(*options)
    file = tmp_path / "new.json"
    vocabulary = {side: sorted({(word["id"], word["text"]) for word in words})
                  for side, words in step.head["tokens"].items()}
    vocabulary["source"] = sorted({*vocabulary["source"], (1, "<s>"), (2, "</s>")})
    vocabulary["target"] = sorted({*vocabulary["target"], (1, "<s>"), (2, "</s>")})
    file.write_text(json.dumps({
        "config": {"d_model": 8, "heads": 2, "layers": 1, "d_ff": 16},
        "vocabulary": {side: [text for _, text in words] for side, words in vocabulary.items()},
        "parameters": {name: step.values[f"update.{name}.new"].tolist() for name in step.parameters}}), "utf-8")
    first = AFTER.search(" ".join(attntrace("backprop", *SENTENCES, *options, "--only", "loss.mean").out.split()))
    again = attntrace("backprop", *SENTENCES, *options, "--weights", str(file), "--only", "loss.mean")
    then = AFTER.search(" ".join(again.out.split()))
    assert again.code == 0 and then and first and then[1] == first[2] < first[1]
