"""attntrace worksheet, mark and quiz: blanks that can be computed from the sheet, and what becomes of the answers."""
import csv
import errno
import io
import json
import math
import re
import time
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import attntrace

from attntrace.cli.commands.mark import as_text
from attntrace.cli.commands.worksheet import HAND
from attntrace.pages.worksheet import answer_text
from attntrace.runs.marking import Mark, Marker, marks_of
from attntrace.runs.slips import SLIPS, steps_of
from attntrace.runs.worksheet import FORWARD, INVERSE, LOOK, SLIP, Sheet, sheet_of, verified

SENTENCE = "she sings"
BLANK = re.compile(r"\\\[(\d+)\\\]")
ONE = Decimal("0.01")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Path:
    """Four worksheets and their keys, in Markdown."""
    place: Path = tmp_path_factory.mktemp("class") / "sheets"
    assert attntrace("worksheet", SENTENCE, "--students", "4", "--format", "markdown", "-o", str(place)).code == 0
    return place


@pytest.fixture(scope="module")
def sheets() -> list[Sheet]:
    return [sheet_of(SENTENCE, target, HAND, seed, 2, 14) for seed, target in ((0, None), (2, None), (1, "elle"))]


def text_answer(sheet: Sheet, answer: float | str, kind: str) -> str:
    return answer if isinstance(answer, str) else f"{answer:.0f}" if kind == LOOK else f"{answer:.2f}"


def perfect(sheet: Sheet) -> dict[str, str]:
    return {blank.id: text_answer(sheet, blank.answer, blank.kind) for blank in sheet.blanks}


def verdicts(marks: list[Mark]) -> list[str]:
    return [mark.verdict for mark in marks]


# The sheet alone: what a student sees, computed by rules that are written here.

def rounded(number: Any) -> Decimal:
    return Decimal(number).quantize(ONE, ROUND_HALF_UP)


def dot(left: list[Decimal], right: list[Decimal]) -> Decimal:
    return rounded(sum((rounded(a * b) for a, b in zip(left, right, strict=True)), Decimal(0)))


def computed(name: str, i: int, j: int, read: Any) -> Decimal:
    """A number of a step, from the tables of the sheet. read(step, row) gives a row of numbers."""
    attention, forward = "encoder.layer1.self_attention", "encoder.layer1.feed_forward"
    head, (place, _, step) = f"{attention}.head1", name.rpartition(".")

    def column(matrix: str, j: int) -> list[Decimal]:
        return [read(matrix, row)[j] for row in range(4)]

    def softmax(row: list[Decimal]) -> Decimal:
        powers = [rounded(math.exp(rounded(one - max(row)))) for one in row]
        return rounded(powers[j] / rounded(sum(powers)))

    def product(of: str, matrix: str) -> Decimal:
        return dot(read(of, i), column(f"{place.removesuffix('.head1')}.{matrix}", j))

    inside = attention if place.startswith(attention) else forward
    simple = {
        "scaled_embedding": lambda: rounded(2 * read("encoder.embedding", i)[j]),
        "input": lambda: rounded(read("encoder.scaled_embedding", i)[j] + read("encoder.positional_encoding", i)[j]),
        "query": lambda: product("encoder.input", "W_Q"), "key": lambda: product("encoder.input", "W_K"),
        "value": lambda: product("encoder.input", "W_V"),
        "scores": lambda: dot(read(f"{head}.query", i), read(f"{head}.key", j)),
        "scaled_scores": lambda: rounded(read(f"{head}.scores", i)[j] / 2),
        "weights": lambda: softmax(read(f"{head}.scaled_scores", i)),
        "residual": lambda: rounded(sum(read(one, i)[j] for one in (
            ("encoder.input", f"{attention}.output") if inside == attention else
            (f"{attention}.norm", f"{forward}.output")))),
        "mean": lambda: rounded(rounded(sum(read(f"{inside}.residual", i))) / 4),
        "variance": lambda: rounded(rounded(sum(rounded(rounded(one - read(f"{inside}.mean", i)[0])**2)
                                                for one in read(f"{inside}.residual", i))) / 4),
        "normalized": lambda: rounded(rounded(read(f"{inside}.residual", i)[j] - read(f"{inside}.mean", i)[0])
                                      / rounded(rounded(read(f"{inside}.variance", i)[0]).sqrt())),
        "hidden": lambda: product(f"{attention}.norm", "W_1"),
        "activation": lambda: max(Decimal(0), read(f"{forward}.hidden", i)[j])}
    if step == "output":
        mixed = [read(f"{head}.value", n)[j] for n in range(2)]
        return (dot(read(f"{head}.weights", i), mixed) if place == head else product(f"{attention}.concat", "W_O")
                if place == attention else product(f"{forward}.activation", "W_2"))
    return simple[step]()


