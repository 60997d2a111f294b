"""The command `attntrace`, and `python -m attntrace`."""
from __future__ import annotations

import sys


def main() -> None:
    try:
        from attntrace.cli import run
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules are being read, or after all was said
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
