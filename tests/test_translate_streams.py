"""Translating: lines in and lines out, files, terminals, and words that would harm one."""
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from command import ROOT, Result, attntrace, clean_environment, process, refusal, shell
from hostile import HOSTILE_WORDS
from random_model import SENTENCE, SOURCE, TARGET, random_model
from rich.cells import cell_len
from terminals import terminal
from test_pause import HINT

CAFE, IN_ENGLISH = "어제 카페 갔었어", "I went to the cafe yesterday"
HERE, HERE_IN_ENGLISH = "어제 여기 왔어?", "Did you come here yesterday?"
WORD = "\u2028\x1b]0;x\x07"


def lines(text: str | bytes, *options: str, **env: str) -> Result:
    run = process if env else attntrace
    return run("translate", "-q", *options, stdin=text.encode() if isinstance(text, str) else text, **env)


def saying(folder, word: int, target: tuple[str, ...], source: tuple[str, ...] = SOURCE) -> str:
    """A model that says one word of its vocabulary again and again."""
    model, logits = random_model(), np.zeros(len(TARGET))
    target += tuple(f"other{n}" for n in range(len(target), len(TARGET)))
    logits[word] = 1e3
    parameters = model.parameters | {"output.b": logits}
    return str(model._replace(source=source, target=target, parameters=parameters).write(folder / "saying.npz"))


# Lines in, lines out

@pytest.mark.parametrize("text, expected", [
    ("", ""), (f"{CAFE}\r\n", f"{IN_ENGLISH}\n"),
    (f"\ufeff{CAFE}\n \n\n{HERE}", f"{IN_ENGLISH}\n\n\n{HERE_IN_ENGLISH}\n"),
    (f"{CAFE}\n\n" * 150, f"{IN_ENGLISH}\n\n" * 150)], ids=lambda text: repr(text)[:12])
def test_as_many_lines_come_out_as_go_in(text, expected):
    assert lines(text) == (0, expected, "")


def test_one_sentence_comes_quietly_from_wherever_it_is():
    assert attntrace("translate", CAFE, "--quiet") == (0, f"{IN_ENGLISH}\n", "")
    assert lines(CAFE, "-").out == f"{IN_ENGLISH}\n"
    assert process("translate", stdin=f"\n{CAFE}\n\n".encode()) == attntrace("translate", CAFE)


def test_lines_are_translated_as_they_come():
    """Not only once there are no more."""
    child = subprocess.Popen([sys.executable, "-m", "attntrace", "translate", "-q"], cwd=ROOT, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, env=clean_environment())
    assert child.stdin is not None and child.stdout is not None
    for korean, english in ((CAFE, IN_ENGLISH), (HERE, HERE_IN_ENGLISH)):
        child.stdin.write(f"{korean}\n".encode())
        child.stdin.flush()
        assert child.stdout.readline().decode() == f"{english}\n"
    child.communicate(timeout=20)
    assert child.returncode == 0


@pytest.mark.parametrize("before, line, words", [
    (1, "어제 昨日 갔었어".encode(), ("昨日",)), (130, "昨日".encode(), ("昨日",)), (130, b"\xff\xfe", ("UTF-8",)),
    (0, b"\x1b[2J", (r"\u{1B}",))])
def test_a_line_that_has_no_translation_is_named_by_its_number_after_those_before_it(before, line, words):
    code, out, err = lines(f"{CAFE}\n".encode() * before + line + f"\n{HERE}\n".encode())
    assert (code, out, err.count("\n")) == (2, f"{IN_ENGLISH}\n" * before, 1)
    assert all(word in err for word in (f"line {before + 1} ", *words)) and err.rstrip("\n").isprintable()


def test_a_word_that_the_model_does_not_know_is_one_line():
    for options in ((), ("-q",), ("--trace",)):
        error = refusal("translate", "어제 昨日 갔었어", *options)
        assert "昨日" in error and "line" not in error


@pytest.mark.parametrize("ends", [False, True])
def test_no_words_are_no_sentence_quietly_or_not(tmp_path, ends):
    file = str(random_model(source_end=ends).write(tmp_path / "model.npz"))
    whole, quiet = (attntrace("translate", " ", "--weights", file, *more) for more in ((), ("-q",)))
    assert whole.code == quiet.code == 2 and whole.err == quiet.err


