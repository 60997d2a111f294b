"""What people type by mistake, and the one line, in every language, that says what to type instead."""
import re

import pytest
from command import ROOT, attntrace, refusal, words_of
from word_model import word_model

from attntrace.cli.app import COMMANDS
from attntrace.messages.catalog import LANGUAGES, template

READS_WORDS = "--weights", word_model()
SLIPS = [
    (("verify", "run.npz"), "run.npz is the name of a file", "run: --from run.npz; for weights: --weights run.npz"),
    (("verify", "nosuch.npz", "--backprop"), "--from nosuch.npz"), (("why", "S:1,1", "run.npz"), "--from run.npz"),
    (("why", "run.npz"), "--from run.npz"), (("show", "run.npz"), "saved run: --from run.npz\n"),
    (("trace", "my/Run.NPZ"), "attntrace show --from my/Run.NPZ; for weights: --weights my/Run.NPZ"),
    (("map", "run.npz"), "attntrace show --from run.npz"), (("translate", "w.npz"), "for weights: --weights w.npz"),
    (("backprop", "run.npz", "x"), "show --from run.npz"), (("backprop", "x", "run.npz"), "show --from run.npz"),
    (("trace", "w.json"), "or an address; for weights: --weights w.json\n"),
    (("steps", "w.safetensors"), "or an address; for weights: --weights w.safetensors\n"),
    (("trace", "a", "--weights", "ko_en"), "ko_en does not exist (did you mean ko-en?)"),
    (("translate", "a", "--weights", "ko-en.npz"), "ko-en.npz does not exist (did you mean ko-en?)"),
    (("trace", "a", "--weights", "nosuch.npz"), "not exist; check", "that is included in attntrace: ko-en, en-ko\n"),
    (("weights", "info", "ko_en"), "(did you mean ko-en?)"),
    (("why", "head1.weights: is , x", "this is a cat"), "has no x here; give one of this, is, a, cat, or a position"),
    (("trace", "this is a cat", "--swap", "1, x"), "the source has no x here; give one of this, is, a, cat, or"),
    (("compare", "this is a cat", "--what-if", "--position", "none"), 'options; write: --what-if "--position none"\n'),
    (("compare", "--what-if", "--ablate", "head2", "a b", "--swap", "1,2"), 'write: --what-if "--ablate head2"\n'),
    (("compare", "a", "--what-if", "position none"), "--what-if: position none does not belong to an option",
     'such as: --what-if "--position none"\n'),
    (("compare", "a", "--what-if", "--norm pre x"), "--what-if: x does not belong to an option"),
    (("compare", "a", "b", "--what-if", "--norm pre"), 'put it in quotes: "a b"'),
    (("compare", "a", "b", "--what-if", "--final-norm"), 'put it in quotes: "a b"'),
    (("why", "masked_scores:1,2", "this is a cat"), "masked_scores exists only in a run with a target; add --target"),
    (("map", "this is a cat", "--only", "decoder.*"), "decoder.* exists only in a run with a target; add --target"),
    (("why", "cross_attention.head1.Q:1,1", "--weights", "ko-en", "어제"), "head1.Q exists only in a run with a target"),
    (("trace", "a", "--target", "b", "--only", "decoder.*.self_attention.weights"),
     "(did you mean decoder.*.self_attention.*.weights?)"),
    (("why", "decoder.layer1.self_attention.weights:1,1"), "mean decoder.layer1.self_attention.head1.weights or "),
    (("trace", "a", "--only", "encoder.self_attention.weights"),
     "mean encoder.layer1.self_attention.head1.weights or "),
    (("why", "encoder.weights:1,1", "a", "--layers", "9"), "encoder.layer2.self_attention.head1.weights?); "),
    (("trace", "a", "--only", "zebra"), "zebra matches no step; attntrace steps"),
    (("trace", "a", "--layer", "2"), "--layer 2 does not exist; in this run, the only layer is 1\n"),
    (("trace", "a", "--head", "3"), "in this run, head numbers go from 1 to 2\n"),
    (("translate", "I went to the cafe", *READS_WORDS), "no word of this sentence is in the source", "words: 아빠는, "),
    (("trace", "어제 카페", "--weights", "ko-en", "--target", "어제 카페"), "in the target vocabulary of this model ("),
    (("translate", "Did you go ?", *READS_WORDS), "no word of this sentence"),
    (("translate", "어재 부산에 cafe", *READS_WORDS), "어재 (it contains 어제"),
    (("translate", "I 어제", *READS_WORDS), "does not contain I;"),
    (("trace", "“this", "is", "a", "cat”"), "the quotes “” ", 'use straight ones: "this is a cat"\n'),
    (("why", "head1.scores:1,1", "“don’t", "stop”", "--depth", "1"), 'use straight ones: "don’t stop"\n'),
    (("backprop", "“a", "cat”", "“un", "chat”"), 'use straight ones: "a cat" "un chat"\n'),
    (("trace", "a", "b", "“c”"), 'put it in quotes: "a b “c”"'),
    (("why", "a cat", "head1.scores:1,2"), 'write: attntrace why head1.scores:1,2 "a cat"\n'),
    (("why", "어제", "head1.scores:1,2"), 'write: attntrace why head1.scores:1,2 "어제"\n'),
    (("why", "a cat"), 'write: attntrace why ADDRESS "a cat"\n'),
    (("why", "cat:1", "a.b"), "no step or parameter cat"), (("why", "cat", "9:30"), "no step or parameter cat"),
    (("backprop", "a", "b", "--d-model", "1", "--heads", "1", "--norm-epsilon", "outside", "-q"),
     "use --norm-epsilon inside\n"),
    (("show",), "such as: --from run.npz")]


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_answered_with_what_to_type(slip):
    arguments, *said = slip
    error = refusal(*arguments)
    assert all(text in error for text in said), error


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_answered_in_one_line_in_korean_and_in_both_languages(slip):
    korean, both = (refusal(*slip[0], "--lang", language) for language in ("ko", "both"))
    assert both == f"{korean[:-1]} / {refusal(*slip[0]).removeprefix('attntrace: ')}"
    assert any("가" <= char <= "힣" for char in korean)


