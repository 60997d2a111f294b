"""Beam search: against a search of all outputs and a beam in plain loops, and its page redone from its numbers."""
import math
import re
from itertools import product

import pytest
from command import attntrace, refusal
from random_model import SENTENCE, TARGET, WIRINGS, random_model

from attntrace.model.tokens import look_up
from attntrace.model.transformer import transformer
from attntrace.runs.beam import BeamSearch
from attntrace.runs.decoding import Decoding
from attntrace.runs.prepare import prepare
from attntrace.tracing.trace import Trace

LONGEST = 3  # words of an output
MODELS = [(WIRINGS["as_in_the_paper"], 1), (WIRINGS["norm_first_and_last"], 2),
          (WIRINGS["end_of_source"], 3)]
UNSURE = "민수 봤어?"


class Oracle:
    """The logarithms of the probabilities of the next words after every beginning, each from a pass of its own."""

    def __init__(self, run) -> None:
        self.logs: dict[tuple[str, ...], dict[str, float]] = {}
        for length in range(LONGEST):
            for words in product(TARGET, repeat=length):
                if "</s>" not in words:
                    target = look_up(["<s>", *words], TARGET, "target")
                    rows = transformer(Trace(), run.source, target, run.parameters, run.config).logits.value
                    logits = rows[-1].tolist()
                    whole = math.log(math.fsum(map(math.exp, logits)))
                    self.logs[words] = {word: logit - whole for word, logit in zip(TARGET, logits, strict=True)}

    def extended(self, kept):
        """The hypotheses and their sums after one more word, and those that are finished."""
        return {(*words, word): log + more for words, log in kept.items() if words[-1:] != ("</s>",)
                for word, more in self.logs[words].items()}

    def all_outputs(self) -> dict[tuple[str, ...], float]:
        whole, kept = {}, {(): 0.0}
        for _ in range(LONGEST):
            kept = self.extended(kept)
            whole |= {words: log for words, log in kept.items() if words[-1] == "</s>" or len(words) == LONGEST}
        return whole

    def beams(self, size: int) -> list[list[tuple[str, ...]]]:
        """What a beam keeps at each step; a finished hypothesis keeps its place."""
        kept, steps = {(): 0.0}, []
        for _ in range(LONGEST):
            ranked = sorted(self.extended(kept).items(), key=lambda one: -one[1])
            kept = dict(ranked[:size])
            size -= sum(words[-1] == "</s>" for words in kept)
            steps.append(list(kept))
        return [step for step in steps if step]


@pytest.fixture(scope="module", params=MODELS, ids=str)
def searched(request, tmp_path_factory):
    """A run of a random model in float64, and what comes next after all beginnings of an output."""
    wiring, seed = request.param
    file = random_model(seed=seed, **wiring).write(tmp_path_factory.mktemp("beam") / "model.npz")
    run = prepare(SENTENCE, weights=str(file))
    return run, Oracle(run)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.7])
def test_a_beam_as_large_as_the_number_of_outputs_ranks_all_of_them(searched, alpha):
    run, oracle = searched
    found = BeamSearch(run, len(TARGET) ** LONGEST, LONGEST, alpha)()
    scores = {words: log / ((5 + len(words)) / 6) ** alpha for words, log in oracle.all_outputs().items()}
    assert {one.words: one.score(alpha) for one in found} == pytest.approx(scores, rel=1e-12)
    assert [one.words for one in found] == sorted(scores, key=lambda words: -scores[words])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
def test_each_step_keeps_the_likeliest_candidates(searched, size):
    run, oracle = searched
    steps = list(BeamSearch(run, size, LONGEST).steps())
    assert [[one.words for one in step.kept] for step in steps] == oracle.beams(size)
    for before, step in zip(steps, steps[1:]):
        for one in step.kept:
            assert before.kept[one.before].words == one.words[:-1]
            assert one.log_probability == pytest.approx(
                math.fsum(oracle.logs[one.words[:n]][word] for n, word in enumerate(one.words)), rel=1e-12)


def test_a_beam_of_one_is_greedy_decoding(searched):
    run, _ = searched
    assert [list(one.words) for one in BeamSearch(run, 1, 5)()] == [Decoding(run, 5).words()]


# The page

@pytest.fixture(scope="module")
def page() -> str:
    done = attntrace("translate", UNSURE, "--alternatives", "3", "--precision", "9", "--width", "160")
    assert (done.code, done.err) == (0, "")
    return done.out


