"""Which steps, rows and digits of a run are shown."""
from typing import TYPE_CHECKING, NamedTuple

from attntrace.tracing.addresses import means_row

if TYPE_CHECKING:
    from attntrace.tensor.tensor import Tensor
    from attntrace.tracing.trace import Step


class View(NamedTuple):
    """What is shown, and how: which steps, tokens and forms, how much arithmetic, how many digits and numbers; whether
    these digits are all there are (`exact`), and whether it is explained."""
    form: str = "both"
    arithmetic: str = "first"
    precision: int = 3
    limit: int | None = None
    selected: frozenset[str] | None = None
    tokens: tuple[str, ...] = ()
    exact: bool = False
    explain: bool = True

    def shows(self, step: "Step") -> bool:
        return self.selected is None or step.address in self.selected

    def rows(self, step: "Step") -> list[int]:
        """Return the rows of a step that are shown: those of the chosen tokens, or all."""
        labels = step.labels
        if not self.tokens or step.tensor.axis_names[:1] != ("token",):
            return list(range(len(labels)))
        return [i for i, label in enumerate(labels) if any(means_row(asked, i, label) for asked in self.tokens)]

    def corner(self, tensor: "Tensor") -> tuple[int, int]:
        """Return how many rows and columns of a tensor are shown: all, or a corner of at most `limit` numbers."""
        columns = tensor.axes[-1].size if tensor.axes else 1
        rows = tensor.axes[0].size if len(tensor.axes) == 2 else 1
        if self.limit is None or tensor.value.size <= self.limit:
            return rows, columns
        columns = min(columns, max(int(self.limit**0.5), self.limit // rows) if rows > 1 else self.limit)
        return min(rows, max(self.limit // columns, 1)), columns

    def cuts(self, tensor: "Tensor") -> bool:
        rows, columns = self.corner(tensor)
        return rows * columns < tensor.value.size

    @property
    def forms(self) -> tuple[str, ...]:
        return ("vector", "matrix") if self.form == "both" else (self.form,)
