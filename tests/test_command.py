"""The command as people and pipes use it."""
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from command import BLOG, ROOT, attntrace, process, refusal

import attntrace as package
from attntrace.cli.app import COMMANDS
from attntrace.cli.app import attntrace as group
from attntrace.cli.commands.train import TrainingOptions
from attntrace.cli.formats import PageOptions
from attntrace.cli.options import LearningOptions, ModelOptions, Selection

FINGERPRINT = re.compile(r"Fingerprint ([0-9a-f]{8})")


def fingerprint(page: str) -> str:
    found = FINGERPRINT.search(page)
    assert found
    return found[1]


def test_a_trace_prints_both_forms_of_encoder_and_decoder():
    code, page, errors = attntrace("trace", *BLOG)
    assert (code, errors) == (0, "")
    marks = ("next word", "Part 1", "Part 2", "Details", "Parameters", "Fingerprint", "Try next")
    parts = [page.index(mark) for mark in marks]
    assert parts == sorted(parts)
    for part in page.split("Part ")[1:]:
        for place in ("encoder.layer1.self_attention.head2", "encoder.layer1.feed_forward",
                      "decoder.layer1.cross_attention.head1", "decoder.layer1.feed_forward"):
            assert place in part
    assert "✗" not in page


def test_without_a_target_the_encoder_alone_is_traced_and_an_empty_one_is_the_first_step_of_a_translation():
    page = attntrace("trace", "this is a cat").out
    assert "Output: encoder.output, 4 × 8: one vector of 8 numbers" in page and "decoder.layer1" not in page
    page = attntrace("trace", "this is a cat", "--target", "", "--only", "output.probabilities").out
    assert "output.probabilities, 1 × 2" in page and "<s>" in page


@pytest.mark.parametrize("arguments", [("--form", "vector"), ("--only", "head1.*"), ("--arithmetic", "none"),
                                       ("--precision", "9", "--limit", "5", "--width", "60", "--ascii")])
def test_showing_less_or_otherwise_never_changes_the_fingerprint(arguments):
    assert fingerprint(attntrace("trace", *BLOG, *arguments).out) == fingerprint(attntrace("trace", *BLOG).out)


def test_the_same_command_has_the_same_text_whatever_the_hash_seed_and_the_threads():
    pages = {process("trace", "a b", "--target", "c", PYTHONHASHSEED=seed, OPENBLAS_NUM_THREADS=threads,
                     OMP_NUM_THREADS=threads).out for seed, threads in (("0", "1"), ("1", "2"))}
    assert len(pages) == 1 and fingerprint(pages.pop())


@pytest.mark.skipif(not Path("/proc/self/task").is_dir() or os.cpu_count() == 1, reason="threads cannot be counted")
@pytest.mark.parametrize("settings, threads", [
    ({}, 1), ({"OMP_NUM_THREADS": "2"}, 2), ({"OPENBLAS_NUM_THREADS": "2"}, 2)])
def test_a_command_has_one_thread_unless_the_user_wants_more(settings, threads):
    code = "import os; from attntrace.cli.app import run; run(['trace', 'a', '-q']); " \
           "print(len(os.listdir('/proc/self/task')))"
    env = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    out = subprocess.run([sys.executable, "-c", code], env=env | settings, capture_output=True, text=True,
                         timeout=60).stdout
    assert int(out.split()[-1]) == threads


def test_float32_is_printed_as_not_comparable():
    assert "not comparable" in attntrace("trace", "a b", "--dtype", "float32").out


def test_only_takes_an_address_a_unique_end_and_a_pattern():
    for only, stages in (("encoder.input", 1), ("head2.weights", 1), ("*.norm", 2), ("encoder.layer1.*.scores", 2)):
        page = attntrace("trace", "a b", "--only", only, "--form", "vector").out
        assert len(re.findall(r"^1\.\d+  ", page, re.M)) == stages, only


def test_arithmetic_of_all_cells_of_one_step():
    page = attntrace("trace", "a b", "--only", "head1.scores", "--arithmetic", "all", "--form", "vector").out
    assert len(re.findall(r"^ +s[₁₂]\[[12]\] = q", page, re.M)) == 4
    none = attntrace("trace", "a b", "--only", "head1.scores", "--arithmetic", "none", "--form", "vector").out
    assert "s₁[1]" not in none


def test_steps_lists_every_step_once_with_the_total():
    page = attntrace("steps").out
    stacks = ("  encoder", "  decoder", "  output")
    addresses = [line.split()[0] for line in page.split("\n") if line.startswith(stacks)]
    run = package.trace(BLOG[0], BLOG[2])
    assert addresses == list(run)
    assert f"{len(run)} steps, {sum(array.size for array in run.values()):,} numbers" in page


def test_one_sentence_is_read_from_standard_input():
    wanted = attntrace("trace", "this is a cat").out
    assert process("trace", stdin=b"this is a cat\n").out == wanted
    assert attntrace("trace", "-", stdin="\ufeffthis is a cat\r\n".encode()).out == wanted


