"""Pages in LaTeX: every number read back by its address; words that do nothing; compiled where XeLaTeX is."""
import io
import re
import shutil
import subprocess
from html import escape

import pytest
from command import BLOG, attntrace
from hostile import HOSTILE
from latex import by_address, read
from pages import blocks_named, run_of
from test_markdown import agree

from attntrace.messages.unicode import shown
from attntrace.writers.latex import CARETS, LatexWriter
from attntrace.writers.latex.markup import escaped
from attntrace.writers.page import Look

SMALL = "--d-model", "2", "--heads", "1", "--d-ff", "2"
WIDE = "trace", "어제", "--target", "I", "--d-model", "36", "--heads", "2", "--d-ff", "40"


def latex(*arguments: str) -> str:
    code, out, errors = attntrace(*arguments, "--format", "latex")
    assert (code, errors) == (0, "")
    return out


@pytest.mark.parametrize("arguments", [("trace", *BLOG), WIDE, ("backprop", "어제", "I", *SMALL)], ids=" ".join)
def test_every_number_of_a_run_stands_under_its_address_as_vectors_and_as_matrices(arguments):
    drawn, run = by_address(latex(*arguments, "--precision", "6")), run_of(*arguments)
    for address, value in run.values.items():
        assert len(drawn[address]) >= 2, address
        assert all(agree(array, value) for array in drawn[address]), address
    wide = [name for name in run.parameters if name.endswith(("W_1", "W_2"))]
    assert all(agree(drawn[name][0], run.parameters[name]) for name in wide)


@pytest.mark.parametrize("word", [*HOSTILE.split(), "a_b^c~", "50%", "{x}", "--", "''", "[CLS]", "#1", "$x$", "&", '"'])
def test_a_word_does_nothing_but_show_itself(word):
    tex = escaped(shown(word))
    assert read(tex) == shown(word)
    assert not re.search(r"(?<!\\)[&#%~^_$]", tex)
    assert tex.count("{") - tex.count(r"\{") == tex.count("}") - tex.count(r"\}")


def test_a_fragment_has_no_preamble_and_its_prose_stands_in_comments():
    page = latex("trace", *BLOG, "--only", "head1.scores", "--fragment")
    assert not re.search(r"(?m)^\\(documentclass|usepackage|begin\{document\}|(sub)*section)", page)
    assert "% Part 1: Vector form" in page and r"\begin{blockarray}" in page
    code, out, errors = attntrace("trace", "a", "--fragment")
    assert (code, out) == (2, "") and "--format latex" in errors


def test_words_have_the_hues_that_they_have_in_a_picture_unless_there_are_no_colours():
    run = "어제 카페 갔었어", "--target", "I went <s> cafe"
    picture = attntrace("map", *run, "--format", "svg").out
    hues = {(word, hue.upper()) for hue, word in re.findall(r'fill="#(\w{6})">([^<]+)</text>', picture)}
    for command in ("map", "trace"):
        page = latex(command, *run)
        coloured = re.findall(r"\\textcolor\[HTML\]\{(\w+)\}\{([^{}\\$]+)\}", page)
        assert {word for _, word in coloured} >= set(" ".join(run[::2]).split()) - {"<s>"}
        assert {(escape(word), hue) for hue, word in coloured} <= hues
        assert "textcolor" not in latex(command, *run, "--color", "never")
    compared = latex("compare", *run, "--ablate", "encoder.layer1.self_attention.head1")
    assert len(re.findall(r"(?m)^.*\\textcolor.*& \\textcolor.*& \\textcolor", compared)) > 4  # next words
    mixture = next(line for line in latex("trace", *run).split("\n") if r"\cdot" in line and "multicolumn" in line)
    assert mixture.count(r"\textcolor") == mixture.count(r"\cdot")


def test_a_bookmark_has_the_letters_of_its_heading_and_no_mathematics():
    page = latex("backprop", "어제", "I", *SMALL, "--lang", "ko", "--only", "gradient.output.*")
    headings = re.findall(r"(?m)^\\(?:sub)*section\{\\texorpdfstring\{(.*)\}\{([^{}]*)\}\}$", page)
    assert headings and not any(re.search(r"\$|\\[a-z]", plain) for _, plain in headings)
    assert all(read(tex.replace("$", "")) == read(plain) for tex, plain in headings)


def test_letters_that_a_stream_lacks_are_written_as_xetex_reads_them():
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    writer = LatexWriter(out, Look(title="카페 👩"))
    writer.close()
    assert "카 👩".encode("ascii", CARETS) == b"^^^^ce74 ^^^^^^01f469"
    LatexWriter(out, Look())(blocks_named("카"))
    out.flush()
    assert b"^^^^ce74" in out.buffer.getvalue()


if shutil.which("xelatex"):
    @pytest.mark.thorough
    @pytest.mark.parametrize("arguments", [
        ("trace", *BLOG), ("trace", HOSTILE, "--target", HOSTILE, *SMALL), ("map", *BLOG), ("steps", *BLOG),
        ("verify", "a b"), ("why", "output.probabilities:1,cafe", *BLOG, "--depth", "3"), ("explain",)], ids=" ".join)
    def test_xelatex_compiles_a_page_and_finds_every_letter(arguments, tmp_path):
        (tmp_path / "page.tex").write_text(latex(*arguments), "utf-8")
        command = ["xelatex", "-interaction=batchmode", "-halt-on-error", "page.tex"]
        done = subprocess.run(command, cwd=tmp_path, timeout=120)
        log = (tmp_path / "page.log").read_text("utf-8", "replace")
        assert done.returncode == 0, log[-2000:]
        assert "Missing character" not in log
