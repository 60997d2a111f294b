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


def test_there_are_few_enough_transcripts_to_be_reviewed():
    assert 0 < len(TRANSCRIPTS) <= 12
