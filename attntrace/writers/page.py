"""What the writers of pages share: how a page looks, spelling, wrapping, styled spans, shades."""
import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import accumulate, chain, groupby, islice, repeat, zip_longest
from typing import Any, NamedTuple, Protocol, TextIO, TypeVar, get_args

import numpy as np

from attntrace.messages.catalog import DEFAULT, LANGUAGES, Message, Text, in_a_line, in_languages
from attntrace.messages.unicode import shown
from attntrace.pages import blocks
from attntrace.pages.blocks import Block, Box, Cell, Check, Formula, Grid, Hues, Maps, StageHeading
from attntrace.pages.numbers import MAP_DECIMALS, Figures
from attntrace.tensor.expression import Expression, snake_case
from attntrace.tensor.printer import PRINTERS, Operator
from attntrace.tensor.symbol import SUPERSCRIPTS, Spelling, Symbol
from attntrace.tensor.tensor import Array
from attntrace.tracing.addresses import Address


class Span(NamedTuple):
    """A piece of a line in one style: `bold`, `grey`, `red`, or `hue3`, one of those of words."""
    text: str
    style: str = ""


class Shaded(NamedTuple):
    """A row of cells in shades, and its text without them."""
    text: str
    painted: str


P = TypeVar("P", covariant=True)
T = TypeVar("T")
Part = str | Span | Shaded  # text alone has no style
Line = tuple[Part, ...]


class Head(tuple[Part, ...]):
    """A line that belongs above the rows that follow in its block: words, a name. Written again where these go on
    on another page."""


class Rows(NamedTuple):
    """Many lines at once, as columns of painted texts. Some of them have a painted head above them."""
    columns: Sequence[Sequence[str]]
    heads: Sequence[Head | None] = ()

    def lines(self) -> Iterator[Line]:
        for head, line in zip_longest(self.heads, zip(*self.columns, strict=True)):
            if head is not None:
                yield head
            yield line

    def text(self) -> str:
        heads = [[f"{head[0]}\n" if head else "" for head in self.heads]] if self.heads else []
        return "".join(chain.from_iterable(zip(*heads, *self.columns, repeat("\n"))))


def plainly(line: Line) -> str:
    """The text of a line, without its styles."""
    return "".join([part if isinstance(part, str) else part.text for part in line])


class Paint:
    """How styles become text: here, not at all."""
    shades: Sequence[tuple[str, str]] = ()  # what stands before and behind cells of each level, from 0

    def text_of(self, line: Line) -> str:
        return plainly(line)


BREAK = Head()  # no line: a place where a page may end
INDENT = "  "
PROMPT = "$ "  # before a command that stands in prose
GAP = "   "
LONGEST_LABEL = 24  # cells (on a narrow page a quarter of it): a longer word is cut in labels, never a number
UNICODE_SIGNS = "ᵀ⎡⎢⎣⎤⎥⎦√·⊙Σ∂′⁽⁾⁰¹²³⁴⁵⁶⁷⁸⁹⁻₀₁₂₃₄₅₆₇₈₉ᵢŝÛμσγβεΦφ≈✓✗×█▁─═│┌┐└┘┼↑→▶●"
ASCII_PROSE = str.maketrans({"✓": "ok", "×": "x", "·": "*", "²": "^2", "─": "-", "═": "=", "√": "sqrt ", "≈": "~=",
                             "ε": "eps", "ᵀ": "^T", "′": "'", "∂": "d", "β": "beta", "σ": "sigma", "≠": "!=",
                             "→": "->", "Σ": "sum", "₁": "1", "₂": "2", "⁽": "^(", "⁾": ")", "¹": "1", "Φ": "Phi",
                             "φ": "phi", "π": "pi", "³": "^3"})
COLUMNS = 16  # of a table in a document, whose width nobody knows
LEVELS = 8  # of bars and of shades
MASKED, ASCII_MASKED = "·", "."  # a weight of exactly 0, which the mask leaves
BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = ".:-=+*#@"


