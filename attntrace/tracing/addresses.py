"""Addresses (`encoder.layer1.self_attention.head1.scores`) and cells (`ADDRESS:ROW,COLUMN`): parsed once, and found.

A person types an exact address, the end of one, or a pattern whose * crosses dots. Positions count from 1."""
import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from attntrace.messages.catalog import Message, Text, alternatives
from attntrace.messages.errors import Problem
from attntrace.messages.nearest import COUNT, did_you_mean, nearest
from attntrace.messages.unicode import normalized, shown
from attntrace.tensor.axes import Axes, Axis
from attntrace.tensor.symbol import DIGITS, Symbol

NUMBERED = re.compile(r"(step|layer|head)([1-9][0-9]{0,8})")
ROW = re.compile(r"(.*?)_?([0-9]{1,9})")  # the symbol of a row: `q₁`, `q_1`, `q1`
MEAN_WEIGHTS = "weights_mean"  # the step that is the mean of the weights over heads
POSITION = re.compile(r'"[^"]*"|[^,]+')  # a token that contains a comma stands in quotes
BLANKS = re.compile(r"\s*,\s*")  # a token contains none
GLOB = re.compile(r"[*?[]")  # what makes a glob of a pattern
SOME = 6  # words that an error lists


@lru_cache(4096)
def word_and_number(part: str) -> tuple[str, int | None]:
    """Take a part of an address apart: `layer2` into `layer` and 2; most parts have no number."""
    numbered = NUMBERED.fullmatch(part)
    return (numbered[1], int(numbered[2])) if numbered else (part, None)


class Address(NamedTuple):
    """The address of a step or a parameter, or the place that a step stands at, taken apart.

    phase: `gradient` or `update` in a training step, `step3` in a translation, empty for a forward pass. forward: the
    address without its phase; for a gradient, what it is the gradient of. stack: `encoder`, `decoder`, `output` or
    `loss`. region: phase, stack and layer. sub_layer: what follows the layer. place: all but the name. words: the parts
    without decoding steps, layers and heads."""
    parts: tuple[str, ...]
    phase: str
    forward: str
    stack: str
    region: str
    sub_layer: str
    place: str
    name: str
    words: tuple[str, ...]

    @classmethod
    @lru_cache(4096)
    def of(cls, text: str) -> "Address":
        parts = tuple(text.split("."))
        words, numbers = zip(*map(word_and_number, parts))
        place, _, name = text.rpartition(".")
        start = int(len(parts) > 1 and words[0] in ("gradient", "update", "step"))  # behind the phase
        layer = words.index("layer") if "layer" in words else start
        sub_layer = words[layer + 1] if start < layer < len(parts) - 1 else ""
        return cls(parts, parts[0] if start else "", ".".join(parts[start:]), words[start],
                   ".".join(parts[:layer + 1]), sub_layer, place, name,
                   tuple(word for word, number in zip(words, numbers) if number is None))

    @property
    def is_of_training(self) -> bool:
        """Whether only a training step has it."""
        return len(self.parts) > 1 and self.parts[0] in ("gradient", "loss", "update")

    @property
    def is_partial(self) -> bool:
        """Whether it is the part of a gradient that comes through one reader: `gradient.X.from.Y`."""
        return "from" in self.parts

    def last(self, count: int) -> str:
        """The last parts, as text: of two, `head1.scores`."""
        return ".".join(self.parts[-count:])

    def number(self, word: str) -> int | None:
        """The number of its first `step`, `layer` or `head`."""
        return next((number for one, number in map(word_and_number, self.parts) if one == word), None)

    def ends_with(self, end: str) -> bool:
        """Whether its last parts are these."""
        return self.last(end.count(".") + 1) == end


Known = Mapping[str, Symbol | None]  # addresses, each with its symbol


def address_in(place: str, name: str) -> str:
    """The address of a name at a place; at none, the name itself."""
    return f"{place}.{name}" if place else name


