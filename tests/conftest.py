import gc
import signal
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # under nohup, and so in every child
    signal.signal(signal.SIGHUP, lambda number, frame: None)  # which children do not inherit


def pytest_collection_finish() -> None:
    """All that is imported by now stays, so that nobody need look through it for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@pytest.fixture(autouse=True)
def plain_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of the same width whoever runs the tests, and paths of the samples as the documents have them."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "ATTNTRACE_COLOR", "ATTNTRACE_WIDTH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("ATTNTRACE_LANG", "en")
    monkeypatch.chdir(Path(__file__).parent.parent)
