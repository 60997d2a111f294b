"""The terminal's width, asked without shutil, which takes 3 ms to import."""
from __future__ import annotations

import os

NARROWEST, WIDEST = 60, 10_000  # cells of a page


def columns(default: int) -> int:
    """COLUMNS, else those of the terminal that standard output is, else the default."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and asked.strip("0"):
        return int(asked[:9])
    try:
        return os.get_terminal_size(1).columns or default
    except OSError:
        return default
