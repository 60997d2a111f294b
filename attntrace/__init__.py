"""attntrace: every intermediate tensor of the transformer, in vector form and in matrix form."""
from attntrace.version import __version__

__all__ = ["Comparison", "Config", "Problem", "Step", "TracedArray", "TracedRun", "TracedTrainingStep", "Translation",
           "__version__", "backprop", "check", "compare", "parameter_shapes", "trace", "translate"]

TYPE_CHECKING = False  # that of typing, whose import would be the longest part of a start
if TYPE_CHECKING:
    from typing import Any

    from attntrace.api import (Comparison, TracedArray, TracedRun, TracedTrainingStep, Translation, backprop, compare,
                               parameter_shapes, trace, translate)
    from attntrace.messages.errors import Problem
    from attntrace.model.config import Config
    from attntrace.testing import check
    from attntrace.tracing.trace import Step

_WHERE = {"Config": "model.config", "Problem": "messages.errors", "Step": "tracing.trace",
          "check": "testing"}  # else in api


def __getattr__(name: str) -> "Any":
    """The public names, imported when they are first asked for: `--version` and `--help` need no NumPy."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib
    return getattr(importlib.import_module(f"{__name__}.{_WHERE.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return __all__
