"""The terminal's size, asked without shutil, which takes 3 ms to import."""
import os

NARROWEST, WIDEST = 60, 10_000  # cells of a page
DEFAULT_WIDTH = 100


def columns(default: int) -> int:
    """COLUMNS, else those of the terminal that standard output is, else the default."""
    try:
        return size_in("COLUMNS") or os.get_terminal_size(1).columns or default
    except OSError:
        return default


def lines(default: int) -> int:
    """LINES, else those of the terminal that standard output is, else the default."""
    try:
        return size_in("LINES") or os.get_terminal_size(1).lines or default
    except OSError:
        return default


def size_in(variable: str) -> int | None:
    """The size that a variable of the environment gives, WIDEST at most; None where it is not a number above 0."""
    digits = os.environ.get(variable, "").lstrip("0")
    return min(int(digits[:9]), WIDEST) if digits.isascii() and digits.isdecimal() else None


def clean_sizes() -> None:
    """Leave in COLUMNS and LINES only what all that reads them (rich, a pager) can use."""
    for variable in ("COLUMNS", "LINES"):
        if size := size_in(variable):
            os.environ[variable] = str(size)
        else:
            os.environ.pop(variable, None)
