"""Hostile command lines and files: `python tests/hostile.py 5000 [SEED [FIRST]]` tries 5,000 of them.

Each ends with 0, 1, 2 or 130, without a traceback, without a control or format character in what it writes, without a
change to a file that it reads, with less than 600 MB of memory, in a process of its own."""
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
# Markup of every format, and characters that move a cursor or hide: for a sentence, a title, a name.
HOSTILE = ('<script>alert(1)</script> | ` "on=x \' ]]> <!-- &amp; ${x} **b** [a](b) @user :smile: ~~s~~ \\| # 1. a,b =1'
           ' \x1b \u202e')
HOSTILE_WORDS = ("<s>", "\x1b[31m", "a\u202eb", "\x9b2J", "x\ny", "\x07\u00ad", "\u200f", "</s>")
HIDDEN = ("Cc", "Cf", "Zl", "Zp", "Cs", "Co")
MOST_MEMORY, MOST_SECONDS = 600_000, 60  # KiB; a busy machine is slow
MOST_CPU = 20  # seconds
COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # in a page that is asked for in colour
JOINERS = {"\u200d", *map(chr, range(0xE0020, 0xE0080))}  # which may stand in an emoji

WORDS = ["a", "a b", "this is a cat", "어제 카페 갔었어", "카페", HOSTILE, *HOSTILE_WORDS, "", " ", "-", "--", "a" * 5000,
         "x " * 60, "[link=http://x]y[/link]", "[bold]x", "👩\u200d🚀 🏴\U000E0067\U000E0062\U000E007F", "a\u200db",
         "\udcff\udc80", "%s {0} $(id)", "\U000E0041\u061c\u0600\U0001D173\U00013430", "e\u0301" * 9, "\ufeff",
         "encoder.embedding", "head1.scores:1,1", "*"]
SENTENCES = ["a b", "a", "this is a cat", "어제 카페 갔었어", "카페", HOSTILE, "👩\u200d🚀 \u00ad \u061c \U0001D173",
             *HOSTILE_WORDS[1:-1]]
NUMBERS = ["1", "2", "3", "4", "8", "0.5", "0", "-1", "1e400", "-1e400", "nan", "inf", "0x10", "1_0", "１２", " 2 ",
           "2.5", "9" * 20, "9" * 5000, "-" + "9" * 400, "1e-400", "0.1", "٣", "all", "sqrt_d_k", "NaN",
           "1" + "0" * 30, ""]
PLACES = ["encoder.output:1,1", "head1.scores:1,1", "head1.scores:9,9", f"encoder.output:{'9' * 400}",
          "encoder.E:1,1=0.5", "encoder.E:1,1=1e999", "1,2", f"1,{'9' * 30}", "encoder.layer1.self_attention.head1",
          "gradient.output.W:1,1", "*.*", "["]
READ = ["run.npz", "w.npz", "w.json", "w.safetensors", "s.npz", "in.npz", "pairs.tsv", "page.csv", "page.jsonl",
        "bad", "bad.npz", "bad.json", "bad.safetensors", "bad.tsv", "zero.npz", "fifo.npz", "/dev/null", "/dev/zero",
        "/dev/full", "/dev/stdin", ".", "ko-en", "missing.npz", "loop.npz", "\x1b[31m.npz", "\u202e.npz",
        "x" * 300 + ".npz", "/proc/self/mem", "bomb.npz", "in.npy", "in.csv", "in.json", "bad.npy", "s.pt", "bad.pt"]
WRITTEN = ["new.txt", "new.html", "new.md", "new.csv", "new.jsonl", "new.svg", "new.tex", "new.npz",
           "new.safetensors", "new", "-",
           "/dev/null", "/dev/full", "/dev/stdout", "/dev/fd/99999999999", "/dev/fd/1", ".", "no/new.txt",
           "loop.npz", "link.txt", "\x1b[31m.txt", "\u202e.html", "x" * 300 + ".txt", *READ[:7]]
VARIABLES = ["COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM", "ATTNTRACE_LANG", "ATTNTRACE_WIDTH",
             "ATTNTRACE_COLOR", "LANG", "LC_ALL", "PAGER", "LESS", "_ATTNTRACE_COMPLETE", "COMP_WORDS", "COMP_CWORD",
             "TMPDIR", "HOME"]
