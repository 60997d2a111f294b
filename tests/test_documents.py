"""The documents are true: their commands run, their output is real, their tables complete; and so are the samples."""
import doctest
import re
from pathlib import Path

import pytest
from command import ROOT, attntrace, words_of
from documents import DOCUMENTED, DOCUMENTS, PICTURES, QUOTATIONS, SAMPLES, TRANSCRIPTS, blocks, run, text_of
from random_model import WIRINGS

from attntrace.cli.app import COMMANDS
from attntrace.cli.app import attntrace as group
from attntrace.messages.catalog import BOTH, LANGUAGES
from attntrace.model.config import Config
from attntrace.runs.training_step import prepare_training_step
from attntrace.writers import FORMATS

QUOTING = {(language, command): [quotation.lines for quotation in QUOTATIONS if quotation.lines
                                 and quotation[:2] == (language, command)] for language, command, _ in QUOTATIONS}
ONCE = [(language, command) for n, (language, command) in enumerate(QUOTING)
        if QUOTING[language, command] or command not in [earlier for _, earlier in list(QUOTING)[:n]]]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """For each language a directory in which its commands are run."""
    directories = {language: tmp_path_factory.mktemp("documented") for language in DOCUMENTED}
    for directory in directories.values():
        (directory / "samples").symlink_to(SAMPLES)
    return directories


@pytest.mark.parametrize("language, command", [
    pytest.param(*one, marks=pytest.mark.thorough if one[1].startswith("attntrace train") else []) for one in ONCE],
    ids=lambda value: value)
def test_a_documented_command_prints_what_is_documented(language, command, places, monkeypatch):
    monkeypatch.chdir(places[language])
    code, out, errors = run(language, command)
    assert code == int(command.startswith(("attntrace diff", "attntrace check mine")))  # of numbers that differ
    assert not errors or command.startswith(("attntrace train", "attntrace emit"))  # progress, a note
    for shown in QUOTING[language, command]:
        lines = iter(out.split("\n"))
        for line in shown:
            assert any(printed == line for printed in lines), line


def test_both_languages_have_the_same_documents():
    names = {language: {name.split("/")[-1] for name, spoken in DOCUMENTS.items() if spoken == language and "/" in name}
             for language in DOCUMENTED}
    assert len({frozenset(of_one) for of_one in names.values()}) == 1, names


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_links_to_what_is_there(document):
    for target in re.findall(r"\]\(([^)]+)\)", (ROOT / document).read_text("utf-8")):
        name, _, anchor = target.partition("#")
        file = ((ROOT / document).parent / name).resolve() if name else ROOT / document
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8").lower(), re.M)
            assert anchor in [re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings], target


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if "/" not in name])
def test_a_readme_is_short_and_has_all_commands_and_the_two_to_begin_with(document):
    text = (ROOT / document).read_text("utf-8")
    assert text.count("\n") <= 200
    assert [name for name in COMMANDS if not re.search(rf"^\| .*`{name}`.* \|", text, re.M)] == []
    commands = [line for block in blocks(text, "sh") for line in block.splitlines()]
    assert commands == ['pip install . && attntrace trace "어제 카페 갔었어"', "pip install '.[test]' && pytest"]


@pytest.mark.parametrize("language", DOCUMENTED)
def test_the_documented_python_prints_what_is_documented(language, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = "".join(blocks(text_of(language), "pycon"))
    assert session.count(">>> ") > 5
    failed = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(
        doctest.DocTestParser().get_doctest(session, {}, language, None, None))
    assert failed.failed == 0


@pytest.mark.parametrize("language", DOCUMENTED)
def test_every_option_is_documented(language):
    text = text_of(language)
    commands = {name: group.get_command(None, name) for name in COMMANDS}
    commands |= {f"{name} {inner}": command.commands[inner] for name, command in commands.items()
                 for inner in getattr(command, "commands", ())}
    options = [name for command in commands.values() for parameter in command.params for name in parameter.opts
               if name.startswith("--")]
    assert [name for name in options if name not in text and name.replace("--", "--no-", 1) not in text] == []
    assert [name for name in commands if f"attntrace {name} " not in text] == []


@pytest.mark.parametrize("file", TRANSCRIPTS, ids=lambda file: file.stem)
def test_a_sample_is_what_its_command_prints(file):
    command, expected = file.read_text("utf-8").split("\n", 1)
    assert command.startswith("$ attntrace ") and len(TRANSCRIPTS) <= 12  # few enough to be reviewed
    assert attntrace(*words_of(command[2:])).out == expected


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_in_the_documents_is_what_its_command_draws(picture, places, monkeypatch):
    language, command, _ = PICTURES[picture]
    monkeypatch.chdir(places[language])
    assert run(language, command).code == 0
    assert Path(picture).read_bytes() == (SAMPLES / picture).read_bytes()
    assert f"](samples/{picture})" in text_of(language)


@pytest.mark.parametrize("language", DOCUMENTED)
def test_every_format_with_its_endings_and_every_language_is_documented(language):
    text = text_of(language)
    for name, format in FORMATS.items():
        (row,) = re.findall(rf"^\| `{name}` \| .*", text, re.M)
        assert [ending for ending in format.endings if f"`{ending}`" not in row and ending] == []
    languages = r"\|".join((*LANGUAGES, BOTH))
    assert f"`--lang {languages}`" in text


def test_the_lists_of_addresses_have_the_name_of_every_step():
    names = {address.rpartition(".")[2] for wiring in WIRINGS.values() for address in prepare_training_step(
        "a", "b", optimizer="adam", config=Config(**wiring)).addresses() if not address.startswith("gradient.")}
    for language in DOCUMENTED:
        (listed,) = [block for block in blocks(text_of(language), "text") if block.startswith("encoder.embedding |")]
        assert names - set(re.findall(r"\w+", listed)) == set(), language
