"""Blocks on paper, one file a format, or a package; data from steps. A new format is that, and a line here."""
from __future__ import annotations

from typing import Any, NamedTuple


class Format(NamedTuple):
    """Where a format's writer is, and the endings of files that are in it."""
    module: str
    writer: str
    endings: tuple[str, ...]

    def load(self) -> Any:
        import importlib
        return getattr(importlib.import_module(f"attntrace.writers.{self.module}"), self.writer)


TEXT = "text"
PAGES = {TEXT: Format("text.writer", "TerminalWriter", (".txt", "")),
         "markdown": Format("markdown", "MarkdownWriter", (".md", ".markdown")),
         "html": Format("html", "HtmlWriter", (".html", ".htm"))}  # made of blocks
DATA = {"csv": Format("csv", "CsvWriter", (".csv",)),
        "jsonl": Format("jsonl", "JsonLinesWriter", (".jsonl", ".ndjson"))}  # made of steps
PICTURES = {"svg": Format("svg", "SvgWriter", (".svg",))}  # made of maps
FORMATS = {**PAGES, **DATA, **PICTURES}
