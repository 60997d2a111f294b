"""The table of a config's entries: everything that has to know an entry, or a value of it, does."""
import json

import pytest
from command import ROOT, attntrace, refusal
from documents import DOCUMENTED
from random_model import SENTENCE, TRANSLATION, random_model

from attntrace.files import torch as names
from attntrace.files.weights import load
from attntrace.messages.catalog import LANGUAGES, has_template, render, template
from attntrace.messages.errors import Problem
from attntrace.model.config import (BASE, CHOICE, ENTRIES, FLAG, NUMBER, OFFSET, OPTIONS, SCALE, SIZE, WIDTH, Config,
                                    as_json, as_option)
from attntrace.model.parameters import Vocabularies
from attntrace.model.transformer import ACTIVATIONS
from attntrace.pages.overview import model_lines
from attntrace.pages.topics import topic_in
from attntrace.verify import torch as against

OTHER = {"d_model": 24, "heads": 4, "layers": 2, "d_ff": 32, "epsilon": 1e-3, "score_scale": 3.0, "d_k": 3, "d_v": 5,
         "k_dim": 3, "v_dim": 5, "decoder_layers": 3, "position_base": 100, "position_offset": 3,
         "max_positions": 20}  # numbers
ALONE = {"k_dim", "v_dim"}  # only of an attention alone
WORDS = [(name, word) for name, entry in ENTRIES.items() if entry.kind == CHOICE for word in entry.words]
VALUES = [*WORDS, *OTHER.items(), *((name, not entry.default) for name, entry in ENTRIES.items() if entry.kind == FLAG)]
BEFORE = {"position", "position_base", "position_offset", "max_positions", "scale_embedding",
          "shared_embeddings", "source_end"}  # come before a module of torch.nn, which is the same without
AT_RUN_TIME = {"causal", "mean_weights"}  # of the call of a module
REFUSED = {"score_scale", "d_k", "d_v", "output_projection"}  # by an export


def config_with(name: str, value: object) -> Config:
    return Config(part="attention" if name in ALONE else "transformer").replace(**{name: value})


def test_the_values_tried_here_are_of_every_entry():
    assert {name for name, _ in VALUES} == {*ENTRIES} == {*vars(Config())}


@pytest.mark.parametrize("name, value", [(name, value) for name, value in VALUES if name in OPTIONS])
def test_an_option_gives_a_model_each_value(tmp_path, name, value):
    spelled = [as_option(name), str(value)] if not isinstance(value, bool) else [
        as_option(f"{'' if value else 'no_'}{name}")]
    assert attntrace("weights", "new", "a b", "--target", "c", *spelled, "-o", str(tmp_path / "w.npz")).code == 0
    assert load(tmp_path / "w.npz").config == config_with(name, value)


@pytest.mark.parametrize("name", ENTRIES)
def test_a_value_of_another_kind_is_refused_with_its_entry_the_file_and_the_words_that_it_may_be(name):
    right = {FLAG: True, NUMBER: 2.5, SCALE: 2.5, BASE: 2.5, OFFSET: 0, SIZE: 10**400, WIDTH: 10**400}.get(
        ENTRIES[name].kind, "")
    for wrong in (0, -1, 2.5, True, "8", "x", None, ["float32"], float("nan"), float("inf"), 10**400):
        if wrong != right:
            with pytest.raises(Problem) as caught:
                Config.read(vars(Config()) | {name: wrong}, "w.npz")
            words = (name, "w.npz", json.dumps(wrong), *(ENTRIES[name].words or ["true or false"] * (right is True)))
            assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_help_of_an_option_says_its_default(name):
    page, default = attntrace("trace", "--help", ATTNTRACE_LANG="en").out, ENTRIES[name].default
    spelled = as_option(f"{'' if default else 'no_'}{name}") if isinstance(default, bool) else default
    entry = " ".join(page.partition(f"\n  {as_option(name)} ")[2].split())
    assert entry.partition("[default: ")[2].startswith(f"{spelled}]")


