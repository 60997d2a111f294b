"""Training: what a pairs file may hold, what is never learned from, and that no file is ever lost."""
import hashlib
import json
import os
import random
import re
import signal
import time
import unicodedata
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from command import Result, attntrace, process
from trainings import ALL, MANY, PAIRS, TINY, TrainingFolder, assert_refused, interrupted, no_file_larger_than

from attntrace.files.weights import load
from attntrace.model.tokens import tokenize


@pytest.fixture
def folder(tmp_path) -> TrainingFolder:
    return TrainingFolder(tmp_path / "one")


@pytest.fixture
def other(tmp_path) -> TrainingFolder:
    return TrainingFolder(tmp_path / "other")


# What a pairs file may hold

@pytest.mark.parametrize("text, words", [
    (b"a\tb\n\nc d\n", ("line 3", "0 tabs", "c d")), (b"a\tb\nc\td\te\n", ("line 2", "2 tabs")),
    (b"a\tb\n \tc\n", ("line 2", "source")), (b"\r\na\t \r\n", ("line 2", "target")),
    (b"a\tb\nc\t\xff\n", ("line 2", "UTF-8", "byte 3")), (b"\xef\xbb\xbfa\n", ("line 1", ": a")),
    ("어제\t\tb\n".encode("utf-16"), ("line 1", "UTF-8")), (b"", ("no pairs",)), (b"\n \n\r\n", ("no pairs",)),
    (b"a\tb\n\x1b[2J\n", ("line 2", r"\u{1B}[2J"))])
def test_a_line_that_is_no_pair_is_named_by_its_number(folder, text, words):
    folder.write(text)
    assert_refused(folder, folder.train(), *words)
    assert folder.names() == ["pairs.tsv"]


@pytest.mark.parametrize("name", ["missing.tsv", "folder"])
def test_a_pairs_file_that_cannot_be_read_is_named(folder, name):
    folder.pairs = folder.pairs.with_name(name)
    if name == "folder":
        folder.pairs.mkdir()
    assert_refused(folder, folder.train(), str(folder.pairs))


def test_the_mark_at_the_beginning_and_line_ends_and_empty_lines_mean_nothing(folder, other):
    plain = "".join(f"{a}\t{b}\n" for a, b in PAIRS)
    other.write(("\ufeff\n" + unicodedata.normalize("NFD", plain).replace("\n", "\r\n\r\n \n").rstrip()).encode())
    assert folder.train("--epochs", "2").code == other.train("--epochs", "2").code == 0
    assert folder.model.read_bytes() == other.model.read_bytes()


def test_the_marks_of_start_and_end_cannot_be_words(folder):
    """In a text they are three signs each."""
    folder.write(b"<s>\t</s>\n")
    assert folder.train("--epochs", "1").code == 0
    assert load(folder.model).vocabularies == (("<s>", "</s>", "<", "s", ">"), ("<s>", "</s>", "<", "/", "s", ">"))


def test_a_word_that_is_a_zero_byte_is_refused_or_comes_back(folder):
    folder.write(b"\0\tb\n")
    result = folder.train("--epochs", "1")
    assert result.code == 2 or load(folder.model).vocabularies.source == ("<s>", "</s>", "\0")


def test_one_pair_is_enough_and_is_learned(folder):
    folder.write(PAIRS[2:3])
    result = folder.train("--epochs", "60", "--lr", "0.02", "--dropout", "0", "--label-smoothing", "0")
    assert (result.code, "1 of 1 training" in result.out) == (0, True)
    assert attntrace("translate", PAIRS[2][0], "-q", "--weights", str(folder.model)).out == PAIRS[2][1] + "\n"


def is_held_out(pair: tuple[str, str], every: int, target: str | None = None) -> bool:
    number = int(hashlib.sha256(unicodedata.normalize("NFC", pair[0]).encode()).hexdigest(), 16)
    return number % every == 0 or pair[1] == target


@pytest.mark.parametrize("every, target", [(2, None), (3, "You go."), (7, "Dog , cat!")])
def test_what_is_held_out_leaves_no_trace_in_the_model(folder, other, every, target):
    """The model is that of the other pairs, word for word and bit for bit."""
    options = ["--hold-out", str(every), *(("--hold-out-target", target) if target else ())]
    kept = [pair for pair in PAIRS if not is_held_out(pair, every, (target or "").replace(" ,", ","))]
    assert 0 < len(kept) < len(PAIRS)
    other.write(kept)
    result = folder.train("--epochs", "3", *options)
    assert other.train("--epochs", "3", *ALL).code == result.code == 0
    assert folder.model.read_bytes() == other.model.read_bytes()
    sides = [["<s>", "</s>", *(word for pair in kept for word in tokenize(pair[side]))] for side in (0, 1)]
    assert load(folder.model).vocabularies == tuple(tuple(dict.fromkeys(words)) for words in sides)
    assert re.findall(r"of (\d+) ", result.out) == [str(len(kept)), str(len(PAIRS) - len(kept))]


