"""attntrace: every intermediate tensor of the transformer, in vector form and in matrix form."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Config", "Problem", "Step", "trace"]

if TYPE_CHECKING:
    from attntrace.config import Config
    from attntrace.errors import Problem
    from attntrace.run import trace
    from attntrace.tracing import Step


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first asked for: `--version` and `--help` need no NumPy."""
    where = {"Config": "config", "Problem": "errors", "Step": "tracing", "trace": "run"}
    if name not in where:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib
    return getattr(importlib.import_module(f"{__name__}.{where[name]}"), name)
