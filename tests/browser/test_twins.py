"""Two rules side by side: they are the package's rules, and the counter counts."""

import re

import pytest
import torch

from ncabook.automaton.classic import all_neighbourhoods, evolve, life_step, life_table
from ncabook.live import twins_figure

pytestmark = pytest.mark.browser

STEPS = 12
MISTAKE = 0b010010010  # a blinker's middle: it survives in Life


def wrong_step(cells):
    """Life but for one neighbourhood, by comparing all nine cells."""
    pattern = all_neighbourhoods()[MISTAKE]
    there = torch.ones_like(cells, dtype=torch.bool)
    for y in range(3):
        for x in range(3):
            there &= cells.roll((1 - y, 1 - x), (0, 1)) == pattern[y, x]
    return life_step(cells) ^ there.to(torch.uint8)


@pytest.fixture
def soup():
    generator = torch.Generator().manual_seed(3)
    return (torch.rand(20, 24, generator=generator) < 0.4).to(torch.uint8)


@pytest.fixture
def page(chromium, soup):
    """The figure alone, standing still."""
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    broken = life_table()
    broken[MISTAKE] ^= 1
    page.set_content(twins_figure(soup, life_table(), broken, ("Life", "<i>nearly</i>")))
    yield page
    assert page.complaints == []
    context.close()


def differing(page):
    found = re.fullmatch(
        r"Step (\d+): ([\d,]+) of 480 cells differ \(.*\)\.", page.inner_text(".twins-count")
    )
    return int(found[1]), int(found[2].replace(",", ""))


def test_the_counter_counts_what_the_package_computes(page, soup):
    true, nearly = evolve(soup, STEPS, life_step), evolve(soup, STEPS, wrong_step)
    expected = (true != nearly).sum((1, 2)).tolist()
    assert expected[-1] > 10
    for t in range(STEPS):
        assert differing(page) == (t, expected[t])
        page.click(".twins-step")
    black = page.evaluate(
        """() => { const canvas = document.querySelector(".twins-pair canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return [...Array(data.length / 4).keys()].map((i) => Number(data[4 * i] === 0)); }"""
    )
    assert black == true[STEPS].flatten().tolist()


def test_a_mistake_can_be_mended_and_broken_again(page):
    button = page.locator(".twins-wrong button")
    assert button.count() == 1
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    for _ in range(STEPS):
        page.click(".twins-step")
    assert differing(page) == (STEPS, 0)
    button.click()
    page.click(".twins-again")
    for _ in range(STEPS):
        page.click(".twins-step")
    assert differing(page)[1] > 0


def test_other_starts_begin_with_no_difference_and_a_press_flips_both(page):
    for start, alive in (("glider", 5), ("five", 5), ("other", None)):
        page.select_option(".eca-start", start)
        assert differing(page) == (0, 0)
        count = page.evaluate(
            """() => { const canvas = document.querySelector(".twins-pair canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, 24, 20);
            return data.filter((v, i) => i % 4 === 0 && v === 0).length; }"""
        )
        assert alive in (None, count)
    page.locator(".twins-pair canvas").last.click()
    assert differing(page) == (0, 0)


def test_names_are_text(page):
    assert page.inner_text(".twins-name >> nth=1") == "<i>nearly</i>"