BAD = [
    (("trace", ""), "no words"), (("trace", "  \t"), "no words"), (("trace", "a", "b"), "quotes"),
    (("translate", "어제", "카페"), '"어제 카페"'),
    (("trace", "a", "--heads", "3"), "--heads 3 does not divide --d-model 8; try 1, 2, 4 or 8"),
    (("trace", "a", "--position", "learned", "--max-positions", "2", "--position-offset", "2"),
     "no learned position is left"),
    (("trace", "a", "--d-model", "-8"), "-8"), (("trace", "a", "--layers", "0"), "0"),
    (("trace", "a", "--d-model", "99999998"), "of memory"), (("trace", "a", "--layers", "9" * 15), "of memory"),
    (("trace", "a", "--weights", "missing.npz"), "does not exist"),
    (("trace", "a", "--weights", "samples"), "directory"),
    (("trace", "a", "--weights", "README.md"), "does not end in .npz"),
    (("trace", "dog", "--weights", "samples/pencil.json"),
     "does not contain dog; its words: attntrace weights info samples/pencil.json --words"),
    (("trace", "cat", "--weights", "samples/pencil.json", "--heads", "2"), "--heads cannot be used"),
    (("trace", "cat", "--weights", "samples/pencil.json", "--init", "integers"), "--init cannot be used"),
    (("trace", "a", "--only", "head1.score"), "encoder.layer1.self_attention.head1.scores"),
    (("trace", "a", "--only", "head1.*", "--only", "decoder.*"), "decoder.* exists only in a run with a target"),
    (("trace", "a", "-o", "missing/out.txt"), "there is no directory "),
    (("trace", "a", "-o", "samples"), "is a directory"), (("trace", "a", "-o", "/dev/full"), "No space left"),
    (("trace", "a", "--limit", "none"), "--limit is none"), (("trace", "a", "--score-scale", "0"), "above 0"),
    (("trace", "a", "--score-scale", "x"), "sqrt_d_k"),
    (("trace", "a", "--norm", "middle"), "it must be post, pre or none"),
    (("trace", "a", "--precision", "18"), "18"), (("trace", "a", "--seed", "-1"), "-1"), (("trace", "--no"), "--no"),
    (("tarce", "a"), "tarce"), (("steps", "--form", "both"), "--form")]


@pytest.mark.parametrize("arguments, part", BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_ends_with_one_plain_line_and_2(arguments, part):
    error = refusal(*arguments)
    assert error.startswith("attntrace: ") and part in error


@pytest.mark.parametrize("given, part", [(b"", "no words"), (b"a b\nc d\n", "2 lines"), (b"\xbe\xee\xc1\xa6", "UTF-8")])
def test_standard_input_that_is_no_sentence_is_refused(given, part):
    assert part in refusal("trace", stdin=given)


@pytest.mark.parametrize("arguments, needless", [(["trace", "--help"], ["numpy", "tomllib"]),
                                                 (["trace", "a"], ["rich.console", "tomllib"])], ids=str)
def test_a_command_imports_nothing_that_it_can_do_without(arguments, needless):
    code = f"import sys, attntrace.cli.app as c; c.run({arguments}); sys.exit(any(map(sys.modules.get, {needless})))"
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, cwd=ROOT, timeout=100, check=True)


def test_the_version_is_that_of_the_package():
    assert process("--version").out == f"attntrace {package.__version__}\n"
    assert attntrace("--version").out == f"attntrace {package.__version__}\n"


def test_every_module_of_commands_is_a_command():
    files = (ROOT / "attntrace" / "cli" / "commands").glob("*.py")
    assert {file.stem for file in files} - {"__init__"} == {*COMMANDS}


@pytest.mark.parametrize("kind", [ModelOptions, LearningOptions, Selection, PageOptions, TrainingOptions])
def test_every_field_of_an_options_value_is_an_option_of_some_command(kind):
    options = {param.name for name in COMMANDS for param in group.get_command(None, name).params}
    assert set(kind._fields) - {"title", "entries", "row"} <= options


@pytest.mark.parametrize("language, headings", [
    ("en", ["Model", "What if", "What to show", "Page", "General"]),
    ("ko", ["모델", "가정", "보여 줄 내용", "페이지", "공통"])])
def test_help_lists_options_under_the_heading_of_what_they_are_about(language, headings):
    page = attntrace("trace", "--help", "--lang", language).out
    sections = dict(re.findall(r"^(\S[^\n]*):\n((?:  .*\n)+)", page, re.M))
    assert list(sections)[-5:] == headings
    for heading, options in zip(headings, (
            "--target --weights --pencil", "--set --ablate --swap", "--only --form --token", "-o --pause --pager",
            "--lang -h"), strict=True):
        assert set(options.split()) <= set(re.findall(r"^  (-\S+?),? ", sections[heading], re.M)), heading


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_once_in_its_help(name):
    listed = re.findall(r"^  (?:-\w, )?(-\S+)", attntrace(name, "--help").out, re.M)
    params = group.get_command(None, name).params
    options = {max(param.opts, key=len) for param in params if isinstance(param, click.Option)}
    assert sorted(listed) == sorted(options | {"--help"})


@pytest.mark.parametrize("only, parts", [
    ("head1.weights", ()), ("encoder.embedding", ("Input",)), (None, ("Input", "Model", "Parameters"))])
def test_below_selected_steps_stands_only_what_concerns_them(only, parts):
    selection = ("--only", only) if only else ()
    page = attntrace("trace", "a b", *selection, "--form", "vector", "--no-explain").out
    headings = {part for part in ("Input", "Model", "Parameters") if f"\n  {part}\n" in page}
    assert headings == set(parts) and fingerprint(page) == fingerprint(attntrace("trace", "a b").out)
