"""What a page begins and ends with: its title, its command and the result, which is true; and commands that run."""
import json
import os
import re
import shlex

import numpy as np
import pytest
from command import BLOG, ROOT, attntrace, printed, words_of
from markup import read
from pages import run_of

SOCCER = ("내일 친구랑 카페에서 커피 마실 거야", "--target", "I'll drink coffee with a friend at the cafe tomorrow",
          "--weights", "ko-en", "--ablate", "decoder.layer2.cross_attention.head1")
PAGES = {
    "trace": ("trace", "this is a cat"), "target": ("trace", *BLOG), "one": ("trace", "a"),
    "many": ("trace", "w " * 40),
    "empty": ("trace", "a b", "--target", ""), "quotes": ("trace", "it's \"5$\" `a` \\\\ !", "--target", "'"),
    "dash": ("trace", "--", "-a b"), "trained": ("trace", *BLOG, "--weights", "ko-en"),
    "map": ("map", *BLOG, "--layers", "2"),
    "wired": ("trace", "a b", "--no-scale-embedding", "--score-scale", "2", "--final-norm", "--seed", "3"),
    "edited": ("trace", "a b", "--set", "encoder.E:a,1=2", "--swap", "1,2", "--ablate", "head2"),
    "pencil": ("trace", "cat sleeps", "--weights", "samples/pencil.json", "--pencil", "2"),
    "rows": ("trace", "--input", "{rows}"), "attention": ("trace", "--weights", "{attention}", "--input", "{rows}"),
    "backprop": ("backprop", "a cat", "un chat", "--optimizer", "adam", "--lr", "0.1"),
    "translate": ("translate", "어제 카페 갔었어"), "compare": ("compare", *SOCCER),
    "rewired": ("compare", "카페", "--weights", "ko-en", "--what-if", "--norm pre"), "verify": ("verify",),
    "steps": ("steps",), "info": ("weights", "info", "ko-en"),
    "parameter": ("why", "encoder.E:1,1", "a b", "--optimizer", "adam"),
    "saved parameter": ("why", "E:1,1", "--from", "{run}"),
    "why": ("why", "head1.weights:1,2", "a b"), "gradient": ("why", "gradient.output.W:1,cafe"),
    "show": ("show", "--from", "{run}"), "show step": ("show", "--from", "{step}"),
    "diff": ("diff", "{run}", "{other}"),
    "show translation": ("show", "--from", "{translation}"), "verify saved": ("verify", "--from", "{run}")}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files that the pages are about, by name."""
    place = tmp_path_factory.mktemp("a name")
    names = {name: str(place / f"{name}.npz") for name in ("run", "other", "step", "translation", "rows", "attention")}
    for name, command in (("run", ("trace", "a b")), ("other", ("trace", "a b", "--seed", "1")),
                          ("step", ("backprop", "a", "b")), ("translation", ("translate", "어제 카페 갔었어"))):
        assert attntrace(*command, "--save", names[name], "-q").code == 0
    np.savez(names["rows"], **{"encoder.input": np.eye(3, 8)})
    matrices = {f"encoder.layer1.self_attention.W_{name}": np.eye(8) for name in "QKVO"}
    config = json.dumps({"d_model": 8, "heads": 2, "part": "attention"})
    np.savez(names["attention"], config=np.array(config), **matrices)
    return names


def page_of(name: str, files: dict[str, str]) -> tuple[list[str], str]:
    """The words of a command, and its page."""
    words = [word.format(**files) if word.startswith("{") else word for word in PAGES[name]]
    words[1 + (words[0] == "weights"):0] = ["--width", "999"]
    code, page, errors = printed(*words)
    assert (code, errors) == (int(words[0] == "diff"), "")
    return words, page


@pytest.fixture(autouse=True)
def where_the_samples_are(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_begins_with_a_title_and_the_command_that_makes_it_again(name, files):
    words, page = page_of(name, files)
    title, command, _ = page.split("\n", 2)
    assert title == title.strip() != "" and command.startswith("  $ attntrace ")
    assert shlex.split(command)[2:] == words


@pytest.mark.parametrize("sentence", ["-ok then", "--pause", "-o"])
def test_the_command_of_a_page_keeps_a_sentence_that_looks_like_an_option(sentence):
    command = attntrace("map", "--heads", "1", "--", sentence).out.splitlines()[1]
    assert shlex.split(command)[2:] == ["map", "--heads", "1", "--", sentence]


@pytest.mark.parametrize("name", [*PAGES, "show ADDRESS", "show ROW", "explain ADDRESS"])
def test_a_page_ends_with_commands_to_try_that_run(name, files):
    page = printed(*{
        "explain ADDRESS": ("explain", "head1.z"), "show ROW": ("show", "encoder.E:2", "--from", files["run"]),
        "show ADDRESS": ("show", "head1.A", "--from", files["run"])}[name], "--width", "999").out if (
            name not in PAGES) else page_of(name, files)[1]
    above, heading, below = page.rpartition("\n\n  Try next:\n")
    commands = [line.strip()[2:] for line in below.splitlines()]
    assert heading and 2 <= len(commands) <= 3 and all(command.startswith("attntrace ") for command in commands)
    assert name not in PAGES or above.splitlines()[1].strip()[2:] not in commands
    for command in commands:
        code, out, errors = printed(*words_of(command))
        assert (code, errors) == (0, "") and out, command


@pytest.mark.parametrize("name", {words[0]: name for name, words in PAGES.items()}.values())  # one of each command
def test_a_korean_page_has_the_same_commands_to_try_and_a_bare_answer_has_none(name, files):
    words, page = page_of(name, files)
    korean = attntrace(*words, ATTNTRACE_LANG="ko").out.rpartition("\n\n  다음에 해 볼 명령:\n")
    assert korean[2] == page.rpartition("\n\n  Try next:\n")[2]
    if words[0] not in ("show", "why", "map", "weights"):
        assert "Try next" not in attntrace(*words, "--quiet").out


@pytest.mark.parametrize("command", [
    ("show", "encoder.E:1,1", "--from", "{run}"), ("show", "encoder.E", "--from", "{run}", "--format", "csv"),
    ("weights", "info", "ko-en", "--words"), ("steps", "a", "--format", "svg"), ("map", "a", "--format", "svg")])
def test_what_programs_read_ends_with_its_last_number(command, files):
    assert "Try next" not in attntrace(*(word.format(**files) for word in command)).out


@pytest.mark.parametrize("width", ["60", "80"])
def test_a_command_that_is_broken_is_the_same_to_a_shell(width):
    words = ["trace", " ".join(f"word{n}" for n in range(40)), "--only", "encoder.layer1.self_attention.head1.*"]
    page = attntrace(*words, "--width", width).out
    broken = re.search(r"^  \$ (attntrace trace .*\\\n(?:.*\\\n)*.*)$", page, re.M)
    assert broken and shlex.split(broken[1].replace("\\\n", ""))[1:] == [*words, "--width", width]


def first(count: int, *arguments: str) -> list[str]:
    """The first lines of a page, of which no more is made."""
    return attntrace(*arguments, lines=count).out.splitlines()[:count]


def test_the_first_screen_of_a_trace_has_the_words_where_they_look_and_what_comes_out():
    page = "\n".join(first(13, "trace", "this is a cat"))
    assert "1:this  2:is  3:a  4:cat" in page and "encoder.output, 4 × 8" in page
    heads = [run_of("trace", "this is a cat").values[f"encoder.layer1.self_attention.head{n}.weights"] for n in (1, 2)]
    for word, *rows in zip(("this", "is", "a", "cat"), *heads, strict=True):
        (line,) = re.findall(rf"^  {word} +[ ░▒▓█]?(\d.*)$", page, re.M)
        assert re.findall(r"\d\.\d\d", line) == [f"{weight:.2f}" for row in rows for weight in row]


def test_with_a_target_the_last_cross_attention_is_shown_and_the_likeliest_word_after_each_row():
    arguments = ("trace", *BLOG, "--layers", "2")
    page, run = "\n".join(first(16, *arguments)), run_of(*arguments)
    known = list(dict.fromkeys(["<s>", "</s>", *(token["text"] for token in run.header["tokens"]["target"])]))
    heads = [run.values[f"decoder.layer2.cross_attention.head{n}.weights"] for n in (1, 2)]
    for token, next_one, *rows in zip(run.header["tokens"]["target"], run.values["output.probabilities"], *heads,
                                      strict=True):
        (line,) = re.findall(rf"^  {token['text']} +[ ░▒▓█]?(\d.*)$", page, re.M)
        assert line.split()[-2:] == [known[next_one.argmax()], f"{next_one.max():.2f}"]
        assert re.findall(r"\d\.\d\d", line)[:-1] == [f"{weight:.2f}" for row in rows for weight in row]


def test_of_many_words_the_first_and_the_last_are_shown_and_how_many_there_are():
    words = [f"w{n}" for n in range(1, 41)]
    page = attntrace("trace", " ".join(words)).out.partition("Part 1")[0]
    head = run_of("trace", " ".join(words)).values["encoder.layer1.self_attention.head1.weights"]
    shown = re.findall(r"^ +(\d+)  w\1 +(\S+) (\S+)", page, re.M)
    assert shown == [(str(n), words[head[n - 1].argmax()], f"{head[n - 1].max():.2f}") for n in (1, 2, 3, 38, 39, 40)]
    assert "  6 of 40 words are shown; attntrace map shows them all." in page


def test_only_what_is_cut_is_said_to_be_cut():
    page = attntrace("trace", "a b c d e f g h i", "--quiet").out
    assert "  1 of 2 heads is shown; attntrace map shows them all." in page and "words are shown" not in page
    assert " shown" not in attntrace("trace", "a b", "--quiet").out


@pytest.mark.parametrize("options, place, heads, rows", [
    (("--only", "encoder.*head2.weights", "--token", "c"), "encoder.layer1.self_attention", [2], ["c"]),
    (("--head", "1"), "decoder.layer1.cross_attention", [1], ["<s>", "x", "y"]),
    (("--token", "y"), "decoder.layer1.cross_attention", [1, 2], ["y"]),
    (("--only", "encoder.embedding"), "decoder.layer1.cross_attention", [1, 2], ["<s>", "x", "y"])])
def test_the_answer_shows_the_heads_and_the_rows_that_are_selected(options, place, heads, rows):
    arguments = ("trace", "a b c", "--target", "x y")
    words, run = ["a", "b", "c"] if place.startswith("encoder") else ["<s>", "x", "y"], run_of(*arguments)
    page = attntrace(*arguments, *options, "--quiet", "--width", "100").out.partition(place)[2]
    assert re.findall(r"head (\d)", page) == list(map(str, heads))
    shown = [[word, *re.findall(r"\d\.\d\d", line)] for word, line in re.findall(
        r"^  (\S+) +([ ░▒▓█]?\d\.\d\d.*)$", page.partition("░▒▓█:")[0], re.M)]
    weights = [run.values[f"{place}.head{n}.weights"] for n in heads]
    expected = [[word, *(f"{weight:.2f}" for head in weights for weight in head[words.index(word)])] for word in rows]
    assert [row[:len(full)] for row, full in zip(shown, expected, strict=True)] == expected


def test_the_command_is_below_the_title_or_set_off_below_a_result_of_one_sentence():
    long = ("this is a cat that sat", "un chat qui est", "--optimizer", "adam", "--label-smoothing", "0.1")
    for arguments, above in ((("trace", long[0], "--target", long[1], "--layers", "2", "--heads", "4"), 1),
                             (("backprop", *long, "--layers", "2"), 10)):
        page = first(14, *arguments, "--width", "100")
        at = next(n for n, line in enumerate(page) if line.startswith("  $ attntrace"))
        assert page[at].endswith("\\") and (at == above or page[at - 1] == ""), page[:12]


def test_signs_that_stand_for_weights_are_explained_where_they_first_are():
    page = attntrace("trace", "a b", "--target", "c").out
    assert page.count("░▒▓█: the fuller") == page.count("▁▂▃▄▅▆▇█ after a row") == 1
    assert page.index("▁▂▃▄▅▆▇█ after") < re.search(r"\] +[▁▂▃▄▅▆▇█]", page).start()
    assert "--==" not in attntrace("trace", "a b", "--ascii").out and "-=+#: the fuller" in attntrace(
        "trace", "a b", "--ascii").out


@pytest.mark.parametrize("only, dots", [("cross_attention.*", False), ("decoder.layer1.self_attention.*", True)])
def test_a_dot_is_explained_only_where_there_is_one(only, dots):
    page = re.sub("(yesterday|cafe) ·", "", attntrace("map", "a b", "--target", "c d", "--only", only).out)  # the gloss
    assert ("·" in page) == dots == ("A dot is a masked word." in page)
    assert "A dot" not in attntrace("translate", "어제 카페 갔었어").out


@pytest.mark.parametrize("arguments, conclusion", [
    (("compare", *SOCCER), 'After "cafe": tomorrow → </s>. 17 of 262 steps differ; the first is'),
    (("compare", "a b", "--set", "encoder.E:a,1=2"), "33 of 34 steps differ"),
    (("translate", "어제 카페 갔었어"), "I went to the cafe yesterday"),
    (("verify",), "93 steps, 2,938 numbers: all match"),
    (("backprop", "a cat", "un chat"), "The loss was 1.266; with the new parameters it is 1.182")])
def test_the_first_three_lines_hold_the_conclusion(arguments, conclusion):
    assert conclusion in "\n".join(first(3, *arguments))


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name, width", [
    ("compare", "80"), ("rewired", "80"), ("verify", "80"), ("translate", "80"), ("diff", "100"), ("backprop", "100"),
    ("verify saved", "100"), ("long", "100")])
def test_the_first_three_lines_hold_the_whole_conclusion(name, width, language, files, monkeypatch):
    monkeypatch.chdir(os.path.dirname(files["run"]))
    words = ("backprop", *BLOG[::2]) if name == "long" else [os.path.basename(word.format(**files))
                                                             for word in PAGES[name]]
    words = [*words, "--lang", language]
    whole = first(3, *words, "--width", "999")[2].strip()
    assert len(whole) > 20 and whole in " ".join(" ".join(first(3, *words, "--width", width)).split())


def test_the_largest_gradients_are_those_of_the_run():
    run = run_of("backprop", "a cat", "un chat")
    ends = {name: values.ravel()[np.abs(values).argmax()] for name, values in run.values.items()
            if name.startswith("gradient.") and name.removeprefix("gradient.") in run.parameters}
    largest = sorted(ends, key=lambda name: -abs(ends[name]))[:5]
    shown = [line.split() for line in first(10, "backprop", "a cat", "un chat")[5:]]
    assert [(cell.partition(":")[0], number) for cell, number in shown] == [
        (name, f"{ends[name]:.3f}") for name in largest]
    for cell, number in shown:
        name, _, at = cell.partition(":")
        assert f"{run.values[name][tuple(int(n) - 1 for n in at.split(','))]:.3f}" == number


@pytest.mark.parametrize("name", ["trace", "map", "compare", "trained", "pencil", "translate", "backprop"])
def test_only_weights_that_nothing_has_learned_are_said_to_mean_nothing(name, files):
    page = page_of(name, files)[1]
    assert ("means nothing yet" in page) == ("--weights" not in PAGES[name] and name not in ("translate", "backprop"))


def test_an_english_page_says_what_the_korean_example_means_and_a_korean_one_need_not():
    english, korean = (attntrace("trace", BLOG[0], "--lang", language).out.splitlines()[0] for language in ("en", "ko"))
    assert "(yesterday · cafe · went)" in english and "yesterday" not in korean and BLOG[0] in korean
    assert attntrace("trace", "어제 카페").out.splitlines()[0] == 'Trace of "어제 카페"'


def test_a_document_has_one_title_its_command_and_the_result_below_it():
    page = read(attntrace("trace", "a b", "--format", "html").out)
    assert [title.text for title in page.iter("h1")] == ['Trace of "a b"'] == [page.find("head/title").text]
    below = list(page.find("body/main"))
    assert "".join(below[1].itertext()).strip() == '$ attntrace trace "a b"'
    assert "1:a  2:b" in "".join(below[2].itertext()) and below[2].get("class") == "result"
    markdown = attntrace("trace", "a b", "--format", "markdown").out.splitlines()
    assert markdown[:3] == ['# Trace of "a b"', "", '`$ attntrace trace "a b"`']
    assert [line for line in markdown if line.startswith("# ")] == markdown[:1]