def test_every_hypothesis_is_the_sum_of_the_one_before_it_and_its_word(page):
    steps = re.split(r"\nStep \d+ ─+\n", page.partition("\nRanking")[0])[1:]
    before, finished = {"": ("", 0.0)}, 0
    for step in steps:
        count, vocab, candidates, kept, done = map(int, re.search(
            r"(\d+) hypothes[ie]s × (\d+) words = (\d+) candidates; kept: (\d+), finished before: (\d+)",
            re.sub(r"(?<=\d),(?=\d)", "", step)).groups())
        assert (count * vocab, kept, done) == (candidates, 3 - done, finished)
        rows = []
        for line in step.splitlines():
            if found := re.fullmatch(r" +((?:\d+ +){0,2})(-?\d\S*) +(-\d\S+) +(-\d\S+)  (\S.*)", line):
                origin = "" if "" in before else found[1].split()[-1]
                rows.append((origin, *map(float, found.groups()[1:4]), found[5]))
        sums = [row[3] for row in rows]
        assert len(rows) == kept + 3 and sums == sorted(sums, reverse=True)
        for origin, log, more, total, words in rows:
            text, earlier = before[origin]
            assert words.rpartition(" ")[0] == text and log == pytest.approx(earlier, abs=1e-9)
            assert log + more == pytest.approx(total, abs=2e-9)
        before = {str(n): (row[4], row[3]) for n, row in enumerate(rows[:kept], start=1)}
        finished += sum(row[4].endswith("</s>") for row in rows[:kept])
    assert finished == 3


def test_the_answer_stands_first_and_its_scores_are_those_of_the_ranking(page):
    rows = re.findall(r"^ +(\d) +(-\S+) +(\d+) +(\S+) +(-\S+)  (.+)$", page.partition("\nRanking")[2], re.M)
    for _, log, length, penalty, score, _ in rows:
        assert ((5 + int(length)) / 6) ** 0.6 == pytest.approx(float(penalty), abs=1e-9)
        assert float(log) / float(penalty) == pytest.approx(float(score), abs=1e-8)
    assert [line.split(maxsplit=2) for line in page.splitlines()[2:5]] == [[row[0], row[4], row[5]] for row in rows]
    quiet = attntrace("translate", UNSURE, "-q").out.strip()
    assert f"finds no. {[row[5] for row in rows].index(quiet) + 1}." in page


def test_quiet_prints_as_many_lines_for_each_line_of_input(page):
    best = [line.split(maxsplit=2)[2] for line in page.splitlines()[2:5]]
    assert attntrace("translate", UNSURE, "--alternatives", "3", "-q").out.splitlines() == best
    done = attntrace("translate", "--alternatives", "3", "-q", stdin=f"집 갔어\n\n{UNSURE}\n".encode())
    assert done.out.splitlines()[3:] == ["", "", "", *best] and done.out.startswith("I went home\n")
    edited = attntrace("translate", UNSURE, "--alternatives", "2", "-q", "--ablate",
                       "decoder.layer2.cross_attention.head1").out.splitlines()
    assert len(edited) == 2 and edited != best[:2]


@pytest.mark.parametrize("more", [["--trace"], ["--step", "1"], ["--only", "output.logits"], ["--form", "matrix"],
                                  ["--arithmetic", "all"], ["--save", "run.npz"]])
def test_options_of_tensors_are_refused(more):
    assert f"cannot be used with {more[0]};" in refusal("translate", UNSURE, "--alternatives", "2", *more)


@pytest.mark.parametrize("size", ["0", "101", "x"])
def test_a_beam_has_from_1_to_100_places(size):
    assert f"--alternatives is {size}; it must be a whole number from 1 to 100" in refusal(
        "translate", UNSURE, "--alternatives", size)


def test_a_beam_larger_than_all_that_there_is_shows_it_all(tmp_path):
    file = random_model().write(tmp_path / "model.npz")
    done = attntrace("translate", SENTENCE, "--weights", str(file), "--alternatives", "100", "--max-length", "1")
    text = " ".join(done.out.split())
    assert "1 hypothesis × 8 words = 8 candidates; kept: 8, finished before: 0" in text and "not kept" not in text
    assert "without </s> are not finished (--max-length)" in text


@pytest.mark.parametrize("language, first", [("en", "score  translation"), ("ko", "점수  번역문")])
@pytest.mark.parametrize("format", ["text", "markdown", "html"])
def test_the_page_is_there_in_every_format_and_language(language, first, format):
    done = attntrace("translate", UNSURE, "--alternatives", "2", "--format", format, "--lang", language, "--width=60")
    assert (done.code, done.err) == (0, "")
    for text in (*first.split(), "Did you see Minsu?", "-2.745"):
        assert text in done.out
    assert format != "text" or first in done.out and max(map(len, done.out.splitlines())) <= 60
