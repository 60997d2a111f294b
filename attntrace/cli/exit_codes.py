"""What a command's exit code means."""
from __future__ import annotations

DONE, CHECK_FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130
