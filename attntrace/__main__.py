"""The command `attntrace`, and `python -m attntrace`."""
from __future__ import annotations

import gc
import sys


def main() -> None:
    gc.set_threshold(100_000)  # a short run ends before there is garbage worth looking for
    try:
        from attntrace.cli.app import run
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules are being read, or after all was said
        code = 130
    if code == 130:
        # Ctrl-C inside an exec of text (a named tuple being defined, say) makes CPython die of the signal at its end,
        # although it was caught; the next exec forgets that.
        exec("")
    sys.exit(code)


if __name__ == "__main__":
    main()
