"""Translating: the model that comes with attntrace, one word at a time, and what stands around it."""
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from command import ROOT, attntrace
from random_model import SENTENCE, TARGET, WIRINGS, random_model

from attntrace.files.weights import load, located
from attntrace.model.tokens import Reader, look_up
from attntrace.model.transformer import transformer, translate
from attntrace.runs.decoding import Decoding
from attntrace.runs.prepare import prepare
from attntrace.tracing.trace import Trace

CAFE, IN_ENGLISH = "어제 카페 갔었어", "I went to the cafe yesterday"
PAIRS = [tuple(line.split("\t")) for line in (ROOT / "samples" / "ko-en.tsv").read_text("utf-8").splitlines()]
HELD_OUT = [pair for pair in PAIRS if pair[1] == IN_ENGLISH or not int(
    hashlib.sha256(pair[0].encode()).hexdigest(), 16) % 40]
TRAINING = [pair for pair in PAIRS if pair not in HELD_OUT]
UNSEEN, LEARNED = HELD_OUT[::2], TRAINING[::200]
SEVERAL = [CAFE, HELD_OUT[0][0], max((source for source, _ in PAIRS), key=len)]
READER = Reader()
SOME = [WIRINGS[name] for name in ("as_in_the_paper", "norm_first_and_last", "end_of_source")]
KO_EN = str(located("ko-en"))


def quiet(*lines: str) -> list[str]:
    """A translation of each line, by a process that is given all of them."""
    done = attntrace("translate", "-q", stdin="".join(f"{line}\n" for line in lines).encode())
    assert (done.code, done.err) == (0, "")
    return done.out.removesuffix("\n").split("\n")


@pytest.fixture(scope="module")
def translations() -> dict[str, str]:
    """What the command makes of the sources that were never learned, and of some that were."""
    sources = [source for source in dict.fromkeys([*SEVERAL, *dict(UNSEEN), *dict(LEARNED)]) if is_known(source)]
    return dict(zip(sources, quiet(*sources), strict=True))


def is_known(sentence: str) -> bool:
    """Whether the model has pieces for all words."""
    known = load(Path(KO_EN)).vocabularies.source or ()
    return set(READER.read(sentence, known, "source", "ko-en")[0]) <= set(known)


def rows_apart(weights: str, words: list[str], read: list[str]) -> np.ndarray:
    """Logits after each prefix of what the decoder reads, each by a pass of its own."""
    config, vocabularies, parameters = load(Path(weights))
    source = look_up(words + ["</s>"] * config.source_end, vocabularies.source, "source")
    rows = []
    for length in range(1, len(read) + 1):
        target = look_up(read[:length], vocabularies.target or (), "target")
        prediction = transformer(Trace(), source, target, parameters, config)
        assert prediction is not None and len(prediction.logits.value) == length
        rows.append(prediction.logits.value)
    return np.stack([row[-1] for row in rows] + list(rows[-1])).reshape(2, len(read), -1)


# The model that comes with attntrace

def test_what_it_learned_and_most_of_what_it_never_saw_is_translated_exactly(translations):
    assert len(dict(PAIRS)) == len(PAIRS) > 10_000 and len(HELD_OUT) >= 250
    for pairs, share in ((UNSEEN, 0.5), (LEARNED, 0.85)):
        assert sum(translations.get(source) == target for source, target in pairs) >= share * len(pairs)


def test_the_sentence_of_the_examples_was_never_learned(translations):
    """No training pair has its target, or in the other direction itself; and each model gives what the other read."""
    assert CAFE not in dict(PAIRS) and IN_ENGLISH not in {target for _, target in PAIRS}
    assert translations[CAFE] == IN_ENGLISH and quiet(IN_ENGLISH) == [CAFE]


# One word at a time

@pytest.mark.parametrize("sentence", SEVERAL)
def test_each_word_is_the_likeliest_after_those_before_it(sentence, translations):
    """Row t of one teacher-forced pass says what comes after the first t words; so does a pass that ends there."""
    source, known = (vocabulary or () for vocabulary in load(Path(KO_EN)).vocabularies)
    words = READER.read(translations[sentence], known, "target", "ko-en")[0]
    apart, at_once = rows_apart(KO_EN, READER.read(sentence, source, "source", "ko-en")[0], ["<s>", *words])
    assert [known[row.argmax()] for row in at_once] == [*words, "</s>"]
    assert np.abs(apart - at_once).max() <= 1e-12
    steps = list(Decoding(prepare(sentence, weights="ko-en")).steps())
    assert np.abs(np.stack([step.of_next_word("logits") for step in steps]) - at_once).max() <= 1e-12
    assert [step.word for step in steps] == [*words, "</s>"]