@pytest.mark.parametrize("every, meant", [("1", True), ("1000003", False)])
def test_that_nothing_is_held_out_is_said_where_everything_would_be(folder, every, meant):
    result = folder.train("--epochs", "1", "--hold-out", every)
    assert result.code == 0 and ("Every pair would be held out" in result.err) == meant
    assert f"of {len(PAIRS)} training pairs" in result.out and "held-out pairs" not in result.out


def translations(folder: TrainingFolder, sources: list[str]) -> list[str]:
    """A word that the model does not know has none."""
    known = set(load(folder.model).vocabularies.source)
    text = "\n".join(source if known.issuperset(tokenize(source)) else "" for source in sources)
    return attntrace("translate", "-q", "--weights", str(folder.model), stdin=text.encode()).out.split("\n")[:-1]


def test_what_is_reported_is_what_the_command_translates(folder):
    result = folder.train("--epochs", "40", "--lr", "0.03", "--hold-out", "3")
    for held_out, reported in zip((False, True), re.findall(r"(\d+) of (\d+) ", result.out), strict=True):
        some = [pair for pair in PAIRS if is_held_out(pair, 3) == held_out]
        said = translations(folder, [source for source, _ in some])
        exact = sum(one == b for one, (_, b) in zip(said, some, strict=True))
        assert (str(exact), str(len(some))) == reported and (held_out or exact > 2)


# The same again

def test_the_seed_decides_every_bit(folder, other):
    for one, seed, hashes in ((folder, "5", "1"), (other, "5", "2")):
        done = process(*one.arguments(*TINY, "--epochs", "2", "--seed", seed), PYTHONHASHSEED=hashes)
        assert done.code == 0
    assert folder.model.read_bytes() == other.model.read_bytes()
    assert other.train("--epochs", "2", "--seed", "6").code == 0
    assert folder.model.read_bytes() != other.model.read_bytes()


@pytest.mark.parametrize("moments", [(1,), (4,), (8, 1, 1)], ids=str)
def test_an_interrupted_training_goes_on_as_if_it_had_not_been(folder, other, moments):
    """Wherever in an epoch it was, and however often. Three batches make an epoch here."""
    assert other.train("--epochs", "4", *ALL).code == 0
    folder.model.write_bytes(b"what was there")
    start: Callable[..., Result] = folder.train
    for moment in moments:
        with interrupted(moment):
            result = start(*ALL, "--epochs", "4")
        assert result.code == 130 and result.out == "" and str(folder.checkpoint) in result.err.splitlines()[-1]
        assert folder.model.read_bytes() == b"what was there"
        start = folder.resume
    assert load(folder.checkpoint).config == load(other.model).config
    assert folder.resume(*ALL).code == 0
    assert folder.model.read_bytes() == other.model.read_bytes() and folder.names() == ["model.npz", "pairs.tsv"]


def test_more_epochs_may_be_asked_for_and_fewer(folder, other):
    with interrupted(5):
        folder.train("--epochs", "2", *ALL)
    checkpoint = folder.checkpoint.read_bytes()
    for epochs in ("4", "1"):
        folder.checkpoint.write_bytes(checkpoint)
        assert folder.resume(*ALL, "--epochs", epochs).code == 0
        if epochs == "4":
            assert other.train("--epochs", "4", *ALL).code == 0
            assert folder.model.read_bytes() == other.model.read_bytes()


@pytest.mark.parametrize("file", ["model", "checkpoint"])
def test_ctrl_c_just_as_a_file_comes_to_its_place_is_ctrl_c(folder, monkeypatch, file):
    real = os.replace

    def replaced(draft: str, there: str) -> None:
        real(draft, there)
        if there == str(getattr(folder, file)):
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr("attntrace.cli.commands.train.BETWEEN", 0 if file == "checkpoint" else 10)
    result = folder.train("--epochs", "2", *ALL)
    assert result.code == 130 and "cannot write" not in result.err and not folder.drafts()


def test_ctrl_c_inside_an_archive_is_ctrl_c(folder, monkeypatch):
    real, count = zipfile.ZipFile.open, []

    def opened(self, name, mode="r", **more):
        handle = real(self, name, mode, **more)
        count.append(name) if mode == "w" else None
        if len(count) == 3:
            raise KeyboardInterrupt
        return handle

    monkeypatch.setattr(zipfile.ZipFile, "open", opened)
    monkeypatch.setattr("attntrace.cli.commands.train.BETWEEN", 0)
    result = folder.train("--epochs", "2", *ALL)
    assert result.code == 130 and "Traceback" not in result.err and folder.checkpoint.exists() and not folder.drafts()


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_checkpoint_from_which_the_same_model_comes(folder, other, number, code):
    folder.model.write_bytes(b"what was there")
    child = folder.starts("--epochs", MANY, *ALL)
    assert child.stderr is not None and b"epoch 1/" in child.stderr.readline()
    time.sleep(random.Random(number).random() / 3)
    child.send_signal(number)
    last = child.communicate(timeout=20)[1].decode().splitlines()[-1]
    assert child.returncode == code and folder.model.read_bytes() == b"what was there"
    assert folder.names() == ["model.checkpoint.npz", "model.npz", "pairs.tsv"]
    epochs = str(int(re.findall(r"epoch (\d+)", last)[0]) + 1)
    assert folder.resume(*ALL, "--epochs", epochs).code == other.train(*ALL, "--epochs", epochs).code == 0
    assert folder.model.read_bytes() == other.model.read_bytes()


