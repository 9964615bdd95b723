"""The project's own files agree with each other."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from ncabook import zoo
from ncabook.tasks import experiment_from, task_of

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "book" / "_ext")]

import readme_numbers  # noqa: E402
import reference  # noqa: E402
import results_page  # noqa: E402
import set_repository as repository  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]_*.ipynb"))


def test_environment_yml_equals_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    extras = PROJECT["optional-dependencies"]
    python, _, pip = environment["dependencies"]
    assert python == f"python{PROJECT['requires-python']}"
    assert pip["pip"] == PROJECT["dependencies"] + extras["book"] + extras["test"]


def test_constraints_pin_every_dependency():
    pinned = {
        re.split(r"[=\s;]", line)[0] for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    extras = PROJECT["optional-dependencies"]
    for requirement in PROJECT["dependencies"] + extras["book"] + extras["test"]:
        name = re.split(r"[<>=\[]", requirement)[0].lower()
        assert name in pinned, name


def test_what_the_extras_bring_is_there_when_tests_run():
    """`make test` tries every optional part, except Weights & Biases, which wants an account."""
    extras = PROJECT["optional-dependencies"]
    installed = {*PROJECT["dependencies"], *extras["book"], *extras["test"]}
    for name in extras.keys() - {"wandb"}:
        assert set(extras[name]) <= installed, name


def test_pre_commit_runs_the_ruff_of_the_constraints():
    """Two versions of a formatter undo each other's work."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    (ruff,) = (r for r in config["repos"] if r["repo"].endswith("/ruff-pre-commit"))
    constraints = (ROOT / "constraints.txt").read_text()
    assert ruff["rev"].removeprefix("v") == re.search(r"^ruff==(\S+)", constraints, re.MULTILINE)[1]


WITHOUT_EXTRAS = """
import sys
for package in ("onnx", "onnxscript", "pandas", "submitit", "tensorboard", "wandb"):
    sys.modules[package] = None
from ncabook import cli
from ncabook.training.tracking import default_tracker
print("tracker:", default_tracker())
for line in sys.argv[1:]:
    sys.argv = ["ncabook", *line.split()]
    try:
        cli.main()
    except SystemExit as end:
        print("ended with", end.code, flush=True)
"""


def test_without_extras_commands_work_or_say_in_a_line_what_is_missing(tmp_path):
    """The core of the package is enough to list, train and export; nobody sees a traceback."""
    commands = ["list", "table 1", "sweep table5 --seeds 1", "export emoji-conv3 --onnx step.onnx"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS, *commands],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=300,
    )
    assert "Traceback" not in done.stderr
    assert "emoji-conv3" in done.stdout
    assert "tracker: none" in done.stdout
    assert re.findall(r"ended with (\d)", done.stdout) == ["0", "1", "1", "1"]
    said = [line for line in done.stderr.splitlines() if "pip install" in line]
    for extra in ("tensorboard", "tables", "sweep", "onnx"):
        assert any(f'"ncabook[{extra}]"' in line for line in said), extra


def test_only_the_book_toolchain_has_upper_pins():
    extras = PROJECT["optional-dependencies"]
    for requirement in PROJECT["dependencies"] + extras["test"]:
        assert "==" not in requirement, requirement
        assert "<" not in requirement, requirement


def test_every_room_has_a_page_in_the_reference():
    """A new room is told of; the page takes its modules from the package, whichever they are."""
    rooms = {
        f"ncabook.{path.stem}"
        for path in (ROOT / "ncabook").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"ncabook.__init__"}
    assert {room for room in rooms if not reference.LEFT_OUT.match(room)} == {
        *reference.ROOMS.values()
    }
    toc = (ROOT / "_toc.yml").read_text()
    for page, room in reference.ROOMS.items():
        text = (ROOT / "book" / "api" / f"{page}.md").read_text()
        assert reference.MARKER.findall(text) == [room], page
        assert f"file: book/api/{page}\n" in toc, page
        assert f"{{doc}}`{page}`" in (ROOT / "book" / "api" / "index.md").read_text(), page


