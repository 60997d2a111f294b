"""The structure: which packages there are, who may import whom, and where messages and colours live."""
import ast
import re
import string
import tomllib

from command import ROOT

from attntrace.model import config

PACKAGE = ROOT / "attntrace"
# Packages from the bottom up, and in each its modules from the bottom up: each imports only what stands before it.
ORDER = {
    "version": "",
    "messages": "catalog errors unicode nearest",
    "verify": "arithmetic ops recompute invariants torch",
    "tensor": "notebook rounding hand_arithmetic symbol axes expression tensor printer evaluate",
    "ops": "shape elementwise functions matmul indexing batch loss",
    "tracing": "addresses trace",
    "model": "config pieces folding tokens memory masks parameters transformer integer_parameters",
    "files": "arrays archive weights named answers inputs masks pytorch torch",
    "training": "schedule pairs pieces backward optimizers loop checkpoint",
    "runs": "what_if run prepare decoding beam training_step saved slips check worksheet marking",
    "pages": "numbers blocks architecture topic_table topics view stages checks forms why overview answer "
             "diff verdicts weights translation beam check worksheet page",
    "writers": "terminal_width page arithmetic text data formulas svg latex markdown html notebook script",
    "player": "slips names course sheets player drawing terminal",
    "cli": "exit_codes languages progress values output pause formats click_words options subject"
           " commands app",
    "api": "",
    "testing": "",
    "__main__": "",
}
PLACES = {package: n for n, package in enumerate(ORDER)}


def parts_of(path) -> list[str]:
    return [part.removesuffix(".py") for part in path.relative_to(PACKAGE).parts if part != "__init__.py"]


def imports(path):
    """The package and the module of each import within attntrace."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "attntrace":
            _, *parts = node.module.split(".")
            yield from ([*parts, alias.name][:2] for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1:3] for alias in node.names if alias.name.startswith("attntrace."))


def test_every_module_has_its_place_in_the_order():
    modules = {tuple(parts_of(path)[:2]) for path in PACKAGE.rglob("*.py")} - {()}
    assert modules == {(package, *module) for package, names in ORDER.items()
                       for module in [(), *((name,) for name in names.split())]}


def test_imports_point_downwards_only():
    for path in PACKAGE.rglob("*.py"):
        package, *module = parts_of(path)[:2] or [""]
        for imported, *names in imports(path):
            if package == imported and module:
                inside = ORDER[package].split()
                assert not names or names[0] not in inside or inside.index(names[0]) <= inside.index(module[0]), (
                    f"{path} imports {names[0]}")
            elif package and imported in ORDER:
                assert PLACES[imported] < PLACES[package] or imported == package, f"{path} imports {imported}"


def test_rich_is_imported_where_pages_and_progress_are_written_and_nowhere_else():
    importing = re.compile(r"^\s*(from|import) rich", re.M)
    users = {path.name for path in PACKAGE.rglob("*.py") if importing.search(path.read_text("utf-8"))}
    assert users == {"writer.py", "progress.py", "terminal.py"}


def test_every_problem_that_is_raised_has_its_sentence_and_every_sentence_its_problem():
    sentences = tomllib.loads((PACKAGE / "messages" / "en" / "problem.toml").read_text("utf-8"))
    raised: dict[str, set[str]] = {"usage": {"message", "command"}, "output_full": {"why"}, "no_memory": set()}
    raised |= {key: {"name", "option", "value", "choices", "most"} for key in config.PROBLEMS.values()}
    raised |= {f"{of}_{how}": {"file", "why", "name"} for of in ("weights", "saved")
               for how in ("broken", "pickled", "missing", "directory", "unreadable")}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Problem", "check_fits") and node.args:
                if isinstance(node.args[0], ast.Constant):
                    raised.setdefault(node.args[0].value, set()).update(key.arg for key in node.keywords)
    del sentences["why"]
    of_a_file = sentences.pop("config")  # what a config may not be, told of a file
    assert raised.keys() == sentences.keys() and of_a_file.keys() <= raised.keys()
    for key, sentence in [*sentences.items(), *of_a_file.items()]:
        slots = {slot for _, slot, _, _ in string.Formatter().parse(sentence) if slot}
        assert slots <= raised[key] | {"where", "needed", "there"}, key
        assert "\n" not in sentence


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


def test_every_test_that_the_recipes_name_is_there():
    recipes = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    tests = {path.name: path.read_text("utf-8") for path in (ROOT / "tests").glob("*.py")}
    assert set(re.findall(r"`(?:tests/)?(test_\w+\.py)", recipes)) <= tests.keys()
    named = set(re.findall(r"`(test_\w+)`", recipes))
    assert named and named <= set(re.findall(r"def (test_\w+)", "".join(tests.values())))
