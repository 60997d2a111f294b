"""attntrace emit: scripts that need nothing of attntrace compute the same steps."""
import contextlib
import importlib.util
import io
import itertools
import runpy
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from command import attntrace, refusal
from random_model import SENTENCE, TRANSLATION, WIRINGS, random_model

import attntrace as product

TORCH = importlib.util.find_spec("torch") is not None
EVERY = {"numpy": 1e-12, **({"torch": 1e-6} if TORCH else {})}


def cells(line):
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in line)


def emitted(folder, *words, library="numpy"):
    """The steps of the script of a command line, which is short enough; and the script."""
    place = folder / f"{library}.py"
    result = attntrace("emit", *words, "--as", library, "-o", str(place))
    assert (result.code, result.err) == (0, ""), result
    text = place.read_text("utf-8")
    lines = text.splitlines()
    assert len(lines) <= 120 and max(map(cells, lines)) <= 100, text
    assert "attntrace" not in [line.split()[1].split(".")[0] for line in lines if line.startswith(("import", "from"))]
    with contextlib.redirect_stdout(io.StringIO()):
        return runpy.run_path(str(place))["steps"], text


def compare(steps, expected, tolerance):
    assert [*steps] == [step.address for step in expected]
    for step in expected:
        mine = np.asarray(steps[step.address])
        assert mine.shape == step.value.shape, step.address
        np.testing.assert_allclose(mine, step.value, rtol=0, atol=tolerance, err_msg=step.address)


@pytest.mark.parametrize("library", EVERY)
@pytest.mark.parametrize("name", WIRINGS)
def test_a_script_computes_the_steps_of_every_wiring(name, library, tmp_path):
    file = str(random_model(**WIRINGS[name]).write(tmp_path / "w.npz"))
    steps, _ = emitted(tmp_path, SENTENCE, "--target", TRANSLATION, "--weights", file, library=library)
    compare(steps, product.trace(SENTENCE, TRANSLATION, weights=file), EVERY[library])
