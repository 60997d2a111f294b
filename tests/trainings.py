"""Small trainings: a folder with pairs, and interruptions."""
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command import ROOT, Result, attntrace, clean_environment

from attntrace.training import loop as training

PAIRS = [("나는 간다", "I go."), ("너는 간다", "You go."), ("나는 어제 카페 갔어", "I went to the cafe yesterday"),
         ("고양이 본다", "I see a cat"), ("개", "A dog"), ("너는 고양이 본다", "You see a cat"),
         ("오늘 카페 간다", "I go to the cafe"),
         ("나는 개 본다 오늘", "I see a dog today"), ("오늘", "Today"), ("너는 어제 갔어", "You went yesterday"),
         ("개 고양이", "Dog, cat!")]
TINY = ("--d-model", "8", "--heads", "2", "--layers", "1", "--d-ff", "8", "--batch", "4", "--warmup", "5")
ALL = ("--hold-out", "0")
MANY = "100000"  # epochs that nobody waits for
OFTEN = """import attntrace.cli.commands.train as train
from attntrace.__main__ import main
train.BETWEEN = 0
main()"""


class TrainingFolder:
    """A folder with a pairs file, a model and its checkpoint."""

    def __init__(self, folder: Path, pairs: list[tuple[str, str]] | bytes = PAIRS) -> None:
        folder.mkdir(exist_ok=True)
        self.pairs, self.model = folder / "pairs.tsv", folder / "model.npz"
        self.checkpoint = folder / "model.checkpoint.npz"
        self.write(pairs)

    def write(self, pairs: list[tuple[str, str]] | bytes) -> None:
        text = pairs if isinstance(pairs, bytes) else "".join(f"{a}\t{b}\n" for a, b in pairs).encode()
        self.pairs.write_bytes(text)

    def arguments(self, *options: str) -> tuple[str, ...]:
        return "train", str(self.pairs), "-o", str(self.model), *options

    def train(self, *options: str) -> Result:
        return attntrace(*self.arguments(*TINY, *options))

    def resume(self, *options: str) -> Result:
        return attntrace(*self.arguments("--resume", *options))

    def starts(self, *options: str) -> subprocess.Popen[bytes]:
        """A process that trains, and writes a checkpoint after every update."""
        return subprocess.Popen([sys.executable, "-c", OFTEN, *self.arguments(*TINY, *options)], cwd=ROOT,
                                env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def drafts(self) -> list[Path]:
        """Files that are being written."""
        return list(self.model.parent.glob(".*.part"))

    def names(self) -> list[str]:
        return sorted(path.name for path in self.model.parent.iterdir())


def assert_refused(folder: TrainingFolder, result: Result, *words: str) -> None:
    """One plain line, and nothing written."""
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1), result
    assert all(word in result.err for word in words), result.err
    assert not folder.model.exists() and not folder.drafts()


@contextmanager
def interrupted(update: int, stop: BaseException | None = None) -> Iterator[None]:
    """Ctrl-C in the middle of an update, counted from 1 of this training."""
    real, count = training.adam, 0

    def adam(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count == update:
            raise stop or KeyboardInterrupt
        return real(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "adam", adam)
        yield


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