def select(patterns: Sequence[str], layers: Sequence[int], heads: Sequence[int | str],
           addresses: Known) -> frozenset[str]:
    """Return the addresses that match any of the patterns, in these layers, of these heads (without any: in all; `mean`
    is the mean of the weights over heads).

    Raises Problem for a pattern that matches nothing, with the nearest addresses; for a layer or a head that does not
    exist; and where nothing is left."""
    chosen = [] if patterns else list(addresses)
    for pattern in patterns:
        matching = matches(pattern, addresses)
        if not matching:
            near = did_you_mean(near_addresses(pattern, addresses))
            raise Problem("no_such_address", pattern=shown(pattern), near=near)
        chosen += matching
    for word, numbers in (("layer", layers), ("head", heads)):
        last = len({Address.of(address).number(word) for address in addresses} - {None})
        for number in numbers:
            if isinstance(number, int) and not 1 <= number <= last:
                raise Problem("no_such_number", option=f"--{word}", number=number, word=word, numbers=Message(
                    f"problem.why.numbers_{'one' if last == 1 else 'many'}", word=word, last=last))
        if numbers:
            asked = {f"{word}{number}" if isinstance(number, int) else MEAN_WEIGHTS for number in numbers}
            chosen = [address for address in chosen if asked.intersection(Address.of(address).parts)]
    if not chosen:
        raise Problem("nothing_selected")
    return frozenset(chosen)


def matches(pattern: str, known: Known) -> list[str]:
    """Return the address that is exactly this; else those that end with it; else those that fit it as a glob; else
    those that have, at such a place, the symbol that it ends with."""
    if pattern in known:
        return [pattern]
    return ([address for address in known if address.endswith(f".{pattern}")]
            or of_glob(pattern, known)
            or with_symbol(*pattern.rpartition(".")[::2], known))


def of_glob(pattern: str, known: Iterable[str]) -> list[str]:
    """Return the addresses of which an end fits a glob."""
    fits = ending_with(pattern)
    return [address for address in known if fits(f".{address}")]


def ending_with(pattern: str) -> Callable[[str], object]:
    """Return what tells whether an address behind a dot fits a glob to its end."""
    return re.compile(fnmatch.translate(f"*.{pattern}")).match


def with_symbol(place: str, symbol: str, known: Known) -> list[str]:
    """Return the addresses that have a symbol, at the places that end with this one or fit it as a glob."""
    typed, fits = normalized(symbol), ending_with(place)
    ranks: dict[int, list[str]] = {}
    for address, own in known.items():
        if own is not None and (not place or fits(f".{address.rpartition('.')[0]}")):
            rank = next((n for n, spellings in enumerate(own.spellings()) if typed in spellings), None)
            if rank is not None:
                ranks.setdefault(rank, []).append(address)
    return ranks[min(ranks)] if ranks else []


def row_of(pattern: str, known: Known) -> tuple[str, tuple[str, ...]]:
    """Take the symbol of a row apart, as pages write it: `head1.q₁` into `head1.q` and its position. Anything else
    stays whole: an address, and the symbol of a step, which may end in a number as well."""
    address, row = without_row(pattern)
    if not row or matches(pattern, known) or not with_symbol(*address.rpartition(".")[::2], known):
        return pattern, ()
    return address, row


def without_row(pattern: str) -> tuple[str, tuple[str, ...]]:
    """What `row_of` returns where such a symbol is known."""
    place, dot, symbol = pattern.rpartition(".")
    row = ROW.fullmatch(symbol.translate(DIGITS))
    return (f"{place}{dot}{row[1]}", (row[2],)) if row else (pattern, ())


def find_address(pattern: str, addresses: Known) -> str:
    """Return the one address that `matches`. Raises Problem with the nearest addresses, or with
    those that it could be."""
    matching = matches(pattern, addresses)
    if not matching:
        raise no_such_tensor(pattern, addresses)
    if len(matching) > 1:
        some = ", ".join(matching[:COUNT]) + (", ..." if len(matching) > COUNT else "")
        raise Problem("several_tensors", pattern=shown(pattern), count=len(matching), some=some)
    return matching[0]


def no_such_tensor(pattern: str, addresses: Collection[str]) -> Problem:
    return Problem("no_such_tensor", pattern=shown(pattern), near=did_you_mean(near_addresses(pattern, addresses)))


def near_addresses(pattern: str, addresses: Collection[str]) -> list[str]:
    """Return the addresses near to what was typed: with parts that were left out between others (where a pattern was
    typed, as a pattern), else compared by as many of their last parts as were typed."""
    if any(f".{pattern}." in f".{address}" for address in addresses):  # a place: everything in it
        return [f"{pattern}.*"]
    parts = pattern.split(".")
    plain = [part for part in parts if not GLOB.search(part)]
    with_parts = [address for address in addresses if all(part in address for part in plain)]  # no others can fit
    gaps = [".*.".join((".".join(parts[:n]), ".".join(parts[n:]))) for n in range(len(parts) - 1, 0, -1)]
    for gap in (*gaps, ".*.".join(parts)):
        if len(parts) > 1 and (fitting := fnmatch.filter(with_parts, f"*{gap}")):
            return [gap] if "*" in pattern else fitting[:COUNT]
    ends: dict[str, str] = {}
    count = pattern.count(".") + 1
    for address in addresses:
        ends.setdefault(".".join(address.split(".")[-count:]), address)
    return [ends[end] for end in nearest(pattern.replace("*", ""), ends)]