@lru_cache(maxsize=10_000)
def _label(text: str, longest: int, cells: Callable[[str], int], encoding: str) -> str:
    label = shown(text, encoding)
    if cells(label) <= longest:
        return label
    while cells(label) > longest - 2:
        label = label[:-max(1, (cells(label) - longest) // 4)]
    return label + ".."


class Look(NamedTuple):
    """How a page is asked for: its width, whether in ASCII, in colour (auto, always, never), larger; what it is about;
    its languages; whether as a fragment, to be part of another page."""
    width: int | None = None
    ascii: bool = False
    colour: str = "auto"
    big: bool = False
    title: str = ""
    languages: tuple[str, ...] = (DEFAULT,)
    fragment: bool = False


def spelling_for(encoding: str | None, ascii: bool) -> Spelling:
    """Unicode, or ASCII where the encoding lacks one sign that a page may need."""
    try:
        UNICODE_SIGNS.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        ascii = True
    return Spelling.ASCII if ascii else Spelling.UNICODE


def is_utf8(out: TextIO) -> bool:
    """Whether a stream takes every character as it is."""
    return codecs.lookup(out.encoding or "utf-8").name == "utf-8"


def markup_for(out: TextIO, errors: str = "xmlcharrefreplace") -> Callable[[str], str]:
    """How markup that says of itself to be UTF-8 is written to a stream: as it is; letters as their numbers (by the
    error handler of that name), where the encoding is another one with the signs of ASCII. A stream without these is
    made to be UTF-8."""
    signs = "".join(map(chr, range(128)))
    if isinstance(out, io.TextIOWrapper) and signs.encode(out.encoding, "replace") != signs.encode():
        out.reconfigure(encoding="utf-8", errors=out.errors)
    return str if is_utf8(out) else lambda markup: markup.encode("ascii", errors).decode("ascii")


class Writer(Protocol):
    """What writes blocks as they come, and ends the page when all were written."""
    out: TextIO

    def __call__(self, blocks: Iterable[Block]) -> None: ...

    def close(self) -> None:
        """Write what stands at the end: here, nothing."""
        return


class BlockWriter(Writer, Protocol[P]):
    """A page format: a method for each kind of block, which gives the parts of the page that it becomes, and is named
    after it. A writer is `@final`, so that mypy names the blocks that it does not write."""

    def lines(self, blocks: Iterable[Block]) -> Iterator[str]:
        """The text of blocks, as it comes."""
        ...

    def __call__(self, blocks: Iterable[Block]) -> None:
        self.out.writelines(self.lines(blocks))
        self.out.flush()

    def title(self, block: blocks.Title) -> Iterator[P]: ...
    def result(self, block: blocks.Result) -> Iterator[P]: ...
    def part_heading(self, block: blocks.PartHeading) -> Iterator[P]: ...
    def stage_heading(self, block: blocks.StageHeading) -> Iterator[P]: ...
    def explained(self, block: blocks.Explained) -> Iterator[P]: ...
    def heading(self, block: blocks.Heading) -> Iterator[P]: ...
    def prose(self, block: blocks.Prose) -> Iterator[P]: ...
    def answer(self, block: blocks.Answer) -> Iterator[P]: ...
    def table(self, block: blocks.Table) -> Iterator[P]: ...
    def grids(self, block: blocks.Grids) -> Iterator[P]: ...
    def vector_rows(self, block: blocks.VectorRows) -> Iterator[P]: ...
    def cell_lines(self, block: blocks.CellLines) -> Iterator[P]: ...
    def cause(self, block: blocks.Cause) -> Iterator[P]: ...
    def matrix_equation(self, block: blocks.MatrixEquation) -> Iterator[P]: ...
    def maps(self, block: blocks.Maps) -> Iterator[P]: ...
    def checks(self, block: blocks.Checks) -> Iterator[P]: ...
    def architecture(self, block: blocks.Architecture) -> Iterator[P]: ...
    def verified_head(self, block: blocks.VerifiedHead) -> Iterator[P]: ...
    def verified(self, block: blocks.Verified) -> Iterator[P]: ...

    def wiring(self, block: blocks.Wiring) -> Iterator[P]:
        """Only a page that answers has it."""
        return iter(())

    def pair(self, block: blocks.Pair) -> Iterator[P]:
        """Only a page that can switch between two runs has it."""
        return iter(())

    def written(self, block: Block) -> Iterator[P]:
        """A block of any kind, by the method of its name."""
        parts: Iterator[P] = getattr(self, METHODS[type(block)])(block)
        return parts


def with_cells_together(shown: Iterable[Block]) -> Iterator[Block]:
    """Blocks as they come, of which the arithmetic of cells in blocks one after the other is in one."""
    for kind, alike in groupby(shown, key=type):
        if kind is blocks.CellLines:
            every = [block for block in alike if isinstance(block, blocks.CellLines)]
            yield every[0]._replace(cells=tuple(cell for block in every for cell in block.cells))
        else:
            yield from alike


METHODS = {kind: snake_case(kind.__name__) for kind in get_args(Block)}  # the method of each kind of block


class Page:
    """Where lines go: width in cells, spelling of symbols, how many cells a text takes, and the encoding; whether
    weights are shaded; the languages of its texts; its colours."""

    def __init__(self, width: int, spelling: Spelling, cells: Callable[[str], int], encoding: str = "utf-8",
                 shades: bool = False, languages: tuple[str, ...] = (DEFAULT,), paint: Paint | None = None) -> None:
        self.width, self.spelling, self.cells, self.encoding = width, spelling, cells, encoding
        self.shades, self.languages, self.paint = shades, languages, paint or Paint()
        self.left_out: Columns | None = None  # the last time that some had no room

    @property
    def ascii(self) -> bool:
        return self.spelling is Spelling.ASCII

    @property
    def dots(self) -> str:
        return self.sign("…", "...")

    def sign(self, unicode: str, ascii: str) -> str:
        return ascii if self.ascii else unicode

    def text(self, text: Text) -> str:
        """A text in the languages of the page."""
        return in_languages(text, self.languages)

    def prose(self, text: Text) -> str:
        """The same in the spelling of the page."""
        rendered = self.text(text)
        return rendered.translate(ASCII_PROSE) if self.ascii else rendered

    def line(self, text: Text) -> str:
        """A text in the languages of the page, beside each other in one line."""
        return in_a_line(text, self.languages)

    def symbol(self, symbol: Symbol, head: int | None = None, row: str | None = None) -> str:
        return symbol.spelled(self.spelling, head, row)

    def expression(self, expression: Expression, head: int | None, row: str | None = None) -> str:
        """An equation's side as text."""
        return PRINTERS[self.spelling](head, row).text(expression)

    def sign_of(self, right: bool) -> str:
        if self.ascii:
            return self.text(Message("messages.ok" if right else "messages.wrong"))
        return "✓" if right else "✗"

    def verdict(self, heading: StageHeading) -> str:
        """The sign behind the title of a stage."""
        return "" if heading.right is None else " " + self.sign_of(heading.right).removesuffix(":")

    def check_sentence(self, check: Check) -> Message:
        """`row i of Q = qᵢ to 12 digits`."""
        names = dict(matrices=", ".join(self.symbol(symbol, check.head) for symbol in check.matrices),
                     rows=", ".join(self.symbol(symbol, check.head, "i") for symbol in check.rows),
                     row=check.row, digits=check.digits, address=check.failed, error=f"{check.error:.3g}", **check.more)
        if check.failed and check.rows:
            names["rows"] = self.symbol(check.rows[0], check.head)
        return Message(f"messages.{'failed' if check.failed else 'true'}.{check.key}", **names)

    def check_text(self, check: Check) -> str:
        """The sentence behind its sign: `✓ row i of Q = qᵢ to 12 digits`."""
        return f"{self.sign_of(not check.failed)} {self.prose(self.line(self.check_sentence(check)))}"

    def name(self, grid: Grid) -> str:
        return self.expression(grid.formula, grid.head) if grid.formula else self.symbol(grid.symbol, grid.head)

    def factor(self, figures: Figures) -> str:
        """` × 10⁻³` behind numbers that have this factor."""
        power = str(figures.power)
        return self.sign(f" × 10{power.translate(SUPERSCRIPTS)}", f" x 10^{power}") if figures.power else ""

    def formula(self, formula: Formula) -> str:
        left = self.symbol(formula.left, formula.head, formula.row)
        return f"{left} = {self.expression(formula.right, formula.head, formula.row)}"

    def cell(self, cell: Cell, is_word: bool = False) -> str:
        """What stands in a table."""
        return self.formula(cell) if isinstance(cell, Formula) else self.word(cell) if is_word else self.prose(cell)

    def label(self, text: str, longest: int = LONGEST_LABEL) -> str:
        """A word as the label of a row or a column."""
        return _label(text, min(longest, self.width // 4), self.cells, self.encoding)

    def word(self, text: Text) -> str:
        """A text as it may stand on this page, whole."""
        return shown(self.text(text), self.encoding)

    def padded(self, text: str, width: int) -> str:
        return f"{text}{' ' * (width - self.cells(text))}"

    def right(self, text: str, width: int) -> str:
        return f"{' ' * (width - self.cells(text))}{text}"

    def wrapped(self, parts: Sequence[str], indent: int, between: str = " ") -> list[str]:
        """Parts joined by `between`, in as many lines as they need beside an indent."""
        lines, used, apart = [""], 0, self.cells(between)
        for part in parts:
            cells = self.cells(part)
            if lines[-1] and used + apart + cells > self.width - indent:
                lines.append(part)
                used = cells
            else:
                used += cells + (apart if lines[-1] else 0)
                lines[-1] = f"{lines[-1]}{between}{part}" if lines[-1] else part
        return lines

    def wrapped_anywhere(self, text: str, indent: int) -> list[str]:
        """A text without numbers in it, broken between any two characters where it is too wide."""
        lines = [""]
        for char in text:
            if self.cells(lines[-1] + char) > self.width - indent:
                lines.append("")
            lines[-1] += char
        return lines

    def wrapped_sum(self, text: str, indent: int) -> list[str]:
        """An expression, broken before `+` and `;`; a term that is too long in itself before `/` and `-` as well."""
        parts: list[str] = []
        for term in re.split(r" (?=[+;] )", text):
            too_long = self.cells(term) > self.width - indent
            parts += re.split(r" (?=[/-] )", term) if too_long else [term]
        return self.wrapped(parts, indent)


def words_of(text: str) -> list[str]:
    """The words of prose, between which a line may end."""
    last = max(text, default="")  # where a text has no letter of such a language, its expression need not be compiled
    return _blank(tuple(one.unbroken for one in LANGUAGES.values()
                        if one.unbroken and last >= one.letters[:1])).split(text)


@cache
def _blank(unbroken: tuple[str, ...]) -> re.Pattern[str]:
    """A blank where a line may end: not in a size such as 4 × 8, nor before what begins no line in a language."""
    return re.compile(rf" (?!{'|'.join(['× [0-9]', *unbroken])})(?<![0-9] × )")


def packed(items: Iterable[T], fits: Callable[[list[T]], bool]) -> Iterator[list[T]]:
    """As many items together as fit, one at the least."""
    together: list[T] = []
    for item in items:
        if together and not fits([*together, item]):
            yield together
            together = []
        together.append(item)
    if together:
        yield together


def chunked(pieces: Sequence[Any]) -> list[list[tuple[Any, bool]]]:
    """The pieces of an equation from one operator to the next, each with whether it stands beside a drawn matrix."""
    chunks: list[list[tuple[Any, bool]]] = [[]]
    for n, piece in enumerate(pieces):
        if isinstance(piece, Operator):
            chunks.append([])
        chunks[-1].append((piece, not all(isinstance(other, str) for other in pieces[max(n - 1, 0):n + 2])))
    return list(filter(None, chunks))


def equal_parts(widths: Sequence[int], room: int, gap: int = 1) -> list[slice]:
    """Columns of these widths, with a gap between them, in parts of equally many that fit in `room` cells; at the
    least one column a part."""
    ends = [0, *accumulate(width + gap for width in widths)]
    fewest = max(1, min(-(-ends[-1] // max(room + gap, 1)), len(widths)))
    parts: list[slice] = []
    for count in range(fewest, len(widths) + 1):
        size = -(-len(widths) // count)
        parts = [slice(start, min(start + size, len(widths))) for start in range(0, len(widths), size)]
        if all(ends[part.stop] - ends[part.start] - gap <= room for part in parts):
            break
    return parts


class Columns(NamedTuple):
    """Columns that stand side by side: from `start` to `stop`, but for those from `out` to `back`, in whose place dots
    stand."""
    start: int
    stop: int
    out: int
    back: int

    @classmethod
    def of(cls, part: slice) -> "Columns":
        return cls(part.start, part.stop, part.stop, part.stop)

    @classmethod
    def first_and_last(cls, widths: Sequence[int], room: int, page: "Page") -> "Columns":
        """As many of the first and of the last as fit in `room` cells, with dots between them; one of each at least."""
        count = len(widths)
        page.left_out = cls(0, count, 1, count - 1)
        for some in range(min(count - 1, room // 2), 2, -1):
            columns = cls(0, count, (some + 1) // 2, count - some // 2)
            if sum(columns.taken(widths)) + some + page.cells(page.dots) <= room:
                page.left_out = columns
                break
        return page.left_out

    def taken(self, items: Sequence[T]) -> list[T]:
        """Of one item for each column of the matrix, those of these columns."""
        return [*items[self.start:self.out], *items[self.back:self.stop]]

    def spaced(self, items: Sequence[T], dots: T) -> list[T]:
        """The same, with what stands for those that are left out."""
        return [*items[self.start:self.out], *[dots] * (self.out < self.back), *items[self.back:self.stop]]

    def rows(self, figures: Figures, values: Array, widths: Sequence[int], page: "Page", is_shaded: bool) -> list[Any]:
        """The rows of numbers, as text or in shades; `widths`: of all columns."""
        some, own = values[:, self.start:self.out], self.taken(widths)
        if self.out < self.back:
            some = np.hstack([some, values[:, self.back:self.stop]])
        texts, levels = figures.rows(some, own), levels_of(some) if is_shaded else some
        if self.out < self.back:
            count = self.out - self.start
            at = sum(own[:count]) + count - 1
            texts = [f"{text[:at]} {page.dots}{text[at:]}" for text in texts]
            levels = np.insert(levels, count, 0, axis=1)
        return shaded(texts, levels, self.spaced(widths, page.cells(page.dots)), page) if is_shaded else texts


def column_blocks(columns: int) -> Iterator[slice]:
    """So many columns of a document in blocks, one table each."""
    return (slice(start, min(start + COLUMNS, columns)) for start in range(0, columns, COLUMNS))


def part_of(kind: str, start: int, stop: int, whole: int, out: int = 0, back: int = 0) -> list[Message]:
    """`columns 9-16`, or `rows 3`, of so many; nothing where these are all. Those from `out` to `back` are none of
    them."""
    if out < back:
        return [Message(f"messages.{kind}", which=f"{_span(start, out)}, {_span(back, stop)}")]
    return [] if stop - start >= whole else [Message(f"messages.{kind}", which=_span(start, stop))]


def _span(start: int, stop: int) -> str:
    return f"{start + 1}-{stop}" if stop > start + 1 else str(stop)


def largest_of(block: Maps, key: str = "largest_weight") -> Message:
    """The note about the largest weight of some maps."""
    return Message(f"messages.{key}", weight=f"{block.largest:.3f}")


def next_words_table(block: Maps) -> blocks.Table:
    """The likeliest next word after each word, and its probability."""
    rows = zip(block.heads[0].row_labels or (), block.next_words, strict=True)
    return blocks.Table(("", Message("messages.decoding_word"), Message("messages.decoding_probability")),
                        tuple((word, after, f"{share:.{MAP_DECIMALS}f}") for word, (after, share) in rows),
                        tokens=(0, 1), right=(2,), hues=(block.heads[0].row_hues, block.next_hues),
                        places=tuple((place,) for place in block.next_places))


def title_of_head(grid: Grid) -> Message:
    head = grid.symbol.head
    return Message("messages.map_mean") if head is None else Message("messages.map_head", number=head)


def addresses_of(box: Box) -> str:
    """How the addresses of its steps begin: `encoder.final_norm, output`."""
    first, *more = box.addresses
    return ", ".join([first, *(Address.of(address).name for address in more)])


def first_words(words: Sequence[str], fits: Callable[[str], bool]) -> str:
    """The first words of a sentence that fit in a line, and how many more there are."""
    count = len(words)
    shorter = (" ".join([*words[:n], f"+{count - n}"]) for n in reversed(range(count)))
    return next(filter(fits, [" ".join(words), *shorter]), f"+{count}")


def text_of(part: Part) -> str:
    return part if isinstance(part, str) else part.text


def trimmed(line: list[Part]) -> Line:
    """Without blanks at the end."""
    while line and not text_of(line[-1]).strip():
        line.pop()
    if line and not isinstance(last := line[-1], Shaded):
        line[-1] = last.rstrip() if isinstance(last, str) else last._replace(text=last.text.rstrip())
    return tuple(line)


def styled(lines: Iterable[str], indent: str, style: str = "", hanging: str = "") -> Iterator[Line]:
    """Each of some lines behind an indent, all but the first with what is `hanging` before it, in one style."""
    return ((Span(indent + hanging * bool(n) + line, style),) for n, line in enumerate(lines))


def titled(title: str, place: str, page: Page, indent: int = 0) -> Iterator[Line]:
    """A title after an empty line, with its place at the right; below it where both do not fit in a line."""
    yield ()
    gap = page.width - page.cells(title) - len(place)
    if gap >= 2:
        yield Span(title, "bold"), " " * gap, Span(place, "grey")
        return
    yield from styled(page.wrapped(words_of(title), indent), "", "bold", " " * indent)
    yield (Span(place.rjust(page.width), "grey"),)


def hue_at(hues: Hues, n: int, otherwise: str = "") -> str:
    """The style of the n-th word; or that of one that is not in a sentence."""
    if n >= len(hues):
        return otherwise
    return "" if hues[n] is None else f"hue{hues[n]}"


def labels_line(columns: Columns, labels: Sequence[str], widths: Sequence[int], hues: Hues,
                page: Page) -> Iterator[Span]:
    """Words above columns, in their hues; all labels and widths of the matrix."""
    for place in columns.spaced(range(len(labels)), None):
        gap = " " if place != columns.start else ""
        yield Span(f"{gap}{page.dots}", "grey") if place is None else Span(
            gap + page.right(page.label(labels[place]), widths[place]), hue_at(hues, place, "grey"))


def levels_of(weights: Array) -> Array:
    """How strong each of some weights is drawn, from 1 to 8; 0 where it is exactly 0, as behind a mask."""
    return np.asarray((np.minimum(weights * LEVELS, LEVELS - 1) + (weights != 0)).astype("u1"))


def shaded(texts: list[str], levels: Array, widths: Sequence[int], page: Page, gap: int = 1) -> list[Shaded]:
    """Rows of cells of these widths, with a gap between them, in shades; those of one shade side by side are painted at
    once."""
    last = np.ones(levels.shape, bool)
    np.not_equal(levels[:, 1:], levels[:, :-1], out=last[:, :-1])
    shades, counts = page.paint.shades, last.sum(axis=1).tolist()
    if max(counts) == 1:  # as most rows of a long sentence are
        around = map(shades.__getitem__, levels[:, 0].tolist())
        return [Shaded(text, f"{before}{text}{behind}") for text, (before, behind) in zip(texts, around, strict=True)]
    ends = np.broadcast_to(np.cumsum(np.array(widths) + gap), levels.shape)
    runs = zip(levels[last].tolist(), ends[last].tolist(), strict=True)
    painted = []
    for text, count in zip(texts, counts, strict=True):
        start, pieces = 0, ""
        for level, end in islice(runs, count):
            before, behind = shades[level]
            pieces += f"{before}{text[start:end]}{behind}"
            start = end
        painted.append(pieces)
    return list(map(Shaded, texts, painted))
