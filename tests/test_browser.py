"""HTML pages in a real browser: nothing that axe-core finds, nothing cut off on a phone or on paper."""
import io

import pytest
from command import BLOG, attntrace

pdfium = pytest.importorskip("pypdfium2")
AXE = pytest.importorskip("axe_playwright_python.base").AXE_FILE_PATH

HEAD = "decoder.layer1.self_attention.head1.*"
PAGES = {"trace": ("trace", *BLOG, "--only", HEAD, "--only", "decoder.layer1.feed_forward.norm*"),
         "map": ("map", *BLOG, "--layers", "2"), "steps": ("steps", *BLOG),
         "backprop": ("backprop", "a", "b", "--only", f"gradient.{HEAD}", "--only", "loss.*", "--arithmetic", "all",
                      "--only", "gradient.decoder.layer1.feed_forward.residual"),
         "compare": ("compare", *BLOG, "--what-if", "--ablate encoder.layer1.self_attention.head1"),
         "why": ("why", "decoder.output:2,1", *BLOG, "--depth", "all", "--top", "1"),
         "wide": ("trace", "어제 카페", "--d-model", "32", "--heads", "2", "--precision", "9", "--only", "head1.query")}
MARGIN = 16 / 25.4 * 72  # below what is on a page, in points
WHOLE = "*, ::details-content { content-visibility: visible !important; }"  # also what is not on the screen yet
CUT_OFF = """() => [...document.querySelectorAll('main *')].filter(one => {
    const {left, right, width} = one.getBoundingClientRect(), scrolls = one.closest('.box, .formulas, .step p');
    return width && (right > innerWidth + 0.5 || left < -0.5) && (!scrolls || scrolls === one);
}).map(one => one.outerHTML.slice(0, 200))"""


def opened(browser, name: str, **options):
    done = attntrace(*PAGES[name], "--format", "html")
    assert done.code == 0, done.err
    page = browser.new_page(bypass_csp=True, **options)
    page.set_content(done.out)
    page.add_style_tag(content=WHOLE)
    return page


@pytest.mark.parametrize("width, scheme", [(380, "light"), (1400, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_barrier_that_axe_finds_and_nothing_that_is_cut_off(browser, name, width, scheme):
    with opened(browser, name, viewport={"width": width, "height": 800}, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width and page.evaluate(CUT_OFF) == []
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found] == []


@pytest.mark.parametrize("name", PAGES)
def test_on_paper_pages_have_numbers_no_heading_stands_last_and_nothing_is_cut_off(browser, name):
    with opened(browser, name) as page:
        headings = page.evaluate("""[...document.querySelectorAll('h1, h2, h3, h4, main .at, caption, main li > code,'
            + 'th[scope=rowgroup]')].map(one => one.textContent.replace(/\\s+/g, ' ').trim())""")
        sheets = pdfium.PdfDocument(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert headings
    for n in range(len(sheets)):
        (width, height), text = sheets[n].get_size(), sheets[n].get_textpage()
        rects = [text.get_rect(one) for one in range(text.count_rects())]
        assert width > height
        for left, bottom, right, top in rects:
            assert 30 < left < right < width - 30 and 15 < bottom < top < height - 30
        assert joined(text.get_text_bounded(top=MARGIN)) == f"{n + 1} / {len(sheets)}"
        _, bottom, _, top = min((rect for rect in rects if rect[1] > MARGIN), key=lambda rect: rect[1])
        assert joined(text.get_text_bounded(bottom=bottom, top=top)) not in headings


def joined(text: str) -> str:
    return " ".join(text.split())
