"""Bring samples/ and the output that documents quote up to date: python tests/refresh_documents.py, then read the diff.

A quoted line that is no longer printed becomes the printed line most like it. Where none is, it stays and is named.
"""
import os
import re
import shutil
import tempfile
from difflib import get_close_matches
from pathlib import Path

from command import ROOT, attntrace, words_of
from documents import COMMANDS, DOCUMENTED, DOCUMENTS, PICTURES, SAMPLES, TRANSCRIPTS, quoted, run


def refreshed(quotation: list[str], out: str, where: str) -> list[str]:
    """The lines of a quotation as they are printed now, in the order of the output."""
    printed, start = out.split("\n"), 0
    for n, line in enumerate(quotation):
        rest = printed[start:]
        if line != "..." and line not in rest:
            ahead = [rest.index(later) for later in quotation[n + 1:] if later in rest]  # what must come after it
            near = get_close_matches(line, rest[:min(ahead, default=len(rest))], 1)
            if not near:
                print(f"{where}: no longer printed: {line}")
                continue
            quotation[n] = near[0]
        if line != "...":
            start += rest.index(quotation[n]) + 1
    return quotation


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
