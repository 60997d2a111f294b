"""Ratios measured in one run: `PYTHONPATH=. python tests/benchmarks/run.py [NAME ...]`.

Each benchmark alternates two things and prints the median of the ratios pair by pair: machines are noisy, so a single
time says little. Those that compare with PyTorch are left out where it is not installed."""
import gc
import importlib.util
import io
import itertools
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

ALONE = {"training", "encoder"}  # these benchmarks need one thread of linear algebra, and so a process of their own
if ALONE.intersection(sys.argv):
    os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from attntrace.cli.commands.train import keep_memory
from attntrace.files.weights import located
from attntrace.model.config import Config
from attntrace.model.parameters import Vocabularies, parts, seeded
from attntrace.model.tokens import packed
from attntrace.ops.functions import softmax
from attntrace.pages.forms import FORMS
from attntrace.pages.view import View
from attntrace.player.course import Course
from attntrace.player.drawing import screen
from attntrace.player.player import Player
from attntrace.runs.prepare import prepare
from attntrace.runs.saved import Recording, save
from attntrace.tensor.axes import Axis
from attntrace.tensor.symbol import Spelling, Symbol
from attntrace.tensor.tensor import Array, Tensor
from attntrace.tracing.trace import Step, Trace
from attntrace.training.loop import Training, vocabularies_of
from attntrace.training.pairs import Pair
from attntrace.training.schedule import Schedule
from attntrace.writers import DATA, PAGES
from attntrace.writers.page import Page
from attntrace.writers.text.writer import Look, TerminalWriter, cells_of

ROOT = Path(__file__).parent.parent.parent
Work = Callable[[], object]
LARGE = ("trace", " ".join(f"w{n}" for n in range(64)), "--layers", "6", "--d-model", "256", "--d-ff", "1024",
         "--form", "matrix", "--arithmetic", "none")


ENCODERS = ({"words": 128, "d_model": 512, "heads": 8, "layers": 6, "d_ff": 2048},
            *({"words": words, "d_model": 768, "heads": 12, "layers": 12, "d_ff": 3072} for words in (256, 1024)))


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


def python(code: str, stdout: int = subprocess.DEVNULL) -> Work:
    """A Python of its own, with compiled modules, as after an installation."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPATH"] = str(ROOT)
    return lambda: subprocess.run([sys.executable, "-c", code], stdout=stdout, check=True, env=env)


def command(*arguments: str, stdout: int = subprocess.DEVNULL) -> Work:
    """What the installed command does."""
    return python(f"import sys; sys.argv[1:] = {arguments!r}; from attntrace.__main__ import main; main()", stdout)


def several(work: Work, times: int) -> Work:
    """In blocks: one after the other, each would find the other's numbers in the cache."""
    return lambda: [work() for _ in range(times)]


class WriteOnly(io.BytesIO):
    """As standard output is: what can be read as well has a decoder, which every line resets."""

    def readable(self) -> bool:
        return False


def shown(form: str, colour: str, step: Callable[[Trace], object]) -> None:
    """One step as text at 160 columns."""
    writer = TerminalWriter(io.TextIOWrapper(WriteOnly(), encoding="utf-8"), Look(160, colour=colour))
    show = FORMS[form](View(arithmetic="none"), writer, frozenset())
    step(Trace(show, place="encoder"))
    show.close()


def sum_step(form: str, size: int = 512) -> Work:
    """X + X = Y: three times size × size numbers in matrix form, once in vector form."""
    numbers = np.random.default_rng(0).normal(size=(size, size))
    X = Tensor(numbers, (Axis("token", size), Axis("d_model", size)), Symbol.of("X"), "x")
    return lambda: shown(form, "never", lambda trace: trace("input", X + X, "Y"))


def weights_step(form: str, size: int = 512) -> Work:
    """The attention weights of so many words, A = softmax(S), in shades."""
    labels = tuple(f"w{n}" for n in range(size))
    numbers = np.random.default_rng(0).normal(size=(size, size))
    S = Tensor(numbers, (Axis("token", size, labels), Axis("key", size, labels)), Symbol.of("S"), "s")
    return lambda: shown(form, "always", lambda trace: trace("weights", softmax(S), "A"))


