"""Output formats: a class each, and one row of a table below (CONTRIBUTING.md has the recipe).

A page format is a class `(out, look)` with a method for each kind of block (`page.BlockWriter`), which is called with
blocks, and closed at the end. A data format writes the record of each step, and its `alone` one tensor of a saved run
(see `data.JsonLinesWriter`). A picture format draws maps, and the architecture of a model."""
from typing import Any, NamedTuple


class Format(NamedTuple):
    """The module and the name of a writer, and the endings of its files; whether its pages answer where a number comes
    from."""
    module: str
    writer: str
    endings: tuple[str, ...]
    answers: bool = False

    def load(self) -> Any:
        import importlib
        return getattr(importlib.import_module(f"attntrace.writers.{self.module}"), self.writer)


TEXT, LATEX = "text", "latex"
PAGES = {TEXT: Format("text.writer", "TerminalWriter", (".txt", "")),
         "markdown": Format("markdown", "MarkdownWriter", (".md", ".markdown")),
         "html": Format("html", "HtmlWriter", (".html", ".htm"), answers=True),
         LATEX: Format("latex", "LatexWriter", (".tex",))}  # made of blocks
DATA = {"csv": Format("data", "CsvWriter", (".csv",)),
        "jsonl": Format("data", "JsonLinesWriter", (".jsonl", ".ndjson"))}  # made of steps
PICTURES = {"svg": Format("svg", "SvgWriter", (".svg",))}  # of maps, or of a model
FORMATS = {**PAGES, **DATA, **PICTURES}
