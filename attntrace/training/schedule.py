"""The settings of a training run and their defaults. Imports no NumPy."""
import math
from dataclasses import asdict, dataclass

from attntrace.training import SMOOTHING_OVER

LATER = {"label_smoothing_over": SMOOTHING_OVER[0], "piece_dropout": 0.0, "average": 0}  # not in older checkpoints


@dataclass(frozen=True, slots=True)
class Schedule:
    """The settings of a training run. The learning rate rises from 0 to `lr` over `warmup` updates and then falls with
    the square root of their number (section 5.3); dropout and label smoothing as in section 5.4. With `piece_dropout`,
    each epoch splits the words of the source again and passes over this share of the pieces that would fit. `average`:
    the last epochs whose parameters are averaged (section 6.1)."""
    epochs: int = 60
    batch: int = 64
    lr: float = 5e-3
    warmup: int = 200
    dropout: float = 0.1
    label_smoothing: float = 0.1
    label_smoothing_over: str = "all"
    seed: int = 0
    dtype: str = "float32"
    piece_dropout: float = 0.0
    average: int = 0

    def check(self) -> None:
        """Raise ValueError for settings from a file that are out of range."""
        whole, shares = (
            self.epochs, self.batch, self.warmup, self.seed + 1, self.average + 1), (
            self.dropout, self.label_smoothing, self.piece_dropout)
        if not all(isinstance(number, int) and number > 0 for number in whole) or not self.lr > 0 or not all(
                0 <= share < 1 for share in shares) or self.dtype not in ("float32", "float64") or (
                    self.label_smoothing_over not in SMOOTHING_OVER):
            raise ValueError

    def facts(self) -> dict[str, object]:
        """Return the settings as a checkpoint has them: a later one only where it is not the default."""
        return {name: value for name, value in asdict(self).items() if name not in LATER or value != LATER[name]}

    def rate(self, update: int) -> float:
        """Return the learning rate of an update, counted from 1."""
        return self.lr * min(update / self.warmup, math.sqrt(self.warmup / update))
