"""A saved run is the run: shown byte for byte, read number by number, and safe whatever its file says."""
import hashlib
import io
import json
import random
import re
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from command import ROOT, attntrace, clean_environment, refusal
from pages import without_commands

from attntrace import trace
from attntrace.files.archive import Archive, opened
from attntrace.files.weights import located
from attntrace.runs.prepare import prepare
from attntrace.runs.saved import Recorded, save
from attntrace.runs.training_step import prepare_training_step

PAIR = "어제 카페 갔었어", "I went to the cafe"
SMALL = "--d-model", "2", "--heads", "1", "--d-ff", "2"
COMMANDS = [("trace", PAIR[0]), ("trace", "cat sleeps", "--weights", "samples/pencil.json"),
            ("trace", "a cat", "--target", "un", "--layers", "2", "--norm", "pre", "--final-norm", *SMALL),
            ("trace", "a cat", "--target", "", "--dtype", "float32", "--position", "halves", "--swap", "1,2",
             "--ablate", "encoder.layer1.self_attention.head1", "--set", "output.W:1,1=2"),
            ("backprop", "a", "un", "--label-smoothing", "0.1", *SMALL),
            ("backprop", "a b", "un", "--label-smoothing", "0.1", "--label-smoothing-over", "words", "--position-base",
             "7", "--shared-embeddings", "all", *SMALL),
            ("translate", PAIR[0])]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    file = tmp_path_factory.mktemp("saved") / "run.npz"
    assert attntrace("trace", *PAIR[:1], "--target", PAIR[1], "--save", str(file), "--only", "encoder.output").code == 0
    return file


@pytest.mark.parametrize("command", [
    pytest.param(command, marks=pytest.mark.thorough if command[:3] == ("backprop", "a", "un") else [])
    for command in COMMANDS], ids=" ".join)
def test_a_saved_run_is_shown_byte_for_byte(command, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    file = str(tmp_path / "run.npz")
    result = attntrace(*command, "--save", file)
    assert (result.code, result.err) == (0, "")
    assert without_commands(attntrace("show", "--from", file).out) == without_commands(result.out)
    if command == COMMANDS[0]:
        for options in (("--format", "jsonl"), ("--only", "*.norm", "--form", "matrix", "--precision", "5", "--ascii"),
                        ("--token", "1", "--only", "head1.scores", "--arithmetic", "all")):
            shown, live = (attntrace(*words, *options).out for words in (("show", "--from", file), command))
            assert without_commands(shown) == without_commands(live)


def test_a_tensor_is_shown_without_the_model(saved):
    """Which is what makes it quick: reading the model as well takes longer than all the rest."""
    program = (f"import sys, attntrace.cli.app as c; c.run(['show', '--from', {str(saved)!r}, 'encoder.output']); "
               "print(*sys.modules)")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT,
                          env=clean_environment(), timeout=100)
    modules = {name.removeprefix("attntrace.") for name in done.stdout.split()}
    assert {"files.archive", "pages.view"} < modules and "decimal" not in modules
    assert not {"tracing.trace", "ops.functions", "model.transformer", "model.parameters", "pages.checks",
                "pages.forms", "runs.run"} & modules


def test_the_same_run_is_the_same_file(tmp_path, saved):
    again = tmp_path / "again.npz"
    attntrace("trace", PAIR[0], "--target", PAIR[1], "--save", str(again), "--form", "vector")
    assert again.read_bytes() == saved.read_bytes()


def test_a_saved_run_is_an_ordinary_archive_of_arrays_with_their_digests(saved):
    with np.load(saved) as arrays, zipfile.ZipFile(saved) as archive:
        lines = bytes(arrays["run"]).decode().splitlines()
        records = [json.loads(line) for line in lines]
        for step in trace(*PAIR).steps:
            assert (arrays[step.address] == step.value).all()
        run = prepare(*PAIR)
        assert {record["parameter"] for record in records if "parameter" in record} == set(run.parameters.by_name)
        for record in records[1:-1]:
            name = record.get("address") or record["parameter"]
            assert record["sha256"] == hashlib.sha256(archive.read(f"{name}.npy")).hexdigest()
    printed = attntrace("trace", PAIR[0], "--target", PAIR[1], "--format", "jsonl").out.splitlines()
    for line, record in zip(printed[1:-1], records[1:-1], strict=True):
        printed_record = json.loads(line)
        printed_record.pop("value")
        assert {key: record[key] for key in printed_record} == printed_record


