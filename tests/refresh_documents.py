"""Bring samples/ and the output that documents quote up to date: python tests/refresh_documents.py, then read the diff.

A quoted line that is no longer printed becomes the printed line most like it. Where none is, it stays and is named.
"""
import os
import re
import shutil
import tempfile
from difflib import SequenceMatcher
from pathlib import Path

from command import ROOT, attntrace, words_of
from documents import COMMANDS, DOCUMENTED, DOCUMENTS, PICTURES, SAMPLES, TRANSCRIPTS, quoted, run

ALIKE = 0.6  # from here on, one line can be the other as it is printed now


def likeness(matcher: SequenceMatcher, line: str) -> float:
    matcher.set_seq1(" ".join(line.split()))
    return matcher.ratio() if matcher.real_quick_ratio() > ALIKE and matcher.quick_ratio() > ALIKE else 0.0


def refreshed(quotation: list[str], out: str, where: str) -> list[str]:
    """The lines of a quotation as they are printed now: in the same order, and together as like them as possible."""
    printed = out.split("\n")
    best: list[tuple[float, tuple[int | None, ...]]] = [(0.0, ())] * (len(printed) + 1)  # within the first n printed
    for line in quotation:
        matcher = SequenceMatcher(None, "", " ".join(line.split()), autojunk=False)
        row = [(0.0, (*best[0][1], None))]
        for n, candidate in enumerate(printed):
            alike = 0.0 if line == "..." else 2.0 if candidate == line else likeness(matcher, candidate)
            found = [(best[n][0] + alike, (*best[n][1], n))] if alike > ALIKE else []
            row.append(max(row[-1], (best[n + 1][0], (*best[n + 1][1], None)), *found, key=lambda way: way[0]))
        best = row
    for line, place in zip(quotation, best[-1][1]):
        if place is None and line != "...":
            print(f"{where}: no longer printed: {line}")
    return [line if place is None else printed[place] for line, place in zip(quotation, best[-1][1])]


def bring_up_to_date(document: Path, language: str) -> None:
    def again(match: re.Match[str]) -> str:
        command, lines = match.groups()
        if not quoted(lines):
            return match[0]
        new = refreshed(lines.splitlines(), run(language, command).out, document.name)
        return "\n".join((f"$ {command}", *new, ""))

    text = re.sub(r"(?<=^```console\n).*?(?=^```$)", lambda block: COMMANDS.sub(again, block[0]),
                  document.read_text("utf-8"), flags=re.M | re.S)
    document.write_text(text, "utf-8")


def main() -> None:
    os.environ.update(COLUMNS="100", ATTNTRACE_LANG="en")
    for file in TRANSCRIPTS:
        command = file.read_text("utf-8").partition("\n")[0]
        file.write_text(f"{command}\n{attntrace(*words_of(command[2:])).out}", "utf-8")
    for language in DOCUMENTED:
        with tempfile.TemporaryDirectory() as directory:
            os.chdir(directory)
            os.symlink(SAMPLES, "samples")
            for picture in [name for name, quotation in PICTURES.items() if quotation.language == language]:
                run(language, PICTURES[picture].command)
                shutil.copy(picture, SAMPLES / picture)
            for name in [name for name, spoken in DOCUMENTS.items() if spoken == language]:
                bring_up_to_date(ROOT / name, language)
            os.chdir(ROOT)


if __name__ == "__main__":
    main()