def positions_in(text: str) -> tuple[str, ...]:
    """Take `1,cat` apart, also with blanks around the comma; nothing where it is not a list of positions."""
    text = BLANKS.sub(",", text.strip())
    positions = tuple(POSITION.findall(text))
    return positions if ",".join(positions) == text else ()


class Cell(NamedTuple):
    """A tensor and a position on each of its first axes, as typed: a row, or one number; without any, the tensor."""
    address: str
    positions: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Cell":
        address, colon, rest = text.partition(":")
        positions = positions_in(rest)
        if not address or bool(colon) != bool(positions) or len(positions) > 2:
            raise Problem("no_place", place=text)
        return cls(address, positions)

    def with_row(self, known: Known) -> "Cell":
        """The same, where the address is the symbol of a row: `q₁:2` is `q:1,2`."""
        address, row = row_of(self.address, known)
        return Cell(address, row + self.positions)

    def __str__(self) -> str:
        return f"{self.address}:{','.join(self.positions)}" if self.positions else self.address

    def index_in(self, axes: Axes, address: str, least: int | None = None) -> tuple[int, ...]:
        """Return the positions, from 0, on the axes of the tensor at `address`. Raises Problem for one that
        does not exist, or where fewer than `least` are given (without it: any number of them)."""
        given, count = len(self.positions), len(axes)
        if given > count or given < (0 if least is None else min(least, count)):
            shape = ",".join(f"{axis.name} 1-{axis.size}" for axis in axes)
            raise Problem("place_of_other_shape", address=address, place=self, given=given, count=count,
                          shape=shape or "-")
        return tuple(find_position(asked, axis, address) for asked, axis in zip(self.positions, axes))


def cell_name(address: str, index: Iterable[int]) -> str:
    """The number or row at an index (from 0), as it can be typed."""
    return str(Cell(address, tuple(str(i + 1) for i in index)))


def find_position(asked: str, axis: Axis, address: Text) -> int:
    """Return the position (from 0) on an axis: digits are its number, anything else is its token. Raises Problem where
    there is none, or where the token stands there more than once."""
    is_number = asked.isascii() and asked.isdecimal()
    if axis.labels is None and not is_number:
        raise Problem("no_labels", address=address, word=axis.name, token=shown(asked), size=axis.size)
    labels = axis.labels or ("",) * axis.size
    positions = [i for i, label in enumerate(labels) if means_row(asked, i, label)]
    if is_number and not positions:
        raise Problem("out_of_range", address=address, word=axis.name, position=asked, size=axis.size)
    if not positions:
        words = list(map(shown, dict.fromkeys(labels)))
        raise Problem("no_such_label", address=address, token=shown(asked), near=did_you_mean(nearest(asked, labels)),
                      words=", ".join(words[:SOME]) + ", ..." * (len(words) > SOME), size=axis.size)
    if len(positions) > 1:
        raise Problem("token_twice", address=address, token=shown(asked),
                      positions=alternatives(i + 1 for i in positions))
    return positions[0]


def means_row(asked: str, i: int, label: str) -> bool:
    """Whether row i (from 0), with this token, was asked for: digits are a position (a token of digits stands in
    quotes), anything else is a token."""
    if asked.isascii() and asked.isdecimal():
        return asked.lstrip("0") == str(i + 1)
    quoted = len(asked) > 2 and asked[0] == asked[-1] == '"'
    return normalized(asked[1:-1] if quoted else asked) == label


def check_tokens(asked: Sequence[str], sentences: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the rows that were asked for. Raises Problem for one that none of the sentences has, with the nearest."""
    for one in asked:
        if not any(means_row(one, i, text) for words in sentences for i, text in enumerate(words)):
            if one.isascii() and one.isdecimal():
                raise Problem("no_such_position", token=one, last=max(map(len, sentences)))
            words = [text for words in sentences for text in words]
            raise Problem("no_such_token", token=shown(one), near=did_you_mean(nearest(one, words)),
                          last=max(map(len, sentences)))
    return tuple(asked)
