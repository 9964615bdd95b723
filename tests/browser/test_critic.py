"""A figure with a critic in a real browser: its opinion lies over the picture, and has a key."""

import pytest
import torch

from ncabook.live import Opinion, to_html
from ncabook.training.pairs import white_paper
from tests.browser.pages import look_around, until
from tests.live.test_critic import LAYOUT, parts

pytestmark = pytest.mark.browser
INKS = {"red": "#c0392b", "blue": "#2456a6", "ochre": "#c98a2b"}


@pytest.fixture
def page(visit_page, tmp_path):
    nca, critic, ink = parts(24, 24)
    text = to_html(
        nca,
        24,
        24,
        start=white_paper(LAYOUT, torch.zeros(1, 1, 24, 24)),
        inputs={"some": ink, "blank": 0 * ink},
        opinion=Opinion(critic, 100.0, 1.0),
        inks=INKS,
        more=True,
    )
    (tmp_path / "critic.html").write_text(text, "utf-8")
    return visit_page((tmp_path / "critic.html").as_uri())


def pixel(page, x, y):
    return page.evaluate(
        "([x, y]) => [...document.querySelector('canvas').getContext('2d')"
        ".getImageData(x, y, 1, 1).data]",
        [x, y],
    )


def test_the_opinion_is_shown_over_the_picture(page):
    """Here everything looks made: red, and paper is still paler than ink."""
    page.get_by_label("Show").select_option("the critic's opinion")
    until(lambda: pixel(page, 3, 3)[0] > 1.5 * pixel(page, 3, 3)[2])
    key = page.locator(".nca-key")
    assert key.is_visible()
    assert key.inner_text().split() == ["made", "real"]
    page.get_by_label("Show").select_option("hidden channel 5")
    assert key.inner_text().split() == ["−1", "1"]


def test_three_brushes_have_room_for_their_words(page):
    """Paint, draw and wipe, on a desk and on a phone."""

    def fits():
        for word in ("Paint", "Draw", "Wipe"):
            tile = page.locator(".nca-hold .nca-tile", has_text=word)
            assert tile.evaluate("(tile) => tile.scrollWidth <= tile.clientWidth"), word

    look_around(page, fits)
