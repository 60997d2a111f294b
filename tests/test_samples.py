"""Every transcript in samples/ is what its command prints."""
from __future__ import annotations

import pytest
from command import ROOT, attntrace, words_of

TRANSCRIPTS = sorted((ROOT / "samples").glob("*.txt"))


@pytest.mark.parametrize("file", TRANSCRIPTS, ids=lambda file: file.stem)
def test_a_transcript_is_what_its_command_prints(file):
    command, expected = file.read_text("utf-8").split("\n", 1)
    assert command.startswith("$ attntrace ")
    assert attntrace(*words_of(command[2:])).out == expected


def test_the_picture_in_the_documents_is_what_its_command_draws(tmp_path, monkeypatch):
    picture = ROOT / "samples" / "cross-attention.svg"
    for document in ("README.md", "README.ko.md"):
        text = (ROOT / document).read_text("utf-8")
        (command,) = [line[2:] for line in text.splitlines() if line.endswith(f"-o {picture.name}")]
        assert f"](samples/{picture.name})" in text
        monkeypatch.chdir(tmp_path)
        assert attntrace(*words_of(command)).code == 0
        assert (tmp_path / picture.name).read_bytes() == picture.read_bytes()


def test_there_are_few_enough_transcripts_to_be_reviewed():
    assert 0 < len(TRANSCRIPTS) <= 12
