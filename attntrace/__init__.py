"""attntrace: every intermediate tensor of the transformer, in vector form and in matrix form."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attntrace.version import __version__

__all__ = ["Config", "Problem", "Step", "__version__", "trace"]

if TYPE_CHECKING:
    from attntrace.messages.errors import Problem
    from attntrace.model.config import Config
    from attntrace.runs.api import trace
    from attntrace.tracing.trace import Step


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first asked for: `--version` and `--help` need no NumPy."""
    where = {"Config": "model.config", "Problem": "messages.errors", "Step": "tracing.trace", "trace": "runs.api"}
    if name not in where:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib
    return getattr(importlib.import_module(f"{__name__}.{where[name]}"), name)