def test_the_history_of_a_training_step_is_read_back(tmp_path):
    training_step, steps = prepare_training_step("a cat", "un chat", optimizer="adam", smoothing=0.1), []
    training_step(steps.append)
    with open(tmp_path / "l.npz", "wb") as file:
        save(training_step, file)
    with open(tmp_path / "l.npz", "rb") as file:
        recorded = Recorded(Archive(tmp_path / "l.npz", file))
        assert recorded.addresses == [step.address for step in steps]
        for step in steps:
            again = recorded.step(step.address)
            assert again.node.expression() == step.node.expression() and again.node.op == step.node.op
            assert [operand.axes for operand in again.node.operands] == [operand.axes for operand in step.node.operands]
            assert (again.symbol, again.axes, again.formula()) == (step.symbol, step.axes, step.formula())


def test_one_tensor_a_row_and_a_number_are_shown_alone(saved):
    value = trace(*PAIR)["decoder.input"]

    def read(*arguments: str) -> list[float]:
        out = attntrace("show", "--from", str(saved), *arguments).out.partition("Try next")[0]
        return [float(number) for number in re.findall(r"-?\d+\.\d+", out)]

    whole = json.loads(attntrace("show", "--from", str(saved), "decoder.input", "--format", "jsonl").out)
    assert whole["value"] == value.tolist()
    assert read("decoder.input:went", "--precision", "17") == value[2].tolist()
    assert read("decoder.input:3,8", "--precision", "17") == [value[2, 7]]
    assert attntrace("show", "--from", str(saved), "decoder.input:3,8").out == f"{value[2, 7]:.3f}\n"
    record = json.loads(attntrace("show", "--from", str(saved), "decoder.input:went", "--format", "jsonl").out)
    assert record == {"address": "decoder.input:3", "axes": ["d_model"], "shape": [8], "value": value[2].tolist()}


def test_a_saved_translation_finds_its_tensors_only(tmp_path):
    file = str(tmp_path / "run.npz")
    attntrace("translate", PAIR[0], "--save", file, "--quiet")
    assert "step1.output.logits" in attntrace("show", "--from", file, "step1.output.logits", "--format", "jsonl").out
    assert "no step" in refusal("show", "--from", file, "teacher_forced.logits")


def test_a_row_of_weights_lies_below_the_words_it_looks_at(saved):
    value = trace(*PAIR)["decoder.layer1.cross_attention.head1.weights"]
    out = attntrace("show", "--from", str(saved), "cross_attention.head1.weights:went").out
    *_, words, row = [line.split() for line in out.partition("\n\n  Try next")[0].splitlines()]
    assert words == PAIR[0].split() and row == ["[", *(f"{number:.3f}" for number in value[2]), "]"]


def test_one_number_is_read_without_the_others(saved, tmp_path):
    """Whatever stands in another member, its bytes are not looked at."""
    data = bytearray(saved.read_bytes())
    with zipfile.ZipFile(saved) as archive:
        other = archive.getinfo("encoder.E.npy")
        wrong = archive.getinfo("encoder.output.npy")
    data[other.header_offset + 200] ^= 1
    data[wrong.header_offset + 200] ^= 1
    (tmp_path / "f.npz").write_bytes(data)
    assert attntrace("show", "--from", str(tmp_path / "f.npz"), "decoder.input:1,1").code == 0
    error = refusal("show", "--from", str(tmp_path / "f.npz"), "encoder.output:1,1")
    assert "encoder.output" in error and "SHA-256" in error


def test_a_bit_flipped_anywhere_is_found(tmp_path):
    file = tmp_path / "f.npz"
    attntrace("trace", "cat", "--d-model", "2", "--heads", "1", "--d-ff", "2", "--save", str(file))
    data, chance = file.read_bytes(), random.Random(0)
    structure = data.index(b"PK\x01\x02")  # from here on there are no numbers
    for n in range(200):
        place = chance.randrange(structure if n % 2 else 0, len(data))
        flipped = bytearray(data)
        flipped[place] ^= 1 << chance.randrange(8)
        file.write_bytes(flipped)
        result = attntrace("verify", "--from", str(file), "--quiet")
        assert result.code in (1, 2) and (result.out + result.err).count("\n") == 1, place