class Page:
    """The tables of a sheet in Markdown, by address: rows of texts; those of the run with a mistake apart."""

    def __init__(self, text: str) -> None:
        text, _, self.mistaken = text.partition("### Find the slip")
        self.tables = {name.replace("\\", ""): [
            [cell.strip() for cell in line.split("|")[2:-1]] for line in lines.splitlines()
            if re.match(r"\| [^:| ]", line) and "$" not in line]
            for name, lines in re.findall(r"\*\*([\w.\\]+)\*\*\n\n((?:\|.*\n)+)", text)}
        self.answers = dict(re.findall(r"\| `([\w.:,]+)` \| \\\[(\d+)", self.mistaken))
        self.filled: dict[str, Decimal] = {}

    def read(self, name: str, i: int) -> list[Decimal]:
        rows = self.tables[name]
        return [self.number(cell) for cell in rows[i]]

    def number(self, cell: str) -> Decimal:
        blank = BLANK.fullmatch(cell)
        return self.filled[blank[1]] if blank else Decimal(cell)  # of `?` an error


def answers_by_number(folder: Path, student: str) -> dict[str, str]:
    return {str(n): answer for n, answer in enumerate(key_of(folder, student).values(), start=1)}


def page_of(folder: Path, student: str) -> Page:
    """A sheet with its whole numbers filled in."""
    page, right = Page((folder / f"{student}.md").read_text("utf-8")), answers_by_number(folder, student)
    assert [*page.answers.values()] == [*right]
    page.filled = {n: Decimal(right[n]) for name, n in page.answers.items() if ".W_" in name}
    return page


def index_of(place: str) -> tuple[int, int]:
    i, _, j = place.partition(",")
    return int(i) - 1, int(j or 1) - 1


STUDENT_NUMBERS = pytest.mark.parametrize("student", ["01", "02", "03", "04"])


@STUDENT_NUMBERS
def test_every_number_can_be_computed_from_the_numbers_on_the_sheet(student, folder):
    page, right = page_of(folder, student), answers_by_number(folder, student)
    left = {n: name.partition(":")[::2] for name, n in page.answers.items() if n not in page.filled and (
        "," in name or name.endswith((":1", ":2")) and ".weights:" not in name)}
    assert len(left) >= 7
    while left:
        for n, (address, place) in list(left.items()):
            try:
                page.filled[n] = computed(address, *index_of(place), page.read)
            except KeyError:  # a blank that is not computed yet
                continue
            assert page.filled[n] == Decimal(right[n]), address
            del left[n]
    for name, n in page.answers.items():
        if re.search(r"\.weights:\d$", name):  # where does it look?
            scores = page.read("encoder.layer1.self_attention.head1.scaled_scores", int(name[-1]) - 1)
            assert right[n] == ("1:she", "2:sings")[scores.index(max(scores))]


def is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


@STUDENT_NUMBERS
def test_only_one_whole_number_gives_what_is_shown_of_a_hidden_entry(student, folder):
    page, right = page_of(folder, student), answers_by_number(folder, student)
    text = (folder / f"{student}.md").read_text("utf-8").replace("\\", "").replace("<span>:</span>", ":")
    asked = re.findall(r"\[(\d+)\] .* so that ([\w.]+):([\d,]+) is", text)
    assert len(asked) == 2
    for n, address, place in asked:
        i, j = index_of(place)
        fitting = []
        page.filled |= {other: Decimal(answer) for other, answer in right.items() if other != n and is_number(answer)}
        for entry in range(-9, 10):
            page.filled[n] = Decimal(entry)
            if computed(address, i, j, page.read) == page.read(address, i)[j]:
                fitting.append(str(entry))
        assert fitting == [right[n]], address