@pytest.mark.parametrize("chance", range(2))
def test_a_power_cut_leaves_what_was_there(folder, chance):
    """Also while a checkpoint is being written. It is the old one or the new one, and can go on."""
    folder.model.write_bytes(b"what was there")
    child = folder.starts("--epochs", MANY, *ALL)
    assert child.stderr is not None and b"epoch 1/" in child.stderr.readline()
    deadline = time.monotonic() + random.Random(chance).random() / 4
    while time.monotonic() < deadline or chance % 2 and not folder.drafts():
        time.sleep(0.0002)
    child.kill()
    child.communicate(timeout=20)
    assert folder.model.read_bytes() == b"what was there"
    assert folder.resume(*ALL, "--epochs", "1").code == 0 and load(folder.model)


# A checkpoint that is none

def test_a_model_is_no_checkpoint(folder):
    assert folder.train("--epochs", "1").code == 0
    folder.model.rename(folder.checkpoint)
    assert_refused(folder, folder.resume(), str(folder.checkpoint))


def test_a_damaged_checkpoint_is_one_line_or_goes_on_to_the_same_model(folder):
    with interrupted(2):
        folder.train("--epochs", "1", *ALL)
    whole, chance, expected = folder.checkpoint.read_bytes(), random.Random(7), None
    for n in range(60):
        damaged = bytearray(whole)
        if n < 30 and n:
            del damaged[chance.randrange(len(whole)):]
        elif n:
            damaged[chance.randrange(len(whole))] ^= chance.randrange(1, 256)
        folder.checkpoint.write_bytes(damaged)
        folder.model.unlink(missing_ok=True)
        result = folder.resume(*ALL)
        if result.code == 0:
            expected = expected or folder.model.read_bytes()
            assert folder.model.read_bytes() == expected
        else:
            assert_refused(folder, result, str(folder.checkpoint))
            assert folder.checkpoint.read_bytes() == damaged and n
    assert expected


FACTS = [{}, [], None, "x", {"schedule": {}, "updates": 1}, {"schedule": [], "updates": 1, "pairs": "x"},
         {"updates": None}, {"updates": -1}, {"schedule": {"batch": 0}}, {"schedule": {"batch": "x"}},
         {"schedule": {"speed": 1}}, {"schedule": {"dtype": "int8"}}, {"schedule": {"epochs": "many"}}]


@pytest.mark.parametrize("facts", FACTS, ids=str)
def test_a_checkpoint_whose_facts_are_none_is_one_line(folder, facts):
    with interrupted(2):
        folder.train("--epochs", "1", *ALL)
    with np.load(folder.checkpoint) as file:
        members = {name: file[name] for name in file.files}
    there = json.loads(members["training.facts"].item())
    if isinstance(facts, dict) and len(facts) == 1:
        facts = there | {name: there[name] | part if isinstance(part, dict) else part for name, part in facts.items()}
    np.savez(folder.checkpoint, **members | {"training.facts": np.array(json.dumps(facts))})
    assert_refused(folder, folder.resume(*ALL))


# A full disk

@pytest.mark.parametrize("between", [0, 10])  # seconds: a checkpoint fails, or the model
def test_a_full_disk_leaves_the_old_model_and_the_old_checkpoint(folder, monkeypatch, between):
    with interrupted(2):
        folder.train("--epochs", "3", *ALL)
    before = folder.checkpoint.read_bytes()
    folder.model.write_bytes(b"what was there")
    monkeypatch.setattr("attntrace.cli.commands.train.BETWEEN", between)
    with no_file_larger_than(5000):
        code, out, err = folder.resume(*ALL)
    assert (code, out) == (2, "") and "Traceback" not in err and "File too large" in err.splitlines()[-1]
    assert (folder.model.read_bytes(), folder.checkpoint.read_bytes()) == (b"what was there", before)
    assert folder.names() == ["model.checkpoint.npz", "model.npz", "pairs.tsv"]


def test_a_model_that_cannot_be_written_leaves_a_checkpoint(folder):
    folder.model.symlink_to("/dev/full")
    assert folder.train("--epochs", "2").code == 2
    assert folder.checkpoint.exists()
