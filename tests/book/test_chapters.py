"""Chapters: clean as committed, complete by the template, and whole when run from scratch."""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import find_comment_markers

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import book  # noqa: E402

CHAPTERS = book.chapters()
NAMES = [p.stem for p in CHAPTERS]
SETUP = """\
# Set-up: installs the package in Colab, does nothing elsewhere.
import sys

if "google.colab" in sys.modules:
    %pip install -q "ncabook @ git+"""


@pytest.fixture(params=CHAPTERS, ids=NAMES)
def chapter(request):
    return nbformat.read(request.param, as_version=4)


def sources(notebook, kind):
    return [c.source for c in notebook.cells if c.cell_type == kind]


def test_the_table_of_contents_has_every_chapter():
    toc = (ROOT / "_toc.yml").read_text()
    assert re.findall(r"file: book/(\d\d_\w+)", toc) == NAMES


def test_a_chapter_follows_the_template(chapter):
    text = "\n".join(sources(chapter, "markdown"))
    first = sources(chapter, "markdown")[0]
    assert re.fullmatch(r"# .+\n<!-- badges -->\n\n(?P<sentences>\S.+)", first)
    assert len(first.splitlines()[-1].split()) < 60, "two sentences"
    assert [cell.cell_type for cell in chapter.cells[1:6]] == ["code"] * 4 + ["markdown"]
    assert any('<figure class="nca-' in shown for shown in htmls(chapter.cells[4]))
    assert chapter.cells[5].source.startswith(":::{admonition} Goals")
    for part in (
        "{admonition} Goals",
        "**Prerequisites.**",
        "## Exercises",
        "## Summary",
        "## What next",
        "## References",
    ):
        assert part in text, part
    code = [c for c in chapter.cells if c.cell_type == "code"]
    assert code[0].source.startswith(SETUP)
    assert code[1].metadata.get("tags") == ["parameters"]
    for name in ("FAST", "SEED", "DEVICE"):
        assert re.search(rf"^{name} = ", code[1].source, re.MULTILINE), name
    exercises = dict(re.findall(r"\{exercise\} .*\((easy|medium|open)\)\n:label: (\S+)", text))
    assert set(exercises) == {"easy", "medium", "open"}
    solved = re.findall(r"\{solution-start\} (\S+)\n:label: \S+\n:class: dropdown", text)
    assert set(exercises.values()) <= set(solved)


