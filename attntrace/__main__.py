"""The command `attntrace`, and `python -m attntrace`."""
from __future__ import annotations

import sys


def main() -> None:
    from attntrace import __version__
    if sys.argv[1:] == ["--version"]:  # answered before anything heavier is imported
        print(f"attntrace {__version__}")
        return
    from attntrace.cli import run
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