@pytest.mark.parametrize("length", [1, 3, 6, 7, 50])
def test_a_translation_may_be_cut_short(length):
    words = IN_ENGLISH.split()[:length]
    page = attntrace("translate", CAFE, "--max-length", str(length))
    assert page.code == 0 and page.out.splitlines()[2] == f"  {' '.join(words)}"
    assert attntrace("translate", CAFE, "-q", "--max-length", str(length)).out == " ".join(words) + "\n"
    assert len(re.findall(r"^Step \d", page.out, re.M)) == min(length, 7)
    assert ("before </s>" in page.out) == (length < 7)


@pytest.mark.parametrize("options", ["", "--step 1", "--trace", "--pause", "--layer 1", "--save run.npz"])
def test_quietly_the_translation_is_all_that_is_printed(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert attntrace("translate", CAFE, "-q", *options.split()) == (0, f"{IN_ENGLISH}\n", "")
    assert (tmp_path / "run.npz").exists() == options.startswith("--save")


def test_quietly_a_document_has_the_translation_alone():
    assert attntrace("translate", CAFE, "-q", "--format", "html").out.count("<p") == 1


@pytest.mark.parametrize("options, word", [
    ("--step 8", "1 to 7"), ("--step 0", "--step"), ("--max-length 0", "--max-length"), ("--format jsonl", "--format"),
    ("--token 1", "--token"), ("--only no.such", "no.such"), ("--layer 3", "--layer"), ("--head 5", "--head"),
    ("--weights no.npz", "no.npz"), ("--weights samples/ko-en.tsv", "ko-en.tsv"), ("--width 59", "--width"),
    ("--max-length 3 --step 4", "1 to 3")])
def test_what_cannot_be_is_one_line(options, word):
    assert word in refusal("translate", CAFE, *options.split())


# Other models

@pytest.mark.parametrize("options", [(), ("-q",), ("--trace",)])
def test_an_encoder_alone_cannot_translate(tmp_path, options):
    file = str(random_model(decoder=False).write(tmp_path / "encoder.npz"))
    assert file in refusal("translate", SENTENCE, "--weights", file, *options)


def test_a_vocabulary_without_an_end_goes_on_to_the_longest(tmp_path):
    target = tuple("no" if word == "</s>" else word for word in TARGET)
    file = str(random_model()._replace(target=target).write(tmp_path / "endless.npz"))
    page, quiet = (attntrace("translate", SENTENCE, "--weights", file, "--max-length", "9", *more).out
                   for more in ((), ("-q",)))
    assert f"  {quiet}" in page and len(quiet.split()) == 9 and "before </s>" in page


def test_words_that_are_equally_likely_are_taken_in_their_order(tmp_path):
    parameters = {name: value * (not name.startswith("output")) for name, value in random_model().parameters.items()}
    file = str(random_model()._replace(parameters=parameters).write(tmp_path / "model.npz"))
    for options in ((), ("-q",)):
        out = attntrace("translate", SENTENCE, "--weights", file, "--max-length", "2", *options).out
        assert f"{TARGET[0]} {TARGET[0]}" in [line.strip() for line in out.splitlines()]


@pytest.mark.parametrize("options", [(), ("--trace",), ("-q",)])
def test_numbers_that_grow_too_large_are_one_line(tmp_path, options):
    parameters = random_model().parameters
    large = parameters | {"decoder.E": parameters["decoder.E"] * 1e200}
    file = str(random_model()._replace(parameters=large).write(tmp_path / "large.npz"))
    code, _, err = attntrace("translate", SENTENCE, "--weights", file, *options)
    assert (code, err.count("\n")) == (2, 1) and "too large" in err


# Words that would harm a terminal

PAGES = (("-q",), (), ("--step", "1", "--form", "matrix", "--ascii"))


@pytest.mark.parametrize("word, options", [
    pytest.param(word, page, id=f"{text!r} {page}")
    for word, text in enumerate(HOSTILE_WORDS) for page in PAGES[:3 if word == 1 else 2]])
def test_no_word_of_a_file_reaches_the_terminal_raw(tmp_path, word, options):
    file = saying(tmp_path, word, HOSTILE_WORDS, (WORD, *SOURCE[1:]))
    code, out, err = attntrace("translate", f"{SENTENCE} cat", "--weights", file, "--max-length", "2", *options)
    assert (code, err) == (0, "") and all(line.isprintable() for line in out.split("\n"))
    spelled = "".join(char if char.isprintable() else f"\\u{{{ord(char):X}}}" for char in HOSTILE_WORDS[word])
    last = "" if spelled == "</s>" else " ".join([spelled] * 2)
    assert last in [line.strip() for line in out.split("\n")]
    if options != ("-q",):
        read = "" if spelled == "</s>" else f" {spelled}"
        assert f"Step 1: {spelled} " in out and f"decoder reads <s>{read}" in out


def test_words_that_an_output_lacks_are_spelled_in_one_way(tmp_path):
    file = saying(tmp_path, 2, ("<s>", "</s>", "어"))
    done = process("translate", SENTENCE, "--weights", file, "--max-length", "3", PYTHONIOENCODING="ascii")
    assert done.code == 0 and "Step 1: \\u{C5B4} " in done.out and "\\uc5b4" not in done.out


@pytest.mark.parametrize("options", ["60", "61 --ascii", "80 --big", "100 --ascii --big", "160", "200 --big"])
def test_no_line_is_wider_than_the_page(options):
    width, *more = options.split()
    out = attntrace("translate", "밤에 민수랑 집에서 게임 해?", "--width", width, *more).out
    assert max(map(cell_len, out.split("\n"))) <= int(width) and out.count("Step") >= 7


@pytest.mark.parametrize("word", ["w" * 250, "어" * 90, "a " * 60 + "b"], ids=lambda word: word[:2])
def test_no_word_is_wider_than_the_page_either(tmp_path, word):
    """But for the translation, which stands in one line."""
    file = saying(tmp_path, 2, ("<s>", "</s>", word))
    code, out, err = attntrace("translate", SENTENCE, "--weights", file, "--max-length", "4", "--width", "60")
    assert (code, err) == (0, "") and sorted(map(cell_len, out.split("\n")))[-2] <= 60


# Files, pipes, terminals

@pytest.mark.parametrize("options", [(), ("-q",), ("--step", "2", "--form", "matrix")], ids=str)
def test_a_file_gets_what_standard_output_would(tmp_path, options):
    file = tmp_path / "out.txt"
    assert attntrace("translate", CAFE, *options, "-o", str(file)) == (0, "", "")
    assert file.read_text("utf-8") == attntrace("translate", CAFE, *options).out


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    file = tmp_path / "out.txt"
    file.write_text("what was there")
    assert lines(f"{CAFE}\n昨日\n", "-o", str(file)).code == 2
    assert attntrace("translate", "昨日", "-o", str(file)).code == 2
    assert file.read_text() == "what was there" and os.listdir(tmp_path) == ["out.txt"]
    assert lines(f"{CAFE}\n\n", "-o", str(file)) == (0, "", "") and file.read_text() == f"{IN_ENGLISH}\n\n"


def test_a_reader_of_endless_translations_may_leave_early():
    done = shell(f"set -o pipefail; (yes '{CAFE}' | $A translate -q | head -1; echo ${{PIPESTATUS[1]}})")
    assert (done.out, done.err) == (f"{IN_ENGLISH}\n0\n", "")


def test_a_page_waits_for_a_key_after_each_step():
    with terminal("translate", CAFE, "--pause", "--color", "never") as person:
        assert IN_ENGLISH in person.reads(HINT)
        for number, word in enumerate(["I", "went"], start=1):
            person.presses(" ")
            assert f"{number} of 7 · Step {number}: {word}" in person.reads(HINT)
        person.presses("b")
        assert "1 of 7 · Step 1: I" in person.reads(HINT)
        person.presses("q")
        code, seen = person.ends()
        assert code == 0 and "Step 3" not in person.seen and "Details" not in seen


@pytest.mark.parametrize("options", [("-q",), ()])
def test_without_a_sentence_at_a_terminal_it_says_so(options):
    with terminal("translate", *options) as person:
        code, seen = person.ends()
    assert code == 2 and seen.count("\n") == 1 and "Traceback" not in seen
