"""Pipes, files, terminals and descriptors: what happens around the page."""
import io
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import threading
import time
import unicodedata

import pytest
from command import BLOG, ROOT, attntrace, clean_environment, process, refusal, shell
from hostile import write_inputs
from pages import without_commands

from attntrace.cli.app import run
from attntrace.tracing.trace import Trace

LONG = ["trace", " ".join(f"w{n}" for n in range(60)), "--d-model", "128", "--layers", "40"]  # would take minutes


def test_head_ends_without_a_traceback_and_nothing_more_is_computed():
    long = [sys.executable, "-m", "attntrace", *LONG]
    writer = subprocess.Popen(long, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=clean_environment())
    assert writer.stdout is not None and writer.stderr is not None
    assert writer.stdout.readline().startswith(b"Trace of ")
    writer.stdout.close()
    assert writer.wait(timeout=20) == 0
    assert writer.stderr.read() == b""
    writer.stderr.close()


EVERY_COMMAND = [
    "trace a", "trace a -q", "trace a --format jsonl", "trace a --format csv", "trace a --save new.npz", "map a",
    "steps a", "map a --format svg", "explain", "explain softmax --format html", "why head1.scores:1,1 a",
    "translate 카페", "translate 카페 --trace", "translate -q", "backprop a b", "compare a --what-if '--norm pre'",
    "show --from run.npz", "show encoder.input --from run.npz", "diff run.npz run.npz", "verify",
    "verify --from run.npz", "weights info ko-en", "weights new a -o w.npz", "weights export w.npz -o s.npz",
    "weights import s.npz --heads 2 -o v.npz", "weights", "train pairs.tsv -o m.npz --epochs 1 --d-model 4", "--help",
    "trace --help", "--version"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with the files that the commands read."""
    folder = tmp_path_factory.mktemp("files")
    write_inputs(folder)
    return folder


def read_by(lines: int, monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: bytes) -> tuple[int, str]:
    """The exit code and standard error of a command whose reader closes its output after so many lines; the last flush,
    which is Python's own, included."""
    read, write = os.pipe()
    reader = open(read, "rb", buffering=0)
    out, err = os.fdopen(write, "w", encoding="utf-8"), io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)

    def reads() -> None:
        for _ in range(lines):
            while reader.read(1) not in (b"\n", b""):
                pass
        reader.close()

    thread = threading.Thread(target=reads)
    if lines:
        thread.start()
    else:
        reads()
    with out:
        code = run(list(arguments))
    if lines:
        thread.join(timeout=20)
    return code, err.getvalue()


@pytest.mark.parametrize("command, lines", [
    *((command, 0) for command in EVERY_COMMAND),
    *((command, 1) for command in EVERY_COMMAND if re.match("trace a( --f|$)|trans|explain$|train|diff|-", command))])
def test_a_reader_that_goes_away_ends_every_command_silently(command, lines, files, monkeypatch):
    monkeypatch.chdir(files)
    code, errors = read_by(lines, monkeypatch, *shlex.split(command), stdin="카페\n어제\n".encode() * 5)
    assert code == 0
    assert errors == "" or command.startswith("train")  # which prints its progress there


def test_a_problem_after_lines_that_nobody_reads_is_silent(monkeypatch):
    assert read_by(0, monkeypatch, "translate", "-q", stdin="카페\n비행기\n".encode()) == (0, "")


@pytest.mark.parametrize("ending", [".npz", ".NPZ", ".safetensors"])
@pytest.mark.parametrize("command", [
    "explain softmax", "explain", "trace a", "map a", "steps a", "why head1.scores:1,1 a", "translate 카페", "verify",
    "backprop a b", "compare a --what-if '--norm pre'", "show --from run.npz", "diff run.npz run.npz",
    "weights info w.npz"])
def test_no_page_is_written_under_the_ending_of_a_file_of_numbers(command, ending, files, monkeypatch, tmp_path):
    monkeypatch.chdir(files)
    for asked in ((), ("--format", "text"), ("--format", "html")):
        assert "page" in refusal(*shlex.split(command), "-o", str(tmp_path / f"r{ending}"), *asked)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129),
                                          (signal.SIGKILL, -9)])
def test_an_interrupted_command_leaves_the_old_file_whole(tmp_path, number, code):
    """A killed command, whose page is half written, leaves its draft as well."""
    file = tmp_path / "out.txt"
    file.write_text("what was there")
    writer = subprocess.Popen([sys.executable, "-m", "attntrace", *LONG, "-o", str(file)], cwd=ROOT,
                              env=clean_environment())
    size, deadline = 100_000 if number == signal.SIGKILL else 1, time.time() + 20
    while time.time() < deadline and not [draft for draft in tmp_path.glob(".*.part") if draft.stat().st_size >= size]:
        time.sleep(0.02)
    writer.send_signal(number)
    assert writer.wait(timeout=20) == code
    assert file.read_text() == "what was there"
    assert number == signal.SIGKILL or [path.name for path in tmp_path.iterdir()] == ["out.txt"]


