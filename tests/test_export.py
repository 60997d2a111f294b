"""The module that `weights export` prints computes what the model computes, or there is none. Needs no PyTorch."""
from __future__ import annotations

from dataclasses import fields, replace

import pytest
from command import attntrace

from attntrace.model import config as configuration
from attntrace.model.config import CHOICES, Config
from attntrace.files.torch.names import ARGUMENTS, constructor

EMBEDDING = {"position", "scale_embedding", "source_end"}  # what comes before the module, and is left out of it
REFUSED = {"score_scale"}  # where it is another than torch.nn has
OTHER = {"d_model": 16, "heads": 4, "layers": 2, "d_ff": 32, "final_norm": True, "epsilon": 1e-3}
VALUES = [(name, value) for name, values in CHOICES.items() if name not in EMBEDDING for value in values]


@pytest.mark.parametrize("name, value", VALUES)
def test_every_choice_of_a_config_has_its_argument(name, value):
    assert value in ARGUMENTS[name]


def test_every_entry_of_a_config_changes_the_module_unless_it_is_left_out_or_refused():
    for name in {field.name for field in fields(Config)} - EMBEDDING - REFUSED:
        values = [OTHER[name]] if name in OTHER else [one for one in CHOICES[name] if one != getattr(Config(), name)]
        printed = [constructor(config, config.part, True)
                   for config in (Config(), *(replace(Config(), **{name: value}) for value in values))]
        assert len(set(map(str, printed))) == len(printed), name


def test_a_choice_that_no_module_has_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(configuration.CHOICES, "activation", ("relu", "gelu"))
    assert attntrace("weights", "new", "a", "-o", "w.npz").code == 0
    from attntrace.files.weights import load, save
    found = load(tmp_path / "w.npz")
    with open("gelu.npz", "wb") as file:
        save(file, replace(found.config, activation="gelu"), found.vocabularies, found.parameters)
    assert attntrace("weights", "export", "w.npz", "-o", "s.npz").code == 0
    said = attntrace("weights", "export", "gelu.npz", "-o", "none.npz")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1) and "activation gelu" in said.err
    assert not (tmp_path / "none.npz").exists()
