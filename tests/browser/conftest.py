"""One Chromium for all browser tests: the system's, or the one that Playwright installed."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.pages import visits

NAMES = ("chromium", "chromium-browser", "google-chrome")
# A browser under test has no business on the network, and may run as root in a container.
FLAGS = [
    *("--no-sandbox", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--no-first-run"),
]
# WebGL by SwiftShader, a renderer on the CPU: slow, and there on every machine.
SWIFTSHADER = [
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    "--ignore-gpu-blocklist",
]


@pytest.fixture(scope="session")
def launch():
    """Starts the browser with some flags."""
    executable = next((path for name in NAMES if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        yield lambda *flags: playwright.chromium.launch(
            executable_path=executable, args=[*FLAGS, *flags]
        )


@pytest.fixture(scope="session")
def chromium(launch):
    browser = launch("--disable-gpu")
    yield browser
    browser.close()


@pytest.fixture
def visit_page(chromium):
    """Opens addresses for one test; see :func:`tests.browser.pages.visits`."""
    with visits(chromium) as visit:
        yield visit


@pytest.fixture(scope="module")
def visit_once(chromium):
    """The same for tests that share a page."""
    with visits(chromium) as visit:
        yield visit
