"""Greedy decoding of a batch: always the likeliest next word (section 3.1)."""
from collections.abc import Sequence

import numpy as np

from attntrace.messages.errors import Problem
from attntrace.model.config import MAX_LENGTH, Config
from attntrace.model.parameters import Parameters, Vocabularies
from attntrace.model.tokens import END, START, packed
from attntrace.model.transformer import encoder, predict
from attntrace.tracing.trace import Trace


@np.errstate(all="ignore")  # an overflow is reported as a Problem
def translate(parameters: Parameters, config: Config, vocabularies: Vocabularies, sources: Sequence[Sequence[int]],
              max_length: int = MAX_LENGTH) -> list[list[str]]:
    """Translate several sentences, given by their ids, as one batch and untraced; each ends with `</s>` unless it
    reaches `max_length` words. Raises Problem where numbers overflow."""
    known = vocabularies.target or ()
    numbers = {word: n + 1 for n, word in enumerate(known)}
    end = numbers.get(END)
    M = encoder(Trace(), packed(sources), parameters.at("encoder"), config)
    written: list[list[int]] = [[] for _ in sources]
    for length in range(1, max_length + 1):
        if all(end in ids for ids in written):
            break
        read = packed([[numbers[START], *ids] for ids in written])
        logits = predict(Trace(), read, M, parameters, config).logits.value
        if not np.isfinite(logits).all():
            raise Problem("not_finite", address="output.logits", dtype=config.dtype)
        for ids, row in zip(written, logits[length - 1::length], strict=True):
            ids.append(int(row.argmax()) + 1)
    return [[known[id - 1] for id in (ids[:ids.index(end) + 1] if end in ids else ids)] for ids in written]


def without_end(words: Sequence[str]) -> list[str]:
    return [word for word in words if word != END]
