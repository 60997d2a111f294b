"""Any step can be shown: every op, rows of whatever axis, single numbers, gradients."""
import gc
import hashlib
import io
import re
import weakref

import numpy as np
import pytest
from examples import D_K, D_MODEL, D_V, EXAMPLES, KEY, TOKEN, Leaves

from attntrace import trace
from attntrace.messages.catalog import ends, has_template
from attntrace.model.config import Config
from attntrace.ops.functions import softmax, sqrt, square
from attntrace.pages.blocks import Block
from attntrace.pages.checks import rows_of
from attntrace.pages.forms import FORMS
from attntrace.pages.stages import Stage
from attntrace.pages.view import View
from attntrace.runs.prepare import prepare
from attntrace.tensor.axes import Axis
from attntrace.tensor.printer import LatexPrinter
from attntrace.tensor.symbol import Spelling, Symbol
from attntrace.tensor.tensor import Tensor
from attntrace.tracing.trace import Fingerprint, Step, Trace
from attntrace.writers.page import BREAK, Look
from attntrace.writers.text.writer import TerminalWriter

WIRINGS = [{}, {"norm": "pre", "final_norm": True}, {"position": "none", "scale_embedding": False}, {"heads": 1}]


def page_of(tensor: Tensor, form: str, width: int = 100, symbol: str | Symbol = "R") -> str:
    """The page of one step in one form; no check on it fails."""
    out = io.StringIO()
    show = FORMS[form](View(arithmetic="all"), TerminalWriter(out, Look(width)), set())
    Trace(show, place="here")("result", tensor, symbol)
    show.close()
    assert show.failed == []
    return out.getvalue()


@pytest.mark.parametrize("colour", ["never", "always"])
@pytest.mark.parametrize("form", FORMS)
def test_a_long_step_is_the_same_at_once_and_line_by_line_and_has_every_number(form, colour):
    """Weights of more tokens than are written at once, half of them masked, in several blocks of columns."""
    labels = tuple(f"w{n}" for n in range(520))
    scores = np.random.default_rng(0).normal(size=(520, 40)) * 3
    scores[scores < 0] = -np.inf
    tensor = Tensor(scores, (Axis("token", 520, labels), Axis("key", 40, labels[:40])), Symbol.of("S"), "s")
    writer, shown = TerminalWriter(io.StringIO(), Look(80, colour=colour)), list[Block]()
    show = FORMS[form](View(arithmetic="none"), shown.extend, set())
    Trace(show, place="here")("weights", softmax(tensor), "A")
    show.close()
    page = "".join(writer.lines(shown))
    assert page == "".join(f"{writer.text_of(line)}\n" for block in shown for line in writer.block_lines(block)
                           if line is not BREAK)
    plain = re.sub(r"\x1b\[[\d;]*m", "", page)
    assert (plain != page) == (colour == "always")
    numbers = re.findall(r"(?<![\w.])(?:0|\d\.\d{3})(?![\w.])", plain)
    weights = ["0" if weight == 0 else f"{weight:.3f}" for weight in softmax(tensor).value.ravel().tolist()]
    assert sorted(numbers[-len(weights):]) == sorted(weights)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("width", [60, 160])
@pytest.mark.parametrize("example", [example for example in EXAMPLES if "sentence" not in
                                     {axis.name for axis in example.axes}], ids=str)  # a batch is not shown
def test_a_step_of_any_op_can_be_shown(example, width, form):
    page = page_of(example.tensor(), form, width)
    assert "here" in page and "✓" in page


def test_the_gradient_of_a_weight_is_shown_token_by_token():
    """As a sum of outer products; the i of a row that is not a token stands in brackets."""
    leaf = Leaves()
    X, G = leaf(TOKEN, D_MODEL), leaf(TOKEN, D_K)
    page = page_of(X.T @ G, "vector", symbol=Symbol("W", "Q", gradient=True))
    assert "∂L/∂W_Q = a₁ᵀ b₁ + a₂ᵀ b₂ + a₃ᵀ b₃" in page
    assert "∂L/∂W_Q[i,:] = A[:,i]ᵀ B" in page
    assert re.search(r"^1\.1  .* ✓", page, re.M)
    first = re.search(r"a₁ᵀ b₁ 4×2.*\n\s*⎡\s*(\S+)", page)
    assert float(first[1]) == pytest.approx(X.value[0, 0] * G.value[0, 0], abs=5e-4)


def test_a_negative_share_stands_among_others():
    leaf = Leaves()
    page = page_of(leaf(TOKEN, KEY) @ leaf(TOKEN, D_V), "vector")
    mixtures = re.findall(r"(?:\]  |=) (\S+·b₁ \+ \S+·b₂ \+ \S+·b₃)(?= |$)", page, re.M)
    assert len(mixtures) == 3 and not any("+ -" in mixture for mixture in mixtures)


