"""Files of a class: its students and their sentences, the worksheets that they were given, and their answers."""
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from attntrace.files.arrays import opened, refused
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import did_you_mean, nearest
from attntrace.messages.unicode import normalized, shown
from attntrace.model.config import Config

SHEETS = "worksheet.json"  # the file beside the sheets that says which they are
VERSION = 1
LARGEST = 1_000_000  # bytes of a file
MOST_FILES = 1_000  # of a directory
MOST_STUDENTS = 1_000
DIGITS = 40  # of a seed
LONGEST = 200  # signs of an answer, or of a name
STUDENT = "student"  # in a filled sheet, the id of the line that says whose it is
KEY = "-key"  # how the names of keys end
ENDINGS = (".csv", ".md", ".markdown", ".txt")
NUMBER = r"\[(\d{1,3})\]"  # of a blank, behind its id
LINE = re.compile(rf"[\s|]*`?(slip|[^\W\d][\w.]*:\d+(?:,\d+)?)`?[\s|]+{NUMBER}[\s|]*(.*?)[\s|]*")  # in a filled sheet
WHOSE = re.compile(rf"[\s|]*`?{STUDENT}`?(?:\s\s|\s*\|)[\s|]*(.*?)[\s|]*")
ID = re.compile(r"[\w.]*:\d+,\d+")  # in CSV, with a comma of its own
MARKUP = re.compile(r"\\|</?span>")  # of Markdown, in a copied word
UNFILLED = re.compile(r"^[_\s]+|[_\s]+$")


class Pupil(NamedTuple):
    """A student: the number of the sheet, from 1, a name that may be empty, and what the sheet is about."""
    number: int
    name: str
    sentence: str
    target: str | None = None
    seed: int = 0

    def label(self, count: int) -> str:
        """The number with as many digits as all of a class have."""
        return f"{self.number:0{max(2, len(str(count)))}d}"

    def file_name(self, count: int) -> str:
        name = re.sub(r"[^\w-]+", "-", self.name).strip("-_")[:40]
        return f"{self.label(count)}-{name}" if name else self.label(count)

    def names(self, count: int) -> set[str]:
        """What the sheet is called, in small letters."""
        return {self.label(count), self.file_name(count).casefold(), f"{self.label(count)} {self.name}".casefold()}


class Sheets(NamedTuple):
    """The sheets of a class: the model that they are about, decimals, blanks, and the students."""
    config: Config
    pencil: int
    blank: int
    pupils: tuple[Pupil, ...]

    def record(self) -> str:
        pupils = [pupil._asdict() for pupil in self.pupils]
        return json.dumps({"worksheet": VERSION, "config": self.config.described(), "pencil": self.pencil,
                           "blank": self.blank, "sheets": pupils}, ensure_ascii=False, indent=1) + "\n"

    def pupil(self, student: str, file: str) -> Pupil:
        """The student of a number, a name, or the name of a sheet. Raises Problem where that is none, or several."""
        asked, count = normalized(student).strip().casefold(), len(self.pupils)
        for found in ([one for one in self.pupils if asked in one.names(count) or asked.lstrip("0") == str(one.number)],
                      [one for one in self.pupils if asked and asked == one.name.casefold()]):
            if len(found) == 1:
                return found[0]
        near = nearest(student[:LONGEST], [pupil.name or pupil.label(count) for pupil in self.pupils])
        raise Problem("answers_student", file=file, student=shown(student[:LONGEST]), near=did_you_mean(near))


class Answers(NamedTuple):
    """The answers of a student by the ids of blanks, as they were written (of a filled sheet, its end and the number of
    the blank: `scores:2,1 [3]`). student: as the file names it, or the file itself; named: whether it does."""
    file: str
    student: str
    named: bool
    answers: Mapping[str, str]


def text_of(path: Path) -> str:
    """The text of a file. Raises Problem where it is none in UTF-8, or a large one."""
    with opened(path) as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Problem("answers_large", file=shown(str(path)), most=LARGEST)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem("answers_not_text", file=shown(str(path)), byte=error.start + 1) from None
    if "\0" in text:
        raise Problem("answers_not_text", file=shown(str(path)), byte=text.index("\0") + 1)
    return text