def repacked(source, target, change):
    """Pack the members of a saved run with NumPy after `change(members, records, records by name)`."""
    with np.load(source) as arrays:
        members = {name: arrays[name] for name in arrays.files}
    records = [json.loads(line) for line in bytes(members["run"]).splitlines()]
    change(members, records, {record.get("address") or record.get("parameter"): record for record in records[1:-1]})
    members["run"] = np.frombuffer("".join(json.dumps(record) + "\n" for record in records).encode(), np.uint8)
    np.savez(target, **members)
    return str(target)


def field(*path, value, name=None):
    """Another value of one field: of the header, or of the record of a step or a parameter."""
    def change(members, records, by_name):
        inner = records[0] if name is None else by_name[name]
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
    return change


def test_a_run_that_numpy_has_packed_is_the_same_run(saved, tmp_path):
    file = repacked(saved, tmp_path / "f.npz", lambda *unchanged: None)
    part = "--only", "decoder.*.norm"
    one, other = (attntrace("show", "--from", name, *part).out for name in (file, str(saved)))
    assert without_commands(one) == without_commands(other) != ""


HIDDEN = "decoder.layer1.feed_forward.hidden"


def one_bit(members, records, by_name):
    members[HIDDEN].view(np.uint64)[1, 3] ^= np.uint64(1)


def number_and_digest(members, records, by_name):
    members[HIDDEN][1, 3] *= 1 + 2e-12
    whole = io.BytesIO()
    np.lib.format.write_array(whole, members[HIDDEN])
    by_name[HIDDEN]["sha256"] = hashlib.sha256(whole.getvalue()).hexdigest()


def test_the_checker_reads_a_saved_run_and_names_the_step_that_was_changed(saved, tmp_path):
    good = attntrace("verify", "--from", str(saved), "--quiet")
    assert good.code == 0 and good == attntrace("verify", PAIR[0], "--target", PAIR[1], "--quiet")
    for change, words in ((one_bit, "SHA-256"), (number_and_digest, "recomputed")):
        result = attntrace("verify", "--from", repacked(saved, tmp_path / "f.npz", change), "--quiet")
        assert result.code == 1 and f"the first is {HIDDEN}" in result.out and words in result.out


def test_a_translation_is_not_compared_with_pytorch(tmp_path):
    file = str(tmp_path / "t.npz")
    assert attntrace("translate", PAIR[0], "--max-length", "1", "--save", file).code == 0
    assert attntrace("verify", "--from", file, "--quiet").code == 0
    assert "is a saved translation" in refusal("verify", "--from", file, "--against", "torch")


def test_a_number_by_hand_is_shown_with_its_decimals(tmp_path):
    """Also one of a few last decimals, which is exact, and no rest of rounding."""
    file = str(tmp_path / "f.npz")
    attntrace("trace", "a cat", "--pencil", "2", "--save", file, "--only", "encoder.output")
    with np.load(file) as arrays:
        value = arrays["encoder.E"]
        row, column = (int(n) for n in np.argwhere((abs(value) < 0.1) & (value != 0))[0])
    place = f"encoder.E:{row + 1},{column + 1}"
    number = f"{value[row, column]:.2f}"
    assert attntrace("show", "--from", file, place).out == f"{number}\n"
    assert f" is {number}:" in attntrace("why", "--from", file, place).out