def rich_table() -> None:
    """64 × 64 numbers by rich.Table with its box: a 64th of the step, so that it ends."""
    table = Table(box=box.SQUARE, show_header=False)
    for row in np.random.default_rng(0).normal(size=(64, 64)):
        table.add_row(*("%8.4f" % number for number in row))
    Console(file=io.StringIO(), width=1_000).print(table)


def long_trace() -> tuple[float, float, float, str]:
    """200 words, d_model 512, 6 layers: seconds to the first stage and to the end, and the peak of memory in MB, beside
    the weights and one layer's tensors."""
    start, first, peak, looks = time.perf_counter(), 0.0, 0, 0
    options = ("--d-model", "512", "--heads", "8", "--layers", "6", "--d-ff", "2048", "--arithmetic", "none")
    words = " ".join(f"w{n}" for n in range(200))
    with subprocess.Popen([sys.executable, "-m", "attntrace", "trace", words, *options], stdout=subprocess.PIPE,
                          cwd=ROOT) as running:
        while part := os.read(running.stdout.fileno(), 1 << 20):  # type: ignore[union-attr]
            first = first or (time.perf_counter() - start) * (b"1.1  " in part)
            if time.perf_counter() - start > (looks + 1) / 10:  # rusage would count the parent's memory as well
                memory = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{running.pid}/status").read_text())
                looks, peak = looks + 1, int(memory[1]) if memory else peak
    last = time.perf_counter() - start
    config = Config(d_model=512, heads=8, layers=6, d_ff=2048)
    counts = (part.counts() for part in parts(config, Vocabularies(("a",) * 202, None)))
    weights = 8 * sum(count.number for one in counts for count in one)
    sizes: dict[str, int] = {}
    prepare(words, config=replace(config, layers=1))(
        lambda step: sizes.__setitem__(step.address, step.value.nbytes))
    layer = sum(size for address, size in sizes.items() if ".layer1." in address)
    return first, last, peak * 1024 / 1e6, f"at most {(weights + layer) / 1e6 + 100:.0f}"


class Encoder:
    """A float32 encoder, by attntrace and by PyTorch eager, and as a bare function of the same NumPy calls: the same
    products and elementwise operations, without tensors, names and checks. One thread of each."""

    def __init__(self, words: int, **sizes: int) -> None:
        self.words, self.config = words, Config(dtype="float32", **sizes)
        self.run = prepare(" ".join(f"w{n}" for n in range(words)), config=self.config)

    def untraced(self) -> None:
        self.run()

    def traced(self) -> None:
        self.run(lambda step: None)

    def kept(self) -> None:
        self.run(list[Step]().append)

    def theirs(self) -> Work:
        import torch
        torch.set_num_threads(1)
        d_model, heads, d_ff = self.config.d_model, self.config.heads, self.config.d_ff
        layer = torch.nn.TransformerEncoderLayer(d_model, heads, d_ff, batch_first=True)
        model = torch.nn.TransformerEncoder(layer, self.config.layers, enable_nested_tensor=False).eval()
        x = torch.randn(1, self.words, d_model)

        def work() -> None:
            with torch.no_grad():
                model(x)
        return work

    SQUARE_PRODUCT = 2 * 512 ** 3  # operations

    def square(self, X: Array = np.ones((512, 512), np.float32)) -> Array:
        """A product of the size at which NumPy is fastest."""
        return np.asarray(X @ X)

    def products(self) -> float:
        """How many operations the products of matrices take."""
        d_model, T = self.config.d_model, self.words
        return 4 * T * self.config.layers * d_model * (2 * d_model + T + self.config.d_ff)

    def bare(self) -> None:
        width, heads = self.config.d_model // self.config.heads, self.config.heads
        named = {name: tensor.value for name, tensor in self.run.parameters.by_name.items()}
        ones = {size: np.ones(size, np.float32) for size in (self.config.d_model, self.words)}
        root, epsilon = np.sqrt(np.float32(width)), np.float32(self.config.epsilon)

        def mean(x: Array) -> Array:
            return np.asarray(x @ ones[x.shape[1]] / np.float32(x.shape[1]))[:, None]

        def softmax(x: Array) -> Array:
            powers = x - x.max(axis=-1)[:, None]
            np.exp(powers, out=powers)
            powers /= (powers @ ones[x.shape[1]])[:, None]
            return powers

        def norm(x: Array, place: str) -> Array:
            mu = mean(x)
            deviation = np.sqrt(mean(np.square(x - mu)) + epsilon)
            return np.asarray(named[place + "gain"] * ((x - mu) / deviation) + named[place + "bias"])

        x = np.sqrt(np.float32(width * heads)) * named["encoder.E"].take(np.arange(self.words), axis=0)
        for layer in range(1, self.config.layers + 1):
            at = f"encoder.layer{layer}.self_attention."
            W_Q, W_K, W_V, each = named[at + "W_Q"], named[at + "W_K"], named[at + "W_V"], []
            for start in range(0, heads * width, width):
                columns = slice(start, start + width)
                Q, K, V = x @ W_Q[:, columns], x @ W_K[:, columns], x @ W_V[:, columns]
                each.append(softmax(Q @ K.T / root) @ V)
            x = norm(x + np.concatenate(each, axis=-1) @ named[at + "W_O"], at)
            at = f"encoder.layer{layer}.feed_forward."
            hidden = np.maximum(x @ named[at + "W_1"] + named[at + "b_1"], 0)
            x = norm(x + (hidden @ named[at + "W_2"] + named[at + "b_2"]), at)