VALUES = ["bash_complete", "zsh_source", "both", "ko", "en", "always", "attntrace trace --only enc", *WORDS, *NUMBERS]
USUAL = {"weights": "w.npz", "input": "in.npz", "saved_run": "run.npz", "state": "s.npz", "a": "run.npz",
         "b": "run.npz", "pairs": "pairs.tsv", "answers": "answers.csv", "sheets": "worksheet.json",
         "class_file": "class.csv"}  # what a parameter reads
TRAINED = ["--epochs", "1", "--d-model", "4", "--d-ff", "4", "--layers", "1"]


class Case(NamedTuple):
    """A command line and its surroundings; `reads`: the files that it must leave unchanged."""
    arguments: list[str]
    env: dict[str, str]
    stdin: bytes
    reads: set[str]
    reader: bool  # whether standard output has a reader


def commands() -> dict[str, Any]:
    """Every command that has options of its own, by the words that call it."""
    from attntrace.cli.app import COMMANDS, attntrace
    found: dict[str, Any] = {}
    for name in COMMANDS:
        command = attntrace.get_command(None, name)  # type: ignore[arg-type]
        found |= {f"{name} {sub}": one for sub, one in getattr(command, "commands", {}).items()} or {name: command}
    return found


def case_of(rng: random.Random, known: dict[str, Any]) -> Case:
    """A command with some of its options, each with a value that it expects, or with any other."""
    import click

    from attntrace.cli.values import Among
    name = rng.choice(list(known))
    arguments, reads, hostility = name.split(), set(), rng.choice((0.0, 0.1, 0.5))

    def file_of(usual: str) -> str:
        file = rng.choice(READ) if rng.random() < hostility else usual
        reads.add(file)
        return file

    def value_of(param: Any) -> str:
        if param.name in USUAL:
            return file_of(USUAL[param.name])
        if rng.random() < hostility:
            return rng.choice([*WORDS, *NUMBERS, *PLACES, *WRITTEN])
        if param.name in ("output", "save"):
            return rng.choice(WRITTEN[:9])
        if param.name == "what_if":
            file, rows = file_of("w.npz"), file_of("in.npz")
            return rng.choice(["--norm pre", "--seed 2", f"--weights {file}", f"--input {rows}"])
        if isinstance(param.type, Among):
            return rng.choice(param.type.known)
        if param.name in ("only", "set", "ablate", "swap", "address", "step", "place"):
            return rng.choice(PLACES)
        return rng.choice(SENTENCES if param.type.name == "text" else NUMBERS[:6])

    for param in known[name].params:
        if isinstance(param, click.Argument):
            if rng.random() < 0.95:
                arguments.append(value_of(param))
        elif param.name != "epochs" and rng.random() < (0.9 if param.required else 0.05 + hostility / 10):
            option = rng.choice(param.opts + param.secondary_opts)
            arguments += [option] if param.is_flag else [option, value_of(param)]
    arguments += TRAINED if name == "train" else []
    if rng.random() < hostility / 5:
        arguments.insert(rng.randrange(len(arguments)), rng.choice([*WORDS, *PLACES, "--help", "--lang", "-q"]))
    env = {rng.choice(VARIABLES): rng.choice(VALUES) for _ in range(rng.choice((0, 0, 1, 2)))}
    env = {} if rng.random() > hostility * 2 else env
    stdin = rng.choice([b"", b"a b\n", "어제 카페\n카페\n".encode(), b"\xff\xfe", b"\0\n", as_bytes(rng.choice(WORDS))])
    return Case([as_argument(word) for word in arguments], {name: as_argument(value) for name, value in env.items()},
                stdin, reads, rng.random() < 0.9)


def as_argument(word: str) -> str:
    """A word as a system passes it: without zero bytes."""
    return os.fsdecode(os.fsencode(word)).replace("\0", "")


def as_bytes(word: str) -> bytes:
    return word.encode("utf-8", "surrogateescape")


# ---------------------------------------------------------------- files

