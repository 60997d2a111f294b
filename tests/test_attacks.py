"""Saved runs under attack: whatever a file says, and wherever output goes, there is one line, and nothing is lost."""
from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from command import attntrace

SMALL = "--d-model", "2", "--heads", "1", "--d-ff", "2"
STEP, PARAMETER = "encoder.layer1.feed_forward.norm", "encoder.E"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    file = tmp_path_factory.mktemp("attacked") / "run.npz"
    assert attntrace("trace", "a cat a", *SMALL, "--save", str(file)).code == 0
    return file


def rewritten(source, target, change):
    """The same members, packed by NumPy, with other records: a change of their list, by the member of each."""
    with np.load(source) as arrays:
        members = {name: arrays[name] for name in arrays.files}
    records = [json.loads(line) for line in bytes(members["run"]).splitlines()]
    change(records, {record.get("address") or record.get("parameter"): record for record in records[1:-1]})
    members["run"] = np.frombuffer("".join(json.dumps(record) + "\n" for record in records).encode(), np.uint8)
    np.savez(target, **members)
    return str(target)


def field(*path, value, name=None):
    """Another value of one field: of the header, or of the record of a step or a parameter."""
    def change(records, by_name):
        place = records[0] if name is None else by_name[name]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
    return change


def swapped_notes(records, by_name):
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
    "a deep expression": field("expression", name=STEP, value=eval("[" * 80 + "]" * 80)),
    "cyclic parents": field("parents", name="encoder.embedding", value=["encoder.embedding"]),
    "too few notes": field("notes", name="encoder.embedding", value=[]),
    "notes of another step": swapped_notes,
    "a record too few": lambda records, by_name: records.remove(by_name[STEP]),
    "no stage": lambda records, by_name: by_name[STEP].pop("stage"),
    "a parent that is no tensor": field("parents", 0, name=STEP, value="x"),
    "a slice beyond a tensor": field("expression", name=STEP, value=["slice", PARAMETER, 0, 99]),
    "a change that is none": field("changes", value=[{"set": "encoder.E:1,1"}]),
    "a footer of nothing": lambda records, by_name: records[-1].clear(),
    "a letter that is none": field("sign", "letter", name=STEP, value=3),
    "a record too many": lambda records, by_name: records.insert(1, by_name[STEP]),
}


@pytest.mark.parametrize("change", NONSENSE.values(), ids=NONSENSE)
def test_records_that_make_no_sense_are_said_in_one_plain_line(change, saved, tmp_path):
    file = rewritten(saved, tmp_path / "f.npz", change)
    codes = set()
    for command in (("show",), ("verify", "--quiet"), ("why", f"{STEP}:1,1"), ("show", f"{STEP}:1,1")):
        said = attntrace(*command, "--from", file)
        codes.add(said.code)
        assert said.code in (0, 1, 2) and said.err.count("\n") == (said.code == 2), command
        assert (said.out + said.err).replace("\n", "").isprintable(), command
    assert codes & {1, 2} or change is NONSENSE["cyclic parents"]  # which nobody follows


BUGS = [("show", "pages.forms.Form.__call__"), ("show", "writers.text.writer.TerminalWriter.__call__"),
        ("show", "ops.matmul.MatMul.compute"), ("show", "pages.forms.rows_of"),
        ("why encoder.output:1,1", "pages.why.ranked"), ("verify", "pages.verdicts.Report.__call__"),
        ("verify", "verify.recompute.Recomputation.take"), ("diff", "pages.diff.difference")]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyError, TypeError, AttributeError, AssertionError, ValueError])
@pytest.mark.parametrize("command, place", BUGS, ids=lambda text: text)
def test_a_bug_of_ours_is_a_traceback_and_not_a_broken_file(command, place, error, saved, tmp_path, monkeypatch):
    def bug(*arguments, **more):
        raise error("a bug")

    monkeypatch.setattr(f"attntrace.{place}", bug)
    other = rewritten(saved, tmp_path / "f.npz", field("seed", value=1))
    with pytest.raises(error, match="a bug"):
        attntrace(*command.split(), *((str(saved), other) if command == "diff" else ("--from", str(saved))))


def test_a_run_whose_numbers_are_none_is_like_itself(tmp_path):
    from attntrace.pages.diff import difference
    numbers = np.array([np.nan, -np.inf, np.inf, 0.0])
    assert difference("x", numbers, numbers.copy()) is None