def test_a_chapter_is_committed_clean_and_with_its_outputs(chapter, request):
    path = CHAPTERS[NAMES.index(request.node.callspec.id)]
    assert path.stat().st_size < 2_500_000
    assert set(chapter.metadata) <= {"kernelspec", "language_info", "ncabook"}
    assert book.up_to_date(path), "sources changed since the outputs; run `make book`"
    counts = [c.execution_count for c in chapter.cells if c.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    for cell in chapter.cells:
        assert not {"papermill", "execution"} & set(cell.metadata)
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
    assert str(ROOT) not in json.dumps(chapter)


def htmls(cell):
    return [
        o.data["text/html"] for o in cell.get("outputs", []) if "text/html" in o.get("data", {})
    ]


def test_every_picture_and_table_has_words(chapter):
    """Without alt text it does not exist for some readers; without a number it has no name."""
    names = []
    for cell in chapter.cells:
        kinds = {kind for o in cell.get("outputs", []) for kind in o.get("data", {})}
        if kinds & {"image/png", "image/svg+xml"}:
            words = cell.metadata.get("mystnb", {})
            assert len(words.get("image", {}).get("alt", "")) > 40, cell.source[:80]
            assert len(words.get("figure", {}).get("caption", "")) > 15, cell.source[:80]
            names.append(words["figure"]["name"])
        if any("<table" in html for html in htmls(cell)):
            words = cell.metadata.get("ncabook", {})
            assert len(words.get("caption", "")) > 10, cell.source[:80]
            assert "{" not in words["caption"], "a table's caption knows no roles"
            names.append(words["name"])
    assert len(set(names)) == len(names)
    assert all(re.match("(fig|tab)-", name) for name in names)


def test_every_drawing_follows_the_theme(chapter):
    """It is drawn in one ink, and for a phone too; no picture of pixels has come back."""
    for cell in chapter.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            assert "image/png" not in data, cell.source[:80]
            if "image/svg+xml" in data:
                assert "fill: #000000" not in data["image/svg+xml"], cell.source[:80]


def checked(notebook):
    """What the cells marked ``# NBVAL_CHECK_OUTPUT`` say, as nbval compares it: not in pictures."""
    said = []
    for cell in notebook.cells:
        if cell.cell_type != "code" or not dict(find_comment_markers(cell.source)).get("check"):
            continue
        parts = defaultdict(list)
        for output in cell.outputs:
            if output.output_type == "stream":
                parts[output.name].append(output.text)
            for kind, content in output.get("data", {}).items():
                if not kind.startswith("image/"):
                    parts[kind].append(content)
        said.append((cell.source, dict(parts)))
    return said


@pytest.mark.slow
@pytest.mark.book
@pytest.mark.parametrize("path", CHAPTERS, ids=NAMES)
def test_a_chapter_runs_from_scratch(path, tmp_path, monkeypatch):
    """Top to bottom with FAST = True, solutions of the exercises included.

    Cells whose output is to be checked print what is committed; it hangs on no parameter.
    """
    monkeypatch.setenv("NCABOOK_STATIC", "1")
    notebook = book.run(path, tmp_path / path.name, FAST=True)
    assert all(
        output.output_type != "error" for c in notebook.cells for output in c.get("outputs", [])
    )
    assert checked(notebook) == checked(nbformat.read(path, as_version=4))


def test_an_output_that_is_to_be_checked_is():
    """The gate above sees a stream, a value and a missing one; pictures and other cells it may."""
    v4 = nbformat.v4

    def notebook(source="# NBVAL_CHECK_OUTPUT\n1", text="1\n", value="1", image="a"):
        stream = v4.new_output("stream", name="stdout", text=text)
        data = {"text/plain": value, "image/png": image}
        outputs = [stream, v4.new_output("display_data", data=data)]
        return v4.new_notebook(cells=[v4.new_code_cell(source, outputs=outputs)])

    assert checked(notebook()) == checked(notebook(image="b")) != []
    for change in ({"text": "2\n"}, {"value": "2"}):
        assert checked(notebook()) != checked(notebook(**change))
        assert checked(notebook("1")) == checked(notebook("1", **change)) == []
    silent = notebook()
    silent.cells[0].outputs.pop()
    assert checked(notebook()) != checked(silent)
    committed = [nbformat.read(path, as_version=4) for path in CHAPTERS]
    assert sum(len(checked(chapter)) for chapter in committed) >= 4


def test_cleaning_makes_equal_runs_equal():
    """Ids, timestamps and injected cells differ from run to run; nothing of them may stay."""

    def noisy(stamp):
        cell = nbformat.v4.new_code_cell("1 + 1", id=stamp, metadata={"papermill": {"at": stamp}})
        injected = nbformat.v4.new_code_cell(
            "FAST = True", metadata={"tags": ["injected-parameters"]}
        )
        metadata = {"papermill": {"start": stamp}, "widgets": {stamp: 1}}
        return nbformat.v4.new_notebook(cells=[cell, injected], metadata=metadata)

    assert book.clean(noisy("a1")) == book.clean(noisy("b2"))
    assert len(book.clean(noisy("a1")).cells) == 1


def test_while_a_chapter_runs_there_is_no_other_file_beside_it(tmp_path, monkeypatch):
    """A page that is made then, from the chapters that there are, would name one that is none."""
    monkeypatch.setattr(book, "ROOT", tmp_path)
    monkeypatch.setattr(book, "BOOK", tmp_path / "book")
    chapter = tmp_path / "book/01_one.ipynb"
    chapter.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(), chapter)
    beside = []

    def run(source, target):
        nbformat.write(nbformat.v4.new_notebook(metadata={"ran": True}), target)
        beside.extend(chapter.parent.iterdir())

    monkeypatch.setattr(book, "run", run)
    book.execute(force=True, names=[])
    assert beside == [chapter]
    assert nbformat.read(chapter, as_version=4).metadata["ran"]
    assert list(tmp_path.rglob("*.ipynb")) == [chapter]
