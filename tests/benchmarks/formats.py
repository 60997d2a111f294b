"""How fast each format is written: `PYTHONPATH=. python tests/benchmarks/formats.py [FORMAT ...]`.

A run of 6 layers, d_model 256, 64 words, in matrix form, or all its steps as data, into a file; the run itself, which
is in each time, stands in the first line.
"""
from __future__ import annotations

import os
import sys
import tempfile
import time

from rich import box
from rich.console import Console
from rich.table import Table

from attntrace.cli.app import run
from attntrace.writers import DATA, PAGES

RUN = ("trace", " ".join(f"w{n}" for n in range(64)), "--layers", "6", "--d-model", "256", "--d-ff", "1024",
       "--form", "matrix", "--arithmetic", "none")


def measured(*options: str) -> tuple[float, float]:
    """MB that were written, and seconds of the processor; the better of two."""
    with tempfile.TemporaryDirectory() as directory:
        file, spent = os.path.join(directory, "page"), []
        for _ in range(2):
            start = time.process_time()
            if run([*RUN, *options, "-o", file]):
                raise SystemExit(f"{options} went wrong")
            spent.append(time.process_time() - start)
        return os.path.getsize(file) / 1e6, min(spent)


def main() -> None:
    table = Table(box=box.SIMPLE)
    for heading in ("format", "MB", "s", "MB/s"):
        table.add_column(heading, justify="left" if heading == "format" else "right")
    _, alone = measured("--format", "text", "--only", "encoder.embedding")
    table.add_row("(the run alone)", "", f"{alone:.2f}", "")
    for name in sys.argv[1:] or (*PAGES, *DATA):
        size, spent = measured("--format", name)
        table.add_row(name, f"{size:.1f}", f"{spent:.2f}", f"{size / spent:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
