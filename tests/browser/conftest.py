"""One Chromium for all browser tests, the system's or Playwright's; and the built book, served."""

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import sync_playwright

from tests.browser.pages import visits

ROOT = Path(__file__).parents[2]
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


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id):
    """Builds the book (warnings are errors), once for all workers, and serves it here."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    built = shared / "book-is-built"
    with FileLock(shared / "book.lock"):
        if not built.exists():
            subprocess.run([sys.executable, str(ROOT / "scripts/book.py"), "build"], check=True)
            built.touch()
    handler = functools.partial(Quiet, directory=ROOT / "_build" / "html")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
