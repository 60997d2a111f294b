"""Pages in LaTeX, as they are read: without what only sets them."""
import re

import numpy as np

GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*\}"
LAYOUT = re.compile(  # with what is no word: columns, widths, colours, shapes
    rf"\\(?:adjustbox|begin{{(?:adjustbox|array|tabular|blockarray|block)}}|begin{{longtable}}\[l\]|multicolumn{GROUP}"
    rf"|BAmulticolumn{GROUP}|rule{GROUP}|hspace\*?|rotatebox|(?:cell|text)?color\[HTML\]|hypersetup){GROUP}"
    r"|\\(?:filldraw|path)[^;]*;|\\node\[.*?\] at \(.*?\)|\\begin{tikzpicture}\[.*?\]|\\arraycolsep=3pt"
    r"|\\(?:begin|end)\{[a-z]+\*?\}|\\(?:scriptsize|scriptstyle|footnotesize|par|noindent|LARGE|bfseries)\b *")
SIGNS = {r"\textbackslash{}": "\\", r"\textasciicircum{}": "^", r"\textasciitilde{}": "~", r"\textquotedbl{}": '"',
         r"\textasciigrave{}": "`", r"\checkmark{}": "✓", r"\allowbreak{}": "", r"\newline ": "\n", "-{}": "-",
         "'{}": "'",
         **{f"\\{char}": char for char in "{}$&#_%"}, **{f"{{{char}}}": char for char in "[]*"}}
SIGN = re.compile("|".join(map(re.escape, sorted(SIGNS, key=len, reverse=True))))
COMMAND = re.compile(r"\\(?:[A-Za-z]+ ?|.)|[{}$]")


def body(page: str) -> str:
    """What a reader sees, as it is set: without the preamble and comments."""
    *_, inside = page.partition("\\begin{document}\n")[::2]
    return LAYOUT.sub("", re.sub(r"(?m)^%.*\n", "", inside or page))


def read(page: str) -> str:
    """The words and numbers of a page; between commands, blanks."""
    pieces = SIGN.split(set_ := body(page))
    signs = [SIGNS[sign] for sign in SIGN.findall(set_)] + [""]
    return "".join(COMMAND.sub(" ", piece) + sign for piece, sign in zip(pieces, signs, strict=True))


SHADE = re.compile(r"\\(?:cell)?color\[HTML\]\{\w+\}")
CODE = r"\\texttt\{((?:\\.|[^\\{}]|\{\})*)\}"
NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\\infty)")
COMMENT = re.compile(r"(?m)^% ([a-z][\w.]*(?::\d+)?)\n")
PIECE = re.compile(
    r"\{\\footnotesize (?P<captions>.*)\}\n|\\begin{array}\{@\{\}r.*\n(?P<vectors>(?s:.*?))\n\\end{array}"
    r"|(?P<power>10\^\{-?\d+\} \\cdot )?"
    rf"(?:\\begin{{blockarray}}{GROUP}\n(?:[^\n]*\n)?\\begin{{block}}|\\left\[\\begin{{array}})"
    rf"{GROUP}\n(?P<matrix>(?s:.*?))\n\\end{{(?:array|block)}}")
Parts = dict[tuple[int, int], np.ndarray]  # of a matrix, by their first row and column, from 1


def numbers(row: str) -> list[float]:
    """Those of a row of an array, by the factor behind them."""
    power = re.search(r"\\cdot 10\^\{(-?\d+)\}", row)
    cells = (cell.strip() for cell in SHADE.sub("", row).split("&"))
    return [float(cell.replace("\\infty", "inf")) * 10.0 ** int(power[1] if power else 0)
            for cell in cells if NUMBER.fullmatch(cell)]


def by_address(page: str) -> dict[str, list[np.ndarray]]:
    """Every array by its address: the rows of all tokens, matrices by their captions, results of equations."""
    drawn: dict[str, list[Parts]] = {}
    vectors: dict[str, dict[int, list[float]]] = {}
    _, *rest = COMMENT.split(page)
    above: list[str] = []
    for address, text in zip(rest[::2], rest[1::2], strict=True):
        above, captions, result = [*above, address], [], None
        for found in PIECE.finditer(text):
            if found["captions"]:
                captions = found["captions"].split("; ")
            elif found["vectors"]:
                rows = [row for row in found["vectors"].split(" \\\\\n") if r"\text{\scriptsize \texttt" in row]
                for n, row in enumerate(rows):
                    name = read(re.findall(rf"\\text\{{\\scriptsize .*?{CODE}", row)[0]).strip()
                    of, _, token = next(one for one in above if one.partition(":")[0].endswith(name)).partition(":")
                    vectors.setdefault(of, {}).setdefault(int(token or n + 1), []).extend(numbers(row))
            else:
                power = int(re.findall(r"-?\d+", found["power"] or "1 0")[1])
                rows = found["matrix"].removesuffix(r"\\").split("\\\\\n")
                result = np.array(list(map(numbers, rows))) * 10.0 ** power
                if captions:
                    put(drawn, captions.pop(0), result)
                    result = None
        if result is not None and ":" not in address:
            drawn.setdefault(address, []).append({(1, 1): result})
        above = above if not text.strip() else []
    for address, of_tokens in vectors.items():
        drawn.setdefault(address, []).append({(1, 1): np.array([of_tokens[n] for n in sorted(of_tokens)])})
    return {address: list(map(whole, arrays)) for address, arrays in drawn.items()}


def put(drawn: dict[str, list[Parts]], caption: str, part: np.ndarray) -> None:
    """Put a part of a matrix that has an address in its place, by its caption."""
    address = next(map(read, re.findall(CODE, caption)), "")
    row, column = (int((re.findall(rf"{kind} (\d+)", caption) or ["1"])[0]) for kind in ("rows", "columns"))
    arrays = drawn.setdefault(address, [])
    if (row, column) == (1, 1):
        arrays.append({})
    arrays[-1][row, column] = part


def whole(parts: Parts) -> np.ndarray:
    rows = sorted({row for row, _ in parts})
    return np.vstack([np.hstack([parts[place] for place in sorted(parts) if place[0] == row]) for row in rows])
