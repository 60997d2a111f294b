"""Scripts and styles of a page, and the policy that lets it run only these: smaller than the files beside this one."""
import os
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from string import ascii_letters, digits

from attntrace.tracing.trace import sha256

ANSWERS = "explore", "present"  # of a page with steps
PLAYER = ("player",)  # of a translation
PAIRS = ("pairs",)  # of two runs
SCRIPTS = (ANSWERS, PLAYER, PAIRS)
TEXT = '"'  # stands for a text while names are shortened
BRIEF = {"const": "let", "true": "!0", "false": "!1", "undefined": "void 0"}
COMMENTS = re.compile(r"^ *//.*\n|  // .*$", re.M)
DECLARES = re.compile(r"(?:const|let)(?: |$)")
# Strings and patterns (a division has blanks around its sign); numbers, names, signs.
TOKEN = re.compile(r'("(?:\\.|[^"\\])*"|/(?:\\.|\[(?:\\.|[^]\\])*\]|[^/\s\[\\])+/\w*)'
                   r'|\.?\d[\w.]*|[A-Za-z_]\w*|\.{3}|\s+|.')
TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`$\\])*(?:`|\$\{)")
# Properties that the scripts give to objects, shortened as well: of what an element, a Map or the data of a page have
# by themselves, the scripts use none of these names.
PRIVATE = ("operands", "parts", "settings", "decimals", "node", "kind", "name", "path", "ref", "refs", "size",
           "element", "matrices", "scale", "starts", "isTurned", "isOwn", "isRead", "lost", "pieces", "seen", "skipped",
           "symbol", "term", "under", "unit", "copies", "digits", "kept", "unseen", "result", "td", "text", "texts")
NAME = re.compile(rf"(?<![\w.])[A-Za-z_]\w*|(?<=\.{{3}})\w+|(?<=\.)(?:{'|'.join(PRIVATE)})\b")
# Below: in code without its strings.
BLANK = re.compile(r"(?<=[][{}(),;:?!=<>|&*/%+-])\s+|\s+(?=[][{}(),;:?!=<>|&*/%+-])|[;,]\s*(?=\})")
# Names of keys, of methods; what is between brackets (the names in an object or what is taken out of one, which is no
# block of statements, parameters, or items of an array that is taken apart); names in a list; names that are declared
# one by one.
PROPERTY = re.compile(r"[{,](\w+)(?::|\([^()]*\)\{)")
INNERMOST = re.compile(r"(?<![)>])\{([^][(){};]*)\}"
                       r"|(?:\((?=[^()]*\)(?:=>|\{))|\[(?=[^][(){}]*\](?:=(?!=)|of\b)))([^][(){}]*)[\])]"
                       r"|[\[({][^][(){}]*[\])}]")
LISTED = re.compile(r"(?:^|,)(\w+)(?=,|=|$)"), re.compile(r"(?:^|,)(?:\.{3})?(\w+)(?=,|=|$)")
DECLARED = re.compile(r"\b(?:const |let |function |of )(\w+)|,(\w+)=(?!=)|\b(\w+)=>")


@lru_cache
def resource(name: str) -> str:
    """The text of a file beside this one."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


@lru_cache
def script(*names: str) -> str:
    """Scripts in one function, without comments and most blanks, their names as short as they can be."""
    text = "".join(COMMENTS.sub("", resource(f"{name}.js")) for name in names)
    pieces = list(in_code(f"(() => {{\n{text}}})();\n"))
    code = joined(BLANK.sub("", "".join(piece if is_code else TEXT for is_code, piece in pieces)))
    texts = (piece for is_code, piece in pieces if not is_code)
    short = BRIEF | shortened(code)
    return re.sub(f"{NAME.pattern}|{TEXT}",
                  lambda found: next(texts) if found[0] == TEXT else short.get(found[0], found[0]), code)


def joined(code: str) -> str:
    """Declarations that follow one another as one."""
    parts, declares = [""], [False]  # at each depth: whether its statement is a declaration
    for part in re.findall(r"[][(){};]|[^][(){};]+", code):
        begins = parts[-1] in ";{}" and DECLARES.match(part)
        if parts[-1] == ";" and begins and declares[-1]:
            parts[-1], part = ",", part[begins.end():]
        elif parts[-1] in ";{" or begins:
            declares[-1] = bool(begins)
        if part in "([{":
            declares.append(False)
        elif part in ")]}":
            declares.pop()
        parts.append(part)
    return "".join(parts)


def in_code(text: str) -> Iterator[tuple[bool, str]]:
    """The pieces of a script, and whether each is code: not the wording of a string, a pattern or a template."""
    opened: list[str] = []
    place = 0
    while found := TOKEN.match(text, place):
        piece, is_code, place = found[0], not found[1], found.end()
        in_template = piece == "`" or piece == "}" and opened and opened.pop() == "${"
        if in_template and (found := TEMPLATE.match(text, place)):
            piece, is_code, place = piece + found[0], False, found.end()
        if piece.endswith("{"):
            opened.append("{" if is_code else "${")
        yield is_code, piece


def shortened(code: str) -> dict[str, str]:
    """New names of what a script declares: none of what is a property as well."""
    kept, own = {*PROPERTY.findall(code)}, {name for names in DECLARED.findall(code) for name in names}

    def inner(found: re.Match[str]) -> str:
        for names, listed, part in zip((kept, own), LISTED, found.groups(), strict=True):
            names.update(listed.findall(part or ""))
        return ""

    rest, count = code, 1
    while count:
        rest, count = INNERMOST.subn(inner, rest)
    used = Counter(NAME.findall(code))
    kept -= {*PRIVATE}
    renamed = sorted((own | {*PRIVATE}) & used.keys() - kept, key=lambda name: (-used[name], name))
    free = (letter + digit for digit in ("", *digits) for letter in ascii_letters)
    return dict(zip(renamed, (name for name in free if name not in used or name in renamed)))


@lru_cache
def style(*names: str) -> str:
    """Styles without blanks and zeros that need not be there."""
    text = "".join(resource(f"{name}.css") for name in names)
    return re.sub(r"\s*([{};,])\s*|(?<=:) |\b0(?=\.)", r"\1", text).replace(";}", "}")


@lru_cache
def policy() -> str:
    """The policy that lets a page load nothing and run only these scripts."""
    sources = {"style": [resource("page.css"), *[style(*names) for names in SCRIPTS]],
               "script": [script(*names) for names in SCRIPTS]}
    allowed = "".join(f"; {kind}-src {' '.join(map(hashed, texts))}" for kind, texts in sources.items())
    return f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'{allowed}">\n'


def hashed(text: str) -> str:
    """What stands between two tags, behind an end of line, as policies name it."""
    digest = sha256(f"\n{text}".encode()).digest()
    return f"'sha256-{b64encode(digest).decode()}'"