@STUDENT_NUMBERS
def test_a_blank_cannot_be_copied_from_a_step_with_the_same_number(student, folder):
    tables = page_of(folder, student).tables
    for name, rows in tables.items():
        for one, copy in ("attention.head1.output", "attention.concat"), ("normalized", "norm"):
            copied = tables[name.removesuffix(one) + copy] if name.endswith(one) else rows
            blanks = [(cell, other) for row, others in zip(rows, copied, strict=True)
                      for cell, other in zip(row, others, strict=True) if "[" in cell]
            assert all(cell == other for cell, other in blanks), name


@pytest.mark.parametrize("n", range(3))
def test_a_sheet_has_blanks_of_all_kinds_and_no_row_of_weights_in_it_is_tied_or_saturated(n, sheets):
    sheet = sheets[n]
    assert {blank.kind for blank in sheet.blanks} == {FORWARD, INVERSE, LOOK, SLIP}
    assert len(sheet.by_id) == len(sheet.blanks) == 14
    for blank in sheet.blanks:
        assert blank.kind == SLIP or blank.id.partition(":")[0] == blank.address
        if blank.address.endswith(".weights"):
            row = np.sort(sheet.steps[blank.address].value[blank.at[0]])
            row = row[row > 0]
            assert len(row) > 1 and row[-1] < 0.96 and np.diff(row).min() > 0.015
    numbers, wrong = verified(sheet.run)
    assert numbers == sum(step.value.size for step in sheet.steps.values()) and not wrong


@pytest.mark.parametrize("n", range(3))
def test_the_slip_of_a_sheet_begins_where_the_key_says(n, sheets):
    sheet = sheets[n]
    swapped = sheet.run._replace(source=sheet.run.source.reordered([1, 0]))
    right, wrong = steps_of(swapped), steps_of(sheet.slip(swapped))
    first = next(address for address in right if not np.array_equal(right[address].value, wrong[address].value))
    assert sheet.blanks[-1].answer == first and first in sheet.mistaken
    assert all(np.array_equal(step.value, wrong[address].value) for address, step in sheet.mistaken.items())


# Marks.

@pytest.mark.parametrize("n", range(3))
def test_a_perfect_sheet_has_full_marks_also_to_rounding_and_with_tails(n, sheets):
    sheet = sheets[n]
    assert set(verdicts(marks_of(sheet, perfect(sheet)))) == {"right"}
    other = {blank.id: f"{blank.answer + 0.01:.2f}".replace("-", "−").replace(".", ",")
             if blank.kind == FORWARD else answer_text(blank, sheet) if blank.kind == SLIP else answer
             for blank, answer in zip(sheet.blanks, perfect(sheet).values(), strict=True)}
    assert verdicts(marks_of(sheet, other)) == ["rounding" if one.kind == FORWARD else "right" for one in sheet.blanks]


def test_what_follows_from_an_early_mistake_has_its_marks(sheets):
    sheet = sheets[0]
    answers = perfect(sheet)
    scores = next(id for id in answers if ".scores:" in id)
    scaled, index = scores.replace(".scores", ".scaled_scores"), scores.partition(":")[2]
    i, j = (int(one) - 1 for one in index.split(","))
    row = sheet.steps[scaled.partition(":")[0]].value[i].copy()
    row[j] = 4.11
    share = np.exp(row - row.max())[j] / np.exp(row - row.max()).sum()
    weights = scores.replace(".scores", ".weights")
    look = f"{weights.partition(':')[0]}:{i + 1}"
    answers |= {scores: "8.22", scaled: "4.11", weights: f"{share:.2f}", look: str(row.argmax() + 1)}
    marks = {mark.blank.id: mark for mark in marks_of(sheet, answers)}
    assert sheet.by_id[look].answer != row.argmax() + 1
    assert [marks[id].verdict for id in (scores, scaled, weights, look)] == ["wrong", "follows", "follows", "follows"]
    assert marks[scaled].due == 4.11 and not marks[scores].slips