def claims(name: str, claim: bytes) -> bytes:
    """An archive with a member that says it is larger than the file."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00v\x00" + claim.ljust(117) + b"\n" + b"\0" * 100)
    return whole.getvalue()


HUGE = b"{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000,), }"
PICKLED = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"


@pytest.mark.parametrize("make, words", [
    (lambda data: data[:len(data) // 2], "is broken"), (lambda data: b"", "is broken"),
    (lambda data: b"hello", "is broken"), (lambda data: claims("run", HUGE), "is broken"),
    (lambda data: claims("run", PICKLED), "pickled"), (lambda data: claims("else", HUGE), "not an attntrace")],
    ids=["truncated", "empty", "foreign", "huge", "pickled", "another_archive"])
def test_a_file_that_is_not_a_saved_run_is_refused_in_one_line(make, words, saved, tmp_path):
    file = tmp_path / "f.npz"
    file.write_bytes(make(saved.read_bytes()))
    for arguments in ((), ("encoder.output",)):
        assert words in refusal("show", "--from", str(file), *arguments)


def test_other_files_and_later_versions_are_distinguished(saved, tmp_path):
    newer = repacked(saved, tmp_path / "newer.npz", lambda _, records, __: records[0].update(saved=2, attntrace="9.9"))
    assert "newer attntrace (9.9)" in attntrace("show", "--from", newer).err
    assert "not an attntrace saved run" in attntrace("show", "--from", str(located("ko-en"))).err
    with np.load(saved) as arrays:
        np.savez_compressed(tmp_path / "c.npz", **{name: arrays[name] for name in arrays.files})
    assert "is compressed" in attntrace("show", "--from", str(tmp_path / "c.npz")).err
    assert "does not exist" in attntrace("show", "--from", str(tmp_path / "none.npz")).err
    assert "is a directory" in attntrace("show", "--from", str(tmp_path)).err


def test_memory_is_bounded_by_the_file(tmp_path):
    (tmp_path / "f.npz").write_bytes(claims("run", HUGE))
    before = tracemalloc.start() or tracemalloc.get_traced_memory()[0]
    result = attntrace("show", "--from", str(tmp_path / "f.npz"))
    most = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert result.code == 2 and most < 5_000_000


def test_a_run_that_fails_leaves_no_file(tmp_path):
    result = attntrace("trace", "a cat", "--score-scale", "2.3e-308", "--save", str(tmp_path / "f.npz"))
    assert result.code == 2 and "are too large" in result.err and list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_has_the_whole_run_saved(tmp_path, saved):
    file = tmp_path / "f.npz"
    command = f'"{sys.executable}" -m attntrace trace "{PAIR[0]}" --target "{PAIR[1]}" --save {file} | head -1'
    assert subprocess.run(command, shell=True, capture_output=True, timeout=100).stderr == b""
    assert file.read_bytes() == saved.read_bytes()


def test_a_page_that_would_go_into_the_saved_run_by_a_link_is_refused(tmp_path):
    (tmp_path / "page.txt").symlink_to("f.npz")
    result = attntrace("trace", "a cat", "--save", str(tmp_path / "f.npz"), "-o", str(tmp_path / "page.txt"))
    assert result.code == 2 and "a different file name" in result.err and not (tmp_path / "f.npz").exists()


@pytest.mark.parametrize("arguments, words", [
    (("--save", "f.txt"), "does not end in .npz"), (("--save", "f.npz", "-o", "./f.npz"), "the output is a page"),
    (("--save", "f.npz", "-o", "./f.npz", "--format", "text"), "the output is a page"),
    (("--save", "-"), "a different file name"), (("--save", "/dev/stdout", "-o", "-"), "a different file name"),
    (("--save", "none/f.npz"), "none"), (("--save", ".npz/"), "npz")])
def test_a_path_where_nothing_can_be_saved_is_refused_before_the_run(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words in refusal("trace", "a cat", *arguments) and list(tmp_path.iterdir()) == []


# Records that make no sense, and bugs of ours

STEP, PARAMETER = "encoder.layer1.feed_forward.norm", "encoder.E"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    file = tmp_path_factory.mktemp("small") / "run.npz"
    assert attntrace("trace", "a cat a", *SMALL, "--save", str(file)).code == 0
    return file


def swapped_notes(members, records, by_name):
    one, other = by_name["encoder.layer1.self_attention.head1.query"], by_name["encoder.layer1.self_attention.norm"]
    one["notes"], other["notes"] = other["notes"], one["notes"]


NONSENSE = {
    "a label that is none": field("axes", 0, 2, value=[None, 1, {}, 2]),
    "an axis beyond the file": field("axes", 0, value=["token", 10**12, None, None]),
    "an unknown axis": field("axes", 0, 0, value="\x1b[31m"),
    "a word that is none": field("tokens", "source", 0, "text", value=3),
    "a config of lists": field("config", value=[]),
    "a size that is none": field("config", "d_model", value=[]),
    "an infinite size": field("config", "d_ff", value=float("inf")),
    "axes that are none": field("axes", name=PARAMETER, value=99),
    "another place": field("place", name=STEP, value="\u202e\x1b[31m"),
    "an unknown op": field("expression", 0, name=STEP, value="\u202e\x1b[31m"),
    "an unknown constant": field("notes", 0, 1, name="encoder.layer1.feed_forward.normalized", value="\x1b[31m"),
    "a huge size": field("expression", name="encoder.embedding", value=["repeated", PARAMETER, 0, 10**12]),
    "axes that are a number": field("axes", value=3), "no axes": field("axes", value=[]),
    "no config": field("config", value=None), "no vocabularies": field("vocabularies", value={}),
    "an unknown kind": field("kind", value="x"),
    "a deep expression": field("expression", name=STEP, value=eval("[" * 80 + "]" * 80)),
    "cyclic parents": field("parents", name="encoder.embedding", value=["encoder.embedding"]),
    "too few notes": field("notes", name="encoder.embedding", value=[]),
    "notes of another step": swapped_notes,
    "a record too few": lambda _, records, by_name: records.remove(by_name[STEP]),
    "no stage": lambda _, records, by_name: by_name[STEP].pop("stage"),
    "a parent that is no tensor": field("parents", 0, name=STEP, value="x"),
    "a slice beyond a tensor": field("expression", name=STEP, value=["slice", PARAMETER, 0, 99]),
    "a change that is none": field("changes", value=[{"set": "encoder.E:1,1"}]),
    "a footer of nothing": lambda _, records, by_name: records[-1].clear(),
    "a letter that is none": field("sign", "letter", name=STEP, value=3),
    "a record too many": lambda _, records, by_name: records.insert(1, by_name[STEP]),
}


@pytest.mark.parametrize("change", NONSENSE.values(), ids=NONSENSE)
def test_records_that_make_no_sense_are_said_in_one_plain_line(change, small, tmp_path):
    file = repacked(small, tmp_path / "f.npz", change)
    codes = set()
    for command in (("show",), ("verify", "--quiet"), ("why", f"{STEP}:1,1"), ("show", f"{STEP}:1,1")):
        result = attntrace(*command, "--from", file)
        codes.add(result.code)
        assert result.code in (0, 1, 2) and result.err.count("\n") == (result.code == 2), command
        assert (result.out + result.err).replace("\n", "").isprintable(), command
    assert codes & {1, 2} or change is NONSENSE["cyclic parents"]  # which nobody follows


BUGS = [("show", "pages.forms.Form.__call__"), ("show", "writers.text.writer.TerminalWriter.__call__"),
        ("show", "ops.matmul.MatMul.compute"), ("show", "pages.forms.rows_of"),
        ("why encoder.output:1,1", "pages.why.ranked"), ("verify", "pages.verdicts.Report.__call__"),
        ("verify", "verify.recompute.Recomputation.take"), ("diff", "pages.diff.difference")]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyError, TypeError, AttributeError, AssertionError, ValueError])
@pytest.mark.parametrize("command, place", BUGS, ids=lambda text: text)
def test_a_bug_of_ours_is_a_traceback_and_not_a_broken_file(command, place, error, small, tmp_path, monkeypatch):
    def bug(*arguments, **more):
        raise error("a bug")

    monkeypatch.setattr(f"attntrace.{place}", bug)
    other = repacked(small, tmp_path / "f.npz", field("seed", value=1))
    with pytest.raises(error, match="a bug"):
        attntrace(*command.split(), *((str(small), other) if command == "diff" else ("--from", str(small))))


def test_a_saved_run_is_no_model_and_says_so(small):
    for command in (("trace", "a", "--weights"), ("trace", "--input"), ("weights", "info")):
        assert "is a saved run" in attntrace(*command, str(small)).err, command


def test_a_file_that_is_removed_while_it_is_read_is_read_to_its_end(small, tmp_path):
    file = tmp_path / "f.npz"
    file.write_bytes(small.read_bytes())
    with opened(str(file)) as archive:
        file.unlink()
        archive.check_seal()
        assert len([archive.value(record) for record in archive.records()]) == len(archive.names)


@pytest.mark.parametrize("option", [("--seed", "0"), ("--target", ""), ("--no-final-norm",), ("--label-smoothing", "0"),
                                    ("--lr", "1")], ids=" ".join)
def test_no_option_of_a_run_is_passed_over_beside_from_and_no_selection_beside_one_tensor(option, small):
    assert "cannot be used with --from" in refusal("why", "encoder.output:1,1", "--from", str(small), *option)
    assert "--layer" in refusal("show", "encoder.output", "--from", str(small), "--layer", "9")


@pytest.mark.filterwarnings("error")
def test_a_number_too_large_for_its_precision_gives_no_warning():
    result = attntrace("trace", "a", *SMALL, "--dtype", "float32", "--set", "encoder.E:1,1=1e39")
    assert "not a finite number" in result.err


def test_words_that_stand_twice_are_offered_once(small):
    assert "(did you mean a?)" in attntrace("show", "encoder.output:A", "--from", str(small)).err
