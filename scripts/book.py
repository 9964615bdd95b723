"""Executes the chapters and builds the book.

``python scripts/book.py execute``  runs the chapters whose sources changed since their outputs
``python scripts/book.py build``    builds ``_build/html`` and a zip of it; warnings are errors
``python scripts/book.py links``    follows every link that leads out of the book; needs a network
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import papermill

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
EXECUTED = "executed_source"


def chapters() -> list[Path]:
    """The chapters' notebooks, in order."""
    return sorted(BOOK.glob("[0-9][0-9]_*.ipynb"))


def source_digest(notebook: nbformat.NotebookNode) -> str:
    """Identifies what would be executed: the sources and tags of all code cells."""
    # The repository's address is no part of it: stamping another one changes no result.
    cells = [
        (re.sub(r"@ git\+[^\"]+", "@ git+", cell.source), cell.metadata.get("tags", []))
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    return hashlib.sha256(repr(cells).encode()).hexdigest()


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Removes what differs between two equal runs: timestamps, random ids, widget state."""
    for key in ("papermill", "widgets", "jupytext"):
        notebook.metadata.pop(key, None)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if "injected-parameters" not in cell.metadata.get("tags", [])
    ]
    for i, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        cell["id"] = hashlib.sha1(f"{i}:{cell.source}".encode()).hexdigest()[:8]
    return notebook


def run(source: Path, target: Path, **parameters: Any) -> nbformat.NotebookNode:
    """Executes a chapter from scratch into ``target``, cleaned."""
    from ncabook.automaton.cpu import step  # slow to import, and rarely needed

    step.available()  # compiling it says so, which is no part of a chapter
    papermill.execute_notebook(
        str(source),
        str(target),
        parameters=parameters,
        cwd=str(source.parent),
        kernel_name="python3",
        progress_bar=False,
        execution_timeout=1200,
    )
    notebook = clean(nbformat.read(target, as_version=4))
    notebook.metadata["ncabook"] = {EXECUTED: source_digest(notebook)}
    nbformat.write(notebook, target)
    return notebook


def up_to_date(path: Path) -> bool:
    """Whether a chapter's outputs come from its present sources."""
    notebook = nbformat.read(path, as_version=4)
    recorded = notebook.metadata.get("ncabook", {}).get(EXECUTED)
    return recorded == source_digest(notebook)


def execute(force: bool, names: list[str]) -> None:
    """Runs, in place, every chapter that is out of date, or all of them, or those named."""
    os.environ["NCABOOK_STATIC"] = "1"  # live figures as plain HTML: pages have no kernel
    unknown = set(names) - {path.stem for path in chapters()}
    if unknown:
        known = ", ".join(path.stem for path in chapters())
        sys.exit(f"error: no chapter {', '.join(sorted(unknown))}; there are {known}")
    for path in chapters():
        if names and path.stem not in names:
            continue
        if not force and up_to_date(path):
            print(f"{path.name}: outputs are up to date")
            continue
        print(f"{path.name}: executing", flush=True)
        scratch = ROOT / ".make" / path.name  # not beside the chapters: what lies there is one
        scratch.parent.mkdir(exist_ok=True)
        try:
            run(path, scratch)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)


def build() -> None:
    """Builds the HTML book, and zips it; warnings and dangling references are errors."""
    # Pages of source are made again when the source changes only, not when their frame does.
    shutil.rmtree(ROOT / "_build/html/_modules", ignore_errors=True)
    if not _jupyter_book("--all", "-W", "-n", "--keep-going"):
        sys.exit("the book was not built; the warnings above are errors")
    import offline_copy
    import results_page  # brings the package with it, slow to import
    import teaching_kit

    results_page.write_files(ROOT / "_build/html")
    teaching_kit.write(ROOT / "_build/html/_static/teaching")
    print(f"\nto keep or to pass on: {offline_copy.write()}")
    print(f"open {(ROOT / '_build/html/index.html').as_uri()}")


def links() -> None:
    """Asks every address that the book links to; a dead one is an error."""
    folder = ROOT / "_build" / "links"
    if not _jupyter_book("--all", "--builder", "linkcheck", "--path-output", str(folder)):
        sys.exit(f"there are dead links; they stand above, and in {folder}")


def _jupyter_book(*options: str) -> bool:
    """Whether ``jupyter-book build`` succeeds."""
    command = ["jupyter-book", "build", str(ROOT), *options]
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, env=environment, check=False).returncode == 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=["execute", "build", "links"])
    parser.add_argument("names", nargs="*", help="chapters, e.g. 02_anatomy_of_a_step")
    parser.add_argument("--force", action="store_true", help="execute all chapters named")
    arguments = parser.parse_args()
    if arguments.task == "execute":
        execute(arguments.force, arguments.names)
    elif arguments.task == "links":
        links()
    else:
        build()
