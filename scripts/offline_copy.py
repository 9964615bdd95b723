"""Zips the built book: unzipped anywhere, it opens from ``file://``, with its figures alive.

``python scripts/offline_copy.py`` writes ``_build/ncabook-book.zip`` from ``_build/html``, as
``scripts/book.py build`` does when it has built that.
"""

import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build" / "html"
ARCHIVE = ROOT / "_build" / "ncabook-book.zip"
FOLDER = "ncabook-book"  # what appears where somebody unzips it
LEFT_OUT = (".map", ".buildinfo")  # for those who debug a theme's scripts, or build again


def write(site: Path = SITE, archive: Path = ARCHIVE) -> Path:
    """Zips ``site`` into ``archive``, in one folder; returns the archive.

    Raises:
        FileNotFoundError: there is no book in ``site``.

    """
    if not (site / "index.html").is_file():
        raise FileNotFoundError(f"no book in {site}; build it with scripts/book.py build")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(site.rglob("*")):
            if path.is_file() and not path.name.endswith(LEFT_OUT):
                file.write(path, f"{FOLDER}/{path.relative_to(site)}")
    return archive


if __name__ == "__main__":
    print(write())
