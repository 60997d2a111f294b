"""Addresses as they are typed, key after key: what may fit is looked up, where `matches` goes through every address."""
from bisect import bisect_left
from collections.abc import Iterable

from attntrace.messages.unicode import normalized
from attntrace.tensor.symbol import Symbol
from attntrace.tracing.addresses import GLOB, Known, of_glob

LAST = chr(0x10FFFF)  # comes behind every text that goes on


class Names:
    """Addresses with their symbols, which stay the same."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.order = {address: n for n, address in enumerate(known)}
        self.by_end: dict[str, list[str]] = {}
        self.by_symbol: dict[str, list[str]] = {}  # by each spelling
        of_symbols: dict[Symbol, list[str]] = {}
        for address, symbol in known.items():
            dot = address.rfind(".")
            while dot >= 0:
                self.by_end.setdefault(address[dot + 1:], []).append(address)
                dot = address.rfind(".", 0, dot)
            if symbol is not None:
                of_symbols.setdefault(symbol, []).append(address)
        for symbol, own in of_symbols.items():
            for spelling in set().union(*symbol.spellings()):
                self.by_symbol.setdefault(spelling, []).extend(own)
        self.addresses, self.ends = Sorted(known), Sorted(self.by_end)

    def begun_with(self, text: str) -> list[str]:
        """The addresses that begin with a text; where none does, the ends of addresses that do."""
        return self.addresses.begun_with(text) or self.ends.begun_with(text)

    def may_fit(self, *patterns: str) -> Known:
        """Of all addresses so few that `matches` finds the same among them for any of these patterns."""
        found: set[str] = set()
        for pattern in set(patterns):
            found.update([pattern] if pattern in self.known else [], self.by_end.get(pattern, ()),
                         self.by_symbol.get(normalized(pattern.rpartition(".")[2]), ()))
            if GLOB.search(pattern):
                found.update(of_glob(pattern, self.known))
        return {address: self.known[address] for address in sorted(found, key=self.order.__getitem__)}


class Sorted:
    """Texts in the order of their letters, with the place that each had before."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.before = {text: n for n, text in enumerate(texts)}
        self.texts = sorted(self.before)

    def begun_with(self, text: str) -> list[str]:
        """Those that begin with a text, in the order that they had."""
        return sorted(self.texts[bisect_left(self.texts, text):bisect_left(self.texts, text + LAST)],
                      key=self.before.__getitem__)
