"""Training: its numbers against their definitions, what it says while it goes on, and what cannot be."""
import math
import os
import re
import signal
import sys

import numpy as np
import pytest
from command import attntrace, process, refusal, shell
from terminals import exit_code, terminal
from trainings import ALL, MANY, PAIRS, TINY, TrainingFolder, assert_refused, interrupted

from attntrace.files.weights import load
from attntrace.model.config import Config
from attntrace.model.parameters import seeded
from attntrace.model.tokens import look_up, tokenize
from attntrace.model.transformer import transformer
from attntrace.tracing.trace import Trace
from attntrace.training import loop as training
from attntrace.training.loop import Training, vocabularies_of
from attntrace.training.pairs import Pair
from attntrace.training.schedule import Schedule

SMALL = Config(d_model=8, heads=2, layers=2, d_ff=8)


@pytest.fixture
def folder(tmp_path) -> TrainingFolder:
    return TrainingFolder(tmp_path / "one")


def new_training(count: int = len(PAIRS), **schedule: object) -> Training:
    pairs = [Pair(*pair) for pair in PAIRS[:count]]
    vocabularies = vocabularies_of(pairs, SMALL)
    return Training(SMALL, vocabularies, seeded(SMALL, vocabularies, 3), pairs,
                    Schedule(dtype="float64", **schedule))  # type: ignore[arg-type]


# Its numbers

def test_the_learning_rate_is_that_of_section_5_3():
    """It rises linearly and falls with the root: d_model^-0.5 · min(u^-0.5, u · warmup^-1.5), scaled to its peak."""
    schedule = Schedule(lr=0.03, warmup=40)
    paper = [min(u ** -0.5, u * 40 ** -1.5) for u in range(1, 1000)]
    assert [schedule.rate(u) for u in range(1, 1000)] == pytest.approx([0.03 * r / max(paper) for r in paper], 1e-12)


def test_updates_go_by_the_learning_rate_also_after_an_interruption(folder, monkeypatch):
    rates, real = [], training.adam
    monkeypatch.setattr(training, "adam", lambda *given: rates.append(given[-1].lr) or real(*given))
    with interrupted(7):
        folder.train("--epochs", "4", "--lr", "0.02", *ALL)
    folder.resume(*ALL)
    assert rates == pytest.approx([0.02 * min(u / 5, math.sqrt(5 / u)) for u in range(1, 13)], 1e-12)


def test_the_first_update_moves_each_parameter_by_the_first_rate(folder):
    """Adam's first step is as long as the rate, whatever the gradient is."""
    folder.train("--epochs", "1", "--batch", "100", "--warmup", "50", "--lr", "0.5", "--dtype", "float64", *ALL)
    config, vocabularies, parameters = load(folder.model)
    moved = np.abs(parameters.vector - seeded(config, vocabularies, 0).vector)
    assert moved.max() == pytest.approx(0.01, rel=1e-4) and np.median(moved) == pytest.approx(0.01, rel=1e-3)


def surprise(one: Training, pair: Pair, smoothing: float, over: str) -> list[float]:
    """Of each word of a pair's translation, teacher-forced, one sentence at a time."""
    words = tokenize(pair.target)
    prediction = transformer(Trace(), look_up(tokenize(pair.source), one.vocabularies.source, "source"),
                             look_up(["<s>", *words], one.vocabularies.target or (), "target"), one.parameters,
                             one.config)
    assert prediction is not None
    z = prediction.logits.value
    logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    numbers = [(one.vocabularies.target or ()).index(word) for word in [*words, "</s>"]]
    right = logs[range(len(numbers)), numbers]
    shared = {"all": logs.mean(axis=1), "others": (logs.sum(axis=1) - right) / (z.shape[1] - 1),
              "words": (logs[:, 1:].sum(axis=1) - right) / (z.shape[1] - 2)}  # <s> is the first word
    return list(-(1 - smoothing) * right - smoothing * shared[over])


