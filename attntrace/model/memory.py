"""How much memory a model needs, and how much this machine has."""
from __future__ import annotations

import math
import os

from attntrace.messages.errors import Problem
from attntrace.model.config import Config
from attntrace.model.parameters import Vocabularies, parameter_counts


def check_memory(config: Config, vocabularies: Vocabularies, tokens: int) -> None:
    """Raise Problem for a model that this machine cannot hold, before any of it is allocated."""
    numbers = sum(count.number for counts in parameter_counts(config, vocabularies).values() for count in counts)
    vocab = max(map(len, filter(None, vocabularies)), default=0)
    largest = tokens * max(tokens, config.d_model, config.d_ff, vocab)
    needed = (numbers + 4 * largest) * (8 if config.dtype == "float64" else 4)
    if needed > 0.8 * memory():
        raise Problem("too_large", parameters=f"{numbers:,}", needed=format_bytes(needed), there=format_bytes(memory()))


def memory() -> float:
    """Bytes of memory of this machine; infinite where the system does not say."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else math.inf


def format_bytes(number: float) -> str:
    """Write a number of bytes: `3.2 TB`."""
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} EB"
