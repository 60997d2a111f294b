"""What a notebook shows of a value: a piece of a page."""
import importlib
from typing import Any


def repr_html(value: Any) -> str | None:
    """As a notebook asks a value for it. The writer stands above the values that it writes, so it is found by name."""
    markup: str | None = importlib.import_module("attntrace.writers.notebook").html(value)
    return markup
