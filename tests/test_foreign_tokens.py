"""Sentences for models whose vocabulary is another tokenizer's: tokens as they are typed, ids, unknown words."""
import numpy as np
import pytest
from command import attntrace, refusal

from attntrace import trace
from attntrace.messages.errors import Problem
from attntrace.runs.training_step import prepare_training_step

OURS = ("<s>", "</s>", "a", "b", "c", "d", "e", "f", "g")  # the words of the rows of the embedding table
THEIRS = ("<s>", "</s>", "[CLS]", "##ing", "▁the", "<unk>", "don't-stop", "?", "été")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """One model with two vocabularies for the same rows: ours.npz, whose words our tokenizer makes, and theirs.npz."""
    monkeypatch.chdir(tmp_path)
    words = " ".join(OURS[2:])
    assert attntrace("weights", "new", words, "--target", words, "-o", "ours.npz").code == 0
    members = dict(np.load("ours.npz"))
    assert tuple(members["vocabulary.source"]) == tuple(members["vocabulary.target"]) == OURS
    np.savez("theirs.npz", **members | {f"vocabulary.{side}": np.array(THEIRS) for side in ("source", "target")})
    return tmp_path


def same(ours: tuple[str, str], theirs: tuple[str, str], **more: object) -> bool:
    one, other = trace(*ours, weights="ours.npz"), trace(*theirs, weights="theirs.npz", **more)
    return len(one) == len(other) > 50 and all(np.array_equal(other[address], value) for address, value in one.items())


@pytest.mark.parametrize("ours, theirs", (
    ("a c b", "[CLS] ▁the ##ing"), ("a e g f", "[CLS] don't-stop e\u0301te\u0301?"), ("e f f", " don't-stop  ? ？ "),
    ("d a", "<unk>\t[CLS]")))
def test_a_token_of_the_vocabulary_is_typed_as_it_is(folder, ours, theirs):
    assert same((ours, ours), (theirs, theirs))


@pytest.mark.parametrize("theirs", ("[CLS] ##ing", "<s> [CLS] ##ing"))
def test_the_start_of_a_target_may_be_typed(folder, theirs):
    assert same(("a", "a b"), ("[CLS]", theirs))
    steps = trace("<s> [CLS] </s>", theirs, weights="theirs.npz")
    assert steps["encoder.input"].axes[0].labels == ("<s>", "[CLS]", "</s>")
    assert steps["decoder.input"].axes[0].labels == ("<s>", "[CLS]", "##ing")


@pytest.mark.parametrize("target", ("[CLS] ##ing", "<s> [CLS] ##ing", "[CLS] ##ing </s>", "<s> [CLS] ##ing </s>"))
def test_a_training_step_reads_no_marker_twice(folder, target):
    one, other = (prepare_training_step("a", "a b", weights="ours.npz"),
                  prepare_training_step("[CLS]", target, weights="theirs.npz"))
    assert one.losses() == other.losses() and other.wanted.texts == ("[CLS]", "##ing", "</s>")


@pytest.mark.parametrize("ids", ("3 5 4", "[3, 5, 4]", "3,5,4"))
def test_a_sentence_may_be_ids(folder, ids):
    assert same(("a c b", "a"), (ids, "1 3"), ids=True)
    code, out, err = attntrace("trace", ids, "--target", "3", "--ids", "--weights", "theirs.npz", "-q")
    assert (code, err) == (0, "") and "1:[CLS]  2:▁the  3:##ing" in out
    assert attntrace("translate", ids, "--ids", "--weights", "theirs.npz", "-q").out == attntrace(
        "translate", "[CLS] ▁the ##ing", "--weights", "theirs.npz", "-q").out


@pytest.mark.parametrize("ids", ("0", "10", "3 x", "-1", "3.5", "９", "9" * 400))
def test_what_is_no_id_is_named_with_those_that_are(folder, ids):
    assert "whose ids are 1 to 9 (add 1 to ids that count from 0)" in refusal(
        "trace", "--ids", "--weights", "theirs.npz", "--", ids)
    assert "give one with --weights" in refusal("trace", "--ids", "--", ids)


def test_unknown_words_are_read_as_one_token_where_that_is_asked_for(folder):
    assert same(("a d f", "d"), ("[CLS] zebra ?", "zebra"), unknown="unk")
    arguments = "[CLS] été zebra ##ed ?", "--weights", "theirs.npz", "--unknown", "unk"
    for command, *more in (("trace", "--format", "csv"), ("map",), ("translate", "-q"), ("translate",)):
        code, _, err = attntrace(command, *arguments, *more)
        assert code == 0 and err == "Not in the source vocabulary, and read as <unk>: zebra, #, #, ed.\n"
    error = refusal("trace", *arguments[:3])
    assert "does not contain" in error and "zebra" in error and "as its token for them: --unknown unk" in error
    with pytest.raises(Problem, match="has no token for unknown words"):
        trace("zebra", weights="ours.npz", unknown="unk")
    assert "--unknown unk" not in refusal("trace", "zebra", "--weights", "ours.npz")


def test_commands_to_try_next_read_the_sentence_in_the_same_way(folder):
    out = attntrace("trace", "3 4", "--ids", "--unknown", "unk", "--weights", "theirs.npz").out
    assert "--ids --unknown unk" in out
