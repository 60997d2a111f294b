"""What the shells offer: bash and fish are asked themselves, where they are installed."""
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, attntrace, clean_environment, refusal

SELF = "encoder.layer1.self_attention"


def offered(words: str) -> list[str]:
    """What is offered where a line ends so, as bash would show it."""
    typed = words.split(" ")
    found = attntrace(_ATTNTRACE_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(typed) - 1))
    assert found.code == 0
    return [line.partition(",")[2] for line in found.out.splitlines() if line]


@pytest.mark.parametrize("words, wanted", [
    ("attntrace tr", ["trace", "translate", "train"]), ("attntrace weights i", ["import", "info"]),
    ("attntrace trace --for", ["--form", "--format"]),
    ("attntrace trace --format ", ["text", "markdown", "html", "latex", "csv", "jsonl", "svg"]),
    ("attntrace map --format s", ["svg"]), ("attntrace trace --lang ", ["ko", "en", "both"]),
    ("attntrace trace --weights ko", ["ko-en", "ko"]), ("attntrace translate --weights k", ["ko-en", "k"]),
    (f"attntrace trace cat --only {SELF}.head1.sc", [f"{SELF}.head1.scores", f"{SELF}.head1.scaled_scores"]),
    ("attntrace trace cat --only head2.q", ["head2.query"]),
    (f"attntrace trace cat --heads 4 --ablate {SELF}.head3", [f"{SELF}.head3"]),
    ("attntrace trace cat --target chat --only decoder.o", ["decoder.output"]), ("attntrace trace cat --set outp", []),
    ("attntrace trace cat --target chat --set outp", ["output.W"]), ("attntrace why loss.m", ["loss.mean"]),
    ("attntrace backprop cat chat --only gradient.output.", ["gradient.output.logits", "gradient.output.W"]),
    ("attntrace translate --only step2.output.l", ["step2.output.logits"]),
    ("attntrace backprop cat chat --ablate g", []), ("attntrace translate --ablate step", []),
    (f"attntrace translate --ablate {SELF}.head2", [f"{SELF}.head2"]),
    ("attntrace trace --weights samples/pencil.json --only encoder.o", ["encoder.output"]),
    ("attntrace explain scal", ["scaled_embedding", "scaled_scores"]),
    (f"attntrace trace cat --set {SELF}.W_", [f"{SELF}.W_{name}" for name in "QKVO"]),
    ("attntrace trace cat --heads 3 --only enc", [])])
def test_what_is_offered(words, wanted):
    assert offered(words) == wanted


@pytest.mark.parametrize("environment", [
    {}, {"COMP_WORDS": "attntrace tr"}, {"COMP_WORDS": "attntrace tr", "COMP_CWORD": "x"},
    {"COMP_WORDS": "'", "COMP_CWORD": "9"}])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_that_does_not_say_what_was_typed_is_offered_nothing(shell, environment):
    result = attntrace(_ATTNTRACE_COMPLETE=f"{shell}_complete", **environment)
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("asked", ["foo", "bash", "bash_", "foo_source", "source_bash"])
def test_what_no_shell_asks_is_said_in_one_line(asked):
    error = refusal("trace", "cat", _ATTNTRACE_COMPLETE=asked)
    assert f"is {asked};" in error and "zsh_source" in error


def test_an_empty_variable_asks_nothing():
    assert attntrace("trace", "cat", "-q", _ATTNTRACE_COMPLETE="") == attntrace("trace", "cat", "-q")


def test_descriptions_are_in_the_language_that_was_typed():
    words = {"COMP_WORDS": "attntrace --lang ko weights i", "COMP_CWORD": "i"}
    assert "가중치" in attntrace(_ATTNTRACE_COMPLETE="fish_complete", **words).out


def test_addresses_of_a_saved_run_are_offered(tmp_path):
    file = tmp_path / "run.npz"
    attntrace("trace", "cat", "--layers", "2", "--save", str(file), "-q")
    assert offered(f"attntrace show --from {file} encoder.layer2.feed_forward.a") == [
        "encoder.layer2.feed_forward.activation"]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A directory with the command in it."""
    command = tmp_path_factory.mktemp("bin") / "attntrace"
    command.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
                       "from attntrace.__main__ import main\nmain()\n")
    command.chmod(0o755)
    return command.parent


def asked(shell: str, place: Path, *script: str) -> list[str]:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    environment = clean_environment() | {"HOME": str(place), "XDG_CONFIG_HOME": str(place), "XDG_DATA_HOME": str(place)}
    environment["PATH"] = f"{place}:{environment['PATH']}"
    result = subprocess.run([shell, "-c", "\n".join(script)], capture_output=True, env=environment, timeout=60)
    assert result.returncode == 0 and not result.stderr, result.stderr.decode()
    return result.stdout.decode().split()


def test_bash_completes(place):
    assert asked("bash", place, 'eval "$(_ATTNTRACE_COMPLETE=bash_source attntrace)"',
                 "COMP_WORDS=(attntrace trace cat --only head1.sc); COMP_CWORD=4; _attntrace_completion attntrace",
                 'echo "${COMPREPLY[@]}"') == ["head1.scores", "head1.scaled_scores"]


def test_fish_completes(place):
    assert asked("fish", place, "_ATTNTRACE_COMPLETE=fish_source attntrace | source",
                 'complete -C "attntrace trace cat --only head1.sc"') == ["head1.scaled_scores", "head1.scores"]


def test_zsh_reads_the_script(place):
    """Whether it completes can only be seen at a prompt."""
    asked("zsh", place, "autoload -Uz compinit; compinit -u -D",
          'eval "$(_ATTNTRACE_COMPLETE=zsh_source attntrace)"; whence _attntrace_completion >/dev/null')