def test_the_reference_describes_what_is_made_in_a_module():
    """Names that a module imports, hides or leaves without words are no part of its page."""
    text = reference.written("ncabook.automaton")
    assert "`from ncabook.automaton import` any of {py:obj}`~ncabook.automaton.nca.NCA`" in text
    assert ".. automodule:: ncabook.automaton.perception\n" in text
    assert "ncabook.automaton.cpu" not in text
    module = sys.modules["ncabook.automaton.perception"]
    names = reference.own_names(module)
    assert "ConvPerception" in names
    assert "Tensor" in vars(module)
    assert not {"Tensor", *(name for name in vars(module) if name.startswith("_"))} & {*names}


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.stem for path in WORKFLOWS])
def test_a_workflow_may_do_no_more_than_it_has_to(path):
    """It reads the code, unless a job says why not; actions are of one major version; it ends."""
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"].startswith(path.stem)
    for name, job in workflow["jobs"].items():
        assert "timeout-minutes" in job, name
        assert set(job.get("permissions", {})) <= {"pages", "id-token"}, name
        for step in job["steps"]:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/x@v1")), step
            command = step.get("run", "make test")
            assert re.fullmatch(r"make \w+", command), f"{command}: not what a reader can run"
            target = command.removeprefix("make ")
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_workflows_try_the_oldest_python_and_the_newest_that_is_named():
    matrix = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]["test"]
    named = [
        tuple(map(int, found[1].split(".")))
        for classifier in PROJECT["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier))
    ]
    ends = [f"{major}.{minor}" for major, minor in (min(named), max(named))]
    assert matrix["strategy"]["matrix"]["python"] == ends
    assert PROJECT["requires-python"] == f">={ends[0]}"


def test_changes_are_told_newest_first():
    """Keep a Changelog: what is not released yet comes first, and is where new lines go."""
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert headings[1:] == sorted(headings[1:], reverse=True)
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert PROJECT["urls"]["Changelog"].startswith(PROJECT["urls"]["Repository"])
    assert "(CHANGELOG.md)" in (ROOT / "README.md").read_text()


def test_what_the_package_ships_is_there_and_typed():
    """A pattern that matches nothing ships nothing; without py.typed, types are not read."""
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    shipped = package["package-data"]["ncabook"]
    assert "py.typed" in shipped
    for folder, patterns in ((ROOT / "ncabook", shipped), (ROOT, PROJECT["license-files"])):
        for pattern in patterns:
            assert list(folder.glob(pattern)), pattern


def check_repository(root, url):
    """Every place that names the repository names ``url``."""
    assert repository.current(root) == url
    config = yaml.safe_load((root / "_config.yml").read_text())
    assert config["repository"]["url"] == url
    assert ("colab_url" in config["launch_buttons"]) == (url != repository.PLACEHOLDER)
    assert yaml.safe_load((root / "CITATION.cff").read_text())["repository-code"] == url
    for path in sorted((root / "book").glob("[0-9][0-9]_*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        title = "".join(cells[0]["source"])
        assert repository.badges(url, path.stem) in title.splitlines(), path.name
        setup = next("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        assert f'"ncabook @ git+{url}"' in setup, path.name


def test_one_repository_address_everywhere():
    check_repository(ROOT, PROJECT["urls"]["Repository"])


def test_setting_the_repository_stamps_every_place_and_can_be_undone(tmp_path):
    for name in ("pyproject.toml", "_config.yml", "CITATION.cff", "README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "book").mkdir()
    for path in CHAPTERS:
        shutil.copy(path, tmp_path / "book")
    before = {p: p.read_text() for p in tmp_path.rglob("*.*") if p.is_file()}
    original = repository.current(tmp_path)
    url = "https://github.com/someone/a-book"
    repository.set_repository(url, tmp_path)
    check_repository(tmp_path, url)
    assert (
        "colab.research.google.com/github/someone/a-book/blob/main/book/"
        in (tmp_path / "book" / CHAPTERS[0].name).read_text()
    )
    repository.set_repository(original, tmp_path)
    assert {p: p.read_text() for p in before} == before


@pytest.mark.parametrize(
    "url",
    ["http://example.org/x", "https://github.com/a/b.git", "https://github.com/../..", ""],
)
def test_an_address_that_colab_cannot_open_is_refused(tmp_path, url):
    with pytest.raises(ValueError, match="expected https://github.com/OWNER/NAME"):
        repository.set_repository(url, tmp_path)


def test_readme_numbers_are_those_of_cards_and_benchmarks():
    text = (ROOT / "README.md").read_text()
    assert readme_numbers.START in text
    assert readme_numbers.updated(text) == text, "run scripts/readme_numbers.py"


def test_the_page_of_results_is_that_of_the_cards():
    assert results_page.PAGE.read_text() == results_page.page(), "run scripts/results_page.py"
    named = set(results_page.FAMILIES)
    assert {folder.parent.name for folder in zoo.folders().values()} <= named


def test_readme_examples_run(tmp_path, monkeypatch):
    first, second = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    scope = {}
    exec(first, scope)
    assert scope["state"].shape == (1, 16, 48, 48)
    monkeypatch.chdir(tmp_path)
    exec(second, scope)
    assert scope["rule"].name == "B36/S23"
    assert "<html" in (tmp_path / "rule.html").read_text("utf-8")


def test_readme_has_an_experiment_that_could_be_trained():
    text = (ROOT / "README.md").read_text()
    content = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    experiment = experiment_from(content, "README.md")
    assert experiment.data.classes == ["cat", "dog"]
    for path in re.findall(r"`(experiments/\S+\.yaml)`", text):
        assert (ROOT / "ncabook" / path).is_file()


def test_results_run_what_may_be_shown_and_nothing_else():
    """A link without a page is broken; and of faces no page may be made."""
    linked = set(re.findall(r'href="../live/([\w-]+)\.html"', results_page.page()))
    assert "drawn-inpaint" in linked
    assert "faces-inpaint" not in linked
    for name, folder in zoo.folders().items():
        experiment = zoo.read_card(folder).experiment
        may = task_of(experiment).shows(experiment)
        assert (name in linked) == may, name
        if not may:
            with pytest.raises(TypeError):
                zoo.load(name).live()
