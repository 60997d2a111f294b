"""Ratios measured in one run: `python tests/benchmarks/run.py [NAME ...]`.

Each benchmark alternates two things and prints the median of the ratios pair by pair: machines are noisy, so a single
time says little. Those that compare with PyTorch are left out where it is not installed.
"""
from __future__ import annotations

import gc
import importlib.util
import io
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from attntrace.axes import Axis
from attntrace.config import Config
from attntrace.forms import FORMS
from attntrace.run import prepare
from attntrace.stages import View
from attntrace.symbol import Symbol
from attntrace.tensor import Tensor
from attntrace.tracing import Trace
from attntrace.writers.terminal import Look, TerminalWriter

ROOT = Path(__file__).parent.parent.parent
Work = Callable[[], object]


def seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compared(ours: Work, theirs: Work, pairs: int) -> tuple[float, float, float]:
    """The medians of both, in seconds, and of their ratios."""
    ours(), theirs()
    gc.collect()
    both = [(seconds(ours), seconds(theirs)) for _ in range(pairs)]
    return (statistics.median(a for a, _ in both), statistics.median(b for _, b in both),
            statistics.median(a / b for a, b in both))


def command(*arguments: str) -> Work:
    return lambda: subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True, cwd=ROOT)


def step_512(form: str) -> Work:
    """One step of 512 × 512 numbers as text at 160 columns, without colour."""
    numbers = np.random.default_rng(0).normal(size=(512, 512))
    axes = Axis("token", 512), Axis("d_model", 512)

    def work() -> None:
        writer = TerminalWriter(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), Look(160))
        show = FORMS[form](View(arithmetic="none"), writer, frozenset())
        X = Tensor(numbers, axes, Symbol.of("X"), "x")
        Trace(show, place="encoder")("input", X + X, "Y")
        show.close()
    return work


def table_64() -> None:
    """64 × 64 numbers by rich.Table with its box: a 64th of the step, so that it ends."""
    numbers = np.random.default_rng(0).normal(size=(64, 64))
    table = Table(box=box.SQUARE, show_header=False)
    for row in numbers:
        table.add_row(*("%8.4f" % number for number in row))
    Console(file=io.StringIO(), width=1_000).print(table)


def encoder(sink: bool) -> Work:
    config = Config(d_model=512, heads=8, layers=6, d_ff=2048, dtype="float32")
    run = prepare(" ".join(f"w{n}" for n in range(128)), config=config)
    return lambda: run((lambda step: None) if sink else None)


def torch_encoder() -> Work:
    import torch
    layer = torch.nn.TransformerEncoderLayer(512, 8, 2048, batch_first=True)
    model = torch.nn.TransformerEncoder(layer, 6, enable_nested_tensor=False).eval()
    x = torch.randn(1, 128, 512)

    def work() -> None:
        with torch.no_grad():
            model(x)
    return work


def rows() -> list[tuple[str, float, float, float, str]]:
    """Each benchmark: its name, both times, the ratio, and what is aimed at."""
    found = []

    def add(name: str, aim: str, ours: Work, theirs: Work, pairs: int = 7, scale: float = 1.0) -> None:
        if len(sys.argv) < 2 or any(word in name for word in sys.argv[1:]):
            a, b, ratio = compared(ours, theirs, pairs)
            found.append((name, a, b, ratio * scale, aim))

    add("help / import click", "at most 1.25", command("-m", "attntrace", "--help"), command("-c", "import click"), 11)
    add("trace / import numpy, click, rich.console", "at most 1.6",
        command("-m", "attntrace", "trace", "this is a cat"), command("-c", "import numpy, click, rich.console"), 11)
    add("a table of rich / matrix form, a number", "at least 150", table_64, step_512("matrix"), 3, 64 * 3)  # X + X = Y
    add("a table of rich / vector form, a number", "at least 75", table_64, step_512("vector"), 3, 64)
    if importlib.util.find_spec("torch"):
        add("encoder without a sink / torch", "at most 1.0", encoder(False), torch_encoder())
    return found


def main() -> None:
    os.environ.pop("OPENBLAS_CORETYPE", None)
    os.environ.pop("OPENBLAS_L2_SIZE", None)
    table = Table(box=box.SIMPLE)
    for heading in ("benchmark", "ours or first, s", "second, s", "ratio", "aim"):
        table.add_column(heading, justify="left" if heading in ("benchmark", "aim") else "right")
    for name, a, b, ratio, aim in rows():
        table.add_row(name, f"{a:.4f}", f"{b:.4f}", f"{ratio:.2f}", aim)
    Console().print(table)


if __name__ == "__main__":
    main()