class TrainingStep:
    """A training step of the same model on the same batch, by attntrace and by PyTorch eager, without dropout: d_model
    32, 2 heads, 2 + 2 layers, 150 words on either side, Adam, label smoothing; one thread of either."""

    def __init__(self, sentences: int, words: int) -> None:
        rng = np.random.default_rng(0)
        known = tuple(f"w{n}" for n in range(148))
        lengths = rng.integers(max(words - 2, 1), words + 1, (sentences, 2))
        pairs = [Pair(*(" ".join(rng.choice(known, length)) for length in both)) for both in lengths]
        pairs.append(Pair(" ".join(known), " ".join(known)))
        config = Config(d_model=32, heads=2, layers=2, d_ff=64, dtype="float32")
        vocabularies = vocabularies_of(pairs, config)
        self.training = Training(config, vocabularies, seeded(config, vocabularies, 0), pairs, Schedule(dropout=0.0))
        self.examples = [self.training.example(pair) for pair in pairs[:-1]]
        self.batch = list(map(packed, zip(*self.examples)))

    def ours(self) -> object:
        return self.training.learn(*self.batch)

    def theirs(self) -> Work:
        import torch
        from torch import nn
        torch.set_num_threads(1)
        d, V = 32, len(self.training.vocabularies.target or ()) + 1

        class Model(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.source, self.target = nn.Embedding(V, d), nn.Embedding(V, d)
                self.model = nn.Transformer(d, 2, 2, 2, 64, 0.0, batch_first=True)
                self.model.encoder.norm = self.model.decoder.norm = None
                self.out = nn.Linear(d, V, bias=False)
                angle = torch.arange(64)[:, None] / 10000 ** (torch.arange(0, d, 2) / d)
                self.positions = torch.stack((angle.sin(), angle.cos()), -1).flatten(1)

            def forward(self, source, target):  # type: ignore[no-untyped-def]
                there, ahead = source == 0, torch.ones(target.shape[1], target.shape[1], dtype=torch.bool).triu(1)
                x = self.source(source) * d ** 0.5 + self.positions[:source.shape[1]]
                y = self.target(target) * d ** 0.5 + self.positions[:target.shape[1]]
                return self.out(self.model(x, y, tgt_mask=ahead, src_key_padding_mask=there,
                                           tgt_key_padding_mask=target == 0, memory_key_padding_mask=there))

        def padded(rows):  # type: ignore[no-untyped-def]
            return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)

        source, target, wanted = map(padded, zip(*self.examples))
        model = Model()
        optimizer = torch.optim.Adam(model.parameters(), 1e-3, (0.9, 0.98), 1e-9)
        loss = nn.CrossEntropyLoss(ignore_index=0, label_smoothing=0.1)

        def work() -> None:
            optimizer.zero_grad()
            loss(model(source, target).flatten(0, 1), wanted.flatten()).backward()
            optimizer.step()
        return work


