"""Ratios measured in one run: `PYTHONPATH=. python tests/benchmarks/run.py [NAME ...]`.

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
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from attntrace.axes import Axis
from attntrace.config import Config
from attntrace.forms import FORMS
from attntrace.functions import softmax
from attntrace.run import prepare
from attntrace.stages import View
from attntrace.symbol import Symbol
from attntrace.tensor import Tensor
from attntrace.tracing import Trace
from attntrace.weights import Vocabularies, counted
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


def python(code: str) -> Work:
    """A Python of its own, with compiled modules, as after an installation."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPATH"] = str(ROOT)
    return lambda: subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True, env=env)


def command(*arguments: str) -> Work:
    """What the installed command does."""
    return python(f"import sys; sys.argv[1:] = {arguments!r}; from attntrace.__main__ import main; main()")


def shown(form: str, colour: str, step: Callable[[Trace], object]) -> None:
    """One step as text at 160 columns."""
    writer = TerminalWriter(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), Look(160, colour=colour))
    show = FORMS[form](View(arithmetic="none"), writer, frozenset())
    step(Trace(show, place="encoder"))
    show.close()


def sum_step(form: str, size: int = 512) -> Work:
    """X + X = Y, three times size × size numbers in matrix form, once in vector form."""
    numbers = np.random.default_rng(0).normal(size=(size, size))
    X = Tensor(numbers, (Axis("token", size), Axis("d_model", size)), Symbol.of("X"), "x")
    return lambda: shown(form, "never", lambda trace: trace("input", X + X, "Y"))


def weights_step(form: str, size: int = 512) -> Work:
    """The attention weights of so many words, A = softmax(S), in shades."""
    labels = tuple(f"w{n}" for n in range(size))
    numbers = np.random.default_rng(0).normal(size=(size, size))
    S = Tensor(numbers, (Axis("token", size, labels), Axis("key", size, labels)), Symbol.of("S"), "s")
    return lambda: shown(form, "always", lambda trace: trace("weights", softmax(S), "A"))


def long_trace() -> tuple[float, float, float, str]:
    """200 words, d_model 512, 6 layers: seconds to the first stage and to the end, and the peak of memory in MB, beside
    the weights and one layer's tensors."""
    done = subprocess.run([sys.executable, "-c", LONG], capture_output=True, text=True, check=True, cwd=ROOT)
    first, last, peak = map(float, done.stdout.split())
    config = Config(d_model=512, heads=8, layers=6, d_ff=2048)
    weights = 8 * sum(count.number for counts in counted(config, Vocabularies(("a",) * 202, None)).values()
                      for count in counts)
    sizes: dict[str, int] = {}
    prepare(" ".join(f"w{n}" for n in range(200)), config=replace(config, layers=1))(
        lambda step: sizes.__setitem__(step.address, step.value.nbytes))
    layer = sum(size for address, size in sizes.items() if ".layer1." in address)
    return first, last, peak, f"at most {(weights + layer) / 1e6 + 100:.0f}"


LONG = """
import os, re, sys, time
from attntrace.cli import run
start, first = time.perf_counter(), None
class Out:
    encoding = "utf-8"
    def isatty(self): return False
    def flush(self): pass
    def write(self, text):
        global first
        if first is None and text.startswith("1.1  "):
            first = time.perf_counter() - start
    def writelines(self, lines):
        for line in lines: self.write(line)
    def fileno(self): return 1
sys.stdout, out = Out(), sys.stdout
run(["trace", " ".join(f"w{n}" for n in range(200)), "--d-model", "512", "--heads", "8", "--layers", "6", "--d-ff",
     "2048", "--arithmetic", "none", *sys.argv[1:]])
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())  # rusage would count the parent's as well
print(first, time.perf_counter() - start, int(peak[1]) * 1024 / 1e6, file=out)
"""


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

    add("help / import click", "at most 1.25", command("--help"), python("import click"), 11)
    add("trace / import numpy, click, rich.console", "at most 1.6",
        command("trace", "this is a cat"), python("import numpy, click, rich.console"), 11)
    for name, aim, step, times in (("matrix form", 150, sum_step("matrix"), 3),
                                   ("vector form", 75, sum_step("vector"), 1),
                                   ("matrix form in shades", 75, weights_step("matrix"), 2),
                                   ("vector form in shades", 75, weights_step("vector"), 1)):
        add(f"a table of rich / {name}, a number", f"at least {aim}", table_64, step, 3, 64 * times)
    for form in FORMS:
        add(f"{form} form of 512 × 512 numbers / of 256 × 256, a number", "about 1",
            sum_step(form), sum_step(form, 256), 3, 1 / 4)
    if importlib.util.find_spec("torch"):
        add("encoder without a sink / torch", "at most 1.0", encoder(False), torch_encoder())
    return found


def main() -> None:
    os.environ.pop("OPENBLAS_CORETYPE", None)
    os.environ.pop("OPENBLAS_L2_SIZE", None)
    table = Table(box=box.SIMPLE)
    for heading in ("benchmark", "ours or first, s", "second, s", "ratio", "aim"):
        table.add_column(heading, justify="left" if heading in ("benchmark", "aim") else "right")
    with tempfile.TemporaryDirectory() as compiled:
        os.environ["PYTHONPYCACHEPREFIX"] = compiled  # of the processes that are timed
        for name, a, b, ratio, aim in rows():
            table.add_row(name, f"{a:.4f}", f"{b:.4f}", f"{ratio:.2f}", aim)
    Console().print(table)
    if len(sys.argv) < 2 or "long" in sys.argv[1:]:
        first, last, peak, aim = long_trace()
        print(f"long: 200 words, d_model 512, 6 layers: first stage after {first:.1f} s of {last:.1f} s, "
              f"peak memory {peak:.0f} MB ({aim})")


if __name__ == "__main__":
    main()