def test_a_saved_run_is_no_model_and_says_so(saved):
    for command in (("trace", "a", "--weights"), ("trace", "--input"), ("weights", "info")):
        assert "is a saved run" in attntrace(*command, str(saved)).err, command


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_file_without_end_and_a_full_disk_are_told_from_a_broken_run(saved, tmp_path):
    (tmp_path / "zero.npz").symlink_to("/dev/zero")
    assert "no regular file" in attntrace("show", "--from", str(tmp_path / "zero.npz")).err
    with open("/dev/full", "w") as full:
        said = subprocess.run([sys.executable, "-m", "attntrace", "show", "encoder.output", "--from", str(saved)],
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=100)
    assert said.returncode == 2 and said.stderr.startswith("attntrace: cannot write to standard output")


def test_a_file_that_is_removed_while_it_is_read_is_read_to_its_end(saved, tmp_path):
    from attntrace.files.archive import opened
    file = tmp_path / "f.npz"
    file.write_bytes(saved.read_bytes())
    with opened(str(file)) as archive:
        file.unlink()
        archive.check_seal()
        assert len([archive.value(record) for record in archive.records()]) == len(archive.names)


@pytest.mark.parametrize("option", [("--seed", "0"), ("--target", ""), ("--no-final-norm",), ("--label-smoothing", "0"),
                                    ("--lr", "1")], ids=" ".join)
def test_no_option_of_a_run_is_passed_over_beside_from(option, saved):
    said = attntrace("why", "encoder.output:1,1", "--from", str(saved), *option)
    assert said.code == 2 and "cannot go with --from" in said.err


def test_a_selection_beside_one_tensor_is_not_passed_over(saved):
    said = attntrace("show", "encoder.output", "--from", str(saved), "--layer", "9")
    assert said.code == 2 and "--layer" in said.err


def test_places_and_numbers_beyond_all_bounds_are_one_line(saved):
    endless = "9" * 5000
    for command in (("show", f"encoder.output:{endless}", "--from", str(saved)),
                    ("trace", "a b", *SMALL, "--swap", f"1,{endless}"),
                    ("trace", "a b", *SMALL, "--dtype", "float32", "--set", "encoder.E:1,1=1e39"),
                    ("trace", "a b", *SMALL, "--set", "encoder.output:1,1=1")):
        said = attntrace(*command)
        assert said.code == 2 and said.out == "" and said.err.count("\n") == 1, command


@pytest.mark.filterwarnings("error")
def test_a_number_too_large_for_its_precision_gives_no_warning():
    said = attntrace("trace", "a", *SMALL, "--dtype", "float32", "--set", "encoder.E:1,1=1e39")
    assert "no finite number" in said.err


def test_words_that_stand_twice_are_offered_once(saved):
    assert "the nearest are a, cat\n" in attntrace("show", "encoder.output:²", "--from", str(saved)).err


@pytest.mark.parametrize("rows", [("encoder.input",), ("encoder.input", "decoder.input")], ids="+".join)
def test_the_checker_counts_the_parameters_of_a_run_from_rows(rows, tmp_path):
    np.savez(tmp_path / "in.npz", **{name: np.arange(6.0).reshape(3, 2) for name in rows})
    file = str(tmp_path / "f.npz")
    assert attntrace("trace", "--input", str(tmp_path / "in.npz"), *SMALL, "--save", file).code == 0
    said = attntrace("verify", "--from", file, "--quiet")
    assert (said.code, said.err) == (0, "")
    assert "--against torch" in attntrace("verify", "--from", file, "--against", "torch").err


def test_the_checker_counts_the_parameters_of_attention_alone(tmp_path):
    chance = np.random.default_rng(0)
    shapes = {"in_proj_weight": (12, 4), "in_proj_bias": (12,), "out_proj.weight": (4, 4), "out_proj.bias": (4,)}
    np.savez(tmp_path / "s.npz", **{name: chance.standard_normal(shape) for name, shape in shapes.items()})
    np.savez(tmp_path / "in.npz", **{"encoder.input": chance.standard_normal((3, 4))})
    weights, run = str(tmp_path / "w.npz"), str(tmp_path / "f.npz")
    assert attntrace("weights", "import", str(tmp_path / "s.npz"), "--heads", "2", "-o", weights).code == 0
    assert attntrace("trace", "--weights", weights, "--input", str(tmp_path / "in.npz"), "--save", run).code == 0
    assert attntrace("verify", "--from", run, "--quiet").code == 0