def slipped_answers(sheet: Sheet, slip: Any) -> dict[str, str] | None:
    """The answers of somebody who makes a slip in all of the sheet; None where no blank shows it."""
    subject = slip(sheet.run)
    steps = steps_of(subject) if subject is not None else {}
    answers, shows = perfect(sheet), False
    for blank in sheet.blanks:
        step = steps.get(blank.address)
        if blank.kind == FORWARD and step is not None and step.value.shape == sheet.steps[blank.address].value.shape:
            answers[blank.id] = f"{step.value[blank.at]:.2f}"
            shows |= abs(step.value[blank.at] - blank.answer) > 0.015
    return answers if shows else None


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.id)
def test_a_sheet_that_was_filled_with_a_slip_names_it(slip, sheets):
    shown = [(sheet, answers) for sheet in sheets if (answers := slipped_answers(sheet, slip)) is not None]
    for sheet, answers in shown[:1]:
        marks = marks_of(sheet, answers)
        assert slip.id in {one.id for mark in marks for one in mark.slips}
        assert next(mark for mark in marks if mark.verdict not in ("right", "rounding")).verdict == "wrong"


def test_a_slip_in_one_step_of_own_numbers_is_named(sheets):
    sheet = sheets[0]
    scaled = next(blank for blank in sheet.blanks if ".scaled_scores:" in blank.id)
    scores = scaled.id.replace(".scaled_scores", ".scores")
    marker = Marker(sheet, perfect(sheet) | {scores: "9.00", scaled.id: "9.00"})
    assert "scale_missing" in {slip.id for slip in marker.mark(scaled).slips}


# Files.

def filled(text: str, answers: dict[str, str]) -> str:
    for id, answer in answers.items():
        text = re.sub(rf"(\| `{re.escape(id)}` \| \S+ \| )[^|]+", lambda found: f"{found[1]}{answer} ", text)
    return text


def key_of(folder: Path, student: str) -> dict[str, str]:
    key = (folder / f"{student}-key.md").read_text("utf-8").replace("\\", "").replace("<span>:</span>", ":")
    return dict(re.findall(r"\| `([\w.:,]+)` \| \[\d+\] \| ([^|]+?) \|", key))


