"""The slider of guidance in a real browser: told in words, kept by a reset, and in a link."""

import pytest

from ncabook.live import to_html
from tests.browser.pages import look_around, until
from tests.live.test_guidance import FREE
from tests.live.test_seeds import HEIGHT, WIDTH, cells, grower

pytestmark = pytest.mark.browser
WEIGHT = "document.querySelector('figure').ncaPlayer.last.weight"


@pytest.fixture
def page(visit_page, tmp_path):
    text = to_html(grower(), HEIGHT, WIDTH, seeds=cells(), free=FREE, more=True)
    (tmp_path / "guided.html").write_text(text, "utf-8")
    return visit_page((tmp_path / "guided.html").as_uri())


def test_the_name_of_a_slider_does_not_lie_under_it(page):
    """The longest one is this figure's own; on a desk and on a phone."""

    def apart():
        for label in page.locator(".nca-slider label:visible").all():
            assert label.evaluate("(label) => label.scrollWidth <= label.clientWidth")

    look_around(page, apart)


def test_a_slider_guides(page):
    slider = page.get_by_role("slider", name="Guidance")
    assert slider.get_attribute("aria-valuetext") == "guidance 1; 1 is none"
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    until(lambda: page.evaluate(WEIGHT) == 1.3)
    assert slider.get_attribute("aria-valuetext") == "guidance 1.3; 1 is none"
    page.get_by_role("button", name="Reset").click()
    assert page.evaluate(WEIGHT) == 1.3
    slider.press("ArrowLeft")
    until(lambda: page.evaluate(WEIGHT) == 1.2)
    page.get_by_role("button", name="Back").click()
    until(lambda: slider.input_value() == "13")
    look_around(page)