def interrupted() -> list[float]:
    """Seconds from Ctrl-C to the end of a trace of 2,000 words, d_model 512, 6 layers, at several moments."""
    words, took = " ".join(f"w{n}" for n in range(2_000)), []
    for moment in (3, 5, 7):
        with subprocess.Popen([sys.executable, "-m", "attntrace", "trace", words, "--d-model", "512", "--heads", "8",
                               "--layers", "6", "--d-ff", "2048", "--only", "encoder.output", "-o", os.devnull],
                              cwd=ROOT) as running:
            time.sleep(moment)
            running.send_signal(signal.SIGINT)
            took.append(seconds(lambda: running.wait(60)))
    return took


def saving() -> tuple[Path, Work, Work, Work, Work]:
    """The file of a saved run of 260 MB, and how to write it and how numpy.savez does; and it while it is computed, or
    the same numbers plainly after that."""
    words = " ".join(f"w{n}" for n in range(100))
    run, steps = prepare(words, words, config=Config(d_model=512, heads=8, layers=3, d_ff=2048)), list[Step]()
    run(steps.append)
    arrays = {step.address: step.value for step in steps} | {
        tensor.address or "": tensor.value for tensor in run.parameters}
    file = Path(tempfile.mkdtemp()) / "run.npz"

    def ours() -> None:
        with open(file, "wb") as out:
            recording = Recording(out, run)
            for step in steps:
                recording(step)
            recording.close("trace")

    def while_running() -> None:
        with open(file, "wb") as out:
            save(run, out)

    def plainly() -> None:
        run()
        with open(file.with_name("plain"), "wb") as out:
            for array in arrays.values():
                out.write(np.ascontiguousarray(array).data)

    return file, ours, lambda: np.savez(file.with_name("theirs.npz"), **arrays), while_running, plainly


def played_keys() -> Work:
    """The next of some keys of the player, and the screen after it: through the stages of a training step."""
    from attntrace.runs.training_step import prepare_training_step
    course = Course(prepare_training_step("어제 카페 갔었어", "I went to the cafe yesterday", optimizer="adam"), 3)
    return pressing(Player(course, Page(100, Spelling.UNICODE, cells_of), 30, str), "n")


def played_probabilities() -> Work:
    """The same, on the softmax of the vocabulary of ko-en."""
    course = Course(prepare("어제 카페 갔었어", "I went to the cafe yesterday", weights=located("ko-en")), 3)
    player = Player(course, Page(100, Spelling.UNICODE, cells_of), 30, str)
    player.place = course.found("output.probabilities")
    return pressing(player, "down")


def pressing(player: Player, last: str) -> Work:
    keys = itertools.cycle(("right", "enter", "R", "z", "z", last))

    def work() -> None:
        player.press(next(keys))
        screen(player)
    return work