def rows_of(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of a CSV file, each with its number, without empty ones; separated by commas, semicolons or tabs."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    mark = next((mark for mark in "\t;," if mark in first), ",")
    reader = csv.reader(io.StringIO(text), delimiter=mark, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error:
        raise Problem("answers_csv", file=shown(str(path)), line=reader.line_num) from None


def read_class(path: Path, sentence: str | None) -> list[tuple[str, str]]:
    """The students of a file, a line each, with their sentences: `name` or `name,sentence`; where there is no sentence
    for all, a line without a name is a sentence. Raises Problem where a line is neither."""
    found = []
    for number, row in rows_of(path, text_of(path)):
        name, own = (row[0], ",".join(row[1:])) if len(row) > 1 else (row[0], "") if sentence else ("", row[0])
        if not own and not sentence:
            raise Problem("class_sentence", file=shown(str(path)), line=number)
        if len(name) > LONGEST:
            raise Problem("class_name", file=shown(str(path)), line=number, most=LONGEST)
        found.append((normalized(name), own or sentence or ""))
    if not 0 < len(found) <= MOST_STUDENTS:
        raise Problem("class_size", file=shown(str(path)), count=len(found), most=MOST_STUDENTS)
    return found


def read_answers(path: Path) -> list[Answers]:
    """The answers of a file, or of every file of a directory, but for keys and hidden ones."""
    if not path.is_dir():
        return list(_answers(path))
    with refused(path):
        files = sorted(one for one in path.iterdir() if one.suffix.lower() in ENDINGS
                       and not one.name.startswith(".") and not one.stem.endswith(KEY))
    if not 0 < len(files) <= MOST_FILES:
        raise Problem("answers_files", directory=shown(str(path)), count=len(files), most=MOST_FILES,
                      endings=", ".join(ENDINGS))
    return [one for file in files for one in _answers(file)]


def _answers(path: Path) -> Iterator[Answers]:
    text, file = text_of(path), shown(str(path))
    if path.suffix.lower() == ".csv":
        yield from _table(path, file, list(rows_of(path, text)))
        return
    found: dict[str, str] = {}
    student = ""
    for number, line in enumerate(text.splitlines(), start=1):
        line = MARKUP.sub("", line)
        if filled := LINE.fullmatch(line):
            _add(found, file, number, f"{filled[1]} [{filled[2]}]", UNFILLED.sub("", filled[3]))
        elif whose := WHOSE.fullmatch(line):
            student = student or whose[1]
    if not found:
        raise Problem("answers_none", file=file)
    yield Answers(file, student or path.stem, bool(student), found)


def _table(path: Path, file: str, rows: Sequence[tuple[int, list[str]]]) -> Iterator[Answers]:
    """The answers of a CSV file, by student."""
    heading = [cell.lower() for cell in rows[0][1]] if rows else []
    if "id" not in heading or "answer" not in heading:
        raise Problem("answers_heading", file=file)
    places = {name: heading.index(name) for name in ("id", "answer", STUDENT) if name in heading}
    found: dict[str, dict[str, str]] = {}
    for number, row in rows[1:]:
        own = ",".join(row[(place := places["id"]):place + 2])
        if len(row) > len(heading) and ID.fullmatch(own):  # without quotation marks
            row[place:place + 2] = [own]
        cells = {name: row[n] if n < len(row) else "" for name, n in places.items()}
        if not cells["id"]:
            raise Problem("answers_csv", file=file, line=number)
        student = re.sub(r"^0+(?=\d+$)", "", cells.get(STUDENT, ""))
        _add(found.setdefault(student, {}), file, number, cells["id"], cells["answer"])
    if not found:
        raise Problem("answers_none", file=file)
    for student, answers in found.items():
        yield Answers(file, student or path.stem, bool(student), answers)


def _add(found: dict[str, str], file: str, line: int, name: str, answer: str) -> None:
    if name in found:
        raise Problem("answers_twice", file=file, line=line, name=shown(name[:LONGEST]))
    if len(answer) > LONGEST or len(name) > LONGEST:
        raise Problem("answers_long", file=file, line=line, most=LONGEST)
    found[name] = answer


def read_sheets(path: Path) -> Sheets:
    """The file of the sheets of a class. Raises Problem where it makes no sense."""
    file = shown(str(path))
    try:
        content = json.loads(text_of(path))
        if content["worksheet"] != VERSION:
            raise ValueError
        pupils = tuple(_pupil(**one) for one in content["sheets"])
        pencil, blank, entries = content["pencil"], content["blank"], content["config"]
        if not (_is_number(pencil, 1, 4) and _is_number(blank, 1, LONGEST) and 0 < len(pupils) <= MOST_STUDENTS):
            raise ValueError
    except (ValueError, TypeError, LookupError, RecursionError):
        raise Problem("sheets_broken", file=file) from None
    return Sheets(Config.read(entries, file), pencil, blank, pupils)


def _pupil(number: Any, name: Any, sentence: Any, target: Any, seed: Any) -> Pupil:
    texts = (name, sentence, *([] if target is None else [target]))
    if not (_is_number(number, 1, MOST_STUDENTS) and _is_number(seed, 0, 10**DIGITS) and all(
            isinstance(text, str) for text in texts)):
        raise ValueError
    return Pupil(number, name, sentence, target, seed)


def _is_number(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
