"""Pages in LaTeX, as they are read: without what only sets them."""
import re

GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*\}"
LAYOUT = re.compile(  # with what is no word: columns, widths, colours, shapes
    rf"\\(?:adjustbox|begin{{(?:adjustbox|array|tabular|blockarray|block)}}|begin{{longtable}}\[l\]|multicolumn{GROUP}"
    rf"|BAmulticolumn{GROUP}|rule{GROUP}|hspace\*?|rotatebox|(?:cell)?color\[HTML\]){GROUP}"
    r"|\\(?:filldraw|path)[^;]*;|\\node\[.*?\] at \(.*?\)|\\begin{tikzpicture}\[.*?\]|\\arraycolsep=3pt"
    r"|\\(?:begin|end)\{[a-z]+\*?\}|\\(?:scriptsize|scriptstyle|footnotesize|par|noindent|LARGE|bfseries)\b *")
SIGNS = {r"\textbackslash{}": "\\", r"\textasciicircum{}": "^", r"\textasciitilde{}": "~", r"\textquotedbl{}": '"',
         r"\textasciigrave{}": "`", r"\checkmark{}": "✓", r"\allowbreak{}": "", r"\newline ": "\n", "-{}": "-", "'{}": "'",
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
