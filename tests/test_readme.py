"""The READMEs are true: their commands run, their output is real, their tables complete; and so are the samples."""
import re
from pathlib import Path

import pytest
from command import ROOT, attntrace, words_of
from random_model import WIRINGS

from attntrace.cli.app import COMMANDS
from attntrace.cli.app import attntrace as group
from attntrace.messages.catalog import BOTH, LANGUAGES
from attntrace.model.config import Config
from attntrace.runs.training_step import prepare_training_step
from attntrace.tracing.trace import Step
from attntrace.writers import FORMATS

DOCUMENTS = {"README.md": "en", "README.ko.md": "ko"}


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / document).read_text("utf-8"), re.M | re.S)


def transcripts() -> list[tuple[str, str, list[str]]]:
    """Every command of a console block, with its document and the lines that are shown of its output."""
    commands: list[tuple[str, str, list[str]]] = []
    for document in DOCUMENTS:
        for block in blocks(document, "console"):
            for line in block.splitlines():
                if line.startswith("$ "):
                    commands.append((document, line[2:], []))
                elif line != "...":
                    commands[-1][2].append(line)
    return commands


COMMANDS_SHOWN = transcripts()
ONCE = [(document, command, shown) for n, (document, command, shown) in enumerate(COMMANDS_SHOWN)
        if shown or command not in [earlier for _, earlier, _ in COMMANDS_SHOWN[:n]]]  # or both documents would run it
SAMPLES = sorted((ROOT / "samples").glob("*.txt"))


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """For each document a directory in which its commands are run."""
    directories = {document: tmp_path_factory.mktemp("documented") for document in DOCUMENTS}
    for directory in directories.values():
        (directory / "samples").symlink_to(ROOT / "samples")
    return directories


@pytest.mark.parametrize("document, command, shown", ONCE,
                         ids=[f"{DOCUMENTS[document]}: {command}" for document, command, _ in ONCE])
def test_a_documented_command_prints_what_is_documented(document, command, shown, places, monkeypatch):
    monkeypatch.chdir(places[document])
    words = words_of(command)
    for _, earlier, _ in COMMANDS_SHOWN:  # which may have written a file that this command reads
        written = re.findall(r"(?:-o|--save) (\S+)", earlier)
        if earlier != command and any(name in words and not Path(name).exists() for name in written):
            attntrace(*words_of(earlier))
    code, out, errors = attntrace(*words, ATTNTRACE_LANG=DOCUMENTS[document])
    assert code == int(command.startswith("attntrace diff"))  # of two runs that differ
    assert not errors or command.startswith("attntrace train")  # which shows its progress
    lines = iter(out.split("\n"))
    for line in shown:
        assert any(printed == line for printed in lines), line


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_two_commands_stand_in_both_documents(document):
    commands = [line for block in blocks(document, "sh") for line in block.splitlines()]
    assert commands == ['pip install . && attntrace trace "어제 카페 갔었어"', "pip install '.[test]' && pytest"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_documented_python_runs(document, capsys):
    (block,) = blocks(document, "python")
    names: dict = {}
    exec(block, names)
    assert "encoder.output (4, 8)" in capsys.readouterr().out
    assert all(isinstance(step, Step) for step in names["steps"])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_option_is_documented(document):
    text = (ROOT / document).read_text("utf-8")
    commands = {name: group.get_command(None, name) for name in COMMANDS}
    commands |= {f"{name} {inner}": command.commands[inner] for name, command in commands.items()
                 for inner in getattr(command, "commands", ())}
    options = [name for command in commands.values() for parameter in command.params for name in parameter.opts
               if name.startswith("--")]
    assert [name for name in options if name not in text and name.replace("--", "--no-", 1) not in text] == []
    assert [name for name in commands if f"attntrace {name} " not in text] == []


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_a_sample_is_what_its_command_prints(file):
    command, expected = file.read_text("utf-8").split("\n", 1)
    assert command.startswith("$ attntrace ") and len(SAMPLES) <= 12  # few enough to be reviewed
    assert attntrace(*words_of(command[2:])).out == expected


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_picture_in_a_document_is_what_its_command_draws(document, tmp_path, monkeypatch):
    picture, text = ROOT / "samples" / "cross-attention.svg", (ROOT / document).read_text("utf-8")
    (command,) = [line[2:] for line in text.splitlines() if line.endswith(f"-o {picture.name}")]
    assert f"](samples/{picture.name})" in text
    monkeypatch.chdir(tmp_path)
    assert attntrace(*words_of(command)).code == 0
    assert (tmp_path / picture.name).read_bytes() == picture.read_bytes()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_format_with_its_endings_and_every_language_is_documented(document):
    text = (ROOT / document).read_text("utf-8")
    for name, format in FORMATS.items():
        (row,) = re.findall(rf"^\| `{name}` \| .*", text, re.M)
        assert [ending for ending in format.endings if f"`{ending}`" not in row and ending] == []
    languages = r"\|".join((*LANGUAGES, BOTH))
    assert f"`--lang {languages}`" in text


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_list_of_addresses_has_the_name_of_every_step(document):
    (listed,) = [block for block in blocks(document, "text") if block.startswith("encoder.embedding |")]
    names = {address.rpartition(".")[2] for wiring in WIRINGS.values() for address in prepare_training_step(
        "a", "b", optimizer="adam", config=Config(**wiring)).addresses() if not address.startswith("gradient.")}
    assert names - set(re.findall(r"\w+", listed)) == set()
