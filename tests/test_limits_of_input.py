"""What comes from outside is only data: names are text, files that are read stay, sizes have limits."""
from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

MARKUP = "[link=https://example.org]a[/link] [red]b :smile: [/nothing]"


class Screen(io.StringIO):
    """Standard error on a terminal."""

    def isatty(self) -> bool:
        return True


def shown_by_steps(progress) -> None:
    steps = progress.Steps(lambda: 2)
    steps(SimpleNamespace(address=MARKUP))
    steps.close()


def shown_by_training(progress) -> None:
    with progress.TrainingProgress(batches=1, epochs=1, updates=0, held_out=0) as training:
        training.show(SimpleNamespace(loss=1.0, tokens=1, epoch=MARKUP), 1, None)


def said_by_training(progress) -> None:
    with progress.TrainingProgress(batches=1, epochs=1, updates=0, held_out=0) as training:
        training.say(MARKUP)


@pytest.mark.parametrize("show", [shown_by_steps, shown_by_training, said_by_training])
def test_no_text_is_markup_on_a_progress_bar(show, monkeypatch):
    from attntrace.cli import progress
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "300")
    show(progress)
    assert MARKUP in sys.stderr.getvalue() and "\x1b]8" not in sys.stderr.getvalue()
