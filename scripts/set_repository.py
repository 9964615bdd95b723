"""Writes the repository's public address to the places that need it.

``python scripts/set_repository.py https://github.com/OWNER/ncabook``

``[project.urls]`` in pyproject.toml is the address's home. The set-up cells and badges of the
chapters, ``_config.yml`` and CITATION.cff follow it; a test keeps them equal. Until an address
is set, it is one that cannot resolve, and there is no Colab button.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACEHOLDER = "https://ncabook.invalid/ncabook"
COLAB = "https://colab.research.google.com"
BADGES = "<!-- badges -->"


def current(root: Path = ROOT) -> str:
    """The address in pyproject.toml."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(r'^Repository = "(.+)"$', text, re.MULTILINE)[1]


def badges(url: str, chapter: str) -> str:
    """The line below a chapter's title: nothing but a marker until there is an address."""
    if url == PLACEHOLDER:
        return BADGES
    repository = url.removeprefix("https://github.com/")
    notebook = f"{repository}/blob/main/book/{chapter}.ipynb"
    colab = f"[Run in Colab]({COLAB}/github/{notebook})"
    return f"{BADGES} {colab} · [Source]({url}/blob/main/book/{chapter}.ipynb)"


def set_repository(url: str, root: Path = ROOT) -> list[Path]:
    """Stamps ``url`` everywhere; returns the files that changed."""
    if url != PLACEHOLDER and not re.fullmatch(
        r"https://github\.com/[A-Za-z0-9-]+/(?!\.)[\w.-]+(?<!\.git)", url
    ):
        raise ValueError(
            f"URL is {url!r}; expected https://github.com/OWNER/NAME (Colab opens GitHub only)"
        )
    old = current(root)
    changed = []
    for name in ("pyproject.toml", "_config.yml", "CITATION.cff", "README.md", "CHANGELOG.md"):
        changed += _replace(root / name, lambda text: text.replace(old, url))
    changed += _replace(root / "_config.yml", lambda text: _colab_button(text, url))
    for path in sorted((root / "book").glob("[0-9][0-9]_*.ipynb")):
        changed += _replace(path, lambda text, path=path: _stamp_chapter(text, path, old, url))
    return sorted(set(changed))


def _stamp_chapter(text: str, path: Path, old: str, url: str) -> str:
    notebook = json.loads(text)
    line = badges(url, path.stem)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        stamped = re.sub(rf"^{re.escape(BADGES)}.*$", lambda _: line, source, flags=re.MULTILINE)
        cell["source"] = stamped.replace(f"git+{old}", f"git+{url}").splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _colab_button(text: str, url: str) -> str:
    text = re.sub(r"^  colab_url: .*\n", "", text, flags=re.MULTILINE)
    if url == PLACEHOLDER:
        return text
    return text.replace("launch_buttons:\n", f"launch_buttons:\n  colab_url: {COLAB}\n")


def _replace(path: Path, change: object) -> list[Path]:
    before = path.read_text(encoding="utf-8")
    after = change(before)
    if after == before:
        return []
    path.write_text(after, encoding="utf-8")
    return [path]


if __name__ == "__main__":
    try:
        for path in set_repository(sys.argv[1].rstrip("/") if len(sys.argv) > 1 else ""):
            print(path.relative_to(ROOT))
    except ValueError as error:
        sys.exit(f"error: {error}")