def rows() -> list[tuple[str, float, float, float, str]]:
    """Each benchmark: its name, both times, the ratio, and what is aimed at."""
    measured = []

    def asked(name: str) -> bool:
        return len(sys.argv) < 2 or any(word in name for word in sys.argv[1:])

    def add(name: str, aim: str, ours: Work, theirs: Work, pairs: int = 7, scale: float = 1.0) -> None:
        if asked(name):
            a, b, ratio = compared(ours, theirs, pairs)
            measured.append((name, a, b, ratio * scale, aim))

    add("help / import click", "at most 1.25", command("--help"), python("import click"), 11)
    add("trace / import numpy, click, rich.console", "at most 1.5",
        command("trace", "this is a cat"), python("import numpy, click, rich.console"), 11)
    add("trace --lang ko / --lang en", "at most 1.05",
        command("trace", "어제 카페 갔었어", "--lang", "ko"), command("trace", "어제 카페 갔었어", "--lang", "en"), 21)
    add("verify / trace", "below 3", command("verify", "어제 카페 갔었어"), command("trace", "어제 카페 갔었어"), 5)
    add("verify, d_model 64, 2 layers, 12 + 12 words / trace", "", *(
        command(name, " ".join("abcdefghijkl"), "--target", " ".join("abcdefghijk"), "--d-model", "64", "--layers", "2",
                "--d-ff", "256") for name in ("verify", "trace")), 3)
    add("a key of play / 50 ms", "below 1", played_keys(), lambda: time.sleep(0.05), 201)
    add("a key of play on 2,234 probabilities / 50 ms", "below 1", played_probabilities(), lambda: time.sleep(0.05), 61)
    if asked("saving / numpy.savez") or asked("show"):
        file, ours, theirs, while_running, plainly = saving()
        ours()
        add("saving / numpy.savez", "at most 2", ours, theirs, 5)
        add("saving while running / running and a plain write", "at most 1.5", while_running, plainly, 5)
        cell = "encoder.layer2.self_attention.head3.scores"
        for name, place in (("number", f"{cell}:3,4"), ("row", f"{cell}:3"), ("tensor", cell)):
            add(f"show a {name} of 260 MB / import numpy, click", "at most 1.5",
                command("show", "--from", str(file), place), python("import numpy, click"), 11)
    for name in (*PAGES, *DATA):
        add(f"trace --format {name} / --quiet", "", command(*LARGE, "--format", name), command(*LARGE, "--quiet"), 1)
    page = os.path.join(tempfile.gettempdir(), "page.txt")
    add("trace to a file / to a pipe", "about 1",
        command(*LARGE, "-o", page), command(*LARGE, stdout=subprocess.PIPE), 3)
    for name, aim, step, times in (("matrix form", 1_000, sum_step("matrix"), 3),
                                   ("vector form", 600, sum_step("vector"), 1),
                                   ("matrix form in shades", 500, weights_step("matrix"), 2),
                                   ("vector form in shades", 500, weights_step("vector"), 1)):
        add(f"rich.Table / {name}, a number", f"at least {aim}", rich_table, step, 3, 64 * times)
    if asked("threads"):
        two, one = (python(f"import os; os.environ['OMP_NUM_THREADS'] = '{n}'; import numpy as np; "
                           "X = np.ones((512, 512)); [X @ X for _ in range(20)]") for n in (2, 1))
        add("threads: two / one, as our commands have", "", two, one, 3)
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
            add("threads: two / one, as our commands have, beside a busy program", "", two, one, 3)
            busy.kill()
    for form in FORMS:
        add(f"{form} form of 512 × 512 numbers / of 256 × 256, a number", "about 1",
            sum_step(form), sum_step(form, 256), 3, 1 / 4)
    if importlib.util.find_spec("torch"):
        keep_memory()  # as attntrace train does, for both
        for sizes in ENCODERS if "encoder" in sys.argv else ():
            encoder, name = Encoder(**sizes), f"encoder {sizes['d_model']} × {sizes['layers']}, {sizes['words']} words"
            theirs = encoder.theirs()
            add(f"{name}, untraced / torch eager", "at most 0.9", encoder.untraced, theirs)
            add(f"{name}, every step kept / torch eager", "at most 0.9", encoder.kept, theirs)
            add(f"{name}, traced / the same NumPy calls", "at most 1.05", encoder.traced, encoder.bare)
            product = several(encoder.square, round(encoder.products() / encoder.SQUARE_PRODUCT))
            add(f"{name}, traced / as much in large products", "at most 1.33", encoder.traced, product)
        for sentences, words in ((32, 7), (128, 7), (32, 28), (128, 28)) if "training" in sys.argv else ():
            training_step = TrainingStep(sentences, words)
            gc.freeze()
            add(f"training step, {sentences} sentences of {words} words / torch eager", "at most 1.0",
                several(training_step.ours, 5), several(training_step.theirs(), 5), 9)
        add("translate / import torch", "below 1", command("translate", "어제 카페 갔었어"), python("import torch"), 5)
    return measured


def main() -> None:
    gc.set_threshold(100_000)  # as the command does
    os.environ.pop("OPENBLAS_CORETYPE", None)
    os.environ.pop("OPENBLAS_L2_SIZE", None)
    with tempfile.TemporaryDirectory() as compiled:
        os.environ["PYTHONPYCACHEPREFIX"] = compiled  # of the processes that are timed
        for name, a, b, ratio, aim in rows():
            print(f"{name:<75} {a:9.4f} s {b:9.4f} s {ratio:8.2f}  {aim}")
    if len(sys.argv) < 2:
        subprocess.run([sys.executable, __file__, *ALONE], check=True)
    if len(sys.argv) < 2 or "long" in sys.argv[1:]:
        first, last, peak, aim = long_trace()
        print("long: Ctrl-C in a trace of 2,000 words ends it after at most "
              f"{max(interrupted()) * 1000:.0f} ms (at most 200)")
        print(f"long: 200 words, d_model 512, 6 layers: first stage after {first:.1f} s of {last:.1f} s, "
              f"peak memory {peak:.0f} MB ({aim})")


if __name__ == "__main__":
    main()
