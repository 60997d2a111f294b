from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def plain_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of the same width whoever runs the tests, and paths of the samples as the documents have them."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(Path(__file__).parent.parent)