@pytest.mark.parametrize("smoothing, over", [(0, "all"), (0.1, "all"), (0.7, "all"), (0.2, "others"), (0.2, "words")])
def test_the_loss_of_a_batch_is_that_of_its_sentences_by_themselves(smoothing, over):
    """Sentences of unequal lengths do not look at each other, nor at what fills them up."""
    one = new_training(batch=100, dropout=0, label_smoothing=smoothing, label_smoothing_over=over)
    expected = np.mean([loss for pair in one.pairs for loss in surprise(one, pair, smoothing, over)])
    assert next(iter(one)).loss == pytest.approx(expected, rel=1e-12)


def test_each_epoch_goes_through_all_pairs_once_in_an_order_of_its_own():
    one = new_training(batch=4, epochs=3)
    seen, real = [], one.learn
    one.learn = lambda *batch: seen.append(batch[0]) or real(*batch)  # type: ignore[method-assign]
    list(one)
    orders = []
    for epoch in range(3):
        sources = seen[3 * epoch:3 * epoch + 3]
        assert [len(source.lengths) for source in sources] == [4, 4, 3]
        orders.append([ids for source in sources for ids in np.split(source.ids, np.cumsum(source.lengths))[:-1]])
    as_sets = [sorted(map(tuple, order)) for order in orders]
    assert as_sets[0] == as_sets[1] == as_sets[2] and len(set(as_sets[0])) == len(PAIRS)
    assert len({str(order) for order in orders}) == 3


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_dropout_drops_its_share_and_keeps_the_mean(share):
    one = new_training(dropout=share)
    dropped = one._dropout()
    x = one._along(np.ones(200_000), "x")
    values = dropped(x).value, dropped(x).value
    assert np.unique(values[0]) == pytest.approx([0, 1 / (1 - share)])
    assert (values[0] == 0).mean() == pytest.approx(share, abs=0.01) and (values[0] != values[1]).any()
    one.resume(*(np.zeros_like(one.parameters.vector),) * 2, 1)
    assert (one._dropout()(x).value != values[0]).any()  # drawn again for each update
    one.resume(*(np.zeros_like(one.parameters.vector),) * 2, 0)
    assert (one._dropout()(x).value == values[0]).all()
    assert (dropped(x).value == 0).sum() < len(values[0]) and new_training(dropout=0)._dropout()(x) is x


def test_the_numbers_of_a_trained_model_are_those_that_were_trained(folder):
    """In float32, and run in float64 from then on."""
    assert folder.train("--epochs", "1").code == 0
    with np.load(folder.model) as file:
        assert {file[name].dtype.str for name in file.files if file[name].dtype.kind == "f"} == {"<f4"}
        assert not [name for name in file.files if name.startswith("training")]
    assert load(folder.model).config.dtype == "float64"


# What it says

def test_a_pipe_gets_plain_lines_on_standard_error_alone(folder):
    done = process(*folder.arguments(*TINY, "--epochs", "3"), FORCE_COLOR="1", COLUMNS="500")
    assert done.code == 0 and re.fullmatch(
        r"Training on \S+pairs.tsv\n  \$ attntrace train \S+ -o \S+model.npz --d-model 8 .*\n"
        r"  Wrote \S+model.npz: [\d,]+ parameters after 9 updates in \d+ s\.\n  \d+ of 9 training .*\n  \d+ of 2 .*\n\n"
        r"  Try next:\n  \$ attntrace translate .* --weights \S+model.npz\n  \$ attntrace weights info \S+\n",
        re.sub(r"\x1b\[\d*m", "", done.out))
    lines = done.err.splitlines()
    assert [line.split()[1] for line in lines] == ["1/3", "2/3", "3/3"] and done.err.count("\n") == 3
    assert all(line.isprintable() and "loss" in line and "held out" in line for line in lines)


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_terminal_gets_a_bar_unless_it_cannot_draw_one(folder, term):
    out = folder.model.with_name("out.txt")
    command = " ".join(map(str, folder.arguments(*TINY, "--epochs", "3")))
    with terminal(script=f"$PYTHON -m attntrace {command} > {out}", TERM=term,
                  PYTHON=sys.executable) as person:
        code, seen = person.ends()
    assert code == 0 and ("━" in seen, "\x1b[" in seen) == (term == "xterm",) * 2 and "epoch 3/3" in seen
    assert re.match(r"Training on .*\n  Wrote .*\n", out.read_text()) and "━" not in out.read_text()


