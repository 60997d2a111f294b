"""The house: who may import whom, and where words and colours live."""
from __future__ import annotations

import ast
import re
import string
import tomllib

from command import ROOT

PACKAGE = ROOT / "attntrace"
# From the ground up: a room imports only rooms that stand before it.
ROOMS = ["prose", "errors", "checker", "plain", "screen", "symbol", "axes", "rules", "pencil", "arithmetic",
         "tensor", "notation", "by_hand", "constants", "shapes", "algebra", "products", "parts", "functions",
         "batches", "tracing", "schedules", "config", "tokens", "pairs", "weights", "npz", "safetensors_file",
         "archive", "makings", "addresses", "places", "inputs", "weights_file", "layouts", "changes", "layers",
         "attention", "transformer", "initial", "losses", "gradients", "optimizers", "drift", "run", "records",
         "lessons", "decoding", "training", "checkpoints", "recording", "digits", "figures", "topics", "blocks",
         "checks", "differences", "diff", "formulas", "view", "grids", "stages", "forms", "why", "maps",
         "opening", "experiments", "inventory", "report", "ledger", "writers", "cli", "__main__"]


def room(path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("attntrace"):
            parts = node.module.split(".")
            yield from (parts[1:2] or [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("attntrace."))


def test_imports_point_downwards_only():
    for path in PACKAGE.rglob("*.py"):
        if path == PACKAGE / "__init__.py":
            continue
        for imported in imports(path):
            if imported in ROOMS:
                assert ROOMS.index(imported) <= ROOMS.index(room(path)), f"{path} imports {imported}"


def test_every_room_is_on_the_plan():
    assert {room(path) for path in PACKAGE.rglob("*.py")} == {*ROOMS, "__init__"}


def test_rich_is_imported_where_pages_and_progress_are_written_and_nowhere_else():
    importing = re.compile(r"^\s*(from|import) rich", re.M)
    users = {path.name for path in PACKAGE.rglob("*.py") if importing.search(path.read_text("utf-8"))}
    assert users == {"terminal.py", "progress.py"}


def test_no_file_has_outgrown_its_room():
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= 300, path


def test_every_problem_that_is_raised_has_its_sentence_and_every_sentence_its_problem():
    sentences = tomllib.loads((PACKAGE / "prose" / "en.problem.toml").read_text("utf-8"))
    raised: dict[str, set[str]] = {"usage": {"message", "command"}, "output_full": {"why"}}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem" and node.args:
                if isinstance(node.args[0], ast.Constant):
                    raised.setdefault(node.args[0].value, set()).update(key.arg for key in node.keywords)
    del sentences["why"]
    of_a_file = sentences.pop("config")  # what a config may not be, told of a file
    assert raised.keys() == sentences.keys() and of_a_file.keys() <= raised.keys()
    for key, sentence in [*sentences.items(), *of_a_file.items()]:
        slots = {slot for _, slot, _, _ in string.Formatter().parse(sentence) if slot}
        assert slots <= raised[key] | {"where"}, key
        assert "\n" not in sentence