@pytest.mark.parametrize("compute, equation", [
    (square, "( ⎡ 1.000 2.000 ⎤ × 10⁻³ )² = ⎡ 0.100 0.400 ⎤ × 10⁻⁵"),
    (sqrt, "√( ⎡ 1.000 2.000 ⎤ × 10⁻³ ) = ⎡ 0.032 0.045 ⎤"),
    (lambda A: A / A, "⎡ 1.000 2.000 ⎤ × 10⁻³ / ( ⎡ 1.000 2.000 ⎤ × 10⁻³ ) = ⎡ 1 1 ⎤"),
    (lambda A: A + A, "⎡ 1.000 2.000 ⎤ × 10⁻³ + ⎡ 1.000 2.000 ⎤ × 10⁻³ = ⎡ 2.000 4.000 ⎤ × 10⁻³"),
    (lambda A: A @ A.T, "⎡ 1.000 2.000 ⎤ × 10⁻³ · ⎡ 1.000 3.000 ⎤ × 10⁻³ = ⎡ 0.500 1.100 ⎤ × 10⁻⁵")])
def test_a_sign_that_would_be_read_as_one_of_the_factor_stands_outside_of_brackets(compute, equation):
    small = Tensor(np.array([[1e-3, 2e-3], [3e-3, 4e-3]]), (TOKEN._replace(size=2, labels=None), D_K._replace(size=2)),
                   Symbol.of("A"))
    assert f"\n  {equation}\n" in page_of(compute(small), "matrix")


def stages_of(*sentences: str, config: Config = Config()) -> list[Stage]:
    stages: list[Stage] = []

    def sink(step: Step) -> None:
        if not stages or not stages[-1].goes_on_with(step, rows_of(step, only=1)[0]):
            stages.append(Stage(len(stages) + 1))
        stages[-1].steps.append(step)

    prepare(*sentences, config=config)(sink)
    return stages


@pytest.mark.parametrize("wiring", WIRINGS, ids=str)
def test_every_stage_has_a_title(wiring):
    for stage in stages_of("a b c", "d e", config=Config(layers=2, **wiring)):
        place = [part for part in stage.steps[0].place.split(".") if not part[-1].isdigit()]
        name = stage.steps[0].stage or stage.steps[0].name
        assert any(has_template("en", f"titles.{end}") for end in ends([*place, name])), (place, name)


@pytest.mark.parametrize("kind, stages", [
    ("self", ["query key value", "scores scaled_scores masked_scores weights output"]),
    ("cross", ["query", "key value", "scores scaled_scores weights output"])])
def test_a_stage_ends_where_a_step_needs_all_its_rows(kind, stages):
    """Keys and values are complete before scores; queries from the decoder stand apart from keys of the encoder."""
    place = f"decoder.layer1.{kind}_attention.head1."
    names = [" ".join(step.address.removeprefix(place) for step in stage.steps) for stage in stages_of("a b c", "d e")]
    assert set(stages) <= set(names)


def test_a_step_that_was_shown_is_forgotten():
    """Nothing of a run stays in memory once it was shown, unless the run keeps it for going backwards."""
    for keep, alive in ((None, False), ([], True)):
        leaf = Leaves()
        tracing = Trace(lambda step: None, keep, "here")
        unnamed = leaf(TOKEN, D_MODEL) @ leaf(D_MODEL, D_K)
        memory = weakref.ref(unnamed.value if unnamed.value.base is None else unnamed.value.base)
        named = tracing("result", softmax(unnamed), "R")
        del unnamed
        gc.collect()
        assert (memory() is not None) == alive and named.address == "here.result"


def test_the_fingerprint_is_what_the_readme_says():
    fingerprint = Fingerprint()
    two = TOKEN._replace(size=2, labels=None)
    leaf = Tensor(np.array([[-1e-9, 1.25], [0.0, -2.0]]), (two, D_K), Symbol.of("A"), "A")
    Trace(fingerprint, place="here")("result", -(-leaf), "R")
    text = "here.result\n0.000000 1.250000 0.000000 -2.000000\n"
    assert str(fingerprint) == hashlib.sha256(text.encode()).hexdigest()[:8]


def test_latex_spells_the_equations_of_the_paper():
    steps = trace("a b", "c d")
    spelled = {step.address: step.formula(Spelling.LATEX) for step in steps.steps}
    assert spelled["encoder.layer1.self_attention.head1.scores"] == r"S = Q\,K^{\top}"
    assert spelled["encoder.layer1.self_attention.head1.scaled_scores"] == r"\hat{S} = S / \sqrt{d_{k}}"
    assert spelled["encoder.layer1.self_attention.head1.query"] == r"Q = X\,W_{Q}^{(1)}"
    assert spelled["encoder.layer1.feed_forward.norm"] == r"X^{(1)} = \gamma \odot \hat{U} + \beta"
    product = steps["encoder.layer1.self_attention.head1.scores"].step.node.cell((0, 0))
    assert LatexPrinter(write=lambda ref: "2.0").text(product) == " + ".join([r"2.0 \cdot 2.0"] * 4)