def test_ctrl_c_on_a_terminal_says_how_to_resume(folder):
    with terminal(*folder.arguments(*TINY, "--epochs", MANY)) as person:
        person.reads("loss")
        person.types("\x03")
        code, seen = person.ends()
    assert code == 130 and "--resume" in seen and "Traceback" not in person.seen and folder.checkpoint.exists()


def test_a_terminal_that_is_closed_leaves_a_checkpoint_and_the_code_of_the_signal(folder):
    with terminal(*folder.arguments(*TINY, "--epochs", MANY)) as person:
        person.reads("loss")
        os.close(person.master)
        person.master = os.open(os.devnull, os.O_RDONLY)
        assert exit_code(person.pid) == 128 + signal.SIGHUP
    assert folder.checkpoint.exists() and folder.resume("--epochs", "1").code == 0


def test_progress_without_standard_error_is_silent(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", None)
        from attntrace.cli.progress import TrainingProgress, bar
        with bar(True, lambda: 1) as show:
            TrainingProgress(show, 1, 1, 0, 0).show(training.Done(1, 0.5, 3), 1, None)


def test_a_training_whose_progress_nobody_reads_any_more_does_not_claim_success(folder):
    command = " ".join(map(str, folder.arguments(*TINY, "--epochs", "40")))
    done = shell(f"($A {command}; echo $? >&3) 2>&1 3>{folder.model}.code | head -1")
    code = folder.model.with_name("model.npz.code").read_text().strip()
    assert done.code == 0 and (code != "0" or folder.model.exists())


# What cannot be

@pytest.mark.parametrize("options", [
    "--epochs 0", "--batch 0", "--lr 0", "--lr -1", "--lr nan", "--lr inf", "--lr fast", "--warmup 0", "--dropout 1",
    "--dropout -0.1", "--dropout nan", "--label-smoothing 1", "--label-smoothing x", "--hold-out -1", "--seed -1",
    "--heads 3", "--d-model 0", "--position-base 0.5", "--layers 0", "--score-scale 0", "--d-model 1000000",
    "--dtype float16", "--norm never", "--epochs 1.5"])
def test_an_option_out_of_range_is_one_line(folder, options):
    result = attntrace(*folder.arguments(*options.split()))
    too_large = "1000000" in options
    assert_refused(folder, result, "memory" if too_large else options.split()[0])
    assert folder.names() == ["pairs.tsv"]


@pytest.mark.parametrize("name", ["model", "model.npy", "", ".", "no/model.npz"])
def test_a_model_can_only_go_where_one_can_be(folder, name):
    refusal("train", str(folder.pairs), "-o", name)


@pytest.mark.parametrize("rate", ["1e6", "1e300"])
def test_a_training_that_diverges_says_so_in_one_line(folder, rate):
    folder.model.write_bytes(b"what was there")
    done = process(*folder.arguments(*TINY, "--epochs", "200", "--lr", rate, *ALL))
    lines = [line for line in done.err.splitlines() if not line.startswith("epoch")]
    assert (done.code, done.out, len(lines)) == (2, "", 1) and "--lr" in lines[0]
    assert folder.model.read_bytes() == b"what was there" and folder.names() == ["model.npz", "pairs.tsv"]


def test_an_unfinished_training_is_not_written_over_and_what_it_went_by_stays(folder):
    with interrupted(2):
        folder.train("--epochs", "4")
    before = folder.checkpoint.read_bytes()
    assert_refused(folder, folder.train("--epochs", "4"), "--resume", str(folder.checkpoint))
    assert folder.checkpoint.read_bytes() == before
    for options, word in ((("--lr", "0.1"), "--lr"), (("--seed", "0", "--batch", "4"), "--batch"),
                          (("--hold-out", "2"), "other pairs"), (("--hold-out-target", "Today"), "other pairs"),
                          (("--d-model", "8"), "--d-model")):
        assert_refused(folder, folder.resume(*options), word)
    folder.write([*PAIRS, ("a", "b")])
    assert_refused(folder, folder.resume(), "other pairs")
    folder.write(list(reversed(PAIRS)))
    assert_refused(folder, folder.resume(), "other pairs")
    assert folder.checkpoint.read_bytes() == before
    folder.checkpoint.unlink()
    assert_refused(folder, folder.resume(), "does not exist", str(folder.checkpoint))
