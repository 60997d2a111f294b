"""The documents (READMEs and docs/): which there are, the commands in them, and the output that they quote."""
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from command import ROOT, Result, attntrace, words_of

DOCUMENTS = {"README.md": "en", "README.ko.md": "ko"} | {
    file.relative_to(ROOT).as_posix(): file.parent.name for file in sorted((ROOT / "docs").glob("*/*.md"))}
DOCUMENTED = sorted(set(DOCUMENTS.values()))  # languages
COMMANDS = re.compile(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", re.M)  # in a console block: the command, the lines below it
SAMPLES = ROOT / "samples"
TRANSCRIPTS = sorted(SAMPLES.glob("*.txt"))


class Quotation(NamedTuple):
    language: str
    command: str
    lines: tuple[str, ...]  # of its output; others may have been left out between them


def text_of(language: str) -> str:
    """All documents in one language."""
    return "\n".join((ROOT / name).read_text("utf-8") for name, spoken in DOCUMENTS.items() if spoken == language)


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


def quoted(lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines.splitlines() if line != "...")


QUOTATIONS = [Quotation(language, command, quoted(lines)) for language in DOCUMENTED
              for block in blocks(text_of(language), "console") for command, lines in COMMANDS.findall(block)]
PICTURES = {name: quotation for quotation in QUOTATIONS for name in re.findall(r"-o (\S+\.svg)", quotation.command)
            if (SAMPLES / name).exists()}
WRITING = {(quotation.language, name): quotation.command for quotation in reversed(QUOTATIONS)
           for name in re.findall(r"(?:-o|--save) (\S+)", quotation.command)}  # the first command that writes a file


@cache
def run(language: str, command: str) -> Result:
    """Run a documented command in the working directory, after those that write the files it reads."""
    words = words_of(command)
    for (spoken, name), earlier in WRITING.items():
        if spoken == language and name in words and earlier != command and not Path(name).exists():
            run(language, earlier)
    return attntrace(*words, ATTNTRACE_LANG=language)
