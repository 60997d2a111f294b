import gc
import os
import re
import shutil
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

# Each worker has a core of its own: with two threads of linear algebra in each, they wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # under nohup, and so in every child
    signal.signal(signal.SIGHUP, lambda number, frame: None)  # which children do not inherit


COMMANDS, OTHERS = 3, 8  # cases of a test that always run, where each is a command, or something quicker


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test with many cases, as many as these, spread evenly, and the rest thorough; and mark what needs extras."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
        if "importorskip" in source_of(item.path):
            item.add_marker("extras")
    for several in cases.values():
        is_command = re.search("^from (command|pages|terminals) import", source_of(several[0].path), re.MULTILINE)
        most = COMMANDS if is_command else OTHERS
        kept = {n * len(several) // most for n in range(most)}
        for n, item in enumerate(several):
            if len(several) > most and n not in kept:
                item.add_marker("thorough")


@cache
def source_of(path: Path) -> str:
    return path.read_text("utf-8")


def pytest_collection_finish() -> None:
    """All that is imported by now stays, so that nobody need look through it for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium: the one of the PATH, or the one that `playwright install --only-shell chromium` fetched."""
    sync_api = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_api.sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium")
        with playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"]) as chromium:
            yield chromium


@pytest.fixture(autouse=True)
def plain_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of the same width whoever runs the tests, and paths of the samples as the documents have them."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ATTNTRACE_COLOR", "ATTNTRACE_WIDTH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("ATTNTRACE_LANG", "en")
    monkeypatch.chdir(Path(__file__).parent.parent)