@pytest.mark.parametrize("command", [
    ("why", "head1.weights:{}", "is a"), ("trace", "is a", "--swap", "{}", "--format", "csv")])
def test_blanks_around_the_comma_of_two_positions_mean_nothing(command):
    spaced, plain = (attntrace(*(one.format(pair) for one in command)).out for pair in ("is ,\ta ", "is,a"))
    assert spaced.splitlines()[2:] == plain.splitlines()[2:] != []


@pytest.mark.parametrize("sentence", ["“this is a cat”", "he said “yes”", "“yes", "the cats’ “yes”"])
def test_curly_quotes_inside_of_one_argument_are_words_of_it(sentence):
    assert attntrace("trace", sentence, "--target", "a “b” c”", "-q").code == 0


@pytest.mark.thorough
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_examples_of_train_can_be_typed_one_after_the_other(language, tmp_path, monkeypatch):
    (tmp_path / "samples").mkdir()
    pairs = (ROOT / "samples" / "ko-en.tsv").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "samples" / "ko-en.tsv").write_text(
        "".join(pair for n, pair in enumerate(pairs) if n % 10 == 0 or "카페 " in pair or "갔었어\t" in pair), "utf-8")
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"^ +(attntrace .+)$", template(language, "help.train"), re.M)
    for command in examples:
        words = words_of(command)
        assert attntrace(*words, *(["--epochs", "1"] if words[0] == "train" else [])).code == 0, command
    assert len(examples) > 1 and "train" in examples[0] and "SHA" not in attntrace("train", "--help").out


@pytest.mark.parametrize("name", [name for name in COMMANDS if "--weights FILE" in attntrace(name, "--help").out])
@pytest.mark.parametrize("language", LANGUAGES)
def test_help_names_the_included_model_beside_weights_files(name, language):
    text = " ".join(attntrace(name, "--help", "--lang", language).out.split())
    assert re.search(r"--weights FILE (?:(?! --).)*ko-en", text), text
