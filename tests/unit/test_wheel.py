"""What Colab would get: the package from a wheel, and nothing of the repository beside it."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]_*.ipynb"))
PROJECT = ("pyproject.toml", "README.md", "LICENSE")  # what a build reads beside the package

BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
USE = """
import sys
from pathlib import Path

import ncabook

home = Path(sys.argv[1])
assert Path(ncabook.__file__).is_relative_to(home), ncabook.__file__
{imports}
from ncabook import experiments, zoo
from ncabook.automaton.cpu import step
from ncabook.live import LivePlayer, to_html

assert len(list(experiments.files())) > 20
named = set({models}) & set(zoo.names())
assert len(named) > 5, named
for name in zoo.names():
    assert zoo.load(name).network is not None
page = to_html(zoo.load("emoji-conv3").nca, 24, 24)
assert "nca-figure" in page and len(page) > 100_000
assert LivePlayer(zoo.load("emoji-conv3").nca, 24, 24)._esm
assert ncabook.emoji("🦎", 24, 4).shape == (4, 32, 32)
print("all there")
"""


def tracked():
    """Files of the package as git would hand them to pip; all files where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "ncabook"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode == 0 and listed.stdout:
        return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    files = (path for path in (ROOT / "ncabook").rglob("*") if path.is_file())
    return [str(p.relative_to(ROOT)) for p in files if "__pycache__" not in p.parts]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """A wheel built from the tracked files alone, unpacked."""
    source, home = (tmp_path_factory.mktemp(name) for name in ("source", "wheel"))
    for name in (*tracked(), *PROJECT):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(home)], cwd=source, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = home.glob("ncabook-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home / "site")
    return home / "site"


def code(path):
    """The lines of Python of a chapter, less what only a notebook understands."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) + "\n" for c in cells if c["cell_type"] == "code")
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", text, flags=re.MULTILINE)


def test_every_file_of_the_package_is_in_the_wheel(unpacked):
    """A pattern that is missing in pyproject.toml is missed by an installed package only."""
    missing = [name for name in tracked() if not (unpacked / name).is_file()]
    assert missing == []


def test_what_chapters_import_and_load_comes_with_the_wheel(unpacked, tmp_path):
    """Run from an empty folder, with no way back to the repository."""
    imports, models = set(), set()
    for path in CHAPTERS:
        text = code(path)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                line = ast.unparse(node)
                imports |= {line} if "ncabook" in line else set()
        models |= set(re.findall(r"[\"']([a-z]+-[a-z0-9-]+)[\"']", text))
    assert len(imports) > 20
    program = USE.format(imports="\n".join(sorted(imports)), models=sorted(models))
    done = subprocess.run(
        [sys.executable, "-c", program, str(unpacked)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "all there" in done.stdout
