"""An equation's side as text."""
from __future__ import annotations

from attntrace.tensor.symbol import Sign, Spelling
from attntrace.tensor.tensor import Pieces


def spelled(pieces: Pieces, spelling: Spelling = Spelling.UNICODE, head: int | None = None,
            row: str | None = None) -> str:
    """The pieces of a notation, joined (see Symbol.spelled for `head` and `row`)."""
    return "".join(piece.text(spelling) if isinstance(piece, Sign)
                   else piece.tensor.symbol.spelled(spelling, head, row) if piece.tensor.symbol else "?"
                   for piece in pieces)