INTERRUPTED = """
import os, signal, sys
from attntrace.__main__ import main

calls, at = 0, 0

def count(frame, event, argument):
    global calls
    calls += 1
    if calls == at:
        sys.setprofile(None)
        signal.raise_signal(signal.SIGINT)

def child():
    sys.stdout = open(os.devnull, "w")
    sys.setprofile(count)
    try:
        main()
    finally:
        sys.setprofile(None)
        if not at:
            os.write(report, str(calls).encode())

reading, report = os.pipe()
sys.argv[1:], tries = sys.argv[2:], int(sys.argv[1])
for n in range(tries + 1):
    if n:
        at = 20 + (total - 20) * n // (tries + 1)
    pid = os.fork()
    if not pid:
        child()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if not n:
        total = int(os.read(reading, 20))
    print(code, flush=True)
    sys.stderr.write(f"at {at}\\n")
    sys.stderr.flush()
"""


@pytest.mark.parametrize("arguments, tries", [
    (["--help"], 7), (["trace", "a", "-q"], 3), pytest.param(["--help"], 24, marks=pytest.mark.thorough),
    pytest.param(["trace", "a", "-q"], 8, marks=pytest.mark.thorough)])
def test_ctrl_c_is_silent_wherever_a_command_is(arguments, tries):
    """It comes at a call of a function in the course of the command, from its first imports on."""
    assert process(*arguments).code == 0  # so that all modules are compiled
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, str(tries), *arguments], cwd=ROOT, capture_output=True,
                          env=clean_environment(), text=True, timeout=100)
    assert done.stderr.splitlines() == [line for line in done.stderr.splitlines() if line.startswith("at ")]
    assert done.stdout.split() == ["0", *["130"] * tries]


def test_nothing_is_imported_before_ctrl_c_is_handled():
    code = "import sys; before = set(sys.modules); import attntrace.__main__; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert set(done.stdout.split()) - {"atexit", "gc"} == {"attntrace", "attntrace.__main__", "attntrace.version"}


@pytest.mark.parametrize("where", ["bool(type('Held', (), {'__del__': lambda self: interrupt()})()) + time.sleep(20)",
                                   "interrupt()", "atexit.register(interrupt)"], ids=["destructor", "command", "exit"])
def test_ctrl_c_is_silent_also_where_python_would_print_it(where):
    code = ("import atexit, signal, time, attntrace.cli.app; interrupt = lambda: signal.raise_signal(signal.SIGINT)\n"
            f"attntrace.cli.app.run = lambda arguments: bool({where}) * 0\n"
            "from attntrace.__main__ import main; main()")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_a_command_ends_with_its_code_before_modules_are_taken_apart():
    code = ("import attntrace.cli.app\nclass Held:\n    def __del__(self): print('taken apart')\nheld = Held()\n"
            "attntrace.cli.app.run = lambda arguments: 3\nfrom attntrace.__main__ import main; main()")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"")


def test_a_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path):
    file, link = tmp_path / "real.txt", tmp_path / "link.txt"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    assert attntrace("trace", "a", "-o", str(link)).code == 0
    assert link.is_symlink() and "Fingerprint" in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_pipe_with_a_name_is_written_straight(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text("utf-8")))
    reader.start()
    assert attntrace("trace", "a", "-o", str(pipe)).code == 0
    reader.join(timeout=20)
    assert read == [attntrace("trace", "a").out] and stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("encoding", ["ascii", "cp949"])
@pytest.mark.parametrize("command, last", [("trace", "Fingerprint"), ("translate", "I went to the cafe yesterday")])
def test_an_output_that_lacks_signs_gets_ascii(command, last, encoding):
    done = process(command, BLOG[0], PYTHONIOENCODING=encoding)
    page = done.out.encode("utf-8", "surrogateescape").decode(encoding)
    assert (done.code, done.err) == (0, "") and f"\n  {last}" in page
    assert ("어제" in page) == (encoding == "cp949") and not set("█▓✓√ŝ") & set(page)