@pytest.mark.parametrize("name, value", VALUES)
def test_a_summary_of_the_model_says_each_value(name, value):
    if name in ("dtype", "part", *ALONE):  # which stand elsewhere
        return

    def said(config: Config, language: str) -> list[str]:
        return [render(line, language) for line in model_lines(config, Vocabularies(("a",), ("b",)))]

    for language in LANGUAGES:
        assert (name, value) not in WORDS or not ENTRIES[name].by_default and value == ENTRIES[name].default or (
            has_template(language, f"messages.config.{name}.{value}")), f"[config] of messages/{language}/messages.toml"
        config = config_with(name, value)
        assert (said(config, language) != said(Config(), language)) == (config != Config()), "pages/overview.py"


@pytest.mark.parametrize("name, value", [(name, value) for name, value in VALUES if name != "part"])
def test_the_checker_agrees_with_a_model_of_each_value(tmp_path, name, value):
    """And PyTorch with one of each word: test_oracle_torch.py."""
    if name in ALONE:  # test_attention.py
        return
    file = random_model(**{"layers": 1, name: value}).write(tmp_path / "model.npz")
    code, out, _ = attntrace("verify", SENTENCE, "--target", TRANSLATION, "--weights", str(file))
    assert code == 0, out


@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if entry.rewires and entry.kind == CHOICE])
def test_each_word_that_rewires_a_model_gives_other_numbers(tmp_path, name):
    numbers: dict[str, str] = {}
    for word in ENTRIES[name].words:
        file = random_model(**{name: word}).write(tmp_path / "model.npz")
        out = attntrace("trace", SENTENCE, "--target", TRANSLATION, "--weights", str(file), "--format", "csv").out
        assert numbers.setdefault(out, word) == word, f"{name} {word} computes the same as {numbers[out]}: model/"


@pytest.mark.parametrize("table", (ACTIVATIONS, against.ACTIVATIONS), ids=("model/transformer.py", "verify/torch.py"))
def test_each_activation_has_a_function(table):
    assert [*table] == [*ENTRIES["activation"].words]


def test_each_word_has_an_argument_in_pytorch_or_is_refused():
    assert [(name, word) for name, word in WORDS if word not in names.ARGUMENTS.get(name, {})] == [], (
        f"ARGUMENTS in {names.__file__}")


def test_each_entry_changes_the_module_unless_it_comes_before_it_or_is_refused():
    for name, value in VALUES:
        word = value if isinstance(value, str) else as_json(value)
        if names.ARGUMENTS.get(name, {word: ""}).get(word) is None:
            continue  # refused, or named by the test above
        if name not in BEFORE | AT_RUN_TIME | REFUSED and value != ENTRIES[name].default:
            config = config_with(name, value)
            without = config.replace(**{name: ENTRIES[name].default})
            printed = [names.constructor(one, True) for one in (without, config)]
            assert printed[0] != printed[1], (name, value)


def test_an_export_without_an_argument_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert attntrace("weights", "new", "a", "-o", "w.npz").code == 0
    assert "torch.nn.TransformerEncoder(" in attntrace("weights", "export", "w.npz", "-o", "s.npz").out
    monkeypatch.setitem(names.ARGUMENTS, "activation", {"relu": None, "gelu": ""})
    assert "has activation relu, " in refusal("weights", "export", "w.npz", "-o", "none.npz")
    assert not (tmp_path / "none.npz").exists()


@pytest.mark.parametrize("language", DOCUMENTED)
def test_each_entry_and_each_word_of_it_is_documented(language):
    text = (ROOT / "docs" / language / "addresses-and-formats.md").read_text("utf-8")
    (about,) = [part for part in text.split("\n## ") if "`config`" in part and "`samples/pencil.json`" in part]
    assert [(name, word) for name, word in [*WORDS, *((name, "") for name in ENTRIES)]
            if name not in about or word not in about] == [], language


def test_each_activation_and_its_gradient_have_explanations_of_their_own():
    explained = {word: topic_in("encoder.layer1.feed_forward.activation", Config(activation=word))
                 for word in ENTRIES["activation"].words}
    assert explained == {word: word if word != "relu" else "activation" for word in ENTRIES["activation"].words}
    for word in explained:
        gradient = topic_in("gradient.encoder.layer1.feed_forward.hidden", Config(activation=word))
        for language in LANGUAGES:
            assert ("ReLU" in template(language, f"explain.{gradient}.title")) == (word == "relu"), word
