"""Command lines and files that nobody should have: a sample of them, and that the generator sees what goes wrong."""
from __future__ import annotations

import random
import sys
from pathlib import Path

import hostile
import pytest
from hostile import Case, case_of, commands, failures, outcome

from attntrace.cli import app as cli


def test_no_command_line_and_no_file_does_harm():
    assert list(failures(60, seed=2)) == []


def test_every_command_and_every_option_comes_up():
    known, luck = commands(), random.Random(0)
    words = {word for _ in range(4000) for word in case_of(luck, known).arguments}
    options = {option for command in known.values() for param in command.params for option in param.opts
               if option.startswith("--")} - {"--epochs"}
    assert {word for name in known for word in name.split()} <= words and options <= words


def fails() -> int:
    raise ValueError


def prints(text: str) -> int:
    print(text)
    return 0


def complains() -> int:
    print("attntrace: one\nand another", file=sys.stderr)
    return 2


def writes(file: str, text: str = "") -> int:
    Path(file).write_text(text, "utf-8")
    return 0


def fills(megabytes: int) -> int:
    return len(bytearray(megabytes << 20)) * 0


@pytest.mark.parametrize("does, words", [
    (lambda: 0, ""), (lambda: prints("어제 👩‍🚀 \x1b[31mred\x1b[0m"), ""), (lambda: 3, "ends with 3"),
    (fails, "traceback"), (complains, "says"), (lambda: prints("\x1b[2J"), "standard output holds"),
    (lambda: prints("\u00ad"), "holds"),
    (lambda: writes("new.txt", "\u202e"), "new.txt holds"), (lambda: writes("run.npz"), "changes run.npz"),
    (lambda: writes(".new.part"), "leaves"), (lambda: fills(700), "MB")])
def test_what_goes_wrong_is_seen(does, words, tmp_path, monkeypatch):
    (tmp_path / "run.npz").write_bytes(b"what is read")
    monkeypatch.setattr(cli, "run", lambda arguments: does())
    wrong = outcome(Case([], {}, b"", {"run.npz"}, True), tmp_path)
    assert (wrong == []) == (not words) and words in "".join(wrong)


def test_a_command_that_never_ends_is_seen(tmp_path, monkeypatch):
    import time
    monkeypatch.setattr(hostile, "MOST_SECONDS", 0.3)
    monkeypatch.setattr(cli, "run", lambda arguments: time.sleep(20))
    assert "seconds" in "".join(outcome(Case([], {}, b"", set(), True), tmp_path))
