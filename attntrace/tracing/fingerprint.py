"""The fingerprint of a run: eight hex digits of a hash over every address and every number."""
import hashlib

import numpy as np

from attntrace.tracing.trace import Step

COMPARABLE = 1_000_000  # numbers up to which fingerprints are equal on every machine


class Fingerprint:
    """A sink that hashes every step, in order of computation; str() gives the fingerprint. comparable: whether it is
    the same on every machine."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.steps = 0
        self.numbers = 0
        self.comparable = True

    def __call__(self, step: Step) -> None:
        value = step.value.ravel()
        text = " ".join(["%.6f"] * value.size) % tuple(value.tolist())
        if np.signbit(value).any():
            text = text.replace("-0.000000", "0.000000")
        self._digest.update(f"{step.address}\n{text}\n".encode())
        self.steps += 1
        self.numbers += value.size
        self.comparable &= value.dtype == np.float64 and self.numbers <= COMPARABLE

    def __str__(self) -> str:
        return self._digest.hexdigest()[:8]
