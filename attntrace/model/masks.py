"""Masks: which keys a query may look at, in addition to what the architecture hides; and what is added to scores."""
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from attntrace.model.config import Config
from attntrace.tensor.axes import Axis
from attntrace.tensor.tensor import Array, Record, Tensor, constant, json_value


class Masks(NamedTuple):
    """What a run masks in addition to what its config says.

    lengths: of the source, how many words count, the others being padding: one number, or one for each query; empty:
    all. added: what is added to the scores of an attention (`encoder.self_attention`), in all of its layers: token ×
    key, or head × token × key. file: where that comes from."""
    lengths: tuple[int, ...] = ()
    added: Mapping[str, Array] = {}
    file: str | None = None

    def of(self, attention: str, token: Axis, key: Axis, config: Config, causal: bool) -> list[Tensor | None]:
        """Return the mask of each head of an attention."""
        lengths = () if attention == "decoder.self_attention" else self.lengths
        added = self.added.get(attention)
        each = [None] if added is None else [added] if added.ndim == 2 else list(added)
        made = [mask(token, key, config.dtype, causal, lengths, one) for one in each]
        return made if len(made) > 1 else made * config.heads

    def small(self) -> "Masks":
        """Return masks of the same attentions, of one word each."""
        return Masks(self.lengths[:1] and (1,), {name: np.zeros((1, 1)) for name in self.added}, self.file)

    def record(self) -> Record:
        """Return the masks as JSON values; nothing where there are none."""
        record: Record = {"lengths": list(self.lengths), "file": self.file,
                          "added": {name: json_value(array) for name, array in self.added.items()}}
        return {"masks": record} if self.lengths or self.added else {}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Masks":
        """Return the masks of a saved run."""
        added = {str(name): np.array(rows, float) for name, rows in record["added"].items()}
        return cls(tuple(map(int, record["lengths"])), added, record["file"])


def mask(token: Axis, key: Axis, dtype: str, causal: bool = False, lengths: tuple[int, ...] = (),
         added: Array | None = None) -> Tensor | None:
    """Return token × key: 0 where a word may attend, -inf where it may not: to later words (if `causal`, section
    3.2.3), to those after the `lengths`, in a batch to the padding (sentence × token × key); plus what is `added`. None
    where every word may attend to all."""
    tokens, keys = token.lengths or (token.size,), key.lengths or (key.size,)
    if not (causal or lengths or added is not None) and len(set(keys)) == 1:
        return None
    ends = np.array(lengths).reshape(1, -1, 1) if lengths else np.array(keys)[:, None, None]
    hidden = np.arange(max(keys)) >= ends
    if causal:
        hidden = hidden | np.triu(np.ones((max(tokens), max(keys)), bool), k=1)
    hidden = np.broadcast_to(hidden, (len(keys), max(tokens), max(keys)))
    if key.lengths is None:
        shown = np.where(hidden[0], -np.inf, 0.0 if added is None else added)
        return constant(shown, "mask", (token, key.flipped()), dtype)
    axes = Axis("sentence", len(keys)), Axis("token", max(tokens)), Axis("key", max(keys))
    return constant(np.where(hidden, -np.inf, 0.0), "mask", axes, dtype)