@pytest.mark.parametrize("options, variables, coloured", [
    ("", {}, False), ("", {"FORCE_COLOR": "1"}, True), ("", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ("--color always", {"NO_COLOR": "1"}, True), ("--color never", {"FORCE_COLOR": "1"}, False)])
def test_a_pipe_gets_colour_only_where_it_is_asked_for(options, variables, coloured):
    assert ("\x1b[" in attntrace("trace", "a", *options.split(), **variables).out) == coloured


def test_colour_changes_no_letter():
    """But for the signs that stand for shades, and the line that says so."""
    plain, coloured = (attntrace("trace", *BLOG, "--color", asked).out for asked in ("never", "always"))
    plain, legends = re.subn(r".*░▒▓█: .*\n", "", plain)
    assert legends == 1
    assert "\x1b" in coloured and re.sub(r"\x1b\[[0-9;]*m", "", coloured) == re.sub(r"[░▒▓█](?=\d)", " ", plain)


def test_what_the_caller_ignores_stays_ignored():
    """Under nohup a hang-up ends nothing."""
    done = shell("trap '' HUP; $A trace 'a b c' --layers 8 > /dev/null & sleep 0.5; kill -HUP $!; wait $!; echo $?")
    assert done.out == "0\n"


@pytest.mark.parametrize("script, expected", [
    ("$A trace a -o /dev/stdout | tail -1", "--ablate"), ("$A trace a -o /dev/fd/1 | tail -1", "--ablate"),
    ("echo before > {file}; $A trace a -o /dev/stdout >> {file}; head -1 {file}", "before"),
    ("(echo before; $A trace a -o /dev/stdout; echo after) > {file}; tail -1 {file}", "after")])
def test_a_descriptor_is_written_to_and_not_replaced(tmp_path, script, expected):
    done = shell(script.format(file=tmp_path / "file"))
    assert done.err == "" and expected in done.out


@pytest.mark.parametrize("script", [
    "$A trace a >&-", "$A trace a --format jsonl >&-", "$A trace <&-", "$A trace '' 2>&-", "$A trace '' 2>/dev/full",
    "$A --version > /dev/full", "$A trace a > /dev/full", "$A translate 카페 > /dev/full", "$A translate 카페 -q >&-"])
def test_a_closed_or_full_descriptor_ends_with_2_and_at_most_one_line(script):
    done = shell(script)
    assert (done.code, done.out) == (2, "") and done.err.count("\n") <= 1 and "Traceback" not in done.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp949", "utf-8"])
def test_json_lines_are_json_in_every_encoding(encoding):
    out = process("trace", "어제 é 👍 \u202e", "--format", "jsonl", PYTHONIOENCODING=encoding).out
    page = out.encode("utf-8", "surrogateescape").decode(encoding)
    records = [json.loads(line) for line in page.splitlines()]
    assert [word["text"] for word in records[0]["tokens"]["source"]] == ["어제", "é", "👍", "\u202e"]
    assert "\u202e" not in page and ("어제" in page) == (encoding == "utf-8")


@pytest.mark.parametrize("options", [(), ("--format", "jsonl"), ("--form", "matrix"), ("--only", "encoder.input")])
def test_numbers_that_grow_too_large_are_said_by_address(tmp_path, options):
    model = json.loads((ROOT / "samples" / "pencil.json").read_text("utf-8"))
    model["parameters"]["encoder.E"] = [[1e200] * 4] * 3
    (tmp_path / "large.json").write_text(json.dumps(model))
    code, _, errors = attntrace("trace", "cat", "--weights", str(tmp_path / "large.json"), *options,
                                "-o", str(tmp_path / "out"))
    assert code == 2 and errors.count("\n") == 1 and "head1.scores are too large for float64" in errors
    assert not (tmp_path / "out").exists()


def test_a_stage_is_written_before_the_next_layer_is_computed(monkeypatch):
    """A long trace can be read from its beginning while it goes on, and nothing of it piles up."""
    done = []

    class Out(io.StringIO):
        encoding = "utf-8"

        def write(self, text: str) -> int:
            done.extend(re.findall(r"^\d\.\d+(?=  \w)", text, re.M))
            return super().write(text)

    call = Trace.__call__

    def recorded(self, name, *more):
        done.append(f"{self.place}.{name}")
        return call(self, name, *more)

    monkeypatch.setattr(Trace, "__call__", recorded)
    monkeypatch.setattr(sys, "stdout", Out())
    assert run(["trace", "a b", "--layers", "3", "--form", "vector"]) == 0
    done = done[len(done) - done[::-1].index("encoder.embedding"):]  # the result above the first stage is a run as well
    assert done.index("1.2") < done.index("encoder.layer1.self_attention.head1.weights")
    assert done.index("1.7") < done.index("encoder.layer2.self_attention.head1.key")


@pytest.mark.parametrize("locale", [{"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
                                    {"LANG": "no_SUCH.locale"}])
def test_words_and_names_of_files_are_read_in_any_locale(tmp_path, locale):
    file = tmp_path / "어제.txt"
    done = process("trace", BLOG[0], "--form", "vector", **locale)
    assert (done.code, done.err) == (0, "") and "1.1" in done.out
    assert process("trace", BLOG[0], "-o", str(file), **locale).code == 0
    assert "갔었어" in file.read_text("utf-8")


def test_decomposed_letters_give_the_bytes_of_composed_ones():
    composed = unicodedata.normalize("NFC", "어제 카페 갔었어 é")
    decomposed = unicodedata.normalize("NFD", composed)
    assert decomposed != composed
    for arguments in (("trace",), ("map",), ("trace", "--format", "jsonl"), ("steps",)):
        one, other = (without_commands(attntrace(*arguments, words).out) for words in (decomposed, composed))
        assert one == other != ""
    asked = [attntrace("trace", composed, "--token", unicodedata.normalize(form, "어제")).out for form in ("NFC", "NFD")]
    assert without_commands(asked[0]) == without_commands(asked[1]) != ""
