"""What comes from outside is only data: names are text, files that are read stay, sizes have limits."""
import itertools
import os
import resource
import shlex
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import pytest
from command import Screen, attntrace, refusal, shell
from hostile import commands

import attntrace as package
from attntrace.cli.values import InputFile, Limit, Number, Scale, Whole
from attntrace.tracing.trace import Trace

SMALL = "--d-model", "2", "--heads", "1", "--d-ff", "2"

MARKUP = "[link=https://example.org]a[/link] [red]b :smile: [/nothing]"


@pytest.mark.parametrize("shows", ["a step", "an epoch", "a sentence"])
def test_no_text_is_markup_on_a_progress_bar(shows, monkeypatch):
    from attntrace.cli import progress
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "300")
    if shows == "a step":
        with progress.progress(Screen(), lambda: 2, silent=True) as count:
            count(SimpleNamespace(address=MARKUP))
    else:
        with progress.bar(True, lambda: 1) as show:
            training = progress.TrainingProgress(show, batches=1, epochs=1, updates=0, held_out=0)
            training.show(SimpleNamespace(loss=1.0, tokens=1, epoch=MARKUP if shows == "an epoch" else ""), 1, None)
            progress.say(MARKUP if shows == "a sentence" else "")
    assert MARKUP in sys.stderr.getvalue() and "\x1b]8" not in sys.stderr.getvalue()


# Files that are read stay

