"""Pages that hold the chapters together: errata, parts, exercises, and what teachers may take."""

import json
import re
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
sys.path[:0] = [str(ROOT / "scripts"), str(BOOK / "_ext")]

import exercises  # noqa: E402
import teaching_kit  # noqa: E402

CHAPTERS = sorted(BOOK.glob("[0-9][0-9]_*.ipynb"))
MOST_BYTES = 3_000_000  # of all films and stills


def words(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def page(name):
    return (BOOK / f"{name}.md").read_text(encoding="utf-8")


def linked(text):
    return set(re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`", text))


def test_every_box_of_errata_is_on_the_page_of_errata():
    boxes = {
        path.stem
        for path in CHAPTERS
        if re.search(r"\{admonition\} (?:Errata|Notes on the paper)", words(path))
    }
    assert len(boxes) >= 12
    assert boxes <= linked(page("errata"))


def test_parts_are_told_of_and_hold_every_chapter_once():
    """In the order of their numbers, which run on from part to part."""
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    numbered = [part for part in parts if "numbered" in part]
    files = [entry["file"] for part in numbered for entry in part["chapters"]]
    assert files == sorted(files)
    assert {f"book/{path.stem}" for path in CHAPTERS} == set(files)
    (said,) = re.findall(r"```\{chapters\}\n(.*?)```", page("index"), re.DOTALL)
    told = {line.split(":")[0] for line in said.splitlines()}
    assert {part["caption"] for part in numbered} <= told


@pytest.mark.parametrize("path", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_exercises_have_levels(path):
    found = exercises.read(path)
    assert {one.level for one in found} >= {"easy", "open"}
    assert len({one.label for one in found}) == len(found)


def test_an_exercise_without_a_level_is_refused(tmp_path):
    source = "```{exercise} Count (tricky)\n:label: ex-count\n"
    notebook = {"cells": [{"cell_type": "markdown", "source": [source]}]}
    (tmp_path / "x.ipynb").write_text(json.dumps(notebook))
    with pytest.raises(ValueError, match="easy, medium, open"):
        exercises.read(tmp_path / "x.ipynb")


def test_exercises_of_the_six_weeks_exist():
    there = {one.label for path in CHAPTERS for one in exercises.read(path)}
    named = set(re.findall(r"\{ref\}`[^`<]*<(ex-[^>]+)>`", page("teaching")))
    assert named
    assert named <= there


def test_films_for_teachers_are_small_move_and_are_linked(tmp_path):
    """Of what may be passed on; each has a still, and the page names all, and no other."""
    written = teaching_kit.write(tmp_path)
    assert sum(path.stat().st_size for path in written) <= MOST_BYTES
    for name in teaching_kit.FILMS:
        with Image.open(tmp_path / name) as film:
            assert film.n_frames > 50
    named = set(re.findall(r"_static/teaching/([\w.-]+)", page("teaching")))
    assert named == {path.name for path in written}


def test_the_history_is_as_long_as_it_should_be_and_its_sources_are_there():
    text = page("history").split("## References")[0]
    count = len(re.sub(r"\{\w+(?::\w+)?\}`[^`]*`", "", text).split())
    assert 1200 <= count <= 1800
    known = set(re.findall(r"^@\w+\{([^,]+),", (BOOK / "references.bib").read_text(), re.MULTILINE))
    for keys in re.findall(r"\{cite:\w\}`([^`]+)`", text):
        assert set(keys.split(",")) <= known
