"""A language is its folder of files, and no code."""
import shutil
import subprocess
import sys

import pytest
from command import ROOT, Result, clean_environment

from attntrace.messages.catalog import template


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The code with a third language: that of English, some sentences with a letter of its own."""
    folder = tmp_path_factory.mktemp("third")
    shutil.copytree(ROOT / "attntrace", folder / "attntrace", ignore=shutil.ignore_patterns("__pycache__"))
    third = folder / "attntrace" / "messages" / "xx"
    shutil.copytree(third.parent / "en", third)
    for path in third.glob("*.toml"):
        text = path.read_text("utf-8").replace('title = "Softmax"', 'title = "ᛋᚩᚠᛏ"')
        path.write_text(text.replace('heading = "Input"', 'heading = "ᚻᚫᛚ"'), "utf-8")
    (third / "language.toml").write_text(
        'name = "Third"\nlocales = "xx_"\nletters = "ᚠ-ᛪ"\nfonts = "\'Third Sans\'"\n', "utf-8")
    return folder


@pytest.fixture
def third(folder):
    def run(*arguments: str, **env: str) -> Result:
        done = subprocess.run([sys.executable, "-m", "attntrace", *arguments], capture_output=True, cwd=folder,
                              text=True, encoding="utf-8", timeout=100, env=clean_environment() | env)
        return Result(done.returncode, done.stdout, done.stderr)
    return run


@pytest.mark.parametrize("command, language", [
    (("--version",), "both"), (("--help",), "xx"), (("trace", "a cat"), "xx"), (("explain",), "xx"),
    (("explain", "softmax"), "both")])
def test_every_command_speaks_each_of_three_languages(third, command, language):
    code, out, err = third(*command, ATTNTRACE_LANG=language)
    assert (code, err) == (0, "") and out
    assert ("ᚻᚫᛚ" in out) == (command[0] == "trace" and language == "xx")


def test_both_are_korean_and_english_as_long_as_there_is_a_third(third):
    code, out, _ = third("trace", "a cat", "--lang", "both")
    assert code == 0 and " / Input\n" in out and template("ko", "messages.heading") in out and "ᚻᚫᛚ" not in out


def test_a_third_language_is_that_of_its_locale_where_its_letters_can_be_written(third):
    for encoding, language in (("utf-8", "ᚻᚫᛚ"), ("ascii", "  Input\n")):
        assert language in third("trace", "a", LANG="xx_XX.UTF-8", ATTNTRACE_LANG="", PYTHONIOENCODING=encoding).out


def test_a_topic_is_found_by_its_title_in_any_language_and_the_nearest_are_in_its_letters(third):
    assert third("explain", "ᛋᚩᚠᛏ").out == third("explain", "softmax").out
    code, out, err = third("explain", "ᛋᚩᚠ")
    assert (code, out) == (2, "") and "ᛋᚩᚠᛏ" in err and "소프트" not in err


def test_a_picture_names_the_fonts_of_each_language(third, tmp_path):
    assert third("map", "a cat", "-o", str(tmp_path / "map.svg")).code == 0
    assert "'Third Sans'" in (tmp_path / "map.svg").read_text("utf-8")
