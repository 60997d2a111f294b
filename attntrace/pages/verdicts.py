"""The page of `verify`: a line for each step, one for each invariant, and the conclusion."""
import math
from collections.abc import Iterator

from attntrace.messages.catalog import Joined, Localized, Message, Text
from attntrace.messages.unicode import shown
from attntrace.pages.blocks import Block, Prose, Result, Verified, VerifiedHead
from attntrace.verify.invariants import Finding, findings, fingerprint
from attntrace.verify.recompute import Log, Record, Verdict

OF_THE_WHOLE = ("parameters", "fingerprint")  # invariants of a run as a whole


class Report:
    """Collects verdicts for their page, which begins with the conclusion. `reference`: the version of PyTorch that
    steps were compared with, None where they were recomputed from their expressions. `wrong`, once the page was made:
    whether anything is wrong."""

    def __init__(self, reference: str | None = None) -> None:
        self.reference = reference
        self.verdicts: list[Verdict] = []
        self.wrong = False

    def __call__(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)

    @property
    def worst(self) -> Verdict:
        return max(self.verdicts, key=lambda verdict: verdict.difference, default=Verdict("", 0, 0.0, ""))

    def what_is_wrong(self, verdict: Verdict) -> Message:
        key = f"torch_{verdict.wrong}" if self.reference else verdict.wrong
        facts: dict[str, Text] = {name: repr(fact) if isinstance(fact, float) else shown(str(fact))
                                  for name, fact in verdict.facts.items()}
        if "why" in facts:
            facts["why"] = Message(f"messages.verify.why.{facts['why']}", **facts)
        at = verdict.cell.removeprefix(verdict.address).removeprefix(":")
        cell = Message("messages.verify.cell", at=at) if at else Message("messages.verify.it")
        return Message(f"messages.verify.wrong.{key}", cell=cell, **facts)

    def blocks(self, log: Log, footer: Record | None) -> Iterator[Block]:
        """The conclusion, each step, and the invariants, if the run came to its end with a footer."""
        found = [*findings(log), *filter(None, [fingerprint(log, footer)])] if footer is not None else []
        wrong = next((finding for finding in found if finding.wrong), None)
        self.wrong = bool(wrong or any(verdict.wrong for verdict in self.verdicts))
        yield Result((Prose(self.conclusion(wrong, log.pencil)),))
        yield head("numbers", "difference", "step", apart=True)
        for verdict in self.verdicts:
            yield Verified(f"{verdict.numbers:,}", figure(verdict.difference), verdict.address,
                           self.what_is_wrong(verdict) if verdict.wrong else "")
        yield from self.invariants(found)

    def invariants(self, results: list[Finding]) -> Iterator[Block]:
        yield head("count", "deviation", "invariant", apart=True)
        for finding in results:
            text: Localized = Message(f"messages.verify.true.{finding.key}", address=finding.address)
            if finding.drifts:
                text = Joined("", [text, Message("messages.verify.drift")])
            failed: Text = ""
            if finding.wrong:
                key = finding.key if finding.key in OF_THE_WHOLE else "invariant"
                failed = Message(f"messages.verify.wrong.{key}", address=finding.address,
                                 error=f"{finding.error:.3g}")
            yield Verified(f"{finding.number:,}", figure(finding.error), text, failed)

    def conclusion(self, invariant: Finding | None, pencil: int | None) -> Localized:
        """What was compared, how many numbers, the worst difference and where; or the first wrong step."""
        facts: dict[str, Text] = {"steps": f"{len(self.verdicts):,}", "source": self.source(pencil),
                                  "numbers": f"{sum(verdict.numbers for verdict in self.verdicts):,}"}
        wrong = [verdict for verdict in self.verdicts if verdict.wrong]
        if wrong:
            return Message("messages.verify.some_wrong", **facts, wrong=f"{len(wrong):,}",
                           address=wrong[0].address, what=self.what_is_wrong(wrong[0]))
        text = Message(f"messages.verify.{'all_right' if self.worst.difference else 'all_equal'}", **facts,
                       difference=figure(self.worst.difference), cell=self.worst.cell)
        if invariant is not None:
            what = Message(f"messages.verify.true.{invariant.key}", address=invariant.address)
            key = "but" if invariant.key in OF_THE_WHOLE else "but_at"
            return Joined("", [text, Message(f"messages.verify.{key}", what=what, address=invariant.address)])
        return text

    def source(self, pencil: int | None) -> Message:
        if self.reference:
            return Message("messages.verify.by_torch", version=self.reference)
        if pencil is not None:
            return Message("messages.verify.by_pencil", decimals=pencil)
        return Message("messages.verify.by_python")


def head(*keys: str, apart: bool = False) -> VerifiedHead:
    """The headings of three columns, by their keys."""
    return VerifiedHead(tuple(Message(f"messages.verify.{key}") for key in keys), apart)


def figure(number: float) -> str:
    """`0`, `8.9e-16`; `-` where there is no difference to speak of, since there is nothing to compare with."""
    return "-" if not math.isfinite(number) else f"{number:.1e}" if number else "0"
