"""Korean and English: which one is chosen, what is written in each, and that no language changes a number."""
import ast
import itertools
import re

import pytest
from command import BLOG, ROOT, attntrace, process, refusal, words_of
from pages import without_commands
from rich.cells import cell_len

from attntrace.messages.catalog import Joined, Message, in_a_line, in_languages, template, versions
from attntrace.messages.errors import Problem

PACKAGE = ROOT / "attntrace"
HANGUL = re.compile("[가-힣]")
KOREAN, ENGLISH = (template(language, "messages.heading") for language in ("ko", "en"))
PAGES = ["trace 'a cat' --d-ff 4", "trace '어제 카페' --target 'I went' --norm pre --pencil 3",
         "backprop 'a' 'un' --optimizer adam --d-model 2 --heads 1 --d-ff 2 --form vector", "steps",
         "map 'this is a cat' --heads 4", "verify", "translate '어제 카페 갔었어'", "weights info ko-en",
         "compare 'this is a cat' --what-if '--ablate head2'", "why output.probabilities:1,cafe --depth 2"]
WRONG = ["trace", "trace ''", "trac", "trace a --layr 3", "trace a --layers", "trace a --ascii=1", "trace a --layers 0",
         "trace a --layers x", "trace a --norm middle", "trace a --heads 3", "trace a --width 10", "trace a b c",
         "trace a --limit none", "trace a --score-scale x", "backprop a", "diff a", "steps a -o x.htlm",
         "trace a -o x.npz", "trace a -o no/where.txt", "trace a -o .", "trace a --only nothing", "trace a --token b",
         "trace a --layer 7", "trace a --weights none.npz", "trace a --save x.txt", "show --from none.npz",
         "weights inf x", "train none.tsv -o m.npz", "train samples/ko-en.tsv -o m", "why encoder.output:9,1",
         "trace a --quiet --format csv", "compare a --what-if '--foo'", "trace a --lr 3", "weights info a b c"]


@pytest.fixture
def no_language_in_the_environment(monkeypatch):
    for name in ("ATTNTRACE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("environment, arguments, heading", [
    ({}, (), ENGLISH), ({"LANG": "ko_KR.UTF-8"}, (), KOREAN), ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, (), ENGLISH),
    ({"LANG": "C.UTF-8", "LC_MESSAGES": "ko_KR.UTF-8"}, (), KOREAN), ({"LANG": "kok_IN"}, (), ENGLISH),
    ({"LANG": "ko_KR.UTF-8", "ATTNTRACE_LANG": "en"}, (), ENGLISH), ({"ATTNTRACE_LANG": "ko"}, (), KOREAN),
    ({"ATTNTRACE_LANG": "ko"}, ("--lang", "en"), ENGLISH), ({}, ("--lang=ko",), KOREAN),
    ({}, ("--lang", "en", "--lang", "ko"), KOREAN), ({"ATTNTRACE_LANG": ""}, (), ENGLISH),
    ({}, ("--lang=ko", "--lang", "en"), ENGLISH), ({"ATTNTRACE_LANG": " KO "}, (), KOREAN),
    ({}, ("--target", "--lang", "ko"), ENGLISH)])
def test_the_option_decides_before_the_variable_before_the_locale(
        environment, arguments, heading, no_language_in_the_environment):
    code, out, _ = attntrace("trace", *["a"] * ("--target" not in arguments), *arguments, **environment)
    assert code == 0 and [word for word in (ENGLISH, KOREAN) if f"  {word}\n" in out] == [heading]


def test_a_locale_alone_asks_for_no_korean_where_it_cannot_be_written(no_language_in_the_environment):
    assert ENGLISH in process("trace", "a", LANG="ko_KR.UTF-8", PYTHONIOENCODING="ascii").out
    assert "\\u" in process("trace", "a", "--lang", "ko", PYTHONIOENCODING="ascii").out


def test_a_word_that_looks_like_the_option_is_none():
    assert ENGLISH in attntrace("trace", "--", "--lang=ko").out
    assert ENGLISH in attntrace("trace", "--target", "x", "a --lang ko").out


@pytest.mark.parametrize("name, value, part", [
    ("ATTNTRACE_LANG", "fr", "ko, en or both"), ("ATTNTRACE_COLOR", "blue", "auto, always or never"),
    ("ATTNTRACE_WIDTH", "wide", "from 60 to 10000"), ("ATTNTRACE_WIDTH", "12", "from 60 to 10000")])
def test_a_variable_with_a_wrong_value_is_named(name, value, part):
    error = refusal("trace", "a", **{name: value})
    assert error.startswith(f"attntrace: {name} is {value};") and part in error