def write_inputs(folder: Path) -> None:
    """Write the files that the command lines name, all of them undamaged."""
    from command import attntrace
    small = ["--d-model", "4", "--heads", "2", "--d-ff", "4", "--layers", "1"]
    for arguments in (["trace", "a b", "--target", "c", "-q", "--save", "run.npz"],
                      ["weights", "new", "a b", "--target", "c", "-o", "w.npz"],
                      ["weights", "new", "a b", "-o", "w.safetensors"]):
        attntrace(*arguments[:-1], str(folder / arguments[-1]), *small)
    attntrace("weights", "export", str(folder / "w.npz"), "-o", str(folder / "s.npz"))
    for kind in ("csv", "jsonl"):
        attntrace("trace", "a b", *small, "-o", str(folder / f"page.{kind}"))
    shutil.copy(ROOT / "samples" / "pencil.json", folder / "w.json")
    import numpy as np
    np.savez(folder / "in.npz", **{"encoder.input": np.ones((2, 4))})
    np.save(folder / "in.npy", np.ones((1, 2, 4)))
    (folder / "in.csv").write_text("1,1,1,1\n1,1,1,1\n")
    (folder / "in.json").write_text('{"encoder.input": [[1, 1, 1, 1], [1, 1, 1, 1]]}')
    from test_pytorch import attention
    attention(folder / "s.pt")
    attntrace("worksheet", "a b", "--blank", "4", "-o", str(folder / "sheets"))
    shutil.move(folder / "sheets" / "worksheet.json", folder)
    shutil.rmtree(folder / "sheets")
    (folder / "answers.csv").write_text("id,answer,student\nslip,query,1\n")
    (folder / "class.csv").write_text("a,a b\nb,b a\n")
    (folder / "pairs.tsv").write_text("".join(f"{a} {b}\t{b} {a}\n" for a in "abc" for b in "xyz"), "utf-8")
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("config.npy", bytes(10_000_000))
    (folder / "zero.npz").symlink_to("/dev/zero")
    (folder / "loop.npz").symlink_to("loop.npz")
    (folder / "link.txt").symlink_to("run.npz")


def damage_inputs(rng: random.Random, folder: Path) -> None:
    """Write the damaged files: an undamaged one cut off, or with other bits, bytes or words, under any ending."""
    os.mkfifo(folder / "fifo.npz")
    whole = [*READ[:9], "in.npy", "s.pt"]
    for name in ("bad", "bad.npz", "bad.json", "bad.safetensors", "bad.tsv", "bad.npy", "bad.pt"):
        ending = Path(name).suffix
        alike = [file for file in whole if file.endswith(ending)] if ending and rng.random() < 0.9 else whole
        file = folder / rng.choice(alike)
        data = bytearray(file.read_bytes() if file.exists() else b"")
        for _ in range(rng.choice((0, 1, 1, 3))):
            kind, at = rng.randrange(5), rng.randrange(len(data) + 1)
            if kind == 0:
                del data[at:]
            elif kind == 1 and at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            elif kind == 2:
                data[at:at] = rng.choice([rng.randbytes(9), *map(as_bytes, HOSTILE_WORDS)])
            elif kind == 3:
                data[at:at + 40] = data[:40]
            else:
                old = rng.choice([b"encoder", b"1", b"a", b'"', b"[", b"\t"])
                data = data.replace(old, as_bytes(rng.choice(NUMBERS + WORDS)), rng.choice((1, 1, 99)))
        (folder / name).write_bytes(data)


# ---------------------------------------------------------------- running

