"""Where a number comes from: the commit, the machine and the versions behind a run."""

import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch


def provenance(device: str = "cpu") -> dict[str, Any]:
    """What has to stand beside a measured number so that somebody else can judge it."""
    return {
        "commit": commit(),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "hardware": hardware(device),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
    }


def commit() -> str | None:
    """The checkout's commit, with ``-dirty`` if the package differs from it; None outside git."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        revision = git("rev-parse", "HEAD")
        # Cards are results: one that is measured anew does not change the code of the next.
        package, cards = str(here.parent), ":(top,exclude,glob)**/card.json"
        changed = git("status", "--porcelain", "--untracked-files=no", "--", package, cards)
    except (OSError, subprocess.CalledProcessError):
        return None
    return revision + ("-dirty" if changed else "")


def hardware(device: str = "cpu") -> str:
    """The processor in words, e.g. ``2 × Intel(R) Xeon(R) Processor``."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(torch.device(device))
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return f"{os.cpu_count()} × {name}"