def test_variables_change_the_page_and_never_the_numbers():
    plain = attntrace("trace", "this is a cat")
    looks = [attntrace("trace", "this is a cat", ATTNTRACE_WIDTH="160"),
             attntrace("trace", "this is a cat", ATTNTRACE_COLOR="always"),
             *(attntrace("trace", "this is a cat", "--lang", language) for language in ("ko", "both"))]
    fingerprint = re.compile("[0-9a-f]{8}(?= of 46 steps)|(?<=지문 )[0-9a-f]{8}")
    assert len({look.out for look in [plain, *looks]}) == 5
    assert {match for look in [plain, *looks] for match in fingerprint.findall(look.out)} == {
        *fingerprint.findall(plain.out)}
    narrow = attntrace("trace", "this is a cat", "--width", "100", ATTNTRACE_WIDTH="160").out
    assert without_commands(narrow) == without_commands(plain.out)
    assert "\x1b" not in attntrace("trace", "a", "--color", "never", ATTNTRACE_COLOR="always").out


@pytest.mark.parametrize("command", PAGES)
def test_every_language_has_the_same_numbers_in_the_width_of_the_page(command):
    numbers = re.compile(r"-?\d+\.\d+")
    pages = {language: attntrace(*words_of(f"attntrace {command}"), "--lang", language, "--width", "80")
             for language in ("en", "ko", "both")}
    assert {page.code for page in pages.values()} == {0}
    assert HANGUL.search(pages["ko"].out)
    assert sorted(numbers.findall(pages["en"].out)) == sorted(numbers.findall(pages["ko"].out))
    for page in pages.values():
        assert [line for line in page.out.splitlines() if cell_len(line) > 80] == []


@pytest.mark.parametrize("command", WRONG)
def test_what_is_wrong_is_said_in_one_line_of_the_language(command, tmp_path):
    words = words_of(f"attntrace {command}")
    english, korean, both = (attntrace("--lang", language, *words, stdin=b"") for language in ("en", "ko", "both"))
    assert english.code == korean.code == both.code == 2 and not english.out + korean.out + both.out
    assert {result.err.count("\n") for result in (english, korean, both)} == {1}
    assert not HANGUL.search(english.err) and HANGUL.search(korean.err)
    assert both.err == f"{korean.err.rstrip()} / {english.err.removeprefix('attntrace: ')}"


@pytest.mark.parametrize("command", ["", "trace", "weights", "weights import", "train", "why"])
def test_the_korean_help_has_no_english_of_clicks_own(command):
    page = attntrace(*command.split(), "--help", "--lang", "ko").out
    for word in ("Usage", "OPTIONS", "Options", "ARGS", "Commands", "Show", "default", "required", "env var"):
        assert word not in re.sub("--\\S+|attntrace.*", "", page), word
    assert all(template("ko", f"help.{key}") in page for key in ("usage", "options_here", "help"))
    for width in (60, 80, 100):
        lines = attntrace(*command.split(), "--help", "--lang", "ko", COLUMNS=str(width)).out.splitlines()
        wide = [line for line in lines if cell_len(line) > width]
        assert all("attntrace " in line or len(line.split()) == 1 for line in wide), wide  # examples, long words


def test_korean_pages_can_be_read_in_cp949():
    out = process("trace", *BLOG, "--lang", "ko", PYTHONIOENCODING="cp949").out
    page = out.encode("utf-8", "surrogateescape").decode("cp949")
    assert KOREAN in page and "\\u" not in page and "어제" in page and "q_1" in page


@pytest.mark.parametrize("command", ["verify --pencil 2", "steps", "diff a.npz b.npz",
                                     "compare 'a b' --what-if '--ablate head2'"])
