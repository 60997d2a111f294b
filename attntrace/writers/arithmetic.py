"""The arithmetic of one number, in symbols and in the numbers that are printed."""
from typing import NamedTuple

from attntrace.pages.blocks import CellLine
from attntrace.tensor.expression import Ref
from attntrace.tensor.printer import PRINTERS
from attntrace.tensor.symbol import Spelling

MISSED = 20  # last digits, or parts of a number, by which what is printed may miss it


class CellText(NamedTuple):
    """The left side, the expression in symbols and in numbers, and `= 0.694` or `≈ 0.694`."""
    left: str
    symbols: str
    numbers: str
    result: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The expressions between equals signs, without repetitions."""
        number = self.result.partition(" ")[2]
        if self.symbols == number:  # a constant
            return (self.left,)
        if self.numbers in (self.symbols, number):
            return self.left, self.symbols
        return self.left, self.symbols, self.numbers

    @property
    def text(self) -> str:
        return f"{' = '.join(self.parts)} {self.end}"

    @property
    def end(self) -> str:
        """The result; with `=` where nothing had to be computed."""
        return self.result if len(self.parts) == 3 else f"= {self.result.partition(' ')[2]}"


def index_text(cell: CellLine) -> str:
    """The index that is picked from the result of the formula: `[1,2]`."""
    return f"[{','.join(str(n + 1) for n in cell.picked)}]" if cell.picked else ""


def cell_text(cell: CellLine, spelling: Spelling) -> CellText:
    def write(ref: Ref) -> str:
        figures, number = cell.figures_of[ref.tensor], float(ref.tensor.value[ref.index])
        return figures.legible(number) if lost else figures.text(number)

    def worked() -> float:
        return float(cell.arithmetic.value(lambda ref: cell.rounding.number(float(write(ref))), cell.rounding))

    printer = PRINTERS[spelling]
    symbols = printer(cell.formula.head).text(cell.formula.right) + index_text(cell)
    lost = False  # whether rounding has taken digits without which nobody can redo it
    result = cell.figures.text(cell.result)
    printed = float(result)  # explore.js knows no other
    found = worked()
    lost = found != printed and not abs(found - printed) <= max(MISSED * cell.figures.unit, abs(printed) / MISSED)
    numbers = printer(write=write).text(cell.arithmetic)
    equal = float(cell.figures.text(worked() if lost else found)) == printed
    result = printer().numeral(result)
    if isinstance(cell.arithmetic, Ref):  # the number itself
        numbers = result
    sign = "=" if equal else "~=" if spelling is Spelling.ASCII else r"\approx" if spelling is Spelling.LATEX else "≈"
    return CellText(cell.formula.left.spelled(spelling, cell.formula.head), symbols, numbers, f"{sign} {result}")
