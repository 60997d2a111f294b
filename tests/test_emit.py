"""attntrace emit: scripts that need nothing of attntrace compute the same steps."""
import ast
import contextlib
import importlib.util
import io
import json
import runpy
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import attntrace, refusal
from hostile import HOSTILE, HOSTILE_WORDS
from random_model import SENTENCE, TRANSLATION, WIRINGS, random_model

import attntrace as product

TOLERANCES = {"numpy": 1e-12, "torch": 1e-6}
LIBRARIES = [name for name in TOLERANCES if importlib.util.find_spec(name)]
PLACE = {"attention": "encoder.layer1.self_attention", "cross_attention": "attention"}


def cells(line: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in line)


def emitted(*words: str, library: str = "numpy") -> str:
    """The script of a command line, which is short and imports no more than it needs."""
    result = attntrace("emit", *words, "--as", library, "-o", "script.py")
    assert (result.code, result.err) == (0, ""), result
    text = Path("script.py").read_text("utf-8")
    lines = text.splitlines()
    assert len(lines) <= 120 and max(map(cells, lines)) <= 100, text
    imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= {"hashlib", "math", "pathlib", "numpy", library}
    return text


def computed() -> dict[str, Any]:
    """The steps of the script."""
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="raise", under="ignore"):
        steps: dict[str, Any] = runpy.run_path("script.py")["steps"]
    return steps


def check(expected: product.TracedRun, tolerance: float) -> None:
    """Compare the steps of the script with those of a run: all of them, in their order."""
    steps = computed()
    assert [*steps] == [*expected]
    for step in expected.steps:
        mine = np.asarray(steps[step.address])
        assert mine.shape == step.value.shape, step.address
        np.testing.assert_allclose(mine, step.value, rtol=0, atol=tolerance, err_msg=step.address)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", ("as_in_the_paper", "activation_gelu", "norm_first_and_last", "position_learned",
                                  *WIRINGS))
def test_a_script_computes_the_steps_of_every_wiring(name, library):
    file = str(random_model(**WIRINGS[name]).write(Path("w.npz")))
    emitted(SENTENCE, "--target", TRANSLATION, "--weights", file, library=library)
    check(product.trace(SENTENCE, TRANSLATION, weights=file), TOLERANCES[library])
    assert sorted(path.name for path in Path().iterdir()) == ["script.py", "w.npz"]  # which it reads where it is


def random_rows(**shapes: tuple[int, int]) -> str:
    rng = np.random.default_rng(3)
    np.savez("rows.npz", **{name.replace("_", "."): rng.standard_normal(shape) for name, shape in shapes.items()})
    return "rows.npz"


def masks(*names: str) -> str:
    """Numbers to add to the scores of each head of attentions of 3 keys; in one row, no head may look anywhere."""
    rng = np.random.default_rng(4)
    added = {name: rng.standard_normal((2, 3, 3)) for name in names}
    for one in added.values():
        one[:, 2] = -np.inf
    np.savez("mask.npz", **added)
    return "mask.npz"


def part(part: str, **sizes: int) -> str:
    """A file of an attention alone with some of its biases, or of a stack that predicts."""
    rng = np.random.default_rng(5)
    config = {"d_model": 8, "heads": 2, **({} if part in PLACE else {"layers": 2, "d_ff": 16}), "part": part, **sizes}
    if part in PLACE:
        shapes = {"W_Q": (8, 8), "W_K": (sizes.get("k_dim", 8), 8), "W_V": (sizes.get("v_dim", 8), 8), "W_O": (8, 8),
                  "b_K": (8,), "b_O": (8,)}
        arrays = {f"{PLACE[part]}.{name}": rng.standard_normal(shape) for name, shape in shapes.items()}
        words: dict[str, Any] = {}
    else:
        stack, side = part[:7], "source" if part == "encoder_only" else "target"
        drawn = random_model(d_model=8, heads=2, d_ff=16).parameters
        arrays = {name.replace("decoder", stack): value for name, value in drawn.items()
                  if not name.startswith("encoder.") and "cross" not in name}
        known = ["I", "went", "</s>", "to", "<s>", "the", "cafe", "yesterday"]
        words = {"target": known} | ({"source": known} if side == "source" else {})
    Path("part.json").write_text(json.dumps({
        "config": config, "vocabulary": words, "parameters": {name: one.tolist() for name, one in arrays.items()}}))
    return "part.json"