def test_the_result_in_both_languages_is_that_of_each(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed in ("a", "b"):
        attntrace("trace", seed, "--save", f"{seed}.npz", "-q")
    english, korean, both = (attntrace(*words_of(f"attntrace {command}"), "-q", "--lang", language).out.strip()
                             for language in ("en", "ko", "both"))
    assert both == f"{korean} / {english}" and "\n" not in both and HANGUL.search(korean)


def test_quietly_each_command_prints_its_own_result():
    """Which begins its page, below title and command: one sentence in one line, or some lines."""
    for command, lines in ((("steps",), 1), (("verify",), 1), (("backprop", "a", "b", "--d-ff", "2"), 8),
                           (("trace", "a b"), 9), (("trace", "a", "--target", "b"), 9)):
        result = attntrace(*command, "-q", "--width", "999").out
        page = attntrace(*command, "--width", "999", lines=lines + 3).out.split("\n", 2)
        assert result.count("\n") == lines and page[1].startswith("  $ attntrace ")
        assert page[2].startswith(result if lines > 1 else f"  {result}")
    markdown, text = (attntrace("steps", "a", "-q", "--format", name).out for name in ("markdown", "text"))
    assert markdown.strip() == text.strip()


@pytest.mark.parametrize("name, data, korean", [
    ("w.json", b"{]", "JSON이 아님"), ("w.npz", b"nothing", "zip 압축 파일이 아님")])
def test_why_a_file_is_broken_is_said_in_the_language(name, data, korean, tmp_path):
    (tmp_path / name).write_bytes(data)
    both = attntrace("trace", "a", "--weights", str(tmp_path / name), "--lang", "both").err
    assert korean in both.split(" / ")[0] and not HANGUL.search(both.split(" / ")[1])


@pytest.mark.parametrize("target, title", [
    ('I "went"', "`$ attntrace trace \"어제 카페\" --target 'I \"went\"'`"),
    ("", '`$ attntrace trace "어제 카페" --target ""`')])
@pytest.mark.parametrize("where", ["-o {}", "--format markdown -o {}", "-o{} --format=markdown"])
def test_the_command_stands_below_the_title_without_where_the_page_goes(where, target, title, tmp_path):
    page = tmp_path / "page.md"
    assert attntrace("trace", *where.format(page).split(), "어제 카페", "--target", target).code == 0
    assert page.read_text("utf-8").startswith(f"# Trace of \"어제 카페\"\n\n{title}\n")


def test_a_message_within_another_is_in_the_language_of_that():
    message = Message("messages.verify.but", what=Message("messages.verify.true.labels"))
    korean, english = message.render("ko"), message.render("en")
    assert HANGUL.search(korean) and "labels at each position" not in korean
    assert not HANGUL.search(english) and "labels at each position" in english


def test_languages_stand_beside_each_other_unless_they_say_the_same():
    words = Joined(", ", ["a", Message("messages.or"), "b"])
    assert versions(("ko", "en"), words) == [("a, 또는, b",), ("a, or, b",)]
    assert in_languages(words, ("ko", "en")) == in_a_line(words, ("ko", "en")) == "a, 또는, b / a, or, b"
    assert in_languages(words, ("en",)) == "a, or, b"
    assert in_languages(Joined(" ", ["a", "b"]), ("ko", "en")) == "a b"


def test_a_message_never_becomes_text_without_a_language():
    for spelled in (str, "{}".format, lambda message: f"{message}"):
        with pytest.raises(AssertionError):
            spelled(Message("messages.or"))


@pytest.mark.parametrize("language, expected", [("", ["a or"]), ("ko", ["a 또는"]), ("both", ["a 또는", "a or"])])
def test_in_a_notebook_a_problem_is_in_english_or_the_languages_of_the_environment(language, expected, monkeypatch):
    monkeypatch.setenv("ATTNTRACE_LANG", language)
    choices = Joined(" ", ["a", Message("messages.or")])
    problem = str(Problem("none_of_these", option="--x", value="", near="a", choices=choices))
    assert '""' in problem and re.findall("a 또는|a or", problem) == expected


def test_no_sentence_stands_outside_the_message_files():
    """Two words side by side in a literal that is neither a docstring nor for a programmer."""
    words = re.compile("[A-Za-z]{2,}[,:;]? [A-Za-z]{2,}|[가-힣]{2,}")
    markup = re.compile(r"<[/!?]?[a-z][^<>]*>?|[\w-]+=\S*")
    known = {"어제 카페 갔었어", "I went to the cafe yesterday",  # the example
             "how many", "into rows",  # a stream's key, an op
             "Sheet { width: 100%; height: 100%; } Screen { overflow: hidden hidden; }", "bold color(",  # styles
             "File is not a zip file", ", batch_first=True, dtype=torch.", "failed to map segment"}  # by others
    others = "messages/catalog.py", "writers/text/writer.py", "runs/slips.py", "pages/check.py"  # styles, kinds, code
    for path in {*PACKAGE.rglob("*.py")} - {PACKAGE / name for name in others}:
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        allowed = {id(part) for node in nodes if isinstance(node, ast.Assert) or is_for_programmers(node)
                   for part in ast.walk(node)}
        allowed |= {id(node.value) for node in nodes if isinstance(node, ast.Expr)}  # docstrings
        assert [node.value for node in nodes
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in allowed
                and words.search(markup.sub("", node.value)) and node.value not in known] == [], path


def is_for_programmers(node: ast.AST) -> bool:
    raised = node.exc if isinstance(node, ast.Raise) else None
    return isinstance(raised, ast.Call) and getattr(raised.func, "id", "") in (
        "AxisError", "AssertionError", "AttributeError", "KeyError")


@pytest.mark.parametrize("width", [60, 67, 74, 81, 88, 95])
def test_korean_prose_is_not_broken_before_a_copula_nor_between_a_number_and_what_it_counts(width):
    lines = [line.strip() for topic in ("entropy", "d_model", "softmax", "weights", "loss.labels", "cross_entropy")
             for line in attntrace("explain", topic, "--lang", "ko", "--width", str(width)).out.splitlines()]
    assert len(lines) > 30
    for before, after in itertools.pairwise(lines):
        assert not re.match("[^ 가-힣]{1,8}(입니다|이다|이고|이며)", after) or not before, after
        assert not (re.search(r"\d$", before) and re.match("[가-힣]", after)), (before, after)
