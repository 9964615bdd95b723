"""Runs the chapters as Colab would: its versions, the package from a wheel, no repository.

``python scripts/as_colab.py [CHAPTER …]`` builds a wheel of the tracked files, makes an
environment in ``_build/colab`` with what ``scripts/colab.txt`` lists and that wheel, and executes
each chapter with ``FAST = True`` in a temporary folder that holds nothing but the notebook. It
needs uv (``make`` installs one), a network, and several gigabytes for PyTorch; with
``UV_TORCH_BACKEND=cpu`` uv takes the build without CUDA. It is no part of ``make test``.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOME = ROOT / "_build" / "colab"
VERSIONS = ROOT / "scripts" / "colab.txt"
PYTHON = "3.12"
PROJECT = ("pyproject.toml", "README.md", "LICENSE")  # what a build reads beside the package
SECONDS = 1200  # for a cell
# What the chapters use in Colab beyond the wheel's own requirements.
THERE = ("ipykernel", "ipython", "nbclient", "nbformat", "notebook", "pandas", "scipy")
# Run by the environment's own Python. The widgets are there, as in Colab: no NCABOOK_STATIC.
EXECUTE = f"""
import re, sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
(cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
cell.source, changed = re.subn(r"^FAST = False", "FAST = True", cell.source, flags=re.M)
assert changed == 1, "expected a line FAST = False in the cell of parameters"
NotebookClient(notebook, timeout={SECONDS}, kernel_name="python3").execute()
print("".join(o.get("text", "") for o in notebook.cells[-1].outputs).strip())
"""


def uv() -> str:
    """The uv that `make` installed, else the system's."""
    ours = ROOT / ".make" / "uv" / "bin" / "uv"
    found = str(ours) if ours.exists() else shutil.which("uv")
    if found is None:
        sys.exit("error: no uv; `make book` installs one in .make, `pip install uv` elsewhere")
    return found


def run(*command: str, **options: object) -> None:
    """A command that has to succeed."""
    if subprocess.run(command, check=False, **options).returncode != 0:
        sys.exit(f"error: {' '.join(command[:4])} … failed; see above")


def wheel(folder: Path) -> Path:
    """The package as git would hand it to pip, built in ``folder``."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "ncabook"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    source = folder / "source"
    for name in (*filter(None, listed.stdout.split("\0")), *PROJECT):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    run(uv(), "build", "-q", "--wheel", "--out-dir", str(folder), str(source))
    (built,) = folder.glob("*.whl")
    return built


def environment(built: Path, version: str) -> Path:
    """Colab's versions and the wheel, nothing else; returns its Python."""
    python = HOME / "bin" / "python"
    if not python.exists():
        run(uv(), "venv", "-q", "--python", version, str(HOME))
    install = (uv(), "pip", "install", "-q", "--python", str(python), "-c", str(VERSIONS))
    run(*install, *THERE)
    run(*install, "--reinstall-package", "ncabook", str(built))
    return python


def execute(python: Path, chapter: Path) -> bool:
    """Whether a chapter runs, alone in a folder."""
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "NCABOOK_STATIC")}
    variables["PATH"] = f"{python.parent}:{variables['PATH']}"
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(chapter, folder)
        command = [str(python), "-c", EXECUTE, chapter.name]
        done = subprocess.run(command, cwd=folder, env=variables, check=False)
    ran = done.returncode == 0
    print(f"{chapter.stem}: {'ran' if ran else 'FAILED'}, {time.monotonic() - began:.0f} s")
    return ran


def main(names: list[str], version: str) -> None:
    """Runs the chapters named, or all; fails if one did."""
    known = {path.stem: path for path in sorted((ROOT / "book").glob("[0-9][0-9]_*.ipynb"))}
    if unknown := set(names) - known.keys():
        sys.exit(f"error: no chapter {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    with tempfile.TemporaryDirectory() as folder:
        python = environment(wheel(Path(folder)), version)
    failed = [name for name in names or known if not execute(python, known[name])]
    if failed:
        sys.exit(f"error: {', '.join(failed)} did not run as in Colab")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="chapters, e.g. 01_from_ca_to_nca")
    parser.add_argument("--python", default=PYTHON, help="a version, or a path to a Python of it")
    arguments = parser.parse_args()
    main(arguments.names, arguments.python)