def outcome(case: Case, folder: Path) -> list[str]:
    """Run a command in the folder of its files and return what is wrong with how it ends."""
    before = {file: contents(folder / file) for file in case.reads}
    streams = [tempfile.TemporaryFile() for _ in range(3)]
    streams[0].write(case.stdin)
    streams[0].seek(0)
    pipe = os.pipe()
    os.close(pipe[0])
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        child(case, folder, streams[0].fileno(), streams[1].fileno() if case.reader else pipe[1], streams[2].fileno())
    os.close(pipe[1])
    status, usage = wait_for(pid)
    texts = []
    for stream in streams[1:]:
        stream.seek(0)
        texts.append(stream.read().decode("utf-8", "surrogateescape"))
    for stream in streams:
        stream.close()
    wrong = []
    code = os.waitstatus_to_exitcode(status)
    if code in (-signal.SIGKILL, -signal.SIGXCPU):
        wrong.append(f"takes more than {MOST_SECONDS} seconds, or {MOST_CPU} of a processor")
    elif code not in (0, 1, 2, 130):
        wrong.append(f"ends with {code}")
    if re.search("Traceback|Exception ignored|Warning:", texts[1]):
        wrong.append("traceback: " + " / ".join(texts[1].strip().splitlines()[-3:]))
    in_one_line = re.fullmatch("(?s)(.*\n)?attntrace: [^\n]*\n", texts[1])
    if code == 2 and not in_one_line or code == 0 and "attntrace: " in texts[1]:
        wrong.append(f"says {texts[1][:200]!r} with {code}")
    _, resident, of_files, *_ = map(int, Path("/proc/self/statm").read_text().split())
    own = (resident - of_files) * 4  # KiB, which a child begins with: pages of mapped files (libraries) it does not
    if usage.ru_maxrss > max(MOST_MEMORY, own + 450_000):
        wrong.append(f"takes {usage.ru_maxrss // 1000} MB")
    written = {"standard output": texts[0], "standard error": texts[1]}
    new = (file for file in folder.iterdir() if file.is_file() and not file.is_symlink() and file.name not in READ)
    written |= {file.name: file.read_text("utf-8", "surrogateescape") for file in new
                if file.suffix not in (".npz", ".safetensors")}
    for name, text in written.items():
        hidden = {char for char in set(COLOUR.sub("", text)) if unicodedata.category(char) in HIDDEN} - {"\n"} - JOINERS
        hidden -= {"\t"} if "--words" in case.arguments else set()  # of weights info: columns
        if hidden:
            wrong.append(f"{name} holds {sorted(hidden)!r}")
    wrong += [f"changes {file}, which it reads" for file in case.reads if contents(folder / file) != before[file]]
    wrong += [f"leaves {file.name}" for file in folder.iterdir() if file.name.endswith(".part")]
    return wrong


def child(case: Case, folder: Path, *descriptors: int) -> None:
    """Run the command in this process and end it as Python does."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update({"PATH": os.defpath, **case.env})
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU, MOST_CPU))
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))  # so that no mistake takes the whole machine
        sys.stdin, sys.stdout = open(0, encoding="utf-8"), open(1, "w", encoding="utf-8")
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
        sys.argv = ["attntrace", *case.arguments]
        from attntrace.__main__ import main
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = 120
    os._exit(code)


def wait_for(pid: int) -> tuple[int, Any]:
    """Wait for a process, and kill it after its time; return its status and its use of resources."""
    handle = os.pidfd_open(pid)
    try:
        if not select.select([handle], [], [], MOST_SECONDS)[0]:
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
    finally:
        os.close(handle)
    return status, usage


def contents(file: Path) -> bytes | None:
    with suppress(OSError, ValueError):
        return file.read_bytes() if file.is_file() else None
    return None


def failures(count: int, seed: int = 0, first: int = 0) -> Iterator[tuple[int, Case, list[str]]]:
    """The cases that do not end well, with their numbers."""
    import numpy  # noqa: F401  # once for all processes
    known = commands()
    with tempfile.TemporaryDirectory() as directory:
        whole = Path(directory) / "whole"
        whole.mkdir()
        write_inputs(whole)
        for number in range(first, first + count):
            rng = random.Random(f"{seed} {number}")
            folder = Path(directory) / "folder"
            shutil.copytree(whole, folder, symlinks=True)
            damage_inputs(rng, folder)
            case = case_of(rng, known)
            wrong = outcome(case, folder)
            shutil.rmtree(folder)
            if wrong:
                yield number, case, wrong


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT)]
    count, seed, first = ([int(word) for word in sys.argv[1:]] + [0, 0])[:3]
    start, bad = time.monotonic(), 0
    for number, case, wrong in failures(count, seed, first):
        bad += 1
        print(json.dumps([number, wrong, case.arguments, case.env, repr(case.stdin), case.reader]), flush=True)
    print(f"{count} tried, {bad} wrong, {time.monotonic() - start:.0f} seconds")
    sys.exit(bool(bad))
