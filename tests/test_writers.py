"""Every page format writes every kind of block: with all its numbers and words, in every language, on any stream."""
import inspect
import io
import re
import unicodedata
from functools import cache
from types import SimpleNamespace
from typing import get_args

import latex
import pytest
from command import attntrace, words_of
from markup import read
from rich.cells import cell_len

from attntrace.messages.catalog import LANGUAGES, Message, template
from attntrace.pages.blocks import Block, Grids, MatrixEquation, Pair, Prose, Title, Verified, VerifiedHead, Wiring
from attntrace.writers import FORMATS, PAGES, TEXT
from attntrace.writers.page import METHODS, BlockWriter, Look
from attntrace.writers.text.writer import CELLS, cells_of

KINDS = [kind for kind in get_args(Block) if kind not in (Wiring, Pair)]  # which no reader sees
COMMANDS = ["backprop 'cat \x1b[2J\u202e' 'dog' --d-model 2 --heads 1 --d-ff 2 --check", "trace 'cat dog' --limit 3",
            "steps 'cat dog'", "why encoder.output:1,1 'cat dog'", "map 'cat dog'", "verify cat", "verify cat -q",
            "compare 'cat dog' --what-if '--swap 1,2'"]
NUMBER, WORD, HANGUL = re.compile(r"-?\d+\.\d+"), re.compile(r"[A-Za-z가-힣]{2,}|\b\d+\b"), re.compile("[가-힣]")
ENGLISH = re.compile(r"\b(?:(?!cat|dog)[a-z]{2,}(?: |\b)){3}")  # words that are not of a sentence
READERS = {"html": lambda page: " ".join(read(page).find("body/main").itertext()),
           "latex": latex.read}  # of what has no text as it is


@cache
def examples() -> dict[type, list[Block]]:
    """Some blocks of each kind that is on the pages of these commands."""
    found: dict[type, list[Block]] = {}

    class Recorder(SimpleNamespace):
        def __call__(self, blocks):
            for block in blocks:
                block = block._replace(drawn=frozenset()) if isinstance(block, MatrixEquation) else block
                if isinstance(block, Grids):  # of which only text has a short form
                    block = block._replace(grids=tuple(grid._replace(constant=False) for grid in block.grids))
                found.setdefault(type(block), []).append(block)

    recorder = SimpleNamespace(load=lambda: lambda out, look: Recorder(out=out, close=lambda: None), answers=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FORMATS, "markdown", recorder)
        for command in COMMANDS:
            assert attntrace(*words_of(f"attntrace {command}"), "--format", "markdown").code == 0
    few = {kind: blocks[::max(1, len(blocks) // 5)] for kind, blocks in found.items()}
    few[Title] = few[Title][:1]  # of a page
    few[Verified].append(Verified("7", "0.25", "encoder.input", Message("messages.heading")))  # one that failed
    return few


@cache
def written(format: str, kind: type, languages: tuple[str, ...] = ("en",), encoding: str = "utf-8") -> str:
    """A page of all examples of a kind, as it is read."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    writer = PAGES[format].load()(out, Look(width=500, languages=languages))
    writer([*examples()[VerifiedHead] * (kind is Verified), *examples()[kind]])  # which stands below its head
    writer.close()
    out.flush()
    return READERS.get(format, str)(out.buffer.getvalue().decode(encoding))


def test_every_kind_of_block_has_an_example_and_a_method_that_a_writer_must_have():
    assert [kind.__name__ for kind in KINDS if kind not in examples()] == []
    assert [name for name in METHODS.values() if name not in vars(BlockWriter)] == []
    assert all(inspect.signature(getattr(BlockWriter, name)).parameters["block"].annotation is kind
               for kind, name in METHODS.items())


@pytest.mark.parametrize("format", PAGES)
def test_a_format_is_a_class_of_which_mypy_proves_that_it_writes_every_block(format):
    writer = PAGES[format].load()
    assert BlockWriter in writer.__mro__ and writer.__final__


@pytest.mark.parametrize("format", PAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_block_is_written_with_all_its_numbers_and_words_and_without_a_hidden_character(kind, format):
    page = written(format, kind)
    assert {char for char in page if unicodedata.category(char) in ("Cc", "Cf")} <= {"\n"}
    assert {number for other in PAGES for number in NUMBER.findall(written(other, kind))} <= {*NUMBER.findall(page)}
    # Markdown says of how many; HTML nests levels; only text fills cells with signs that have a legend.
    in_text = {*WORD.findall(written(TEXT, kind))} - {"more", "0", *WORD.findall(template("en", "messages.shades"))}
    assert in_text and in_text <= {*WORD.findall(page)}


@pytest.mark.parametrize("format", PAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_block_is_in_the_language_of_the_page_and_in_both_where_both_are_asked_for(kind, format):
    pages = {language: written(format, kind, (language,)) for language in LANGUAGES}
    both = {*WORD.findall(written(format, kind, tuple(LANGUAGES)))}
    assert all({*WORD.findall(page)} <= both for page in pages.values())
    assert not HANGUL.search(pages["en"]) and not ENGLISH.search(pages["ko"])
    korean = {bool(HANGUL.search(written(name, kind, ("ko",)))) for name in (TEXT, format)}
    assert korean == {pages["ko"] != pages["en"]}


@pytest.mark.parametrize("format", PAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_block_has_no_sign_that_its_stream_lacks(kind, format):
    assert written(format, kind, encoding="ascii")  # or it would have raised an error


@pytest.mark.parametrize("format", PAGES)
def test_blocks_are_written_as_they_come(format):
    out, seen = io.StringIO(), []
    writer = PAGES[format].load()(out, Look(title="x"))

    def blocks():
        for n in range(3):
            yield Prose(f"number {n}")
            seen.append(f"number {n}" in out.getvalue())

    writer(blocks())
    assert seen == [True] * 3


def test_every_sign_that_is_measured_without_rich_takes_the_cells_that_rich_says():
    assert all(cells_of(char) == len(blank) == cell_len(char) for char, blank in
               {chr(code): blank for code, blank in CELLS.items()}.items())
    assert all(cells_of(chr(code)) == cell_len(chr(code)) == 2 for code in range(ord("가"), ord("힣") + 1))
    assert cells_of("é漢字e\u0301 가") == cell_len("é漢字e\u0301 가") == 9
