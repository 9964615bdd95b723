"""What tests ask of a page with a live figure again and again."""

import time
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe

from ncabook.live import figure_html
from ncabook.live.html import PAGE
from ncabook.live.script import page_script

SCHEMES = ("light", "dark")
WIDTHS = (1440, 390)  # a desk and a phone


@contextmanager
def visits(browser):
    """Gives a function that opens an address; at the end nothing may have gone wrong unsaid.

    Each page has a context of its own. It may ask for nothing but itself, write nothing to the
    console, at any level, and throw nothing; a `loud` one may. With `wait`, it is there when its
    first figure lives. Other options are those of a context.
    """
    contexts, complaints, requests = [], [], []

    def visit(address, *, loud=False, wait=True, init=None, **options):
        context = browser.new_context(**{"reduced_motion": "reduce", **options})
        contexts.append(context)
        if init:
            context.add_init_script(init)
        if not loud:  # of all its pages, those that a test opens later among them
            context.on("console", lambda message: complaints.append(message.text))
            context.on("weberror", lambda error: complaints.append(str(error.error)))
        own = address.split("#")[0]
        context.on("request", lambda r: requests.append(r.url) if foreign(r.url, own) else None)
        page = context.new_page()
        page.goto(address)
        if wait:
            until(lambda: mounted(page, 0))
        return page

    yield visit
    for context in contexts:
        context.close()
    # The tests read pixels more often than a canvas for drawing is made for.
    assert [c for c in complaints if "willReadFrequently" not in c] == []
    assert requests == []


def typeset(page):
    """Waits for MathJax, if the page has formulas; those that it could not set, as text."""
    page.evaluate("""async () => {
      if (!document.querySelector("meta[name='ncabook-mathjax']")) return;
      while (!window.MathJax?.startup?.promise) await new Promise((go) => setTimeout(go, 20));
      await MathJax.startup.promise;
    }""")
    errors = page.locator("mjx-merror")
    return [errors.nth(i).get_attribute("data-mjx-error") for i in range(errors.count())]


def foreign(url, own):
    return url.split("#")[0] != own and not url.startswith(("blob:", "data:"))


def look_around(page, check=lambda: None):
    """In light and dark, on a desk and on a phone: the page fits, axe and `check` are content.

    The page is left in dark, as a phone shows it.
    """
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            satisfies_axe(page)
            check()


def satisfies_axe(page, context=None):
    results = Axe().run(page, context=context)
    assert len(results.response["passes"]) > 10, "it saw hardly anything"
    assert results.violations_count == 0, results.generate_report()


def write_page(file, title, descriptions, weights):
    """A page with one figure, in the frame of an exported one; its address."""
    figure = figure_html(descriptions, weights, title)
    file.write_text(PAGE.format(title=title, figure=figure, script=page_script()), "utf-8")
    return file.as_uri()


def until(condition, seconds=10):
    """Waits by asking again; the page's own policy forbids what Playwright's waiting evaluates."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def mounted(page, index):
    script = "(i) => document.querySelectorAll('figure')[i].ncaPlayer !== undefined"
    return page.evaluate(script, index)


def status(page):
    return page.locator(".nca-player > [role=status]")


def steps(page):
    return page.evaluate("document.querySelector('figure').ncaPlayer.last.step")