@pytest.mark.parametrize("wiring", SOME, ids=str)
def test_the_words_of_a_random_model_are_its_likeliest_too(tmp_path, wiring, sentence="cat is 어제"):
    file = str(random_model(**wiring).write(tmp_path / "random.npz"))
    steps = list(Decoding(prepare(sentence, weights=file), 5).steps())
    apart, at_once = rows_apart(file, sentence.split(), ["<s>", *(step.word for step in steps[:-1])])
    assert np.abs(apart - at_once).max() <= 1e-12
    assert np.abs(np.stack([step.of_next_word("logits") for step in steps]) - at_once).max() <= 1e-12
    assert [step.word for step in steps] == [TARGET[row.argmax()] for row in at_once]
    assert len(steps) == 5 or steps[-1].word == "</s>"


@pytest.mark.parametrize("wiring", SOME, ids=str)
def test_sentences_of_unequal_lengths_do_not_see_each_other(tmp_path, wiring):
    """Random numbers, so that whatever a sentence saw of another, or of what fills it up, would change its words."""
    sentences = [SENTENCE, "cat", "this is a cat", "어제", "갔었어 갔었어 a a a 카페 에 this", "나는 나는"]
    file = random_model(**wiring).write(tmp_path / "random.npz")
    config, vocabularies, parameters = load(file)
    sources = [look_up(sentence.split() + ["</s>"] * config.source_end, vocabularies.source, "source").ids
               for sentence in sentences]
    together = translate(parameters, config, vocabularies, sources, 5)
    for sentence, words in zip(sentences, together, strict=True):
        assert words == [step.word for step in Decoding(prepare(sentence, weights=str(file)), 5).steps()]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_proof_holds_in_either_precision(tmp_path, dtype):
    """The same words from numbers of single precision, and the check at the foot of the page says yes."""
    with np.load(KO_EN) as file:
        members = {name: file[name] for name in file.files}
    config = members["config"].item().replace("float64", dtype)
    np.savez(tmp_path / "model.npz", **members | {"config": np.array(config)})
    code, out, err = attntrace("translate", CAFE, "--weights", str(tmp_path / "model.npz"))
    assert (code, err) == (0, "") and dtype in out and f"\n  {IN_ENGLISH}\n" in out
    assert out.count("✓") == 1 and "✗" not in out


def test_a_step_that_differs_from_one_pass_ends_with_1(monkeypatch):
    """Whatever were wrong with a decoder, the page would say so."""
    honest = Decoding.forced
    monkeypatch.setattr(Decoding, "forced", lambda self, words: honest(self, words) + 1e-9)
    code, out, _ = attntrace("translate", CAFE)
    assert code == 1 and "✓" not in out


def test_what_stays_of_the_step_before_is_measured():
    """All that a key-value cache would keep: d_model numbers of K and of V, of each layer, for each word before."""
    out = " ".join(attntrace("translate", CAFE).out.split())
    numbers = re.findall(r"(?:self-attention \(|would (?:keep|hold) )([\d,]+) numbers", out)
    kept = [int(number.replace(",", "")) for number in numbers]
    assert kept == [2 * 2 * 64 * before for before in range(1, 7)]
    assert len(re.findall("the same as in the previous step", out)) == 6 and "differ from" not in out


def test_the_tables_say_what_softmax_says():
    known = load(Path(KO_EN)).vocabularies.target or ()
    _, at_once = rows_apart(KO_EN, CAFE.split(), ["<s>", *IN_ENGLISH.split()])
    tables = re.findall(r"next word +logit +probability\n((?: +\d  .*\n){5})", attntrace("translate", CAFE).out)
    assert len(tables) == len(at_once) == 7
    for table, row in zip(tables, at_once, strict=True):
        shares = np.exp(row) / np.exp(row).sum()
        best = sorted(range(len(row)), key=lambda n: -row[n])[:5]
        assert [line.split() for line in table.splitlines()] == [
            [str(rank), known[n], f"{row[n]:.3f}", f"{shares[n]:.3f}"]
            for rank, n in enumerate(best, start=1)]


@pytest.mark.parametrize("sentence", [CAFE, "타이어가 펑크 났어", "호박이 넝쿨째 굴러왔어"])
def test_a_line_below_the_answer_names_the_least_likely_word_where_it_is_below_one_half(sentence):
    page = attntrace("translate", sentence).out
    first = re.findall(r"\n  1  (\S+) +\S+ +(\S+)\n  2  (\S+) +\S+ +(\S+)\n", page)
    number, (word, share, second, less) = min(enumerate(first, start=1), key=lambda step: float(step[1][1]))
    line = f"  Not sure: in step {number}, {word} has a probability of only {share} (second: {second}, {less})."
    assert (page.splitlines()[4] == line) == ("Not sure" in page) == (float(share) < 0.5) == (sentence != CAFE)


def test_a_step_can_be_traced_alone_and_all_with_trace(number=3):
    one, whole = (attntrace("translate", CAFE, *more, "--form", "matrix", "--only", "output.logits").out
                  for more in (("--step", str(number)), ("--trace",)))
    assert set(re.findall(r"step(\d)\.output", one)) == {str(number)}
    assert set(re.findall(r"step(\d)\.output", whole)) == set("1234567")
    assert all(page.splitlines()[2] == f"  {IN_ENGLISH}" for page in (one, whole))
