"""The picture of a model in TikZ, of the same boxes and paths as the vector graphics."""
from collections.abc import Iterator

from attntrace.pages.blocks import Architecture
from attntrace.writers.latex.markup import FITTING, LatexPage, escaped
from attntrace.writers.svg.architecture import Drawing, Inks
from attntrace.writers.svg.markup import NOTE

PIXEL = 0.75  # points


def picture_lines(block: Architecture, page: LatexPage) -> Iterator[str]:
    """A picture that is no larger than the page."""
    drawing = Drawing(block, page.languages, Inks("black", "gray", "gray!50", "white", "gray!10", "orange!40"))
    inks = drawing.inks
    yield from (rf"\begin{{center}}\begin{{adjustbox}}{{{FITTING}}}",
                rf"\begin{{tikzpicture}}[xscale={PIXEL},yscale=-{PIXEL}]")
    for box, shape, fill in drawing.rects:
        yield (rf"\filldraw[rounded corners=3pt,draw={inks.line},fill={inks.here if box is drawing.here else fill}] "
               rf"({shape.x:.0f}pt,{shape.y:.0f}pt) rectangle ++({shape.width:.0f}pt,{shape.height:.0f}pt);")
    for how, path in ((f"draw={inks.line}", drawing.rules), (f"draw={inks.ink}", drawing.lines),
                      (f"fill={inks.ink}", drawing.heads)):
        if path:
            yield rf"\path[{how}] svg {{{path}}};"
    for label in drawing.labels:
        style = rf"font=\footnotesize,text={inks.grey}" if label.size == NOTE else rf"font=\small,text={inks.ink}"
        anchor = "anchor=base west" if label.starts else "anchor=base"
        words = escaped(page.word(label.words))
        yield rf"\node[{anchor},inner xsep=0pt,{style}] at ({label.x:.1f}pt,{label.y:.1f}pt) {{{words}}};"
    yield r"\end{tikzpicture}\end{adjustbox}\end{center}"