def test_a_directory_of_filled_sheets_is_marked_by_student(folder, tmp_path):
    sheet = (folder / "02.md").read_text("utf-8")
    (tmp_path / "Mina.md").write_text(filled(sheet, key_of(folder, "02")), "utf-8")
    answers = key_of(folder, "03")
    first = next(id for id in answers if "head1" in id and "," in id)
    answers[first] = "=HYPERLINK(1)"
    with (tmp_path / "rest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("ID", "Answer", "student"), *((*one, "3") for one in answers.items())])
    result = attntrace("mark", str(tmp_path), "--sheets", str(folder))
    assert result.code == 0 and re.search(r"^  02 +12/12 ", result.out, re.M) and "01, 04" in result.out
    assert re.search(r"^  03 +11/12 ", result.out, re.M)
    rows = list(csv.DictReader(io.StringIO(attntrace("mark", str(tmp_path), "--sheets", str(folder), "--format",
                                                     "csv").out)))
    assert len(rows) == 24 and sum(row["mark"] == "0" for row in rows) == 1
    assert next(row for row in rows if row["mark"] == "0")["answer"] == "'=HYPERLINK(1)"
    assert {row["answer"] for row in rows if re.fullmatch(r"-?[\d.]+", row["key"])} >= {rows[0]["key"]}


@pytest.mark.parametrize("cell, is_text", [("=1+1", True), ("+cmd|' /C calc'!A0", True), ("@SUM(1)", True),
                                           ("-2+3", True), ("\t=1", True), ("-1.25", False), ("she", False)])
def test_what_a_spreadsheet_would_compute_stays_text(cell, is_text):
    assert as_text(cell).startswith("'") == (is_text and not cell.startswith("\t"))
    assert not as_text(cell).startswith(("=", "+", "@", "\t", "\r"))


def test_ids_need_no_quotation_marks_and_zeros_before_a_number_do_not_count(folder, tmp_path):
    lines = [f"{id},{answer},{'01' if n % 2 else '1'}" for n, (id, answer) in enumerate(key_of(folder, "01").items())]
    assert sum(line.count(",") > 2 for line in lines) > 3
    (tmp_path / "answers.csv").write_text("\n".join(["id,answer,student", *lines]), "utf-8")
    result = attntrace("mark", str(tmp_path / "answers.csv"), "--sheets", str(folder), "--quiet")
    assert result.code == 0 and "12/12" in result.out, result


def test_a_word_is_copied_from_the_key_with_its_markdown(folder, tmp_path):
    key = (folder / "01-key.md").read_text("utf-8")
    assert "<span>" in key
    (tmp_path / "01.md").write_text(key, "utf-8")
    result = attntrace("mark", str(tmp_path / "01.md"), "--sheets", str(folder), "--quiet")
    assert result.code == 0 and "12/12" in result.out, result


@pytest.mark.parametrize("columns", ["60", "100"])
def test_a_sheet_of_text_is_read_as_it_was_written(columns, folder, tmp_path):
    page = attntrace("worksheet", SENTENCE, COLUMNS=columns).out
    answers = iter(key_of(folder, "01").values())
    (tmp_path / "01.txt").write_text(re.sub("_{8}", lambda _: next(answers), page), "utf-8")
    result = attntrace("mark", str(tmp_path / "01.txt"), "--sheets", str(folder), "--quiet")
    assert result.code == 0 and "12/12" in result.out, result


HOSTILE = {"binary.csv": b"\x00\xff\xfe", "null.csv": b"id,answer\n\x00,1", "empty.csv": b"", "empty.md": b"# nothing",
           "heading.csv": b"a,b\n1,2\n", "twice.csv": b"id,answer\nslip,a\nslip,b\n",
           "unknown.csv": b"id,answer\nx:1,2\n",
           "nobody.csv": b"id,answer,student\nslip,a,Zorro\n", "long.csv": b"id,answer\nslip," + b"9" * 5000,
           "huge.csv": b"id,answer\n" + b"x" * 2_000_000, "quote.csv": b'id,answer\n"' + b"y" * 200_000,
           "unclosed.csv": b'id,answer,student\n"slip,a,1\n',
           "spelled.csv": b"id,answer,student\nslip,a,01\nslip,b,1\n",
           "other.csv": b"id,answer,student\noutput.W:1,1,2,1\n", "sheet.md": b"| `slip` | \\[99\\] | a |\n"}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers_are_refused_in_a_line(name, folder, tmp_path):
    (tmp_path / name).write_bytes(HOSTILE[name])
    result = attntrace("mark", str(tmp_path / name), "--sheets", str(folder), "-o", str(tmp_path / "marks.csv"))
    assert result.code == 2 and result.err.count("\n") == 1 and not result.out, result
    assert not (tmp_path / "marks.csv").exists()


@pytest.mark.parametrize("change", [{"worksheet": 2}, {"pencil": 99}, {"sheets": []}, {"sheets": [{"number": 1}]},
                                    {"config": {"d_model": "__import__"}}, {"blank": True}, {"blank": 10**9}])
def test_a_file_of_sheets_that_makes_no_sense_is_refused(change, folder, tmp_path):
    content = json.loads((folder / "worksheet.json").read_text("utf-8"))
    (tmp_path / "worksheet.json").write_text(json.dumps(content | change), "utf-8")
    (tmp_path / "answers.csv").write_text("id,answer,student\nslip,a,1\n", "utf-8")
    result = attntrace("mark", str(tmp_path / "answers.csv"))
    assert result.code == 2 and result.err.count("\n") == 1 and "worksheet.json" in result.err


@pytest.mark.parametrize("arguments", [("a " * 5000,), (SENTENCE, "--d-model", "1048576"), (
    SENTENCE, "--d-ff", "1000000000"), (SENTENCE, "--layers", "1000000")])
def test_what_is_too_large_for_a_sheet_is_refused_before_it_is_computed(arguments, monkeypatch):
    monkeypatch.setattr("attntrace.runs.worksheet.prepare", None)
    result = attntrace("worksheet", *arguments)
    assert result.code == 2 and result.err.count("\n") == 1 and "more than 5000" in result.err


@pytest.mark.parametrize("key", [(), ("--key",)])
def test_a_name_with_the_ending_of_a_page_is_a_file(key, tmp_path):
    result = attntrace("worksheet", SENTENCE, *key, "-o", str(tmp_path / "sheet.md"))
    assert (result.code, result.out) == (0, "") and [one.name for one in tmp_path.iterdir()] == ["sheet.md"]
    printed = attntrace("worksheet", SENTENCE, *key, "--format", "markdown").out
    assert (tmp_path / "sheet.md").read_text("utf-8") == printed
    result = attntrace("worksheet", SENTENCE, "--students", "2", "-o", str(tmp_path / "sheets.md"))
    assert result.code == 2 and "folder" in result.err and len(list(tmp_path.iterdir())) == 1
    assert attntrace("worksheet", SENTENCE, *key, "-o", str(tmp_path / "sheets")).code == 0
    assert len(list((tmp_path / "sheets").iterdir())) == 3


def test_a_folder_is_never_written_over_and_never_half_written(folder, tmp_path, monkeypatch):
    before = sorted(folder.iterdir())
    assert attntrace("worksheet", SENTENCE, "--students", "2", "-o", str(folder)).code == 2
    assert sorted(folder.iterdir()) == before
    write = Path.write_bytes

    def until_the_disk_is_full(path: Path, data: bytes) -> int:
        if path.name.startswith("02"):
            raise OSError(errno.ENOSPC, "full")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", until_the_disk_is_full)
    result = attntrace("worksheet", SENTENCE, "--students", "2", "--blank", "3", "-o", str(tmp_path / "new"))
    assert result.code == 2 and result.err.count("\n") == 1 and not list(tmp_path.iterdir()), result


def test_a_class_has_names_and_sentences_of_its_own(tmp_path):
    (tmp_path / "class.csv").write_text("Mina,he runs\n../../Kim,she sings\n", "utf-8")
    result = attntrace("worksheet", "--class", str(tmp_path / "class.csv"), "--format", "latex", "-o",
                       str(tmp_path / "s"), "--lang", "ko")
    assert result.code == 0, result
    assert sorted(one.name for one in (tmp_path / "s").iterdir()) == [
        "01-Mina-key.tex", "01-Mina.tex", "02-Kim-key.tex", "02-Kim.tex", "worksheet.json"]
    assert "he runs" in (tmp_path / "s" / "01-Mina.tex").read_text("utf-8")
    (tmp_path / "s" / "a.csv").write_text("id,answer,student\nslip,a,mina\n", "utf-8")
    assert "01 Mina" in attntrace("mark", str(tmp_path / "s" / "a.csv")).out


def test_two_students_have_different_numbers(folder):
    keys = [tuple(key_of(folder, f"0{n}").values()) for n in range(1, 5)]
    assert len(set(keys)) == 4


def test_a_quiz_asks_what_the_sheet_asks_and_ends_early_with_the_result_so_far(folder):
    answers = list(key_of(folder, "01").values())
    right = attntrace("quiz", SENTENCE, stdin="\n".join(answers).encode())
    assert right.code == 0 and right.out.rstrip().endswith("12 of 12 right.")
    some = attntrace("quiz", SENTENCE, stdin=f"{answers[0]}\n99\n".encode())
    assert some.code == 0 and some.out.rstrip().endswith("1 of 2 right.") and f"It is {answers[1]}." in some.out


def test_an_ending_that_cannot_be_hand_sized_is_refused():
    assert "√d_k" in attntrace("worksheet", SENTENCE, "--d-model", "8").err
    assert attntrace("worksheet", SENTENCE, "--d-model", "8", "--no-scale-embedding", "--heads", "2").code == 0


@pytest.mark.thorough
def test_thirty_sheets_take_less_than_thirty_seconds(tmp_path):
    start = time.process_time()
    result = attntrace("worksheet", SENTENCE, "--blank", "12", "--students", "30", "-o", str(tmp_path / "sheets"))
    assert result.code == 0 and len(list((tmp_path / "sheets").iterdir())) == 61
    assert time.process_time() - start < 30