# The options of a command line, the same as arguments, and how files are made that both name.
OTHERS = {
    "encoder": ({}, lambda: {}),
    "integers": ({"init": "integers", "target": "x y", "layers": 2}, lambda: {}),
    "rows": ({"target": None}, lambda: {"input": random_rows(encoder_input=(3, 8), decoder_input=(2, 8))}),
    "memory": ({}, lambda: {"input": random_rows(encoder_output=(3, 8), decoder_input=(2, 8))}),
    "words_after_rows": ({"target": "x"}, lambda: {"input": random_rows(encoder_input=(3, 8))}),
    "masks": ({"target": "x y", "pad": 1, "causal": True},
              lambda: {"mask": masks("encoder.self_attention", "decoder.cross_attention")}),
    "padding": ({"target": "x y", "pad": 2}, lambda: {}),
    "nowhere": ({"pad": 3}, lambda: {}),
    "float32": ({"target": "x", "dtype": "float32", "pad": 1}, lambda: {}),
    "attention": ({}, lambda: {"weights": part("attention"), "input": random_rows(encoder_input=(3, 8))}),
    "masked_attention": ({"causal": True, "mean_weights": True}, lambda: {
        "weights": part("attention"), "input": random_rows(query_input=(3, 8), key_input=(3, 8)),
        "mask": masks("encoder.self_attention")}),
    "cross_attention": ({"target": "x y z"}, lambda: {
        "weights": part("cross_attention", k_dim=5, v_dim=6), "mask": masks("attention"),
        "input": random_rows(query_input=(3, 8), key_input=(3, 5), value_input=(3, 6))}),
    "encoder_only": ({"words": "I went to"}, lambda: {"weights": part("encoder_only")}),
    "decoder_only": ({"words": "<s> I went"}, lambda: {"weights": part("decoder_only")})}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", OTHERS)
def test_a_script_computes_the_steps_of_every_part_input_and_mask(name, library):
    given, files = OTHERS[name]
    options: dict[str, Any] = {"words": "a b c", **given, **files()}
    words, target = options.pop("words"), options.pop("target", None)
    spelled = [word for key, value in options.items() for word in (
        [f"--{key.replace('_', '-')}"] + ([] if value is True else [str(value)]))]
    emitted(words, *(["--target", target] if target else []), *spelled, library=library)
    inputs = options.pop("input", None)
    check(product.trace(words, target, inputs=inputs, **options),
          1e-4 if name == "float32" else TOLERANCES[library])


@pytest.mark.parametrize("library", [pytest.param(name, marks=[pytest.mark.thorough] * (name == "torch"))
                                     for name in LIBRARIES])  # whose import takes seconds
def test_a_script_runs_without_attntrace_and_stops_where_a_number_is_another(library):
    text = emitted("this is a cat", "--target", "un chat", library=library)
    done = subprocess.run([sys.executable, "-I", "script.py"], capture_output=True, encoding="utf-8", timeout=100)
    assert (done.returncode, done.stdout.split()[-1], done.stderr) == (0, "93", "")
    fingerprint = json.loads(attntrace("trace", "this is a cat", "--target", "un chat", "--format", "jsonl")
                             .out.splitlines()[-1])["fingerprint"]
    assert f'"{fingerprint}"' in text
    Path("script.py").write_text(text.replace("d_k**0.5", "d_model**0.5"), "utf-8")
    with pytest.raises(AssertionError):
        computed()


def test_the_weights_beside_a_script_are_a_weights_file_of_the_same_run():
    emitted("this is a cat", "--set", "encoder.layer1.self_attention.W_Q:1,1=5", "--layers", "2")
    check(product.trace("this is a cat", weights="script.weights.npz"), 1e-12)


def test_the_comments_of_a_script_are_in_the_language_of_the_command_and_only_they():
    texts = [emitted("this is a cat", "--target", "a", "--lang", language) for language in ("en", "ko", "both")]
    assert "3.2.1절" in texts[1] and "section 3.2.1" not in texts[1] and "section 3.2.1" in texts[0]

    def code(text: str) -> list[str]:
        tree = ast.parse(text)
        return [ast.dump(node) for node in ast.walk(tree) if isinstance(node, (ast.Assign, ast.Return))]

    assert code(texts[0])[:40] == code(texts[1])[:40] == code(texts[2])[:40]


def test_no_word_is_read_as_code():
    weird = ['"""', "'''", "\\", "\n", "a\rb", "#", "{", "@weights", "\u2028", "\u202e", "\x0c", "xp.", "x" * 99,
             HOSTILE, *HOSTILE_WORDS]
    model = random_model()
    harmless = [f"w{n}" for n in range(len(weird))]
    table = np.random.default_rng(6).standard_normal((len(weird), 12))
    own = {**model.parameters, "encoder.E": table}
    trees = []
    for words in (weird, harmless):
        model._replace(source=tuple(words), parameters=own).write(Path("w.npz"))
        for ids in (range(1, len(weird) + 1), range(1, len(weird) + 1, 2)):
            text = emitted(" ".join(map(str, ids)), "--ids", "--weights", "w.npz")
            trees.append(ast.dump(ast.parse(text)))
            computed()
    assert trees[:2] == trees[2:]


@pytest.mark.parametrize("words, says", (
    (("a b", "--pencil", "2", "-o", "x.py"), "no option --pencil"),
    (("a b", "-o", "x.txt"), "does not end in .py"),
    (("a " * 2000, "-o", "x.py"), "more than 120"),
    (("a b", "-o", "none/x.py"), "none"),
    (("a b", "--as", "jax"), "jax")))
def test_what_no_script_can_be_is_refused_and_nothing_is_written(words, says):
    assert says in refusal("emit", *words)
    assert [*Path().iterdir()] == []


def test_a_script_that_is_printed_is_the_one_that_is_written_and_a_line_names_its_files():
    text = emitted("a b")
    printed = attntrace("emit", "a b")
    assert (printed.code, printed.out) == (0, text) and "NAME.weights.npz" in printed.err
