"""attntrace: every intermediate tensor of the transformer, in vector form and in matrix form."""
from attntrace.version import __version__

__all__ = ["Config", "Problem", "Step", "__version__", "trace"]

TYPE_CHECKING = False  # that of typing, whose import would be the longest part of a start
if TYPE_CHECKING:
    from typing import Any

    from attntrace.messages.errors import Problem
    from attntrace.model.config import Config
    from attntrace.runs.prepare import trace
    from attntrace.tracing.trace import Step


def __getattr__(name: str) -> "Any":
    """The public names, imported when they are first asked for: `--version` and `--help` need no NumPy."""
    where = {"Config": "model.config", "Problem": "messages.errors", "Step": "tracing.trace", "trace": "runs.prepare"}
    if name not in where:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib
    return getattr(importlib.import_module(f"{__name__}.{where[name]}"), name)
