"""What the tests themselves keep to."""
from __future__ import annotations

import ast

from command import ROOT

RUNS = "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output"


def test_no_wait_for_a_process_is_unbounded():
    for path in (ROOT / "tests").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            call, where = ast.unparse(node.func), f"{path.name}:{node.lineno}: {ast.unparse(node)}"
            if node.func.attr in ("wait", "communicate") or call in RUNS:
                assert "timeout" in {keyword.arg for keyword in node.keywords}, where
            if call == "os.waitpid":
                assert "os.WNOHANG" in map(ast.unparse, node.args), where