@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of every kind that a command reads."""
    place = tmp_path_factory.mktemp("files")
    run, weights, state, rows = (str(place / f"{name}.npz") for name in ("run", "w", "state", "rows"))
    for command in (("trace", "a", *SMALL, "--save", run), ("weights", "new", "a", *SMALL, "-o", weights),
                    ("weights", "export", weights, "-o", state)):
        assert attntrace(*command).code == 0
    np.savez(rows, **{"encoder.input": np.ones((1, 2))})
    (place / "pairs.npz").write_text("a\tb\n")
    return place


@pytest.fixture
def here(files, tmp_path, monkeypatch):
    """The current directory with a copy of each of these files, and a symbolic and a hard link to it."""
    monkeypatch.chdir(tmp_path)
    for file in files.iterdir():
        shutil.copy(file, tmp_path)
        for name in (file.name, f"{file.stem}.txt"):
            os.symlink(file.name, f"link-{name}")
            os.link(file.name, f"hard-{name}")
    return tmp_path


PAGES_OF = ["show --from run.npz -o {}run", "why encoder.output:1,1 --from run.npz -o {}run",
            "verify --from run.npz -o {}run", "diff run.npz run.npz -o {}run",
            "trace a --weights w.npz --save new.npz -o {}w", "weights info w.npz -o {}w",
            "compare a --what-if '--weights w.npz' -o {}w",
            "compare --input rows.npz --d-model 2 --heads 1 --what-if '--seed 1' -o {}rows",
            "compare a --d-model 2 --heads 1 --what-if '--input rows.npz' -o {}rows"]
NUMBERS_OF = ["trace a --weights w.npz --save {}w.npz",
              "trace --input rows.npz --d-model 2 --heads 1 --save {}rows.npz",
              "weights export w.npz -o {}w.npz", "weights import state.npz --heads 1 -o {}state.npz",
              "train pairs.npz -o {}pairs.npz"]


@pytest.mark.parametrize("command, link", [
    *((f"{command}.txt", link) for command in PAGES_OF for link in ("link-", "hard-")),
    *((command, link) for command in NUMBERS_OF for link in ("", "./", "link-", "hard-"))])
def test_output_never_replaces_a_file_that_is_read(command, link, here):
    before = {file.name: (file.read_bytes(), file.is_symlink()) for file in here.iterdir()}
    assert "would be overwritten" in refusal(*shlex.split(command.format(link)))
    assert {file.name: (file.read_bytes(), file.is_symlink()) for file in here.iterdir()} == before


def test_output_never_replaces_the_models_that_come_with_it(tmp_path):
    shipped = Path(package.__file__).parent / "models" / "ko-en.npz"  # of the package that runs, installed or not
    link = tmp_path / "page.txt"
    link.symlink_to(shipped)
    before = shipped.stat()
    assert "would be overwritten" in attntrace("translate", "어제", "-o", str(link)).err
    assert shipped.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("output", ["-o text.txt", "-o /dev/stdout >> text.txt"])
def test_output_never_replaces_standard_input(output, tmp_path):
    (tmp_path / "text.txt").write_text("a b\n")
    result = shell(f"$A trace - {output} < text.txt", tmp_path)
    assert result.code == 2 and "would be overwritten" in result.err
    assert (tmp_path / "text.txt").read_text() == "a b\n"


def test_every_parameter_that_is_a_file_is_protected_or_written():
    paths = [(command.name, param) for command in commands().values() for param in command.params
             if isinstance(param.type, click.Path)]
    assert len(paths) > 30
    for name, param in paths:
        assert isinstance(param.type, InputFile) or param.opts[-1] in ("-o", "output", "--save"), (name, param.name)


# Numbers of any length

OPTIONS = sorted({(command.name, param.opts[0]) for command in commands().values() for param in command.params
                  if isinstance(param.type, (Whole, Limit, Number, Scale)) and param.opts[0].startswith("-")})
TYPED = {"trace": ["a b"], "map": ["a b"], "steps": ["a b"], "why": ["encoder.output:1,1", "a b"],
         "translate": ["어제", "--max-length", "2"], "backprop": ["a", "b", *SMALL, "--arithmetic", "none"],
         "compare": ["a b", "--what-if", "--seed 1"],
         "train": ["pairs.npz", "--layers", "1", "-q", "-o", "new.npz"], "show": ["--from", "run.npz"],
         "diff": ["run.npz", "run.npz"], "import": ["state.npz", "-o", "new.npz"], "new": ["a", "-o", "new.npz"]}


def in_turn() -> Iterator[Any]:
    """Each option with a number of each length: one after the other in the commands that have it, all of them where
    that is one command; the others are thorough."""
    for option in sorted({option for _, option in OPTIONS}):
        names = [name for name, has in OPTIONS if has == option and name != "quiz"]  # which asks for answers
        for n, digits in itertools.product(range(len(names)), (50, 400, 5000)):
            is_its_turn = len(names) < 3 or (50, 400, 5000)[n % 3] == digits
            yield pytest.param(names[n], option, digits, marks=[] if is_its_turn else pytest.mark.thorough)


@pytest.mark.parametrize("name, option, digits", list(in_turn()))
def test_a_number_of_any_length_is_used_or_refused_in_one_line(name, option, digits, here):
    command = ["weights", name] if name in ("import", "new") else [name]
    result = attntrace(*command, *TYPED.get(name, []), option, "9" * digits)
    assert result.code in (0, 2)
    noted = result.code == 2 or name == "emit"  # which names the files that its script reads
    assert result.err.count("\n") == noted and not (result.out and result.code)


@pytest.mark.parametrize("digits", [11, 400, 5000])
@pytest.mark.parametrize("arguments", [
    "trace 'a b' --swap 1,{}", "trace 'a b' --set encoder.E:1,{}=1",
    "trace 'a b' --ablate encoder.layer1.self_attention.head{}", "show encoder.output:{} --from run.npz",
    "why encoder.output:{} 'a b'", "trace 'a b' --token {}", "trace 'a b' --only encoder.layer{}.output",
    "trace 'a b' --layer {}",
    "trace a -o /dev/fd/{}"])
def test_a_number_of_any_length_inside_a_value_is_refused_in_one_line(arguments, digits, here):
    refusal(*shlex.split(arguments.format("9" * digits)))


@pytest.mark.parametrize("size", ["", "0", "-5", "abc", "²", "٨٠", "1e3", " 80", "000000000080", "9" * 20, "9" * 5000])
@pytest.mark.parametrize("variable", ["COLUMNS", "LINES"])
@pytest.mark.parametrize("command", [("trace", "a", "--color", "always"), ("--help",), ("trace", "a", "--nonsense")])
def test_a_size_of_the_terminal_of_any_content_does_no_harm(command, variable, size):
    result = attntrace(*command, lines=1, **{variable: size})
    assert result.code == (2 if "--nonsense" in command else 0) and result.err.count("\n") == (result.code == 2)


@pytest.mark.parametrize("size", ["²", "9" * 5000])
def test_a_progress_bar_is_drawn_whatever_the_size_of_the_terminal_is(size, tmp_path, monkeypatch):
    from attntrace.cli import progress
    from attntrace.cli.app import run
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(sys, "stderr", Screen())
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", size), ("LINES", size)):
        monkeypatch.setenv(name, value)
    assert run(["trace", "a", "-o", str(tmp_path / "page.txt")]) == 0
    assert "attntrace" in sys.stderr.getvalue()


# Files that are not files, or larger than they are

READERS = ["trace a --weights {}", "trace --input {}", "show --from {}", "verify --from {}", "diff {} run.npz",
           "diff run.npz {}", "weights info {}", "weights import {} -o new.npz", "weights export {} -o new.npz",
           "translate a -q --weights {}", "train {} -o new.npz", "compare a --what-if '--weights {}'"]


@pytest.fixture
def little_memory():
    """At most a gigabyte more than this process has, so that a file without end cannot take all there is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(open("/proc/self/statm").read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("target", ["/dev/zero", "/dev/full", "fifo", "."])
@pytest.mark.parametrize("command", READERS)
def test_only_a_regular_file_is_read(command, target, here, little_memory):
    os.mkfifo("fifo")
    for ending in (".npz", ".json", ".safetensors"):
        os.symlink(target, f"endless{ending}")
        error = refusal(*shlex.split(command.format(f"endless{ending}")))
        assert "not a regular file" in error or "must end" in error or "directory" in error, error


def test_a_checkpoint_that_is_a_pipe_is_not_waited_for(here):
    os.mkfifo("new.checkpoint.npz")
    result = shell("$A train pairs.npz -o new.npz --resume", here)
    assert result.code == 2 and "not a regular file" in result.err


def test_pairs_may_come_through_a_pipe_that_has_no_name(here):
    result = shell("$A train --epochs 1 -q -o new.npz <(sleep 1; cat pairs.npz)", here)
    assert (result.code, result.err) == (0, "") and os.path.exists("new.npz")


def test_a_pipe_of_pairs_without_end_is_refused(here):
    result = shell("$A train -o new.npz <(yes $'a\\tb')", here, megabytes=1500)
    assert result.code == 2 and result.err.count("\n") == 1 and "of memory" in result.err


@pytest.mark.parametrize("command", ["trace a --weights {}", "weights info {}", "weights import {} -o new.npz"])
@pytest.mark.parametrize("ending", ["json", "safetensors"])
def test_a_file_larger_than_the_memory_is_refused(command, ending, here):
    with open(f"large.{ending}", "wb") as file:
        file.truncate(1 << 40)  # without a byte on the disk
    result = shell(f"$A {command}".format(f"large.{ending}"), here, megabytes=1500)
    assert result.code == 2 and result.err.count("\n") == 1
    assert "of memory" in result.err or "must end in" in result.err or ending == "json", result.err


@pytest.fixture(scope="module")
def bomb(tmp_path_factory):
    """A small archive with a member of 537 MB."""
    file = tmp_path_factory.mktemp("bomb") / "bomb.npz"
    header = {"descr": "<f8", "fortran_order": False, "shape": (1 << 24, 4)}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("encoder.input.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(member, header)
            for _ in range(32):
                member.write(bytes(1 << 24))
    assert file.stat().st_size < 5e6
    return str(file)


@pytest.mark.parametrize("command", ["trace a --weights {}", "trace --input {}", "weights info {}", "show --from {}",
                                     "weights import {} -o new.npz", "weights export {} -o new.npz"])
def test_an_archive_that_unpacks_to_more_than_the_memory_is_refused(command, bomb, here):
    result = shell(f"$A {command}".format(bomb), here, megabytes=500)
    assert result.code == 2 and result.err.count("\n") == 1
    assert "537 MB of memory" in result.err or "--from" in command, result.err


# Memory

@pytest.mark.parametrize("limit", ["v", "d"])
def test_a_limit_of_memory_counts_as_the_memory_there_is(limit):
    result = shell(f"ulimit -{limit} 2000000; $A trace a --d-model 8192")
    assert result.code == 2 and result.err.count("\n") == 1 and "2.05 GB" in result.err


@pytest.mark.parametrize("membership, file, expected", [
    ("0::/a/b", "a/b/memory.max", [5000]), ("0::/a/b", "a/memory.max", [5000]), ("0::/", "memory.max", [5000]),
    ("3:cpu:/x\n4:memory:/a", "memory/a/memory.limit_in_bytes", [5000]), ("4:memory:/a", "memory.max", []),
    ("3:cpu:/a", "a/memory.max", [])])
def test_the_limits_of_control_groups_are_found(membership, file, expected, tmp_path):
    from attntrace.model.memory import _of_groups
    (tmp_path / "cgroup").write_text(membership + "\n")
    place = tmp_path / "sys" / file
    place.parent.mkdir(parents=True)
    place.write_text("5000\n")
    assert list(_of_groups(tmp_path / "cgroup", tmp_path / "sys")) == expected
    place.write_text("max\n")
    assert not list(_of_groups(tmp_path / "cgroup", tmp_path / "sys"))


@pytest.fixture
def failing(request, monkeypatch):
    """A trace that raises an error."""
    def fails(*_):
        raise request.param

    monkeypatch.setattr(Trace, "__call__", fails)


@pytest.mark.parametrize("language, word", [("en", "memory"), ("ko", "메모리")])
@pytest.mark.parametrize("failing", [MemoryError(), ImportError("x.so: failed to map segment from shared object")],
                         indirect=True)
def test_a_lack_of_memory_is_one_line_and_leaves_no_file(failing, language, word, tmp_path):
    assert word in refusal("trace", "a", "-o", str(tmp_path / "page.txt"), ATTNTRACE_LANG=language)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failing", [ImportError("no such name")], indirect=True)
def test_another_failed_import_stays_a_traceback(failing):
    with pytest.raises(ImportError):
        attntrace("trace", "a")
